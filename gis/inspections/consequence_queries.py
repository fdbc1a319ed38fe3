"""What is asked about records: events of units, contractors and persons, answers that are scored, rules, consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.inspections.consequence_model import Consequence, ConsequenceRule, ScoreWeight
from gis.inspections.consequence_rules import Counted, Event, Subject
from gis.inspections.finding_queries import OF_BUREAU
from gis.people.rules import Scope

PAGE = 50
# Whose record it is. A unit that did the works itself has a record as unit; a contractor of works that it did.
_WHOSE: dict[str, str] = {
    Subject.UNIT: "f.unit_id",
    Subject.CONTRACTOR: "f.contractor_id",
    Subject.PERSON: "f.user_id",
    Subject.WORKER: "f.worker_id",
}
_STANDS = "f.status <> 'withdrawn'"
_EVENTS: dict[str, str] = {
    Counted.BREACHES: f"""
        SELECT {{whose}} AS whose, 'finding:' || f.id AS key, f.severity, f.found_at AS at FROM finding f
         WHERE {_STANDS} AND f.found_at > :since AND f.found_at <= :until""",
    Counted.FAILED_REINSPECTIONS: f"""
        SELECT {{whose}} AS whose, 'reinspection:' || f.id || '.' || r.attempt AS key, f.severity, r.at
          FROM reinspection r JOIN finding f ON f.id = r.finding_id
         WHERE NOT r.passed AND {_STANDS} AND r.at > :since AND r.at <= :until""",
    Counted.STOP_WORKS: f"""
        SELECT {{whose}} AS whose, 'stop:' || x.id AS key, f.severity, x.stopped_at AS at
          FROM stop_work x JOIN finding f ON f.id = x.finding_id
         WHERE {_STANDS} AND x.stopped_at > :since AND x.stopped_at <= :until""",
    Counted.LATE: f"""
        SELECT {{whose}} AS whose, 'late:' || j.seq AS key, f.severity, j.at
          FROM journal j JOIN finding f ON f.id::text = j.thing_id
         WHERE j.thing = 'finding' AND j.verb = 'late' AND {_STANDS} AND j.at > :since AND j.at <= :until""",
    Counted.CLEAN_INSPECTIONS: f"""
        SELECT {{clean}} AS whose, 'clean:' || i.id AS key, 'serious' AS severity, i.received_at AS at
          FROM inspection i LEFT JOIN unit iu ON iu.id = i.unit_id LEFT JOIN site s ON s.id = i.site_id
         WHERE {OF_BUREAU} AND i.received_at > :since AND i.received_at <= :until
           AND EXISTS (SELECT FROM check_answer a WHERE a.inspection_id = i.id AND a.answer = 'yes')
           AND NOT EXISTS (SELECT FROM check_answer a WHERE a.inspection_id = i.id AND a.answer = 'no')""",
}
_CLEAN: dict[str, str] = {
    Subject.UNIT: "i.unit_id", Subject.CONTRACTOR: "coalesce(s.contractor_id, CASE WHEN iu.kind = 'contractor' THEN iu.id END)", Subject.PERSON: "NULL::bigint", Subject.WORKER: "NULL::bigint",
}  # fmt: skip


def events(session: Session, subject: str, measure: str, since: datetime, until: datetime) -> dict[int, list[Event]]:
    """What is on the record of each unit, contractor or person within a time, by whose it is?"""
    sql = _EVENTS[measure].format(whose=_WHOSE[subject], clean=_CLEAN[subject])
    question = text(f"SELECT * FROM ({sql}) e WHERE whose IS NOT NULL ORDER BY at, key")
    found: dict[int, list[Event]] = {}
    for row in session.execute(question, {"since": since, "until": until}):
        found.setdefault(row.whose, []).append(Event(row.key, measure, row.severity, row.at))
    return found


_USED = text(
    """
    SELECT coalesce(c.unit_id, c.user_id, c.worker_id) AS whose, b ->> 'key' AS key
      FROM consequence c, jsonb_array_elements(c.basis) b WHERE c.rule_id = :rule
    """
)


def used(session: Session, rule_id: int) -> dict[int, set[str]]:
    """Which events has this rule spoken of before, by whose they are?"""
    found: dict[int, set[str]] = {}
    for row in session.execute(_USED, {"rule": rule_id}):
        found.setdefault(row.whose, set()).add(row.key)
    return found


def unsettled(session: Session, rule_id: int) -> set[int]:
    """Of whom does this rule speak already, without an end?"""
    asked = text("""SELECT coalesce(unit_id, user_id, worker_id) FROM consequence
                     WHERE rule_id = :rule AND status IN ('proposed','in_force','appealed')""")
    return set(session.scalars(asked, {"rule": rule_id}))


def rules(session: Session, *, active: bool = False) -> list[ConsequenceRule]:
    """The written rules, in the order they were written."""
    asked = select(ConsequenceRule).order_by(ConsequenceRule.id)
    return list(session.scalars(asked.where(ConsequenceRule.active) if active else asked))


def weights(session: Session) -> dict[tuple[str, str], ScoreWeight]:
    """How much does which item weigh? Empty until the bureau says so."""
    return {(row.checklist_code, row.item_id): row for row in session.scalars(select(ScoreWeight))}


# --- consequences ----------------------------------------------------------------------------------------------------
# A unit sees what concerns it and its people, once it was decided; the bureau of a district, its people; units are the whole city's.
_INSIDE = """
    (CAST(:unit AS bigint) IS NULL OR (c.status NOT IN ('proposed','declined') AND :unit IN (c.unit_id, w.unit_id, k.unit_id)))
    AND (CAST(:area AS bigint) IS NULL OR c.user_id IS NULL OR w.area_id = :area)
