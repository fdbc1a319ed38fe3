"""What a themed week is to reach and how each figure is counted: tables, and the arithmetic of small numbers. Pure.

source: sources/pingdu-2009 (heating week 16-22 November 2009). No target is built in: each is a row with its own source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from scipy.special import gammaincinv  # scipy.stats costs every process a second at its start

from gis.errors import BadInput, Conflict
from gis.oversight.rates import Rate, per

EACH = 100  # households: "4.7 calls for each 100 households"
LONGEST_DAYS = 62
MANY = 10_000_000
CONFIDENCE = 0.95


class TargetKey(StrEnum):
    """What a week can have a target for."""

    CALLS = "calls"
    SAME_DAY = "same_day"
    CLOSING = "closing"
    SUPERVISIONS = "supervisions"
    PROBLEMS_SOLVED = "problems_solved"
    CARRIED_OUT = "carried_out"
    SATISFIED = "satisfied"


class WeekState(StrEnum):
    """Where a day stands in a themed week."""

    COMING = "coming"
    RUNNING = "running"
    OVER = "over"


class StationOrder(StrEnum):
    """By what the table of stations is ordered."""

    SHRUNK = "drawn_to_the_mean"
    RATE = "per_100_households"
    CALLS = "calls"
    NAME = "name"


@dataclass(frozen=True)
class Figure:
    """A figure of a week. `percent`: numerator over denominator, else a count. The words are message ids."""

    key: TargetKey
    name: str
    percent: bool
    numerator: str
    denominator: str = ""


_T = TargetKey
FIGURES: dict[TargetKey, Figure] = {
    f.key: f
    for f in (
        Figure(_T.CALLS, "Calls answered", False, "heating calls received in the week on any channel, repeats included"),
        Figure(_T.SAME_DAY, "Closed on the same day", True, "ordinary matters closed on the day on which they were received",
               "ordinary matters received on days that are over, neither joined to others nor cancelled"),
        Figure(_T.CLOSING, "Share closed", True, "due in the week and closed (handled and answered) by its end",
               "heating matters whose time limit ends in the week"),
        Figure(_T.SUPERVISIONS, "On-site supervisions made", False, "on-site supervisions made in the week"),
        Figure(_T.PROBLEMS_SOLVED, "Concrete problems solved", False, "problems found on these supervisions and solved so far"),
        Figure(_T.CARRIED_OUT, "Problems carried out", True, "problems found on these supervisions and solved so far",
               "problems found on these supervisions"),
        Figure(_T.SATISFIED, "Callers satisfied", True, "called back in the week, reached, and satisfied with the result",
               "called back in the week, reached, and judged the result"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """A figure beside its target. `rate` is None for a count; `reached` None where there is no data or no target."""

    figure: Figure
    count: int
    rate: Rate | None
    target: Decimal | None
    source: str

    @property
    def value(self) -> Decimal | None:
        """The count, or the percentage; None is no data."""
        return Decimal(self.count) if self.rate is None else self.rate.percent

    @property
    def reached(self) -> bool | None:
        """Compared exactly, not as printed."""
        if self.target is None or (self.rate is not None and self.rate.share is None):
            return None
        exact = Fraction(self.count) if self.rate is None else self.rate.share
        assert exact is not None
        return exact * (1 if self.rate is None else 100) >= Fraction(self.target)

    @property
    def done_percent(self) -> float:
        """How far, of the target, at most 100: for the bar alone."""
        if self.target is None or self.value is None:
            return 0.0
        return 100.0 if not self.target else float(min(Decimal(100), self.value * 100 / self.target))


def week_state(today: date, first: date, last: date) -> WeekState:
    """Before its first day, in it, or after its last."""
    if today < first:
        return WeekState.COMING
    return WeekState.RUNNING if today <= last else WeekState.OVER


def days_counted(first: date, last: date, now: datetime, zone: tzinfo) -> int:
    """Over how many days an average goes: those of the week that have begun, the running one counted as a whole day."""
    today = min(now.astimezone(zone).date(), last)
    return max((today - first).days + 1, 0)


def days_of(first: date, last: date) -> list[date]:
    """Every day of the week, both ends included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# --- small numbers -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class SmallRate:
    """Calls for each 100 households: as counted, with the interval that chance alone explains, and drawn to the mean.

    Everything is None where there are no households: no data, never 0.
    """

    calls: int
    households: int
    raw: Decimal | None
    low: float | None
    high: float | None
    shrunk: float | None


def poisson_interval(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between which means would a count of this size not be surprising? The exact interval (Garwood, Biometrika 28, 1936)."""
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def small_rates(counts: Sequence[tuple[int, int]]) -> list[SmallRate]:
    """The rate of every (calls, households), each drawn to the mean of all the more, the fewer its households are.

    Global empirical Bayes by moments (R. J. Marshall, Applied Statistics 40, 1991, 283-294): the weight of a station's own
    rate is A / (A + m/n), m the mean rate, A what the rates differ by beyond chance (0 where they do not).
    """
    known = [(calls, homes) for calls, homes in counts if homes > 0]
    mean, beyond = _moments(known)
    return [_small(calls, homes, mean, beyond) for calls, homes in counts]


def _moments(known: Sequence[tuple[int, int]]) -> tuple[float, float]:
    homes = sum(h for _c, h in known)
    if not homes:
        return 0.0, 0.0
    mean = sum(c for c, _h in known) / homes
    spread = sum(h * (c / h - mean) ** 2 for c, h in known) / homes
    return mean, max(spread - mean * len(known) / homes, 0.0)


def _small(calls: int, homes: int, mean: float, beyond: float) -> SmallRate:
    if homes <= 0:
        return SmallRate(calls, homes, None, None, None, None)
    own = calls / homes
    chance = mean / homes
    weight = beyond / (beyond + chance) if beyond + chance > 0 else 0.0
    low, high = poisson_interval(calls)
    return SmallRate(calls, homes, per(calls, homes, EACH), low * EACH / homes, high * EACH / homes,
                     (mean + weight * (own - mean)) * EACH)  # fmt: skip


# --- what can be wrong ---------------------------------------------------------------------------------------------------
class BadWeek(BadInput):
    """A themed week needs a name, a city, a first and a last day at most two months apart, and a source: %(reason)s."""

    code = "bad_week"


class BadWeekTarget(BadInput):
    """A target is a number from 0 to %(most)s with its source."""

    code = "bad_week_target"


class WeekThere(Conflict):
    """This city already has a themed week of that name on that first day."""

    code = "week_there"


class AlreadySolved(Conflict):
    """This problem is already solved."""

    code = "problem_already_solved"
