"""What is asked about the utility networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.network.model import Station
from gis.people.rules import Scope
from gis.places.queries import escape_like, within
from gis.places.rules import AREA_FROM_ZOOM, AreaLevel
from gis.tiles import Tile, draw

_STATIONS = """
    SELECT id AS fid, id, name, operator, households, synthetic, geom AS geom_4326 FROM station
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 5000
"""
# Secondary pipes and house connections would cover the whole city in one colour from afar.
_PIPELINES = """
    SELECT id AS fid, id, utility, level, flow, diameter_mm, synthetic, ST_Simplify(geom, :near_deg) AS geom_4326
      FROM pipeline
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND (:z >= 12 OR level <> 'secondary')
     ORDER BY level = 'secondary', diameter_mm DESC NULLS LAST, id LIMIT 8000
"""
_VALVES = """
    SELECT id AS fid, id, code, utility, kind, is_open, reach, geom AS geom_4326 FROM valve
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND :z >= 13
     ORDER BY is_open, reach = 'reachable', id LIMIT 5000
"""
_SOURCES = """
    SELECT id AS fid, id, code, name, utility, geom AS geom_4326
      FROM (SELECT 2 * id AS id, code, name, 'heat' AS utility, geom FROM heat_source
            UNION ALL SELECT 2 * id + 1, code, name, utility, geom FROM supply_source) AS source
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
"""
_SUPPLY_POINTS = """
    SELECT id AS fid, id, code, name, utility, households, vulnerable_households, geom AS geom_4326 FROM supply_point
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND :z >= 14 ORDER BY id LIMIT 5000
"""
_LABELS = """
    SELECT row_number() OVER (ORDER BY rank, kind, id) AS fid, id, name, kind, rank, geom_4326
      FROM (SELECT id, name, level AS kind, array_position(:levels, level) AS rank, ST_PointOnSurface(geom) AS geom_4326
              FROM area
             WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND level = ANY(:levels)
               AND name <> ''
            UNION ALL
            SELECT id, name, kind, 10, geom FROM gazetteer_entry
             WHERE :z >= 12 AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
            UNION ALL
            SELECT id, name, 'station', 11, geom FROM station
             WHERE :z >= 14 AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)) AS named
     ORDER BY rank, kind, id LIMIT 400
"""


def station_tile(session: Session, tile: Tile) -> bytes:
    """Which heat-exchange stations are in this square?"""
    return draw(session, "stations", tile, _STATIONS, buffer=0)


def pipeline_tile(session: Session, tile: Tile) -> bytes:
    """Which pipelines pass through this square: primary and mains always, secondary from zoom 12?"""
    return draw(session, "pipelines", tile, _PIPELINES)


def valve_tile(session: Session, tile: Tile) -> bytes:
    """Which valves are in this square, from zoom 13?"""
    return draw(session, "valves", tile, _VALVES, buffer=0)


def source_tile(session: Session, tile: Tile) -> bytes:
    """Which sources of heat, water and gas are in this square?"""
    return draw(session, "sources", tile, _SOURCES, buffer=0)


def supply_point_tile(session: Session, tile: Tile) -> bytes:
    """Which supply points are in this square, from zoom 14?"""
    return draw(session, "supply_points", tile, _SUPPLY_POINTS, buffer=0)


def label_tile(session: Session, tile: Tile) -> bytes:
    """Which names belong on this square: areas, gazetteer entries from zoom 12, stations from zoom 14?"""
    levels = [str(level) for level, zoom in AREA_FROM_ZOOM.items() if tile.z >= zoom and level != AreaLevel.CELL]
    return draw(session, "gazetteer", tile, _LABELS, buffer=0, levels=levels)


def stations_called(session: Session, scope: Scope, text: str, limit: int = 10) -> list[Mapping[str, Any]]:
    """Which stations that this person may see have this in their name or code?"""
    like = f"%{escape_like(text)}%"
    asked = select(
        Station.name, Station.code, func.ST_X(Station.geom).label("lon"), func.ST_Y(Station.geom).label("lat")
    ).where(Station.name.ilike(like) | Station.code.ilike(like))
    mine = within(scope)
    if mine is not None:
        asked = asked.where(Station.area_id.in_(mine))
    if scope.unit_id is not None:
        asked = asked.where(Station.unit_id == scope.unit_id)
    asked = asked.order_by(func.length(Station.name), Station.name, Station.id).limit(limit)
    return [dict(row) for row in session.execute(asked).mappings()]


def station_names(session: Session, scope: Scope) -> list[Mapping[str, Any]]:
    """The stations that this person may see, by name."""
    asked = select(Station.id, Station.name, Station.operator)
    mine = within(scope)
    if mine is not None:
        asked = asked.where(Station.area_id.in_(mine))
    if scope.unit_id is not None:
        asked = asked.where(Station.unit_id == scope.unit_id)
    return [dict(row) for row in session.execute(asked.order_by(Station.name, Station.id)).mappings()]
