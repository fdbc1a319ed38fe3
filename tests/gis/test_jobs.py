"""Deferred in the caller's own transaction, done once, waiting by a distance and not by a date."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from gis import jobs
from tests.conftest import NOW


def _row(session, job_id):
    return (
        session.execute(text("SELECT * FROM procrastinate_jobs WHERE id = :id"), {"id": job_id})
        .mappings()
        .one_or_none()
    )


def test_a_job_carries_its_payload_and_waits_for_nothing(session):
    row = _row(session, jobs.defer(session, "notice", {"id": 7, "why": "逾期"}))
    assert (row["task_name"], row["queue_name"], row["scheduled_at"]) == ("notice", "chengmai", None)
    assert row["args"] == {"payload": {"id": 7, "why": "逾期"}}


def test_a_time_of_the_demos_clock_is_a_distance_for_the_queue(session):
    row = _row(session, jobs.defer(session, "later", at=NOW + timedelta(minutes=10), now=NOW))
    wait = row["scheduled_at"] - datetime.now(UTC)
    assert timedelta(minutes=9) < wait <= timedelta(minutes=10)
    with pytest.raises(ValueError):
        jobs.defer(session, "later", at=NOW)


def test_a_key_is_deferred_once_for_ever(session):
    first = jobs.defer(session, "bulletin", {"week": 47}, key="bulletin:2009-W47")
    session.execute(text("DELETE FROM procrastinate_jobs"))
    assert first is not None
    assert jobs.defer(session, "bulletin", {"week": 47}, key="bulletin:2009-W47") is None
    assert _row(session, first) is None


def test_of_many_that_do_the_same_at_once_one_does_it(committed):
    barrier = Barrier(8)

    def attempt(_):
        with committed() as session:
            barrier.wait()
            mine = jobs.once(session, "warn:1")
            session.commit()
            return mine

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_who_rolls_back_leaves_the_effect_to_another(committed):
    with committed() as session:
        assert jobs.once(session, "warn:2")
        session.rollback()
    with committed() as session:
        assert jobs.once(session, "warn:2")


def test_a_tick_is_taken_once_and_forgotten_when_the_clock_was_set_back(session):
    due = datetime(2009, 11, 17, 1, 0, tzinfo=UTC)
    assert jobs.take_tick(session, "daily", due, NOW)
    assert not jobs.take_tick(session, "daily", due, NOW)
    assert jobs.take_tick(session, "daily", due + timedelta(hours=1), NOW)
    back = NOW - timedelta(days=3)
    assert jobs.take_tick(session, "daily", back - timedelta(minutes=1), back)


def test_the_state_counts_what_waits(session):
    jobs.defer(session, "a")
    jobs.defer(session, "b", at=NOW + timedelta(days=1), now=NOW)
    state = jobs.state(session)
    assert (state["waiting"], state["later"], state["running"], state["failed"]) == (1, 1, 0, 0)
    assert state["heartbeat_s"] is None
    assert state["lag_s"] >= 0
