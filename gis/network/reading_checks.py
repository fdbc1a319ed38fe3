"""What came as readings, sorted out: what can be kept, and what is wrong with the rest. Knows no database and no clock.

A reading is a mapping with `point` (a measuring point's code), `at` (ISO 8601 with a zone, or seconds since 1970), `value`,
and if wanted `unit` and `revision`. Two readings of one point and moment become one by `merged`, which gives the same in
whatever order and however often they come: the reason why a line may send everything twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from gis.network.reading_rules import EARLIEST, POSSIBLE, REVISION_MOST, UNITS, FaultKind, Quantity

EXAMPLE_MOST = 200
OBJECT_MOST = 80
OBJECTS_MOST = 500  # things of one batch that are told apart; what is wrong beyond them is counted under `OTHERS`
OTHERS = "*"
MILLISECONDS_FROM = 100_000_000_000  # a number of seconds so large would be the year 5138

Value = tuple[float, int, bool]  # value in the kept unit, revision, contradicted


@dataclass(frozen=True, slots=True)
class Known:
    """A measuring point as a check needs it."""

    id: int
    quantity: Quantity
    unit: str


@dataclass
class Fault:
    """How often something was wrong with an object, and the last example."""

    times: int
    example: str
    point_id: int | None = None


@dataclass
class SortedOut:
    """What can be kept, by point and moment; what cannot, by object and kind."""

    kept: dict[tuple[int, datetime], Value] = field(default_factory=dict)
    faults: dict[tuple[str, FaultKind], Fault] = field(default_factory=dict)
    received: int = 0

    def fault(self, kind: FaultKind, row: Any, point: object, point_id: int | None = None) -> None:
        """Count a fault of an object."""
        name = printable(str(point), OBJECT_MOST) or "?"
        if (name, kind) not in self.faults and len(self.faults) >= OBJECTS_MOST:
            name, point_id = OTHERS, None
        found = self.faults.setdefault((name, kind), Fault(0, "", point_id))
        found.times += 1
        found.example = printable(str(row), EXAMPLE_MOST)


class _Wrong(Exception):
    """One reading cannot be kept, and why."""

    def __init__(self, kind: FaultKind) -> None:
        self.kind = kind


def printable(said: str, most: int) -> str:
    """What can be stored and shown of something that came from outside."""
    return "".join(c if c.isprintable() else " " for c in said[:most]).strip()


def merged(one: Value, other: Value) -> Value:
    """The higher revision; of one revision the same, or of two that contradict each other the greater, marked."""
    if one[1] != other[1]:
        return max(one, other, key=lambda value: value[1])
    return max(one[0], other[0]), one[1], one[2] or other[2] or one[0] != other[0]


def sort_out(
    rows: Iterable[Any], points: Mapping[str, Known], now: datetime, ahead: timedelta, zone: tzinfo | None = None
) -> SortedOut:
    """Sort out what came. `ahead`: so much may a sender's clock be fast; `zone`: of times without one, else they are faults."""
    found = SortedOut()
    latest = now + ahead
    for row in rows:
        found.received += 1
        code = row.get("point") if isinstance(row, Mapping) else None
        if not isinstance(code, str) or not code:
            found.fault(FaultKind.UNREADABLE, row, code or "?")
            continue
        point = points.get(code)
        if point is None:
            found.fault(FaultKind.UNKNOWN_POINT, row, code)
            continue
        try:
            at = moment(row.get("at"), zone)
            if at > latest:
                raise _Wrong(FaultKind.FUTURE)
            if at < EARLIEST:
                raise _Wrong(FaultKind.TOO_OLD)
            value = (_value(row.get("value"), row.get("unit") or point.unit, point.quantity), _revision(row), False)
        except _Wrong as wrong:
            found.fault(wrong.kind, row, code, point.id)
            continue
        key = (point.id, at)
        there = found.kept.get(key)
        found.kept[key] = value if there is None else merged(there, value)
    return found


def moment(raw: object, zone: tzinfo | None) -> datetime:
    """A moment in UTC."""
    try:
        if isinstance(raw, str):
            at = datetime.fromisoformat(raw.strip())
            if at.tzinfo is None:
                if zone is None:
                    raise _Wrong(FaultKind.NO_TIME)
                at = at.replace(tzinfo=zone)
            return at.astimezone(UTC)
        if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
            return datetime.fromtimestamp(raw / 1000 if abs(raw) >= MILLISECONDS_FROM else raw, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise _Wrong(FaultKind.NO_TIME)


def _value(raw: object, unit: object, quantity: Quantity) -> float:
    """The value in the unit in which the quantity is kept."""
    if isinstance(raw, str):
        try:
            raw = float(raw)
        except ValueError:
            raise _Wrong(FaultKind.UNREADABLE) from None
    if raw is None or not isinstance(raw, int | float) or isinstance(raw, bool):
        raise _Wrong(FaultKind.NOT_A_NUMBER if raw is None else FaultKind.UNREADABLE)
    known = UNITS[quantity].get(unit) if isinstance(unit, str) else None
    if known is None:
        raise _Wrong(FaultKind.UNKNOWN_UNIT)
    try:
        value = float(raw) * known[0] + known[1]
    except OverflowError:
        raise _Wrong(FaultKind.INFINITE) from None
    if value != value:
        raise _Wrong(FaultKind.NOT_A_NUMBER)
    if math.isinf(value):
        raise _Wrong(FaultKind.INFINITE)
    low, high = POSSIBLE[quantity]
    if not low <= value <= high:
        raise _Wrong(FaultKind.IMPOSSIBLE)
    return value + 0.0  # no negative zero: it would be told apart from zero


def _revision(row: Mapping[str, Any]) -> int:
    raw = row.get("revision") or 0
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 6:
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= REVISION_MOST:
        raise _Wrong(FaultKind.UNREADABLE)
    return raw
