"""Which changes of the journal a person may be told of: those of complaints, orders and crews within their scope.

The journal's own `area_id` is only a hint (a complaint lies in four areas at once), so the things themselves are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.people.rules import CITY, Scope

# What the desk's live pages show. Accounts, devices and settings are nobody's news.
CITY_WIDE = (
    "inspection", "import", "building", "road_network", "valve", "station", "visit", "matter", "themed_week", "patrol",
)  # fmt: skip
_COMPLAINT = """
    (CAST(:area_id AS bigint) IS NULL
     OR :area_id IN (complaint.district_id, complaint.street_id, complaint.community_id, complaint.compound_id))
    AND (CAST(:unit_id AS bigint) IS NULL OR complaint.unit_id = :unit_id)
"""
_SEEN = {
    "complaint": f"SELECT id FROM complaint WHERE id = ANY(:ids) AND {_COMPLAINT}",
    "work_order": f"""
        SELECT work_order.id FROM work_order JOIN complaint ON complaint.id = work_order.complaint_id
         WHERE work_order.id = ANY(:ids) AND {_COMPLAINT}""",
    "crew": """
        SELECT id FROM crew
         WHERE id = ANY(:ids) AND (CAST(:unit_id AS bigint) IS NULL OR unit_id = :unit_id)
           AND (CAST(:area_id AS bigint) IS NULL OR area_id = :area_id
                OR EXISTS (SELECT FROM area WHERE area.id = :area_id AND ST_Intersects(area.geom, crew.position)))""",
    "alarm": """
        SELECT alarm.id FROM alarm JOIN measuring_point p ON p.id = alarm.point_id LEFT JOIN station s ON s.id = p.station_id
         WHERE alarm.id = ANY(:ids) AND (CAST(:unit_id AS bigint) IS NULL OR coalesce(p.unit_id, s.unit_id) = :unit_id)
           AND (CAST(:area_id AS bigint) IS NULL
                OR EXISTS (SELECT FROM area WHERE area.id = :area_id AND ST_Intersects(area.geom, coalesce(p.geom, s.geom))))""",
}
THINGS = [*_SEEN, *CITY_WIDE]


def visible(session: Session, rows: Sequence[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
    """The rows whose thing is within the scope, in their order. Who may see the whole city is told everything."""
    if scope == CITY:
        return list(rows)
    seen = {thing: _seen(session, thing, rows, scope) for thing in _SEEN}
    return [row for row in rows if row["thing_id"] in seen.get(row["thing"], ())]


def _seen(session: Session, thing: str, rows: Sequence[dict[str, Any]], scope: Scope) -> set[str]:
    """Which of these things of one kind are within the scope?"""
    ids = sorted({int(row["thing_id"]) for row in rows if row["thing"] == thing and row["thing_id"].isdigit()})
    if not ids:
        return set()
    asked = {"ids": ids, "area_id": scope.area_id, "unit_id": scope.unit_id}
    return {str(found) for found in session.scalars(text(_SEEN[thing]), asked)}
