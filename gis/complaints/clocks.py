"""The clocks of one complaint: counted when it comes, counted again when a calendar or a granted time moves them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from gis.complaints import law_queries
from gis.complaints.law_model import ComplaintDeadline, Extension, Pause, ReturnRequest
from gis.complaints.law_words import Ruling
from gis.complaints.limits import City, Deadline, Law, due, moved, replay
from gis.complaints.model import Complaint
from gis.journal import Who
from gis.workdays import WorkingDays

_QUIET = {"synchronize_session": False}


def columns(deadline: Deadline) -> dict[str, Any]:
    """A deadline as columns of a complaint."""
    return {
        "resolve_by": deadline.resolve_by, "deadline_source": deadline.source[:200], "warn_at": deadline.warn_at,
        "late_at": deadline.late_at, "limit_rule_id": deadline.rule_id, "calendar_missing": bool(deadline.missing_years),
    }  # fmt: skip


def begin(
    session: Session, category: str, complexity: str, at: datetime, calendar: WorkingDays, zone: tzinfo
) -> tuple[Deadline, list[ComplaintDeadline]]:
    """The main deadline of what comes now, and its further ones, by the limits in force today."""
    law, city = law_queries.law(session), law_queries.city(session, calendar, zone)
    main = due(law.pick(category, complexity, city.day(at)), at, city)
    return main, list(further(law, category, complexity, at, city))


def further(law: Law, category: str, complexity: str, at: datetime, city: City) -> Iterator[ComplaintDeadline]:
    """The rows of the further limits, without their complaint."""
    for limit in law.measures(category, complexity, city.day(at)):
        found = due(limit, at, city)
        yield ComplaintDeadline(
            limit_rule_id=limit.id, measure=limit.measure, due_at=found.resolve_by, warn_at=found.warn_at
        )


def counted(session: Session, complaint: Complaint, city: City, sent_at: datetime | None = None) -> Deadline:
    """The deadline of a complaint by its own rule and everything that moved it since."""
    limit = law_queries.limit_of(session, complaint, city.zone)
    happened = law_queries.moved_by(session, complaint.id)
    return replay(limit, complaint.received_at, sent_at or complaint.sent_at, happened, city)


def until(session: Session, complaint: Complaint, end: datetime, city: City) -> dict[str, Any]:
    """The columns of a complaint whose deadline is moved to `end`; the alarms of a deadline that lies ahead ring anew."""
    limit = law_queries.limit_of(session, complaint, city.zone)
    start = complaint.received_at
    now = Deadline(complaint.resolve_by, limit.source, (), complaint.warn_at, complaint.late_at)
    found = moved(limit, now, end, start, city)
    return {"resolve_by": found.resolve_by, "warn_at": found.warn_at, "late_at": found.late_at}


def settle(session: Session, who: Who, complaint: Complaint, *, met: bool) -> None:
    """What still ran or waited when a complaint was closed: its pause ends, what was asked for lapses, its limits are met.

    Whoever closes while the clock stands still is in time: the clock stood before it ran out.
    """
    if complaint.paused_at is not None:
        complaint.paused_at, complaint.resolve_by = None, max(complaint.resolve_by, who.now)
        running = update(Pause).where(Pause.complaint_id == complaint.id, Pause.ended_at.is_(None))
        session.execute(running.values(ended_at=who.now, version=Pause.version + 1), execution_options=_QUIET)
    for asked in (ReturnRequest, Extension):
        waits = update(asked).where(asked.complaint_id == complaint.id, asked.verdict == Ruling.WAITING)
        lapsed = {"verdict": Ruling.REFUSED, "decided_at": who.now, "version": asked.version + 1}
        session.execute(waits.values(lapsed), execution_options=_QUIET)
    if met:
        left = update(ComplaintDeadline).where(ComplaintDeadline.complaint_id == complaint.id)
        session.execute(left.where(ComplaintDeadline.met_at.is_(None)).values(met_at=who.now), execution_options=_QUIET)
