"""The worker's part in counting: bulletins published when their period is over, and the rollups kept small."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.journal import Who
from gis.oversight import counting_queries as asking
from gis.oversight.bulletins import Question
from gis.oversight.counting_actions import publish
from gis.oversight.counting_queries import Counting
from gis.oversight.periods import Period, PeriodKind
from gis.oversight.rollup_actions import adopt_zone, compact
from gis.people.rules import CITY
from webapp.worker import periodic, settings


@periodic("10 0 * * *", "daily_notice")
def daily_notice(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Just after midnight: the notice of the day that ended."""
    keep(session, who, PeriodKind.DAY, _day(payload))


@periodic("20 0 * * 1", "weekly_report")
def weekly_report(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """On Monday: the report of the week that ended on Sunday."""
    keep(session, who, PeriodKind.WEEK, _day(payload))


@periodic("30 0 1 * *", "monthly_bulletin")
def monthly_bulletin(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """On the first: the bulletin of the month that ended."""
    keep(session, who, PeriodKind.MONTH, _day(payload))


@periodic("*/5 * * * *", "compact_rollups")
def compact_rollups(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Put the differences of the rollups together, and cut days by the city's zone if that was changed."""
    if not adopt_zone(session, settings().timezone):
        compact(session)


def keep(session: Session, who: Who, kind: PeriodKind, on: date) -> bool:
    """Publish the bulletin of the period `on` lies in, unless somebody has, or nothing was received until it ended."""
    chosen = Period.of(kind, on)
    zone = ZoneInfo(settings().timezone)
    first = asking.first_received(session)
    if first is None or first >= chosen.whole(zone).until or asking.published(session, kind, chosen.first, chosen.last):
        return False
    rules = Counting(settings().response_hours, settings().basically_satisfied)
    publish(session, who, CITY, Question(chosen, rules=rules), zone)
    return True


def _day(payload: dict[str, Any]) -> date:
    """The last day before the moment at which a task was due: a task that is made up for later still means that day."""
    due = datetime.fromisoformat(payload["due_at"]).astimezone(ZoneInfo(settings().timezone))
    return due.date() - timedelta(days=1)
