"""What is done with the keys of bodies: made (told once), used, revoked.

A key is 256 random bits. Nobody guesses that, so a plain SHA-256 of it is kept: argon2 is for passwords that people choose,
and 64 MiB of memory for every call of a program would be a door for whoever wants to stop the server.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis import journal
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.people.actions import digest
from gis.people.model import ApiKey, Unit
from gis.people.rules import (
    KEY_BEGINS,
    KEY_PER_MINUTE,
    KEY_RIGHTS,
    BadKeyRights,
    KeyRefused,
    Scope,
    TooManyCalls,
    UnitKind,
)

KEY_MAX = 100  # no key of ours is longer; a longer text is not even hashed
WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """The key that speaks in a request, as plain values: safe after a rollback."""

    key_id: int
    name: str
    unit_id: int
    rights: frozenset[str]
    scope: Scope


def make_key(
    session: Session, who: Who, *, name: str, unit_id: int, rights: list[str], area_id: int | None = None,
    expires_at: datetime | None = None, per_minute: int = KEY_PER_MINUTE,
) -> tuple[str, ApiKey]:  # fmt: skip
    """A new key of a body. The first of what is returned is told once and never kept. Raises BadKeyRights, BadInput, Missing."""
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise BadInput(reason="name")
    if not rights or not set(rights) <= set(KEY_RIGHTS):
        raise BadKeyRights(possible=", ".join(KEY_RIGHTS))
    if not 1 <= per_minute <= 100_000:
        raise BadInput(reason="per_minute: 1-100000")
    if expires_at is not None and expires_at <= who.now:
        raise BadInput(reason="expires_at")
    if session.get(Unit, unit_id) is None:
        raise Missing(thing="unit", id=unit_id)
    prefix = f"{KEY_BEGINS}{secrets.token_hex(4)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        unit_id=unit_id, area_id=area_id, name=name, prefix=prefix, hash=digest(secret), rights=sorted(set(rights)),
        per_minute=per_minute, created_at=who.now, created_by=who.user_id, expires_at=expires_at,
    )  # fmt: skip
    session.add(key)
    session.flush()
    journal.write(
        session, who, "add", "api_key", key.id, version=key.version, unit_id=unit_id, area_id=area_id,
        prefix=prefix, rights=key.rights,
    )  # fmt: skip
    return secret, key


def revoke_key(session: Session, who: Who, scope: Scope, key_id: int) -> ApiKey:
    """From now on this key opens nothing. Revoking it again changes nothing. Raises Missing, also outside the scope."""
    asked = select(ApiKey).where(ApiKey.id == key_id)
    if scope.area_id is not None:
        asked = asked.where(ApiKey.area_id == scope.area_id)
    if scope.unit_id is not None:
        asked = asked.where(ApiKey.unit_id == scope.unit_id)
    key = session.scalar(asked.with_for_update())
    if key is None:
        raise Missing(thing="api_key", id=key_id)
    if key.revoked_at is None:
        key.revoked_at = who.now
        session.flush()
        journal.write(session, who, "revoke", "api_key", key.id, version=key.version, unit_id=key.unit_id)
    return key


_USE = text(
    """
    UPDATE api_key AS k
       SET last_used_at = :now,
           window_at = CASE WHEN k.window_at > :window THEN k.window_at ELSE :now END,
           window_count = CASE WHEN k.window_at > :window THEN k.window_count + 1 ELSE 1 END
      FROM unit AS u
     WHERE k.hash = :hash AND u.id = k.unit_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
    RETURNING k.id, k.name, k.unit_id, k.area_id, k.rights, k.per_minute, k.window_at, k.window_count, u.kind
    """
)


def use_key(session: Session, secret: str, now: datetime) -> Caller:
    """Who holds this key? The call is counted in the same statement, so no two processes give the same call away twice.

    The door commits at once: nobody waits for a long answer to somebody else with the same key. Raises KeyRefused and
    TooManyCalls.
    """
    if not secret.startswith(KEY_BEGINS) or len(secret) > KEY_MAX:
        raise KeyRefused()
    asked = {"hash": digest(secret), "now": now, "window": now - WINDOW}
    row = session.execute(_USE, asked).mappings().one_or_none()
    if row is None:
        raise KeyRefused()
    if row["window_count"] > row["per_minute"]:
        wait = (row["window_at"] + WINDOW - now).total_seconds()
        raise TooManyCalls(limit=row["per_minute"], seconds=max(1, round(wait)))
    return Caller(row["id"], row["name"], row["unit_id"], frozenset(row["rights"]), _scope(row))


def _scope(row: RowMapping) -> Scope:
    """A company's key sees what that company answers for; the bureau's own sees the city, or the area it is bound to."""
    unit_id = None if row["kind"] == UnitKind.BUREAU else row["unit_id"]
    return Scope(area_id=row["area_id"], unit_id=unit_id)


_LIST = text(
    """
    SELECT k.id, k.name, k.prefix, k.rights, k.per_minute, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
           u.name AS unit, a.name AS area, p.full_name AS made_by
      FROM api_key AS k JOIN unit AS u ON u.id = k.unit_id LEFT JOIN area AS a ON a.id = k.area_id
      LEFT JOIN app_user AS p ON p.id = k.created_by
     WHERE (CAST(:area_id AS bigint) IS NULL OR k.area_id = :area_id)
       AND (CAST(:unit_id AS bigint) IS NULL OR k.unit_id = :unit_id)
     ORDER BY k.revoked_at IS NOT NULL, u.name, k.id
    """
)


def keys(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """Every key there ever was within a scope, those that open something first."""
    narrowed = {"area_id": scope.area_id, "unit_id": scope.unit_id}
    return [dict(row) for row in session.execute(_LIST, narrowed).mappings()]
