"""The networks of the database in the memory of this process, as arrays: read once, and again when a utility has changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.network.rules import NodeKind, PipeSide
from gis.prepared import Prepared

Ints = NDArray[np.int64]
KINDS = tuple(NodeKind)
SIDES = tuple(PipeSide)


@dataclass(frozen=True)
class NetworkGraph:
    """One utility. Nodes and sections by place in the arrays; `node_kind` and `node_side` are places in KINDS and SIDES.

    `node_ref` is the id of the source, valve, station or supply point that stands at the node, 0 at a junction. A section
    runs from node `start` to node `end`; water may run either way.
    """

    utility: str
    version: int
    node_id: Ints
    node_kind: NDArray[np.int8]
    node_side: NDArray[np.int8]
    node_ref: Ints
    node_lonlat: NDArray[np.float64]
    section_id: Ints
    pipeline_id: Ints
    start: Ints
    end: Ints
    length_m: NDArray[np.float64]


_VERSIONS = Prepared("SELECT utility, topology FROM network_version WHERE topology > 0 ORDER BY utility")
_NODES = text(
    """
    SELECT id, kind, side, coalesce(heat_source_id, supply_source_id, valve_id, station_id, supply_point_id, 0) AS ref,
           ST_X(geom) AS lon, ST_Y(geom) AS lat
      FROM pipe_node WHERE utility = :utility ORDER BY id
    """
)
_SECTIONS = text(
    """
    SELECT id, pipeline_id, from_node_id, to_node_id, length_m FROM pipe_section WHERE utility = :utility ORDER BY id
    """
)


class _Shelf:
    """The graphs of one database by utility."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.graphs: dict[str, NetworkGraph] = {}

    def current(self, session: Session) -> dict[str, NetworkGraph]:
        """The graphs as they are now. What was read at the same version is kept."""
        wanted = {row.utility: row.topology for row in _VERSIONS.rows(session)}
        if wanted == {name: graph.version for name, graph in self.graphs.items()}:
            return self.graphs
        with self.lock:
            held = self.graphs
            self.graphs = {
                name: held[name] if name in held and held[name].version == version else load(session, name, version)
                for name, version in wanted.items()
            }
            return self.graphs


_shelves: dict[str, _Shelf] = {}
_shelves_lock = threading.Lock()


def load(session: Session, utility: str, version: int = 0) -> NetworkGraph:
    """Read one utility's topology."""
    nodes = session.execute(_NODES, {"utility": utility}).all()
    sections = session.execute(_SECTIONS, {"utility": utility}).all()
    kinds, sides = {str(k): i for i, k in enumerate(KINDS)}, {str(s): i for i, s in enumerate(SIDES)}
    node_id = np.array([row.id for row in nodes], np.int64)
    ends = np.array([(row.from_node_id, row.to_node_id) for row in sections], np.int64).reshape(-1, 2)
    return NetworkGraph(
        utility, version, node_id,
        np.array([kinds[row.kind] for row in nodes], np.int8), np.array([sides[row.side] for row in nodes], np.int8),
        np.array([row.ref for row in nodes], np.int64), np.array([(r.lon, r.lat) for r in nodes], float).reshape(-1, 2),
        np.array([row.id for row in sections], np.int64), np.array([row.pipeline_id for row in sections], np.int64),
        np.searchsorted(node_id, ends[:, 0]), np.searchsorted(node_id, ends[:, 1]),
        np.array([row.length_m for row in sections], float),
    )  # fmt: skip


def graphs(session: Session) -> dict[str, NetworkGraph]:
    """The topologies of this session's database by utility, each as it is now."""
    key = str(session.get_bind().engine.url)
    with _shelves_lock:
        shelf = _shelves.setdefault(key, _Shelf())
    return shelf.current(session)
