"""The worker's part in measuring: months made ahead, points watched; and room tests that are late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.complaints import room_actions
from gis.journal import Who
from gis.network import alarm_actions
from gis.network.reading_actions import make_months_ahead
from webapp.worker import follow, periodic, settings


@periodic("15 1 * * *", "make_reading_months")
def make_reading_months(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """At night: the partitions of the next months, before anything comes for them."""
    make_months_ahead(session, who.now)


@periodic("* * * * *", "demo_readings")
def demo_readings(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """In the demo readings go on; everywhere else there is nothing to do."""
    if settings().demo:
        from webapp.demo.measured import go_on

        minute = who.now.replace(second=0, microsecond=0)
        go_on(session, minute - timedelta(minutes=10), minute)


@follow("watch_readings", every_s=15)
def watch_readings(session: Session, who: Who) -> bool:
    """Alarms open and clear by the rules of today."""
    alarm_actions.watch(session, who, who.now.astimezone(ZoneInfo(settings().timezone)).date())
    return False


@periodic("* * * * *", "room_tests_overdue")
def room_tests_overdue(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Every minute: tests that were not done in their 24 hours are told, once."""
    room_actions.tell_overdue(session, who)
