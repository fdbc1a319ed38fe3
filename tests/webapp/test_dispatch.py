"""The desk's routes of dispatch: ranked crews, assigning, undoing."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_unit


def post(client, path, **body):
    return client.post(path, json=body)


def test_the_ranked_crews_carry_sentences_in_chinese_and_in_english(session, sign_in):
    unit = make_unit(session, name="兴平热电")
    complaint = make_complaint(session, unit_id=unit.id)
    crew = make_crew(session, at=(119.97, 36.78), unit_id=unit.id, name="抢修一班")
    make_crew(session, at=(119.97, 36.78), skills=("gas",))
    dispatcher = sign_in("dispatcher")
    body = dispatcher.get(f"/complaints/{complaint.id}/crews.json").json
    assert body["by"] == "straight"
    first, second = body["crews"]
    assert (first["id"], first["name"], first["unit"], first["kind"]) == (
        crew.id,
        "抢修一班",
        "兴平热电",
        "maintenance",
    )
    assert first["reasons"][0] == "直线估算 2 分钟（891 m），无路网用时"
    assert {"具备工种：供热", "当前空闲", "属承办单位", "在班至 18:00"} <= set(first["reasons"])
    assert first["violations"] == [] and second["violations"] == ["不具备工种：供热"]
    assert first["slot"] == {"start": "2009-11-17T02:00:00Z", "end": "2009-11-17T03:03:00Z"}
    dispatcher.post("/language", data={"language": "en"})
    english = sign_in("dispatcher", language="en").get(f"/complaints/{complaint.id}/crews.json").json["crews"]
    assert english[0]["reasons"][0] == "2 min in a straight line (891 m): no road time"
    assert english[1]["violations"] == ["Lacks the skill: Heating"]


def test_one_click_assigns_and_another_undoes(session, sign_in):
    complaint, crew = make_complaint(session), make_crew(session, name="一班")
    dispatcher = sign_in("dispatcher")
    answer = post(dispatcher, "/work-orders", complaint_id=complaint.id, crew_id=crew.id, base_version=1)
    assert answer.status_code == 201, answer.text
    order, card = answer.json["order"], answer.json["complaint"]
    assert (order["status"], order["crew"], order["by"], order["version"]) == ("assigned", "一班", "straight", 1)
    assert order["undo_until"] == "2009-11-17T02:01:00Z"
    assert (card["status"], card["version"], card["crew"], card["order_id"]) == (
        "assigned", 2, {"id": crew.id, "name": "一班"}, order["id"],
    )  # fmt: skip
    undone = post(dispatcher, f"/work-orders/{order['id']}/recall", base_version=1)
    assert undone.status_code == 200, undone.text
    assert undone.json["order"]["status"] == "recalled" and undone.json["order"]["undo_until"] is None
    assert undone.json["complaint"]["status"] == "received" and undone.json["complaint"]["crew"] is None


def test_each_refusal_has_its_code_and_a_chinese_sentence(session, sign_in):
    complaint, crew = make_complaint(session), make_crew(session, name="一班")
    dispatcher = sign_in("dispatcher", full_name="王调度")
    post(dispatcher, "/work-orders", complaint_id=complaint.id, crew_id=crew.id, base_version=1)
    other, unskilled = make_complaint(session), make_crew(session, skills=())

    def refused(**body):
        answer = post(dispatcher, "/work-orders", **body)
        assert answer.mimetype == "application/problem+json"
        return answer.status_code, answer.json["code"], answer.json["detail"]

    stale = refused(complaint_id=complaint.id, crew_id=unskilled.id, base_version=1)
    assert stale[:2] == (412, "stale_version") and "第 1 版" in stale[2] and "第 2 版" in stale[2]
    there = refused(complaint_id=complaint.id, crew_id=unskilled.id, base_version=2)
    assert there[:2] == (409, "already_assigned") and "一班" in there[2]
    booked = refused(complaint_id=other.id, crew_id=crew.id, base_version=1)
    assert booked[:2] == (409, "crew_booked") and "王调度" in booked[2] and "11-17 11:00" in booked[2]
    unfit = refused(complaint_id=other.id, crew_id=unskilled.id, base_version=1)
    assert unfit[:2] == (409, "violation_not_overridden") and "工种不符" in unfit[2]
    closed = make_complaint(session, status="confirmed")
    assert refused(complaint_id=closed.id, crew_id=unskilled.id, base_version=1)[:2] == (409, "wrong_step")
    assert refused(complaint_id=0, crew_id=crew.id, base_version=1)[:2] == (404, "missing")
    assert refused(complaint_id=other.id, crew_id=0, base_version=1)[:2] == (404, "missing")
    assert refused(complaint_id=other.id, crew_id=crew.id)[:2] == (422, "missing_field")
    assert refused(complaint_id=other.id, crew_id=crew.id, base_version=1, nonsense=1)[:2] == (422, "unknown_field")
    answer = post(dispatcher, "/work-orders", complaint_id=other.id, crew_id=unskilled.id, base_version=1,
                  override_reason="只有他们在附近")  # fmt: skip
    assert answer.status_code == 201 and answer.json["order"]["override_reason"] == "只有他们在附近"


def test_numbers_beyond_the_database_are_not_found_rather_than_broken(session, sign_in):
    complaint = make_complaint(session)
    dispatcher = sign_in("dispatcher")
    for crew_id in (2**63, 2**80, -1):
        answer = post(dispatcher, "/work-orders", complaint_id=complaint.id, crew_id=crew_id, base_version=1)
        assert answer.status_code in (404, 422), answer.text
    assert post(dispatcher, f"/work-orders/{2**70}/recall").status_code == 404
    assert dispatcher.get(f"/complaints/{2**70}/crews.json").status_code == 404


def test_only_who_may_assign_assigns(session, sign_in):
    complaint, crew = make_complaint(session), make_crew(session)
    for role in ("call_taker", "planner", "crew", "administrator"):
        answer = post(sign_in(role), "/work-orders", complaint_id=complaint.id, crew_id=crew.id, base_version=1)
        assert answer.status_code == 403


def test_a_crew_or_a_complaint_of_another_district_is_not_there(session, sign_in):
    own = make_area(session)
    other = make_area(session)
    complaint = make_complaint(session, district_id=own.id)
    stranger = make_crew(session, at=(121.0, 37.0), area_id=other.id)
    hidden = make_complaint(session, district_id=other.id)
    order = make_order(session, make_complaint(session, district_id=other.id, status="assigned"))
    dispatcher = sign_in("dispatcher", area_id=own.id)
    assert dispatcher.get(f"/complaints/{hidden.id}/crews.json").status_code == 404
    assert dispatcher.get(f"/complaints/{complaint.id}/crews.json?crew={stranger.id}").status_code == 404
    assert stranger.id not in [c["id"] for c in dispatcher.get("/crews.json").json]
    body = {"complaint_id": complaint.id, "crew_id": stranger.id, "base_version": 1}
    assert post(dispatcher, "/work-orders", **body).status_code == 404
    assert post(dispatcher, f"/work-orders/{order.id}/recall").status_code == 404


def test_the_list_of_crews_tells_what_each_does_now(session, sign_in):
    free, off = make_crew(session), make_crew(session, on_shift=False)
    busy = make_crew(session)
    make_order(session, crew=busy)
    stale = make_crew(session, position_at=NOW - timedelta(hours=2))
    make_crew(session, active=False)
    rows = sign_in("dispatcher").get("/crews.json").json
    assert {row["id"]: row["state"] for row in rows} == {
        free.id: "free", off.id: "off_shift", busy.id: "busy", stale.id: "stale",
    }  # fmt: skip
    assert rows[0]["skills"] == ["heating"] and rows[0]["on_shift"] is True
    assert next(r for r in rows if r["id"] == busy.id)["load"] == 1


def test_cancelling_a_complaint_calls_its_crew_back(session, sign_in):
    complaint, crew = make_complaint(session), make_crew(session)
    post(sign_in("dispatcher"), "/work-orders", complaint_id=complaint.id, crew_id=crew.id, base_version=1)
    supervisor = sign_in("supervisor")
    answer = post(supervisor, f"/complaints/{complaint.id}/steps", verb="cancel", base_version=2, reason="withdrawn",
                  note="来电人撤回")  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["order_id"]) == ("cancelled", None)
    row = next(row for row in supervisor.get("/crews.json").json if row["id"] == crew.id)
    assert (row["state"], row["load"]) == ("free", 0)
