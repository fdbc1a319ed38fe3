"""Trends against scipy's Kendall tau and against every order there is; what a course is called."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, norm

from gis.hotspots.courses import courses, mann_kendall


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=3, max_size=60))
def test_s_and_its_variance_are_kendalls_with_ties(values):
    series = np.array(values, float)
    found = mann_kendall(series[:, None])
    if len(set(values)) == 1:
        assert found.s[0] == 0 and np.isnan(found.p[0])
        return
    peer = kendalltau(np.arange(series.size), series, method="asymptotic")
    assert 2 * norm.sf(abs(found.s[0]) / np.sqrt(found.variance[0])) == pytest.approx(peer.pvalue, abs=1e-12)
    assert np.sign(found.s[0]) == np.sign(peer.statistic)


@pytest.mark.parametrize("values", [(1, 2, 4, 3, 5, 7, 6), (1, 1, 2, 2, 2, 3, 5), (3, 1, 2, 2, 1, 3, 3)])
def test_s_varies_over_every_order_as_the_variance_says_and_p_is_near_the_exact_one(values):
    orders = np.array(list(permutations(values)), float).T
    every = mann_kendall(orders)
    assert every.s.var() == pytest.approx(every.variance[0])
    exact = (np.abs(every.s) >= abs(every.s[0])).mean()
    assert every.p[0] == pytest.approx(exact, abs=0.03)


def test_steps_without_a_value_are_left_out():
    with_gaps = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 5.0, 4.0])
    plain = with_gaps[~np.isnan(with_gaps)]
    one, other = mann_kendall(with_gaps[:, None]), mann_kendall(plain[:, None])
    assert (one.s, one.variance, one.z) == (other.s, other.variance, other.z)


def _course(z, level=2.0):
    series = np.array(z, float)[:, None]
    found = courses(series, series >= level)
    return [name for name in ("emerging", "persistent", "fading") if getattr(found, name)[0]]


def test_a_cell_that_was_always_hot_is_persistent():
    assert _course([3, 4, 3, 5, 4, 3, 4, 3, 5, 4]) == ["persistent"]


def test_a_cell_that_rises_into_heat_or_is_hot_for_the_first_time_is_emerging():
    assert _course([0, 0.2, 0.4, 1, 1.4, 1.9, 2.2, 2.6, 3, 4]) == ["emerging"]
    assert _course([0.3, 0, 1, 0.2, 1.1, 0.1, 0.4, 0, 0.2, 3]) == ["emerging"]


def test_a_cell_that_cools_is_fading():
    assert _course([5, 4.8, 4.1, 3.7, 3, 2.4, 1.8, 1, 0.4, 0]) == ["fading"]
    assert _course([3, 4, 3, 5, 4, 3, 4, 3, 5, 0]) == ["fading"]


def test_a_cell_that_is_hot_now_and_then_or_never_has_no_name():
    assert _course([0, 3, 0, 0, 3, 0, 1, 3, 0, 0]) == []
    assert _course([0.1, 0.4, 0.2, 0.6, 0.1]) == []


def test_no_cell_has_two_courses():
    random = np.random.default_rng(3)
    series = np.cumsum(random.normal(0, 1, (26, 2_000)), axis=0)
    found = courses(series, series >= 2)
    assert (found.emerging.astype(int) + found.persistent + found.fading).max() == 1
    assert all(mask.any() for mask in (found.emerging, found.persistent, found.fading))