"""
_ROW = """
    c.*, u.name AS unit, w.full_name AS person, k.name AS worker, k.trade, coalesce(w.unit_id, k.unit_id) AS person_unit_id,
    e.name AS person_unit, d.full_name AS decider, a.full_name AS appellant, q.full_name AS appeal_decider
      FROM consequence c LEFT JOIN unit u ON u.id = c.unit_id LEFT JOIN app_user w ON w.id = c.user_id
      LEFT JOIN site_worker k ON k.id = c.worker_id
      LEFT JOIN unit e ON e.id = coalesce(w.unit_id, k.unit_id) LEFT JOIN app_user d ON d.id = c.decided_by
      LEFT JOIN app_user a ON a.id = c.appealed_by LEFT JOIN app_user q ON q.id = c.appeal_decided_by
"""


def _bounds(scope: Scope) -> dict[str, Any]:
    return {"area": scope.area_id, "unit": scope.unit_id}


_LISTED = text(
    f"""
    SELECT {_ROW} WHERE {_INSIDE} AND (CAST(:status AS text) = '' OR c.status = :status)
       AND (CAST(:kind AS text) = '' OR c.kind = :kind)
     ORDER BY c.status <> 'appealed', c.status <> 'proposed', c.id DESC LIMIT :limit OFFSET :offset
    """
)
_COUNTED = text(f"""SELECT count(*) FROM consequence c LEFT JOIN app_user w ON w.id = c.user_id
    LEFT JOIN site_worker k ON k.id = c.worker_id WHERE {_INSIDE}
    AND (CAST(:status AS text) = '' OR c.status = :status) AND (CAST(:kind AS text) = '' OR c.kind = :kind)""")


def listed(
    session: Session, scope: Scope, *, status: str = "", kind: str = "", page: int = 1
) -> tuple[int, Sequence[RowMapping]]:
    """How many consequences are there, what waits for a decision first, and which are on this page?"""
    given = _bounds(scope) | {"status": status, "kind": kind}
    total = int(session.scalar(_COUNTED, given) or 0)
    rows = session.execute(_LISTED, given | {"limit": PAGE, "offset": (page - 1) * PAGE})
    return total, rows.mappings().all()


_SHOWN = text(f"SELECT {_ROW} WHERE c.id = :id AND {_INSIDE}")


def shown(session: Session, scope: Scope, consequence_id: int) -> RowMapping:
    """Everything about one consequence, or Missing."""
    row = session.execute(_SHOWN, _bounds(scope) | {"id": consequence_id}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="consequence", id=consequence_id)
    return row


def for_change(session: Session, scope: Scope, consequence_id: int) -> Consequence:
    """The consequence itself, locked, or Missing."""
    shown(session, scope, consequence_id)
    return session.get_one(Consequence, consequence_id, with_for_update=True, populate_existing=True)


def expired(session: Session, now: datetime) -> list[Consequence]:
    """Which are in force beyond their end? Those that somebody holds are skipped: the next look finds them."""
    asked = select(Consequence).where(Consequence.status.in_(("in_force", "appealed")), Consequence.ends_at <= now)
    asked = asked.order_by(Consequence.id).limit(500).with_for_update(skip_locked=True)
    return list(session.scalars(asked, execution_options={"populate_existing": True}))


_BASIS = text(
    """
    SELECT f.id, f.item_id, f.item_zh, f.item_en, f.severity, f.status, f.found_at, coalesce(s.name, k.place) AS place
      FROM finding f LEFT JOIN site s ON s.id = f.site_id LEFT JOIN work_order o ON o.id = f.order_id
      LEFT JOIN complaint k ON k.id = o.complaint_id WHERE f.id = ANY(:ids) ORDER BY f.found_at, f.id
    """
)


def findings_of(session: Session, basis: Sequence[Mapping[str, Any]]) -> Sequence[RowMapping]:
    """The findings that a basis speaks of, for people to look at."""
    numbers = [
        int(str(e["key"]).split(":")[1].split(".")[0])
        for e in basis
        if str(e["key"]).startswith(("finding:", "reinspection:"))
    ]
    return session.execute(_BASIS, {"ids": numbers}).mappings().all() if numbers else []


# --- results of a period ---------------------------------------------------------------------------------------------
_ANSWERED = text(
    f"""
    SELECT i.id::text AS inspection, i.checklist_code AS code, a.item_id AS item, a.answer, i.unit_id,
           coalesce(s.contractor_id, CASE WHEN cu.kind = 'contractor' THEN cu.id WHEN iu.kind = 'contractor' THEN iu.id END)
             AS contractor_id
      FROM inspection i JOIN check_answer a ON a.inspection_id = i.id LEFT JOIN site s ON s.id = i.site_id LEFT JOIN unit iu ON iu.id = i.unit_id
      LEFT JOIN work_order o ON o.id = i.order_id LEFT JOIN crew c ON c.id = o.crew_id LEFT JOIN unit cu ON cu.id = c.unit_id
     WHERE {OF_BUREAU} AND i.received_at >= :since AND i.received_at < :until
       AND a.answer IN ('yes','no')
    """
)
_RECORD = text(
    """
    SELECT f.unit_id, f.contractor_id, f.user_id, f.severity, f.status, f.failed_times, f.rectify_by, f.id,
           EXISTS (SELECT FROM stop_work x WHERE x.finding_id = f.id) AS stopped,
           EXISTS (SELECT FROM rectification r WHERE r.finding_id = f.id AND r.late) OR f.late_at IS NOT NULL AS late
      FROM finding f WHERE f.status <> 'withdrawn' AND f.found_at >= :since AND f.found_at < :until
    """
)


def answered(session: Session, since: datetime, until: datetime) -> Sequence[RowMapping]:
    """What was answered yes or no in the bureau's inspections of a period, and whose it is?"""
    return session.execute(_ANSWERED, {"since": since, "until": until}).mappings().all()


def record(session: Session, since: datetime, until: datetime) -> Sequence[RowMapping]:
    """The breaches of a period: the findings that stand, with what became of them."""
    return session.execute(_RECORD, {"since": since, "until": until}).mappings().all()
