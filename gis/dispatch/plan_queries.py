"""What is asked about a day that is to be planned, and about plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Float, and_, cast, func, or_, select, text
from sqlalchemy.orm import Session

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.rules import ASSIGNABLE
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.plan_model import Appointment, CrewBase, DayPlan, DayPlanCrew, DayPlanStop
from gis.dispatch.plan_rules import PlanState
from gis.dispatch.queries import STOPPED_THERE
from gis.dispatch.rules import BOOKING, STOP_REACH_M
from gis.people.model import User
from gis.people.rules import Scope
from gis.places.queries import within


@dataclass(frozen=True)
class Matter:
    """A complaint that waits, or an order under way: everything a plan needs to know of it."""

    complaint_id: int
    version: int
    status: str
    hotline_no: str
    category: str
    skill: str
    work_min: int
    resolve_by: datetime
    is_key: bool
    reopened: bool
    paused: bool
    in_scope: bool
    lon: float | None
    lat: float | None
    visit_from: datetime | None
    visit_to: datetime | None
    order_id: int | None
    order_no: str | None
    order_version: int | None
    order_status: str | None
    crew_id: int | None
    start: datetime | None
    end: datetime | None
    overridden: bool
    locked: bool | None


def matters(session: Session, scope: Scope, crew_ids: Sequence[int]) -> list[Matter]:
    """Which complaints wait for a crew in this scope, and what do these crews have in hand (whoever may see that)?"""
    seen = and_(*visible(scope)) if visible(scope) else text("true")
    asked = (
        select(
            Complaint.id, Complaint.version, Complaint.status, Complaint.hotline_no, Complaint.category, Category.skill,
            Category.work_min, Complaint.resolve_by, Complaint.key_since.is_not(None), Complaint.reopen_count > 0,
            Complaint.paused_at.is_not(None), seen.self_group(), func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom),
            func.lower(Appointment.during), func.upper(Appointment.during), WorkOrder.id, WorkOrder.order_no,
            WorkOrder.version, WorkOrder.status, WorkOrder.crew_id, func.lower(WorkOrder.during),
            func.upper(WorkOrder.during), WorkOrder.override_reason.is_not(None), WorkOrder.locked,
        )
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Appointment, Appointment.complaint_id == Complaint.id)
        .outerjoin(WorkOrder, and_(WorkOrder.complaint_id == Complaint.id, WorkOrder.status.in_(BOOKING)))
        .where(or_(WorkOrder.crew_id.in_(crew_ids), and_(WorkOrder.id.is_(None), Complaint.status.in_(ASSIGNABLE), seen)))
        .order_by(Complaint.id)
    )  # fmt: skip
    return [Matter(*tuple(row)) for row in session.execute(asked)]


def bases(session: Session, crew_ids: Sequence[int]) -> dict[int, CrewBase]:
    """Where do these crews begin and end, and how much can they carry?"""
    found = session.scalars(select(CrewBase).where(CrewBase.crew_id.in_(crew_ids)))
    return {base.crew_id: base for base in found}


_STOPPED = text(f"""
    SELECT k.id, array_agg(DISTINCT b.id) AS bodies
      FROM {STOPPED_THERE} CROSS JOIN unnest(ARRAY[w.unit_id, w.contractor_id]) b (id)
     WHERE b.id IS NOT NULL AND k.id = ANY(:ids) GROUP BY k.id
