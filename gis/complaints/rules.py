"""The law of a complaint: statuses, steps, deadlines, channels, categories. Buttons, errors, checks and tests read it.

Issue-by-issue this table grows; a step is a row, never an `if`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from gis.errors import BadInput, Conflict
from gis.people.rules import Role
from gis.workdays import WorkingDays


class Status(StrEnum):
    """Where a complaint stands."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    """How a complaint reached the bureau. source: sources/pingdu-2009, jining-2019, qingdao-2011."""

    HOTLINE_12345 = "12345"
    HOTLINE_12319 = "12319"
    HOTLINE_HEAT = "heat_hotline"
    HOTLINE_WATER = "water_hotline"
    HOTLINE_GAS = "gas_hotline"
    MAILBOX = "mailbox"
    WEB = "web"
    APP = "app"
    VISIT = "visit"
    MEDIA = "media"
    PATROL = "patrol"
    IMPORTED = "imported"


class Complexity(StrEnum):
    """Which promise applies. source: sources/pingdu-2009: same day, or within three working days."""

    ORDINARY = "ordinary"
    COMPLEX = "complex"


class Located(StrEnum):
    """Do we know the place? `not_located` rows are told, never drawn as a hotspot."""

    LOCATED = "located"
    NOT_LOCATED = "not_located"


OPEN = frozenset({Status.RECEIVED, Status.ASSIGNED, Status.ACCEPTED, Status.ARRIVED, Status.REOPENED})
ASSIGNABLE = frozenset({Status.RECEIVED, Status.REOPENED})


@dataclass(frozen=True)
class Step:
    """A move: from any of `before` to `after`, by any of `roles`."""

    verb: str
    before: frozenset[Status]
    after: Status
    roles: frozenset[Role]


_S, _R = Status, Role
STEPS: dict[str, Step] = {
    step.verb: step
    for step in (
        Step("assign", ASSIGNABLE, _S.ASSIGNED, frozenset({_R.DISPATCHER, _R.SUPERVISOR})),
        Step("recall", frozenset({_S.ASSIGNED, _S.ACCEPTED}), _S.RECEIVED, frozenset({_R.DISPATCHER, _R.SUPERVISOR})),
        Step("accept", frozenset({_S.ASSIGNED}), _S.ACCEPTED, frozenset({_R.CREW, _R.INSPECTOR})),
        Step("return", frozenset({_S.ASSIGNED, _S.ACCEPTED}), _S.RECEIVED, frozenset({_R.CREW, _R.INSPECTOR})),
        Step("arrive", frozenset({_S.ACCEPTED}), _S.ARRIVED, frozenset({_R.CREW, _R.INSPECTOR})),
        Step("resolve", frozenset({_S.ARRIVED}), _S.RESOLVED, frozenset({_R.CREW, _R.INSPECTOR})),
        Step("confirm", frozenset({_S.RESOLVED}), _S.CONFIRMED, frozenset({_R.FOLLOW_UP_CALLER, _R.SUPERVISOR})),
        Step("reopen", frozenset({_S.RESOLVED, _S.CONFIRMED}), _S.REOPENED,
             frozenset({_R.FOLLOW_UP_CALLER, _R.SUPERVISOR})),
        Step("cancel", OPEN, _S.CANCELLED, frozenset({_R.SUPERVISOR})),
    )
}  # fmt: skip


def after(status: str, verb: str) -> Status:
    """The status that `verb` leads to, or `WrongStep` naming what is possible from here."""
    step = STEPS[verb]
    if Status(status) not in step.before:
        raise WrongStep(verb=verb, status=status, possible=possible(status))
    return step.after


def close_time(status: str, now: datetime, closed_at: datetime | None) -> datetime | None:
    """When a complaint that just became `status` was closed: the clock stops on leaving the open ones, and runs on a return."""
    return None if Status(status) in OPEN else closed_at or now


def may_step(role: str, verb: str) -> bool:
    """May this role make this step at all?"""
    return verb in STEPS and Role(role) in STEPS[verb].roles


def possible(status: str, role: str | None = None) -> list[str]:
    """The verbs that are possible from a status, for one role or for anybody."""
    return [v for v, s in STEPS.items() if Status(status) in s.before and (role is None or Role(role) in s.roles)]


# --- deadlines -----------------------------------------------------------------------------------------------------
SAME_DAY_SOURCE = "sources/pingdu-2009: 一般性问题当天办结, 当天答复"
COMPLEX_WORKING_DAYS = 3
COMPLEX_SOURCE = "sources/pingdu-2009: 比较复杂的事项要在3个工作日内办结并答复"


@dataclass(frozen=True)
class Deadline:
    """`resolve_by` is the last moment in time; `source` says which rule; `warning` names a year without a calendar."""

    resolve_by: datetime
    source: str
    missing_years: tuple[int, ...] = ()


def resolve_by(received_at: datetime, complexity: str, calendar: WorkingDays, zone: tzinfo) -> Deadline:
    """When a complaint must be closed and answered: the end of the same day, or of the third working day after it.

    Days are the city's days (`zone`); the moment given is their last second (23:59:59 local).
    """
    day0 = received_at.astimezone(zone).date()
    if complexity == Complexity.ORDINARY:
        return Deadline(_end_of(day0, zone), SAME_DAY_SOURCE)
    last, missing = calendar.add(day0, COMPLEX_WORKING_DAYS)
    return Deadline(_end_of(last, zone), COMPLEX_SOURCE, missing)


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone)


class TimeState(StrEnum):
    """How much of its time a complaint has used; the colour bar says the same everywhere."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    DONE = "done"


