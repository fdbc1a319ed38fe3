"""One function per noun, every argument optional. They write rows directly: the verbs have tests of their own."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.dispatch.model import Crew, CrewSkill, Shift, WorkOrder
from gis.inspections.model import Site
from gis.people.model import Unit, User
from gis.places.model import Area
from tests.conftest import NOW

_numbers = count(1)
PINGDU = (119.96, 36.78)


def point(lon: float = PINGDU[0], lat: float = PINGDU[1]) -> WKTElement:
    return WKTElement(f"POINT({lon} {lat})", srid=4326)


def square(lon: float = PINGDU[0], lat: float = PINGDU[1], half: float = 0.05) -> WKTElement:
    w, e, s, n = lon - half, lon + half, lat - half, lat + half
    return WKTElement(f"MULTIPOLYGON((({w} {s},{e} {s},{e} {n},{w} {n},{w} {s})))", srid=4326)


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_unit(session: Session, **fields: Any) -> Unit:
    n = next(_numbers)
    return _add(session, Unit(**({"code": f"U{n}", "name": f"单位{n}", "kind": "heat_company"} | fields)))


def make_user(session: Session, **fields: Any) -> User:
    n = next(_numbers)
    given = {"name": f"user{n}", "full_name": f"用户{n}", "role": "dispatcher", "password_hash": "-"} | fields
    return _add(session, User(**given))


def make_area(session: Session, **fields: Any) -> Area:
    n = next(_numbers)
    return _add(
        session, Area(**({"code": f"A{n}", "name": f"区域{n}", "level": "district", "geom": square()} | fields))
    )


def make_complaint(session: Session, *, at: tuple[float, float] | None = PINGDU, **fields: Any) -> Complaint:
    n = next(_numbers)
    given = {
        "hotline_no": f"T{n:06}", "channel": "12319", "category": "heat.cold", "complexity": "ordinary",
        "status": "received", "description": "家里暖气不热", "place": f"测试小区{n}号楼", "received_at": NOW - timedelta(hours=1),
        "resolve_by": NOW + timedelta(hours=5), "located": "located" if at else "not_located",
        "geom": point(*at) if at else None,
    }  # fmt: skip
    if fields.get("status") == "merged" and not fields.get("merged_into_id"):
        fields["merged_into_id"] = make_complaint(session, at=at).id
    return _add(session, Complaint(**(given | fields)))


def make_crew(
    session: Session, *, at: tuple[float, float] = PINGDU, skills: tuple[str, ...] = ("heating",), on_shift: bool = True,
    **fields: Any,
) -> Crew:  # fmt: skip
    n = next(_numbers)
    given = {"code": f"C{n}", "name": f"班组{n}", "kind": "maintenance", "position": point(*at), "position_at": NOW}
    crew = _add(session, Crew(**(given | fields)))
    session.add_all(CrewSkill(crew_id=crew.id, skill=skill) for skill in skills)
    if on_shift:
        session.add(Shift(crew_id=crew.id, during=Range(NOW - timedelta(hours=4), NOW + timedelta(hours=8))))
    session.flush()
    return crew


def make_order(
    session: Session, complaint: Complaint | None = None, crew: Crew | None = None, **fields: Any
) -> WorkOrder:
    n = next(_numbers)
    complaint = complaint or make_complaint(session, status="assigned")
    crew = crew or make_crew(session)
    given = {
        "order_no": f"W{n:06}", "complaint_id": complaint.id, "crew_id": crew.id, "status": "assigned",
        "during": Range(NOW, NOW + timedelta(hours=1)), "assigned_at": NOW,
    }  # fmt: skip
    return _add(session, WorkOrder(**(given | fields)))


def make_site(session: Session, **fields: Any) -> Site:
    n = next(_numbers)
    given = {"code": f"S{n}", "name": f"工地{n}", "scope": "yard", "stage": "during", "geom": point()}
    return _add(session, Site(**(given | fields)))
