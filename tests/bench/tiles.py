"""Complaint tiles over a million complaints: single tiles at four zooms, and a mix for eight clients beside tipg."""

from __future__ import annotations

import http.client
import math
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import create_engine, text

from gis.db import make_engine, make_sessions
from gis.journal import Who
from gis.people import actions
from tests.bench.report import Bench, free_port, process, wait_for

COMPLAINTS = 1_000_000
CLIENTS = 8
SECONDS = 10
PASSWORD = "only for measuring"
LIMIT_MS, LIMIT_KB = 30, 300
TIMES_TIPG = 6
NEW_FILTER = "?status=open&category=heat&from={day}"
FILTERS = {
    "no filter": "",
    "open, heat, red or orange": "?status=open&category=heat&time_state=red&time_state=orange",
    "one district": "?district={district}",
}

# Forty quarters of a city; the older a complaint, the likelier it is closed. Everything by arithmetic: no random order.
_FILL = """
WITH quarter AS (
  SELECT q, 119.96 + 0.09 * sin(q * 2.4) * sqrt(q / 40.0) AS lon, 36.78 + 0.07 * cos(q * 2.4) * sqrt(q / 40.0) AS lat
    FROM generate_series(0, 39) AS q
), numbered AS (
  SELECT i, quarter.*, (i * 7919) %% 1000 / 1000.0 AS u, (i * 104729) %% 997 / 997.0 AS v,
         (i * 15485863::bigint) %% 991 / 991.0 AS w,
         timestamptz '2009-11-22 00:00+08' - make_interval(secs => (%(n)s - i) * 31) AS received
    FROM generate_series(1::bigint, %(n)s) AS i JOIN quarter ON q = (i * 31) %% 40
)
INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, geom, district_id,
                       street_id, unit_id, received_at, resolve_by, closed_at, deadline_source, synthetic)
SELECT 'B' || i, '12319', (%(categories)s::text[])[1 + (i * 13) %% %(kinds)s], 'ordinary',
       CASE WHEN u < 0.97 - 0.2 * (i > %(n)s * 0.97)::int THEN 'confirmed' WHEN v < 0.5 THEN 'received' ELSE 'assigned' END,
       '家里暖气不热', q || '号小区', 'located',
       ST_SetSRID(ST_MakePoint(lon + 0.006 * sqrt(-2 * ln(0.0005 + u)) * cos(6.283 * v) + w * 1e-4,
                               lat + 0.005 * sqrt(-2 * ln(0.0005 + u)) * sin(6.283 * v) + w * 1e-4), 4326),
       (%(districts)s::bigint[])[1 + q %% 4], (%(streets)s::bigint[])[1 + q], (%(units)s::bigint[])[1 + q %% 3],
       received, received + interval '14 hours',
       CASE WHEN u < 0.97 - 0.2 * (i > %(n)s * 0.97)::int THEN received + interval '6 hours' END, '', true
  FROM numbered
"""


@dataclass(frozen=True)
class World:
    """What was made: the database, and ids to filter by."""

    url: str
    district: int
    unit: int


def make_world(bench: Bench) -> World:
    """A million synthetic complaints in forty quarters, with areas and units."""
    url = bench.database("tiles")
    connection = bench.cluster.connect("tiles")
    with connection, connection.cursor() as cursor:
        square = "ST_Multi(ST_MakeEnvelope(119, 36, 121, 38, 4326))"
        areas = "INSERT INTO area (code, name, level, geom, version) SELECT %s || i, %s || i, %s, {}, 1 FROM generate_series(1, %s) AS i RETURNING id"
        ids = {}
        for level, many in (("district", 4), ("street", 40)):
            cursor.execute(areas.format(square), (level, level, level, many))
            ids[level] = [row[0] for row in cursor.fetchall()]
        cursor.execute("INSERT INTO unit (code, name, kind, version) SELECT 'b' || i, 'b' || i, 'heat_company', 1 "
                       "FROM generate_series(1, 3) AS i RETURNING id")  # fmt: skip
        units = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT array_agg(code ORDER BY code), count(*) FROM category")
        categories, kinds = cursor.fetchone() or ([], 0)
        cursor.execute(_FILL, {"n": COMPLAINTS, "categories": categories, "kinds": kinds, "districts": ids["district"],
                               "streets": ids["street"], "units": units})  # fmt: skip
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE complaint")
    connection.close()
    return World(url, ids["district"][0], units[0])


