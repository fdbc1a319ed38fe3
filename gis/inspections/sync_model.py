"""What is stored so that nothing a phone ever sent is lost: what waits, what was corrected, what is disputed, what is apart."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, one_of
from gis.inspections.sync_rules import QuarantineSource, QuarantineState


class HeldChange(Base):
    """A change that rests on one that has not come (搁置变更): applied when it comes, refused visibly when it never does."""

    __tablename__ = "held_change"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]]
    waits_for: Mapped[str] = mapped_column(String(80), index=True)
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Amendment(Base):
    """One correction of a visit (更正): which properties it sets, and which version its author had before the eyes.

    `sets` is `{path: value}` with paths as `note`, `4.7.answer`, `4.7.note`; `before` what stood there when it arrived.
    """

    __tablename__ = "amendment"
    __table_args__ = (Index("uq_amendment_inspection_id_version", "inspection_id", "version", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"))
    version: Mapped[int]
    base_version: Mapped[int]
    after: Mapped[UUID | None]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    sets: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]


class InspectionConflict(Base):
    """A property of a visit that two people set differently without knowing of each other (冲突字段): the desk chooses."""

    __tablename__ = "inspection_conflict"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(40), primary_key=True)
    since_at: Mapped[datetime]


class AwaitedPhoto(Base):
    """A photo that a visit names and that has not arrived (待传照片): the form came first."""

    __tablename__ = "awaited_photo"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    item_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    taken_at: Mapped[datetime]
    position: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID, spatial_index=False))
    position_accuracy_m: Mapped[float | None]
    since_at: Mapped[datetime]


class QuarantinedChange(Base):
    """A change delivered by a phone that was signed off, or out of its file (隔离变更): a person releases or discards it."""

    __tablename__ = "quarantined_change"
    __table_args__ = (
        CheckConstraint(one_of("state", QuarantineState), name="state"),
        CheckConstraint(one_of("source", QuarantineSource), name="source"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
        Index("uq_quarantined_change_change_id_sha256", "change_id", "sha256", unique=True),
        Index("ix_quarantined_change_device_id_state", "device_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    change_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(String(64))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    source: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="waiting", server_default="waiting")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    outcome: Mapped[dict[str, Any] | None]
