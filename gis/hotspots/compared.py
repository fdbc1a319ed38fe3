"""The same dates of last year (同比) and as many days before (环比): the heating season goes by the date, not by the week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from sqlalchemy.orm import Session

from gis.complaints import queries as complaints
from gis.complaints.queries import Filters
from gis.hotspots import sheet_queries
from gis.people.rules import Scope


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def every(self) -> list[date]:
        """Each of the days."""
        return [self.first + timedelta(days=n) for n in range(self.days)]


def before(span: Span) -> Span:
    """As many days, ending on the day before."""
    return Span(span.first - timedelta(days=span.days), span.first - timedelta(days=1))


def year_before(span: Span) -> Span:
    """The same dates a year earlier; 29 February is 28 February where there is none. A whole February stays whole."""
    return Span(_year_before(span.first), _year_before(span.last, ends=True))


def _year_before(day: date, ends: bool = False) -> date:
    if (day.month, day.day) == (2, 29) or (ends and (day.month, day.day) == (2, 28)):
        return date(day.year - 1, 3, 1) - timedelta(days=1)
    return day.replace(year=day.year - 1)


@dataclass(frozen=True)
class Compared:
    """How many complaints now, in the days before, in the same days last year; `None` where nothing was kept then."""

    span: Span
    now: int
    before: int | None
    year_before: int | None

    @property
    def month_on_month(self) -> float | None:
        """环比 as a share: 0.1 is ten percent more."""
        return None if not self.before else self.now / self.before - 1

    @property
    def year_on_year(self) -> float | None:
        """同比 as a share."""
        return None if not self.year_before else self.now / self.year_before - 1


def compare(session: Session, filters: Filters, scope: Scope, now: datetime, span: Span, zone: tzinfo) -> Compared:
    """How does this selection compare? A period that is not over yet is compared with as much of the others."""
    today = now.astimezone(zone).date()
    so_far = Span(span.first, max(min(span.last, today), span.first))
    counted = [_count(session, filters, scope, now, one, zone) for one in (so_far, before(so_far), year_before(so_far))]
    return Compared(so_far, counted[0], counted[1] or None, counted[2] or None)


def daily(session: Session, filters: Filters, scope: Scope, span: Span, zone: tzinfo) -> list[int]:
    """How many complaints on each day of a span: only for what the sheets know (`sheet_queries.answers`)."""
    spots = sheet_queries.every_day(session, _within(filters, span, zone), scope)
    first = (span.first - sheet_queries.EPOCH).days
    return [spots.get(first + n, 0) for n in range(span.days)]


def _count(session: Session, filters: Filters, scope: Scope, now: datetime, span: Span, zone: tzinfo) -> int:
    asked = _within(filters, span, zone)
    if sheet_queries.answers(session, asked, scope):
        return sum(sheet_queries.every_day(session, asked, scope).values())
    return complaints.total(session, scope, asked, now)


def _within(filters: Filters, span: Span, zone: tzinfo) -> Filters:
    since, until = (datetime.combine(day, time(), zone) for day in (span.first, span.last + timedelta(days=1)))
    return replace(filters, since=since, until=until)
