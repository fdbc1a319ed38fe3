"""A proposal from the database and back: what is read, what is kept, what is booked, and who is told that it is out of date."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis import journal
from gis.complaints.model import Complaint
from gis.dispatch import actions, moves, plan_accepting, plan_actions, plan_making, plan_queries, plan_solver
from gis.dispatch.model import Crew, CrewSkill, Shift, WorkOrder
from gis.dispatch.plan import faults, total
from gis.dispatch.plan_making import Asked
from gis.dispatch.plan_model import DayPlan, DayPlanCrew, DayPlanStop
from gis.dispatch.plan_rules import BadPlanDay, PlanMode, PlanNotReady, PlanStale, PlanUndoTooLate
from gis.dispatch.plan_solver import Until
from gis.dispatch.rules import Terms
from gis.errors import ChengmaiError, Missing
from gis.inspections import stop_work
from gis.journal import Who
from gis.people import blacklist
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import PINGDU, make_complaint, make_crew, make_order, make_site, make_unit, make_user, point
from tests.found import make_finding

TERMS = Terms(ZoneInfo("Asia/Shanghai"))
DAY = NOW.date()


def near(n: int) -> tuple[float, float]:
    return PINGDU[0] + 0.004 * n, PINGDU[1]


@pytest.fixture
def who(session) -> Who:
    return Who(NOW, make_user(session).id)


def proposal(session, who, mode=PlanMode.WHOLE, **asked):
    plan = plan_actions.propose(session, who, Asked(DAY, **asked), today=DAY, seconds=1, mode=mode, later=False)
    stands = plan_making.situation(session, plan_actions.asked_of(plan), TERMS, who.now)
    plan_actions.begin(session, plan, who.now)
    clock = time.monotonic
    made = plan_making.make(stands, mode, seed=1, stop=Until(clock, clock() + 0.2), spread=plan_solver.alone(clock))
    plan_actions.keep(session, who, plan, stands, made)
    return plan, stands, made


def stops(session, plan, **only):
    found = session.scalars(
        select(DayPlanStop).where(DayPlanStop.plan_id == plan.id).order_by(DayPlanStop.crew_id, DayPlanStop.position)
    )
    return [s for s in found if all(getattr(s, k) == v for k, v in only.items())]


def open_orders(session, crew):
    asked = (
        select(WorkOrder).where(WorkOrder.crew_id == crew.id, WorkOrder.status == "assigned").order_by(WorkOrder.during)
    )
    return list(session.scalars(asked))


def accept(session, who, plan, *crews):
    return plan_accepting.accept(session, who, plan, [c.id for c in crews] or None, TERMS)


def test_waiting_complaints_are_laid_into_the_day_and_accepting_books_them(session, who):
    crew = make_crew(session, at=near(0))
    complaints = [make_complaint(session, at=near(n)) for n in (3, 1, 2)]
    plan, stands, made = proposal(session, who)
    assert faults(stands.problem, made.plan) == [] and plan.status == "ready" and plan.by == "straight"
    kept = stops(session, plan)
    assert [s.complaint_id for s in kept] == [complaints[i].id for i in (1, 2, 0)]
    assert (
        {s.kind for s in kept} == {"new"}
        and plan.totals["plan"]["unserved"] == 0
        and plan.totals["today"]["unserved"] == 3
    )
    [outcome] = accept(session, who, plan)
    assert outcome.error is None
    booked = open_orders(session, crew)
    assert [o.complaint_id for o in booked] == [s.complaint_id for s in kept]
    assert [(o.during.lower, o.during.upper) for o in booked] == [(s.leave_at, s.end_at) for s in kept]
    assert all(complaint.status == "assigned" for complaint in complaints)
    verbs = [row["verb"] for row in journal.timeline(session, "work_order", booked[0].id)]
    assert verbs == ["assign"]
    assert journal.timeline(session, "day_plan", plan.id)[-1]["data"] == {"crews": [crew.id], "orders": 3}


def test_what_cannot_be_served_says_why(session, who):
    make_crew(session, at=near(0))
    lost = make_complaint(session, at=None)
    unable = make_complaint(session, category="gas.leak")
    nightly = make_complaint(session)
    plan_actions.appoint(session, who, nightly, NOW + timedelta(hours=11), NOW + timedelta(hours=12))
    proposal_, _, _ = proposal(session, who)
    told = {s.complaint_id: s.reason for s in stops(session, proposal_, kind="unserved")}
    assert told == {lost.id: "place_unknown", unable.id: "no_skill", nightly.id: "no_time_left"}


def test_an_appointment_is_kept(session, who):
    make_crew(session, at=near(0))
    complaint = make_complaint(session, at=near(0))
    plan_actions.appoint(session, who, complaint, NOW + timedelta(hours=3), NOW + timedelta(hours=4))
    plan, _, _ = proposal(session, who)
    [stop] = stops(session, plan)
    assert NOW + timedelta(hours=3) <= stop.begin_at <= NOW + timedelta(hours=4)


def test_what_a_crew_has_taken_up_never_moves(session, who):
    crew, other = make_crew(session, at=near(0)), make_crew(session, at=near(5))
    taken = make_complaint(session, at=near(5), status="accepted")
    order = make_order(
        session, taken, crew, status="accepted", during=Range(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    )
    for n in range(4):
        make_complaint(session, at=near(n))
    plan, stands, made = proposal(session, who)
    [locked] = stops(session, plan, kind="locked")
    assert (locked.crew_id, locked.leave_at, locked.end_at) == (crew.id, order.during.lower, order.during.upper)
    assert total(stands.problem, made.plan).orders == 5
    assert [o.error for o in accept(session, who, plan)] == [None] * len({crew.id, other.id})
    assert (order.version, order.crew_id, order.status) == (1, crew.id, "accepted")


def test_a_crew_without_a_valid_certificate_gets_nothing(session, who):
    crew = make_crew(session, at=near(0), skills=())
    session.add(CrewSkill(crew_id=crew.id, skill="heating", valid_to=DAY - timedelta(days=1)))
    session.flush()
    make_complaint(session)
    plan, _, _ = proposal(session, who)
    assert [s.reason for s in stops(session, plan)] == ["no_skill"]


def swapped(session, who):
    """Two crews, each given the order at the other's door."""
    east, west = make_crew(session, at=near(10)), make_crew(session, at=near(-10))
    at = (NOW + timedelta(minutes=30), NOW + timedelta(hours=2))
    far_west = make_order(session, make_complaint(session, at=near(-10), status="assigned"), east, during=Range(*at))
    far_east = make_order(session, make_complaint(session, at=near(10), status="assigned"), west, during=Range(*at))
    plan, _, _ = proposal(session, who)
    return east, west, far_west, far_east, plan


