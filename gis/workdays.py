"""Working days of a Chinese year, given its table. Pure: which days differ from Monday-Friday comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

FURTHEST_DAYS = 3660


@dataclass(frozen=True)
class WorkingDays:
    """`known_years` have a table; `exceptions` maps a day to whether it is worked. Other days: Monday to Friday.

    A year without a table is not an error: the answer follows Monday-Friday and names the year, loudly.
    """

    known_years: frozenset[int] = field(default_factory=frozenset)
    exceptions: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        worked = self.exceptions.get(day)
        return day.weekday() < 5 if worked is None else worked

    def add(self, start: date, days: int) -> tuple[date, tuple[int, ...]]:
        """The `days`-th working day after `start` (day 0, never counted), and the years whose table is missing.

        Raises ValueError for a negative number and for one that would run past ten years.
        """
        if days < 0:
            raise ValueError("days must not be negative")
        missing: set[int] = set()
        day = start
        for _ in range(FURTHEST_DAYS):
            if day.year not in self.known_years:
                missing.add(day.year)
            if days == 0:
                return day, tuple(sorted(missing))
            day += timedelta(days=1)
            if self.is_working(day):
                days -= 1
        raise ValueError("too many working days")

    def count(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and including `end`."""
        span = (end - start).days
        return sum(self.is_working(start + timedelta(days=i)) for i in range(1, span + 1))


def last_moment(day: date, zone: tzinfo) -> datetime:
    """The last second of a day of the city."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone)


def limit_of(now: datetime, days: int, calendar: WorkingDays, zone: tzinfo) -> tuple[datetime, bool]:
    """The last moment of the `days`-th working day after today, and whether a year's table was missing on the way."""
    last, missing = calendar.add(now.astimezone(zone).date(), days)
    return last_moment(last, zone), bool(missing)
