"""Calls and shutdowns: which open complaints come from where a shutdown takes service, and which incident is about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.complaints.incident_model import Incident
from gis.complaints.incident_queries import JOINABLE
from gis.complaints.model import Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.repeat_rules import IncidentStatus
from gis.network.outage_queries import warned
from gis.network.outage_rules import NEAR_M
from gis.people.rules import Scope

ASSET = "outage"
BEFORE_H = 6  # calls about a burst come before anybody has shut it off
CALLS_MOST = 200
_HERE = text(
    """EXISTS (SELECT FROM outage_point AS op LEFT JOIN area AS a ON a.id = op.area_id
        WHERE op.outage_id = :outage_id AND (ST_Intersects(a.geom, complaint.geom)
              OR op.geom && ST_Expand(complaint.geom, :near_deg) AND ST_DWithin(op.geom::geography, complaint.geom::geography, :near_m)))"""
)
_SAME = text(
    "(category.utility = :of_utility OR category.utility IN (SELECT op.utility FROM outage_point AS op WHERE op.outage_id = :of_outage))"
)


def calls(session: Session, scope: Scope, outage: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Which open complaints of the utilities that are lost come from inside the shutdown's communities or close to its
    supply points, received shortly before it or since, and are in no incident yet?"""
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.place, Complaint.received_at, Complaint.status, Category.name, Category.name_en)
        .join(Category, Category.code == Complaint.category)
        .where(
            *visible(scope), Complaint.status.in_(sorted(JOINABLE)), Complaint.incident_id.is_(None), Complaint.geom.isnot(None),
            Complaint.received_at >= outage["begins_at"] - timedelta(hours=BEFORE_H), Complaint.received_at <= now,
            _HERE.bindparams(outage_id=outage["id"], near_m=NEAR_M, near_deg=NEAR_M / 60_000),
            _SAME.bindparams(of_outage=outage["id"], of_utility=outage["utility"]),
        )
        .order_by(Complaint.received_at, Complaint.id)
        .limit(CALLS_MOST)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def known_to(session: Session, complaint: Complaint, now: datetime) -> list[dict[str, Any]]:
    """Which shutdowns of the complaint's own utility take service from where it comes from: what its caller may be told."""
    asked = select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom), Category.utility).join(
        Category, Category.code == Complaint.category
    )
    lon, lat, utility = session.execute(asked.where(Complaint.id == complaint.id)).one()
    if lon is None or complaint.closed_at is not None:
        return []
    return [row for row in warned(session, lon, lat, now, utility) if row["utility"] == utility]


def incidents_of(session: Session, scope: Scope, outage_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The open incident of each of these shutdowns, with the complaint that leads it, where this person may see that."""
    asked = (
        select(Incident.asset_id, Incident.id, Incident.no, Incident.name, Incident.lead_id, Complaint.hotline_no.label("lead_no"))
        .join(Complaint, Complaint.id == Incident.lead_id)
        .where(Incident.asset_kind == ASSET, Incident.asset_id.in_(outage_ids), Incident.status == IncidentStatus.OPEN, *visible(scope))
        .order_by(Incident.id)
    )  # fmt: skip
    return {row["asset_id"]: dict(row) for row in session.execute(asked).mappings()}
