"""What is done with people: add users, sign in, enrol and revoke devices. Verbs flush; doors commit."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from gis import journal
from gis.db import naming_violations
from gis.errors import BadInput, TooManyAttempts
from gis.journal import Who
from gis.people import queries
from gis.people.model import Device, Enrolment, FailedSignIn, Unit, User
from gis.people.rules import (
    ENROLMENT_VALID_MIN,
    PASSWORD_MIN,
    THROTTLE_ATTEMPTS,
    THROTTLE_MIN,
    EnrolmentUsed,
    Role,
    UnitKind,
    WeakPassword,
    WrongPassword,
)

_hasher = PasswordHasher()
_two_at_once = threading.BoundedSemaphore(2)  # each hash takes 64 MiB: a burst of sign-ins must not take the machine


@cache
def _nobodys() -> str:
    """A hash to check against where there is no such user: the answer takes as long, and tells as little."""
    return _hasher.hash("nobody has this password")


def _hash(password: str) -> str:
    with _two_at_once:
        return _hasher.hash(password)


def _matches(stored: str, password: str) -> bool:
    with _two_at_once:
        try:
            return _hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


def digest(secret: str) -> bytes:
    """SHA-256 of a 256-bit random secret: enough, because there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def add_unit(session: Session, who: Who, code: str, name: str, kind: str, phone: str | None = None) -> Unit:
    unit = Unit(code=code, name=name, kind=UnitKind(kind), phone=phone)
    session.add(unit)
    with naming_violations(session):
        session.flush()
    journal.write(session, who, "add", "unit", unit.id, version=unit.version, unit_id=unit.id)
    return unit


def add_user(
    session: Session,
    who: Who,
    name: str,
    role: str,
    password: str,
    *,
    full_name: str = "",
    unit_id: int | None = None,
    area_id: int | None = None,
    crew_id: int | None = None,
    is_demo: bool = False,
) -> User:
    """Add somebody who signs in. Raises WeakPassword, NameTaken, BadInput."""
    if not name.strip() or len(name) > 60:
        raise BadInput(reason="name")
    if role not in set(Role):
        raise BadInput(reason=f"role: {', '.join(Role)}")
    if len(password) < PASSWORD_MIN:
        raise WeakPassword(minimum=PASSWORD_MIN)
    user = User(
        name=name.strip(), full_name=full_name or name, role=role, password_hash=_hash(password), unit_id=unit_id,
        area_id=area_id, crew_id=crew_id, is_demo=is_demo,
    )  # fmt: skip
    with naming_violations(session):
        session.add(user)
    journal.write(session, who, "add", "user", user.id, version=user.version, unit_id=unit_id, area_id=area_id)
    return user


def set_password(session: Session, who: Who, user: User, password: str) -> None:
    """Give somebody another password. Raises WeakPassword."""
    if len(password) < PASSWORD_MIN:
        raise WeakPassword(minimum=PASSWORD_MIN)
    user.password_hash = _hash(password)
    session.flush()
    journal.write(session, who, "set_password", "user", user.id, version=user.version)


def sign_in(session: Session, who: Who, name: str, password: str, address: str) -> User:
    """The user, or WrongPassword, or TooManyAttempts. The door must commit in every case: failures are counted."""
    if queries.recent_failures(session, name[:60], address, who.now) >= THROTTLE_ATTEMPTS:
        raise TooManyAttempts(minutes=THROTTLE_MIN)
    user = queries.user_by_name(session, name)
    right = _matches(user.password_hash if user else _nobodys(), password)
    if user is None or not right or not user.active:
        session.add(FailedSignIn(name=name[:60], address=address, at=who.now))
        session.flush()
        raise WrongPassword()
    session.execute(delete(FailedSignIn).where(FailedSignIn.name == name, FailedSignIn.address == address))
    journal.write(session, Who(who.now, user.id), "sign_in", "user", user.id)
    return user


def offer_enrolment(session: Session, who: Who, user_id: int) -> str:
    """A one-use code for a phone of this user, valid for a while. Only its hash is kept."""
    code = secrets.token_urlsafe(16)
    expires_at = who.now + timedelta(minutes=ENROLMENT_VALID_MIN)
    session.add(Enrolment(code_hash=digest(code), user_id=user_id, created_by=who.user_id, expires_at=expires_at))
    session.flush()
    journal.write(session, who, "offer_enrolment", "user", user_id)
    return code


def enrol(session: Session, who: Who, code: str, device_name: str) -> tuple[str, Device]:
    """Exchange a code for a device token (opaque, 256 bits). The code is spent in the same UPDATE that checks it."""
    used = session.execute(
        update(Enrolment)
        .where(Enrolment.code_hash == digest(code), Enrolment.used_at.is_(None), Enrolment.expires_at > who.now)
        .values(used_at=who.now)
        .returning(Enrolment.user_id)
    ).one_or_none()
    if used is None:
        raise EnrolmentUsed()
    token = secrets.token_urlsafe(32)
    device = Device(user_id=used.user_id, name=device_name[:120], token_hash=digest(token), enrolled_at=who.now)
    session.add(device)
    session.flush()
    journal.write(session, Who(who.now, used.user_id, device.id), "enrol", "device", device.id)
    return token, device


def revoke(session: Session, who: Who, device: Device) -> None:
    """This phone may no longer speak."""
    device.revoked_at = who.now
    session.flush()
    journal.write(session, who, "revoke", "device", device.id)
