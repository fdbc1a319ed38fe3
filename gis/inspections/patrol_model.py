"""What is stored about patrols: who walks where on which day, and what was told of each stop. Readings are `Reading` rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.inspections.patrol_rules import PatrolStatus, StopOutcome, StopTwice


class Patrol(Versioned, Base):
    """A round of stations and measuring points that somebody walks on a day (巡检)."""

    __tablename__ = "patrol"
    __table_args__ = (
        CheckConstraint(one_of("status", PatrolStatus), name="status"),
        Index("ix_patrol_user_id_on_day", "user_id", "on_day"),
        Index("ix_patrol_on_day", "on_day"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    on_day: Mapped[date] = mapped_column(Date)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    status: Mapped[str] = mapped_column(String(12), default=PatrolStatus.PLANNED)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class PatrolStop(Versioned, Base):
    """A stop of a patrol (巡检点): a station with all its measuring points, or one measuring point.

    `readings` is what was entered there, as the phone told it beside the bands it carried: `[{point_id, at, value, low, high,
    way}]`; the values themselves are rows of the points' series. `change_id` is the change that told of it, once.
    """

    __tablename__ = "patrol_stop"
    __table_args__ = (
        CheckConstraint("num_nonnulls(station_id, point_id) = 1", name="one_place"),
        CheckConstraint(f"outcome IS NULL OR {one_of('outcome', StopOutcome)}", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (told_at IS NULL)", name="told"),
        CheckConstraint("stop_no > 0 AND out_of_band >= 0", name="numbers"),
        Index("uq_patrol_stop_patrol_id_station_id", "patrol_id", "station_id", unique=True,
              postgresql_where=text("station_id IS NOT NULL")),
        Index("uq_patrol_stop_patrol_id_point_id", "patrol_id", "point_id", unique=True,
              postgresql_where=text("point_id IS NOT NULL")),
        Index("uq_patrol_stop_change_id", "change_id", unique=True),
        Index("ix_patrol_stop_station_id_told_at", "station_id", "told_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id", ondelete="CASCADE"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    point_id: Mapped[int | None] = mapped_column(ForeignKey("measuring_point.id"))
    stop_no: Mapped[int]
    travel_s: Mapped[float | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    told_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    told_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    change_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    readings: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'::jsonb"))
    out_of_band: Mapped[int] = mapped_column(default=0, server_default="0")
    position: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID, spatial_index=False))


name_constraint("uq_patrol_stop_patrol_id_station_id", StopTwice)
name_constraint("uq_patrol_stop_patrol_id_point_id", StopTwice)
