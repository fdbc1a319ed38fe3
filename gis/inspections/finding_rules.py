"""The law of rectification: how serious, until when, which steps by whom. Pure tables.

source: 青市政公用办〔2011〕85号 asks that what is found be put right (督促认真整改) and names no number and no severity: every number
here is the house's own beginning, a row that the bureau changes, with a source of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gis.errors import BadInput, Conflict, NotAllowed
from gis.people.rules import Role

HOUSE = "本局自定（来源文件未规定此数）"


class Severity(StrEnum):
    """How serious a finding is, lightest first."""

    MINOR = "minor"
    GENERAL = "general"
    SERIOUS = "serious"


SEVERITY_ORDER: dict[str, int] = {severity: n for n, severity in enumerate(Severity)}


class FindingStatus(StrEnum):
    """Where the rectification of a finding stands. Warned, extended, escalated and late are marks, not statuses."""

    OPEN = "open"
    SENT = "sent"
    SIGNED = "signed"
    RECTIFIED = "rectified"
    FAILED = "failed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class PhotoPart(StrEnum):
    """What a photo of a finding shows. The first two came with the inspection and are named by their hash, not copied."""

    BEFORE = "before"
    SIGNATURE = "signature"
    AFTER = "after"
    REINSPECTION = "reinspection"


AWAITING_UNIT = frozenset({FindingStatus.SENT, FindingStatus.SIGNED, FindingStatus.FAILED})
LIVE = frozenset(FindingStatus) - {FindingStatus.CLOSED, FindingStatus.WITHDRAWN}


@dataclass(frozen=True)
class FindingStep:
    """A move of a finding: from any of `before` to `after` (`None`: it stays where it is), by any of `roles`."""

    verb: str
    before: frozenset[FindingStatus]
    after: FindingStatus | None
    roles: frozenset[Role]
    words: bool = False


_F, _SUPERVISOR = FindingStatus, frozenset({Role.SUPERVISOR})
_BUREAU = frozenset({Role.SUPERVISOR, Role.DISPATCHER})
_UNIT = frozenset({Role.UNIT_HANDLER, Role.CREW})
_CHECKS = frozenset({Role.INSPECTOR, Role.SUPERVISOR, Role.DISPATCHER})
FINDING_STEPS: dict[str, FindingStep] = {
    step.verb: step
    for step in (
        FindingStep("send", frozenset({_F.OPEN}), _F.SENT, _BUREAU),
        FindingStep("sign", frozenset({_F.SENT}), _F.SIGNED, _UNIT),
        FindingStep("rectify", frozenset({_F.SIGNED, _F.FAILED}), _F.RECTIFIED, _UNIT, words=True),
        FindingStep("pass", frozenset({_F.RECTIFIED}), _F.CLOSED, _CHECKS),
        FindingStep("fail", frozenset({_F.RECTIFIED}), _F.FAILED, _CHECKS, words=True),
        FindingStep("extend", AWAITING_UNIT, None, _SUPERVISOR, words=True),
        FindingStep("escalate", AWAITING_UNIT, None, _SUPERVISOR, words=True),
        FindingStep("name_person", LIVE, None, _BUREAU),
        FindingStep("withdraw", LIVE, _F.WITHDRAWN, _SUPERVISOR, words=True),
        FindingStep("reinstate", frozenset({_F.WITHDRAWN}), _F.OPEN, _SUPERVISOR, words=True),
        # By nobody: what follows when the inspection itself is corrected after it was sent.
        FindingStep("annul", frozenset(_F) - {_F.WITHDRAWN}, _F.WITHDRAWN, frozenset()),
        FindingStep("revive", frozenset({_F.WITHDRAWN}), _F.OPEN, frozenset()),
    )
}


def finding_steps(status: str, role: str | None = None) -> list[FindingStep]:
    """What can be done with a finding now, by one role or by anybody."""
    return [s for s in FINDING_STEPS.values() if status in s.before and (role is None or Role(role) in s.roles)]


def finding_after(status: str, verb: str) -> FindingStatus:
    """The status that `verb` leads to, or `WrongFindingStep` naming what is possible."""
    step = FINDING_STEPS.get(verb)
    if step is None or status not in step.before:
        possible = [s.verb for s in finding_steps(status) if s.roles]
        raise WrongFindingStep(finding_verb=verb[:20], finding=status, finding_steps=possible)
    return step.after or FindingStatus(status)


def may_reinspect(
    bodies: Iterable[int | None],
    checker_id: int,
    checker_unit_id: int | None,
    of_bureau: bool,
    rectified_by: int | None,
) -> bool:
    """Is this person free to re-inspect? Of the bureau; never of the unit or contractor, never who put it right.

    The first inspector may, and need not: another one may as well.
    """
    own = checker_unit_id is not None and checker_unit_id in set(bodies)
    return of_bureau and not own and checker_id != rectified_by


@dataclass(frozen=True)
class RectifySeed:
    """How findings of a severity are dealt with. Days are working days."""

    severity: Severity
    days: int
    warn_days: int
    again_days: int
    extend_days: int
    extend_times: int
    escalate_days: int
    after_photo: bool
    may_stop: bool
    source: str = HOUSE


RECTIFY: dict[str, RectifySeed] = {
    seed.severity: seed
    for seed in (
        RectifySeed(Severity.MINOR, 7, 2, 3, 5, 1, 3, after_photo=False, may_stop=False),
        RectifySeed(Severity.GENERAL, 5, 1, 3, 5, 1, 2, after_photo=True, may_stop=False),
        RectifySeed(Severity.SERIOUS, 2, 1, 1, 2, 1, 1, after_photo=True, may_stop=True),
    )
}
RECTIFY_LIMITS: dict[str, tuple[int, int]] = {
    "days": (1, 60), "warn_days": (0, 30), "again_days": (1, 60), "extend_days": (0, 60), "extend_times": (0, 9),
    "escalate_days": (0, 60),
}  # fmt: skip
# Items that are serious until the bureau says otherwise: fire, drink, money. Everything else is general.
SERIOUS_ITEMS = frozenset({"5.4", "5.5", "6.2", "6.4", "6.5", "6.6"})


def severity_of(item_id: str, table: dict[str, str]) -> Severity:
    """How serious a failed item is: by the bureau's table, else by the house's."""
    if item_id in table:
        return Severity(table[item_id])
    return Severity.SERIOUS if item_id in SERIOUS_ITEMS else Severity.GENERAL


def finding_no(year: int, number: int) -> str:
    """The number of a rectification notice: 整改〔2009〕12号."""
    return f"整改〔{year}〕{number}号"


def stop_no(year: int, number: int) -> str:
    """The number of a stop-work order: 停工〔2009〕1号."""
    return f"停工〔{year}〕{number}号"


SAID_MAX = 2000
SOURCE_MAX = 300
PHOTOS_PER_ANSWER = 9
# How far from a stopped site its contractor is sent nowhere. source: house assumption: a yard; a drawn ground counts instead.
STOPPED_WITHIN_M = 50.0


def words_of(given: str | None, *, needed: bool = False, longest: int = SAID_MAX) -> str:
    """Text as it may be kept: printable, trimmed, not too long. Raises FindingWordsMissing, FindingWordsTooLong."""
    kept = "".join(c for c in given or "" if c in "\n\t" or c.isprintable() or c == "\u3000").strip()
    if needed and not kept:
        raise FindingWordsMissing()
    if len(kept) > longest:
        raise FindingWordsTooLong(limit=longest)
    return kept


def counted(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs."""
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


