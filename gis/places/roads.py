"""A street network in memory: where a place meets the streets, and how long crews take to come there.

Places are snapped to the nearest street that can be driven and that is connected with the rest; the way from the place to
the street is walked. Farther than the snap limit, a place is off the network and says so. Everything is in local metres.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gis.geo import to_metres
from gis.places import paths
from gis.places.hierarchy import Hierarchy, Links
from gis.places.paths import Floats, Ints
from gis.places.rules import ISLAND_SHARE, WALK_KMH
from gis.places.snapping import SegmentTree
from gis.places.turns import Way, remember

WALK_MS = WALK_KMH / 3.6
DEGREE_M = 110_500.0  # no degree of latitude is shorter
CELLS = 48  # to a side of the box that a reach is told in
AT_NODE = 1e-9  # a place this near to the end of a stretch stands on the junction itself
PROJECTION_SLACK = 1.02  # metres on the sphere, on the ellipsoid and in the projection differ by less


@dataclass(frozen=True)
class Edges:
    """Stretches of street between nodes, in parallel arrays. NaN seconds: closed in that direction. Lines in degrees.

    `forbidden` are ways that may not be driven on: directed stretches in turn, `2 * edge` or (against the drawing) one more.
    """

    from_node: NDArray[np.int64]
    to_node: NDArray[np.int64]
    length_m: Floats
    forward_s: Floats
    backward_s: Floats
    lines: NDArray[np.object_]
    forbidden: Sequence[Way] = ()


@dataclass(frozen=True)
class Snapped:
    """Where places meet the streets. `edge` is -1 off the network; `share` runs from the stretch's start to its end."""

    edge: NDArray[np.int64]
    share: Floats
    gap_m: Floats

    def take(self, which: NDArray[np.int64]) -> Snapped:
        """Some of them."""
        return Snapped(self.edge[which], self.share[which], self.gap_m[which])


def _each(keys: NDArray[Any], start: NDArray[np.int64], values: Ints) -> tuple[NDArray[np.int64], Ints]:
    """All values of these keys in compressed rows, and which key each belongs to."""
    counts = start[keys + 1] - start[keys]
    of = np.repeat(np.arange(len(keys)), counts)
    before = np.cumsum(counts) - counts
    return of, values[np.arange(len(of)) - before[of] + start[keys][of]]


