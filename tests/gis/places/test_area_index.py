"""Many points at once lie where the database says that one point lies."""

from __future__ import annotations

import numpy as np
import shapely
from sqlalchemy import func, select

from gis.complaints.bulk import area_index
from gis.places.area_index import AreaIndex
from gis.places.model import Area
from gis.places.queries import areas_at
from tests.factories import make_area, square


def test_the_index_and_the_database_agree_on_borders_and_overlaps(session):
    for level in ("district", "street", "compound"):
        make_area(session, level=level, geom=square(119.96, 36.78, 0.05))
        make_area(session, level=level, geom=square(120.06, 36.78, 0.05))
        make_area(session, level=level, geom=square(119.97, 36.78, 0.02))
    rng = np.random.default_rng(1)
    edges = np.array([119.91, 119.96, 120.01, 120.11])
    lon = np.r_[rng.uniform(119.85, 120.15, 60), edges]
    lat = np.r_[rng.uniform(36.70, 36.86, 60), np.full(4, 36.78)]
    found = area_index(session).find(lon, lat)
    for i, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
        filed = areas_at(session, x, y)
        for level in ("district", "street", "compound"):
            assert (int(found[level][i]) or None) == getattr(filed, f"{level}_id"), (x, y, level)


def test_points_without_a_place_lie_nowhere(session):
    make_area(session)
    index = area_index(session)
    found = index.find(np.array([np.nan, 119.96]), np.array([36.78, 36.78]))
    assert found["district"].tolist() == [0, session.scalar(select(func.max(Area.id)))]


def test_without_areas_nothing_is_found_and_nothing_swapped():
    index = AreaIndex([], [], [])
    lon, lat = np.array([119.96]), np.array([36.78])
    assert index.find(lon, lat) == {} and not index.swapped(lon, lat).any()


def test_swapped_means_outside_as_it_stands_and_inside_the_other_way_round():
    index = AreaIndex([1], ["district"], [shapely.box(60, 40, 61, 41)])
    lon, lat = np.array([40.5, 60.5, 40.5, 10.0]), np.array([60.5, 40.5, 70.0, 10.0])
    assert index.swapped(lon, lat).tolist() == [True, False, False, False]
