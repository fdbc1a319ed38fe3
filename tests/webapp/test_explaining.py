"""The page "which asset explains the calls": words, filters in the URL, one click, and what callers are told."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from gis.complaints.incident_model import Incident
from gis.complaints.model import Complaint
from gis.dispatch.model import WorkOrder
from gis.network import assets, graphs
from tests.conftest import NOW
from tests.explain_town import evening, make_town
from tests.factories import make_crew


def burst(session):
    town = make_town(session)
    calls = evening(session, town, NOW - timedelta(minutes=15))
    crew = make_crew(session, name="供水抢修1班", skills=("water", "pipe_repair"), unit_id=town.units["water"].id)
    session.commit()
    return town, calls, crew


def test_the_page_ranks_in_words_and_the_url_is_the_view(session, sign_in):
    burst(session)
    client = sign_in("dispatcher")
    page = client.get("/incidents/explain?hours=1").text
    for words in ("自来水管线 W-B", "几乎可以确定", "供热：其下 300 户中有 5 户来电", "供水：其下 150 户中有 4 户来电", "V1、V2",
                  "一处故障可同时解释多个专业的来电", "供水抢修1班", "对这些来电的其他解释"):  # fmt: skip
        assert words in page, words
    heat = client.get("/incidents/explain?hours=1&utility=heat").text
    assert 'data-cause="0" aria-label="文丰小区换热站"' in heat  # without the calls for water
    assert "供水：其下" not in heat
    for bad in ("hours=0", "hours=x", "utility=steam", "at=yesterday"):
        assert client.get(f"/incidents/explain?{bad}").status_code == 422, bad
    before = client.get(
        f"/incidents/explain?hours=1&at={(NOW - timedelta(hours=3)).isoformat().replace('+', '%2B')}"
    ).text
    assert "不需要用故障来解释" in before
    assert "自来水管线 W-B" in client.get("/incidents").text


def test_one_click_makes_incident_order_and_notice_and_a_second_click_leads_there(session, sign_in):
    town, calls, crew = burst(session)
    client = sign_in("dispatcher")
    asked = {
        "key": f"pipeline-{town.pipes['W-B'].id}",
        "name": "自来水管爆裂",
        "cause": "爆管",
        "notice": "正在抢修。",
        "crew": crew.id,
    }
    made = client.post("/incidents/explain?hours=1", data=asked)
    incident = session.scalars(select(Incident)).one()
    assert made.location.endswith(f"/incidents/{incident.id}")
    order = session.scalars(select(WorkOrder)).one()
    assert (order.complaint_id, order.crew_id) == (incident.lead_id, crew.id)
    session.expire_all()
    assert {call.status for call in calls} == {"assigned"}
    page = client.get(made.location).text
    for words in ("供水抢修1班", "管线 W-B", "300 户", "正在抢修。", "当时来电如何指向它"):
        assert words in page, words
    assert "正在抢修。" in client.get(f"/complaints/{calls[0].id}").text
    again = client.post("/incidents/explain?hours=1", data=asked)
    assert again.location == made.location
    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 1
    assert incident.no in client.get("/incidents/explain?hours=1").text
    noted = client.post(
        f"/incidents/{incident.id}/note", data={"note": "恢复供水", "notice": "已恢复供水。"}, follow_redirects=True
    ).text
    assert "恢复供水" in noted
    assert "已恢复供水。" in noted
    assert client.post(f"/incidents/{incident.id}/note", data={"note": " "}, follow_redirects=True).status_code == 200


def test_nothing_is_kept_where_the_crew_cannot_go_or_the_calls_speak_no_longer(session, sign_in):
    town, _, crew = burst(session)
    crew.active = False
    session.commit()
    client = sign_in("dispatcher")
    key = f"pipeline-{town.pipes['W-B'].id}"
    gone = client.post("/incidents/explain?hours=1", data={"key": key, "crew": crew.id})
    assert gone.location.endswith("/incidents/explain?hours=1")
    other = client.post("/incidents/explain?hours=1", data={"key": "pipeline-0"}, follow_redirects=True).text
    assert "不支持这一解释" in other
    assert session.scalar(select(func.count()).select_from(Incident)) == 0
    assert session.scalar(select(func.count()).where(Complaint.status != "received")) == 0
    assert sign_in("call_taker").post("/incidents/explain?hours=1", data={"key": key}).status_code == 403


def test_all_callers_are_answered_from_the_incident(session, sign_in):
    town, calls, _ = burst(session)
    client = sign_in("dispatcher")
    client.post("/incidents/explain?hours=1", data={"key": f"pipeline-{town.pipes['W-B'].id}", "notice": "抢修中"})
    incident = session.scalars(select(Incident)).one()
    lead = session.get_one(Complaint, incident.lead_id)
    session.refresh(lead)
    supervisor = sign_in("supervisor")
    assert "一次答复全部 9 件" in supervisor.get(f"/incidents/{incident.id}").text
    given = {"verb": "answer", "base_version": lead.version, "answer": "已恢复供水供热。"}
    assert supervisor.post(f"/complaints/{lead.id}/step", data=given).status_code == 303
    session.expire_all()
    assert {(call.status, call.answer) for call in calls} == {("answered", "已恢复供水供热。")}


def test_a_city_without_networks_is_told_how_to_get_them(session, sign_in):
    assets._shelves.clear()
    graphs._shelves.clear()
    client = sign_in("dispatcher")
    assert "还没有构建拓扑" in client.get("/incidents/explain").text
    assert client.get("/incidents").status_code == 200
