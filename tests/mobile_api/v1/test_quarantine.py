"""A phone that was signed off hands in what it holds, reads nothing, and a person decides; a phone's file goes the same way."""

from __future__ import annotations

import base64
import hashlib
import io
import json

import pytest
from sqlalchemy import select

from gis.inspections.model import Change, Inspection, InspectionPhoto
from gis.inspections.sync_model import QuarantinedChange
from gis.journal import Who
from gis.people import actions
from gis.people.model import Device
from tests.conftest import NOW
from tests.factories import make_area, make_site
from tests.phones import picture, sha256_of, submitting, visit


@pytest.fixture
def revoked(session, phone_of):
    phone = phone_of()
    actions.revoke(session, Who(NOW), session.get_one(Device, phone.device.id))
    session.commit()
    return phone


def _hand_in(phone, *changes):
    return phone.post("/quarantine", {"queue_length": len(changes), "changes": list(changes)})


def _work(session, data=None):
    shots = (
        [{"sha256": hashlib.sha256(data).hexdigest(), "item_id": "1.1", "taken_at": "2009-11-17T01:58:00Z"}]
        if data
        else []
    )
    return submitting(visit("no", site_id=make_site(session, name="红旗路工地").id, photos=shots))


def test_it_hands_in_and_reads_nothing(session, revoked):
    sent = _work(session)
    for path in ("/orders", "/sync", "/sites", "/me", "/checklists"):
        assert revoked.get(path).status_code == 401
    assert revoked.post("/sync", {"queue_length": 1, "changes": [sent]}).status_code == 401
    for _ in range(2):
        answer = _hand_in(revoked, sent)
        assert answer.json == {"kept": [{"id": sent["id"], "change_sha256": sha256_of(sent)}]}
    row = session.scalars(select(QuarantinedChange)).one()
    assert (row.state, row.source, row.kind) == ("waiting", "device", "inspection.submit")
    assert session.scalars(select(Inspection)).all() == session.scalars(select(Change)).all() == []
    assert session.get(Device, revoked.device.id, populate_existing=True).queue_length == 1


def test_a_photo_is_taken_only_when_a_change_that_was_handed_in_names_it(session, revoked):
    data, other = picture(), picture(colour="blue")
    _hand_in(revoked, _work(session, data))
    put = lambda d: revoked.client.put(  # noqa: E731
        f"/api/v1/quarantine/photos/{hashlib.sha256(d).hexdigest()}", data=d, headers=revoked.headers
    )
    assert (put(data).status_code, put(other).status_code) == (200, 404)


def test_somebody_without_a_token_hands_in_nothing(app):
    answer = app.test_client().post("/api/v1/quarantine", json={"queue_length": 0, "changes": []},
                                    headers={"Authorization": "Bearer nonsense"})  # fmt: skip
    assert answer.status_code == 401


def test_the_desk_releases_and_it_is_applied_as_if_its_phone_had_sent_it(session, revoked, sign_in):
    sent = _work(session)
    _hand_in(revoked, sent)
    desk = sign_in("supervisor")
    page = desk.get("/inspections/quarantine").text
    assert "红旗路工地" in page and revoked.user.full_name in page
    row = session.scalars(select(QuarantinedChange)).one()
    desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "released", "reason": "本人已核实"})
    session.refresh(row)
    assert (row.state, row.outcome["verdict"], row.decided_by) == ("released", "applied", desk.user.id)
    assert session.scalars(select(Inspection.inspector_id)).one() == revoked.user.id
    again = desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "discarded", "reason": "x"})
    assert again.status_code == 404
    assert "隔离区为空" in desk.get("/inspections/quarantine").text
    assert "本人已核实" in desk.get("/inspections/quarantine?all=1").text


