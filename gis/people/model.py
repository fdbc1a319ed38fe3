"""What is stored about people: units, users, who is blacklisted, devices, enrolment codes and failed sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.people.rules import KEY_PER_MINUTE, AlreadyBlacklisted, NameTaken, Role, UnitKind


class Unit(Versioned, Base):
    """A body that answers for complaints (承办单位)."""

    __tablename__ = "unit"
    __table_args__ = (CheckConstraint(one_of("kind", UnitKind), name="kind"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    phone: Mapped[str | None] = mapped_column(String(40))


class User(Versioned, Base):
    """A person who signs in (用户). `area_id` and `unit_id` bound what they see; `crew_id` whose orders they carry out."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role"),
        Index("ix_app_user_crew_id", "crew_id", postgresql_where=text("crew_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    full_name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    crew_id: Mapped[int | None] = mapped_column(ForeignKey("crew.id"))
    language: Mapped[str | None] = mapped_column(String(5))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_demo: Mapped[bool] = mapped_column(Boolean, default=False)


name_constraint("uq_app_user_name", NameTaken)


class Blacklisting(Versioned, Base):
    """A unit or a person that is sent nowhere for a time (黑名单): since when, until when (no end: until lifted), and why.

    Lifting it ends the time. A trigger refuses every order for a crew of such a unit, or with such a person; a person of a
    contractor (`worker_id`) comes onto no site.
    """

    __tablename__ = "blacklisting"
    __table_args__ = (
        CheckConstraint("num_nonnulls(unit_id, user_id, worker_id) = 1", name="whom"),
        CheckConstraint("NOT isempty(during) AND lower(during) IS NOT NULL", name="during"),
        CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name="lifted"),
        ExcludeConstraint(("unit_id", "="), ("during", "&&"), name="ex_blacklisting_unit", using="gist",
                          where=text("unit_id IS NOT NULL")),
        ExcludeConstraint(("user_id", "="), ("during", "&&"), name="ex_blacklisting_user", using="gist",
                          where=text("user_id IS NOT NULL")),
        ExcludeConstraint(("worker_id", "="), ("during", "&&"), name="ex_blacklisting_worker", using="gist",
                          where=text("worker_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("site_worker.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(300))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lift_reason: Mapped[str | None] = mapped_column(Text)


name_constraint("ex_blacklisting_unit", AlreadyBlacklisted)
name_constraint("ex_blacklisting_user", AlreadyBlacklisted)
name_constraint("ex_blacklisting_worker", AlreadyBlacklisted)


class Device(Base):
    """A phone that is allowed to speak for one user (终端). Only the SHA-256 of its token is kept."""

    __tablename__ = "device"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    enrolled_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    queue_length: Mapped[int | None]
    revoked_at: Mapped[datetime | None]


class Enrolment(Base):
    """A one-use code that turns a phone into a `Device` (终端登记码). Only its hash is kept."""

    __tablename__ = "enrolment"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedSignIn(Base):
    """One failed sign-in (登录失败): the throttle counts these."""

    __tablename__ = "failed_sign_in"
    __table_args__ = (Index("ix_failed_sign_in_name_at", "name", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class ApiKey(Versioned, Base):
    """A body's key to the interfaces (接口密钥). Only the SHA-256 of its 256 random bits is kept, and how it begins.

    `window_at` and `window_count` are the minute that is being counted, so that every server process counts together.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("cardinality(rights) > 0", name="rights"),
        CheckConstraint("per_minute > 0", name="per_minute"),
        CheckConstraint("expires_at IS NULL OR expires_at > created_at", name="expires_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(16))
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    rights: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    per_minute: Mapped[int] = mapped_column(default=KEY_PER_MINUTE)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    window_at: Mapped[datetime | None]
    window_count: Mapped[int] = mapped_column(default=0, server_default="0")
