"""A crew's day as a line on the map: along the streets where there are any, else from place to place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.dispatch.plan import CrewDay, Plan, gaps_of
from gis.geo import to_degrees

if TYPE_CHECKING:
    from gis.dispatch.plan_making import Situation
    from gis.places.roads import RoadNetwork

Line = list[list[float]]
SLACK = 1.05  # the search ends a little beyond the known time of the way
DIGITS = 5  # about a metre


class Drawing:
    """Lines of one situation. `by` says "road" or "straight"."""

    def __init__(self, stands: Situation) -> None:
        self.stands = stands
        network = stands.travel.network
        self.streets = Streets(network, stands.places) if network is not None else None
        self.by = "road" if self.streets else "straight"

    def line(self, plan: Plan, crew: CrewDay) -> Line:
        """Everywhere a crew goes, in order."""
        places = [crew.start_place]
        for gap in gaps_of(crew):
            places += [self.stands.problem.job[job].place for job in plan.routes.get(gap.key, ())]
            if gap.end_place is not None and (gap.then or len(places) > 1):
                places.append(gap.end_place)
        found: Line = []
        for start, end in itertools.pairwise(places):
            piece = self._piece(start, end)
            found += piece[1:] if found and found[-1] == piece[0] else piece
        return found

    def _piece(self, start: int, end: int) -> Line:
        if self.streets is not None:
            drawn = self.streets.between(start, end, float(self.stands.travel.seconds[start, end]))
            if drawn:
                return drawn
        return [_rounded(self.stands.places[start]), _rounded(self.stands.places[end])]


def _rounded(place: Sequence[float]) -> list[float]:
    return [round(float(place[0]), DIGITS), round(float(place[1]), DIGITS)]


class Streets:
    """The fastest ways on a network as lines. Turns that are forbidden are driven here: it is a picture, not a measure."""

    def __init__(self, network: RoadNetwork, places: Sequence[tuple[float, float]]) -> None:
        self.network, self.places = network, places
        lon, lat = [p[0] for p in places], [p[1] for p in places]
        self.at = network.snap(lon, lat, 500.0)
        forward, backward = ~np.isnan(network.forward_s), ~np.isnan(network.backward_s)
        tail = np.concatenate([network.a[forward], network.b[backward]])
        head = np.concatenate([network.b[forward], network.a[backward]])
        seconds = np.concatenate([network.forward_s[forward], network.backward_s[backward]])
        edge = np.concatenate([np.flatnonzero(forward), np.flatnonzero(backward)])
        order = np.lexsort(
            (-seconds, head, tail)
        )  # of two streets between the same junctions the faster is written last
        self.edge_of = {(int(t), int(h)): int(e) for t, h, e in zip(tail[order], head[order], edge[order], strict=True)}
        fastest = {pair: float(self._time(e, pair)) for pair, e in self.edge_of.items()}
        pairs = np.array(list(fastest), np.int64).reshape(-1, 2)
        size = int(max(tail.max(initial=0), head.max(initial=0))) + 1
        self.graph = csr_array((np.maximum(list(fastest.values()), 1e-3), (pairs[:, 0], pairs[:, 1])), (size, size))

    def _time(self, edge: int, pair: tuple[int, int]) -> float:
        forward = int(self.network.a[edge]) == pair[0] and int(self.network.b[edge]) == pair[1]
        return float((self.network.forward_s if forward else self.network.backward_s)[edge])

    def between(self, start: int, end: int, seconds: float) -> Line | None:
        """The line from one place to the other; None where the streets do not connect them."""
        net = self.network
        here, there = int(self.at.edge[start]), int(self.at.edge[end])
        if here < 0 or there < 0:
            return None
        if here == there:
            return self._whole(start, end, self._cut(here, float(self.at.share[start]), float(self.at.share[end])))
        leave = self._ends(here, float(self.at.share[start]), towards=False)
        come = self._ends(there, float(self.at.share[end]), towards=True)
        if not leave or not come:
            return None
        limit = seconds * SLACK + 60
        far, before = dijkstra(self.graph, indices=[node for node, _ in leave], return_predecessors=True, limit=limit)
        ways = [
            (s + float(far[row, last]) + e, row, last)
            for row, (_, s) in enumerate(leave) for last, e in come if np.isfinite(far[row, last])
        ]  # fmt: skip
        if not ways:
            return None
        _, row, last = min(ways)
        nodes = [last]
        while before[row, nodes[-1]] >= 0:
            nodes.append(int(before[row, nodes[-1]]))
        nodes.reverse()
        ahead = int(net.b[here])
        pieces = [self._cut(here, float(self.at.share[start]), 1.0 if nodes[0] == ahead else 0.0)]
        for tail, head in itertools.pairwise(nodes):
            edge = self.edge_of[(tail, head)]
            pieces.append(self._cut(edge, 0.0, 1.0) if int(net.a[edge]) == tail else self._cut(edge, 1.0, 0.0))
        pieces.append(self._cut(there, 0.0 if nodes[-1] == net.a[there] else 1.0, float(self.at.share[end])))
        return self._whole(start, end, np.concatenate(pieces))

    def _ends(self, edge: int, share: float, *, towards: bool) -> list[tuple[int, float]]:
        """The ends of a stretch that can be reached from a place on it (or it from them), and in how many seconds."""
        net = self.network
        to_a, to_b = (net.forward_s, net.backward_s) if towards else (net.backward_s, net.forward_s)
        both = ((net.a[edge], share * to_a[edge]), (net.b[edge], (1 - share) * to_b[edge]))
        return [(int(node), float(s)) for node, s in both if not np.isnan(s)]

    def _cut(self, edge: int, first: float, last: float) -> np.ndarray:
        """A stretch of a street from one share of its length to another, in metres."""
        line = self.network.lines[edge]
        low, high = sorted((first, last))
        inside = [p / line.length for p in _vertices(line) if low * line.length < p < high * line.length]
        shares = [low, *inside, high] if first <= last else [high, *reversed(inside), low]
        points = [shapely.line_interpolate_point(line, share, normalized=True) for share in shares]
        return np.array([[p.x, p.y] for p in points])

    def _whole(self, start: int, end: int, metres: np.ndarray) -> Line:
        lon, lat = to_degrees(metres[:, 0], metres[:, 1], self.network.near_lon)
        way = [[round(float(x), DIGITS), round(float(y), DIGITS)] for x, y in zip(lon, lat, strict=True)]
        return [_rounded(self.places[start]), *way, _rounded(self.places[end])]


def _vertices(line: shapely.LineString) -> list[float]:
    xy = shapely.get_coordinates(line)
    return [float(v) for v in np.cumsum(np.hypot(*np.diff(xy, axis=0).T))[:-1]]
