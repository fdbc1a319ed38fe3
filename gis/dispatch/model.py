"""What is stored about crews and their orders. Nobody is ever booked twice: the database itself refuses it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
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
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.dispatch.rules import (
    AlreadyAssigned,
    CrewBlacklisted,
    CrewBooked,
    CrewKind,
    OrderStatus,
    RecallReason,
    ReturnReason,
    SiteStopped,
)

_BOOKING = "status IN ('assigned','accepted','arrived')"


class Crew(Versioned, Base):
    """People who are sent together (班组)."""

    __tablename__ = "crew"
    __table_args__ = (CheckConstraint(one_of("kind", CrewKind), name="kind"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    position: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
    position_at: Mapped[datetime]
    position_accuracy_m: Mapped[float | None]
    heading_deg: Mapped[float | None]
    position_off_at: Mapped[datetime | None]  # since then its people do not say where they are


class CrewSkill(Base):
    """A skill of a crew (工种), with its certificate's dates where one is needed."""

    __tablename__ = "crew_skill"

    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id", ondelete="CASCADE"), primary_key=True)
    skill: Mapped[str] = mapped_column(String(40), primary_key=True)
    certificate_no: Mapped[str | None] = mapped_column(String(60))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class Shift(Base):
    """When a crew is on duty (班次)."""

    __tablename__ = "shift"
    __table_args__ = (ExcludeConstraint(("crew_id", "="), ("during", "&&"), name="ex_shift_crew", using="gist"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id", ondelete="CASCADE"), index=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class WorkOrder(Versioned, Base):
    """What a crew is sent to do (派工单). While it books the crew, `during` may not overlap another of that crew's."""

    __tablename__ = "work_order"
    __table_args__ = (
        CheckConstraint(one_of("status", OrderStatus), name="status"),
        CheckConstraint(f"return_reason IS NULL OR {one_of('return_reason', ReturnReason)}", name="return_reason"),
        CheckConstraint(f"recall_reason IS NULL OR {one_of('recall_reason', RecallReason)}", name="recall_reason"),
        CheckConstraint("NOT isempty(during)", name="during"),
        ExcludeConstraint(("crew_id", "="), ("during", "&&"), name="ex_work_order_crew", using="gist",
                          where=text(_BOOKING), deferrable=True, initially="IMMEDIATE"),
        Index("uq_work_order_open", "complaint_id", unique=True, postgresql_where=text(_BOOKING)),
        Index("ix_work_order_crew_id_status", "crew_id", "status"),
        Index("ix_work_order_unaccepted", "assigned_at",
              postgresql_where=text("status = 'assigned' AND lapsed_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_no: Mapped[str] = mapped_column(String(40), unique=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id"))
    status: Mapped[str] = mapped_column(String(12), default=OrderStatus.ASSIGNED)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    assigned_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    assigned_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    return_reason: Mapped[str | None] = mapped_column(String(20))
    recall_reason: Mapped[str | None] = mapped_column(String(20))
    locked: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    lapsed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    override_reason: Mapped[str | None] = mapped_column(Text)
    minutes: Mapped[float | None]
    metres: Mapped[float | None]
    by: Mapped[str | None] = mapped_column(String(10))


name_constraint("ex_work_order_crew", CrewBooked)
name_constraint("uq_work_order_open", AlreadyAssigned)
name_constraint("ck_work_order_blacklisted", CrewBlacklisted)  # raised by a trigger
name_constraint("ck_work_order_site_stopped", SiteStopped)  # the same
