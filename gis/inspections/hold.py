"""Changes that rest on something that has not arrived: kept, applied when it comes, refused visibly when it never does.

What a change waits for has a name: `change:<id>` (the change it names as its predecessor), `inspection:<id>`, `order:<id>`
(a newer version of it). The table holds a change beside its content's hash: two contents under one id both wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis import journal
from gis.inspections import canonical, changes
from gis.inspections.changes import Content
from gis.inspections.rules import Verdict
from gis.inspections.sync_rules import HOLD_DAYS, NeverCame, RetryHint
from gis.journal import Who

_HOLD = text(
    """
    INSERT INTO held_change (id, sha256, device_id, kind, body, waits_for, received_at, expires_at)
    VALUES (:id, :sha256, :device_id, :kind, CAST(:body AS jsonb), :waits_for, :now, :expires_at)
    ON CONFLICT (id, sha256) DO UPDATE SET waits_for = excluded.waits_for WHERE held_change.waits_for <> excluded.waits_for
    """
)
_FREE = text("DELETE FROM held_change WHERE id = :id AND sha256 = :sha256")
_RIPE = text(
    """
    SELECT id, sha256, device_id, kind, body FROM held_change
     WHERE waits_for = ANY(:names) ORDER BY received_at, id, sha256 LIMIT 500
    """
)
_OVER = text(
    "SELECT id, sha256, device_id, kind, body, waits_for FROM held_change WHERE expires_at <= :now ORDER BY expires_at LIMIT 500"
)
_ANSWERED = text("SELECT 1 FROM change WHERE id = :id")


def keep(session: Session, who: Who, change_id: UUID, kind: str, said: Content, waits_for: str) -> None:
    """Put a change aside until what it rests on has come. The same again changes nothing."""
    session.execute(_HOLD, {
        "id": change_id, "sha256": said.sha256, "device_id": who.device_id, "kind": kind[: changes.KIND_MAX],
        "body": said.storable, "waits_for": waits_for[:80], "now": who.now, "expires_at": who.now + timedelta(days=HOLD_DAYS),
    })  # fmt: skip


def free(session: Session, change_id: UUID, sha256: str) -> None:
    """It has been answered: it waits no more. In the transaction of the answer."""
    session.execute(_FREE, {"id": change_id, "sha256": sha256})


def ripe(session: Session, names: Iterable[str]) -> Sequence[RowMapping]:
    """Which changes waited for these things, in the order they came?"""
    return session.execute(_RIPE, {"names": sorted(set(names))}).mappings().all()


def answered(session: Session, change_id: UUID) -> bool:
    """Has this change been answered for good (applied, refused or in conflict)?"""
    return session.scalar(_ANSWERED, {"id": change_id}) is not None


def expire(session: Session, who: Who) -> list[UUID]:
    """Refuse what has waited too long: the phone is told when it asks, and the desk sees it among the refused."""
    ended = []
    for row in session.execute(_OVER, {"now": who.now}).all():
        error = NeverCame(days=HOLD_DAYS, waits_for=row.waits_for)
        reply: dict[str, Any] = {
            "id": str(row.id), "verdict": str(Verdict.REFUSED), "code": error.code, "retry": False,
            "hint": str(RetryHint.NEVER), "thing": None, "receipt": {"change_sha256": row.sha256, "parts": []},
        }  # fmt: skip
        by = Who(who.now, who.user_id, row.device_id)
        said = Content(canonical.dumps(row.body), row.sha256)
        changes.claim(session, by, row.id, row.kind, said, Verdict.REFUSED, reply)
        free(session, row.id, row.sha256)
        journal.write(session, by, "expire", "change", row.id)
        ended.append(row.id)
    session.flush()
    return ended
