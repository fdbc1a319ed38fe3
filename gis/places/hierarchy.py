"""Many fastest ways at once: a customizable contraction hierarchy, compiled. Pure numbers: arrays in, arrays out.

Nodes are taken away one after the other, least connected first; whoever was connected through a node that goes is connected
directly. Every fastest way then leads up to some node and down again, and the nodes above a node are few (a path in the
elimination tree). So all columns of a matrix are told by one sweep downwards: no heap, no search. The same numbers as a
search from every place, but for the last digits: sums are taken in another order.

source: Dibbelt, Strasser, Wagner, "Customizable Contraction Hierarchies", 2014 (arXiv 1402.0402).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from gis.places.paths import Floats, Ints

Longs = NDArray[np.int64]
BLOCK = 256  # columns that are told together


@dataclass(frozen=True)
class Links:
    """How rows or columns of a matrix hang on nodes: which of them, at which node, seconds and metres away. Parallel arrays."""

    of: Ints
    node: Ints
    s: Floats
    m: Floats


class Hierarchy:
    """The fastest ways of one network between all of its nodes. Safe for many threads: nothing in it changes."""

    def __init__(self, start: Ints, arc_node: Ints, arc_s: Floats, arc_m: Floats) -> None:
        """Arcs as compressed rows of the reversed network: at each node, the arcs that lead to it."""
        count = len(start) - 1
        head = np.repeat(np.arange(count, dtype=np.int32), np.diff(start))
        self.rank = _least_connected_first(arc_node, head, count)
        tail, head = self.rank[arc_node], self.rank[head]
        loops = tail == head
        low, high = np.minimum(tail, head)[~loops], np.maximum(tail, head)[~loops]
        order = np.lexsort((high, low))
        first = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(low, minlength=count), out=first[1:])
        self.first, self.above = _filled(first, high[order].astype(np.int32))
        size = len(self.above)
        self.up_s, self.up_m = np.full(size, np.inf), np.full(size, np.inf)
        self.down_s, self.down_m = np.full(size, np.inf), np.full(size, np.inf)
        _weigh(self.first, self.above, tail, head, arc_s, arc_m, self.up_s, self.up_m, self.down_s, self.down_m)
        _customize(self.first, self.above, self.up_s, self.up_m, self.down_s, self.down_m)

    def matrix(self, rows: Links, n_rows: int, columns: Links, n_columns: int) -> tuple[Floats, Floats]:
        """Seconds and metres from each row to each column; infinite where there is none.

        A row goes from its place to its nodes; a column comes to its place from its nodes.
        """
        node = np.concatenate([self.rank[rows.node], self.rank[columns.node]])
        place, needed = _above(self.first, self.above, node)
        graph = (self.first, self.above, self.up_s, self.up_m, self.down_s, self.down_m, place, needed)
        seconds, metres = np.full((n_rows, n_columns), np.inf), np.full((n_rows, n_columns), np.inf)

        for begin in range(0, n_columns, BLOCK):
            some = (columns.of >= begin) & (columns.of < begin + BLOCK)
            held = np.full((2, len(needed), min(BLOCK, n_columns - begin)), np.inf)
            _sweep(
                *graph, columns.of[some] - begin, self.rank[columns.node[some]], columns.s[some], columns.m[some],
                rows.of, self.rank[rows.node], rows.s, rows.m, held[0], held[1],
                seconds[:, begin : begin + BLOCK], metres[:, begin : begin + BLOCK],
            )  # fmt: skip
        return seconds, metres


@njit(cache=True, nogil=True)
def _above(first: Longs, above: Ints, nodes: Ints) -> tuple[Ints, Ints]:  # pragma: no cover - compiled
    """These nodes and all above them, lowest first, and where each stands among them."""
    place = np.full(len(first) - 1, -1, np.int32)
    for node in nodes:
        while place[node] < 0:
            place[node] = 0
            if first[node] == first[node + 1]:
                break
            node = above[first[node]]
    needed = np.flatnonzero(place >= 0).astype(np.int32)
    for i in range(len(needed)):
        place[needed[i]] = i
    return place, needed


@njit(cache=True, nogil=True)
def _relax(  # pragma: no cover - compiled
    into_s: Floats, into_m: Floats, from_s: Floats, from_m: Floats, s: float, m: float
) -> None:
    """A line of the matrix from another, so much farther on."""
    for c in range(len(into_s)):
        over = from_s[c] + s
        faster = over < into_s[c]
        into_s[c] = over if faster else into_s[c]
        into_m[c] = from_m[c] + m if faster else into_m[c]


@njit(cache=True, nogil=True)
def _sweep(  # pragma: no cover - compiled
    first: Longs, above: Ints, up_s: Floats, up_m: Floats, down_s: Floats, down_m: Floats, place: Ints, needed: Ints,
    column: Ints, column_node: Ints, column_s: Floats, column_m: Floats,
    row: Ints, row_node: Ints, row_s: Floats, row_m: Floats,
    held_s: Floats, held_m: Floats, seconds: Floats, metres: Floats,
) -> None:  # fmt: skip
    """Fill some columns of the matrix. `held_*` are as wide as these columns, a line for each needed node."""
    for i in range(len(column)):
        at, c = place[column_node[i]], column[i]
        if column_s[i] < held_s[at, c]:
            held_s[at, c], held_m[at, c] = column_s[i], column_m[i]
    for i in range(len(column)):  # upwards, each column along its own path
        node, c = column_node[i], column[i]
        while first[node] < first[node + 1]:
            at = place[node]
            for k in range(first[node], first[node + 1]):
                u = place[above[k]]
                s = held_s[at, c] + down_s[k]
                if s < held_s[u, c]:
                    held_s[u, c], held_m[u, c] = s, held_m[at, c] + down_m[k]
            node = above[first[node]]
    for at in range(len(needed) - 1, -1, -1):
        node = needed[at]
        for k in range(first[node], first[node + 1]):
            if up_s[k] < np.inf:
                u = place[above[k]]
                _relax(held_s[at], held_m[at], held_s[u], held_m[u], up_s[k], up_m[k])
    for i in range(len(row)):
        at = place[row_node[i]]
        _relax(seconds[row[i]], metres[row[i]], held_s[at], held_m[at], row_s[i], row_m[i])


def _least_connected_first(tail: Ints, head: Ints, count: int) -> Ints:
    """The order in which nodes go: minimum degree, as solvers of sparse equations choose it. Rank of each node."""
    ones = np.ones(len(tail))
    joined = csc_array((ones, (tail, head)), (count, count))
    joined = joined + joined.T + eye_array(count) * (4.0 * len(tail) + 1.0)
    solved = splu(csc_array(joined), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(solved.perm_c, np.int32)


@njit(cache=True, nogil=True)
def _filled(first: Longs, above: Ints) -> tuple[Longs, Ints]:  # pragma: no cover - compiled
    """The graph with all its shortcuts: a node's upper neighbours become neighbours of each other."""
    count = len(first) - 1
    new_first = np.zeros(count + 1, np.int64)
    out = np.empty(max(16, 8 * len(above)), np.int32)
    size = 0
    child = np.full(count, -1, np.int32)  # the last child of a node in the elimination tree
    sibling = np.full(count, -1, np.int32)
    seen = np.full(count, -1, np.int32)
    for node in range(count):
        begin = size
        room = first[node + 1] - first[node]
        below = child[node]
        while below >= 0:
            room += new_first[below + 1] - new_first[below]
            below = sibling[below]
        if size + room > len(out):
            larger = np.empty(2 * len(out) + room, np.int32)
            larger[:size] = out[:size]
            out = larger
        seen[node] = node
        for i in range(first[node], first[node + 1]):
            other = above[i]
            if seen[other] != node:
                seen[other] = node
                out[size] = other
                size += 1
        below = child[node]
        while below >= 0:
            for i in range(new_first[below], new_first[below + 1]):
                other = out[i]
                if seen[other] != node:
                    seen[other] = node
                    out[size] = other
                    size += 1
            below = sibling[below]
        out[begin:size] = np.sort(out[begin:size])
        new_first[node + 1] = size
        if size > begin:
            parent = out[begin]
            sibling[node] = child[parent]
            child[parent] = node
    return new_first, out[:size].copy()


