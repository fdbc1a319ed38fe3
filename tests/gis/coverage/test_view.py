"""What cameras see: against a fine ray cast made by line intersections, and the rules of a wall that a camera hangs on."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.coverage import view
from gis.coverage.view import Looks, Walls, stand_off, view_fields, walls

RAYS = 1500


def looks(x=0.0, y=0.0, bearing=0.0, fov=60.0, reach=60.0) -> Looks:
    """One camera, or several where a value is a list."""
    n = max(np.size(v) for v in (x, y, bearing, fov, reach))
    return Looks(*(np.broadcast_to(np.asarray(v, float), n).copy() for v in (x, y, bearing, fov, reach)))


def cast(at: Looks, i: int, outlines: np.ndarray) -> float:
    """The oracle: the area in sight by many rays, each cut by the union of outlines. Nothing of the product is used."""
    angles = np.radians(at.bearing_deg[i] + at.fov_deg[i] * ((np.arange(RAYS) + 0.5) / RAYS - 0.5))
    here = np.array([at.x[i], at.y[i]])
    out = here + at.range_m[i] * np.column_stack([np.sin(angles), np.cos(angles)])
    rays = shapely.linestrings(np.stack([np.broadcast_to(here, out.shape), out], axis=1))
    reach = np.full(RAYS, at.range_m[i])
    if len(outlines):
        solid = shapely.union_all(shapely.make_valid(outlines))
        cut = shapely.intersection(rays, solid)
        met = ~shapely.is_empty(cut)
        reach[met] = shapely.distance(cut[met], shapely.Point(here))
    return float((reach**2).sum() / 2 * np.radians(at.fov_deg[i]) / RAYS)


def blocks(n: int, seed: int, side: float = 200.0) -> np.ndarray:
    """Made-up buildings: turned rectangles and L shapes, some over each other, none at the middle."""
    rng = np.random.default_rng(seed)
    made = []
    while len(made) < n:
        x, y, w, h = *rng.uniform(-side, side, 2), *rng.uniform(6, 40, 2)
        shape = shapely.box(x, y, x + w, y + h)
        if rng.random() < 0.4:
            shape = shape.union(shapely.box(x, y, x + w / 3, y + 2 * h))
        shape = shapely.affinity.rotate(shape, rng.uniform(0, 180))
        if shape.distance(shapely.Point(0, 0)) > 3:
            made.append(shape)
    return np.array(made, object)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_seen_among_buildings_is_what_a_fine_ray_cast_sees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outlines = blocks(60, seed)
    some = looks(
        bearing=rng.uniform(0, 360, 8), fov=[20, 43.6, 65.2, 90, 120, 180, 300, 360], reach=rng.uniform(20, 180, 8)
    )
    fields = view_fields(some, walls(outlines))
    assert shapely.is_valid(fields).all()
    for i, field in enumerate(fields):
        assert field.area == pytest.approx(cast(some, i, outlines), rel=0.01)


def test_nothing_in_the_way_leaves_the_whole_sector() -> None:
    some = looks(bearing=[0, 90, 350], fov=[65.2, 180, 360], reach=[60, 40, 10])
    fields = view_fields(some, walls(np.empty(0, object)))
    sector = np.radians(some.fov_deg) / 2 * some.range_m**2
    assert shapely.area(fields) == pytest.approx(sector, rel=1e-4)
    assert fields[1].bounds == pytest.approx((0, -40, 40, 40), abs=1e-6)


def test_every_real_building_of_a_city_centre_hides_what_it_should(shared: Path) -> None:
    city = (
        gpd.read_file(shared / "buildings/osm_shanghai_bund.gpkg", layer="buildings").to_crs(4550).geometry.to_numpy()
    )
    tree = shapely.STRtree(city)
    rng = np.random.default_rng(7)
    west, south, east, north = shapely.total_bounds(city)
    spots = np.column_stack([rng.uniform(west, east, 400), rng.uniform(south, north, 400)])
    clear = np.setdiff1d(np.arange(400), tree.query(shapely.points(spots), predicate="dwithin", distance=2.0)[0])[:40]
    some = looks(*spots[clear].T, bearing=rng.uniform(0, 360, len(clear)), fov=65.2, reach=120.0)
    fields = view_fields(some, walls(city))
    hidden = 0
    for i, field in enumerate(fields):
        near = city[tree.query(shapely.Point(some.x[i], some.y[i]).buffer(121))]
        true = cast(some, i, near)
        hidden += true < 0.9 * np.radians(65.2) / 2 * 120**2
        assert field.area == pytest.approx(true, rel=0.01)
    assert hidden > 10, "the sample has to try buildings that hide something"


HOUSE = shapely.box(-10, -20, 10, 0)  # its north wall is y = 0


def hung(x: float, y: float, bearing: float, fov: float = 60.0, outline: shapely.Geometry = HOUSE, **more) -> tuple:
    around: Walls = walls(np.array([outline], object))
    moved, free = stand_off(looks(x, y, bearing, fov, 50.0), around, **more)
    return moved, free, view_fields(moved, around, free)[0]


@pytest.mark.parametrize("y", [0.0, -0.4, 0.6])
def test_a_camera_is_not_blocked_by_the_wall_it_hangs_on(y: float) -> None:
    _, free, field = hung(0.0, y, 0.0)
    assert field.area == pytest.approx(np.radians(60) / 2 * 50**2, rel=1e-3)
    assert free == [[]]


def test_another_wing_of_the_same_building_does_hide() -> None:
    wing = HOUSE.union(shapely.box(6, 0, 10, 40))
    straight, turned = hung(0.0, 0.0, 0.0, outline=wing)[2], hung(0.0, 0.0, 45.0, outline=wing)[2]
    open_sector = np.radians(60) / 2 * 50**2
    assert straight.area < 0.75 * open_sector
    assert turned.area < 0.25 * open_sector
    assert not turned.intersects(shapely.box(11, 1, 40, 40))


def test_a_camera_that_looks_all_round_from_a_wall_sees_the_side_before_it() -> None:
    _, _, field = hung(0.0, 0.0, 0.0, fov=360.0)
    assert field.area == pytest.approx(np.pi / 2 * 50**2, rel=0.01)
    assert -0.25 < field.bounds[1] < 0, "past the ends of a wall of 20 m, from 5 cm before it"


def test_a_camera_on_a_roof_is_not_hidden_by_its_building_but_by_others() -> None:
    outlines = np.array([HOUSE, shapely.box(-50, 20, 50, 21)], object)
    around = walls(outlines)
    on_roof = looks(0.0, -10.0, 0.0, 60.0, 50.0)
    moved, free = stand_off(on_roof, around)
    field = view_fields(moved, around, free)[0]
    assert free == [[0]]
    assert field.bounds[3] == pytest.approx(20.0, abs=1e-6)
    at_edge = stand_off(looks(0.0, 0.0, 180.0, 60.0, 50.0), around, frozenset({0}))
    assert at_edge[1] == [[0]]


def test_an_outline_that_is_not_simple_hides_as_its_parts_do() -> None:
    bow = shapely.Polygon([(-10, 10), (10, 20), (10, 10), (-10, 20)])
    field = view_fields(looks(fov=90.0), walls(np.array([bow], object)))[0]
    assert field.area == pytest.approx(cast(looks(fov=90.0), 0, np.array([bow], object)), rel=0.01)
    assert field.area < np.pi / 4 * 60**2


def test_an_outline_of_several_parts_hides_with_every_part() -> None:
    parts = shapely.MultiPolygon([shapely.box(-30, 20, -5, 25), shapely.box(5, 30, 30, 40)])
    field = view_fields(looks(fov=120.0), walls(np.array([parts], object)))[0]
    assert field.area == pytest.approx(cast(looks(fov=120.0), 0, np.array([parts], object)), rel=0.01)
    assert field.area < 0.8 * np.pi / 3 * 60**2


def test_a_court_inside_a_building_is_seen_as_far_as_its_walls() -> None:
    ring = shapely.box(-30, -30, 30, 30).difference(shapely.box(-10, -10, 10, 10))
    field = view_fields(looks(fov=360.0, reach=200.0), walls(np.array([ring], object)))[0]
    assert field.area == pytest.approx(400.0, rel=1e-6)


def test_the_step_of_the_arc_is_fine_enough_for_the_promised_area() -> None:
    chord = np.sin(np.radians(view.STEP_DEG)) / np.radians(view.STEP_DEG)
    assert 1 - chord < 1e-3
