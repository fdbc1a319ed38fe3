"""Cameras are listed, put up and corrected; what each sees is drawn at once; wrong figures are a sentence, never a wrong view."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gis.coverage.model import Camera, CameraView
from gis.places.model import Building
from tests import covered
from tests import factories as make
from tests.webapp.test_coverage import text


def _form(**given):
    lon, lat = covered.lonlat(0, 300)
    return {
        "code": "K9", "name": "北口", "state": "working", "lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "bearing_deg": "180",
        "focal_mm": "4", "sensor_mm": "5.12", "resolution_px": "1920", "height_m": "6",
    } | given  # fmt: skip


def _reaches(session, camera_id):
    rows = session.execute(select(CameraView.level, CameraView.reach_m).where(CameraView.camera_id == camera_id)).all()
    return {row.level: round(row.reach_m) for row in rows}


def test_a_camera_is_put_up_its_view_is_drawn_and_a_lens_that_is_taken_away_takes_it_away(session, sign_in):
    planner = sign_in("planner")
    answer = planner.post("/coverage/cameras/new", data=_form())
    camera = session.scalars(select(Camera).where(Camera.code == "K9")).one()
    assert answer.status_code == 303 and answer.location == f"/coverage/cameras/{camera.id}"
    assert _reaches(session, camera.id) == {"detect": 60, "observe": 24, "recognise": 12, "identify": 6}
    page = text(planner.get(answer.location))
    assert "60 m" in page and "65.2°" in page
    where = f"/coverage/cameras/{camera.id}"
    version = camera.version
    assert planner.post(where, data=_form(focal_mm="", base_version=str(version))).status_code == 303
    session.expire_all()
    assert _reaches(session, camera.id) == {} and "缺镜头或视场角" in text(planner.get(where))
    stale = planner.post(where, data=_form(base_version=str(version)))
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bearing_deg": "400"}, "朝向应在"),
        ({"focal_mm": "0"}, "焦距应在"),
        ({"code": " "}, "探头须有"),
        ({"code": "K1"}, "已有这个编号"),
        ({"resolution_px": "19.5"}, "无法识别：水平像素"),
        ({"focal_mm": "inf"}, "焦距应在"),
        ({"lon": ""}, "无法识别：经度"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_kept(session, sign_in, given, said):
    covered.camera(session, "K1", 0, 20)
    session.commit()
    answer = sign_in("planner").post("/coverage/cameras/new", data=_form(**given))
    assert answer.status_code in (400, 409, 422) and said in text(answer)
    assert session.scalar(select(func.count()).select_from(Camera)) == 1


def test_the_list_finds_what_lacks_and_what_is_out_of_order_and_only_in_the_own_district(session, sign_in):
    covered.camera(session, "K1", 0, 20)
    covered.camera(session, "K2", 0, 40, state="broken")
    covered.camera(session, "K3", 0, 60, bearing_deg=None)
    far = make.make_area(session, geom=make.square(121.4, 37.4))
    session.commit()
    planner = sign_in("planner")
    assert all(code in text(planner.get("/coverage/cameras")) for code in ("K1", "K2", "K3"))
    assert "K3" in (page := text(planner.get("/coverage/cameras?lacking=1"))) and "K1" not in page
    assert "K2" in (page := text(planner.get("/coverage/cameras?state=broken"))) and "K1" not in page
    elsewhere = sign_in("planner", area_id=far.id)
    assert "K1" not in text(elsewhere.get("/coverage/cameras"))
    mine = session.scalars(select(Camera).where(Camera.code == "K1")).one()
    assert elsewhere.get(f"/coverage/cameras/{mine.id}").status_code == 404
    dispatcher = sign_in("dispatcher")
    assert dispatcher.get(f"/coverage/cameras/{mine.id}").status_code == 200
    assert dispatcher.post(f"/coverage/cameras/{mine.id}", data=_form()).status_code == 403


def test_a_camera_far_from_every_district_is_said_to_be(session, sign_in):
    make.make_area(session, geom=make.square(*covered.AT))
    session.commit()
    planner = sign_in("planner")
    near = planner.post("/coverage/cameras/new", data=_form())
    far = planner.post("/coverage/cameras/new", data=_form(code="K8", lon="-71.06", lat="42.36"))
    assert "不在任何已知区县内" not in text(planner.get(near.location))
    assert "不在任何已知区县内" in text(planner.get(far.location))


def test_a_house_whose_outline_crosses_itself_still_hides_what_is_behind_it(session, sign_in):
    corners = [covered.lonlat(*at) for at in ((-20, 280), (20, 290), (20, 280), (-20, 290), (-20, 280))]
    ring = ", ".join(f"{lon} {lat}" for lon, lat in corners)
    session.add(Building(code="X", height_m=18.0, geom=f"SRID=4326;MULTIPOLYGON((({ring})))"))
    session.commit()
    planner = sign_in("planner")
    answer = planner.post("/coverage/cameras/new", data=_form())
    assert answer.status_code == 303
    areas = dict(session.execute(select(CameraView.level, CameraView.area_m2)).all())
    assert 0 < areas["detect"] < 0.6 * 0.5 * 60**2  # of a sector of 65 degrees, that is 1.14 radians, and 60 m


@pytest.mark.parametrize("page", ["/coverage", "/coverage/cameras", "/coverage/signal", "/coverage/unserved"])
def test_an_address_that_holds_what_no_text_holds_is_refused_with_a_sentence(sign_in, page):
    planner = sign_in("planner")
    for query in ("q=%00", "q=" + "长" * 81):
        answer = planner.get(f"{page}?{query}")
        assert answer.status_code == 422 and "无法使用" in text(answer)
    assert planner.get("/coverage/signal?operator=%00").status_code == 422
    assert "弱信号门限应在" in text(planner.get("/coverage/signal?weak=nan"))
    assert "找不到探头" in text(planner.get("/coverage/cameras/99"))
    assert "找不到监控盲区" in text(planner.get("/coverage/blind-spots/99"))
