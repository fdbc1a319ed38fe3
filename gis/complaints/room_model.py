"""What is stored of room temperatures: tests that were asked for, and each city's own refund table."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.room_rules import RefundRowsOverlap, RoomOpening, RoomTestOpen, RoomTestStatus
from gis.db import Base, Versioned, name_constraint, one_of


class RefundRule(Versioned, Base):
    """One row of a city's refund table (退费标准): from `low_c` on, below `high_c`; no two rows share a degree on a day."""

    __tablename__ = "refund_rule"
    __table_args__ = (
        CheckConstraint("low_c < high_c", name="degrees"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("city <> '' AND source <> ''", name="source"),
        ExcludeConstraint(
            ("city", "="), (text("numrange(low_c, high_c, '[)')"), "&&"), ("valid", "&&"),
            name="ex_refund_rule_degrees", using="gist",
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    city: Mapped[str] = mapped_column(String(40))
    low_c: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    high_c: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str] = mapped_column(String(300))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class RoomTest(Versioned, Base):
    """A test of a room's temperature (测温): asked for by a complaint, measured, judged by the table, decided by a person."""

    __tablename__ = "room_test"
    __table_args__ = (
        CheckConstraint(one_of("status", RoomTestStatus), name="status"),
        CheckConstraint(f"openings IS NULL OR {one_of('openings', RoomOpening)}", name="openings"),
        CheckConstraint(
            "status IN ('requested', 'cancelled') OR temperature_c IS NOT NULL AND measured_at IS NOT NULL", name="measured"
        ),
        CheckConstraint(
            "(status = 'decided') = (decided_at IS NOT NULL) AND (status = 'decided') = (decided_percent IS NOT NULL)"
            " AND (status = 'decided') = (decided_days IS NOT NULL)", name="decided"
        ),
        CheckConstraint("decided_percent BETWEEN 0 AND 100 AND decided_days >= 0", name="decision"),
        Index("uq_room_test_open", "complaint_id", unique=True, postgresql_where=text("status IN ('requested', 'measured')")),
        Index("ix_room_test_measure_by", "measure_by", postgresql_where=text("status = 'requested'")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(10), default="requested", server_default="requested")
    requested_at: Mapped[datetime]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    measure_by: Mapped[datetime]
    overdue_at: Mapped[datetime | None]
    measured_at: Mapped[datetime | None]
    measured_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    temperature_c: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    outdoor_c: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    room: Mapped[str] = mapped_column(String(40), default="", server_default="")
    openings: Mapped[str | None] = mapped_column(String(8))
    conditions: Mapped[str] = mapped_column(Text, default="", server_default="")
    city: Mapped[str] = mapped_column(String(40), default="", server_default="")
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("refund_rule.id"))
    proposed_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    proposed_days: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    decided_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    decided_days: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text, default="", server_default="")


name_constraint("ex_refund_rule_degrees", RefundRowsOverlap)
name_constraint("uq_room_test_open", RoomTestOpen)
