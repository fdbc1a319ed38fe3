"""Orders on a phone: the steps, who may see the caller, what was changed at the desk meanwhile."""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from gis import journal
from gis.complaints.model import Caller
from gis.dispatch import actions as dispatch
from gis.dispatch import moves
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.rules import Terms
from gis.journal import JournalEntry, Who
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order
from tests.phones import change


@pytest.fixture
def order(session, crew_phone) -> WorkOrder:
    complaint = make_complaint(session, status="assigned")
    session.add(Caller(complaint_id=complaint.id, name="李四", phone="13800005678", door_no="3-201"))
    made = make_order(session, complaint, session.get(Crew, crew_phone.user.crew_id))
    session.commit()
    return made


def _step(phone, order, verb, payload=None, **fields):
    (result,) = phone.sync(change(f"order.{verb}", order.id, payload, **fields))
    return result


def test_a_crew_accepts_arrives_and_resolves(session, crew_phone, order):
    for version, (verb, status) in enumerate(
        [("accept", "accepted"), ("arrive", "arrived"), ("resolve", "resolved")], start=1
    ):
        result = _step(crew_phone, order, verb, {"note": "好了"} if verb == "resolve" else {}, base_version=version)
        assert result["verdict"] == "applied"
        assert result["thing"] == {"id": str(order.id), "version": version + 1, "status": status}
    session.refresh(order)
    assert (order.note, order.resolved_at) == ("好了", NOW)
    (shown,) = crew_phone.get("/orders").json["orders"]
    assert (shown["status"], shown["mine"], shown["caller"]) == ("resolved", True, None)


def test_an_order_is_given_back_with_a_coded_reason(session, crew_phone, order):
    result = _step(crew_phone, order, "return", {"reason": "no_access", "note": "家里没人"})
    session.refresh(order)
    assert (result["verdict"], result["thing"]["status"], order.return_reason) == ("applied", "returned", "no_access")
    assert crew_phone.get("/orders").json["orders"] == []


def test_an_order_says_until_when_it_is_to_be_accepted_until_it_is(crew_phone, order):
    (shown,) = crew_phone.get("/orders").json["orders"]
    assert shown["accept_by"].startswith("2009-11-17T02:10:00") and shown["recall_reason"] is None
    _step(crew_phone, order, "accept")
    assert crew_phone.get("/orders").json["orders"][0]["accept_by"] is None


def test_a_step_out_of_order_is_refused_by_name_and_stays_refused(crew_phone, order):
    sent = change("order.resolve", order.id)
    first = crew_phone.sync(sent)
    assert (first[0]["verdict"], first[0]["code"]) == ("refused", "wrong_order_step")
    assert first[0]["thing"] == {"id": str(order.id), "version": 1, "status": "assigned"}
    _step(crew_phone, order, "accept")
    _step(crew_phone, order, "arrive")
    assert crew_phone.sync(sent) == first


def test_a_step_and_what_the_desk_wrote_meanwhile_both_hold(session, crew_phone, order):
    order.note = "从东门进"
    session.commit()
    result = _step(crew_phone, order, "accept", base_version=1)
    assert (result["verdict"], result["merged"]) == ("applied", ["edit"])
    session.refresh(order)
    assert (order.status, order.note, order.version) == ("accepted", "从东门进", 3)


def test_a_step_on_an_order_that_was_given_another_hour_meanwhile_is_true_all_the_same_and_both_are_told(
    session, crew_phone, order
):
    taken = _step(crew_phone, order, "accept", base_version=1)
    later = order.during.lower + timedelta(hours=26)
    crew, terms = session.get_one(Crew, order.crew_id), Terms(ZoneInfo("Asia/Shanghai"))
    moves.move(session, Who(NOW), order, crew, start=later, terms=terms, override_reason="居民改约")
    session.commit()
    arrived = _step(crew_phone, order, "arrive", base_version=taken["thing"]["version"])
    assert (arrived["verdict"], arrived["merged"]) == ("applied", ["reschedule"])
    session.refresh(order)
    assert order.status == "arrived"


def test_an_order_that_the_desk_moved_on_meanwhile_is_a_conflict(session, crew_phone, order):
    dispatch.release(session, Who(NOW), order.complaint_id)
    session.commit()
    result = _step(crew_phone, order, "accept", base_version=1)
    assert (result["verdict"], result["code"], result["retry"], result["hint"]) == (
        "conflict", "stale_version", False, "changed")  # fmt: skip
    assert result["thing"] == {"id": str(order.id), "version": 2, "status": "recalled"}


