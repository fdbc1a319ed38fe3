"""Words and weights of dispatch: kinds of crew, work order statuses, coded reasons, and what makes a crew suitable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from gis.errors import BadInput, Conflict
from gis.places.rules import TravelMode


class CrewKind(StrEnum):
    """Who is sent."""

    CONSTRUCTION = "construction"
    MAINTENANCE = "maintenance"
    VOLUNTEER = "volunteer"


class OrderStatus(StrEnum):
    """Where a work order stands. The first three book the crew's time."""

    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    RETURNED = "returned"
    RECALLED = "recalled"


BOOKING = (OrderStatus.ASSIGNED, OrderStatus.ACCEPTED, OrderStatus.ARRIVED)

# Verb -> (statuses it is possible from, status it leads to).
ORDER_STEPS: dict[str, tuple[frozenset[OrderStatus], OrderStatus]] = {
    "accept": (frozenset({OrderStatus.ASSIGNED}), OrderStatus.ACCEPTED),
    "return": (frozenset({OrderStatus.ASSIGNED, OrderStatus.ACCEPTED}), OrderStatus.RETURNED),
    "arrive": (frozenset({OrderStatus.ACCEPTED}), OrderStatus.ARRIVED),
    "resolve": (frozenset({OrderStatus.ARRIVED}), OrderStatus.RESOLVED),
    "recall": (frozenset({OrderStatus.ASSIGNED, OrderStatus.ACCEPTED}), OrderStatus.RECALLED),
    "restore": (frozenset({OrderStatus.RECALLED}), OrderStatus.ASSIGNED),
}

# What an order's step is called on its complaint, where the words differ: a unit returns (退单), a crew hands back.
COMPLAINT_VERBS = {"return": "hand_back", "restore": "assign"}

# An order can be given another time or another crew until the crew is there; one that is locked stays where it is.
MOVABLE = frozenset({OrderStatus.ASSIGNED, OrderStatus.ACCEPTED})


class ReturnReason(StrEnum):
    """Why a crew gives an order back: coded, so that returns can be counted."""

    NOT_OURS = "not_ours"
    WRONG_PLACE = "wrong_place"
    NO_SKILL = "no_skill"
    NO_MATERIAL = "no_material"
    NO_ACCESS = "no_access"
    UNSAFE = "unsafe"
    OTHER = "other"


class RecallReason(StrEnum):
    """Why the desk took an order back: the crew is told, and what was never accepted is not offered to it again."""

    UNDONE = "undone"
    BY_DESK = "by_desk"
    REASSIGNED = "reassigned"
    NOT_ACCEPTED = "not_accepted"
    CANCELLED = "cancelled"


# What another crew could do all the same: after these returns the next best crew may be sent without asking anybody, where
# the bureau has turned that on. source: house assumption.
OFFERED_AGAIN = frozenset({ReturnReason.NOT_OURS, ReturnReason.NO_SKILL, ReturnReason.NO_MATERIAL})


# --- what makes a crew suitable -------------------------------------------------------------------------------------
# Every weight is counted in minutes of driving: "an order in hand weighs as much as eight minutes on the road". None may
# be negative: the search for the best crews stops by that. source: house assumption, for the bureau to tune.
WEIGHTS: dict[str, float] = {
    "travel_min": 1.0,
    "wait_min": 1.0,
    "open_order": 8.0,
    "other_unit": 12.0,
    "other_area": 5.0,
    "old_position": 6.0,
    "late": 20.0,
    "other_team": 15.0,  # a volunteer team of another community
    "paid_crew": 30.0,  # a crew of a company, for what volunteers may do; sources/jinan-2010: 千名志愿者 serve 孤老弱困
    "violation": 1000.0,
}

# How a crew gets there, by its kind. source: house assumption: volunteers come from around the corner.
MODES: dict[CrewKind, TravelMode] = {
    CrewKind.CONSTRUCTION: TravelMode.DRIVE,
    CrewKind.MAINTENANCE: TravelMode.DRIVE,
    CrewKind.VOLUNTEER: TravelMode.WALK,
}

# What is against a crew, in words. All but FINAL can be overridden with a reason, which is kept with the order.
VIOLATIONS: dict[str, str] = {
    "inactive": "not in service",
    "wrong_skill": "lacks the skill",
    "certificate_expired": "certificate expired",
    "certificate_not_yet": "certificate not valid yet",
    "not_for_volunteers": "not for volunteers",
    "off_shift": "off shift",
    "shift_ends": "shift ends too early",
    "busy_until": "busy",
    "off_network": "not reachable by road",
    "too_far": "too far away",
    "blacklisted": "blacklisted",
    "site_stopped": "works at the site are stopped",
    "gave_back": "gave this complaint back",
    "not_accepted": "did not accept it in time",
}
# No reason helps against these: such a crew is not sent. source: sources/qingdao-2011 (黑名单、清退；责令停工).
FINAL = frozenset({"blacklisted", "site_stopped"})
STOP_REACH_M = 50.0  # an order to stop works holds so far around its site; the trigger on work orders says the same

