"""The nearest crews by road are exactly those that a look at every crew finds, on real streets and a real database."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from gis.dispatch.ranking import Search
from gis.dispatch.rules import Terms
from gis.geo import to_degrees
from gis.people.rules import CITY
from gis.places.networks import network_near, networks
from gis.places.road_import import import_roads
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order
from tests.road_oracle import seconds_to

TERMS = Terms(ZoneInfo("Asia/Shanghai"))


def places_near_streets(network, count, seed, spread_m=40.0):
    random = np.random.default_rng(seed)
    streets = network.lines[random.choice(network.snappable, count)]
    points = shapely.line_interpolate_point(streets, random.random(count), normalized=True)
    x, y = shapely.get_x(points), shapely.get_y(points)
    return to_degrees(x + random.normal(0, spread_m, count), y + random.normal(0, spread_m, count), network.near_lon)


def many_crews(session, lon, lat):
    """So many crews on shift with the skill, one in five of them not available."""
    session.execute(
        text(
            """
            WITH made AS (
                INSERT INTO crew (code, name, kind, active, position, position_at)
                SELECT 'r' || i, 'r' || i, 'maintenance', i % 5 <> 0,
                       ST_SetSRID(ST_MakePoint((:lon)[i], (:lat)[i]), 4326), :now
                  FROM generate_series(1, :n) i RETURNING id),
            skilled AS (INSERT INTO crew_skill (crew_id, skill) SELECT id, 'heating' FROM made)
            INSERT INTO shift (crew_id, during) SELECT id, tstzrange(:start, :end) FROM made
            """.replace("(:lon)", "(CAST(:lon AS float8[]))").replace("(:lat)", "(CAST(:lat AS float8[]))")
        ),
        {"lon": list(map(float, lon)), "lat": list(map(float, lat)), "n": len(lon), "now": NOW,
         "start": NOW - timedelta(hours=1), "end": NOW + timedelta(days=30)},
    )  # fmt: skip


@pytest.mark.parametrize("file", ["roads/baltimore.osm.pbf", "roads/liechtenstein.osm.pbf"])
def test_the_ten_nearest_by_road_equal_a_look_at_every_crew(session, who, shared, file):
    import_roads(session, who, shared / file)
    (network,) = networks(session)
    many_crews(session, *places_near_streets(network, 1500, seed=1))
    rows = session.execute(
        text("SELECT id, ST_X(position) lon, ST_Y(position) lat FROM crew WHERE active ORDER BY id")
    ).all()
    crews = network.snap([r.lon for r in rows], [r.lat for r in rows], TERMS.snap_limit_m)
    for lon, lat in zip(*places_near_streets(network, 8, seed=2, spread_m=150.0), strict=True):
        search = Search(session, make_complaint(session, at=(lon, lat)), CITY, TERMS, NOW)
        if search.target is None:
            continue
        expected = np.sort(seconds_to(network, search.target.at, crews))[:10]
        found = search.available(10)
        assert [way.by for way in found.values()] == ["road"] * 10
        np.testing.assert_allclose([way.minutes * 60 for way in found.values()], expected, rtol=1e-9, atol=1e-6)
        ranked = search.best(10)
        assert ranked.by == "road" and all(r.fits for r in ranked.crews)
        np.testing.assert_allclose(sorted(r.minutes * 60 for r in ranked.crews), expected, rtol=1e-9, atol=1e-6)


def test_no_crew_that_the_search_never_looked_at_could_have_scored_better(session, who, shared):
    import_roads(session, who, shared / "roads/liechtenstein.osm.pbf")
    (network,) = networks(session)
    many_crews(session, *places_near_streets(network, 600, seed=3))
    session.execute(
        text("INSERT INTO unit (code, name, kind) VALUES ('u1', '甲', 'heat_company'), ('u2', '乙', 'heat_company')")
    )
    session.execute(
        text(
            "UPDATE crew SET unit_id = (SELECT id FROM unit WHERE code = CASE WHEN crew.id % 40 = 0 THEN 'u1' ELSE 'u2' END)"
        )
    )
    unit = session.scalar(text("SELECT id FROM unit WHERE code = 'u1'"))
    lon, lat = places_near_streets(network, 1, seed=4)
    complaint = make_complaint(session, at=(float(lon[0]), float(lat[0])), unit_id=unit)
    search = Search(session, complaint, CITY, TERMS, NOW)
    every, _ = search.judge(search.available(10_000))
    assert [(r.id, r.score) for r in search.best(10).crews] == [(r.id, r.score) for r in every[:10]]


def test_a_crew_off_the_network_says_so_and_a_complaint_off_it_is_measured_straight(session, who, shared):
    import_roads(session, who, shared / "roads/liechtenstein.osm.pbf")
    (network,) = networks(session)
    lon, lat = (float(v[0]) for v in places_near_streets(network, 1, seed=5))
    far_off = make_crew(session, at=(9.0, 47.5))
    here = make_crew(session, at=(lon, lat))
    found = Search(session, make_complaint(session, at=(lon, lat)), CITY, TERMS, NOW).best(10)
    assert [r.id for r in found.crews] == [here.id, far_off.id] and found.by == "road"
    assert [v.code for v in found.crews[1].violations] == ["off_network"] and found.crews[1].by == "straight"
    away = Search(session, make_complaint(session, at=(9.0, 47.5)), CITY, TERMS, NOW).best(10)
    assert away.by == "straight" and away.crews[0].id == far_off.id and away.crews[0].fits
    assert "network_not_here" in [r.code for r in away.crews[0].reasons]


def test_of_overlapping_networks_the_denser_one_answers(session, who, shared):
    import_roads(session, who, shared / "roads/shandong_trunk.gpkg")
    import_roads(session, who, shared / "roads/liechtenstein.osm.pbf")
    trunk, town = networks(session)
    for network in (trunk, town):
        lon, lat = places_near_streets(network, 1, seed=6)
        assert network_near(session, float(lon[0]), float(lat[0]), 500.0).target.network is network


def test_a_crew_under_way_is_measured_by_road_from_where_its_order_ends(session, who, shared):
    import_roads(session, who, shared / "roads/liechtenstein.osm.pbf")
    (network,) = networks(session)
    lon, lat = places_near_streets(network, 3, seed=7)
    places = list(zip(map(float, lon), map(float, lat), strict=True))
    crew = make_crew(session, at=places[0])
    make_order(session, make_complaint(session, status="assigned", at=places[1]), crew)
    search = Search(session, make_complaint(session, at=places[2]), CITY, TERMS, NOW)
    expected = search.target.travel([places[1][0]], [places[1][1]])[0][0] / 60
    assert search.one(crew.id)[0].minutes == pytest.approx(expected)
