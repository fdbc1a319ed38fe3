"""Cameras and monitoring blind spots as collections: internal."""

from __future__ import annotations

from gis.features import Collection, Kind, Property

_CAMERAS = """
    SELECT c.id, c.geom, c.code, c.name, c.state, c.height_m, c.bearing_deg, c.fov_deg, c.range_m, c.is_ptz,
           u.name AS unit, c.synthetic
      FROM camera AS c LEFT JOIN unit AS u ON u.id = c.unit_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR c.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR EXISTS
            (SELECT 1 FROM area AS a WHERE a.id = :area_id AND ST_Intersects(a.geom, c.geom)))
"""
_BLIND_SPOTS = """
    SELECT b.id, b.geom, b.code, b.road_name, b.from_landmark, b.to_landmark, b.state, b.synthetic
      FROM blind_spot AS b
     WHERE CAST(:unit_id AS bigint) IS NULL
       AND (CAST(:area_id AS bigint) IS NULL OR EXISTS
            (SELECT 1 FROM area AS a WHERE a.id = :area_id AND ST_Intersects(a.geom, b.geom)))
"""
INTERNAL = (
    Collection(
        "cameras", "Cameras", "Monitoring cameras and where they look", "Point", _CAMERAS,
        (Property("code", asked=True), Property("name"), Property("state", asked=True), Property("height_m", Kind.NUMBER),
         Property("bearing_deg", Kind.NUMBER), Property("fov_deg", Kind.NUMBER), Property("range_m", Kind.NUMBER),
         Property("is_ptz", Kind.BOOLEAN, asked=True), Property("unit", asked=True),
         Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_network",
    ),
    Collection(
        "blind_spots", "Monitoring blind spots", "Stretches of road that no camera sees", "LineString", _BLIND_SPOTS,
        (Property("code", asked=True), Property("road_name", asked=True), Property("from_landmark"),
         Property("to_landmark"), Property("state", asked=True), Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_network",
    ),
)  # fmt: skip
