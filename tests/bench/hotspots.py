"""Hotspots at 1 and 10 million complaints: Gi* with any filter, density, permutations, weeks; beside esda and scipy."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from gis.complaints.queries import Filters
from gis.db import make_engine
from gis.hotspots import analysis, cells, chance, clustered, density, grounds, queries, sheet_actions
from gis.hotspots.analysis import Question
from gis.hotspots.rules import CellShape, Ground, Measure
from gis.hotspots.weeks import weeks
from gis.people.rules import CITY
from tests.bench.report import Bench

ZONE = ZoneInfo("Asia/Shanghai")
SIZES = [int(n) for n in os.environ.get("CHENGMAI_BENCH_HOTSPOTS", "1000000,10000000").split(",")]
LAST = datetime(2026, 1, 1, tzinfo=ZONE)
WEST, SOUTH, SIDE = 119.7, 36.5, 0.536  # degrees: 48 km by 48 km, about 37,000 cells of 250 m
REPEATS = 12
# People live in 400 places of different size; a complaint comes from one of them, some hundred metres off.
_ROWS = """
INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, geom, district_id,
                       received_at, resolve_by, closed_at, deadline_source)
SELECT 'H' || lpad(i::text, 9, '0'), '12345', (%(categories)s::text[])[1 + (i * 13) %% %(kinds)s], 'ordinary', 'confirmed', '', '',
       CASE WHEN i %% 50 = 0 THEN 'not_located' ELSE 'located' END,
       CASE WHEN i %% 50 <> 0 THEN ST_SetSRID(ST_MakePoint(
           {west} + {side} * (0.02 + 0.96 * least(greatest(((h * 7919) %% 9973) / 9973.0 + off * cos(i * 2.39996), 0), 1)),
           {south} + {side} * 0.8 * (0.02 + 0.96 * least(greatest(((h * 104729) %% 9967) / 9967.0 + off * sin(i * 2.39996), 0), 1))), 4326) END,
       (%(districts)s::bigint[])[1 + (((h * 7919) %% 9973) * 4 / 9973)::int %% 4], received, received + interval '5 days',
       received + interval '1 hour' * (2 + i %% 121), ''
  FROM (SELECT i, 1 + floor(400 * power((i * 15485863::bigint %% 999983) / 999983.0, 2))::bigint AS h,
               0.03 * power((i * 32452843::bigint %% 999979) / 999979.0, 2) AS off,
               timestamptz '{last}' - interval '1 second' * ({n} - i) * {seconds} AS received
          FROM generate_series(1::bigint, {n}) AS i) numbered
