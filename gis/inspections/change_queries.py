"""What is asked about the changes that phones sent: which came twice, wait, were not applied, or are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.people.rules import Scope


def _bounds(scope: Scope) -> dict[str, Any]:
    return {"area": scope.area_id, "unit": scope.unit_id}


# Changes belong to the people who sent them: somebody bound to an area sees those of people bound to it.
_SENDER_INSIDE = """
    (CAST(:area AS bigint) IS NULL OR p.area_id IN (
        WITH RECURSIVE inside AS (SELECT CAST(:area AS bigint) AS id
            UNION SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside))
    AND (CAST(:unit AS bigint) IS NULL OR p.unit_id = :unit)
"""
_CONFLICTS = f"""
    SELECT v.id, v.change_id, v.received_at, v.reviewed_at, r.full_name AS reviewer, h.kind, h.verdict, h.body AS kept,
           h.received_at AS kept_at, v.body AS came, p.full_name AS sender, d.name AS device, q.full_name AS came_from,
           i.id AS inspection_id
      FROM change_variant v JOIN change h ON h.id = v.change_id
      JOIN device d ON d.id = h.device_id JOIN app_user p ON p.id = d.user_id
      JOIN device e ON e.id = v.device_id JOIN app_user q ON q.id = e.user_id
      LEFT JOIN app_user r ON r.id = v.reviewed_by
      LEFT JOIN inspection i ON i.id::text = h.body #>> '{{payload,inspection_id}}'
     WHERE {_SENDER_INSIDE}
"""
_CONFLICTS_WAITING = text(f"""{_CONFLICTS} AND (:all OR v.reviewed_at IS NULL)
     ORDER BY v.reviewed_at IS NOT NULL, v.received_at DESC, v.id LIMIT 200""")
_ONE_CONFLICT = text(f"{_CONFLICTS} AND v.id = :id")


def conflicts(session: Session, scope: Scope, *, reviewed_too: bool = False) -> Sequence[RowMapping]:
    """Which changes came twice under one id with different contents, and wait for somebody to look?"""
    return session.execute(_CONFLICTS_WAITING, _bounds(scope) | {"all": reviewed_too}).mappings().all()


def conflict_in_scope(session: Session, scope: Scope, variant_id: int) -> bool:
    """May this person see this pair?"""
    return session.execute(_ONE_CONFLICT, _bounds(scope) | {"id": variant_id}).first() is not None


_REFUSED = text(
    f"""
    SELECT h.id, h.kind, h.verdict, h.body, h.reply, h.received_at, p.full_name AS sender, d.name AS device
      FROM change h JOIN device d ON d.id = h.device_id JOIN app_user p ON p.id = d.user_id
     WHERE h.verdict IN ('conflict', 'refused') AND h.reply ->> 'code' IS DISTINCT FROM 'fields_differ' AND {_SENDER_INSIDE}
     ORDER BY h.received_at DESC, h.id LIMIT 100
    """
)


def not_applied(session: Session, scope: Scope) -> Sequence[RowMapping]:
    """Which changes of phones were not applied, newest first?"""
    return session.execute(_REFUSED, _bounds(scope)).mappings().all()


_HELD = text(
    f"""
    SELECT h.id, h.kind, h.body, h.waits_for, h.received_at, h.expires_at, p.full_name AS sender, d.name AS device
      FROM held_change h JOIN device d ON d.id = h.device_id JOIN app_user p ON p.id = d.user_id
     WHERE {_SENDER_INSIDE} ORDER BY h.received_at DESC, h.id LIMIT 100
    """
)


def held(session: Session, scope: Scope) -> Sequence[RowMapping]:
    """Which changes wait for something that has not arrived, newest first?"""
    return session.execute(_HELD, _bounds(scope)).mappings().all()


_QUARANTINED = f"""
    SELECT q.id, q.change_id, q.kind, q.body, q.source, q.received_at, q.state, q.decided_at, q.reason, q.outcome,
           p.full_name AS sender, d.name AS device, d.id AS device_id, d.revoked_at, r.full_name AS decider,
           (SELECT count(*) FROM jsonb_array_elements(q.body #> '{{payload,photos}}') f
             WHERE NOT EXISTS (SELECT FROM photo x WHERE x.sha256 = f ->> 'sha256')) AS photos_missing,
           coalesce(s.name, c.place, '') AS place
      FROM quarantined_change q JOIN device d ON d.id = q.device_id JOIN app_user p ON p.id = d.user_id
      LEFT JOIN app_user r ON r.id = q.decided_by
      LEFT JOIN site s ON s.id::text = q.body #>> '{{payload,site_id}}'
      LEFT JOIN work_order o ON o.id::text = coalesce(q.body #>> '{{payload,order_id}}',
           CASE WHEN q.kind LIKE 'order.%' THEN q.body ->> 'thing_id' END)
      LEFT JOIN complaint c ON c.id = o.complaint_id
     WHERE {_SENDER_INSIDE}
"""
_QUARANTINE = text(f"""{_QUARANTINED} AND (:all OR q.state = 'waiting')
     ORDER BY q.state <> 'waiting', q.received_at DESC, q.id LIMIT 300""")
_ONE_QUARANTINED = text(f"{_QUARANTINED} AND q.id = :id")


def quarantine(session: Session, scope: Scope, *, decided_too: bool = False) -> Sequence[RowMapping]:
    """Which changes of phones that were signed off (or out of files) wait for a person to decide?"""
    return session.execute(_QUARANTINE, _bounds(scope) | {"all": decided_too}).mappings().all()


def quarantined(session: Session, scope: Scope, row_id: int) -> RowMapping | None:
    """One of them, if its sender is within the scope."""
    return session.execute(_ONE_QUARANTINED, _bounds(scope) | {"id": row_id}).mappings().one_or_none()
