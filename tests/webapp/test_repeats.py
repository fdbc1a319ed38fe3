"""The pages of repeats, incidents, routing and the worklist: what a person does on the screen, and who may."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from gis.complaints.incident_model import Incident
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.routing_model import RoutingRule
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square

METRE = 1 / 111_195
CALL = {"channel": "12319", "category": "heat.cold", "description": "不热", "place": "文丰小区", "complexity": ""}


def near(session, metres=20, **more):
    return make_complaint(
        session, at=(PINGDU[0], PINGDU[1] + metres * METRE), received_at=NOW - timedelta(minutes=5), **more
    )


def test_similar_ones_are_told_with_reasons_and_never_with_a_number(session, sign_in):
    one = near(session)
    session.add(Caller(complaint_id=one.id, phone="13812345678"))
    session.commit()
    client = sign_in("call_taker")
    ask = {"category": "heat.cold", "lon": PINGDU[0], "lat": PINGDU[1], "phone": "138 1234 5678", "words": "暖气不热"}
    answer = client.post("/complaints/similar.json", json=ask)
    [row] = answer.json
    assert {reason["code"] for reason in row["reasons"]} == {"same_caller", "near", "same_category", "words"}
    assert "13812345678" not in answer.text
    assert client.post("/complaints/similar.json", json=ask | {"phone": "1381", "category": "nope"}).json == []
    assert client.post("/complaints/similar.json", json={"x": 1}).status_code == 422
    assert sign_in("planner").post("/complaints/similar.json", json=ask).status_code == 403


def test_plus_one_by_the_form_is_one_click_with_its_own_number_and_can_be_undone(session, sign_in):
    main = near(session, place="文丰小区3号楼")
    client = sign_in("call_taker")
    answer = client.post("/complaints", data={"channel": "12319", "join": main.id, "caller_phone": "13800000001"})
    assert answer.status_code == 303, answer.text
    made = session.scalar(select(Complaint).where(Complaint.merged_into_id == main.id))
    assert (made.category, made.place, made.geom is not None) == (main.category, "文丰小区3号楼", True)
    page = client.get(answer.location).text
    assert made.hotline_no in page
    assert "data-undo-join" in page
    undone = client.post(f"/complaints/{made.id}/split", data={"back": "intake"})
    assert undone.location.endswith("/complaints/new")
    session.refresh(made)
    assert (made.status, made.merged_into_id) == ("received", None)


def test_joining_what_is_closed_or_not_there_gives_the_form_back_with_everything_typed(session, sign_in):
    done = make_complaint(session, status="confirmed", closed_at=NOW)
    client = sign_in("call_taker")
    for into in (done.id, 1 << 40, "x"):
        answer = client.post("/complaints", data=CALL | {"join": into, "caller_name": "王女士"})
        assert answer.status_code == 422
        assert "王女士" in answer.text
    assert session.scalar(select(func.count()).select_from(Complaint)) == 1


def test_the_complaint_page_shows_who_else_called_and_merges_and_splits(session, sign_in):
    main, other = near(session), near(session, 30)
    client = sign_in("dispatcher")
    page = client.get(f"/complaints/{other.id}").text
    assert main.hotline_no in page
    client.post(f"/complaints/{other.id}/merge", data={"into": main.hotline_no, "base_version": 1})
    session.expire_all()
    assert (other.status, main.repeat_count) == ("merged", 1)
    assert other.hotline_no in client.get(f"/complaints/{main.id}").text
    wrong = client.post(f"/complaints/{other.id}/merge", data={"into": main.hotline_no}, follow_redirects=True)
    assert "已并入" in wrong.text
    client.post(f"/complaints/{other.id}/split", data={})
    session.expire_all()
    assert other.status == "received"


def test_the_step_of_the_console_merges_too_and_a_stale_version_is_412(session, sign_in):
    main, other = near(session), near(session, 30)
    client = sign_in("dispatcher")
    url = f"/complaints/{other.id}/steps"
    assert client.post(url, json={"verb": "merge", "base_version": 9, "into": main.id}).status_code == 412
    done = client.post(url, json={"verb": "merge", "base_version": 1, "into": main.id})
    assert done.json["status"] == "merged"
    assert (
        client.post(url, json={"verb": "merge", "base_version": done.json["version"], "into": main.id}).status_code
        == 409
    )
    back = client.post(url, json={"verb": "split", "base_version": done.json["version"]})
    assert back.json["status"] == "received"


def test_a_group_is_merged_by_one_click_and_the_third_is_key_supervision(session, sign_in):
    rows = [near(session, metres) for metres in (0, 10, 20)]
    client = sign_in("supervisor")
    page = client.get("/repeats").text
    assert all(row.hotline_no in page for row in rows)
    picked = [f"{row.id}.{row.version}" for row in rows]
    told = client.post("/repeats/merge", data={"pick": picked, "days": "3"}, follow_redirects=True)
    assert "重点督办" in told.text
    assert "没有疑似重复" in told.text
    session.expire_all()
    assert sorted(row.status for row in rows) == ["merged", "merged", "received"]
    assert client.post("/repeats/merge", data={"pick": "1"}).status_code == 422
    assert client.get("/repeats?days=0").status_code == 422


def test_the_radius_of_a_category_is_edited_by_a_supervisor(session, sign_in):
    client = sign_in("supervisor")
    client.post("/repeats/radii", data={"heat.cold": "120", "heat.none": "200", "x": "5"})
    assert session.get(Category, "heat.cold", populate_existing=True).repeat_radius_m == 120
    assert sign_in("dispatcher").post("/repeats/radii", data={"heat.cold": "1"}).status_code == 403


def test_a_suspected_incident_is_opened_shown_changed_and_closed(session, sign_in):
    rows = [near(session, 15 * n) for n in range(5)]
    client = sign_in("dispatcher")
    page = client.get("/incidents").text
    assert "5 位来电人" in page
    made = client.post("/incidents", data={"id": [row.id for row in rows], "cause": "二次网泄漏"})
    incident = session.scalar(select(Incident))
    assert made.location.endswith(f"/incidents/{incident.id}")
    page = client.get(made.location).text
    assert all(row.hotline_no in page for row in rows)
    assert "二次网泄漏" in page
    member = next(row for row in rows if row.id != incident.lead_id)
    client.post(f"/incidents/{incident.id}/remove/{member.id}", data={"base_version": ""})
    session.expire_all()
    assert member.incident_id is None
    client.post(f"/incidents/{incident.id}/add", data={"no": member.hotline_no})
    client.post(f"/incidents/{incident.id}/lead/{member.id}")
    client.post(f"/incidents/{incident.id}/describe", data={"name": "文丰小区停热", "cause": "换热站停电"})
    session.expire_all()
    assert (member.incident_id, incident.lead_id, incident.name) == (incident.id, member.id, "文丰小区停热")
    assert "未答复" in client.post(f"/incidents/{incident.id}/close", follow_redirects=True).text
    assert member.hotline_no in client.get(f"/complaints/{member.id}").text
    assert client.get("/incidents").status_code == 200
    assert client.post("/incidents", data={}).status_code == 422
    assert sign_in("call_taker").post("/incidents", data={"id": rows[0].id}).status_code == 403


def test_an_incident_is_made_by_hand_of_two_utilities(session, sign_in):
    cold, burst = near(session), near(session, 30, category="water.burst")
    client = sign_in("dispatcher")
    written = {"numbers": f"{burst.hotline_no}\n {cold.hotline_no}", "name": "主管爆管"}
    assert client.post("/incidents", data=written).status_code == 303
    session.expire_all()
    assert cold.incident_id == burst.incident_id is not None
    assert client.post("/incidents", data={"numbers": "NOPE-1 NOPE-2"}).status_code == 404


def rule(**more):
    return {"priority": "10", "answers": "unit", "source": "会议纪要〔2009〕3号"} | more


def test_a_rule_is_previewed_before_it_is_kept_then_changed_and_ended(session, sign_in):
    heat, water = make_unit(session, name="供热甲"), make_unit(session, name="自来水公司")
    compound = make_area(session, level="compound", unit_id=heat.id, geom=square(half=0.001))
    waiting = near(session, 5, category="water.none", compound_id=compound.id)
    client = sign_in("supervisor")
    typed = rule(utility="water", unit_id=water.id)
    page = client.post("/routing/preview", data=typed).text
    assert 'data-moved="1"' in page
    assert waiting.hotline_no in page
    assert session.scalar(select(func.count()).select_from(RoutingRule)) == 1
    assert client.post("/routing", data=typed).status_code == 303
    kept = session.scalar(select(RoutingRule).where(RoutingRule.utility == "water"))
    assert "自来水公司" in client.get("/routing").text
    assert "1" in client.post("/routing/reroute", follow_redirects=True).text
    session.expire_all()
    assert (waiting.unit_id, waiting.routing_rule_id) == (water.id, kept.id)
    assert client.get(f"/routing/{kept.id}").status_code == 200
    assert (
        client.post(f"/routing/{kept.id}", data=rule(utility="water", unit_id=heat.id, base_version=1)).status_code
        == 303
    )
    assert client.post(f"/routing/{kept.id}", data=rule(unit_id=heat.id, base_version=1)).status_code == 412
    assert client.post("/routing", data=rule(unit_id=water.id, source="")).status_code == 422
    client.post(f"/routing/{kept.id}/end", data={})
    session.expire_all()
    assert kept.valid_to == NOW.date() - timedelta(days=1)
    assert sign_in("dispatcher").get("/routing").status_code == 403


def test_somebody_of_one_district_writes_rules_for_it_alone(session, sign_in):
    mine, unit = make_area(session), make_unit(session)
    client = sign_in("supervisor", area_id=mine.id)
    assert client.post("/routing", data=rule(unit_id=unit.id)).status_code == 403
    assert client.post("/routing", data=rule(unit_id=unit.id, area_id=mine.id)).status_code == 303


def test_each_kind_of_the_worklist_is_cleared_on_its_page(session, sign_in):
    unit = make_unit(session)
    lost = make_complaint(session, at=None, unit_id=unit.id)
    odd = make_complaint(session, category="unknown", category_said="水压不足", unit_id=unit.id)
    nobody = make_complaint(session)
    make_complaint(session, calendar_missing=True, unit_id=unit.id)
    client = sign_in("supervisor")
    counts = {kind["kind"]: kind["count"] for kind in client.get("/worklist.json").json["kinds"]}
    assert counts | {"no_unit": 1, "unknown_category": 1, "calendar_missing": 1, "not_located": 1} == counts
    assert "水压不足" in client.get("/worklist?kind=unknown_category").text
    assert "/calendar?year=2009" in client.get("/worklist?kind=calendar_missing").text
    client.post(f"/worklist/{odd.id}/category", data={"category": "water.quality", "base_version": 1})
    client.post(f"/worklist/{nobody.id}/unit", data={"unit_id": unit.id, "base_version": 1})
    assert client.get(f"/worklist/{lost.id}/place").status_code == 200
    wrong = client.post(f"/worklist/{lost.id}/place", data={"lon": "x", "lat": ""})
    assert wrong.status_code == 422
    client.post(
        f"/worklist/{lost.id}/place", data={"lon": PINGDU[0], "lat": PINGDU[1], "datum": "wgs84", "place": "文丰"}
    )
    session.expire_all()
    assert (odd.category, nobody.unit_id, lost.located, lost.place) == ("water.quality", unit.id, "located", "文丰")
    assert client.get("/worklist?kind=x").status_code == 422
    assert sign_in("unit_handler").get("/worklist").status_code == 403
