"""Accepting a proposal, crew by crew, and taking that back. Verbs flush; doors commit.

A part is booked whole or not at all. While it is, nobody else books many at once, orders may change places (the constraint
that nobody is booked twice is held back to the end), and everything the part was made from is compared with what is there.
Orders go the ordinary ways: a new one is assigned, another time is a new time of the same order, another crew is a recall and
a new order. Locks are taken in the order crews, complaints, orders, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.db import naming_violations
from gis.dispatch import actions, plan_queries, plan_rules
from gis.dispatch.assign import Ranked, Span
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.plan_model import DayPlan, DayPlanCrew, DayPlanStop
from gis.dispatch.plan_rules import (
    PartState,
    PartTaken,
    PartTogether,
    PlanNotReady,
    PlanStale,
    PlanState,
    PlanUndoTooLate,
    StopKind,
)
from gis.dispatch.rules import BOOKING, CrewBooked, OrderStatus, RecallReason, Terms
from gis.errors import ChengmaiError, Missing
from gis.journal import Who

CHANGING = (StopKind.NEW, StopKind.MOVED, StopKind.RETIMED)
_HOLD_BACK = text("SET CONSTRAINTS ex_work_order_crew DEFERRED")
_CHECK_NOW = text("SET CONSTRAINTS ex_work_order_crew IMMEDIATE")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('chengmai bookings'))")


@dataclass(frozen=True)
class Outcome:
    """What became of some crews' parts: booked, or refused as they belong together."""

    crews: tuple[int, ...]
    error: ChengmaiError | None = None


def accept(session: Session, who: Who, plan: DayPlan, crew_ids: Iterable[int] | None, terms: Terms) -> list[Outcome]:
    """Book these crews' parts, or all that are not booked yet. Each part, with those it hands orders over to, whole or not.

    Raises PlanNotReady, PartTaken and PartTogether before anything is done; what refuses one part stands in its outcome.
    """
    session.execute(_ALONE)
    session.refresh(plan, with_for_update=True)
    if plan.status != PlanState.READY:
        raise PlanNotReady(status=str(plan.status))
    parts = _parts(session, plan, crew_ids)
    together = plan_queries.hand_overs(session, plan.id)
    _must_be_whole(session, plan, parts, together)
    return [_tried(session, who, plan, [parts[i] for i in group], terms) for group in _groups(sorted(parts), together)]


def _parts(session: Session, plan: DayPlan, crew_ids: Iterable[int] | None) -> dict[int, DayPlanCrew]:
    asked = select(DayPlanCrew).where(DayPlanCrew.plan_id == plan.id)
    there = {part.crew_id: part for part in session.scalars(asked.execution_options(populate_existing=True))}
    if crew_ids is None:
        return {i: part for i, part in there.items() if part.status == PartState.PROPOSED}
    wanted = sorted(set(crew_ids))
    if missing := [i for i in wanted if i not in there]:
        raise Missing(thing="crew", id=missing[0])
    for crew_id in wanted:
        if there[crew_id].status == PartState.ACCEPTED:
            raise PartTaken(crew=_name(session, crew_id))
    return {i: there[i] for i in wanted}


def _must_be_whole(
    session: Session, plan: DayPlan, parts: dict[int, DayPlanCrew], together: dict[int, set[int]]
) -> None:
    """A crew that hands orders over needs those who take them: somebody must have them."""
    for giver in sorted(parts):
        missing = [taker for taker in sorted(together.get(giver, ())) if taker not in parts]
        open_ones = [i for i in missing if _part(session, plan, i).status == PartState.PROPOSED]
        if open_ones:
            raise PartTogether(
                crew=_name(session, giver), others=", ".join(_name(session, i) for i in open_ones), crew_ids=open_ones
            )


def _part(session: Session, plan: DayPlan, crew_id: int) -> DayPlanCrew:
    return session.get_one(DayPlanCrew, (plan.id, crew_id))


def _name(session: Session, crew_id: int) -> str:
    return session.get_one(Crew, crew_id).name


def _groups(crews: Sequence[int], together: dict[int, set[int]]) -> list[list[int]]:
    """Crews that hand orders to each other, in one way or the other, stand or fall together."""
    group_of = {crew: {crew} for crew in crews}
    for giver, takers in together.items():
        for taker in takers:
            if giver in group_of and taker in group_of and group_of[giver] is not group_of[taker]:
                whole = group_of[giver] | group_of[taker]
                for crew in whole:
                    group_of[crew] = whole
    return [sorted(group) for crew, group in sorted(group_of.items()) if crew == min(group)]


