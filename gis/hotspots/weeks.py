"""How places go on: Gi* of each week of the period, and whether a cell is emerging, persistent or fading.

Weeks are counted back from the last day of the period; days before the first whole week are left out. Cells are compared
among the same cells in every week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.hotspots import tiling
from gis.hotspots.analysis import Findings, significance
from gis.hotspots.courses import courses
from gis.hotspots.density import Counts, Floats, Mask, benjamini_hochberg, confidence
from gis.hotspots.rules import FEWEST_STEPS, LEVELS, MOST_STEPS, STEP_DAYS, Course, TooFewSteps
from gis.hotspots.sheets import Spots


@dataclass(frozen=True)
class Weeks:
    """Counts, z and how sure of every week `[week, row, column]`, oldest first; the course of every cell; z of its trend."""

    first_day: int
    counts: Counts
    z: Floats
    sure: NDArray[np.int8]
    course: NDArray[Any]
    trend_z: Floats
    hot_weeks: NDArray[np.int64]

    @property
    def named(self) -> Mask:
        """The cells that have a course."""
        return np.asarray(self.course != Course.NONE)

    @property
    def strength(self) -> Floats:
        """Emerging first, then persistent, fading, sporadic; in each the steepest trend first."""
        rank = {
            Course.EMERGING: 4e3,
            Course.PERSISTENT: 3e3,
            Course.FADING: 2e3,
            Course.SPORADIC: 1e3,
            Course.NONE: 0.0,
        }
        kind = np.vectorize(lambda c: rank[Course(c)], otypes=[np.float64])(self.course)
        return np.asarray(kind + np.nan_to_num(np.abs(self.trend_z)), np.float64)


def weeks(found: Findings, first_day: int, last_day: int) -> Weeks:
    """The weeks between two days (as days since 1970, both included). Raises TooFewSteps."""
    steps = (last_day - first_day + 1) // STEP_DAYS
    if not FEWEST_STEPS <= steps <= MOST_STEPS:
        raise TooFewSteps(least=FEWEST_STEPS, most=MOST_STEPS, weeks=steps)
    start = last_day + 1 - steps * STEP_DAYS
    counts = per_step(found, start, steps, STEP_DAYS)
    z, sure = np.full(counts.shape, np.nan), np.zeros(counts.shape, np.int8)
    for step in range(steps):
        z[step], p = significance(found.question, found.tiling, counts[step], found.mask)
        sure[step] = confidence(z[step], benjamini_hochberg(p), LEVELS)
    flat = (steps, found.tiling.size)
    named = courses(z.reshape(flat), sure.reshape(flat) > 0)
    course = np.full(found.tiling.size, Course.NONE, dtype=object)
    course[(sure[-1].ravel() > 0)] = Course.SPORADIC
    for mask, name in (
        (named.emerging, Course.EMERGING),
        (named.persistent, Course.PERSISTENT),
        (named.fading, Course.FADING),
    ):
        course[mask] = name
    shape = found.tiling.shape
    return Weeks(
        start, counts, z, sure, course.reshape(shape), named.trend.z.reshape(shape), named.hot_steps.reshape(shape)
    )


def per_step(found: Findings, first_day: int, steps: int, days: int) -> Counts:
    """How many complaints each cell had in each of so many steps of so many days."""
    cut = found.tiling

    def each(spots: Spots) -> Counts:
        counts = np.zeros((steps, *cut.shape), np.int64)
        for step in range(steps):
            begin = first_day + step * days
            counts[step] = tiling.count(cut, spots.on(begin, begin + days - 1))
        return counts

    return np.where(found.mask, found.members.sum_over(each), 0)
