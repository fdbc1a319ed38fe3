"""What is allowed with shutdowns (停供): their status, their steps, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gis.errors import BadInput, Conflict


class OutageKind(StrEnum):
    """Told before, or because something broke."""

    PLANNED = "planned"
    EMERGENCY = "emergency"


class OutageStatus(StrEnum):
    """Where a shutdown stands."""

    ANNOUNCED = "announced"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


class ValveAction(StrEnum):
    """What a shutdown does to a valve."""

    CLOSE = "close"
    OPEN = "open"


class TraceKind(StrEnum):
    """What is asked of the network from one place."""

    ISOLATION = "isolation"
    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    CONNECTED = "connected"


class Crossing(StrEnum):
    """A hydraulic trace stops at the heat exchanger; a functional one crosses it, and the dependencies of utilities."""

    HYDRAULIC = "hydraulic"
    FUNCTIONAL = "functional"


@dataclass(frozen=True)
class OutageStep:
    """From which statuses a step leads where."""

    before: frozenset[OutageStatus]
    after: OutageStatus | None  # None: it stays


_S = OutageStatus
OUTAGE_STEPS: dict[str, OutageStep] = {
    "begin": OutageStep(frozenset({_S.ANNOUNCED}), _S.RUNNING),
    "postpone": OutageStep(frozenset({_S.ANNOUNCED, _S.RUNNING}), None),
    "end": OutageStep(frozenset({_S.RUNNING}), _S.ENDED),
    "cancel": OutageStep(frozenset({_S.ANNOUNCED}), _S.CANCELLED),
}
OPEN_OUTAGES = frozenset({_S.ANNOUNCED, _S.RUNNING})
# An address that lies no farther than this from a supply point that is shut off is told to the call-taker as perhaps meant.
NEAR_M = 60.0
WARN_BEFORE_H = 48  # a call about a shutdown that begins within this time is warned of too
REASON_MOST = 300


class OutageStepRefused(Conflict):
    """This shutdown is %(outage)s: this step cannot be taken now."""

    code = "outage_step_refused"


class ValvesStillClosed(Conflict):
    """%(n)s valves of this shutdown do not stand as before yet; put them back first."""

    code = "valves_still_closed"


class ValveWantedOtherwise(Conflict):
    """Another open shutdown needs one of these valves the other way round."""

    code = "valve_wanted_otherwise"


class ValveHeld(Conflict):
    """Valve %(valve)s must stay closed: shutdown %(no)s needs it."""

    code = "valve_held"


class OutageSaved(Conflict):
    """This shutdown was saved already."""

    code = "outage_saved"


class NoSuchPlace(BadInput):
    """There is no such pipe, valve or station in the built network; build the topology anew if it was drawn lately."""

    code = "no_such_place"


class TimesBackward(BadInput):
    """A shutdown has to end after it begins."""

    code = "times_backward"


def outage_steps(status: str) -> list[str]:
    """The steps that can be taken from here."""
    return [verb for verb, step in OUTAGE_STEPS.items() if OutageStatus(status) in step.before]
