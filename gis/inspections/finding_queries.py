"""What is asked about findings and stopped works. Every question that returns rows narrows by the scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.dispatch.crew_search import areas_within
from gis.errors import Missing
from gis.inspections.finding_model import Finding, RectifyRule, SeverityRule, StopWork
from gis.inspections.finding_rules import AWAITING_UNIT, LIVE, RECTIFY, FindingStatus
from gis.inspections.model import Photo
from gis.people.model import User
from gis.people.rules import Scope

PAGE = 50
# Whom a finding is shown to: the bureau within its area; a unit what it answers for or built, once it is sent; a crew its own unit's.
_INSIDE = """
    (CAST(:within AS bigint[]) IS NULL OR f.area_id = ANY(:within))
    AND (CAST(:unit AS bigint) IS NULL OR (:unit IN (f.unit_id, f.contractor_id) AND f.sent_at IS NOT NULL))
    AND (CAST(:crew AS bigint) IS NULL OR (f.sent_at IS NOT NULL AND EXISTS (
         SELECT FROM crew c WHERE c.id = :crew AND c.unit_id IN (f.unit_id, f.contractor_id))))
"""


def bounds(session: Session, scope: Scope) -> dict[str, Any]:
    """The parameters that every question of this room narrows by."""
    inner = areas_within(session, scope.area_id) if scope.area_id is not None else None
    return {"within": inner, "unit": scope.unit_id, "crew": scope.crew_id}


def rules(session: Session) -> dict[str, RectifyRule]:
    """How findings of each severity are dealt with; what the bureau has not changed is the house's own."""
    stored = {row.severity: row for row in session.scalars(select(RectifyRule))}
    return {code: stored.get(code) or RectifyRule(version=1, **vars(seed)) for code, seed in RECTIFY.items()}


def severities(session: Session, code: str) -> dict[str, str]:
    """Which severity has the bureau given to which item of a checklist?"""
    asked = select(SeverityRule.item_id, SeverityRule.severity).where(SeverityRule.checklist_code == code)
    return {row.item_id: row.severity for row in session.execute(asked)}


def severity_rows(session: Session) -> dict[tuple[str, str], SeverityRule]:
    """The bureau's own severities, by checklist and item."""
    return {(row.checklist_code, row.item_id): row for row in session.scalars(select(SeverityRule))}


# The bureau's own check: not a self-inspection of a unit, and not what a crew files about its own work.
OF_BUREAU = "NOT i.is_self AND (SELECT p.role <> 'crew' FROM app_user p WHERE p.id = i.inspector_id)"
_FAILED = text(
    f"""
    SELECT i.checklist_code, i.checklist_revision, i.site_id, i.order_id, i.unit_id, i.inspector_id, i.received_at, a.item_id, a.answer, a.note,
           coalesce(item.pledge_no, 0) AS pledge_no, f.id AS finding_id, f.status, f.last_words,
           coalesce(i.area_id, (SELECT x.id FROM area x WHERE ST_Covers(x.geom, s.geom) ORDER BY ST_Area(x.geom), x.id LIMIT 1))
             AS area_id,
           coalesce(s.contractor_id, CASE WHEN cu.kind = 'contractor' THEN cu.id WHEN su.kind = 'contractor' THEN su.id END) AS contractor_id,
           coalesce(s.synthetic, k.synthetic, false) AS synthetic
      FROM inspection i JOIN check_answer a ON a.inspection_id = i.id
      LEFT JOIN finding f ON f.inspection_id = i.id AND f.item_id = a.item_id
      LEFT JOIN checklist l ON l.code = i.checklist_code AND l.revision = i.checklist_revision
      LEFT JOIN LATERAL (SELECT CAST(e ->> 'pledge_no' AS integer) AS pledge_no
           FROM jsonb_array_elements(l.items) e WHERE e ->> 'id' = a.item_id LIMIT 1) item ON true
      LEFT JOIN site s ON s.id = i.site_id LEFT JOIN unit su ON su.id = s.unit_id
      LEFT JOIN work_order o ON o.id = i.order_id LEFT JOIN complaint k ON k.id = o.complaint_id
      LEFT JOIN crew c ON c.id = o.crew_id LEFT JOIN unit cu ON cu.id = c.unit_id
     WHERE i.id = :id AND {OF_BUREAU} AND (a.answer = 'no' OR f.id IS NOT NULL) ORDER BY a.item_id
    """
)


