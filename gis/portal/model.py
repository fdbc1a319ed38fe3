"""What is stored of the public's own door. A network is kept as a keyed hash of its prefix, never as an address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, name_constraint, one_of
from gis.portal.rules import Asked, PhotoBy, ProofSpent, ReopenReason


class PublicLimit(Base):
    """How often the public may ask for something (公众限次). An administrator edits it."""

    __tablename__ = "public_limit"
    __table_args__ = (
        CheckConstraint(one_of("kind", Asked), name="kind"),
        CheckConstraint("most > 0 AND within_min > 0", name="sensible"),
    )

    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    most: Mapped[int]
    within_min: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))


class PublicMeter(Base):
    """How often a network or a number asked within one window (公众计次). One row is raised by one statement: no race."""

    __tablename__ = "public_meter"
    __table_args__ = (Index("ix_public_meter_until_at", "until_at"),)

    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    until_at: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]


class SpentProof(Base):
    """A proof of work that was used (已用工作量证明): once, by the primary key."""

    __tablename__ = "spent_proof"
    __table_args__ = (Index("ix_spent_proof_expires_at", "expires_at"),)

    nonce: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime]


class PublicReport(Base):
    """Which report of a browser became which complaint (网上诉求凭据): the browser makes the id, a retry finds it again."""

    __tablename__ = "public_report"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class ComplaintPhoto(Base):
    """A photo of a complaint (诉求照片), under the name of its SHA-256; shown only as a copy without its metadata."""

    __tablename__ = "complaint_photo"
    __table_args__ = (
        CheckConstraint(one_of("by", PhotoBy), name="by"),
        CheckConstraint("(by = 'user') = (user_id IS NOT NULL)", name="by_user"),
        Index("uq_complaint_photo_complaint_id_sha256", "complaint_id", "sha256", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    mime: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(120), default="")
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class CallerNote(Base):
    """Words that a citizen added to a complaint (补充说明)."""

    __tablename__ = "caller_note"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


class CallerRating(Base):
    """What a citizen said of an answer on the public page (网上评价). Kept apart from call-backs: other people, another rate."""

    __tablename__ = "caller_rating"
    __table_args__ = (
        CheckConstraint("reason IS NULL OR " + one_of("reason", ReopenReason), name="reason"),
        CheckConstraint("satisfied = (reason IS NULL)", name="reason_said"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    at: Mapped[datetime]
    satisfied: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")


name_constraint("pk_spent_proof", ProofSpent)
