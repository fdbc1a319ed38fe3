"""What is asked about self-inspection (自查): which unit has inspected how many of its own sites since it was called for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.inspections.queries import SITE_INSIDE, bounds
from gis.inspections.site_queries import When
from gis.people.rules import Scope

_BY_UNIT = text(
    f"""
    WITH call AS (SELECT from_on, due_on FROM self_check ORDER BY called_at DESC, id DESC LIMIT 1),
    open_site AS (
      SELECT coalesce(CAST(:unit AS bigint), s.unit_id, s.contractor_id) AS unit_id, s.synthetic,
             (SELECT max((i.received_at AT TIME ZONE :zone)::date) FROM inspection i
               WHERE i.site_id = s.id AND i.is_self) AS self_on,
             (SELECT min(e.at) FROM journal e WHERE e.thing = 'site' AND e.thing_id = CAST(s.id AS text)) AS since
        FROM site s WHERE s.closed_at IS NULL AND {SITE_INSIDE}),
    judged AS (
      SELECT o.unit_id, o.synthetic, o.self_on IS NOT NULL AND o.self_on >= c.from_on AS done, CAST(:today AS date) > c.due_on AS past,
             (SELECT min(n.due_on) FROM self_check n
               WHERE (o.self_on IS NULL OR o.self_on < n.from_on) AND (o.since IS NULL OR n.called_at >= o.since
                      OR (n.from_on, n.due_on) = (c.from_on, c.due_on))) AS oldest_due_on
        FROM open_site o CROSS JOIN call c)
    SELECT j.unit_id, u.name AS unit, count(*) AS sites, count(*) FILTER (WHERE done) AS done,
           count(*) FILTER (WHERE NOT done) AS not_yet, count(*) FILTER (WHERE NOT done AND past) AS overdue,
           min(oldest_due_on) FILTER (WHERE NOT done) AS oldest_due_on, bool_or(j.synthetic) AS synthetic
      FROM judged j LEFT JOIN unit u ON u.id = j.unit_id
     GROUP BY j.unit_id, u.name
     ORDER BY count(*) FILTER (WHERE done)::float / count(*), count(*) FILTER (WHERE NOT done) DESC, u.name, j.unit_id
    """
)


def by_unit(session: Session, scope: Scope, when: When) -> Sequence[RowMapping]:
    """How far is each unit with the call for self-inspection that is in force, the one that is farthest behind first?

    A site stands in the row of the unit that answers for it, else of its contractor; a unit that asks has one row, its own.
    `oldest_due_on` is of the oldest call since the site is known that nobody followed, which may be older than the last.
    """
    given = when.as_params()
    return session.execute(_BY_UNIT, bounds(scope) | {k: given[k] for k in ("today", "zone")}).mappings().all()
