"""Counting: the monthly bulletin over 607,907 complaints, the console's counters and a 90-day trend at 1 and 10 million."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis.complaints import queries as complaints
from gis.complaints.queries import Filters
from gis.db import make_engine
from gis.oversight import rollup_queries
from gis.oversight.bulletins import Question, bulletin
from gis.oversight.periods import Period
from gis.oversight.rollup_actions import compact, rebuild
from gis.people.rules import CITY, Scope
from tests.bench.report import Bench

ZONE = ZoneInfo("Asia/Shanghai")
# sources/jining-2019: 607,907 received from 1 January to 15 October, 575,033 filed; the rest came by other channels.
JINING, FILED, HOTLINE, MAILBOX = 607_907, 575_033, 591_482, 3_885
SIZES = [int(n) for n in os.environ.get("CHENGMAI_BENCH_COUNTING", "1000000,10000000").split(",")]
BULLETIN = int(os.environ.get("CHENGMAI_BENCH_BULLETIN", str(JINING)))
OPEN_ROWS = 10_500  # what Jining has under way: 2,100 a day, five working days each
DAYS = 3_650
ALL_INDEXES_MOST = (
    1_000_000  # beyond it only the partial ones, which the counters use: the others take minutes to build
)
INSERTED = 100_000
REPEATS = 30
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = 'complaint' AND indexname NOT IN ('pk_complaint')"

_JINING = """
INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, district_id, unit_id,
                       received_at, resolve_by, sent_at, signed_at, closed_at, reopen_count, return_count, deadline_source)
SELECT 'J' || i,
       CASE WHEN i <= {hotline} THEN '12345' WHEN i <= {hotline} + {mailbox} THEN 'mailbox'
            ELSE (ARRAY['app', 'web', 'visit', 'media'])[1 + i %% 4] END,
       (%(categories)s::text[])[1 + (i * 13) %% %(kinds)s], 'ordinary',
       CASE WHEN (i * 7919) %% {n} < {n} - {filed} THEN 'cancelled' WHEN i %% 300 = 0 THEN 'sent' ELSE 'confirmed' END,
       '', '某小区', 'not_located', (%(districts)s::bigint[])[1 + i %% 14], (%(units)s::bigint[])[1 + i %% 60],
       received, received + interval '5 days', received + interval '1 hour',
       received + interval '1 hour' * (1 + i %% 26),
       CASE WHEN i %% 300 <> 0 OR (i * 7919) %% {n} < {n} - {filed} THEN received + interval '1 hour' * (2 + i %% 121) END,
       (i %% 97 = 0)::int, (i %% 53 = 0)::int, ''
  FROM (SELECT i, timestamptz '2019-01-01 00:00+08' + interval '288 days' * ((i * 15485863::bigint) %% {n}) / {n} AS received
          FROM generate_series(1::bigint, {n}) AS i) numbered
 ORDER BY received
"""
_CALLS = """
INSERT INTO follow_up_call (complaint_id, at, attempt, outcome, solved, process, result)
SELECT id, closed_at + interval '1 day', 1, CASE WHEN id %% 9 = 0 THEN 'unreachable' ELSE 'reached' END,
       CASE WHEN id %% 9 <> 0 THEN id %% 20 <> 0 END, CASE WHEN id %% 9 <> 0 THEN 'satisfied' END,
       CASE WHEN id %% 9 <> 0 THEN (ARRAY['satisfied', 'basically', 'dissatisfied'])[1 + id %% 3] END
  FROM complaint WHERE status = 'confirmed' AND id %% 3 = 0
"""
_MANY = """
INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, district_id, unit_id,
                       received_at, resolve_by, closed_at, deadline_source)
SELECT '{prefix}' || lpad(i::text, 9, '0'), '12345', 'other', 'ordinary', CASE WHEN i > {n} - {open} THEN 'sent' ELSE 'confirmed' END, '', '', 'not_located',
       (%(districts)s::bigint[])[1 + i %% 14], (%(units)s::bigint[])[1 + i %% 60], received, received + interval '5 days',
       CASE WHEN i <= {n} - {open} THEN received + interval '30 hours' END, ''
  FROM (SELECT i, timestamptz '2019-10-15 00:00+08' - interval '1 second' * (({n} - i) * {seconds}) AS received
          FROM generate_series(1::bigint, {n}) AS i) numbered
