"""The map's cameras and blind spots in rows, for a list beside the map."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gis.network.lists import Asked, Listed, ask

_CAMERAS = """
    SELECT id, coalesce(nullif(name, ''), code) AS name, state, code, bearing_deg, fov_deg, range_m, is_ptz, synthetic,
           geom AS at
      FROM camera
"""
_BLIND_SPOTS = """
    SELECT id, road_name AS name, state, code, from_landmark, to_landmark, synthetic,
           round(ST_Length(geom::geography)) AS metres, ST_LineInterpolatePoint(geom, 0.5) AS at
      FROM blind_spot
"""


def cameras(session: Session, asked: Asked) -> Listed:
    """Which cameras are there, by name?"""
    return ask(session, _CAMERAS, asked)


def blind_spots(session: Session, asked: Asked) -> Listed:
    """Which stretches of road does no camera see, by road?"""
    return ask(session, _BLIND_SPOTS, asked)
