"""`chengmai up` runs one worker: started again when it dies, and never left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from webapp.cluster import Cluster

ROOT = Path(__file__).parents[2]


def _until(found, seconds=120):
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def _worker_of(parent):
    """The process id of the worker that this process started."""
    for line in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        command = Path(f"/proc/{line}/cmdline")
        if command.exists() and b"webapp.work\0" in command.read_bytes():
            return int(line)
    return None


def _heard(cluster):
    connection = cluster.connect()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '10 s'")
        return cursor.fetchone()[0]
    finally:
        connection.close()


def test_the_worker_lives_and_dies_with_the_server(tmp_path):
    command = [sys.executable, "-m", "webapp.cli", "up", "--port", "0", "--json", "--data-dir", str(tmp_path / "var")]
    environment = {k: v for k, v in os.environ.items() if k != "CHENGMAI_DATABASE_URL"} | {"CHENGMAI_WORKERS": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
    try:
        json.loads(server.stdout.readline())
        cluster = Cluster(tmp_path / "var")
        first = _until(lambda: _worker_of(server.pid))
        _until(lambda: _heard(cluster))
        os.kill(first, signal.SIGKILL)
        second = _until(lambda: (now := _worker_of(server.pid)) != first and now)
        server.kill()
        server.wait()
        _until(lambda: not Path(f"/proc/{second}").exists())
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        Cluster(tmp_path / "var").stop()