def failed_items(session: Session, inspection_id: UUID) -> Sequence[RowMapping]:
    """Which items of an inspection of the bureau failed, or have a finding already? None of a self-inspection."""
    return session.execute(_FAILED, {"id": inspection_id}).mappings().all()


_ONE = f"SELECT f.id FROM finding f WHERE f.id = :id AND {_INSIDE}"
_LOCK = text(f"{_ONE} FOR UPDATE OF f")


def finding_for_change(session: Session, scope: Scope, finding_id: int) -> Finding:
    """The finding itself, locked, or Missing."""
    found = session.scalar(_LOCK, bounds(session, scope) | {"id": finding_id})
    if found is None:
        raise Missing(thing="finding", id=finding_id)
    return session.get_one(Finding, found, populate_existing=True)


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; an empty field narrows nothing. `state` is a status, `live`, `late` or `stopped`."""

    unit: tuple[int, ...] = ()
    district: tuple[int, ...] = ()
    pledge: int | None = None
    severity: str = ""
    state: str = ""
    due_before: datetime | None = None


_ROW = """
    f.*, u.name AS unit, n.name AS contractor, p.full_name AS inspector, w.full_name AS person, k.name AS worker, a.name AS area,
    coalesce(s.name, c.place) AS place, c.hotline_no, o.order_no, i.checklist_code, x.id AS stop_id, x.stop_no,
    (SELECT r.user_id FROM rectification r WHERE r.finding_id = f.id ORDER BY r.attempt DESC LIMIT 1) AS answered_by,
    f.status IN ('sent','signed','failed') AND f.rectify_by < :now AS late
      FROM finding f JOIN inspection i ON i.id = f.inspection_id JOIN app_user p ON p.id = f.inspector_id
      LEFT JOIN unit u ON u.id = f.unit_id LEFT JOIN unit n ON n.id = f.contractor_id
      LEFT JOIN app_user w ON w.id = f.user_id LEFT JOIN site_worker k ON k.id = f.worker_id LEFT JOIN area a ON a.id = f.area_id LEFT JOIN site s ON s.id = f.site_id
      LEFT JOIN work_order o ON o.id = f.order_id LEFT JOIN complaint c ON c.id = o.complaint_id
      LEFT JOIN stop_work x ON x.site_id = f.site_id AND x.lifted_at IS NULL
"""
_NARROWED = f"""
     WHERE {_INSIDE}
       AND (CAST(:units AS bigint[]) IS NULL OR f.unit_id = ANY(:units) OR f.contractor_id = ANY(:units))
       AND (CAST(:districts AS bigint[]) IS NULL OR f.area_id = ANY(:districts))
       AND (CAST(:pledge AS integer) IS NULL OR f.pledge_no = :pledge)
       AND (CAST(:severity AS text) = '' OR f.severity = :severity)
       AND (CAST(:states AS text[]) IS NULL OR f.status = ANY(:states))
       AND (NOT :late_only OR (f.status IN ('sent','signed','failed') AND f.rectify_by < :now))
       AND (NOT :stopped_only OR EXISTS (SELECT FROM stop_work y WHERE y.site_id = f.site_id AND y.lifted_at IS NULL))
       AND (CAST(:due_before AS timestamptz) IS NULL OR (f.status IN ('sent','signed','failed') AND f.rectify_by < :due_before))
