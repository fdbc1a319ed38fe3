"""Shrunk rates, against esda's empirical Bayes smoother."""

import numpy as np
import pytest
from esda.smoothing import Empirical_Bayes

from gis.hotspots.rates import shrunk


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rates_are_shrunk_as_esda_does(seed):
    random = np.random.default_rng(seed)
    households = random.integers(20, 4_000, 60).astype(float)
    events = random.poisson(households * random.gamma(2, 0.02, 60)).astype(float)
    np.testing.assert_allclose(shrunk(events, households), np.ravel(Empirical_Bayes(events, households).r), atol=1e-12)


def test_a_few_households_are_believed_less_than_many():
    events, households = np.array([3.0, 300.0, 900.0, 20.0]), np.array([12.0, 1_200.0, 50_000.0, 9_000.0])
    rate = shrunk(events, households)
    assert rate[0] < rate[1] < 0.25  # both are 25 % raw
    assert rate[2] == pytest.approx(0.018, abs=0.001)


def test_without_households_there_is_no_rate_and_without_complaints_it_is_nothing():
    assert np.isnan(shrunk(np.array([5.0, 2.0]), np.array([0.0, 100.0]))[0])
    assert np.isnan(shrunk(np.array([5.0]), np.array([0.0]))).all()
    assert shrunk(np.zeros(3), np.array([10.0, 20.0, 30.0])).tolist() == [0, 0, 0]
