"""The city's networks joined into one trace: heat, water and gas, the exchangers between them, and what depends on what.

Read into memory once, and again when a topology, a valve or a dependency has changed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.network.graphs import KINDS, SIDES, NetworkGraph, load
from gis.network.rules import NodeKind, PipeSide
from gis.network.trace import Pipes, Trace
from gis.network.trace_kernels import Flags, Ints
from gis.prepared import Prepared

_KIND = {kind: i for i, kind in enumerate(KINDS)}
_SIDE = {side: i for i, side in enumerate(SIDES)}
PRIMARY = (_SIDE[PipeSide.PRIMARY_SUPPLY], _SIDE[PipeSide.PRIMARY_RETURN])
SECONDARY = (_SIDE[PipeSide.SECONDARY_SUPPLY], _SIDE[PipeSide.SECONDARY_RETURN])


@dataclass(frozen=True)
class CityNetwork:
    """All utilities as one: the trace, and who stands at which place of its arrays."""

    version: tuple[Any, ...]
    trace: Trace
    utility: list[str]  # of each section
    node_id: Ints
    section_id: Ints
    pipeline_id: Ints
    side: Ints  # of each node, a place in SIDES
    valve_id: Ints  # of each node, 0: none
    station_id: Ints
    point_id: Ints
    source_id: Ints
    node_of_valve: dict[int, int]
    node_of_station: dict[int, list[int]]
    node_of_point: dict[int, list[int]]
    sections_of: dict[int, list[int]]  # pipeline -> sections

    def valves(self, nodes: Any) -> list[int]:
        """The ids of the valves at these nodes, in the same order."""
        return [int(self.valve_id[node]) for node in nodes]

    def nodes_of(self, valves: Any) -> list[int]:
        """The nodes of these valves; those that lie on no pipe are left out."""
        return [self.node_of_valve[int(v)] for v in valves if int(v) in self.node_of_valve]

    def at(self, nodes: Ints, ids: Ints) -> list[int]:
        """Which stations (or supply points) stand at these nodes, each once, ascending."""
        found = np.unique(ids[nodes])
        return [int(i) for i in found if i]


_VERSION = Prepared(
    """
    SELECT coalesce((SELECT string_agg(utility || topology || '.' || valves, ' ' ORDER BY utility) FROM network_version), '') AS made,
           (SELECT max(id) FROM pipe_node) AS node, (SELECT max(id) FROM pipe_section) AS section,
           (SELECT count(*) || '.' || coalesce(sum(version), 0) FROM valve) AS valves,
           (SELECT count(*) || '.' || coalesce(sum(version), 0) FROM network_dependency) AS needs
    """
)
_UTILITIES = text("SELECT DISTINCT utility FROM pipe_section ORDER BY utility")
_VALVES = text(
    "SELECT id, is_open, reach = 'reachable' AS reachable, kind = 'isolation' AS isolates FROM valve ORDER BY id"
)
_NEEDS = text("SELECT station_id, supply_point_id FROM network_dependency ORDER BY id")
_shelves: dict[str, CityNetwork] = {}
_lock = threading.Lock()


def city(session: Session) -> CityNetwork:
    """The networks as they are now. While one thread reads anew, the others wait: a trace must not be of yesterday."""
    key = str(session.get_bind().engine.url)
    version = tuple(_VERSION.rows(session)[0])
    held = _shelves.get(key)
    if held is not None and held.version == version:
        return held
    with _lock:
        held = _shelves.get(key)
        if held is None or held.version != version:
            held = _shelves[key] = _joined(session, version)
        return held


def _joined(session: Session, version: tuple[Any, ...]) -> CityNetwork:
    parts = [load(session, utility) for utility in session.scalars(_UTILITIES)]
    whole = _Whole(parts)
    valves = {row.id: row for row in session.execute(_VALVES)}
    valve, is_open, reachable = whole.valves(valves)
    pipes = Pipes(
        whole.start, whole.end, whole.length_m, valve, is_open, reachable, whole.kind == _KIND[NodeKind.SOURCE],
        whole.needs(session.execute(_NEEDS).all()),
    )  # fmt: skip
    where: dict[int, list[int]] = {}
    for i, pipeline in enumerate(whole.pipeline_id.tolist()):
        where.setdefault(pipeline, []).append(i)
    return CityNetwork(
        version, Trace(pipes), whole.utility, whole.node_id, whole.section_id, whole.pipeline_id, whole.side, whole.of(NodeKind.VALVE),
        whole.of(NodeKind.STATION), whole.of(NodeKind.CUSTOMER), whole.of(NodeKind.SOURCE),
        {k: v[0] for k, v in whole.places(NodeKind.VALVE).items()}, whole.places(NodeKind.STATION),
        whole.places(NodeKind.CUSTOMER), where,
    )  # fmt: skip


class _Whole:
    """Several graphs put behind one another."""

    def __init__(self, parts: list[NetworkGraph]) -> None:
        offsets = np.cumsum([0, *(len(part.node_id) for part in parts)])

        def whole(columns: list[Any]) -> Ints:
            return np.concatenate([np.empty(0, np.int64), *columns]).astype(np.int64)

        self.kind, self.side = whole([part.node_kind for part in parts]), whole([part.node_side for part in parts])
        self.node_id = whole([part.node_id for part in parts])
        self.ref, self.section_id = whole([part.node_ref for part in parts]), whole([part.section_id for part in parts])
        self.pipeline_id = whole([part.pipeline_id for part in parts])
        self.length_m = np.concatenate([np.empty(0), *(part.length_m for part in parts)])
        self.start = whole([part.start + at for part, at in zip(parts, offsets, strict=False)])
        self.end = whole([part.end + at for part, at in zip(parts, offsets, strict=False)])
        self.utility = [part.utility for part in parts for _ in range(len(part.section_id))]

    def of(self, kind: NodeKind) -> Ints:
        return np.where(self.kind == _KIND[kind], self.ref, 0)

    def places(self, kind: NodeKind) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for node in np.flatnonzero(self.kind == _KIND[kind]).tolist():
            found.setdefault(int(self.ref[node]), []).append(node)
        return found

    def valves(self, rows: dict[int, Any]) -> tuple[Flags, Flags, Flags]:
        """Of each node: is it a valve that closes or is closed, is it open, can it be used."""
        n = len(self.kind)
        valve, is_open, usable = np.zeros(n, np.bool_), np.ones(n, np.bool_), np.ones(n, np.bool_)
        for node in np.flatnonzero(self.kind == _KIND[NodeKind.VALVE]).tolist():
            row = rows.get(int(self.ref[node]))
            if row is not None and (row.isolates or not row.is_open):
                valve[node], is_open[node], usable[node] = True, row.is_open, row.isolates and row.reachable
        return valve, is_open, usable

    def needs(self, depends: Any) -> Ints:
        """A station's secondary side needs its primary supply and return, and the supply points that it depends on."""
        stations, points = self.places(NodeKind.STATION), self.places(NodeKind.CUSTOMER)
        pairs = []
        for nodes in stations.values():
            fed = [node for node in nodes if self.side[node] in SECONDARY]
            pairs += [(a, b) for a in fed for b in nodes if self.side[b] in PRIMARY]
        for row in depends:
            fed = [node for node in stations.get(row.station_id, []) if self.side[node] in SECONDARY]
            pairs += [(a, b) for a in fed for b in points.get(row.supply_point_id, [])]
        return np.array(sorted(set(pairs)), np.int64).reshape(-1, 2)
