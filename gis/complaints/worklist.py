"""What only a person can put right: no unit, an unknown category, a missing calendar, no place. One action clears each.

Nothing of this stops a complaint from being received: it is kept, and stands in a list until somebody has looked at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, delete, extract, func, select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import clocks
from gis.complaints.categories import UNKNOWN
from gis.complaints.law_model import ComplaintDeadline
from gis.complaints.model import Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.complaints.routing_actions import route
from gis.complaints.rules import Located, UnknownCategory, clean
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.queries import areas_at, point
from gis.workdays import WorkingDays

Row = Mapping[str, Any]
KINDS: dict[str, ColumnElement[bool]] = {
    "no_unit": Complaint.unit_id.is_(None),
    "unknown_category": Complaint.category == UNKNOWN,
    "calendar_missing": Complaint.calendar_missing.is_(True),
    "not_located": Complaint.located == Located.NOT_LOCATED,
}


def counts(session: Session, scope: Scope) -> dict[str, int]:
    """How many open complaints wait in each list?"""
    asked = select(*(func.count().filter(where).label(kind) for kind, where in KINDS.items()))
    return dict(session.execute(asked.where(is_open(), *visible(scope))).mappings().one())


def listing(session: Session, scope: Scope, kind: str, limit: int = 100) -> list[Row]:
    """The open complaints of one list, the nearest deadline first."""
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.category_said, Complaint.place,
               Complaint.description, Complaint.status, Complaint.received_at, Complaint.resolve_by, Complaint.channel,
               Complaint.version, Complaint.unit_id, Category.name.label("category_zh"),
               Category.name_en.label("category_en"), Category.utility)
        .join(Category, Category.code == Complaint.category)
        .where(is_open(), KINDS[kind], *visible(scope))
        .order_by(Complaint.resolve_by, Complaint.id).limit(limit)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def missing_years(session: Session, scope: Scope) -> list[int]:
    """Into which years do deadlines reach that were counted without a calendar?"""
    year = func.cast(extract("year", Complaint.resolve_by), Complaint.version.type)
    asked = select(year).where(is_open(), Complaint.calendar_missing, *visible(scope)).distinct().order_by(year)
    return [int(one) for one in session.scalars(asked)]


def choose_unit(session: Session, who: Who, complaint: Complaint, unit_id: int, base_version: int | None) -> Complaint:
    """Somebody says who answers; no rule overrules that afterwards."""
    _held(session, complaint, base_version)
    if session.get(Unit, unit_id) is None:
        raise Missing(thing="unit", id=unit_id)
    before, complaint.unit_id, complaint.routing_rule_id = complaint.unit_id, unit_id, None
    return _written(session, who, complaint, "choose_unit", before=before, after=unit_id)


def choose_category(
    session: Session, who: Who, complaint: Complaint, category: str, base_version: int | None, *, calendar: WorkingDays,
    zone: tzinfo,
) -> Complaint:  # fmt: skip
    """Somebody says what it is about: its limits are counted from its receipt, who answers is asked where nobody does."""
    _held(session, complaint, base_version)
    kind = session.get(Category, category[:40]) if "\0" not in category else None
    if kind is None or kind.code == UNKNOWN:
        raise UnknownCategory(category=category[:40].replace("\0", ""))
    before, complaint.category = complaint.category, kind.code
    complaint.complexity = kind.complexity
    _count_anew(session, complaint, calendar, zone)
    routed = _route(session, complaint, who.now.astimezone(zone).date())
    return _written(session, who, complaint, "choose_category", before=before, after=kind.code, **routed)


def _count_anew(session: Session, complaint: Complaint, calendar: WorkingDays, zone: tzinfo) -> None:
    """The limits of the category that was chosen; a deadline that was extended or stands still keeps what was granted."""
    if complaint.extension_count or complaint.paused_at is not None:
        return
    main, further = clocks.begin(
        session, complaint.category, complaint.complexity, complaint.received_at, calendar, zone
    )
    for name, value in clocks.columns(main).items():
        setattr(complaint, name, value)
    session.execute(delete(ComplaintDeadline).where(ComplaintDeadline.complaint_id == complaint.id))
    for one in further:
        one.complaint_id = complaint.id
        session.add(one)


def locate(
    session: Session, who: Who, complaint: Complaint, lon: float, lat: float, place: str, on: date,
    base_version: int | None,
) -> Complaint:  # fmt: skip
    """Somebody says where it is (WGS-84); it is filed under its areas, and who answers is asked where nobody does."""
    _held(session, complaint, base_version)
    filed = asdict(areas_at(session, lon, lat))
    filed.pop("unit_id")
    for name, value in filed.items():
        setattr(complaint, name, value)
    complaint.geom, complaint.located = point(lon, lat), Located.LOCATED
    complaint.place = clean("place", place) or complaint.place
    routed = _route(session, complaint, on)
    return _written(session, who, complaint, "locate", **routed)


def _held(session: Session, complaint: Complaint, base_version: int | None) -> None:
    session.refresh(complaint, with_for_update=True)
    check_version(complaint, base_version)


def _route(session: Session, complaint: Complaint, on: date) -> dict[str, Any]:
    if complaint.unit_id is not None:
        return {}
    routed = route(session, complaint, on)
    complaint.unit_id, complaint.routing_rule_id = routed.unit_id, routed.rule_id
    return {"rule_id": routed.rule_id, "why": routed.why} if routed.rule_id else {}


def _written(session: Session, who: Who, complaint: Complaint, verb: str, **data: Any) -> Complaint:
    with naming_violations(session):
        session.flush()
    journal.write(
        session, who, verb, "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, **data,
    )  # fmt: skip
    session.flush()
    return complaint
