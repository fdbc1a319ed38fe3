"""What is asked about shutdowns: which are open, what one is, what two do to each other, who is warned of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.network.outage_rules import NEAR_M, WARN_BEFORE_H, ValveAction
from gis.network.trace import ValveRole
from gis.network.tracing import city
from gis.network.tracing_answers import named

PAGE = 50
_COLUMNS = """
    o.id, o.no, o.kind, o.status, o.utility, o.crossing, o.place, o.reason, o.pipeline_id, p.code AS pipe, o.unit_id, u.name AS unit,
    o.begins_at, o.expected_end_at, o.begun_at, o.ended_at, o.limit_h, o.limit_source, o.households, o.people,
    o.vulnerable_households, o.stations, o.version, o.made_at, o.made_by, ST_X(o.geom) AS lon, ST_Y(o.geom) AS lat
"""
_FROM = "FROM outage AS o LEFT JOIN unit AS u ON u.id = o.unit_id LEFT JOIN pipeline AS p ON p.id = o.pipeline_id"
_LISTED = text(
    f"""
    SELECT {_COLUMNS}, count(*) OVER () AS total {_FROM}
     WHERE (:status = '' OR o.status = :status) AND (:utility = '' OR o.utility = :utility)
     ORDER BY o.status NOT IN ('announced', 'running'), CASE WHEN o.status IN ('announced', 'running') THEN o.begins_at END,
              o.begins_at DESC, o.id LIMIT {PAGE} OFFSET :start
    """
)
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE o.id = :id")
_VALVES = text(
    """
    SELECT v.id, v.code, v.is_open, v.reach, v.reach_note, ov.position, ov.action, ov.role, ov.held, ov.turned_at, ov.back_at,
           coalesce(nullif(t.full_name, ''), t.name) AS turned_by, coalesce(nullif(b.full_name, ''), b.name) AS back_by,
           ST_X(v.geom) AS lon, ST_Y(v.geom) AS lat
      FROM outage_valve AS ov JOIN valve AS v ON v.id = ov.valve_id LEFT JOIN app_user AS t ON t.id = ov.turned_by
      LEFT JOIN app_user AS b ON b.id = ov.back_by
     WHERE ov.outage_id = :id ORDER BY ov.position
    """
)
_POINTS = text(
    """
    SELECT supply_point_id AS id, name, utility, area_id, area, unit, households, people, vulnerable_households, ST_X(geom) AS lon,
           ST_Y(geom) AS lat
      FROM outage_point WHERE outage_id = :id ORDER BY area, name, utility, supply_point_id
    """
)
_OTHERS = text(
    """
    SELECT o.id, o.no, o.place, o.status, o.utility, o.begins_at, o.expected_end_at,
           coalesce(array_agg(ov.valve_id) FILTER (WHERE ov.action = 'close' AND ov.role <> 'shut'), '{}') AS close,
           coalesce(array_agg(ov.valve_id) FILTER (WHERE ov.action = 'open'), '{}') AS opened
      FROM outage AS o JOIN outage_valve AS ov ON ov.outage_id = o.id
     WHERE o.status IN ('announced', 'running') AND o.id <> :but
       AND tstzrange(o.begins_at, greatest(o.expected_end_at, :now)) && tstzrange(:begins_at, :ends_at)
     GROUP BY o.id ORDER BY o.begins_at, o.id
    """
)
# By the place itself: inside a community that is shut off, or near a supply point that is. Nearest first.
_WARNED = text(
    """
    WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS at),
    near AS (
        SELECT DISTINCT ON (op.outage_id) op.outage_id, op.name, op.area, ST_Distance(op.geom::geography, here.at::geography) AS metres,
               EXISTS (SELECT FROM area AS a WHERE a.id = op.area_id AND ST_Intersects(a.geom, here.at)) AS within
          FROM outage_point AS op JOIN outage AS o ON o.id = op.outage_id AND o.status IN ('announced', 'running'), here
         WHERE op.geom && ST_Expand(here.at, :wide_deg) OR EXISTS
               (SELECT FROM area AS a WHERE a.id = op.area_id AND ST_Intersects(a.geom, here.at))
         ORDER BY op.outage_id, metres, op.supply_point_id)
    SELECT o.id, o.no, o.kind, o.status, o.utility, o.place, o.reason, o.begins_at, o.expected_end_at, n.name, n.area, n.metres,
           n.within, o.households
      FROM near AS n JOIN outage AS o ON o.id = n.outage_id
     WHERE (n.within OR n.metres <= :near_m) AND o.begins_at <= :before
     ORDER BY (:utility <> '' AND o.utility <> :utility), n.metres, o.id LIMIT 5
    """
)
_LIMITS = text("SELECT id, utility, hours, source, active, version FROM repair_limit ORDER BY utility, active DESC, id")


def listed(session: Session, status: str = "", utility: str = "", page: int = 1) -> tuple[int, list[dict[str, Any]]]:
    """Which shutdowns are there: the open ones first, by when they begin?"""
    asked = {"status": status, "utility": utility, "start": (page - 1) * PAGE}
    rows = [dict(row) for row in session.execute(_LISTED, asked).mappings()]
    return (rows[0]["total"] if rows else 0), rows


def one(session: Session, outage_id: int) -> dict[str, Any]:
    """What is this shutdown? Raises Missing."""
    row = session.execute(_ONE, {"id": outage_id}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="outage", id=outage_id)
    return dict(row)


def saved_as(session: Session, request_id: UUID) -> int:
    """Which shutdown was made by this sending?"""
    return int(session.execute(text("SELECT id FROM outage WHERE request_id = :r"), {"r": request_id}).scalar_one())


def valves(session: Session, outage_id: int) -> list[dict[str, Any]]:
    """Its valves in order: who turned them, and who put them back?"""
    return [dict(row) for row in session.execute(_VALVES, {"id": outage_id}).mappings()]


def points(session: Session, outage_id: int) -> list[dict[str, Any]]:
    """Who lost service, as it was when it was saved?"""
    return [dict(row) for row in session.execute(_POINTS, {"id": outage_id}).mappings()]


def limits(session: Session) -> list[dict[str, Any]]:
    """The repair limits, in force or not, with their sources."""
    return [dict(row) for row in session.execute(_LIMITS).mappings()]


def conflicts(
    session: Session, close: Sequence[int], opened: Sequence[int], begins_at: datetime, ends_at: datetime, now: datetime,
    but: int = 0,
) -> list[dict[str, Any]]:  # fmt: skip
    """Which other open shutdowns at the same time take service, together with this one, from people whom neither takes it
    from alone, or need a valve the other way round?"""
    found = []
    asked = {"but": but, "begins_at": begins_at, "ends_at": max(ends_at, begins_at + timedelta(minutes=1)), "now": now}
    others = session.execute(_OTHERS, asked).mappings().all()
    net = city(session) if others else None
    for row in others:
        assert net is not None
        theirs, theirs_open = net.nodes_of(row["close"]), net.nodes_of(row["opened"])
        both = net.trace.conflict(net.nodes_of(close), theirs, (net.nodes_of(opened), theirs_open))
        lost = named(session, net, both.together)
        shared = sorted(set(row["close"]) & set(close))
        if lost.points or lost.stations or both.valves or shared:
            found.append({**row, "lost": lost, "against": net.valves(both.valves), "shared": shared})
    return found


def conflicts_of(session: Session, outage: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The conflicts of a saved shutdown with the others that are open."""
    rows = valves(session, outage["id"])
    close = [row["id"] for row in rows if row["action"] == ValveAction.CLOSE and row["role"] != ValveRole.SHUT]
    opened = [row["id"] for row in rows if row["action"] == ValveAction.OPEN]
    ends = max(outage["expected_end_at"], now)
    return conflicts(session, close, opened, outage["begins_at"], ends, now, outage["id"])


def warned(session: Session, lon: float, lat: float, now: datetime, utility: str = "") -> list[dict[str, Any]]:
    """Of which shutdowns should whoever hears a call from this place know?"""
    asked = {
        "lon": lon, "lat": lat, "near_m": NEAR_M, "wide_deg": NEAR_M / 60_000, "before": now + timedelta(hours=WARN_BEFORE_H),
        "utility": utility,
    }  # fmt: skip
    return [dict(row) for row in session.execute(_WARNED, asked).mappings()]
