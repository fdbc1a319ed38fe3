"""What the board asks: crews with their shifts, their orders in a stretch of time, and what still waits for a crew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.rules import ASSIGNABLE
from gis.people.rules import Scope

TRAY_MOST = 300

_ORDERS = text(
    """
    SELECT w.id, w.order_no, w.crew_id, w.complaint_id, w.status, w.version, w.locked, w.lapsed_at, w.assigned_at,
           w.minutes, w.override_reason IS NOT NULL AS overridden, lower(w.during) AS start, upper(w.during) AS "end",
           k.place, k.hotline_no, k.version AS complaint_version, k.resolve_by, k.received_at, k.closed_at, k.paused_at,
           ST_X(k.geom) AS lon, ST_Y(k.geom) AS lat, g.name AS category_zh, g.name_en AS category_en,
           ((CAST(:area AS bigint) IS NULL OR :area IN (k.district_id, k.street_id, k.community_id, k.compound_id))
            AND (CAST(:unit AS bigint) IS NULL OR k.unit_id = :unit)) AS seen
      FROM work_order w JOIN complaint k ON k.id = w.complaint_id JOIN category g ON g.code = k.category
     WHERE w.crew_id = ANY(:crews) AND w.status IN ('assigned','accepted','arrived','resolved')
       AND w.during && tstzrange(:since, :until)
     ORDER BY lower(w.during), w.id
    """
)
_SHIFTS = text(
    """
    SELECT crew_id, greatest(coalesce(lower(during), :since), :since) AS start,
           least(coalesce(upper(during), :until), :until) AS "end"
      FROM shift WHERE crew_id = ANY(:crews) AND during && tstzrange(:since, :until) ORDER BY lower(during)
    """
)
_CREWS = text(
    """
    SELECT c.id, c.name, c.kind, u.name AS unit FROM crew c LEFT JOIN unit u ON u.id = c.unit_id
     WHERE c.id = ANY(:crews) AND c.active ORDER BY c.name, c.id
    """
)


def crews(session: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """These crews by name."""
    return session.execute(_CREWS, {"crews": list(ids)}).all()


def shifts(session: Session, ids: Sequence[int], since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """When are these crews on duty between two moments?"""
    return session.execute(_SHIFTS, {"crews": list(ids), "since": since, "until": until}).all()


def orders(session: Session, ids: Sequence[int], scope: Scope, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """What do these crews do between two moments? Of a complaint outside of the scope only that it takes time (`seen`)."""
    given = {"crews": list(ids), "since": since, "until": until, "area": scope.area_id, "unit": scope.unit_id}
    return session.execute(_ORDERS, given).all()


def waiting(session: Session, scope: Scope) -> Sequence[Row[Any]]:
    """Which complaints can be given to a crew, the most urgent first?"""
    asked = select(
        Complaint.id, Complaint.hotline_no, Complaint.place, Complaint.version, Complaint.resolve_by,
        Complaint.received_at, Complaint.closed_at, Complaint.paused_at, func.ST_X(Complaint.geom).label("lon"),
        func.ST_Y(Complaint.geom).label("lat"), Category.name.label("category_zh"), Category.name_en.label("category_en"),
        Category.work_min,
    ).join(Category, Category.code == Complaint.category)  # fmt: skip
    asked = asked.where(Complaint.status.in_(ASSIGNABLE), *visible(scope))
    return session.execute(asked.order_by(Complaint.resolve_by, Complaint.id).limit(TRAY_MOST)).all()


def waiting_count(session: Session, scope: Scope) -> int:
    """How many are there in all?"""
    asked = select(func.count()).select_from(Complaint).where(Complaint.status.in_(ASSIGNABLE), *visible(scope))
    return int(session.scalar(asked) or 0)
