"""The compiled loops of the tile index: keys, the filter, and counting into cells. Numbers in, numbers out.

A place is two 32-bit whole numbers (web mercator, the whole world wide); its key interleaves their bits, so that every
tile of every zoom is one contiguous stretch of sorted keys. Times are microseconds since 2000 (as PostgreSQL sends them).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
FOREVER = np.iinfo(np.int64).max
SECOND = 1_000_000
GREEN, YELLOW, ORANGE, RED, DONE, PAUSED = range(6)  # the order of rules.TimeState: a test holds them together
UNWANTED = 255

# The numbers of one cell, in this order; the last two describe the complaint when there is only one.
N, N_RED, N_ORANGE, SUM_X, SUM_Y, ONE_ID, ONE_WORDS = range(7)
CELL = 7


class Columns(NamedTuple):
    """Complaints as arrays of one length. Area and unit ids are 0 where there is none, `closed` is FOREVER while open,
    `resolve` while its clock stands still."""

    key: U64
    id: I64
    status: NDArray[np.uint8]
    category: NDArray[np.int16]
    areas: NDArray[np.int32]
    unit: NDArray[np.int32]
    received: I64
    resolve: I64
    closed: I64


class Question(NamedTuple):
    """What to count: tables of what is wanted, empty or 0 meaning everything; `now` in microseconds since 2000."""

    status: NDArray[np.bool_]
    category: NDArray[np.bool_]
    states: NDArray[np.bool_]
    areas: NDArray[np.int32]
    units: NDArray[np.int32]
    scope_area: int
    scope_unit: int
    since: int
    until: int
    only: I64
    listed: bool
    now: int


@njit(nogil=True, cache=True)
def _spread(v: Any) -> Any:
    v = (v | (v << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    v = (v | (v << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | (v << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | (v << np.uint64(2))) & np.uint64(0x3333333333333333)
    return (v | (v << np.uint64(1))) & np.uint64(0x5555555555555555)


@njit(nogil=True, cache=True)
def _squeeze(v: Any) -> Any:
    v = v & np.uint64(0x5555555555555555)
    v = (v | (v >> np.uint64(1))) & np.uint64(0x3333333333333333)
    v = (v | (v >> np.uint64(2))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | (v >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | (v >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (v | (v >> np.uint64(16))) & np.uint64(0x00000000FFFFFFFF)


@njit(nogil=True, cache=True)
def keys(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> U64:
    """The key of every place; what lies beyond the map's edge is taken to its edge."""
    out = np.empty(lon.size, np.uint64)
    world, last = 4294967296.0, 4294967295.0
    for i in range(lon.size):
        x = (lon[i] + 180.0) / 360.0 * world
        sine = min(max(np.sin(np.radians(lat[i])), -0.9999999), 0.9999999)
        y = (0.5 - np.arctanh(sine) / (2 * np.pi)) * world
        across, down = np.uint64(min(max(x, 0.0), last)), np.uint64(min(max(y, 0.0), last))
        out[i] = _spread(across) | (_spread(down) << np.uint64(1))
    return out


@njit(nogil=True, cache=True)
def first_at(sorted_keys: U64, key: Any) -> int:
    """The first place whose key is not below `key`."""
    low, high = 0, sorted_keys.size
    while low < high:
        middle = (low + high) >> 1
        if sorted_keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def stretch(sorted_keys: U64, low: Any, high: Any) -> tuple[int, int]:
    """The places from key `low` to key `high`, both included."""
    end = sorted_keys.size if high == np.uint64(0xFFFFFFFFFFFFFFFF) else first_at(sorted_keys, high + np.uint64(1))
    return first_at(sorted_keys, low), end


@njit(nogil=True, cache=True)
def _state(received: int, resolve: int, closed: int, now: int) -> int:
    """`rules.time_state` in whole microseconds; a clock that stands still has FOREVER."""
    if closed != FOREVER:
        return DONE if closed <= resolve else RED
    if resolve == FOREVER:
        return PAUSED
    if now > resolve:
        return RED
    total, used = max(resolve - received, SECOND), now - received
    if used * 2 < total:
        return GREEN
    return YELLOW if used * 4 < total * 3 else ORANGE


