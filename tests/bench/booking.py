"""Booking: 40 dispatchers send one crew at the same moment, 100 times; one wins each round, the losers are told who."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session, sessionmaker

from gis.complaints.model import Complaint
from gis.db import make_engine, unit_of_work
from gis.dispatch import actions
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.rules import CrewBooked, Terms
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.people.model import User

NOW = datetime(2009, 11, 17, 2, 0, tzinfo=UTC)
THREADS, ROUNDS = 40, 100
TERMS = Terms(ZoneInfo("Asia/Shanghai"))


def run(bench: Any, rounds: int = ROUNDS) -> None:
    """Real threads, real transactions, a new crew each round; the database is asked afterwards whether anything overlaps."""
    engine = make_engine(bench.database("bench_booking"), pool_size=THREADS, max_overflow=2)
    sessions = sessionmaker(engine, expire_on_commit=False)
    users, complaints, crews = _fill(sessions, rounds)
    won, told, times = 0, 0, []
    with ThreadPoolExecutor(THREADS) as pool:
        for n, crew_id in enumerate(crews):
            asked = complaints[n * THREADS : (n + 1) * THREADS]
            answers = _at_once(pool, sessions, crew_id, asked, users)
            times += [took for _, took in answers]
            winners = [i for i, (answer, _) in enumerate(answers) if isinstance(answer, str)]
            won += len(winners) == 1
            name = (answers[winners[0]][0], f"d{winners[0]}") if winners else None
            told += sum(
                isinstance(e, CrewBooked) and (e.params["order_no"], e.params["booked_by"]) == name for e, _ in answers
            )
    with sessions() as session:
        booked = session.scalar(select(func.count()).select_from(WorkOrder))
        twice = session.scalar(text("SELECT count(*) FROM work_order a JOIN work_order b ON a.crew_id = b.crew_id AND a.id < b.id"
                                    " AND a.during && b.during"))  # fmt: skip
    engine.dispose()
    note = f"{booked} orders in all, {twice} overlap"
    bench.figure(f"{THREADS} threads book one crew: rounds with exactly one winner", won, unit=f"of {rounds}",
                 target=rounds, judge="median", better="more", note=note)  # fmt: skip
    bench.figure("losers told who holds the crew", told, unit=f"of {rounds * (THREADS - 1)}", target=rounds * (THREADS - 1),
                 judge="median", better="more")  # fmt: skip
    bench.figure(f"an assignment, {THREADS} at once on one crew", times)


def _fill(sessions: sessionmaker[Session], rounds: int) -> tuple[list[int], list[int], list[int]]:
    row = {"channel": "12319", "category": "heat.cold", "complexity": "ordinary", "status": "received", "description": "",
           "place": "", "located": "located", "geom": "SRID=4326;POINT(119.96 36.78)", "received_at": NOW,
           "resolve_by": NOW + timedelta(hours=8), "deadline_source": ""}  # fmt: skip
    crew = {"kind": "maintenance", "position": "SRID=4326;POINT(119.97 36.78)", "position_at": NOW}
    with unit_of_work(sessions) as session:
        session.execute(insert(Complaint), [row | {"hotline_no": f"B{i}"} for i in range(rounds * THREADS)])
        session.execute(insert(Crew), [crew | {"code": f"b{i}", "name": f"b{i}"} for i in range(rounds)])
        session.execute(insert(User), [{"name": f"d{i}", "full_name": f"d{i}", "role": "dispatcher", "password_hash": "-"}
                                       for i in range(THREADS)])  # fmt: skip
        session.execute(text("INSERT INTO crew_skill (crew_id, skill) SELECT id, 'heating' FROM crew"))
        session.execute(text("INSERT INTO shift (crew_id, during) SELECT id, tstzrange(:a, :b) FROM crew"),
                        {"a": NOW - timedelta(hours=1), "b": NOW + timedelta(hours=9)})  # fmt: skip
        found = [list(session.scalars(select(m.id).order_by(m.id))) for m in (User, Complaint, Crew)]
        return found[0][-THREADS:], found[1], found[2]


def _at_once(
    pool: ThreadPoolExecutor, sessions: sessionmaker[Session], crew_id: int, complaints: list[int], users: list[int]
) -> list[tuple[str | ChengmaiError, float]]:
    barrier = Barrier(len(complaints))

    def book(complaint_id: int, user_id: int) -> tuple[str | ChengmaiError, float]:
        barrier.wait()
        began = perf_counter()
        try:
            with unit_of_work(sessions) as session:
                order = actions.assign(
                    session, Who(NOW, user_id), session.get_one(Complaint, complaint_id), session.get_one(Crew, crew_id),
                    base_version=1, terms=TERMS,
                )  # fmt: skip
            return order.order_no, (perf_counter() - began) * 1000
        except ChengmaiError as error:
            return error, (perf_counter() - began) * 1000

    return list(pool.map(book, complaints, users))
