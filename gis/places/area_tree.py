"""Which area lies in which: by the code that a file names, or else by the ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from gis.places.model import Area
from gis.places.rules import AreaLevel

# The nearest wider level that covers a point of the area. A grid cell lies in a community, never in a compound.
_BY_GROUND = text(
    """
    UPDATE area a SET parent_id = found.id
      FROM area b
      JOIN LATERAL (SELECT p.id FROM area p
                     WHERE array_position(:levels, p.level::text) < array_position(:levels, b.level::text)
                       AND NOT (b.level = 'cell' AND p.level = 'compound')
                       AND ST_Covers(p.geom, ST_PointOnSurface(b.geom))
                     ORDER BY array_position(:levels, p.level::text) DESC, ST_Area(p.geom), p.id
                     LIMIT 1) found ON true
     WHERE a.id = b.id AND a.parent_id IS NULL
    """
)


def set_parents(session: Session, named: Mapping[int, str]) -> set[int]:
    """Give areas their parents: the named ones first, then every area that has none. Returns those whose name is unknown."""
    codes = dict(session.execute(select(Area.code, Area.id).where(Area.code.in_(set(named.values())))).all())
    given = [{"id": area, "parent_id": codes[code]} for area, code in named.items() if code in codes]
    if given:
        session.execute(update(Area), given)
    session.execute(_BY_GROUND, {"levels": [str(level) for level in AreaLevel]})
    session.expire_all()
    return {area for area, code in named.items() if code not in codes}


def shapes_of_level(session: Session, level: str) -> list[Any]:
    """The outlines of all areas of a level."""
    rows = session.scalars(select(func.ST_AsBinary(Area.geom)).where(Area.level == level).order_by(Area.id))
    return [shapely.from_wkb(bytes(wkb)) for wkb in rows]
