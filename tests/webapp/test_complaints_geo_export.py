"""GeoJSON, GeoPackage and CSV in Chinese encodings: read back by other programs, without a caller, nothing lost silently."""

from __future__ import annotations

import csv
import io
import json

import pyogrio
import pytest

from gis.complaints.model import Caller
from tests.factories import PINGDU, make_complaint


@pytest.fixture
def some(session):
    first = make_complaint(
        session, hotline_no="A-1", place="文丰小区", description='=HYPERLINK("x")', category="heat.cold"
    )
    make_complaint(session, hotline_no="A-2", at=None, category="water.none")
    session.add(Caller(complaint_id=first.id, name="张三丰", phone="13812345678", door_no="2-501"))
    session.commit()


def secret(data: bytes) -> bool:
    return any(word.encode() in data for word in ("张三丰", "13812345678", "2-501"))


def test_geojson_is_what_the_list_shows_and_null_where_there_is_no_place(some, sign_in):
    answer = sign_in("planner").get("/complaints.geojson")
    assert answer.mimetype == "application/geo+json" and not secret(answer.data)
    found = {f["properties"]["number"]: f for f in json.loads(answer.data)["features"]}
    assert found["A-1"]["geometry"]["coordinates"] == list(PINGDU) and found["A-2"]["geometry"] is None
    one = json.loads(sign_in("planner").get("/complaints.geojson?category=water").data)["features"]
    assert [f["properties"]["number"] for f in one] == ["A-2"]


def test_geopackage_is_read_by_gdal(some, sign_in, tmp_path):
    answer = sign_in("planner").get("/complaints.gpkg")
    path = tmp_path / "c.gpkg"
    path.write_bytes(answer.data)
    assert not secret(answer.data)
    assert pyogrio.list_layers(path).tolist() == [["complaints", "Point"]]
    frame = pyogrio.read_dataframe(path).sort_values("number")
    assert frame.crs.to_epsg() == 4326 and list(frame["number"]) == ["A-1", "A-2"]
    assert (frame.geometry.iloc[0].x, frame.geometry.iloc[0].y) == PINGDU and frame.geometry.iloc[1] is None
    assert str(frame["received_at"].dtype).startswith("datetime64")
    assert frame["description"].iloc[0] == '=HYPERLINK("x")'  # text in a column of text: no program runs it


def test_an_empty_view_is_an_empty_file_of_the_same_kind(sign_in, tmp_path):
    desk = sign_in("planner")
    assert json.loads(desk.get("/complaints.geojson?category=gas").data)["features"] == []
    path = tmp_path / "e.gpkg"
    path.write_bytes(desk.get("/complaints.gpkg?category=gas").data)
    assert len(pyogrio.read_dataframe(path)) == 0


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gbk")])
def test_a_csv_is_read_in_the_encoding_that_was_asked_for(some, sign_in, encoding, codec):
    answer = sign_in("planner").get(f"/complaints.csv?encoding={encoding}")
    rows = list(csv.reader(io.StringIO(answer.data.decode(codec))))
    assert {row[0] for row in rows[1:]} == {"A-1", "A-2"}
    assert next(row for row in rows if row[0] == "A-1")[11].startswith("'=")


def test_what_gbk_lacks_is_told_and_gb18030_keeps_it(session, sign_in):
    make_complaint(session, hotline_no="B-1", place="㐀村𠮷家😀")
    session.commit()
    desk = sign_in("planner")
    refused = desk.get("/complaints.csv?encoding=gbk")
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "😀" in page and "B-1" in page and "GB18030" in page
    assert "㐀村𠮷家😀" in desk.get("/complaints.csv?encoding=gb18030").data.decode("gb18030")
    assert desk.get("/complaints.csv?encoding=latin-1").status_code == 422
