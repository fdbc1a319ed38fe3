"""What phones did without signal: applied once, answered the same for ever, and never blocking one another."""

import copy
import hashlib
import json

import pytest
from sqlalchemy import func, select

from gis.inspections.model import Change, ChangeVariant, CheckAnswer, Inspection, InspectionPhoto
from gis.inspections.sync_model import AwaitedPhoto
from gis.journal import JournalEntry
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_site
from tests.phones import change, picture, sha256_of, submitting, visit


def _count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


def test_a_checklist_with_photos_is_kept_with_a_receipt_for_every_part(session, phone_of):
    site, phone, data = make_site(session), phone_of(), picture()
    photo = phone.put_photo(data).json["sha256"]
    place = {"lon": 119.96, "lat": 36.78, "accuracy_m": 8.5}
    sent = submitting(visit(site_id=site.id, position=place, photos=[
        {"sha256": photo, "item_id": "4.1", "taken_at": "2009-11-17T01:58:00Z", "position": place},
        {"sha256": photo, "item_id": None, "taken_at": "2009-11-17T01:58:00+08:00", "position": None}]))  # fmt: skip
    (result,) = phone.sync(sent)
    assert result == {
        "id": sent["id"], "verdict": "applied", "retry": False, "hint": "never",
        "receipt": {"change_sha256": sha256_of(sent), "parts": [photo]},
        "thing": {"id": sent["payload"]["inspection_id"], "version": 1, "status": "submitted"},
    }  # fmt: skip
    kept = session.scalars(select(Inspection)).one()
    assert (kept.site_id, kept.inspector_id, kept.received_at, kept.position_accuracy_m) == (
        site.id, phone.user.id, NOW, 8.5)  # fmt: skip
    assert (_count(session, CheckAnswer), _count(session, InspectionPhoto)) == (33, 2)
    entry = session.scalars(select(JournalEntry).where(JournalEntry.thing == "inspection")).one()
    assert (entry.verb, entry.version, entry.device_id, entry.data["no_count"]) == ("submit", 1, phone.device.id, 0)


def test_the_same_change_again_is_answered_with_the_same_bytes(session, phone_of):
    phone, sent = phone_of(), submitting(visit("no", site_id=make_site(session).id))
    body = {"queue_length": 1, "changes": [sent]}
    first, second = phone.post("/sync", body), phone.post("/sync", body)
    assert first.data == second.data
    assert _count(session, Inspection) == _count(session, Change) == 1


def test_other_content_under_the_same_id_is_kept_beside_it_for_review(session, phone_of):
    phone, first = phone_of(), submitting(visit(site_id=make_site(session).id))
    second = copy.deepcopy(first)
    second["payload"]["answers"][0]["answer"] = "no"
    assert phone.sync(first)[0]["verdict"] == "applied"
    for _ in range(2):
        (result,) = phone.sync(second)
        assert (result["verdict"], result["code"], result["retry"]) == ("conflict", "change_differs", False)
        assert result["receipt"]["change_sha256"] == sha256_of(second) != sha256_of(first)
    variant = session.scalars(select(ChangeVariant)).one()
    assert variant.body["payload"]["answers"][0]["answer"] == "no"
    assert phone.sync(first)[0]["verdict"] == "applied"
    assert session.scalars(select(CheckAnswer.answer).where(CheckAnswer.item_id == "1.1")).one() == "yes"


def test_a_form_goes_before_its_photo_and_shows_it_when_it_comes(session, phone_of):
    phone, data = phone_of(), picture(colour="blue")
    sha256 = hashlib.sha256(data).hexdigest()
    shot = {"sha256": sha256, "item_id": "3.1", "taken_at": "2009-11-17T01:58:00Z", "position": None}
    sent = submitting(visit(site_id=make_site(session).id, photos=[shot]))
    (result,) = phone.sync(sent)
    assert (result["verdict"], result["receipt"]["parts"]) == ("applied", [])
    assert (_count(session, InspectionPhoto), _count(session, AwaitedPhoto)) == (0, 1)
    phone.put_photo(data)
    assert (_count(session, InspectionPhoto), _count(session, AwaitedPhoto)) == (1, 0)
    phone.put_photo(data)
    assert phone.sync(sent)[0] == result


