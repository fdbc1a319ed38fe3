"""Hexagons in metres: each has six neighbours at one distance, so no direction counts more than another.

Cells stand in axial coordinates (Red Blob's q and r): row r is a line of hexagons, column q goes on along it, and a row further
north begins half a cell further east. A disc of k rings is then one run of columns in each of 2k+1 rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gis.hotspots.density import Counts, Floats

_HEIGHT = math.sqrt(3.0) / 2.0  # from row to row, in cell widths
_CORNERS = np.radians(np.arange(90, 451, 60))  # the first again at the end


@dataclass(frozen=True)
class HexGrid:
    """Hexagons whose centres are `cell_m` from their neighbours': the first column and row, and how many. As with squares, the
    same place falls into the same cell whatever else is selected."""

    column0: int
    row0: int
    cell_m: float
    columns: int
    rows: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def size(self) -> int:
        return self.rows * self.columns

    def locate(self, x_m: Floats, y_m: Floats) -> tuple[Counts, Counts]:
        """Row and column of the hexagon each point lies in; may lie outside the grid."""
        r = np.asarray(y_m, np.float64) / (self.cell_m * _HEIGHT)
        q = np.asarray(x_m, np.float64) / self.cell_m - r / 2
        s = -q - r
        near_q, near_r, near_s = np.rint(q), np.rint(r), np.rint(s)
        off_q, off_r, off_s = np.abs(near_q - q), np.abs(near_r - r), np.abs(near_s - s)
        # the three must add up to nothing: the one that was rounded furthest follows from the others
        wrong_q = (off_q > off_r) & (off_q > off_s)
        wrong_r = ~wrong_q & (off_r > off_s)
        column = np.where(wrong_q, -near_r - near_s, near_q).astype(np.int64) - self.column0
        row = np.where(wrong_r, -near_q - near_s, near_r).astype(np.int64) - self.row0
        return row, column

    def centre_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]:
        """The middle of each of these cells, in metres."""
        r, q = rows + self.row0, columns + self.column0
        return np.asarray((q + r / 2) * self.cell_m, np.float64), np.asarray(r * self.cell_m * _HEIGHT, np.float64)

    def ring_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]:
        """The closed outline of each of these cells: seven corners each, in metres."""
        x, y = self.centre_of(rows, columns)
        radius = self.cell_m / math.sqrt(3.0)
        return x[:, None] + radius * np.cos(_CORNERS), y[:, None] + radius * np.sin(_CORNERS)

    def local_sum(self, values: Counts, reach_m: float) -> Counts:
        """For each cell, the sum over the cells within as many rings as the reach has cells, itself included."""
        return rings_sum(values, math.floor(reach_m / self.cell_m + 1e-9))


def hexagons_over(west_m: float, south_m: float, east_m: float, north_m: float, cell_m: float) -> HexGrid:
    """The smallest grid of hexagons in which every point of a rectangle lies."""
    row0, row1 = math.floor(south_m / (cell_m * _HEIGHT)) - 1, math.ceil(north_m / (cell_m * _HEIGHT)) + 1
    column0 = math.floor(west_m / cell_m - row1 / 2) - 1
    column1 = math.ceil(east_m / cell_m - row0 / 2) + 1
    return HexGrid(column0, row0, cell_m, column1 - column0 + 1, row1 - row0 + 1)


def rings_sum(values: Counts, rings: int) -> Counts:
    """The sum over `rings` rings of hexagons around each cell, itself included; exact in integers."""
    rows, columns = values.shape
    running = np.zeros((rows, columns + 1), np.int64)
    np.cumsum(values, axis=1, out=running[:, 1:])
    total = np.zeros((rows, columns), np.int64)
    column = np.arange(columns)
    for dr in range(-min(rings, rows - 1), min(rings, rows - 1) + 1):
        east = np.clip(column + min(rings, rings - dr) + 1, 0, columns)
        west = np.clip(column + max(-rings, -rings - dr), 0, columns)
        strip = running[max(dr, 0) : rows + min(dr, 0)]
        total[max(-dr, 0) : rows + min(-dr, 0)] += strip[:, east] - strip[:, west]
    return total
