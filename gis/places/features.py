"""The city's areas as collections: public, for they are printed on every map of it."""

from __future__ import annotations

from gis.features import Collection, Kind, Property
from gis.places.rules import AreaLevel

_AREAS = """
    SELECT a.id, a.geom, a.code, a.name, a.households, a.people, u.name AS unit, p.code AS parent, a.source, a.synthetic
      FROM area AS a LEFT JOIN unit AS u ON u.id = a.unit_id LEFT JOIN area AS p ON p.id = a.parent_id
     WHERE a.level = '{level}'
"""
_PROPERTIES = (
    Property("code", asked=True), Property("name", asked=True), Property("households", Kind.INTEGER),
    Property("people", Kind.INTEGER), Property("unit", asked=True), Property("parent", asked=True), Property("source"),
    Property("synthetic", Kind.BOOLEAN, asked=True),
)  # fmt: skip


def _level(id: str, level: AreaLevel, title: str, about: str) -> Collection:
    return Collection(id, title, about, "MultiPolygon", _AREAS.format(level=str(level)), _PROPERTIES)


PUBLIC = (
    _level("districts", AreaLevel.DISTRICT, "Districts", "The districts of the city"),
    _level("streets", AreaLevel.STREET, "Streets and towns", "The street offices and towns within the districts"),
    _level("communities", AreaLevel.COMMUNITY, "Communities", "The communities within the streets"),
)
