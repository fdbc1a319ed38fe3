"""What is done with places: the working calendar."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.journal import Who
from gis.places.model import CalendarDay, CalendarYear
from gis.places.rules import NAME_LIMIT, SOURCE_LIMIT, NotExceptional, SourceMissing, check_year

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
        source = "chinesecalendar 1.11: State Council notices"
        session.execute(insert(CalendarYear).values(year=year, source=source).on_conflict_do_nothing())
        if days:
            session.execute(insert(CalendarDay).values(days).on_conflict_do_nothing())


def _exceptions(year: int) -> list[dict[str, object]]:
    """The days of a year that differ from Monday to Friday."""
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        working, name = chinese_calendar.is_workday(day), chinese_calendar.get_holiday_detail(day)[1]
        if working != (day.weekday() < 5):
            found.append({"day": day, "is_working": working, "name": name or ""})
        day += timedelta(days=1)
    return found


def set_day(session: Session, who: Who, day: date, is_working: bool, name: str = "") -> None:
    """A day that is a holiday on a weekday or worked on a weekend. Raises UnknownYear, NotExceptional."""
    check_year(day.year)
    if is_working == (day.weekday() < 5):
        raise NotExceptional(day=day.isoformat())
    values = {"day": day, "is_working": is_working, "name": _plain(name, NAME_LIMIT)}
    kept = insert(CalendarDay).values(values)
    session.execute(
        kept.on_conflict_do_update(index_elements=["day"], set_={k: values[k] for k in ("is_working", "name")})
    )
    journal.write(session, who, "set_day", "calendar", day.isoformat(), is_working=is_working, name=values["name"])


def remove_day(session: Session, who: Who, day: date) -> None:
    """The day is an ordinary Monday-Friday or weekend day again. Removing what is not listed changes nothing."""
    gone = session.execute(delete(CalendarDay).where(CalendarDay.day == day).returning(CalendarDay.day)).all()
    if gone:
        journal.write(session, who, "remove_day", "calendar", day.isoformat())


def know_year(session: Session, who: Who, year: int, source: str) -> None:
    """All exceptional days of this year are listed now; `source` is where they were announced. Raises SourceMissing."""
    check_year(year)
    said = _plain(source, SOURCE_LIMIT)
    if not said:
        raise SourceMissing()
    kept = insert(CalendarYear).values(year=year, source=said)
    session.execute(kept.on_conflict_do_update(index_elements=["year"], set_={"source": said}))
    journal.write(session, who, "know_year", "calendar", year, source=said)


def _plain(text: str, longest: int) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:longest]
