"""A network as drawn made into nodes and sections: pipes are cut at valves and tees, ends that are nearly together are joined.

Pure: arrays in, arrays out, all places in metres of one projection, all lengths in metres. Pipes of different sides (supply
and return, primary and secondary) never join. Pipes that cross without an end at the crossing lie over one another and do
not join. Ties break by the order given. What does not connect is told, never guessed: `Finding`.

Every thing (source, valve, station, customer) has nodes of its own: no two things share one. Where several meet, sections of
length 0 lie between them, so a valve always cuts its own pipe and never the tee it is drawn on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gis.network.rules import NEAR_MISS_M, REACH_M, SNAP_M, FindingKind, NodeKind, PipeSide
from gis.network.topology_checks import Finding, check_connections, check_pipes, wrong_way

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TIE_M = 1e-6  # pipe ends that lie together by the rounding of a projection


@dataclass(frozen=True)
class Pipes:
    """The pipes of one utility: LineStrings in metres, and on which side each lies. `station` is the number of the station
    that a pipe is said to belong to, or -1; `flow_known` is false where supply or return was not told."""

    lines: NDArray[Any]
    codes: list[str]
    sides: list[PipeSide]
    station: Ints
    flow_known: NDArray[np.bool_]


@dataclass(frozen=True)
class Things:
    """What is joined to the pipes. `pipe` is the number of the pipe that a valve is said to be on, or -1; `station` the
    number (among the things) of the station that a customer is said to be served by, or -1."""

    points: Floats
    kinds: list[NodeKind]
    codes: list[str]
    pipe: Ints


@dataclass(frozen=True)
class Tolerance:
    """Metres: ends nearer than `snap_m` are one; a thing reaches `reach_m` to its pipe; nearer than `near_m` is suspicious."""

    snap_m: float = SNAP_M
    reach_m: float = REACH_M
    near_m: float = NEAR_MISS_M


@dataclass
class Topology:
    """Nodes and sections. `node_thing` is -1 at a plain junction; `piece` numbers what hangs together, valves open."""

    node_xy: Floats
    node_side: list[PipeSide]
    node_thing: Ints
    section_pipe: Ints
    section_from: Ints
    section_to: Ints
    section_line: NDArray[Any]
    findings: list[Finding]
    piece: Ints

    @property
    def section_length(self) -> Floats:
        """Metres of each section."""
        return np.asarray(shapely.length(self.section_line), float)


@dataclass
class _Side:
    """One side while it is built. Node numbers are this side's own."""

    side: PipeSide
    pipes: Ints
    lines: NDArray[Any]
    ends: Ints  # node of the start and the end of every pipe, (n, 2)
    xy: list[tuple[float, float]]
    cuts: list[list[tuple[float, int, int]]] = field(default_factory=list)  # metres along, rank, node
    thing: dict[int, int] = field(default_factory=dict)  # node -> thing
    stubs: list[tuple[int, int, int]] = field(default_factory=list)  # pipe (place in `pipes`), from node, to node

    def add_node(self, xy: tuple[float, float], thing: int) -> int:
        self.xy.append(xy)
        self.thing[len(self.xy) - 1] = thing
        return len(self.xy) - 1


def build(
    pipes: Pipes, things: Things, tolerance: Tolerance | None = None, told: Callable[[float], None] | None = None
) -> Topology:
    """The topology of one utility. `told` hears how much is done (0 to 1)."""
    tol, say = tolerance or Tolerance(), told or (lambda part: None)
    good, findings = check_pipes(pipes.lines, pipes.codes, pipes.sides, tol.snap_m)
    findings += _unknown_flow(pipes)
    say(0.2)
    made = [_side(side, pipes, good, tol) for side in PipeSide if any(pipes.sides[i] == side for i in good)]
    say(0.5)
    findings += _valves(made, pipes, things, tol)
    for kind in (NodeKind.SOURCE, NodeKind.STATION, NodeKind.CUSTOMER):
        findings += _place(made, pipes, things, kind, tol)
    say(0.8)
    topology = _gathered(made, pipes)
    topology.findings = (
        findings
        + wrong_way(made, pipes.codes, tol.snap_m, tol.near_m)
        + check_connections(topology, pipes, things, tol)
    )
    say(1.0)
    return topology


