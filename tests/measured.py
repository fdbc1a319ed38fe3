"""Factories of measuring: a station with its points, rules, readings."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis.complaints.room_model import RoomTest
from gis.journal import Who
from gis.network import reading_actions
from gis.network.model import Station
from gis.network.reading_model import Alarm, AlarmRule, MeasuringPoint
from gis.network.reading_rules import KEPT_UNIT, FromWhere, Quantity
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import point as place

_numbers = count(1)
AHEAD = timedelta(minutes=1)


def make_station(session: Session, **fields: Any) -> Station:
    n = next(_numbers)
    given = {"code": f"HS{n}", "name": f"换热站{n}", "operator": "heat_company", "households": 300, "geom": place()}
    row = Station(**(given | fields))
    session.add(row)
    session.flush()
    return row


def make_point(session: Session, station: Station | None = None, **fields: Any) -> MeasuringPoint:
    n = next(_numbers)
    given = {
        "code": f"P{n}",
        "name": f"测点{n}",
        "quantity": "temperature",
        "side": "secondary_supply",
        "utility": "heat",
    } | fields
    given.setdefault("unit", KEPT_UNIT[Quantity(given["quantity"])])
    if given["side"] not in ("room", "outdoor", "main"):
        given["station_id"] = (station or make_station(session)).id
    row = MeasuringPoint(**given)
    session.add(row)
    session.flush()
    return row


def make_rule(session: Session, point: MeasuringPoint, kind: str = "band", **fields: Any) -> AlarmRule:
    given = {
        "point_id": point.id,
        "kind": kind,
        "source": "测试",
        "made_at": NOW,
        "valid": Range(date(2009, 1, 1), None),
    } | fields
    row = AlarmRule(**given)
    session.add(row)
    session.flush()
    return row


def read(session: Session, *rows: tuple[Any, ...], now: datetime = NOW) -> reading_actions.Kept:
    """Keep readings given as (point, at or minutes before now, value[, revision])."""
    asked = []
    for point, at, value, *more in rows:
        moment = at if isinstance(at, datetime) else now - timedelta(minutes=at)
        asked.append(
            {"point": point.code, "at": moment.isoformat(), "value": value, "revision": more[0] if more else 0}
        )
    return reading_actions.keep(session, Who(now), CITY, asked, FromWhere.API, ahead=AHEAD)


def stored(session: Session) -> list[tuple[Any, ...]]:
    """Everything that is kept, without when it came."""
    found = session.execute(
        text("SELECT point_id, at, value, revision, contradicted FROM reading ORDER BY point_id, at")
    )
    return [tuple(row) for row in found]


def one_of_each(session: Session, complaint: Any, area_id: int, unit_id: int, mark: str) -> dict[str, Any]:
    """A station with a point, a rule, an open alarm, and a room test of a complaint; all named by `mark`."""
    station = make_station(session, name=f"站{mark}", area_id=area_id, unit_id=unit_id)
    point = make_point(session, station, name=f"点{mark}")
    rule = make_rule(session, point, low=40.0, source=f"规程{mark}")
    read(session, (point, 0, 30.0))
    alarm = Alarm(
        point_id=point.id, rule_id=rule.id, kind="band", way="low", opened_at=NOW, noticed_at=NOW, note=f"注{mark}"
    )
    test = RoomTest(complaint_id=complaint.id, status="requested", requested_at=NOW, measure_by=NOW + timedelta(days=1))
    session.add_all([alarm, test])
    session.flush()
    return {"station_id": station.id, "point_id": point.id, "alarm_id": alarm.id, "test_id": test.id, "row_id": 999}