def _tried(session: Session, who: Who, plan: DayPlan, parts: list[DayPlanCrew], terms: Terms) -> Outcome:
    crews = tuple(part.crew_id for part in parts)
    try:
        with session.begin_nested():
            _book_all(session, who, plan, parts, terms)
    except ChengmaiError as error:
        session.expire_all()
        return Outcome(crews, error)
    return Outcome(crews)


def _book_all(session: Session, who: Who, plan: DayPlan, parts: list[DayPlanCrew], terms: Terms) -> None:
    crew_ids = [part.crew_id for part in parts]
    for crew_id in crew_ids:
        session.get_one(Crew, crew_id, with_for_update={"key_share": True}, populate_existing=True)
    stops = plan_queries.stop_rows(session, plan.id, crew_ids)
    complaints, orders = _locked(session, stops)
    if changes := _changes(session, who.now, parts, stops, complaints, orders):
        raise PlanStale(changes)
    session.execute(_HOLD_BACK)
    changing = [stop for stop in stops if stop.kind in CHANGING]
    for stop in changing:
        if stop.kind == StopKind.MOVED:
            _recall(session, who, orders[stop.complaint_id])
    for stop in sorted(changing, key=lambda s: (s.crew_id or 0, s.position)):
        done = _book(session, who, plan, stop, complaints[stop.complaint_id], orders, terms)
        stop.done_order_id, stop.done_version = done.id, done.version
    _free_of_overlaps(session, changing, complaints)
    for part in parts:
        part.status, part.accepted_at, part.accepted_by = PartState.ACCEPTED, who.now, who.user_id
    session.flush()
    journal.write(
        session,
        who,
        "accept",
        "day_plan",
        plan.id,
        version=plan.version,
        area_id=plan.area_id,
        crews=crew_ids,
        orders=len(changing),
    )


def _locked(session: Session, stops: Sequence[DayPlanStop]) -> tuple[dict[int, Complaint], dict[int, WorkOrder]]:
    """The complaints and their open orders as they are now, locked in the order of their ids."""
    ids = [stop.complaint_id for stop in stops]
    fresh = {"populate_existing": True}
    asked = select(Complaint).where(Complaint.id.in_(ids)).order_by(Complaint.id).with_for_update()
    complaints = {c.id: c for c in session.scalars(asked.execution_options(**fresh))}
    held = (
        select(WorkOrder).where(WorkOrder.complaint_id.in_(ids), WorkOrder.status.in_(BOOKING)).order_by(WorkOrder.id)
    )
    orders = {o.complaint_id: o for o in session.scalars(held.with_for_update().execution_options(**fresh))}
    return complaints, orders


def _changes(
    session: Session, now: datetime, parts: list[DayPlanCrew], stops: list[DayPlanStop], complaints: dict[int, Complaint],
    orders: dict[int, WorkOrder],
) -> list[tuple[str, dict[str, Any]]]:  # fmt: skip
    """What is no longer as it was when the proposal was made, by name."""
    found: list[tuple[str, dict[str, Any]]] = []
    for part in parts:
        crew = session.get_one(Crew, part.crew_id)
        if crew.version != part.crew_version:
            found.append(("crew_changed", {"crew": crew.name}))
    for stop in stops:
        if stop.kind == StopKind.LOCKED:
            continue
        complaint, order = complaints[stop.complaint_id], orders.get(stop.complaint_id)
        if (order.id if order else None) != stop.order_id or (order and order.version != stop.order_version):
            found.append(("order_changed", {"no": order.order_no if order else complaint.hotline_no}))
        elif complaint.version != stop.complaint_version:
            found.append(("complaint_changed", {"no": complaint.hotline_no}))
        elif stop.kind in CHANGING and stop.leave_at and stop.leave_at < now - timedelta(minutes=plan_rules.PAST_MIN):
            found.append(("time_passed", {"no": complaint.hotline_no}))
    return found + _given_since(session, [part.crew_id for part in parts], stops)