"""


def run(bench: Bench) -> None:
    """The figures of the issue, and what the rollups cost an import and a step."""
    _bulletins(bench)
    for size in SIZES:
        _counters(bench, size)


@contextmanager
def _world(bench: Bench, name: str) -> Iterator[tuple[Engine, dict[str, Any]]]:
    """A database with 14 districts and 60 bodies; dropped at the end, so that ten million rows are not kept."""
    engine = make_engine(bench.database(name))
    square = "ST_Multi(ST_MakeEnvelope(116, 35, 117, 36, 4326))"
    with engine.begin() as connection:
        districts = connection.scalars(text(
            f"INSERT INTO area (code, name, level, geom, version, households) SELECT 'q' || i, 'q' || i, 'district', {square}, 1, 9000 "
            "FROM generate_series(1, 14) AS i RETURNING id")).all()  # fmt: skip
        units = connection.scalars(text(
            "INSERT INTO unit (code, name, kind, version) SELECT 'b' || i, 'b' || i, 'heat_company', 1 "
            "FROM generate_series(1, 60) AS i RETURNING id")).all()  # fmt: skip
        categories = connection.scalars(text("SELECT code FROM category ORDER BY code")).all()
    given = {
        "districts": list(districts),
        "units": list(units),
        "categories": list(categories),
        "kinds": len(categories),
    }
    try:
        yield engine, given
    finally:
        engine.dispose()
        connection = bench.cluster.connect("postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.close()


def _fill(engine: Engine, statement: str, given: dict[str, Any]) -> None:
    raw = engine.raw_connection()
    with raw.cursor() as cursor:
        cursor.execute(statement, given)
    raw.commit()
    raw.close()


def _tidy(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("complaint", "complaint_day", "complaint_tally"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))


# --- the monthly bulletin --------------------------------------------------------------------------------------------------
def _bulletins(bench: Bench) -> None:
    n = BULLETIN
    hotline, mailbox, filed = (round(x * n / JINING) for x in (HOTLINE, MAILBOX, FILED))
    with _world(bench, "bulletins") as (engine, given):
        _fill(engine, _JINING.format(n=n, hotline=hotline, mailbox=mailbox, filed=filed), given)
        _fill(engine, _CALLS, {})
        _tidy(engine)
        now = datetime(2019, 11, 20, tzinfo=UTC)
        whole = Question(Period.of("range", date(2019, 1, 1), date(2019, 10, 15)))
        month = Question(Period.of("month", date(2019, 9, 30)))
        with Session(engine) as session:

            def make(question: Question) -> dict[str, Any]:
                return bulletin(session, CITY, question, ZONE, now).as_dict()

            told = make(whole)
            counts = {row["key"]: row["count"] for row in told["figures"]}
            channels = {row["key"]: row["counts"]["accepted"] for row in told["channels"]}
            others = n - channels["12345"] - channels["mailbox"]
            exact = (counts["accepted"], counts["filed"], channels["12345"], channels["mailbox"], others) == (
                n, filed, hotline, mailbox, n - hotline - mailbox)  # fmt: skip
            note = f"{counts['accepted']:,} received, {counts['filed']:,} filed, other channels {others:,}: {'exact' if exact else 'NOT EXACT'}"
            bench.figure(
                f"bulletin of nine and a half months, {n:,} complaints",
                bench.timed(lambda: make(whole), 5),
                target=3_000,
                note=note,
            )
            bench.figure(f"monthly bulletin, {n:,} stored", bench.timed(lambda: make(month), 10), target=3_000)


# --- counters and trend --------------------------------------------------------------------------------------------------------
def _counters(bench: Bench, n: int) -> None:
    now, last = datetime(2019, 10, 15, tzinfo=ZONE), date(2019, 10, 14)
    with _world(bench, "counting") as (engine, given):
        began = time.perf_counter()
        _load(engine, n, given)
        made = time.perf_counter() - began
        with Session(engine) as session:
            compact(session)
            session.commit()
        _tidy(engine)
        with Session(engine) as session:

            def ask(scope: Scope) -> None:
                rollup_queries.counters(session, scope, Filters(), now)
                rollup_queries.trend(session, scope, Filters(), last, 90, ZONE)
                session.rollback()

            for scope, name in (
                (CITY, "city"),
                (Scope(area_id=given["districts"][0]), "district"),
                (Scope(unit_id=given["units"][0]), "body"),
            ):
                note = f"{OPEN_ROWS:,} open; filled in {made:.0f} s" if scope is CITY else ""
                bench.figure(f"counters and 90-day trend, {n:,} complaints, {name}", bench.timed(lambda scope=scope: ask(scope), REPEATS, warm=3),
                             target=10, note=note)  # fmt: skip
            began = time.perf_counter()
            raw = complaints.counts(session, CITY, Filters(), now)
            bench.figure(f"the same counters from the complaints, {n:,}", (time.perf_counter() - began) * 1000)
            if raw != rollup_queries.counters(session, CITY, Filters(), now):
                bench.failed["counting"] = "the rollups and the complaints differ"
        if n <= ALL_INDEXES_MOST:
            _costs(bench, engine, given)


def _load(engine: Engine, n: int, given: dict[str, Any]) -> None:
    """Rows first, indexes and rollups after them: what is measured is reading. The cost of writing is measured apart."""
    seconds = DAYS * 86_400 / n
    statement = _MANY.format(prefix="N", n=n, open=min(OPEN_ROWS, n // 2), seconds=seconds)
    with engine.begin() as connection:
        indexes = connection.execute(text(_INDEXES)).scalars().all()
        named = connection.execute(
            text("SELECT indexname FROM pg_indexes WHERE tablename = 'complaint' AND indexname <> 'pk_complaint'")
        ).scalars()
        connection.execute(text("ALTER TABLE complaint DISABLE TRIGGER ALL"))
        constraints = set(
            connection.execute(
                text("SELECT conname FROM pg_constraint WHERE conrelid = 'complaint'::regclass")
            ).scalars()
        )
        for name in list(named):
            if name not in constraints:
                connection.execute(text(f'DROP INDEX "{name}"'))
    _fill(engine, statement, given)
    with engine.begin() as connection:
        connection.execute(text("SET maintenance_work_mem = '1GB'"))
        for definition in indexes if n <= ALL_INDEXES_MOST else [d for d in indexes if " WHERE " in d]:
            connection.execute(text(definition.replace("INDEX ", "INDEX IF NOT EXISTS ", 1)))
        connection.execute(text("ALTER TABLE complaint ENABLE TRIGGER ALL"))
    with Session(engine) as session:
        rebuild(session, str(ZONE))
        session.commit()


def _costs(bench: Bench, engine: Engine, given: dict[str, Any]) -> None:
    """What the triggers add to a bulk insert: the same rows with and without them, turn and turn about."""
    took: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    for turn in range(10):
        state = ("ENABLE", "DISABLE")[turn % 2]
        statement = _MANY.format(prefix=f"C{turn}-", n=INSERTED, open=1_000, seconds=60)
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE complaint {state} TRIGGER complaint_counted_insert"))
        began = time.perf_counter()
        _fill(engine, statement, given)
        took[state].append(time.perf_counter() - began)
    least = {state: min(seconds) for state, seconds in took.items()}  # what others on the machine add is never negative
    more = (least["ENABLE"] / least["DISABLE"] - 1) * 100
    bench.figure(f"what the rollups add to an import ({INSERTED:,} rows, best of 5)", more, unit="%", target=10,
                 note=f"{least['ENABLE']:.2f} s with, {least['DISABLE']:.2f} s without")  # fmt: skip
    with Session(engine) as session:
        rebuild(session, str(ZONE))
        session.commit()