@njit(nogil=True, cache=True)
def _next(received: int, resolve: int, state: int) -> int:
    """When a running state ends."""
    total = max(resolve - received, SECOND)
    if state == GREEN:
        return min(received + (total + 1) // 2, resolve + 1)
    return min(received + (total * 3 + 3) // 4, resolve + 1) if state == YELLOW else resolve + 1


@njit(nogil=True, cache=True)
def states(c: Columns, alive: NDArray[np.bool_], q: Question, low: int, high: int) -> tuple[NDArray[np.uint8], int]:
    """For each row of a stretch: the state of its time, or UNWANTED; and the moment when the first state changes.

    One loop over plain arrays, without handing them to another function: that would count references for every row.
    """
    _, id, status, category, areas, unit, received, resolve, closed = c
    of_status, of_category, of_state, of_areas, of_units, area, own_unit, since, until, only, listed, now = q
    out = np.full(max(high - low, 0), UNWANTED, np.uint8)
    holds = FOREVER
    for i in range(low, high):
        if not (alive[i] and of_status[status[i]] and of_category[category[i]]):
            continue
        if received[i] < since or received[i] >= until or (own_unit != 0 and unit[i] != own_unit):
            continue
        a, b, d, e = areas[i, 0], areas[i, 1], areas[i, 2], areas[i, 3]
        if area != 0 and a != area and b != area and d != area and e != area:
            continue
        wanted = of_units.size == 0
        for k in range(of_units.size):
            wanted |= of_units[k] == unit[i]
        inside = of_areas.size == 0
        for k in range(of_areas.size):
            inside |= of_areas[k] == a or of_areas[k] == b or of_areas[k] == d or of_areas[k] == e
        if not (wanted and inside):
            continue
        state = _state(received[i], resolve[i], closed[i], now)
        if closed[i] == FOREVER and state != RED and state != PAUSED:
            holds = min(holds, _next(received[i], resolve[i], state))
        if not of_state[state]:
            continue
        if listed:
            at = np.searchsorted(only, id[i])
            if at == only.size or only[at] != id[i]:
                continue
        out[i - low] = state
    return out, holds


@njit(nogil=True, cache=True)
def runs(sorted_keys: U64, shift: int) -> tuple[U64, I64]:
    """The cells (`key >> shift`) that occur, ascending, and where each begins; one beginning more than cells."""
    many = 0
    for i in range(sorted_keys.size):
        many += i == 0 or sorted_keys[i] >> np.uint64(shift) != sorted_keys[i - 1] >> np.uint64(shift)
    names, starts = np.empty(many, np.uint64), np.empty(many + 1, np.int64)
    many = 0
    for i in range(sorted_keys.size):
        name = sorted_keys[i] >> np.uint64(shift)
        if many == 0 or names[many - 1] != name:
            names[many], starts[many] = name, i
            many += 1
    starts[many] = sorted_keys.size
    return names, starts


@njit(nogil=True, cache=True)
def places(keys: U64) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Across and down, from the keys."""
    x, y = np.empty(keys.size, np.uint32), np.empty(keys.size, np.uint32)
    for i in range(keys.size):
        x[i], y[i] = _squeeze(keys[i]), _squeeze(keys[i] >> np.uint64(1))
    return x, y


@njit(nogil=True, cache=True)
def pyramid(c: Columns, x: Any, y: Any, codes: NDArray[np.uint8], starts: I64) -> I64:
    """The numbers of every run of `runs`. The inner loop has no branch: it is what a question costs."""
    id, status, category = c.id, c.status, c.category
    found = np.zeros((starts.size - 1, CELL), np.int64)
    for k in range(starts.size - 1):
        n = red = orange = across = down = np.int64(0)
        for i in range(starts[k], starts[k + 1]):
            wanted = np.int64(codes[i] != UNWANTED)
            n += wanted
            red += np.int64(codes[i] == RED)
            orange += np.int64(codes[i] == ORANGE)
            across += np.int64(x[i]) * wanted
            down += np.int64(y[i]) * wanted
        found[k, N], found[k, N_RED], found[k, N_ORANGE], found[k, SUM_X], found[k, SUM_Y] = (
            n,
            red,
            orange,
            across,
            down,
        )
        if n == 1:
            for i in range(starts[k], starts[k + 1]):
                if codes[i] != UNWANTED:
                    found[k, ONE_ID] = id[i]
                    found[k, ONE_WORDS] = np.int64(status[i]) | np.int64(codes[i]) << 8 | np.int64(category[i]) << 16
    return found


@njit(nogil=True, cache=True)
def fold(names: U64, found: I64, low: int, high: int, shift: int, grid: I64) -> None:
    """Add ready cells to a tile's grid; `shift` leads from a cell's name to the grid cell around it."""
    mask = np.uint64(grid.shape[0] - 1)
    for i in range(low, high):
        if found[i, N] == 0:
            continue
        k = np.int64((names[i] >> np.uint64(shift)) & mask)
        for j in range(ONE_ID):
            grid[k, j] += found[i, j]
        grid[k, ONE_ID], grid[k, ONE_WORDS] = found[i, ONE_ID], found[i, ONE_WORDS]


@njit(nogil=True, cache=True)
def scan(
    c: Columns, x: Any, y: Any, codes: NDArray[np.uint8], low: int, shift: int, grid: I64, points: I64, many: int
) -> int:
    """Count the wanted rows of a stretch into a tile's grid, and keep them singly too as far as `points` has room.

    Returns how many were found together with `many` before.
    """
    key, id, status, category = c.key, c.id, c.status, c.category
    mask = np.uint64(grid.shape[0] - 1)
    for j in range(codes.size):
        if codes[j] == UNWANTED:
            continue
        i = low + j
        words = np.int64(status[i]) | np.int64(codes[j]) << 8 | np.int64(category[i]) << 16
        k = np.int64((key[i] >> np.uint64(shift)) & mask)
        grid[k, N] += 1
        grid[k, N_RED] += codes[j] == RED
        grid[k, N_ORANGE] += codes[j] == ORANGE
        grid[k, SUM_X] += x[i]
        grid[k, SUM_Y] += y[i]
        grid[k, ONE_ID], grid[k, ONE_WORDS] = id[i], words
        if many < points.shape[0]:
            points[many, N], points[many, SUM_X], points[many, SUM_Y] = 1, x[i], y[i]
            points[many, ONE_ID], points[many, ONE_WORDS] = id[i], words
        many += 1
    return many
