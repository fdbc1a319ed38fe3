"""What is derived from the networks as drawn: nodes and sections, rebuilt whole per utility, and what did not connect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, one_of
from gis.network.rules import BuildState, FindingKind, NodeKind, PipeSide, Utility


class NetworkVersion(Base):
    """A number per utility that every change of its network raises (管网版本): graphs in memory are read again by it."""

    __tablename__ = "network_version"
    __table_args__ = (CheckConstraint(one_of("utility", Utility), name="utility"),)

    utility: Mapped[str] = mapped_column(String(12), primary_key=True)
    topology: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    valves: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class TopologyBuild(Base):
    """One building of a utility's topology (拓扑构建): with which tolerances, how far, and what came of it."""

    __tablename__ = "topology_build"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("state", BuildState), name="state"),
        CheckConstraint("snap_m > 0 AND reach_m > 0", name="metres"),
        Index("ix_topology_build_utility_id", "utility", "id"),
        Index(
            "uq_topology_build_going", "utility", unique=True, postgresql_where=text("state IN ('waiting', 'running')")
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    utility: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    snap_m: Mapped[float]
    reach_m: Mapped[float]
    part: Mapped[float] = mapped_column(default=0.0, server_default="0")
    pipelines: Mapped[int] = mapped_column(default=0, server_default="0")
    nodes: Mapped[int] = mapped_column(default=0, server_default="0")
    sections: Mapped[int] = mapped_column(default=0, server_default="0")
    pieces: Mapped[int] = mapped_column(default=0, server_default="0")
    length_m: Mapped[float] = mapped_column(default=0.0, server_default="0")
    failure: Mapped[str] = mapped_column(String(200), default="", server_default="")


class PipeNode(Base):
    """Where sections meet or end (管网节点): a junction, or a source, valve, station or customer on one side."""

    __tablename__ = "pipe_node"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("side", PipeSide), name="side"),
        CheckConstraint(one_of("kind", NodeKind), name="kind"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    utility: Mapped[str] = mapped_column(String(12), index=True)
    side: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(12))
    heat_source_id: Mapped[int | None] = mapped_column(ForeignKey("heat_source.id", ondelete="CASCADE"), index=True)
    supply_source_id: Mapped[int | None] = mapped_column(ForeignKey("supply_source.id", ondelete="CASCADE"), index=True)
    valve_id: Mapped[int | None] = mapped_column(ForeignKey("valve.id", ondelete="CASCADE"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id", ondelete="CASCADE"), index=True)
    supply_point_id: Mapped[int | None] = mapped_column(ForeignKey("supply_point.id", ondelete="CASCADE"), index=True)
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))


class PipeSection(Base):
    """A stretch of a pipeline between two nodes (管段): the pipe is cut at every valve and tee."""

    __tablename__ = "pipe_section"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint(one_of("side", PipeSide), name="side"),
        CheckConstraint("length_m >= 0", name="length"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipeline.id", ondelete="CASCADE"), index=True)
    utility: Mapped[str] = mapped_column(String(12), index=True)
    side: Mapped[str] = mapped_column(String(20))
    from_node_id: Mapped[int] = mapped_column(ForeignKey("pipe_node.id", ondelete="CASCADE"), index=True)
    to_node_id: Mapped[int] = mapped_column(ForeignKey("pipe_node.id", ondelete="CASCADE"), index=True)
    length_m: Mapped[float]
    geom: Mapped[Any] = mapped_column(Geometry("LINESTRING", SRID))


class TopologyFinding(Base):
    """Something that is wrong with a network as drawn (拓扑问题), with the object and the place."""

    __tablename__ = "topology_finding"
    __table_args__ = (CheckConstraint(one_of("kind", FindingKind), name="kind"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("topology_build.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(60))
    other_code: Mapped[str] = mapped_column(String(60), default="", server_default="")
    metres: Mapped[float | None]
    detail: Mapped[str] = mapped_column(String(120), default="", server_default="")
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
