"""Between the server and Flask: the same answers as Werkzeug's own client gives, large and small, in and out, and broken off."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import held_port
from tests.webapp.gateway_app import app

ROOT = Path(__file__).parents[2]


class Owner:
    """Of a port."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = held_port(owner := Owner())
    command = [sys.executable, "-m", "tests.webapp.gateway_app", str(number)]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield number
    started.terminate()
    started.wait(60)
    del owner  # and the port with it


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer, said


REQUESTS = [
    ("GET", "/seen/", None, {}),
    ("GET", "/seen/a%20b/%E4%B8%AD?q=%E4%B8%AD&q=2&r=%26", None, {}),
    ("POST", "/seen/", b"a=1&a=2&%E4%B8%AD=%E6%96%87", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("PUT", "/seen/x", b'{"a": 1}', {"Content-Type": "application/json", "Cookie": "a=1; b=2"}),
    ("DELETE", "/seen/x", None, {"X-Twice": "one,two"}),
    ("PATCH", "/seen/%2e%2e/x", b"", {}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), REQUESTS)
def test_flask_sees_what_it_sees_from_werkzeug(port, method, path, body, headers):
    answer, said = ask(port, method, path, body, headers)
    oracle = app.test_client(use_cookies=False).open(path, method=method, data=body, headers=headers)
    assert answer.status == oracle.status_code == 200
    mine, theirs = json.loads(said), oracle.json
    if body in (None, b""):  # http.client says the length of nothing, or does not
        for seen in (mine, theirs):
            seen["environ"]["CONTENT_LENGTH"] = ""
    assert mine == theirs


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 9_000_001])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_any_size_arrives_whole(port, size, chunked):
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    sent = (body[i : i + 70_000] for i in range(0, size, 70_000)) if chunked else body
    answer, said = ask(port, "POST", "/hash", sent)
    assert answer.status == 200
    assert json.loads(said) == {"sha256": hashlib.sha256(body).hexdigest(), "n": size}


def test_a_file_of_a_form_arrives_whole(port):
    data = b"x" * 3_000_000
    body = b"--B\r\nContent-Disposition: form-data; name=f; filename=a.bin\r\n\r\n" + data + b"\r\n--B--\r\n"
    _, said = ask(port, "POST", "/seen/", body, {"Content-Type": "multipart/form-data; boundary=B"})
    assert json.loads(said)["files"] == {"f": hashlib.sha256(data).hexdigest()}


def test_a_long_answer_comes_whole_and_in_order(port):
    _, said = ask(port, "GET", "/long")
    assert said == app.test_client().get("/long").data


def test_answers_without_a_body_and_broken_views_are_answered(port):
    answer, said = ask(port, "GET", "/nothing")
    assert (answer.status, said) == (204, b"")
    assert ask(port, "GET", "/fails")[0].status == 500
    answer, said = ask(port, "HEAD", "/long")
    assert (answer.status, said) == (200, b"")


def test_a_reader_who_goes_away_ends_the_answer_and_frees_its_thread(port):
    for _ in range(8):  # twice as many as there are threads
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            assert line.recv(1000)
    deadline = time.monotonic() + 90
    while json.loads(ask(port, "GET", "/ended")[1])["n"] < 8:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("promised", [100, 3_000_000])
def test_a_request_that_breaks_off_in_the_middle_holds_nobody_up(port, promised):
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nabc" % promised)
    assert ask(port, "GET", "/nothing")[0].status == 204
