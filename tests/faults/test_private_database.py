"""The private cluster: made once, held once, started again after a crash, reachable under a private directory."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg2
import pytest

from webapp.cluster import Cluster, DataDirectoryHeld, holding

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "var")
    made.start()
    yield made
    made.stop()


def _ask(cluster, sql):
    connection = cluster.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0]
    finally:
        connection.close()


def test_it_is_safe_by_its_settings(cluster):
    assert _ask(cluster, "SHOW data_checksums") == "on"
    assert _ask(cluster, "SHOW fsync") == "on"
    assert _ask(cluster, "SHOW full_page_writes") == "on"
    assert _ask(cluster, "SHOW synchronous_commit") == "on"
    assert _ask(cluster, "SHOW listen_addresses") == "127.0.0.1"


def test_a_wrong_password_is_refused(cluster):
    url = cluster.url().replace("+psycopg2", "").split("@")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"postgresql://chengmai:wrong@{url[1]}")


def test_it_never_runs_as_root(cluster):
    pid = int((cluster.pg / "postmaster.pid").read_text().splitlines()[0])
    assert os.stat(f"/proc/{pid}").st_uid != 0


def test_a_killed_server_starts_again_with_its_data_and_port(cluster):
    port = cluster.port()
    connection = cluster.connect()
    connection.autocommit = True
    connection.cursor().execute("CREATE TABLE kept AS SELECT 42 AS n")
    connection.close()
    os.kill(int((cluster.pg / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    cluster.start()
    assert _ask(cluster, "SELECT n FROM kept") == 42
    assert cluster.port() == port


def test_a_second_holder_is_told_who_the_first_is(tmp_path):
    command = f"from pathlib import Path; from webapp.cluster import holding; import time\nwith holding(Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(60)"
    first = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(DataDirectoryHeld) as refused, holding(tmp_path):
            pass
        assert refused.value.params["pid"] == str(first.pid)
    finally:
        first.kill()
        first.wait()
        first.stdout.close()


def test_up_serves_drains_and_stops_its_database(tmp_path):
    command = [sys.executable, "-m", "webapp.cli", "up", "--port", "0", "--json", "--data-dir", str(tmp_path / "var")]
    environment = {k: v for k, v in os.environ.items() if k != "CHENGMAI_DATABASE_URL"} | {"CHENGMAI_WORKERS": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
    try:
        told = json.loads(server.stdout.readline())
        with urllib.request.urlopen(told["url"] + "/readyz", timeout=60) as reply:
            assert reply.status == 200
        second = subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, text=True, check=False)
        assert second.returncode == 1
        assert str(server.pid) in second.stdout
        server.send_signal(signal.SIGTERM)
        assert server.wait(90) == 0
        assert not Cluster(tmp_path / "var").is_running()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_after_a_kill_the_next_start_takes_the_same_port(tmp_path):
    """`kill -9` of the command leaves no server behind, and the database it leaves is taken over."""
    environment = {k: v for k, v in os.environ.items() if k != "CHENGMAI_DATABASE_URL"} | {"CHENGMAI_WORKERS": "1"}

    def start(port):
        command = [
            sys.executable,
            "-m",
            "webapp.cli",
            "up",
            "--port",
            port,
            "--json",
            "--data-dir",
            str(tmp_path / "var"),
        ]
        made = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
        return made, json.loads(made.stdout.readline())["url"].rpartition(":")[2]

    first, port = start("0")
    first.kill()
    first.wait()
    first.stdout.close()
    deadline = time.monotonic() + 90
    while True:  # the server drains first
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) != 0:
                break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    second, again = start(port)
    try:
        assert again == port
        second.send_signal(signal.SIGTERM)
        assert second.wait(90) == 0
    finally:
        second.kill()
        second.wait()
        second.stdout.close()


def test_the_server_outlives_a_crash_of_its_database(tmp_path):
    command = [sys.executable, "-m", "webapp.cli", "up", "--port", "0", "--json", "--data-dir", str(tmp_path / "var")]
    environment = {k: v for k, v in os.environ.items() if k != "CHENGMAI_DATABASE_URL"} | {"CHENGMAI_WORKERS": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
    try:
        told = json.loads(server.stdout.readline())
        cluster = Cluster(tmp_path / "var")
        os.kill(int((cluster.pg / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(told["url"] + "/readyz", timeout=60):
                    break
            except urllib.error.HTTPError as error:
                error.close()
                assert error.code in (500, 503)
                assert time.monotonic() < deadline
                time.sleep(0.5)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(90) == 0
        server.stdout.close()
