"""What is asked about cameras and blind spots."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gis.tiles import Tile, draw

_CAMERAS = """
    SELECT id AS fid, id, name, state, bearing_deg, fov_deg, range_m, is_ptz, synthetic, geom AS geom_4326 FROM camera
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 5000
"""
_BLIND_SPOTS = """
    SELECT id AS fid, id, road_name, from_landmark, to_landmark, state, synthetic,
           ST_Simplify(geom, :near_deg) AS geom_4326
      FROM blind_spot
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 5000
"""


def camera_tile(session: Session, tile: Tile) -> bytes:
    """Which cameras are in this square, and where does each look?"""
    return draw(session, "cameras", tile, _CAMERAS, buffer=0)


def blind_spot_tile(session: Session, tile: Tile) -> bytes:
    """Which stretches of road in this square does no camera see?"""
    return draw(session, "blind_spots", tile, _BLIND_SPOTS)
