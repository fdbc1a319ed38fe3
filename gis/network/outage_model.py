"""What is stored of shutdowns: the shutdown, its valves, and who lost service, as it was when it was saved."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.network.outage_rules import (
    Crossing,
    OutageKind,
    OutageSaved,
    OutageStatus,
    ValveAction,
    ValveWantedOtherwise,
)
from gis.network.rules import Utility


class Outage(Versioned, Base):
    """A shutdown (停供): which pipe, why, from when to when, and how many lose service. `stations` are frozen words."""

    __tablename__ = "outage"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("kind", OutageKind), name="kind"),
        CheckConstraint(one_of("status", OutageStatus), name="status"),
        CheckConstraint(one_of("crossing", Crossing), name="crossing"),
        CheckConstraint("expected_end_at > begins_at", name="times"),
        CheckConstraint("(status IN ('cancelled', 'ended')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("(limit_h IS NULL) = (limit_source IS NULL)", name="limit_has_a_source"),
        Index("ix_outage_open", "begins_at", postgresql_where=text("status IN ('announced', 'running')")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    no: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(12))
    utility: Mapped[str] = mapped_column(String(12))
    crossing: Mapped[str] = mapped_column(String(12))
    place: Mapped[str] = mapped_column(String(160))
    reason: Mapped[str] = mapped_column(String(300))
    pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipeline.id", ondelete="SET NULL"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
    begins_at: Mapped[datetime]
    expected_end_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    limit_h: Mapped[float | None]
    limit_source: Mapped[str | None] = mapped_column(String(200))
    households: Mapped[int]
    people: Mapped[int]
    vulnerable_households: Mapped[int]
    stations: Mapped[list[Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class OutageValve(Base):
    """A valve of a shutdown (停供阀门), in its place in the order: what is to be done with it, who did it and put it back."""

    __tablename__ = "outage_valve"
    __table_args__ = (
        CheckConstraint(one_of("action", ValveAction), name="action"),
        ExcludeConstraint(
            ("valve_id", "="), ("action", "<>"), name="ex_outage_valve_one_way", using="gist", where=text("held")
        ),
    )

    outage_id: Mapped[int] = mapped_column(ForeignKey("outage.id", ondelete="CASCADE"), primary_key=True)
    valve_id: Mapped[int] = mapped_column(ForeignKey("valve.id"), primary_key=True)
    position: Mapped[int]
    action: Mapped[str] = mapped_column(String(8))
    role: Mapped[str] = mapped_column(String(8))
    held: Mapped[bool] = mapped_column(default=True, server_default="true")
    turned_at: Mapped[datetime | None]
    turned_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    back_at: Mapped[datetime | None]
    back_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class OutagePoint(Base):
    """A supply point that a shutdown takes service from (停供用户), with name and counts as they were."""

    __tablename__ = "outage_point"

    outage_id: Mapped[int] = mapped_column(ForeignKey("outage.id", ondelete="CASCADE"), primary_key=True)
    supply_point_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    utility: Mapped[str] = mapped_column(String(12))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    area: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str] = mapped_column(String(120))
    households: Mapped[int]
    people: Mapped[int]
    vulnerable_households: Mapped[int]
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class RepairLimit(Versioned, Base):
    """How long an emergency repair may take (抢修时限), by utility, with its source; an example is not in force."""

    __tablename__ = "repair_limit"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint("hours > 0", name="hours"),
        Index("uq_repair_limit_active", "utility", unique=True, postgresql_where=text("active")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    utility: Mapped[str] = mapped_column(String(12))
    hours: Mapped[float]
    source: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=False, server_default="false")


name_constraint("ex_outage_valve_one_way", ValveWantedOtherwise)
name_constraint("uq_outage_request_id", OutageSaved)
