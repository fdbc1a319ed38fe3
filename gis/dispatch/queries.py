"""What is asked about crews and work orders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

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
