"""The compiled loops of the trace: low-points of a graph, and how far water spreads. Numbers only; graphs are in CSR form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def rows(n: int, tail: Ints, head: Ints) -> tuple[Ints, Ints, Ints]:
    """An undirected graph by rows: where each vertex's row begins, its neighbours, and the edge to each of them."""
    ends, others = np.concatenate([tail, head]), np.concatenate([head, tail])
    order = np.argsort(ends, kind="stable")
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=n), out=start[1:])
    edges = np.tile(np.arange(len(tail), dtype=np.int64), 2)
    return start, others[order], edges[order]


@njit(nogil=True, cache=True)
def low_points(start: Ints, near: Ints, edge: Ints, root: int, shut: Flags) -> Any:
    """Depth first from `root`, not through `shut`: when each vertex was met (-1: never), the last one below it, its
    parent, its low-point (the earliest vertex that it or anything below it touches beside the way it came), and the order.
    Tarjan 1972, without recursion."""
    n = start.size - 1
    met = np.full(n, -1, np.int64)
    last = np.full(n, -1, np.int64)
    parent = np.full(n, -1, np.int64)
    came = np.full(n, -1, np.int64)
    low = np.full(n, -1, np.int64)
    order = np.empty(n, np.int64)
    at = start[:-1].copy()
    stack = np.empty(n + 1, np.int64)
    depth, count = 1, 1
    stack[0] = root
    met[root] = low[root] = 0
    order[0] = root
    while depth:
        v = stack[depth - 1]
        if at[v] < start[v + 1]:
            w, e = near[at[v]], edge[at[v]]
            at[v] += 1
            if e == came[v] or w == v or shut[w]:
                continue
            if met[w] < 0:
                met[w] = low[w] = count
                order[count] = w
                count += 1
                parent[w], came[w] = v, e
                stack[depth] = w
                depth += 1
            elif met[w] < low[v]:
                low[v] = met[w]
            continue
        depth -= 1
        last[v] = count - 1
        if depth and low[v] < low[stack[depth - 1]]:
            low[stack[depth - 1]] = low[v]
    return met, last, parent, low, order[:count]


@njit(nogil=True, cache=True)
def blocks(met: Ints, parent: Ints, low: Ints, order: Ints) -> Any:
    """The block (biconnected component) of the edge over which each vertex was met, and the block above each block."""
    block = np.full(met.size, -1, np.int64)
    above = np.empty(order.size, np.int64)
    count = 0
    for i in range(1, order.size):
        v = order[i]
        p = parent[v]
        if low[v] >= met[p]:
            block[v] = count
            above[count] = block[p]
            count += 1
        else:
            block[v] = block[p]
    return block, above[:count]


@njit(nogil=True, cache=True)
def spread(start: Ints, near: Ints, begin: Ints, stop: Flags) -> Any:
    """What is reached from `begin` without passing through `stop`: the vertices passed, and those that stopped it."""
    passed, stopped = [np.int64(v) for v in begin], [np.int64(0)][:0]
    seen = set(passed)
    i = 0
    while i < len(passed):
        v = passed[i]
        i += 1
        for k in range(start[v], start[v + 1]):
            w = near[k]
            if w in seen:
                continue
            seen.add(w)
            if stop[w]:
                stopped.append(w)
            else:
                passed.append(w)
    return np.array(passed), np.array(stopped)


@njit(nogil=True, cache=True)
def reached(start: Ints, near: Ints, begin: Ints, shut: Flags) -> Flags:
    """Which vertices are connected with one of `begin`, not through `shut`?"""
    n = start.size - 1
    seen = np.zeros(n, np.bool_)
    queue = np.empty(n, np.int64)
    tip = 0
    for v in begin:
        if not seen[v] and not shut[v]:
            seen[v] = True
            queue[tip] = v
            tip += 1
    i = 0
    while i < tip:
        v = queue[i]
        i += 1
        for k in range(start[v], start[v + 1]):
            w = near[k]
            if not seen[w] and not shut[w]:
                seen[w] = True
                queue[tip] = w
                tip += 1
    return seen


@njit(nogil=True, cache=True)
def cut_below(start: Ints, near: Ints, v: int, met: Ints, last: Ints, parent: Ints, low: Ints) -> Any:
    """The ranges of the depth-first order that hang on the rest by `v` alone: `v` itself, then every branch below it
    that touches nothing above."""
    ranges = [(met[v], met[v] + 1)]
    for k in range(start[v], start[v + 1]):
        w = near[k]
        if parent[w] == v and low[w] >= met[v] and ranges[-1][0] != met[w]:
            ranges.append((met[w], last[w] + 1))
    return np.array(ranges)


@njit(nogil=True, cache=True)
def gather(ranges: Ints, offset: Ints, things: Ints) -> Ints:
    """The things of these ranges; `offset[i]` is where those of the i-th vertex in the order begin."""
    total = 0
    for i in range(ranges.shape[0]):
        total += offset[ranges[i, 1]] - offset[ranges[i, 0]]
    out = np.empty(total, np.int64)
    at = 0
    for i in range(ranges.shape[0]):
        for k in range(offset[ranges[i, 0]], offset[ranges[i, 1]]):
            out[at] = things[k]
            at += 1
    return out
