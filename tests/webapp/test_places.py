"""Searching places and converting coordinates at the desk."""

import pytest

from gis.geo import wgs84_to_gcj02
from gis.network.model import Station
from gis.places.model import GazetteerEntry
from tests.factories import PINGDU, make_area, make_unit, point, square


def get(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_names_are_found_exact_first_then_beginnings_then_parts(session, sign_in):
    for n, name in enumerate(("新文丰路", "文丰小区北门", "文丰")):
        session.add(GazetteerEntry(code=f"g{n}", name=name, kind="poi", geom=point()))
    make_area(session, name="文丰小区", level="compound")
    session.add(Station(code="S1", name="文丰换热站", operator="heat_company", geom=point()))
    session.flush()
    found = get(sign_in("call_taker"), "/places/search.json?q=文丰")
    assert [row["name"] for row in found] == ["文丰", "文丰小区", "文丰小区北门", "新文丰路", "文丰换热站"]
    assert {row["source"] for row in found} == {"gazetteer", "area", "station"}
    assert found[1]["lon"] == pytest.approx(PINGDU[0], abs=0.06)


def test_a_place_is_told_once_and_two_of_one_name_with_their_districts(session, sign_in):
    east = (PINGDU[0] + 1, PINGDU[1])
    make_area(session, name="甲区", geom=square(half=0.2))
    make_area(session, name="东街道", level="street", geom=square(half=0.1))
    make_area(session, name="乙区", geom=square(*east, half=0.2))
    for code, at in (("a", PINGDU), ("b", east)):
        session.add(GazetteerEntry(code=code, name="文丰小区", kind="compound", geom=point(*at)))
    make_area(session, name="文丰小区", level="compound", geom=square(half=0.001))
    session.flush()
    found = get(sign_in("call_taker"), "/places/search.json?q=文丰小区")
    assert sorted(row["within"] for row in found) == ["乙区", "甲区 东街道"]


def test_a_point_is_called_by_its_areas_and_the_nearest_name(session, sign_in):
    make_area(session, name="平度市")
    make_area(session, name="文丰小区", level="compound", geom=square(half=0.01))
    session.add(GazetteerEntry(code="g", name="文丰广场", kind="poi", geom=point(PINGDU[0] + 0.001, PINGDU[1])))
    session.flush()
    client = sign_in("call_taker")
    told = get(client, f"/places/at.json?lon={PINGDU[0]}&lat={PINGDU[1]}")
    assert [area["name"] for area in told["areas"]] == ["平度市", "文丰小区"]
    assert told["near"] == {"name": "文丰广场", "metres": 89}
    assert get(client, "/places/at.json?lon=100&lat=30") == {"areas": [], "near": None}
    assert get(client, "/places/at.json?lon=100", 422)["code"] == "bad_input"
    assert get(client, "/places/at.json?lon=30&lat=100", 422)["code"] == "swapped_coordinates"


def test_a_pair_of_coordinates_is_a_place(sign_in):
    client = sign_in("call_taker")
    for q in ("119.96,36.78", "119.96, 36.78", "119.96，36.78", "119.96 36.78"):
        assert get(client, f"/places/search.json?q={q}")[0]["lon"] == 119.96
    assert get(client, "/places/search.json?q=36.78,119.96", 422)["code"] == "swapped_coordinates"
    assert get(client, "/places/search.json?q=999,99", 422)["code"] == "bad_coordinates"
    assert get(client, "/places/search.json?q=") == []


@pytest.mark.parametrize("q", ["%", "_", "\\", "100%", "'; --", "%00", "x" * 500])
def test_what_is_typed_is_text_and_never_a_pattern(session, sign_in, q):
    session.add(GazetteerEntry(code="g", name="文丰", kind="poi", geom=point()))
    session.flush()
    assert get(sign_in("call_taker"), f"/places/search.json?q={q.replace('%', '%25')}") == []


def test_stations_outside_the_scope_are_not_found(session, sign_in):
    mine, other, unit = make_area(session), make_area(session), make_unit(session)
    session.add(
        Station(code="S1", name="甲站", operator="heat_company", area_id=mine.id, unit_id=unit.id, geom=point())
    )
    session.add(Station(code="S2", name="乙站", operator="heat_company", area_id=other.id, geom=point()))
    session.flush()
    assert len(get(sign_in("dispatcher"), "/places/search.json?q=站")) == 2
    assert [r["name"] for r in get(sign_in("dispatcher", area_id=mine.id), "/places/search.json?q=站")] == ["甲站"]
    handler = sign_in("unit_handler", unit_id=unit.id)
    assert [r["name"] for r in get(handler, "/places/search.json?q=站")] == ["甲站"]


def convert(client, **sent):
    answer = client.post("/places/convert.json", json=sent)
    return answer.status_code, answer.get_json()


def test_declared_coordinates_become_wgs84(sign_in):
    client = sign_in("call_taker")
    x, y = wgs84_to_gcj02(*PINGDU)
    status, there = convert(client, lon=float(x), lat=float(y), datum="gcj02")
    assert (status, there["lon"], there["lat"]) == (
        200,
        pytest.approx(PINGDU[0], abs=1e-7),
        pytest.approx(PINGDU[1], abs=1e-7),
    )
    assert convert(client, lon=119.96, lat=36.78, datum="cgcs2000") == (200, {"lon": 119.96, "lat": 36.78})


@pytest.mark.parametrize(("sent", "code"), [
    ({"lon": 36.78, "lat": 119.96}, "swapped_coordinates"), ({"lon": 36.78, "lat": 75.1}, "swapped_coordinates"),
    ({"lon": 181, "lat": 0}, "bad_coordinates"), ({"lon": 0, "lat": -91}, "bad_coordinates"),
    ({"lon": 1e308, "lat": 0}, "bad_coordinates"), ({"lon": 1, "lat": 2, "datum": "beijing54"}, "unknown_datum"),
    ({"lon": "x", "lat": 2}, "bad_field"), ({"lon": 1}, "missing_field"), ({"lon": 1, "lat": 2, "z": 3}, "unknown_field"),
])  # fmt: skip
def test_coordinates_that_cannot_be_are_told_by_name(sign_in, sent, code):
    status, told = convert(sign_in("call_taker"), **sent)
    assert (status, told["code"]) == (422, code)


def test_not_a_number_is_not_a_place(sign_in):
    client = sign_in("call_taker")
    for word in ("NaN", "Infinity", "1e999"):
        answer = client.post(
            "/places/convert.json", data=f'{{"lon": {word}, "lat": 1}}', content_type="application/json"
        )
        assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_coordinates")


def test_another_datum_is_told_only_where_it_is_unmistakable(session, sign_in):
    make_area(session, geom=square(half=0.006))
    client = sign_in("call_taker")
    as_baidu = {"lon": PINGDU[0] + 0.012, "lat": PINGDU[1] + 0.006}
    status, told = convert(client, **as_baidu)
    assert (status, told["code"]) == (422, "wrong_datum")
    assert "百度" in told["detail"]
    assert convert(client, **as_baidu, sure=True)[0] == 200
    assert convert(client, **as_baidu, datum="bd09")[0] == 200
    assert convert(client, lon=PINGDU[0] + 1, lat=PINGDU[1])[0] == 200  # far outside: an outlying place
    assert convert(client, lon=PINGDU[0] + 0.0062, lat=PINGDU[1] + 0.001)[0] == 200  # just outside: it could be either
