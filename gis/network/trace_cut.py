"""The fewest valves that keep the water from a segment: a least cut between it and the root of all sources. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

if TYPE_CHECKING:
    from gis.network.trace import Trace

_FREE = 1 << 20  # more than any network has valves around one pipe


def fewest_valves(trace: Trace, vertex: int, refused: Iterable[int]) -> tuple[int, ...] | None:
    """Menger: as many valves as there are ways to a source that share none. Every valve is split into its two sides with
    room for one way; everything else has room for all. Of all least sets the one nearest to the segment is taken, which
    cuts off the least. None when a way to a source has no usable valve."""
    s = trace.segments
    n = s.count + 1
    passable = ~s.closed
    usable = np.zeros(n, np.bool_)
    usable[s.of_node[trace.pipes.valve & trace.pipes.open & trace.pipes.reachable]] = True
    usable[[int(s.of_node[v]) for v in refused]] = False
    usable[vertex] = False
    rows, columns, room = _arcs(s.start, s.near, passable, usable)
    graph = csr_array((room, (rows, columns)), (2 * n, 2 * n))
    if vertex == s.root or not passable[vertex]:
        return ()
    flow = maximum_flow(graph, n + vertex, s.root)
    if flow.flow_value >= _FREE:
        return None
    left = graph - flow.flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    near = np.zeros(2 * n, np.bool_)
    near[breadth_first_order(left, n + vertex, return_predecessors=False)] = True
    cut = np.flatnonzero(usable & near[:n] & ~near[n:])
    return tuple(sorted(int(trace.valve_of[v]) for v in cut))


def _arcs(
    start: np.ndarray, near: np.ndarray, passable: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertex v in front is v, behind is n + v."""
    n = len(passable)
    tail = np.repeat(np.arange(n), np.diff(start))
    both = passable[tail] & passable[near]
    rows = np.concatenate([np.arange(n), n + tail[both]])
    columns = np.concatenate([n + np.arange(n), near[both]])
    room = np.concatenate([np.where(usable, 1, _FREE), np.full(both.sum(), _FREE)]).astype(np.int32)
    return rows.astype(np.int32), columns.astype(np.int32), room