def _given_since(
    session: Session, crew_ids: list[int], stops: Sequence[DayPlanStop]
) -> list[tuple[str, dict[str, Any]]]:
    """Orders of these crews that the proposal does not know and that lie in its way."""
    spans = [(s.crew_id, s.leave_at, s.end_at) for s in stops if s.kind in CHANGING and s.leave_at and s.end_at]
    known = select(DayPlanStop.complaint_id).where(DayPlanStop.plan_id == stops[0].plan_id) if stops else None
    asked = select(WorkOrder, Crew.name).join(Crew, Crew.id == WorkOrder.crew_id)
    asked = asked.where(WorkOrder.crew_id.in_(crew_ids), WorkOrder.status.in_(BOOKING)).order_by(WorkOrder.id)
    if known is not None:
        asked = asked.where(WorkOrder.complaint_id.not_in(known))
    found = []
    for order, name in session.execute(asked):
        lower, upper = order.during.lower, order.during.upper
        if any(
            c == order.crew_id and (upper is None or start < upper) and (lower is None or lower < end)
            for c, start, end in spans
        ):
            found.append(("order_added", {"crew": name, "no": order.order_no}))
    return found


def _recall(session: Session, who: Who, order: WorkOrder) -> None:
    why = RecallReason.REASSIGNED
    actions._step(session, who, order, "recall", None, told={"reason": str(why)}, ended_at=who.now, recall_reason=why)


def _book(
    session: Session,
    who: Who,
    plan: DayPlan,
    stop: DayPlanStop,
    complaint: Complaint,
    orders: dict[int, WorkOrder],
    terms: Terms,
) -> WorkOrder:
    assert stop.leave_at is not None and stop.end_at is not None and stop.crew_id is not None
    if stop.kind == StopKind.RETIMED:
        return _retime(session, who, orders[complaint.id], complaint, Range(stop.leave_at, stop.end_at), plan, stop)
    crew = session.get_one(Crew, stop.crew_id)
    more = {"moved_from": stop.order_id} if stop.kind == StopKind.MOVED else {}
    slot = Span(stop.leave_at, stop.end_at)
    return _give(session, who, complaint, crew, slot, stop.way_s / 60, float(stop.way_m), plan, terms, more)


def _give(
    session: Session, who: Who, complaint: Complaint, crew: Crew, slot: Span, minutes: float | None, metres: float | None,
    plan: DayPlan, terms: Terms, more: dict[str, Any],
) -> WorkOrder:  # fmt: skip
    by = "straight" if plan.by == "straight" else "road"
    chosen = Ranked(crew.id, 0.0, slot, minutes, metres, by, 0, (), ())
    order = actions._book(session, who, complaint, crew, chosen, None, terms)
    take_step(
        session, who, complaint, "assign", data={"order_id": order.id, "order_no": order.order_no, "crew_id": crew.id}
    )
    actions._write(session, who, "assign", order, complaint, before=None, overridden=[], plan_id=plan.id, **more)
    return order


def _retime(
    session: Session,
    who: Who,
    order: WorkOrder,
    complaint: Complaint,
    during: Range[datetime],
    plan: DayPlan,
    stop: DayPlanStop,
) -> WorkOrder:
    was = {"start": _told(order.during.lower), "end": _told(order.during.upper), "minutes": order.minutes, "metres": order.metres,
           "by": order.by}  # fmt: skip
    stop.params = stop.params | {"was": was}
    order.during, order.minutes, order.metres = during, stop.way_s / 60, float(stop.way_m)
    order.by = "straight" if plan.by == "straight" else "road"
    session.flush()
    actions._write(session, who, "reschedule", order, complaint, before=str(order.status), plan_id=plan.id, was=was)
    return order


def _told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _free_of_overlaps(session: Session, stops: Sequence[DayPlanStop], complaints: dict[int, Complaint]) -> None:
    """Now the whole must be free of overlaps; the database has the last word, and the orders in the way are named."""
    session.flush()
    try:
        with session.begin_nested(), naming_violations(session):
            session.execute(_CHECK_NOW)
    except CrewBooked:
        taken = [("time_taken", {"no": complaints[s.complaint_id].hotline_no}) for s in stops if _is_taken(session, s)]
        raise PlanStale(taken) from None


def _is_taken(session: Session, stop: DayPlanStop) -> bool:
    asked = select(func.count()).where(
        WorkOrder.crew_id == stop.crew_id, WorkOrder.status.in_(BOOKING), WorkOrder.complaint_id != stop.complaint_id,
        WorkOrder.during.op("&&")(func.tstzrange(stop.leave_at, stop.end_at)),
    )  # fmt: skip
    return bool(session.scalar(asked))