""")


def stopped(session: Session, complaint_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """At the places of which complaints are works stopped (停工令), and for the crews of which units?"""
    rows = session.execute(_STOPPED, {"ids": list(complaint_ids), "reach": STOP_REACH_M})
    return {row.id: frozenset(row.bodies) for row in rows}


def crew_versions(session: Session, crew_ids: Sequence[int]) -> dict[int, int]:
    """Which version has each of these crews now?"""
    return {row.id: row.version for row in session.execute(select(Crew.id, Crew.version).where(Crew.id.in_(crew_ids)))}


# --- proposals -------------------------------------------------------------------------------------------------------
def plan_in_scope(session: Session, plan_id: int, scope: Scope) -> DayPlan | None:
    """This proposal, if it was made for an area that this person sees."""
    asked = select(DayPlan).where(DayPlan.id == plan_id)
    if (inside := within(scope)) is not None:
        asked = asked.where(DayPlan.area_id.in_(inside))
    return session.scalar(asked)


def plans(session: Session, scope: Scope, limit: int = 20) -> list[Mapping[str, Any]]:
    """The latest proposals, the newest first, and how much of each was accepted?"""
    accepted = (
        select(func.count())
        .where(DayPlanCrew.plan_id == DayPlan.id, DayPlanCrew.status == "accepted")
        .scalar_subquery()
    )
    crews = select(func.count()).where(DayPlanCrew.plan_id == DayPlan.id).scalar_subquery()
    asked = select(DayPlan.id, DayPlan.day, DayPlan.status, DayPlan.made_at, DayPlan.totals, accepted.label("accepted"),
                   crews.label("crews"), func.coalesce(User.full_name, User.name).label("made_by"))  # fmt: skip
    asked = asked.outerjoin(User, User.id == DayPlan.made_by).where(DayPlan.status != PlanState.DISCARDED)
    if (inside := within(scope)) is not None:
        asked = asked.where(DayPlan.area_id.in_(inside))
    return [dict(row) for row in session.execute(asked.order_by(DayPlan.id.desc()).limit(limit)).mappings()]


def latest(session: Session, scope: Scope, day: date) -> int | None:
    """The newest proposal for a day that was not discarded?"""
    asked = select(DayPlan.id).where(DayPlan.day == day, DayPlan.status != PlanState.DISCARDED)
    if (inside := within(scope)) is not None:
        asked = asked.where(DayPlan.area_id.in_(inside))
    return session.scalar(asked.order_by(DayPlan.id.desc()).limit(1))


def parts(session: Session, plan_id: int) -> list[Mapping[str, Any]]:
    """Each crew's part of a proposal, by name?"""
    asked = select(
        DayPlanCrew.crew_id, DayPlanCrew.status, DayPlanCrew.before, DayPlanCrew.after, DayPlanCrew.old_line,
        DayPlanCrew.new_line, DayPlanCrew.lunch_at, DayPlanCrew.accepted_at, Crew.name, Crew.code, Crew.kind,
    ).join(Crew, Crew.id == DayPlanCrew.crew_id)  # fmt: skip
    asked = asked.where(DayPlanCrew.plan_id == plan_id).order_by(Crew.name, Crew.id)
    return [dict(row) for row in session.execute(asked).mappings()]


def stops(session: Session, plan_id: int, scope: Scope) -> list[Mapping[str, Any]]:
    """Every order of a proposal that this person may see, crew by crew in the order of the day, the unserved last?"""
    was = Crew.__table__.alias("was_crew")
    x, y = cast(func.ST_X(Complaint.geom), Float), cast(func.ST_Y(Complaint.geom), Float)
    asked = select(
        DayPlanStop.complaint_id, DayPlanStop.crew_id, DayPlanStop.kind, DayPlanStop.position, DayPlanStop.from_crew_id,
        was.c.name.label("from_crew"), func.lower(DayPlanStop.was).label("was_start"), DayPlanStop.leave_at,
        DayPlanStop.begin_at, DayPlanStop.end_at, DayPlanStop.way_s, DayPlanStop.way_m, DayPlanStop.late_s, DayPlanStop.reason,
        DayPlanStop.params, Complaint.hotline_no, Complaint.place, Complaint.category, Category.name.label("category_name"),
        Category.name_en.label("category_name_en"), Complaint.resolve_by, Complaint.key_since, WorkOrder.order_no,
        x.label("lon"), y.label("lat"),
    )  # fmt: skip
    asked = (
        asked.join(Complaint, Complaint.id == DayPlanStop.complaint_id)
        .join(Category, Category.code == Complaint.category)
        .outerjoin(was, was.c.id == DayPlanStop.from_crew_id)
        .outerjoin(WorkOrder, WorkOrder.id == func.coalesce(DayPlanStop.done_order_id, DayPlanStop.order_id))
        .where(DayPlanStop.plan_id == plan_id, *visible(scope))
        .order_by(DayPlanStop.crew_id.nulls_last(), DayPlanStop.position, DayPlanStop.complaint_id)
    )
    return [dict(row) for row in session.execute(asked).mappings()]


def stop_rows(session: Session, plan_id: int, crew_ids: Sequence[int]) -> list[DayPlanStop]:
    """What a proposal does with the orders of these crews, locked for accepting it?"""
    asked = select(DayPlanStop).where(DayPlanStop.plan_id == plan_id, DayPlanStop.crew_id.in_(crew_ids))
    return list(session.scalars(asked.order_by(DayPlanStop.complaint_id)))


def hand_overs(session: Session, plan_id: int) -> dict[int, set[int]]:
    """Which crews take over orders from each crew?"""
    asked = select(DayPlanStop.from_crew_id, DayPlanStop.crew_id).where(
        DayPlanStop.plan_id == plan_id, DayPlanStop.kind == "moved", DayPlanStop.from_crew_id.is_not(None)
    )
    found: dict[int, set[int]] = {}
    for giver, taker in session.execute(asked):
        if giver is not None and taker is not None:
            found.setdefault(giver, set()).add(taker)
    return found


def appointments(session: Session, complaint_ids: Sequence[int]) -> dict[int, Appointment]:
    """What was agreed with the callers of these complaints?"""
    found = session.scalars(select(Appointment).where(Appointment.complaint_id.in_(complaint_ids)))
    return {one.complaint_id: one for one in found}
