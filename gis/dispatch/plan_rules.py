"""What the day's plan goes by: its states, its numbers as a table with sources, and what may be in the way of accepting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from enum import StrEnum
from typing import Any

from gis.dispatch.plan import Prices
from gis.errors import BadInput, Conflict


class PlanState(StrEnum):
    """Where a proposal stands."""

    WAITING = "waiting"
    SOLVING = "solving"
    READY = "ready"
    FAILED = "failed"
    DISCARDED = "discarded"


class PartState(StrEnum):
    """Where one crew's part of a proposal stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"


class StopKind(StrEnum):
    """What a proposal does with an order."""

    LOCKED = "locked"
    KEPT = "kept"
    RETIMED = "retimed"
    MOVED = "moved"
    NEW = "new"
    UNSERVED = "unserved"


class PlanMode(StrEnum):
    """How much of today may change: everything that is not locked, or only what must."""

    WHOLE = "whole"
    LEAST = "least"


SECONDS = 20  # how long a search takes, unless somebody says otherwise
SECONDS_MOST = 120
DAYS_AHEAD = 7  # no plan is made for later

# A break for everybody on duty at noon. source: house assumption, after the bureau's hours (12:00-13:30) in the calendar.
LUNCH_FROM, LUNCH_UNTIL, LUNCH_MIN = time(11, 30), time(13, 0), 45
OVERTIME_MOST_MIN = 60  # so long after its shift a crew may still work. source: house assumption
# What things cost in seconds of driving: an hour of overtime two hours, being late an hour at once and half a second for each
# second up to two hours more. source: house assumption, for the bureau to tune.
PRICES = Prices(overtime=2.0, late=0.5, late_most=7200, late_once=3600)
# What it is worth to serve an order today, in seconds of driving. source: house assumption, for the bureau to tune.
WORTH = {
    "order": 40_000,
    "given": 10_000,
    "key_supervision": 40_000,
    "due_today": 20_000,
    "overdue": 30_000,
    "reopened": 10_000,
}
SAME_TIME_S = 600  # a crew whose orders stay in their order, and all change by less than this, keeps its times
PAST_MIN = 15  # a part whose first new order should have begun longer ago is out of date
UNDO_MIN = 10  # so long an accepted part can be taken back

# Why an order is in no crew's day; the doors have a sentence for each.
UNSERVED = (
    "place_unknown",
    "no_skill",
    "site_stopped",
    "none_on_shift",
    "closes_too_soon",
    "no_time_left",
    "crews_full",
)


# What can have happened to a part since; `PlanStale` brings codes with names, and the doors have a sentence for each.
CHANGES: dict[str, str] = {
    "complaint_changed": "complaint %(no)s was changed",
    "order_changed": "order %(no)s was changed",
    "order_added": "%(crew)s was given order %(no)s",
    "crew_changed": "%(crew)s was changed",
    "time_passed": "the time of %(no)s has passed",
    "order_taken_up": "order %(no)s was taken up",
    "time_taken": "the time of %(no)s is taken",
}


class PlanNotReady(Conflict):
    """This proposal is %(status)s; only a finished one can be accepted."""

    code = "plan_not_ready"


class PlanStale(Conflict):
    """Something has changed since this proposal was made: %(what)s. Make a new one, or accept other crews."""

    code = "plan_stale"

    def __init__(self, changes: Sequence[tuple[str, Mapping[str, Any]]] = (), what: str = "") -> None:
        self.changes = tuple(changes)
        super().__init__(what=what or "; ".join(CHANGES[code] % params for code, params in changes) or "?")


class PartTaken(Conflict):
    """The part of %(crew)s was already accepted."""

    code = "part_taken"


class PartTogether(Conflict):
    """%(crew)s hands orders over to %(others)s; accept them together."""

    code = "part_together"


class PlanUndoTooLate(Conflict):
    """An accepted plan can be taken back within %(minutes)s minutes, and before anything else happens to its orders."""

    code = "plan_undo_too_late"


class PlanNothing(Conflict):
    """There is nothing to plan: no crew is on duty on %(day)s."""

    code = "plan_nothing"


class BadPlanDay(BadInput):
    """A plan is made for today or the next %(days)s days."""

    code = "bad_plan_day"


class BadPlanSeconds(BadInput):
    """A search takes between 1 and %(most)s seconds."""

    code = "bad_plan_seconds"


class BadAppointment(BadInput):
    """An appointment ends after it begins, and has not passed yet."""

    code = "bad_appointment"
