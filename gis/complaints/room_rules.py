"""Room temperature: what a test is, when it must be done, and what the city's own refund table makes of its result.

Everything here is exact: a temperature is a Decimal with one digit, a row of the table reaches from `low_c` (included) to
`high_c` (not included), so that 16.0 and 18.0 fall where the table's words put them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from gis.errors import BadInput, Conflict, Missing

TEST_WITHIN = timedelta(hours=24)  # source: 山东省供热条例 第二十一条
TEST_SOURCE = "山东省供热条例 第二十一条"
TEST_CATEGORIES = ("heat.cold",)
ONE_DIGIT = Decimal("0.1")
COLDEST_C, WARMEST_C = Decimal("-30.0"), Decimal("60.0")


class RoomTestStatus(StrEnum):
    """Where a test of a room's temperature is."""

    REQUESTED = "requested"
    MEASURED = "measured"
    DECIDED = "decided"
    CANCELLED = "cancelled"


class RoomOpening(StrEnum):
    """How windows and doors were while it was measured."""

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RefundRow:
    """One row of a city's table: from `low_c` on (none: everything below), below `high_c` (none: everything above)."""

    id: int
    low_c: Decimal | None
    high_c: Decimal | None
    percent: Decimal
    source: str

    def holds(self, temperature_c: Decimal) -> bool:
        """Is this temperature in this row?"""
        return (self.low_c is None or self.low_c <= temperature_c) and (
            self.high_c is None or temperature_c < self.high_c
        )


@dataclass(frozen=True)
class Proposal:
    """What the table says: so many percent of the fee of so many days, by which row."""

    percent: Decimal
    days: int
    rule_id: int
    source: str


def one_digit(raw: str) -> Decimal:
    """A temperature as it is typed, with at most one digit after the point. Raises BadTemperature."""
    try:
        found = Decimal(raw.strip())
    except ArithmeticError:
        raise BadTemperature(value=raw[:20]) from None
    if not found.is_finite() or found != found.quantize(ONE_DIGIT) or not COLDEST_C <= found <= WARMEST_C:
        raise BadTemperature(value=raw[:20])
    return found.quantize(ONE_DIGIT)


def judged(rows: Sequence[RefundRow], temperature_c: Decimal, requested_on: date, measured_on: date) -> Proposal:
    """What a city's table makes of a measured temperature: its row's percent, for each day from the request to the
    measurement, both counted. Raises NoRefundTable and RefundGap.
    """
    if not rows:
        raise NoRefundTable()
    for row in rows:
        if row.holds(temperature_c):
            days = (measured_on - requested_on).days + 1 if row.percent else 0
            return Proposal(row.percent, max(0, days), row.id, row.source)
    raise RefundGap(temperature_c=temperature_c)


def gaps(rows: Sequence[RefundRow]) -> list[tuple[Decimal | None, Decimal | None]]:
    """Stretches of temperature that no row of the table names: (from, below), none where it is open."""
    if not rows:
        return [(None, None)]
    ordered = sorted(rows, key=lambda row: (row.low_c is not None, row.low_c or 0))
    found: list[tuple[Decimal | None, Decimal | None]] = []
    if ordered[0].low_c is not None:
        found.append((None, ordered[0].low_c))
    for here, after in pairwise(ordered):
        if here.high_c is not None and after.low_c is not None and here.high_c < after.low_c:
            found.append((here.high_c, after.low_c))
    if ordered[-1].high_c is not None:
        found.append((ordered[-1].high_c, None))
    return found


class BadTemperature(BadInput):
    """A temperature has at most one digit after the point and lies between -30 and 60 °C: %(value)s"""

    code = "bad_temperature"


class NoRefundTable(Missing):
    """No refund table of this city was in force on that day; a supervisor enters it under room tests."""

    code = "no_refund_table"


class RefundGap(Conflict):
    """The refund table names no share for %(temperature_c)s °C; a supervisor closes the gap first."""

    code = "refund_gap"


class RefundRowsOverlap(Conflict):
    """These degrees and days are in the refund table already."""

    code = "refund_rows_overlap"


class RoomTestOpen(Conflict):
    """A room test of this complaint is under way already."""

    code = "room_test_open"


class RoomTestStep(Conflict):
    """This room test is %(room_test_status)s: this cannot be done with it now."""

    code = "room_test_step"


class NotAboutWarmth(BadInput):
    """Only a complaint about a cold room is followed by a room test."""

    code = "not_about_warmth"


class BadRefundRule(BadInput):
    """This row of the refund table cannot be kept: %(reason)s."""

    code = "bad_refund_rule"
