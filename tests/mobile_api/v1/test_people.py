"""Enrolling a phone, and being turned away."""

from gis.journal import Who
from gis.people import actions
from gis.people.model import Device
from tests.conftest import NOW
from tests.factories import make_crew, make_user


def test_a_code_from_the_desk_becomes_a_token_once(client, session):
    user = make_user(session, role="inspector", full_name="王检")
    code = actions.offer_enrolment(session, Who(NOW), user.id)
    session.commit()
    answer = client.post("/api/v1/enrol", json={"code": code, "device_name": "红米"})
    assert answer.status_code == 201
    assert answer.json["user"] == {
        "id": user.id, "name": user.name, "full_name": "王检", "role": "inspector", "crew_id": None,
    }  # fmt: skip
    token = answer.json["token"]
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json["user"]["full_name"] == "王检"
    again = client.post("/api/v1/enrol", json={"code": code, "device_name": "红米"})
    assert (again.status_code, again.json["code"]) == (403, "enrolment_used")


def test_a_phone_learns_its_crew(session, phone_of):
    crew = make_crew(session, name="一班")
    assert phone_of("crew", crew_id=crew.id).get("/me").json["crew"] == {"id": crew.id, "name": "一班"}


def test_a_revoked_phone_is_told_so(session, crew_phone):
    assert crew_phone.get("/me").status_code == 200
    actions.revoke(session, Who(NOW), session.get(Device, crew_phone.device.id))
    session.commit()
    for answer in (crew_phone.get("/me"), crew_phone.post("/sync", {"queue_length": 0, "changes": []})):
        assert (answer.status_code, answer.json["code"]) == (401, "device_revoked")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_phone_of_somebody_who_left_is_turned_away(session, crew_phone):
    crew_phone.user.active = False
    session.commit()
    assert crew_phone.get("/orders").status_code == 401


def test_wrong_tokens_are_all_answered_alike(client):
    for header in ("", "Bearer", "Bearer x", "Basic abc", "Bearer " + "y" * 5000, "Bearer 令牌"):
        answer = client.get("/api/v1/me", headers={"Authorization": header.encode().decode("latin-1")})
        assert (answer.status_code, answer.json["code"]) == (401, "device_revoked")


def test_a_person_of_the_desk_has_no_phone(session, phone_of):
    answer = phone_of("planner").get("/orders")
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_the_phone_says_what_it_still_holds(session, crew_phone):
    crew_phone.sync(queue_length=7)
    session.expire_all()
    device = session.get(Device, crew_phone.device.id)
    assert (device.queue_length, device.last_seen_at) == (7, NOW)


def test_a_demo_account_speaks_from_this_machine_only(app, session, phone_of):
    phone = phone_of("inspector", is_demo=True)
    assert phone.get("/me").status_code == 200
    away = phone.client.get("/api/v1/me", headers=phone.headers, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert (away.status_code, away.json["code"]) == (403, "demo_account")
