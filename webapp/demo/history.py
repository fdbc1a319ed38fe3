"""What happened in the week: complaints, who was sent, how it ended, and the journal that tells it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

from geoalchemy2.shape import from_shape
from numpy.random import Generator
from shapely.geometry import Point
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import geo
from gis.complaints import clocks, law_queries
from gis.complaints.channels import Channel
from gis.complaints.limits import due
from gis.complaints.model import Caller, Category, ChannelLine, Complaint
from gis.dispatch.model import Crew, CrewSkill, Shift, WorkOrder
from gis.journal import JournalEntry
from gis.people.model import User
from gis.places.queries import working_days
from webapp.demo.calls import LATEST_OPEN, NOW, ZONE, Call
from webapp.demo.city import City

NIGHT_CREWS = 9
SHIFT_DAYS = 45
RESOLVED, ACTIVE = 8, 14
CALL_BACK_EVERY = 80  # so that some answered callers are still to be called back
LON = 119.958


def write_history(
    session: Session, city: City, calls: list[Call], units: dict[str, int], areas: dict[str, Any],
    users: dict[str, User], rng: Generator,
) -> None:  # fmt: skip
    crews = _crews(session, city, units, areas, rng)
    users["crew"].crew_id = crews[0]["id"]
    categories = {c.code: c for c in session.scalars(select(Category))}
    law, time_of = law_queries.law(session), law_queries.city(session, working_days(session), ZONE)
    rows, ends = [], []
    for i, call in enumerate(calls):
        category = categories[call.category]
        limit = due(
            law.pick(call.category, category.complexity, time_of.day(call.received_at)), call.received_at, time_of
        )
        end = _end(call, limit.resolve_by, len(calls) - 1 - i, rng)
        ends.append(end)
        rows.append(_complaint(city, areas, units, call, i, category, limit, end, rng, users["call_taker"].id))
    _number(session, rows)
    made = list(
        session.scalars(
            insert(Complaint.__table__).returning(Complaint.__table__.c.id, sort_by_parameter_order=True), rows
        )
    )
    session.execute(insert(Caller), [
        {"complaint_id": cid, "name": c.caller, "phone": c.phone, "door_no": f"{c.house + 1}号楼{c.unit_no}单元{c.floor}0{1 + c.floor % 2}"}
        for cid, c in zip(made, calls, strict=True)
    ])  # fmt: skip
    _orders(session, made, rows, ends, crews, categories, users)


def _number(session: Session, rows: list[dict[str, Any]]) -> None:
    """The number that each channel gave, and over which company's line a heating call came: that of whoever serves it."""
    lines = {
        line.unit_id: line.id
        for line in session.scalars(select(ChannelLine).where(ChannelLine.channel == Channel.HOTLINE_HEAT))
    }
    given: Counter[tuple[str, int | None]] = Counter()
    for row in rows:
        is_heat = row["channel"] == Channel.HOTLINE_HEAT
        row["line_id"] = lines.get(row["unit_id"], min(lines.values())) if is_heat and lines else None
        key = (row["channel"], row["line_id"])
        given[key] += 1
        row["source_no"] = (
            None if row["channel"] == Channel.WEB else f"{row['received_at'].astimezone(ZONE):%Y%m%d}-{given[key]:04}"
        )


