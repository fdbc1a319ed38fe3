"""What belongs to a site: its door, the people on it with their certificates, what is posted, and calls for self-inspection."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.inspections.site_rules import AlreadyOnSite, CertificateKind, CertificateTaken, SiteCodeTaken, Trade


class SiteDoor(Base):
    """Behind which door of an indoor site the works are (门牌): personal, so in a table of its own, masked until asked for."""

    __tablename__ = "site_door"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    door_no: Mapped[str] = mapped_column(String(80))


class SiteWorker(Versioned, Base):
    """Somebody whom a contractor sends (施工人员). The name is personal: masked on screens until asked for."""

    __tablename__ = "site_worker"
    __table_args__ = (CheckConstraint(one_of("trade", Trade), name="trade"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    trade: Mapped[str] = mapped_column(String(16))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class WorkCertificate(Base):
    """What allows somebody to do their trade (上岗证), and from when until when."""

    __tablename__ = "work_certificate"
    __table_args__ = (
        CheckConstraint(one_of("kind", CertificateKind), name="kind"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        Index("uq_work_certificate_kind_no", "kind", "no", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("site_worker.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    no: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class SitePresence(Base):
    """Who is on which site since when, and until when (在场人员)."""

    __tablename__ = "site_presence"
    __table_args__ = (
        Index("uq_site_presence_now", "site_id", "worker_id", unique=True, postgresql_where=text("until_at IS NULL")),
        CheckConstraint("until_at >= since_at", name="time"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("site_worker.id", ondelete="CASCADE"), index=True)
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class SiteNotice(Base):
    """What was posted at a site (公示): a line each time, the newest is in force. `posted` are items of pledge 1."""

    __tablename__ = "site_notice"
    __table_args__ = (CheckConstraint("posted <@ ARRAY['1.1','1.2','1.3','1.4']::text[]", name="posted"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    text: Mapped[str] = mapped_column(Text, default="", server_default="")
    posted: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sha256: Mapped[str | None] = mapped_column(ForeignKey("photo.sha256"), index=True)


class SelfCheck(Versioned, Base):
    """A call for self-inspection (自查要求): every open site, from a day until a day. The newest is in force."""

    __tablename__ = "self_check"
    __table_args__ = (CheckConstraint("due_on >= from_on", name="period"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    from_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")
    called_at: Mapped[datetime]
    called_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


name_constraint("uq_site_code", SiteCodeTaken)
name_constraint("uq_work_certificate_kind_no", CertificateTaken)
name_constraint("uq_site_presence_now", AlreadyOnSite)