def test_crews_that_hand_orders_to_each_other_are_accepted_together(session, who):
    east, west, far_west, far_east, plan = swapped(session, who)
    assert {s.kind for s in stops(session, plan)} == {"moved"} and plan.totals["moved"] == 2
    with pytest.raises(plan_accepting.PartTogether) as refused:
        accept(session, who, plan, east)
    assert refused.value.params["crew_ids"] == [west.id]
    [outcome] = accept(session, who, plan, east, west)
    assert outcome.error is None and set(outcome.crews) == {east.id, west.id}
    assert [o.complaint_id for o in open_orders(session, east)] == [far_east.complaint_id]
    assert (far_west.status, far_east.status) == ("recalled", "recalled")


def test_an_accepted_part_is_taken_back_whole(session, who):
    east, west, far_west, _, plan = swapped(session, who)
    new = make_complaint(session, at=near(11))
    plan, _, _ = proposal(session, who)
    assert [o.error for o in accept(session, who, plan)] == [None]
    later = Who(NOW + timedelta(minutes=1), who.user_id)
    assert plan_accepting.undo(session, later, plan, east.id, TERMS) == [east.id, west.id]
    [back] = open_orders(session, east)
    assert (back.complaint_id, back.during) == (far_west.complaint_id, far_west.during)
    assert new.status == "received"
    assert {p.status for p in session.scalars(select(DayPlanCrew))} == {"proposed"}
    assert [o.error for o in accept(session, later, plan)] == [None], "it can be accepted again"
    assert new.status == "assigned"


