"""Where things gather, in numbers only: squares, a kernel density surface, Getis-Ord Gi* and false discovery control.

Everything is in metres on one plane and in arrays indexed `[row, column]`, row 0 in the south. A `mask` says which squares
belong to the study area: zeros inside it count as zeros, squares outside it do not exist.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates
from scipy.special import erfc

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """Square cells: the number of the first column and row, the side and how many, east and north. Corners are multiples
    of the side, so the same place falls into the same cell whatever else is selected."""

    column0: int
    row0: int
    cell_m: float
    columns: int
    rows: int

    @property
    def x0_m(self) -> float:
        return self.column0 * self.cell_m

    @property
    def y0_m(self) -> float:
        return self.row0 * self.cell_m

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def size(self) -> int:
        return self.rows * self.columns

    def locate(self, x_m: Floats, y_m: Floats) -> tuple[Counts, Counts]:
        """Row and column of each point; may lie outside the grid. A point on an edge belongs to the north-east."""
        rows = np.floor(y_m / self.cell_m).astype(np.int64) - self.row0
        columns = np.floor(x_m / self.cell_m).astype(np.int64) - self.column0
        return rows, columns

    def centre_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]:
        """The middle of each of these cells, in metres."""
        x = (columns + self.column0 + 0.5) * self.cell_m
        return np.asarray(x, np.float64), np.asarray((rows + self.row0 + 0.5) * self.cell_m, np.float64)

    def ring_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]:
        """The closed outline of each of these cells: five corners each, in metres."""
        x, y = self.centre_of(rows, columns)
        half = self.cell_m / 2
        return x[:, None] + half * np.array([-1, 1, 1, -1, -1]), y[:, None] + half * np.array([-1, -1, 1, 1, -1])

    def local_sum(self, values: Counts, reach_m: float) -> Counts:
        """For each cell, the sum over the cells whose centres are within the reach, itself included."""
        return disc_sum(values, reach_m / self.cell_m)

    def centres(self) -> tuple[Floats, Floats]:
        """The x of each column's middle and the y of each row's."""
        x = self.x0_m + (np.arange(self.columns) + 0.5) * self.cell_m
        y = self.y0_m + (np.arange(self.rows) + 0.5) * self.cell_m
        return np.asarray(x, np.float64), np.asarray(y, np.float64)


def grid_over(west_m: float, south_m: float, east_m: float, north_m: float, cell_m: float) -> Grid:
    """The smallest grid that covers a rectangle, aligned to multiples of the cell."""
    column0, row0 = math.floor(west_m / cell_m), math.floor(south_m / cell_m)
    columns = math.floor(east_m / cell_m) - column0 + 1
    rows = math.floor(north_m / cell_m) - row0 + 1
    return Grid(column0, row0, cell_m, columns, rows)


def bin_points(grid: Grid, x_m: Floats, y_m: Floats) -> Counts:
    """How many points lie in each cell. Points outside the grid are not counted."""
    rows, columns = grid.locate(x_m, y_m)
    inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
    flat = rows[inside] * grid.columns + columns[inside]
    return np.bincount(flat, minlength=grid.size).astype(np.int64).reshape(grid.shape)


# --- density ---------------------------------------------------------------------------------------------------------
def quartic(distance_m: Floats, bandwidth_m: float) -> Floats:
    """The quartic (biweight) kernel in the plane, per square metre: 3/(pi h^2) (1 - d^2/h^2)^2 within h, nothing beyond."""
    u = np.clip(1.0 - (distance_m / bandwidth_m) ** 2, 0.0, None)
    return np.asarray(3.0 / (math.pi * bandwidth_m**2) * u * u, np.float64)


def spread_points(grid: Grid, x_m: Floats, y_m: Floats, n: NDArray[np.integer[Any]] | None = None) -> Floats:
    """Each point (`n` times, where said) shared among the four nearest cell centres by nearness (linear binning); nothing is
    lost inside.

    A sum over such weights differs from the sum over the points by the square of cell over bandwidth, not by its first
    power as counting would.
    """
    weights = np.zeros(grid.shape)
    _spread(np.asarray(x_m, np.float64), np.asarray(y_m, np.float64), np.ones(len(x_m), np.int32) if n is None else n,
            grid.x0_m, grid.y0_m, grid.cell_m, weights)  # fmt: skip
    return weights


@njit(cache=True, nogil=True)
def _spread(  # pragma: no cover - compiled
    x: Floats, y: Floats, n: NDArray[np.integer[Any]], x0: float, y0: float, cell: float, weights: Floats
) -> None:
    rows, columns = weights.shape
    for i in range(x.size):
        u, v = (x[i] - x0) / cell - 0.5, (y[i] - y0) / cell - 0.5
        column, row = math.floor(u), math.floor(v)
        east, north = u - column, v - row
        for d_row in range(2):
            at_row, share_row = row + d_row, north if d_row else 1.0 - north
            if 0 <= at_row < rows:
                for d_column in range(2):
                    at_column = column + d_column
                    if 0 <= at_column < columns:
                        weights[at_row, at_column] += n[i] * share_row * (east if d_column else 1.0 - east)


def kernel_density(weights: Floats, cell_m: float, bandwidth_m: float) -> Floats:
    """Points per square kilometre at each cell's centre: a quartic kernel over points that were spread on the grid.

    Fit for cells of a tenth of the bandwidth or less (then within 1 % of the peak of the exact sum). There is no correction
    at the edge of the study area: near it, density reads low.
    """
    reach = math.ceil(bandwidth_m / cell_m)
    offset = np.arange(-reach, reach + 1) * cell_m
    stencil = quartic(np.hypot(offset[:, None], offset[None, :]), bandwidth_m)
    stencil /= stencil.sum() * cell_m**2
    if not weights.any():
        return np.zeros(weights.shape)
    found = _convolved(weights, stencil)
    # the transform leaves noise of about 1e-16 of the peak where the sum is exactly nothing
    found[found < found.max() * 1e-12] = 0.0
    return found * 1e6


def _convolved(weights: Floats, stencil: Floats) -> Floats:
    """The sum of the stencil laid on every weight, same shape as `weights`; the transform is padded, so nothing wraps."""
    full = [a + b - 1 for a, b in zip(weights.shape, stencil.shape, strict=True)]
    size = [fft.next_fast_len(n, real=True) for n in full]
    product = fft.rfft2(weights, size) * fft.rfft2(stencil, size)
    top, left = ((n - 1) // 2 for n in stencil.shape)
    found: Floats = fft.irfft2(product, size)[top : top + weights.shape[0], left : left + weights.shape[1]]
    return found


def sample(grid: Grid, values: Floats, x_m: Floats, y_m: Floats) -> Floats:
    """The surface at any points, linearly between cell centres; zero outside the grid."""
    at = np.stack([(y_m - grid.y0_m) / grid.cell_m - 0.5, (x_m - grid.x0_m) / grid.cell_m - 0.5])
    return np.asarray(map_coordinates(values, at, order=1, mode="constant", cval=0.0), np.float64)


# --- Getis-Ord Gi* -----------------------------------------------------------------------------------------------------
def disc_sum(values: Counts, radius_cells: float) -> Counts:
    """For each cell, the sum over the cells whose centres are within `radius_cells` sides of its own, itself included.

    Exact in integers: one difference of a running sum for each row of the disc, whatever the radius.
    """
    rows, columns = values.shape
    reach = math.floor(radius_cells + 1e-9)
    running = np.zeros((rows, columns + 1), np.int64)
    np.cumsum(values, axis=1, out=running[:, 1:])
    total = np.zeros((rows, columns), np.int64)
    column = np.arange(columns)
    for dy in range(-min(reach, rows - 1), min(reach, rows - 1) + 1):
        half = math.floor(math.sqrt(max(radius_cells**2 - dy**2, 0.0)) + 1e-9)
        east, west = np.minimum(column + half + 1, columns), np.maximum(column - half, 0)
        strip = running[max(dy, 0) : rows + min(dy, 0)]
        total[max(-dy, 0) : rows + min(-dy, 0)] += strip[:, east] - strip[:, west]
    return total


def gi_star_z(local_sum: Floats, weight: Floats, n: int, total: float, total_of_squares: float) -> Floats:
    """Getis-Ord Gi* as a z-score from binary weights: `local_sum` over the `weight` members of each neighbourhood (itself
    included), against the mean and variance of all n values. Nothing (NaN) where there is no variance to compare with.

    This is the general step: squares, hexagons and communities differ only in how the local sums are made.
    """
    if n < 2:
        return np.full(local_sum.shape, np.nan)
    mean = total / n
    variance = total_of_squares / n - mean**2
    spread = weight * (n - weight) / (n - 1) * variance
    # n·Σx² - (Σx)² is an exact whole number for counts: it tells "all the same" without a tolerance
    if n * total_of_squares - total**2 <= 0:
        return np.full(local_sum.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (local_sum - weight * mean) / np.sqrt(spread)
    return np.where(spread > 0, z, np.nan)


def gi_star(counts: Counts, mask: Mask, radius_cells: float) -> Floats:
    """Gi* of every cell of the study area, with binary weights within a distance band; NaN outside and without variance."""
    inside = np.where(mask, counts, 0).astype(np.int64)
    n = int(mask.sum())
    total, squares = int(inside.sum()), int((inside * inside).sum())
    local = disc_sum(inside, radius_cells)
    weight = disc_sum(mask.astype(np.int64), radius_cells)
    z = gi_star_z(local.astype(np.float64), weight.astype(np.float64), n, total, squares)
    return np.where(mask, z, np.nan)


def two_sided_p(z: Floats) -> Floats:
    """The chance of a z at least this far from zero, either way, under no clustering."""
    return np.asarray(erfc(np.abs(z) / math.sqrt(2.0)), np.float64)


def benjamini_hochberg(p: Floats) -> Floats:
    """The adjusted p of each test: the smallest false discovery rate at which it would be called. NaN stays NaN."""
    flat = p.ravel()
    tested = np.flatnonzero(~np.isnan(flat))
    adjusted = np.full(flat.shape, np.nan)
    if tested.size:
        order = tested[np.argsort(flat[tested], kind="stable")]
        scaled = flat[order] * tested.size / np.arange(1, tested.size + 1)
        adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted.reshape(p.shape)


def confidence(z: Floats, adjusted_p: Floats, levels: tuple[float, ...]) -> NDArray[np.int8]:
    """How sure, and which way: +k hot or -k cold where the adjusted p passes the k-th level (0.10, 0.05, 0.01), else 0."""
    with np.errstate(invalid="ignore"):
        passed = sum((adjusted_p <= level).astype(np.int8) for level in levels)
        return np.asarray(np.sign(np.nan_to_num(z)) * passed, np.int8)
