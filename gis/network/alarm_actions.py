"""What is done with alarms: all points watched, one taken note of; rules made and ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.journal import Who
from gis.network import alarm_queries as asking
from gis.network.reading_model import Alarm, AlarmRule, MeasuringPoint
from gis.network.reading_rules import AlarmKind, AlarmWay, BadAlarmRule
from gis.network.watching import Read, Rule, Verdict, judge
from gis.people.rules import Scope

NUMBERS = ("low", "high", "hysteresis")
MINUTES = ("open_min", "clear_min", "silent_min")
MINUTES_MOST = 7 * 24 * 60
NOTE_MOST = 500
BACK_MIN = 24 * 60  # so far back is looked for the beginning of what is found out of order


def watch(session: Session, who: Who, day: date) -> tuple[int, int]:
    """Judge every point by the rules of this day: how many alarms opened and cleared.

    One at a time (the door's matter; the database keeps a second open alarm of a point and kind out in any case). An
    alarm whose rule ended, or whose point is out of use, clears.
    """
    rules = asking.rules_of_day(session, day)
    now_open = dict(asking.open_alarms(session))
    tails = asking.tails(session, _spans(rules), who.now)
    opened = cleared = 0
    for row in rules:
        alarm = now_open.pop((row.point_id, row.kind), None)
        verdict = _judged(row, tails, who.now, alarm is not None)
        if alarm is None and verdict and row.kind != AlarmKind.SILENCE and verdict.at == tails[row.point_id][0][0]:
            longer = asking.tails(
                session, _spans([row], BACK_MIN), who.now
            )  # since when exactly: it began before the tail
            verdict = _judged(row, longer, who.now, is_open=False)
        if verdict is None:
            continue
        if alarm is None:
            _open(session, who, row, verdict)
            opened += 1
        else:
            _clear(session, who, alarm, verdict.at, verdict.value)
            cleared += 1
    for alarm in now_open.values():
        _clear(session, who, alarm, who.now, None)
        cleared += 1
    return opened, cleared


def _judged(row: AlarmRule, tails: Mapping[int, Sequence[Read]], now: datetime, is_open: bool) -> Verdict | None:
    return judge(_rule(row), tails.get(row.point_id, ()), tails.get(row.other_id or 0, ()), now, row.made_at, is_open)


def _spans(rules: Sequence[AlarmRule], more: int = 0) -> dict[int, int]:
    """How many minutes of readings each point's rules need."""
    spans: dict[int, int] = {}
    for row in rules:
        needed = max(row.open_min, row.clear_min) + more
        spans[row.point_id] = max(spans.get(row.point_id, 0), needed)
        if row.other_id is not None:
            beside = needed + int(asking.OTHER_BACK.total_seconds() // 60)
            spans[row.other_id] = max(spans.get(row.other_id, 0), beside)
    return spans


def _rule(row: AlarmRule) -> Rule:
    return Rule(
        AlarmKind(row.kind), row.low, row.high, tuple((x, y) for x, y in row.knots or ()), row.hysteresis, row.open_min,
        row.clear_min, row.silent_min or 0,
    )  # fmt: skip


def _open(session: Session, who: Who, row: AlarmRule, verdict: Verdict) -> None:
    alarm = Alarm(
        point_id=row.point_id, rule_id=row.id, kind=row.kind, way=str(verdict.way or AlarmWay.LOW), opened_at=verdict.at,
        value=verdict.value, wanted=verdict.wanted, noticed_at=who.now,
    )  # fmt: skip
    session.add(alarm)
    session.flush()
    _note(session, who, "open", alarm)


def _clear(session: Session, who: Who, alarm: Alarm, at: datetime, value: float | None) -> None:
    alarm.cleared_at, alarm.cleared_value = max(at, alarm.opened_at), value
    session.flush()
    _note(session, who, "clear", alarm)


def _note(session: Session, who: Who, verb: str, alarm: Alarm) -> None:
    journal.write(
        session,
        who,
        verb,
        "alarm",
        alarm.id,
        version=alarm.version,
        point_id=alarm.point_id,
        kind=alarm.kind,
        way=alarm.way,
    )


def acknowledge(session: Session, who: Who, scope: Scope, alarm_id: int, note: str, base_version: int | None) -> Alarm:
    """Somebody takes note of an alarm; a second time only the note changes. Raises Missing and StaleVersion."""
    alarm = asking.locked(session, scope, alarm_id)
    check_version(alarm, base_version)
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at, alarm.acknowledged_by = who.now, who.user_id
    alarm.note = note.strip()[:NOTE_MOST]
    session.flush()
    _note(session, who, "acknowledge", alarm)
    return alarm


def put_rule(
    session: Session, who: Who, point: MeasuringPoint, kind: AlarmKind, begins: date, given: Mapping[str, Any]
) -> AlarmRule:
    """A rule for a point from a day on; the one before ends there. Raises BadAlarmRule and AlarmRulesOverlap.

    `given`: low, high, hysteresis, open_min, clear_min, silent_min, knots, other_id, source.
    """
    values = checked(kind, given)
    _end(session, who, point.id, kind, begins)
    rule = AlarmRule(
        point_id=point.id, kind=kind, valid=Range(begins, None), made_at=who.now, made_by=who.user_id, **values
    )
    with naming_violations(session):
        session.add(rule)
    journal.write(session, who, "add", "alarm_rule", rule.id, version=rule.version, point_id=point.id, kind=str(kind),
                  begins=begins.isoformat(), **{k: v for k, v in values.items() if v is not None})  # fmt: skip
    return rule


def end_rule(session: Session, who: Who, point: MeasuringPoint, kind: AlarmKind, ends: date) -> None:
    """From a day on a point is not watched in this way any more."""
    _end(session, who, point.id, kind, ends)


def _end(session: Session, who: Who, point_id: int, kind: AlarmKind, day: date) -> None:
    """End what holds on a day at that day; what was to begin on it or later, and never did, goes."""
    asked = select(AlarmRule).where(AlarmRule.point_id == point_id, AlarmRule.kind == kind).with_for_update()
    for rule in session.scalars(asked, execution_options={"populate_existing": True}):
        lower, upper = rule.valid.lower, rule.valid.upper
        if rule.valid.isempty or (upper is not None and upper <= day):
            continue
        rule.valid = Range(lower, day) if lower is None or lower < day else Range(empty=True)
        session.flush()
        journal.write(
            session, who, "end", "alarm_rule", rule.id, version=rule.version, point_id=point_id, ends=day.isoformat()
        )


def checked(kind: AlarmKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """A rule's values, those that its kind knows. Raises BadAlarmRule with the field."""
    low, high, hysteresis = given.get("low"), given.get("high"), given.get("hysteresis") or 0.0
    source = str(given.get("source") or "").strip()
    if wrong := _wrong_field(kind, given) or _wrong_limits(kind, low, high, hysteresis) or ("" if source else "source"):
        raise BadAlarmRule(reason=wrong)
    limits = kind in (AlarmKind.BAND, AlarmKind.CURVE)
    return {
        "low": low if limits else None, "high": high if limits else None, "hysteresis": hysteresis,
        "open_min": given.get("open_min") or 0, "clear_min": given.get("clear_min") or 0,
        "silent_min": given.get("silent_min") if kind == AlarmKind.SILENCE else None,
        "knots": knots(given.get("knots")) if kind == AlarmKind.CURVE else None,
        "other_id": given.get("other_id") if kind in (AlarmKind.CURVE, AlarmKind.SWAPPED) else None, "source": source[:300],
    }  # fmt: skip


def _wrong_field(kind: AlarmKind, given: Mapping[str, Any]) -> str:
    for name in NUMBERS:
        if given.get(name) is not None and not math.isfinite(given[name]):
            return name
    for name in MINUTES:
        if not 0 <= (given.get(name) or 0) <= MINUTES_MOST:
            return name
    if kind == AlarmKind.SILENCE and not given.get("silent_min"):
        return "silent_min"
    return "other_id" if kind in (AlarmKind.CURVE, AlarmKind.SWAPPED) and given.get("other_id") is None else ""


def _wrong_limits(kind: AlarmKind, low: float | None, high: float | None, hysteresis: float) -> str:
    if kind in (AlarmKind.BAND, AlarmKind.CURVE) and low is None and high is None:
        return "low, high"
    if kind == AlarmKind.CURVE and min(low or 0, high or 0) < 0:
        return "low, high"
    if kind == AlarmKind.BAND and low is not None and high is not None:
        return "low, high" if low >= high else "hysteresis" if not 0 <= 2 * hysteresis < high - low else ""
    return "hysteresis" if hysteresis < 0 else ""


def knots(raw: Any) -> list[list[float]]:
    """A curve's knots, at least two, outdoor temperatures rising. Raises BadAlarmRule."""
    try:
        found = [[float(x), float(y)] for x, y in raw or ()]
    except (TypeError, ValueError):
        raise BadAlarmRule(reason="knots") from None
    rising = all(a[0] < b[0] for a, b in pairwise(found))
    if not 2 <= len(found) <= 50 or not rising or not all(math.isfinite(n) for knot in found for n in knot):
        raise BadAlarmRule(reason="knots")
    return found
