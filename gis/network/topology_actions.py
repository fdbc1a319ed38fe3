"""What is done with topologies: asked for, built, stored whole, given up; and the version that graphs in memory follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import jobs, journal
from gis.db import name_constraint, naming_violations
from gis.errors import BadInput, Conflict
from gis.journal import Who
from gis.network.drawn import Drawn, in_degrees, read
from gis.network.rules import PIPED, REACH_M, SNAP_M, BuildState, NodeKind, Utility
from gis.network.topology import Tolerance, Topology, build
from gis.network.topology_checks import Finding
from gis.network.topology_model import TopologyBuild

TASK = "build_topology"
STALE = timedelta(minutes=15)
MOST_M = 200.0


class AlreadyBuilding(Conflict):
    """The topology of this network is being built already; wait until it is done."""

    code = "already_building"


class NotPiped(BadInput):
    """There is no pipe network of %(utility)s."""

    code = "not_piped"


class BadTolerance(BadInput):
    """A tolerance must be more than 0 and at most 200 m."""

    code = "bad_tolerance"


name_constraint("uq_topology_build_going", AlreadyBuilding)


def request(
    session: Session, who: Who, utility: str, snap_m: float = SNAP_M, reach_m: float = REACH_M, *, later: bool = True
) -> TopologyBuild:
    """Have the topology of a utility built, by a worker (`later`) or by the caller. Raises AlreadyBuilding, NotPiped."""
    if utility not in PIPED:
        raise NotPiped(utility=utility)
    if not (0 < snap_m <= MOST_M and 0 < reach_m <= MOST_M):
        raise BadTolerance()
    session.execute(_GIVE_UP, {"utility": utility, "before": who.now - STALE})
    state = BuildState.WAITING if later else BuildState.RUNNING
    made = TopologyBuild(utility=utility, state=state, at=who.now, user_id=who.user_id, snap_m=snap_m, reach_m=reach_m)
    with naming_violations(session):
        session.add(made)
    journal.write(session, who, "request", "topology", made.id, utility=utility, snap_m=snap_m, reach_m=reach_m)
    if later:
        jobs.defer(session, TASK, {"build_id": made.id})
    return made


def run(session: Session, who: Who, made: TopologyBuild, told: Callable[[float], None] | None = None) -> None:
    """Build and store, whole, in the caller's transaction."""
    utility = Utility(made.utility)
    session.execute(_LOCK, {"utility": str(utility)})
    drawn = read(session, utility)
    topology = build(drawn.pipes, drawn.things, Tolerance(made.snap_m, made.reach_m), told)
    _store(session, utility, drawn, topology)
    _store_findings(session, made.id, topology.findings, drawn.near_lon)
    bump(session, utility, topology=True)
    made.state, made.done_at, made.part = BuildState.READY, who.now, 1.0
    made.pipelines, made.nodes, made.sections = len(drawn.pipe_ids), len(topology.node_xy), len(topology.section_pipe)
    made.pieces = len(np.unique(topology.piece[topology.section_from])) if len(topology.section_from) else 0
    made.length_m = float(topology.section_length.sum())
    journal.write(
        session, who, "build", "topology", made.id, utility=str(utility), nodes=made.nodes, sections=made.sections,
        findings=len(topology.findings),
    )  # fmt: skip
    session.flush()


def rebuild(
    session: Session, who: Who, utility: str, snap_m: float = SNAP_M, reach_m: float = REACH_M
) -> TopologyBuild:
    """Ask for a topology and build it at once."""
    made = request(session, who, utility, snap_m, reach_m, later=False)
    run(session, who, made)
    return made


def fail(session: Session, who: Who, made: TopologyBuild, why: str) -> None:
    """A building that came to nothing; the topology before it stays."""
    made.state, made.done_at, made.failure = BuildState.FAILED, who.now, why[:200]
    journal.write(session, who, "fail", "topology", made.id, utility=made.utility)
    session.flush()


def bump(session: Session, utility: str, *, topology: bool = False) -> None:
    """Say that the topology, or the valves, of a utility are other ones than before."""
    session.execute(_BUMP, {"utility": str(utility), "topology": int(topology), "valves": int(not topology)})