# What speaks for or against a crew and needs no override; the doors have a sentence for each.
REASONS = (
    "by_road", "by_walk", "by_straight", "network_not_here", "place_unknown", "has_skill", "certificate_until", "free_now",
    "open_orders", "own_unit", "other_unit", "own_area", "other_area", "old_position", "from_order", "on_shift_until", "on_duty", "late",
    "community_team", "other_team", "paid_crew", "vulnerable",
)  # fmt: skip

# Volunteers visit, explain, comfort and clear snow; they do not open pipes, meters or switchboards.
# source: sources/jinan-2010 (priority groups served by volunteers), narrowed by the house.
VOLUNTEER_SKILLS = frozenset({"service", "sanitation"})
# What can speak against another time of a crew that has the order already: the rest was decided when it got it.
TIME_VIOLATIONS = frozenset({"off_shift", "shift_ends"})
TOO_FAR_MIN = 120.0
UNKNOWN_TRAVEL_MIN = 30.0
OVERRUN_MIN = 15  # an order still open after its planned end is expected to hold its crew so much longer
HORIZON_DAYS = 3  # no slot is looked for beyond
REASON_MAX = 500
NOTE_MAX = 2000
MOST_TOGETHER = 500  # orders that one bulk action takes


@dataclass(frozen=True)
class Terms:
    """What a bureau sets for dispatch (settings) and the city's clock: the door gives them to queries and verbs."""

    zone: tzinfo
    straight_speed_kmh: float = 25.0
    snap_limit_m: float = 500.0
    position_fresh_min: float = 30.0
    undo_s: int = 60
    accept_min: int = 10
    reoffer: bool = False


class CrewBooked(Conflict):
    """%(crew)s is already booked until %(until)s with order %(order_no)s, by %(booked_by)s."""

    code = "crew_booked"

    def __init__(self, **params: Any) -> None:
        super().__init__(**({"crew": "?", "until": "?", "order_no": "?", "booked_by": "?"} | params))


class AlreadyAssigned(Conflict):
    """This complaint already has a work order under way: %(order_no)s, %(crew)s."""

    code = "already_assigned"

    def __init__(self, **params: Any) -> None:
        super().__init__(**({"order_no": "?", "crew": "?"} | params))


class WrongOrderStep(Conflict):
    """A work order that is %(status)s cannot %(verb)s."""

    code = "wrong_order_step"


class OrderLocked(Conflict):
    """%(order_no)s is locked to its crew and time; unlock it first."""

    code = "order_locked"


class NotAllDone(Conflict):
    """%(failed_count)s of %(asked)s could not be done, so none was."""

    code = "not_all_done"

    def __init__(self, outcomes: Sequence[Any] = (), **params: Any) -> None:
        self.outcomes = outcomes
        super().__init__(**params)


class NobodyFits(Conflict):
    """No crew can be sent now without something speaking against it."""

    code = "nobody_fits"


class NoOrder(Conflict):
    """This complaint has no work order under way."""

    code = "no_order"


class UndoTooLate(Conflict):
    """An assignment can be undone within %(seconds)s seconds and before the crew accepts it."""

    code = "undo_too_late"


class ViolationNotOverridden(Conflict):
    """This crew does not fit (%(violations)s); give a reason to send it all the same."""

    code = "violation_not_overridden"


class CrewBlacklisted(Conflict):
    """%(crew)s may not be sent: %(whom)s is on the blacklist until %(until)s."""

    code = "crew_blacklisted"

    def __init__(self, **params: Any) -> None:
        super().__init__(**({"crew": "?", "whom": "?", "until": "?"} | params))


class SiteStopped(Conflict):
    """The works at this place are stopped: no crew of the unit or contractor is sent there."""

    code = "site_stopped"


class NoFreeTime(Conflict):
    """%(crew)s has no free time within %(days)s days."""

    code = "no_free_time"


class UnknownReturnReason(BadInput):
    """There is no return reason %(reason)s."""

    code = "unknown_return_reason"


class CrewCodeTaken(Conflict):
    """There is already a crew with this code."""

    code = "crew_code_taken"