"""
_LISTED = text(
    f"""SELECT {_ROW} {_NARROWED}
     ORDER BY late DESC, f.ended_at IS NOT NULL, f.rectify_by NULLS FIRST, f.id DESC LIMIT :limit OFFSET :offset"""
)
_COUNTED = text(f"SELECT count(*) FROM finding f {_NARROWED}")


def listed(
    session: Session, scope: Scope, now: datetime, wanted: Wanted, page: int = 1
) -> tuple[int, Sequence[RowMapping]]:
    """How many findings are there, the late ones first, and which are on this page?"""
    states = {"live": sorted(LIVE), "": None, "late": None, "stopped": None}.get(wanted.state, [wanted.state])
    districts = {i for district in wanted.district for i in areas_within(session, district)}
    given = bounds(session, scope) | {
        "now": now, "units": list(wanted.unit) or None, "districts": sorted(districts) if wanted.district else None,
        "pledge": wanted.pledge, "severity": wanted.severity, "states": states, "due_before": wanted.due_before,
        "late_only": wanted.state == "late", "stopped_only": wanted.state == "stopped",
    }  # fmt: skip
    total = int(session.scalar(_COUNTED, given) or 0)
    rows = session.execute(_LISTED, given | {"limit": PAGE, "offset": (page - 1) * PAGE})
    return total, rows.mappings().all()


_SHOWN = text(f"SELECT {_ROW} WHERE f.id = :id AND {_INSIDE}")


def shown(session: Session, scope: Scope, now: datetime, finding_id: int) -> RowMapping:
    """Everything about one finding but its answers and photos, or Missing."""
    row = session.execute(_SHOWN, bounds(session, scope) | {"id": finding_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="finding", id=finding_id)
    return row


_PHOTOS = text(
    """
    SELECT t.part, t.attempt, t.sha256, t.taken_at, p.file_name FROM finding_photo t JOIN photo p USING (sha256)
     WHERE t.finding_id = :id ORDER BY t.attempt, t.part, t.taken_at, t.sha256
    """
)
_ATTEMPTS = text(
    """
    SELECT r.attempt, r.at, r.note, r.late, u.full_name AS by_name, q.at AS checked_at, q.passed, q.note AS checked_note,
           v.full_name AS checked_by
      FROM rectification r LEFT JOIN app_user u ON u.id = r.user_id
      LEFT JOIN reinspection q ON q.finding_id = r.finding_id AND q.attempt = r.attempt LEFT JOIN app_user v ON v.id = q.user_id
     WHERE r.finding_id = :id ORDER BY r.attempt
    """
)


def photos(session: Session, finding_id: int) -> Sequence[RowMapping]:
    """Which photos belong to a finding, and what does each show?"""
    return session.execute(_PHOTOS, {"id": finding_id}).mappings().all()


def attempts(session: Session, finding_id: int) -> Sequence[RowMapping]:
    """How was it answered, and what came of each re-inspection?"""
    return session.execute(_ATTEMPTS, {"id": finding_id}).mappings().all()


_PHOTO = text(f"""SELECT 1 FROM finding f JOIN finding_photo t ON t.finding_id = f.id
                   WHERE t.sha256 = :sha256 AND {_INSIDE} LIMIT 1""")


def photo_in_scope(session: Session, scope: Scope, sha256: str) -> Photo | None:
    """The photo, if it belongs to a finding that is in the scope."""
    if session.scalar(_PHOTO, bounds(session, scope) | {"sha256": sha256}) is None:
        return None
    return session.get(Photo, sha256)


def of_inspection(session: Session, scope: Scope, inspection_id: UUID) -> dict[str, RowMapping]:
    """The findings of an inspection by item."""
    question = text(
        f"SELECT f.id, f.item_id, f.status, f.severity FROM finding f WHERE f.inspection_id = :id AND {_INSIDE}"
    )
    rows = session.execute(question, bounds(session, scope) | {"id": inspection_id}).mappings()
    return {row["item_id"]: row for row in rows}


_TO_REINSPECT = text(
    f"""
    SELECT {_ROW} WHERE {_INSIDE} AND f.status = 'rectified' AND (CAST(:own AS bigint) IS NULL OR (:own NOT IN (f.unit_id, coalesce(f.contractor_id, 0))
            AND EXISTS (SELECT FROM unit y WHERE y.id = :own AND y.kind = 'bureau')))
       AND NOT EXISTS (SELECT FROM rectification r WHERE r.finding_id = f.id AND r.attempt = f.failed_times + 1
                          AND r.user_id = :user)
     ORDER BY f.rectify_by, f.id LIMIT 500
    """
)
_TO_RECTIFY = text(
    f"SELECT {_ROW} WHERE {_INSIDE} AND f.status IN ('sent','signed','failed') ORDER BY f.rectify_by, f.id LIMIT 500"
)


def for_phone(
    session: Session, scope: Scope, now: datetime, user_id: int, own_unit: int | None
) -> list[Mapping[str, Any]]:
    """What does a phone carry: of an inspector, what waits for a re-inspection that is theirs to make; of a crew, what its unit owes?"""
    given = bounds(session, scope) | {"now": now, "user": user_id, "own": own_unit}
    rows = session.execute(_TO_RECTIFY if scope.crew_id is not None else _TO_REINSPECT, given).mappings().all()
    return [dict(row) for row in rows]


def people_of(session: Session, finding: Mapping[str, Any]) -> list[User]:
    """Who could be named as the person: those who work for the unit or the contractor."""
    units = [u for u in (finding["unit_id"], finding["contractor_id"]) if u is not None]
    asked = select(User).where(User.unit_id.in_(units), User.active).order_by(User.full_name, User.id)
    return list(session.scalars(asked)) if units else []


_ON_SITE = text("""SELECT DISTINCT m.id, m.name, m.trade FROM site_presence e JOIN site_worker m ON m.id = e.worker_id
                    WHERE e.site_id = :site ORDER BY m.trade, m.id""")


def on_site(session: Session, site_id: int | None) -> dict[int, RowMapping]:
    """Who is or was on the site, by number: a person of the contractor may be whose doing it was."""
    return {row["id"]: row for row in session.execute(_ON_SITE, {"site": site_id}).mappings()}


# --- stopped works ---------------------------------------------------------------------------------------------------
_STOPS = """
    SELECT x.*, s.name AS site, u.name AS unit, n.name AS contractor, f.item_zh, f.item_en, f.severity, f.pledge_no, f.found_at,
           f.rectify_by, f.note AS found_note, b.full_name AS stopped_by_name, l.full_name AS lifted_by_name
      FROM stop_work x JOIN site s ON s.id = x.site_id JOIN unit u ON u.id = x.unit_id JOIN finding f ON f.id = x.finding_id
      LEFT JOIN unit n ON n.id = x.contractor_id LEFT JOIN app_user b ON b.id = x.stopped_by
      LEFT JOIN app_user l ON l.id = x.lifted_by
