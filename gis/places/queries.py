"""What is asked about places."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.places.model import CalendarDay, CalendarYear
from gis.workdays import WorkingDays


def working_days(session: Session) -> WorkingDays:
    """Which days are worked, in which known years?"""
    years = frozenset(session.scalars(select(CalendarYear.year)))
    days = {row.day: row.is_working for row in session.execute(select(CalendarDay.day, CalendarDay.is_working))}
    return WorkingDays(years, days)
