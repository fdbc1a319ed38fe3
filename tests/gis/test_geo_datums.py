"""Chinese map datums beside two implementations that others wrote."""

import numpy as np
import prcoords
import pytest
from coord_convert import transform
from hypothesis import given
from hypothesis import strategies as st

from gis.geo import bd09_to_gcj02, distance_m, gcj02_to_bd09, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02
from gis.places.rules import BadCoordinates, Datum, SwappedCoordinates, UnknownDatum, check_coordinates, from_datum

lons, lats = st.floats(114.0, 123.0), st.floats(34.0, 39.0)


def apart_m(one, other):
    return float(distance_m(*one, *other))


@given(lons, lats)
def test_gcj02_is_the_one_of_coord_convert_and_of_prcoords(lon, lat):
    ours = tuple(map(float, wgs84_to_gcj02(lon, lat)))
    assert apart_m(ours, transform.wgs2gcj(lon, lat)) < 0.02
    theirs = prcoords.wgs_gcj((lat, lon))
    assert apart_m(ours, (theirs[1], theirs[0])) < 0.02


@given(lons, lats)
def test_bd09_is_the_one_of_coord_convert_and_of_prcoords(lon, lat):
    ours = tuple(map(float, gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))))
    assert apart_m(ours, transform.wgs2bd(lon, lat)) < 0.02
    theirs = prcoords.wgs_bd((lat, lon))
    assert apart_m(ours, (theirs[1], theirs[0])) < 0.02


@given(lons, lats)
def test_there_and_back_is_less_than_a_millimetre(lon, lat):
    assert apart_m(gcj02_to_wgs84(*wgs84_to_gcj02(lon, lat)), (lon, lat)) < 0.001
    assert apart_m(bd09_to_gcj02(*gcj02_to_bd09(lon, lat)), (lon, lat)) < 0.001
    assert apart_m(to_wgs84(*gcj02_to_bd09(*wgs84_to_gcj02(lon, lat)), "bd09"), (lon, lat)) < 0.001


def test_the_back_way_is_the_exact_one_of_prcoords():
    rng = np.random.default_rng(1)
    for lon, lat in zip(rng.uniform(115, 122, 50), rng.uniform(35, 38, 50), strict=True):
        theirs = prcoords.gcj_wgs_bored((lat, lon))
        assert apart_m(gcj02_to_wgs84(lon, lat), (theirs[1], theirs[0])) < 0.02


def test_how_far_the_datums_lie_apart_in_shandong():
    """source: domain facts, section 8: 401-574 m and 1,115-1,382 m."""
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(115, 122, 2000), rng.uniform(34.5, 38, 2000)
    gcj = distance_m(lon, lat, *wgs84_to_gcj02(lon, lat))
    bd = distance_m(lon, lat, *gcj02_to_bd09(*wgs84_to_gcj02(lon, lat)))
    assert 390 < gcj.min() < gcj.max() < 590
    assert 1100 < bd.min() < bd.max() < 1400


def test_outside_china_nothing_moves():
    assert tuple(map(float, wgs84_to_gcj02(-71.0587, 42.3594))) == (-71.0587, 42.3594)
    assert from_datum(-71.0587, 42.3594, "gcj02") == (-71.0587, 42.3594)


@pytest.mark.parametrize("datum", Datum)
def test_every_datum_that_may_be_declared_is_understood(datum):
    lon, lat = from_datum(119.97, 36.78, datum)
    assert apart_m((lon, lat), (119.97, 36.78)) < 1500


def test_another_datum_is_refused():
    with pytest.raises(UnknownDatum):
        from_datum(119.96, 36.78, "beijing54")


@pytest.mark.parametrize(("lon", "lat"), [
    (36.78, 119.96), (30.5, 104.1), (45.0, 130.0), (43.8, 87.6), (29.6, 91.1), (47.0, 75.0),
])  # fmt: skip
def test_the_wrong_way_round_is_told(lon, lat):
    with pytest.raises(SwappedCoordinates):
        check_coordinates(lon, lat)


@pytest.mark.parametrize(("lon", "lat"), [
    (181, 0), (-180.1, 0), (0, 90.1), (0, -91), (float("nan"), 0), (0, float("inf")), (1e300, 1e300), (200, 100),
])  # fmt: skip
def test_what_is_nowhere_is_told(lon, lat):
    with pytest.raises(BadCoordinates):
        check_coordinates(lon, lat)


@pytest.mark.parametrize(("lon", "lat"), [
    (119.96, 36.78), (-71.06, 42.36), (0, 0), (180, 90), (-180, -90), (37.6, 55.7), (10.7, 59.9), (25.0, 60.2),
])  # fmt: skip
def test_real_places_are_accepted(lon, lat):
    check_coordinates(lon, lat)
