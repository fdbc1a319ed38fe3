"""The numbers, against independent oracles: esda for Gi*, a direct sum for the density, scipy for false discovery."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import false_discovery_control, norm

from gis.geo import to_metres
from gis.hotspots import density
from gis.hotspots.density import Grid


def _esda_z(counts, mask, radius_cells):
    """Gi* by esda on libpysal's distance band weights, one observation per cell of the study area."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local
        from libpysal.weights import DistanceBand

        rows, columns = np.nonzero(mask)
        w = DistanceBand(
            np.column_stack([columns, rows]), threshold=radius_cells + 1e-6, binary=True, silence_warnings=True
        )
        return G_Local(counts[mask].astype(float), w, transform="B", star=True, permutations=0).Zs


@pytest.mark.parametrize("radius", [1, 1.5, 2, 3, 4.3])
@pytest.mark.parametrize("seed", [1, 2])
def test_gi_star_equals_esda_on_random_counts_in_a_ragged_area(seed, radius):
    random = np.random.default_rng(seed)
    counts = random.negative_binomial(0.6, 0.2, (23, 31))
    mask = random.random(counts.shape) < 0.8
    found = density.gi_star(counts, mask, radius)
    assert np.isnan(found[~mask]).all()
    np.testing.assert_allclose(found[mask], _esda_z(counts, mask, radius), rtol=0, atol=1e-9)


def test_gi_star_equals_esda_on_real_service_requests(shared):
    with (shared / "complaints" / "boston311_2015_sample2000.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    names = {name.lower(): name for name in table[0]}
    lon_name = next(names[n] for n in names if n.startswith("lon"))
    lat_name = next(names[n] for n in names if n.startswith("lat"))
    at = np.array([(float(r[lon_name]), float(r[lat_name])) for r in table if r[lon_name] and r[lat_name]])
    x, y = to_metres(at[:, 0], at[:, 1], float(at[:, 0].mean()))
    grid = density.grid_over(x.min(), y.min(), x.max(), y.max(), 500.0)
    counts = density.bin_points(grid, x, y)
    assert counts.sum() == len(at) > 1_900
    mask = np.ones(grid.shape, bool)
    np.testing.assert_allclose(density.gi_star(counts, mask, 3)[mask], _esda_z(counts, mask, 3), rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 12), st.floats(0.0, 15.0), st.integers(0, 2**31),
)  # fmt: skip
def test_a_disc_sum_is_the_sum_over_the_cells_within_reach(rows, columns, radius, seed):
    values = np.random.default_rng(seed).integers(0, 50, (rows, columns))
    r, c = np.indices(values.shape)
    centres = np.column_stack([r.ravel(), c.ravel()]).astype(float)
    near = cdist(centres, centres) <= radius + 1e-9
    expected = (near @ values.ravel()).reshape(values.shape)
    assert (density.disc_sum(values, radius) == expected).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 10), st.integers(2, 10), st.integers(0, 2**31))
def test_gi_star_does_not_depend_on_what_lies_outside_the_area_or_on_orientation(rows, columns, seed):
    random = np.random.default_rng(seed)
    counts, mask = random.integers(0, 9, (rows, columns)), random.random((rows, columns)) < 0.7
    z = density.gi_star(counts, mask, 2)
    np.testing.assert_array_equal(z, density.gi_star(np.where(mask, counts, 999), mask, 2))
    np.testing.assert_allclose(z.T[::-1], density.gi_star(counts.T[::-1], mask.T[::-1], 2), atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "mask"),
    [
        (np.zeros((4, 5), int), np.ones((4, 5), bool)),  # no rows
        (np.full((4, 5), 7), np.ones((4, 5), bool)),  # the same everywhere
        (np.array([[3]]), np.ones((1, 1), bool)),  # one cell
        (np.zeros((4, 5), int), np.zeros((4, 5), bool)),  # an empty district
        (np.full((3, 3), 10**7), np.ones((3, 3), bool)),  # the same, and large
    ],
)
def test_without_variance_there_is_no_z_and_no_label(counts, mask):
    z = density.gi_star(counts, mask, 2)
    assert np.isnan(z).all()
    p = density.two_sided_p(z)
    q = density.benjamini_hochberg(p)
    assert np.isnan(p).all()
    assert (density.confidence(z, q, (0.1, 0.05, 0.01)) == 0).all()


def test_one_complaint_in_an_area_is_where_it_is():
    counts = np.zeros((9, 9), int)
    counts[4, 4] = 1
    z = density.gi_star(counts, np.ones((9, 9), bool), 1)
    assert z[4, 4] == z.max()
    assert z[0, 0] < 0


def test_a_neighbourhood_that_is_the_whole_area_says_nothing():
    z = density.gi_star(np.array([[1, 2], [3, 9]]), np.ones((2, 2), bool), 5)
    assert np.isnan(z).all()


