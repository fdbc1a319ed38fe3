"""Sites at the desk: kept, shown to whom they concern, taken away; self-inspection; files in."""

import io
import json
import re
from datetime import timedelta

import pytest
from python_calamine import load_workbook
from sqlalchemy import select

from gis import journal
from gis.inspections.model import Inspection, Site
from gis.inspections.site_model import SiteDoor
from tests import factories as make
from tests.conftest import NOW
from tests.sites import TODAY, make_contractor, make_visit, make_worker

FORM = {"name": "人民路供热改造", "scope": "yard", "is_heating": "1", "lon": "119.96", "lat": "36.78"}


def test_a_site_is_kept_shown_and_changed_and_an_old_form_is_refused_with_412(sign_in, session):
    client = sign_in("supervisor")
    contractor = make_contractor(session)
    session.commit()
    answer = client.post("/sites", data=FORM | {"contractor_id": contractor.id, "door_no": "1-101"})
    assert answer.status_code == 303
    page = client.get(answer.location).get_data(as_text=True)
    assert "人民路供热改造" in page and contractor.name in page and "1-101" not in page and "****" in page
    changed = FORM | {"name": "改名", "base_version": "1"}
    assert client.post(answer.location, data=changed).status_code == 303
    stale = client.post(answer.location, data=changed | {"name": "再改"})
    assert stale.status_code == 412 and 'value="再改"' in stale.get_data(as_text=True)
    site = session.scalar(select(Site).execution_options(populate_existing=True))
    assert (site.name, site.version) == ("改名", 2) and session.get(SiteDoor, site.id).door_no == "1-101"


def test_what_cannot_be_kept_comes_back_with_what_was_typed(sign_in):
    client = sign_in("supervisor")
    answer = client.post("/sites", data=FORM | {"lon": "", "lat": "", "ground": '{"type":"Point"}'})
    assert answer.status_code == 422 and "人民路供热改造" in answer.get_data(as_text=True)


def test_names_and_door_are_shown_once_for_a_purpose(sign_in, session):
    site = make.make_site(session)
    make_worker(session, site, name="钱师傅")
    session.add(SiteDoor(site_id=site.id, door_no="9-909"))
    client = sign_in("supervisor")
    assert "钱师傅" not in client.get(f"/sites/{site.id}").get_data(as_text=True)
    page = client.post(f"/sites/{site.id}/unmask", data={"purpose": "verify"}).get_data(as_text=True)
    assert "钱师傅" in page and "9-909" in page
    assert [e["verb"] for e in journal.timeline(session, "site", site.id)] == ["unmask"]
    assert sign_in("planner").post(f"/sites/{site.id}/unmask", data={"purpose": "verify"}).status_code == 403


def test_a_unit_sees_its_own_sites_and_no_surprise_visit(sign_in, session):
    unit = make.make_unit(session)
    mine, other = make.make_site(session, name="我的工地", unit_id=unit.id), make.make_site(session, name="别人的工地")
    inspector = make.make_user(session, role="inspector", full_name="检查员甲")
    make_visit(session, mine, inspector_id=inspector.id, on_day=TODAY, reason="群众举报")
    handler, bureau = sign_in("unit_handler", unit_id=unit.id), sign_in("supervisor")
    assert "检查员甲" in bureau.get(f"/sites/{mine.id}").get_data(as_text=True)
    seen = handler.get(f"/sites/{mine.id}").get_data(as_text=True)
    assert "检查员甲" not in seen and "群众举报" not in seen
    assert handler.get(f"/sites/{other.id}").status_code == 404
    listed = handler.get("/sites").get_data(as_text=True)
    assert "我的工地" in listed and "别人的工地" not in listed
    assert [f["properties"]["name"] for f in handler.get("/sites.json").get_json()["features"]] == ["我的工地"]
    assert handler.get("/rounds").status_code == 403 and handler.get("/day").status_code == 403


