"""Periods of a bulletin in the city's days, and what each is compared with. Pure: the day, the zone and `now` are given."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from gis.errors import BadInput

LONGEST_DAYS = 3_660
_TICK = timedelta(microseconds=1)


class PeriodKind(StrEnum):
    """What a bulletin is about: the daily notice, the weekly report, the monthly bulletin, and longer ones."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"


class BadRange(BadInput):
    """A period needs a first and a last day, in order, and at most ten years apart."""

    code = "bad_range"


@dataclass(frozen=True)
class Span:
    """Moments from `since` (included) to `until` (not included)."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Period:
    """Whole days of the city, both ends included."""

    kind: PeriodKind
    first: date
    last: date

    @classmethod
    def of(cls, kind: str, on: date, last: date | None = None) -> Period:
        """The day, week (Monday to Sunday), month, quarter or year that `on` lies in; of a range `on` is the first day."""
        chosen = PeriodKind(kind)
        if chosen is PeriodKind.RANGE:
            if last is None or last < on or (last - on).days > LONGEST_DAYS:
                raise BadRange()
            return cls(chosen, on, last)
        if chosen is PeriodKind.WEEK:
            first = on - timedelta(days=on.weekday())
            return cls(chosen, first, first + timedelta(days=6))
        months = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}.get(chosen)
        if months is None:
            return cls(chosen, on, on)
        return cls._months(chosen, on.year * 12 + (on.month - 1) // months * months, months)

    @classmethod
    def _months(cls, kind: PeriodKind, start: int, months: int) -> Period:
        """`months` calendar months from the `start`-th month since the year 0."""
        end = start + months - 1
        first = date(start // 12, start % 12 + 1, 1)
        return cls(kind, first, date(end // 12, end % 12 + 1, monthrange(end // 12, end % 12 + 1)[1]))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def previous(self) -> Period:
        """The one right before (环比): the month before a month, as many days before a day, a week or a range."""
        months = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}.get(self.kind)
        if months:
            return self._months(self.kind, self.first.year * 12 + self.first.month - 1 - months, months)
        back = timedelta(days=self.days)
        return Period(self.kind, self.first - back, self.last - back)

    def last_year(self) -> Period:
        """The same dates a year before (同比): dates, not weekdays, because the heating season goes by the date."""
        if self.kind in (PeriodKind.MONTH, PeriodKind.QUARTER):
            months = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3}[self.kind]
            return self._months(self.kind, (self.first.year - 1) * 12 + self.first.month - 1, months)
        return Period(self.kind, _year_before(self.first), _year_before(self.last))

    def whole(self, zone: tzinfo) -> Span:
        """From the first midnight to the one after the last day."""
        return Span(_midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone))

    def span(self, zone: tzinfo, now: datetime) -> Span:
        """What can be counted by `now`: a period that is still running ends now, with what happened at this very moment."""
        whole = self.whole(zone)
        return Span(whole.since, max(whole.since, min(whole.until, now + _TICK)))

    def is_running(self, zone: tzinfo, now: datetime) -> bool:
        """Does it end after now?"""
        return now < self.whole(zone).until

    def elapsed(self, other: Period, zone: tzinfo, now: datetime) -> Span:
        """Of an earlier period as much as has gone by of this one, so that half a month is not compared with a whole."""
        if not self.is_running(zone, now):
            return other.whole(zone)
        mine, theirs = self.span(zone, now), other.whole(zone)
        return Span(theirs.since, min(theirs.until, theirs.since + (mine.until - mine.since)))


def _year_before(day: date) -> date:
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year - 1, day=28) if leap else day.replace(year=day.year - 1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
