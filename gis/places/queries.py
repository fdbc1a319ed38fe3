"""What is asked about places."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.places.model import CalendarDay, CalendarYear
from gis.places.rules import AREA_FROM_ZOOM, ROAD_FROM_ZOOM
from gis.tiles import Tile, draw
from gis.workdays import WorkingDays


def working_days(session: Session) -> WorkingDays:
    """Which days are worked, in which known years?"""
    years = frozenset(session.scalars(select(CalendarYear.year)))
    days = {row.day: row.is_working for row in session.execute(select(CalendarDay.day, CalendarDay.is_working))}
    return WorkingDays(years, days)


# --- layers of the map -----------------------------------------------------------------------------------------------
_AREAS = """
    SELECT id AS fid, id, name, level, parent_id, households, synthetic,
           ST_ClipByBox2D(ST_Simplify(geom, :near_deg, true), box) AS geom_4326
      FROM area, ST_MakeEnvelope(:west, :south, :east, :north, 4326) AS box
     WHERE geom && box AND level = ANY(:levels)
     ORDER BY array_position(:levels, level), id LIMIT 4000
"""
# Stretches of one street are joined: fewer features, and a name is written once along it.
_ROADS = """
    SELECT min(id) AS fid, name, highway, ST_Simplify(ST_LineMerge(ST_Collect(geom)), :near_deg) AS geom_4326
      FROM road_edge
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND highway = ANY(:classes)
     GROUP BY name, highway ORDER BY array_position(:classes, highway), name LIMIT 6000
"""
_BUILDINGS = """
    SELECT id AS fid, name, height_m, ST_Simplify(geom, :near_deg, true) AS geom_4326
      FROM building
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND (:z >= 15 OR (ST_XMax(geom) - ST_XMin(geom)) * (ST_YMax(geom) - ST_YMin(geom)) > 64 * :near_deg * :near_deg)
     ORDER BY id LIMIT 8000
"""


def area_tile(session: Session, tile: Tile) -> bytes:
    """Which districts, streets, communities, compounds and cells reach into this square, as far as the zoom shows them?"""
    levels = [str(level) for level, zoom in AREA_FROM_ZOOM.items() if tile.z >= zoom]
    return draw(session, "areas", tile, _AREAS, levels=levels)


def road_tile(session: Session, tile: Tile) -> bytes:
    """Which streets pass through this square: only the major classes from afar?"""
    classes = [highway for highway, zoom in ROAD_FROM_ZOOM.items() if tile.z >= zoom]
    return draw(session, "roads", tile, _ROADS, classes=classes)


def building_tile(session: Session, tile: Tile) -> bytes:
    """Which buildings stand in this square? None before zoom 13, the small ones from zoom 15."""
    return draw(session, "buildings", tile, _BUILDINGS) if tile.z >= 13 else b""