class RoadNetwork:
    """One network, ready for questions. Safe for many threads: nothing in it changes."""

    def __init__(self, edges: Edges) -> None:
        nodes, ends = np.unique(np.concatenate([edges.from_node, edges.to_node]), return_inverse=True)
        count = len(edges.length_m)
        self.n_nodes, self.n_edges = len(nodes), count
        self.a, self.b = ends[:count].astype(np.int32), ends[count:].astype(np.int32)
        self.length_m, self.forward_s, self.backward_s = edges.length_m, edges.forward_s, edges.backward_s
        self.bounds = tuple(shapely.total_bounds(edges.lines)) if count else (0.0, 0.0, -1.0, -1.0)
        self.near_lon = (self.bounds[0] + self.bounds[2]) / 2
        self.lines = self._in_metres(edges.lines)
        self.places = remember(self.a, self.b, self.n_nodes, edges.forbidden)
        self.n_nodes = len(self.places.junction)
        self._place_nodes(edges.lines)
        self._entries()
        self.start, self.arc_node, self.arc_s, self.arc_m = self._reversed_arcs()
        self.connected = self._connected()
        self.snappable = np.flatnonzero(self.connected)
        self._segments()
        self.workspace = paths.Workspace(self.n_nodes, len(self.arc_node))
        self._hierarchy: Hierarchy | None = None
        self._building = threading.Lock()

    # --- building --------------------------------------------------------------------------------------------------
    def _in_metres(self, lines: NDArray[np.object_]) -> NDArray[np.object_]:
        def project(xy: Floats) -> Floats:
            return np.column_stack(to_metres(xy[:, 0], xy[:, 1], self.near_lon))

        made: NDArray[np.object_] = shapely.transform(lines, project)
        return made

    def _place_nodes(self, lines: NDArray[np.object_]) -> None:
        """Where the nodes are: at the ends of their streets."""
        self.lon, self.lat = np.zeros(self.n_nodes), np.zeros(self.n_nodes)
        for node, index in ((self.a, 0), (self.b, -1)):
            points = shapely.get_point(lines, index)
            self.lon[node], self.lat[node] = shapely.get_x(points), shapely.get_y(points)
        self.lon, self.lat = self.lon[self.places.junction], self.lat[self.places.junction]

    def _entries(self) -> None:
        """From where each directed stretch can be entered, and every junction with its doubles, as compressed rows."""
        order = np.argsort(self.places.onto, kind="stable")
        self.entry_node = self.places.enter[order]
        self.entry_start = np.searchsorted(self.places.onto[order], np.arange(2 * self.n_edges + 1))
        self.double_node = np.argsort(self.places.junction, kind="stable").astype(np.int32)
        doubled = self.places.junction[self.double_node]
        self.double_start = np.searchsorted(doubled, np.arange(self.n_nodes + 1))

    def _reversed_arcs(self) -> tuple[Ints, Ints, Floats, Floats]:
        """At each node, the arcs that lead to it, as compressed rows."""
        places = self.places
        cost = np.column_stack([self.forward_s, self.backward_s]).ravel()
        open_ = ~np.isnan(cost[places.onto])
        at, come_from, onto = places.arrive[open_], places.enter[open_], places.onto[open_]
        seconds, metres = cost[onto], self.length_m[onto // 2]
        order = np.argsort(at, kind="stable")
        start = np.zeros(self.n_nodes + 1, np.int32)
        np.cumsum(np.bincount(at, minlength=self.n_nodes), out=start[1:])
        return start, come_from[order], seconds[order], metres[order]

    def _connected(self) -> NDArray[np.bool_]:
        """Which stretches can be both reached and left: in the largest strongly connected part, or one nearly as large.

        A car park whose gate is mapped as private would otherwise catch every place near it and never let it out.
        """
        if not self.n_edges:
            return np.zeros(0, bool)
        graph = csr_array((np.ones(len(self.arc_node), np.int8), self.arc_node, self.start), (self.n_nodes,) * 2)
        _, part = connected_components(graph, directed=True, connection="strong")
        sizes = np.bincount(part)
        kept = sizes[part] >= max(2.0, sizes.max() * ISLAND_SHARE)
        places = self.places
        cost = np.column_stack([self.forward_s, self.backward_s]).ravel()
        through = kept[places.enter] & (part[places.enter] == part[places.arrive]) & ~np.isnan(cost[places.onto])
        connected = np.zeros(self.n_edges, bool)
        connected[places.onto[through] // 2] = True
        return connected

    def _segments(self) -> None:
        """The straight pieces of the streets that places are snapped to; each knows its stretch and where it lies in it."""
        xy, line = shapely.get_coordinates(self.lines[self.snappable], return_index=True)
        inside = line[1:] == line[:-1]
        pieces = np.column_stack([xy[:-1], xy[1:]])[inside]
        long = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1])
        owner = line[:-1][inside]
        total = np.bincount(owner, long, minlength=len(self.snappable))
        before = np.cumsum(long) - long
        before -= (np.cumsum(total) - total)[owner]
        total[total == 0.0] = 1.0
        self.piece_edge = self.snappable[owner]
        self.piece_before, self.piece_share = before / total[owner], long / total[owner]
        self.tree = SegmentTree(pieces, self.piece_edge.astype(np.int32))

    # --- questions -------------------------------------------------------------------------------------------------
    def snap(self, lon: ArrayLike, lat: ArrayLike, limit_m: float) -> Snapped:
        """Where these places meet the streets, all at once."""
        x, y = to_metres(lon, lat, self.near_lon)
        piece, along, gap = self.tree.nearest(np.atleast_1d(x), np.atleast_1d(y), limit_m)
        hit = piece >= 0
        edge, share = np.full(len(piece), -1, np.int64), np.zeros(len(piece))
        edge[hit] = self.piece_edge[piece[hit]]
        share[hit] = self.piece_before[piece[hit]] + along[hit] * self.piece_share[piece[hit]]
        return Snapped(edge, np.clip(share, 0.0, 1.0), gap)

    def junctions_within(self, lon: float, lat: float, metres: float) -> int:
        """How many junctions are around a place: where networks overlap, the densest knows it best."""
        dy = metres / DEGREE_M
        dx = dy / max(math.cos(math.radians(lat)), 0.01)
        return int(((np.abs(self.lon - lon) <= dx) & (np.abs(self.lat - lat) <= dy)).sum())

    def target(self, lon: float, lat: float, snap_limit_m: float) -> Target | None:
        """A place that crews are to come to; None where it is off the network."""
        west, south, east, north = self.bounds
        margin = snap_limit_m / 50_000.0
        if not (west - margin <= lon <= east + margin and south - margin <= lat <= north + margin):
            return None
        at = self.snap([lon], [lat], snap_limit_m)
        return Target(self, lon, lat, snap_limit_m, at) if at.edge[0] >= 0 else None

    def ends(self, at: Snapped, towards: bool) -> Links:
        """How snapped places (of the network) hang on its nodes: `towards=True` comes to them, `towards=False` leaves.

        A place at the very end of a stretch is on the junction itself: free to leave in any direction, reached from any.
        """
        edge, share = at.edge, at.share
        along = (share, 1 - share) if towards else (1 - share, share)
        ends = (self.a, self.b) if towards else (self.b, self.a)
        found: list[tuple[NDArray[Any], ...]] = []
        for way, whole in enumerate((self.forward_s, self.backward_s)):
            metres = along[way] * self.length_m[edge]
            there = metres <= AT_NODE * self.length_m[edge]
            rest = ~there & ~np.isnan(whole[edge])
            at_junction, on_the_way = np.flatnonzero(there), np.flatnonzero(rest)
            stretch = 2 * edge[on_the_way] + way
            if towards:
                place, node = _each(ends[way][edge[there]], self.double_start, self.double_node)
                at_junction = at_junction[place]
                place, entered = _each(stretch, self.entry_start, self.entry_node)
                on_the_way = on_the_way[place]
            else:
                node, entered = ends[way][edge[there]], self.places.head[stretch]
            found.append((at_junction, node, np.zeros(len(node)), metres[at_junction]))
            found.append((on_the_way, entered, (along[way] * whole[edge])[on_the_way], metres[on_the_way]))
        of, nodes, s, m = (np.concatenate(column) for column in zip(*found, strict=True))
        return Links(of.astype(np.int32), nodes.astype(np.int32), s, m)

    def along(self, here: Snapped, there: Snapped) -> tuple[Floats, Floats]:
        """From places to places on the very same stretch, pair by pair: without a junction, where the direction is open."""
        edge, ahead = there.edge, there.share - here.share
        s = np.where(ahead >= 0, ahead * self.forward_s[edge], -ahead * self.backward_s[edge])
        s = np.where(ahead == 0, 0.0, s)
        s = np.where((here.edge == edge) & ~np.isnan(s), s, np.inf)
        return s, np.where(np.isfinite(s), np.abs(ahead) * self.length_m[edge], np.inf)

    def matrix(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, snap_limit_m: float
    ) -> tuple[Floats, Floats]:
        """Seconds and metres from each place to each other place (rows: from), as `Target.travel` tells them one by one.

        Infinite where there is no way, or where either place is off the network. Equal to `travel` up to rounding (1e-6 s).
        """
        here, there = self.snap(from_lon, from_lat, snap_limit_m), self.snap(to_lon, to_lat, snap_limit_m)
        on, to = np.flatnonzero(here.edge >= 0), np.flatnonzero(there.edge >= 0)
        here, there = here.take(on), there.take(to)
        leave, come = self.ends(here, towards=False), self.ends(there, towards=True)
        s, m = self.hierarchy().matrix(leave, len(on), come, len(to))
        row, column = np.nonzero(here.edge[:, None] == there.edge)
        own_s, own_m = self.along(here.take(row), there.take(column))
        nearer = own_s <= s[row, column]
        row, column = row[nearer], column[nearer]
        s[row, column], m[row, column] = own_s[nearer], own_m[nearer]
        walked = here.gap_m[:, None] + there.gap_m
        seconds, metres = (np.full((len(np.atleast_1d(from_lon)), len(np.atleast_1d(to_lon))), np.inf) for _ in "sm")
        seconds[np.ix_(on, to)], metres[np.ix_(on, to)] = s + walked / WALK_MS, m + walked
        return seconds, metres

    def hierarchy(self) -> Hierarchy:
        """What tells many ways at once; made when it is first asked for."""
        if self._hierarchy is None:
            with self._building:
                if self._hierarchy is None:
                    self._hierarchy = Hierarchy(self.start, self.arc_node, self.arc_s, self.arc_m)
        return self._hierarchy


