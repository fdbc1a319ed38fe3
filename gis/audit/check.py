"""The whole journal against its seals, and the heads against both. Names the first row that is not as it was sealed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from gis.audit import queries
from gis.audit.rules import NOTHING, Broken, Damage, compare, head_message, pack, seal_hash

TOLD = 20  # so many broken things are named; the rest is counted


@dataclass
class Finding:
    """What a check found. `broken` is in the order of the journal: its first is the first broken row."""

    rows: int = 0
    seals: int = 0
    heads: int = 0
    unsealed: int = 0
    broken: list[Broken] = field(default_factory=list)
    broken_count: int = 0

    @property
    def ok(self) -> bool:
        return self.broken_count == 0

    def tell(self, found: Iterable[Broken]) -> None:
        for one in found:
            self.broken_count += 1
            if len(self.broken) < TOLD:
                self.broken.append(one)

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "rows": self.rows, "seals": self.seals, "heads": self.heads, "unsealed": self.unsealed,
            "broken_count": self.broken_count, "first": self.broken[0].as_dict() if self.broken else None,
            "broken": [one.as_dict() for one in self.broken],
        }  # fmt: skip


class _Rows:
    """The journal, taken piece by piece up to a cursor."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def until(self, txid: int, seq: int) -> list[Any]:
        taken: list[Any] = []
        while self._next is not None and (int(self._next[0]), self._next[1]) <= (txid, seq):
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken

    def rest(self) -> int:
        count = 0
        while self._next is not None:
            count += 1
            self._next = next(self._rows, None)
        return count


def check(session: Session, known_keys: Sequence[bytes], held: Sequence[dict[str, Any]] = ()) -> Finding:
    """Check everything in one snapshot (the caller's transaction should be repeatable read).

    `known_keys` are the public keys we trust; `held` are heads that somebody kept outside.
    """
    finding = Finding()
    hashes: dict[int, tuple[str, int]] = {}
    rows = _Rows(queries.all_rows(session))
    before, expected_n = NOTHING, 1
    for seal in queries.all_seals(session):
        digests = bytes(seal.digests)
        found = rows.until(int(seal.txid), seal.seq)
        if seal.n != expected_n:
            finding.tell([Broken(Damage.SEAL, expected_n, f"missing; the next is {seal.n}")])
        elif seal_hash(before, seal.n, digests) != bytes(seal.hash):
            finding.tell([Broken(Damage.SEAL, seal.n, "does not follow from the seal before it and its own digests")])
        finding.tell(_moved(session, compare(digests, pack(found))))
        before, expected_n = bytes(seal.hash), seal.n + 1
        finding.seals += 1
        finding.rows += len(found)
        hashes[seal.n] = (bytes(seal.hash).hex(), hashes.get(seal.n - 1, ("", 0))[1] + seal.rows)
    finding.unsealed = rows.rest()
    kept = [queries.document(head) for head in queries.heads(session)]
    for number, head in [*enumerate(kept, 1), *((0, head) for head in held)]:
        finding.heads += 1
        finding.tell(_head(head, number, hashes, known_keys))
    return finding


def _moved(session: Session, broken: list[Broken]) -> list[Broken]:
    """A row that is missing in its block but stands elsewhere was not deleted: its place was changed."""
    told = []
    for one in broken:
        if one.damage is Damage.DELETED and (txid := queries.txid_of(session, one.number)) is not None:
            one = Broken(Damage.MOVED, one.number, f"now in transaction {txid}")
        told.append(one)
    return told


def _head(
    head: dict[str, Any], number: int, hashes: dict[int, tuple[str, int]], known_keys: Sequence[bytes]
) -> list[Broken]:
    """Is this head signed by us, and does the chain still lead to it?"""
    name = f"head of {head.get('at')}"
    try:
        key = base64.b64decode(head["public_key"])
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(head["signature"]), head_message(head))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return [Broken(Damage.SIGNATURE, number, f"{name}: the signature is not of this head")]
    if key not in known_keys:
        return [Broken(Damage.KEY, number, f"{name}: signed with a key that is not known here")]
    if hashes.get(head["seal"]) != (head["hash"], head["rows"]):
        return [Broken(Damage.HEAD, number, f"{name}: the journal no longer leads to it (seal {head['seal']})")]
    return []


def read_heads(text: str) -> list[dict[str, Any]]:
    """Heads from a file: one JSON document, a list of them, or one a line."""
    from gis.errors import BadInput

    try:
        try:
            found = json.loads(text)
        except ValueError:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise BadInput(reason="not a head") from error
    heads = found if isinstance(found, list) else [found]
    if not all(isinstance(head, dict) for head in heads):
        raise BadInput(reason="not a head")
    return heads
