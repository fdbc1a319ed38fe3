"""Weak signal: shares against a published report and a plain count, shadows against a march along each line of sight."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely

from gis.coverage.signal import CLEAR, HIDDEN, PHONE_M, UNKNOWN, nearest, shadows, weak_cells


def test_the_share_of_an_operators_report_comes_out_of_its_own_bins() -> None:
    rsrp = np.concatenate([np.full(6_135, -105.0), np.full(79_638 - 6_135, -104.9)])
    cells = weak_cells(np.zeros(79_638), np.zeros(79_638), rsrp, weak_dbm=-105, cell_m=100, least=10)
    assert cells.weak.tolist() == [6_135]
    assert cells.share[0] == pytest.approx(0.0770, abs=5e-5)


def test_cells_count_what_a_plain_count_counts_and_too_few_samples_have_no_share() -> None:
    rng = np.random.default_rng(5)
    x, y, rsrp = rng.uniform(-500, 500, 400), rng.uniform(-500, 500, 400), rng.uniform(-130, -70, 400)
    cells = weak_cells(x, y, rsrp, weak_dbm=-110, cell_m=150, least=9)
    every = Counter((int(a // 150), int(b // 150)) for a, b in zip(x, y, strict=True))
    weak = Counter((int(a // 150), int(b // 150)) for a, b, c in zip(x, y, rsrp, strict=True) if c <= -110)
    for i, key in enumerate(zip(cells.column.tolist(), cells.row.tolist(), strict=True)):
        assert (cells.samples[i], cells.weak[i]) == (every[key], weak[key])
        assert np.isnan(cells.share[i]) == (every[key] < 9)
    assert 0 < cells.enough.sum() < len(cells.enough)
    assert len(weak_cells(np.empty(0), np.empty(0), np.empty(0), weak_dbm=-110, cell_m=150, least=9).samples) == 0


def test_a_lower_threshold_never_makes_more_samples_weak() -> None:
    rng = np.random.default_rng(6)
    x, rsrp = rng.uniform(0, 500, 200), rng.uniform(-130, -70, 200)
    at = [weak_cells(x, x, rsrp, weak_dbm=dbm, cell_m=100, least=1).weak.sum() for dbm in (-110, -105)]
    assert at[0] < at[1]


def marched(phone: np.ndarray, mast: np.ndarray, outlines: np.ndarray, height: np.ndarray) -> tuple[bool, float]:
    """The oracle: a walk of 5 cm steps along the line; hidden where a step is inside a building and under its roof.

    Also how near the line comes to a roof's edge, so that the test leaves out what the steps cannot tell."""
    t = np.linspace(0, 1, max(2, int(np.hypot(*(phone - mast[:2])) / 0.05)))
    at = mast[:2] + t[:, None] * (phone - mast[:2])
    level = mast[2] + (PHONE_M - mast[2]) * t
    above = [
        height[i] - level[shapely.contains_xy(o, at[:, 0], at[:, 1])].min(initial=np.inf)
        for i, o in enumerate(outlines)
    ]
    return max(above) > 0, min(abs(a) for a in above)


def test_what_lies_in_the_shadow_of_buildings_is_what_a_march_along_the_line_of_sight_finds() -> None:
    rng = np.random.default_rng(8)
    outlines = shapely.box(*(corner := rng.uniform(0, 300, (2, 25))), *(corner + rng.uniform(8, 40, (2, 25))))
    height = rng.uniform(3, 40, 25)
    phones, mast = rng.uniform(0, 300, (150, 2)), np.array([150.0, 150.0, 30.0])
    many = tuple(np.full(150, v) for v in mast)
    told = shadows((phones[:, 0], phones[:, 1]), many, outlines, height)
    sure = 0
    for i, phone in enumerate(phones):
        hidden, margin = marched(phone, mast, outlines, height)
        if margin > 0.3:
            sure += 1
            assert told[i] == (HIDDEN if hidden else CLEAR)
    assert sure > 100 and 20 < (told == HIDDEN).sum() < 140


def test_a_building_of_unknown_height_is_not_guessed() -> None:
    wall = np.array([shapely.box(40, -10, 50, 10), shapely.box(60, -10, 70, 10)], object)
    one = (np.array([100.0]), np.array([0.0])), (np.array([0.0]), np.array([0.0]), np.array([30.0]))
    assert shadows(*one, wall, np.array([np.nan, 2.0])) == [UNKNOWN]
    assert shadows(*one, wall, np.array([np.nan, 25.0])) == [HIDDEN]
    assert shadows(*one, wall[:0], np.empty(0)) == [CLEAR]


def test_each_sample_is_held_against_its_nearest_mast() -> None:
    rng = np.random.default_rng(2)
    x, y, mast_x, mast_y = rng.random(50), rng.random(50), rng.random(6), rng.random(6)
    away = np.hypot(x[:, None] - mast_x, y[:, None] - mast_y)
    assert nearest(x, y, mast_x, mast_y).tolist() == away.argmin(axis=1).tolist()
