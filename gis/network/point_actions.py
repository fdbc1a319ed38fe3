"""Measuring points made and changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.network import reading_queries as asking
from gis.network.reading_model import MeasuringPoint
from gis.network.reading_rules import STATION_SIDES, UNITS, BadPoint, PointSide, Quantity
from gis.network.rules import Utility
from gis.people.rules import Scope


def add_point(session: Session, who: Who, scope: Scope, *, code: str, name: str, quantity: str, side: str, unit: str, utility: str = "heat",
              place: str = "", station_id: int | None = None, synthetic: bool = False) -> MeasuringPoint:  # fmt: skip
    """A new measuring point. Raises BadPoint with the field, PointCodeTaken, and Missing for a station outside the scope."""
    code, name, place = code.strip(), name.strip(), place.strip()
    wrong = _wrong(code, name, quantity, side, unit, utility, place, station_id)
    if wrong:
        raise BadPoint(reason=wrong)
    if station_id is not None:
        asking.station(session, scope, station_id)
    point = MeasuringPoint(
        code=code, name=name, quantity=quantity, side=side, unit=unit, utility=utility, place=place, station_id=station_id,
        unit_id=scope.unit_id, area_id=scope.area_id, synthetic=synthetic,
    )  # fmt: skip
    with naming_violations(session):
        session.add(point)
    journal.write(
        session, who, "add", "measuring_point", point.id, version=point.version, code=code, station_id=station_id
    )
    return point


def _wrong(
    code: str, name: str, quantity: str, side: str, unit: str, utility: str, place: str, station_id: int | None
) -> str:
    if not code or len(code) > asking.CODE_MOST or not code.isprintable() or "/" in code:
        return "code"
    if not name or len(name) > 120 or not name.isprintable():
        return "name"
    if quantity not in set(Quantity):
        return "quantity"
    if side not in set(PointSide) or (side in STATION_SIDES and station_id is None):
        return "side"
    if unit not in UNITS[Quantity(quantity)]:
        return "unit"
    if len(place) > 80 or (side == PointSide.ROOM and not place):
        return "place"
    return "" if utility in set(Utility) else "utility"


def point(session: Session, scope: Scope, point_id: int) -> MeasuringPoint:
    """One point within the scope. Raises Missing."""
    found = session.get(MeasuringPoint, point_id)
    if found is None or found.code not in asking.known(session, scope, [found.code]):
        raise Missing(thing="measuring_point", id=point_id)
    return found


def set_active(session: Session, who: Who, scope: Scope, point_id: int, active: bool, base_version: int | None) -> None:
    """Take a point out of use, or into use again; what it measured stays. Raises Missing and StaleVersion."""
    found: Any = point(session, scope, point_id)
    check_version(found, base_version)
    found.active = active
    session.flush()
    journal.write(session, who, "activate" if active else "retire", "measuring_point", found.id, version=found.version)