class Target:
    """A place on a network. Crews come to it; the search runs backwards from it."""

    def __init__(self, network: RoadNetwork, lon: float, lat: float, snap_limit_m: float, at: Snapped) -> None:
        self.network, self.at, self.snap_limit_m = network, at, snap_limit_m
        self.lon, self.lat = lon, lat
        seeds = network.ends(at, towards=True)
        self.seed_node, self.seed_s, self.seed_m = seeds.node, seeds.s, seeds.m

    def travel(
        self, lon: ArrayLike, lat: ArrayLike, wanted: int | None = None, limit_s: float = math.inf
    ) -> tuple[Floats, Floats]:
        """Seconds and metres of the fastest way from each of these places; infinite where there is none.

        Only the `wanted` fastest and only those within `limit_s` are told (exactly): the search ends as soon as they are.
        """
        net = self.network
        here = net.snap(lon, lat, self.snap_limit_m)
        on = np.flatnonzero(here.edge >= 0)
        found = here.take(on)
        walk_m = found.gap_m + self.at.gap_m[0]
        best_s, best_m = net.along(found, self.at.take(np.zeros(len(on), np.int64)))
        best_s, best_m = best_s + walk_m / WALK_MS, best_m + walk_m
        links = net.ends(found, towards=False)
        paths.nearest(
            net.start, net.arc_node, net.arc_s, net.arc_m, self.seed_node, self.seed_s, self.seed_m,
            links.node, links.of, links.s + walk_m[links.of] / WALK_MS, links.m + walk_m[links.of],
            best_s, best_m, len(on) if wanted is None else min(wanted, len(on)), limit_s, *net.workspace.arrays(),
        )  # fmt: skip
        seconds, metres = np.full(len(here.edge), np.inf), np.full(len(here.edge), np.inf)
        seconds[on], metres[on] = best_s, best_m
        return seconds, metres

    def reach(self, seconds: float) -> Reach:
        """Nobody outside of these cells can be here within so many seconds."""
        net, edge = self.network, int(self.at.edge[0])
        fastest = np.nanmin([net.forward_s[edge], net.backward_s[edge]])
        along = net.length_m[edge] if fastest <= seconds else net.length_m[edge] * seconds / fastest
        walked = min(self.snap_limit_m, seconds * WALK_MS)
        own = np.array([self.lon, self.lat, PROJECTION_SLACK * (along + self.at.gap_m[0] + walked) + 1.0])
        box, grid = np.zeros(4), np.zeros(CELLS * CELLS, np.uint8)
        highest = min(max(abs(net.bounds[1]), abs(net.bounds[3])), 89.0)
        paths.reach(
            net.start, net.arc_node, net.arc_s, net.arc_m, self.seed_node, self.seed_s, seconds,
            net.lon, net.lat, DEGREE_M * math.cos(math.radians(highest)) / PROJECTION_SLACK, DEGREE_M / PROJECTION_SLACK,
            WALK_MS, self.snap_limit_m, own, box, grid, CELLS, *net.workspace.arrays(),
        )  # fmt: skip
        west, south, east, north = (float(side) for side in box)
        return Reach(west, south, east, north, CELLS, np.packbits(grid, bitorder="little").tobytes())


@dataclass(frozen=True)
class Reach:
    """A box in degrees, cut into `side` × `side` cells from the south-west on, row by row; a bit for each that counts."""

    west: float
    south: float
    east: float
    north: float
    side: int
    cells: bytes

    def holds(self, lon: float, lat: float) -> bool:
        """Is this place in a cell that counts?"""
        column = math.floor((lon - self.west) / ((self.east - self.west) / self.side))
        row = math.floor((lat - self.south) / ((self.north - self.south) / self.side))
        if not (0 <= column <= self.side and 0 <= row <= self.side):
            return False
        bit = min(row, self.side - 1) * self.side + min(column, self.side - 1)
        return bool(self.cells[bit // 8] >> (bit % 8) & 1)
