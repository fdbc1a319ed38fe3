"""What is done with plans: asked for, kept, discarded, and what is agreed with callers. Verbs flush; doors commit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from gis import jobs, journal
from gis.complaints.model import Complaint
from gis.dispatch import plan_compare, plan_rules, street_lines
from gis.dispatch.actions import point
from gis.dispatch.model import Crew
from gis.dispatch.plan import Key, Plan, Schedule, Visit, schedules
from gis.dispatch.plan_making import Asked, Made, Situation
from gis.dispatch.plan_model import Appointment, CrewBase, DayPlan, DayPlanCrew, DayPlanStop
from gis.dispatch.plan_rules import PlanMode, PlanState, StopKind
from gis.errors import BadInput
from gis.journal import Who
from gis.people.rules import Scope

JOB = "make_day_plan"


def propose(
    session: Session, who: Who, asked: Asked, *, today: date, seconds: int = plan_rules.SECONDS,
    mode: PlanMode = PlanMode.WHOLE, seed: int = 1, later: bool = True,
) -> DayPlan:  # fmt: skip
    """Ask for a plan; a worker makes it (`later`), or the caller does. Raises BadPlanDay, BadPlanSeconds."""
    if not 1 <= seconds <= plan_rules.SECONDS_MOST:
        raise plan_rules.BadPlanSeconds(most=plan_rules.SECONDS_MOST)
    if not today <= asked.day <= today + timedelta(days=plan_rules.DAYS_AHEAD):
        raise plan_rules.BadPlanDay(days=plan_rules.DAYS_AHEAD)
    plan = DayPlan(
        day=asked.day, mode=mode, seconds=seconds, seed=seed, made_at=who.now, made_by=who.user_id,
        asked={"crews": list(asked.crews), "categories": list(asked.categories), "unit_id": asked.scope.unit_id},
        area_id=asked.scope.area_id, status=PlanState.WAITING, progress=0.0,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    if later:
        jobs.defer(session, JOB, {"plan_id": plan.id}, lock=JOB)
    journal.write(
        session, who, "propose", "day_plan", plan.id, version=plan.version, area_id=plan.area_id, day=str(plan.day)
    )
    return plan


def asked_of(plan: DayPlan) -> Asked:
    """What a proposal is wanted for."""
    scope = Scope(area_id=plan.area_id, unit_id=plan.asked.get("unit_id"))
    return Asked(plan.day, tuple(plan.asked["crews"]), tuple(plan.asked["categories"]), scope)


def begin(session: Session, plan: DayPlan, at: datetime) -> None:
    """The search begins, on what is known at this moment."""
    plan.status, plan.as_of, plan.progress = PlanState.SOLVING, at, 0.0
    session.flush()


def tell(session: Session, plan_id: int, share: float) -> None:
    """How far the search is. No version and no journal: it is nobody's change."""
    session.execute(
        update(DayPlan).where(DayPlan.id == plan_id, DayPlan.status == PlanState.SOLVING)
        .values(progress=min(1.0, max(0.0, share)), version=DayPlan.version)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def fail(session: Session, who: Who, plan: DayPlan, problem: str) -> None:
    """It could not be made; `problem` is the sentence for whoever waits."""
    plan.status, plan.problem = PlanState.FAILED, problem[:300]
    session.flush()
    journal.write(session, who, "fail", "day_plan", plan.id, version=plan.version, area_id=plan.area_id)


def discard(session: Session, who: Who, plan: DayPlan) -> None:
    """Nobody wants it. What was accepted of it stays accepted."""
    plan.status = PlanState.DISCARDED
    session.flush()
    journal.write(session, who, "discard", "day_plan", plan.id, version=plan.version, area_id=plan.area_id)


# --- keeping what was made -------------------------------------------------------------------------------------------
def keep(session: Session, who: Who, plan: DayPlan, stands: Situation, made: Made) -> None:
    """Store a proposal with everything it was made from."""
    found = schedules(stands.problem, made.plan)
    drawn = street_lines.Drawing(stands)
    session.add_all(_parts(plan, stands, made.plan, found, drawn))
    session.flush()
    session.add_all(_stops(plan, stands, made.plan, found))
    plan.totals = plan_compare.compared(stands.problem, stands.today, made.greedy, made.plan, len(stands.never)) | {
        "lines": drawn.by,
        "moved": sum(1 for _ in _moved(stands, made.plan)),
    }
    plan.by = stands.travel.by
    plan.status, plan.progress, plan.ready_at = PlanState.READY, 1.0, who.now
    session.flush()
    journal.write(session, who, "ready", "day_plan", plan.id, version=plan.version, area_id=plan.area_id)


def _moved(stands: Situation, plan: Plan) -> list[int]:
    crew_of = {job: key[0] for key, route in plan.routes.items() for job in route}
    return [job for key, route in stands.today.routes.items() for job in route if crew_of.get(job) != key[0]]


def _parts(
    plan: DayPlan, stands: Situation, chosen: Plan, found: dict[Key, Schedule], drawn: street_lines.Drawing
) -> list[DayPlanCrew]:
    parts = []
    for crew in stands.problem.crews:
        lunch = next((s.lunch_s for key, s in found.items() if key[0] == crew.id and s.lunch_s is not None), None)
        parts.append(DayPlanCrew(
            plan_id=plan.id, crew_id=crew.id, crew_version=stands.crew_versions[crew.id],
            before=plan_compare.crew_totals(stands.problem, stands.today, crew),
            after=plan_compare.crew_totals(stands.problem, chosen, crew),
            old_line=drawn.line(stands.today, crew), new_line=drawn.line(chosen, crew),
            lunch_at=None if lunch is None else stands.moment(lunch),
        ))  # fmt: skip
    return parts


def _stops(plan: DayPlan, stands: Situation, chosen: Plan, found: dict[Key, Schedule]) -> list[DayPlanStop]:
    stops: list[DayPlanStop] = []
    for crew in stands.problem.crews:
        mine = [(visit, key) for key in sorted(found) if key[0] == crew.id for visit in found[key].visits]
        same = _same_as_today(stands, chosen, crew.id, [visit for visit, _ in mine])
        stops += [_stop(plan, stands, visit, crew.id, same) for visit, _ in mine]
        stops += [_locked(plan, stands, fixed.id, crew.id) for fixed in crew.fixed]
    for job in stands.problem.jobs:
        if job.id not in chosen.served:
            why = plan_compare.why_not(stands.problem, chosen, job.id)
            stops.append(_unserved(plan, stands, job.id, why.code, why.params))
    stops += [_unserved(plan, stands, job_id, code, {}) for job_id, code in stands.never.items()]
    placed = sorted((s for s in stops if s.crew_id is not None), key=lambda s: (s.crew_id, s.leave_at, s.complaint_id))
    count: dict[int, int] = {}
    for stop in placed:
        assert stop.crew_id is not None
        stop.position = count[stop.crew_id] = count.get(stop.crew_id, 0) + 1
    return stops


def _same_as_today(stands: Situation, chosen: Plan, crew_id: int, visits: list[Visit]) -> bool:
    """Does this crew do the same in the same order, at about the same times?"""
    if list(chosen.of(crew_id)) != list(stands.today.of(crew_id)):
        return False
    near = timedelta(seconds=plan_rules.SAME_TIME_S)
    starts = [(stands.matters[visit.job_id].start, stands.moment(visit.leave_s)) for visit in visits]
    return all(was is not None and abs(was - now) <= near for was, now in starts)


def _row(
    plan: DayPlan, stands: Situation, complaint_id: int, kind: StopKind, crew_id: int | None, **more: Any
) -> DayPlanStop:
    matter = stands.matters[complaint_id]
    was = Range(matter.start, matter.end) if matter.order_id is not None else None
    given: dict[str, Any] = {
        "plan_id": plan.id, "complaint_id": complaint_id, "kind": kind, "crew_id": crew_id, "position": 0,
        "complaint_version": matter.version, "order_id": matter.order_id, "order_version": matter.order_version,
        "from_crew_id": matter.crew_id, "was": was, "way_s": 0, "way_m": 0, "late_s": 0, "params": {},
    }  # fmt: skip
    return DayPlanStop(**(given | more))


def _stop(plan: DayPlan, stands: Situation, visit: Visit, crew_id: int, same: bool) -> DayPlanStop:
    matter = stands.matters[visit.job_id]
    if matter.order_id is None:
        kind = StopKind.NEW
    elif matter.crew_id != crew_id:
        kind = StopKind.MOVED
    else:
        kind = StopKind.KEPT if same else StopKind.RETIMED
    leave, end = stands.moment(visit.leave_s), stands.moment(visit.end_s)
    if kind == StopKind.KEPT and matter.start and matter.end:
        leave, end = matter.start, matter.end
    return _row(plan, stands, visit.job_id, kind, crew_id, leave_at=leave, begin_at=stands.moment(visit.begin_s), end_at=end,
                way_s=visit.way_s, way_m=visit.way_m, late_s=visit.late_s)  # fmt: skip


def _locked(plan: DayPlan, stands: Situation, complaint_id: int, crew_id: int) -> DayPlanStop:
    matter = stands.matters[complaint_id]
    late = 0 if matter.end is None else max(0, int((matter.end - matter.resolve_by).total_seconds()))
    return _row(
        plan,
        stands,
        complaint_id,
        StopKind.LOCKED,
        crew_id,
        leave_at=matter.start,
        begin_at=matter.start,
        end_at=matter.end,
        late_s=late,
    )


def _unserved(plan: DayPlan, stands: Situation, complaint_id: int, code: str, params: dict[str, Any]) -> DayPlanStop:
    return _row(plan, stands, complaint_id, StopKind.UNSERVED, None, reason=code, params=params)


# --- beside plans ----------------------------------------------------------------------------------------------------
def appoint(session: Session, who: Who, complaint: Complaint, start: datetime | None, end: datetime | None) -> None:
    """Keep when the caller will be there; nothing takes it back. Raises BadAppointment."""
    if start is None or end is None:
        session.execute(delete(Appointment).where(Appointment.complaint_id == complaint.id))
    else:
        if end <= start or end <= who.now:
            raise plan_rules.BadAppointment()
        row = {"complaint_id": complaint.id, "during": Range(start, end), "made_at": who.now, "made_by": who.user_id}
        made = insert(Appointment).values(row)
        session.execute(made.on_conflict_do_update(index_elements=["complaint_id"], set_=row))
    journal.write(session, who, "appoint", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
                  unit_id=complaint.unit_id)  # fmt: skip


def set_base(
    session: Session,
    who: Who,
    crew: Crew,
    at: tuple[float, float] | None,
    *,
    ends_here: bool = True,
    capacity: int | None = None,
) -> CrewBase:
    """Where a crew's shift begins and ends, and how many orders it can do in a day."""
    if capacity is not None and not 1 <= capacity <= 500:
        raise BadInput(reason="capacity")
    if at is not None:
        point(*at)
    base = session.get(CrewBase, crew.id) or CrewBase(crew_id=crew.id)
    base.lon, base.lat = at or (None, None)
    base.ends_here, base.capacity = ends_here, capacity
    session.add(base)
    session.flush()
    journal.write(
        session, who, "set_base", "crew", crew.id, version=crew.version, area_id=crew.area_id, unit_id=crew.unit_id
    )
    return base
