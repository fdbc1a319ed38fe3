"""What is asked beside a trace: which pipe is here, what is called so, and the names of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.places.queries import escape_like

CLICK_M = 30.0
DRAWN_MOST = 20_000  # sections that are drawn; a larger answer is counted and named, and drawn in part

_NEAREST = text(
    """
    SELECT s.id FROM pipe_section AS s
     WHERE s.length_m > 0 AND s.geom && ST_Expand(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :reach_deg)
       AND (:utility = '' OR s.utility = :utility)
       AND ST_DWithin(s.geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, :reach_m)
     ORDER BY s.geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), s.id LIMIT 1
    """
)
_CALLED = text(
    """
    SELECT * FROM (
        (SELECT 'pipe' AS kind, p.id, p.code, '' AS name, p.utility, p.level || coalesce('_' || p.flow, '') AS side, u.name AS unit
          FROM pipeline AS p LEFT JOIN unit AS u ON u.id = p.unit_id
         WHERE p.code ILIKE :like AND EXISTS (SELECT FROM pipe_section AS s WHERE s.pipeline_id = p.id)
         ORDER BY p.code <> :q, p.code LIMIT :most)
        UNION ALL
        (SELECT 'valve', v.id, v.code, '', v.utility, '', NULL FROM valve AS v
         WHERE v.code ILIKE :like AND EXISTS (SELECT FROM pipe_node AS n WHERE n.valve_id = v.id)
         ORDER BY v.code <> :q, v.code LIMIT :most)
        UNION ALL
        (SELECT 'station', t.id, t.code, t.name, 'heat', '', u.name FROM station AS t LEFT JOIN unit AS u ON u.id = t.unit_id
         WHERE (t.code ILIKE :like OR t.name ILIKE :like) AND EXISTS (SELECT FROM pipe_node AS n WHERE n.station_id = t.id)
         ORDER BY t.name, t.id LIMIT :most)) AS found
     ORDER BY code <> :q, array_position(ARRAY['pipe', 'valve', 'station'], kind), code, id LIMIT :most
    """
)
_PIPES = text(
    """
    SELECT p.id, p.code, p.utility, p.level, p.flow, p.diameter_mm, p.unit_id, u.name AS unit
      FROM pipeline AS p LEFT JOIN unit AS u ON u.id = p.unit_id WHERE p.id = ANY(:ids) ORDER BY p.id
    """
)
_VALVES = text(
    """
    SELECT v.id, v.code, v.utility, v.is_open, v.normally_open, v.reach, v.reach_note, v.version, p.code AS pipeline, u.name AS unit,
           ST_X(v.geom) AS lon, ST_Y(v.geom) AS lat
      FROM valve AS v LEFT JOIN pipeline AS p ON p.id = v.pipeline_id LEFT JOIN unit AS u ON u.id = p.unit_id
     WHERE v.id = ANY(:ids) ORDER BY v.id
    """
)
_STATIONS = text(
    """
    SELECT t.id, t.code, t.name, t.operator, t.households, t.unit_id, u.name AS unit, ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat,
           (SELECT min(d.grace_min) FROM network_dependency AS d WHERE d.station_id = t.id) AS grace_min
      FROM station AS t LEFT JOIN unit AS u ON u.id = t.unit_id WHERE t.id = ANY(:ids) ORDER BY t.name, t.id
    """
)
_POINTS = text(
    """
    SELECT p.id, p.code, p.name, p.utility, p.households, p.people, p.vulnerable_households, p.station_id, t.name AS station,
           p.area_id, a.name AS area, coalesce(p.unit_id, t.unit_id) AS unit_id, u.name AS unit, p.building_id, p.institution_id,
           ST_X(p.geom) AS lon, ST_Y(p.geom) AS lat
      FROM supply_point AS p LEFT JOIN station AS t ON t.id = p.station_id LEFT JOIN area AS a ON a.id = p.area_id
      LEFT JOIN unit AS u ON u.id = coalesce(p.unit_id, t.unit_id)
     WHERE p.id = ANY(:ids) ORDER BY a.name NULLS LAST, p.name, p.utility, p.id
    """
)
_SOURCES = text(
    """
    SELECT n.id AS node_id, coalesce(h.name, s.name) AS name, coalesce(h.code, s.code) AS code
      FROM pipe_node AS n LEFT JOIN heat_source AS h ON h.id = n.heat_source_id LEFT JOIN supply_source AS s ON s.id = n.supply_source_id
     WHERE n.id = ANY(:ids) ORDER BY n.id
    """
)
_LINES = text(
    """
    SELECT s.id, ST_AsGeoJSON(s.geom, 6) AS line FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
      JOIN pipe_section AS s ON s.id = wanted.id WHERE s.length_m > 0 ORDER BY s.id LIMIT :most
    """
)
_MIDDLE = text(
    """
    SELECT ST_X(at) AS lon, ST_Y(at) AS lat FROM (SELECT ST_LineInterpolatePoint(geom, 0.5) AS at FROM pipe_section WHERE id = :id) AS s
    """
)
_UNITS = text("SELECT id, name, kind FROM unit WHERE id = ANY(:ids) ORDER BY name, id")


def section_near(session: Session, lon: float, lat: float, utility: str = "", reach_m: float = CLICK_M) -> int | None:
    """Which pipe section lies nearest to this point, within reach?"""
    asked = {"lon": lon, "lat": lat, "utility": utility, "reach_m": reach_m, "reach_deg": reach_m / 60_000}
    found: int | None = session.scalar(_NEAREST, asked)
    return found


def called(session: Session, q: str, most: int = 20) -> list[dict[str, Any]]:
    """Which pipes, valves and stations of the built networks have this in their code or name?"""
    asked = {"q": q, "like": f"%{escape_like(q)}%", "most": most}
    return [dict(row) for row in session.execute(_CALLED, asked).mappings()]


def _of(session: Session, question: Any, ids: Sequence[int]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(question, {"ids": list(ids)}).mappings()] if len(ids) else []


def pipes(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What are these pipelines, and whose?"""
    return _of(session, _PIPES, ids)


def valves(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """How do these valves stand, where are they, can they be reached?"""
    return {row["id"]: row for row in _of(session, _VALVES, ids)}


def stations(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Which stations are these, who runs them, how long do they go on without water?"""
    return _of(session, _STATIONS, ids)


def points(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Whom do these supply points serve, where, and who answers for them?"""
    return _of(session, _POINTS, ids)


def sources(session: Session, node_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Which sources stand at these nodes?"""
    return _of(session, _SOURCES, node_ids)


def units(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What are these bodies called?"""
    return _of(session, _UNITS, ids)


def lines(session: Session, section_ids: Sequence[int]) -> list[tuple[int, str]]:
    """How do these sections run, as GeoJSON?"""
    if not len(section_ids):
        return []
    found = session.execute(_LINES, {"ids": list(section_ids), "most": DRAWN_MOST})
    return [(row.id, row.line) for row in found]


def middle(session: Session, section_id: int) -> tuple[float, float]:
    """Where is the middle of a section?"""
    row = session.execute(_MIDDLE, {"id": section_id}).one()
    return row.lon, row.lat
