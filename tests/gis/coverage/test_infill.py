"""The best sites for more cameras: against every subset, and against the solver without a limit."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from gis.coverage.infill import choose


def worth(covers: np.ndarray, weight: np.ndarray, chosen: tuple[int, ...]) -> float:
    return float(weight[covers[list(chosen)].any(axis=0)].sum()) if chosen else 0.0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_on_small_questions_it_is_the_best_of_every_subset(seed: int, k: int, solver: bool) -> None:
    rng = np.random.default_rng(seed)
    covers, weight = rng.random((9, 14)) < 0.3, rng.integers(0, 9, 14).astype(float)
    best = max(worth(covers, weight, some) for some in combinations(range(9), k))
    found = choose(sparse.csr_array(covers), weight, k, seconds=5.0 if solver else 0.0)
    assert found.total == pytest.approx(worth(covers, weight, found.chosen))
    assert found.bound >= best - 1e-9 >= found.total - 2e-9
    assert list(found.gains) == sorted(found.gains, reverse=True)
    assert found.total >= 0.8 * best
    if solver:
        assert found.total == pytest.approx(best) and found.share_of_best == pytest.approx(1.0)


def street(n: int, pieces: int, seed: int) -> tuple[sparse.csr_array, np.ndarray]:
    """Candidates in a square that see the pieces near them."""
    rng = np.random.default_rng(seed)
    sites, spots = rng.random((n, 2)), rng.random((pieces, 2))
    near = np.hypot(*(sites[:, None] - spots[None]).transpose(2, 0, 1)) < 0.06
    return sparse.csr_array(near), rng.exponential(1.0, pieces)


@pytest.mark.parametrize("seed", [1, 2])
def test_on_middle_questions_the_greedy_and_its_swaps_alone_come_within_five_percent_of_the_optimum(seed: int) -> None:
    covers, weight = street(150, 500, seed)
    n, m, k = 150, 500, 8
    seen = [LinearConstraint(np.hstack([-covers.toarray().T.astype(float), np.eye(m)]), -np.inf, 0)]
    few = LinearConstraint(np.hstack([np.ones(n), np.zeros(m)])[None], -np.inf, k)
    exact = milp(np.hstack([np.zeros(n), -weight]), constraints=[*seen, few], bounds=Bounds(0, 1),
                 integrality=np.ones(n + m))  # fmt: skip
    assert exact.success
    found = choose(covers, weight, k, seconds=0.0)
    assert found.bound * (1 + 1e-9) >= -exact.fun
    assert found.total >= 0.95 * -exact.fun
    assert worth(covers.toarray(), weight, found.chosen) == pytest.approx(found.total)


def test_nothing_to_see_and_nothing_to_place_are_empty_answers() -> None:
    covers, weight = street(5, 4, 0)
    assert choose(covers, weight, 0).chosen == ()
    assert choose(sparse.csr_array((3, 4)), np.ones(4), 2).chosen == ()
    assert choose(covers, np.zeros(4), 3).share_of_best == 1.0


def test_the_same_question_has_the_same_answer_and_no_site_is_taken_twice() -> None:
    covers, weight = street(200, 600, 9)
    one, other = (choose(covers, weight, 12, seconds=0.0) for _ in range(2))
    assert one == other and len(set(one.chosen)) == len(one.chosen) == 12