def test_one_poisoned_change_never_blocks_the_rest(session, phone_of):
    phone, site = phone_of(), make_site(session)
    good = [submitting(visit(site_id=site.id)) for _ in range(2)]
    bad = [
        submitting(visit(site_id=site.id, surprise=1)),
        change("order.explode", 1),
        "not even an object",
        {"id": "no uuid", "kind": "order.accept"},
        submitting(visit(site_id=site.id, note="bell \u0007")),
        submitting(visit(site_id=site.id, note="nul \u0000")),
        submitting(visit(site_id=10**15)),
        submitting(visit(site_id=site.id, checklist_revision=99)),
        submitting(visit(site_id=site.id, started_at="yesterday")),
        submitting(visit(site_id=site.id, position={"lon": 200, "lat": 0})),
        change("order.return", 5, {"reason": "tired"}),
    ]
    results = phone.sync(good[0], *bad, good[1])
    assert [r["verdict"] for r in results] == ["applied", *["refused"] * len(bad), "applied"]
    assert "surprise" in results[1]["detail"] and results[1]["code"] == "bad_fields"
    assert not any(r["retry"] for r in results)
    assert _count(session, Inspection) == 2
    assert phone.sync(*bad) == results[1:-1]


def test_numbers_that_json_cannot_say_are_refused_not_retried(phone_of):
    phone = phone_of()
    text = json.dumps({"queue_length": 0, "changes": [change("crew.position", None, {"lon": 1, "lat": 2})]})
    answer = phone.client.post("/api/v1/sync", data=text.replace('"lon": 1', '"lon": 1e999'),
                               headers=phone.headers, content_type="application/json")  # fmt: skip
    (result,) = answer.json["results"]
    assert (result["verdict"], result["code"], result["retry"]) == ("refused", "bad_fields", False)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [(b"{", "application/json", 400, "bad_json"), (b"[" * 100_000, "application/json", 400, "bad_json"),
     (b"NaN", "application/json", 400, "bad_json"), (b'"\\ud800"', "application/json", 400, "bad_json"),
     (b"", "application/json", 400, "bad_json"), (b"{}", "text/plain", 415, "wrong_type"),
     (b"[]", "application/json", 422, "bad_fields"), (b"{}", "application/json", 422, "bad_fields"),
     (b'{"queue_length":0,"changes":[],"extra":1}', "application/json", 422, "bad_fields"),
     (b'{"queue_length":"3","changes":[]}', "application/json", 422, "bad_fields"),
     (b" " * (9 << 20), "application/json", 413, "too_large")],
)  # fmt: skip
def test_a_body_that_is_no_batch_is_refused_by_name(phone_of, body, kind, status, code):
    phone = phone_of()
    answer = phone.client.post("/api/v1/sync", data=body, headers=phone.headers, content_type=kind)
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (status, "application/problem+json", code)


def test_an_unknown_field_is_named(phone_of):
    answer = phone_of().post("/sync", {"queue_length": 0, "changes": [], "colour": "red"})
    assert "colour" in answer.json["detail"]


