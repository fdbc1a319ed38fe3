"""Duplicate groups over the stored complaints: read as columns, linked as arrays, told as groups."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis import geo
from gis.complaints.duplicate_groups import link, members
from gis.complaints.queries import OPEN_WORDS
from gis.complaints.repeat_rules import DUPLICATE_DAYS, DUPLICATE_M
from gis.people.rules import CITY, Scope

DAY_S = 86_400
_READ = """
    COPY (SELECT c.id::int8, ST_X(c.geom), ST_Y(c.geom), extract(epoch FROM c.received_at)::int8, k.number::int4
            FROM complaint c JOIN category k ON k.code = c.category
           WHERE c.geom IS NOT NULL AND c.merged_into_id IS NULL
             AND (%(since)s::timestamptz IS NULL OR c.received_at >= %(since)s)
             AND (%(until)s::timestamptz IS NULL OR c.received_at < %(until)s)
             AND (NOT %(open)s OR c.status = ANY(%(statuses)s))
             AND (%(area)s::bigint IS NULL OR %(area)s IN (c.district_id, c.street_id, c.community_id, c.compound_id))
             AND (%(unit)s::bigint IS NULL OR c.unit_id = %(unit)s))
      TO STDOUT (FORMAT binary)
"""
# Each row is a 16-bit count of fields; each field a 32-bit length and its value, all big-endian.
_FIELDS = (("id", "i8"), ("lon", "f8"), ("lat", "f8"), ("at", "i8"), ("kind", "i4"))
_RECORD = np.dtype(
    [("fields", ">i2"), *(part for name, kind in _FIELDS for part in ((f"{name}#", ">i4"), (name, f">{kind}")))]
)
_HEAD, _TAIL = 19, 2


@dataclass(frozen=True)
class Group:
    """Complaints that may be one matter: their ids, first received first; how far apart they lie and how long they took."""

    ids: tuple[int, ...]
    metres: float
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Found:
    """The groups, the largest first, and how many complaints were read."""

    read: int
    groups: list[Group]

    @property
    def double(self) -> int:
        """How many complaints lie in some group."""
        return sum(len(group.ids) for group in self.groups)


def find(
    session: Session, scope: Scope = CITY, *, since: datetime | None = None, until: datetime | None = None,
    only_open: bool = False, radius_m: float = DUPLICATE_M, days: float = DUPLICATE_DAYS, limit: int | None = None,
) -> Found:  # fmt: skip
    """Which complaints of one category lie within `radius_m` and `days` of each other? Those merged already are left out."""
    rows = _read(session, {"since": since, "until": until, "open": only_open, "statuses": list(map(str, OPEN_WORDS)),
                           "area": scope.area_id, "unit": scope.unit_id})  # fmt: skip
    ids, lon, lat, at, kind = (
        np.ascontiguousarray(rows[name], rows[name].dtype.newbyteorder("=")) for name, _ in _FIELDS
    )
    if not ids.size:
        return Found(0, [])
    x, y = geo.to_metres(lon, lat, float(np.median(lon)))
    root = link(x, y, at, kind, radius_m=radius_m, window_s=int(days * DAY_S))
    groups = members(root)
    order = sorted(range(len(groups)), key=lambda g: (-groups[g].size, -int(at[groups[g]].max()), int(groups[g][0])))
    return Found(int(ids.size), [_group(groups[g], ids, x, y, at) for g in order[:limit]])


def _group(which: NDArray[np.int64], ids: Any, x: Any, y: Any, at: Any) -> Group:
    which = which[np.lexsort((ids[which], at[which]))]
    wide, high = np.ptp(x[which]), np.ptp(y[which])
    moments = [datetime.fromtimestamp(int(at[i]), UTC) for i in (which[0], which[-1])]
    return Group(tuple(ids[which].tolist()), float(np.hypot(wide, high)), moments[0], moments[1])


def _read(session: Session, given: dict[str, Any]) -> NDArray[Any]:
    data = io.BytesIO()
    raw: Any = session.connection().connection  # SQLAlchemy has no COPY: psycopg2's own cursor, in our transaction
    with raw.cursor() as cursor:
        cursor.copy_expert(cursor.mogrify(_READ, given).decode(), data)
    view = data.getbuffer()
    many, rest = divmod(len(view) - _HEAD - _TAIL, _RECORD.itemsize)
    if rest:
        raise ValueError("a complaint with a missing value")
    return np.frombuffer(view, _RECORD, many, _HEAD)


def all_ids(groups: Sequence[Group]) -> list[int]:
    """Every complaint of some groups."""
    return [one for group in groups for one in group.ids]