class WrongFindingStep(Conflict):
    """A finding that is “%(finding)s” cannot be moved by “%(finding_verb)s”; possible now: %(finding_steps)s."""

    code = "wrong_finding_step"


class FindingWordsMissing(BadInput):
    """Please write a few words: what was done, or why."""

    code = "finding_words_missing"


class FindingWordsTooLong(BadInput):
    """This text is too long: at most %(limit)s characters."""

    code = "finding_words_too_long"


class AfterPhotoMissing(BadInput):
    """A photo of the place as it is now is needed."""

    code = "after_photo_missing"


class NoUnit(Conflict):
    """Nobody answers for this finding yet: choose the unit."""

    code = "no_responsible_unit"


class OwnReinspection(NotAllowed):
    """Only the bureau re-inspects: not the unit or contractor itself, and not who put it right."""

    code = "own_reinspection"


class BeyondExtension(Conflict):
    """The rule allows %(times)s extensions of at most %(days)s working days each."""

    code = "beyond_extension"


class CannotStop(Conflict):
    """Works are stopped only for a finding at a site, of a severity whose rule allows it."""

    code = "cannot_stop"


class AlreadyStopped(Conflict):
    """The works at this site are stopped already."""

    code = "already_stopped"


class NotStopped(Conflict):
    """This order to stop the works is lifted already."""

    code = "not_stopped"


class BadRectifyRule(BadInput):
    """%(rule_field)s: a whole number from %(low)s to %(high)s."""

    code = "bad_rectify_rule"


class FindingThere(Conflict):
    """This finding, or this answer to it, is kept already."""

    code = "finding_there"
