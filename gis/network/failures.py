"""Who loses service when one thing fails? Numbers in, sets out; for every thing of a network at once. Pure.

Everything that can fail or be served is a node: sources, pipe sections, junctions, valves, stations, customers. Arcs run the
way supply can flow: both ways through a pipe, one way through a heat exchanger. A node fails alone: whoever is reached from a
source only through it (whom it dominates) loses service; with loops and several sources nobody else does. What needs
another utility (a station needs water) stops where that is lost, and takes its own customers with it.

Dominators: semi-NCA (Georgiadis, Tarjan and Werneck, "Finding dominators in practice", 2006). A set is kept as intervals of
one order of all nodes, so that what lies in any set is told from prefix sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
NOWHERE = -1


@dataclass(frozen=True)
class Supply:
    """A network as arrays. `tail` to `head` are arcs, `sources` where supply comes in; `who` works only while `what` does."""

    nodes: int
    tail: I64
    head: I64
    sources: I64
    who: I64
    what: I64


@dataclass(frozen=True)
class FailureSets:
    """The sets of nodes that lose service, one per thing that fails, as intervals of `place` (the place of each node).

    Set i are the nodes whose place lies in `first[k] <= place < last[k]` for a k from `start[i]` to `start[i + 1]`;
    several nodes may share a place. A node that no source reaches has the place NOWHERE and lies in no set.
    """

    place: I64
    first: I64
    last: I64
    start: I64

    def __len__(self) -> int:
        return self.start.size - 1

    @cached_property
    def _sorted(self) -> tuple[I64, I64, I64]:
        """The reached nodes by place, and where in that row each interval begins and ends."""
        order = np.argsort(self.place, kind="stable")
        row = self.place[order]
        reached = np.searchsorted(row, 0)
        return order[reached:], np.searchsorted(row[reached:], self.first), np.searchsorted(row[reached:], self.last)

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum over each set of a value per node. Integers stay exact (and wrap as they do)."""
        order, first, last = self._sorted
        total = np.concatenate([np.zeros(1, values.dtype), np.cumsum(values[order], dtype=values.dtype)])
        each = total[last] - total[first]
        whole = np.concatenate([np.zeros(1, values.dtype), np.cumsum(each, dtype=values.dtype)])
        return whole[self.start[1:]] - whole[self.start[:-1]]

    def one_of(self) -> I64:
        """A node of each set that is not empty; of an empty one, any."""
        at = np.zeros(int(self.place.max(initial=NOWHERE)) + 2, np.int64)
        at[self.place] = np.arange(self.place.size)
        filled = np.append(self.first, 0)[np.minimum(self.start[:-1], self.first.size)]
        return at[filled]

    def members(self, i: int) -> I64:
        """The nodes of one set."""
        inside = np.zeros(self.place.size, bool)
        for k in range(int(self.start[i]), int(self.start[i + 1])):
            inside |= (self.place >= self.first[k]) & (self.place < self.last[k])
        return np.flatnonzero(inside)


def single_failures(supply: Supply, things: I64) -> FailureSets:
    """What each of `things` (nodes) takes with it when it alone fails."""
    reach = _Reach(supply)
    place, size = _tree(supply, reach)
    here = things.astype(np.int64)
    first = place[here]
    last = np.where(first == NOWHERE, NOWHERE, first + size[here])
    first, last = np.maximum(first, 0), np.maximum(last, 0)
    known = (place[supply.what] != NOWHERE) & (place[supply.who] != NOWHERE)
    who, what = supply.who[known], supply.what[known]
    order = np.argsort(place[what], kind="stable")
    who, at = who[order], place[what][order]
    low, high = np.searchsorted(at, first), np.searchsorted(at, last)
    after = _Aftermath(supply, reach, place, who)
    return _joined(place, first, last, [after.of(i, a, b) if b > a else None
                                        for i, a, b in zip(here.tolist(), low.tolist(), high.tolist(), strict=True)])  # fmt: skip


