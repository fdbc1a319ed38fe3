"""What is done with places: the calendar, areas, roads."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.places.model import CalendarDay, CalendarYear

FIRST_YEAR = 2004


def seed_calendar(session: Session) -> None:
    """Fill the years that the calendar library knows and the table does not. A year in the table is never touched."""
    known = set(session.scalars(select(CalendarYear.year)))
    for year in range(FIRST_YEAR, 2101):
        if year in known:
            continue
        try:
            days = _exceptions(year)
        except NotImplementedError:
            if year > FIRST_YEAR:
                break
            continue
        session.add(CalendarYear(year=year, source="chinesecalendar 1.11: State Council notices"))
        session.add_all(days)
    session.flush()


def _exceptions(year: int) -> list[CalendarDay]:
    """The days of a year that differ from Monday to Friday."""
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        working, name = chinese_calendar.is_workday(day), chinese_calendar.get_holiday_detail(day)[1]
        if working != (day.weekday() < 5):
            found.append(CalendarDay(day=day, is_working=working, name=name or ""))
        day += timedelta(days=1)
    return found