def test_what_was_released_is_answered_the_same_when_the_phone_comes_back(session, revoked, sign_in):
    sent = _work(session)
    _hand_in(revoked, sent)
    row = session.scalars(select(QuarantinedChange)).one()
    sign_in("supervisor").post(f"/inspections/quarantine/{row.id}", data={"decision": "released"})
    session.get(Device, revoked.device.id).revoked_at = None
    session.commit()
    (result,) = revoked.sync(sent)
    assert result["verdict"] == "applied"
    assert len(session.scalars(select(Inspection)).all()) == 1


def test_discarding_needs_a_reason_and_throws_nothing_away(session, revoked, sign_in):
    _hand_in(revoked, _work(session))
    row, desk = session.scalars(select(QuarantinedChange)).one(), sign_in("supervisor")
    desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "discarded", "reason": " "})
    session.refresh(row)
    assert row.state == "waiting"
    desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "discarded", "reason": "重复填写"})
    session.refresh(row)
    assert (row.state, row.reason, row.body["kind"]) == ("discarded", "重复填写", "inspection.submit")
    assert session.scalars(select(Inspection)).all() == []


def test_a_person_of_another_district_sees_nothing_of_it(session, phone_of, sign_in):
    phone = phone_of(area_id=make_area(session).id)
    _hand_in(phone, submitting(visit(site_id=make_site(session, name="别区工地").id)))
    row = session.scalars(select(QuarantinedChange)).one()
    desk = sign_in("supervisor", area_id=make_area(session).id)
    assert "别区工地" not in desk.get("/inspections/quarantine").text
    assert desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "released"}).status_code == 404
    assert sign_in("dispatcher").get("/inspections/quarantine").status_code == 403


def _file(phone, *changes, photos=(), **head):
    told = {"format": "chengmai-phone-queue", "version": 1, "device": phone.device.name, "device_id": phone.device.id,
            "user": {"id": phone.user.id, "name": phone.user.name}, "drafts": [],
            "changes": [c | {"sha256": sha256_of(c), "state": "waiting", "code": None} for c in changes],
            "photos": [{"sha256": hashlib.sha256(d).hexdigest(), "name": "a.jpg", "base64": base64.b64encode(d).decode()}
                       for d in photos]} | head  # fmt: skip
    return {"file": (io.BytesIO(json.dumps(told).encode()), "queue.json")}


def test_the_file_that_a_phone_wrote_is_taken_in_and_released(session, phone_of, sign_in):
    phone, data, desk = phone_of(), picture(), sign_in("supervisor")
    sent = _work(session, data)
    for _ in range(2):
        answer = desk.post(
            "/inspections/quarantine/file", data=_file(phone, sent, photos=[data]), follow_redirects=True
        )
        assert answer.status_code == 200
    row = session.scalars(select(QuarantinedChange)).one()
    assert (row.source, row.device_id) == ("file", phone.device.id)
    desk.post(f"/inspections/quarantine/{row.id}", data={"decision": "released"})
    assert session.scalars(select(InspectionPhoto.sha256)).one() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "broken", [{"format": "something"}, {"changes": [{"id": "no"}]}, {"user": None}, {"changes": 5}, {"device_id": 0}]
)
def test_a_file_that_no_phone_wrote_takes_nothing_in(session, phone_of, sign_in, broken):
    answer = sign_in("supervisor").post("/inspections/quarantine/file", data=_file(phone_of(), _work(session), **broken),
                                        follow_redirects=True)  # fmt: skip
    assert answer.status_code == 200
    assert session.scalars(select(QuarantinedChange)).all() == []


def test_a_file_whose_contents_were_altered_is_refused(session, phone_of, sign_in):
    phone, sent = phone_of(), _work(session)
    told = _file(phone, sent)
    text = told["file"][0].getvalue().replace(b'"no"', b'"yes"')
    sign_in("supervisor").post("/inspections/quarantine/file", data={"file": (io.BytesIO(text), "q.json")})
    assert session.scalars(select(QuarantinedChange)).all() == []
