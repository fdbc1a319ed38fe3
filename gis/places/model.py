"""What is stored about places. All geometry is WGS-84 longitude/latitude (EPSG:4326)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, one_of
from gis.places.rules import AreaLevel


class Area(Versioned, Base):
    """A district, street, community, residential compound or grid cell (区域)."""

    __tablename__ = "area"
    __table_args__ = (
        CheckConstraint(one_of("level", AreaLevel), name="level"),
        CheckConstraint("households >= 0 AND people >= 0", name="counts"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(12), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    households: Mapped[int] = mapped_column(default=0, server_default="0")
    people: Mapped[int] = mapped_column(default=0, server_default="0")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    source: Mapped[str] = mapped_column(String(300), default="", server_default="")
    geom: Mapped[Any] = mapped_column(Geometry("MULTIPOLYGON", SRID))


class GazetteerEntry(Base):
    """A name that people say for a place (地名)."""

    __tablename__ = "gazetteer_entry"
    __table_args__ = (Index("uq_gazetteer_entry_code", "code", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(160), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class Building(Base):
    """A building outline (建筑物), for the base map and for lines of sight."""

    __tablename__ = "building"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str | None] = mapped_column(String(160))
    height_m: Mapped[float | None]
    geom: Mapped[Any] = mapped_column(Geometry("MULTIPOLYGON", SRID))


class RoadNetwork(Base):
    """One imported street network (路网). Its `revision` rises whenever its edges change, so that memory can follow."""

    __tablename__ = "road_network"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(160), unique=True)
    source: Mapped[str] = mapped_column(String(300), default="")
    revision: Mapped[int] = mapped_column(default=1)
    imported_at: Mapped[datetime]


class RoadNode(Base):
    """A junction or an end of a street (道路节点)."""

    __tablename__ = "road_node"
    __table_args__ = (Index("uq_road_node_network_id_ref", "network_id", "ref", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("road_network.id", ondelete="CASCADE"))
    ref: Mapped[str] = mapped_column(String(60))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class RoadEdge(Base):
    """A stretch of street between two nodes (路段). A `None` time means that this direction is closed to that mode."""

    __tablename__ = "road_edge"
    __table_args__ = (Index("uq_road_edge_network_id_ref", "network_id", "ref", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("road_network.id", ondelete="CASCADE"))
    ref: Mapped[str] = mapped_column(String(60))
    from_node: Mapped[int] = mapped_column(ForeignKey("road_node.id", ondelete="CASCADE"), index=True)
    to_node: Mapped[int] = mapped_column(ForeignKey("road_node.id", ondelete="CASCADE"), index=True)
    name: Mapped[str | None] = mapped_column(String(160))
    highway: Mapped[str] = mapped_column(String(30))
    length_m: Mapped[float]
    forward_s: Mapped[float | None]
    backward_s: Mapped[float | None]
    walk_s: Mapped[float | None]
    geom: Mapped[Any] = mapped_column(Geometry("LINESTRING", SRID))


class RoadTurn(Base):
    """A way that may not be driven on (禁行转向): the refs of its stretches in turn, `+` as drawn, `-` against it."""

    __tablename__ = "road_turn"
    __table_args__ = (
        Index("uq_road_turn_network_id_ref", "network_id", "ref", unique=True),
        CheckConstraint("cardinality(path) >= 2", name="path"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("road_network.id", ondelete="CASCADE"))
    ref: Mapped[str] = mapped_column(String(60))
    path: Mapped[list[str]] = mapped_column(ARRAY(String(60)))


class CalendarYear(Base):
    """A year whose working days are known (工作日历年份), and from where."""

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(300))


class CalendarDay(Base):
    """A day that differs from Monday-Friday (调休日): a holiday on a weekday or a worked weekend."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    is_working: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(String(80), default="")
