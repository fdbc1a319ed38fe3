"""Complaints as collections: to bodies each of them without its caller, to the public only cells that speak of several."""

from __future__ import annotations

from gis.complaints.openness import CELL_DEG, K_ANONYMOUS
from gis.complaints.rules import OPEN
from gis.features import Collection, Kind, Property
from gis.network.rules import Utility

_COMPLAINTS = """
    SELECT c.id, c.geom, c.hotline_no, c.channel, c.category, k.utility, c.complexity, c.status, c.description, c.place,
           d.name AS district, u.name AS unit, c.received_at, c.resolve_by, c.closed_at, c.synthetic
      FROM complaint AS c JOIN category AS k ON k.code = c.category LEFT JOIN area AS d ON d.id = c.district_id
      LEFT JOIN unit AS u ON u.id = c.unit_id
     WHERE (CAST(:unit_id AS bigint) IS NULL OR c.unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR :area_id IN (c.district_id, c.street_id, c.community_id, c.compound_id))
"""
# Weeks are fixed and over: no two questions can be subtracted from each other, and tomorrow tells nothing of today.
# A cell's id is made of its week, utility, column and row, so it stays the same for ever.
_WEEK = "date_trunc('week', {at} AT TIME ZONE :zone)"
_OF_ID = "CAST(DATE '1970-01-05' + 7 * (CAST(:id AS bigint) >> 37)::int AS timestamptz)"
_LAST = "least(CAST(:end AS timestamptz), CAST(:now AS timestamptz)) - interval '13 weeks'"
_SINCE = _WEEK.format(at=f"coalesce(CAST(:begin AS timestamptz), {_OF_ID}, {_LAST})")
_UNTIL = f"{_WEEK.format(at='CAST(:end AS timestamptz)')} + interval '7 days'"
_UTILITIES = ", ".join(f"'{utility}'" for utility in Utility)
_OPEN = ", ".join(f"'{status}'" for status in sorted(OPEN))
_CELLS = f"""
    SELECT ((((week::date - DATE '1970-01-05') / 7)::bigint * 16 + array_position(ARRAY[{_UTILITIES}], utility))
            * 131072 + x + 36000) * 65536 + y + 18000 AS id,
           ST_MakeEnvelope(x * {CELL_DEG}, y * {CELL_DEG}, (x + 1) * {CELL_DEG}, (y + 1) * {CELL_DEG}, 4326) AS geom,
           utility, complaints, closed, synthetic, week AT TIME ZONE :zone AS begins,
           (week + interval '7 days') AT TIME ZONE :zone - interval '1 second' AS ends
      FROM (SELECT {_WEEK.format(at="c.received_at")} AS week, k.utility::text AS utility,
                   floor(ST_X(c.geom) / {CELL_DEG})::bigint AS x, floor(ST_Y(c.geom) / {CELL_DEG})::bigint AS y,
                   count(*) AS complaints, count(*) FILTER (WHERE c.status NOT IN ({_OPEN})) AS closed,
                   bool_or(c.synthetic) AS synthetic
              FROM complaint AS c JOIN category AS k ON k.code = c.category
             WHERE c.geom IS NOT NULL AND NOT ST_IsEmpty(c.geom)
               AND c.received_at >= {_SINCE} AT TIME ZONE :zone
               AND c.received_at < {_WEEK.format(at="CAST(:now AS timestamptz)")} AT TIME ZONE :zone
               AND (CAST(:end AS timestamptz) IS NULL OR c.received_at < ({_UNTIL}) AT TIME ZONE :zone)
             GROUP BY 1, 2, 3, 4 HAVING count(*) >= {K_ANONYMOUS}) AS cells
"""
PUBLIC = (
    Collection(
        "complaint_cells", "Complaints by week and cell",
        "How many complaints about a utility came from a cell of about 500 m in a week that is over; the last 13 weeks"
        " unless a datetime is asked for. A cell that speaks of fewer than five is not told.",
        "Polygon", _CELLS,
        (Property("utility", asked=True), Property("complaints", Kind.INTEGER), Property("closed", Kind.INTEGER),
         Property("begins", Kind.MOMENT), Property("ends", Kind.MOMENT), Property("synthetic", Kind.BOOLEAN, asked=True)),
        begins="begins", ends="ends",
    ),
)  # fmt: skip
INTERNAL = (
    Collection(
        "complaints", "Complaints", "What was told to the bureau, without who told it", "Point", _COMPLAINTS,
        (Property("hotline_no", asked=True), Property("channel", asked=True), Property("category", asked=True),
         Property("utility", asked=True), Property("complexity", asked=True), Property("status", asked=True),
         Property("description", said=True), Property("place", said=True), Property("district", asked=True),
         Property("unit", asked=True), Property("received_at", Kind.MOMENT), Property("resolve_by", Kind.MOMENT),
         Property("closed_at", Kind.MOMENT), Property("synthetic", Kind.BOOLEAN, asked=True)),
        right="see_complaints", begins="received_at",
    ),
)  # fmt: skip
