"""Packed places: what a sheet's records say, read and put together in arrays. Compiled where there are millions.

A record is four big-endian 32-bit numbers: metres east, metres north, district (0: none), how many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

Small = NDArray[np.int32]
RECORD = np.dtype([("x", ">i4"), ("y", ">i4"), ("district", ">i4"), ("n", ">i4")])
SIZE = RECORD.itemsize
LOST = -(2**31)  # in x and y: the complaint has no place
ELSEWHERE = LOST + 1  # in x and y: it has one, but so far away that this plane cannot say where
_HEADER = 19  # of COPY's binary format


class Places(Protocol):
    """Where complaints are, whether here in arrays (`Spots`) or in parts on a cluster: what is wanted of them are sums."""

    @property
    def located(self) -> int: ...

    @property
    def not_located(self) -> int: ...

    @property
    def elsewhere(self) -> int: ...

    def sum_over(self, each: Callable[[Spots], NDArray[Any]]) -> NDArray[Any]:
        """What `each` says of the places, added up over all of them; of no place it must say zeros of the same shape."""
        ...

    def box(self) -> tuple[int, int, int, int] | None:
        """West, south, east, north in metres of the square metres; none without any place."""
        ...


@dataclass(frozen=True)
class Spots:
    """Complaints that have a place, as arrays: metres (the south-west corner of their square metre), how many, the day as days
    since 1970. Beside them how many lie elsewhere, and how many have no place."""

    x_m: Small
    y_m: Small
    n: Small
    day: Small
    elsewhere: int
    not_located: int

    @property
    def located(self) -> int:
        return int(self.n.sum()) + self.elsewhere

    def sum_over(self, each: Callable[[Spots], NDArray[Any]]) -> NDArray[Any]:
        return each(self)

    def box(self) -> tuple[int, int, int, int] | None:
        if not self.n.size:
            return None
        return int(self.x_m.min()), int(self.y_m.min()), int(self.x_m.max()) + 1, int(self.y_m.max()) + 1

    def on(self, first: int, last: int) -> Spots:
        """Those of some days alone, both included. What has no place is not known by day: the counts stay."""
        here = (self.day >= first) & (self.day <= last)
        return Spots(self.x_m[here], self.y_m[here], self.n[here], self.day[here], self.elsewhere, self.not_located)


@njit(cache=True, nogil=True)
def _word(raw: NDArray[np.uint8], at: int) -> int:  # pragma: no cover - compiled
    """A signed 32-bit number in network order."""
    value = (
        (np.int64(raw[at]) << 24) | (np.int64(raw[at + 1]) << 16) | (np.int64(raw[at + 2]) << 8) | np.int64(raw[at + 3])
    )
    return int(value - (np.int64(1) << 32) if value >= (np.int64(1) << 31) else value)


@njit(cache=True, nogil=True)
def _unpack(  # pragma: no cover - compiled
    raw: NDArray[np.uint8], districts: NDArray[np.int64], x: Small, y: Small, n: Small, day: Small
) -> tuple[int, int, int]:
    """The records of a binary COPY with two fields (day, places): how many were kept, lie elsewhere, have no place."""
    at, kept, elsewhere, lost = _HEADER, 0, 0, 0
    while at + 2 <= raw.size:
        if raw[at] == 255 and raw[at + 1] == 255:
            break
        on = _word(raw, at + 6)
        size = _word(raw, at + 10)
        at += 14
        for record in range(at, at + size, SIZE):
            if districts.size:
                district = _word(raw, record + 8)
                wanted = False
                for d in districts:
                    wanted = wanted or d == district
                if not wanted:
                    continue
            where, many = _word(raw, record), _word(raw, record + 12)
            if where == LOST:
                lost += many
            elif where == ELSEWHERE:
                elsewhere += many
            else:
                x[kept], y[kept], n[kept], day[kept] = where, _word(raw, record + 4), many, on
                kept += 1
        at += size
    return kept, elsewhere, lost


def unpack(copied: bytes | memoryview, districts: tuple[int, ...]) -> Spots:
    """What a binary COPY of (day as whole number, places) says of these districts, or of all."""
    raw = np.frombuffer(copied, np.uint8)
    most = raw.size // SIZE
    x, y, n, day = (np.empty(most, np.int32) for _ in range(4))
    kept, elsewhere, lost = _unpack(raw, np.array(districts, np.int64), x, y, n, day)
    return Spots(x[:kept], y[:kept], n[:kept], day[:kept], elsewhere, lost)


@njit(cache=True, nogil=True)
def _sum_days(
    raw: NDArray[np.uint8], districts: NDArray[np.int64], first: int, sums: NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    at = _HEADER
    while at + 2 <= raw.size:
        if raw[at] == 255 and raw[at + 1] == 255:
            break
        on, size = _word(raw, at + 6) - first, _word(raw, at + 10)
        at += 14
        for record in range(at, at + size, SIZE):
            wanted = districts.size == 0
            for d in districts:
                wanted = wanted or d == _word(raw, record + 8)
            if wanted and 0 <= on < sums.size:
                sums[on] += _word(raw, record + 12)
        at += size


def day_counts(copied: bytes | memoryview, districts: tuple[int, ...]) -> dict[int, int]:
    """How many complaints of these districts (or all) each day has, with or without a place."""
    sums = np.zeros(2 * 36_525, np.int64)  # the days of 1870 to 2070
    _sum_days(np.frombuffer(copied, np.uint8), np.array(districts, np.int64), -36_525, sums)
    days = np.flatnonzero(sums)
    return {int(day) - 36_525: int(sums[day]) for day in days}


def put_together(packed: bytes) -> bytes:
    """The same places with every place of a district once; those whose differences cancel are gone."""
    records = np.frombuffer(packed, RECORD)
    order = np.lexsort((records["district"], records["x"], records["y"]))
    records = records[order]
    keys = records[["x", "y", "district"]]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if records.size else np.zeros(0, np.int64)
    one = records[first].copy()
    one["n"] = np.add.reduceat(records["n"].astype(np.int64), first) if records.size else 0
    return one[one["n"] != 0].tobytes()


@njit(cache=True, nogil=True)
def count_squares(  # pragma: no cover - compiled
    x: Small, y: Small, n: Small, cell_m: float, column0: int, row0: int, counts: NDArray[np.int64]
) -> None:
    """Add each place to its square, `counts[row, column]`; what lies beyond the grid is left out."""
    rows, columns = counts.shape
    for i in range(x.size):
        column = math.floor((x[i] + 0.5) / cell_m) - column0
        row = math.floor((y[i] + 0.5) / cell_m) - row0
        if 0 <= column < columns and 0 <= row < rows:
            counts[row, column] += n[i]


@njit(cache=True, nogil=True)
def count_hexagons(  # pragma: no cover - compiled
    x: Small, y: Small, n: Small, cell_m: float, column0: int, row0: int, counts: NDArray[np.int64]
) -> None:
    """The same for hexagons in axial coordinates (`hexagons.HexGrid.locate` in one pass)."""
    rows, columns = counts.shape
    for i in range(x.size):
        r = (y[i] + 0.5) / (cell_m * math.sqrt(3.0) / 2.0)
        q = (x[i] + 0.5) / cell_m - r / 2.0
        near_q, near_r, near_s = round(q), round(r), round(-q - r)
        off_q, off_r, off_s = abs(near_q - q), abs(near_r - r), abs(near_s + q + r)
        if off_q > off_r and off_q > off_s:
            near_q = -near_r - near_s
        elif off_r > off_s:
            near_r = -near_q - near_s
        column, row = int(near_q) - column0, int(near_r) - row0
        if 0 <= column < columns and 0 <= row < rows:
            counts[row, column] += n[i]
