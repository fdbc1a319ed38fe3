"""Which parts of which roads are seen, and the longest stretches of each named road that are not. Metres in a plane.

Edges of one name are joined end to end: where three or more ends of a name meet, the two that go on straightest belong
together. An edge that is there in both directions counts once. What is left is arithmetic on intervals along each road.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STRAIGHT_DEG = 60.0  # a road goes on at a fork where it turns by less than this
TWIN_M = 40.0  # the other carriageway of the same road lies within this
TWIN_SHARE = 0.8
TOUCH_M = 1e-6  # gaps shorter than this are none


@dataclass(frozen=True)
class Spans:
    """Parts of lines: `line[i]` from `begin_m[i]` to `end_m[i]` along it; sorted, disjoint within a line."""

    line: Ints
    begin_m: Floats
    end_m: Floats

    def length_m(self) -> float:
        return float((self.end_m - self.begin_m).sum())


@dataclass(frozen=True)
class Street:
    """Edges of one name, end to end. `steps`: the edge, and whether it is walked against its drawing."""

    name: str
    steps: tuple[tuple[int, bool], ...]
    closed: bool


@dataclass(frozen=True)
class Stretch:
    """A part of a street that nobody sees."""

    name: str
    line: Any  # a shapely LineString
    edges: tuple[int, ...]

    @property
    def length_m(self) -> float:
        return float(self.line.length)


def seen(lines: NDArray[np.object_], fields: NDArray[np.object_]) -> Spans:
    """Which parts of these lines lie in any of these polygons?"""
    coords, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    ends = np.stack([coords[:-1], coords[1:]], axis=1)[same]
    owner = owner[1:][same].astype(np.int64)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(owner, np.arange(len(lines)))
    offset = total[:-1] - total[first][owner]
    nothing = Spans(np.empty(0, np.int64), np.empty(0), np.empty(0))
    if not len(fields) or not len(ends):
        return nothing
    segments = shapely.linestrings(ends)
    shapely.prepare(fields)
    of_field, of_segment = shapely.STRtree(segments).query(fields, predicate="intersects")
    parts, pair = shapely.get_parts(shapely.intersection(segments[of_segment], fields[of_field]), return_index=True)
    lined = shapely.get_type_id(parts) == 1
    parts, segment = parts[lined], of_segment[pair[lined]]
    if not len(parts):
        return nothing
    one, other = shapely.get_point(parts, 0), shapely.get_point(parts, -1)
    start = ends[segment, 0]
    a, b = (np.hypot(shapely.get_x(p) - start[:, 0], shapely.get_y(p) - start[:, 1]) for p in (one, other))
    return merged(owner[segment], offset[segment] + np.minimum(a, b), offset[segment] + np.maximum(a, b))


def merged(line: Ints, begin_m: Floats, end_m: Floats) -> Spans:
    """Intervals that overlap or touch, made one."""
    order = np.lexsort((begin_m, line))
    kept: list[list[float]] = []
    for where, begin, end in zip(line[order].tolist(), begin_m[order].tolist(), end_m[order].tolist(), strict=True):
        if kept and kept[-1][0] == where and begin <= kept[-1][2] + TOUCH_M:
            kept[-1][2] = max(kept[-1][2], end)
        else:
            kept.append([where, begin, end])
    table = np.array(kept, float).reshape(-1, 3)
    return Spans(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def once(names: Sequence[str], lines: NDArray[np.object_]) -> Ints:
    """The edges that count: of those drawn alike under one name, whichever direction, the first."""
    alike = shapely.to_wkb(shapely.normalize(shapely.set_precision(lines, 0.01)))
    first: dict[tuple[str, bytes], int] = {}
    for i, key in enumerate(zip(names, alike.tolist(), strict=True)):
        first.setdefault(key, i)
    return np.array(sorted(first.values()), np.int64)


def streets(
    names: Sequence[str], begins: Sequence[int], ends: Sequence[int], lines: NDArray[np.object_], kept: Ints
) -> list[Street]:
    """The named edges among `kept`, joined end to end; `begins` and `ends` are the nodes of each edge."""
    at: dict[tuple[str, int], list[tuple[int, bool]]] = defaultdict(list)
    for edge in kept.tolist():
        if names[edge]:
            at[names[edge], begins[edge]].append((edge, True))
            at[names[edge], ends[edge]].append((edge, False))
    next_end: dict[tuple[int, bool], tuple[int, bool]] = {}
    for meeting in at.values():
        for one, other in _pairs(meeting, lines):
            next_end[one], next_end[other] = other, one
    found: list[Street] = []
    done: set[int] = set()
    for edge in kept.tolist():
        if names[edge] and edge not in done:
            street = _follow(edge, names[edge], next_end)
            done.update(e for e, _ in street.steps)
            found.append(street)
    return found


def _pairs(meeting: list[tuple[int, bool]], lines: NDArray[np.object_]) -> list[tuple[Any, Any]]:
    """Which two ends go on as one road? Two that meet alone do; else the straightest first."""
    if len(meeting) == 2:
        return [(meeting[0], meeting[1])]
    ways = [_outward(lines[edge], at_begin) for edge, at_begin in meeting]
    turns = sorted(
        (float(np.degrees(np.arccos(np.clip(-(ways[i] @ ways[j]), -1, 1)))), i, j)
        for i in range(len(ways)) for j in range(i)
    )  # fmt: skip
    used: set[int] = set()
    chosen = []
    for turn, i, j in turns:
        if turn < STRAIGHT_DEG and not {i, j} & used:
            used |= {i, j}
            chosen.append((meeting[i], meeting[j]))
    return chosen


def _outward(line: Any, at_begin: bool) -> Floats:
    coords = shapely.get_coordinates(line)
    a, b = (coords[0], coords[1]) if at_begin else (coords[-1], coords[-2])
    return np.asarray((b - a) / (np.hypot(*(b - a)) or 1.0), float)


def _follow(edge: int, name: str, next_end: dict[tuple[int, bool], tuple[int, bool]]) -> Street:
    """From one edge to both ends of its road, or once around."""
    ahead: list[tuple[int, bool]] = [(edge, False)]
    here = next_end.get((edge, False))
    while here is not None and here[0] != edge:
        ahead.append((here[0], not here[1]))
        here = next_end.get((here[0], not here[1]))
    if here is not None:
        return Street(name, tuple(ahead), True)
    before: list[tuple[int, bool]] = []
    here = next_end.get((edge, True))
    while here is not None:
        before.append((here[0], here[1]))
        here = next_end.get((here[0], not here[1]))
    return Street(name, (*reversed(before), *ahead), False)


def stretches(street: Street, lines: NDArray[np.object_], lit: Spans, least_m: float) -> list[Stretch]:
    """The longest parts of a street that lie in no span of `lit`, of at least `least_m`."""
    coords, marks, begins, at = [], [], [], 0.0
    for edge, against in street.steps:
        own = shapely.get_coordinates(lines[edge])
        length = float(shapely.length(lines[edge]))
        low, high = np.searchsorted(lit.line, [edge, edge + 1])
        for begin, end in zip(lit.begin_m[low:high].tolist(), lit.end_m[low:high].tolist(), strict=True):
            marks.append((at + length - end, at + length - begin) if against else (at + begin, at + end))
        coords.append(own[::-1] if against else own)
        begins.append(at)
        at += length
    dark = _gaps(sorted(marks), at)
    if not dark:
        return []
    whole = shapely.LineString(np.concatenate(coords))
    wrapped = street.closed and len(dark) > 1 and dark[0][0] <= TOUCH_M and dark[-1][1] >= at - TOUCH_M
    pieces = [[gap] for gap in dark]
    if wrapped:
        pieces = [[dark[-1], dark[0]], *([gap] for gap in dark[1:-1])]
    found = []
    for gaps in pieces:
        if sum(end - begin for begin, end in gaps) >= max(least_m, TOUCH_M):
            line = shapely.LineString(np.concatenate([
                shapely.get_coordinates(shapely.ops.substring(whole, begin, end)) for begin, end in gaps
            ]))  # fmt: skip
            edges = [
                edge for (edge, _), start in zip(street.steps, begins, strict=True)
                if any(start < end and start + shapely.length(lines[edge]) > begin for begin, end in gaps)
            ]  # fmt: skip
            found.append(Stretch(street.name, shapely.remove_repeated_points(line), tuple(edges)))
    return found


def _gaps(marks: list[tuple[float, float]], length: float) -> list[tuple[float, float]]:
    gaps, at = [], 0.0
    for begin, end in marks:
        if begin > at + TOUCH_M:
            gaps.append((at, begin))
        at = max(at, end)
    if length > at + TOUCH_M:
        gaps.append((at, length))
    return gaps


def without_twins(found: Sequence[Stretch]) -> list[Stretch]:
    """Longest first; the other carriageway of a road that is told already is left out."""
    kept: list[Stretch] = []
    by_name: dict[str, list[Any]] = defaultdict(list)
    for stretch in sorted(found, key=lambda s: (-s.length_m, s.name, s.edges)):
        around = by_name[stretch.name]
        if any(shapely.intersection(stretch.line, wide).length > TWIN_SHARE * stretch.length_m for wide in around):
            continue
        around.append(shapely.buffer(stretch.line, TWIN_M))
        kept.append(stretch)
    return kept


@dataclass(frozen=True)
class Marks:
    """Things by which people know a place: positions, names, and for a crossing the names of the roads that cross."""

    x: Floats
    y: Floats
    names: Sequence[str]


def told_from(line: Any) -> Any:
    """The line turned so that it goes north, or east where it goes more across: as people tell a stretch of road."""
    (x0, y0), (x1, y1) = shapely.get_coordinates(line)[[0, -1]]
    backward = y1 < y0 if abs(y1 - y0) >= abs(x1 - x0) else x1 < x0
    return shapely.reverse(line) if backward else line


def heading(line: Any) -> str:
    """In which of eight directions its end lies from its beginning: n, ne, e, se, s, sw, w, nw."""
    (x0, y0), (x1, y1) = shapely.get_coordinates(line)[[0, -1]]
    sector = round(float(np.degrees(np.arctan2(x1 - x0, y1 - y0))) / 45) % 8
    return ("n", "ne", "e", "se", "s", "sw", "w", "nw")[sector]


def landmarks(line: Any, road: str, marks: Marks, tree: shapely.STRtree, within_m: float) -> tuple[str, str]:
    """The names nearest to the two ends, not the road's own and not the same twice; empty where nothing is near."""
    chosen: list[str] = []
    for end in (0, -1):
        point = shapely.get_point(line, end)
        near = tree.query(point, predicate="dwithin", distance=within_m)
        away = np.hypot(marks.x[near] - shapely.get_x(point), marks.y[near] - shapely.get_y(point))
        names = (marks.names[near[i]] for i in np.lexsort((near, away)))
        chosen.append(next((name for name in names if name not in ("", road, *chosen)), ""))
    return chosen[0], chosen[1]
