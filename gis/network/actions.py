"""What people change of the networks: a valve's state and reach, and who runs a station."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import BadInput
from gis.journal import Who
from gis.network.model import Station, Valve
from gis.network.rules import StationOperator, ValveReach
from gis.network.topology_actions import bump

NOTE_LONGEST = 200


class BadValveReach(BadInput):
    """Choose whether the valve can be reached."""

    code = "bad_valve_reach"


class ReachNoteMissing(BadInput):
    """Say why the valve cannot be reached, in at most 200 characters."""

    code = "reach_note_missing"


class BadOperator(BadInput):
    """Choose who runs the station: the heat company or a property company."""

    code = "bad_operator"


def edit_valve(
    session: Session, who: Who, valve: Valve, base_version: int | None, *, is_open: bool, reach: str, note: str
) -> None:
    """Say how a valve stands now. Raises StaleVersion, BadValveReach, ReachNoteMissing."""
    check_version(valve, base_version)
    if reach not in list(ValveReach):
        raise BadValveReach()
    note = note.strip() if reach == ValveReach.UNREACHABLE else ""
    if reach == ValveReach.UNREACHABLE and not 0 < len(note) <= NOTE_LONGEST:
        raise ReachNoteMissing()
    if (valve.is_open, valve.reach, valve.reach_note) == (is_open, reach, note):
        return
    before = {"is_open": valve.is_open, "reach": valve.reach}
    if valve.reach != reach:
        valve.reach_since_at = who.now
    with naming_violations(session):
        valve.is_open, valve.reach, valve.reach_note = is_open, reach, note
    bump(session, valve.utility)
    journal.write(
        session, who, "edit", "valve", valve.id, version=valve.version, code=valve.code, before=before,
        after={"is_open": is_open, "reach": reach},
    )  # fmt: skip


def edit_station(
    session: Session, who: Who, station: Station, base_version: int | None, *, operator: str, unit_id: int | None
) -> None:
    """Say who runs a station: the kind of body, and which one answers. Raises StaleVersion, BadOperator."""
    check_version(station, base_version)
    if operator not in list(StationOperator):
        raise BadOperator()
    if (station.operator, station.unit_id) == (operator, unit_id):
        return
    before = {"operator": station.operator, "unit_id": station.unit_id}
    with naming_violations(session):
        station.operator, station.unit_id = operator, unit_id
    journal.write(
        session, who, "edit", "station", station.id, version=station.version, unit_id=unit_id, before=before,
        after={"operator": operator, "unit_id": unit_id},
    )  # fmt: skip