def test_a_unit_files_its_self_inspection_and_it_is_marked(sign_in, session):
    unit = make_contractor(session)
    site = make.make_site(session, contractor_id=unit.id, is_heating=False)
    client = sign_in("unit_handler", unit_id=unit.id)
    page = client.get(f"/sites/{site.id}/self-check").get_data(as_text=True)
    number = re.search(r'name="id" value="([0-9a-f-]{36})"', page)[1]
    begun = re.search(r'name="begun" value="([^"]+)"', page)[1]
    assert 'name="answer-1.1"' in page and 'name="answer-1.3"' not in page
    form = {"id": number, "begun": begun, "revision": "1", "answer-1.1": "yes", "answer-1.2": "no", "note-1.2": "未贴"}
    assert (
        client.post(
            f"/sites/{site.id}/self-check", data={k: v for k, v in form.items() if not k.startswith("answer")}
        ).status_code
        == 422
    )
    for _twice in range(2):
        assert client.post(f"/sites/{site.id}/self-check", data=form).status_code == 303
    [kept] = session.scalars(select(Inspection).where(Inspection.site_id == site.id))
    assert kept.is_self and kept.inspector_id == client.user.id
    assert "自查" in client.get(f"/inspections/{number}").get_data(as_text=True)
    assert client.get("/inspections?by=bureau").get_data(as_text=True).count(number) == 0
    assert (
        sign_in("unit_handler", unit_id=make.make_unit(session).id).get(f"/sites/{site.id}/self-check").status_code
        == 404
    )


def test_people_and_notices_are_entered_on_the_page(sign_in, session):
    site = make.make_site(session, contractor_id=make_contractor(session).id)
    client = sign_in("supervisor")
    client.post(f"/sites/{site.id}/persons", data={"name": "孙七", "trade": "electrician", "kind": "electrical", "certificate_no": "DG-7",
                                                   "valid_to": str(TODAY + timedelta(days=5))})  # fmt: skip
    page = client.get(f"/sites/{site.id}").get_data(as_text=True)
    assert "DG-7" in page and "即将到期" in page and "孙七" not in page
    picture = io.BytesIO()
    from PIL import Image

    Image.new("RGB", (30, 20), "red").save(picture, "JPEG")
    client.post(
        f"/sites/{site.id}/notices",
        data={"posted": ["1.1", "1.4"], "text": "已张贴", "photo": (io.BytesIO(picture.getvalue()), "n.jpg")},
    )
    page = client.get(f"/sites/{site.id}").get_data(as_text=True)
    sha = re.search(r"/photos/([0-9a-f]{64})/thumb", page)[1]
    assert client.get(f"/photos/{sha}").data == picture.getvalue() and "未公示" in page
    stranger = sign_in("unit_handler", unit_id=make.make_unit(session).id)
    assert stranger.get(f"/photos/{sha}").status_code == 404


def test_the_list_is_taken_away_as_excel_csv_geojson_and_geopackage(sign_in, session, tmp_path):
    import geopandas

    make.make_site(session, code="GD-1", name="=甲工地")
    make.make_site(session, code="GD-2", name="乙工地", closed_at=NOW)
    client = sign_in("supervisor")
    sheet = load_workbook(io.BytesIO(client.get("/sites.xlsx").data)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in sheet[1:]] == ["=甲工地"]
    assert "'=甲工地" in client.get("/sites.csv?state=all").get_data(as_text=True)
    told = client.get("/sites.geojson").get_json()
    assert told["features"][0]["properties"]["code"] == "GD-1" and told["features"][0]["geometry"]["type"] == "Point"
    (tmp_path / "s.gpkg").write_bytes(client.get("/sites.gpkg?state=all").data)
    frame = geopandas.read_file(tmp_path / "s.gpkg")
    assert sorted(frame["code"]) == ["GD-1", "GD-2"] and frame.crs.to_epsg() == 4326


# --- files in --------------------------------------------------------------------------------------------------------
def _bring(client, name, data):
    return client.post("/sites/import", data={"file": (io.BytesIO(data), name)})


