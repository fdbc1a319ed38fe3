"""Tasks are units of work, tried again when they fail, and due by the city's clock."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from gis import jobs, journal
from tests.conftest import NOW
from webapp import work, worker

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def own_tasks(monkeypatch):
    """A registry of this test alone."""
    for name in ("TASKS", "TIMES", "FOLLOWERS"):
        monkeypatch.setattr(worker, name, {})


@pytest.fixture
def bench(committed):
    return worker.Bench(committed, lambda: NOW, ZONE)


def _drain(sessions, bench):
    url = sessions.kw["bind"].url.render_as_string(hide_password=False)
    # In a thread of its own: a browser test of the same process leaves a running loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work.run(url, bench, wait=False))).result()


def _jobs(sessions):
    with sessions() as session:
        return session.execute(text("SELECT task_name, status::text, attempts FROM procrastinate_jobs")).all()


def test_a_job_runs_in_a_unit_of_work_at_the_houses_time(committed, bench, own_tasks):
    @worker.task("note")
    def note(session, who, payload):
        journal.write(session, who, "note", "thing", payload["id"])

    with committed() as session:
        jobs.defer(session, "note", {"id": 5})
        session.commit()
    _drain(committed, bench)
    with committed() as session:
        assert session.execute(text("SELECT thing_id, at FROM journal")).all() == [("5", NOW)]
    assert _jobs(committed) == []


def test_a_job_that_fails_leaves_nothing_and_is_tried_again_later(committed, bench, own_tasks):
    @worker.task("fail")
    def fail(session, who, payload):
        journal.write(session, who, "note", "thing", 1)
        session.flush()
        raise RuntimeError("no")

    with committed() as session:
        jobs.defer(session, "fail")
        session.commit()
    before = datetime.now(UTC)
    _drain(committed, bench)
    after = datetime.now(UTC)
    with committed() as session:
        assert session.scalar(text("SELECT count(*) FROM journal")) == 0
        again = session.scalar(text("SELECT scheduled_at FROM procrastinate_jobs"))
    assert _jobs(committed) == [("fail", "todo", 1)]
    assert before < again - timedelta(seconds=worker.wait_before(0)) < after + timedelta(seconds=1)


def test_a_job_that_never_succeeds_is_kept_as_failed(committed, bench, own_tasks):
    @worker.task("hopeless", tries=1)
    def hopeless(session, who, payload):
        raise RuntimeError("no")

    with committed() as session:
        jobs.defer(session, "hopeless")
        session.commit()
    _drain(committed, bench)
    assert _jobs(committed) == [("hopeless", "failed", 1)]


def test_a_second_run_of_a_done_job_does_nothing(bench, own_tasks):
    seen = []
    worker.task("once")(lambda session, who, payload: seen.append(payload))
    assert bench.run("once", 1, {"n": 1})
    assert not bench.run("once", 1, {"n": 1})
    assert seen == [{"n": 1}]


def test_the_waits_grow_to_an_hour():
    assert [worker.wait_before(n) for n in (0, 1, 2, 3)] == [2, 4, 8, 16]
    assert worker.wait_before(40) == 3600


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("* * * * *", "2009-11-22T08:30:40", "2009-11-22T08:30"),
        ("30 8 * * *", "2009-11-22T08:30:00", "2009-11-22T08:30"),
        ("30 8 * * *", "2009-11-22T08:29:59", "2009-11-21T08:30"),
        ("0 6 * * 1", "2009-11-22T23:00:00", "2009-11-16T06:00"),
        ("5 0 1 * *", "2009-11-22T23:00:00", "2009-11-01T00:05"),
    ],
)
def test_due_is_reckoned_by_the_citys_clock(cron, now, due):
    at = datetime.fromisoformat(now).replace(tzinfo=ZONE).astimezone(UTC)
    assert worker.last_due(cron, at, ZONE) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_a_periodic_task_is_deferred_once_for_each_time_and_a_missed_one_is_made_up_for(committed, own_tasks):
    worker.periodic("30 8 * * *", "daily")(lambda session, who, payload: None)
    clock = [datetime(2009, 11, 20, 2, 0, tzinfo=UTC)]  # 10:00 in Pingdu
    bench = worker.Bench(committed, lambda: clock[0], ZONE)
    assert bench.defer_due() == ["daily"]
    assert bench.defer_due() == []
    clock[0] += timedelta(days=3)  # nobody worked for three days
    assert bench.defer_due() == []  # the run before has not ended: none piles up behind it
    assert _due_and_done(committed) == ["2009-11-20T00:30:00+00:00"]
    assert bench.defer_due() == ["daily"]
    assert bench.defer_due() == []
    assert _due_and_done(committed) == ["2009-11-23T00:30:00+00:00"]


def _due_and_done(sessions):
    with sessions() as session:
        due = session.scalars(text("SELECT args -> 'payload' ->> 'due_at' FROM procrastinate_jobs ORDER BY id")).all()
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.commit()
    return due


def test_a_follower_is_looked_at_by_one_worker_at_a_time(committed, bench, own_tasks):
    seen = []

    def look(session, who):
        seen.append(1)
        if len(seen) == 1:
            assert not bench.look(worker.FOLLOWERS["twice"])
        return True

    worker.follow("twice", every_s=1)(look)
    assert bench.look(worker.FOLLOWERS["twice"])
    assert seen == [1]


def test_a_name_is_given_once(own_tasks):
    worker.task("same")(lambda session, who, payload: None)
    with pytest.raises(ValueError):
        worker.task("same")(lambda session, who, payload: None)
    with pytest.raises(ValueError):
        worker.periodic("every day", "wrong")


def test_marks_of_forgotten_jobs_are_dropped_and_chosen_keys_kept(committed, bench):
    with committed() as session:
        session.execute(text("INSERT INTO job_effect (key, at) VALUES ('job:1', clock_timestamp() - interval '40 days'), "
                             "('warn:1', clock_timestamp() - interval '40 days'), ('job:2', clock_timestamp())"))  # fmt: skip
        session.commit()
    bench.forget()
    with committed() as session:
        assert set(session.scalars(text("SELECT key FROM job_effect"))) == {"warn:1", "job:2"}
