"""The law of a complaint: statuses, steps, deadlines, channels, categories. Buttons, errors, checks and tests read it.

Issue-by-issue this table grows; a step is a row, never an `if`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gis.complaints.channels import Channel as Channel
from gis.complaints.law_words import (
    CallOutcome,
    CancelReason,
    PauseCause,
    ReturnGround,
    Satisfaction,
    Solved,
    SuperviseReason,
)
from gis.errors import BadInput, Conflict
from gis.people.rules import Role


class Status(StrEnum):
    """Where a complaint stands. A pause, an extension, urging and supervision are not statuses."""

    RECEIVED = "received"
    SENT = "sent"
    SIGNED = "signed"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    RETURNED = "returned"
    MERGED = "merged"
    CANCELLED = "cancelled"


class Complexity(StrEnum):
    """Which promise applies. source: sources/pingdu-2009: same day, or within three working days."""

    ORDINARY = "ordinary"
    COMPLEX = "complex"


class Located(StrEnum):
    """Do we know the place? `not_located` rows are told, never drawn as a hotspot."""

    LOCATED = "located"
    NOT_LOCATED = "not_located"


class Vulnerable(StrEnum):
    """Households that are to be helped first (孤老弱困). source: sources/jinan-2010: orphaned, elderly, weak, low-income."""

    ORPHANED = "orphaned"
    OLD = "old"
    WEAK = "weak"
    LOW_INCOME = "low_income"


@dataclass(frozen=True)
class Field:
    """One piece of evidence: the form asks for it, and the step refuses to be made without it where it is required.

    `kind`: text, measure (the name of a further limit), choice (one of `choices`), days (a whole number), moment (ISO 8601), flag, unit or complaint (an id).
    """

    name: str
    kind: str = "text"
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A move: from any of `before` to `after` (none: the status stays), by any of `roles`, with the evidence `fields`.

    `instead` is where it leads when the fact `when` holds: `signed` (the unit had signed), `answered` (told on the spot).
    `needs` and `unless` are facts beside the status without or with which its button is not shown.
    `never` are statuses from which it does not hold; `narrow` names those from which only some of the roles may make it.
    """

    verb: str
    before: frozenset[Status]
    after: Status | None
    roles: frozenset[Role]
    fields: tuple[Field, ...] = ()
    instead: Status | None = None
    when: str = ""
    narrow: tuple[tuple[Status, frozenset[Role]], ...] = ()
    never: frozenset[Status] = frozenset()
    needs: str = ""
    unless: str = ""

    def end(self, status: str, facts: Container[str]) -> Status:
        """Where it leads from this status, given the facts that hold."""
        if self.instead is not None and self.when in facts and Status(status) not in self.never:
            return self.instead
        return self.after or Status(status)

    def leads_to(self, status: str) -> frozenset[Status]:
        """Every status it may lead to from this one."""
        return frozenset({self.end(status, ()), self.end(status, (self.when,))})

    def roles_at(self, status: str) -> frozenset[Role]:
        """Who may make it from this status."""
        return dict(self.narrow).get(Status(status), self.roles)


def _set(*members: Any) -> frozenset[Any]:
    return frozenset(members)


