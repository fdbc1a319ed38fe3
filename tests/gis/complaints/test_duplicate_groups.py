"""Duplicate groups: every link of two near complaints of one kind, and nothing else, whatever the cells are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gis.complaints.duplicate_groups import link, members


def plain(x, y, at, kind, radius, window):
    """Everybody with everybody."""
    parent = list(range(len(x)))

    def find(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for i in range(len(x)):
        for j in range(i):
            near = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 <= radius * radius
            if near and kind[i] == kind[j] and abs(int(at[i]) - int(at[j])) <= window:
                a, b = find(i), find(j)
                parent[max(a, b)] = min(a, b)
    return [find(i) for i in range(len(x))]


rows = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=60
)


@settings(deadline=None, max_examples=150)
@given(rows, st.integers(1, 120), st.integers(0, 30))
def test_it_is_what_everybody_with_everybody_gives(table, radius, window):
    x, y, at, kind = (np.array(column) for column in zip(*table, strict=True))
    x, y = x.astype(float), y.astype(float)
    found = link(x, y, at, kind, radius_m=float(radius), window_s=window)
    assert found.tolist() == plain(x, y, at, kind, radius, window)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_tree_and_a_sparse_graph_give(seed):
    random = np.random.default_rng(seed)
    n, radius, window = 6_000, 50.0, 7 * 86_400
    x, y = random.normal(0, 700, n), random.normal(0, 700, n)
    at, kind = random.integers(0, 60 * 86_400, n), random.integers(0, 3, n)
    pairs = cKDTree(np.column_stack([x, y])).query_pairs(radius, output_type="ndarray")
    keep = (kind[pairs[:, 0]] == kind[pairs[:, 1]]) & (np.abs(at[pairs[:, 0]] - at[pairs[:, 1]]) <= window)
    a, b = pairs[keep].T
    graph = coo_matrix((np.ones(a.size), (a, b)), shape=(n, n))
    many, label = connected_components(graph, directed=False)
    first = np.full(many, n)
    np.minimum.at(first, label, np.arange(n))
    assert (link(x, y, at, kind, radius_m=radius, window_s=window) == first[label]).all()


def test_both_limits_are_included():
    x, y, kind = np.array([0.0, 50.0]), np.zeros(2), np.zeros(2, np.int64)
    at = np.array([0, 100])
    assert link(x, y, at, kind, radius_m=50.0, window_s=100).tolist() == [0, 0]
    assert link(x, y, at, kind, radius_m=49.99, window_s=100).tolist() == [0, 1]
    assert link(x, y, at, kind, radius_m=50.0, window_s=99).tolist() == [0, 1]


def test_groups_are_told_in_the_order_of_their_first_member_and_singles_are_not():
    assert [g.tolist() for g in members(np.array([0, 1, 0, 3, 1, 0]))] == [[0, 2, 5], [1, 4]]
    assert members(np.array([0, 1, 2])) == []
    assert (
        link(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), radius_m=1.0, window_s=1).size == 0
    )


def test_a_radius_of_nothing_is_refused():
    with pytest.raises(ValueError, match="radius"):
        link(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), np.zeros(1, np.int64), radius_m=0.0, window_s=1)
