"""Orders that are already given: another time, another crew, locked, taken back, and undone. Verbs flush; doors commit.

Locks are taken as in `actions`: crews (the lower id first), complaint, order. Another time of the same crew is the same
order; another crew is a new order, and the old one is recalled as reassigned, so that each crew's history stays its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.model import Complaint
from gis.db import check_version, naming_violations
from gis.dispatch import actions
from gis.dispatch.assign import Span
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.placing import Placing
from gis.dispatch.rules import (
    MOVABLE,
    REASON_MAX,
    VIOLATIONS,
    CrewBooked,
    OrderLocked,
    OrderStatus,
    RecallReason,
    Terms,
    UndoTooLate,
    ViolationNotOverridden,
    WrongOrderStep,
)
from gis.errors import BadInput
from gis.journal import Who
from gis.people.rules import CITY, Scope


def move(
    session: Session,
    who: Who,
    order: WorkOrder,
    crew: Crew,
    *,
    start: datetime | None = None,
    base_version: int | None = None,
    terms: Terms,
    scope: Scope = CITY,
    override_reason: str | None = None,
) -> WorkOrder:
    """Give an open order another time, another crew (its earliest free time where no `start` is said), or both.

    Raises StaleVersion, WrongOrderStep (the crew is there already), OrderLocked, CrewBooked (who holds that time) and
    ViolationNotOverridden. Returns the order that is under way now: the same one, or the new crew's.
    """
    reason = actions._said(override_reason, "override_reason", REASON_MAX)
    actions.beside_others(session)
    _lock_crews(session, order.crew_id, crew.id)
    complaint = session.get_one(Complaint, order.complaint_id, with_for_update=True, populate_existing=True)
    session.refresh(order, with_for_update=True)
    check_version(order, base_version)
    _must_be_movable(order, "move")
    if crew.id == order.crew_id:
        if start is None:
            raise BadInput(reason="start")
        return _reschedule(session, who, order, complaint, crew, start, terms, scope, reason)
    lapsed = order.lapsed_at is not None and order.accepted_at is None
    why = RecallReason.NOT_ACCEPTED if lapsed else RecallReason.REASSIGNED
    _recall(session, who, order, why)
    return actions.give(session, who, complaint, crew, terms, scope, reason, start=start, moved_from=order.id)


def _lock_crews(session: Session, *ids: int) -> None:
    for crew_id in sorted(set(ids)):
        session.get_one(Crew, crew_id, with_for_update={"key_share": True}, populate_existing=True)


def _must_be_movable(order: WorkOrder, verb: str) -> None:
    if order.status not in MOVABLE:
        raise WrongOrderStep(status=order.status, verb=verb)
    if order.locked:
        raise OrderLocked(order_no=order.order_no)


def _reschedule(
    session: Session, who: Who, order: WorkOrder, complaint: Complaint, crew: Crew, start: datetime, terms: Terms,
    scope: Scope, reason: str | None,
) -> WorkOrder:  # fmt: skip
    placed = Placing(session, complaint, scope, terms, who.now).at(
        crew.id, start, moving=order.order_no, same_crew=True
    )
    ranked = placed.ranked
    assert ranked.slot is not None
    if placed.held is not None:
        raise actions.booked(session, crew.id, crew.name, placed.held, terms)
    codes = [finding.code for finding in ranked.violations]
    if codes and not reason:
        raise ViolationNotOverridden(violations=[VIOLATIONS[code] for code in codes], codes=codes)
    was = _as_told(order)
    order.minutes, order.metres, order.by = ranked.minutes, ranked.metres, ranked.by
    if codes:
        order.override_reason = reason
    _set_time(session, order, ranked.slot, crew, terms)
    actions._write(session, who, "reschedule", order, complaint, before=str(order.status), overridden=codes, was=was)
    return order


def _as_told(order: WorkOrder) -> dict[str, Any]:
    """What the journal keeps of an order's time, so that it can be given back exactly."""
    return {
        "start": order.during.lower.isoformat() if order.during.lower else None,
        "end": order.during.upper.isoformat() if order.during.upper else None,
        "minutes": order.minutes, "metres": order.metres, "by": order.by,
    }  # fmt: skip


