"""Races with real transactions: who wins is decided by the database, and the losers are told."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.model import Complaint
from gis.db import naming_violations, unit_of_work
from gis.dispatch import actions, moves, together
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.rules import AlreadyAssigned, CrewBooked, Terms, WrongOrderStep
from gis.errors import ChengmaiError, StaleVersion
from gis.journal import Who
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_user

TERMS = Terms(ZoneInfo("Asia/Shanghai"))
THREADS = 40


def at_once(jobs):
    """Run all jobs at the same moment; returns what each gave or the error it met."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            return job()
        except ChengmaiError as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def assigner(sessions, complaint_id, crew_id, user_id, base_version=1, **more):
    def job():
        with unit_of_work(sessions) as session:
            return actions.assign(
                session, Who(NOW, user_id), session.get_one(Complaint, complaint_id), session.get_one(Crew, crew_id),
                base_version=base_version, terms=TERMS, **more,
            ).order_no  # fmt: skip

    return job


def overlaps(session) -> int:
    return session.scalar(
        text(
            "SELECT count(*) FROM work_order a JOIN work_order b ON a.crew_id = b.crew_id AND a.id < b.id"
            " AND a.during && b.during WHERE a.status IN ('assigned','accepted','arrived')"
            " AND b.status IN ('assigned','accepted','arrived')"
        )
    )


def test_of_forty_dispatchers_who_book_one_crew_exactly_one_wins_and_the_others_are_told_who(committed):
    for round_no in range(5):
        with unit_of_work(committed) as session:
            crew = make_crew(session).id
            users = [make_user(session, name=f"d{round_no}-{i}", full_name=f"调度{i}").id for i in range(THREADS)]
            complaints = [make_complaint(session).id for _ in range(THREADS)]
        answers = at_once([assigner(committed, c, crew, u) for c, u in zip(complaints, users, strict=True)])
        won = [a for a in answers if isinstance(a, str)]
        lost = [a for a in answers if not isinstance(a, str)]
        assert len(won) == 1 and all(isinstance(error, CrewBooked) for error in lost)
        winner = f"调度{answers.index(won[0])}"
        assert {(e.params["order_no"], e.params["booked_by"]) for e in lost} == {(won[0], winner)}
        with unit_of_work(committed) as session:
            assert session.scalar(select(func.count()).where(WorkOrder.crew_id == crew)) == 1
            moved = session.scalars(select(Complaint.status).where(Complaint.id.in_(complaints)))
            assert Counter(moved) == {"received": THREADS - 1, "assigned": 1}


def test_forty_that_queue_on_one_crew_with_a_reason_never_overlap(committed):
    with unit_of_work(committed) as session:
        crew, user = make_crew(session).id, make_user(session).id
        complaints = [make_complaint(session).id for _ in range(THREADS)]
    answers = at_once([assigner(committed, c, crew, user, override_reason="排队") for c in complaints])
    assert all(isinstance(a, str) for a in answers)
    with unit_of_work(committed) as session:
        assert overlaps(session) == 0


def test_of_raw_bookings_without_any_lock_the_constraint_lets_one_through(committed):
    """Not a line of Python stands between these and the table: the database alone refuses."""
    with unit_of_work(committed) as session:
        crew = make_crew(session).id
        complaints = [make_complaint(session).id for _ in range(12)]

    def raw(complaint_id, nth):
        def job():
            with committed() as session:
                order = WorkOrder(order_no=f"R{complaint_id}-{nth}", complaint_id=complaint_id, crew_id=crew, assigned_at=NOW,
                                  during=Range(NOW, NOW + timedelta(hours=1)))  # fmt: skip
                with naming_violations(session):
                    session.add(order)
                session.commit()
                return "won"

        return job

    answers = []
    for complaint_id in complaints:
        answers += at_once([raw(complaint_id, 1), raw(complaint_id, 2)])
    assert answers.count("won") == 1
    assert {type(a) for a in answers if a != "won"} <= {CrewBooked, AlreadyAssigned}


def test_two_dispatchers_who_send_two_crews_to_one_complaint(committed):
    for _ in range(5):
        with unit_of_work(committed) as session:
            crews = [make_crew(session).id for _ in range(8)]
            complaint, user = make_complaint(session).id, make_user(session).id
        answers = at_once([assigner(committed, complaint, crew, user) for crew in crews])
        won = [a for a in answers if isinstance(a, str)]
        assert len(won) == 1
        for error in (a for a in answers if not isinstance(a, str)):
            assert isinstance(error, StaleVersion)
            assert (error.params["base_version"], error.params["current_version"]) == (1, 2)
            assert error.params["order_no"] == won[0]
        blind = at_once([assigner(committed, complaint, crews[0], user, base_version=None)])
        assert isinstance(blind[0], AlreadyAssigned)