class Client:
    """One person's browser: a kept connection and a session cookie."""

    def __init__(self, address: str) -> None:
        parts = urllib.parse.urlsplit(address)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self.cookie = ""

    def get(self, path: str) -> tuple[int, int]:
        """Status and size of the body."""
        self.connection.request("GET", path, headers={"Cookie": self.cookie} if self.cookie else {})
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, len(body)

    def sign_in(self, name: str) -> Client:
        self.connection.request("GET", "/login")
        answer = self.connection.getresponse()
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
        self.cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        form = urllib.parse.urlencode({"name": name, "password": PASSWORD, "csrf_token": found[1] if found else ""})
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/login", form, headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 302:
            raise RuntimeError(f"sign-in answered {answer.status}")
        self.cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        return self


def add_people(world: World) -> None:
    """Somebody of the whole city, somebody of one district, somebody of one unit."""
    engine = make_engine(world.url)
    with make_sessions(engine)() as session:
        who = Who(datetime.now(UTC))
        actions.add_user(session, who, "all", "dispatcher", PASSWORD)
        actions.add_user(session, who, "district", "dispatcher", PASSWORD, area_id=world.district)
        actions.add_user(session, who, "unit", "unit_handler", PASSWORD, unit_id=world.unit)
        session.commit()
    engine.dispose()


def tile_at(z: int, lon: float, lat: float) -> tuple[int, int, int]:
    n = 1 << z
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def places(world: World, many: int) -> list[tuple[float, float]]:
    """Where complaints are: people look at where there is something to see."""
    engine = create_engine(world.url)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT ST_X(geom), ST_Y(geom) FROM complaint WHERE id % :step = 0 LIMIT :many"),
            {"step": COMPLAINTS // many - 1, "many": many},
        ).all()
    engine.dispose()
    return [(row[0], row[1]) for row in found]


def run(bench: Bench) -> None:
    """The figures of tiles."""
    bench.say(f"making {COMPLAINTS:,} complaints")
    world = make_world(bench)
    add_people(world)
    where = places(world, 400)
    with bench.server(world.url) as address:
        began = time.perf_counter()
        person = Client(address).sign_in("all")
        person.get("/tiles/complaints/8/213/100.mvt")
        bench.figure(
            "first complaint tile after a start (index of 1,000,000 loaded)", time.perf_counter() - began, unit="s"
        )
        for _ in range(40):  # both workers have loaded
            Client(address).sign_in("all").get("/tiles/complaints/14/0/0.mvt")
        _single(bench, address, world, where)
        mix = [tile_at(8 + i % 9, *where[i % len(where)]) for i in range(4000)]
        ours = _mix(bench, "Chengmai", lambda i: _ours(address, ("all",) * CLIENTS, mix, i))
        _mix(bench, "Chengmai, every client another scope or filter", lambda i: _different(address, world, mix, i))
        with _writing(world):
            _mix(
                bench,
                "Chengmai, while 5 complaints a second change",
                lambda i: _ours(address, ("all",) * CLIENTS, mix, i),
            )
    with _tipg(bench, world) as address:
        theirs = _mix(bench, "tipg", lambda i: _theirs(address, mix, i), note="same table, ≤ 10,000 features a tile")
    bench.figure("mix z8-z16: Chengmai to tipg", ours / theirs, unit="x", target=TIMES_TIPG, judge="median", better="more",
                 note="same run, same machine, 2 workers each")  # fmt: skip


def _single(bench: Bench, address: str, world: World, where: list[tuple[float, float]]) -> None:
    """Dense tiles, one after another, by one client: time at the client, and size as it travels without compression."""
    people = {name: Client(address).sign_in(name) for name in ("all", "district", "unit")}
    asked = [("all", label, query.format(district=world.district)) for label, query in FILTERS.items()]
    asked += [("district", "person of one district", ""), ("unit", "person of one unit", "?status=open")]
    asked += [("all", "a filter never asked before", NEW_FILTER)]
    for z in (8, 11, 14, 16):
        for name, label, query in asked:
            took, sizes = [], []
            for i, place in enumerate(where[:120]):
                z_, x, y = tile_at(z, *place)
                day = f"{2008 + i // 100}-{i % 12 + 1:02}-{i % 28 + 1:02}"
                path = f"/tiles/complaints/{z_}/{x}/{y}.mvt" + query.format(day=day)
                began = time.perf_counter()
                status, size = people[name].get(path)
                took.append((time.perf_counter() - began) * 1000)
                sizes.append(size / 1024)
                if status not in (200, 204):
                    raise RuntimeError(f"{path} answered {status}")
            bench.figure(f"tile z{z}, {label}", took, target=LIMIT_MS, note=f"largest {max(sizes):.1f} KB")
            if label == "no filter":
                bench.figure(f"tile z{z}, size", sizes, unit="KB", target=LIMIT_KB, judge="max")


