"""The worker's part in the law: every minute the clocks are watched, and what is due is told once."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.complaints import law_queries
from gis.complaints.watch import watch_deadlines
from gis.journal import Who
from gis.places.queries import working_days
from webapp.worker import periodic, settings


@periodic("* * * * *", "watch_deadlines")
def watch(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Yellow cards, breaches and third times late, and the pauses whose end has come."""
    city = law_queries.city(session, working_days(session), ZoneInfo(settings().timezone))
    while sum(watch_deadlines(session, who, city).values()):
        pass