"""


def run(bench: Bench) -> None:
    """The figures of the issue."""
    for n in SIZES:
        with _world(bench, n) as engine, Session(engine) as session:
            _gi_star(bench, session, n)
            if n == min(SIZES):
                _density(bench, session, n)
                _emerging(bench, session, n)
                _permutations(bench, session)
                _clustered(bench, engine, session, n)


@contextmanager
def _world(bench: Bench, n: int) -> Iterator[Engine]:
    """A database of four districts and n complaints, a million a year; dropped at the end."""
    engine = make_engine(bench.database("hotspots"))
    seconds = 365 * 86_400 / 1_000_000
    with engine.begin() as connection:
        districts = connection.scalars(text(
            f"INSERT INTO area (code, name, level, geom, version, households) SELECT 'q' || i, 'q' || i, 'district', ST_Multi(ST_MakeEnvelope("
            f"{WEST} + {SIDE / 4} * (i - 1), {SOUTH}, {WEST} + {SIDE / 4} * i, {SOUTH + SIDE * 0.8}, 4326)), 1, 9000 "
            "FROM generate_series(1, 4) AS i RETURNING id")).all()  # fmt: skip
        connection.execute(text(
            "INSERT INTO area (code, name, level, geom, version, households) SELECT 'c' || h, 'c' || h, 'compound', "
            f"ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint({WEST} + {SIDE} * (0.02 + 0.96 * ((h * 7919) % 9973) / 9973.0), "
            f"{SOUTH} + {SIDE} * 0.8 * (0.02 + 0.96 * ((h * 104729) % 9967) / 9967.0)), 4326), 0.002)), 1, 500 FROM generate_series(1, 400) AS h"))  # fmt: skip
        categories = list(connection.scalars(text("SELECT code FROM category ORDER BY code")))
        connection.execute(text("ALTER TABLE complaint DISABLE TRIGGER ALL"))
        for name in connection.scalars(text(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'complaint' AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint WHERE conrelid = 'complaint'::regclass)")).all():  # fmt: skip
            connection.execute(text(f'DROP INDEX "{name}"'))
    given = {"districts": list(districts), "categories": categories, "kinds": len(categories)}
    statement = _ROWS.format(west=WEST, south=SOUTH, side=SIDE, n=n, last=LAST.isoformat(), seconds=seconds)
    began = time.perf_counter()
    raw = engine.raw_connection()
    with raw.cursor() as cursor:
        cursor.execute(statement, given)
    raw.commit()
    raw.close()
    filled = time.perf_counter() - began
    with Session(engine) as session:
        began = time.perf_counter()
        sheet_actions.rebuild(session, str(ZONE), WEST + SIDE / 2)
        session.commit()
        packed = time.perf_counter() - began
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("place_sheet", "complaint", "area"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        size = connection.scalar(text("SELECT pg_size_pretty(pg_total_relation_size('place_sheet'))"))
    bench.say(f"  {n:,} complaints in {filled:.0f} s, packed anew in {packed:.0f} s: {size}")
    try:
        yield engine
    finally:
        engine.dispose()
        bench.database("hotspots")


def _filters(session: Session, n: int) -> list[Filters]:
    """What a planner asks one after the other: everything, seasons, months, categories, districts, and together."""
    districts = [i for i, _name in queries.districts(session, CITY)]
    year = LAST - timedelta(days=365)
    return [
        Filters(since=LAST - timedelta(days=365 * max(n // 1_000_000, 1)), until=LAST),
        Filters(),
        Filters(since=year, until=LAST, category=("heat",)),
        Filters(since=LAST - timedelta(days=30), until=LAST),
        Filters(since=LAST - timedelta(days=120), until=LAST, district=(districts[0], districts[2])),
        Filters(category=("water", "gas.leak"), district=(districts[1],)),
    ]


def _gi_star(bench: Bench, session: Session, n: int) -> None:
    target = 150 if n <= 1_000_000 else 400
    now = LAST
    turn = cycle(_filters(session, n))

    def ask(shape: CellShape = CellShape.SQUARE) -> analysis.Findings:
        found = analysis.find(session, Question.of(next(turn), 250.0, ground=Ground.ALL, shape=shape), CITY, now)
        session.rollback()
        assert found is not None
        return found

    for shape in (CellShape.SQUARE, CellShape.HEXAGON):
        took = bench.timed(lambda shape=shape: ask(shape), REPEATS * 2, warm=7)
        bench.figure(f"Gi* from the database, {n:,} complaints, any of 6 filters, {shape}s of 250 m", took,
                     target=target if shape is CellShape.SQUARE else None, judge="median")  # fmt: skip
    whole = analysis.find(session, Question.of(Filters(), 250.0, ground=Ground.ALL), CITY, now)
    assert whole is not None
    counted = bench.timed(lambda: analysis.significance(whole.question, whole.tiling, whole.counts, whole.mask), 20)
    bench.figure(f"the statistic alone, {whole.cells_in_area:,} cells", counted)
    if n > 1_000_000:
        return
    raw = text("SELECT count(*) FROM (SELECT floor(ST_X(geom) / 0.003), floor(ST_Y(geom) / 0.002), count(*) FROM complaint "
               "WHERE geom IS NOT NULL GROUP BY 1, 2) cells")  # fmt: skip
    bench.figure("counting raw rows by cell in SQL, the same million", bench.timed(lambda: session.scalar(raw), 5))
    _beside_esda(bench, whole)


def _beside_esda(bench: Bench, whole: analysis.Findings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local

        began = time.perf_counter()
        lists = _lists(whole.mask, 3.000001)
        weights = time.perf_counter() - began
        values = whole.counts[whole.mask].astype(float)
        took = bench.timed(lambda: G_Local(values, lists, transform="B", star=True, permutations=0), 3)
        z = G_Local(values, lists, transform="B", star=True, permutations=0).Zs
    bench.figure("esda.G_Local(star=True), the same cells", took, note=f"and {weights:.1f} s of weights")
    differ = float(np.abs(z - whole.z[whole.mask]).max())
    bench.figure("largest difference of z from esda's", differ, unit="", target=1e-9, judge="max")


def _lists(mask: Any, reach: float) -> Any:
    from libpysal.weights import DistanceBand

    rows, columns = np.nonzero(mask)
    return DistanceBand(np.column_stack([columns, rows]), threshold=reach, binary=True, silence_warnings=True)


def _density(bench: Bench, session: Session, n: int) -> None:
    question = Question.of(Filters(), 250.0, ground=Ground.ALL)

    def ask() -> cells.Surface:
        found = analysis.find(session, question, CITY, LAST)
        session.rollback()
        assert found is not None
        return cells.surface(found)

    flat = ask()
    bench.figure(f"density surface from the database, {n:,} points, bandwidth 750 m on {flat.grid.cell_m:g} m", bench.timed(ask, REPEATS),
                 target=200, judge="median")  # fmt: skip
    spots = analysis.Own(session, Filters(), CITY, LAST).spots(grounds.plane_of(session, WEST))
    x, y = spots.x_m + 0.5, spots.y_m + 0.5
    random = np.random.default_rng(8319)
    worst, began, tried = 0.0, time.perf_counter(), 60
    for _ in range(tried):
        row, column = int(random.integers(flat.grid.rows)), int(random.integers(flat.grid.columns))
        cx, cy = flat.grid.centre_of(np.array([row]), np.array([column]))
        exact = float((density.quartic(np.hypot(x - cx[0], y - cy[0]), 750.0) * spots.n).sum() * 1e6)
        worst = max(worst, abs(float(flat.per_km2[row, column]) - exact) / float(flat.per_km2.max()))
    seconds = (time.perf_counter() - began) / tried * flat.grid.size
    bench.figure("largest difference from the exact sum, of the peak", worst * 100, unit="%", target=1, judge="max",
                 note=f"at {tried} cells; the exact sum of all would take {seconds / 60:,.0f} minutes")  # fmt: skip


def _emerging(bench: Bench, session: Session, n: int) -> None:
    filters = Filters(since=LAST - timedelta(days=364), until=LAST)
    day = int((LAST.date() - datetime(1970, 1, 1, tzinfo=ZONE).date()).days)

    def ask() -> None:
        found = analysis.find(session, Question.of(filters, 250.0, ground=Ground.ALL), CITY, LAST)
        session.rollback()
        assert found is not None
        cells.cells(found, Measure.COURSE, weeks=weeks(found, day - 364, day - 1))

    bench.figure(f"emerging hotspots, 52 weeks, {n:,} complaints, from the database to rows", bench.timed(ask, 4), target=3_000, judge="median")  # fmt: skip


def _clustered(bench: Bench, engine: Engine, session: Session, n: int) -> None:
    """The same question asked of the arrays and of a Dask cluster of two processes on this machine."""
    from distributed import Client, LocalCluster

    question = Question.of(Filters(), 250.0, ground=Ground.ALL)
    connect = partial(_opened, engine.url.render_as_string(False))

    def ask(client: Any | None) -> None:
        source = None
        if client is not None:
            source = clustered.Database(
                client, session, Filters(), CITY, LAST, connect, lambda done, total: None, n // 4
            )
        assert analysis.find(session, question, CITY, LAST, source) is not None
        session.rollback()

    alone = bench.timed(lambda: ask(None), 4)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as here, Client(here) as client:
        ask(client)
        bench.figure(f"Gi*, {n:,} complaints, in arrays", alone)
        bench.figure(
            f"Gi*, {n:,} complaints, on a Dask cluster of two processes of this machine",
            bench.timed(lambda: ask(client), 4),
        )


def _opened(url: str) -> Session:
    return Session(make_engine(url, poolclass=NullPool))


def _permutations(bench: Bench, session: Session) -> None:
    """The same cells as esda, in one run; esda's first call compiles and does not count."""
    since = LAST - timedelta(days=30)
    whole = analysis.find(session, Question.of(Filters(since=since, until=LAST), 250.0, ground=Ground.ALL), CITY, LAST)
    assert whole is not None
    inside = np.where(whole.mask, whole.counts, 0)
    around = (density.disc_sum(inside, 3) - inside)[whole.mask]
    near = (density.disc_sum(whole.mask.astype(np.int64), 3) - 1)[whole.mask]
    values = inside[whole.mask]
    bench.figure(f"p by 999 permutations, {values.size:,} cells", bench.timed(lambda: chance.permuted_p(around, near, values, 999, 1), REPEATS),
                 target=200, judge="median")  # fmt: skip
    p = chance.permuted_p(around, near, values, 999, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local

        small = np.zeros(whole.mask.shape, bool)
        small[:8, :8] = True
        G_Local(inside[small].astype(float) + np.arange(64), _lists(small, 3.000001), transform="B", star=True, permutations=99, seed=1, n_jobs=1)  # fmt: skip
        lists = _lists(whole.mask, 3.000001)
        began = time.perf_counter()
        peer = G_Local(values.astype(float), lists, transform="B", star=True, permutations=999, seed=1, n_jobs=1)
        bench.figure("esda's 999 permutations, the same cells", (time.perf_counter() - began) * 1000)
    agree = ((p <= 0.05) == (peer.p_sim <= 0.05)).mean() * 100
    bench.figure("cells on whose 5 % call both agree", agree, unit="%", target=98, better="more")
