"""What is asked about people."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, func, select, text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.people.model import Device, FailedSignIn, Unit, User
from gis.people.rules import THROTTLE_MIN, Scope
from gis.prepared import Prepared


def user_by_name(session: Session, name: str) -> User | None:
    """Who signs in with this name?"""
    return session.scalar(select(User).where(User.name == name))


def users(session: Session, scope: Scope) -> list[User]:
    """Who works where this person may look, by name?"""
    return list(session.scalars(select(User).where(*_visible(scope)).order_by(User.name)))


def user_by_id(session: Session, scope: Scope, user_id: int) -> User:
    """This person, or Missing when there is none or they work elsewhere."""
    user = session.scalar(select(User).where(User.id == user_id, *_visible(scope)))
    if user is None:
        raise Missing(thing="user", id=user_id)
    return user


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.area_id is not None:
        found.append(User.area_id == scope.area_id)
    if scope.unit_id is not None:
        found.append(User.unit_id == scope.unit_id)
    return found


def units(session: Session) -> list[Unit]:
    """All units, by name."""
    return list(session.scalars(select(Unit).order_by(Unit.name)))


def unit_called(session: Session, text: str) -> Unit:
    """The unit with this code, or the only one with this name."""
    found = list(session.scalars(select(Unit).where((Unit.code == text) | (Unit.name == text)).limit(2)))
    if len(found) != 1:
        raise Missing(thing="unit", id=text)
    return found[0]


def recent_failures(session: Session, name: str, address: str, now: datetime) -> int:
    """How often did sign-ins with this name from this address fail lately?"""
    since = now - timedelta(minutes=THROTTLE_MIN)
    by_name = select(func.count()).where(
        FailedSignIn.name == name, FailedSignIn.address == address, FailedSignIn.at > since
    )
    return int(session.scalar(by_name) or 0)


def device_by_token_hash(session: Session, token_hash: bytes) -> tuple[Device, User] | None:
    """Which device, and whose, has this token? Revoked devices are found too: the door decides."""
    row = session.execute(select(Device, User).join(User).where(Device.token_hash == token_hash)).one_or_none()
    return (row[0], row[1]) if row else None


_SPEAKERS = """
    SELECT d.id AS device_id, d.revoked_at, d.queue_length, d.last_seen_at, u.id AS user_id, u.name, u.full_name, u.role,
           u.crew_id, u.area_id, u.unit_id, u.language, u.active, u.is_demo, coalesce(u.unit_id, c.unit_id) AS body_id
      FROM device d JOIN app_user u ON u.id = d.user_id LEFT JOIN crew c ON c.id = u.crew_id
"""
_SPEAKER = Prepared(f"{_SPEAKERS} WHERE d.token_hash = :token_hash", token_hash="bytea")
_SPEAKER_OF_DEVICE = text(f"{_SPEAKERS} WHERE d.id = :id")


def speaker(session: Session, token_hash: bytes) -> RowMapping | None:
    """The same as plain values: asked with every request of a phone, so no objects are made."""
    (row,) = _SPEAKER.rows(session, token_hash=token_hash) or (None,)
    return None if row is None else row._mapping


def speaker_of_device(session: Session, device_id: int) -> RowMapping | None:
    """The same for a device that is known by its number."""
    return session.execute(_SPEAKER_OF_DEVICE, {"id": device_id}).mappings().one_or_none()


def devices_of(session: Session, user_id: int) -> list[Device]:
    """The devices of one user, newest first."""
    return list(session.scalars(select(Device).where(Device.user_id == user_id).order_by(Device.enrolled_at.desc())))


def names_of(session: Session, ids: set[int]) -> dict[int, str]:
    """What are these people called?"""
    if not ids:
        return {}
    return {row.id: row.full_name for row in session.execute(select(User.id, User.full_name).where(User.id.in_(ids)))}
