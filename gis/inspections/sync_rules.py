"""Rules of sync: what a change that was not applied waits for, when it may be sent again, what is kept apart and why."""

from __future__ import annotations

from enum import StrEnum

from gis.errors import BadInput, ChengmaiError, Conflict, Missing, NotAllowed, Unavailable
from gis.inspections.patrol_rules import StopTold
from gis.inspections.rules import ChangeDiffers, InspectionThere, NoRoom, PhotoMissing


class RetryHint(StrEnum):
    """When a phone may send a change again: as it is at once, after some seconds, only after its person changed it, never."""

    NEVER = "never"
    NOW = "now"
    AFTER = "after"
    CHANGED = "changed"


class QuarantineState(StrEnum):
    """What became of a change that a phone without rights delivered."""

    WAITING = "waiting"
    RELEASED = "released"
    DISCARDED = "discarded"


class QuarantineSource(StrEnum):
    """How a quarantined change came: from the revoked phone itself, or out of a file that a phone wrote."""

    DEVICE = "device"
    FILE = "file"


class HeldBack(Conflict):
    """This rests on something that has not arrived yet (%(waits_for)s); it is kept and applied when that comes."""

    code = "held"


class NeverCame(Conflict):
    """What this rested on has not arrived in %(days)s days (%(waits_for)s); it was not applied."""

    code = "never_came"


class FieldsDiffer(Conflict):
    """Somebody else changed the same: %(fields)s. Both are kept, and the desk chooses."""

    code = "fields_differ"


class QuarantineFull(Conflict):
    """This phone has delivered as much as is taken from a phone that was signed off; write the rest to a file."""

    code = "quarantine_full"


class NoQueueFile(BadInput):
    """This is not a file that a phone wrote: %(reason)s"""

    code = "no_queue_file"


# --- what a phone is told to do with a change that was not applied ---------------------------------------------------
HOLD_DAYS = 7  # so long a change waits for what it rests on
HELD_RETRY_S = 30
BUSY_RETRY_S = 15
FULL_RETRY_S = 300
QUARANTINE_MOST = 2000  # changes of one device


def hint(error: ChengmaiError) -> tuple[RetryHint, int | None]:
    """When may a change that ended so be sent again, and after how many seconds?"""
    if isinstance(error, HeldBack):
        return RetryHint.AFTER, HELD_RETRY_S
    if isinstance(error, NoRoom):
        return RetryHint.AFTER, FULL_RETRY_S
    if isinstance(error, LostRace | PhotoMissing):
        return RetryHint.NOW, None
    if isinstance(error, Unavailable):
        return RetryHint.AFTER, BUSY_RETRY_S
    if isinstance(error, ChangeDiffers | InspectionThere | FieldsDiffer | NeverCame | StopTold | NotAllowed | Missing):
        return RetryHint.NEVER, None
    return RetryHint.CHANGED, None


class LostRace(Unavailable):
    """Somebody else was writing the same at this moment."""

    code = "lost_race"
