"""Coverage: the view fields of 5,000 cameras among 20,000 buildings from the database, beside a fine ray cast; infill beside the optimum.

The town is made from a seed: houses on a grid of 50 m, turned and shaken, cameras beside the streets, streets between the houses.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.coverage import actions, infill_sites
from gis.coverage import ground_queries as ground
from gis.coverage.infill import choose
from gis.coverage.rules import CAMERA_TYPES, ViewLevel
from gis.db import make_engine, make_sessions
from gis.geo import to_degrees, to_metres
from gis.journal import Who
from tests.bench.report import Bench
from webapp.coverage import INFILL_S
from webapp.coverage_tasks import PIECE

BUILDINGS, CAMERAS, GRID_M, LON, LAT = 20_000, 5_000, 50.0, 119.96, 36.78
RAYS, CHECKED, SIDE = 2_000, 200, 142
CANDIDATES, PIECES, K, RUNS = 1_000, 4_000, 20, 5
EXACT_S = 300.0


def run(bench: Bench) -> None:
    """The figures of coverage."""
    engine = make_engine(bench.database("coverage"))
    with make_sessions(engine)() as session:
        town(session)
        views(bench, session)
        from_the_database(bench, session)
    engine.dispose()
    beside_the_optimum(bench)


def town(session: Session) -> None:
    """The made town as rows."""
    draw = np.random.default_rng(7)
    x0, y0 = (float(v) for v in to_metres(LON, LAT, LON))
    at = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2)[:BUILDINGS] * GRID_M + (x0, y0)
    at = at + draw.uniform(-6, 6, at.shape)
    half = draw.uniform(6, 18, at.shape)
    boxes = shapely.box(*(at - half).T, *(at + half).T)
    turn = draw.uniform(0, 90, len(at))
    houses = np.array([shapely.affinity.rotate(box, angle) for box, angle in zip(boxes, turn, strict=True)], object)
    _insert(
        session,
        "INSERT INTO building (code, height_m, geom) SELECT 'B' || n, 18, ST_Multi(ST_GeomFromText(wkt, 4326))",
        houses,
    )
    low, high = at.min(axis=0), at.max(axis=0)
    cameras = np.column_stack([draw.uniform(low[0], high[0], CAMERAS), draw.uniform(low[1], high[1], CAMERAS)])
    cameras[:, 0] = np.round((cameras[:, 0] - x0) / GRID_M - 0.5) * GRID_M + x0 + GRID_M / 2  # beside a street
    _insert(
        session,
        "INSERT INTO camera (code, name, state, bearing_deg, focal_mm, sensor_mm, resolution_px, geom)"
        " SELECT 'C' || n, '', CASE WHEN n % 20 = 0 THEN 'broken' ELSE 'working' END, (n * 37) % 360, (ARRAY[4, 6, 12])[n % 3 + 1], 5.12, 1920,"
        " ST_GeomFromText(wkt, 4326)",
        shapely.points(cameras),
    )
    session.execute(text("INSERT INTO road_network (name, source, revision, imported_at) VALUES ('B', '', 1, now())"))
    lines = []
    for i in range(0, SIDE, 2):
        for a in range(0, SIDE - 4, 4):
            one, other = x0 + (i + 0.5) * GRID_M, y0 + (i + 0.5) * GRID_M
            lines.append((f"南北{i}路", shapely.LineString([(one, y0 + a * GRID_M), (one, y0 + (a + 4) * GRID_M)])))
            lines.append((f"东西{i}路", shapely.LineString([(x0 + a * GRID_M, other), (x0 + (a + 4) * GRID_M, other)])))
    _streets(session, lines)
    session.commit()
    for table in ("building", "camera", "road_edge"):
        session.execute(text(f"ANALYZE {table}"))
    session.commit()


def _degrees(shapes: Any) -> Any:
    return shapely.transform(shapes, lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1], LON)))


def _insert(session: Session, statement: str, shapes: Any) -> None:
    wkt = shapely.to_wkt(_degrees(shapes), rounding_precision=8).tolist()
    session.execute(text(f"{statement} FROM unnest(CAST(:wkt AS text[])) WITH ORDINALITY AS t (wkt, n)"), {"wkt": wkt})


def _streets(session: Session, lines: list[tuple[str, Any]]) -> None:
    """Each edge with two joints; those of one street share their joints."""
    shapes = _degrees(np.array([line for _, line in lines], object))
    session.execute(text("CREATE TEMP TABLE s AS SELECT n, name, ST_GeomFromText(wkt, 4326) AS g FROM"
                         " unnest(CAST(:name AS text[]), CAST(:wkt AS text[])) WITH ORDINALITY AS t (name, wkt, n)"),
                    {"name": [name for name, _ in lines], "wkt": shapely.to_wkt(shapes, rounding_precision=8).tolist()})  # fmt: skip
    for statement in (
        "INSERT INTO road_node (network_id, ref, geom) SELECT DISTINCT ON (name, p) (SELECT max(id) FROM road_network), name || ST_AsText(p, 6), p"
        " FROM (SELECT name, ST_StartPoint(g) AS p FROM s UNION ALL SELECT name, ST_EndPoint(g) FROM s) AS e",
        "INSERT INTO road_edge (network_id, ref, from_node, to_node, name, highway, length_m, forward_s, backward_s, walk_s, geom)"
        " SELECT a.network_id, s.n, a.id, b.id, s.name, 'residential', 200, 20, 20, 150, g FROM s"
        " JOIN road_node AS a ON a.ref = s.name || ST_AsText(ST_StartPoint(g), 6) JOIN road_node AS b ON b.ref = s.name || ST_AsText(ST_EndPoint(g), 6)",
    ):
        session.execute(text(statement))


def views(bench: Bench, session: Session) -> None:
    """As the worker computes it: a hundred cameras a transaction; then the roads. The areas beside a ray cast."""
    who = Who(datetime.now(UTC))
    run = actions.ask_run(session, who, queued=False)
    actions.begin_run(session, run.id)
    near_lon = ground.middle_lon(session)
    assert near_lon is not None
    actions.keep_views(session, run.id, ground.cameras(session, 0, 1), near_lon)  # the compiled loop is loaded
    session.commit()
    began, after, more = time.perf_counter(), 0, True
    while more:
        seers = ground.cameras(session, after, PIECE)
        if seers:
            actions.keep_views(session, run.id, seers, near_lon)
            after = seers[-1].id
        session.commit()
        more = len(seers) == PIECE
    took = time.perf_counter() - began
    bench.figure(f"view fields of {CAMERAS:,} cameras among {BUILDINGS:,} buildings", took, unit="s", target=60.0,
                 note="four levels each, from the database into it")  # fmt: skip
    off = _beside_rays(session, near_lon)
    bench.figure("their areas beside a ray cast of 2,000 rays, farthest off", off, unit="%", target=1.0, judge="max")
    began = time.perf_counter()
    actions.finish_run(session, who, run.id, near_lon)
    session.commit()
    spots = session.scalar(text("SELECT count(*) FROM blind_spot"))
    bench.figure("roads seen by level, and blind spots with landmarks", time.perf_counter() - began, unit="s",
                 note=f"{run.results['road_m'] / 1000:,.0f} km of road, {spots:,} blind spots")  # fmt: skip


def _beside_rays(session: Session, near_lon: float) -> list[float]:
    """By how many per cent the stored area differs from rays cut by the union of the buildings around, camera by camera."""
    off = []
    areas = dict(session.execute(text("SELECT camera_id, area_m2 FROM camera_view WHERE level = 'detect'")).all())
    for seer in ground.cameras(session)[:: CAMERAS // CHECKED]:
        reach = seer.optics.reach_m(ViewLevel.DETECT) or 0.0
        fov, bearing = seer.optics.lens_deg or 0.0, seer.optics.bearing_deg or 0.0
        outlines, _ = ground.buildings_near(
            session, np.array([seer.lon]), np.array([seer.lat]), np.array([reach]), near_lon
        )
        here = np.array([float(v) for v in to_metres(seer.lon, seer.lat, near_lon)])
        solid = shapely.union_all(outlines)
        if shapely.distance(solid, shapely.Point(here)) < 1.5:
            continue  # it hangs on a wall: the product moves it before the wall first
        angles = np.radians(bearing + fov * ((np.arange(RAYS) + 0.5) / RAYS - 0.5))
        out = here + reach * np.column_stack([np.sin(angles), np.cos(angles)])
        rays = shapely.linestrings(np.stack([np.broadcast_to(here, out.shape), out], axis=1))
        cut = shapely.intersection(rays, solid)
        length = np.where(shapely.is_empty(cut), reach, shapely.distance(cut, shapely.Point(here)))
        true = float((length**2).sum() / 2 * np.radians(fov) / RAYS)
        off.append(100 * abs(areas[seer.id] - true) / true)
    return off


def from_the_database(bench: Bench, session: Session) -> None:
    """What the page asks for: sites along the blind spots, their view fields, the choice."""
    kind = CAMERA_TYPES["1080p_6_mm"]
    shares = []

    def ask() -> None:
        shares.append(infill_sites.propose(session, K, kind, INFILL_S).share_of_best)

    bench.figure(
        f"infill from the database, k = {K}", [t / 1000 for t in bench.timed(ask, 3)], unit="s", target=5.0, judge="max"
    )
    bench.figure(
        "its share of the best possible, by its own bound", 100 * min(shares), unit="%", target=95.0, better="more"
    )


def beside_the_optimum(bench: Bench) -> None:
    """The choice alone, on made streets, and the same question put to HiGHS until it is solved."""
    took, shares, solved = [], [], 0
    for seed in range(RUNS):
        draw = np.random.default_rng(seed)
        sites, spots = draw.random((CANDIDATES, 2)), draw.random((PIECES, 2))
        near = shapely.STRtree(shapely.points(spots)).query(shapely.points(sites), predicate="dwithin", distance=0.04)
        covers = sparse.csr_array((np.ones(near.shape[1]), (near[0], near[1])), shape=(CANDIDATES, PIECES))
        weight = draw.exponential(1.0, PIECES)
        began = time.perf_counter()
        found = choose(covers, weight, K, INFILL_S)
        took.append(time.perf_counter() - began)
        best, whole = _optimum(covers, weight)
        solved += whole
        shares.append(100 * found.total / best)
    bench.figure(f"infill, {CANDIDATES:,} candidates, k = {K}", took, unit="s", target=5.0, judge="max")
    bench.figure("infill beside the exact optimum", [min(shares)], unit="%", target=95.0, better="more", judge="median",
                 note=f"the least of {RUNS}; HiGHS solved {solved} of them, its bound stands for the others")  # fmt: skip


def _optimum(covers: Any, weight: Any) -> tuple[float, bool]:
    n, m = covers.shape
    taken = sparse.hstack([sparse.csr_array(-covers.T), sparse.eye_array(m)], format="csr")
    few = sparse.csr_array(np.concatenate([np.ones(n), np.zeros(m)])[None, :])
    answer = milp(np.concatenate([np.zeros(n), -weight]), integrality=np.concatenate([np.ones(n), np.zeros(m)]), bounds=Bounds(0, 1),
                  constraints=[LinearConstraint(taken, -np.inf, 0), LinearConstraint(few, -np.inf, K)],
                  options={"time_limit": EXACT_S / RUNS})  # fmt: skip
    return (-float(answer.fun), True) if answer.status == 0 else (-float(answer.mip_dual_bound), False)
