"""What follows from a record of breaches: warning, removal, blacklist, and stars the other way. Pure tables and functions.

source: 青市政公用办〔2011〕85号: 施工单位、人员“黑名单”和清退机制; 奖优罚劣; 星级员工、星级站点评比. It names no number: a rule is a row that
the bureau writes, with its own source. There is none to begin with, and without one nothing is ever proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gis.errors import BadInput, Conflict, NotAllowed
from gis.inspections.finding_rules import SEVERITY_ORDER, Severity
from gis.people.rules import Role


class Subject(StrEnum):
    """Whose record a rule looks at."""

    UNIT = "unit"
    CONTRACTOR = "contractor"
    PERSON = "person"
    WORKER = "worker"  # of a contractor, on its sites


class Counted(StrEnum):
    """What a rule counts within its window."""

    BREACHES = "breaches"
    FAILED_REINSPECTIONS = "failed_reinspections"
    STOP_WORKS = "stop_works"
    LATE = "late"
    CLEAN_INSPECTIONS = "clean_inspections"


class ConsequenceKind(StrEnum):
    """What follows, mildest first; a star is the other way."""

    WARNING = "warning"
    REMOVAL = "removal"
    BLACKLIST = "blacklist"
    STAR = "star"


class ConsequenceStatus(StrEnum):
    """Where a consequence stands. Nothing is in force that a supervisor did not decide."""

    PROPOSED = "proposed"
    DECLINED = "declined"
    IN_FORCE = "in_force"
    APPEALED = "appealed"
    REVOKED = "revoked"
    LIFTED = "lifted"
    EXPIRED = "expired"


STANDING = frozenset({ConsequenceStatus.IN_FORCE, ConsequenceStatus.APPEALED})
UNSETTLED = STANDING | {ConsequenceStatus.PROPOSED}


@dataclass(frozen=True)
class ConsequenceStep:
    """A move: from any of `before` to `after`, by any of `roles` (none: by the clock); `words` says that a reason is needed."""

    verb: str
    before: frozenset[ConsequenceStatus]
    after: ConsequenceStatus
    roles: frozenset[Role]
    words: bool = False


_C, _SUPERVISOR = ConsequenceStatus, frozenset({Role.SUPERVISOR})
CONSEQUENCE_STEPS: dict[str, ConsequenceStep] = {
    step.verb: step
    for step in (
        ConsequenceStep("decide", frozenset({_C.PROPOSED}), _C.IN_FORCE, _SUPERVISOR, words=True),
        ConsequenceStep("decline", frozenset({_C.PROPOSED}), _C.DECLINED, _SUPERVISOR, words=True),
        ConsequenceStep("appeal", frozenset({_C.IN_FORCE}), _C.APPEALED, frozenset({Role.UNIT_HANDLER}), words=True),
        ConsequenceStep("uphold", frozenset({_C.APPEALED}), _C.IN_FORCE, _SUPERVISOR, words=True),
        ConsequenceStep("revoke", frozenset({_C.APPEALED}), _C.REVOKED, _SUPERVISOR, words=True),
        ConsequenceStep("lift", frozenset({_C.IN_FORCE}), _C.LIFTED, _SUPERVISOR, words=True),
        ConsequenceStep("expire", STANDING, _C.EXPIRED, frozenset()),
    )
}


def consequence_steps(status: str, role: str | None = None) -> list[ConsequenceStep]:
    """What can be done with a consequence now, by one role or by anybody."""
    return [s for s in CONSEQUENCE_STEPS.values() if status in s.before and (role is None or Role(role) in s.roles)]


def consequence_after(status: str, verb: str) -> ConsequenceStatus:
    """The status that `verb` leads to, or `WrongConsequenceStep` naming what is possible."""
    step = CONSEQUENCE_STEPS.get(verb)
    if step is None or status not in step.before:
        possible = [s.verb for s in consequence_steps(status) if s.roles]
        raise WrongConsequenceStep(consequence_verb=verb[:20], consequence=status, consequence_steps=possible)
    return step.after


# --- when a rule speaks ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Terms:
    """What a rule says: so many of `measure`, of at least `severity`, within the last `window_days`."""

    measure: Counted
    severity: Severity
    at_least: int
    window_days: int


@dataclass(frozen=True)
class Event:
    """One thing on a record. `key` names it for ever, so that it is counted once by a rule."""

    key: str
    measure: str
    severity: str
    at: datetime


def due(terms: Terms, events: Iterable[Event], used: Iterable[str], now: datetime) -> list[Event] | None:
    """The events that make the rule speak now, oldest first, or None. What it was used for before does not count again.

    The order in which events come in, and how often each comes, changes nothing; one event more never silences a rule.
    """
    since, done = now - timedelta(days=terms.window_days), set(used)
    enough = SEVERITY_ORDER[terms.severity]
    counted = {
        e.key: e for e in events
        if e.measure == terms.measure and since < e.at <= now and e.key not in done and SEVERITY_ORDER[e.severity] >= enough
    }  # fmt: skip
    if len(counted) < terms.at_least:
        return None
    return sorted(counted.values(), key=lambda e: (e.at, e.key))


# --- scores ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Score:
    """Weighted points in a hundred, and what they stand on. `None`: no weight, or nothing that was weighed: no score, never 0."""

    percent: float | None
    answers: int
    inspections: int


def score(weights: dict[tuple[str, str], int], answered: Sequence[tuple[str, str, str, str]]) -> Score:
    """The score of some answers `(inspection, checklist, item, answer)`: weight kept of weight asked; n/a is not asked.

    Sums of whole numbers: the order of the answers changes nothing, and a promise kept instead of broken never lowers it.
    """
    weighed = [
        (inspection, weights[code, item], answer)
        for inspection, code, item, answer in answered
        if answer in ("yes", "no") and weights.get((code, item), 0) > 0
    ]
    asked = sum(weight for _, weight, _ in weighed)
    kept = sum(weight for _, weight, answer in weighed if answer == "yes")
    percent = round(100 * kept / asked, 2) if asked else None
    return Score(percent, len(weighed), len({inspection for inspection, _, _ in weighed}))


@dataclass(frozen=True)
class Rate:
    """A share with its numerator and denominator; a denominator of 0 is no data."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        return round(100 * self.part / self.whole, 2) if self.whole else None


RULE_LIMITS: dict[str, tuple[int, int]] = {
    "at_least": (1, 1000), "window_days": (1, 1100), "period_days": (0, 3660), "appeal_days": (1, 60),
}  # fmt: skip
WEIGHT_MOST = 100


def decision_no(year: int, number: int) -> str:
    """The number of a decision: 处理〔2009〕3号."""
    return f"处理〔{year}〕{number}号"


class WrongConsequenceStep(Conflict):
    """What is “%(consequence)s” cannot be moved by “%(consequence_verb)s”; possible now: %(consequence_steps)s."""

    code = "wrong_consequence_step"


class SameDecider(NotAllowed):
    """An appeal is decided by somebody else than who decided first."""

    code = "same_decider"


class AppealOver(Conflict):
    """The time for an appeal is over, or the appeal is decided already."""

    code = "appeal_over"


class BadConsequenceRule(BadInput):
    """This rule cannot be kept: %(reason)s"""

    code = "bad_consequence_rule"


class AlreadyProposed(Conflict):
    """This rule already speaks about this unit or person."""

    code = "already_proposed"


class NotYours(NotAllowed):
    """Only the body itself appeals."""

    code = "not_your_appeal"
