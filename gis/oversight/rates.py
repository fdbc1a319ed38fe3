"""What is counted in a bulletin and how: every rate with its own numerator and denominator, as tables. Pure.

Page, Excel, Word, JSON and the tests read these tables; the conditions of `MEASURES` in SQL are in `counting_queries`,
under the same keys. No denominator means no data, never 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from gis.errors import BadInput, Conflict

_CENT = Decimal("0.01")
TREND_DAYS = 90
REPEATED_LISTED = 10


class Basis(StrEnum):
    """Which moment puts a complaint into a period."""

    RECEIVED = "received"
    DUE = "due"
    SENT = "sent"
    CALLED = "called"


@dataclass(frozen=True)
class Measure:
    """Something counted. `words` is the condition in a sentence: a message id, in Chinese in the catalogue."""

    key: str
    basis: Basis
    words: str


_B = Basis
MEASURES: dict[str, Measure] = {
    m.key: m
    for m in (
        Measure("accepted", _B.RECEIVED, "received in the period, on any channel"),
        Measure("filed", _B.RECEIVED, "received in the period, neither joined to another complaint nor cancelled"),
        Measure("repeated", _B.RECEIVED, "received in the period and joined to a complaint that was already there"),
        Measure("cancelled", _B.RECEIVED, "received in the period and cancelled"),
        Measure("due", _B.DUE, "filed, with a time limit that ends in the period"),
        Measure("closed", _B.DUE, "due in the period and closed (handled and answered) by its end"),
        Measure("on_time", _B.DUE, "due in the period and closed not later than the time limit"),
        Measure("late", _B.DUE, "due in the period and not closed by the time limit"),
        Measure("answered_once", _B.DUE, "due in the period and closed at least once"),
        Measure("reworked", _B.DUE, "due in the period, closed once and opened again"),
        Measure("passed_on", _B.SENT, "passed on to the answering body in the period"),
        Measure("signed_in_time", _B.SENT, "passed on in the period and signed within the limit for signing"),
        Measure("returned", _B.SENT, "passed on in the period and returned by the body at least once"),
        Measure("called", _B.CALLED, "complaints whose caller was called back in the period"),
        Measure("reached", _B.CALLED, "called back in the period and reached"),
        Measure("unreachable", _B.CALLED, "called back in the period and not reached"),
        Measure("solved", _B.CALLED, "reached, and the caller says it is solved"),
        Measure("process_told", _B.CALLED, "reached, and the caller judged how it was handled"),
        Measure("process_satisfied", _B.CALLED, "reached, and satisfied with how it was handled"),
        Measure("result_told", _B.CALLED, "reached, and the caller judged the result"),
        Measure("result_satisfied", _B.CALLED, "reached, and satisfied with the result"),
    )
}


class RateKey(StrEnum):
    """The rates of a bulletin."""

    ON_TIME = "on_time"
    CLOSING = "closing"
    RESPONSE = "response"
    SOLVING = "solving"
    PROCESS_SATISFACTION = "process_satisfaction"
    RESULT_SATISFACTION = "result_satisfaction"
    RETURN = "return"
    REWORK = "rework"
    REPEAT = "repeat"
    FILING = "filing"
    UNREACHABLE = "unreachable"


class AlreadyPublished(Conflict):
    """The bulletin of this period is already published; a correction is a new issue with a reason."""

    code = "already_published"


class StillRunning(Conflict):
    """This period is not over yet; it can be published after its last day."""

    code = "still_running"


class ReasonNeeded(BadInput):
    """Say what is corrected, and why."""

    code = "reason_needed"


class BaselineTaken(Conflict):
    """There is already a baseline for this rate from that day on."""

    code = "baseline_taken"


class BadBaseline(BadInput):
    """A baseline is a percentage from 0 to 100, with its source."""

    code = "bad_baseline"


@dataclass(frozen=True)
class Definition:
    """A rate: which measure over which. `more_is_better` says which way a ranking goes; None means it ranks nobody."""

    key: RateKey
    numerator: str
    denominator: str
    more_is_better: bool | None
    source: str


_K = RateKey
RATES: dict[RateKey, Definition] = {
    d.key: d
    for d in (
        Definition(_K.ON_TIME, "on_time", "due", True, "hbcic.net.cn 74587 (Tianmen, 2016-12): 按期结案率 737/972 = 75.82 %"),
        Definition(_K.CLOSING, "closed", "due", True, "hbcic.net.cn 74587 (Tianmen, 2016-12): 结案率 911/972 = 93.72 %"),
        Definition(_K.RESPONSE, "signed_in_time", "passed_on", True, "caprane.cn 445180: 三率, 响应率 (24 h)"),
        Definition(_K.SOLVING, "solved", "reached", True, "caprane.cn 445180: 三率, 解决率"),
        Definition(_K.PROCESS_SATISFACTION, "process_satisfied", "process_told", True,
                   "sources/jinan-2014: 办理过程满意率"),
        Definition(_K.RESULT_SATISFACTION, "result_satisfied", "result_told", True, "sources/jinan-2014: 办理结果满意率"),
        Definition(_K.RETURN, "returned", "passed_on", False, "m.yybnet.net 9093219 (Shandong 2020): 退单 within 2 working days"),
        Definition(_K.REWORK, "reworked", "answered_once", False, "m.shzx.org 386 (Shandong 2017): 回访不满意重办"),
        Definition(_K.REPEAT, "repeated", "accepted", False, "dyrmt.com 10142: 重复投诉"),
        Definition(_K.FILING, "filed", "accepted", None, "sources/jining-2019: 有效办理单 575033/607907"),
        Definition(_K.UNREACHABLE, "unreachable", "called", None, "GB/T 33358-2016: 回访"),
    )
}  # fmt: skip
RANKED = tuple(d.key for d in RATES.values() if d.more_is_better is not None)


@dataclass(frozen=True)
class Rate:
    """A numerator over its denominator."""

    numerator: int
    denominator: int

    @property
    def share(self) -> Fraction | None:
        """Exactly, or None where there is nothing to divide by."""
        return Fraction(self.numerator, self.denominator) if self.denominator > 0 else None

    @property
    def percent(self) -> Decimal | None:
        """In per cent with two decimals, halves up, as the sources print; None is no data."""
        share = self.share
        return None if share is None else rounded(share * 100)

    def as_dict(self) -> dict[str, int | float | None]:
        """Numerator, denominator and percent for JSON and files."""
        percent = self.percent
        return {"numerator": self.numerator, "denominator": self.denominator,
                "percent": None if percent is None else float(percent)}  # fmt: skip


def rate(key: RateKey | str, counts: Mapping[str, int]) -> Rate:
    """A rate of the table, from counted measures; what was not counted is 0."""
    wanted = RATES[RateKey(key)]
    return Rate(counts.get(wanted.numerator, 0), counts.get(wanted.denominator, 0))


def rounded(number: Fraction, places: Decimal = _CENT) -> Decimal:
    """Half up, away from zero, from the exact fraction: never from a float that already lost the half."""
    sign, size = (-1, -number) if number < 0 else (1, number)
    steps = size / Fraction(places)
    whole = int(steps + Fraction(1, 2))
    return (sign * whole * places).quantize(places, rounding=ROUND_HALF_UP)


# --- comparison with an earlier period ------------------------------------------------------------------------------
def points(now: Rate, before: Rate) -> Decimal | None:
    """How many percentage points more: of the two printed figures, so that a reader can check it. None is no data."""
    if now.percent is None or before.percent is None:
        return None
    return now.percent - before.percent


def growth(now: int, before: int) -> Decimal | None:
    """How many per cent more; None where there was nothing before."""
    return rounded(Fraction(now - before, before) * 100) if before > 0 else None


def arrow(change: Decimal | float | None) -> str | None:
    """`up`, `down`, `same`, or None for no data."""
    if change is None:
        return None
    return "up" if change > 0 else "down" if change < 0 else "same"


# --- ranking -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Place:
    """A place in a ranking; `rank` is None for a body without data. Equal shares have the same rank, and the next is left out."""

    rank: int | None
    meets: bool | None


def ranking(rates: Sequence[Rate], *, more_is_better: bool, baseline: Decimal | None = None) -> list[Place]:
    """The places of these rates in the order given. Compared exactly, not as printed; ties share a rank (1, 1, 3)."""
    shares = [r.share for r in rates]
    known = sorted((s for s in shares if s is not None), reverse=more_is_better)
    limit = None if baseline is None else Fraction(baseline) / 100
    places = []
    for share in shares:
        if share is None:
            places.append(Place(None, None))
            continue
        meets = None if limit is None else (share >= limit if more_is_better else share <= limit)
        places.append(Place(known.index(share) + 1, meets))
    return places


# --- parts of a total ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Part:
    """One part of a total with its share. `key` None is what the named parts leave over: shown, never hidden."""

    key: str | None
    count: int
    share: Rate


def parts(total: int, named: Mapping[str, int]) -> list[Part]:
    """The named parts, and the difference to the total as a row of its own wherever they do not add up.

    source: sources/jining-2019 prints 607,907 received, "of which" 591,482 and 3,885: 12,540 came by other channels.
    """
    rows = [Part(key, count, Rate(count, total)) for key, count in named.items()]
    left = total - sum(named.values())
    return [*rows, Part(None, left, Rate(left, total))] if left else rows


def per(count: int, of: int, each: int = 1, places: str = "0.1") -> Decimal | None:
    """How many for each `each` of `of`: calls per 100 households, calls per day. None where there is nothing to divide by."""
    return rounded(Fraction(count * each, of), Decimal(places)) if of > 0 else None
