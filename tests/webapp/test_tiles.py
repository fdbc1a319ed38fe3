"""Tiles over HTTP: every layer, scope, bad input, caching."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from geoalchemy2 import WKTElement

from gis.coverage.model import BlindSpot, Camera, CameraView
from gis.network.model import Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.places.model import Building, GazetteerEntry, RoadEdge, RoadNetwork, RoadNode
from gis.tiles import BadTile, Tile
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_crew, make_order, make_unit, point, square
from tests.mvt import decode
from webapp.tiles import LAYERS


def tile_of(z, lon=PINGDU[0], lat=PINGDU[1]):
    """The tile that holds a place, by the reader's own arithmetic."""
    import math

    n = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return z, int((lon + 180) / 360 * n), int(y)


def url(layer, z=14, **kwargs):
    z, x, y = tile_of(z, **kwargs)
    return f"/tiles/{layer}/{z}/{x}/{y}.mvt"


def features(answer, layer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
    return [f["properties"] for f in decode(body)[layer]["features"]]


def line(*points):
    return WKTElement(f"LINESTRING({','.join(f'{x} {y}' for x, y in points)})", srid=4326)


LON, LAT = PINGDU
VIEW = WKTElement(
    f"POLYGON(({LON} {LAT},{LON + 0.0006} {LAT - 0.0002},{LON + 0.0006} {LAT + 0.0002},{LON} {LAT}))", srid=4326
)
ALONG = line((LON - 0.004, LAT), (LON, LAT + 0.0001), (LON + 0.004, LAT))


def add_city(session):
    """Something in every plain layer, around one place."""
    make_area(session, name="平度市")
    make_area(session, name="文丰小区", level="compound", geom=square(half=0.002))
    session.add_all([
        Station(code="S1", name="一号换热站", operator="heat_company", geom=point()),
        Pipeline(code="P1", utility="heat", level="primary", flow="supply", geom=ALONG),
        Pipeline(code="P2", utility="heat", level="secondary", flow="return", geom=ALONG),
        Valve(code="V1", utility="water", geom=point()),
        SupplySource(code="S1", name="第一水厂", utility="water", geom=point()),
        SupplyPoint(code="N1", name="1号楼", utility="heat", households=60, geom=point()),
        BlindSpot(code="B1", road_name="浣笔泉路", geom=ALONG),
        Building(code="H1", name="1号楼", geom=square(half=0.001)),
        GazetteerEntry(code="G1", name="人民广场", kind="square", geom=point()),
    ])  # fmt: skip
    network = RoadNetwork(name="试", imported_at=NOW)
    camera = Camera(code="K1", name="路口", state="working", bearing_deg=90, fov_deg=60, geom=point())
    session.add_all([network, camera])
    session.flush()
    session.add(CameraView(camera_id=camera.id, level="observe", reach_m=60, area_m2=1_900, geom=VIEW))
    nodes = [RoadNode(network_id=network.id, ref=str(i), geom=point()) for i in range(2)]
    session.add_all(nodes)
    session.flush()
    for ref, highway in (("a", "primary"), ("b", "residential"), ("c", "footway")):
        session.add(RoadEdge(network_id=network.id, ref=ref, from_node=nodes[0].id, to_node=nodes[1].id, name="红旗路",
                             highway=highway, length_m=700, geom=ALONG))  # fmt: skip
    session.flush()


@pytest.fixture
def a_city(session):
    add_city(session)


def test_every_plain_layer_shows_what_is_there(a_city, sign_in):
    client = sign_in("dispatcher")
    expected = {
        "stations": {"name": "一号换热站"}, "pipelines": {"level": "primary", "flow": "supply"},
        "valves": {"code": "V1", "is_open": True, "reach": "reachable"}, "sources": {"name": "第一水厂", "utility": "water"},
        "supply_points": {"name": "1号楼", "households": 60},
        "cameras": {"state": "working", "bearing_deg": 90.0, "fov_deg": 60.0, "is_ptz": False},
        "camera_views": {"level": "observe", "state": "working"},
        "blind_spots": {"road_name": "浣笔泉路"}, "areas": {"name": "平度市", "level": "district"},
        "roads": {"name": "红旗路", "highway": "primary"}, "buildings": {"name": "1号楼"},
        "gazetteer": {"name": "人民广场", "kind": "square"},
    }  # fmt: skip
    assert set(expected) == set(LAYERS)
    for layer, wanted in expected.items():
        shown = features(client.get(url(layer)), layer)
        assert any(wanted.items() <= f.items() for f in shown), (layer, shown)


def test_far_away_only_what_matters_is_drawn(a_city, sign_in):
    client = sign_in("dispatcher")
    assert {f["highway"] for f in features(client.get(url("roads", 9)), "roads")} == {"primary"}
    assert {f["highway"] for f in features(client.get(url("roads", 13)), "roads")} == {"primary", "residential"}
    assert {f["level"] for f in features(client.get(url("pipelines", 11)), "pipelines")} == {"primary"}
    assert {f["level"] for f in features(client.get(url("areas", 10)), "areas")} == {"district"}
    assert client.get(url("buildings", 12)).status_code == 204
    labels = {f["name"] for f in features(client.get(url("gazetteer", 14)), "gazetteer")}
    assert labels >= {"平度市", "文丰小区", "一号换热站", "人民广场"}
    assert {f["name"] for f in features(client.get(url("gazetteer", 9)), "gazetteer")} == {"平度市"}


def test_an_empty_tile_has_no_body(a_city, sign_in):
    client = sign_in("dispatcher")
    for layer in [*LAYERS, "crews"]:
        answer = client.get(url(layer, 14, lon=100.0, lat=10.0))
        assert (answer.status_code, answer.data) == (204, b""), layer


@pytest.mark.parametrize("address", ["23/0/0", "3/8/0", "3/0/8", "0/0/1", "99/0/0"])
def test_a_tile_that_cannot_be_is_a_problem(sign_in, address):
    client = sign_in("dispatcher")
    for layer in ("roads", "crews"):
        answer = client.get(f"/tiles/{layer}/{address}.mvt")
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert answer.json["code"] == "bad_tile"


def test_what_is_not_a_tile_is_missing(sign_in):
    client = sign_in("dispatcher")
    for address in ("nothing/3/1/1", "roads/3/-1/0", "roads/a/b/c", "roads/3/1"):
        answer = client.get(f"/tiles/{address}.mvt")
        assert answer.status_code == 404
        assert answer.json["code"] == "missing"


def test_nobody_sees_a_tile_without_signing_in(client):
    for layer in ("roads", "crews"):
        answer = client.get(url(layer))
        assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


def test_an_inspector_sees_the_network_but_not_the_crews(a_city, sign_in):
    client = sign_in("inspector")
    assert client.get(url("stations")).status_code == 200
    assert client.get(url("crews")).status_code == 403


def test_a_layer_that_changes_slowly_is_kept_a_while_and_asked_again_by_its_tag(a_city, sign_in):
    client = sign_in("dispatcher")
    first = client.get(url("roads"))
    assert first.headers["Cache-Control"] == "private, max-age=300"
    again = client.get(url("roads"), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "no-store" in client.get(url("crews")).headers["Cache-Control"]


def test_a_large_tile_travels_compressed(session, sign_in):
    session.add_all(
        Station(code=f"S{i}", name=f"第{i}换热站", operator="heat_company", geom=point(LON + i * 1e-5, LAT))
        for i in range(300)
    )
    client = sign_in("dispatcher")
    answer = client.get(url("stations"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(features(answer, "stations")) == 300
    plain = client.get(url("stations"), headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert len(features(plain, "stations")) == 300


def test_a_crew_is_free_busy_stale_or_off_shift(session, sign_in):
    make_crew(session, name="空闲")
    make_order(session, crew=make_crew(session, name="忙"))
    make_crew(session, name="旧", position_at=NOW - timedelta(hours=2))
    make_crew(session, name="歇", on_shift=False)
    make_crew(session, name="撤", active=False)
    shown = features(sign_in("dispatcher").get(url("crews")), "crews")
    states = {f["name"]: f["state"] for f in shown}
    assert states == {"空闲": "free", "忙": "busy", "旧": "stale", "歇": "off_shift"}


def test_a_unit_sees_its_own_crews_and_a_district_those_inside(session, sign_in):
    unit, other = make_unit(session), make_unit(session)
    here, there = make_area(session), make_area(session, geom=square(lon=LON + 1))
    make_crew(session, name="甲", unit_id=unit.id)
    make_crew(session, name="乙", unit_id=other.id)
    make_crew(session, name="丙", unit_id=other.id, area_id=there.id)

    def names(client):
        answer = client.get(url("crews"))
        return {f["name"] for f in features(answer, "crews")} if answer.status_code == 200 else set()

    assert names(sign_in("unit_handler", unit_id=unit.id)) == {"甲"}
    assert names(sign_in("dispatcher", area_id=here.id)) == {"甲", "乙", "丙"}
    assert names(sign_in("dispatcher", area_id=there.id)) == {"丙"}


def test_a_tile_knows_its_bounds():
    west, south, east, north = Tile(1, 1, 0).bounds()
    assert (west, east) == (0, 180)
    assert south == pytest.approx(0, abs=1e-9)
    assert north == pytest.approx(85.0511, abs=1e-4)
    with pytest.raises(BadTile):
        Tile(2, 0, 4)
