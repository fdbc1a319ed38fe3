"""What is done with the rollups: put their differences together, and count everything anew for another zone."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.oversight.counting_model import CountingClock

_LOCK = "chengmai rollups"
# Rows of one key become one. In one statement: a reader sees the many or the one, never both and never neither. In order,
# so that the days of a trend lie side by side.
_COMPACT = (
    """
    WITH gone AS (
        DELETE FROM complaint_tally WHERE id IN (
            SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY district_id, unit_id) AS n FROM complaint_tally) k WHERE n > 1)
        RETURNING district_id, unit_id, total, not_located)
    INSERT INTO complaint_tally (district_id, unit_id, total, not_located)
    SELECT district_id, unit_id, sum(total), sum(not_located) FROM gone
     GROUP BY district_id, unit_id HAVING sum(total) <> 0 OR sum(not_located) <> 0
    """,
    """
    WITH gone AS (
        DELETE FROM complaint_day WHERE id IN (
            SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY kind, day, key_id) AS n FROM complaint_day) k WHERE n > 1)
        RETURNING day, kind, key_id, received, closed)
    INSERT INTO complaint_day (day, kind, key_id, received, closed)
    SELECT day, kind, key_id, sum(received), sum(closed) FROM gone
     GROUP BY day, kind, key_id HAVING sum(received) <> 0 OR sum(closed) <> 0
     ORDER BY kind, day
    """,
)
_EMPTY = "DELETE FROM complaint_tally", "DELETE FROM complaint_day"
_FILL = (
    """
    INSERT INTO complaint_tally (district_id, unit_id, total, not_located)
    SELECT district_id, unit_id, count(*), count(*) FILTER (WHERE located = 'not_located') FROM complaint GROUP BY 1, 2
    """,
    """
    INSERT INTO complaint_day (day, kind, key_id, received, closed)
    SELECT day, CASE WHEN grouping(unit_id) = 1 THEN 'district' ELSE 'unit' END,
           CASE WHEN grouping(unit_id) = 1 THEN district_id ELSE unit_id END, sum(received), sum(closed)
      FROM (SELECT (received_at AT TIME ZONE zone)::date AS day, district_id, unit_id, 1 AS received, 0 AS closed
              FROM complaint, counting_clock
             UNION ALL
            SELECT (closed_at AT TIME ZONE zone)::date, district_id, unit_id, 0, 1
              FROM complaint, counting_clock WHERE closed_at IS NOT NULL) seen
     GROUP BY GROUPING SETS ((day, district_id), (day, unit_id))
     ORDER BY 2, 1
    """,
)


def compact(session: Session) -> bool:
    """Put the differences together, so that readers add up few rows. False where somebody else is at it."""
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext(:lock))"), {"lock": _LOCK}):
        return False
    for statement in _COMPACT:
        session.execute(text(statement))
    return True


def rebuild(session: Session, zone: str) -> None:
    """Count everything anew, with days cut by `zone`. Complaints cannot change until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": _LOCK})
    session.execute(text("LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE"))
    clock = session.get_one(CountingClock, 1, populate_existing=True)
    clock.zone = zone
    session.flush()
    for statement in (*_EMPTY, *_FILL):
        session.execute(text(statement))


def adopt_zone(session: Session, zone: str) -> bool:
    """Make the rollups cut days by the city's zone; True where that meant to count anew."""
    if session.scalar(select(CountingClock.zone)) == zone:
        return False
    rebuild(session, zone)
    return True
