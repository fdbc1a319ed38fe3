"""The street networks of the database in the memory of this process: loaded once, and again when one has changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.places.rules import TravelMode
from gis.prepared import Prepared

if TYPE_CHECKING:
    from gis.places.roads import RoadNetwork, Target

DENSITY_M = 2000.0  # around a place, the network with the most junctions within this distance answers


@dataclass(frozen=True)
class Found:
    """A place on a network. `on_network` is None where no network is loaded at all, False where none reaches the place."""

    target: Target | None
    on_network: bool | None


Version = tuple[int, datetime]


class _Shelf:
    """The networks of one database for one mode, by id, with the version that each was read at."""

    def __init__(self, mode: TravelMode) -> None:
        self.mode = mode
        self.lock = threading.Lock()
        self.networks: dict[int, tuple[Version, RoadNetwork]] = {}

    def current(self, session: Session) -> dict[int, tuple[Version, RoadNetwork]]:
        """The networks as they are now. While one thread reads a changed network the others go on with the old one."""
        wanted = {row.id: (row.revision, row.imported_at) for row in _REVISIONS.rows(session)}
        if wanted == {key: revision for key, (revision, _) in self.networks.items()}:
            return self.networks
        if not self.lock.acquire(blocking=not (wanted.keys() <= self.networks.keys())):
            return self.networks
        try:
            held = self.networks
            self.networks = {
                key: held[key]
                if key in held and held[key][0] == revision
                else (revision, load(session, key, self.mode))
                for key, revision in wanted.items()
            }
            return self.networks
        finally:
            self.lock.release()


_REVISIONS = Prepared("SELECT id, revision, imported_at FROM road_network ORDER BY id")
_EDGES = {
    TravelMode.DRIVE: text(
        """
        SELECT ref, from_node, to_node, length_m, forward_s, backward_s, ST_AsBinary(geom) AS line FROM road_edge
         WHERE network_id = :id AND (forward_s IS NOT NULL OR backward_s IS NOT NULL) ORDER BY id
        """
    ),
    TravelMode.WALK: text(
        """
        SELECT ref, from_node, to_node, length_m, walk_s, walk_s, ST_AsBinary(geom) AS line FROM road_edge
         WHERE network_id = :id AND walk_s IS NOT NULL ORDER BY id
        """
    ),
}
_TURNS = text("SELECT path FROM road_turn WHERE network_id = :id ORDER BY id")
_shelves: dict[tuple[str, TravelMode], _Shelf] = {}
_shelves_lock = threading.Lock()


def load(session: Session, network_id: int, mode: TravelMode = TravelMode.DRIVE) -> RoadNetwork:
    """Read the streets of one network that can be driven, or walked (in both directions, minding no turn)."""
    import shapely

    from gis.places.road_turns import unsigned
    from gis.places.roads import Edges, RoadNetwork

    rows = session.execute(_EDGES[mode], {"id": network_id}).all()
    refs, *columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    numbers = {ref: i for i, ref in enumerate(refs)}
    paths = session.scalars(_TURNS, {"id": network_id}).all() if mode == TravelMode.DRIVE else []
    forbidden = [way for path in paths if (way := unsigned(path, numbers)) is not None]
    return RoadNetwork(
        Edges(
            np.array(columns[0], np.int64), np.array(columns[1], np.int64), np.array(columns[2], float),
            np.array(columns[3], float), np.array(columns[4], float),
            shapely.from_wkb(np.array([bytes(line) for line in columns[5]], object)), forbidden,
        )
    )  # fmt: skip


def networks(session: Session, mode: TravelMode = TravelMode.DRIVE) -> list[RoadNetwork]:
    """All networks of this session's database for one mode, the first imported first."""
    key = (str(session.get_bind().engine.url), mode)
    with _shelves_lock:
        shelf = _shelves.setdefault(key, _Shelf(mode))
    found = shelf.current(session)
    return [found[number][1] for number in sorted(found)]


def warm(session: Session) -> None:
    """Load the networks and compile the searches before the first dispatcher waits for them."""
    for network in (network for mode in TravelMode for network in networks(session, mode)):
        west, south, east, north = network.bounds
        middle = ((west + east) / 2, (south + north) / 2)
        target = network.target(*middle, snap_limit_m=1e6)
        if target is not None:
            target.travel([middle[0]], [middle[1]])
            target.reach(60.0)
        network.hierarchy()


def network_near(
    session: Session, lon: float, lat: float, snap_limit_m: float, mode: TravelMode = TravelMode.DRIVE
) -> Found:
    """The place on the network that knows it best: the one with the most junctions around it."""
    loaded = networks(session, mode)
    if not loaded:
        return Found(None, None)
    targets = [target for network in loaded if (target := network.target(lon, lat, snap_limit_m))]
    if len(targets) > 1:
        targets.sort(key=lambda t: -t.network.junctions_within(lon, lat, DENSITY_M))
    return Found(targets[0] if targets else None, bool(targets))
