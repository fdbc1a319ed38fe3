"""The map's things as lists, and the policy that an external base map widens by exactly its own host."""

from __future__ import annotations

import pytest
from geoalchemy2 import WKTElement

from gis.coverage.model import BlindSpot
from gis.network.model import Station
from tests.factories import point
from webapp.app import content_security_policy


def test_a_layer_is_searched_paged_and_asked_for_one_thing(session, sign_in):
    stations = [
        Station(code=f"S{n:03}", name=f"换热站{n:03}", operator="heat_company", households=n, geom=point())
        for n in range(105)
    ]
    session.add_all(stations)
    session.flush()
    client = sign_in("dispatcher")
    first = client.get("/layers/stations.json").json
    assert (first["total"], len(first["rows"]), first["next"]) == (105, 100, 100)
    assert client.get("/layers/stations.json?start=100").json["next"] is None
    assert [row["name"] for row in client.get("/layers/stations.json?q=站007").json["rows"]] == ["换热站007"]
    one = client.get(f"/layers/stations.json?id={stations[3].id}").json["rows"]
    assert one[0]["households"] == 3 and one[0]["lon"] == pytest.approx(119.96)


def test_a_stretch_is_told_with_its_length_and_its_middle(session, sign_in):
    line = WKTElement("LINESTRING(119.96 36.78, 119.97 36.78)", srid=4326)
    session.add(
        BlindSpot(code="B1", road_name="红旗路", from_landmark="中区区委宿舍", to_landmark="红星八号", geom=line)
    )
    session.flush()
    row = sign_in("planner").get("/layers/blind_spots.json").json["rows"][0]
    assert (
        row["name"] == "红旗路" and row["metres"] == pytest.approx(893, abs=3) and row["lon"] == pytest.approx(119.965)
    )


@pytest.mark.parametrize("query", ["id=x", "start=-1", "id=99999999999999999999"])
def test_a_number_that_is_none_is_refused(sign_in, query):
    assert sign_in("dispatcher").get(f"/layers/cameras.json?{query}").status_code == 422


def test_a_layer_that_is_not_there_is_missing(sign_in):
    assert sign_in("dispatcher").get("/layers/secrets.json").status_code == 404


def test_only_a_configured_base_map_adds_a_host_to_the_policy():
    own = content_security_policy(None)
    assert "http" not in own and "script-src 'self';" in own
    wide = content_security_policy("https://tiles.example.org/base/{z}/{x}/{y}.png")
    assert "img-src 'self' data: blob: https://tiles.example.org;" in wide
    assert "connect-src 'self' https://tiles.example.org;" in wide and "script-src 'self';" in wide
    assert content_security_policy("/own/{z}/{x}/{y}.png") == own
    with pytest.raises(ValueError, match="TILE_URL"):
        content_security_policy("https://a;script-src *.evil/{z}/{x}/{y}")
