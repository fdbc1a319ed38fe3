"""Shortest times on a street network, compiled. Pure numbers: arrays in, arrays out; no lock, no allocation that grows.

All searches run from the place that is to be reached over the reversed network, so that one search answers for all crews:
"how long does each take to come here", one-way streets counted in the crew's direction.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Workspace(threading.local):
    """Arrays as long as the network, made once per thread and left clean by every search."""

    def __init__(self, nodes: int, arcs: int) -> None:
        self.seconds = np.full(nodes, np.inf)
        self.metres = np.zeros(nodes)
        self.touched = np.empty(nodes, np.int32)
        self.first = np.full(nodes, -1, np.int32)
        self.heap_key = np.empty(arcs + 4)
        self.heap_node = np.empty(arcs + 4, np.int32)

    def arrays(self) -> tuple[Any, ...]:
        return self.seconds, self.metres, self.touched, self.first, self.heap_key, self.heap_node


@njit(cache=True, nogil=True)
def _push(keys: Floats, values: Ints, size: int, key: float, value: int) -> int:  # pragma: no cover - compiled
    """Add to a binary heap of `size`; returns the new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] <= key:
            break
        keys[at] = keys[parent]
        values[at] = values[parent]
        at = parent
    keys[at] = key
    values[at] = value
    return size + 1


@njit(cache=True, nogil=True)
def _pop(keys: Floats, values: Ints, size: int) -> int:  # pragma: no cover - compiled
    """Take the smallest away (read it at index 0 before); returns the new size."""
    size -= 1
    key, value = keys[size], values[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at] = keys[child]
        values[at] = values[child]
        at = child
    keys[at] = key
    values[at] = value
    return size


@njit(cache=True, nogil=True)
def nearest(  # pragma: no cover - compiled
    start: Ints, arc_node: Ints, arc_s: Floats, arc_m: Floats, seed_node: Ints, seed_s: Floats, seed_m: Floats,
    link_node: Ints, link_crew: Ints, link_s: Floats, link_m: Floats, best_s: Floats, best_m: Floats, wanted: int, limit_s: float,
    seconds: Floats, metres: Floats, touched: Ints, first: Ints, heap_key: Floats, heap_node: Ints,
) -> int:  # fmt: skip
    """The `wanted` crews that are here first, and within `limit_s`. Fills `best_s` and `best_m`; returns how many are final, the rest is infinite.

    A crew hangs on the network by links: from node `link_node[i]` it is `link_s[i]` seconds away. `best_*` hold what is
    known without the network (crews on the very same stretch of street) or infinity. A crew is final when the search has
    reached its time: nothing found later can be shorter.
    """
    n_touched, size, n_final = 0, 0, 0
    n_links, n_crews = len(link_node), len(best_s)
    following = np.full(n_links, -1, np.int32)
    for i in range(n_links):
        following[i] = first[link_node[i]]
        first[link_node[i]] = i
    final = np.zeros(n_crews, np.bool_)
    queue_key = np.empty(n_links + n_crews)
    queue_crew = np.empty(n_links + n_crews, np.int32)
    queued = 0
    for crew in range(n_crews):
        if best_s[crew] < np.inf:
            queued = _push(queue_key, queue_crew, queued, best_s[crew], crew)
    for i in range(len(seed_node)):
        node = seed_node[i]
        if seed_s[i] < seconds[node]:
            if seconds[node] == np.inf:
                touched[n_touched] = node
                n_touched += 1
            seconds[node] = seed_s[i]
            metres[node] = seed_m[i]
            size = _push(heap_key, heap_node, size, seed_s[i], node)
    while n_final < wanted and (size > 0 or queued > 0):
        reached = heap_key[0] if size > 0 else np.inf
        if reached > limit_s and (queued == 0 or queue_key[0] > limit_s):
            break
        if queued > 0 and queue_key[0] <= reached:
            crew = queue_crew[0]
            key = queue_key[0]
            queued = _pop(queue_key, queue_crew, queued)
            if not final[crew] and key <= best_s[crew]:
                final[crew] = True
                n_final += 1
            continue
        node = heap_node[0]
        size = _pop(heap_key, heap_node, size)
        if reached > seconds[node]:
            continue
        link = first[node]
        while link >= 0:
            crew = link_crew[link]
            s = reached + link_s[link]
            if s < best_s[crew]:
                best_s[crew] = s
                best_m[crew] = metres[node] + link_m[link]
                queued = _push(queue_key, queue_crew, queued, s, crew)
            link = following[link]
        for arc in range(start[node], start[node + 1]):
            other = arc_node[arc]
            s = reached + arc_s[arc]
            if s < seconds[other]:
                if seconds[other] == np.inf:
                    touched[n_touched] = other
                    n_touched += 1
                seconds[other] = s
                metres[other] = metres[node] + arc_m[arc]
                size = _push(heap_key, heap_node, size, s, other)
    for i in range(n_touched):
        seconds[touched[i]] = np.inf
    for i in range(n_links):
        first[link_node[i]] = -1
    for crew in range(n_crews):
        if not final[crew]:
            best_s[crew] = np.inf
            best_m[crew] = np.inf
    return n_final