def _crews(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], rng: Generator
) -> list[dict[str, Any]]:
    """Forty crews; nine of them work at night."""
    plan = [("供热抢修", "PY-XP", "maintenance", ("heating", "pipe_repair", "temperature_test"), 12),
            ("供热抢修", "PY-JQ", "maintenance", ("heating", "pipe_repair", "temperature_test"), 11),
            ("客户服务", "PY-BUREAU", "maintenance", ("service", "temperature_test", "inspection"), 3),
            ("供水抢修", "PY-WATER", "maintenance", ("water", "pipe_repair"), 4),
            ("施工", "PY-SG1", "construction", ("construction", "pipe_repair", "drainage"), 3),
            ("施工", "PY-SG2", "construction", ("construction", "heating"), 2),
            ("志愿服务", "PY-BUREAU", "volunteer", ("service",), 5)]  # fmt: skip
    rows, skills = [], []
    for name, unit, kind, has, count in plan:
        for n in range(1, count + 1):
            column, row = rng.integers(5, 20), rng.integers(4, 18)
            x, y = city.nodes[row * 25 + column] + rng.uniform(-60, 60, 2)
            lon, lat = geo.to_degrees(float(x), float(y), LON)
            side = {"PY-XP": "兴平", "PY-JQ": "金泉", "PY-SG1": "市政", "PY-SG2": "华安"}.get(unit, "")
            rows.append({
                "code": f"PYZ{len(rows) + 1:02}", "name": f"{side}{name}{n}班", "kind": kind, "unit_id": units[unit],
                "active": True, "synthetic": True, "position": from_shape(Point(float(lon), float(lat)), srid=4326),
                "position_at": NOW - timedelta(minutes=float(rng.exponential(6))), "position_accuracy_m": float(rng.integers(4, 25)),
                "heading_deg": float(rng.integers(0, 360)),
            })  # fmt: skip
            skills.append(has)
    made = list(
        session.scalars(insert(Crew.__table__).returning(Crew.__table__.c.id, sort_by_parameter_order=True), rows)
    )
    session.execute(
        insert(CrewSkill), [{"crew_id": c, "skill": s} for c, has in zip(made, skills, strict=True) for s in has]
    )
    night = set(range(2, 2 + NIGHT_CREWS * 3, 3))
    shifts = []
    for i, crew in enumerate(made):
        for day in range(-7, SHIFT_DAYS):
            start = datetime.combine(NOW.date() + timedelta(days=day), time(20 if i in night else 8), ZONE)
            shifts.append({"crew_id": crew, "during": Range(start, start + timedelta(hours=12))})
    session.execute(insert(Shift), shifts)
    return [{"id": c, "skills": has, "unit_id": row["unit_id"], "night": i in night}
            for i, (c, has, row) in enumerate(zip(made, skills, rows, strict=True))]  # fmt: skip


def _end(call: Call, limit: datetime, from_last: int, rng: Generator) -> dict[str, Any]:
    """How it ended: the last calls of the week are still being worked on, all others were answered in time (or nearly)."""
    if call.is_open:
        waiting = LATEST_OPEN - RESOLVED - ACTIVE
        if from_last < waiting or from_last >= LATEST_OPEN:
            return {"status": "received"}
        if from_last < waiting + ACTIVE:
            return {"status": ("assigned", "accepted", "arrived")[from_last % 3]}
        return {"status": "resolved", "resolved_at": NOW - timedelta(minutes=float(rng.uniform(3, 25)))}
    took = timedelta(minutes=float(rng.gamma(3.0, 42.0)))
    latest = min(limit, NOW - timedelta(minutes=40))
    closed = min(call.received_at + took, latest)
    if rng.random() < 0.015:
        closed = min(limit + timedelta(hours=2), NOW - timedelta(minutes=40))
    closed = max(closed, call.received_at + timedelta(minutes=12))
    if from_last % CALL_BACK_EVERY == 7:
        return {"status": "answered", "resolved_at": closed, "answered_at": closed, "closed_at": closed}
    return {"status": "confirmed", "resolved_at": closed, "answered_at": closed, "closed_at": closed,
            "confirmed_at": closed + timedelta(minutes=30)}  # fmt: skip


def _complaint(
    city: City, areas: dict[str, Any], units: dict[str, int], call: Call, index: int, category: Category, limit: Any,
    end: dict[str, Any], rng: Generator, taker: int,
) -> dict[str, Any]:  # fmt: skip
    block = city.compounds[call.compound]
    house = block.buildings[call.house].centroid
    place = Point(house.x + float(rng.uniform(-12, 12)), house.y + float(rng.uniform(-4, 4)))
    street = next(i for i, part in enumerate(areas["parts"]) if part.contains(place))
    lon, lat = geo.to_degrees(place.x, place.y, LON)
    by_water = call.category.startswith("water")
    company = units["PY-WATER"] if by_water else areas["unit_of"][call.compound]
    return {
        "hotline_no": f"PY{call.received_at.astimezone(ZONE):%Y%m%d}-{index + 1:05}", "channel": call.channel,
        "category": call.category, "complexity": category.complexity, "status": end["status"],
        "description": call.description, "place": f"{block.name}{call.house + 1}号楼", "located": "located",
        "geom": from_shape(Point(float(lon), float(lat)), srid=4326), "district_id": areas["district"],
        "street_id": areas["streets"][street], "community_id": None,
        "compound_id": areas["compounds"][call.compound], "unit_id": company, "routing_rule_id": areas["rules"].get(call.category.partition(".")[0], areas["rules"][""]), "received_at": call.received_at,
        "received_by": taker, **clocks.columns(limit),
        **{name: end.get(name) for name in ("resolved_at", "answered_at", "confirmed_at", "closed_at")}, "synthetic": True,
        "version": {"received": 1, "assigned": 2, "accepted": 3, "arrived": 4, "resolved": 5, "answered": 5, "confirmed": 6}[end["status"]],
    }  # fmt: skip


