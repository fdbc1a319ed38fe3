"""What is stored of plans: the proposal, each crew's part of it, each order in it, and what was agreed with a caller."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, String
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, one_of
from gis.dispatch.plan_rules import PartState, PlanMode, PlanState, StopKind


class DayPlan(Versioned, Base):
    """A proposal for a day (当日计划). `asked` is what it was made for, `totals` what it comes to, `progress` from 0 to 1."""

    __tablename__ = "day_plan"
    __table_args__ = (
        CheckConstraint(one_of("status", PlanState), name="status"),
        CheckConstraint(one_of("mode", PlanMode), name="mode"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("ix_day_plan_day", "day", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    status: Mapped[str] = mapped_column(String(12), default=PlanState.WAITING)
    mode: Mapped[str] = mapped_column(String(8), default=PlanMode.WHOLE)
    seconds: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    as_of: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    by: Mapped[str | None] = mapped_column(String(10))
    totals: Mapped[dict[str, Any] | None]
    problem: Mapped[str | None] = mapped_column(String(300))


class DayPlanCrew(Base):
    """One crew's part of a proposal (班组计划): its day before and after in numbers and as lines on the map."""

    __tablename__ = "day_plan_crew"
    __table_args__ = (CheckConstraint(one_of("status", PartState), name="status"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("day_plan.id", ondelete="CASCADE"), primary_key=True)
    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id"), primary_key=True)
    crew_version: Mapped[int]
    status: Mapped[str] = mapped_column(String(12), default=PartState.PROPOSED, server_default="proposed")
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    old_line: Mapped[list[Any]] = mapped_column(JSONB)
    new_line: Mapped[list[Any]] = mapped_column(JSONB)
    lunch_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class DayPlanStop(Base):
    """An order in a proposal (计划站点), with the versions it was made from. Without a crew: it could not be placed, and why."""

    __tablename__ = "day_plan_stop"
    __table_args__ = (
        CheckConstraint(one_of("kind", StopKind), name="kind"),
        CheckConstraint("(crew_id IS NULL) = (kind = 'unserved')", name="unserved_has_no_crew"),
        CheckConstraint("(reason IS NOT NULL) = (kind = 'unserved')", name="unserved_has_a_reason"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("day_plan.id", ondelete="CASCADE"), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    crew_id: Mapped[int | None] = mapped_column(ForeignKey("crew.id"))
    kind: Mapped[str] = mapped_column(String(12))
    position: Mapped[int]
    complaint_version: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    order_version: Mapped[int | None]
    from_crew_id: Mapped[int | None] = mapped_column(ForeignKey("crew.id"))
    was: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    leave_at: Mapped[datetime | None]
    begin_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    way_s: Mapped[int] = mapped_column(default=0, server_default="0")
    way_m: Mapped[int] = mapped_column(default=0, server_default="0")
    late_s: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str | None] = mapped_column(String(20))
    params: Mapped[dict[str, Any]]
    done_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    done_version: Mapped[int | None]


class CrewBase(Base):
    """Where a crew's shift begins and ends, and how many orders it can carry in a day (驻点)."""

    __tablename__ = "crew_base"

    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id", ondelete="CASCADE"), primary_key=True)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    ends_here: Mapped[bool] = mapped_column(default=True, server_default="true")
    capacity: Mapped[int | None]


class Appointment(Base):
    """When a caller will be there (约定时间): work begins within it."""

    __tablename__ = "appointment"
    __table_args__ = (CheckConstraint("NOT isempty(during)", name="during"),)

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