def test_the_steps_of_a_day_without_signal_come_in_one_batch(crew_phone, order):
    steps = [change(f"order.{verb}", order.id) for verb in ("accept", "arrive", "resolve")]
    assert [r["verdict"] for r in crew_phone.sync(*steps)] == ["applied"] * 3
    # … and once more, in another order
    assert [r["verdict"] for r in crew_phone.sync(*reversed(steps))] == ["applied"] * 3


def test_the_caller_is_shown_after_acceptance_only_and_the_journal_says_to_whom(session, crew_phone, order, phone_of):
    assert crew_phone.get("/orders").json["orders"][0]["caller"] is None
    _step(crew_phone, order, "accept")
    for _ in range(2):
        (shown,) = crew_phone.get("/orders").json["orders"]
        assert shown["caller"] == {"name": "李四", "phone": "13800005678", "door_no": "3-201"}
    looks = session.scalars(select(JournalEntry).where(JournalEntry.verb == "unmask")).all()
    assert [(e.user_id, e.thing_id) for e in looks] == [(crew_phone.user.id, str(order.complaint_id))]
    inspector = phone_of("inspector")
    assert inspector.get("/orders").json["orders"][0]["caller"] is None


def test_an_inspector_of_no_crew_cannot_step_an_order(session, phone_of, order):
    result = _step(phone_of("inspector"), order, "accept")
    assert (result["verdict"], result["code"]) == ("refused", "missing")
    session.refresh(order)
    assert order.status == "assigned"


def test_the_crew_is_where_its_phone_is_and_never_in_the_future(session, crew_phone):
    crew = session.get(Crew, crew_phone.user.crew_id)
    place = {"lon": 119.97, "lat": 36.79, "accuracy_m": 12}
    (result,) = crew_phone.sync(change("crew.position", crew.id, place, at="2031-01-01T00:00:00Z"))
    assert (result["verdict"], result["thing"]["status"]) == ("applied", "moved")
    session.refresh(crew)
    assert (crew.position_at, crew.position_accuracy_m) == (NOW, 12)
    (other,) = crew_phone.sync(change("crew.position", make_crew(session).id, place))
    assert (other["verdict"], other["code"]) == ("refused", "missing")


def test_what_changed_after_a_cursor_is_told_to_the_crew_alone(committed, tmp_path):
    """On a database of its own: the journal shows only what other transactions have committed."""
    from gis.people import actions
    from gis.settings import Settings
    from tests.factories import make_user
    from webapp.app import create_app

    url = committed.kw["bind"].url.render_as_string(hide_password=False)
    app = create_app(Settings(data_dir=tmp_path, database_url=url), clock=lambda: NOW)
    with committed.begin() as session:
        crews = [make_crew(session) for _ in range(2)]
        tokens = []
        for crew in crews:
            user = make_user(session, role="crew", crew_id=crew.id)
            tokens.append(actions.enrol(session, Who(NOW), actions.offer_enrolment(session, Who(NOW), user.id), "")[0])
        mine, other = (make_order(session, crew=crew) for crew in crews)

    def get(path: str, token: str = tokens[0]):
        return app.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).json

    first = get("/orders")
    assert [o["id"] for o in first["orders"]] == [mine.id]
    assert get(f"/sync?after={first['cursor']}")["orders"] == []
    with committed.begin() as session:
        for order in (mine, other):
            session.execute(
                text(
                    "UPDATE work_order SET status = 'recalled', recall_reason = 'reassigned', version = 2 WHERE id = :id"
                ),
                {"id": order.id},
            )
            journal.write(session, Who(NOW), "recall", "work_order", order.id, version=2)
    deadline = time.monotonic() + 60  # the journal waits for older transactions, on a shared server anybody's
    while not (page := get(f"/sync?after={first['cursor']}"))["orders"] and time.monotonic() < deadline:
        time.sleep(0.1)
    if not page["orders"]:
        pytest.skip("somebody else's long transaction on this server holds the journal back")
    assert [(o["id"], o["status"], o["version"]) for o in page["orders"]] == [(mine.id, "recalled", 2)]
    assert page["orders"][0]["recall_reason"] == "reassigned"
    assert not page["more"] and get(f"/sync?after={page['cursor']}")["orders"] == []
    app.extensions["engine"].dispose()


@pytest.mark.parametrize("after", ["x", "1", "1.x", "-1.0", "9" * 39, f"{2**64}.0", f"0.{2**63}", "٣.٣"])
def test_a_cursor_that_is_none_is_refused_by_name(crew_phone, after):
    answer = crew_phone.get(f"/sync?after={after}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