def time_state(received_at: datetime, by: datetime, now: datetime, closed_at: datetime | None = None) -> TimeState:
    """Green under half of the time, yellow under three quarters, orange to the limit, red beyond."""
    if closed_at is not None:
        return TimeState.DONE if closed_at <= by else TimeState.RED
    if now > by:
        return TimeState.RED
    total = max(by - received_at, timedelta(seconds=1))
    used = (now - received_at) / total
    return TimeState.GREEN if used < 0.5 else TimeState.YELLOW if used < 0.75 else TimeState.ORANGE


# --- categories that ship with the house; a bureau edits and extends them in the table ------------------------------
@dataclass(frozen=True)
class CategorySeed:
    """One row of the category dictionary. `skill` is what a crew must have; `work_min` how long the work usually takes."""

    code: str
    name: str
    name_en: str
    utility: str
    skill: str
    complexity: Complexity
    work_min: int


_O, _C = Complexity.ORDINARY, Complexity.COMPLEX
CATEGORIES: tuple[CategorySeed, ...] = (
    CategorySeed("heat.cold", "室温不达标", "Room too cold", "heat", "heating", _O, 60),
    CategorySeed("heat.none", "不热", "No heat", "heat", "heating", _O, 60),
    CategorySeed("heat.leak", "暖气漏水", "Heating leak", "heat", "pipe_repair", _O, 90),
    CategorySeed("heat.outage", "停热", "Heating outage", "heat", "pipe_repair", _O, 120),
    CategorySeed("heat.pressure", "供回水压差小", "Low pressure difference", "heat", "heating", _C, 60),
    CategorySeed("heat.noise", "供热噪声", "Heating noise", "heat", "heating", _C, 60),
    CategorySeed("heat.fee", "供热收费", "Heating fees", "heat", "service", _C, 30),
    CategorySeed("heat.start", "开栓调试", "Valve opening and commissioning", "heat", "heating", _O, 45),
    CategorySeed("heat.test", "测温退费", "Temperature test and refund", "heat", "temperature_test", _C, 45),
    CategorySeed("water.burst", "自来水爆管", "Burst water main", "water", "pipe_repair", _O, 120),
    CategorySeed("water.none", "停水", "No water", "water", "pipe_repair", _O, 90),
    CategorySeed("water.quality", "水质问题", "Water quality", "water", "water", _C, 60),
    CategorySeed("gas.leak", "燃气泄漏", "Gas leak", "gas", "gas", _O, 60),
    CategorySeed("gas.meter", "燃气表", "Gas meter", "gas", "gas", _C, 45),
    CategorySeed("works.restore", "施工恢复", "Making good after works", "road", "construction", _C, 240),
    CategorySeed("works.conduct", "文明施工", "Conduct of works", "road", "inspection", _C, 60),
    CategorySeed("drain.blocked", "排水堵塞", "Blocked drain", "drainage", "drainage", _O, 90),
    CategorySeed("road.damage", "道路破损", "Damaged road", "road", "construction", _C, 180),
    CategorySeed("road.snow", "积雪清除", "Snow to clear", "road", "sanitation", _O, 60),
    CategorySeed("light.out", "路灯不亮", "Street light out", "light", "electric", _C, 60),
    CategorySeed("sanitation.waste", "垃圾清运", "Waste to collect", "sanitation", "sanitation", _C, 45),
    CategorySeed("telecom.signal", "信号弱覆盖", "Weak mobile signal", "telecom", "telecom", _C, 60),
    CategorySeed("safety.blindspot", "监控盲区", "No camera here", "other", "inspection", _C, 60),
    CategorySeed("service.manner", "服务态度", "Manner of service", "other", "service", _C, 30),
    CategorySeed("other", "其他", "Other", "other", "service", _C, 60),
)  # fmt: skip

PURPOSES: dict[str, str] = {
    "call_back": "回访来电人", "visit": "上门联系", "verify": "核实情况", "supervision": "督办核查",
}  # fmt: skip


class WrongStep(Conflict):
    """A complaint that is %(status)s cannot %(verb)s; possible now: %(possible)s."""

    code = "wrong_step"


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


class TextMissing(BadInput):
    """This must be filled in: %(field)s."""

    code = "text_missing"


class PlaceMissing(BadInput):
    """Say the place, or mark it on the map."""

    code = "place_missing"


class TextTooLong(BadInput):
    """%(field)s: at most %(limit)s characters."""

    code = "text_too_long"


# The longest text of each field, as the columns of the schema hold it (a description is unlimited there; here it is not).
LIMITS: dict[str, int] = {
    "description": 4000, "place": 300, "hotline_no": 60, "caller_name": 80, "caller_phone": 40, "door_no": 120,
    "purpose": 200, "note": 1000,
}  # fmt: skip


def clean(field: str, text: str | None, *, needed: bool = False) -> str:
    """Text as it may be kept: trimmed, without control characters, not longer than its limit."""
    kept = "".join(c for c in text or "" if c in "\n\t" or c.isprintable() or c == "\u3000").strip()
    if needed and not kept:
        raise TextMissing(field=field)
    if len(kept) > LIMITS[field]:
        raise TextTooLong(field=field, limit=LIMITS[field])
    return kept
