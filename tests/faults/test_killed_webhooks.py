"""Webhooks while their worker is killed again and again: none lost, none made twice, and no step waits for a receiver."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select, text

from gis import journal
from gis.audit.check import check
from gis.complaints.actions import take_step
from gis.db import unit_of_work
from gis.journal import Who
from gis.webhooks import actions
from gis.webhooks.model import WebhookDelivery
from tests.conftest import app_role
from tests.factories import make_complaint
from webapp.clock import utc_now
from webapp.journal_keys import known_keys
from webapp.webhook_secrets import new_secret

ROOT = Path(__file__).parents[2]
EVENTS = 60


@pytest.fixture
def receiver():
    """Keeps the ids it was sent, slowly."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.02)
            seen.append(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(committed, tmp_path):
    """Start the worker as the application's own database role; whatever is left at the end is killed."""
    running = []
    url = app_role(committed.kw["bind"].url.render_as_string(hide_password=False))
    environment = os.environ | {
        "CHENGMAI_DATABASE_URL": url,
        "CHENGMAI_DATA_DIR": str(tmp_path),
        "CHENGMAI_WEBHOOK_ALLOW": "127.0.0.1",
    }

    def begin():
        made = subprocess.Popen([sys.executable, "-m", "tests.faults.webhook_worker"], cwd=ROOT, env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        running.append(made)
        assert made.stdout.readline() == b"working\n"
        return made

    yield begin
    for one in running:
        one.kill()
        one.wait()
        one.stdout.close()


def _subscribe(sessions, data_dir, url):
    with unit_of_work(sessions) as session:
        actions.feed(session, Who(utc_now()))
        actions.add(session, Who(utc_now()), name="n", url=url, events=["complaint.receive"], unit_id=None,
                    secret=new_secret(data_dir)[1])  # fmt: skip


def _receive(sessions):
    with unit_of_work(sessions) as session:
        complaint = make_complaint(session)
        journal.write(session, Who(utc_now()), "receive", "complaint", complaint.id, version=1)


def _delivered(sessions):
    with sessions() as session:
        return session.scalar(text("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'"))


def test_every_event_arrives_and_is_kept_once_though_the_worker_is_killed(committed, tmp_path, receiver, start):
    url, seen = receiver
    _subscribe(committed, tmp_path, url)
    random.seed(7)
    kills, deadline = 0, time.monotonic() + 300
    for burst in range(6):
        for _ in range(EVENTS // 6):
            _receive(committed)
        worker = start()
        if burst < 5:
            time.sleep(random.uniform(1.0, 2.5))
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            kills += 1
    while _delivered(committed) < EVENTS and time.monotonic() < deadline:
        time.sleep(0.2)
    with committed() as session:
        rows = session.scalars(select(WebhookDelivery)).all()
        journalled = session.scalar(text("SELECT count(*) FROM journal WHERE verb = 'receive'"))
    assert [row.status for row in rows] == ["delivered"] * journalled == ["delivered"] * EVENTS
    assert {row.event_id for row in rows} == set(seen)
    assert len(seen) - len(set(seen)) <= kills  # sent again only where it was killed before it could write it down
    with committed() as session:
        assert check(session, known_keys(tmp_path)).ok  # and the chain was sealed meanwhile


def test_a_step_does_not_wait_for_a_receiver_that_never_answers(committed, tmp_path, start):
    """The receiver takes the line and says nothing: whoever waited for it would not come back before the end of this test."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _subscribe(committed, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        start()
        _receive(committed)
        line, _ = _accepted(silent)
        with line:
            for _ in range(10):
                with unit_of_work(committed) as session:
                    complaint = make_complaint(session)
                with unit_of_work(committed) as session:
                    given = {"reason": "mistake", "note": "x"}
                    take_step(session, Who(utc_now()), session.merge(complaint), "cancel", data=given)
            with committed() as session:
                done = session.scalar(text("SELECT count(*) FROM complaint WHERE status = 'cancelled'"))
            assert done == 10
            assert _delivered(committed) == 0, "the receiver is still silent"


def _accepted(silent):
    silent.settimeout(90)
    return silent.accept()