def test_accepting_and_undoing_at_once_ends_in_one_of_the_two(committed):
    for _ in range(5):
        with unit_of_work(committed) as session:
            crew = make_crew(session)
            phone, desk = make_user(session, role="crew", crew_id=crew.id).id, make_user(session).id
            complaint = make_complaint(session).id
            crew_id = crew.id
        assert isinstance(assigner(committed, complaint, crew_id, desk)(), str)

        def step(verb, user, complaint=complaint, **more):
            def job():
                with unit_of_work(committed) as session:
                    order = session.scalar(select(WorkOrder).where(WorkOrder.complaint_id == complaint))
                    verb(session, Who(NOW, user), order, **more)
                    return verb.__name__

            return job

        answers = at_once([step(actions.accept, phone), step(actions.recall, desk, terms=TERMS)] * 3)
        won = [a for a in answers if isinstance(a, str)]
        assert len(won) == 1
        with unit_of_work(committed) as session:
            order = session.scalar(select(WorkOrder).where(WorkOrder.complaint_id == complaint))
            status = session.get_one(Complaint, complaint).status
            assert (won[0], order.status, status) in {
                ("accept", "accepted", "accepted"),
                ("recall", "recalled", "received"),
            }
            assert session.scalar(text("SELECT count(*) FROM journal WHERE thing = 'work_order' AND thing_id = :id"),
                                  {"id": str(order.id)}) == 2  # fmt: skip


def test_a_return_and_a_new_assignment_at_once_do_not_wait_for_each_other_for_ever(committed):
    for _ in range(5):
        with unit_of_work(committed) as session:
            first, second = make_crew(session), make_crew(session)
            phone, desk = make_user(session, role="crew", crew_id=first.id).id, make_user(session).id
            complaint, first_id, second_id = make_complaint(session).id, first.id, second.id
        assigner(committed, complaint, first_id, desk)()

        def give_back(complaint=complaint, phone=phone):
            with unit_of_work(committed) as session:
                order = session.scalar(select(WorkOrder).where(WorkOrder.complaint_id == complaint))
                actions.return_order(session, Who(NOW, phone), order, "not_ours")
                return "returned"

        answers = at_once([give_back, assigner(committed, complaint, second_id, desk, base_version=None)])
        assert answers[0] == "returned"
        assert isinstance(answers[1], str | AlreadyAssigned | WrongOrderStep)


@pytest.fixture(autouse=True)
def _no_overlap_is_left(committed):
    yield
    with committed() as session:
        assert overlaps(session) == 0


def mover(sessions, complaint_id, crew_id, user_id, start, reason=None):
    def job():
        with unit_of_work(sessions) as session:
            order = session.scalar(select(WorkOrder).where(WorkOrder.complaint_id == complaint_id))
            crew = session.get_one(Crew, crew_id)
            return moves.move(
                session,
                Who(NOW, user_id),
                order,
                crew,
                start=start,
                base_version=1,
                terms=TERMS,
                override_reason=reason,
            ).order_no

    return job


def test_of_forty_who_move_their_orders_onto_one_time_of_a_crew_one_wins_and_the_others_are_told_who(committed):
    with unit_of_work(committed) as session:
        target = make_crew(session).id
        users = [make_user(session, name=f"m{i}", full_name=f"调度{i}").id for i in range(THREADS)]
        complaints, crews = [], []
        for _ in range(THREADS):
            complaints.append(make_complaint(session).id)
            crews.append(make_crew(session).id)
    for c, crew, user in zip(complaints, crews, users, strict=True):
        assert isinstance(assigner(committed, c, crew, user)(), str)
    start = NOW + timedelta(minutes=30)
    answers = at_once([mover(committed, c, target, u, start) for c, u in zip(complaints, users, strict=True)])
    won = [a for a in answers if isinstance(a, str)]
    lost = [a for a in answers if not isinstance(a, str)]
    assert len(won) == 1 and all(isinstance(error, CrewBooked) for error in lost)
    winner = f"调度{answers.index(won[0])}"
    assert {(e.params["order_no"], e.params["booked_by"]) for e in lost} == {(won[0], winner)}
    with unit_of_work(committed) as session:
        moved = session.scalars(select(Complaint.status).where(Complaint.id.in_(complaints)))
        assert Counter(moved) == {"assigned": THREADS}  # the losers keep what they had


def test_bulk_actions_single_assignments_and_moves_at_once_never_wait_in_a_ring(committed):
    for _ in range(3):
        with unit_of_work(committed) as session:
            crews = [make_crew(session).id for _ in range(6)]
            rows = [make_complaint(session).id for _ in range(12)]
            user = make_user(session).id

        def bulk(some, user=user):
            def job():
                with unit_of_work(committed) as session:
                    wish = together.Wish("assign", CITY, TERMS)
                    found = together.all_or_none(session, Who(NOW, user), wish, [together.Item(i) for i in some])
                    return str(len(found))

            return job

        singles = [
            assigner(committed, c, crews[i % 6], user, base_version=None, override_reason="急")
            for i, c in enumerate(rows)
        ]
        answers = at_once([*singles, bulk(rows[:4]), bulk(rows[3:8][::-1]), bulk(rows[6:])])
        assert all(isinstance(a, str | ChengmaiError) for a in answers)
        with unit_of_work(committed) as session:
            booked = session.scalar(select(func.count()).where(WorkOrder.complaint_id.in_(rows)))
            given = sum(1 for a in answers[:12] if isinstance(a, str)) + sum(
                int(a) for a in answers[12:] if isinstance(a, str)
            )
            assert booked == given  # what was answered as done is done, and nothing else