Asker = Callable[[], int]


def _ours(address: str, names: tuple[str, ...], mix: list[tuple[int, int, int]], i: int, query: str = "") -> Asker:
    client, turn = Client(address).sign_in(names[i]), iter(_around(mix, i))

    def ask() -> int:
        z, x, y = next(turn)
        return client.get(f"/tiles/complaints/{z}/{x}/{y}.mvt{query}")[0]

    return ask


def _different(address: str, world: World, mix: list[tuple[int, int, int]], i: int) -> Asker:
    names = ("all", "district", "unit", "all", "all", "district", "unit", "all")
    queries = (
        "",
        "",
        "",
        "?status=open",
        "?category=heat",
        "?status=open",
        "?time_state=red",
        f"?district={world.district}",
    )
    return _ours(address, names, mix, i, queries[i])


def _theirs(address: str, mix: list[tuple[int, int, int]], i: int) -> Asker:
    client, turn = Client(address), iter(_around(mix, i))

    def ask() -> int:
        z, x, y = next(turn)
        path = f"/collections/public.complaint/tiles/WebMercatorQuad/{z}/{x}/{y}?properties=id,status,category"
        return client.get(path)[0]

    return ask


def _around(mix: list[tuple[int, int, int]], i: int) -> Iterator[tuple[int, int, int]]:
    at = i * len(mix) // CLIENTS
    while True:
        yield mix[at % len(mix)]
        at += 1


def _mix(bench: Bench, label: str, make: Callable[[int], Asker], note: str = "") -> float:
    """Eight clients asking as fast as they are answered; tiles a second."""
    askers = [make(i) for i in range(CLIENTS)]
    took: list[list[float]] = [[] for _ in askers]
    wrong: list[int] = []
    start = time.perf_counter() + 2
    end = start + SECONDS

    def work(i: int) -> None:
        while (began := time.perf_counter()) < end:
            status = askers[i]()
            if status not in (200, 204):
                wrong.append(status)
            if began >= start:
                took[i].append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(askers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{label}: {len(wrong)} answers with {set(wrong)}")
    every = np.concatenate([np.array(one) for one in took])
    rate = len(every) / SECONDS
    bench.figure(
        f"mix z8-z16, {CLIENTS} clients: {label}", rate, unit="tiles/s", judge="median", better="more", note=note
    )
    bench.figure(f"mix z8-z16, time of one tile: {label}", every, note=f"p99 {np.percentile(every, 99):.0f} ms")
    return rate


@contextmanager
def _writing(world: World) -> Iterator[None]:
    """Five complaints a second move on, each with its journal row."""
    engine, stop = make_engine(world.url), threading.Event()
    change = text(
        """WITH moved AS (UPDATE complaint SET status = CASE status WHEN 'received' THEN 'assigned' ELSE 'received' END,
                                 version = version + 1 WHERE id = :id RETURNING id, version)
           INSERT INTO journal (at, verb, thing, thing_id, version)
           SELECT now(), 'assign', 'complaint', id::text, version FROM moved"""
    )

    def write() -> None:
        turn = 0
        while not stop.wait(0.2):
            turn += 1
            with engine.begin() as connection:
                connection.execute(change, {"id": turn * 7919 % COMPLAINTS + 1})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
        engine.dispose()


@contextmanager
def _tipg(bench: Bench, world: World) -> Iterator[str]:
    """tipg as it comes, under the server and the number of workers that serve us."""
    port = free_port()
    environment = {
        "DATABASE_URL": world.url.replace("+psycopg2", ""), "TIPG_DB_TABLES": '["public.complaint"]', "TIPG_CATALOG_TTL": "0",
        "TIPG_DB_DATETIME_EXTENT": "false", "TIPG_DB_FUNCTIONS": "[]",
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "2", "--host", "127.0.0.1",
               "--port", str(port), "--no-ws", "tipg.main:app"]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    with process(command, environment, bench.place / "tipg.log") as started:
        wait_for(f"{address}/healthz", started)
        yield address