def segment_failures(supply: Supply, valves: Flags, things: I64) -> tuple[FailureSets, I64]:
    """What is lost when whole segments are shut: all that hangs together both ways between the nodes flagged in `valves`.

    Valves bound a segment, whatever lets supply pass one way only (an exchanger), and what needs another supply. Returns the sets of the segments in which `things` lie, each once, and the
    number of the set for each thing (NOWHERE where a thing is itself such a bound).
    """
    valves = valves.copy()
    valves[supply.who] = True
    n = supply.nodes
    both_ways = np.isin(supply.tail * n + supply.head, supply.head * n + supply.tail)
    free = ~valves[supply.tail] & ~valves[supply.head] & both_ways
    links = coo_array((np.ones(int(free.sum()), np.int8), (supply.tail[free], supply.head[free])), (n, n))
    _, group = connected_components(links, directed=False)
    group = group.astype(np.int64)
    tail, head = group[supply.tail], group[supply.head]
    apart = tail != head
    merged = Supply(
        int(group.max(initial=-1)) + 1, tail[apart], head[apart], np.unique(group[supply.sources]),
        group[supply.who], group[supply.what],
    )  # fmt: skip
    asked = ~valves[things]
    shut, inverse = np.unique(group[things[asked]], return_inverse=True)
    sets = single_failures(merged, shut)
    which = np.full(things.size, NOWHERE, np.int64)
    which[asked] = inverse
    return FailureSets(sets.place[group], sets.first, sets.last, sets.start), which


def _joined(place: I64, first: I64, last: I64, more: Sequence[tuple[I64, I64] | None]) -> FailureSets:
    """Own intervals, with what fails after them; where the whole was reckoned anew it stands for the own one."""
    starts, ends, counts = [], [], []
    for i, other in enumerate(more):
        if other is None:
            other = first[i : i + 1], last[i : i + 1]
        starts.append(other[0])
        ends.append(other[1])
        counts.append(other[0].size)
    none = [np.zeros(0, np.int64)]
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return FailureSets(place, np.concatenate(starts or none), np.concatenate(ends or none), start)


class _Aftermath:
    """What is lost when a thing takes the supply of others away: told once for each group of those others."""

    def __init__(self, supply: Supply, reach: _Reach, place: I64, who: I64) -> None:
        self.reach, self.place, self.who = reach, place, who
        n = supply.nodes
        links = coo_array((np.ones(supply.tail.size, np.int8), (supply.tail, supply.head)), (n, n))
        _, self.piece = connected_components(links, directed=False)
        self.known: dict[tuple[int, int], Flags] = {}
        self.pieces: dict[tuple[int, int], frozenset[int]] = {}

    def of(self, thing: int, low: int, high: int) -> tuple[I64, I64]:
        """The intervals of all that is lost with `thing`, on which `who[low:high]` depend."""
        key = (low, high)
        if key not in self.known:
            self.known[key] = self._lost(self.who[low:high])
            self.pieces[key] = frozenset(np.unique(self.piece[self.known[key]]).tolist())
        if (
            int(self.piece[thing]) in self.pieces[key]
        ):  # what fails after it hangs together with it: nothing may be added up
            return _intervals(self._places(self._lost(np.append(self.who[low:high], thing))))
        own = self._lost_alone(thing)
        return _intervals(self._places(self.known[key]), own)

    def _lost(self, removed: I64) -> Flags:
        gone = np.zeros(self.place.size, bool)
        gone[removed] = True
        return self.reach.lost(gone)

    def _lost_alone(self, thing: int) -> tuple[int, int]:
        return int(self.place[thing]), int(self.place[thing] + self.reach.size[thing])

    def _places(self, lost: Flags) -> I64:
        return np.sort(self.place[lost & (self.place != NOWHERE)])


def _intervals(places: I64, own: tuple[int, int] | None = None) -> tuple[I64, I64]:
    """Runs of sorted places, and one more interval apart from them."""
    breaks = np.flatnonzero(np.diff(places) > 1)
    first = places[np.concatenate([[0], breaks + 1])] if places.size else places
    last = places[np.concatenate([breaks, [places.size - 1]])] + 1 if places.size else places
    if own is not None:
        first, last = np.append(first, own[0]), np.append(last, own[1])
    return first.astype(np.int64), last.astype(np.int64)


class _Reach:
    """Walks over the arcs of a network."""

    def __init__(self, supply: Supply) -> None:
        self.supply = supply
        order = np.argsort(supply.tail, kind="stable")
        self.heads = supply.head[order].astype(np.int64)
        self.begin = np.searchsorted(supply.tail[order], np.arange(supply.nodes + 1)).astype(np.int64)
        self.whole = _walk(self.begin, self.heads, supply.sources.astype(np.int64), np.zeros(supply.nodes, bool))
        self.size = np.zeros(supply.nodes, np.int64)

    def lost(self, gone: Flags) -> Flags:
        """All that was reached and is no more when `gone` fails, and whatever depends on what is lost with it."""
        gone = gone.copy()
        while True:
            reached = _walk(self.begin, self.heads, self.supply.sources.astype(np.int64), gone)
            lost = self.whole & ~reached
            next_gone = self.supply.who[lost[self.supply.what] & ~gone[self.supply.who]]
            if not next_gone.size:
                return lost
            gone[next_gone] = True


