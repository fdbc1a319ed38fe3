"""The pages of coverage as a planner and a supervisor use them, without a browser; one computation as the worker does it."""

from __future__ import annotations

import io
import json

import pytest
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import select

from gis.coverage import actions
from gis.coverage.model import Mast, SignalSample, SpotCheck, UnservedArea, WeakSignalSpot
from gis.network.model import Pipeline
from gis.oversight.outreach_model import Promise
from tests import factories as make
from tests.covered import NORTH_MARK, ROAD, SOUTH_MARK, house, jining, lonlat
from tests.gis.coverage.test_coverage_actions import compute, the_spot
from tests.house.test_roles import _x, _y


def text(answer) -> str:
    return answer.get_data(as_text=True)


def picture() -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(data, "PNG")
    return io.BytesIO(data.getvalue()), "现场.png"


def test_without_data_the_page_says_what_to_do(sign_in) -> None:
    planner = sign_in("planner")
    for address in ("/coverage", "/coverage/signal", "/coverage/unserved"):
        answer = planner.get(address)
        assert answer.status_code == 200
    assert "尚未计算覆盖" in text(planner.get("/coverage"))


def test_the_planner_reads_levels_what_lacks_the_stretch_and_proposals(session, who, sign_in) -> None:
    jining(session)
    compute(session, who)
    planner = sign_in("planner")
    page = text(planner.get("/coverage?k=3"))
    assert f"{SOUTH_MARK}向北至{NORTH_MARK}" in page and "缺朝向 1" in page
    assert "任何其他方案最多只能比它好" in page and page.count("data-site=") == 3
    english = text(planner.get("/coverage", headers={"Cookie": "language=en"}))
    assert english.count("view_level:") == 0 and "%(" not in english + page
    lines = json.loads(text(planner.get("/coverage.geojson?state=found")))["features"]
    assert {f["properties"]["road_name"] for f in lines} >= {ROAD}
    book = load_workbook(io.BytesIO(planner.get("/coverage.xlsx").data))
    assert ROAD in [cell.value for cell in book.active["B"]]
    assert text(planner.get("/coverage?state=closed")).count("data-spot=") == 0


def test_one_filter_leaves_the_others_in_the_address_and_the_map_draws_what_the_table_lists(
    session, who, sign_in
) -> None:
    jining(session)
    compute(session, who)
    planner = sign_in("planner")
    page = text(planner.get(f"/coverage?state=found&q={ROAD}&k=2&type=1080p_6_mm"))
    assert """data-states='["found"]'""" in page and f'data-said="{ROAD}"' in page
    filters, infill = page.split('name="state" value="reported"')[0], page.split('name="k" min=')[0]
    assert '<input type="hidden" name="k" value="2"><input type="hidden" name="type" value="1080p_6_mm">' in filters
    assert f'<input type="hidden" name="state" value="found"><input type="hidden" name="q" value="{ROAD}">' in infill
    assert "/coverage?k=2&amp;type=1080p_6_mm" in page  # 显示全部 takes away the state and the road alone
    signal(session)
    page = text(planner.get("/coverage/signal?weak=-110&cell=200&state=planned&page=3"))
    assert '<input type="hidden" name="weak" value="-110"><input type="hidden" name="cell" value="200">' in page
    assert '<input type="hidden" name="state" value="planned">' in page and 'type="hidden" name="page"' not in page


def test_coverage_is_asked_for_once_and_its_progress_is_told(session, sign_in) -> None:
    supervisor = sign_in("supervisor")
    assert supervisor.get("/coverage/run.json").json is None
    assert supervisor.post("/coverage/run").status_code == 303
    assert supervisor.get("/coverage/run.json").json["state"] == "waiting"
    again = supervisor.post("/coverage/run")
    assert again.status_code == 409 and "正在计算" in text(again)


