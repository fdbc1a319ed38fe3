"""The desk's JSON about complaints: lists, details, steps, and that nothing of a caller leaves it unmasked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from gis.complaints import actions as verbs
from gis.complaints.model import Caller
from gis.journal import JournalEntry, Who
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_crew, make_order, make_unit

SECRETS = ("13812345678", "欧阳修", "2单元501")


def with_caller(session, **fields):
    made = make_complaint(session, description="请回电13812345678", **fields)
    session.add(Caller(complaint_id=made.id, name="欧阳修", phone="13812345678", door_no="2单元501"))
    session.commit()
    return made


def get(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_the_list_is_cards_with_their_crew_counts_and_a_cursor(session, sign_in):
    first = make_complaint(
        session, resolve_by=NOW + timedelta(minutes=10), unit_id=make_unit(session, name="兴平热电").id
    )
    crew = make_crew(session, name="一班")
    order = make_order(session, make_complaint(session, status="assigned"), crew)
    client = sign_in("dispatcher")
    page = get(client, "/complaints.json?limit=1")
    assert (page["total"], page["counts"]["open"], len(page["rows"])) == (2, 2, 1)
    card = page["rows"][0]
    assert (card["id"], card["category_name"], card["unit"]) == (first.id, "室温不达标", "兴平热电")
    assert (card["lon"], card["lat"]) == PINGDU
    assert card["received_at"] == "2009-11-17T01:00:00Z"
    assert card["time_state"] == "orange"
    second = get(client, f"/complaints.json?limit=1&after={page['next']}")
    assert second["next"] is None
    assert second["rows"][0]["crew"] == {"id": crew.id, "name": "一班"}
    assert second["rows"][0]["order_id"] == order.id


def test_the_list_speaks_the_reader_s_language(session, sign_in):
    make_complaint(session)
    client = sign_in("planner", language="en")
    assert get(client, "/complaints.json")["rows"][0]["category_name"] == "Room too cold"
    assert get(client, "/filters.json")["statuses"][0] == {"code": "received", "name": "Received"}


def test_the_url_is_the_view(session, sign_in):
    area = make_area(session)
    today = make_complaint(session, district_id=area.id, category="water.burst", place="文丰小区")
    make_complaint(session, received_at=NOW - timedelta(days=1))
    make_complaint(session, status="confirmed", closed_at=NOW)
    client = sign_in("dispatcher")
    for query in (
        f"district={area.id}",
        "category=water",
        "q=文丰",
        "status=received&from=2009-11-17&to=2009-11-17&category=water.burst",
    ):
        assert [row["id"] for row in get(client, f"/complaints.json?{query}")["rows"]] == [today.id]
    assert get(client, "/complaints.json?status=open")["total"] == 2
    assert get(client, "/complaints.json?status=open&status=confirmed")["total"] == 3
    assert get(client, "/complaints.json?from=2009-11-16&to=2009-11-16")["total"] == 1


@pytest.mark.parametrize("query", [
    "status=lost", "time_state=blue", "district=x", "district=-1", "unit=1e3", "from=2009-13-01", "to=yesterday",
    "from=2009-11-18&to=2009-11-17", "limit=0", "limit=501", "limit=x", "after=zzz", "sort=random", "q=" + "长" * 101,
    "q=%00", "category=%00", "district=99999999999999999999",
])  # fmt: skip
def test_a_filter_that_cannot_be_is_told_by_name(sign_in, query):
    body = get(sign_in("dispatcher"), f"/complaints.json?{query}", 422)
    assert body["code"] == "bad_input"


def test_the_detail_has_its_timeline_steps_and_masked_caller(session, sign_in):
    client = sign_in("supervisor", full_name="王主管")
    made = with_caller(session, status="resolved")
    near = make_complaint(session, at=(PINGDU[0] + 0.001, PINGDU[1]))
    session.commit()
    seen = get(client, f"/complaints/{made.id}.json")
    assert seen["caller"] == {"name": "欧**", "phone": "138****5678", "door_no": "****"}
    assert seen["description"] == "请回电138****5678"
    assert seen["steps"] == ["answer", "follow_up", "confirm", "reopen", "pause", "urge", "supervise", "cancel"]
    assert [(f["name"], f["label"], f["required"]) for f in seen["forms"]["reopen"]] == [("note", "说明", True)]
    assert [row["id"] for row in seen["similar"]] == [near.id]
    client.post(f"/complaints/{made.id}/steps", json={"verb": "confirm", "base_version": 1})
    [entry] = get(client, f"/complaints/{made.id}.json")["timeline"]
    assert (entry["verb"], entry["who"], entry["version"]) == ("confirm", "王主管", 2)
    assert get(client, f"/complaints/{make_complaint(session).id}.json")["caller"] is None


def test_nothing_of_a_caller_is_in_any_list_detail_or_export(session, sign_in):
    made = with_caller(session, place="文丰小区 13812345678")
    client = sign_in("supervisor")
    for path in ("/complaints.json", f"/complaints/{made.id}.json", "/filters.json"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert not [secret for secret in SECRETS if secret in answer.text], path


def test_another_district_s_complaint_is_as_if_it_were_not(session, sign_in):
    mine, other = make_area(session), make_area(session)
    made = with_caller(session, district_id=other.id, status="resolved")
    client = sign_in("supervisor", area_id=mine.id)
    assert get(client, "/complaints.json")["rows"] == []
    told = [get(client, f"/complaints/{n}.json", 404)["code"] for n in (made.id, 999999999, 1 << 63)]
    assert told == ["missing"] * 3
    assert client.post(f"/complaints/{made.id}/unmask", json={"purpose": "call_back"}).status_code == 404
    answer = client.post(f"/complaints/{made.id}/steps", json={"verb": "confirm", "base_version": 1})
    assert answer.status_code == 404
    assert [a["id"] for a in get(client, "/filters.json")["districts"]] == [mine.id]


GIVEN = {"cancel": {"reason": "mistake", "note": "重复登记"}, "assign": {}, "dance": {}}


@pytest.mark.parametrize(("role", "verb", "status"), [
    ("follow_up_caller", "confirm", 200), ("follow_up_caller", "reopen", 200), ("follow_up_caller", "cancel", 403),
    ("supervisor", "cancel", 409), ("supervisor", "confirm", 200), ("dispatcher", "confirm", 403),
    ("planner", "confirm", 403), ("supervisor", "assign", 422), ("supervisor", "dance", 422),
])  # fmt: skip
def test_who_may_confirm_reopen_and_cancel(session, sign_in, role, verb, status):
    made = make_complaint(session, status="answered", closed_at=NOW)
    answer = sign_in(role).post(
        f"/complaints/{made.id}/steps", json={"verb": verb, "base_version": 1} | GIVEN.get(verb, {"note": "好"})
    )
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.get_json()["version"] == 2


def test_a_stale_step_names_both_versions_in_chinese(session, sign_in):
    made = make_complaint(session, status="resolved")
    client = sign_in("supervisor")
    client.post(f"/complaints/{made.id}/steps", json={"verb": "reopen", "base_version": 1, "note": "没修好"})
    answer = client.post(f"/complaints/{made.id}/steps", json={"verb": "confirm", "base_version": 1})
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (412, "stale_version")
    assert "第 1 版" in told["detail"]
    assert "第 2 版" in told["detail"]


@pytest.mark.parametrize(("sent", "code"), [
    ([], "not_json"), ("x", "not_json"), ({"verb": "confirm"}, "missing_field"),
    ({"verb": "confirm", "base_version": "x"}, "bad_field"),
    ({"verb": "confirm", "base_version": 1, "extra": 1}, "unknown_field"),
])  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_by_name(session, sign_in, sent, code):
    made = make_complaint(session, status="resolved")
    answer = sign_in("supervisor").post(f"/complaints/{made.id}/steps", json=sent)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_a_number_is_shown_to_who_may_and_says_why_and_it_is_written_down(session, sign_in):
    made = with_caller(session)
    client = sign_in("dispatcher")
    refused = client.post(f"/complaints/{made.id}/unmask", json={})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "purpose_needed")
    answer = client.post(f"/complaints/{made.id}/unmask", json={"purpose": "call_back"})
    assert answer.get_json() == {"name": "欧阳修", "phone": "13812345678", "door_no": "2单元501", "email": None}
    [entry] = session.scalars(select(JournalEntry).where(JournalEntry.verb == "unmask"))
    assert (entry.user_id, entry.data) == (client.user.id, {"purpose": "call_back"})


@pytest.mark.parametrize("role", ["planner", "unit_handler", "administrator", "inspector", "crew"])
def test_who_may_not_unmask_learns_nothing(session, sign_in, role):
    made = with_caller(session, unit_id=(unit := make_unit(session)).id)
    answer = sign_in(role, unit_id=unit.id).post(f"/complaints/{made.id}/unmask", json={"purpose": "call_back"})
    assert answer.status_code == 403
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_a_phone_number_is_searched_only_by_those_who_may_unmask(session, sign_in):
    with_caller(session)
    session.query(Caller).update({"phone": "13900001111"})
    session.commit()
    assert get(sign_in("call_taker"), "/complaints.json?q=139-0000-1111")["total"] == 1
    assert get(sign_in("planner"), "/complaints.json?q=13900001111")["total"] == 0


def test_the_call_taker_sees_similar_ones_and_the_deadline_before_saving(session, sign_in):
    make_complaint(session, place="文丰小区")
    client = sign_in("call_taker")
    lon, lat = PINGDU
    ask = {"category": "heat.none", "lon": lon, "lat": lat}
    assert client.post("/complaints/similar.json", json=ask).json[0]["metres"] == 0
    assert len(client.post("/complaints/similar.json", json={"category": "heat.none", "place": "文丰"}).json) == 1
    due = get(client, "/complaints/deadline.json?category=heat.cold")
    assert (due["complexity"], due["resolve_by"], due["calendar_missing"]) == (
        "ordinary",
        "2009-11-17T15:59:59Z",
        False,
    )
    assert (
        get(client, "/complaints/deadline.json?category=heat.cold&complexity=complex")["resolve_by"]
        == "2009-11-20T15:59:59Z"
    )
    assert get(client, "/complaints/deadline.json?category=nope", 422)["code"] == "unknown_category"
    assert get(client, "/complaints/deadline.json?category=heat.cold&complexity=x", 422)["code"] == "bad_input"
    assert client.post("/complaints/similar.json", json=ask | {"lon": "x"}).json["code"] == "bad_field"
    assert client.post("/complaints/similar.json", json=ask | {"lon": 500}).json["code"] == "bad_coordinates"


def test_a_step_of_the_crew_shows_in_the_list_at_once(session, sign_in):
    made = make_complaint(session, status="arrived")
    verbs.take_step(session, Who(NOW), made, "resolve", data={"answered": True})
    session.commit()
    card = get(sign_in("dispatcher"), "/complaints.json")["rows"][0]
    assert (card["status"], card["time_state"], card["closed_at"]) == ("answered", "done", "2009-11-17T02:00:00Z")
