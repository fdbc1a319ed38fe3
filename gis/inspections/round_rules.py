"""The words and tables of dragnet rounds (拉网式检查): what makes a site likelier to be drawn, what can be done with a round.

source: 青市政公用办〔2011〕85号: 从9月中旬开始，局将组织对庭院和室内施工服务工作进行拉网式检查. The text gives no number: the
weights are the bureau's own, edited under 抽样权重.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gis.errors import BadInput, Conflict
from gis.inspections.rules import Stage


class RoundStatus(StrEnum):
    """Where a round is: a draft is drawn and adjusted, a fixed one is walked."""

    DRAFT = "draft"
    FIXED = "fixed"
    ENDED = "ended"
    DISCARDED = "discarded"


class Allocation(StrEnum):
    """How many sites each stratum gets."""

    PROPORTIONAL = "proportional"
    NEYMAN = "neyman"


class Stratum(StrEnum):
    """By what the sites are divided; what is not chosen orders them inside a stratum."""

    DISTRICT = "district"
    STREET = "street"
    CONTRACTOR = "contractor"
    STAGE = "stage"
    BREACHES = "breaches"


class Origin(StrEnum):
    """How a site came into a round."""

    CERTAIN = "certain"
    DRAWN = "drawn"
    SWAPPED = "swapped"
    ADDED = "added"
    SINGLE = "single"


class VisitStatus(StrEnum):
    """What became of a planned visit. One whose day is over and that is still planned is missed."""

    PLANNED = "planned"
    DONE = "done"
    DROPPED = "dropped"


SOURCE = "局内参数；青市政公用办〔2011〕85号未规定数值"


@dataclass(frozen=True)
class Weight:
    """A number of the sampling, with its bounds. It can be edited; the source is kept beside it."""

    value: float
    low: float
    high: float


WEIGHTS: dict[str, Weight] = {
    "base": Weight(1.0, 0.01, 1000),
    "never_checked": Weight(3.0, 0, 1000),
    "breach": Weight(1.0, 0, 1000),
    "breaches_most": Weight(5, 0, 1000),
    "month_unchecked": Weight(0.25, 0, 1000),
    "unfit_person": Weight(1.0, 0, 1000),
    "before": Weight(0.5, 0.01, 1000),
    "during": Weight(1.0, 0.01, 1000),
    "after": Weight(0.75, 0.01, 1000),
    "lookback_days": Weight(365, 1, 3660),
    "certain_from": Weight(4, 1, 1000),
}
MONTH_DAYS = 30.4
MONTHS_MOST = 24.0
VISIT_MIN, DAY_BEGINS = 45, "09:00"
PER_DAY, PER_DAY_MOST = 4, 9  # a day's route is exact: at most what the exact search takes
SIZE_MOST = 2000
BREACH_CLASSES: tuple[tuple[int, str], ...] = ((0, "none"), (1, "few"), (3, "many"))


def breach_class(breaches: int) -> str:
    """`none`, `few` (1-2) or `many` (3 and more) past breaches."""
    return next(name for least, name in reversed(BREACH_CLASSES) if breaches >= least)


@dataclass(frozen=True)
class Facts:
    """What the drawing knows of a site."""

    stage: str
    breaches: int
    days_since: int | None
    unfit_persons: int


@dataclass(frozen=True)
class Measure:
    """How likely a site is to be drawn in comparison, whether it must be, and why: codes with their numbers."""

    size: float
    certain: bool
    why: tuple[dict[str, Any], ...] = field(default=())


def measure(facts: Facts, weights: Mapping[str, float]) -> Measure:
    """The size of a site for the drawing: the sum of what speaks for a visit, times its stage's factor."""
    parts: list[tuple[str, float, float]] = [("base", weights["base"], 0)]
    if facts.days_since is None:
        parts.append(("never_checked", weights["never_checked"], 0))
    else:
        months = min(facts.days_since / MONTH_DAYS, MONTHS_MOST)
        parts.append(("month_unchecked", weights["month_unchecked"] * months, facts.days_since))
    counted = min(facts.breaches, weights["breaches_most"])
    parts.append(("breach", weights["breach"] * counted, facts.breaches))
    parts.append(("unfit_person", weights["unfit_person"] * (facts.unfit_persons > 0), facts.unfit_persons))
    factor = weights[Stage(facts.stage)]
    why = [{"code": code, "adds": round(added, 3), "n": n} for code, added, n in parts if added and code != "base"]
    why.append({"code": "stage", "stage": facts.stage, "factor": factor})
    certain = facts.breaches >= weights["certain_from"]
    return Measure(sum(added for _code, added, _n in parts) * factor, certain, tuple(why))


class WrongRoundState(Conflict):
    """This round is not in a state for that."""

    code = "wrong_round_state"


class NothingToDraw(BadInput):
    """There is no open site to draw from."""

    code = "nothing_to_draw"


class BadRound(BadInput):
    """The round cannot be planned so: %(reason)s"""

    code = "bad_round"


class SiteInRound(Conflict):
    """This site is in the round already."""

    code = "site_in_round"


class ReasonMissing(BadInput):
    """A change by hand needs a reason."""

    code = "reason_missing"


class NoInspector(BadInput):
    """Choose at least one inspector."""

    code = "no_inspector"


class BadWeight(BadInput):
    """This number must lie between %(low)s and %(high)s."""

    code = "bad_weight"
