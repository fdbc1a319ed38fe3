"""p-values by permutation, beside esda's own on the same counts and neighbours."""

import warnings

import numpy as np
import pytest

from gis.hotspots import chance, density


@pytest.fixture
def interpreted(monkeypatch):
    """esda's own code as it is written: to compile it takes a minute, to run it on this much a second."""
    from esda import crand, getisord

    monkeypatch.setattr(crand, "boolean", bool)
    for module in (crand, getisord):
        for name, thing in list(vars(module).items()):
            if hasattr(thing, "py_func"):
                monkeypatch.setattr(module, name, thing.py_func)


def test_the_five_percent_call_agrees_with_esdas(interpreted):
    """A call is compared at the 5 % level, both of 999 permutations: what is left differs by the luck of the draws."""
    from esda.getisord import G_Local
    from libpysal.weights import DistanceBand

    random = np.random.default_rng(11)
    counts = random.negative_binomial(0.5, 0.15, (40, 45))
    counts[8:14, 20:27] += random.poisson(5, (6, 7))
    rows, columns = np.indices(counts.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lists = DistanceBand(np.column_stack([columns.ravel(), rows.ravel()]), threshold=3.000001, binary=True, silence_warnings=True)  # fmt: skip
        peer = G_Local(
            counts.ravel().astype(float), lists, transform="B", star=True, permutations=999, seed=3, n_jobs=1
        )
    around = density.disc_sum(counts, 3) - counts
    neighbours = density.disc_sum(np.ones_like(counts), 3) - 1
    p = chance.permuted_p(around.ravel(), neighbours.ravel(), counts.ravel(), 999, seed=8319)
    agree = (p <= 0.05) == (peer.p_sim <= 0.05)
    assert agree.mean() >= 0.98
    assert 0.05 < (p <= 0.05).mean() < 0.6  # both have something to say


def test_chance_alone_is_called_as_often_as_the_level_says():
    random = np.random.default_rng(1)
    values = random.poisson(2.0, 4_000)
    sums = np.array([random.choice(values, 9, replace=False).sum() for _ in range(4_000)])
    p = chance.permuted_p(sums, np.full(4_000, 9), values, 999, seed=2)
    assert (p <= 0.05).mean() == pytest.approx(0.10, abs=0.03)  # 5 % on each side, fewer by the ties


def test_the_null_of_equal_neighbour_counts_is_the_exact_one_where_it_can_be_listed():
    from itertools import combinations

    values = np.array([0, 1, 1, 2, 3, 5, 8])
    exact = np.array([sum(c) for c in combinations(values.tolist(), 3)])
    p = chance.permuted_p(np.array([12, 16]), np.array([3, 3]), values, 9_999, seed=5)
    assert p[0] == pytest.approx((exact >= 12).mean(), abs=0.01)
    assert p[1] == pytest.approx((exact >= 16).mean(), abs=0.01)


def test_who_has_no_neighbour_has_no_p():
    p = chance.permuted_p(np.array([0, 4]), np.array([0, 1]), np.array([1, 4]), 99, seed=1)
    assert np.isnan(p[0]) and not np.isnan(p[1])


@pytest.mark.parametrize(("n", "k"), [(10, 9), (400, 6), (50, 1)])
def test_every_draw_is_of_different_cells_and_each_is_as_likely(n, k):
    drawn = chance.draws(n, k, 4_000, seed=7)
    assert drawn.shape == (4_000, k)
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    times = np.bincount(drawn.ravel(), minlength=n)
    assert times.size == n
    assert np.abs(times / drawn.size - 1 / n).max() < 0.3 / n + 0.002
    first = np.bincount(drawn[:, 0], minlength=n)
    assert first.max() < 4 * 4_000 / n + 20


def test_the_same_seed_gives_the_same_p():
    values = np.arange(50)
    asked = (np.array([40, 90]), np.array([3, 3]), values, 99)
    assert (chance.permuted_p(*asked, seed=1) == chance.permuted_p(*asked, seed=1)).all()
