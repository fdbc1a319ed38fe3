"""Dispatch: the nearest of 10,000 crews and the whole ranking with its reasons, a matrix of travel times, an exact assignment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, min_weight_full_bipartite_matching
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.db import make_engine
from gis.dispatch import crew_search
from gis.dispatch.crew_search import Need
from gis.dispatch.matching import match
from gis.dispatch.ranking import Search
from gis.dispatch.rules import Terms
from gis.geo import to_degrees
from gis.journal import Who
from gis.people.rules import CITY
from gis.places.networks import networks
from gis.places.road_import import import_roads
from tests.bench.made_streets import write_streets

NOW = datetime(2009, 11, 17, 2, 0, tzinfo=UTC)
ROADS = Path(__file__).parents[3] / "shared" / "data" / "roads"
NETWORKS = ("shandong_trunk.gpkg", "liechtenstein.osm.pbf", "baltimore.osm.pbf")
CREWS, PLACES = 10_000, 300
MATRIX = (1000, 200)
TERMS = Terms(ZoneInfo("Asia/Shanghai"))

_CREWS = text(
    """
    WITH made AS (
        INSERT INTO crew (code, name, kind, active, position, position_at)
        SELECT 'b' || i, 'b' || i, 'maintenance', i % 10 <> 0,
               ST_SetSRID(ST_MakePoint((CAST(:lon AS float8[]))[i], (CAST(:lat AS float8[]))[i]), 4326), :now
          FROM generate_series(1, :n) i RETURNING id),
    skilled AS (INSERT INTO crew_skill (crew_id, skill) SELECT id, CASE WHEN id % 3 = 0 THEN 'gas' ELSE 'heating' END FROM made)
    INSERT INTO shift (crew_id, during)
    SELECT id, tstzrange(day, day + interval '12 hours')
      FROM made, generate_series(CAST(:now AS timestamptz) - interval '6 hours' * (1 + id % 2), :now + interval '7 days', '1 day') day
    """
)
_COMPLAINTS = text(
    """
    INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, geom, received_at,
                           resolve_by, deadline_source)
    SELECT 'b' || i, '12319', 'heat.cold', 'ordinary', CASE WHEN i > :open THEN 'assigned' ELSE 'received' END, '', '',
           'located', ST_SetSRID(ST_MakePoint((CAST(:lon AS float8[]))[i], (CAST(:lat AS float8[]))[i]), 4326), :now,
           CAST(:now AS timestamptz) + interval '8 hours', ''
      FROM generate_series(1, :n) i
    """
)
_ORDERS = text(
    """
    INSERT INTO work_order (order_no, complaint_id, crew_id, status, during, assigned_at)
    SELECT 'b' || c.id, c.id, (SELECT min(id) FROM crew) + (row_number() OVER ()) * 4, 'accepted',
           tstzrange(:now, CAST(:now AS timestamptz) + interval '1 hour'), :now
      FROM complaint c WHERE c.status = 'assigned'
    """
)


def run(bench: Any) -> None:
    """One database per network: 10,000 crews beside its streets, a fifth of them busy, a tenth out of service."""
    _straight(bench)
    for file in NETWORKS:
        if not (ROADS / file).exists():
            bench.say(f"  {file} is not here: not measured")
            continue
        _by_road(bench, ROADS / file, file == NETWORKS[0])
    town = bench.place / "made_town.fgb"
    write_streets(town)
    _by_road(bench, town, True, many=True)


def _fill(session: Session, lon: Any, lat: Any) -> None:
    busy = CREWS // 5
    where = {"lon": [float(v) for v in lon], "lat": [float(v) for v in lat], "now": NOW}
    session.execute(_CREWS, where | {"n": CREWS})
    session.execute(_COMPLAINTS, where | {"n": PLACES + busy, "open": PLACES})
    session.execute(_ORDERS, {"now": NOW})
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()


def _straight(bench: Any) -> None:
    random = np.random.default_rng(8319)
    lon, lat = random.normal(119.96, 0.15, CREWS), random.normal(36.78, 0.12, CREWS)
    with Session(make_engine(bench.database("bench_straight"))) as session:
        _fill(session, lon, lat)
        need = Need("heating", date(2009, 11, 17))
        places = iter(np.resize(np.column_stack([random.permutation(lon), random.permutation(lat)]), (PLACES + 20, 2)))

        def ask() -> None:
            x, y = next(places)
            found = crew_search.nearest(session, float(x), float(y), need, CITY, NOW, 10)
            assert len(found.ids) == 10

        bench.figure(
            f"nearest 10 available crews of {CREWS:,}, straight line (SQL)",
            bench.timed(ask, PLACES, warm=20),
            target=2.0,
        )
        session.get_bind().dispose()


def _by_road(bench: Any, path: Path, largest: bool, many: bool = False) -> None:
    with Session(make_engine(bench.database(f"bench_{path.stem[:9]}")), expire_on_commit=False) as session:
        import_roads(session, Who(NOW), path)
        session.commit()
        (network,) = networks(session)
        _fill(session, *_beside_streets(network, max(CREWS, PLACES + CREWS // 5)))
        complaints = session.query(Complaint).filter(Complaint.status == "received").order_by(Complaint.id).all()
        session.commit()
        name = f"{path.name}, {network.n_edges:,} stretches"
        for what, limit, call in (
            ("nearest 10 available crews", 10, "available"),
            ("ranking of the best 10 with reasons", 10, "best"),
        ):
            each = iter(complaints)

            def ask(call: str = call, limit: int = limit, each: Any = each) -> None:
                getattr(Search(session, next(each), CITY, TERMS, NOW), call)(limit)

            took = bench.timed(ask, PLACES - 20, warm=20)
            target = 5.0 if largest or call == "best" else None
            bench.figure(f"{what} of {CREWS:,} by road, {name}", took, target=target)
        if many:
            _matrix(bench, network, name)
        session.rollback()
        session.get_bind().dispose()


def _matrix(bench: Any, network: Any, name: str) -> None:
    """All ways from crews to orders, and the cheapest pairing of them; scipy on the same network beside both."""
    lon, lat = _beside_streets(network, MATRIX[0] + MATRIX[1])
    crews, orders = (lon[: MATRIX[0]], lat[: MATRIX[0]]), (lon[MATRIX[0] :], lat[MATRIX[0] :])
    size = f"{MATRIX[0]:,} × {MATRIX[1]}"
    network.hierarchy()  # made when the network is loaded
    took = bench.timed(lambda: network.matrix(*crews, *orders, 500.0), 20)
    nodes = network.ends(network.snap(*orders, 500.0), towards=True)
    graph = csr_array((network.arc_s, network.arc_node, network.start), (network.n_nodes,) * 2)
    beside = bench.timed(lambda: dijkstra(graph, indices=nodes.node[: MATRIX[1]]), 3, warm=0)
    times = np.median(beside) / np.median(took)
    bench.figure(f"matrix of travel times, {size}, {name}", took, target=300.0, note=f"{times:.1f} × as fast as scipy")
    bench.figure(f"the same by scipy's Dijkstra (nodes only), {size}", beside)
    seconds, _ = network.matrix(*crews, *orders, 500.0)
    may = np.random.default_rng(8319).random(MATRIX) < 0.6  # the others lack the skill
    for what, prices in (
        ("travel times, four in ten impossible", np.where(may, seconds / 60.0, np.inf)),
        ("all orders in one street (hard)", np.median(seconds, axis=1)[:, None] / 60.0 + seconds * 1e-4),
    ):
        rows, columns = match(prices)
        second = min_weight_full_bipartite_matching(csr_array(np.where(np.isinf(prices), 0.0, prices)))
        assert len(rows) == MATRIX[1] and np.isclose(prices[rows, columns].sum(), prices[second].sum())
        took = bench.timed(lambda prices=prices: match(prices), 50)
        other = csr_array(np.where(np.isinf(prices), 0.0, prices))
        beside = bench.timed(lambda other=other: min_weight_full_bipartite_matching(other), 5)
        note = f"{np.median(beside) / np.median(took):.1f} × as fast as scipy's sparse solver, equal in sum"
        bench.figure(f"exact assignment, {size}, {what}", took, target=50.0, note=note)


def _beside_streets(network: Any, count: int) -> tuple[Any, Any]:
    """Places within some tens of metres of streets, as crews and callers are."""
    random = np.random.default_rng(8319)
    share = network.length_m[network.snappable] / network.length_m[network.snappable].sum()
    streets = network.lines[random.choice(network.snappable, count, p=share)]
    points = shapely.line_interpolate_point(streets, random.random(count), normalized=True)
    x, y = shapely.get_x(points), shapely.get_y(points)
    return to_degrees(x + random.normal(0, 30, count), y + random.normal(0, 30, count), network.near_lon)
