"""Networks: isolation on a made network of 50,000 sections, beside networkx and recursive SQL in the same run; who loses service."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import networkx as nx
import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.db import make_engine, make_sessions
from gis.journal import Who
from gis.network.outage_rules import Crossing
from gis.network.trace import Pipes, Trace
from gis.network.tracing import city
from gis.network.tracing_answers import Asked, ask, isolate, named
from gis.people import actions
from tests.bench.report import Bench
from tests.bench.tiles import PASSWORD, Client

SECTIONS, SIDE, KEPT, SOURCES, HOUSEHOLDS = 50_000, 160, 0.65, 4, 33_500
IN_MEMORY, BESIDE, BY_API = 3_000, 12, 300
STEP_DEG = 0.001


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A grid of streets of which two thirds have a pipe; every second pipe has a valve. Tail, head, valve, source, place."""
    draw = np.random.default_rng(6)
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    streets = np.concatenate([
        np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]), np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
    ])  # fmt: skip
    streets = streets[draw.permutation(len(streets))[: int(len(streets) * KEPT)]]
    n, with_valve = SIDE * SIDE, SECTIONS - len(streets)
    valves = n + np.arange(with_valve)
    tail = np.concatenate([streets[:with_valve, 0], valves, streets[with_valve:, 0]])
    head = np.concatenate([valves, streets[:with_valve, 1], streets[with_valve:, 1]])
    at = np.column_stack([number.ravel() % SIDE, number.ravel() // SIDE]) * STEP_DEG + (119.9, 36.7)
    at = np.concatenate([at, (at[streets[:with_valve, 0]] + at[streets[:with_valve, 1]]) / 2])
    is_valve = np.arange(n + with_valve) >= n
    source = np.isin(np.arange(n + with_valve), draw.choice(n, SOURCES, replace=False))
    return tail.astype(np.int64), head.astype(np.int64), is_valve, source, at


def store(
    session: Session, tail: np.ndarray, head: np.ndarray, valve: np.ndarray, source: np.ndarray, at: np.ndarray
) -> None:
    """The made network as rows: every street joint has a supply point, until the households are given out."""
    draw = np.random.default_rng(7)
    n = len(valve)
    households = np.zeros(n, int)
    joints = np.flatnonzero(~valve & ~source)
    np.add.at(households, draw.choice(joints, HOUSEHOLDS), 1)
    kinds = np.where(valve, "valve", np.where(source, "source", np.where(households > 0, "customer", "junction")))
    session.execute(text("INSERT INTO unit (code, name, kind) VALUES ('B', '供水公司', 'water_company')"))
    session.execute(
        text("CREATE TEMP TABLE made AS SELECT * FROM unnest(CAST(:id AS bigint[]), CAST(:kind AS text[]), CAST(:lon AS float8[]),"
             " CAST(:lat AS float8[]), CAST(:households AS int[])) AS m (id, kind, lon, lat, households)"),
        {"id": np.arange(1, n + 1).tolist(), "kind": kinds.tolist(), "lon": at[:, 0].tolist(), "lat": at[:, 1].tolist(), "households": households.tolist()},
    )  # fmt: skip
    session.execute(text("CREATE TEMP TABLE pipes AS SELECT * FROM unnest(CAST(:id AS bigint[]), CAST(:a AS bigint[]), CAST(:b AS bigint[])) AS p (id, a, b)"),
                    {"id": np.arange(1, len(tail) + 1).tolist(), "a": (tail + 1).tolist(), "b": (head + 1).tolist()})  # fmt: skip
    for statement in _ROWS:
        session.execute(text(statement))
    session.commit()
    for table in ("pipe_node", "pipe_section", "valve", "supply_point"):
        session.execute(text(f"ANALYZE {table}"))
    session.commit()


_POINT = "ST_SetSRID(ST_MakePoint(lon, lat), 4326)"
_LINE = "(SELECT ST_MakeLine(ST_SetSRID(ST_MakePoint(a.lon, a.lat), 4326), ST_SetSRID(ST_MakePoint(b.lon, b.lat), 4326)) FROM made a, made b WHERE a.id = p.a AND b.id = p.b)"
_ROWS = (
    "CREATE INDEX ON made (id)",
    f"INSERT INTO valve (id, code, utility, is_open, geom) SELECT id, 'BV' || id, 'water', true, {_POINT} FROM made WHERE kind = 'valve'",
    f"INSERT INTO supply_source (id, code, name, utility, geom) SELECT id, 'BW' || id, '水源' || id, 'water', {_POINT} FROM made WHERE kind = 'source'",
    "INSERT INTO supply_point (id, code, name, utility, households, people, vulnerable_households, geom)"
    f" SELECT id, 'BC' || id, id || '号楼', 'water', households, households * 3, households / 20, {_POINT} FROM made WHERE kind = 'customer'",
    f"INSERT INTO pipeline (id, code, utility, level, unit_id, geom) SELECT id, 'BP' || id, 'water', 'main', (SELECT id FROM unit WHERE code = 'B'), {_LINE} FROM pipes AS p",
    "INSERT INTO pipe_node (id, utility, side, kind, valve_id, supply_source_id, supply_point_id, geom) SELECT id, 'water', 'main', kind,"
    " CASE kind WHEN 'valve' THEN id END, CASE kind WHEN 'source' THEN id END, CASE kind WHEN 'customer' THEN id END,"
    f" {_POINT} FROM made",
    "INSERT INTO pipe_section (id, pipeline_id, utility, side, from_node_id, to_node_id, length_m, geom)"
    f" SELECT id, id, 'water', 'main', a, b, 50, {_LINE} FROM pipes AS p",
)
# What the isolation is by SQL alone: spread to the valves, shut them, spread again from the sources.
_BY_SQL = """
WITH RECURSIVE inside (node) AS (
    SELECT unnest(ARRAY[from_node_id, to_node_id]) FROM pipe_section WHERE id = :section
    UNION SELECT e.b FROM inside AS i JOIN pipe_node AS n ON n.id = i.node AND n.kind <> 'valve' CROSS JOIN LATERAL
        (SELECT to_node_id AS b FROM pipe_section WHERE from_node_id = i.node
         UNION ALL SELECT from_node_id FROM pipe_section WHERE to_node_id = i.node) AS e),
wet (node) AS (
    SELECT id FROM pipe_node WHERE kind = 'source' AND id NOT IN (SELECT node FROM inside)
    UNION SELECT e.b FROM wet CROSS JOIN LATERAL
        (SELECT to_node_id AS b FROM pipe_section WHERE from_node_id = wet.node
         UNION ALL SELECT from_node_id FROM pipe_section WHERE to_node_id = wet.node) AS e
     WHERE e.b NOT IN (SELECT node FROM inside))
SELECT count(*) FROM pipe_node WHERE id NOT IN (SELECT node FROM wet)
"""


class Beside:
    """networkx: take the valves out, see what hangs together; the graphs are made once."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes, self.graph = pipes, nx.Graph()
        self.graph.add_nodes_from(range(pipes.nodes))
        self.graph.add_edges_from(zip(pipes.tail.tolist(), pipes.head.tolist(), strict=True))
        self.held = self.graph.copy()
        self.held.remove_nodes_from(np.flatnonzero(pipes.valve).tolist())
        self.before = self.wet()

    def wet(self) -> set[int]:
        """What is connected with a source now."""
        sources = [int(s) for s in np.flatnonzero(self.pipes.source) if int(s) in self.graph]
        return set().union(*(nx.node_connected_component(self.graph, s) for s in sources))

    def lost(self, section: int) -> set[int]:
        """What loses service when this section is isolated."""
        ends = [int(self.pipes.tail[section]), int(self.pipes.head[section])]
        inside = set().union(*(nx.node_connected_component(self.held, n) for n in ends if not self.pipes.valve[n]))
        edge = {w for v in inside for w in self.graph[v] if self.pipes.valve[w]} | {
            n for n in ends if self.pipes.valve[n]
        }
        close = {v for v in edge if set(self.graph[v]) - inside}
        out = inside | close
        kept = [(a, b) for a in out for b in self.graph[a]]
        self.graph.remove_nodes_from(out)
        dry = self.before - self.wet() - close
        self.graph.add_edges_from(kept)
        self.graph.add_nodes_from(out)
        return dry


def run(bench: Bench) -> None:
    """The figures of the networks."""
    tail, head, valve, source, at = made()
    pipes = Pipes(
        tail, head, np.full(len(tail), 50.0), valve, np.ones(len(valve), bool), np.ones(len(valve), bool), source
    )
    Trace(pipes).isolate_section(0)
    began = time.perf_counter()
    trace = Trace(pipes)
    bench.figure(
        f"index of {len(tail):,} sections made anew",
        (time.perf_counter() - began) * 1000,
        note=f"{trace.segments.count:,} segments and valves",
    )
    _ = trace.metres
    draw = np.random.default_rng(8)
    in_memory(bench, trace, draw)
    found_alike(bench, trace, draw)
    in_database(bench, (tail, head, valve, source, at), draw)


def in_memory(bench: Bench, trace: Trace, draw: np.random.Generator) -> None:
    """The isolation alone: valves in order, what is lost."""
    count = len(trace.pipes.tail)
    took, lost = [], []
    for section in draw.integers(0, count, IN_MEMORY).tolist():
        began = time.perf_counter()
        found = trace.isolate_section(section)
        took.append((time.perf_counter() - began) * 1000)
        lost.append(len(found.loss.nodes))
    bench.figure(
        f"isolation, {count:,} sections, in memory",
        took,
        target=1.0,
        note=f"loses {np.mean(lost):.0f} nodes on average",
    )
    far, functional = [], []
    for section in draw.integers(0, count, IN_MEMORY // 10).tolist():
        refused = trace.isolate_section(section).close[:1]
        began = time.perf_counter()
        trace.isolate_section(section, refused)
        far.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        trace.isolate_section(section, functional=True)
        functional.append((time.perf_counter() - began) * 1000)
    bench.figure("isolation when one valve cannot be reached, in memory", far)
    bench.figure("isolation, functional, in memory", functional)
    bench.figure(
        "fewest valves (least cut)", [_ms(lambda s=s: trace.fewest(s)) for s in draw.integers(0, count, 20).tolist()]
    )


def _ms(call: Any) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def found_alike(bench: Bench, trace: Trace, draw: np.random.Generator) -> None:
    """networkx on the same network: equal sets, or the run stops."""
    peer = Beside(trace.pipes)
    took = []
    for section in draw.integers(0, len(trace.pipes.tail), BESIDE).tolist():
        began = time.perf_counter()
        dry = peer.lost(section)
        took.append((time.perf_counter() - began) * 1000)
        if set(trace.isolate_section(section).loss.nodes.tolist()) != dry:
            raise AssertionError(f"section {section}: networkx finds something else")
    bench.figure("the same by networkx", took, judge="median")


def in_database(bench: Bench, arrays: tuple[np.ndarray, ...], draw: np.random.Generator) -> None:
    """By recursive SQL, by name from the database, and over HTTP."""
    url = bench.database("network")
    engine = make_engine(url)
    with make_sessions(engine)() as session:
        store(session, *arrays)
        actions.add_user(session, Who(datetime.now(UTC)), "all", "dispatcher", PASSWORD)
        session.commit()
        sections = (draw.integers(0, len(arrays[0]), BY_API) + 1).tolist()
        by_sql = [_ms(lambda s=s: session.execute(text(_BY_SQL), {"section": s}).scalar()) for s in sections[:BESIDE]]
        bench.figure("the same by recursive SQL", by_sql, judge="median")
        net = city(session)

        def who_loses(section: int) -> None:
            asked = Asked(crossing=Crossing.FUNCTIONAL, id=section)
            named(session, net, isolate(net, asked, section - 1, []).loss.nodes)

        who_loses(1)
        bench.figure(
            "who loses service, by name and count", [_ms(lambda s=s: who_loses(s)) for s in sections], target=30.0
        )
        ask(session, Asked(id=1))
        whole = [_ms(lambda s=s: ask(session, Asked(id=s))) for s in sections[:100]]
        bench.figure("the whole answer of the page (also feeds, fewest valves)", whole)
    engine.dispose()
    over_http(bench, url, sections)


def over_http(bench: Bench, url: str, sections: list[int]) -> None:
    """The isolation as the map asks for it."""
    with bench.server(url, workers=1) as address:
        person = Client(address).sign_in("all")
        for _ in range(5):
            person.get("/trace.json?id=1")
        took = []
        for section in sections:
            began = time.perf_counter()
            status, _ = person.get(f"/trace.json?id={section}")
            took.append((time.perf_counter() - began) * 1000)
            if status != 200:
                raise RuntimeError(f"/trace.json answered {status}")
        bench.figure("isolation through the API", took, target=20.0, note="valves by name, totals, GeoJSON lines")
