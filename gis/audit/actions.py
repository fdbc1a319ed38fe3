"""Sealing the journal behind its horizon, and signing the newest seal. Nobody who writes the journal waits for either."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.audit import queries
from gis.audit.check import Finding
from gis.audit.model import JournalCheck, JournalHead, JournalSeal
from gis.audit.rules import BLOCK, NOTHING, head_message, pack, seal_hash
from gis.journal import Who

SEALING = 8319_0002  # the advisory lock of whoever seals


@dataclass(frozen=True)
class Sealed:
    """How many rows were sealed; `more` when others are waiting."""

    rows: int
    more: bool


def seal(session: Session, who: Who, limit: int = BLOCK) -> Sealed:
    """Seal the next rows. Of two that seal at once the second waits for the first to commit, and goes on after it."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEALING})
    last = queries.last_seal(session)
    txid, seq = (str(last.until_txid), last.until_seq) if last else ("0", 0)
    rows = queries.rows_to_seal(session, txid, seq, limit)
    if not rows:
        return Sealed(0, False)
    n = last.n + 1 if last else 1
    digests = pack(rows)
    made = JournalSeal(
        n=n, rows=len(rows), until_txid=rows[-1][0], until_seq=rows[-1][1], digests=digests,
        hash=seal_hash(last.hash if last else NOTHING, n, digests), at=who.now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.expunge(made)  # a long run of seals must not stay in memory
    return Sealed(len(rows), len(rows) == limit)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public key as 32 bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(session: Session, who: Who, key: Ed25519PrivateKey) -> JournalHead | None:
    """Sign the newest seal. None when nothing is sealed yet."""
    last = queries.last_seal(session)
    if last is None:
        return None
    head = JournalHead(
        at=who.now, n=last.n, rows=queries.sealed_rows(session), until=f"{last.until_txid}.{last.until_seq}",
        hash=last.hash, public_key=public_bytes(key), signature=b"",
    )  # fmt: skip
    head.signature = key.sign(head_message(queries.document(head)))
    session.add(head)
    session.flush()
    return head


def keep_check(session: Session, who: Who, finding: Finding, took_s: float) -> JournalCheck:
    """Write down what a check found."""
    made = JournalCheck(
        at=who.now, user_id=who.user_id, rows=finding.rows, seals=finding.seals, heads=finding.heads,
        unsealed=finding.unsealed, broken_count=finding.broken_count, took_s=took_s,
        broken=[one.as_dict() for one in finding.broken],
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made
