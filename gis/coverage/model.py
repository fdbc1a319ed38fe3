"""What is stored about cameras, blind spots, weak mobile signal and unserved areas."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from gis.coverage.rules import (
    CameraCodeTaken,
    CameraState,
    MastState,
    RunGoesOn,
    RunState,
    SpotKind,
    SpotOrigin,
    SpotState,
    ViewLevel,
)
from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.network.rules import Utility


class Camera(Versioned, Base):
    """A monitoring camera (探头). What is not known of it stays empty and is told."""

    __tablename__ = "camera"
    __table_args__ = (
        CheckConstraint(one_of("state", CameraState), name="state"),
        CheckConstraint("bearing_deg >= 0 AND bearing_deg < 360", name="bearing"),
        CheckConstraint("fov_deg > 0 AND fov_deg <= 360", name="fov"),
        CheckConstraint("focal_mm > 0 AND sensor_mm > 0 AND resolution_px > 0", name="optics"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(12), default=CameraState.WORKING)
    height_m: Mapped[float | None]
    bearing_deg: Mapped[float | None]
    fov_deg: Mapped[float | None]
    focal_mm: Mapped[float | None]
    sensor_mm: Mapped[float | None]
    resolution_px: Mapped[int | None]
    range_m: Mapped[float | None]
    is_ptz: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class CameraView(Base):
    """What a camera sees at a level (可视域), cut by buildings, as the last computation found it."""

    __tablename__ = "camera_view"
    __table_args__ = (CheckConstraint(one_of("level", ViewLevel), name="level"),)

    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[str] = mapped_column(String(12), primary_key=True)
    reach_m: Mapped[float]
    area_m2: Mapped[float]
    geom: Mapped[Any] = mapped_column(Geometry("POLYGON", SRID))


class CoverageRun(Base):
    """One computation of view fields, roads seen and blind spots (覆盖计算), how far it is and what came out."""

    __tablename__ = "coverage_run"
    __table_args__ = (
        CheckConstraint(one_of("state", RunState), name="state"),
        Index(
            "uq_coverage_run_unfinished", text("(true)"), unique=True, postgresql_where=text("state IN ('waiting', 'running')")
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    asked_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    state: Mapped[str] = mapped_column(String(12), default=RunState.WAITING)
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int] = mapped_column(default=0, server_default="0")
    finished_at: Mapped[datetime | None]
    results: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


name_constraint("uq_coverage_run_unfinished", RunGoesOn)
name_constraint("uq_camera_code", CameraCodeTaken)


class Spot(Versioned):
    """What blind spots, weak signal spots and unserved areas have in common: a life from known to closed."""

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return (
            CheckConstraint(one_of("state", SpotState), name="state"),
            CheckConstraint(one_of("origin", SpotOrigin), name="origin"),
            CheckConstraint("state <> 'planned' OR promise_id IS NOT NULL OR synthetic", name="promised"),
        )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(12), default=SpotState.REPORTED)
    origin: Mapped[str] = mapped_column(String(12), default=SpotOrigin.CITIZEN, server_default="citizen")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    promise_id: Mapped[int | None] = mapped_column(ForeignKey("promise.id"))
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    checked_at: Mapped[datetime | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class BlindSpot(Spot, Base):
    """A stretch of a named road that no camera sees (监控盲区), between two landmarks. `unseen_m`: of the last computation."""

    __tablename__ = "blind_spot"

    road_name: Mapped[str] = mapped_column(String(160))
    from_landmark: Mapped[str] = mapped_column(String(160), default="")
    to_landmark: Mapped[str] = mapped_column(String(160), default="")
    unseen_m: Mapped[float | None]
    cameras_there: Mapped[int | None]
    geom: Mapped[Any] = mapped_column(Geometry("LINESTRING", SRID))


class WeakSignalSpot(Spot, Base):
    """A place where mobile signal is weak (弱覆盖点), what the operator answered, and when a mast ends that."""

    __tablename__ = "weak_signal_spot"

    name: Mapped[str] = mapped_column(String(160))
    operator: Mapped[str] = mapped_column(String(80), default="", server_default="")
    samples: Mapped[int | None]
    weak_samples: Mapped[int | None]
    mast_by: Mapped[date | None] = mapped_column(Date)
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class UnservedArea(Spot, Base):
    """An area where people live and a utility does not reach (用户发展空白区域): investigated, explained or promised."""

    __tablename__ = "unserved_area"

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return (
            *super().__table_args__,
            CheckConstraint(one_of("utility", Utility), name="utility"),
            Index("uq_unserved_area_area_id_utility", "area_id", "utility", unique=True),
        )

    utility: Mapped[str] = mapped_column(String(12))
    away_m: Mapped[float | None]


class SpotCheck(Base):
    """Somebody was there (现场核实): how many cameras there are now, or how strong the signal is, and what was seen."""

    __tablename__ = "spot_check"
    __table_args__ = (
        CheckConstraint("num_nonnulls(blind_spot_id, weak_signal_spot_id, unserved_area_id) = 1", name="one_thing"),
        CheckConstraint("cameras >= 0", name="cameras"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    blind_spot_id: Mapped[int | None] = mapped_column(ForeignKey("blind_spot.id"), index=True)
    weak_signal_spot_id: Mapped[int | None] = mapped_column(ForeignKey("weak_signal_spot.id"), index=True)
    unserved_area_id: Mapped[int | None] = mapped_column(ForeignKey("unserved_area.id"), index=True)
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    cameras: Mapped[int | None]
    rsrp_dbm: Mapped[float | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class SpotPhoto(Base):
    """A picture of a check on foot (核实照片)."""

    __tablename__ = "spot_photo"

    check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_check.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("photo.sha256"), primary_key=True)
    taken_at: Mapped[datetime]


class SignalSample(Base):
    """How strong the signal was somewhere (信号采样), by a file or a phone. RSRP in dBm."""

    __tablename__ = "signal_sample"
    __table_args__ = (CheckConstraint("rsrp_dbm BETWEEN -160 AND -20", name="rsrp"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    at: Mapped[datetime | None]
    operator: Mapped[str] = mapped_column(String(80), default="", server_default="")
    rsrp_dbm: Mapped[float]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Mast(Base):
    """A mast of mobile telephony (基站), there or planned. `height_m`: of its antennas above ground."""

    __tablename__ = "mast"
    __table_args__ = (CheckConstraint(one_of("state", MastState), name="state"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    operator: Mapped[str] = mapped_column(String(80), default="", server_default="")
    state: Mapped[str] = mapped_column(String(12), default=MastState.WORKING)
    height_m: Mapped[float | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


SPOTS: dict[SpotKind, type[BlindSpot] | type[WeakSignalSpot] | type[UnservedArea]] = {
    SpotKind.BLIND_SPOT: BlindSpot,
    SpotKind.WEAK_SIGNAL_SPOT: WeakSignalSpot,
    SpotKind.UNSERVED_AREA: UnservedArea,
}