# --- taking it back --------------------------------------------------------------------------------------------------
def undo(session: Session, who: Who, plan: DayPlan, crew_id: int, terms: Terms) -> list[int]:
    """Take back what was accepted for a crew, with those it was accepted together with. Returns the crews.

    Raises PlanUndoTooLate, and PlanStale naming the orders to which something happened since.
    """
    session.execute(_ALONE)
    session.refresh(plan, with_for_update=True)
    asked = select(DayPlanCrew).where(DayPlanCrew.plan_id == plan.id, DayPlanCrew.status == PartState.ACCEPTED)
    parts = {p.crew_id: p for p in session.scalars(asked.execution_options(populate_existing=True))}
    if crew_id not in parts:
        raise Missing(thing="crew", id=crew_id)
    group = next(g for g in _groups(sorted(parts), plan_queries.hand_overs(session, plan.id)) if crew_id in g)
    for one in group:
        at = parts[one].accepted_at
        if at is None or who.now - at > timedelta(minutes=plan_rules.UNDO_MIN):
            raise PlanUndoTooLate(minutes=plan_rules.UNDO_MIN)
        session.get_one(Crew, one, with_for_update={"key_share": True}, populate_existing=True)
    stops = [stop for stop in plan_queries.stop_rows(session, plan.id, group) if stop.kind in CHANGING]
    complaints, orders = _locked(session, stops)
    changes = [
        ("order_taken_up", {"no": complaints[s.complaint_id].hotline_no}) for s in stops if not _untouched(s, orders)
    ]
    if changes:
        raise PlanStale(changes)
    session.execute(_HOLD_BACK)
    for stop in stops:
        _take_back(session, who, plan, stop, complaints[stop.complaint_id], orders[stop.complaint_id], terms)
    _free_again(session, stops, complaints)
    for one in group:
        part = parts[one]
        part.status, part.accepted_at, part.accepted_by = PartState.PROPOSED, None, None
    session.flush()
    journal.write(session, who, "undo", "day_plan", plan.id, version=plan.version, area_id=plan.area_id, crews=group)
    return group


def _untouched(stop: DayPlanStop, orders: dict[int, WorkOrder]) -> bool:
    order = orders.get(stop.complaint_id)
    return (
        order is not None and order.id == stop.done_order_id and order.version == stop.done_version
        and order.status == OrderStatus.ASSIGNED
    )  # fmt: skip


def _take_back(
    session: Session, who: Who, plan: DayPlan, stop: DayPlanStop, complaint: Complaint, order: WorkOrder, terms: Terms
) -> None:
    """The order as it was, and the proposal as of now: it can be accepted again."""
    if stop.kind == StopKind.RETIMED:
        was = stop.params["was"]
        now_is = {"start": _told(order.during.lower), "end": _told(order.during.upper)}
        order.during = Range(datetime.fromisoformat(was["start"]), datetime.fromisoformat(was["end"]))
        order.minutes, order.metres, order.by = was["minutes"], was["metres"], was["by"]
        session.flush()
        actions._write(
            session, who, "reschedule", order, complaint, before=str(order.status), plan_id=plan.id, was=now_is
        )
        stop.order_version = order.version
    else:
        actions._step(session, who, order, "recall", None, told={"reason": "undone"}, ended_at=who.now)
        stop.order_id = stop.order_version = None
        if stop.kind == StopKind.MOVED and stop.from_crew_id is not None and stop.was is not None:
            crew = session.get_one(Crew, stop.from_crew_id)
            assert stop.was.lower is not None and stop.was.upper is not None
            slot = Span(stop.was.lower, stop.was.upper)
            again = _give(session, who, complaint, crew, slot, None, None, plan, terms, {"moved_from": order.id})
            stop.order_id, stop.order_version = again.id, again.version
    stop.complaint_version = complaint.version
    stop.done_order_id = stop.done_version = None


def _free_again(session: Session, stops: Sequence[DayPlanStop], complaints: dict[int, Complaint]) -> None:
    session.flush()
    try:
        with session.begin_nested(), naming_violations(session):
            session.execute(_CHECK_NOW)
    except CrewBooked:
        raise PlanStale(
            [("time_taken", {"no": complaints[s.complaint_id].hotline_no}) for s in stops if s.was is not None]
        ) from None
