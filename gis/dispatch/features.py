"""Crews and work orders as collections: internal."""

from __future__ import annotations

from gis.features import Collection, Kind, Property

_TREE = """(WITH RECURSIVE tree AS (SELECT id FROM area WHERE id = :area_id
             UNION SELECT a.id FROM area AS a JOIN tree ON a.parent_id = tree.id) SELECT id FROM tree)"""
_CREWS = f"""
    SELECT c.id, c.position AS geom, c.code, c.name, c.kind, u.name AS unit, a.name AS area, c.active,
           c.position_at, c.synthetic
      FROM crew AS c LEFT JOIN unit AS u ON u.id = c.unit_id LEFT JOIN area AS a ON a.id = c.area_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR c.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR c.area_id IN {_TREE})
"""
_ORDERS = """
    SELECT o.id, c.geom, o.order_no, o.status, c.hotline_no, c.category, w.name AS crew, o.assigned_at, o.accepted_at,
           o.arrived_at, o.resolved_at, o.ended_at, o.return_reason
      FROM work_order AS o JOIN complaint AS c ON c.id = o.complaint_id JOIN crew AS w ON w.id = o.crew_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR c.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR :area_id IN (c.district_id, c.street_id, c.community_id, c.compound_id))
"""
_MOMENTS = ("assigned_at", "accepted_at", "arrived_at", "resolved_at", "ended_at")
INTERNAL = (
    Collection(
        "crews", "Crews", "Where the crews were last seen", "Point", _CREWS,
        (Property("code", asked=True), Property("name", asked=True), Property("kind", asked=True),
         Property("unit", asked=True), Property("area", asked=True), Property("active", Kind.BOOLEAN, asked=True),
         Property("position_at", Kind.MOMENT), Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_complaints", begins="position_at",
    ),
    Collection(
        "work_orders", "Work orders", "What crews were sent to do, and where", "Point", _ORDERS,
        (Property("order_no", asked=True), Property("status", asked=True), Property("hotline_no", asked=True),
         Property("category", asked=True), Property("crew", asked=True),
         *(Property(name, Kind.MOMENT) for name in _MOMENTS), Property("return_reason", asked=True)),
        right="see_complaints", begins="assigned_at",
    ),
)  # fmt: skip
