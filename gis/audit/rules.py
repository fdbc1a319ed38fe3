"""How a journal row is put into bytes, a block of rows into a seal, and the newest seal into a signed head.

Everything here can be done again by an outsider with nothing but SHA-256 and Ed25519:

    row digest  = SHA-256 of the JSON array [txid as text, seq, microseconds since 1970, user_id, device_id, verb, thing,
                  thing_id, version, area_id, unit_id, data as PostgreSQL prints it], UTF-8, without spaces
    digests     = for every row of the block, in cursor order: seq as 8 bytes big-endian, then the row digest (32 bytes)
    seal hash   = SHA-256 of (hash of the seal before, or 32 zero bytes; n as 8 bytes; digests)
    head        = the JSON object below without "signature", keys sorted, without spaces; signed with Ed25519
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FORMAT = "chengmai-journal-head-1"
COLUMNS = ("txid", "seq", "at_us", "user_id", "device_id", "verb", "thing", "thing_id", "version", "area_id", "unit_id",
           "data")  # fmt: skip
BLOCK = 5000  # rows of one seal at most
NOTHING = bytes(32)
_SEQ, _ENTRY = 8, 40


class Damage(StrEnum):
    """What is wrong with a row, a seal or a head."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    MOVED = "moved"
    SEAL = "seal"
    HEAD = "head"
    SIGNATURE = "signature"
    KEY = "key"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def row_digest(row: Sequence[Any]) -> bytes:
    """The digest of a row given in the order of `COLUMNS`."""
    return hashlib.sha256(_encode(list(row)).encode()).digest()


def pack(rows: Sequence[Sequence[Any]]) -> bytes:
    """The digests of a block."""
    return b"".join(row[1].to_bytes(_SEQ, "big") + row_digest(row) for row in rows)


def unpack(digests: bytes) -> list[tuple[int, bytes]]:
    """`[(seq, row digest)]` of a block."""
    return [
        (int.from_bytes(digests[i : i + _SEQ], "big"), digests[i + _SEQ : i + _ENTRY])
        for i in range(0, len(digests), _ENTRY)
    ]


def seal_hash(before: bytes, n: int, digests: bytes) -> bytes:
    """The hash of seal `n`, which names everything before it."""
    return hashlib.sha256(before + n.to_bytes(8, "big") + digests).digest()


@dataclass(frozen=True)
class Broken:
    """One thing that is not as it was sealed: a row by its `seq`, a seal or head by its number."""

    damage: Damage
    number: int
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        kind = {Damage.SEAL: "seal", Damage.HEAD: "head", Damage.SIGNATURE: "head", Damage.KEY: "head"}
        return {
            "damage": str(self.damage),
            "what": kind.get(self.damage, "row"),
            "number": self.number,
            "detail": self.detail,
        }


def compare(sealed: bytes, found: bytes) -> list[Broken]:
    """What happened to the rows of a block, in the order of the journal. A row not found in it is told as deleted."""
    if sealed == found:
        return []
    before, now = unpack(sealed), unpack(found)
    then = dict(before)
    here = dict(now)
    order_before = [seq for seq, _ in before if seq in here]
    order_now = [seq for seq, _ in now if seq in then]
    broken = [Broken(Damage.DELETED, seq) for seq in then if seq not in here]
    broken += [Broken(Damage.INSERTED, seq) for seq in here if seq not in then]
    broken += [Broken(Damage.CHANGED, seq) for seq in order_before if then[seq] != here[seq]]
    changed = {one.number for one in broken}
    broken += [
        Broken(Damage.MOVED, a) for a, b in zip(order_before, order_now, strict=True) if a != b and a not in changed
    ]
    place = {seq: i for i, (seq, _) in enumerate(now)} | {seq: i for i, (seq, _) in enumerate(before)}
    return sorted(broken, key=lambda one: (place[one.number], one.number))


def head_message(head: dict[str, Any]) -> bytes:
    """What is signed: the head without its signature."""
    told = {key: value for key, value in head.items() if key != "signature"}
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
