"""The order of a day's sites, against all orders and against a solver nobody here wrote."""

from itertools import pairwise, permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.inspections.routes import length, open_route, shared_out


@given(st.integers(1, 7), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_up_to_seven_places_no_order_is_shorter(n, seed):
    times = np.random.default_rng(seed).uniform(1, 100, (n, n))
    order = open_route(times)
    assert sorted(order) == list(range(n))
    assert length(times, order) == pytest.approx(min(length(times, p) for p in permutations(range(n))))


def test_eight_places_too():
    times = np.random.default_rng(8).uniform(1, 100, (8, 8))
    assert length(times, open_route(times)) == pytest.approx(min(length(times, p) for p in permutations(range(8))))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_more_places_lie_between_the_spanning_tree_and_the_heuristics_of_networkx(seed):
    """No open route is shorter than the smallest spanning tree; ours is no longer than networkx's best greedy tour opened."""
    places = np.random.default_rng(seed).uniform(0, 1000, (14, 2))
    times = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    graph = nx.from_numpy_array(times)
    tree = sum(edge["weight"] for _a, _b, edge in nx.minimum_spanning_edges(graph))
    found = length(times, open_route(times))
    others = []
    for method in (nx.approximation.greedy_tsp, nx.approximation.christofides):
        tour = method(graph)
        legs = [times[a, b] for a, b in pairwise(tour)]
        others.append(sum(legs) - max(legs))
    assert tree - 1e-6 <= found <= min(others) + 1e-6


def test_a_place_that_cannot_be_reached_does_not_break_the_route():
    times = np.full((3, 3), np.inf)
    times[0, 1] = 5.0
    assert sorted(open_route(times)) == [0, 1, 2]
    assert open_route(np.zeros((0, 0))) == [] and open_route(np.zeros((1, 1))) == [0]


@given(st.integers(1, 25), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_no_group_overflows_and_nobody_goes_where_they_may_not(n, groups, seed):
    rng = np.random.default_rng(seed)
    places, allowed = rng.uniform(0, 1000, (n, 2)), rng.random((n, groups)) < 0.7
    most = [-(-n // groups)] * groups
    found = shared_out(places, groups, most, allowed)
    assert all(g == -1 or allowed[i, g] for i, g in enumerate(found))
    assert all(found.count(g) <= most[g] for g in range(groups))
    if allowed.all():
        assert -1 not in found


def test_two_villages_are_two_groups():
    places = np.array([[0, 0], [9000, 0], [100, 50], [9100, 40], [50, 90], [9050, 10]], float)
    found = shared_out(places, 2, [3, 3])
    assert found[0] == found[2] == found[4] != found[1] == found[3] == found[5]
