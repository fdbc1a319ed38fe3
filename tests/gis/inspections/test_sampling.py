"""The drawing: every site with just the probability that was meant for it."""

import itertools
from collections import Counter
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gis.inspections.sampling import Item, arranged, by_size, draw, probabilities, shared, systematic

items = st.lists(
    st.tuples(st.integers(0, 4), st.floats(0.01, 50), st.booleans()), min_size=1, max_size=40
).map(lambda rows: [Item(n, f"h{h}", size, certain and size > 40) for n, (h, size, certain) in enumerate(rows)])  # fmt: skip


@given(items, st.integers(1, 40), st.sampled_from(["proportional", "neyman"]))
@settings(max_examples=150, deadline=None)
def test_probabilities_add_up_to_the_number_wanted_and_nobody_is_left_out(rows, n, allocation):
    found = probabilities(rows, n, allocation)
    certain = sum(r.certain for r in rows)
    wanted = min(max(n, certain), len(rows))
    assert sum(found.values()) == pytest.approx(wanted)
    assert all(p <= 1 + 1e-9 for p in found.values())
    if n > certain:
        assert len(found) == len(rows) and min(found.values()) > 0


@given(items, st.integers(1, 40), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_just_so_many_are_drawn_and_the_same_seed_draws_the_same(rows, n, seed):
    drawn = draw(rows, n, "proportional", seed)
    assert len(drawn.drawn) == round(sum(drawn.probability.values()))
    assert drawn == draw(list(reversed(rows)), n, "proportional", seed)
    assert {r.id for r in rows if r.certain} <= drawn.drawn
    taken = Counter(next(r.stratum for r in rows if r.id == i) for i in drawn.drawn)
    for stratum, share in drawn.share.items():
        assert int(share + 1e-6) <= taken[stratum] <= int(share - 1e-6) + 1


def test_systematic_drawing_hits_each_place_for_just_its_share_of_all_starts():
    """The whole range of starts, taken apart at every place where the answer changes, in exact fractions."""
    rng = Random(7)
    for _ in range(30):
        parts = [rng.randint(1, 30) for _ in range(rng.randint(2, 12))]
        n = rng.randint(1, len(parts))
        chances = [Fraction(p).limit_denominator() for p in by_size(dict(enumerate(map(float, parts))), n).values()]
        edges, at = {Fraction(0), Fraction(1)}, Fraction(0)
        for chance in chances:
            at += chance
            edges.add(at % 1)
        hit = [Fraction(0)] * len(chances)
        cuts = sorted(edges)
        for low, high in itertools.pairwise(cuts):
            if high - low < Fraction(1, 10**6):
                continue  # a sliver of the floating point
            for k in systematic([float(c) for c in chances], float((low + high) / 2)):
                hit[k] += high - low
        assert [float(h) for h in hit] == pytest.approx([float(c) for c in chances], abs=2e-5)


@pytest.mark.parametrize("allocation", ["proportional", "neyman"])
def test_how_often_each_site_comes_agrees_with_its_probability(allocation):
    """Monte Carlo against the binomial: with 60 sites, none may be farther off than one in a million would be."""
    rng = np.random.default_rng(3)
    rows = [Item(i, f"h{i % 5}", float(x), order=(f"c{i % 3}",)) for i, x in enumerate(rng.gamma(1.5, 2.0, 60) + 0.1)]
    rows[0] = Item(0, "h0", 1.0, certain=True)
    meant, runs = probabilities(rows, 12, allocation), 4000
    times = Counter(i for seed in range(runs) for i in draw(rows, 12, allocation, seed).drawn)
    for row in rows:
        p = min(meant[row.id], 1.0)
        seen = stats.binomtest(times[row.id], runs, p) if p < 1 else None
        assert times[row.id] == runs if seen is None else seen.pvalue > 1e-6, row


def test_proportional_and_neyman_shares_are_those_of_the_textbook():
    """Cochran 1977, 5.5: n_h = n N_h S_h / sum(N S); and proportional: n_h = n N_h / N."""
    strata = {"a": (50, 4.0), "b": (30, 2.0), "c": (20, 10.0)}
    members, spread = np.array([50, 30, 20]), np.array([4.0, 2.0, 10.0])
    neyman = 12 * members * spread / (members * spread).sum()
    assert list(shared(12, strata).values()) == pytest.approx(neyman)
    flat = shared(12, {h: (m, 1.0) for h, (m, _s) in strata.items()})
    assert list(flat.values()) == pytest.approx(12 * members / members.sum())


def test_a_stratum_that_would_get_more_than_it_has_gets_all_and_the_rest_is_shared_again():
    found = shared(10, {"small": (2, 100.0), "big": (50, 1.0)})
    assert found == pytest.approx({"small": 2.0, "big": 8.0})


def test_a_site_too_large_for_its_share_is_certain():
    found = by_size({1: 100.0, 2: 1.0, 3: 1.0}, 2)
    assert found == pytest.approx({1: 1.0, 2: 0.5, 3: 0.5})


def test_what_is_like_lies_together_inside_a_stratum():
    rows = [Item(i, "h", 1.0, order=(f"c{i % 4}",)) for i in range(20)]
    line = [item.order for item in arranged(rows, Random(1))]
    assert line == sorted(line)
