"""The law of oversight: reasons, steps of a notice, outcomes of a call, what became of a promise. Pure tables.

A number that no source fixes is a row of `OversightRule` with its own `source`; the ones here are only what a new house starts with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gis.complaints.law_words import CallOutcome, Satisfaction
from gis.errors import BadInput, Conflict
from gis.people.rules import Role


class NoticeReason(StrEnum):
    """Why a supervision notice is issued. source: Shandong provincial hotline 2017; sources/jinan-2014; jining-2019."""

    OVERDUE = "overdue"
    DISSATISFIED = "dissatisfied"
    STILL_DISSATISFIED = "still_dissatisfied"
    THREE_REPEATS = "three_repeats"
    LEADER = "leader"
    BY_HAND = "by_hand"
    FINDING = "finding"


class NoticeStatus(StrEnum):
    """Where a supervision notice stands."""

    ISSUED = "issued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REPLIED = "replied"
    ESCALATED = "escalated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


ENDED = frozenset({NoticeStatus.CLOSED, NoticeStatus.WITHDRAWN})
AWAITING = frozenset({NoticeStatus.SENT, NoticeStatus.ACKNOWLEDGED, NoticeStatus.ESCALATED})


@dataclass(frozen=True)
class NoticeStep:
    """A move of a notice: from any of `before` to `after`, by any of `roles`; `words` says that a text is needed."""

    verb: str
    before: frozenset[NoticeStatus]
    after: NoticeStatus
    roles: frozenset[Role]
    words: bool = False


_N, _SUPERVISOR = NoticeStatus, frozenset({Role.SUPERVISOR})
_UNIT = frozenset({Role.UNIT_HANDLER, Role.SUPERVISOR})
NOTICE_STEPS: dict[str, NoticeStep] = {
    step.verb: step
    for step in (
        NoticeStep("send", frozenset({_N.ISSUED}), _N.SENT, _SUPERVISOR),
        NoticeStep("acknowledge", frozenset({_N.SENT}), _N.ACKNOWLEDGED, _UNIT),
        NoticeStep("reply", frozenset({_N.ACKNOWLEDGED, _N.ESCALATED}), _N.REPLIED, _UNIT, words=True),
        NoticeStep("ask_again", frozenset({_N.REPLIED}), _N.ACKNOWLEDGED, _SUPERVISOR, words=True),
        NoticeStep("close", frozenset({_N.REPLIED}), _N.CLOSED, _SUPERVISOR),
        NoticeStep("escalate", frozenset({_N.SENT, _N.ACKNOWLEDGED, _N.REPLIED}), _N.ESCALATED, _SUPERVISOR, words=True),
        NoticeStep("withdraw", frozenset({_N.ISSUED, _N.SENT, _N.ACKNOWLEDGED}), _N.WITHDRAWN, _SUPERVISOR, words=True),
    )
}  # fmt: skip


def notice_steps(status: str, role: str | None = None) -> list[NoticeStep]:
    """What can be done with a notice now, by one role or by anybody."""
    return [s for s in NOTICE_STEPS.values() if status in s.before and (role is None or Role(role) in s.roles)]


def notice_after(status: str, verb: str) -> NoticeStatus:
    """The status that `verb` leads to, or `WrongNoticeStep` naming what is possible."""
    step = NOTICE_STEPS.get(verb)
    if step is None or status not in step.before:
        raise WrongNoticeStep(verb=verb[:20], status=status, possible=[s.verb for s in notice_steps(status)])
    return step.after


def notice_no(year: int, number: int) -> str:
    """The number as a Chinese bureau writes it: 督办〔2009〕1号."""
    return f"督办〔{year}〕{number}号"


class CallEnd(StrEnum):
    """What follows from a call."""

    CONFIRM = "confirm"
    REOPEN = "reopen"
    AGAIN = "again"


def call_end(
    outcome: str, solved: bool | None, process: str | None, result: str | None, attempt: int, attempts: int
) -> CallEnd:
    """What follows: satisfied → confirm; dissatisfied or not solved → handled again; not reached → another attempt, until the last.

    A caller who was never reached, or would not say, ends the follow-up without counting as satisfied. Raises CallUnclear.
    """
    if outcome != CallOutcome.REACHED:
        if (solved, process, result) != (None, None, None):
            raise CallUnclear()
        if outcome == CallOutcome.REFUSED:
            return CallEnd.CONFIRM
        return CallEnd.CONFIRM if attempt >= attempts else CallEnd.AGAIN
    if solved is None or process not in set(Satisfaction) or result not in set(Satisfaction):
        raise CallUnclear()
    return CallEnd.REOPEN if not solved or result == Satisfaction.DISSATISFIED else CallEnd.CONFIRM


class HandoverReason(StrEnum):
    """Why a case is handed over item by item (逐条移交). source: sources/jinan-2014: 不满意或反复投诉的案件."""

    DISSATISFIED = "dissatisfied"
    REPEATED = "repeated"


class MeetingKind(StrEnum):
    """source: sources/jining-2019 (face to face in communities; caller and unit at one table), jinan-2014 (恳谈会), jinan-2010 (bureau)."""

    COMMUNITY = "community"
    CALLER_AND_UNIT = "caller_and_unit"
    TALK = "talk"
    BUREAU = "bureau"


class EventStatus(StrEnum):
    """A meeting or a leader's day: to come, held, or called off."""

    PLANNED = "planned"
    HELD = "held"
    CALLED_OFF = "called_off"


