"""Changes made without signal: each is claimed once by its id, answered with one reply for ever, and never lost.

The claim is the first statement of the change's own transaction: a second copy of the same change, sent at the same
moment, waits there until the first is committed or undone, and then gets the first one's reply.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from gis import journal
from gis.inspections import canonical
from gis.inspections.rules import ChangeDiffers, Verdict
from gis.journal import Who
from gis.prepared import Prepared

KIND_MAX = 40
CONTENT = ("kind", "thing_id", "base_version", "at", "payload", "after")

_CLAIM = text(
    """
    INSERT INTO change (id, device_id, kind, sha256, body, verdict, reply, received_at)
    VALUES (:id, :device_id, :kind, :sha256, CAST(:body AS jsonb), :verdict, CAST(:reply AS jsonb), :now)
    ON CONFLICT (id) DO NOTHING RETURNING 1
    """
)
# The same for many, sent as one JSON parameter; in the order of their ids, so that two batches never wait in a ring.
_CLAIM_ALL = Prepared(
    """
    INSERT INTO change (id, device_id, kind, sha256, body, verdict, reply, received_at)
    SELECT c.id, :device_id, c.kind, c.sha256, c.body, c.verdict, c.reply, :now
      FROM json_to_recordset(CAST(:rows AS json)) AS c(id uuid, kind text, sha256 text, body jsonb, verdict text, reply jsonb)
     ORDER BY c.id
    ON CONFLICT (id) DO NOTHING RETURNING id
    """,
    rows="text",
    device_id="bigint",
    now="timestamptz",
)
_SETTLE = text("UPDATE change SET verdict = :verdict, reply = CAST(:reply AS jsonb) WHERE id = :id")
_KEPT = text("SELECT sha256, reply FROM change WHERE id = :id").columns(reply=JSONB)
_VARIANT = text(
    """
    INSERT INTO change_variant (change_id, device_id, sha256, body, received_at)
    VALUES (:id, :device_id, :sha256, CAST(:body AS jsonb), :now)
    ON CONFLICT (change_id, sha256) DO NOTHING RETURNING 1
    """
)
_MARK_SEEN = text(
    """
    UPDATE device SET last_seen_at = :now, queue_length = :queue_length
     WHERE id = :id AND (queue_length IS DISTINCT FROM :queue_length OR last_seen_at IS NULL OR last_seen_at < :stale)
    """
).bindparams(bindparam("queue_length"))


def content(raw: dict[str, Any]) -> Content:
    """The part of a sent change that its sha256 covers. Raises ValueError for numbers that JSON cannot say."""
    text = canonical.dumps({key: raw[key] for key in CONTENT if key in raw})
    return Content(text, hashlib.sha256(text.encode()).hexdigest())


@dataclass(frozen=True)
class Content:
    """What a change says, as canonical JSON, and the sha256 of that: the phone computes the same."""

    text: str
    sha256: str

    @property
    def storable(self) -> str:
        """The text as the database takes it: it cannot hold the character U+0000."""
        return self.text.replace("\\u0000", "\\ufffd")


def claim(
    session: Session, who: Who, change_id: UUID, kind: str, said: Content, verdict: Verdict, reply: dict[str, Any],
) -> bool:  # fmt: skip
    """Take a change's id for this content. False: it is taken, and `answer_again` says what to answer."""
    row = {
        "id": change_id, "device_id": who.device_id, "kind": kind[:KIND_MAX], "sha256": said.sha256, "now": who.now,
        "body": said.storable, "verdict": verdict, "reply": canonical.dumps(reply),
    }  # fmt: skip
    return session.scalar(_CLAIM, row) is not None


@dataclass(frozen=True)
class Claim:
    """A change that is to be applied, and the reply that it will have been given."""

    id: UUID
    kind: str
    said: Content
    reply: dict[str, Any]

    @property
    def row(self) -> str:
        """As JSON: what was said is canonical JSON already and is not written anew."""
        head = f'"id":"{self.id}","kind":"{self.kind}","sha256":"{self.said.sha256}","verdict":"{Verdict.APPLIED}"'
        return f'{{{head},"body":{self.said.storable},"reply":{canonical.dumps(self.reply)}}}'


def claim_all(session: Session, who: Who, claims: Sequence[Claim]) -> set[UUID]:
    """Take the ids of many changes in one statement; returns those that were free. The others have been answered before."""
    rows = "[" + ",".join(claim.row for claim in claims) + "]"
    free = _CLAIM_ALL.rows(session, rows=rows, device_id=who.device_id, now=who.now)
    return {UUID(str(row.id)) for row in free}


def settle(session: Session, change_id: UUID, verdict: Verdict, reply: dict[str, Any]) -> None:
    """Write down what a claimed change was answered with."""
    session.execute(_SETTLE, {"id": change_id, "verdict": verdict, "reply": canonical.dumps(reply)})


def answer_again(session: Session, who: Who, change_id: UUID, said: Content) -> dict[str, Any]:
    """The reply that this change was given. Raises ChangeDiffers, after keeping it, when the content is another."""
    kept = session.execute(_KEPT, {"id": change_id}).one()
    if kept.sha256 == said.sha256:
        reply: dict[str, Any] = kept.reply
        return reply
    row = {"id": change_id, "device_id": who.device_id, "sha256": said.sha256, "body": said.storable, "now": who.now}
    if session.scalar(_VARIANT, row) is not None:
        journal.write(session, who, "differ", "change", change_id)
        session.flush()
    raise ChangeDiffers()


def mark_seen(session: Session, who: Who, queue_length: int | None, stale: Any) -> None:
    """The device spoke, and said how many changes it still holds. Written only when that is news."""
    session.execute(_MARK_SEEN, {"id": who.device_id, "now": who.now, "queue_length": queue_length, "stale": stale})
