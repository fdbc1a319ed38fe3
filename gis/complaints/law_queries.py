"""What is asked about the law: the limits in force, one complaint's own, what was asked for and waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, tzinfo
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.complaints.law_model import (
    ComplaintDeadline,
    Extension,
    LimitRule,
    Pause,
    Reminder,
    ReturnRequest,
    RuleSet,
    WorkSpan,
)
from gis.complaints.law_words import Ruling
from gis.complaints.limit_seeds import OFFICE_HOURS
from gis.complaints.limits import HOUSE, City, Law, Limit, Longer, Stood
from gis.complaints.model import Complaint
from gis.workdays import WorkingDays

_COLUMNS = ("id", "category", "complexity", "measure", "clock", "amount", "count_from", "extension_days", "further_days",
            "source", "valid_from", "valid_to")  # fmt: skip


def _limits() -> Any:
    columns = [getattr(LimitRule, name) for name in _COLUMNS]
    return select(*columns, RuleSet.rank, RuleSet.return_days).join(RuleSet, RuleSet.id == LimitRule.rule_set_id)


def law(session: Session) -> Law:
    """The limits of the sets in force."""
    rows = session.execute(_limits().where(RuleSet.in_force)).mappings()
    return Law(tuple(Limit(**row) for row in rows))


def limit_of(session: Session, complaint: Complaint, zone: tzinfo) -> Limit:
    """The rule that applied to a complaint when it came; for one of before the rules, what the house goes by."""
    if complaint.limit_rule_id is not None:
        found = limit_by_id(session, complaint.limit_rule_id)
        assert found is not None  # the foreign key holds it
        return found
    day = complaint.received_at.astimezone(zone).date()
    return HOUSE.pick(complaint.category, complaint.complexity, day)


def limit_by_id(session: Session, rule_id: int | None) -> Limit | None:
    """One limit, as it was kept."""
    row = session.execute(_limits().where(LimitRule.id == rule_id)).mappings().one_or_none()
    return Limit(**row) if row else None


def hours(session: Session) -> tuple[tuple[time, time], ...]:
    """The city's office hours of a working day."""
    found = session.execute(select(WorkSpan.begins, WorkSpan.ends).order_by(WorkSpan.begins)).all()
    return tuple((row.begins, row.ends) for row in found) or OFFICE_HOURS


def city(session: Session, calendar: WorkingDays, zone: tzinfo) -> City:
    """The city's time with its office hours."""
    return City(zone, calendar, hours(session))


def moved_by(session: Session, complaint_id: int) -> list[Stood | Longer]:
    """Everything that moved the deadline of a complaint: the pauses that ended, the extensions granted."""
    stood = select(Pause.began_at, Pause.ended_at).where(Pause.complaint_id == complaint_id, Pause.ended_at.isnot(None))
    more = select(Extension.decided_at, Extension.granted_days).where(
        Extension.complaint_id == complaint_id, Extension.verdict == Ruling.GRANTED
    )
    found: list[Stood | Longer] = [Stood(row.began_at, row.ended_at) for row in session.execute(stood)]
    return [*found, *(Longer(row.decided_at, row.granted_days) for row in session.execute(more))]


def waiting_return(session: Session, complaint_id: int) -> ReturnRequest | None:
    """The return that waits for its arbiter."""
    return session.scalar(
        select(ReturnRequest).where(ReturnRequest.complaint_id == complaint_id, ReturnRequest.verdict == Ruling.WAITING)
    )


def waiting_extension(session: Session, complaint_id: int) -> Extension | None:
    """The extension that waits for a decision."""
    return session.scalar(
        select(Extension).where(Extension.complaint_id == complaint_id, Extension.verdict == Ruling.WAITING)
    )


def running_pause(session: Session, complaint_id: int) -> Pause | None:
    """The pause in which the clock stands still now."""
    return session.scalar(select(Pause).where(Pause.complaint_id == complaint_id, Pause.ended_at.is_(None)))


def deadlines(session: Session, complaint_id: int) -> Sequence[ComplaintDeadline]:
    """The further limits of a complaint, the next first."""
    asked = select(ComplaintDeadline).where(ComplaintDeadline.complaint_id == complaint_id)
    return session.scalars(asked.order_by(ComplaintDeadline.due_at, ComplaintDeadline.id)).all()


def facts(session: Session, complaint_id: int) -> tuple[set[str], list[str]]:
    """What decides, beside its status, which steps are shown; and the names of its further limits that are not met."""
    measures = [one.measure for one in deadlines(session, complaint_id) if one.met_at is None]
    held = {
        "paused": running_pause(session, complaint_id), "extension": waiting_extension(session, complaint_id),
        "measure": measures,
    }  # fmt: skip
    return {name for name, value in held.items() if value}, measures


def returns(session: Session, complaint_id: int) -> Sequence[ReturnRequest]:
    """All returns of a complaint, oldest first."""
    asked = select(ReturnRequest).where(ReturnRequest.complaint_id == complaint_id)
    return session.scalars(asked.order_by(ReturnRequest.id)).all()


def extensions(session: Session, complaint_id: int) -> Sequence[Extension]:
    """All extensions of a complaint, oldest first."""
    return session.scalars(select(Extension).where(Extension.complaint_id == complaint_id).order_by(Extension.id)).all()


def pauses(session: Session, complaint_id: int) -> Sequence[Pause]:
    """All pauses of a complaint, oldest first."""
    return session.scalars(select(Pause).where(Pause.complaint_id == complaint_id).order_by(Pause.id)).all()


def reminders(session: Session, complaint_id: int) -> Sequence[Reminder]:
    """Every time a complaint was urged, oldest first."""
    return session.scalars(select(Reminder).where(Reminder.complaint_id == complaint_id).order_by(Reminder.id)).all()


def rule_sets(session: Session) -> Sequence[RuleSet]:
    """All bodies of rules, those in force first."""
    return session.scalars(select(RuleSet).order_by(RuleSet.in_force.desc(), RuleSet.rank.desc(), RuleSet.id)).all()


def limit_rules(session: Session) -> Sequence[LimitRule]:
    """All limits with their history, the newest row of each first."""
    asked = select(LimitRule).order_by(
        LimitRule.rule_set_id, LimitRule.category, LimitRule.complexity, LimitRule.measure,
        LimitRule.valid_from.desc().nulls_last(), LimitRule.id.desc(),
    )  # fmt: skip
    return session.scalars(asked).all()


_EFFECT = text(
    """
    SELECT received_at, sent_at, closed_at, category, complexity FROM complaint
     WHERE received_at >= :since AND received_at < :until AND merged_into_id IS NULL
       AND (:category = '' OR category = :category OR category LIKE :category || '.%')
       AND (CAST(:complexity AS text) IS NULL OR complexity = :complexity)
    """
)


def received_between(
    session: Session, since: datetime, until: datetime, category: str, complexity: str | None
) -> Sequence[Any]:
    """What a changed limit would have been asked of: the moments of the complaints of a time that it speaks of."""
    given = {"since": since, "until": until, "category": category, "complexity": complexity}
    return session.execute(_EFFECT, given).all()


def applied(session: Session) -> dict[int, int]:
    """How many complaints each limit was applied to."""
    asked = select(Complaint.limit_rule_id, func.count()).where(Complaint.limit_rule_id.isnot(None))
    return {int(row[0] or 0): row[1] for row in session.execute(asked.group_by(Complaint.limit_rule_id))}
