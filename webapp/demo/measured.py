"""What the demo city measures: every station's points with bands and curves, a week of readings, some alarms, some room tests.

All of it is synthetic and says so; no band here is anybody's rule. Readings go on in the demo's own time, one a minute, so
that its screens live; they are made by one formula in SQL from the hour, the point and its station.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis.complaints import room_actions
from gis.complaints.model import Complaint
from gis.complaints.room_rules import RoomOpening
from gis.journal import Who
from gis.network import alarm_actions
from gis.network.model import Station
from gis.network.reading_actions import make_months, make_months_ahead
from gis.network.reading_model import AlarmRule, MeasuringPoint
from gis.people.model import User
from gis.people.rules import CITY
from webapp.demo.calls import NOW, WEEK, ZONE

SOURCE = "演示假设（合成数据，非任何规程）"
OUTDOOR = "PYW-T"
SIDES = ("primary_supply", "primary_return", "secondary_supply", "secondary_return")
NAMES = {
    "primary_supply": "一次供水",
    "primary_return": "一次回水",
    "secondary_supply": "二次供水",
    "secondary_return": "二次回水",
}
QUANTITIES = (("temperature", "T", "温度", "°C"), ("pressure", "P", "压力", "MPa"), ("flow", "F", "流量", "m³/h"))
# (side, quantity) -> (low, high, hysteresis)
BANDS = {
    ("primary_supply", "temperature"): (85.0, 115.0, 2.0), ("secondary_return", "temperature"): (32.0, 50.0, 1.0),
    ("secondary_supply", "pressure"): (0.35, 0.65, 0.01), ("primary_supply", "pressure"): (0.7, 1.2, 0.02),
}  # fmt: skip
KNOTS = [[-15, 60], [-10, 56], [-5, 52], [0, 47], [5, 42], [10, 37]]
COLD, SWAPPED, SILENT = 7, 23, 41  # stations with something wrong, by their place in the list
BURST = (datetime(2009, 11, 17, 18, 40, tzinfo=ZONE), datetime(2009, 11, 17, 21, 10, tzinfo=ZONE))
STEP_MIN = 15
# A day is coldest at six and warmest at three; stations differ by a little; what trembles comes from the minute's own number.
_VALUE = """
    CASE p.quantity || '.' || p.side
    WHEN 'temperature.outdoor' THEN d.outdoor + d.shake * 0.3
    WHEN 'temperature.primary_supply' THEN 100 - d.outdoor * 0.8 + d.shake
    WHEN 'temperature.primary_return' THEN 51 - d.outdoor * 0.3 + d.shake * 0.6
    WHEN 'temperature.secondary_supply' THEN 47 - d.outdoor - d.cold * 9 + d.shake * 0.5 - d.swapped * 12 - d.burst * 20
    WHEN 'temperature.secondary_return' THEN 39.5 - d.outdoor * 0.6 - d.cold * 8 + d.shake * 0.4 - d.burst * 14
    WHEN 'pressure.primary_supply' THEN 0.95 + d.shake * 0.01
    WHEN 'pressure.primary_return' THEN 0.62 + d.shake * 0.01
    WHEN 'pressure.secondary_supply' THEN 0.5 + d.shake * 0.006 - d.burst * 0.28
    WHEN 'pressure.secondary_return' THEN 0.33 + d.shake * 0.005 - d.burst * 0.2
    WHEN 'flow.primary_supply' THEN 42 + d.shake * 0.8 WHEN 'flow.primary_return' THEN 41.5 + d.shake * 0.8
    WHEN 'temperature.room' THEN 18.6 + d.outdoor * 0.1 - d.cold * 4 + d.shake * 0.2 - d.burst
    ELSE (96 + d.shake * 2) * (1 - d.burst) END
"""
_READINGS = text(f"""
    INSERT INTO reading (point_id, at, value, received_at)
    SELECT p.id, d.at, round(({_VALUE})::numeric, 3)::float8, d.at
      FROM measuring_point p LEFT JOIN station s ON s.id = p.station_id,
           generate_series(CAST(:since AS timestamptz), CAST(:until AS timestamptz), make_interval(mins => :step)) AS t (at),
           LATERAL (SELECT t.at, -2.5 + 4.5 * cos((extract(epoch FROM t.at + interval '8 hours') / 3600 - 15) / 24 * 2 * pi())
                           AS outdoor,
                           sin(extract(epoch FROM t.at) / 137 + p.id * 1.7) + sin(extract(epoch FROM t.at) / 911 + p.id) AS shake,
                           CASE WHEN s.code = :cold AND t.at > CAST(:wrong AS timestamptz) THEN 1 ELSE 0 END AS cold,
                           CASE WHEN s.code = :swapped AND t.at > CAST(:wrong AS timestamptz) THEN 1 ELSE 0 END AS swapped,
                           CASE WHEN s.name LIKE '文丰%' AND t.at BETWEEN CAST(:burst AS timestamptz) AND CAST(:mended AS timestamptz)
                                THEN 1 ELSE 0 END AS burst) d
     WHERE p.synthetic AND NOT (coalesce(s.code, '') = :silent AND t.at > CAST(:wrong AS timestamptz))
        ON CONFLICT (point_id, at) DO NOTHING