def test_it_cannot_be_taken_back_once_a_crew_has_taken_it_up_or_too_late(session, who):
    crew = make_crew(session, at=near(0))
    complaint = make_complaint(session, at=near(1))
    plan, _, _ = proposal(session, who)
    accept(session, who, plan)
    with pytest.raises(PlanUndoTooLate):
        plan_accepting.undo(session, Who(NOW + timedelta(minutes=11), who.user_id), plan, crew.id, TERMS)
    [order] = open_orders(session, crew)
    actions.accept(session, Who(NOW, make_user(session, role="crew", crew_id=crew.id).id), order)
    with pytest.raises(PlanStale) as refused:
        plan_accepting.undo(session, who, plan, crew.id, TERMS)
    assert refused.value.changes == (("order_taken_up", {"no": complaint.hotline_no}),)


def test_another_time_of_the_same_crew_is_the_same_order(session, who):
    crew = make_crew(session, at=near(0))
    given = make_order(session, make_complaint(session, at=near(1), status="assigned"), crew,
                       during=Range(NOW + timedelta(hours=4), NOW + timedelta(hours=5)))  # fmt: skip
    plan, _, _ = proposal(session, who)
    [stop] = stops(session, plan)
    assert stop.kind == "retimed"
    accept(session, who, plan)
    assert (given.status, given.version, given.during.lower) == ("assigned", 2, NOW)
    plan_accepting.undo(session, who, plan, crew.id, TERMS)
    assert (given.during.lower, given.version) == (NOW + timedelta(hours=4), 3)


@pytest.mark.parametrize("what", ["complaint_changed", "order_changed", "order_added", "crew_changed", "time_passed"])
def test_a_part_that_is_out_of_date_is_refused_by_name_and_the_others_are_booked(session, who, what):
    east, west = make_crew(session, at=near(10)), make_crew(session, at=near(-10))
    there = make_complaint(session, at=near(10))
    fine = make_complaint(session, at=near(-10))
    plan, _, _ = proposal(session, who)
    assert {s.complaint_id: s.crew_id for s in stops(session, plan)} == {there.id: east.id, fine.id: west.id}
    at = who
    if what == "complaint_changed":
        there.description = "又来电话了"
    elif what == "order_changed":
        actions.assign(session, who, there, east, base_version=None, terms=TERMS)
    elif what == "order_added":
        actions.assign(session, who, make_complaint(session, at=near(9)), east, base_version=None, terms=TERMS)
    elif what == "crew_changed":
        east.name = "改名班"
    else:
        at = Who(NOW + timedelta(minutes=30), who.user_id)
        stops(session, plan, crew_id=west.id)[0].leave_at = at.now
    session.flush()
    outcomes = {o.crews: o.error for o in accept(session, at, plan)}
    assert outcomes[(west.id,)] is None and fine.status == "assigned"
    assert isinstance(outcomes[(east.id,)], PlanStale)
    assert [code for code, _ in outcomes[(east.id,)].changes] == [what]


def test_a_plan_of_the_least_change_moves_nothing_that_can_stay(session, who):
    east, west = make_crew(session, at=near(10)), make_crew(session, at=near(-10))
    at = (NOW + timedelta(minutes=30), NOW + timedelta(hours=2))
    for crew, door in ((east, -10), (west, 10)):
        make_order(session, make_complaint(session, at=near(door), status="assigned"), crew, during=Range(*at))
    urgent = make_complaint(session, at=near(-9))
    plan, _, _ = proposal(session, who, PlanMode.LEAST)
    assert plan.totals["moved"] == 0 and not stops(session, plan, kind="moved")
    assert [s.complaint_id for s in stops(session, plan, kind="new")] == [urgent.id]


