"""What is stored about the utility networks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, one_of
from gis.network.rules import Flow, NetworkLevel, StationOperator, Utility, ValveKind, ValveReach


class HeatSource(Versioned, Base):
    """A combined heat and power plant or boiler house (热源)."""

    __tablename__ = "heat_source"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Station(Versioned, Base):
    """A heat-exchange station (换热站)."""

    __tablename__ = "station"
    __table_args__ = (
        CheckConstraint(one_of("operator", StationOperator), name="operator"),
        CheckConstraint("households >= 0", name="households"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    operator: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("heat_source.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    households: Mapped[int] = mapped_column(default=0, server_default="0")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Institution(Base):
    """An enterprise or public institution that is heated (企事业单位)."""

    __tablename__ = "institution"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"), index=True)
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Pipeline(Versioned, Base):
    """A pipe between two points (管线)."""

    __tablename__ = "pipeline"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("level", NetworkLevel), name="level"),
        CheckConstraint(f"flow IS NULL OR {one_of('flow', Flow)}", name="flow"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    utility: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(12))
    flow: Mapped[str | None] = mapped_column(String(8))
    diameter_mm: Mapped[float | None]
    material: Mapped[str | None] = mapped_column(String(60))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("LINESTRING", SRID))


class SupplySource(Versioned, Base):
    """Where water or gas enters the mains (水源、气源); the sources of heat are `HeatSource`."""

    __tablename__ = "supply_source"
    __table_args__ = (CheckConstraint(one_of("utility", Utility), name="utility"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    utility: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Valve(Versioned, Base):
    """A valve (阀门): open or closed now and normally, and whether a crew can get to it."""

    __tablename__ = "valve"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("kind", ValveKind), name="kind"),
        CheckConstraint(one_of("reach", ValveReach), name="reach"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    utility: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(12), default=ValveKind.ISOLATION, server_default="isolation")
    is_open: Mapped[bool] = mapped_column(Boolean, default=True)
    normally_open: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    reach: Mapped[str] = mapped_column(String(12), default=ValveReach.REACHABLE, server_default="reachable")
    reach_note: Mapped[str] = mapped_column(String(200), default="", server_default="")
    reach_since_at: Mapped[datetime | None]
    pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipeline.id"), index=True)
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class SupplyPoint(Versioned, Base):
    """Where a building, an institution or a station is served by one utility (用户接入点): counts, never persons."""

    __tablename__ = "supply_point"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint("households >= 0 AND people >= 0 AND vulnerable_households >= 0", name="counts"),
        CheckConstraint("vulnerable_households <= households", name="vulnerable"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    utility: Mapped[str] = mapped_column(String(12), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institution.id"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    households: Mapped[int] = mapped_column(default=0, server_default="0")
    people: Mapped[int] = mapped_column(default=0, server_default="0")
    vulnerable_households: Mapped[int] = mapped_column(default=0, server_default="0")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class NetworkDependency(Versioned, Base):
    """A station that needs another utility (管网依赖): it stops some minutes after its supply point has lost service."""

    __tablename__ = "network_dependency"
    __table_args__ = (
        UniqueConstraint("station_id", "supply_point_id"),
        CheckConstraint("grace_min >= 0", name="grace"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id", ondelete="CASCADE"))
    supply_point_id: Mapped[int] = mapped_column(ForeignKey("supply_point.id", ondelete="CASCADE"), index=True)
    grace_min: Mapped[int] = mapped_column(default=0, server_default="0")
