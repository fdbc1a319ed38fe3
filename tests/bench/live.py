"""Live screens: 200 open streams, 20 committed events a second for 30 s, and ordinary requests beside them.

Every stream is a connection of its own, kept by one asyncio program on this machine; every event is a transaction of its
own that writes a row of the journal. An event's time runs from the return of its commit until the screen has read it.
Beside it, for comparison: the same screens asking `/changes.json` every two seconds, as they did before.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

import gis.models  # noqa: F401 - every table
from gis.db import make_engine
from gis.journal import Who, write
from gis.people import actions
from tests.bench.report import Bench
from webapp.clock import utc_now

SCREENS, PER_SECOND, SECONDS = 200, 20, 30
PASSWORD = "a long password"
ASKED = ("/crews.json", "/complaints.json?status=open&limit=100")
POLL_S = 2.0


@dataclass
class Seen:
    """When each event was committed, and when each screen read it."""

    committed: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    arrived: list[tuple[int, str, float]] = field(default_factory=list)


class Client:
    """HTTP/1.1 by hand: a thousand lines of a library would be measured with it."""

    def __init__(self, address: str, cookie: str = "") -> None:
        self.host, self.port = urllib.parse.urlsplit(address).hostname, urllib.parse.urlsplit(address).port
        self.cookie = cookie
        self.streams: Any = None

    async def send(self, method: str, path: str, body: str = "") -> tuple[int, dict[str, str]]:
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port, limit=1 << 22)
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
        self.streams[1].write(
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nCookie: {self.cookie}\r\nAccept: */*\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await self.streams[0].readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        return int(head[0].split()[1]), headers

    async def ask(self, method: str, path: str, body: str = "") -> tuple[int, bytes]:
        status, headers = await self.send(method, path, body)
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].split(";")[0]
        if "content-length" in headers:
            return status, await self.streams[0].readexactly(int(headers["content-length"]))
        said = b""
        while piece := await self.piece():
            said += piece
        return status, said

    async def piece(self) -> bytes:
        """The next chunk of a chunked answer; nothing at its end."""
        size = int((await self.streams[0].readline()).strip() or b"0", 16)
        return (await self.streams[0].readexactly(size + 2))[:size]

    async def sign_in(self, name: str) -> None:
        _, page = await self.ask("GET", "/login")
        token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        form = {"csrf_token": token[1].decode(), "name": name, "password": PASSWORD}
        status, _ = await self.ask("POST", "/login", urllib.parse.urlencode(form))
        assert status == 302, status

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()


async def watch(
    number: int, address: str, cookie: str, seen: Seen, ready: asyncio.Semaphore, over: asyncio.Event
) -> None:
    """A screen: opens its stream, and comes again with its last id when it is told to."""
    last, wait = "", 0.0
    while not over.is_set():
        client = Client(address, cookie)
        await asyncio.sleep(wait)
        status, _ = await client.send("GET", f"/events{'?after=' + urllib.parse.quote(last) if last else ''}")
        if status != 200:
            raise RuntimeError(f"/events answered {status}")
        text = ""
        while piece := await client.piece():
            text += piece.decode()
            *whole, text = text.split("\n\n")
            for block in whole:
                fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
                last = fields.get("id", last)
                wait = int(fields["retry"]) / 1000 if "retry" in fields else wait
                if fields.get("event") == "hello":
                    ready.release()
                elif fields.get("event") == "change":
                    _read(number, json.loads(fields["data"]), seen)
        client.close()


async def poll(
    number: int, address: str, cookie: str, seen: Seen, ready: asyncio.Semaphore, over: asyncio.Event
) -> None:
    """A screen as it was: asks every two seconds."""
    client = Client(address, cookie)
    await asyncio.sleep(POLL_S * number / SCREENS)
    cursor = json.loads((await client.ask("GET", "/changes.json"))[1])["cursor"]
    ready.release()
    while not over.is_set():
        await asyncio.sleep(POLL_S)
        answer = json.loads((await client.ask("GET", f"/changes.json?after={cursor}"))[1])
        cursor = answer["cursor"]
        _read(number, answer["rows"], seen)
    client.close()


def _read(number: int, rows: list[dict[str, Any]], seen: Seen) -> None:
    now = time.perf_counter()
    seen.arrived += [(number, row["thing_id"], now) for row in rows]


def happen(sessions: sessionmaker[Session], seen: Seen, seconds: float) -> None:
    """Commits, each on time whatever the last one took."""
    began = time.perf_counter()
    for n in range(int(seconds * PER_SECOND)):
        time.sleep(max(0.0, began + n / PER_SECOND - time.perf_counter()))
        with sessions() as session:
            write(session, Who(utc_now()), "receive", "complaint", n, version=1)
            session.commit()
        seen.committed[str(n)] = time.perf_counter()


async def ordinary(address: str, cookie: str, times: list[float], over: asyncio.Event) -> None:
    """Somebody who works beside the screens: one request after the other."""
    client, n = Client(address, cookie), 0
    while not over.is_set():
        began = time.perf_counter()
        status, _ = await client.ask("GET", ASKED[n % len(ASKED)])
        assert status == 200, status
        times.append((time.perf_counter() - began) * 1000)
        n += 1
        await asyncio.sleep(0.05)
    client.close()


async def measure(
    address: str, sessions: sessionmaker[Session], screen: Any, seconds: float
) -> tuple[Seen, list[float]]:
    """All screens, all events, and two people beside them."""
    first = Client(address)
    await first.sign_in("bench")
    seen, times, ready, over = Seen(), [], asyncio.Semaphore(0), asyncio.Event()
    screens = [asyncio.create_task(screen(n, address, first.cookie, seen, ready, over)) for n in range(SCREENS)]
    for _ in range(SCREENS):
        await asyncio.wait_for(ready.acquire(), 120)
    people = [asyncio.create_task(ordinary(address, first.cookie, times, over)) for _ in range(2)]
    thread = threading.Thread(target=happen, args=(sessions, seen, seconds))
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.2)
    await asyncio.sleep(3 + POLL_S)  # what was committed last is on its way
    over.set()
    await asyncio.gather(*people)
    for task in screens:
        task.cancel()
    await asyncio.gather(*screens, return_exceptions=True)
    first.close()
    for number, event, at in seen.arrived:
        seen.counts[number, event] += 1
        seen.latencies.append((at - seen.committed[event]) * 1000)
    return seen, times


def run(bench: Bench) -> None:
    """Streams, and then the same screens asking."""
    url = bench.database("live")
    engine = make_engine(url)
    sessions = sessionmaker(engine, expire_on_commit=False)
    with sessions() as session:
        actions.add_user(session, Who(utc_now()), "bench", "dispatcher", PASSWORD)
        session.commit()
    with bench.server(url) as address:
        for screen, name, seconds in ((watch, "streams", SECONDS), (poll, "asking every 2 s, as before", SECONDS / 3)):
            seen, times = asyncio.run(measure(address, sessions, screen, seconds))
            told = screen is watch
            wanted = SCREENS * len(seen.committed)
            lost, doubled = wanted - len(seen.counts), sum(n - 1 for n in seen.counts.values())
            note = f"{SCREENS} screens, {PER_SECOND} events/s; lost {lost}, doubled {doubled} of {wanted:,}"
            bench.figure(f"live screens, {name}: event on the screen", seen.latencies, target=1000 if told else None,
                         judge="p99", note=note)  # fmt: skip
            bench.figure(
                f"live screens, {name}: ordinary requests beside", times, target=200 if told else None, judge="p99"
            )
            if told:
                bench.figure(
                    "live screens: events lost or doubled", float(lost + doubled), unit="", target=0, judge="max"
                )
    engine.dispose()