def test_only_a_finished_proposal_is_accepted_and_only_a_near_day_is_planned(session, who):
    plan = plan_actions.propose(session, who, Asked(DAY), today=DAY, later=False)
    with pytest.raises(PlanNotReady):
        accept(session, who, plan)
    with pytest.raises(BadPlanDay):
        plan_actions.propose(session, who, Asked(DAY - timedelta(days=1)), today=DAY)
    ready, _, _ = proposal(session, who)
    with pytest.raises(Missing):
        plan_accepting.accept(session, who, ready, [999_999], TERMS)


def test_tomorrow_begins_at_the_base_and_keeps_lunch(session, who):
    tomorrow = DAY + timedelta(days=1)
    crew = make_crew(session, at=near(0), on_shift=False)
    plan_actions.set_base(session, who, crew, near(8), capacity=3)
    start = NOW.replace(hour=0) + timedelta(days=1)  # 08:00 in Pingdu
    session.add(Shift(crew_id=crew.id, during=Range(start, start + timedelta(hours=9))))
    for n in range(6):
        make_complaint(session, at=near(n), resolve_by=NOW + timedelta(days=3))
    plan = plan_actions.propose(session, who, Asked(tomorrow), today=DAY, seconds=1, later=False)
    stands = plan_making.situation(session, plan_actions.asked_of(plan), TERMS, NOW)
    clock = time.monotonic
    made = plan_making.make(
        stands, PlanMode.WHOLE, seed=1, stop=Until(clock, clock() + 0.2), spread=plan_solver.alone(clock)
    )
    plan_actions.keep(session, who, plan, stands, made)
    served, left = [s for s in stops(session, plan) if s.crew_id], stops(session, plan, kind="unserved")
    assert len(served) == 3 and {s.reason for s in left} == {"crews_full"}
    [part] = session.scalars(select(DayPlanCrew).where(DayPlanCrew.plan_id == plan.id))
    assert part.new_line[0] == part.new_line[-1] == [round(v, 5) for v in near(8)]
    assert part.lunch_at is not None and 3 <= part.lunch_at.hour < 5  # 11:30 to 13:00 in Pingdu
    assert all(s.end_at <= part.lunch_at or s.leave_at >= part.lunch_at + timedelta(minutes=45) for s in served)


def test_a_proposal_is_read_back_as_it_is_shown(session, who):
    crew = make_crew(session, at=near(0))
    make_complaint(session, at=near(1))
    plan, _, _ = proposal(session, who)
    [part] = plan_queries.parts(session, plan.id)
    assert (part["crew_id"], part["status"], part["after"]["orders"], part["before"]["orders"]) == (
        crew.id,
        "proposed",
        1,
        0,
    )
    [stop] = plan_queries.stops(session, plan.id, CITY)
    assert stop["kind"] == "new" and stop["lon"] == pytest.approx(near(1)[0])
    assert plan_queries.latest(session, CITY, DAY) == plan.id
    [listed] = plan_queries.plans(session, CITY)
    assert (listed["id"], listed["accepted"], listed["crews"]) == (plan.id, 0, 1)
    plan_actions.discard(session, who, plan)
    assert plan_queries.plans(session, CITY) == []


def test_what_a_dispatcher_locked_stays_where_it_is(session, who):
    near_one, far_one = make_crew(session, at=near(0)), make_crew(session, at=near(40))
    complaint = make_complaint(session, at=near(1), status="assigned")
    order = make_order(session, complaint, far_one)
    moves.lock(session, who, order)
    plan, _, _ = proposal(session, who)
    kept = stops(session, plan, complaint_id=complaint.id)
    assert [(s.kind, s.crew_id) for s in kept] == [("locked", far_one.id)]
    assert stops(session, plan, crew_id=near_one.id) == []


