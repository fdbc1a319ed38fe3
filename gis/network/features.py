"""The utility networks as collections: internal, and to a company only its own."""

from __future__ import annotations

from gis.features import Collection, Kind, Property

_STATIONS = """
    SELECT s.id, s.geom, s.code, s.name, s.operator, u.name AS unit, h.name AS source, s.households, s.synthetic
      FROM station AS s LEFT JOIN unit AS u ON u.id = s.unit_id LEFT JOIN heat_source AS h ON h.id = s.source_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR s.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR s.geom IS NOT NULL AND EXISTS
            (SELECT 1 FROM area AS a WHERE a.id = :area_id AND ST_Intersects(a.geom, s.geom)))
"""
_PIPELINES = """
    SELECT p.id, p.geom, p.code, p.utility, p.level, p.flow, p.diameter_mm, p.material, u.name AS unit,
           s.code AS station, p.synthetic
      FROM pipeline AS p LEFT JOIN unit AS u ON u.id = p.unit_id LEFT JOIN station AS s ON s.id = p.station_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR p.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR EXISTS
            (SELECT 1 FROM area AS a WHERE a.id = :area_id AND ST_Intersects(a.geom, p.geom)))
"""
INTERNAL = (
    Collection(
        "stations", "Heat-exchange stations", "Where heat is handed over to the buildings", "Point", _STATIONS,
        (Property("code", asked=True), Property("name", asked=True), Property("operator", asked=True),
         Property("unit", asked=True), Property("source", asked=True), Property("households", Kind.INTEGER),
         Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_network",
    ),
    Collection(
        "pipelines", "Pipelines", "The pipes of every utility", "LineString", _PIPELINES,
        (Property("code", asked=True), Property("utility", asked=True), Property("level", asked=True),
         Property("flow", asked=True), Property("diameter_mm", Kind.NUMBER), Property("material", asked=True),
         Property("unit", asked=True), Property("station", asked=True), Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_network",
    ),
)  # fmt: skip