def _orders(
    session: Session, complaints: list[int], rows: list[dict[str, Any]], ends: list[dict[str, Any]],
    crews: list[dict[str, Any]], categories: dict[str, Category], users: dict[str, User],
) -> None:  # fmt: skip
    """A work order for every complaint that was sent out, and the journal of all of them, in order of time."""
    orders, sent, entries, busy = [], [], [], set()
    for n, (cid, row) in enumerate(zip(complaints, rows, strict=True)):
        at = row["received_at"]
        entries.append(_entry(at, users["call_taker"].id, "receive", "complaint", cid, 1, row))
        if row["status"] == "received":
            continue
        category = categories[row["category"]]
        fitting = [c for c in crews if category.skill in c["skills"]] or crews
        same = [c for c in fitting if c["unit_id"] == row["unit_id"]] or fitting
        active = row["status"] in ("assigned", "accepted", "arrived")
        free = [c for c in (same + fitting + crews) if not active or (c["id"] not in busy and not c["night"])]
        crew = free[n % min(len(free), max(len(same), 1))]
        if active:
            busy.add(crew["id"])
        sent.append(row)
        orders.append(_order(cid, row, crew["id"], category, users["dispatcher"].id))
    made = list(
        session.scalars(
            insert(WorkOrder.__table__).returning(WorkOrder.__table__.c.id, sort_by_parameter_order=True), orders
        )
    )
    for oid, order, row in zip(made, orders, sent, strict=True):
        entries += _order_entries(oid, order, row, users)
    entries.sort(key=lambda e: e["at"])
    session.execute(insert(JournalEntry), entries)


def _order(cid: int, row: dict[str, Any], crew: int, category: Category, dispatcher: int) -> dict[str, Any]:
    status, at = row["status"], row["received_at"]
    end = row["resolved_at"] or NOW.astimezone(UTC)
    span = (end - at) / 5
    times = [at + span * k for k in (0.4, 0.8, 2.0)]
    reached = {"assigned": 1, "accepted": 2, "arrived": 3, "resolved": 4, "answered": 4, "confirmed": 4}[status]
    finish = end if reached == 4 else NOW.astimezone(UTC) + timedelta(minutes=category.work_min)
    return {
        "order_no": f"PY-PD{row['hotline_no'][2:]}", "complaint_id": cid, "crew_id": crew,
        "status": "resolved" if reached == 4 else status, "during": Range(times[0], finish), "assigned_by": dispatcher,
        "assigned_at": times[0], "accepted_at": times[1] if reached > 1 else None,
        "arrived_at": times[2] if reached > 2 else None, "resolved_at": end if reached == 4 else None,
        "ended_at": end if reached == 4 else None, "minutes": 9.0, "metres": 3200.0, "by": "road",
        "version": reached,
    }  # fmt: skip


def _order_entries(
    oid: int, order: dict[str, Any], row: dict[str, Any], users: dict[str, User]
) -> list[dict[str, Any]]:
    crew = users["crew"].id
    steps = [("assign", order["assigned_at"], users["dispatcher"].id), ("accept", order["accepted_at"], crew),
             ("arrive", order["arrived_at"], crew), ("resolve", order["resolved_at"], crew)]  # fmt: skip
    found = []
    for version, (verb, at, user) in enumerate(steps, 1):
        if at is not None:
            found.append(_entry(at, user, verb, "work_order", oid, version, row))
            found.append(_entry(at, user, verb, "complaint", order["complaint_id"], version + 1, row))
    if row["status"] == "confirmed":
        at = row["confirmed_at"]
        found.append(_entry(at, users["follow_up_caller"].id, "confirm", "complaint", order["complaint_id"], 6, row))
    return found


def _entry(
    at: datetime, user: int, verb: str, thing: str, thing_id: int, version: int, row: dict[str, Any]
) -> dict[str, Any]:
    return {"at": at, "user_id": user, "device_id": None, "verb": verb, "thing": thing, "thing_id": str(thing_id),
            "version": version, "area_id": row["compound_id"], "unit_id": row["unit_id"], "data": {}}  # fmt: skip