def test_a_blacklisted_crew_is_planned_nothing_and_booked_nothing(session, who):
    unit = make_unit(session)
    crew, other = make_crew(session, at=near(0), unit_id=unit.id), make_crew(session, at=near(5))
    make_complaint(session, at=near(1))
    plan, _, _ = proposal(session, who)
    assert [s.crew_id for s in stops(session, plan)] == [crew.id]
    blacklist.blacklist(session, who, unit=unit, until=NOW + timedelta(days=30), reason="三次违诺", source="测试")
    (outcome,) = accept(session, who, plan, crew)
    assert outcome.error is not None and outcome.error.code == "crew_blacklisted"
    assert open_orders(session, crew) == []
    again, _, _ = proposal(session, who)
    assert [s.crew_id for s in stops(session, again)] == [other.id]


def test_where_works_are_stopped_no_crew_of_that_unit_is_planned(session, who):
    unit, contractor = make_unit(session), make_unit(session, kind="contractor")
    site = make_site(session, unit_id=unit.id, contractor_id=contractor.id, geom=point(*near(1)))
    finding = make_finding(session, unit_id=unit.id, contractor_id=contractor.id, site_id=site.id, severity="serious")
    stop = stop_work.stop(session, who, CITY, finding.id, "未设围挡", TERMS.zone)
    make_crew(session, at=near(0), unit_id=unit.id)
    here, elsewhere = make_complaint(session, at=near(1)), make_complaint(session, at=near(3))
    assert {s.complaint_id: s.reason for s in stops(session, proposal(session, who)[0])} == {
        here.id: "site_stopped",
        elsewhere.id: None,
    }
    foreign = make_crew(session, at=near(5))
    plan, _, _ = proposal(session, who)
    assert {s.complaint_id: s.crew_id for s in stops(session, plan)}[here.id] == foreign.id
    stop_work.lift(session, who, CITY, stop.id, "已整改", None)
    assert all(s.reason is None for s in stops(session, proposal(session, who)[0]))


def test_of_many_who_accept_the_same_part_at_once_exactly_one_wins(committed):
    """Real transactions: half of them accept the plan, half send another order to the same crew for the same time."""
    with committed() as session:
        who = Who(NOW, make_user(session).id)
        crew = make_crew(session, at=near(0))
        make_complaint(session, at=near(1), hotline_no="PLANNED")
        others = [make_complaint(session, at=near(2), category="water.burst").id for _ in range(4)]
        session.add(CrewSkill(crew_id=crew.id, skill="pipe_repair"))
        session.flush()
        plan, _, _ = proposal(session, who, crews=(crew.id,), categories=("heat",))
        plan_id, crew_id = plan.id, crew.id
        session.commit()

    def accept_it(_n: int) -> str:
        with committed() as session:
            try:
                [outcome] = plan_accepting.accept(session, who, session.get_one(DayPlan, plan_id), [crew_id], TERMS)
                session.commit()
            except ChengmaiError as error:
                return error.code
            return outcome.error.code if outcome.error else "won"

    def send_another(n: int) -> str:
        with committed() as session:
            try:
                actions.assign(
                    session,
                    who,
                    session.get_one(Complaint, others[n]),
                    session.get_one(Crew, crew_id),
                    base_version=None,
                    terms=TERMS,
                )
                session.commit()
            except ChengmaiError as error:
                return error.code
            return "won"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: accept_it(n) if n % 2 else send_another(n // 2), range(8)))
    assert told.count("won") == 1, told
    assert set(told) <= {"won", "crew_booked", "part_taken", "plan_stale"}
    with committed() as session:
        assert len(session.scalars(select(WorkOrder).where(WorkOrder.crew_id == crew_id)).all()) == 1
