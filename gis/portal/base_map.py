"""The names of the public's map: areas and the gazetteer, without the stations that the desk's map shows."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gis.places.rules import AREA_FROM_ZOOM, AreaLevel
from gis.tiles import Tile, draw

_LABELS = """
    SELECT row_number() OVER (ORDER BY rank, kind, id) AS fid, id, name, kind, rank, geom_4326
      FROM (SELECT id, name, level AS kind, array_position(:levels, level) AS rank, ST_PointOnSurface(geom) AS geom_4326
              FROM area
             WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND level = ANY(:levels)
               AND name <> ''
            UNION ALL
            SELECT id, name, kind, 10, geom FROM gazetteer_entry
             WHERE :z >= 12 AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)) AS named
     ORDER BY rank, kind, id LIMIT 400
"""


def label_tile(session: Session, tile: Tile) -> bytes:
    """Which names belong on this square: areas, and gazetteer entries from zoom 12?"""
    levels = [str(level) for level, zoom in AREA_FROM_ZOOM.items() if tile.z >= zoom and level != AreaLevel.CELL]
    return draw(session, "gazetteer", tile, _LABELS, buffer=0, levels=levels)
