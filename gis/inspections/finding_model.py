"""What is stored about findings, their rectification and re-inspection, orders to stop works, and the bureau's tables for them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.inspections.finding_rules import (
    AlreadyStopped,
    FindingStatus,
    FindingThere,
    PhotoPart,
    Severity,
)


class SeverityRule(Versioned, Base):
    """How serious a failed item is (问题等级), where the bureau has said so."""

    __tablename__ = "severity_rule"
    __table_args__ = (CheckConstraint(one_of("severity", Severity), name="severity"),)

    checklist_code: Mapped[str] = mapped_column(String(40), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    severity: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(300))


class RectifyRule(Versioned, Base):
    """How findings of a severity are dealt with (整改规则). Days are working days."""

    __tablename__ = "rectify_rule"
    __table_args__ = (CheckConstraint(one_of("severity", Severity), name="severity"),)

    severity: Mapped[str] = mapped_column(String(10), primary_key=True)
    days: Mapped[int]
    warn_days: Mapped[int]
    again_days: Mapped[int]
    extend_days: Mapped[int]
    extend_times: Mapped[int]
    escalate_days: Mapped[int]
    after_photo: Mapped[bool] = mapped_column(Boolean)
    may_stop: Mapped[bool] = mapped_column(Boolean)
    source: Mapped[str] = mapped_column(String(300))


class Finding(Versioned, Base):
    """A failed item of an inspection of the bureau (问题), and where its rectification stands.

    There is one for each item of an inspection, for ever: a correction of the inspection withdraws or revives it.
    `unit_id` answers for it, `contractor_id` did the works, `user_id` or `worker_id` is the person whose doing it was,
    where that was named.
    """

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(one_of("severity", Severity), name="severity"),
        CheckConstraint(one_of("status", FindingStatus), name="status"),
        CheckConstraint("failed_times >= 0 AND extended_times >= 0", name="counts"),
        CheckConstraint("status = 'open' OR status = 'withdrawn' OR unit_id IS NOT NULL", name="unit"),
        CheckConstraint("user_id IS NULL OR worker_id IS NULL", name="person"),
        Index("uq_finding_inspection_id_item_id", "inspection_id", "item_id", unique=True),
        Index("ix_finding_found_at", "found_at"),
        Index("ix_finding_unit_id_found_at", "unit_id", "found_at"),
        Index("ix_finding_due", "rectify_by", postgresql_where=text("status IN ('sent','signed','failed')")),
        Index("ix_finding_rectified", "id", postgresql_where=text("status = 'rectified'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"))
    item_id: Mapped[str] = mapped_column(String(64))
    item_zh: Mapped[str] = mapped_column(String(300))
    item_en: Mapped[str] = mapped_column(String(300))
    pledge_no: Mapped[int]
    severity: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default=FindingStatus.OPEN)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    contractor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("site_worker.id"), index=True)
    inspector_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    found_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    rectify_by: Mapped[datetime | None]
    limit_source: Mapped[str] = mapped_column(String(300), default="", server_default="")
    calendar_missing: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    extended_times: Mapped[int] = mapped_column(default=0, server_default="0")
    failed_times: Mapped[int] = mapped_column(default=0, server_default="0")
    warned_at: Mapped[datetime | None]
    late_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Rectification(Base):
    """One answer of the unit to a finding (整改): what was done. A failed re-inspection asks for another."""

    __tablename__ = "rectification"

    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text)
    late: Mapped[bool] = mapped_column(Boolean)


class Reinspection(Base):
    """One look at a rectification (复查): passed or not, by whom. There is one for each attempt."""

    __tablename__ = "reinspection"

    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    passed: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class FindingPhoto(Base):
    """Which picture belongs to a finding, and what it shows (问题照片). The picture itself is kept once, by its hash."""

    __tablename__ = "finding_photo"
    __table_args__ = (
        CheckConstraint(one_of("part", PhotoPart), name="part"),
        Index("ix_finding_photo_sha256", "sha256"),
    )

    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[str] = mapped_column(String(12), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(ForeignKey("photo.sha256"), primary_key=True)
    taken_at: Mapped[datetime]


class PaperCounter(Base):
    """The last number of a kind of paper in a year (文号计数). Its row is locked by whoever takes the next: no gap, no double."""

    __tablename__ = "paper_counter"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class StopWork(Versioned, Base):
    """An order to stop the works at a site (停工令), until a re-inspection or a supervisor lifts it."""

    __tablename__ = "stop_work"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name="lifted"),
        Index("uq_stop_work_standing", "site_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
        Index("uq_stop_work_year_number", "year", "number", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    stop_no: Mapped[str] = mapped_column(String(40))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    contractor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    reason: Mapped[str] = mapped_column(Text)
    stopped_at: Mapped[datetime]
    stopped_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lift_reason: Mapped[str | None] = mapped_column(Text)
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


name_constraint("uq_finding_inspection_id_item_id", FindingThere)
name_constraint("pk_rectification", FindingThere)
name_constraint("pk_reinspection", FindingThere)
name_constraint("uq_stop_work_standing", AlreadyStopped)
