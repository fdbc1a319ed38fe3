"""The phone's batches of points: answered the same however often they come, by the server's clock, and only a crew's."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from gis.dispatch.track_actions import forget
from gis.dispatch.track_model import CrewPosition
from gis.inspections.model import Change
from gis.journal import Who
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order
from tests.phones import change

YEARS = timedelta(days=365 * 8)


def point(ago_s: float, metres: float = 0.0, *, clock=timedelta(0), **fields):
    at = NOW - timedelta(seconds=ago_s) + clock
    made = {
        "id": str(uuid.uuid4()),
        "at": at.isoformat(),
        "lon": 119.96 + metres / 89_150,
        "lat": 36.78,
        "accuracy_m": 8.0,
    }
    return made | fields


def batch(*points, clock=timedelta(0), **fields):
    return {"sent_at": (NOW + clock).isoformat(), "positions": list(points)} | fields


@pytest.fixture
def crew(session):
    return make_crew(session, position_at=NOW - timedelta(hours=2))


@pytest.fixture
def phone(phone_of, crew):
    return phone_of("crew", crew_id=crew.id)


def verdicts(answer):
    assert answer.status_code == 200, answer.text
    return [(r["verdict"], r["code"]) for r in answer.json["results"]]


def test_a_batch_is_taken_in_once_however_often_it_comes(session, phone, crew):
    sent = batch(point(300), point(200, 400), point(100, 900))
    assert verdicts(phone.post("/positions", sent)) == [("applied", None)] * 3
    assert verdicts(phone.post("/positions", sent)) == [("duplicate", None)] * 3
    session.refresh(crew)
    assert crew.position_at == NOW - timedelta(seconds=100) and crew.position_accuracy_m == 8.0
    assert len(session.scalars(select(CrewPosition)).all()) == 3


def test_a_phone_whose_clock_is_years_wrong_is_where_and_when_it_was(session, phone, crew):
    sent = batch(point(90, clock=-YEARS), clock=-YEARS)
    assert verdicts(phone.post("/positions", sent)) == [("applied", None)]
    assert session.scalars(select(CrewPosition.at)).one() == NOW - timedelta(seconds=90)


def test_absurd_points_are_told_and_do_not_hold_up_the_others(phone):
    sent = batch(point(-600), point(120, lon=0.0, lat=0.0), point(100), point(50, 40_000))
    assert verdicts(phone.post("/positions", sent)) == [
        ("refused", "future"), ("refused", "no_place"), ("applied", None), ("applied", "doubted"),
    ]  # fmt: skip


def test_whoever_switched_it_off_is_not_followed_and_the_desk_is_told(session, phone, crew, sign_in):
    assert verdicts(phone.post("/positions", batch(point(60), sharing=False))) == [("refused", "sharing_off")]
    assert not session.scalars(select(CrewPosition)).all()
    (row,) = [c for c in sign_in("dispatcher").get("/crews.json").json if c["id"] == crew.id]
    assert row["hidden_at"] == "2009-11-17T02:00:00Z"
    phone.post("/positions", batch(point(30)))
    (row,) = [c for c in sign_in("dispatcher").get("/crews.json").json if c["id"] == crew.id]
    assert row["hidden_at"] is None and row["accuracy_m"] == 8.0


def test_a_step_with_a_place_leaves_a_point_of_its_order(session, phone, crew):
    order = make_order(session, make_complaint(session, status="accepted"), crew, status="accepted",
                       assigned_at=NOW - timedelta(hours=1))  # fmt: skip
    session.commit()
    (result,) = phone.sync(
        change("order.arrive", order.id, {"position": {"lon": 119.96, "lat": 36.78, "accuracy_m": 5.0}},
               at=(NOW - timedelta(minutes=1)).isoformat())
    )  # fmt: skip
    assert result["verdict"] == "applied"
    row = session.scalars(select(CrewPosition)).one()
    assert (row.why, row.order_id) == ("arrive", order.id)


def test_another_crews_order_is_not_named_by_a_point(session, phone):
    other = make_order(session)
    session.commit()
    assert verdicts(phone.post("/positions", batch(point(60, order_id=other.id)))) == [("applied", None)]
    assert session.scalars(select(CrewPosition.order_id)).one() is None


def test_an_inspector_without_a_crew_is_not_followed(phone_of):
    assert phone_of("inspector").post("/positions", batch()).status_code == 404


def test_a_crew_at_work_that_gives_no_sign_is_silent_in_the_list(session, sign_in, phone_of):
    crew = make_crew(session, position_at=NOW - timedelta(minutes=40))
    make_order(session, make_complaint(session, status="accepted"), crew, status="accepted")
    session.commit()
    desk = sign_in("dispatcher")
    state = {c["id"]: c["state"] for c in desk.get("/crews.json").json}
    assert state[crew.id] == "silent"
    phone_of("crew", crew_id=crew.id).get("/me")  # its phone calls
    state = {c["id"]: c["state"] for c in desk.get("/crews.json").json}
    assert state[crew.id] == "stale"


def test_the_track_of_a_day_needs_the_right_and_a_purpose(session, phone, crew, sign_in):
    phone.post("/positions", batch(point(300), point(100, 900)))
    url = f"/crews/{crew.id}/track"
    assert sign_in("planner").post(url, json={"purpose": "safety"}).status_code == 403
    desk = sign_in("dispatcher")
    assert desk.post(url, json={"purpose": "curiosity"}).status_code == 422
    points = desk.post(url, json={"purpose": "safety"}).json["points"]
    assert [p["why"] for p in points] == ["moving", "moving"]


def test_the_place_of_an_old_change_is_forgotten_too_and_the_change_stays_answered(session, phone, crew):
    order = make_order(session, make_complaint(session, status="assigned"), crew, assigned_at=NOW - timedelta(hours=1))
    session.commit()
    place = {"lon": 119.96, "lat": 36.78, "accuracy_m": 5.0}
    sent = [change("crew.position", crew.id, place), change("order.accept", order.id, {"position": place})]
    sent.append(change("order.arrive", order.id, {"position": place}))
    first = phone.sync(*sent)
    assert [r["verdict"] for r in first] == ["applied"] * 3
    for _ in range(2):
        forget(session, Who(NOW + timedelta(days=8)), days=7)
    session.commit()
    session.expire_all()
    kept = {c.kind: c.body["payload"] for c in session.scalars(select(Change))}
    assert kept["crew.position"] == {} and "position" not in kept["order.accept"]
    assert kept["order.arrive"]["position"]["lon"] == 119.96
    assert phone.sync(*sent) == first