"""


def stops_of(session: Session, site_id: int) -> Sequence[RowMapping]:
    """When were the works at a site stopped, and lifted again?"""
    return session.execute(text(f"{_STOPS} WHERE x.site_id = :id ORDER BY x.id DESC"), {"id": site_id}).mappings().all()


def stop_shown(session: Session, scope: Scope, stop_id: int) -> RowMapping:
    """One order to stop works, or Missing."""
    question = text(f"{_STOPS} WHERE x.id = :id AND {_INSIDE}")
    row = session.execute(question, bounds(session, scope) | {"id": stop_id}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="stop_work", id=stop_id)
    return row


def standing_stop(session: Session, site_id: int) -> StopWork | None:
    """The order that stops the works at a site now."""
    return session.scalar(select(StopWork).where(StopWork.site_id == site_id, StopWork.lifted_at.is_(None)))


def watched(session: Session, now: datetime, *, limit: int = 5000) -> list[Finding]:
    """Findings that wait for their unit, beyond their limit or with a limit to come, locked: those another worker holds are skipped."""
    asked = (
        select(Finding)
        .where(Finding.status.in_(sorted(AWAITING_UNIT)), Finding.escalated_at.is_(None))
        .order_by(Finding.rectify_by, Finding.id).limit(limit).with_for_update(skip_locked=True)
    )  # fmt: skip
    return list(session.scalars(asked, execution_options={"populate_existing": True}))


OPEN_STATES: tuple[str, ...] = ("live", "late", "stopped", *FindingStatus)
