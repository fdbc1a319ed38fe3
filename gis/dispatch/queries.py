"""What is asked about crews and work orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.rules import BOOKING
from gis.people.rules import Scope
from gis.tiles import Tile, draw

_CREWS = """
    SELECT id AS fid, id, name, kind, unit_id, heading_deg AS heading, synthetic, position AS geom_4326,
           CASE WHEN NOT EXISTS (SELECT FROM shift WHERE crew_id = crew.id AND during @> CAST(:now AS timestamptz))
                THEN 'off_shift'
                WHEN position_at < :fresh_since THEN 'stale'
                WHEN EXISTS (SELECT FROM work_order WHERE crew_id = crew.id AND lower(during) <= :now
                                AND status IN ('assigned', 'accepted', 'arrived')) THEN 'busy'
                ELSE 'free' END AS state
      FROM crew
     WHERE active AND position && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND (CAST(:unit_id AS bigint) IS NULL OR unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR area_id = :area_id
            OR EXISTS (SELECT FROM area WHERE area.id = :area_id AND ST_Intersects(area.geom, crew.position)))
     ORDER BY id LIMIT 5000
"""


def crew_tile(session: Session, tile: Tile, scope: Scope, now: datetime, fresh_since: datetime) -> bytes:
    """Which crews are in this square (of the person's unit; in or responsible for the person's area), free or not?"""
    return draw(
        session, "crews", tile, _CREWS, buffer=0, now=now, fresh_since=fresh_since, area_id=scope.area_id,
        unit_id=scope.unit_id,
    )  # fmt: skip


def running_orders(session: Session, complaint_ids: list[int]) -> dict[int, Mapping[str, Any]]:
    """Which order is under way for each of these complaints, and whose is it?"""
    if not complaint_ids:
        return {}
    asked = select(
        WorkOrder.id, WorkOrder.order_no, WorkOrder.complaint_id, WorkOrder.crew_id, Crew.name.label("crew"),
        WorkOrder.status, func.lower(WorkOrder.during).label("start"), func.upper(WorkOrder.during).label("end"),
        WorkOrder.assigned_at, WorkOrder.minutes, WorkOrder.metres, WorkOrder.by, WorkOrder.version,
    ).join(Crew, Crew.id == WorkOrder.crew_id)  # fmt: skip
    asked = asked.where(WorkOrder.complaint_id.in_(complaint_ids), WorkOrder.status.in_(BOOKING))
    return {row["complaint_id"]: dict(row) for row in session.execute(asked).mappings()}
