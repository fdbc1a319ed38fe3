"""Which complaints of one kind lie so close in place and time that they may be the same matter? Numbers in, numbers out.

Two complaints are linked when they have one category, are at most `radius_m` apart and were received at most `window_s`
apart; a group is whatever hangs together by links. Nobody compares a million with a million: places are sorted into cells
whose diagonal is the radius, so that all of one cell are near by themselves and only their times have to be followed.
Between two neighbouring cells one near pair is enough for two whole runs, and runs that hang together already are not asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.complaints.tile_kernels import first_at

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_CELL = 0.7071  # of the radius: a little less than 1/sqrt(2), so that a cell's diagonal never exceeds the radius
_REACH = 2  # so many cells away a point may still be within the radius


def link(x_m: F64, y_m: F64, at_s: I64, kind: I64, *, radius_m: float, window_s: int) -> I64:
    """For each complaint the smallest index of its group; one that is alone names itself.

    `x_m` and `y_m` are metres of one plane, `at_s` whole seconds, `kind` any whole numbers. Both limits are included.
    """
    if not x_m.size:
        return np.empty(0, np.int64)
    if radius_m <= 0 or window_s < 0:
        raise ValueError("a radius above nothing and a window not below it")
    x = np.ascontiguousarray(x_m - x_m.min(), np.float64)
    y = np.ascontiguousarray(y_m - y_m.min(), np.float64)
    step = radius_m * _CELL
    across, down = (x / step).astype(np.int64), (y / step).astype(np.int64)
    wide, high = int(across.max()) + 2 * _REACH + 1, int(down.max()) + 2 * _REACH + 1
    _, dense = np.unique(kind, return_inverse=True)
    key = (dense.astype(np.int64) * wide + across + _REACH) * high + down + _REACH
    order = np.lexsort((at_s, key))
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0]).astype(np.int64)
    names = key[order][starts]
    root: I64 = _link(
        x[order], y[order], np.ascontiguousarray(at_s[order], np.int64), names, np.r_[starts, x.size],
        order.astype(np.int64), high, radius_m, window_s,
    )  # fmt: skip
    return root


def members(root: I64) -> list[I64]:
    """The groups of two or more, each as ascending indices; the groups in the order of their first member."""
    order = np.argsort(root, kind="stable")
    cuts = np.flatnonzero(np.diff(root[order])) + 1
    return [group for group in np.split(order, cuts) if group.size > 1]


@njit(nogil=True, cache=True)
def _find(parent: Any, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(nogil=True, cache=True)
def _join(parent: Any, i: int, j: int) -> None:
    a, b = _find(parent, i), _find(parent, j)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@njit(nogil=True, cache=True)
def _run_end(at: Any, i: int, end: int, window: int) -> int:
    """Where the run that begins at `i` ends: nobody in it waits longer than the window for the next."""
    while i + 1 < end and at[i + 1] - at[i] <= window:
        i += 1
    return i + 1


@njit(nogil=True, cache=True)
def _meet(x: Any, y: Any, at: Any, a: int, a_end: int, b: int, b_end: int, square: float, window: int) -> bool:
    """Is one of run `a` near one of run `b`, in place and in time? Both runs ascend in time."""
    low = b
    for i in range(a, a_end):
        while low < b_end and at[i] - at[low] > window:
            low += 1
        for j in range(low, b_end):
            if at[j] - at[i] > window:
                break
            dx, dy = x[i] - x[j], y[i] - y[j]
            if dx * dx + dy * dy <= square:
                return True
    return False


@njit(nogil=True, cache=True)
def _cells(
    parent: Any, x: Any, y: Any, at: Any, a: int, a_last: int, b_first: int, b_last: int, square: float, window: int
) -> None:
    """Join the runs of two cells that touch: run by run, skipping those that are one group already."""
    while a < a_last:
        a_end = _run_end(at, a, a_last, window)
        b = b_first
        while b < b_last:
            b_end = _run_end(at, b, b_last, window)
            if at[b] - at[a_end - 1] > window:
                break
            apart = at[a] - at[b_end - 1] > window
            asked = not apart and _find(parent, a) != _find(parent, b)
            if asked and _meet(x, y, at, a, a_end, b, b_end, square, window):
                _join(parent, a, b)
            b = b_end
        a = a_end


@njit(nogil=True, cache=True)
def _link(
    x: Any, y: Any, at: Any, names: Any, starts: Any, order: Any, high: int, radius: float, window: int
) -> Any:  # fmt: skip
    parent = np.arange(x.size)
    for k in range(names.size):
        for i in range(starts[k] + 1, starts[k + 1]):
            if at[i] - at[i - 1] <= window:
                _join(parent, i - 1, i)
    square = radius * radius
    for k in range(names.size):
        for across in range(_REACH + 1):
            # Half of the neighbours: the cells below in the same column, and the whole reach in the columns to come.
            low = names[k] + across * high + (1 if across == 0 else -_REACH)
            n = first_at(names, low)
            while n < names.size and names[n] <= names[k] + across * high + _REACH:
                _cells(parent, x, y, at, starts[k], starts[k + 1], starts[n], starts[n + 1], square, window)
                n += 1
    smallest = np.full(x.size, x.size, np.int64)
    for i in range(x.size):
        r = _find(parent, i)
        smallest[r] = min(smallest[r], order[i])
    root = np.empty(x.size, np.int64)
    for i in range(x.size):
        root[order[i]] = smallest[_find(parent, i)]
    return root
