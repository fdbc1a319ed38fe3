"""What is stored about dragnet rounds: the round, the frame it was drawn from, and the visits that are to be made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

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
from gis.inspections.round_rules import Allocation, Origin, RoundStatus, SiteInRound, VisitStatus


class Round(Versioned, Base):
    """A dragnet round (检查轮次). Seed, weights and frame are kept, so that the drawing can be done again by anybody."""

    __tablename__ = "inspection_round"
    __table_args__ = (
        CheckConstraint(one_of("status", RoundStatus), name="status"),
        CheckConstraint(one_of("allocation", Allocation), name="allocation"),
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("size > 0 AND per_day > 0", name="counts"),
        CheckConstraint("(fixed_at IS NULL) = (status IN ('draft', 'discarded'))", name="fixed"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    size: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    allocation: Mapped[str] = mapped_column(String(12))
    strata: Mapped[list[str]] = mapped_column(ARRAY(String(12)))
    weights: Mapped[dict[str, Any]]
    per_day: Mapped[int]
    surprise: Mapped[bool] = mapped_column(Boolean, default=True)
    status: Mapped[str] = mapped_column(String(10), default=RoundStatus.DRAFT)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    fixed_at: Mapped[datetime | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class RoundSite(Base):
    """A site of the frame (抽样框): its stratum, its size, with which probability it is drawn, and why."""

    __tablename__ = "round_site"
    __table_args__ = (CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),)

    round_id: Mapped[int] = mapped_column(ForeignKey("inspection_round.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    stratum: Mapped[str] = mapped_column(String(300))
    size: Mapped[float]
    probability: Mapped[float]
    certain: Mapped[bool] = mapped_column(Boolean)
    drawn: Mapped[bool] = mapped_column(Boolean)
    why: Mapped[list[Any]]


class SiteVisit(Versioned, Base):
    """A visit that is to be made (检查任务), of a round or alone. A surprise visit is not told to the unit beforehand."""

    __tablename__ = "site_visit"
    __table_args__ = (
        CheckConstraint(one_of("origin", Origin), name="origin"),
        CheckConstraint(one_of("status", VisitStatus), name="status"),
        CheckConstraint("(status = 'done') = (inspection_id IS NOT NULL)", name="done"),
        CheckConstraint("(inspector_id IS NULL) = (on_day IS NULL)", name="planned"),
        Index("uq_site_visit_round_id_site_id", "round_id", "site_id", unique=True,
              postgresql_where=text("status <> 'dropped'")),
        Index("uq_site_visit_inspection_id", "inspection_id", unique=True),
        Index("ix_site_visit_inspector_id_on_day", "inspector_id", "on_day"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("inspection_round.id", ondelete="CASCADE"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    origin: Mapped[str] = mapped_column(String(10))
    surprise: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(10), default=VisitStatus.PLANNED)
    inspector_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    on_day: Mapped[date | None] = mapped_column(Date)
    stop_no: Mapped[int | None]
    travel_s: Mapped[float | None]
    reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("site_visit.id", ondelete="CASCADE"))
    inspection_id: Mapped[UUID | None] = mapped_column(ForeignKey("inspection.id"))


class SamplingWeight(Versioned, Base):
    """A number of the drawing that the bureau has set (抽样权重); where there is none the rules' own counts."""

    __tablename__ = "sampling_weight"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float]
    source: Mapped[str] = mapped_column(String(300))


name_constraint("uq_site_visit_round_id_site_id", SiteInRound)
