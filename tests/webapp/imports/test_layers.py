"""Layers come in whole or not at all, in WGS-84, each code once; wrong systems and broken shapes are told."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box
from sqlalchemy import func, select

from gis.complaints.model import Complaint
from gis.coverage.model import Camera
from gis.dispatch.model import Crew, CrewSkill, Shift
from gis.geo import wgs84_to_gcj02
from gis.journal import JournalEntry, Who
from gis.network.model import Pipeline, Station
from gis.places.model import Area, Building
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit
from webapp.imports.kinds import level_of


@pytest.fixture
def bring(sessions: Any, tmp_path: Path) -> Any:
    from webapp.imports.layers import import_layer

    def bring(kind: str, path: Path, mapping: str | None = None, datum: str | None = None) -> dict[str, Any]:
        if mapping is not None and "\n" in mapping:
            (tmp_path / "m.toml").write_text(mapping, "utf-8")
            mapping = str(tmp_path / "m.toml")
        return import_layer(sessions, Who(NOW), Settings(data_dir=tmp_path), kind, path, mapping, datum).as_dict()

    return bring


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(rows: list[dict[str, Any]], crs: str | None = "EPSG:4326", name: str = "图层.gpkg") -> Path:
        path = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a missing system
            geopandas.GeoDataFrame(rows, geometry="geometry", crs=crs).to_file(path)
        return path

    return write


def codes(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(e["row"], e["column"], e["code"]) for e in report["errors"]]


def district(code: str = "370283", shape: Any = None, **fields: Any) -> dict[str, Any]:
    return {"adcode": code, "name": "平度市", "geometry": shape or box(119.9, 36.7, 120.0, 36.8)} | fields


def test_areas_are_kept_once_and_file_the_complaints_that_were_there(session, bring, write):
    complaint = make_complaint(session, at=(119.96, 36.78))
    path = write([district(), district("370283001", box(119.95, 36.75, 119.99, 36.79), name="某街道")])
    assert bring("areas", path) == {
        "read": 2, "added": 2, "unchanged": 0, "refused": 0, "not_located": 0, "errors": []
    }  # fmt: skip
    wide, narrow = session.scalars(select(Area).order_by(Area.code)).all()
    assert (wide.level, narrow.level, narrow.parent_id) == ("district", "street", wide.id)
    session.refresh(complaint)
    assert (complaint.district_id, complaint.street_id) == (wide.id, narrow.id)
    assert bring("areas", path)["unchanged"] == 2
    entries = session.scalars(select(JournalEntry).where(JournalEntry.thing == "import")).all()
    assert [e.data["kind"] for e in entries] == ["areas"]


def test_the_same_code_with_another_shape_is_refused(session, bring, write):
    bring("areas", write([district()]))
    report = bring("areas", write([district(shape=box(119.9, 36.7, 120.0, 36.81)), district("370284")]))
    assert codes(report) == [(1, "adcode", "differs")]
    assert session.scalar(select(func.count()).select_from(Area)) == 1


def test_projected_files_are_converted(session, bring, write):
    metres = geopandas.GeoSeries([box(119.9, 36.7, 120.0, 36.8)], crs=4326).to_crs(4549)
    assert bring("areas", write([district(shape=metres[0])], "EPSG:4549"))["added"] == 1
    x, y = session.execute(select(func.ST_X(func.ST_Centroid(Area.geom)), func.ST_Y(func.ST_Centroid(Area.geom)))).one()
    assert (x, y) == (pytest.approx(119.95, abs=1e-4), pytest.approx(36.75, abs=1e-4))


@pytest.mark.parametrize(
    ("crs", "shape"),
    [
        ("EPSG:32649", box(119.9, 36.7, 120.0, 36.8)),  # degrees under a metric system
        ("EPSG:4326", box(500_000, 4_060_000, 510_000, 4_070_000)),  # metres under degrees
        ("EPSG:4548", box(500_000, 460_000, 510_000, 470_000)),  # a digit short: near the equator
    ],
)
def test_coordinates_that_contradict_their_declared_system_are_refused(bring, write, crs, shape):
    report = bring("areas", write([district(shape=shape)], crs))
    assert codes(report) == [(None, None, "crs_contradicted")]


def test_swapped_axes_are_told(bring, write):
    swapped = write([district(shape=box(36.7, 119.9, 36.8, 120.0))])
    assert codes(bring("areas", swapped)) == [(None, None, "swapped_coordinates")]


def test_a_file_without_a_system_must_be_declared(bring, write):
    path = write([district()], None, "图层.shp")
    assert codes(bring("areas", path)) == [(None, None, "crs_missing")]
    assert bring("areas", path, '[coordinates]\ncrs = "EPSG:4490"\n')["added"] == 1


def moved(shape: Any) -> Any:
    return shapely.transform(
        shape, lambda xy: shapely.get_coordinates(shapely.points(*wgs84_to_gcj02(xy[:, 0], xy[:, 1])))
    )


def test_areas_in_gcj02_are_found_out_and_can_be_declared(session, bring, write):
    true = [box(119.9 + i, 36.7, 120.1 + i, 36.9) for i in range(2)]
    for i, shape in enumerate(true):
        make_area(session, code=f"37028{i}", geom=f"SRID=4326;{MultiPolygon([shape]).wkt}")
    path = write([district(f"99990{i}", moved(shape)) for i, shape in enumerate(true)])
    report = bring("areas", path)
    assert codes(report) == [(None, None, "wrong_datum")] and "GCJ-02" in report["errors"][0]["message"]
    assert bring("areas", path, datum="gcj02")["added"] == 2
    off = session.scalar(
        select(func.max(func.ST_Distance(func.ST_Centroid(Area.geom), func.ST_Point(119.999, 36.8, 4326))))
        .where(Area.code == "999900")
    )  # fmt: skip
    assert off < 0.002


BOW_TIE = Polygon([(119.9, 36.7), (120.0, 36.8), (120.0, 36.7), (119.9, 36.8)])
PINCHED = Polygon([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)])


def test_a_polygon_that_crosses_itself_is_refused_with_the_place(bring, write):
    report = bring("areas", write([district(), district("370284", BOW_TIE)]))
    assert codes(report) == [(2, "geometry", "bad_geometry")]
    assert "119.95" in report["errors"][0]["message"]


def test_a_polygon_that_only_touches_itself_is_repaired_without_loss(session, bring, write):
    assert not PINCHED.is_valid
    assert bring("areas", write([district(shape=PINCHED)]))["added"] == 1
    assert session.scalar(select(func.ST_IsValid(Area.geom)))
    assert session.scalar(select(func.ST_Area(Area.geom))) == pytest.approx(PINCHED.area)


def test_empty_missing_huge_and_wrong_shapes_are_refused_row_by_row(bring, write, monkeypatch):
    monkeypatch.setattr("webapp.imports.geometry.MOST_VERTICES", 1000)
    rows = [
        district("370281", Polygon()), district("370282", None), district("370284", Point(120, 36).buffer(1, quad_segs=500)),
        district("370285", Point(120, 36)), district("370286", LineString([(120, 36), (121, 36)])),
    ]  # fmt: skip
    rows[0]["geometry"], rows[1]["geometry"] = Polygon(), None
    assert codes(bring("areas", write(rows, name="图层.geojson"))) == [
        (1, "geometry", "coordinates_missing"), (2, "geometry", "coordinates_missing"), (3, "geometry", "bad_geometry"),
        (4, "geometry", "wrong_geometry_kind"), (5, "geometry", "wrong_geometry_kind"),
    ]  # fmt: skip


def test_bad_fields_are_refused_with_their_column(session, bring, write):
    report = bring("areas", write([
        district("x"), district("370281", name=""), district("370282", level="行星"), district("370282", unit="没有的单位"),
        district("370283", households="-5"),
    ]))  # fmt: skip
    assert codes(report) == [
        (1, "level", "unknown_word"), (2, "name", "text_missing"), (3, "level", "unknown_word"),
        (4, "adcode", "duplicate_in_file"), (4, "unit", "unknown_word"), (5, "households", "not_a_number"),
    ]  # fmt: skip
    assert session.scalar(select(func.count()).select_from(Area)) == 0


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.geojson", b"", "empty_file"),
        ("a.geojson", b"not json", "file_unreadable"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "header_only"),
        ("a.gpkg", b"SQLite format 3\0rubbish", "file_unreadable"),
        ("a.shp", b"rubbish", "file_unreadable"),
        ("a.zip", b"PK\x03\x04rubbish", "file_unreadable"),
        ("a.csv", "编号,名称\n".encode(), "header_only"),
        ("a.csv", "编号,名称\n1,x\n".encode(), "missing_column"),
        ("a.csv", b"id,name,lon,lat\n1,x,120,36\n", "bad_mapping"),
    ],
)
def test_bad_files_are_told(bring, tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    assert [e["code"] for e in bring("areas", path)["errors"]] == [code]


def test_a_zipped_shapefile_is_read_where_it_is(session, bring, write, tmp_path):
    write([district()], name="区.shp")
    with zipfile.ZipFile(tmp_path / "区 划.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in tmp_path.glob("区.*"):
            archive.write(part, part.name)
    assert bring("areas", tmp_path / "区 划.zip")["added"] == 1


def test_an_archive_that_expands_out_of_proportion_is_refused(bring, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * (50 << 20))
    assert [e["code"] for e in bring("areas", tmp_path / "a.zip")["errors"]] == ["archive_too_large"]


def table(tmp_path: Path, text: str, name: str = "表.csv", encoding: str = "gbk") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding)
    return path


def test_crews_come_with_skills_shift_and_place_and_may_have_moved_since(session, bring, tmp_path):
    unit = make_unit(session, name="兴平热电")
    path = table(
        tmp_path, "编号,名称,种类,工种,经度,纬度,单位\nB1,抢修一班,抢修,heating、pipe_repair,119.96,36.78,兴平热电\n"
    )
    assert bring("crews", path)["added"] == 1
    crew = session.scalars(select(Crew)).one()
    assert (crew.kind, crew.unit_id, crew.position_at) == ("maintenance", unit.id, NOW)
    assert set(session.scalars(select(CrewSkill.skill))) == {"heating", "pipe_repair"}
    assert session.scalar(select(Shift.during)).lower == NOW
    crew.position = "SRID=4326;POINT(120 36)"
    session.flush()
    assert bring("crews", path)["unchanged"] == 1


def test_stations_belong_to_the_smallest_area_that_holds_them(session, bring, tmp_path):
    make_area(session, level="district")
    compound = make_area(session, level="compound")
    path = table(tmp_path, "换热站编号,站名,运营方式,户数,经度,纬度\nH1,文丰站,物业,368,119.96,36.78\n")
    assert bring("stations", path)["added"] == 1
    station = session.scalars(select(Station)).one()
    assert (station.operator, station.households, station.area_id) == ("property_company", 368, compound.id)


def test_points_in_gcj02_and_in_metres_are_converted_when_declared(session, bring, tmp_path):
    lon, lat = (float(v) for v in wgs84_to_gcj02(119.96, 36.78))
    assert bring("cameras", table(tmp_path, f"id,经度,纬度\n1,{lon},{lat}\n"), datum="gcj02")["added"] == 1
    metres = geopandas.GeoSeries([Point(119.96, 36.78)], crs=4326).to_crs(4549)[0]
    path = table(tmp_path, f"id,x,y\n2,{metres.x},{metres.y}\n", "米.csv")
    assert bring("cameras", path, '[coordinates]\ncrs = "EPSG:4549"\n')["added"] == 1
    assert session.scalar(select(func.max(func.ST_Distance(Camera.geom, func.ST_Point(119.96, 36.78, 4326))))) < 1e-7


def test_points_name_the_cell_that_is_wrong(bring, tmp_path):
    path = table(tmp_path, "id,经度,纬度,朝向\n1,36.78,119.96,\n2,219,36,\n3,,36,\n4,北,36,\n5,120,36,900\n")
    assert codes(bring("cameras", path)) == [
        (2, "经度", "swapped_coordinates"), (3, "经度", "bad_coordinates"), (4, "经度", "coordinates_missing"),
        (5, "经度", "not_a_number"), (6, "朝向", "not_a_number"),
    ]  # fmt: skip


def test_json_shapes_with_deep_or_odd_members_are_told(bring, tmp_path):
    odd = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"adcode": "370283", "name": {"a": [1]}}, "geometry": {"type": "Polygon", "coordinates": []}},
    ]}  # fmt: skip
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(odd), "utf-8")
    assert [e["code"] for e in bring("areas", path)["errors"]] == ["coordinates_missing"]


def test_an_administrative_code_tells_the_level():
    codes = ("370000", "370200", "370283", "370283001", "370283001001", "370283001001007", "PY-1", "１２３４５６")
    assert [level_of(c) for c in codes] == [None, "city", "district", "street", "community", "cell", None, None]


# --- the real files ------------------------------------------------------------------------------------------------------
def test_the_districts_of_shandong_and_their_copies_in_another_datum(session, bring, shared):
    true = shared / "admin" / "shandong_district_cgcs2000.geojson"
    assert bring("areas", true)["added"] == 136
    assert bring("areas", true)["unchanged"] == 136
    for path in sorted((shared / "admin" / "historic_gcj02").glob("*.geojson")):
        assert codes(bring("areas", path)) == [(None, None, "wrong_datum")], path.name
    assert session.scalar(select(Area.level).where(Area.code == "370283")) == "district"


def test_the_real_pipes_cameras_and_buildings_come_in_once(session, bring, shared):
    given = [
        ("pipelines", "pipes/gas_schutterwald.gpkg", "pandapipes_gas", 2559, Pipeline),
        ("pipelines", "pipes/heat_schutterwald.gpkg", "pandapipes_heat", 482, Pipeline),
        ("cameras", "cameras/trafford_cctv_cameras.csv", None, 163, Camera),
        ("buildings", "buildings/osm_shanghai_bund.gpkg", None, 1450, Building),
    ]
    for kind, name, mapping, count, _ in given:
        assert bring(kind, shared / name, mapping)["added"] == count
        assert bring(kind, shared / name, mapping)["unchanged"] == count
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 3041
    diameter = session.scalar(select(Pipeline.diameter_mm).where(Pipeline.code == "gas-0"))
    assert diameter == pytest.approx(102.2)
    assert session.scalar(select(func.count()).where(Building.height_m.is_not(None))) == 696
    assert session.scalar(select(func.count()).select_from(Complaint)) == 0
