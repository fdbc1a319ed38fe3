"""Times between places by the streets, and the lines of a plan on them, on a real network."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gis.dispatch import travel
from gis.dispatch.rules import Terms
from gis.dispatch.street_lines import Streets
from gis.geo import distance_m
from gis.places.networks import networks
from gis.places.road_import import import_roads
from tests.factories import PINGDU
from tests.gis.dispatch.test_dispatch_by_road import places_near_streets
from tests.road_oracle import seconds_to

TERMS = Terms(ZoneInfo("Asia/Shanghai"))


def test_without_streets_it_is_a_straight_line_and_says_so(session):
    found = travel.between(session, [PINGDU, (PINGDU[0] + 0.01, PINGDU[1])], TERMS)
    metres = float(distance_m(*PINGDU, PINGDU[0] + 0.01, PINGDU[1]))
    assert found.by == "straight" and found.network is None
    assert found.metres.tolist() == [[0, round(metres)], [round(metres), 0]]
    assert found.seconds[0, 1] == pytest.approx(metres / (25 / 3.6), abs=1)
    assert travel.between(session, [], TERMS).seconds.shape == (0, 0)


def test_on_streets_times_are_networkxs_and_lines_are_as_long_as_the_ways(session, who, shared):
    import_roads(session, who, shared / "roads/liechtenstein.osm.pbf")
    (network,) = networks(session)
    lon, lat = places_near_streets(network, 40, seed=3, spread_m=5.0)
    places = list(zip(lon.tolist(), lat.tolist(), strict=True))
    found = travel.between(session, places, TERMS)
    assert found.by in ("road", "mixed")
    snapped = network.snap(lon, lat, TERMS.snap_limit_m)
    for to in (0, 20):
        oracle = seconds_to(network, network.snap(lon[to : to + 1], lat[to : to + 1], TERMS.snap_limit_m), snapped)
        known = np.isfinite(oracle) & (np.arange(40) != to)
        assert np.abs(found.seconds[known, to] - oracle[known]).max() <= 0.51
    streets = Streets(network, places)
    drawn = 0
    for start in range(0, 40, 5):
        for end in range(40):
            line = streets.between(start, end, float(found.seconds[start, end]))
            if start == end or line is None:
                continue
            xy = np.array(line)
            long = float(distance_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1]).sum())
            assert long == pytest.approx(found.metres[start, end], rel=0.03, abs=60), (start, end)
            assert line[0] == [round(v, 5) for v in places[start]] and line[-1] == [round(v, 5) for v in places[end]]
            drawn += 1
    assert drawn > 250

    off = travel.between(session, [*places[:3], PINGDU], TERMS)
    assert off.by == "mixed", "one place lies off the streets"
    assert off.metres[0, 3] == round(float(distance_m(lon[0], lat[0], *PINGDU)))