@njit(cache=True, nogil=True)
def _find(first: Longs, above: Ints, low: int, high: int) -> int:  # pragma: no cover - compiled
    """Where the arc between two ranks is kept."""
    left, right = first[low], first[low + 1]
    while left < right:
        middle = (left + right) >> 1
        if above[middle] < high:
            left = middle + 1
        else:
            right = middle
    return left


@njit(cache=True, nogil=True)
def _weigh(  # pragma: no cover - compiled
    first: Longs, above: Ints, tail: Ints, head: Ints, arc_s: Floats, arc_m: Floats,
    up_s: Floats, up_m: Floats, down_s: Floats, down_m: Floats,
) -> None:  # fmt: skip
    """Put the streets themselves into the graph; of parallel ones the fastest."""
    for i in range(len(tail)):
        if tail[i] < head[i]:
            at = _find(first, above, tail[i], head[i])
            if arc_s[i] < up_s[at]:
                up_s[at] = arc_s[i]
                up_m[at] = arc_m[i]
        elif tail[i] > head[i]:
            at = _find(first, above, head[i], tail[i])
            if arc_s[i] < down_s[at]:
                down_s[at] = arc_s[i]
                down_m[at] = arc_m[i]


@njit(cache=True, nogil=True)
def _customize(  # pragma: no cover - compiled
    first: Longs, above: Ints, up_s: Floats, up_m: Floats, down_s: Floats, down_m: Floats
) -> None:
    """What each shortcut costs: the fastest of its own streets and of all ways through a lower node."""
    count = len(first) - 1
    at = np.zeros(count, np.int64)
    for node in range(count):
        for i in range(first[node], first[node + 1]):
            u = above[i]
            for k in range(first[u], first[u + 1]):
                at[above[k]] = k
            for j in range(i + 1, first[node + 1]):
                k = at[above[j]]
                s = down_s[i] + up_s[j]
                if s < up_s[k]:
                    up_s[k] = s
                    up_m[k] = down_m[i] + up_m[j]
                s = down_s[j] + up_s[i]
                if s < down_s[k]:
                    down_s[k] = s
                    down_m[k] = down_m[j] + up_m[i]
