"""Watching the clocks: yellow card, breach and the third time late, each told once; and pauses that end by themselves.

Asked by index, in small steps that skip what somebody is working on, so that a watch never stands in anybody's way.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import life
from gis.complaints.limits import City
from gis.complaints.model import Complaint
from gis.complaints.queries import OPEN_WORDS
from gis.journal import Who

STEP = 500  # so many of each kind in one go; the next watch goes on
ALARMS = ("warn", "breach", "late")
_OPEN = ", ".join(f"'{word}'" for word in OPEN_WORDS)
# The alarm that is due, and only where it has not rung. A later one rings alone: what is overdue is not warned any more.
_MAIN = text(
    f"""
    UPDATE complaint c SET alarm = due.alarm
      FROM (SELECT id, CASE WHEN late_at < :now THEN 3 WHEN resolve_by < :now THEN 2 ELSE 1 END AS alarm
              FROM complaint
             WHERE status IN ({_OPEN}) AND paused_at IS NULL
               AND ((alarm < 1 AND warn_at <= :now) OR (alarm < 2 AND resolve_by < :now)
                    OR (alarm = 2 AND late_at < :now))
             ORDER BY id LIMIT {STEP} FOR UPDATE SKIP LOCKED) due
     WHERE c.id = due.id
 RETURNING c.id, c.alarm, c.version, c.district_id, c.unit_id, c.resolve_by
    """
)
_FURTHER = text(
    f"""
    UPDATE complaint_deadline d SET alarm = due.alarm
      FROM (SELECT l.id, CASE WHEN l.due_at < :now THEN 2 ELSE 1 END AS alarm
              FROM complaint_deadline l JOIN complaint c ON c.id = l.complaint_id
             WHERE l.met_at IS NULL AND c.status IN ({_OPEN}) AND c.paused_at IS NULL
               AND ((l.alarm < 1 AND l.warn_at <= :now) OR (l.alarm < 2 AND l.due_at < :now))
             ORDER BY l.id LIMIT {STEP} FOR UPDATE OF l SKIP LOCKED) due, complaint c
     WHERE d.id = due.id AND c.id = d.complaint_id
 RETURNING c.id, d.alarm, c.version, c.district_id, c.unit_id, d.due_at AS resolve_by, d.measure
    """
)
_ENDED = text(
    f"""
    SELECT p.complaint_id FROM pause p JOIN complaint c ON c.id = p.complaint_id
     WHERE p.ended_at IS NULL AND p.until <= :now
     ORDER BY p.complaint_id LIMIT {STEP} FOR UPDATE OF c SKIP LOCKED
    """
)


def watch_deadlines(session: Session, who: Who, city: City) -> dict[str, int]:
    """Tell every alarm that is due now, once each, in the journal; how many of each. Safe to run twice or at once."""
    told: Counter[str] = Counter(resume=_resume_ended(session, who, city))
    for question in (_MAIN, _FURTHER):
        for row in session.execute(question, {"now": who.now}).mappings():
            verb = ALARMS[row["alarm"] - 1]
            measure = {"measure": row["measure"]} if "measure" in row else {}
            journal.write(
                session, who, verb, "complaint", row["id"], version=row["version"], area_id=row["district_id"],
                unit_id=row["unit_id"], resolve_by=row["resolve_by"].isoformat(), **measure,
            )  # fmt: skip
            told[verb] += 1
    session.flush()
    return {verb: told[verb] for verb in ("resume", *ALARMS)}


def _resume_ended(session: Session, who: Who, city: City) -> int:
    """Clocks whose stated end has come run again, from that end on and not from when it was noticed."""
    ids = list(session.scalars(_ENDED, {"now": who.now}))
    for complaint_id in ids:
        life.resume(session, who, session.get_one(Complaint, complaint_id), city=city, data={"note": ""})
    return len(ids)
