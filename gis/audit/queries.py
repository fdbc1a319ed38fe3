"""What is asked of the journal and its seals."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.audit.model import JournalCheck, JournalHead, JournalSeal
from gis.audit.rules import FORMAT

# The columns of `rules.COLUMNS`, in that order.
_COLUMNS = """
    txid::text, seq, (extract(epoch FROM at) * 1000000)::bigint, user_id, device_id, verb, thing, thing_id, version,
    area_id, unit_id, data::text
"""
_AFTER = text(
    f"""
    SELECT {_COLUMNS} FROM journal
     WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)
       AND txid < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY journal.txid, journal.seq LIMIT :limit
    """
)
_ALL = text(f"SELECT {_COLUMNS} FROM journal ORDER BY journal.txid, journal.seq")
_SEALS = text("SELECT n, rows, until_txid::text AS txid, until_seq AS seq, digests, hash FROM journal_seal ORDER BY n")
_WHERE = text("SELECT txid::text FROM journal WHERE seq = :seq")
_UNSEALED = text(
    """
    SELECT count(*) AS rows, min(j.at) AS oldest FROM journal j
     WHERE (j.txid, j.seq) > (SELECT until_txid, until_seq FROM journal_seal ORDER BY n DESC LIMIT 1)
        OR NOT EXISTS (SELECT 1 FROM journal_seal)
    """
)
CHUNK = 20_000


def rows_to_seal(session: Session, txid: str, seq: int, limit: int) -> list[Any]:
    """Which rows come after this cursor, and have their place for good?"""
    return list(session.execute(_AFTER, {"txid": txid, "seq": seq, "limit": limit}).all())


def last_seal(session: Session) -> JournalSeal | None:
    """Which is the newest seal?"""
    return session.scalars(select(JournalSeal).order_by(JournalSeal.n.desc()).limit(1)).one_or_none()


def all_rows(session: Session) -> Iterator[Any]:
    """Every row of the journal in cursor order, without holding them all in memory."""
    return iter(session.execute(_ALL, execution_options={"yield_per": CHUNK}))


def all_seals(session: Session) -> Iterator[Any]:
    """Every seal in order."""
    return iter(session.execute(_SEALS, execution_options={"yield_per": 20}))


def txid_of(session: Session, seq: int) -> str | None:
    """In which transaction does this row say it was written? None: there is no such row."""
    return session.scalar(_WHERE, {"seq": seq})


def sealed_rows(session: Session) -> int:
    """How many rows are sealed?"""
    return session.scalar(select(func.coalesce(func.sum(JournalSeal.rows), 0))) or 0


def unsealed(session: Session) -> dict[str, Any]:
    """How many rows wait for their seal, and since when?"""
    return dict(session.execute(_UNSEALED).mappings().one())


def heads(session: Session) -> list[JournalHead]:
    """Every head that was signed, oldest first."""
    return list(session.scalars(select(JournalHead).order_by(JournalHead.id)))


def last_head(session: Session) -> JournalHead | None:
    """Which head was signed last?"""
    return session.scalars(select(JournalHead).order_by(JournalHead.id.desc()).limit(1)).one_or_none()


def document(head: JournalHead) -> dict[str, Any]:
    """A head as an outsider holds it."""
    return {
        "format": FORMAT, "at": head.at.isoformat(), "seal": head.n, "rows": head.rows, "until": head.until,
        "hash": head.hash.hex(), "public_key": base64.b64encode(head.public_key).decode(),
        "signature": base64.b64encode(head.signature).decode(),
    }  # fmt: skip


def checks(session: Session, limit: int = 10) -> list[JournalCheck]:
    """What the last checks found, newest first."""
    return list(session.scalars(select(JournalCheck).order_by(JournalCheck.id.desc()).limit(limit)))
