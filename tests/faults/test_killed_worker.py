"""A worker that is killed again and again: every effect exactly once, no job lost."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from gis import jobs
from tests.faults.house import times

ROOT = Path(__file__).parents[2]
JOBS = 200


def _url(sessions):
    return sessions.kw["bind"].url.render_as_string(hide_password=False)


@pytest.fixture
def start(tmp_path):
    """Start a worker; whatever is left at the end is killed."""
    running = []

    def begin(url):
        made = subprocess.Popen([sys.executable, "-m", "tests.faults.effects_worker", url], cwd=ROOT, env=os.environ | {"CHENGMAI_DATA_DIR": str(tmp_path)},
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        running.append(made)
        assert made.stdout.readline() == b"working\n"
        return made

    yield begin
    for one in running:
        one.kill()
        one.wait()
        one.stdout.close()


def _effects(sessions):
    with sessions() as session:
        return session.execute(text("SELECT n, count(*) FROM effect GROUP BY n")).all()


def _left(sessions):
    with sessions() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))


def test_a_worker_killed_many_times_does_every_job_exactly_once(committed, start):
    with committed() as session:
        session.execute(text("CREATE TABLE effect (n int, at timestamptz)"))
        for n in range(JOBS):
            jobs.defer(session, "count_me", {"n": n})
        session.commit()
    random.seed(20091122)
    kills, interrupted, deadline = 0, 0, time.monotonic() + 300
    while _left(committed) and time.monotonic() < deadline:
        before = len(_effects(committed))
        worker = start(_url(committed))
        if kills < times(8, 15):
            while _left(committed) and len(_effects(committed)) == before and time.monotonic() < deadline:
                time.sleep(0.02)  # it has come to its first job
            time.sleep(random.uniform(0.0, 0.6))
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            kills += 1
            with committed() as session:
                interrupted += jobs.state(session)["running"]
        else:
            while _left(committed) and time.monotonic() < deadline:
                time.sleep(0.2)
    assert kills >= 5
    assert interrupted, "the worker was never killed at work: the test proves nothing"
    assert sorted(_effects(committed)) == [(n, 1) for n in range(JOBS)]
    assert _left(committed) == 0


def test_a_job_exists_only_when_its_transaction_does(committed):
    with committed() as session:
        jobs.defer(session, "count_me", {"n": 1})
        session.rollback()
    assert _left(committed) == 0