_S, _R = Status, Role
# Closed is what was handled and answered (办结并答复): `resolved` alone is still open.
OPEN = frozenset(Status) - {_S.ANSWERED, _S.CONFIRMED, _S.MERGED, _S.CANCELLED}
ASSIGNABLE = _set(_S.RECEIVED, _S.SIGNED, _S.REOPENED)
WITH_CREW = _set(_S.ASSIGNED, _S.ACCEPTED, _S.ARRIVED)
_RUNNING = OPEN - {_S.RETURNED}  # a return waits for the arbiter and for nobody else
_DESK = _set(_R.DISPATCHER, _R.SUPERVISOR)
_UNIT, _CREW, _ARBITER = _set(_R.UNIT_HANDLER), _set(_R.CREW, _R.INSPECTOR), _set(_R.SUPERVISOR)
_CALLS = _set(_R.FOLLOW_UP_CALLER, _R.SUPERVISOR)
_NOTE = Field("note")
_WHY = Field("note", required=True)
STEPS: dict[str, Step] = {
    step.verb: step
    for step in (
        Step("send", _set(_S.RECEIVED, _S.REOPENED), _S.SENT, _DESK | {_R.CALL_TAKER}, (Field("unit_id", "unit"), _NOTE)),
        Step("sign", _set(_S.SENT), _S.SIGNED, _UNIT | {_R.DISPATCHER}),
        Step("assign", ASSIGNABLE, _S.ASSIGNED, _DESK, (Field("crew_id", "crew"),)),
        Step("recall", _set(_S.SENT, _S.ASSIGNED, _S.ACCEPTED), _S.RECEIVED, _DESK,
             instead=_S.SIGNED, when="signed", never=_set(_S.SENT)),
        Step("accept", _set(_S.ASSIGNED), _S.ACCEPTED, _CREW),
        Step("hand_back", _set(_S.ASSIGNED, _S.ACCEPTED), _S.RECEIVED, _CREW, instead=_S.SIGNED, when="signed"),
        Step("arrive", _set(_S.ACCEPTED), _S.ARRIVED, _CREW),
        Step("resolve", _set(_S.ARRIVED, _S.SIGNED, _S.REOPENED), _S.RESOLVED, _CREW | _UNIT,
             (_NOTE, Field("answered", "flag"), Field("answer")), instead=_S.ANSWERED, when="answered",
             narrow=((_S.ARRIVED, _CREW), (_S.SIGNED, _UNIT), (_S.REOPENED, _UNIT))),
        Step("answer", _set(_S.RECEIVED, _S.SIGNED, _S.RESOLVED, _S.REOPENED), _S.ANSWERED,
             _DESK | _UNIT | {_R.CALL_TAKER, _R.FOLLOW_UP_CALLER}, (Field("answer", required=True),)),
        Step("follow_up", _set(_S.RESOLVED, _S.ANSWERED, _S.MERGED), None, _CALLS,
             (Field("outcome", "choice", True, tuple(CallOutcome)), Field("solved", "choice", False, tuple(Solved)),
              Field("process", "choice", False, tuple(Satisfaction)), Field("result", "choice", False, tuple(Satisfaction)),
              _NOTE)),
        Step("confirm", _set(_S.RESOLVED, _S.ANSWERED), _S.CONFIRMED, _CALLS, (_NOTE,)),
        Step("reopen", _set(_S.RESOLVED, _S.ANSWERED, _S.CONFIRMED), _S.REOPENED, _CALLS, (_WHY,)),
        Step("return", _set(_S.SENT, _S.SIGNED), _S.RETURNED, _UNIT,
             (Field("ground", "choice", True, tuple(ReturnGround)), Field("evidence", required=True))),
        Step("uphold_return", _set(_S.RETURNED), _S.RECEIVED, _ARBITER, (Field("unit_id", "unit"), _NOTE),
             instead=_S.SENT, when="unit"),
        Step("refuse_return", _set(_S.RETURNED), _S.SENT, _ARBITER, (_WHY,), instead=_S.SIGNED, when="signed"),
        Step("request_extension", _RUNNING, None, _UNIT | {_R.DISPATCHER}, (Field("days", "days", True), _WHY),
             unless="extension"),
        Step("grant_extension", _RUNNING, None, _ARBITER, (Field("days", "days"), _NOTE), needs="extension"),
        Step("refuse_extension", _RUNNING, None, _ARBITER, (_WHY,), needs="extension"),
        Step("pause", _RUNNING, None, _DESK,
             (Field("cause", "choice", True, tuple(PauseCause)), Field("until", "moment", True), _WHY), unless="paused"),
        Step("resume", OPEN, None, _DESK | _UNIT, (_NOTE,), needs="paused"),
        Step("urge", OPEN, None, _DESK | {_R.CALL_TAKER, _R.FOLLOW_UP_CALLER}, (_NOTE,)),
        Step("supervise", OPEN | {_S.ANSWERED, _S.CONFIRMED}, None, _ARBITER,
             (Field("reason", "choice", True, tuple(SuperviseReason)), _NOTE)),
        Step("meet", OPEN, None, _DESK | _UNIT, (Field("measure", "measure", True), _NOTE), needs="measure"),
        Step("merge", _set(_S.RECEIVED, _S.SENT, _S.SIGNED, _S.REOPENED), _S.MERGED, _DESK | {_R.CALL_TAKER},
             (Field("into", "complaint", True), _NOTE)),
        Step("split", _set(_S.MERGED), _S.RECEIVED, _DESK | {_R.CALL_TAKER}, (_NOTE,)),
        Step("cancel", OPEN, _S.CANCELLED, _ARBITER,
             (Field("reason", "choice", True, tuple(CancelReason)), _WHY)),
    )
}  # fmt: skip
# The moment that a step fills.
MOMENTS = {"send": "sent_at", "sign": "signed_at", "resolve": "resolved_at", "answer": "answered_at",
           "confirm": "confirmed_at"}  # fmt: skip


def after(status: str, verb: str, facts: Container[str] = ()) -> Status:
    """The status that `verb` leads to given the facts that hold, or `WrongStep` naming what is possible from here."""
    step = STEPS[verb]
    if Status(status) not in step.before:
        raise WrongStep(verb=verb, status=status, possible=possible(status))
    return step.end(status, facts)


def close_time(status: str, now: datetime, closed_at: datetime | None) -> datetime | None:
    """When a complaint that just became `status` was closed: the clock stops on leaving the open ones, and runs on a return."""
    return None if Status(status) in OPEN else closed_at or now


def may_step(role: str, verb: str, status: str | None = None) -> bool:
    """May this role make this step, from this status or at all?"""
    if verb not in STEPS:
        return False
    return Role(role) in (STEPS[verb].roles if status is None else STEPS[verb].roles_at(status))


