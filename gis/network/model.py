"""What is stored about the utility networks."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, one_of
from gis.network.rules import Flow, NetworkLevel, StationOperator, Utility


class HeatSource(Versioned, Base):
    """A combined heat and power plant or boiler house (热源)."""

    __tablename__ = "heat_source"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
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


class Valve(Versioned, Base):
    """A valve (阀门)."""

    __tablename__ = "valve"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    utility: Mapped[str] = mapped_column(String(12))
    is_open: Mapped[bool] = mapped_column(Boolean, default=True)
    pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipeline.id"))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