class PromiseStatus(StrEnum):
    """What became of a public promise; overdue is a question of the date, not a status."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


class PromiseVerb(StrEnum):
    """One line of a promise's history."""

    MADE = "made"
    MOVED = "moved"
    REWORDED = "reworded"
    KEPT = "kept"
    BROKEN = "broken"
    OVERDUE = "overdue"


class VisitKind(StrEnum):
    """source: sources/qingdao-2011 (进社区), sources/pingdu-2009 (现场督查)."""

    COMMUNITY = "community"
    ON_SITE = "on_site"


@dataclass(frozen=True)
class RuleSeed:
    """A number of the house with where it comes from; a supervisor changes it."""

    code: str
    name: str
    value: int
    low: int
    high: int
    source: str


HOUSE = "本局自定（所列来源均未规定此数）"
RULES: dict[str, RuleSeed] = {
    seed.code: seed
    for seed in (
        RuleSeed("notice_days", "Working days to reply to a notice", 3, 1, 60, "sources/pingdu-2009: 比较复杂的事项要在3个工作日内办结（督办限期未另作规定）"),
        RuleSeed("call_back_days", "Working days after the answer until the call-back", 1, 0, 30, "某市局规定: 办结后次日回访 (fsou.com 17273310_2); 本局可另定"),
        RuleSeed("call_attempts", "Attempts to call back", 3, 1, 20, HOUSE),
        RuleSeed("call_again_hours", "Hours until the next attempt", 4, 0, 240, HOUSE),
        RuleSeed("call_within_days", "Days after the answer until a call-back is no longer made", 30, 1, 3650, HOUSE),
        RuleSeed("handover_days", "Working days for a case that is handed over", 5, 1, 60, "山东省政务服务热线管理办法(2020): 5个工作日办结"),
        RuleSeed("leader_weekday", "Weekday on which leaders answer (1 is Monday)", 3, 1, 7, "sources/jining-2019: 一般为每周三（逢节假日顺延）"),
        RuleSeed("leader_minutes", "Minutes that a leader answers", 90, 15, 600, "sources/jining-2019: 接听时间在1个半小时左右"),
        RuleSeed("leader_matter_days", "Working days for a leader's matter", 5, 1, 60, "山东省政务服务热线管理办法(2020): 5个工作日办结"),
    )
}  # fmt: skip

TEXT_LIMITS: dict[str, int] = {
    "title": 120, "text": 4000, "note": 1000, "place": 300, "person": 80, "post": 80, "source": 300, "participants": 1000,
    "minutes": 20000, "name": 120, "answer": 2000,
}  # fmt: skip
LONGEST_NOTICE = 50


def said(field: str, given: str | None, *, needed: bool = False) -> str:
    """Text as it may be kept: trimmed, printable, not longer than its limit. Raises WordsMissing, WordsTooLong."""
    kept = "".join(c for c in given or "" if c in "\n\t" or c.isprintable() or c == "\u3000").strip()
    if needed and not kept:
        raise WordsMissing(field=field)
    if len(kept) > TEXT_LIMITS[field]:
        raise WordsTooLong(field=field, limit=TEXT_LIMITS[field])
    return kept


class WordsMissing(BadInput):
    """Please fill in: %(field)s."""

    code = "words_missing"


class WordsTooLong(BadInput):
    """%(field)s is too long: at most %(limit)s characters."""

    code = "words_too_long"


class WrongNoticeStep(Conflict):
    """A notice that is %(status)s cannot %(verb)s; possible now: %(possible)s."""

    code = "wrong_notice_step"


class NoticeOpen(Conflict):
    """One of these complaints already has a supervision notice that is not closed."""

    code = "notice_open"


class FindingNotice(Conflict):
    """One of these findings already has a supervision notice that is not closed."""

    code = "finding_notice_open"


class NoticeNumberTaken(Conflict):
    """This notice number was given in the same moment; please try again."""

    code = "notice_number_taken"


class NothingToSupervise(BadInput):
    """Choose at least one complaint, at most %(limit)s."""

    code = "nothing_to_supervise"


class OtherUnit(Conflict):
    """A notice goes to one unit; these complaints belong to several or to none."""

    code = "other_unit"


class NoIssuer(Conflict):
    """No body is entered that could issue a notice: add a unit of kind bureau."""

    code = "no_issuer"


class CallUnclear(BadInput):
    """Say what the caller said: solved or not, and both satisfactions; of a caller who was not reached, none of them."""

    code = "call_unclear"


class NotAnswered(Conflict):
    """This complaint is %(status)s; only an answered one is called back."""

    code = "nothing_to_follow_up"


class HandedOver(Conflict):
    """One of these cases is already handed over and not ended."""

    code = "handed_over"


class ItemEnded(Conflict):
    """This item has ended."""

    code = "item_ended"


class DayTaken(Conflict):
    """On this day another leader already answers."""

    code = "day_taken"


class EventEnded(Conflict):
    """This was held or called off; its plan is not changed any more."""

    code = "event_ended"


class MatterSettled(Conflict):
    """This matter is already a complaint or a promise."""

    code = "matter_settled"


class PromiseEnded(Conflict):
    """It is already known what became of this promise."""

    code = "promise_ended"


class NothingChanged(BadInput):
    """Nothing would change."""

    code = "nothing_changed"


class BadNumber(BadInput):
    """%(field)s: a whole number from %(low)s to %(high)s."""

    code = "number_out_of_range"


class BadPeriod(BadInput):
    """The end lies before the beginning."""

    code = "end_before_beginning"