""")


def write_readings(session: Session, who: Who, users: dict[str, User]) -> None:
    """Points, bands and curves, the week's readings, what is out of order now, room tests in every state, an example's table."""
    stations = session.execute(select(Station.id, Station.code, Station.name).order_by(Station.code)).all()
    points = _points(session, stations)
    _rules(session, points)
    make_months(session, [WEEK[0].replace(day=1)])
    make_months_ahead(session, NOW)
    go_on(
        session,
        datetime.combine(WEEK[0], datetime.min.time(), tzinfo=ZONE),
        NOW - timedelta(minutes=STEP_MIN),
        STEP_MIN,
    )
    go_on(session, NOW - timedelta(minutes=STEP_MIN - 1), NOW, 1)
    alarm_actions.watch(session, Who(NOW), NOW.date())
    _room_tests(session, users)


def go_on(session: Session, since: datetime, until: datetime, step_min: int = 1) -> None:
    """Readings of every synthetic point from a moment to a moment."""
    session.execute(_READINGS, {
        "since": since, "until": until, "step": step_min, "cold": f"PYH{COLD:03}", "swapped": f"PYH{SWAPPED:03}",
        "silent": f"PYH{SILENT:03}", "wrong": NOW - timedelta(hours=3), "burst": BURST[0], "mended": BURST[1],
    })  # fmt: skip


def _points(session: Session, stations: Any) -> dict[tuple[str, str, str], int]:
    rows: list[dict[str, Any]] = [
        {
            "code": OUTDOOR,
            "name": "室外温度",
            "quantity": "temperature",
            "side": "outdoor",
            "unit": "°C",
            "place": "",
            "station_id": None,
        }
    ]
    for n, station in enumerate(stations):
        for side in SIDES:
            for quantity, sign, word, unit in QUANTITIES:
                short = "".join(part[0] for part in side.split("_")).upper()
                rows.append({"code": f"{station.code}-{short}{sign}", "name": f"{NAMES[side]}{word}", "quantity": quantity, "side": side,
                             "unit": unit, "place": "", "station_id": station.id})  # fmt: skip
        if n % 5 == 1:
            rows.append({"code": f"{station.code}-R1", "name": "末端室温", "quantity": "temperature", "side": "room", "unit": "°C",
                         "place": "1-1-101", "station_id": station.id})  # fmt: skip
    ids = session.execute(
        insert(MeasuringPoint).returning(MeasuringPoint.id, MeasuringPoint.code), [row | {"synthetic": True} for row in rows]
    )  # fmt: skip
    by_code = {row.code: row.id for row in ids}
    return {(str(row["station_id"]), row["side"], row["quantity"]): by_code[row["code"]] for row in rows}


def _rules(session: Session, points: dict[tuple[str, str, str], int]) -> None:
    base = {"valid": Range(WEEK[0] - timedelta(days=1), None), "source": SOURCE, "synthetic": True, "made_at": NOW - timedelta(days=7),
            "low": None, "high": None, "hysteresis": 0.0, "open_min": 10, "clear_min": 10, "silent_min": None, "knots": None,
            "other_id": None}  # fmt: skip
    rows: list[dict[str, Any]] = []
    for (station, side, quantity), point in points.items():
        if (side, quantity) in BANDS:
            low, high, hysteresis = BANDS[side, quantity]
            rows.append(base | {"point_id": point, "kind": "band", "low": low, "high": high, "hysteresis": hysteresis})
        if quantity == "temperature":
            rows.append(base | {"point_id": point, "kind": "silence", "silent_min": 60, "open_min": 0, "clear_min": 0})
        if (side, quantity) == ("secondary_supply", "temperature"):
            rows.append(base | {"point_id": point, "kind": "curve", "low": 4.0, "high": 6.0, "hysteresis": 0.5, "knots": KNOTS,
                                "other_id": points["None", "outdoor", "temperature"]})  # fmt: skip
            rows.append(
                base
                | {"point_id": point, "kind": "swapped", "other_id": points[station, "secondary_return", "temperature"]}
            )
    session.execute(insert(AlarmRule), rows)


def _room_tests(session: Session, users: dict[str, User]) -> None:
    """Weifang's published table as an example, and a test in each state."""
    for low, high, percent in ((None, "16.0", 100), ("16.0", "18.0", 50), ("18.0", None, 0)):
        room_actions.add_rule(
            session, Who(NOW - timedelta(days=8), users["supervisor"].id), city="平度（演示）", low_c=Decimal(low) if low else None,
            high_c=Decimal(high) if high else None, percent=Decimal(percent), begins=date(2009, 11, 1), ends=None, synthetic=True,
            source="演示：取潍坊市公布的退费标准为例，非平度规定",
        )  # fmt: skip
    asked = select(Complaint).where(Complaint.category == "heat.cold", Complaint.received_at < NOW - timedelta(hours=30),
                                    Complaint.status != "merged").order_by(Complaint.received_at.desc(), Complaint.id).limit(5)  # fmt: skip
    for n, complaint in enumerate(session.scalars(asked)):
        when = NOW - timedelta(hours=(26, 5, 20, 28, 29)[n])
        test = room_actions.request_test(session, Who(when, users["call_taker"].id), complaint)
        if n < 2:
            continue
        at = when + timedelta(hours=4)
        found = room_actions.Measured(
            Decimal(("15.9", "16.0", "18.0")[n - 2]),
            at,
            "卧室",
            RoomOpening.CLOSED,
            Decimal("-4.0"),
            "距地 1.5 米，关窗 30 分钟",
        )
        room_actions.measure(session, Who(at, users["inspector"].id), CITY, test.id, found, "平度（演示）", ZONE, None)
        if n > 2:
            room_actions.decide(session, Who(at + timedelta(hours=1), users["supervisor"].id), CITY, test.id,
                                test.proposed_percent or Decimal(0), test.proposed_days or 0, "", None)  # fmt: skip
    room_actions.tell_overdue(session, Who(NOW))
