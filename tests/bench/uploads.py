"""Checklists from phones: 33 items each, sent one by one and in batches, fsync on, and every one of them counted afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis.db import make_engine
from gis.inspections.rules import SIX_PLEDGES, excluded
from gis.journal import Who
from gis.people import actions
from tests.bench.report import Bench
from tests.factories import make_site, make_user
from webapp.clock import utc_now

CLIENTS = 8
SECONDS = float(os.environ.get("CHENGMAI_BENCH_SECONDS", 60))
WARM_UP = 40
BODY_BYTES = 4600
BATCH = 50


@dataclass
class Sent:
    """What one phone did: how long each request took, and which changes were acknowledged with which hash."""

    took_ms: list[float] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)


def run(bench: Bench) -> None:
    """One by one, then in batches; then every acknowledged id must be there once, with its hash and its 33 answers."""
    url = bench.database("uploads")
    engine = make_engine(url)
    tokens, site_id = _phones(engine)
    with bench.server(url) as address:
        for token in tokens[:2]:
            _phone(address, token, site_id, 1, lambda n: n < WARM_UP)
        sent, took_s = _all(address, tokens, site_id, 1)
        figures = {1: sum(len(s.took_ms) for s in sent) / took_s}
        size = len(_body(site_id, 1)[0])
        note = f"{CLIENTS} clients, {size / 1000:.1f} KB, 33 items, one change a request, {took_s:.0f} s"
        bench.figure("checklist uploads", figures[1], unit="/s", target=300, judge="median", better="more", note=note)
        bench.figure("checklist upload", [ms for s in sent for ms in s.took_ms], target=200, judge="p99")
        batched, took_s = _all(address, tokens, site_id, BATCH)
        figures[BATCH] = sum(len(s.took_ms) for s in batched) * BATCH / took_s
        bench.figure(f"checklist uploads in batches of {BATCH}", figures[BATCH], unit="/s", target=1000, better="more", judge="median",
                     note="a verdict, a receipt and a journal row each")  # fmt: skip
    _beside_bare(bench, engine, site_id, figures)
    lost = _lost(engine, sent + batched)
    bench.figure("acknowledged checklists lost", lost, unit="", target=0, judge="max", note=_durability(engine))
    engine.dispose()


def _beside_bare(bench: Bench, engine: Engine, site_id: int, figures: dict[int, float]) -> None:
    """The same bytes put into a bare table by as many clients: what this machine and its disk can do today. 300 and 1,000 a second
    were asked for where bare inserts made 1,065 and 22,600."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bare (id uuid PRIMARY KEY, body jsonb NOT NULL)"))
    for changes, share in ((1, 300 / 1065), (BATCH, 1000 / 22600)):
        pace = _bare(engine, site_id, changes)
        bench.figure(
            f"bare inserts, {changes} in a statement",
            pace,
            unit="/s",
            better="more",
            note=f"{CLIENTS} clients, fsync on",
        )
        bench.figure(f"checklist uploads beside bare inserts, {changes} in a request", figures[changes] / pace, unit="", target=share,
                     better="more", judge="median")  # fmt: skip
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE bare"))


def _bare(engine: Engine, site_id: int, changes: int) -> float:
    """Rows a second: the changes of a request as one JSON parameter of one INSERT, and a commit."""
    insert = "INSERT INTO bare SELECT (c ->> 'id')::uuid, c FROM jsonb_array_elements(%s::jsonb) c"
    until = time.perf_counter() + min(10.0, SECONDS)

    def work(_n: int) -> int:
        connection, done = (
            psycopg2.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)),
            0,
        )
        with contextlib.closing(connection), connection.cursor() as cursor:
            while time.perf_counter() < until:
                cursor.execute(insert, (f"[{','.join(_written(site_id)[1] for _ in range(changes))}]",))
                connection.commit()
                done += changes
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(work, range(CLIENTS))) / (time.perf_counter() - began)


def _phones(engine: Engine) -> tuple[list[str], int]:
    """Eight enrolled inspectors and a site."""
    with Session(engine) as session:
        who, tokens = Who(utc_now()), []
        for _ in range(CLIENTS):
            user = make_user(session, role="inspector")
            tokens.append(actions.enrol(session, who, actions.offer_enrolment(session, who, user.id), "bench")[0])
        site = make_site(session)
        session.commit()
        return tokens, int(site.id)


