"""What is done about counting: a bulletin is published and kept, a baseline is set. Verbs flush; doors commit."""

from __future__ import annotations

from datetime import date, tzinfo
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.rules import clean
from gis.db import naming_violations
from gis.errors import BadInput
from gis.journal import Who
from gis.oversight.bulletins import Question, bulletin
from gis.oversight.counting_model import Baseline, BulletinIssue
from gis.oversight.periods import PeriodKind
from gis.oversight.rates import RANKED, BadBaseline, ReasonNeeded, StillRunning
from gis.people.rules import Scope

SOURCE_MOST = 300


def publish(
    session: Session, who: Who, scope: Scope, question: Question, zone: tzinfo, *, corrects: BulletinIssue | None = None,
    reason: str = "",
) -> BulletinIssue:  # fmt: skip
    """Keep a bulletin as it stands now, under the next number of its kind and year; nothing changes it afterwards.

    A period is published after its last day; only the daily notice may go out on the day itself (sources/jinan-2014:
    当日案件当天办理当天通报). A period is published once: a correction is a new issue that names the old one and why.
    Raises StillRunning, ReasonNeeded and AlreadyPublished.
    """
    period = question.period
    if period.kind is not PeriodKind.DAY and period.is_running(zone, who.now):
        raise StillRunning()
    if period.whole(zone).since > who.now:
        raise StillRunning()
    reason = clean("note", reason)[:SOURCE_MOST]
    if corrects is not None and not reason:
        raise ReasonNeeded()
    area = question.district if question.district is not None else scope.area_id
    unit = question.unit if question.unit is not None else scope.unit_id
    if corrects is not None and not _same(corrects, question, area, unit):
        raise BadInput(reason="corrects")
    issue = BulletinIssue(
        kind=str(period.kind), year=period.last.year, number=_next_number(session, period.kind, period.last.year),
        first=period.first, last=period.last, published_at=who.now, published_by=who.user_id, reason=reason,
        area_id=area, unit_id=unit, corrects_id=corrects.id if corrects else None, body=bulletin(session, scope, question, zone, who.now).as_dict(),
    )  # fmt: skip
    with naming_violations(session):
        session.add(issue)
    journal.write(
        session, who, "publish", "bulletin", issue.id, area_id=issue.area_id, unit_id=issue.unit_id, kind=issue.kind,
        year=issue.year, number=issue.number, corrects=issue.corrects_id,
    )  # fmt: skip
    session.flush()
    return issue


def _same(old: BulletinIssue, question: Question, area: int | None, unit: int | None) -> bool:
    """Is the corrected issue about the same period and the same area or body?"""
    period = question.period
    wanted = (str(period.kind), period.first, period.last, area, unit)
    return (old.kind, old.first, old.last, old.area_id, old.unit_id) == wanted


def _next_number(session: Session, kind: str, year: int) -> int:
    """Numbers have no gaps: whoever takes one holds the series until the end of the transaction, and none is ever taken away."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:series))"), {"series": f"chengmai bulletin {kind} {year}"}
    )
    asked = select(func.max(BulletinIssue.number)).where(BulletinIssue.kind == kind, BulletinIssue.year == year)
    return (session.scalar(asked) or 0) + 1


def set_baseline(
    session: Session, who: Who, *, rate: str, percent: str | Decimal, valid_from: date, source: str
) -> Baseline:  # fmt: skip
    """Set what is asked for, from a day on. Raises BadBaseline, BaselineTaken and BadInput for a rate that ranks nobody."""
    if rate not in RANKED:
        raise BadInput(reason="rate")
    try:
        limit = Decimal(percent).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise BadBaseline() from None
    said = clean("note", source)
    if not (limit.is_finite() and 0 <= limit <= 100 and 0 < len(said) <= SOURCE_MOST):
        raise BadBaseline()
    made = Baseline(rate=str(rate), percent=limit, valid_from=valid_from, source=said)
    with naming_violations(session):
        session.add(made)
    journal.write(
        session,
        who,
        "set_baseline",
        "baseline",
        made.id,
        rate=str(rate),
        percent=str(limit),
        valid_from=valid_from.isoformat(),
    )
    session.flush()
    return made