def _set_time(session: Session, order: WorkOrder, slot: Span, crew: Crew, terms: Terms) -> None:
    """The database has the last word on the time; its refusal tells who holds it."""
    order_id = order.id
    try:
        with session.begin_nested(), naming_violations(session):
            order.during = Range(slot.start, slot.end)
    except CrewBooked:
        session.expire(order)
        assert order_id is not None
        raise actions.booked(session, crew.id, crew.name, slot, terms) from None


def _recall(
    session: Session, who: Who, order: WorkOrder, why: RecallReason, base_version: int | None = None
) -> WorkOrder:
    return actions._step(
        session, who, order, "recall", base_version, told={"reason": str(why)}, ended_at=who.now, recall_reason=why
    )


def take_back(session: Session, who: Who, order: WorkOrder, *, base_version: int | None = None) -> WorkOrder:
    """The desk takes an order back after the time to undo, accepted or not; the complaint waits again."""
    return _recall(session, who, order, RecallReason.BY_DESK, base_version)


def lock(
    session: Session, who: Who, order: WorkOrder, locked: bool = True, *, base_version: int | None = None
) -> WorkOrder:
    """Lock an open order to its crew and time, or let it go: neither a plan nor a hand moves it while it is locked."""
    complaint = session.get_one(Complaint, order.complaint_id, with_for_update=True, populate_existing=True)
    session.refresh(order, with_for_update=True)
    check_version(order, base_version)
    verb = "lock" if locked else "unlock"
    if order.status not in (*MOVABLE, OrderStatus.ARRIVED):
        raise WrongOrderStep(status=order.status, verb=verb)
    if order.locked == locked:
        return order
    order.locked = locked
    session.flush()
    actions._write(session, who, verb, order, complaint, before=str(order.status))
    return order


# --- undo ------------------------------------------------------------------------------------------------------------
def undo(session: Session, who: Who, order: WorkOrder, *, terms: Terms) -> WorkOrder:
    """Take back what this person did last with an order, within the undo time and before anybody else did something.

    A time goes back to what it was, a crew gets back the very order that was taken from it, a new order is recalled.
    """
    actions.beside_others(session)
    last = journal.timeline(session, "work_order", order.id)[-1]
    if last["user_id"] != who.user_id or who.now - last["at"] > timedelta(seconds=terms.undo_s):
        raise UndoTooLate(seconds=terms.undo_s)
    verb, data = last["verb"], last["data"]
    if verb == "reschedule":
        return _back_in_time(session, who, order, data["was"], terms)
    if verb in ("lock", "unlock"):
        return lock(session, who, order, verb == "unlock")
    if verb == "assign" and data.get("moved_from"):
        old = session.get_one(WorkOrder, data["moved_from"])
        _lock_crews(session, order.crew_id, old.crew_id)
        actions.recall(session, who, order, terms=terms)
        return _restore(session, who, old, terms)
    if verb == "assign":
        return actions.recall(session, who, order, terms=terms)
    if verb == "recall":
        _lock_crews(session, order.crew_id)
        return _restore(session, who, order, terms)
    raise UndoTooLate(seconds=terms.undo_s)


def _back_in_time(session: Session, who: Who, order: WorkOrder, was: dict[str, Any], terms: Terms) -> WorkOrder:
    _lock_crews(session, order.crew_id)
    complaint = session.get_one(Complaint, order.complaint_id, with_for_update=True, populate_existing=True)
    session.refresh(order, with_for_update=True)
    _must_be_movable(order, "move")
    crew, now_is = session.get_one(Crew, order.crew_id), _as_told(order)
    order.minutes, order.metres, order.by = was["minutes"], was["metres"], was["by"]
    slot = Span(datetime.fromisoformat(was["start"]), datetime.fromisoformat(was["end"]))
    _set_time(session, order, slot, crew, terms)
    actions._write(session, who, "reschedule", order, complaint, before=str(order.status), was=now_is)
    return order


def _restore(session: Session, who: Who, order: WorkOrder, terms: Terms) -> WorkOrder:
    """The same order again, to be accepted anew; whoever got the time meanwhile keeps it and is named."""
    held = Span(order.during.lower or who.now, order.during.upper or who.now)
    crew = session.get_one(Crew, order.crew_id)
    try:
        with session.begin_nested():
            return actions._step(
                session, who, order, "restore", None, assigned_at=who.now, accepted_at=None, lapsed_at=None,
                ended_at=None, recall_reason=None,
            )  # fmt: skip
    except CrewBooked:
        session.expire(order)
        raise actions.booked(session, crew.id, crew.name, held, terms) from None
