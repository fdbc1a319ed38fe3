"""The words of the law: coded grounds, causes and reasons, what limits are counted in, and what can be in the way."""

from __future__ import annotations

from enum import StrEnum

from gis.errors import BadInput, Conflict


class ReturnGround(StrEnum):
    """Why a unit sends a complaint back: coded, so that an arbiter can judge and returns can be counted."""

    NOT_OUR_DUTY = "not_our_duty"
    NOT_OUR_AREA = "not_our_area"
    OTHER_OPERATOR = "other_operator"
    IN_LAW = "in_law"
    UNCLEAR = "unclear"


class PauseCause(StrEnum):
    """For what a clock may stand still: a listed cause, or it runs. What each is and how long, see `limits.PAUSES`."""

    CALLER_AWAY = "caller_away"
    PERMIT = "permit"
    TEST_BODY = "test_body"
    WEATHER = "weather"
    IN_LAW = "in_law"


class Ruling(StrEnum):
    """What was decided about something asked for."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


class Clock(StrEnum):
    """What a limit is counted in. source: domain facts, section 3: three clocks."""

    WORKING_DAYS = "working_days"
    WORKING_HOURS = "working_hours"
    MINUTES = "minutes"


class CountFrom(StrEnum):
    """Where counting begins: the day after receipt is the first day, or the day itself is, or the day after sending.

    Hours and minutes run from the moment of receipt or of the first sending.
    """

    NEXT_DAY = "next_day"
    SAME_DAY = "same_day"
    SENDING = "sending"


class CancelReason(StrEnum):
    """Why a complaint is struck off the register (挂号销账)."""

    WITHDRAWN = "withdrawn"
    NO_SUCH_PLACE = "no_such_place"
    NOT_A_COMPLAINT = "not_a_complaint"
    MISTAKE = "mistake"
    CANNOT_BE_DONE = "cannot_be_done"


class SuperviseReason(StrEnum):
    """Why a supervisor puts a complaint under key supervision (重点督办)."""

    OVERDUE = "overdue"
    DISSATISFIED = "dissatisfied"
    THREE_REPEATS = "three_repeats"
    LEADER = "leader"
    MEDIA = "media"
    SAFETY = "safety"
    BY_HAND = "by_hand"


class CallOutcome(StrEnum):
    """What became of one attempt to call back."""

    REACHED = "reached"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"


class Satisfaction(StrEnum):
    """What the caller says of how it was handled (process) or of what came out (result): two questions, two rates."""

    SATISFIED = "satisfied"
    BASICALLY = "basically"
    DISSATISFIED = "dissatisfied"


class Solved(StrEnum):
    """Is it solved, as the caller says?"""

    YES = "yes"
    NO = "no"


class LimitsOverlap(Conflict):
    """There is already a limit for this category, promise and measure at that time."""

    code = "limits_overlap"


class AlreadyAsked(Conflict):
    """This was already asked for and waits for a decision."""

    code = "already_asked"


class AlreadyPaused(Conflict):
    """The clock of this complaint already stands still."""

    code = "already_paused"


class HoursOverlap(BadInput):
    """Office hours must follow one another: each ends before the next begins."""

    code = "hours_overlap"


class ReturnTooLate(Conflict):
    """A return must be asked for within %(days)s working days of sending: it was possible until %(until)s."""

    code = "return_too_late"


class NoExtension(Conflict):
    """The rule that applies here allows no extension, or no further one (%(rule)s)."""

    code = "no_extension"


class ExtensionTooLong(Conflict):
    """The rule that applies here allows at most %(most)s working days."""

    code = "extension_too_long"


class NothingAsked(Conflict):
    """Nothing was asked for here that waits for a decision."""

    code = "nothing_asked"


class LimitPassed(Conflict):
    """The time limit has passed: the clock can no longer be stopped or given more time."""

    code = "limit_passed"


class PauseTooLong(BadInput):
    """For this cause the clock may stand still until %(until)s at most, and it must end in the future."""

    code = "pause_too_long"


class NotPaused(Conflict):
    """The clock of this complaint is running."""

    code = "not_paused"


class NoSuchMeasure(BadInput):
    """This complaint has no open limit called %(measure)s."""

    code = "no_such_measure"
