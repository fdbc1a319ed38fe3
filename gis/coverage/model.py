"""What is stored about cameras, blind spots and weak mobile signal."""

from __future__ import annotations

from datetime import date
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.coverage.rules import CameraState, SpotState
from gis.db import SRID, Base, Versioned, one_of


class Camera(Versioned, Base):
    """A monitoring camera (探头)."""

    __tablename__ = "camera"
    __table_args__ = (
        CheckConstraint(one_of("state", CameraState), name="state"),
        CheckConstraint("bearing_deg >= 0 AND bearing_deg < 360", name="bearing"),
        CheckConstraint("fov_deg > 0 AND fov_deg <= 360", name="fov"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(12), default=CameraState.WORKING)
    height_m: Mapped[float | None]
    bearing_deg: Mapped[float | None]
    fov_deg: Mapped[float | None]
    range_m: Mapped[float | None]
    is_ptz: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class BlindSpot(Versioned, Base):
    """A stretch of a named road that no camera sees (监控盲区), between two landmarks."""

    __tablename__ = "blind_spot"
    __table_args__ = (CheckConstraint(one_of("state", SpotState), name="state"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    road_name: Mapped[str] = mapped_column(String(160))
    from_landmark: Mapped[str] = mapped_column(String(160), default="")
    to_landmark: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(12), default=SpotState.REPORTED)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("LINESTRING", SRID))


class WeakSignalSpot(Versioned, Base):
    """A place where mobile signal is weak (弱覆盖点), and when that ends."""

    __tablename__ = "weak_signal_spot"
    __table_args__ = (CheckConstraint(one_of("state", SpotState), name="state"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    state: Mapped[str] = mapped_column(String(12), default=SpotState.REPORTED)
    mast_by: Mapped[date | None] = mapped_column(Date)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