def test_the_worker_computes_in_pieces_and_again_to_the_same(committed, who, monkeypatch) -> None:
    from webapp import coverage_tasks

    monkeypatch.setattr(coverage_tasks, "PIECE", 3)
    with committed() as session:
        jining(session)
        run_id = actions.ask_run(session, who).id
        session.commit()
    for _ in range(2):
        coverage_tasks.compute(committed, who, {"run_id": run_id})
    with committed() as session:
        run = session.get_one(actions.CoverageRun, run_id)
        assert (run.state, run.done, run.total) == ("done", 4, 4)
        assert the_spot(session).from_landmark == SOUTH_MARK
        broken = actions.ask_run(session, who).id
        session.commit()
    monkeypatch.setattr(actions, "finish_run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        coverage_tasks.compute(committed, who, {"run_id": broken})
    with committed() as session:
        assert session.get_one(actions.CoverageRun, broken).state == "failed"
        actions.ask_run(session, who)


def test_a_citizens_words_become_a_blind_spot_or_a_sentence(session, who, sign_in) -> None:
    jining(session)
    complaint = make.make_complaint(session, category="safety.blindspot")
    planner = sign_in("planner")
    told = {
        "road_name": ROAD,
        "from_landmark": SOUTH_MARK,
        "to_landmark": NORTH_MARK,
        "hotline_no": complaint.hotline_no,
    }
    wrong = planner.post("/coverage/blind-spots", data=told | {"to_landmark": "无此处"})
    assert wrong.status_code == 422 and "没有名为“无此处”的地点" in text(wrong) and SOUTH_MARK in text(wrong)
    made = planner.post("/coverage/blind-spots", data=told)
    assert made.status_code == 303
    spot = the_spot(session)
    assert (spot.state, spot.complaint_id) == ("reported", complaint.id)
    assert complaint.hotline_no in text(planner.get(made.location))


def test_a_spot_is_verified_with_a_photo_promised_publicly_and_closed(session, who, sign_in) -> None:
    jining(session)
    compute(session, who)
    spot, planner, supervisor = the_spot(session), sign_in("planner"), sign_in("supervisor")
    steps = f"/coverage/blind-spots/{spot.id}/steps"
    seen = {
        "verb": "verify",
        "cameras": "3",
        "words": "南口、北口各有",
        "base_version": spot.version,
        "photo": [picture()],
    }
    assert planner.post(steps, data=seen).status_code == 303
    session.expire_all()
    check = session.scalars(select(SpotCheck)).one()
    page = text(planner.get(f"/coverage/blind-spots/{spot.id}"))
    sha = page.split("/coverage/photos/")[1][:64]
    assert check.cameras == 3 and planner.get(f"/coverage/photos/{sha}/thumb").mimetype == "image/jpeg"
    assert planner.get(f"/coverage/photos/{'0' * 64}").status_code == 404
    promise = {"verb": "plan", "words": "天网四期增加探头", "person": "任城区政府", "due_on": "2010-03-31", "answer": "现有3到4路",
               "base_version": spot.version}  # fmt: skip
    assert planner.post(steps, data=promise).status_code == 422, "a promise is a supervisor's"
    assert supervisor.post(steps, data=promise | {"due_on": "2001-01-01"}).status_code == 422
    assert supervisor.post(steps, data=promise).status_code == 303
    session.expire_all()
    kept = session.get_one(Promise, the_spot(session).promise_id)
    assert (kept.text, str(kept.due_on)) == ("天网四期增加探头", "2010-03-31")
    assert "天网四期增加探头" in text(supervisor.get("/public/promises"))
    assert supervisor.post(steps, data={"verb": "close", "words": "四期已启用", "base_version": "1"}).status_code == 412
    assert supervisor.post(steps, data={"verb": "close", "words": "四期已启用"}).status_code == 303
    session.expire_all()
    assert the_spot(session).state == "closed"


def test_a_file_of_cameras_comes_in_from_the_page(app, session, sign_in, monkeypatch) -> None:
    planner = sign_in("planner")
    csv = "编号,经度,纬度,朝向,焦距,靶面宽度,水平像素\nK9,116.587,35.405,350,4,5.12,1920\nK10,116.587,35.406,,4,5.12,1920\n"
    answer = planner.post(
        "/coverage/import", data={"kind": "cameras", "datum": "wgs84", "file": (io.BytesIO(csv.encode()), "探头.csv")},
        follow_redirects=True,
    )  # fmt: skip
    assert "导入 2 行" in text(answer) and "缺朝向的探头" in text(answer)
    wrong = planner.post(
        "/coverage/import",
        data={"kind": "samples", "file": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")},
        follow_redirects=True,
    )
    assert "notice error" in text(wrong)


def signal(session) -> None:
    """A mast east of a tall house; west of it the signal is weak."""
    session.add(Mast(code="M1", name="皇桥基站", operator="移动", height_m=30.0, geom=make.point(*lonlat(400, 50))))
    house(session, "高楼", 150, 0, 170, 100, height_m=60.0)
    rows = [(20 + i, 50, -114.0) for i in range(12)] + [(20 + i, 60, -80.0) for i in range(4)] + [(260, 50, -120.0)]
    for i, (east, north, dbm) in enumerate(rows):
        session.add(SignalSample(code=f"S{i}", rsrp_dbm=dbm, operator="移动", geom=make.point(*lonlat(east, north))))
    session.flush()


def test_weak_cells_their_shadow_and_the_operators_mast_with_a_date(session, who, sign_in) -> None:
    signal(session)
    make.make_area(session, geom=make.square(*lonlat(0, 0)))
    supervisor = sign_in("supervisor")
    page = text(supervisor.get("/coverage/signal?cell=1000&least=5"))
    assert "17 个样本中 13 个为弱信号" in page and "12 个被遮挡" in page and "皇桥基站" in page
    assert "样本不足" in text(supervisor.get("/coverage/signal?cell=100&least=30"))
    lon, lat = lonlat(25, 50)
    made = supervisor.post("/coverage/signal/spots", data={
        "name": "皇桥村", "lon": lon, "lat": lat, "samples": 16, "weak_samples": 12, "operator": "移动"})  # fmt: skip
    spot = session.scalars(select(WeakSignalSpot)).one()
    assert (made.status_code, spot.state, spot.weak_samples) == (303, "found", 12)
    promise = {
        "verb": "plan",
        "words": "新建基站",
        "person": "移动公司",
        "due_on": "2009-12-30",
        "answer": "建筑物遮挡,已提交建设申请",
    }
    assert supervisor.post(f"/coverage/weak-spots/{spot.id}/steps", data=promise).status_code == 303
    session.expire_all()
    assert (str(spot.mast_by), spot.state) == ("2009-12-30", "planned")
    assert "建筑物遮挡" in text(supervisor.get("/coverage/signal"))
    assert supervisor.get("/coverage/signal?weak=5").status_code == 422
    assert supervisor.get("/coverage/signal.xlsx").status_code == 200


def test_an_area_far_from_every_gas_pipe_is_found_kept_once_and_explained(session, sign_in) -> None:
    near, far = (make.make_area(session, level="compound", households=300, name=name, geom=make.square(*lonlat(x, 0), half=0.0005))
                 for name, x in (("近处小区", 0), ("远处小区", 900)))  # fmt: skip
    line = "SRID=4326;LINESTRING({} {}, {} {})".format(*lonlat(0, -60), *lonlat(0, 60))
    session.add(Pipeline(code="G1", utility="gas", level="main", geom=line))
    session.flush()
    planner = sign_in("planner")
    page = text(planner.get("/coverage/unserved")).split('<form class="fields"')[0]
    assert far.name in page and near.name not in page
    given = {"area_id": far.id, "utility": "gas", "away_m": "840.5"}
    made = planner.post("/coverage/unserved", data=given)
    assert made.status_code == 303 and planner.post("/coverage/unserved", data=given).status_code == 409
    spot = session.scalars(select(UnservedArea)).one()
    answer = planner.post(
        made.location + "/steps",
        data={"verb": "explain", "words": "道路未通,明年随路敷设", "base_version": spot.version},
    )
    session.expire_all()
    assert (answer.status_code, spot.state, spot.answer) == (303, "explained", "道路未通,明年随路敷设")
    assert planner.post("/coverage/unserved", data={"area_id": 999_999, "utility": "gas"}).status_code == 404


def test_view_fields_are_drawn_as_tiles_where_they_are_large_enough_to_be_seen(session, who, sign_in) -> None:
    jining(session)
    compute(session, who)
    planner = sign_in("planner")
    lon, lat = lonlat(0, 20)
    answer = planner.get(
        f"/tiles/camera_views/16/{_x(lon, 16)}/{_y(lat, 16)}.mvt", headers={"Accept-Encoding": "identity"}
    )
    assert answer.status_code == 200 and len(answer.get_data()) > 200
    assert planner.get(f"/tiles/camera_views/3/{_x(lon, 3)}/{_y(lat, 3)}.mvt").status_code == 204
