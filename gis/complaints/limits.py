"""Until when a complaint must be closed and answered. Pure: the rules, the calendar and the zone come from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from gis.complaints.rules import Complexity
from gis.workdays import WorkingDays

SAME_DAY_SOURCE = "sources/pingdu-2009: 一般性问题当天办结, 当天答复"
COMPLEX_WORKING_DAYS = 3
COMPLEX_SOURCE = "sources/pingdu-2009: 比较复杂的事项要在3个工作日内办结并答复"


@dataclass(frozen=True)
class Deadline:
    """`resolve_by` is the last moment in time; `source` says which rule; `warning` names a year without a calendar."""

    resolve_by: datetime
    source: str
    missing_years: tuple[int, ...] = ()


def resolve_by(received_at: datetime, complexity: str, calendar: WorkingDays, zone: tzinfo) -> Deadline:
    """When a complaint must be closed and answered: the end of the same day, or of the third working day after it.

    Days are the city's days (`zone`); the moment given is their last second (23:59:59 local).
    """
    day0 = received_at.astimezone(zone).date()
    if complexity == Complexity.ORDINARY:
        return Deadline(_end_of(day0, zone), SAME_DAY_SOURCE)
    last, missing = calendar.add(day0, COMPLEX_WORKING_DAYS)
    return Deadline(_end_of(last, zone), COMPLEX_SOURCE, missing)


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone)
