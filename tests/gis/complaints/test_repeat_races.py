"""Races with real transactions: nobody makes a chain, and the third of two that come at once is seen."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gis.complaints import actions, incidents, repeats
from gis.complaints.model import Complaint
from gis.db import unit_of_work
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

ZONE = ZoneInfo("Asia/Shanghai")


def at_once(jobs):
    """Run all jobs at the same moment; what each gave or the error it met."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            return job()
        except (ChengmaiError, DBAPIError) as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def make(sessions, many, **fields):
    with unit_of_work(sessions) as session:
        make_area(session, level="compound", geom=square(half=0.001))
        return [make_complaint(session, **fields).id for _ in range(many)]


def merging(sessions, one, into):
    def job():
        with unit_of_work(sessions) as session:
            return repeats.merge(
                session, Who(NOW), session.get_one(Complaint, one), session.get_one(Complaint, into)
            ).merged_into_id

    return job


def joining(sessions, into, n, category="heat.cold"):
    def job():
        with unit_of_work(sessions) as session:
            return repeats.join(
                session, Who(NOW), session.get_one(Complaint, into), channel="12319", category=category, description="不热",
                place="", lon=None, lat=None, zone=ZONE, calendar=working_days(session), caller_phone=f"1380000{n:04}",
            ).id  # fmt: skip

    return job


def receiving(sessions, n, phone):
    def job():
        with unit_of_work(sessions) as session:
            return actions.receive(
                session, Who(NOW), channel="12319", category="heat.cold", description="不热", place="小区", lon=PINGDU[0],
                lat=PINGDU[1], zone=ZONE, calendar=working_days(session), caller_phone=phone, hotline_no=f"H{n}", sure=True,
            ).id  # fmt: skip

    return job


def test_two_third_joins_at_once_are_key_supervision_once_and_all_are_counted(committed):
    [main] = make(committed, 1)
    found = at_once([joining(committed, main, n) for n in range(8)])
    assert all(isinstance(one, int) for one in found), found
    with committed() as session:
        row = session.get_one(Complaint, main)
        assert (row.repeat_count, row.key_since) == (8, NOW)
        asked = text("SELECT count(*) FROM journal WHERE verb = 'supervise' AND thing_id = :id")
        assert session.scalar(asked, {"id": str(main)}) == 1
        numbers = session.scalars(select(Complaint.hotline_no)).all()
        assert len(set(numbers)) == 9


def test_the_same_caller_three_times_at_once_is_key_supervision(committed):
    make(committed, 0)
    made = at_once([receiving(committed, n, "13800000001") for n in range(3)])
    with committed() as session:
        assert [session.get_one(Complaint, one).key_since for one in made] == [NOW] * 3


@pytest.mark.parametrize("turn", range(3))
def test_whatever_is_merged_at_once_there_is_no_chain_and_no_cycle(committed, turn):
    ids = make(committed, 6)
    ring = [merging(committed, a, b) for a, b in [*pairwise(ids), (ids[-1], ids[0])]]
    found = at_once([*ring, *(merging(committed, b, a) for a, b in pairwise(ids))])
    assert not [one for one in found if isinstance(one, DBAPIError)], found
    with committed() as session:
        rows = {c.id: c for c in session.scalars(select(Complaint))}
        merged = [c for c in rows.values() if c.merged_into_id is not None]
        assert merged
        assert all(rows[c.merged_into_id].merged_into_id is None for c in merged)
        hanging = Counter(c.merged_into_id for c in merged)
        assert {c.id: c.repeat_count for c in rows.values()} == {one: hanging[one] for one in rows}


def test_the_trigger_alone_refuses_a_chain_made_by_two_at_once(committed):
    a, b, c = make(committed, 3)

    def plain(one, into):
        def job():
            with committed() as session:
                session.execute(text("SET LOCAL lock_timeout = '60s'"))
                session.execute(
                    text("UPDATE complaint SET status = 'merged', merged_into_id = :i WHERE id = :o"),
                    {"o": one, "i": into},
                )
                session.commit()
                return into

        return job

    for _ in range(5):
        at_once([plain(a, b), plain(b, c)])
        with committed() as session:
            chain = session.scalar(
                text("SELECT count(*) FROM complaint x JOIN complaint y ON y.id = x.merged_into_id "
                     "WHERE y.merged_into_id IS NOT NULL")
            )  # fmt: skip
            assert chain == 0
            session.execute(text("UPDATE complaint SET status = 'received', merged_into_id = NULL"))
            session.commit()


def test_answering_and_parting_at_once_wait_for_each_other_and_lose_nobody(committed):
    main, child, other = make(committed, 3, status="signed")
    for one in (child, other):
        merging(committed, one, main)()

    def answer():
        with unit_of_work(committed) as session:
            actions.take_step(session, Who(NOW), session.get_one(Complaint, main), "answer", data={"answer": "好了"})

    def part():
        with unit_of_work(committed) as session:
            repeats.split(session, Who(NOW), session.get_one(Complaint, child))

    found = at_once([answer, part])
    assert found == [None, None]
    with committed() as session:
        assert session.get_one(Complaint, main).status == "answered"
        assert session.get_one(Complaint, other).answered_at == NOW
        assert session.get_one(Complaint, child).status == "received"


def test_two_who_open_an_incident_over_the_same_complaints_make_one(committed):
    ids = make(committed, 4)

    def open_one():
        with unit_of_work(committed) as session:
            return incidents.open_incident(session, Who(NOW), ids, zone=ZONE).id

    found = at_once([open_one, open_one, open_one])
    assert sum(isinstance(one, int) for one in found) == 1
    assert {one.code for one in found if not isinstance(one, int)} == {"in_another_incident"}