_GIVE_UP = text(
    """
    UPDATE topology_build SET state = 'failed', failure = 'stopped'
     WHERE utility = :utility AND state IN ('waiting', 'running') AND at < :before
    """
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('chengmai topology ' || :utility))")
_BUMP = text(
    """
    INSERT INTO network_version AS v (utility, topology, valves) VALUES (:utility, :topology, :valves)
        ON CONFLICT (utility) DO UPDATE SET topology = v.topology + :topology, valves = v.valves + :valves
    """
)
_CLEAR = [
    text("DELETE FROM pipe_section WHERE utility = :utility"),
    text("DELETE FROM pipe_node WHERE utility = :utility"),
]
_IDS = text("SELECT nextval(pg_get_serial_sequence('pipe_node', 'id')) FROM generate_series(1, :n)")
_NODES = text(
    """
    INSERT INTO pipe_node (id, utility, side, kind, heat_source_id, supply_source_id, valve_id, station_id, supply_point_id, geom)
    SELECT id, :utility, side, kind, CASE "column" WHEN 'heat_source_id' THEN thing END,
           CASE "column" WHEN 'supply_source_id' THEN thing END, CASE "column" WHEN 'valve_id' THEN thing END,
           CASE "column" WHEN 'station_id' THEN thing END, CASE "column" WHEN 'supply_point_id' THEN thing END,
           ST_SetSRID(ST_MakePoint(lon, lat), 4326)
      FROM unnest(CAST(:ids AS bigint[]), CAST(:sides AS text[]), CAST(:kinds AS text[]), CAST(:columns AS text[]),
                  CAST(:things AS bigint[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]))
           AS n (id, side, kind, "column", thing, lon, lat)
    """
)
_SECTIONS = text(
    """
    INSERT INTO pipe_section (pipeline_id, utility, side, from_node_id, to_node_id, length_m, geom)
    SELECT pipeline, :utility, side, a, b, metres, ST_SetSRID(ST_GeomFromWKB(line), 4326)
      FROM unnest(CAST(:pipelines AS bigint[]), CAST(:sides AS text[]), CAST(:a AS bigint[]), CAST(:b AS bigint[]),
                  CAST(:metres AS float8[]), CAST(:lines AS bytea[])) AS s (pipeline, side, a, b, metres, line)
    """
)
_FINDINGS = text(
    """
    INSERT INTO topology_finding (build_id, kind, code, other_code, metres, detail, geom)
    SELECT :build, kind, code, other, metres, detail, ST_SetSRID(ST_MakePoint(lon, lat), 4326)
      FROM unnest(CAST(:kinds AS text[]), CAST(:codes AS text[]), CAST(:others AS text[]), CAST(:metres AS float8[]),
                  CAST(:details AS text[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]))
           WITH ORDINALITY AS f (kind, code, other, metres, detail, lon, lat, n) ORDER BY n
    """
)


def _store(session: Session, utility: Utility, drawn: Drawn, topology: Topology) -> None:
    for statement in _CLEAR:
        session.execute(statement, {"utility": str(utility)})
    ids = np.array(session.scalars(_IDS, {"n": len(topology.node_xy)}).all(), np.int64)
    sides = [str(side) for side in topology.node_side]
    lon, lat = _degrees(topology.node_xy, drawn.near_lon)
    things = topology.node_thing.tolist()
    session.execute(_NODES, {
        "utility": str(utility), "ids": ids.tolist(), "sides": sides, "lon": lon, "lat": lat,
        "kinds": [str(NodeKind.JUNCTION if t < 0 else drawn.things.kinds[t]) for t in things],
        "columns": ["" if t < 0 else drawn.thing_columns[t] for t in things],
        "things": [None if t < 0 else drawn.thing_ids[t] for t in things],
    })  # fmt: skip
    lines = shapely.to_wkb(in_degrees(topology.section_line, drawn.near_lon))
    session.execute(_SECTIONS, {
        "utility": str(utility), "pipelines": [drawn.pipe_ids[i] for i in topology.section_pipe],
        "sides": [sides[a] for a in topology.section_from], "a": ids[topology.section_from].tolist(),
        "b": ids[topology.section_to].tolist(), "metres": topology.section_length.tolist(), "lines": list(lines),
    })  # fmt: skip


def _degrees(xy: NDArray[Any], near_lon: float) -> tuple[list[float], list[float]]:
    from gis import geo

    lon, lat = geo.to_degrees(xy[:, 0], xy[:, 1], near_lon)
    return lon.tolist(), lat.tolist()


def _store_findings(session: Session, build_id: int, findings: list[Finding], near_lon: float) -> None:
    if not findings:
        return
    xy = np.array([f.xy if f.xy is not None else (np.nan, np.nan) for f in findings], float)
    there = np.isfinite(xy).all(1)
    lon: list[float | None] = [None] * len(findings)
    lat: list[float | None] = [None] * len(findings)
    for place, x, y in zip(np.flatnonzero(there).tolist(), *_degrees(xy[there], near_lon), strict=True):
        lon[place], lat[place] = x, y
    session.execute(_FINDINGS, {
        "build": build_id, "kinds": [str(f.kind) for f in findings], "codes": [f.code for f in findings],
        "others": [f.other for f in findings], "details": [f.detail for f in findings], "lon": lon, "lat": lat,
        "metres": [f.metres if f.metres is None or np.isfinite(f.metres) else None for f in findings],
    })  # fmt: skip


def tell(session: Session, build_id: int, part: float) -> None:
    """Say how much of a building is done (0 to 1)."""
    session.execute(
        text("UPDATE topology_build SET part = :part WHERE id = :id"),
        {"part": min(max(part, 0.0), 0.99), "id": build_id},
    )
