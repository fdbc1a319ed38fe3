"""What is asked about call-backs and handovers: who is to be called, what was said, which cases are handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, not_, or_, select, true
from sqlalchemy.orm import Session

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.complaints.rules import Status
from gis.errors import Missing
from gis.oversight.model import FollowUpCall, Handover, HandoverItem
from gis.oversight.rules import CallOutcome, HandoverReason, Satisfaction
from gis.people.model import Unit, User
from gis.people.rules import Scope

Row = Mapping[str, Any]
LISTED = 200
TO_CALL = (Status.ANSWERED, Status.MERGED)
DISSATISFIED = or_(FollowUpCall.result == Satisfaction.DISSATISFIED, FollowUpCall.solved.is_(False))


def _last_calls() -> Any:
    """The calls since the answer that is followed up: how many, the last one, and whether somebody was spoken to."""
    spoken = FollowUpCall.outcome.in_((CallOutcome.REACHED, CallOutcome.REFUSED))
    asked = select(
        func.count().label("attempts"), func.max(FollowUpCall.at).label("last_at"), func.bool_or(spoken).label("spoken")
    )
    return asked.where(FollowUpCall.complaint_id == Complaint.id, FollowUpCall.at >= Complaint.answered_at).lateral()


@dataclass(frozen=True)
class CallList:
    """Who is to be called now, who was tried and waits for another attempt, and how many come on a later day."""

    due: list[Row]
    waiting: list[Row]
    total_due: int
    later: int


def call_list(
    session: Session,
    scope: Scope,
    now: datetime,
    *,
    before: date,
    zone: tzinfo,
    again_hours: int,
    attempts: int,
    within_days: int,
) -> CallList:
    """Which answered callers are to be called back: those answered before a day, the longest waiting first.

    What was answered longer than `within_days` ago is history, imported perhaps, and nobody calls any more.
    A merged complaint has a caller of its own and is called too, until somebody was reached or the attempts are used up.
    """
    calls = _last_calls()
    tried = calls.c.attempts
    answered_before = datetime.combine(before, time(), tzinfo=zone)
    waits = and_(calls.c.last_at.isnot(None), calls.c.last_at > now - timedelta(hours=again_hours))
    dissatisfied = exists().where(FollowUpCall.complaint_id == Complaint.id, DISSATISFIED)
    base: Any = (
        select(
            Complaint.id, Complaint.hotline_no, Complaint.place, Complaint.description, Complaint.answer, Complaint.status,
            Complaint.received_at, Complaint.answered_at, Complaint.version, Complaint.category, Complaint.reopen_count,
            Complaint.key_since, Category.name.label("category_zh"), Category.name_en.label("category_en"),
            Unit.name.label("unit"), tried.label("attempts"), calls.c.last_at, waits.label("waits"),
            dissatisfied.label("dissatisfied_before"),
        )
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
        .join(calls, true())
        .where(
            Complaint.status.in_(TO_CALL), Complaint.answered_at >= now - timedelta(days=within_days), *visible(scope),
            or_(Complaint.status == Status.ANSWERED,
                and_(not_(func.coalesce(calls.c.spoken, False)), tried < attempts)),
        )
    )  # fmt: skip
    ready = base.where(Complaint.answered_at < answered_before)
    order = (Complaint.key_since.is_(None), Complaint.answered_at, Complaint.id)
    due = session.execute(ready.where(not_(func.coalesce(waits, False))).order_by(*order).limit(LISTED)).mappings()
    waiting = session.execute(ready.where(waits).order_by(calls.c.last_at, Complaint.id).limit(LISTED)).mappings()
    rows: list[Row] = [dict(r) for r in due]
    tried_rows: list[Row] = [dict(r) for r in waiting]
    total = session.scalar(select(func.count()).select_from(ready.where(not_(func.coalesce(waits, False))).subquery()))
    later = session.scalar(
        select(func.count()).select_from(base.where(Complaint.answered_at >= answered_before).subquery())
    )
    return CallList(rows, tried_rows, int(total or 0), int(later or 0))


def calls_of(session: Session, complaint_id: int) -> list[Row]:
    """Every attempt to call this caller back, oldest first. Only for a complaint that was found within the scope."""
    asked = select(*FollowUpCall.__table__.c, User.full_name.label("caller_back")).outerjoin(
        User, User.id == FollowUpCall.user_id
    )
    asked = asked.where(FollowUpCall.complaint_id == complaint_id).order_by(FollowUpCall.attempt)
    return [dict(row) for row in session.execute(asked).mappings()]


def told_today(session: Session, scope: Scope, since: datetime) -> Row:
    """How many calls were made since, and what was said: reached, solved, and both satisfactions with their own denominators."""
    reached = FollowUpCall.outcome == CallOutcome.REACHED
    content = (Satisfaction.SATISFIED, Satisfaction.BASICALLY)
    asked = (
        select(
            func.count().label("calls"), func.count().filter(reached).label("reached"),
            func.count().filter(FollowUpCall.solved.is_(True)).label("solved"),
            func.count().filter(FollowUpCall.process.in_(content)).label("process"),
            func.count().filter(FollowUpCall.result.in_(content)).label("result"),
        )
        .join(Complaint, Complaint.id == FollowUpCall.complaint_id)
        .where(FollowUpCall.at >= since, *visible(scope))
    )  # fmt: skip
    return dict(session.execute(asked).mappings().one())


# --- handovers -------------------------------------------------------------------------------------------------------
def to_hand_over(session: Session, scope: Scope) -> list[Row]:
    """Which open or reopened cases are dissatisfied or repeated and not handed over yet? source: sources/jinan-2014."""
    dissatisfied = exists().where(FollowUpCall.complaint_id == Complaint.id, DISSATISFIED)
    handed = exists().where(HandoverItem.complaint_id == Complaint.id, HandoverItem.ended_at.is_(None))
    reason = case(
        (dissatisfied, literal(str(HandoverReason.DISSATISFIED))),
        (Complaint.repeat_count > 0, literal(str(HandoverReason.REPEATED))),
    )
    asked = (
        select(
            Complaint.id, Complaint.hotline_no, Complaint.place, Complaint.description, Complaint.status, Complaint.unit_id,
            Complaint.received_at, Complaint.resolve_by, Complaint.repeat_count, Complaint.reopen_count, Unit.name.label("unit"),
            Category.name.label("category_zh"), Category.name_en.label("category_en"), reason.label("reason"),
        )
        .join(Unit, Unit.id == Complaint.unit_id)
        .join(Category, Category.code == Complaint.category)
        .where(
            is_open(), *visible(scope),
            reason.isnot(None), not_(handed),
        )
        .order_by(Unit.name, Complaint.received_at, Complaint.id)
        .limit(500)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def _handover_visible(scope: Scope) -> list[Any]:
    found: list[Any] = []
    if scope.unit_id is not None:
        found.append(Handover.unit_id == scope.unit_id)
    if scope.area_id is not None:
        outside = (
            select(HandoverItem.id).join(Complaint, Complaint.id == HandoverItem.complaint_id)
            .where(HandoverItem.handover_id == Handover.id,
                   not_(func.coalesce(and_(*visible(Scope(area_id=scope.area_id))), False)))
        )  # fmt: skip
        found.append(not_(exists(outside)))
    return found


def _handovers(now: datetime) -> Any:
    late = and_(HandoverItem.ended_at.is_(None), HandoverItem.end_by < now)
    counted = (
        select(
            HandoverItem.handover_id, func.count().label("cases"),
            func.count().filter(HandoverItem.ended_at.isnot(None)).label("ended"), func.count().filter(late).label("late"),
        ).group_by(HandoverItem.handover_id)
    ).subquery()  # fmt: skip
    return (
        select(*Handover.__table__.c, Unit.name.label("unit"), User.full_name.label("maker"), counted.c.cases,
               counted.c.ended, counted.c.late)
        .join(Unit, Unit.id == Handover.unit_id)
        .join(counted, counted.c.handover_id == Handover.id)
        .outerjoin(User, User.id == Handover.made_by)
    )  # fmt: skip


def handovers(session: Session, scope: Scope, now: datetime) -> list[Row]:
    """The lists that were handed over, those with something open first, newest first."""
    made = _handovers(now).where(*_handover_visible(scope)).subquery()
    asked = select(made).order_by(made.c.ended >= made.c.cases, made.c.made_at.desc(), made.c.id.desc()).limit(LISTED)
    return [dict(row) for row in session.execute(asked).mappings()]


def handover(session: Session, scope: Scope, handover_id: int, now: datetime) -> Row:
    """One list with its counts, or Missing."""
    asked = _handovers(now).where(Handover.id == handover_id, *_handover_visible(scope))
    row = session.execute(asked).mappings().one_or_none()
    if row is None:
        raise Missing(thing="handover", id=handover_id)
    return dict(row)


def items(session: Session, handover_id: int) -> list[Row]:
    """The cases of a list in their order. Only for a list that was found within the scope."""
    asked = (
        select(*HandoverItem.__table__.c, Complaint.hotline_no, Complaint.place, Complaint.description, Complaint.status,
               Complaint.received_at, Category.name.label("category_zh"), Category.name_en.label("category_en"))
        .join(Complaint, Complaint.id == HandoverItem.complaint_id)
        .join(Category, Category.code == Complaint.category)
        .where(HandoverItem.handover_id == handover_id)
        .order_by(HandoverItem.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def items_of(session: Session, complaint_id: int) -> list[Row]:
    """In which lists does this complaint stand, newest first? Only for a complaint that was found within the scope."""
    asked = (
        select(*HandoverItem.__table__.c, Unit.name.label("unit"))
        .join(Handover, Handover.id == HandoverItem.handover_id).join(Unit, Unit.id == Handover.unit_id)
        .where(HandoverItem.complaint_id == complaint_id).order_by(HandoverItem.id.desc())
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]
