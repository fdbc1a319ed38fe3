"""Days and pace: when leaders answer, which call-backs are due, where a campaign stands. Pure: dates and numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gis.workdays import WorkingDays

LONGEST_WEEKS = 60


@dataclass(frozen=True)
class Proposed:
    """One leader's day: the weekday it belongs to, the day it is held, and whose turn it is (index into the rota)."""

    planned_on: date
    on_day: date
    turn: int | None

    @property
    def moved(self) -> bool:
        return self.on_day != self.planned_on


def next_working(day: date, calendar: WorkingDays) -> date:
    """The day itself when it is worked, else the next one that is."""
    while not calendar.is_working(day):
        day += timedelta(days=1)
    return day


def leader_days(
    since: date,
    until: date,
    weekday: int,
    rota: int,
    first_turn: int,
    calendar: WorkingDays,
    taken: Sequence[date] = (),
) -> list[Proposed]:
    """The leaders' days from `since` to `until`: every `weekday` (1 is Monday), a holiday moved to the next working day.

    Weeks in `taken` already have their day. The rota goes round, `first_turn` first; without a rota nobody's turn it is.
    source: sources/jining-2019: 一般为每周三(逢节假日顺延). Which day it moves to is the bureau's choice: this is a proposal.
    """
    day = since + timedelta(days=(weekday - 1 - since.weekday()) % 7)
    found: list[Proposed] = []
    turn, known = first_turn, set(taken)
    for _ in range(LONGEST_WEEKS):
        if day > until:
            break
        if day not in known:
            found.append(Proposed(day, next_working(day, calendar), turn % rota if rota else None))
            turn += 1
        day += timedelta(days=7)
    return found


def call_back_before(today: date, days: int, calendar: WorkingDays) -> date:
    """Answers given before this day are due for a call-back `days` working days later, that is today or earlier."""
    day = today
    while not calendar.is_working(day):
        day -= timedelta(days=1)
    if days == 0:
        return today + timedelta(days=1)
    for _ in range(days - 1):
        day -= timedelta(days=1)
        while not calendar.is_working(day):
            day -= timedelta(days=1)
    return day


@dataclass(frozen=True)
class Pace:
    """Where a count stands against its target: `expected` by now at an even pace, `per_day` still needed, None where it cannot be said."""

    done: int
    target: int
    expected: int
    days_left: int
    per_day: float | None

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.target) if self.target else 0

    @property
    def reached(self) -> bool:
        return self.done >= self.target

    @property
    def behind(self) -> bool:
        return not self.reached and self.done < self.expected


def pace(done: int, target: int, starts_on: date, ends_on: date, today: date) -> Pace:
    """How a campaign stands today; both its first and its last day count, and so does today."""
    total = (ends_on - starts_on).days + 1
    gone = min(max((today - starts_on).days + 1, 0), total)
    left = max((ends_on - max(today, starts_on)).days + 1, 0)
    missing = max(target - done, 0)
    per_day = missing / left if left else (0.0 if missing == 0 else None)
    return Pace(done, target, target * gone // total, left, per_day)
