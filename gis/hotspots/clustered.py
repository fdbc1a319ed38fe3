"""The same places on a Dask cluster, for complaints that outgrow one memory: each worker reads a part, moves it into the plane
and says sums of it; only sums come back. Counts are whole numbers, so the answers are those of the arrays, in whatever parts.

On one machine this is slower than the arrays: everything is read by other processes and told through sockets (`make bench`
prints both). Use it when one machine cannot hold the places. The scheduler is given by address (`CHENGMAI_DASK`); a cluster
obeys whoever reaches it, so it belongs on a closed network, or behind Dask's own TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.complaints.queries import Filters
from gis.errors import BadInput
from gis.hotspots import queries, sheet_queries
from gis.hotspots.analysis import in_plane
from gis.hotspots.sheets import Spots
from gis.hotspots.tiling import Tracts
from gis.people.rules import CITY, Scope

PATIENCE_S = 10
PART_ROWS = 1_000_000  # complaints that one worker holds at a time: about 0.1 GB while they are read
DEGREES = "EPSG:4326"
_DAY = timedelta(days=1)

Connect = Callable[[], Session]
Tell = Callable[[int, int], None]


class ClusterAway(BadInput):
    """No Dask cluster answers at %(address)s: %(reason)s"""

    code = "cluster_away"


class BadPlacesFile(BadInput):
    """These are no complaints as GeoParquet: %(reason)s. Points with a reference system and a column received_at are needed."""

    code = "bad_places_file"


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """The workers at an address, or as many processes of this machine as it has cores. Raises ClusterAway."""
    from distributed import Client, LocalCluster

    try:
        here = None if address else LocalCluster(dashboard_address=None)
        client = Client(address or here, timeout=PATIENCE_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterAway(address=address or "localhost", reason=str(error) or type(error).__name__) from error
    try:
        yield client
    finally:
        client.close()
        if here is not None:
            here.close()


@dataclass(frozen=True)
class Parts:
    """Places that stay with the workers, a part each (`gis.hotspots.sheets.Places`)."""

    client: Any
    futures: tuple[Any, ...]
    located: int
    elsewhere: int
    not_located: int

    @classmethod
    def read(cls, client: Any, parts: Sequence[Any], tell: Tell) -> Parts:
        """Let the workers read (delayed `Spots`), saying how far they are."""
        from distributed import as_completed

        futures = client.compute(list(parts))
        for done, _ in enumerate(as_completed(futures, raise_errors=True), 1):
            tell(done, len(futures))
        numbers = client.gather(client.map(_numbers, futures, pure=False))
        located, elsewhere, lost = np.array(numbers, np.int64).reshape(-1, 3).sum(0).tolist()
        return cls(client, tuple(futures), located, elsewhere, lost)

    def sum_over(self, each: Callable[[Spots], NDArray[Any]]) -> NDArray[Any]:
        """Added up where the parts are, two and two, so that no more than two sums stand anywhere."""
        if not self.futures:
            none = np.zeros(0, np.int32)
            return each(Spots(none, none, none, none, 0, 0))
        sums = self.client.map(each, self.futures, pure=False)
        while len(sums) > 1:
            last = sums[len(sums) // 2 * 2 :]
            sums = [*self.client.map(np.add, sums[: len(sums) // 2 * 2 : 2], sums[1::2], pure=False), *last]
        return cast("NDArray[Any]", sums[0].result())

    def box(self) -> tuple[int, int, int, int] | None:
        boxes = [b for b in self.client.gather(self.client.map(Spots.box, self.futures, pure=False)) if b is not None]
        if not boxes:
            return None
        west, south, east, north = zip(*boxes, strict=True)
        return min(west), min(south), max(east), max(north)


def _numbers(spots: Spots) -> tuple[int, int, int]:
    return spots.located, spots.elsewhere, spots.not_located


# --- the bureau's own database -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Database:
    """The complaints of the bureau's own database (`analysis.Source`), read by the workers from one snapshot: all see what the
    asking transaction sees. `connect` must open a session where a worker runs."""

    client: Any
    session: Session
    filters: Filters
    scope: Scope
    now: datetime
    connect: Connect
    tell: Tell
    part_rows: int = PART_ROWS

    def near_lon(self) -> float:
        middle = sheet_queries.middle(self.session)
        return 0.0 if middle is None else round(middle / 3) * 3.0

    def spots(self, near_lon: float) -> Parts:
        return self._read(partial(_spots_of, near_lon=near_lon))

    def members(self, tracts: Tracts, near_lon: float) -> Parts:
        return self._read(partial(_members_of, ids=tracts.ids))

    def _read(self, what: Callable[[Session, Filters, Scope, datetime], Spots]) -> Parts:
        from dask.delayed import delayed

        # The workers read as long as this transaction stands, however long that takes.
        self.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = str(self.session.scalar(text("SELECT pg_export_snapshot()")))
        one = delayed(_from_database, pure=False)
        return Parts.read(
            self.client,
            [one(self.connect, snapshot, replace(self.filters, since=first, until=end), self.scope, self.now, what)
             for first, end in self._spans()],
            self.tell,
        )  # fmt: skip

    def _spans(self) -> list[tuple[datetime, datetime]]:
        """The period in pieces of whole days with about as many complaints as a part may have."""
        zone = ZoneInfo(sheet_queries.plane(self.session).zone)
        first, last = (
            None if edge is None else (edge.astimezone(zone).date() - sheet_queries.EPOCH).days
            for edge in (self.filters.since, self.filters.until)
        )
        # The sheets count whole days: those that the period only touches are counted whole, and cut at its edges.
        every = sheet_queries.every_day(self.session, Filters(category=self.filters.category), CITY)
        per_day = {
            day: n for day, n in every.items() if (first is None or first <= day) and (last is None or day <= last)
        }
        if not per_day:
            return []
        cuts, held = [], 0
        for day in sorted(per_day):
            if held and held + per_day[day] > self.part_rows:
                cuts.append(day)
                held = 0
            held += per_day[day]
        days = [min(per_day), *cuts, max(per_day) + 1]
        edges = [datetime.combine(sheet_queries.EPOCH + day * _DAY, time(), zone) for day in days]
        edges[0] = max(edges[0], self.filters.since or edges[0])
        edges[-1] = min(edges[-1], self.filters.until or edges[-1])
        return list(pairwise(edges))


def _from_database(
    connect: Connect, snapshot: str, filters: Filters, scope: Scope, now: datetime,
    what: Callable[[Session, Filters, Scope, datetime], Spots],
) -> Spots:  # fmt: skip
    with connect() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET TRANSACTION SNAPSHOT '" + snapshot.replace("'", "") + "'"))
        return what(session, filters, scope, now)


def _spots_of(session: Session, filters: Filters, scope: Scope, now: datetime, near_lon: float) -> Spots:
    return in_plane(queries.points(session, filters, scope, now), near_lon)


def _members_of(session: Session, filters: Filters, scope: Scope, now: datetime, ids: tuple[int, ...]) -> Spots:
    return queries.by_community(session, filters, scope, now, ids)


# --- files ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Files:
    """Complaints as GeoParquet (`analysis.Source`), as an archive or a whole province keeps them: points in any reference
    system, `received_at`, and `category` where one is chosen. The workers must see the files under the same names."""

    client: Any
    paths: tuple[str, ...]
    filters: Filters
    zone: ZoneInfo
    tell: Tell

    def near_lon(self) -> float:
        """Where the middle part has its middle: a few places far away do not move it."""
        from dask.delayed import delayed

        one = delayed(_middle_of, pure=False)
        middles = self.client.gather(self.client.compute([one(part) for part in self._frame().to_delayed()]))
        known = [lon for lon in middles if lon is not None]
        return round(float(np.median(known)) / 3) * 3.0 if known else 0.0

    def spots(self, near_lon: float) -> Parts:
        return self._read(partial(_spots_in, filters=self.filters, zone=self.zone, near_lon=near_lon))

    def members(self, tracts: Tracts, near_lon: float) -> Parts:
        """By the community that each place lies in: a file does not say under which it was filed."""
        return self._read(
            partial(_members_in, filters=self.filters, zone=self.zone, near_lon=near_lon, shapes_m=tracts.shapes_m)
        )

    def _read(self, what: Callable[[Any], Spots]) -> Parts:
        from dask.delayed import delayed

        one = delayed(what, pure=False)
        return Parts.read(self.client, [one(part) for part in self._frame().to_delayed()], self.tell)

    def _frame(self) -> Any:
        """The rows as a Dask GeoDataFrame in degrees. Raises BadPlacesFile."""
        import dask_geopandas
        import pyarrow

        columns = ["geometry", "received_at", *(["category"] if self.filters.category else [])]
        try:
            frame = dask_geopandas.read_parquet(list(self.paths), columns=columns)
        except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
            raise BadPlacesFile(reason=str(error).split("\n")[0]) from error
        if frame.crs is None:
            raise BadPlacesFile(reason="no reference system")
        return frame.to_crs(DEGREES)


def _middle_of(part: Any) -> float | None:
    placed = part.geometry[~(part.geometry.isna() | part.geometry.is_empty)]
    return float(np.median(placed.x)) if len(placed) and (placed.geom_type == "Point").all() else None


def _spots_in(part: Any, filters: Filters, zone: ZoneInfo, near_lon: float) -> Spots:
    """The chosen rows of a GeoDataFrame in degrees. Raises BadPlacesFile."""
    moment = part["received_at"]
    if moment.dtype.kind != "M":
        raise BadPlacesFile(reason=f"received_at is {moment.dtype}, not a time")
    moment = moment.dt.tz_localize(zone) if moment.dt.tz is None else moment.dt.tz_convert(zone)
    chosen = moment.notna().to_numpy()
    if filters.since is not None:
        chosen = chosen & (moment >= filters.since).to_numpy()
    if filters.until is not None:
        chosen = chosen & (moment < filters.until).to_numpy()
    if filters.category:
        code = part["category"].astype("str")
        wanted = np.zeros(len(part), bool)
        for one in filters.category:
            wanted = wanted | ((code == one) | code.str.startswith(f"{one}.")).to_numpy()
        chosen = chosen & wanted
    shapes, moment = part.geometry[chosen], moment[chosen]
    placed = (~(shapes.isna() | shapes.is_empty)).to_numpy()
    if not (shapes[placed].geom_type == "Point").all():
        raise BadPlacesFile(reason="other shapes than points")
    day = (moment[placed].dt.tz_localize(None).dt.floor("D").to_numpy().astype("datetime64[D]")).astype(np.int32)
    at = queries.Points(
        shapes[placed].x.to_numpy(np.float64), shapes[placed].y.to_numpy(np.float64), day, int((~placed).sum())
    )
    return in_plane(at, near_lon)


def _members_in(part: Any, filters: Filters, zone: ZoneInfo, near_lon: float, shapes_m: tuple[Any, ...]) -> Spots:
    """The same by communities: of two that share a border the first."""
    spots = _spots_in(part, filters, zone, near_lon)
    places = shapely.points(spots.x_m + 0.5, spots.y_m + 0.5)
    place, column = shapely.STRtree(list(shapes_m)).query(places, predicate="intersects")
    place, first = np.unique(place, return_index=True)
    zeros = np.zeros(place.size, np.int32)
    return Spots(column[first].astype(np.int32), zeros, spots.n[place], spots.day[place], 0, 0)
