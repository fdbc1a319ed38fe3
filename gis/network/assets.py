"""What may fail in the networks of a city, and who then loses service: kept in memory until a network, a valve or a customer
changes. Supply flows through the valves that are normally open (what a crew has shut to isolate a failure is still explained by
it), and through a station from its primary to its secondary side.
A customer of heat needs its return pipe as well as its supply pipe; a station needs the water it depends on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.network.asset_rules import AssetKind
from gis.network.explain import Explainer
from gis.network.failures import NOWHERE, Supply, segment_failures, single_failures
from gis.network.graphs import KINDS, SIDES, NetworkGraph, graphs
from gis.network.rules import NodeKind, PipeSide
from gis.prepared import Prepared

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
ASSETS = tuple(AssetKind)
_KIND = {kind: i for i, kind in enumerate(KINDS)}
_SIDE = {side: i for i, side in enumerate(SIDES)}
_TWINS = (
    (PipeSide.PRIMARY_SUPPLY, PipeSide.SECONDARY_SUPPLY),
    (PipeSide.PRIMARY_RETURN, PipeSide.SECONDARY_RETURN),
)
_SUPPLY = [_SIDE[side] for side in (PipeSide.MAIN, PipeSide.PRIMARY_SUPPLY, PipeSide.SECONDARY_SUPPLY)]


@dataclass(frozen=True)
class Assets:
    """The things that may fail, in the order of the explainer: kind (a place in ASSETS), id, utility; and who is served where.

    `ref` is the id of the source, station, valve or supply point, of a pipe section that of its pipeline, of a segment 0.
    `node` is the node of the thing (of a segment one of its sections); `point_node` the node at which a supply point is served.
    """

    supply: Supply
    explainer: Explainer
    kind: I64
    ref: I64
    node: I64
    utility: list[str]
    node_utility: I64
    node_section: I64
    node_kind: I64
    node_ref: I64
    point_node: Mapping[int, int]
    households: I64
    pipeline_of: I64
    segment_of: I64
    lonlat: NDArray[np.float64]


@dataclass(frozen=True)
class Customers:
    """The supply points: id, utility, station that serves them (0 for none), households."""

    id: I64
    utility: list[str]
    station: I64
    households: I64


def build(
    found: Mapping[str, NetworkGraph], closed: set[int], customers: Customers, needs: list[tuple[int, int]]
) -> Assets:
    """Everything that may fail, of all utilities together. `needs`: a station and the supply point that it depends on."""
    plan = _Plan(found, closed, customers)
    plan.exchangers()
    points = plan.customers()
    plan.dependencies(needs, points)
    supply = plan.supply()
    households = np.zeros(supply.nodes, np.int64)
    for point, many in zip(customers.id.tolist(), customers.households.tolist(), strict=True):
        if point in points:
            households[points[point]] = many
    things = plan.things(households)
    single = single_failures(supply, things)
    served = single.sums(households)
    looped = things[(plan.node_section[things] != 0) & (served == 0)]
    segments, which = segment_failures(supply, plan.is_valve(), looped)
    first = np.array([looped[int(np.argmax(which == i))] for i in range(len(segments))], np.int64)
    segment_of = np.full(supply.nodes, NOWHERE, np.int64)
    segment_of[looped] = which
    nodes = np.concatenate([things, first])
    kind = np.concatenate([plan.kinds(things), np.full(first.size, ASSETS.index(AssetKind.SEGMENT), np.int64)])
    ref = np.concatenate([plan.refs(things), np.zeros(first.size, np.int64)])
    explainer = Explainer([single, segments], np.zeros(nodes.size), households > 0)
    return Assets(
        supply, explainer, kind, ref, nodes, plan.utilities, plan.node_utility, plan.node_section, plan.node_kind, plan.node_ref,
        points, households, plan.pipeline, segment_of, plan.lonlat,
    )  # fmt: skip


class _Plan:
    """The networks of all utilities in one row of nodes: of each utility its nodes, then its sections."""

    def __init__(self, found: Mapping[str, NetworkGraph], closed: set[int], customers: Customers) -> None:
        self.utilities, self.closed, self.given = sorted(found), closed, customers
        parts = [found[name] for name in self.utilities]
        self.node_utility = _chained([np.full(p.node_id.size + p.section_id.size, u) for u, p in enumerate(parts)])
        self.node_section = _chained(
            [np.concatenate([np.zeros(p.node_id.size, np.int64), p.section_id]) for p in parts]
        )
        self.pipeline = _chained([np.concatenate([np.zeros(p.node_id.size, np.int64), p.pipeline_id]) for p in parts])
        self.node_kind = _chained([np.concatenate([p.node_kind, np.full(p.section_id.size, -1)]) for p in parts])
        self.node_side = _chained([np.concatenate([p.node_side, p.node_side[p.start]]) for p in parts])
        self.node_ref = _chained([np.concatenate([p.node_ref, np.zeros(p.section_id.size, np.int64)]) for p in parts])
        middle = [np.concatenate([p.node_lonlat, (p.node_lonlat[p.start] + p.node_lonlat[p.end]) / 2]) for p in parts]
        self.lonlat = np.concatenate([np.zeros((0, 2)), *middle])
        self.arcs: list[tuple[I64, I64]] = []
        self.who: list[int] = []
        self.what: list[int] = []
        offset = 0
        for p in parts:
            section = offset + p.node_id.size + np.arange(p.section_id.size)
            for end in (p.start + offset, p.end + offset):
                self._both(section, end)
            offset += p.node_id.size + p.section_id.size

    def _both(self, one: I64, other: I64) -> None:
        shut = self.is_valve()[other] & np.isin(self.node_ref[other], list(self.closed))
        self.arcs += [(one[~shut], other[~shut]), (other[~shut], one[~shut])]

    def is_valve(self) -> Flags:
        return self.node_kind == _KIND[NodeKind.VALVE]

    def _at(self, kind: NodeKind, *sides: PipeSide) -> dict[int, list[int]]:
        """The nodes of a kind of thing on some sides, by the thing's id."""
        here = (self.node_kind == _KIND[kind]) & np.isin(self.node_side, [_SIDE[side] for side in sides])
        found: dict[int, list[int]] = {}
        for node in np.flatnonzero(here).tolist():
            found.setdefault(int(self.node_ref[node]), []).append(node)
        return found

    def exchangers(self) -> None:
        """Through a station one way, on the supply side as on the return side."""
        for before, after in _TWINS:
            left, right = self._at(NodeKind.STATION, before), self._at(NodeKind.STATION, after)
            pairs = [(a, b) for station, nodes in left.items() for a in nodes for b in right.get(station, [])]
            if pairs:
                a, b = np.array(pairs, np.int64).T
                self.arcs.append((a, b))

    def customers(self) -> dict[int, int]:
        """The node at which each supply point is served; one that no pipe reaches hangs on its station, if it names one."""
        heat = self._at(NodeKind.CUSTOMER, PipeSide.SECONDARY_SUPPLY, PipeSide.PRIMARY_SUPPLY)
        back = self._at(NodeKind.CUSTOMER, PipeSide.SECONDARY_RETURN, PipeSide.PRIMARY_RETURN)
        points = {point: nodes[0] for point, nodes in (self._at(NodeKind.CUSTOMER, PipeSide.MAIN) | heat).items()}
        for point, nodes in back.items():
            if point in heat:
                self.who.append(heat[point][0])
                self.what.append(nodes[0])
        stations = self._at(NodeKind.STATION, PipeSide.PRIMARY_SUPPLY)
        loose = [(point, stations[station][0]) for point, station in zip(self.given.id.tolist(), self.given.station.tolist(), strict=True)
                 if point not in points and station in stations]  # fmt: skip
        if loose:
            at = self.node_kind.size + np.arange(len(loose))
            self.arcs.append((np.array([node for _, node in loose], np.int64), at))
            self._more([point for point, _ in loose], [node for _, node in loose])
            points |= {point: int(node) for (point, _), node in zip(loose, at, strict=True)}
        return points

    def _more(self, points: list[int], beside: list[int]) -> None:
        n = len(points)
        self.node_utility = np.append(self.node_utility, self.node_utility[beside])
        self.node_side = np.append(self.node_side, np.full(n, _SIDE[PipeSide.SECONDARY_SUPPLY]))
        self.node_kind = np.append(self.node_kind, np.full(n, _KIND[NodeKind.CUSTOMER]))
        self.node_ref = np.append(self.node_ref, np.array(points, np.int64))
        self.node_section = np.append(self.node_section, np.zeros(n, np.int64))
        self.pipeline = np.append(self.pipeline, np.zeros(n, np.int64))
        self.lonlat = np.concatenate([self.lonlat, self.lonlat[beside]])

    def dependencies(self, needs: list[tuple[int, int]], points: Mapping[int, int]) -> None:
        stations = self._at(NodeKind.STATION, PipeSide.PRIMARY_SUPPLY, PipeSide.SECONDARY_SUPPLY)
        first = {station: min(nodes, key=lambda node: int(self.node_side[node])) for station, nodes in stations.items()}
        for station, point in needs:
            if station in first and point in points:
                self.who.append(first[station])
                self.what.append(points[point])

    def supply(self) -> Supply:
        none = np.zeros(0, np.int64)
        sources = np.flatnonzero(self.node_kind == _KIND[NodeKind.SOURCE])
        tail, head = (np.concatenate([none, *(pair[k] for pair in self.arcs)]) for k in (0, 1))
        return Supply(
            self.node_kind.size, tail, head, sources, np.array(self.who, np.int64), np.array(self.what, np.int64)
        )

    def things(self, households: I64) -> I64:
        """The nodes that can fail: sections and valves of both sides, sources and stations once, customers with households."""
        forward = np.isin(self.node_side, _SUPPLY)
        primary = self.node_side == _SIDE[PipeSide.PRIMARY_SUPPLY]
        kind = self.node_kind
        able = (kind == -1) | self.is_valve() | ((kind == _KIND[NodeKind.SOURCE]) & forward)
        able |= (kind == _KIND[NodeKind.STATION]) & primary
        return np.flatnonzero(able | ((kind == _KIND[NodeKind.CUSTOMER]) & (households > 0)))

    def kinds(self, nodes: I64) -> I64:
        of = {-1: AssetKind.PIPELINE, _KIND[NodeKind.SOURCE]: AssetKind.SOURCE, _KIND[NodeKind.STATION]: AssetKind.STATION,
              _KIND[NodeKind.VALVE]: AssetKind.VALVE, _KIND[NodeKind.CUSTOMER]: AssetKind.CUSTOMER}  # fmt: skip
        return np.array([ASSETS.index(of[kind]) for kind in self.node_kind[nodes].tolist()], np.int64)

    def refs(self, nodes: I64) -> I64:
        return np.where(self.node_kind[nodes] == -1, self.pipeline[nodes], self.node_ref[nodes])


