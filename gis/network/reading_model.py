"""What is stored of measuring: points, readings by month, what could not be kept, rules of alarm, alarms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.network.reading_rules import (
    STATION_SIDES,
    AlarmKind,
    AlarmRulesOverlap,
    AlarmWay,
    FaultKind,
    FromWhere,
    PointCodeTaken,
    PointSide,
    Quantity,
)
from gis.network.rules import Utility


class MeasuringPoint(Versioned, Base):
    """Where something is measured (测点): a side of a station, a main, a room by its code, or outdoors.

    A room is told by a code of the building (`place`), never by whoever lives there. `unit` is what the instrument sends
    where a reading names none; what is kept is always in the quantity's own unit (`KEPT_UNIT`).
    """

    __tablename__ = "measuring_point"
    __table_args__ = (
        CheckConstraint(one_of("quantity", Quantity), name="quantity"),
        CheckConstraint(one_of("side", PointSide), name="side"),
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(f"station_id IS NOT NULL OR NOT {one_of('side', STATION_SIDES)}", name="station"),
        CheckConstraint("side <> 'room' OR place <> ''", name="place"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[str] = mapped_column(String(12))
    side: Mapped[str] = mapped_column(String(16))
    utility: Mapped[str] = mapped_column(String(12), default="heat", server_default="heat")
    unit: Mapped[str] = mapped_column(String(8))
    place: Mapped[str] = mapped_column(String(80), default="", server_default="")
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))


class Reading(Base):
    """One measured value (读数), in a partition of its month (UTC).

    One row per point and moment, whatever comes again. The higher `revision` wins; two values of one revision
    contradict each other: the greater is kept and marked, so that the order in which they came makes no difference.
    Nothing but the verb writes here, and it only knows points that are there: a foreign key would be checked per row.
    """

    __tablename__ = "reading"
    __table_args__ = (
        # The values ride in the key: a point's day is read from a few pages of it instead of one page per minute.
        PrimaryKeyConstraint("point_id", "at", name="pk_reading", postgresql_include=["value", "contradicted"]),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    point_id: Mapped[int] = mapped_column(Integer, autoincrement=False)
    at: Mapped[datetime]
    value: Mapped[float] = mapped_column(Double)
    received_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    contradicted: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class ReadingFault(Base):
    """What came and could not be kept as a reading (读数问题): one row per day, object, kind and way, with the last example."""

    __tablename__ = "reading_fault"
    __table_args__ = (
        CheckConstraint(one_of("kind", FaultKind), name="kind"),
        CheckConstraint(one_of("came_by", FromWhere), name="came_by"),
        UniqueConstraint("day", "object", "kind", "came_by"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    object: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    came_by: Mapped[str] = mapped_column(String(8))
    point_id: Mapped[int | None] = mapped_column(ForeignKey("measuring_point.id"), index=True)
    times: Mapped[int] = mapped_column(BigInteger)
    example: Mapped[str] = mapped_column(String(200))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class AlarmRule(Versioned, Base):
    """When a point is out of order (报警规则), from a day to a day; a change is a new row and the old one ends.

    `band`: outside `low`..`high`. `curve`: farther below (`low`) or above (`high`) than that from what `knots`
    ([[outdoor °C, wanted], …]) want at the outdoor point's temperature. `swapped`: colder than the return point.
    `silence`: nothing for `silent_min`. It must last `open_min` to open, and be back inside by `hysteresis` for
    `clear_min` to clear.
    """

    __tablename__ = "alarm_rule"
    __table_args__ = (
        CheckConstraint(one_of("kind", AlarmKind), name="kind"),
        CheckConstraint("low IS NULL OR high IS NULL OR kind = 'curve' OR low < high", name="order"),
        CheckConstraint("kind NOT IN ('band', 'curve') OR low IS NOT NULL OR high IS NOT NULL", name="limits"),
        CheckConstraint("kind <> 'curve' OR coalesce(low, 0) >= 0 AND coalesce(high, 0) >= 0", name="deviation"),
        CheckConstraint("(kind = 'curve') = (knots IS NOT NULL)", name="knots"),
        CheckConstraint("(kind IN ('curve', 'swapped')) = (other_id IS NOT NULL)", name="other"),
        CheckConstraint("(kind = 'silence') = (silent_min IS NOT NULL)", name="silent_min"),
        CheckConstraint("hysteresis >= 0 AND open_min >= 0 AND clear_min >= 0 AND silent_min > 0", name="numbers"),
        CheckConstraint("source <> ''", name="source"),
        ExcludeConstraint(
            ("point_id", "="), ("kind", "="), ("valid", "&&"), name="ex_alarm_rule_valid", using="gist"
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("measuring_point.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    knots: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    other_id: Mapped[int | None] = mapped_column(ForeignKey("measuring_point.id"))
    hysteresis: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    open_min: Mapped[int] = mapped_column(default=0, server_default="0")
    clear_min: Mapped[int] = mapped_column(default=0, server_default="0")
    silent_min: Mapped[int | None]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str] = mapped_column(String(300))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class Alarm(Versioned, Base):
    """A point out of order (报警): opens and clears by itself; somebody takes note of it. One open per point and kind."""

    __tablename__ = "alarm"
    __table_args__ = (
        CheckConstraint(one_of("kind", AlarmKind), name="kind"),
        CheckConstraint(one_of("way", AlarmWay), name="way"),
        CheckConstraint("cleared_at IS NULL OR cleared_at >= opened_at", name="cleared_at"),
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged"),
        Index("uq_alarm_open", "point_id", "kind", unique=True, postgresql_where=text("cleared_at IS NULL")),
        Index("ix_alarm_opened_at", "opened_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("measuring_point.id"), index=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("alarm_rule.id"))
    kind: Mapped[str] = mapped_column(String(8))
    way: Mapped[str] = mapped_column(String(8))
    opened_at: Mapped[datetime]
    value: Mapped[float | None] = mapped_column(Double)
    wanted: Mapped[float | None] = mapped_column(Double)
    noticed_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    cleared_value: Mapped[float | None] = mapped_column(Double)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


name_constraint("uq_measuring_point_code", PointCodeTaken)
name_constraint("ex_alarm_rule_valid", AlarmRulesOverlap)
