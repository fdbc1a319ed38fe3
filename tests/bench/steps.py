"""Steps: eight clients move complaints at once, each step its own transaction; every step is also tried by a second client."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from gis.complaints import law_queries, life
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.db import make_engine
from gis.errors import ChengmaiError
from gis.journal import JournalEntry, Who
from gis.places.queries import working_days

NOW = datetime(2009, 11, 17, 2, 0, tzinfo=UTC)
CLIENTS, EACH = 8, 250
VERBS = ("send", "sign", "resolve", "answer", "confirm")
GIVEN = {"answer": {"answer": "已办妥"}}


def run(bench: Any, each: int = EACH) -> None:
    """The whole way of `each` complaints per client; then the same complaints are walked by two clients at once."""
    engine = make_engine(bench.database("bench_steps"), pool_size=CLIENTS, max_overflow=2)
    with Session(engine) as session:
        row = {"channel": "12319", "category": "heat.fee", "complexity": "complex", "status": "received", "description": "",
               "place": "", "located": "not_located", "received_at": NOW, "resolve_by": NOW + timedelta(days=3),
               "deadline_source": ""}  # fmt: skip
        session.execute(insert(Complaint), [row | {"hotline_no": f"S{i}"} for i in range(CLIENTS * each)])
        session.commit()
        ids = list(session.scalars(select(Complaint.id).order_by(Complaint.id)))
        city = law_queries.city(session, working_days(session), ZoneInfo("Asia/Shanghai"))
    half = len(ids) // 2
    alone = [ids[:half][n::CLIENTS] for n in range(CLIENTS)]
    shared = [
        ids[half:][n // 2 :: CLIENTS // 2] for n in range(CLIENTS)
    ]  # clients 0 and 1 walk the same ones, and so on
    for name, shares in (("each its own", alone), ("two on each", shared)):
        done, times, took = _race(engine, shares, city)
        lost, doubled = _check(engine, {i for share in shares for i in share}, done)
        bench.figure(f"a step of a complaint, 8 clients, {name}: steps per second", done / took, unit="/s", target=150 if name == "each its own" else None,
                     judge="median", better="more", note=f"{lost} lost, {doubled} doubled of {done}")  # fmt: skip
        bench.figure(f"a step of a complaint, 8 clients, {name}", times)


def _race(engine: Any, shares: list[list[int]], city: Any) -> tuple[int, list[float], float]:
    times: list[float] = []
    start = threading.Barrier(len(shares) + 1)

    def client(share: list[int]) -> None:
        start.wait()
        for complaint_id in share:
            for verb in VERBS:
                began = perf_counter()
                with Session(engine) as session:
                    complaint = session.get_one(Complaint, complaint_id)
                    try:
                        if verb == "send":
                            life.send(session, Who(NOW), complaint, city=city)
                        else:
                            take_step(session, Who(NOW), complaint, verb, data=GIVEN.get(verb))
                        session.commit()
                        times.append(1000 * (perf_counter() - began))
                    except ChengmaiError:
                        session.rollback()  # the other client was faster

    threads = [threading.Thread(target=client, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    start.wait()
    began = perf_counter()
    for thread in threads:
        thread.join()
    return len(times), times, perf_counter() - began


def _check(engine: Any, ids: set[int], done: int) -> tuple[int, int]:
    """Steps told as done that left no row, and steps of one complaint that left two."""
    with Session(engine) as session:
        asked = select(JournalEntry.thing_id, JournalEntry.verb, func.count()).where(
            JournalEntry.thing_id.in_([str(i) for i in ids])
        )
        counts = [row[2] for row in session.execute(asked.group_by(JournalEntry.thing_id, JournalEntry.verb))]
    return done - sum(counts), sum(n - 1 for n in counts)
