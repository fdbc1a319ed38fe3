"""The cheapest pairing against second engines, on small matrices with everything that can be odd about them and on a large one."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

from gis.dispatch.matching import match

prices = st.one_of(st.integers(-20, 20).map(float), st.integers(-100_000, 100_000).map(float), st.just(np.inf))
matrices = arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=prices)


def cheapest(cost):
    """How many pairs are possible, and what the cheapest so many cost, by networkx: a flow, nothing but whole numbers."""
    graph = nx.DiGraph()
    pairs = int((maximum_bipartite_matching(csr_array(np.isfinite(cost).astype(np.int8)), "column") >= 0).sum())
    graph.add_node("crews", demand=-pairs)
    graph.add_node("orders", demand=pairs)
    for i, j in zip(*np.nonzero(np.isfinite(cost)), strict=True):
        graph.add_edge("crews", ("crew", i), capacity=1)
        graph.add_edge(("crew", i), ("order", j), capacity=1, weight=int(cost[i, j]))
        graph.add_edge(("order", j), "orders", capacity=1)
    return pairs, nx.min_cost_flow_cost(graph)


@settings(deadline=None, max_examples=200)
@given(matrices)
def test_the_pairing_has_as_many_pairs_and_costs_as_little_as_the_second_engines(cost):
    rows, columns = match(cost)
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    assert (np.diff(rows) > 0).all() and np.isfinite(cost[rows, columns]).all()
    pairs, total = cheapest(cost)
    assert len(rows) == pairs
    assert cost[rows, columns].sum() == total


@settings(deadline=None)
@given(matrices)
def test_the_same_matrix_is_always_answered_the_same(cost):
    for one, other in zip(match(cost), match(cost.copy(order="F")), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (3, 7), (7, 3), (50, 50)])
def test_where_all_cost_the_same_the_lower_ids_are_paired_in_order(shape):
    rows, columns = match(np.full(shape, 4.0))
    assert rows.tolist() == columns.tolist() == list(range(min(shape)))


@pytest.mark.parametrize("shape", [(1000, 200), (200, 1000), (300, 300)])
def test_of_a_thousand_crews_each_order_gets_one_and_the_sum_is_the_least(shape):
    random = np.random.default_rng(8319)
    cost = random.gamma(3.0, 8.0, shape)
    cost[random.random(shape) < 0.3] = np.inf
    rows, columns = match(cost)
    second = min_weight_full_bipartite_matching(csr_array(np.where(np.isinf(cost), 0.0, cost)))
    assert len(rows) == min(shape) and cost[rows, columns].sum() == pytest.approx(cost[second].sum(), rel=1e-12)


def test_where_nothing_is_possible_nobody_is_paired():
    for cost in (np.full((3, 4), np.inf), np.zeros((0, 5)), np.full((2, 2), np.nan)):
        assert [len(found) for found in match(cost)] == [0, 0]


def test_what_is_no_matrix_of_prices_is_refused():
    for cost in (np.zeros((2, 2, 2)), [[-np.inf, 1.0]]):
        with pytest.raises(ValueError):
            match(cost)
