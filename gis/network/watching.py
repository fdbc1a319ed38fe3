"""When a point is out of order: pure functions over the last readings. Numbers in, a verdict with its reasons out.

A point must be out for the rule's `open_min` on end before an alarm opens, and well inside (by `hysteresis`) for its
`clear_min` on end before it clears: a value that trembles about a limit rings once. Times are those of the readings, so a
batch that came late is judged like one that came in time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from gis.network.reading_rules import AlarmKind, AlarmWay

Read = tuple[datetime, float]


@dataclass(frozen=True)
class Rule:
    """An alarm rule as a judgement needs it; the fields are those of `AlarmRule`."""

    kind: AlarmKind
    low: float | None = None
    high: float | None = None
    knots: tuple[tuple[float, float], ...] = ()
    hysteresis: float = 0.0
    open_min: int = 0
    clear_min: int = 0
    silent_min: int = 0


@dataclass(frozen=True)
class Verdict:
    """An alarm opens (`way`) or clears (no `way`): since when, by which value, against what was wanted."""

    at: datetime
    way: AlarmWay | None
    value: float | None
    wanted: float | None


def wanted_at(knots: Sequence[tuple[float, float]], outdoor_c: float) -> float:
    """What a curve wants at an outdoor temperature: straight between its knots, level beyond the last ones."""
    if outdoor_c <= knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in pairwise(knots):
        if outdoor_c <= x1:
            return y0 + (y1 - y0) * (outdoor_c - x0) / (x1 - x0)
    return knots[-1][1]


def last_before(other: Sequence[Read], at: datetime) -> float | None:
    """The other point's last value at or before a moment."""
    n = bisect_right(other, at, key=lambda read: read[0])
    return other[n - 1][1] if n else None


def limits(rule: Rule, at: datetime, other: Sequence[Read]) -> tuple[float | None, float | None, float | None] | None:
    """Lower limit, upper limit and what is wanted at a moment; None where that cannot be told (nothing of the other point)."""
    if rule.kind == AlarmKind.BAND:
        return rule.low, rule.high, None
    beside = last_before(other, at)
    if beside is None:
        return None
    if rule.kind == AlarmKind.SWAPPED:
        return beside, None, beside
    wanted = wanted_at(rule.knots, beside)
    low = None if rule.low is None else wanted - rule.low
    return low, None if rule.high is None else wanted + rule.high, wanted


def judge(
    rule: Rule, tail: Sequence[Read], other: Sequence[Read], now: datetime, since: datetime, is_open: bool
) -> Verdict | None:
    """What becomes of the alarm of one rule now, or None where nothing changes.

    `tail` and `other` are the last readings, oldest first; `since` is when the rule began (for a point that never spoke).
    """
    if rule.kind == AlarmKind.SILENCE:
        return _silence(rule, tail, now, since, is_open)
    return _cleared(rule, tail, other) if is_open else _opened(rule, tail, other)


def _silence(rule: Rule, tail: Sequence[Read], now: datetime, since: datetime, is_open: bool) -> Verdict | None:
    heard, value = tail[-1] if tail else (since, None)
    silent_from = heard + timedelta(minutes=rule.silent_min)
    if is_open:
        return None if now > silent_from else Verdict(heard, None, value, None)
    return Verdict(silent_from, AlarmWay.SILENT, value, None) if now > silent_from else None


def _opened(rule: Rule, tail: Sequence[Read], other: Sequence[Read]) -> Verdict | None:
    since: Verdict | None = None
    for at, value in reversed(tail):
        way, wanted = _way(rule, at, value, other)
        if way is None or (since is not None and way != since.way):
            break
        since = Verdict(at, way, value, wanted)
    if since is None or tail[-1][0] - since.at < timedelta(minutes=rule.open_min):
        return None
    return since


def _way(rule: Rule, at: datetime, value: float, other: Sequence[Read]) -> tuple[AlarmWay | None, float | None]:
    found = limits(rule, at, other)
    if found is None:
        return None, None
    low, high, wanted = found
    if low is not None and value < low:
        return AlarmWay.SWAPPED if rule.kind == AlarmKind.SWAPPED else AlarmWay.LOW, low if wanted is None else wanted
    if high is not None and value > high:
        return AlarmWay.HIGH, high if wanted is None else wanted
    return None, None


def _cleared(rule: Rule, tail: Sequence[Read], other: Sequence[Read]) -> Verdict | None:
    first: datetime | None = None
    for at, value in reversed(tail):
        found = limits(rule, at, other)
        if found is None or not _well_inside(value, found[0], found[1], rule.hysteresis):
            break
        first = at
    if first is None or tail[-1][0] - first < timedelta(minutes=rule.clear_min):
        return None
    return Verdict(tail[-1][0], None, tail[-1][1], None)


def _well_inside(value: float, low: float | None, high: float | None, hysteresis: float) -> bool:
    return (low is None or value >= low + hysteresis) and (high is None or value <= high - hysteresis)
