"""Words and rules of patrols: where a stop stands, when it is missed, and how a reading stands in its bands. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gis.errors import BadInput, Conflict

STOPS_MOST = 40
READINGS_MOST = 60
NOTE_MOST = 1000
DAYS_AHEAD = 2


class PatrolStatus(StrEnum):
    """Where a patrol stands."""

    PLANNED = "planned"
    ENDED = "ended"
    CALLED_OFF = "called_off"


class StopOutcome(StrEnum):
    """What a patroller told of a stop."""

    VISITED = "visited"
    SKIPPED = "skipped"


class StopState(StrEnum):
    """Where a stop stands for whoever looks: told, still to come, or missed."""

    VISITED = "visited"
    SKIPPED = "skipped"
    WAITING = "waiting"
    MISSED = "missed"


def stop_state(outcome: str | None, status: str, on_day: date, today: date) -> StopState:
    """A stop of which nothing was told is missed once its patrol has ended or its day is over."""
    if outcome is not None:
        return StopState(outcome)
    return StopState.MISSED if status == PatrolStatus.ENDED or on_day < today else StopState.WAITING


@dataclass(frozen=True)
class Band:
    """Between what a reading should be, and by which rule; `beside` is the outdoor temperature a curve was read at, in °C."""

    kind: str
    low: float | None
    high: float | None
    source: str
    beside: float | None = None


def way_out(value: float, bands: Iterable[Band]) -> str:
    """`low` or `high` where a value is outside of any of its bands, else nothing. The limits themselves are inside."""
    for band in bands:
        if band.low is not None and value < band.low:
            return "low"
        if band.high is not None and value > band.high:
            return "high"
    return ""


class BadPatrol(BadInput):
    """A patrol needs a name, a day that is not over, somebody who walks it, and 1 to %(most)s stops: %(reason)s."""

    code = "bad_patrol"


class StopTold(Conflict):
    """This stop was told of already; what was told first holds."""

    code = "stop_told"


class PatrolOver(Conflict):
    """This patrol has ended or was called off."""

    code = "patrol_over"


class StopTwice(Conflict):
    """A station or measuring point stands only once in a patrol."""

    code = "stop_twice"


class SkipReasonMissing(BadInput):
    """Say why this stop was not visited."""

    code = "skip_reason_missing"


class BadPatrolReading(BadInput):
    """This reading cannot be kept: %(reason)s."""

    code = "bad_patrol_reading"