def possible(status: str, role: str | None = None) -> list[str]:
    """The verbs that are possible from a status, for one role or for anybody."""
    found = [verb for verb, step in STEPS.items() if Status(status) in step.before]
    return [verb for verb in found if role is None or may_step(role, verb, status)]


def evidence(verb: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was given with a step, read by the step's fields: cleaned, and complete. What is no field passes unread.

    Raises TextMissing for what is required and not there, BadEvidence for what is not of its kind.
    """
    read = {key: value for key, value in (given or {}).items() if value is not None}
    for field in STEPS[verb].fields:
        value = read.pop(field.name, None)
        if isinstance(value, str):
            value = clean(field.name, value) or None
        if value is None:
            if field.required:
                raise TextMissing(field=field.name)
            continue
        read[field.name] = _read(field, value)
    return read


def _read(field: Field, value: Any) -> Any:
    """One value as its kind: what JSON and what a form send for it."""
    match field.kind:
        case "text" | "measure" if isinstance(value, str):
            return value
        case "choice" if value in field.choices:
            return str(value)
        case "flag" if value in (True, False, "on", "true", "false"):
            return value in (True, "on", "true")
        case "moment" if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        case "moment" if isinstance(value, str):
            with suppress(ValueError):
                at = datetime.fromisoformat(value)
                if at.tzinfo is not None:
                    return at
        case "days" | "unit" | "complaint" | "crew" if str(value).isascii() and str(value).isdigit():
            if 0 < int(value) < (400 if field.kind == "days" else 1 << 53):
                return int(value)
    raise BadEvidence(field=field.name)


class TimeState(StrEnum):
    """How much of its time a complaint has used; the colour bar says the same everywhere."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    DONE = "done"
    PAUSED = "paused"


def time_state(
    received_at: datetime, by: datetime, now: datetime, closed_at: datetime | None = None,
    paused_at: datetime | None = None,
) -> TimeState:  # fmt: skip
    """Green under half of the time, yellow under three quarters, orange to the limit, red beyond; paused while it stands."""
    if closed_at is not None:
        return TimeState.DONE if closed_at <= by else TimeState.RED
    if paused_at is not None:
        return TimeState.PAUSED
    if now > by:
        return TimeState.RED
    total = max(by - received_at, timedelta(seconds=1))
    used = (now - received_at) / total
    return TimeState.GREEN if used < 0.5 else TimeState.YELLOW if used < 0.75 else TimeState.ORANGE


PURPOSES: dict[str, str] = {
    "call_back": "回访来电人", "visit": "上门联系", "verify": "核实情况", "supervision": "督办核查",
}  # fmt: skip


class WrongStep(Conflict):
    """A complaint that is %(status)s cannot %(verb)s; possible now: %(possible)s."""

    code = "wrong_step"


class BadEvidence(BadInput):
    """This cannot be read: %(field)s."""

    code = "bad_evidence"


class UnknownCategory(BadInput):
    """There is no category %(category)s."""

    code = "unknown_category"


class UnknownChannel(BadInput):
    """There is no channel %(channel)s."""

    code = "unknown_channel"


class UnknownComplexity(BadInput):
    """There is no promise %(complexity)s."""

    code = "unknown_complexity"


class PurposeNeeded(BadInput):
    """State the purpose before a caller's number is shown."""

    code = "purpose_needed"


class BadPhone(BadInput):
    """This is not a telephone number."""

    code = "bad_phone"


class NumberTaken(Conflict):
    """This hotline number is already used by another complaint."""

    code = "number_taken"


class SourceNumberTaken(Conflict):
    """This number of this channel was already accepted."""

    code = "source_number_taken"


class LineTaken(Conflict):
    """There is already a line of this name."""

    code = "line_taken"


class TextMissing(BadInput):
    """This must be filled in: %(field)s."""

    code = "text_missing"


class PlaceMissing(BadInput):
    """Say the place, or mark it on the map."""

    code = "place_missing"


class UnknownVulnerable(BadInput):
    """There is no mark %(mark)s for a household; there are: %(possible)s."""

    code = "unknown_vulnerable"


class TextTooLong(BadInput):
    """%(field)s: at most %(limit)s characters."""

    code = "text_too_long"


# The longest text of each field, as the columns of the schema hold it (a description is unlimited there; here it is not).
LIMITS: dict[str, int] = {
    "description": 4000, "place": 300, "hotline_no": 60, "source_no": 60, "caller_name": 80, "caller_phone": 40, "door_no": 120,
    "purpose": 200, "note": 1000, "answer": 2000, "evidence": 2000,
}  # fmt: skip
LIMIT = 200


def clean(field: str, text: str | None, *, needed: bool = False) -> str:
    """Text as it may be kept: trimmed, without control characters, not longer than its limit."""
    kept = "".join(c for c in text or "" if c in "\n\t" or c.isprintable() or c == "\u3000").strip()
    if needed and not kept:
        raise TextMissing(field=field)
    if len(kept) > LIMITS.get(field, LIMIT):
        raise TextTooLong(field=field, limit=LIMITS.get(field, LIMIT))
    return kept
