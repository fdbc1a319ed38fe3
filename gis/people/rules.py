"""Who may do what: roles, rights and the scope of what a person can see. One table; routes, buttons and tests read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gis.errors import BadInput, Conflict, NotAllowed


class Role(StrEnum):
    """What a person is in the bureau."""

    DISPATCHER = "dispatcher"
    PLANNER = "planner"
    INSPECTOR = "inspector"
    CREW = "crew"
    CALL_TAKER = "call_taker"
    FOLLOW_UP_CALLER = "follow_up_caller"
    SUPERVISOR = "supervisor"
    UNIT_HANDLER = "unit_handler"
    ADMINISTRATOR = "administrator"


class UnitKind(StrEnum):
    """What kind of body answers for a matter."""

    BUREAU = "bureau"
    HEAT_COMPANY = "heat_company"
    WATER_COMPANY = "water_company"
    GAS_COMPANY = "gas_company"
    PROPERTY_COMPANY = "property_company"
    CONTRACTOR = "contractor"
    TELECOM_COMPANY = "telecom_company"


_R = Role
EVERYONE = frozenset(Role)
DESK = frozenset({_R.DISPATCHER, _R.PLANNER, _R.CALL_TAKER, _R.FOLLOW_UP_CALLER, _R.SUPERVISOR, _R.UNIT_HANDLER,
                  _R.ADMINISTRATOR})  # fmt: skip
PHONE = frozenset({_R.INSPECTOR, _R.CREW})

# Right -> the roles that hold it. A route names one right; a button is shown when the right is held.
RIGHTS: dict[str, frozenset[Role]] = {
    "see_desk": DESK,
    "see_complaints": DESK,
    "see_network": EVERYONE,
    "keep_network": frozenset({_R.PLANNER, _R.SUPERVISOR, _R.ADMINISTRATOR}),
    "trace_network": DESK,
    "run_outages": frozenset({_R.DISPATCHER, _R.SUPERVISOR, _R.UNIT_HANDLER}),
    "receive_complaint": frozenset({_R.CALL_TAKER, _R.DISPATCHER, _R.SUPERVISOR, _R.ADMINISTRATOR}),
    "import_complaints": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "unmask_caller": frozenset({_R.CALL_TAKER, _R.DISPATCHER, _R.FOLLOW_UP_CALLER, _R.SUPERVISOR}),
    "assign": frozenset({_R.DISPATCHER, _R.SUPERVISOR}),
    "override_violation": frozenset({_R.DISPATCHER, _R.SUPERVISOR}),
    "take_step": DESK - {_R.PLANNER, _R.ADMINISTRATOR},
    "edit_limits": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "merge_complaints": frozenset({_R.CALL_TAKER, _R.DISPATCHER, _R.SUPERVISOR}),
    "run_incidents": frozenset({_R.DISPATCHER, _R.SUPERVISOR}),
    "see_worklist": frozenset({_R.CALL_TAKER, _R.DISPATCHER, _R.SUPERVISOR, _R.ADMINISTRATOR}),
    "edit_routing": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "confirm_complaint": frozenset({_R.FOLLOW_UP_CALLER, _R.SUPERVISOR}),
    "see_hotspots": frozenset({_R.PLANNER, _R.SUPERVISOR, _R.DISPATCHER, _R.ADMINISTRATOR}),
    "see_coverage": frozenset({_R.PLANNER, _R.SUPERVISOR, _R.DISPATCHER, _R.ADMINISTRATOR}),
    "plan_coverage": frozenset({_R.PLANNER, _R.SUPERVISOR}),
    "answer_hotspots": frozenset({_R.PLANNER, _R.SUPERVISOR}),
    "see_bulletins": DESK,
    "publish_bulletin": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "see_inspections": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER, _R.PLANNER, _R.ADMINISTRATOR}),
    "move_finding": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER}),
    "stop_works": frozenset({_R.SUPERVISOR}),
    "move_consequence": frozenset({_R.SUPERVISOR, _R.UNIT_HANDLER}),
    "edit_inspection_rules": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "review_conflict": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "edit_sites": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER, _R.ADMINISTRATOR}),
    "import_sites": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "unmask_site": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER}),
    "self_inspect": frozenset({_R.UNIT_HANDLER}),
    "see_rounds": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.PLANNER, _R.ADMINISTRATOR}),
    "plan_rounds": frozenset({_R.SUPERVISOR}),
    "see_day": frozenset({_R.INSPECTOR, _R.SUPERVISOR, _R.DISPATCHER}),
    "export": frozenset({_R.SUPERVISOR, _R.PLANNER, _R.DISPATCHER, _R.ADMINISTRATOR}),
    "enrol_device": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.ADMINISTRATOR}),
    "administer": frozenset({_R.ADMINISTRATOR}),
    "edit_blacklist": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "see_audit": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "edit_calendar": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "see_oversight": frozenset(
        {_R.SUPERVISOR, _R.DISPATCHER, _R.FOLLOW_UP_CALLER, _R.UNIT_HANDLER, _R.PLANNER, _R.ADMINISTRATOR}
    ),
    "issue_notice": frozenset({_R.SUPERVISOR}),
    "answer_notice": frozenset({_R.UNIT_HANDLER, _R.SUPERVISOR}),
    "follow_up": frozenset({_R.FOLLOW_UP_CALLER, _R.SUPERVISOR}),
    "hold_meetings": frozenset({_R.SUPERVISOR, _R.FOLLOW_UP_CALLER}),
    "keep_promises": frozenset({_R.SUPERVISOR}),
    "edit_oversight": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "see_track": frozenset({_R.DISPATCHER, _R.SUPERVISOR}),
    "use_phone": PHONE,
    "submit_forms": PHONE,
    "edit_checklists": frozenset({_R.SUPERVISOR, _R.UNIT_HANDLER, _R.ADMINISTRATOR}),
    "own_account": EVERYONE,
    "send_readings": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER, _R.ADMINISTRATOR}),
    "acknowledge_alarm": frozenset({_R.SUPERVISOR, _R.DISPATCHER, _R.UNIT_HANDLER}),
    "edit_network_rules": frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    "see_room_tests": DESK - {_R.PLANNER} | {_R.INSPECTOR},
    "request_room_test": frozenset({_R.CALL_TAKER, _R.DISPATCHER, _R.SUPERVISOR}),
    "measure_room": frozenset({_R.INSPECTOR, _R.DISPATCHER, _R.SUPERVISOR, _R.UNIT_HANDLER}),
    "decide_refund": frozenset({_R.SUPERVISOR}),
}

# What a body's key may be given. A key never administers, unmasks or decides: those are a person's, with a name.
KEY_RIGHTS: tuple[str, ...] = ("receive_complaint", "see_complaints", "see_network", "submit_forms", "send_readings")
KEY_PER_MINUTE = 600  # what a new key is given; a row's own figure counts, and an administrator sets it
KEY_BEGINS = "cmk_"


@dataclass(frozen=True)
class Scope:
    """What a person can see: `None` everywhere means the whole city. Every query takes one and narrows by it.

    `area_id` is a district, street, community or compound and includes all within it; `unit_id` the unit answering.
    """

    area_id: int | None = None
    unit_id: int | None = None
    crew_id: int | None = None


CITY = Scope()
PASSWORD_MIN = 10
THROTTLE_ATTEMPTS = 8
THROTTLE_MIN = 15
ENROLMENT_VALID_MIN = 30


def may(role: str, right: str) -> bool:
    """Does this role hold this right? An unknown right is a programming error, not a refusal."""
    return Role(role) in RIGHTS[right]


class AlreadyBlacklisted(Conflict):
    """This unit or person is blacklisted already."""

    code = "already_blacklisted"


class Blacklisted(Conflict):
    """Who is on the blacklist comes onto no site and is given no works."""

    code = "blacklisted"


class NotBlacklisted(Conflict):
    """This entry of the blacklist is over already."""

    code = "not_blacklisted"


class WeakPassword(BadInput):
    """The password must have at least %(minimum)s characters."""

    code = "weak_password"


class NameTaken(Conflict):
    """This user name is taken."""

    code = "name_taken"


class EnrolmentUsed(NotAllowed):
    """This enrolment code is used, expired or unknown; ask the desk for a new one."""

    code = "enrolment_used"


class DeviceRevoked(NotAllowed):
    """This device is not enrolled or was revoked; ask the desk for a new code."""

    code, status = "device_revoked", 401


class WrongPassword(NotAllowed):
    """Name or password is wrong."""

    code, status = "wrong_password", 401


class DemoAccount(NotAllowed):
    """Demo accounts only work on this machine itself."""

    code = "demo_account"


class KeyRefused(NotAllowed):
    """This key is missing, unknown, expired or revoked; ask the bureau for another."""

    code, status = "key_refused", 401


class TooManyCalls(NotAllowed):
    """This key may call %(limit)s times a minute; please wait %(seconds)s seconds."""

    code, status = "too_many_calls", 429


class BadKeyRights(BadInput):
    """A key can hold these rights: %(possible)s."""

    code = "bad_key_rights"
