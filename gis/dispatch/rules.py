"""Words and weights of dispatch: kinds of crew, work order statuses, coded reasons, and what makes a crew suitable."""

from __future__ import annotations

from enum import StrEnum

from gis.errors import Conflict


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
}


class ReturnReason(StrEnum):
    """Why a crew gives an order back: coded, so that returns can be counted."""

    NOT_OURS = "not_ours"
    WRONG_PLACE = "wrong_place"
    NO_SKILL = "no_skill"
    NO_MATERIAL = "no_material"
    NO_ACCESS = "no_access"
    UNSAFE = "unsafe"
    OTHER = "other"


class CrewBooked(Conflict):
    """This crew is already booked at that time."""

    code = "crew_booked"


class AlreadyAssigned(Conflict):
    """This complaint already has a work order under way."""

    code = "already_assigned"


class WrongOrderStep(Conflict):
    """A work order that is %(status)s cannot %(verb)s."""

    code = "wrong_order_step"


class UndoTooLate(Conflict):
    """An assignment can be undone within %(seconds)s seconds and before the crew accepts it."""

    code = "undo_too_late"


class ViolationNotOverridden(Conflict):
    """This crew does not fit (%(violations)s); give a reason to send it all the same."""

    code = "violation_not_overridden"
