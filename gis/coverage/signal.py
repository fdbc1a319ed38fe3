"""Weak mobile signal: the share of weak samples in square cells, and which samples lie in the shadow of buildings. Metres.

RSRP is in dBm; a sample is weak at or below the threshold. A cell with fewer samples than the least is told apart and has
no share. A sample is in the shadow when a building between its nearest mast and the phone is higher than the line of sight
where the line is lowest over it; a building whose height is not known makes it unknown, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PHONE_M = 1.5  # how high a phone is held
CLEAR, HIDDEN, UNKNOWN = 0, 1, -1


@dataclass(frozen=True)
class Cells:
    """Square cells with samples, by column and row of a grid that begins at 0, 0; `of` is each sample's cell."""

    column: Ints
    row: Ints
    samples: Ints
    weak: Ints
    enough: NDArray[np.bool_]
    of: Ints

    @property
    def share(self) -> Floats:
        """Weak samples of all, not a number where there are too few."""
        return np.where(self.enough, self.weak / self.samples, np.nan)


def weak_cells(x: Floats, y: Floats, rsrp_dbm: Floats, *, weak_dbm: float, cell_m: float, least: int) -> Cells:
    """How many samples does each cell have, and how many of them are weak?"""
    places = np.column_stack([np.floor(np.asarray(x) / cell_m), np.floor(np.asarray(y) / cell_m)]).astype(np.int64)
    cells, of = np.unique(places.reshape(-1, 2), axis=0, return_inverse=True)
    of = of.reshape(-1)
    samples = np.bincount(of, minlength=len(cells)).astype(np.int64)
    weak = np.bincount(of, weights=np.asarray(rsrp_dbm) <= weak_dbm, minlength=len(cells)).astype(np.int64)
    return Cells(cells[:, 0], cells[:, 1], samples, weak, samples >= least, of.astype(np.int64))


def nearest(x: Floats, y: Floats, mast_x: Floats, mast_y: Floats) -> Ints:
    """The nearest mast of each sample; the first of those equally near."""
    tree = shapely.STRtree(shapely.points(mast_x, mast_y))
    sample, mast = tree.query_nearest(shapely.points(x, y), all_matches=True)
    first = np.unique(sample, return_index=True)[1]
    return np.asarray(mast[first], np.int64)


def shadows(
    phones: tuple[Floats, Floats], masts: tuple[Floats, Floats, Floats], outlines: NDArray[np.object_], height_m: Floats
) -> Ints:
    """Is each phone hidden from the mast given for it (x, y, height of its top)? CLEAR, HIDDEN or UNKNOWN.

    `height_m` of the buildings may be not a number.
    """
    (x, y), (mast_x, mast_y, mast_m) = phones, masts
    state = np.zeros(len(x), np.int64)
    if not len(x) or not len(outlines):
        return state
    sight = shapely.linestrings(np.stack([np.column_stack([mast_x, mast_y]), np.column_stack([x, y])], axis=1))
    line, building = shapely.STRtree(outlines).query(sight, predicate="intersects")
    inside = shapely.intersection(sight[line], shapely.make_valid(outlines[building]))
    coords, pair = shapely.get_coordinates(inside, return_index=True)
    away = np.hypot(coords[:, 0] - mast_x[line[pair]], coords[:, 1] - mast_y[line[pair]])
    farthest = np.zeros(len(line))
    np.maximum.at(farthest, pair, away)
    whole = np.maximum(shapely.length(sight[line]), 1e-9)
    lowest = mast_m[line] + (PHONE_M - mast_m[line]) * np.minimum(farthest / whole, 1.0)
    height = height_m[building]
    state[line[np.isnan(height)]] = UNKNOWN
    state[line[height > lowest]] = HIDDEN
    return state