def test_an_unknown_path_or_method_is_a_problem_too(phone_of):
    phone = phone_of()
    missing, wrong = phone.get("/nothing"), phone.post("/me", {})
    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"stage": "during", "answers": [{"item_id": "4.7", "answer": "yes"}]}, "4.7 完工后才检查"),
     ({"answers": [{"item_id": "9.9", "answer": "yes"}]}, "9.9 没有这一项"),
     ({"answers": [{"item_id": "6.1", "answer": "yes"}]}, "6.1 不属于这类场所"),
     ({"answers": [{"item_id": "2.1", "answer": "na"}]}, "2.1 不能这样回答"),
     ({"answers": [{"item_id": "2.1", "answer": "yes"}] * 2}, "2.1 重复回答"),
     ({"checklist_code": "own"}, "own-1 没有这份检查表"), ({"order_id": 1}, "派工单与工地须二选一")],
)  # fmt: skip
def test_a_checklist_that_contradicts_itself_is_refused_by_item(session, phone_of, fields, reason):
    payload = visit(site_id=make_site(session).id) | fields
    (result,) = phone_of().sync(submitting(payload))
    assert (result["verdict"], result["code"]) == ("refused", "bad_checklist")
    assert reason in result["detail"]


def test_the_price_of_heating_materials_is_asked_of_heating_works_only(session, phone_of):
    answers = [{"item_id": "1.3", "answer": "no"}]
    heat, other = make_site(session), make_site(session, is_heating=False)
    results = phone_of().sync(*(submitting(visit(site_id=s.id, answers=answers)) for s in (heat, other)))
    assert [r["verdict"] for r in results] == ["applied", "refused"]
    assert "1.3 只查供热工程" in results[1]["detail"]


def test_an_incomplete_checklist_is_kept_all_the_same(session, phone_of):
    (result,) = phone_of().sync(submitting(visit(site_id=make_site(session).id, answers=[])))
    assert result["verdict"] == "applied"


def test_sites_and_orders_of_others_do_not_exist(session, phone_of):
    district, elsewhere = make_area(session), make_area(session)
    site = make_site(session, area_id=elsewhere.id)
    complaint = make_complaint(session, status="assigned", district_id=elsewhere.id)
    order = make_order(session, complaint)
    inspector = phone_of("inspector", area_id=district.id)
    crew = phone_of("crew", crew_id=make_crew(session).id)
    for phone in (inspector, crew, phone_of("crew")):
        results = phone.sync(
            submitting(visit(site_id=site.id)), submitting(visit(order_id=order.id)), change("order.accept", order.id)
        )
        assert [(r["verdict"], r["code"], r["thing"]) for r in results] == [("refused", "missing", None)] * 3
        assert phone.get("/orders").json["orders"] == []
    assert _count(session, Inspection) == 0


def test_a_crew_inspects_its_own_order_and_an_inspector_the_orders_of_the_area(session, phone_of):
    area, crew = make_area(session), make_crew(session)
    complaint = make_complaint(session, status="assigned", community_id=area.id)
    order = make_order(session, complaint, crew)
    for phone in (phone_of("crew", crew_id=crew.id), phone_of("inspector", area_id=area.id)):
        (result,) = phone.sync(submitting(visit(order_id=order.id)))
        assert result["verdict"] == "applied"
        assert [o["id"] for o in phone.get("/orders").json["orders"]] == [order.id]


def test_an_inspection_id_that_is_taken_is_a_conflict(session, phone_of):
    phone, payload = phone_of(), visit(site_id=make_site(session).id)
    first, second = submitting(payload), submitting(payload | {"note": "again"})
    assert [r["verdict"] for r in phone.sync(first, second)] == ["applied", "conflict"]
    assert phone.sync(second)[0]["code"] == "inspection_there"
    assert session.get(Change, __import__("uuid").UUID(second["id"])).body["payload"]["note"] == "again"


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2009-11-20T02:00:00+14:00", "2038-01-19T03:14:08.123456Z"])
def test_a_wrong_clock_loses_nothing(session, phone_of, at):
    payload = visit(site_id=make_site(session).id, started_at=at, finished_at="2009-11-17T01:00:00Z")
    (result,) = phone_of().sync(submitting(payload, at=at))
    assert result["verdict"] == "applied"
    assert session.scalars(select(Inspection)).one().received_at == NOW
