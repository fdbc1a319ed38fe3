"""What phones without rights deliver: kept apart as it came, until a person at the desk releases or discards it.

A phone that was signed off may still hold a day's work. It can hand that in and read nothing; the same door takes the file
that a phone writes when nothing else works any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import BadInput, Missing
from gis.inspections import change_queries, changes
from gis.inspections.changes import Content
from gis.inspections.sync_model import QuarantinedChange
from gis.inspections.sync_rules import QUARANTINE_MOST, QuarantineFull, QuarantineSource, QuarantineState
from gis.journal import Who
from gis.people.rules import Scope

REASON_MAX = 500

# A change that was answered before the phone was signed off is not kept again: it is there.
_KEEP = text(
    """
    INSERT INTO quarantined_change (change_id, sha256, device_id, source, kind, body, received_at)
    SELECT :id, :sha256, :device_id, :source, :kind, CAST(:body AS jsonb), :now
     WHERE NOT EXISTS (SELECT FROM change WHERE id = :id AND sha256 = :sha256)
    ON CONFLICT (change_id, sha256) DO NOTHING RETURNING id
    """
)
_MANY = text("SELECT count(*) FROM quarantined_change WHERE device_id = :device_id AND state = 'waiting'")
_NAMED = text(
    """
    SELECT 1 WHERE EXISTS (SELECT FROM quarantined_change WHERE device_id = :device_id
       AND body -> 'payload' -> 'photos' @> jsonb_build_array(jsonb_build_object('sha256', CAST(:sha256 AS text))))
        OR EXISTS (SELECT FROM awaited_photo a JOIN inspection i ON i.id = a.inspection_id
                     JOIN device d ON d.user_id = i.inspector_id WHERE a.sha256 = :sha256 AND d.id = :device_id)
    """
)


def deliver(session: Session, who: Who, sent: Sequence[tuple[UUID, str, Content]], source: QuarantineSource) -> int:
    """Keep changes apart; returns how many are new. Raises QuarantineFull: a stolen phone must not fill the house."""
    if int(session.scalar(_MANY, {"device_id": who.device_id}) or 0) + len(sent) > QUARANTINE_MOST:
        raise QuarantineFull()
    new = 0
    for change_id, kind, said in sent:
        row = {
            "id": change_id, "sha256": said.sha256, "device_id": who.device_id, "source": source,
            "kind": kind[: changes.KIND_MAX], "body": said.storable, "now": who.now,
        }  # fmt: skip
        new += session.scalar(_KEEP, row) is not None
    if new:
        journal.write(session, who, "quarantine", "device", who.device_id, changes=new, source=str(source))
        session.flush()
    return new


def names_photo(session: Session, device_id: int | None, sha256: str) -> bool:
    """Does a change that this phone delivered, now or before, name this photo? Only such photos are taken."""
    return session.scalar(_NAMED, {"device_id": device_id, "sha256": sha256}) is not None


def to_decide(session: Session, scope: Scope, kept_id: int) -> QuarantinedChange:
    """A change that still waits for a decision, locked. Raises Missing, also when somebody was faster."""
    if change_queries.quarantined(session, scope, kept_id) is None:
        raise Missing(thing="change", id=kept_id)
    row = session.get_one(QuarantinedChange, kept_id, with_for_update=True, populate_existing=True)
    if row.state != QuarantineState.WAITING:
        raise Missing(thing="change", id=kept_id)
    return row


def decide(
    session: Session, who: Who, row: QuarantinedChange, state: QuarantineState, reason: str,
    outcome: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write down what was decided, why, and what came of it."""
    reason = reason.strip()
    if len(reason) > REASON_MAX or (state == QuarantineState.DISCARDED and not reason):
        raise BadInput(reason="reason")
    row.state, row.reason, row.decided_at, row.decided_by = state, reason, who.now, who.user_id
    if outcome is not None:
        row.outcome = outcome
    session.flush()
    verb = "release" if state == QuarantineState.RELEASED else "discard"
    journal.write(session, who, verb, "change", row.change_id, device_id=row.device_id, reason=reason)
    session.flush()
