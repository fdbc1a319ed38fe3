"""Cameras are listed, put up and corrected; what each sees is drawn at once; wrong figures are a sentence, never a wrong view."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gis.coverage.model import Camera, CameraView
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
