"""The deadlines of many complaints at once: each rule is asked once for every different day. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gis.complaints.law_words import Clock
from gis.complaints.limits import WARN_PART, City, Deadline, Law, Limit, due

Ints = NDArray[np.int64]
Moments = NDArray[np.datetime64]
Bools = NDArray[np.bool_]
QUARTER_US = 900_000_000


@dataclass
class Clocks:
    """For each row until when, when it turns yellow and three times late, by which rule, and was a calendar missing."""

    by: Moments
    warn: Moments
    late: Moments
    source: list[str]
    rule: list[str]
    missing: Bools


def count(received: Moments, category: Sequence[str], complexity: Sequence[str], law: Law, city: City) -> Clocks:
    """What `limits.due` says of every row: by whole days where the clock counts days, by the moment where it does not."""
    days = local_days(received, city.zone)
    kinds: dict[tuple[str, str], int] = {}
    kind = np.array([kinds.setdefault(pair, len(kinds)) for pair in zip(category, complexity, strict=True)], np.int64)
    distinct, which = np.unique(days * max(len(kinds), 1) + kind, return_inverse=True)
    names = list(kinds)
    asked = [(int(n) // len(names), *names[int(n) % len(names)]) for n in distinct] if names else []
    picked = [law.pick(cat, comp, datetime.fromordinal(day).date()) for day, cat, comp in asked]
    found = _Answers(len(distinct))
    known: dict[tuple[int, int], Deadline] = {}
    for i, (limit, (day, _, _)) in enumerate(zip(picked, asked, strict=True)):
        key = (id(limit), day)
        if key not in known:
            noon = datetime.combine(datetime.fromordinal(day).date(), time(12), tzinfo=city.zone)
            known[key] = due(limit, noon, city)
        found.put(i, known[key])
    sources = [one.source for one in picked]
    rules = ["" if one.id is None else str(one.id) for one in picked]
    at = which.tolist()
    clocks = Clocks(
        found.by[which], found.warn[which], found.late[which], [sources[i] for i in at], [rules[i] for i in at],
        found.missing[which],
    )  # fmt: skip
    _by_the_moment(clocks, received, picked, which, city)
    return clocks


class _Answers:
    """The deadlines of the different questions, as columns."""

    def __init__(self, many: int) -> None:
        self.by = np.empty(many, "datetime64[us]")
        self.warn, self.late = self.by.copy(), self.by.copy()
        self.missing = np.zeros(many, bool)

    def put(self, i: int, answer: Deadline) -> None:
        self.by[i], self.warn[i], self.late[i] = _utc(answer.resolve_by), _utc(answer.warn_at), _utc(answer.late_at)
        self.missing[i] = bool(answer.missing_years)


def _by_the_moment(clocks: Clocks, received: Moments, picked: Sequence[Limit], which: Ints, city: City) -> None:
    """The rows whose limit is shorter than a day: their moment matters, not only their day."""
    minutes = np.array([limit.amount if limit.clock == Clock.MINUTES else -1 for limit in picked], np.int64)[which]
    rows = minutes >= 0
    if rows.any():
        span = minutes[rows].astype("timedelta64[m]").astype("timedelta64[us]")
        clocks.by[rows], clocks.late[rows] = received[rows] + span, received[rows] + 3 * span
        clocks.missing[rows] = False
    same_day = np.array([limit.clock == Clock.WORKING_DAYS and limit.amount == 0 for limit in picked], bool)[which]
    part = rows | same_day
    left = (clocks.by[part] - received[part]).astype(np.int64)
    clocks.warn[part] = received[part] + (left * WARN_PART).astype(np.int64).astype("timedelta64[us]")
    hours = np.array([limit.clock == Clock.WORKING_HOURS for limit in picked], bool)[which]
    for i in np.flatnonzero(hours).tolist():
        moment = received[i].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
        one = due(picked[which[i]], moment, city)
        clocks.by[i], clocks.warn[i], clocks.late[i] = _utc(one.resolve_by), _utc(one.warn_at), _utc(one.late_at)
        clocks.missing[i] = bool(one.missing_years)


def _utc(at: datetime | None) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us") if at else np.datetime64("NaT")


def local_days(moments: Moments, zone: tzinfo) -> Ints:
    """The city's day of each moment as a day number. No clock changes its day but on a quarter of an hour."""
    quarter, which = np.unique(moments.astype("int64") // QUARTER_US, return_inverse=True)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    step = timedelta(minutes=15)
    days = [(start + int(q) * step).astimezone(zone).toordinal() for q in quarter]
    return np.array(days, np.int64)[which]
