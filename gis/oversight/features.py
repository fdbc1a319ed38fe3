"""The bureau's promises as a collection: public, as its page of promises is."""

from __future__ import annotations

from gis.features import Collection, Kind, Property

_PROMISES = """
    SELECT p.id, ST_PointOnSurface(a.geom) AS geom, p.text, p.text_en, p.person, p.post, u.name AS unit, a.name AS area,
           p.made_on, p.due_on, p.status, p.ended_at, p.source, p.synthetic
      FROM promise AS p LEFT JOIN unit AS u ON u.id = p.unit_id LEFT JOIN area AS a ON a.id = p.area_id
"""
PUBLIC = (
    Collection(
        "promises", "Public promises", "What was promised, by whom, until when, and what became of it", "Point", _PROMISES,
        (Property("text"), Property("text_en"), Property("person", asked=True), Property("post"),
         Property("unit", asked=True), Property("area", asked=True), Property("made_on", Kind.DAY),
         Property("due_on", Kind.DAY), Property("status", asked=True), Property("ended_at", Kind.MOMENT),
         Property("source"), Property("synthetic", Kind.BOOLEAN, asked=True)),
        begins="made_on", ends="due_on",
    ),
)  # fmt: skip