@njit(cache=True, nogil=True)
def _walk(begin: I64, heads: I64, sources: I64, gone: Flags) -> Flags:  # pragma: no cover - compiled
    """The nodes that are reached from the sources without `gone`."""
    reached = np.zeros(gone.size, np.bool_)
    stack = np.empty(gone.size, np.int64)
    top = 0
    for s in sources:
        if not gone[s] and not reached[s]:
            reached[s] = True
            stack[top] = s
            top += 1
    while top:
        top -= 1
        node = stack[top]
        for k in range(begin[node], begin[node + 1]):
            other = heads[k]
            if not gone[other] and not reached[other]:
                reached[other] = True
                stack[top] = other
                top += 1
    return reached


def _tree(supply: Supply, reach: _Reach) -> tuple[I64, I64]:
    """The place of each node in an order in which all that it dominates follows it, and how many those are with itself."""
    root = supply.nodes  # stands before all sources
    begin = np.append(reach.begin, reach.begin[-1] + supply.sources.size)
    heads = np.concatenate([reach.heads, supply.sources.astype(np.int64)])
    tails = np.concatenate([np.sort(supply.tail), np.full(supply.sources.size, root)]).astype(np.int64)
    order = np.argsort(heads, kind="stable")
    came = np.searchsorted(heads[order], np.arange(root + 2)).astype(np.int64)
    place, size = _dominated(begin, heads, came, tails[order], root)
    reach.size = size[:root]
    return np.where(place[:root] > 0, place[:root] - 1, NOWHERE), size[:root]


@njit(cache=True, nogil=True)
def _dominated(  # pragma: no cover - compiled
    begin: I64, heads: I64, came: I64, tails: I64, root: int
) -> tuple[I64, I64]:
    """Preorder numbers (0 for what is not reached, but for the root) and sizes in the tree of immediate dominators."""
    n = root + 1
    number, vertex, parent = np.full(n, -1, np.int64), np.empty(n, np.int64), np.zeros(n, np.int64)
    at = begin[:-1].copy()
    stack = np.empty(n, np.int64)
    stack[0], top, count = root, 1, 1
    number[root], vertex[0] = 0, root
    while top:  # depth first
        node = stack[top - 1]
        if at[node] == begin[node + 1]:
            top -= 1
            continue
        other = heads[at[node]]
        at[node] += 1
        if number[other] < 0:
            number[other], vertex[count], parent[count] = count, other, number[node]
            count += 1
            stack[top] = other
            top += 1
    semi, label, link = np.arange(count), np.arange(count), np.full(count, -1, np.int64)
    for w in range(count - 1, 0, -1):
        node = vertex[w]
        for k in range(came[node], came[node + 1]):
            v = number[tails[k]]
            if v < 0:
                continue
            depth = 0  # the least semidominator on the way up from v, and the way made short
            u = v
            while link[u] >= 0:
                stack[depth] = u
                depth += 1
                u = link[u]
            for j in range(depth - 2, -1, -1):
                upper = stack[j + 1]
                if semi[label[upper]] < semi[label[stack[j]]]:
                    label[stack[j]] = label[upper]
                link[stack[j]] = link[upper]
            semi[w] = min(semi[w], semi[label[v]])
        link[w] = parent[w]
    idom = parent[:count].copy()
    for w in range(1, count):
        while idom[w] > semi[w]:
            idom[w] = idom[idom[w]]
    sizes = np.ones(count, np.int64)
    for w in range(count - 1, 0, -1):
        sizes[idom[w]] += sizes[w]
    places, following = np.zeros(count, np.int64), np.ones(count, np.int64)
    for w in range(1, count):
        places[w] = following[idom[w]]
        following[idom[w]] += sizes[w]
        following[w] = places[w] + 1
    place, size = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for w in range(count):
        place[vertex[w]], size[vertex[w]] = places[w], sizes[w]
    return place, size
