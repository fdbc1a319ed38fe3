"""Orders that move: another time, another crew, locked, taken back, undone, not accepted in time, many at once."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import Range

from gis import journal
from gis.dispatch import acceptance, actions, moves, queries, together
from gis.dispatch.placing import Placing
from gis.dispatch.ranking import Search
from gis.dispatch.rules import (
    CrewBooked,
    NobodyFits,
    NotAllDone,
    OrderLocked,
    Terms,
    UndoTooLate,
    ViolationNotOverridden,
    WrongOrderStep,
)
from gis.errors import BadInput, StaleVersion
from gis.journal import Who
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order, make_user

TERMS = Terms(ZoneInfo("Asia/Shanghai"))


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture
def desk(session):
    return Who(NOW, make_user(session, full_name="王调度").id)


def later(who: Who, **by) -> Who:
    return Who(who.now + timedelta(**by), who.user_id)


def phone(session, crew, at=NOW):
    return Who(at, make_user(session, role="crew", crew_id=crew.id).id)


def assigned(session, who, crew=None, **fields):
    complaint = make_complaint(session)
    crew = crew or make_crew(session)
    order = actions.assign(session, who, complaint, crew, base_version=complaint.version, terms=TERMS, **fields)
    return order, complaint, crew


def last_of(session, order):
    return journal.timeline(session, "work_order", order.id)[-1]


# --- a chosen time ---------------------------------------------------------------------------------------------------
def test_a_crew_can_be_sent_at_a_chosen_time_and_its_time_before_stays_free(session, desk):
    order, _, crew = assigned(session, desk, start=NOW + minutes(120))
    assert order.during == Range(NOW + minutes(120), NOW + minutes(180))
    now, _, _ = assigned(session, desk, crew, start=NOW, override_reason="先到")
    assert now.during == Range(NOW, NOW + minutes(60))


def test_a_chosen_time_that_somebody_holds_is_refused_with_who_and_no_reason_helps(session, desk):
    order, _, crew = assigned(session, desk, start=NOW + minutes(60))
    with pytest.raises(CrewBooked) as refused:
        assigned(session, desk, crew, start=NOW + minutes(30), override_reason="急")
    assert refused.value.params["booked_by"] == "王调度" and refused.value.params["order_no"] == order.order_no


def test_a_ghost_tells_arrival_end_and_what_speaks_against_it_from_where_the_crew_will_be(session, desk):
    crew = make_crew(session, at=(119.96, 36.78))
    far = make_complaint(session, at=(120.05, 36.78))  # 8 km east: 19 minutes
    actions.assign(session, desk, far, crew, base_version=1, terms=TERMS)
    here = make_complaint(session)
    ghost = Placing(session, here, CITY, TERMS, NOW).at(crew.id, NOW + minutes(200))
    assert ghost.held is None and ghost.ranked.minutes == pytest.approx(19.2, abs=0.3)
    assert ghost.arrive_at == NOW + minutes(200 + ghost.ranked.minutes)
    assert {f.code for f in ghost.ranked.reasons} >= {"by_straight", "from_order", "has_skill"}
    held = Placing(session, here, CITY, TERMS, NOW).at(crew.id, NOW + minutes(10))
    assert held.held is not None and [f.code for f in held.ranked.violations] == ["busy_until"]
    night = Placing(session, here, CITY, TERMS, NOW).at(crew.id, NOW + timedelta(hours=12))
    assert [f.code for f in night.ranked.violations] == ["off_shift"]
    past = Placing(session, here, CITY, TERMS, NOW).at(make_crew(session).id, NOW - timedelta(hours=3))
    assert past.ranked.slot.start == NOW
    with pytest.raises(BadInput):
        Placing(session, here, CITY, TERMS, NOW).at(crew.id, NOW + timedelta(days=9))


# --- moving ----------------------------------------------------------------------------------------------------------
def test_another_time_is_the_same_order_and_stays_accepted(session, desk):
    order, complaint, crew = assigned(session, desk)
    actions.accept(session, phone(session, crew), order)
    moved = moves.move(session, desk, order, crew, start=NOW + minutes(90), base_version=2, terms=TERMS)
    assert moved is order and order.status == complaint.status == "accepted"
    assert order.during == Range(NOW + minutes(90), NOW + minutes(150))
    row = last_of(session, order)
    assert (row["verb"], row["version"], row["data"]["was"]["start"]) == ("reschedule", 3, NOW.isoformat())
    with pytest.raises(StaleVersion):
        moves.move(session, desk, order, crew, start=NOW, base_version=2, terms=TERMS)


def test_another_crew_gets_an_order_of_its_own_and_the_first_is_told_why_it_is_gone(session, desk):
    order, complaint, crew = assigned(session, desk)
    actions.accept(session, phone(session, crew), order)
    other = make_crew(session)
    moved = moves.move(session, desk, order, other, start=NOW + minutes(30), terms=TERMS)
    assert (order.status, order.recall_reason) == ("recalled", "reassigned")
    assert (moved.crew_id, moved.status, complaint.status) == (other.id, "assigned", "assigned")
    assert moved.during.lower == NOW + minutes(30)
    assert last_of(session, moved)["data"]["moved_from"] == order.id
    verbs = [row["verb"] for row in journal.timeline(session, "complaint", complaint.id)]
    assert verbs == ["assign", "accept", "recall", "assign"]
    assert queries.orders_of_crew(session, crew.id) == [] and queries.open_order(session, complaint.id) is moved


def test_a_move_onto_a_held_time_tells_who_holds_it_and_changes_nothing(session, desk):
    li = Who(NOW, make_user(session, full_name="李调度").id)
    first, _, crew = assigned(session, li)
    order, _, own = assigned(session, desk)
    with pytest.raises(CrewBooked) as refused, session.begin_nested():
        moves.move(session, desk, order, crew, start=NOW + minutes(10), terms=TERMS, override_reason="急")
    assert refused.value.params["booked_by"] == "李调度" and refused.value.params["order_no"] == first.order_no
    session.refresh(order)
    assert (order.status, order.crew_id, order.during.lower) == ("assigned", own.id, NOW)


def test_a_move_to_a_crew_that_does_not_fit_needs_a_reason_and_a_new_time_is_only_asked_about_time(session, desk):
    order, _, crew = assigned(session, desk, make_crew(session, skills=()), override_reason="只有他们")
    with pytest.raises(ViolationNotOverridden) as refused, session.begin_nested():
        moves.move(session, desk, order, crew, start=NOW + timedelta(hours=12), terms=TERMS)
    assert refused.value.params["codes"] == ["off_shift"]
    moves.move(session, desk, order, crew, start=NOW + minutes(20), terms=TERMS)
    unskilled = make_crew(session, skills=("gas",))
    with pytest.raises(ViolationNotOverridden), session.begin_nested():
        moves.move(session, desk, order, unskilled, terms=TERMS)
    moved = moves.move(session, desk, order, unskilled, terms=TERMS, override_reason="顺路")
    assert moved.override_reason == "顺路"


def test_an_order_whose_crew_has_arrived_stays_where_it_is(session, desk):
    order, _, crew = assigned(session, desk)
    own = phone(session, crew)
    actions.accept(session, own, order)
    actions.arrive(session, own, order)
    for deed in (
        lambda: moves.move(session, desk, order, make_crew(session), terms=TERMS),
        lambda: moves.take_back(session, desk, order),
    ):
        with pytest.raises(WrongOrderStep), session.begin_nested():
            deed()


def test_a_locked_order_is_neither_moved_nor_taken_back_until_it_is_unlocked(session, desk):
    order, _, crew = assigned(session, desk)
    moves.lock(session, desk, order, base_version=1)
    assert order.locked and last_of(session, order)["verb"] == "lock"
    for deed in (
        lambda: moves.move(session, desk, order, crew, start=NOW + minutes(30), terms=TERMS),
        lambda: moves.move(session, desk, order, make_crew(session), terms=TERMS),
        lambda: moves.take_back(session, desk, order),
        lambda: actions.recall(session, desk, order, terms=TERMS),
    ):
        with pytest.raises(OrderLocked), session.begin_nested():
            deed()
    moves.lock(session, desk, order, False)
    assert moves.take_back(session, desk, order).recall_reason == "by_desk"


# --- undo ------------------------------------------------------------------------------------------------------------
def test_undoing_a_new_time_gives_the_old_one_back_exactly(session, desk):
    order, _, crew = assigned(session, desk)
    before = (order.during, order.minutes, order.metres)
    moves.move(session, desk, order, crew, start=NOW + minutes(90), terms=TERMS)
    moves.undo(session, later(desk, seconds=60), order, terms=TERMS)
    assert (order.during, order.minutes, order.metres) == before


def test_undoing_another_crew_gives_the_first_its_very_order_back(session, desk):
    order, complaint, _crew = assigned(session, desk)
    moved = moves.move(session, desk, order, make_crew(session), terms=TERMS)
    back = moves.undo(session, later(desk, seconds=20), moved, terms=TERMS)
    assert back is order and (order.status, order.recall_reason, order.ended_at) == ("assigned", None, None)
    assert (moved.status, moved.recall_reason, complaint.status) == ("recalled", "undone", "assigned")
    assert queries.open_order(session, complaint.id) is order


def test_undoing_what_was_taken_back_gives_it_again_unless_somebody_has_the_time_now(session, desk):
    order, complaint, crew = assigned(session, desk)
    moves.take_back(session, desk, order)
    assert complaint.status == "received"
    assert moves.undo(session, desk, order, terms=TERMS).status == complaint.status == "assigned"
    moves.take_back(session, later(desk, seconds=1), order)
    taken, _, _ = assigned(session, desk, crew)
    with pytest.raises(CrewBooked) as refused, session.begin_nested():
        moves.undo(session, later(desk, seconds=2), order, terms=TERMS)
    assert refused.value.params["order_no"] == taken.order_no


def test_undo_is_for_who_did_it_in_time_and_before_anybody_else_did_something(session, desk):
    order, _, crew = assigned(session, desk)
    moves.move(session, desk, order, crew, start=NOW + minutes(90), terms=TERMS)
    for someone in (later(desk, seconds=61), Who(NOW, make_user(session).id)):
        with pytest.raises(UndoTooLate):
            moves.undo(session, someone, order, terms=TERMS)
    actions.accept(session, phone(session, crew), order)
    with pytest.raises(UndoTooLate):
        moves.undo(session, desk, order, terms=TERMS)


# --- not accepted in time --------------------------------------------------------------------------------------------
def test_an_order_that_is_not_accepted_in_time_is_told_once_and_the_next_best_is_another_crew(session, desk):
    order, complaint, crew = assigned(session, desk)
    other = make_crew(session, at=(119.99, 36.78))
    clock = Who(NOW + minutes(9.9))
    assert acceptance.tell_lapsed(session, clock, TERMS) == []
    clock = Who(NOW + minutes(10))
    assert acceptance.tell_lapsed(session, clock, TERMS) == [complaint.id]
    assert acceptance.tell_lapsed(session, clock, TERMS) == []
    assert (order.status, order.lapsed_at) == ("assigned", clock.now)
    assert journal.timeline(session, "complaint", complaint.id)[-1]["verb"] == "lapse"
    ranked = Search(session, complaint, CITY, TERMS, clock.now).best(2).crews
    assert [r.id for r in ranked] == [other.id, crew.id]
    assert "not_accepted" in [f.code for f in ranked[1].violations]
    moved = moves.move(session, Who(clock.now, desk.user_id), order, other, terms=TERMS)
    assert order.recall_reason == "not_accepted" and moved.crew_id == other.id


def test_a_crew_that_accepts_late_still_has_its_order_and_nothing_against_it(session, desk):
    order, complaint, crew = assigned(session, desk)
    acceptance.tell_lapsed(session, Who(NOW + minutes(11)), TERMS)
    actions.accept(session, phone(session, crew, NOW + minutes(12)), order)
    assert order.status == "accepted" and queries.declined(session, complaint.id) == {}


def test_a_complaint_is_not_offered_again_to_a_crew_that_gave_it_back_but_for_a_reason(session, desk):
    order, complaint, crew = assigned(session, desk)
    actions.return_order(session, phone(session, crew), order, "no_material")
    found = Search(session, complaint, CITY, TERMS, NOW).one(crew.id)[0]
    assert [(f.code, dict(f.params)) for f in found.violations] == [("gave_back", {"reason": "no_material"})]
    with pytest.raises(ViolationNotOverridden):
        actions.assign(session, desk, complaint, crew, base_version=None, terms=TERMS)
    again = actions.assign(session, desk, complaint, crew, base_version=None, terms=TERMS, override_reason="材料到了")
    assert again.override_reason == "材料到了"


def test_the_next_best_is_sent_by_itself_until_nobody_fits_and_nothing_goes_to_and_fro(session, desk):
    _order, complaint, first = assigned(session, desk)
    second = make_crew(session, at=(119.99, 36.78))
    at = NOW
    for expected in (second.id, None):
        at += minutes(11)
        assert acceptance.tell_lapsed(session, Who(at), TERMS) == [complaint.id]
        sent = acceptance.offer_again(session, Who(at), complaint.id, TERMS)
        assert (sent.crew_id if sent else None) == expected
    assert queries.open_order(session, complaint.id).crew_id == second.id  # with the dispatcher now
    assert set(queries.declined(session, complaint.id)) == {first.id, second.id}


def test_what_was_given_back_for_want_of_skill_goes_to_the_next_crew(session, desk):
    order, complaint, crew = assigned(session, desk)
    other = make_crew(session, at=(119.99, 36.78))
    actions.return_order(session, phone(session, crew), order, "no_skill")
    assert acceptance.given_back(session, NOW - minutes(1)) == [(order.id, complaint.id)]
    assert acceptance.offer_again(session, Who(NOW), complaint.id, TERMS).crew_id == other.id
    assert acceptance.given_back(session, NOW - minutes(1)) == []


# --- many at once ----------------------------------------------------------------------------------------------------
def wish(verb="assign", **more):
    return together.Wish(verb, CITY, TERMS, **more)


def items(*complaints):
    return [together.Item(c.id, c.version) for c in complaints]


def test_each_of_many_gets_its_best_crew_and_no_crew_is_used_twice(session, desk):
    crews = {make_crew(session, at=(119.96 + 0.01 * n, 36.78)).id for n in range(3)}
    rows = [make_complaint(session) for _ in range(3)]
    done = together.all_or_none(session, desk, wish(), items(*rows))
    assert {o.order.crew_id for o in done} == crews and len(done) == 3


def test_one_that_fails_undoes_all_and_each_is_told_why(session, desk):
    make_crew(session)
    rows = [make_complaint(session) for _ in range(2)]
    closed = make_complaint(session, status="confirmed")
    with pytest.raises(NotAllDone) as refused, session.begin_nested():
        together.all_or_none(session, desk, wish(), items(*rows, closed))
    assert refused.value.params == {"failed_count": 2, "asked": 3}
    assert next(type(o.error) for o in refused.value.outcomes if o.error) is NobodyFits
    assert [queries.open_order(session, c.id) for c in rows] == [None, None]


def test_many_for_one_crew_are_queued_one_after_the_other(session, desk):
    crew = make_crew(session)
    rows = [make_complaint(session, resolve_by=NOW + timedelta(hours=5 - n)) for n in range(4)]
    done = together.all_or_none(session, desk, wish(crew=crew), items(*rows))
    assert [o.complaint_id for o in done] == [row.id for row in reversed(rows)]
    assert [o.order.during.lower for o in done] == [NOW + minutes(60 * n) for n in range(4)]


def test_many_are_locked_and_taken_back_and_a_locked_one_says_so(session, desk):
    rows = [assigned(session, desk)[1] for _ in range(3)]
    together.all_or_none(session, desk, wish("lock"), items(rows[0]))
    with pytest.raises(NotAllDone) as refused, session.begin_nested():
        together.all_or_none(session, desk, wish("recall"), items(*rows))
    assert [type(o.error).__name__ for o in refused.value.outcomes if o.error] == ["OrderLocked"]
    assert all(queries.open_order(session, c.id) for c in rows)
    together.all_or_none(session, desk, wish("unlock"), items(rows[0]))
    done = together.all_or_none(session, desk, wish("recall"), items(*rows))
    assert {o.order.status for o in done} == {"recalled"}


def test_a_move_keeps_its_hands_off_an_order_of_a_crew_that_overruns(session, desk):
    crew = make_crew(session)
    make_order(session, crew=crew, during=Range(NOW - minutes(180), NOW - minutes(60)), status="arrived")
    order, _, _ = assigned(session, desk)
    with pytest.raises(CrewBooked), session.begin_nested():
        moves.move(session, desk, order, crew, start=NOW, terms=TERMS, override_reason="急")
