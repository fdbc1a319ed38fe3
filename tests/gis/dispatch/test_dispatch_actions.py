"""The verbs of dispatch, on a real database."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis import journal
from gis.complaints.rules import WrongStep
from gis.dispatch import actions, queries
from gis.dispatch.model import CrewSkill, Shift, WorkOrder
from gis.dispatch.ranking import Search
from gis.dispatch.rules import (
    AlreadyAssigned,
    CrewBooked,
    OrderStatus,
    Terms,
    UndoTooLate,
    UnknownReturnReason,
    ViolationNotOverridden,
    WrongOrderStep,
)
from gis.errors import Missing, StaleVersion
from gis.journal import Who
from gis.people.rules import CITY, Scope
from gis.places.rules import BadCoordinates
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_unit, make_user

TERMS = Terms(ZoneInfo("Asia/Shanghai"))


def assigned(session, who, **fields):
    complaint, crew = make_complaint(session), make_crew(session)
    return actions.assign(session, who, complaint, crew, base_version=1, terms=TERMS, **fields), complaint, crew


def phone(session, crew, at=NOW):
    return Who(at, make_user(session, role="crew", crew_id=crew.id).id)


def verbs(session, thing, thing_id):
    return [(row["verb"], row["version"]) for row in journal.timeline(session, thing, thing_id)]


def test_assigning_books_the_crew_for_the_way_and_the_work_and_moves_the_complaint(session, who):
    order, complaint, crew = assigned(session, who)
    assert (order.status, complaint.status, order.crew_id) == ("assigned", "assigned", crew.id)
    assert order.during == Range(NOW, NOW + timedelta(minutes=60))
    assert order.by == "straight" and order.minutes == 0
    assert order.order_no.startswith("PD20091117-")
    assert verbs(session, "work_order", order.id) == [("assign", 1)]
    assert verbs(session, "complaint", complaint.id) == [("assign", 2)]


def test_a_stale_version_is_refused_with_both_versions_and_the_order_in_the_way(session, who):
    order, complaint, _ = assigned(session, who)
    with pytest.raises(StaleVersion) as refused:
        actions.assign(session, who, complaint, make_crew(session), base_version=1, terms=TERMS)
    assert refused.value.params["base_version"] == 1 and refused.value.params["current_version"] == 2
    assert refused.value.params["order_no"] == order.order_no


def test_a_complaint_has_one_order_under_way(session, who):
    order, complaint, crew = assigned(session, who)
    with pytest.raises(AlreadyAssigned) as refused:
        actions.assign(session, who, complaint, make_crew(session), base_version=None, terms=TERMS)
    assert refused.value.params == {"order_no": order.order_no, "crew": crew.name}


def test_a_closed_complaint_cannot_be_assigned(session, who):
    complaint = make_complaint(session, status="confirmed")
    with pytest.raises(WrongStep):
        actions.assign(session, who, complaint, make_crew(session), base_version=1, terms=TERMS)


def test_a_booked_crew_is_told_with_who_holds_it_until_when(session):
    wang = make_user(session, full_name="王调度")
    order, _, crew = assigned(session, Who(NOW, wang.id))
    with pytest.raises(CrewBooked) as refused:
        actions.assign(session, Who(NOW), make_complaint(session), crew, base_version=1, terms=TERMS)
    told = refused.value.params
    assert (told["booked_by"], told["order_no"], told["until"]) == ("王调度", order.order_no, "11-17 11:00")
    assert told["end"] == "2009-11-17T03:00:00+00:00"


def test_a_booked_crew_is_queued_after_its_order_once_somebody_says_why(session, who):
    first, _, crew = assigned(session, who)
    second = actions.assign(
        session, who, make_complaint(session), crew, base_version=1, terms=TERMS, override_reason="排在当前单之后"
    )
    assert second.during.lower == first.during.upper
    assert second.override_reason == "排在当前单之后"
    row = journal.timeline(session, "work_order", second.id)[0]
    assert row["data"]["overridden"] == ["busy_until"] and "排在" not in str(row["data"])


def test_what_speaks_against_a_crew_must_be_overridden_and_is_recorded(session, who):
    crew = make_crew(session, skills=("gas",), on_shift=False)
    complaint = make_complaint(session)
    with pytest.raises(ViolationNotOverridden) as refused:
        actions.assign(session, who, complaint, crew, base_version=1, terms=TERMS, override_reason="  ")
    assert refused.value.params["codes"] == ["wrong_skill", "off_shift"]
    order = actions.assign(session, who, complaint, crew, base_version=1, terms=TERMS, override_reason="抢修")
    assert order.override_reason == "抢修"


def test_an_expired_certificate_speaks_against_a_crew_from_the_day_after(session, who):
    crew = make_crew(session, skills=())
    session.add(CrewSkill(crew_id=crew.id, skill="heating", valid_to=date(2009, 11, 17)))
    session.flush()
    assert Search(session, make_complaint(session), CITY, TERMS, NOW).one(crew.id)[0].fits
    # 2009-11-17 16:30 UTC is the 18th in the city
    late = NOW + timedelta(hours=14, minutes=30)
    session.add(Shift(crew_id=crew.id, during=Range(NOW + timedelta(hours=8), NOW + timedelta(hours=20))))
    session.flush()
    found, _ = Search(session, make_complaint(session), CITY, TERMS, late).one(crew.id)
    assert [v.code for v in found.violations] == ["certificate_expired"]


def test_an_assignment_can_be_undone_within_a_minute(session, who):
    order, complaint, crew = assigned(session, who)
    actions.recall(session, Who(NOW + timedelta(seconds=60)), order, terms=TERMS)
    assert (order.status, complaint.status) == ("recalled", "received")
    assert verbs(session, "complaint", complaint.id)[-1] == ("recall", 3)
    again = actions.assign(session, who, complaint, crew, base_version=3, terms=TERMS)
    assert again.during.lower == NOW


def test_undo_is_refused_after_a_minute_and_after_acceptance(session, who):
    order, _, _ = assigned(session, who)
    with pytest.raises(UndoTooLate):
        actions.recall(session, Who(NOW + timedelta(seconds=61)), order, terms=TERMS)
    order, _, crew = assigned(session, who)
    actions.accept(session, phone(session, crew), order)
    with pytest.raises(UndoTooLate):
        actions.recall(session, who, order, terms=TERMS)


def test_an_order_goes_from_accept_to_resolve_and_writes_every_step_down(session, who):
    order, complaint, crew = assigned(session, who)
    crew_phone = phone(session, crew)
    actions.accept(session, crew_phone, order, 1)
    actions.arrive(session, crew_phone, order, 2)
    actions.resolve(session, crew_phone, order, "已排气", 3)
    assert (order.status, complaint.status, order.note) == ("resolved", "resolved", "已排气")
    assert order.accepted_at == order.arrived_at == order.resolved_at == NOW
    assert [v for v, _ in verbs(session, "work_order", order.id)] == ["assign", "accept", "arrive", "resolve"]
    assert [v for v, _ in verbs(session, "complaint", complaint.id)] == ["assign", "accept", "arrive", "resolve"]
    assert queries.orders_of_crew(session, crew.id) == []


def test_an_order_is_returned_with_a_coded_reason_and_can_be_assigned_again(session, who):
    order, complaint, crew = assigned(session, who)
    crew_phone = phone(session, crew)
    with pytest.raises(UnknownReturnReason):
        actions.return_order(session, crew_phone, order, "太远")
    actions.return_order(session, crew_phone, order, "no_access", "家中无人", 1)
    assert (order.status, order.return_reason, complaint.status) == ("returned", "no_access", "received")
    other = make_crew(session)
    actions.assign(session, who, complaint, other, base_version=complaint.version, terms=TERMS)


def test_for_everybody_but_its_crew_there_is_no_such_order(session, who):
    order, _, _ = assigned(session, who)
    stranger = phone(session, make_crew(session))
    for someone in (stranger, who, Who(NOW, make_user(session).id)):
        with pytest.raises(Missing):
            actions.accept(session, someone, order)


def test_steps_out_of_turn_and_on_old_versions_are_refused(session, who):
    order, _, crew = assigned(session, who)
    crew_phone = phone(session, crew)
    with pytest.raises(WrongOrderStep):
        actions.arrive(session, crew_phone, order)
    actions.accept(session, crew_phone, order, 1)
    with pytest.raises(StaleVersion) as refused:
        actions.arrive(session, crew_phone, order, 1)
    assert (refused.value.params["base_version"], refused.value.params["current_version"]) == (1, 2)


def test_a_cancelled_complaint_frees_its_crew(session, who):
    order, complaint, crew = assigned(session, who)
    complaint.status = "cancelled"
    session.flush()
    actions.release(session, who, complaint.id)
    assert order.status == OrderStatus.RECALLED
    assert queries.orders_of_crew(session, crew.id) == []
    assert actions.release(session, who, complaint.id) is None


def test_a_position_sent_late_changes_nothing(session, who):
    crew = make_crew(session)
    assert actions.move_crew(session, who, crew, 119.97, 36.79, 8.0, NOW)
    assert not actions.move_crew(session, who, crew, 119.90, 36.70, 8.0, NOW - timedelta(minutes=5))
    fact = queries.facts(session, [crew.id], NOW, NOW + timedelta(days=1))[crew.id]
    assert (fact.lon, fact.lat, fact.position_at) == (119.97, 36.79, NOW)
    assert "119" not in str(journal.timeline(session, "crew", crew.id))
    with pytest.raises(BadCoordinates):
        actions.move_crew(session, who, crew, float("nan"), 36.7, None, NOW)


def test_a_crew_that_overruns_its_time_is_still_busy(session, who):
    crew = make_crew(session)
    make_order(session, crew=crew, during=Range(NOW - timedelta(hours=3), NOW - timedelta(hours=2)), status="arrived")
    found, _ = Search(session, make_complaint(session), CITY, TERMS, NOW).one(crew.id)
    assert [v.code for v in found.violations] == ["busy_until"]
    assert found.slot.start == NOW + timedelta(minutes=15)
    with pytest.raises(CrewBooked):
        actions.assign(session, who, make_complaint(session), crew, base_version=1, terms=TERMS)


# --- the list of crews -----------------------------------------------------------------------------------------------
def best(session, complaint, limit=10, scope=CITY, now=NOW):
    return Search(session, complaint, scope, TERMS, now).best(limit)


def test_the_nearest_fitting_crews_come_first_and_the_others_fill_up_with_what_speaks_against_them(session):
    far, near = make_crew(session, at=(120.05, 36.78)), make_crew(session, at=(119.97, 36.78))
    unskilled = make_crew(session, at=(119.961, 36.78), skills=("gas",))
    found = best(session, make_complaint(session)).crews
    assert [r.id for r in found] == [near.id, far.id, unskilled.id]
    assert [v.code for v in found[2].violations] == ["wrong_skill"]
    assert found[0].by == "straight" and found[0].reasons[0].code == "by_straight"
    # 0.01 degrees of longitude are 891 m here, at 25 km/h
    assert found[0].metres == pytest.approx(891, abs=2) and found[0].minutes == pytest.approx(2.14, abs=0.01)


def test_nearest_means_metres_not_degrees(session):
    make_crew(session, at=(119.96, 36.789))  # 0.009 degrees north: 1,001 m
    east = make_crew(session, at=(119.971, 36.78))  # 0.011 degrees east: 980 m
    assert best(session, make_complaint(session), limit=1).crews[0].id == east.id


def test_a_crew_with_less_to_do_farther_away_is_found_although_thirty_are_nearer(session):
    unit, other = make_unit(session), make_unit(session)
    for _ in range(40):
        make_crew(session, at=(119.962, 36.78), unit_id=other.id)
    own = make_crew(session, at=(120.0, 36.78), unit_id=unit.id)  # 3.6 km, 8.6 minutes; 12 for another unit
    found = best(session, make_complaint(session, unit_id=unit.id), limit=3).crews
    assert found[0].id == own.id


def test_a_complaint_without_a_place_is_offered_the_crews_with_the_least_to_do(session):
    busy, free = make_crew(session), make_crew(session)
    make_order(session, crew=busy)
    found = best(session, make_complaint(session, at=None)).crews
    assert [r.id for r in found] == [free.id, busy.id]
    assert found[0].reasons[0].code == "place_unknown" and found[0].minutes is None


def test_a_scope_shows_only_its_crews(session):
    unit = make_unit(session)
    area = make_area(session)
    inner = make_area(session, level="street", parent_id=area.id)
    elsewhere = make_area(session)
    of_unit = make_crew(session, unit_id=unit.id, at=(121, 36))
    of_area = make_crew(session, area_id=inner.id, at=(121, 36))
    standing_here = make_crew(session, at=(119.96, 36.78))
    make_crew(session, area_id=elsewhere.id, at=(121, 36))
    complaint = make_complaint(session)
    assert {r.id for r in best(session, complaint, scope=Scope(unit_id=unit.id)).crews} == {of_unit.id}
    assert {r.id for r in best(session, complaint, scope=Scope(area_id=area.id)).crews} == {
        of_area.id,
        standing_here.id,
    }


def test_a_crew_under_way_sets_out_from_where_its_order_ends(session):
    crew = make_crew(session, at=(119.96, 36.78))
    make_order(session, make_complaint(session, status="assigned", at=(120.06, 36.78)), crew)
    found, _ = Search(session, make_complaint(session), CITY, TERMS, NOW).one(crew.id)
    assert found.metres == pytest.approx(8906, abs=20)
    assert "from_order" in [r.code for r in found.reasons]


def test_the_database_itself_refuses_to_book_a_crew_twice(session):
    crew = make_crew(session)
    make_order(session, crew=crew)
    with pytest.raises(Exception, match="ex_work_order_crew"), session.begin_nested():
        make_order(session, crew=crew, during=Range(NOW + timedelta(minutes=59), NOW + timedelta(minutes=90)))
    assert len(session.scalars(select(WorkOrder).where(WorkOrder.crew_id == crew.id)).all()) == 1


def test_the_nearest_in_a_straight_line_equal_a_look_at_every_crew(session):
    from gis.dispatch.crew_search import Need, nearest
    from gis.geo import distance_m

    random = np.random.default_rng(8319)
    places = random.normal((119.96, 36.78), (0.2, 0.02), (300, 2))
    crews = [make_crew(session, at=(float(x), float(y)), active=bool(random.random() < 0.5)) for x, y in places]
    rows = {c.id: tuple(place) for c, place in zip(crews, places, strict=True) if c.active}
    for lon, lat in random.normal((119.96, 36.78), (0.2, 0.1), (20, 2)).tolist():
        for limit in (1, 10, 200):
            found = nearest(session, lon, lat, Need("heating", NOW.date()), CITY, NOW, limit)
            expected = sorted((float(distance_m(*place, lon, lat)), i) for i, place in rows.items())[:limit]
            assert found.ids == [i for _, i in expected]