def _unknown_flow(pipes: Pipes) -> list[Finding]:
    """Pipes of which nobody says whether they are supply or return, where others of the same level do say it."""
    unknown = np.flatnonzero(~pipes.flow_known)
    if not len(unknown):
        return []
    if len(unknown) == len(pipes.codes):
        return [Finding(FindingKind.NO_FLOW, pipes.codes[0], _middle(pipes.lines[0]), detail=str(len(unknown)))]
    return [Finding(FindingKind.NO_FLOW, pipes.codes[i], _middle(pipes.lines[i])) for i in unknown]


def _middle(line: Any) -> tuple[float, float] | None:
    if line is None or shapely.is_empty(line):
        return None
    point = shapely.line_interpolate_point(line, 0.5, normalized=True)
    return (float(point.x), float(point.y)) if np.isfinite([point.x, point.y]).all() else None


# --- ends and tees ---------------------------------------------------------------------------------------------------
def _side(side: PipeSide, pipes: Pipes, good: Ints, tol: Tolerance) -> _Side:
    """Join the ends that lie together, and find where ends lie on other pipes."""
    mine = np.array([i for i in good if pipes.sides[i] == side], np.int64)
    lines = pipes.lines[mine]
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    points = np.column_stack([shapely.get_x([*first, *last]), shapely.get_y([*first, *last])])
    cluster = joined(points, tol.snap_m)
    places = np.full((cluster.max() + 1, 2), np.nan)
    places[cluster[::-1]] = points[::-1]  # the first end of each cluster is where it lies
    made = _Side(side, mine, lines, cluster.reshape(2, -1).T, [(float(x), float(y)) for x, y in places])
    made.cuts = [[] for _ in mine]
    _tees(made, points, cluster, tol.snap_m)
    return made