def _body(site_id: int, changes: int) -> tuple[bytes, list[str]]:
    """A request as a phone sends it, and the ids of its changes. Phones write theirs somewhere else: here it must cost nothing."""
    made = [_written(site_id) for _ in range(changes)]
    body = f'{{"queue_length":{changes},"changes":[{",".join(change for _, change in made)}]}}'
    return body.encode(), [change_id for change_id, _ in made]


def _written(site_id: int) -> tuple[str, str]:
    """A change with ids of its own, as JSON, and its id."""
    change_id = str(uuid.uuid4())
    template, was, visit = _template(site_id)
    return change_id, template.replace(was, change_id).replace(visit, str(uuid.uuid4()))


@lru_cache(maxsize=8)
def _template(site_id: int) -> tuple[str, str, str]:
    change = _change(site_id)
    return json.dumps(change, ensure_ascii=False, separators=(",", ":")), change["id"], change["thing_id"]


def _change(site_id: int) -> dict[str, Any]:
    inspection_id, at = str(uuid.uuid4()), "2026-03-02T02:00:00.000Z"
    answers = [
        {"item_id": i.id, "answer": "na" if excluded(i, "yard", "after", True) else "yes", "note": "现场查看，符合要求，已告知班组长继续保持。"}
        for i in SIX_PLEDGES
    ]  # fmt: skip
    payload = {
        "inspection_id": inspection_id, "site_id": site_id, "checklist_code": "six_pledges", "checklist_revision": 1,
        "scope": "yard", "stage": "after", "started_at": at, "finished_at": at, "note": "", "answers": answers,
        "position": {"lon": 119.961234, "lat": 36.781234, "accuracy_m": 8.5}, "photos": [],
    }  # fmt: skip
    change = {"id": str(uuid.uuid4()), "kind": "inspection.submit", "thing_id": inspection_id, "base_version": None,
              "at": at, "payload": payload}  # fmt: skip
    short = BODY_BYTES - 40 - len(json.dumps(change, ensure_ascii=False, separators=(",", ":")).encode())
    payload["note"] = "。" * max(0, short // 3)
    return change


def _all(address: str, tokens: list[str], site_id: int, changes: int) -> tuple[list[Sent], float]:
    """All phones at once for some seconds."""
    barrier = Barrier(len(tokens) + 1)

    def work(token: str) -> Sent:
        barrier.wait()
        until = time.perf_counter() + SECONDS
        return _phone(address, token, site_id, changes, lambda _n: time.perf_counter() < until)

    with ThreadPoolExecutor(len(tokens)) as pool:
        working = [pool.submit(work, token) for token in tokens]
        barrier.wait()
        began = time.perf_counter()
        sent = [w.result() for w in working]
        return sent, time.perf_counter() - began


def _phone(address: str, token: str, site_id: int, changes: int, more: Callable[[int], bool]) -> Sent:
    """One phone on one connection: a request, its answer, the next."""
    parts, sent = urlsplit(address), Sent()
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while more(len(sent.took_ms)):
        body, _ids = _body(site_id, changes)
        began = time.perf_counter()
        connection.request("POST", "/api/v1/sync", body, headers)
        answer = connection.getresponse()
        data = answer.read()
        sent.took_ms.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {data[:300]!r}")
        for result in json.loads(data)["results"]:
            if result["verdict"] != "applied":
                raise RuntimeError(str(result))
            sent.acknowledged[result["id"]] = result["receipt"]["change_sha256"]
    connection.close()
    return sent


def _lost(engine: Engine, sent: list[Sent]) -> int:
    """How many acknowledged changes are not there with their hash, their inspection and their 33 answers?"""
    question = text(
        """SELECT c.id::text, c.sha256 FROM change c JOIN inspection i ON i.id = (c.body -> 'payload' ->> 'inspection_id')::uuid
            WHERE c.verdict = 'applied' AND (SELECT count(*) FROM check_answer a WHERE a.inspection_id = i.id) = 33"""
    )
    with Session(engine) as session:
        kept = {row.id: row.sha256 for row in session.execute(question)}
    return sum(kept.get(key) != sha256 for s in sent for key, sha256 in s.acknowledged.items())


def _durability(engine: Engine) -> str:
    with Session(engine) as session:
        return ", ".join(f"{name}={session.scalar(text(f'SHOW {name}'))}" for name in ("fsync", "synchronous_commit"))
