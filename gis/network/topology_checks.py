"""What is wrong with a network as drawn: each finding names the object and the place. Pure: metres in, findings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gis.network.rules import FindingKind, NodeKind, PipeSide

if TYPE_CHECKING:
    from gis.network.topology import Pipes, Things, Tolerance, Topology, _Side


@dataclass(frozen=True)
class Finding:
    """What is wrong, with which object, where (metres), with which other object, how far, and what else is to be said."""

    kind: FindingKind
    code: str
    xy: tuple[float, float] | None
    other: str = ""
    metres: float | None = None
    detail: str = ""


OPPOSITE = {
    PipeSide.PRIMARY_SUPPLY: PipeSide.PRIMARY_RETURN,
    PipeSide.PRIMARY_RETURN: PipeSide.PRIMARY_SUPPLY,
    PipeSide.SECONDARY_SUPPLY: PipeSide.SECONDARY_RETURN,
    PipeSide.SECONDARY_RETURN: PipeSide.SECONDARY_SUPPLY,
}


def check_pipes(
    lines: NDArray[Any], codes: Sequence[str], sides: Sequence[PipeSide], snap_m: float
) -> tuple[NDArray[np.int64], list[Finding]]:
    """The pipes that can be used, and what is wrong with the others: no or impossible places, no length, drawn twice."""
    findings: list[Finding] = []
    usable = []
    for i, line in enumerate(lines):
        place = _finite_place(line)
        if (
            line is None
            or line.geom_type != "LineString"
            or not np.isfinite(shapely.get_coordinates(line)).all()
            or place is None
        ):
            findings.append(Finding(FindingKind.BAD_GEOMETRY, codes[i], place))
        elif line.length < 1e-3:
            findings.append(Finding(FindingKind.ZERO_LENGTH, codes[i], place, metres=float(line.length)))
        else:
            usable.append(i)
    twice = _duplicates(lines, usable, sides, snap_m)
    for i, first in sorted(twice.items()):
        findings.append(Finding(FindingKind.DUPLICATE, codes[i], _finite_place(lines[i]), codes[first]))
    return np.array([i for i in usable if i not in twice], np.int64), findings


def _finite_place(line: Any) -> tuple[float, float] | None:
    """The first place of a line that is a place at all."""
    if line is None:
        return None
    found = [xy for xy in shapely.get_coordinates(line) if np.isfinite(xy).all()]
    return (float(found[0][0]), float(found[0][1])) if found else None


def _duplicates(lines: NDArray[Any], usable: list[int], sides: Sequence[PipeSide], snap_m: float) -> dict[int, int]:
    """Pipes that lie along an earlier one of the same side within the tolerance, and which one that is."""
    if not usable:
        return {}
    chosen = np.array(usable)
    middles = shapely.line_interpolate_point(lines[chosen], 0.5, normalized=True)
    tree = cKDTree(np.column_stack([shapely.get_x(middles), shapely.get_y(middles)]))
    twice: dict[int, int] = {}
    for a, b in sorted(tree.query_pairs(max(snap_m, 1e-6))):
        first, second = sorted((int(chosen[a]), int(chosen[b])))
        if second in twice or first in twice or sides[first] != sides[second]:
            continue
        if shapely.hausdorff_distance(lines[first], lines[second]) <= snap_m and _same_ends(
            lines[first], lines[second], snap_m
        ):
            twice[second] = first
    return twice


def _same_ends(a: Any, b: Any, snap_m: float) -> bool:
    ends = [np.array([line.coords[0], line.coords[-1]])[:, :2] for line in (a, b)]
    apart = [np.hypot(*(ends[0] - other).T).max() for other in (ends[1], ends[1][::-1])]
    return bool(min(apart) <= snap_m)


def wrong_way(made: list[_Side], codes: Sequence[str], snap_m: float, near_m: float) -> list[Finding]:
    """Pipes that join nothing of their own side where a pipe of the opposite side goes on: supply and return swapped.

    Of the two that meet, the one with more such ends is told, or the one in the smaller piece. Where supply and return are
    drawn along one another their ends meet at every dead end; those say nothing.
    """
    sides = {side.side: side for side in made}
    meetings = [m for side in made if side.side in OPPOSITE and OPPOSITE[side.side] in sides
                for m in _meetings(side, sides[OPPOSITE[side.side]], snap_m, near_m)]  # fmt: skip
    ends = Counter(pipe for pipe, _, _ in meetings)
    size = {int(pipe): metres for side in made for pipe, metres in zip(side.pipes, _piece_lengths(side), strict=True)}
    told: dict[int, Finding] = {}
    for pipe, other, xy in meetings:
        if (ends[pipe], -size[pipe]) >= (ends[other], -size[other]):
            told.setdefault(pipe, Finding(FindingKind.SWAPPED, codes[pipe], xy, codes[other]))
    return [told[pipe] for pipe in sorted(told)]


def _meetings(side: _Side, other: _Side, snap_m: float, near_m: float) -> list[tuple[int, int, tuple[float, float]]]:
    """(pipe, pipe of the opposite side, place) for every end that joins nothing of its own side but lies on the other."""
    used = Counter(side.ends.ravel().tolist())
    used.update(node for cuts in side.cuts for _, rank, node in cuts if rank == 0)
    lonely = [(i, n) for i, ends in enumerate(side.ends.tolist()) for n in ends if used[n] == 1 and n not in side.thing]
    if not lonely:
        return []
    places = shapely.points([side.xy[node] for _, node in lonely])
    at, on = shapely.STRtree(other.lines).query(places, predicate="dwithin", distance=max(snap_m, 1e-6))
    found = []
    for k, j in zip(at.tolist(), on.tolist(), strict=True):
        i, node = lonely[k]
        if not (_along(side.lines[i], other.lines[j], near_m) or _along(other.lines[j], side.lines[i], near_m)):
            found.append((int(side.pipes[i]), int(other.pipes[j]), side.xy[node]))
    return found


def _along(line: Any, other: Any, near_m: float) -> bool:
    """Does a line run beside another?"""
    middle = shapely.line_interpolate_point(line, 0.5, normalized=True)
    return bool(shapely.distance(middle, other) < min(near_m, 0.25 * line.length))


def _piece_lengths(side: _Side) -> NDArray[np.float64]:
    """For every pipe of a side the metres of all pipes that hang together with it."""
    n = len(side.lines)
    pairs = [(i, n + node) for i, ends in enumerate(side.ends.tolist()) for node in ends]
    pairs += [(i, n + node) for i, cuts in enumerate(side.cuts) for _, rank, node in cuts if rank == 0]
    at, to = np.array(pairs).T
    size = n + len(side.xy)
    piece = connected_components(coo_array((np.ones(len(at)), (at, to)), (size, size)), directed=False)[1][:n]
    metres = np.bincount(piece, weights=shapely.length(side.lines))
    return np.asarray(metres[piece], float)


def check_connections(topology: Topology, pipes: Pipes, things: Things, tol: Tolerance) -> list[Finding]:
    """Ends that nearly reach another pipe, and pieces that no source feeds."""
    return _near_misses(topology, pipes, tol) + _unfed(topology, pipes, things)


def _near_misses(topology: Topology, pipes: Pipes, tol: Tolerance) -> list[Finding]:
    degree = np.bincount(np.concatenate([topology.section_from, topology.section_to]), minlength=len(topology.node_xy))
    loose = np.flatnonzero((degree == 1) & (topology.node_thing < 0))
    if not len(loose):
        return []
    touching = _pipes_at(topology)
    ends = [topology.section_from.tolist(), topology.section_to.tolist()]
    beyond = dict(zip(ends[0] + ends[1], ends[1] + ends[0], strict=True))
    tree = shapely.STRtree(topology.section_line)
    at, near = tree.query(shapely.points(topology.node_xy[loose]), predicate="dwithin", distance=tol.near_m)
    best: dict[int, tuple[float, int]] = {}
    for place, section in zip(loose[at].tolist(), near.tolist(), strict=True):
        if topology.node_side[place] != topology.node_side[int(topology.section_from[section])]:
            continue
        pipe = int(topology.section_pipe[section])
        if pipe in _neighbours(touching, place, beyond):
            continue
        metres = float(shapely.distance(topology.section_line[section], shapely.Point(topology.node_xy[place])))
        best[place] = min(best.get(place, (np.inf, -1)), (metres, pipe))
    return [
        Finding(
            FindingKind.NEAR_MISS, pipes.codes[min(touching[place])], _xy(topology, place), pipes.codes[pipe], metres
        )
        for place, (metres, pipe) in sorted(best.items())
    ]


def _pipes_at(topology: Topology) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for pipe, a, b in zip(
        topology.section_pipe.tolist(), topology.section_from.tolist(), topology.section_to.tolist(), strict=True
    ):
        found.setdefault(a, set()).add(pipe)
        found.setdefault(b, set()).add(pipe)
    return found


def _neighbours(touching: dict[int, set[int]], place: int, beyond: dict[int, int]) -> set[int]:
    """The pipes at a loose end, and those that they join: a short branch lies near the pipe it comes from."""
    return touching[place] | touching.get(beyond[place], set())


def _xy(topology: Topology, node: int) -> tuple[float, float]:
    return float(topology.node_xy[node, 0]), float(topology.node_xy[node, 1])


def _unfed(topology: Topology, pipes: Pipes, things: Things) -> list[Finding]:
    """One finding per piece without a source (without a station, on the secondary side)."""
    if not len(topology.section_pipe):
        return []
    fed = set()
    for node, thing in enumerate(topology.node_thing.tolist()):
        secondary = topology.node_side[node] in (PipeSide.SECONDARY_SUPPLY, PipeSide.SECONDARY_RETURN)
        if thing >= 0 and things.kinds[thing] == (NodeKind.STATION if secondary else NodeKind.SOURCE):
            fed.add(int(topology.piece[node]))
    of_section = topology.piece[topology.section_from]
    lengths = topology.section_length
    findings = []
    for piece in np.unique(of_section).tolist():
        if piece in fed:
            continue
        mine = np.flatnonzero(of_section == piece)
        longest = int(mine[np.argmax(lengths[mine])])
        middle = shapely.line_interpolate_point(topology.section_line[longest], 0.5, normalized=True)
        findings.append(Finding(
            FindingKind.NO_SOURCE, pipes.codes[int(topology.section_pipe[longest])], (float(middle.x), float(middle.y)),
            metres=float(lengths[mine].sum()), detail=str(len(np.unique(topology.section_pipe[mine]))),
        ))  # fmt: skip
    return findings