def test_p_is_two_sided_as_scipys_normal():
    z = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(density.two_sided_p(z), 2 * norm.sf(np.abs(z)), rtol=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_false_discovery_control_equals_scipys(p):
    array = np.array(p)
    np.testing.assert_allclose(density.benjamini_hochberg(array), false_discovery_control(array), atol=1e-12)


def test_cells_without_a_p_take_no_part_in_false_discovery_control():
    p = np.array([[0.01, np.nan], [0.02, 0.5]])
    q = density.benjamini_hochberg(p)
    assert np.isnan(q[0, 1])
    np.testing.assert_allclose(q[[0, 1, 1], [0, 0, 1]], false_discovery_control(np.array([0.01, 0.02, 0.5])))


def test_pure_chance_is_seldom_called_a_hotspot():
    random = np.random.default_rng(8319)
    called = 0
    for _ in range(40):
        counts = random.poisson(3.0, (30, 30))
        mask = np.ones(counts.shape, bool)
        z = density.gi_star(counts, mask, 3)
        q = density.benjamini_hochberg(density.two_sided_p(z))
        called += bool((density.confidence(z, q, (0.1, 0.05, 0.01)) >= 2).any())
    assert called <= 8  # 5 % is promised at the middle level; neighbouring cells share their complaints


def test_a_planted_cluster_is_found_and_far_places_are_not():
    random = np.random.default_rng(5)
    counts = random.poisson(0.2, (40, 40))
    counts[10:13, 10:13] += random.poisson(6.0, (3, 3))
    z = density.gi_star(counts, np.ones(counts.shape, bool), 2)
    called = density.confidence(z, density.benjamini_hochberg(density.two_sided_p(z)), (0.1, 0.05, 0.01))
    assert (called[10:13, 10:13] == 3).all()
    assert (called[25:, 25:] <= 0).all()


@pytest.mark.parametrize("bandwidth", [400.0, 750.0, 2_000.0])
def test_the_density_is_within_one_percent_of_the_exact_kernel_sum(bandwidth):
    random = np.random.default_rng(3)
    x = np.concatenate([random.normal(3_000, 300, 150), random.uniform(0, 8_000, 100)])
    y = np.concatenate([random.normal(4_000, 500, 150), random.uniform(0, 8_000, 100)])
    grid = density.grid_over(-3_000, -3_000, 11_000, 11_000, bandwidth / 10)
    found = density.kernel_density(density.spread_points(grid, x, y), grid.cell_m, bandwidth)
    cx, cy = grid.centres()
    at = np.column_stack([np.tile(cx, grid.rows), np.repeat(cy, grid.columns)])
    exact = np.zeros(grid.size)
    for px, py in zip(x, y, strict=True):
        exact += density.quartic(np.hypot(at[:, 0] - px, at[:, 1] - py), bandwidth)
    exact = exact.reshape(grid.shape) * 1e6
    assert np.abs(found - exact).max() <= 0.01 * exact.max()
    assert found.sum() * (grid.cell_m / 1000) ** 2 == pytest.approx(len(x), rel=1e-6)  # every complaint counts once


def test_the_kernel_is_the_quartic_of_the_textbooks():
    assert density.quartic(np.array([0.0]), 2.0)[0] == pytest.approx(3 / (math.pi * 4))
    assert density.quartic(np.array([2.0, 3.0]), 2.0).tolist() == [0.0, 0.0]
    r = np.linspace(0, 2, 200_001)
    assert np.trapezoid(density.quartic(r, 2.0) * 2 * math.pi * r, r) == pytest.approx(1.0, abs=1e-6)


def test_no_points_are_no_density():
    assert density.kernel_density(np.zeros((3, 4)), 10.0, 100.0).tolist() == [[0.0] * 4] * 3


def test_a_bandwidth_wider_than_the_grid_still_gives_the_grids_shape():
    grid = Grid(0, 0, 10.0, 4, 3)
    found = density.kernel_density(density.spread_points(grid, np.array([20.0]), np.array([15.0])), 10.0, 500.0)
    assert found.shape == (3, 4)
    assert found.min() > 0


def test_the_surface_is_read_linearly_between_centres_and_is_zero_outside():
    grid = Grid(0.0, 0.0, 10.0, 2, 1)
    values = np.array([[1.0, 3.0]])
    assert density.sample(grid, values, np.array([5.0, 10.0, 15.0, 99.0]), np.array([5.0] * 4)).tolist() == [1, 2, 3, 0]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=30),
    st.sampled_from([100.0, 250.0, 1000.0]),
)
def test_every_point_is_in_the_grid_over_them_and_counted_once(points, cell):
    x, y = np.array(points).T
    grid = density.grid_over(x.min(), y.min(), x.max(), y.max(), cell)
    if grid.size > 10**6:
        return
    assert density.bin_points(grid, x, y).sum() == len(points)
    assert (grid.x0_m / cell) % 1 == 0


def test_the_same_place_is_in_the_same_cell_whatever_else_is_selected():
    near, wide = density.grid_over(1030, 990, 1990, 2110, 250), density.grid_over(-7000, -300, 9000, 9000, 250)
    for grid in (near, wide):
        row, column = grid.locate(np.array([1_499.0]), np.array([1_501.0]))
        assert (grid.x0_m + column[0] * 250, grid.y0_m + row[0] * 250) == (1_250, 1_500)