def test_the_template_names_every_field_and_what_may_be_chosen(sign_in, session):
    make_contractor(session, name="华安管道")
    client = sign_in("supervisor")
    book = load_workbook(io.BytesIO(client.get("/sites/import/template.xlsx").data))
    heading = book.get_sheet_by_name("工地").to_python()[0]
    assert heading[:4] == ["工地编号", "名称", "施工范围", "阶段"] and heading[-2:] == ["经度", "纬度"]
    assert "华安管道" in [cell for row in book.get_sheet_by_name("lists").to_python() for cell in row]


def test_a_csv_with_wrong_rows_comes_back_with_an_error_column_and_a_good_one_comes_in_once(sign_in, session):
    contractor = make_contractor(session, name="华安管道")
    area = make.make_area(session, geom=make.square(half=0.2))
    client = sign_in("supervisor")
    head = "工地编号,工地名称,施工范围,施工阶段,施工单位,计划开工,经度,纬度\r\n"
    wrong = (
        head
        + "A1,甲,庭院,施工中,华安管道,2009-11-01,119.96,36.78\r\nA2,乙,屋顶,施工中,没有这家,十一月,119.96,36.78\r\n"
    )
    answer = _bring(client, "工地.csv", wrong.encode("gb18030"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "屋顶" in page
    back = client.get(re.search(r"/sites/import/[0-9a-f-]{36}/marked", page)[0]).data.decode("gb18030").splitlines()
    assert back[1].endswith(",") and "屋顶" in back[2].split("119.96,36.78,")[1]
    assert session.scalar(select(Site)) is None
    good = (head + "A1,甲,庭院,施工中,华安管道,2009/11/1,119.96,36.78\r\n").encode()
    for added in ("新增 1 个", "新增 0 个"):
        assert added in _bring(client, "ok.csv", good).get_data(as_text=True)
    site = session.scalar(select(Site))
    assert (site.code, site.scope, site.stage, site.contractor_id, site.area_id) == (
        "A1",
        "yard",
        "during",
        contractor.id,
        area.id,
    )
    assert str(site.planned_from) == "2009-11-01"


@pytest.mark.parametrize("driver", ["GeoJSON", "GPKG"])
def test_polygons_become_the_ground_of_their_site(sign_in, session, tmp_path, driver):
    import geopandas
    from shapely import Point, box

    path = tmp_path / ("s.geojson" if driver == "GeoJSON" else "s.gpkg")
    frame = geopandas.GeoDataFrame(
        {"code": ["P1", "P2"], "name": ["面", "点"], "scope": ["yard", "indoor"]},
        geometry=[box(119.96, 36.78, 119.961, 36.781), Point(119.97, 36.79)], crs="EPSG:4326",
    )  # fmt: skip
    frame.to_file(path, driver=driver)
    client = sign_in("supervisor")
    for added in ("新增 2 个", "新增 0 个"):
        answer = _bring(client, path.name, path.read_bytes())
        assert added in answer.get_data(as_text=True), re.findall(r"<td>([^<]*)</td>", answer.get_data(as_text=True))
    kept = {s.code: s for s in session.scalars(select(Site))}
    assert kept["P1"].footprint is not None and kept["P2"].footprint is None
    page = client.get(f"/sites/{kept['P1'].id}").get_data(as_text=True)
    assert json.loads(re.search(r"data-ground='([^']+)'", page)[1].replace("&#34;", '"'))["type"] == "Polygon"


def test_a_polygon_as_large_as_a_county_is_refused_by_row(sign_in, session):
    told = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"code": "X", "name": "n", "scope": "yard"}, "geometry": {
        "type": "Polygon", "coordinates": [[[119, 36], [120, 36], [120, 37], [119, 37], [119, 36]]]}}]}  # fmt: skip
    answer = _bring(sign_in("supervisor"), "x.geojson", json.dumps(told).encode())
    assert answer.status_code == 422 and "面积过大" in answer.get_data(as_text=True)