def _chained(parts: list[NDArray[np.generic]]) -> I64:
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)


# --- in memory ---------------------------------------------------------------------------------------------------------
_CLOSED = Prepared("SELECT id FROM valve WHERE NOT normally_open ORDER BY id")
_NEEDS = Prepared("SELECT station_id, supply_point_id FROM network_dependency ORDER BY id")
_CUSTOMERS = text(
    """
    SELECT id, utility, coalesce(station_id, 0) AS station,
           greatest(households, CASE WHEN institution_id IS NULL THEN 0 ELSE 1 END) AS households
      FROM supply_point ORDER BY id
    """
)
_CHANGED = Prepared(
    """
    SELECT (SELECT count(*) FROM supply_point) AS points, (SELECT coalesce(sum(version), 0) FROM supply_point) AS versions,
           (SELECT coalesce(sum(households), 0) FROM supply_point) AS households
    """
)


class _Shelf:
    """The assets of one database, with all that they were built from."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: tuple[object, Assets] | None = None


_shelves: dict[str, _Shelf] = {}
_shelves_lock = threading.Lock()


def assets(session: Session) -> Assets | None:
    """All that may fail as the networks normally run; None where no topology was built yet. An institution counts as a household."""
    found = graphs(session)
    if not found:
        return None
    with _shelves_lock:
        shelf = _shelves.setdefault(str(session.get_bind().engine.url), _Shelf())
    closed = tuple(row.id for row in _CLOSED.rows(session))
    needs = tuple((row.station_id, row.supply_point_id) for row in _NEEDS.rows(session))
    now = (
        tuple((name, graph.version) for name, graph in sorted(found.items())),
        closed,
        needs,
        tuple(_CHANGED.rows(session)[0]),
    )
    with shelf.lock:
        if shelf.held is None or shelf.held[0] != now:
            rows = session.execute(_CUSTOMERS).all()
            customers = Customers(
                np.array([row.id for row in rows], np.int64), [row.utility for row in rows],
                np.array([row.station for row in rows], np.int64), np.array([row.households for row in rows], np.int64),
            )  # fmt: skip
            shelf.held = (now, build(found, set(closed), customers, list(needs)))
        return shelf.held[1]