@njit(cache=True, nogil=True)
def reach(  # pragma: no cover - compiled
    start: Ints, arc_node: Ints, arc_s: Floats, arc_m: Floats, seed_node: Ints, seed_s: Floats, limit_s: float,
    lon: Floats, lat: Floats, lon_m: float, lat_m: float, walk_ms: float, walk_most_m: float,
    own: Floats, box: Floats, grid: NDArray[np.uint8], side: int,
    seconds: Floats, metres: Floats, touched: Ints, first: Ints, heap_key: Floats, heap_node: Ints,
) -> None:  # fmt: skip
    """Where anything can be that gets here within `limit_s`: a box (west, south, east, north) cut into side × side cells.

    Every point of the network within the limit lies on an arc towards a node within it, no farther from that node than the
    rest of the time allows; what stands beside the arc walks. The cells around each such node are marked, generously.
    `own` is the stretch of the place itself as (lon, lat, metres around it). A degree is `lon_m`, `lat_m` metres long.
    """
    n_touched, size = 0, 0
    for i in range(len(seed_node)):
        node = seed_node[i]
        if seed_s[i] < seconds[node] and seed_s[i] <= limit_s:
            if seconds[node] == np.inf:
                touched[n_touched] = node
                n_touched += 1
            seconds[node] = seed_s[i]
            size = _push(heap_key, heap_node, size, seed_s[i], node)
    while size > 0:
        key = heap_key[0]
        node = heap_node[0]
        size = _pop(heap_key, heap_node, size)
        if key > seconds[node]:
            continue
        around = 0.0
        for arc in range(start[node], start[node + 1]):
            other = arc_node[arc]
            left = limit_s - key
            around = max(around, arc_m[arc] if arc_s[arc] <= left else left / arc_s[arc] * arc_m[arc])
            s = key + arc_s[arc]
            if s <= limit_s and s < seconds[other]:
                if seconds[other] == np.inf:
                    touched[n_touched] = other
                    n_touched += 1
                seconds[other] = s
                size = _push(heap_key, heap_node, size, s, other)
        metres[node] = around + min(walk_most_m, (limit_s - key) * walk_ms)
    dx, dy = own[2] / lon_m, own[2] / lat_m
    box[0], box[1], box[2], box[3] = own[0] - dx, own[1] - dy, own[0] + dx, own[1] + dy
    for i in range(n_touched):
        node = touched[i]
        dx, dy = metres[node] / lon_m, metres[node] / lat_m
        box[0], box[1] = min(box[0], lon[node] - dx), min(box[1], lat[node] - dy)
        box[2], box[3] = max(box[2], lon[node] + dx), max(box[3], lat[node] + dy)
    width, height = (box[2] - box[0]) / side, (box[3] - box[1]) / side
    for i in range(n_touched + 1):
        x, y, around = own[0], own[1], own[2]
        if i < n_touched:
            node = touched[i]
            x, y, around = lon[node], lat[node], metres[node]
            seconds[node] = np.inf
        dx, dy = around / lon_m, around / lat_m
        west, east = max(0, int((x - dx - box[0]) / width)), min(side - 1, int((x + dx - box[0]) / width))
        south, north = max(0, int((y - dy - box[1]) / height)), min(side - 1, int((y + dy - box[1]) / height))
        for row in range(south, north + 1):
            for column in range(west, east + 1):
                grid[row * side + column] = 1
