"""Hexagons and communities: the same Gi* from other neighbourhoods, against esda and libpysal."""

import math
import warnings

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.hotspots import hexagons, neighbours
from gis.hotspots.density import gi_star_z
from gis.hotspots.hexagons import HexGrid


def _esda_z(values, lists):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local
        from libpysal.weights import W

        return G_Local(
            np.asarray(values, float), W(lists, silence_warnings=True), transform="B", star=True, permutations=0
        ).Zs


def _hex_lists(grid, mask, rings):
    """Which hexagons' centres are within so many widths: by distance, knowing nothing of rows and columns. Rings of hexagons
    are no circles, so a ring is added at a time over the six neighbours."""
    rows, columns = np.indices(grid.shape)
    at = np.column_stack(grid.centre_of(rows[mask], columns[mask]))
    next_to = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) < grid.cell_m * 1.01
    every = np.indices(grid.shape).reshape(2, -1)
    centres = np.column_stack(grid.centre_of(every[0], every[1]))
    step = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)) < grid.cell_m * 1.01
    reach = np.linalg.matrix_power(step.astype(int), rings) > 0
    flat = np.flatnonzero(mask.ravel())
    near = reach[np.ix_(flat, flat)]
    assert rings > 1 or (near == next_to).all()
    return {i: [int(j) for j in np.flatnonzero(near[i]) if j != i] for i in range(flat.size)}


@pytest.mark.parametrize("rings", [1, 2, 3])
def test_gi_star_on_hexagons_equals_esda_on_neighbour_lists(rings):
    random = np.random.default_rng(rings)
    grid = HexGrid(-3, 5, 500.0, 12, 11)
    mask = random.random(grid.shape) < 0.85
    counts = np.where(mask, random.negative_binomial(0.7, 0.2, grid.shape), 0)
    local, weight = (grid.local_sum(v, rings * 500.0).astype(float) for v in (counts, mask.astype(np.int64)))
    z = gi_star_z(local, weight, int(mask.sum()), int(counts.sum()), int((counts**2).sum()))
    # a ring that leads round a hole still counts: the disc is of the whole grid, as with squares
    np.testing.assert_allclose(z[mask], _esda_z(counts[mask], _hex_lists(grid, mask, rings)), rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=30), st.sampled_from([100.0, 1000.0]))  # fmt: skip
def test_a_point_lies_in_the_hexagon_with_the_nearest_centre_and_inside_the_grid(points, cell):
    x, y = np.array(points).T
    grid = hexagons.hexagons_over(x.min(), y.min(), x.max(), y.max(), cell)
    rows, columns = grid.locate(x, y)
    assert (rows >= 0).all() and (rows < grid.rows).all() and (columns >= 0).all() and (columns < grid.columns).all()
    own = np.hypot(*(np.array(grid.centre_of(rows, columns)) - (x, y)))
    assert (own <= cell / math.sqrt(3) * 1.0001).all()
    for d_row, d_column in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1)):
        other = np.hypot(*(np.array(grid.centre_of(rows + d_row, columns + d_column)) - (x, y)))
        assert (own <= other + 1e-6).all()


def test_hexagons_lie_side_by_side_without_gap_or_overlap():
    grid = HexGrid(0, 0, 100.0, 5, 5)
    rows, columns = (i.ravel() for i in np.indices(grid.shape))
    rings = [shapely.Polygon(np.column_stack(r)) for r in zip(*grid.ring_of(rows, columns), strict=True)]
    whole = shapely.union_all(rings)
    assert whole.area == pytest.approx(25 * 100.0**2 * math.sqrt(3) / 2)
    assert not list(whole.buffer(0.01).interiors)


def test_gi_star_of_communities_equals_esda_on_queen_contiguity():
    from libpysal.weights import Queen

    random = np.random.default_rng(9)
    shapes = [shapely.box(x, y, x + 700, y + 700) for x in range(0, 5600, 700) for y in range(0, 4200, 700)
              if random.random() < 0.9]  # fmt: skip
    values = random.poisson(4, len(shapes))
    lists = neighbours.touching(shapes, slack_m=0.0)
    import geopandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        queen = Queen.from_dataframe(geopandas.GeoDataFrame(geometry=shapes), use_index=False, silence_warnings=True)
    np.testing.assert_allclose(neighbours.gi_star(values, lists), _esda_z(values, queen.neighbors), rtol=0, atol=1e-9)


def test_borders_drawn_a_little_apart_still_touch_and_far_ones_do_not():
    lists = neighbours.touching(
        [shapely.box(0, 0, 100, 100), shapely.box(103, 0, 200, 100), shapely.box(300, 0, 400, 100)]
    )
    assert lists.weight.tolist() == [2, 2, 1]
    assert lists.local_sum(np.array([1, 10, 100])).tolist() == [11, 11, 100]


def test_a_bureau_without_communities_has_no_neighbours():
    assert neighbours.gi_star(np.zeros(0, int), neighbours.touching([])).size == 0
