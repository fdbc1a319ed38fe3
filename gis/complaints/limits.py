"""Until when a complaint must be closed and answered. Pure: the rules, the calendar, the hours and the zone come from outside.

Three clocks: working days (to the last second of a day of the city), working hours (the city's office hours on working days)
and calendar minutes. A `Law` picks the limit; `due` counts it; `shifted` moves it on by what a pause took; `extended` by days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from gis.complaints.law_words import Clock, CountFrom, PauseCause
from gis.complaints.limit_seeds import OFFICE_HOURS, RULE_SETS
from gis.workdays import FURTHEST_DAYS, WorkingDays

LAST_SECOND = time(23, 59, 59)
WARN_PART = 0.75  # where less than a working day was given, the yellow card comes after three quarters of it
LATE_FACTOR = 3  # three times late: as many limits have gone by since it began

# For what a clock may stand still, and for how many days at most at a time. source: house assumption, for the bureau to tune:
# no source of this house lists causes; the rows keep it a table and not a judgement of the moment.
PAUSES: dict[PauseCause, int] = {
    PauseCause.CALLER_AWAY: 15, PauseCause.PERMIT: 30, PauseCause.TEST_BODY: 30, PauseCause.WEATHER: 7,
    PauseCause.IN_LAW: 180,
}  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """One row of the rules: how much of which clock, for what; `rank` and `return_days` are those of its set."""

    clock: str
    amount: int
    source: str
    category: str = ""
    complexity: str | None = None
    measure: str = ""
    count_from: str = CountFrom.NEXT_DAY
    extension_days: int = 0
    further_days: int = 0
    valid_from: date | None = None
    valid_to: date | None = None
    rank: int = 0
    return_days: int = 2
    id: int | None = None

    def holds_on(self, day: date) -> bool:
        """Was it a rule on that day?"""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    def is_for(self, category: str, complexity: str) -> bool:
        """Does it speak of such a matter? A category is meant exactly or as a beginning: "heat" is every "heat.…"."""
        of_category = not self.category or category == self.category or category.startswith(f"{self.category}.")
        return of_category and self.complexity in (None, complexity)


@dataclass(frozen=True)
class City:
    """The city's time: its zone, its working days, and its office hours as pairs of times in order."""

    zone: tzinfo
    calendar: WorkingDays
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        return datetime.combine(day, LAST_SECOND, tzinfo=self.zone)

    def start_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone)

    def office(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of a day in which the offices work: none on a day off."""
        if self.calendar.is_working(day):
            for begins, ends in self.hours:
                yield datetime.combine(day, begins, tzinfo=self.zone), datetime.combine(day, ends, tzinfo=self.zone)


@dataclass(frozen=True)
class Deadline:
    """`resolve_by` is the last moment in time, `warn_at` when it turns yellow, `late_at` when it is three times late.

    `source` says which rule, `missing_years` which years had no calendar and were counted Monday to Friday.
    """

    resolve_by: datetime
    source: str
    missing_years: tuple[int, ...] = ()
    warn_at: datetime | None = None
    late_at: datetime | None = None
    rule_id: int | None = None


@dataclass(frozen=True)
class Law:
    """The limits that are in force."""

    limits: tuple[Limit, ...]

    def pick(self, category: str, complexity: str, day: date) -> Limit:
        """The main limit: the set of the highest rank first, then the closest category, then the stated promise."""
        found = self._matching(category, complexity, day, main=True)
        return found[0] if found else next(limit for limit in HOUSE.limits if limit.is_for(category, complexity))

    def measures(self, category: str, complexity: str, day: date) -> list[Limit]:
        """The further limits of such a matter, one per measure."""
        found: dict[str, Limit] = {}
        for limit in self._matching(category, complexity, day, main=False):
            found.setdefault(limit.measure, limit)
        return [found[name] for name in sorted(found)]

    def _matching(self, category: str, complexity: str, day: date, *, main: bool) -> list[Limit]:
        found = [
            limit for limit in self.limits
            if (limit.measure == "") == main and limit.is_for(category, complexity) and limit.holds_on(day)
        ]  # fmt: skip
        found.sort(key=lambda x: (-x.rank, -len(x.category), x.complexity is None, x.id or 0))
        return found


# What the house goes by where nobody has set rules: the sets that ship in force.
HOUSE = Law(tuple(
    Limit(**limit, rank=rules.rank, return_days=rules.return_days)
    for rules in RULE_SETS if rules.in_force for limit in rules.limits
))  # fmt: skip


def resolve_by(received_at: datetime, complexity: str, calendar: WorkingDays, zone: tzinfo) -> Deadline:
    """When a complaint of no particular category must be closed, by the rules that ship with the house."""
    city = City(zone, calendar)
    return due(HOUSE.pick("", complexity, city.day(received_at)), received_at, city)


def due(limit: Limit, received_at: datetime, city: City, sent_at: datetime | None = None) -> Deadline:
    """The deadline that a limit gives to what was received, and first passed on, at these moments."""
    start = sent_at if limit.count_from == CountFrom.SENDING and sent_at is not None else received_at
    end, missing = _after(limit, start, limit.amount, city, first=True)
    twice, _ = _after(limit, end, (LATE_FACTOR - 1) * max(limit.amount, 1), city)
    return Deadline(end, limit.source, missing, warn(limit, start, end, city), twice, limit.id)


def _after(
    limit: Limit, start: datetime, amount: int, city: City, *, first: bool = False
) -> tuple[datetime, tuple[int, ...]]:
    """So much of the limit's clock after a moment, and the years without a calendar that were met."""
    if limit.clock == Clock.MINUTES:
        return start + timedelta(minutes=amount), ()
    if limit.clock == Clock.WORKING_HOURS:
        return after_office_time(start, timedelta(hours=amount), city)
    day0 = city.day(start)
    counts_itself = first and limit.count_from == CountFrom.SAME_DAY and amount > 0 and city.calendar.is_working(day0)
    last, missing = city.calendar.add(day0, amount - counts_itself)
    return city.end_of(last), missing


def after_office_time(start: datetime, span: timedelta, city: City) -> tuple[datetime, tuple[int, ...]]:
    """The moment when so much office time has gone by since `start`."""
    missing: set[int] = set()
    if span <= timedelta():
        return start, ()
    day = city.day(start)
    for _ in range(FURTHEST_DAYS):
        if day.year not in city.calendar.known_years:
            missing.add(day.year)
        for begins, ends in city.office(day):
            here = ends - max(begins, start)
            if here >= span:
                return max(begins, start) + span, tuple(sorted(missing))
            span -= max(here, timedelta())
        day += timedelta(days=1)
    raise ValueError("too many working hours")


def office_time(start: datetime, end: datetime, city: City) -> timedelta:
    """How much office time lies between two moments."""
    found, day = timedelta(), city.day(start)
    while day <= city.day(end):
        found += sum((max(min(e, end) - max(b, start), timedelta()) for b, e in city.office(day)), timedelta())
        day += timedelta(days=1)
    return found


def warn(limit: Limit, start: datetime, end: datetime, city: City) -> datetime:
    """When the yellow card comes: one working day before the end; of a shorter limit, after three quarters of it.

    source: the provincial hotline's rules of 2017: yellow card when one working day is left.
    """
    if limit.clock == Clock.WORKING_DAYS and city.day(start) < city.day(end):
        return max(start, city.start_of(city.day(end)))
    if limit.clock == Clock.WORKING_HOURS:
        return after_office_time(start, office_time(start, end, city) * WARN_PART, city)[0]
    return start + (end - start) * WARN_PART


def shifted(limit: Limit, end: datetime, began: datetime, ended: datetime, city: City) -> datetime:
    """The deadline after the clock stood still: moved on by the time of its own clock that the pause took.

    A pause that began after the deadline moves nothing.
    """
    if began >= end or ended <= began:
        return end
    if limit.clock == Clock.MINUTES:
        return end + (ended - began)
    if limit.clock == Clock.WORKING_HOURS:
        return after_office_time(end, office_time(began, ended, city), city)[0]
    days = city.calendar.count(city.day(began), city.day(ended))
    return extended(end, days, city) if days else end


def extended(end: datetime, days: int, city: City) -> datetime:
    """So many working days later, at the same time of day."""
    local = end.astimezone(city.zone)
    last, _ = city.calendar.add(local.date(), days)
    return datetime.combine(last, local.time(), tzinfo=city.zone)


@dataclass(frozen=True)
class Stood:
    """A stretch in which the clock stood still."""

    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Longer:
    """So many working days were granted at a moment."""

    at: datetime
    days: int


def replay(
    limit: Limit, received_at: datetime, sent_at: datetime | None, happened: Sequence[Stood | Longer], city: City
) -> Deadline:
    """The deadline with everything that moved it, in the order of time: what the stored one must be."""
    found = due(limit, received_at, city, sent_at)
    end = found.resolve_by
    for event in sorted(happened, key=lambda e: e.at if isinstance(e, Longer) else e.ended):
        end = (
            extended(end, event.days, city)
            if isinstance(event, Longer)
            else shifted(limit, end, event.began, event.ended, city)
        )
    return moved(limit, found, end, received_at, city)


def moved(limit: Limit, found: Deadline, end: datetime, start: datetime, city: City) -> Deadline:
    """The same deadline with another end: its yellow card and its third time late move with it."""
    if end == found.resolve_by:
        return found
    twice, _ = _after(limit, end, (LATE_FACTOR - 1) * max(limit.amount, 1), city)
    return replace(found, resolve_by=end, warn_at=warn(limit, start, end, city), late_at=twice)


def return_by(handed_at: datetime, limit: Limit, city: City) -> datetime:
    """Until when a body may send back what was passed on to it."""
    last, _ = city.calendar.add(city.day(handed_at), limit.return_days)
    return city.end_of(last)


def longest_pause(cause: str, began: datetime) -> datetime:
    """Until when a clock may stand still for this cause."""
    return began + timedelta(days=PAUSES[PauseCause(cause)])


def in_order(hours: Iterable[tuple[time, time]]) -> bool:
    """Are these office hours of one day, each after the other?"""
    flat = [moment for span in hours for moment in span]
    return bool(flat) and all(a < b for a, b in pairwise(flat))
