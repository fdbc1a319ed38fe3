"""A screen without a browser: signs in through the real form and reads `/events` as it comes."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import re
import socket
import threading
import urllib.parse
from dataclasses import dataclass
from typing import Any

from tests.browser.conftest import PASSWORD, Live

PATIENCE_S = 60


@dataclass(frozen=True)
class Event:
    """What came: its kind, its data, and the cursor after it."""

    kind: str
    data: Any
    id: str


class Screen:
    """A signed-in person. `open()` begins to listen, `next(kind)` waits for an event; `None` is the end of the stream."""

    def __init__(self, live: Live, name: str) -> None:
        self.port, self.cookie, self.events = live.port, "", queue.Queue[Event | None]()
        self.user_id = 0
        self.lines: list[tuple[http.client.HTTPConnection, http.client.HTTPResponse, threading.Thread]] = []
        _, page = self.ask("GET", "/login")
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found
        form = {"csrf_token": found[1].decode(), "name": name, "password": PASSWORD}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, _ = self.ask("POST", "/login", urllib.parse.urlencode(form), kind)
        assert status == 302

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, path, body, {"Cookie": self.cookie} | (headers or {}))
            answer = connection.getresponse()
            said = answer.read()
        if (given := answer.getheader("Set-Cookie")) is not None:
            self.cookie = given.split(";")[0]
        return answer.status, said

    def open(self, cursor: str | None = None) -> Screen:
        """Begin to listen; returns when the stream stands."""
        self.events = queue.Queue()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        known = {"Last-Event-ID": cursor} if cursor else {}
        connection.request("GET", "/events", headers={"Cookie": self.cookie, "Accept": "text/event-stream"} | known)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        self.lines.append((connection, answer, threading.Thread(target=self._read, args=(answer, self.events))))
        self.lines[-1][2].start()
        self.cursor = self.next("hello").id
        return self

    def _read(self, answer: http.client.HTTPResponse, events: queue.Queue[Event | None]) -> None:
        fields: dict[str, str] = {}
        try:
            while line := answer.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    events.put(Event(fields["event"], json.loads(fields["data"]), fields.get("id", "")))
                    fields = {}
                else:
                    fields = {}
        except (OSError, http.client.HTTPException):
            pass
        events.put(None)

    def close(self) -> None:
        for connection, answer, thread in self.lines:
            with contextlib.suppress(OSError, AttributeError):
                answer.fp.raw._sock.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)
            answer.close()
            connection.close()

    def next(self, kind: str) -> Event:
        """The next event of this kind; beats in between are nothing."""
        while (found := self.events.get(timeout=PATIENCE_S)) is not None:
            if found.kind == kind:
                return found
            assert found.kind == "beat", found
        raise AssertionError(f"the stream ended before {kind}")

    def rows(self, n: int) -> list[str]:
        """The ids of the next `n` things that changed."""
        found: list[str] = []
        while len(found) < n:
            event = self.next("change")
            found += [row["thing_id"] for row in event.data]
            self.cursor = event.id
        return found

    def ended(self) -> bool:
        """Wait for the end of the stream: was it announced?"""
        self.next("again")
        return self.events.get(timeout=PATIENCE_S) is None