def joined(points: Floats, snap_m: float) -> Ints:
    """A cluster number for every point: those within `snap_m` of one another, and of one another's neighbours."""
    pairs = cKDTree(points).query_pairs(max(snap_m, TIE_M), output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(points), len(points)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _tees(made: _Side, points: Floats, cluster: Ints, snap_m: float) -> None:
    found = shapely.STRtree(made.lines).query(shapely.points(points), predicate="dwithin", distance=max(snap_m, TIE_M))
    ends = made.ends
    apart = (cluster[found[0]] != ends[found[1], 0]) & (cluster[found[0]] != ends[found[1], 1])
    at, on = found[0][apart], found[1][apart]
    along = shapely.line_locate_point(made.lines[on], shapely.points(points[at]))
    seen = set()
    for metres, node, pipe in sorted(zip(along.tolist(), cluster[at].tolist(), on.tolist(), strict=True)):
        if (node, pipe) not in seen:
            seen.add((node, pipe))
            made.cuts[pipe].append((metres, 0, node))


# --- valves ------------------------------------------------------------------------------------------------------------
def _valves(made: list[_Side], pipes: Pipes, things: Things, tol: Tolerance) -> list[Finding]:
    """Cut every valve's pipe. One that is told to be on a pipe is on it within reach; another on what it is drawn on."""
    place = {int(pipe): (side, i) for side in made for i, pipe in enumerate(side.pipes)}
    wanted = [t for t, kind in enumerate(things.kinds) if kind == NodeKind.VALVE]
    nearest = _nearest_pipes(made, things.points[wanted], max(tol.reach_m, tol.near_m))
    findings: list[Finding] = []
    for t, near in zip(wanted, nearest, strict=True):
        point, named = shapely.Point(things.points[t]), int(things.pipe[t])
        off = float(shapely.distance(pipes.lines[named], point)) if named in place else np.inf
        chosen = named if off <= tol.reach_m else near[1] if near[0] <= tol.snap_m else -1
        if chosen >= 0:
            side, i = place[chosen]
            metres = float(shapely.line_locate_point(side.lines[i], point))
            there = shapely.line_interpolate_point(side.lines[i], metres)
            side.cuts[i].append((metres, 1, side.add_node((there.x, there.y), t)))
        moved = named in place and chosen >= 0 and chosen != named
        metres_off = off if moved or chosen == named else min(off, near[0])
        if metres_off > tol.snap_m:
            other = pipes.codes[named] if named >= 0 else pipes.codes[near[1]] if near[1] >= 0 else ""
            findings.append(Finding(
                FindingKind.VALVE_OFF_PIPE, things.codes[t], (point.x, point.y), other,
                metres_off if np.isfinite(metres_off) else None, "moved" if moved else "taken" if chosen >= 0 else "",
            ))  # fmt: skip
    return findings


def _nearest_pipes(made: list[_Side], points: Floats, within_m: float) -> list[tuple[float, int]]:
    """Metres to the nearest pipe of any side, and which; (inf, -1) where none is near."""
    best = [(np.inf, -1)] * len(points)
    for side in made:
        if not len(points):
            break
        (at, on), off = shapely.STRtree(side.lines).query_nearest(
            shapely.points(points), max_distance=within_m, return_distance=True, all_matches=True
        )
        for i, pipe, metres in zip(at.tolist(), side.pipes[on].tolist(), off.tolist(), strict=True):
            best[i] = min(best[i], (metres, pipe))
    return best


# --- sources, stations, customers ----------------------------------------------------------------------------------------
SIDES_OF = {
    NodeKind.SOURCE: (PipeSide.MAIN, PipeSide.PRIMARY_SUPPLY, PipeSide.PRIMARY_RETURN),
    NodeKind.STATION: (
        PipeSide.PRIMARY_SUPPLY, PipeSide.PRIMARY_RETURN, PipeSide.SECONDARY_SUPPLY, PipeSide.SECONDARY_RETURN,
    ),
    NodeKind.CUSTOMER: (PipeSide.MAIN, PipeSide.SECONDARY_SUPPLY, PipeSide.SECONDARY_RETURN),
}  # fmt: skip
_OFF = {
    NodeKind.SOURCE: FindingKind.SOURCE_OFF_PIPE,
    NodeKind.STATION: FindingKind.STATION_OFF_PIPE,
    NodeKind.CUSTOMER: FindingKind.CUSTOMER_OFF_PIPE,
}


def _place(made: list[_Side], pipes: Pipes, things: Things, kind: NodeKind, tol: Tolerance) -> list[Finding]:
    """Give every thing of a kind its node on each side that it belongs to; tell those that reach no pipe there."""
    wanted = [t for t, k in enumerate(things.kinds) if k == kind]
    sides = [side for side in made if side.side in SIDES_OF[kind]]
    if kind == NodeKind.CUSTOMER and not any(s.side != PipeSide.MAIN for s in sides):
        sides = sides or [s for s in made if s.side in (PipeSide.PRIMARY_SUPPLY, PipeSide.PRIMARY_RETURN)]
    reached: dict[int, set[PipeSide]] = {t: set() for t in wanted}
    for side in sides:
        tree = _EndTree(side)
        for t in wanted:
            named = _named_ends(side, pipes, things, t, tol) if kind == NodeKind.STATION else []
            if _join(side, tree, things.points[t], t, named, tol):
                reached[t].add(side.side)
    findings = []
    for t in wanted:
        missing = [s.side for s in sides if s.side not in reached[t]]
        # A customer of a network without return pipes needs none; so every side that exists is asked for, and no other.
        if missing:
            x, y = things.points[t].tolist()
            detail = "" if len(missing) == len(sides) else ",".join(missing)
            findings.append(Finding(_OFF[kind], things.codes[t], (x, y), detail=detail))
    return findings


class _EndTree:
    """The pipe ends and the pipes of a side, by place."""

    def __init__(self, side: _Side) -> None:
        count = int(side.ends.max()) + 1
        self.ends = cKDTree(np.array(side.xy[:count]))
        self.lines = shapely.STRtree(side.lines)
        self.pipe_of = {int(node): i for i in range(len(side.lines) - 1, -1, -1) for node in side.ends[i]}


def _named_ends(side: _Side, pipes: Pipes, things: Things, t: int, tol: Tolerance) -> list[int]:
    """The ends, within reach of a station, of the pipes that are said to be its own."""
    found = []
    for i in np.flatnonzero(pipes.station[side.pipes] == t).tolist():
        for node in side.ends[i].tolist():
            if np.hypot(*(np.array(side.xy[node]) - things.points[t])) <= tol.reach_m:
                found.append(int(node))
    return sorted(set(found))


def _join(side: _Side, tree: _EndTree, point: Floats, t: int, named: list[int], tol: Tolerance) -> bool:
    """Join a thing to its named ends, to the nearest end, or to the nearest pipe; false where none is within reach."""
    ends = named
    if not ends:
        metres, node = tree.ends.query(point, distance_upper_bound=tol.reach_m)
        ends = [int(node)] if np.isfinite(metres) else []
    if ends:
        first, *others = ends
        if first in side.thing:
            own = side.add_node(side.xy[first], t)
            others = ends
        else:
            own, side.thing[first] = first, t
        side.stubs += [(tree.pipe_of[node], own, node) for node in others]
        return True
    on, off = tree.lines.query_nearest(
        shapely.Point(point), max_distance=tol.reach_m, return_distance=True, all_matches=True
    )
    if not len(on):
        return False
    pipe = int(on[np.argmin(off)])
    metres = float(shapely.line_locate_point(side.lines[pipe], shapely.Point(point)))
    there = shapely.line_interpolate_point(side.lines[pipe], metres)
    side.cuts[pipe].append((metres, 2, side.add_node((there.x, there.y), t)))
    return True


# --- nodes and sections ----------------------------------------------------------------------------------------------------
def _gathered(made: list[_Side], pipes: Pipes) -> Topology:
    """All sides in one numbering, cut into sections."""
    xy: list[tuple[float, float]] = []
    sides: list[PipeSide] = []
    thing: list[int] = []
    rows: list[tuple[int, int, int, Any]] = []
    for side in made:
        base = len(xy)
        xy += side.xy
        sides += [side.side] * len(side.xy)
        thing += [side.thing.get(node, -1) for node in range(len(side.xy))]
        for i, pipe in enumerate(side.pipes.tolist()):
            rows += [(pipe, base + a, base + b, line) for a, b, line in _sections(side, i)]
        for i, a, b in side.stubs:
            line = shapely.LineString([side.xy[a], side.xy[a]])
            rows.append((int(side.pipes[i]), base + a, base + b, line))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    start, end = np.array(columns[1], np.int64), np.array(columns[2], np.int64)
    graph = coo_array((np.ones(len(start)), (start, end)), (len(xy), len(xy)))
    piece = connected_components(graph, directed=False)[1] if xy else np.empty(0)
    return Topology(
        np.array(xy, float).reshape(-1, 2), sides, np.array(thing, np.int64), np.array(columns[0], np.int64), start, end,
        np.array(columns[3], object), [], np.asarray(piece, np.int64),
    )  # fmt: skip


def _sections(side: _Side, i: int) -> list[tuple[int, int, Any]]:
    """A pipe from its start over its cuts to its end: (from node, to node, line)."""
    line, total = side.lines[i], float(shapely.length(side.lines[i]))
    cuts = sorted(side.cuts[i])
    if not cuts:
        return [(int(side.ends[i, 0]), int(side.ends[i, 1]), line)]
    nodes = [int(side.ends[i, 0]), *(node for _, _, node in cuts), int(side.ends[i, 1])]
    metres = [0.0, *(min(max(m, 0.0), total) for m, _, _ in cuts), total]
    coords = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(coords, axis=0).T))])
    return [
        (a, b, _stretch(line, coords, along, m, n))
        for a, b, m, n in zip(nodes, nodes[1:], metres, metres[1:], strict=False)
    ]


def _stretch(line: Any, coords: Floats, along: Floats, start: float, end: float) -> Any:
    """The part of a line between two distances along it; of length 0 where they are the same."""
    ends = [shapely.line_interpolate_point(line, m) for m in (start, end)]
    inner = coords[(along > start) & (along < end)]
    return shapely.LineString([(ends[0].x, ends[0].y), *inner.tolist(), (ends[1].x, ends[1].y)])
