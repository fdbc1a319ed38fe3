"""How a place goes on over time: Mann-Kendall's test of a trend on each cell's series of Gi*, and what that course is called.

Series are arrays `[time, cell]`, oldest first; NaN marks a step at which there was nothing to compare with and is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.hotspots.density import Floats, Mask, two_sided_p

# source: Getis-Ord maps over time call a place persistent when it stood out in 90 % of the steps; 5 % is the level of a trend
PERSISTENT_SHARE = 0.9
TREND_LEVEL = 0.05
FEWEST_STEPS = 4  # with fewer no trend can reach the level: 4! orders, the two extreme ones are 8 % of them


@dataclass(frozen=True)
class Trend:
    """Mann-Kendall's S, its variance without a trend (corrected for ties), z with the continuity correction, two-sided p."""

    s: Floats
    variance: Floats
    z: Floats
    p: Floats


def mann_kendall(series: Floats) -> Trend:
    """Is there a trend, up or down? Source: Mann 1945, Kendall 1975; ties after Kendall."""
    steps, cells = series.shape
    s = np.zeros(cells)
    ties = np.zeros(cells)
    known = ~np.isnan(series)
    for step in range(1, steps):
        later = series[step] - series[:step]
        s += np.nansum(np.sign(later), axis=0)
        ties += _tie_growth((later == 0).sum(axis=0))
    n = known.sum(axis=0).astype(np.float64)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18.0
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, (s - np.sign(s)) / np.sqrt(variance), np.nan)
    return Trend(s, variance, z, two_sided_p(z))


def _tie_growth(before: NDArray[np.int64]) -> Floats:
    """By how much t(t-1)(2t+5) grows when a value that came `before` times comes once more."""
    t, after = before.astype(np.float64), before + 1.0
    return np.asarray(after * (after - 1) * (2 * after + 5) - t * (t - 1) * (2 * t + 5), np.float64)


@dataclass(frozen=True)
class Courses:
    """Which cells have which course; a cell has at most one."""

    emerging: Mask
    persistent: Mask
    fading: Mask
    trend: Trend
    hot_steps: NDArray[np.int64]


def courses(series: Floats, hot: Mask) -> Courses:
    """Name the course of every cell from its z of each step and whether it was called hot then (`hot`, same shape).

    Persistent: hot now and in nine of ten steps. Emerging: hot now and rising, or hot now for the first time. Fading: hot in
    at least two steps and falling; or not hot now although nine of ten steps before were; or not hot in the last two although
    half of all steps were.
    """
    steps = series.shape[0]
    trend = mann_kendall(series)
    sure = trend.p < TREND_LEVEL if steps >= FEWEST_STEPS else np.zeros(series.shape[1], bool)
    rising, falling = sure & (trend.s > 0), sure & (trend.s < 0)
    times, now = hot.sum(axis=0), hot[-1]
    often = times >= np.ceil(PERSISTENT_SHARE * steps)
    over = ~now & (times >= np.ceil(PERSISTENT_SHARE * (steps - 1))) | ~hot[-2:].any(axis=0) & (times >= steps / 2)
    fading = (times >= 2) & (falling | over)
    persistent = often & now & ~fading
    emerging = now & ~fading & ~persistent & (rising | (times == 1))
    return Courses(emerging, persistent, fading, trend, times.astype(np.int64))
