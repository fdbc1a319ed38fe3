"""What becomes of a finding by itself when time passes: a warning, a breach, the wish to escalate. Each is told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from gis import journal
from gis.inspections import finding_queries as queries
from gis.inspections.finding_model import Finding
from gis.inspections.findings import Days
from gis.journal import Who
from gis.workdays import WorkingDays


@dataclass
class Seen:
    """What one look found: how many were warned and became late, and which are to be escalated now."""

    warned: int = 0
    late: int = 0
    to_escalate: list[Finding] = field(default_factory=list)


def working_days_before(day: date, days: int, calendar: WorkingDays) -> date:
    """The day so many working days earlier."""
    while days > 0:
        day -= timedelta(days=1)
        days -= calendar.is_working(day)
    return day


def watch(session: Session, who: Who, days: Days) -> Seen:
    """Look at every finding that waits for its unit. A look that is repeated finds nothing new."""
    rules, found = queries.rules(session), Seen()
    today = who.now.astimezone(days.zone).date()
    for finding in queries.watched(session, who.now):
        rule, until = rules[finding.severity], finding.rectify_by
        if until is None:
            continue
        last = until.astimezone(days.zone).date()
        if who.now > until:
            found.late += _once(session, who, finding, "late_at", "late", until)
            if days.calendar.count(last, today) >= rule.escalate_days:
                found.to_escalate.append(finding)
        elif today >= working_days_before(last, rule.warn_days, days.calendar):
            found.warned += _once(session, who, finding, "warned_at", "warn", until)
    session.flush()
    return found


def _once(session: Session, who: Who, finding: Finding, mark: str, verb: str, until: datetime) -> int:
    if getattr(finding, mark) is not None:
        return 0
    setattr(finding, mark, who.now)
    session.flush()
    journal.write(session, who, verb, "finding", finding.id, version=finding.version, area_id=finding.area_id,
                  unit_id=finding.unit_id, until=until.isoformat())  # fmt: skip
    return 1
