"""The journal's hash chain: how fast a million rows are sealed and verified, and that a changed row is still named."""

from __future__ import annotations

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.audit import actions
from gis.audit.check import check
from gis.db import make_engine
from gis.journal import Who
from tests.bench.report import Bench
from webapp.clock import utc_now

ROWS = 1_000_000
CHANGED = ROWS * 7 // 10

_FILL = text(
    """
    INSERT INTO journal (at, user_id, verb, thing, thing_id, version, area_id, unit_id, data)
    SELECT timestamptz '2009-01-01' + n * interval '30 seconds', 1 + n % 40,
           (ARRAY['receive','send','sign','assign','arrive','resolve','answer','confirm'])[1 + n % 8], 'complaint',
           (1 + n / 8)::text, 1 + n % 8, 1 + n % 4, 1 + n % 12,
           jsonb_build_object('before', 'sent', 'after', 'signed', 'note', '室内温度低于标准，已派维修班组', 'crew_id', n % 90)
      FROM generate_series(0, CAST(:rows AS int) - 1) AS n
    """
)


def run(bench: Bench, rows: int = ROWS) -> None:
    """Seal a full journal in the worker's blocks, verify all of it, change one row as the owner could, verify again."""
    engine = make_engine(bench.database("audit"))
    with Session(engine) as session:
        session.execute(_FILL, {"rows": rows})
        session.commit()
    started, who = time.perf_counter(), Who(utc_now())
    with Session(engine) as session:
        while actions.seal(session, who).more:
            session.commit()
        session.commit()
    took = time.perf_counter() - started
    size = _size(engine)
    bench.figure(
        "journal rows sealed", rows / took, unit="/s", judge="median", better="more", note=f"blocks of 5,000; {size}"
    )
    _verify(bench, engine, rows, f"hash chain verified, {rows:,} rows")
    with Session(engine) as session:
        session.execute(text("ALTER TABLE journal DISABLE TRIGGER journal_is_kept"))
        changed = min(CHANGED, rows * 7 // 10)
        session.execute(text("UPDATE journal SET user_id = 7777 WHERE seq = :seq"), {"seq": changed})
        session.commit()
    finding = _verify(bench, engine, rows, "the same with one row changed", whole=False)
    named = int(bool(finding.broken) and finding.broken[0].number == changed and finding.broken_count == 1)
    bench.figure("changed row named", named, unit="", target=1, judge="median", better="more", note=f"row {changed:,}")
    engine.dispose()


def _verify(bench: Bench, engine, rows: int, name: str, whole: bool = True):  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    with Session(engine) as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        finding = check(session, [])
    took = time.perf_counter() - started
    assert finding.rows == rows and finding.ok == whole, finding
    bench.figure(name, took, unit="s", target=60, judge="max")
    return finding


def _size(engine) -> str:  # type: ignore[no-untyped-def]
    with engine.connect() as connection:
        return f"{connection.scalar(text('SELECT pg_total_relation_size(:t)'), {'t': 'journal_seal'}) / 1e6:.0f} MB of seals"
