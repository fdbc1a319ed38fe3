"""Readings: how many a second come in by the interface and from a broker, and a station's last day among all that are kept.

CHENGMAI_BENCH_READINGS says how many are stored before (default 2,000,000; the figure asked for is 100,000,000, about 10 GB).
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from gis.db import make_engine
from gis.journal import Who
from gis.network import reading_queries as asking
from gis.people import keys
from tests.bench.report import Bench, process
from tests.brokers import Broker
from webapp.stations import RANGES

STORED = int(os.environ.get("CHENGMAI_BENCH_READINGS", "2000000"))
STATIONS, POINTS = 91, 12  # a reading a minute of each
PER_S, LAST_DAY_MS = 20_000, 20
BATCH, BATCHES, SENDERS = 10_000, 40, 2
MESSAGE, MESSAGES = 200, 2_000
END = datetime(2026, 3, 1, tzinfo=UTC)
STEP_S = RANGES["day"][1]  # what the station's page draws
_CITY = """
    INSERT INTO unit (code, name, kind) VALUES ('H', '供热公司', 'heat_company');
    INSERT INTO station (code, name, operator, unit_id, households, geom)
    SELECT 'S' || n, '换热站' || n, 'heat_company', (SELECT id FROM unit WHERE code = 'H'), 300, ST_SetSRID(ST_Point(119.9, 36.7), 4326)
      FROM generate_series(1, {stations}) n;
    INSERT INTO measuring_point (code, name, quantity, side, unit, station_id)
    SELECT s.code || '-' || n, '测点', (ARRAY['temperature', 'pressure', 'flow'])[1 + n %% 3],
           (ARRAY['primary_supply', 'primary_return', 'secondary_supply', 'secondary_return'])[1 + n %% 4],
           (ARRAY['°C', 'MPa', 'm³/h'])[1 + n %% 3], s.id
      FROM station s, generate_series(0, {points} - 1) n;
"""
# A month as its senders would have filled it, minute by minute; its key is made once, at the end.
_MONTH = """
    CREATE TABLE reading_{name} (LIKE reading INCLUDING DEFAULTS);
    INSERT INTO reading_{name} (point_id, at, value, received_at)
    SELECT p.id, t.at, 50 + 5 * sin(extract(epoch FROM t.at) / 9000 + p.id), t.at + interval '20 seconds'
      FROM generate_series(timestamptz '{since}', timestamptz '{until}' - interval '1 minute', interval '1 minute') AS t (at)
     CROSS JOIN measuring_point p;
    ALTER TABLE reading_{name} ADD PRIMARY KEY (point_id, at) INCLUDE (value, contradicted);
    ALTER TABLE reading ATTACH PARTITION reading_{name} FOR VALUES FROM ('{month} 00:00+00') TO ('{after} 00:00+00');
"""


def run(bench: Bench, stored: int = STORED) -> None:
    """Fill, then send while all that is there."""
    url = bench.database("readings")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    began = time.perf_counter()
    count = fill(engine, stored)
    bench.figure("readings stored", count, unit="", judge="median", better="more",
                 note=f"{_size(engine)}, monthly partitions; filled in {time.perf_counter() - began:.0f} s")  # fmt: skip
    last_day(bench, url, count)
    by_interface(bench, url)
    from_broker(bench, url, engine)
    engine.dispose()


def fill(engine: Engine, stored: int) -> int:
    """So many readings, back from END, a reading of each point a minute."""
    with engine.connect() as connection:
        connection.exec_driver_sql(_CITY.format(stations=STATIONS, points=POINTS))
        since = END - timedelta(minutes=stored // (STATIONS * POINTS))
        month = since.date().replace(day=1)
        while month < END.date():
            after = (month + timedelta(days=32)).replace(day=1)
            begins = max(since, datetime.combine(month, datetime.min.time(), tzinfo=UTC))
            connection.exec_driver_sql(_MONTH.format(name=f"{month:%Y_%m}", since=begins.isoformat(), month=month, after=after,
                                                     until=datetime.combine(after, datetime.min.time(), tzinfo=UTC).isoformat()))  # fmt: skip
            month = after
        connection.exec_driver_sql("VACUUM ANALYZE reading")
        return int(connection.scalar(text("SELECT count(*) FROM reading")) or 0)


def _size(engine: Engine) -> str:
    with engine.connect() as connection:
        asked = "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits WHERE inhparent = 'reading'::regclass"
        return str(connection.scalar(text(asked)))


def last_day(bench: Bench, url: str, count: int) -> None:
    """A station's twelve points over its last day, in the steps that its page draws; each time another station."""
    engine, rng = make_engine(url), random.Random(8319)
    with Session(engine) as session:
        stations = list(session.scalars(text("SELECT id FROM station ORDER BY id")))
        points = {
            s: list(session.scalars(text("SELECT id FROM measuring_point WHERE station_id = :s"), {"s": s}))
            for s in stations
        }

        def ask() -> None:
            found = asking.series(session, points[rng.choice(stations)], END - timedelta(days=1), END, STEP_S)
            if sum(map(len, found.values())) != POINTS * 86_400 // STEP_S:
                raise RuntimeError("steps are missing")

        took = bench.timed(ask, 100, warm=5)
    bench.figure(
        "a station's last day",
        took,
        target=LAST_DAY_MS,
        note=f"12 points × 1,440 readings in 10-minute steps, of {count:,}",
    )
    engine.dispose()


def _rows(first: int, many: int) -> list[dict[str, Any]]:
    """New readings after END: those of all points at one moment, then at the next."""
    every = STATIONS * POINTS
    rows = []
    for n in range(first, first + many):
        moment, place = divmod(n, every)
        station, point = divmod(place, POINTS)
        at = END + timedelta(seconds=moment * 10)
        rows.append({"point": f"S{station + 1}-{point}", "at": at.isoformat(), "value": 0.5 + n % 1000 / 2000})
    return rows


def by_interface(bench: Bench, url: str) -> None:
    """Batches through the real server with a key, from two programs at once."""
    engine = make_engine(url)
    with Session(engine) as session:
        unit = session.scalar(text("SELECT id FROM unit WHERE code = 'H'"))
        secret, _key = keys.make_key(
            session, Who(END), name="bench", unit_id=int(unit or 0), rights=["send_readings"], per_minute=100_000
        )
        session.commit()
    engine.dispose()
    bodies = [json.dumps({"readings": _rows(n * BATCH, BATCH)}).encode() for n in range(BATCHES)]
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    took: list[float] = []
    with bench.server(url) as address:

        def send(mine: list[bytes]) -> None:
            for body in mine:
                began = time.perf_counter()
                with urllib.request.urlopen(
                    urllib.request.Request(f"{address}/telemetry/v1/readings", body, headers), timeout=120
                ) as answer:
                    if json.load(answer)["new"] != BATCH:
                        raise RuntimeError("readings were not new")
                took.append((time.perf_counter() - began) * 1000)

        threads = [threading.Thread(target=send, args=(bodies[n::SENDERS],)) for n in range(SENDERS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
    if len(took) != BATCHES:
        raise RuntimeError("batches were refused")
    note = f"{BATCHES} batches of {BATCH:,} as JSON, {SENDERS} senders, real server, each committed"
    bench.figure(
        "readings by the interface",
        BATCHES * BATCH / seconds,
        unit="/s",
        target=PER_S,
        judge="median",
        better="more",
        note=note,
    )
    bench.figure("one batch of 10,000 by the interface", took, judge="p95", note="sent, kept, answered")


def from_broker(bench: Bench, url: str, engine: Engine) -> None:
    """Messages through a real broker to the real process, from the first one published to the last one committed."""
    place = bench.place / "broker"
    place.mkdir()
    broker = Broker(place, in_flight=1000)
    broker.start()
    first = BATCHES * BATCH + STATIONS * POINTS
    bodies = [json.dumps(_rows(first + n * MESSAGE, MESSAGE)).encode() for n in range(MESSAGES)]
    with engine.connect() as connection:
        before = int(connection.scalar(text("SELECT count(*) FROM reading WHERE at >= :end"), {"end": END}) or 0)
    more = {
        "CHENGMAI_DATABASE_URL": url,
        "CHENGMAI_DATA_DIR": str(bench.place / "data"),
        "CHENGMAI_MQTT_URL": broker.url,
    }
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    with process([sys.executable, "-m", "webapp.mqtt"], more, bench.place / "mqtt.log"), engine.connect() as connection:
        client.publish("chengmai/readings/x", json.dumps(_rows(first - STATIONS * POINTS, 1)), qos=1, retain=True)
        _until(connection, before + 1)  # it listens
        began = time.perf_counter()
        for body in bodies:
            client.publish("chengmai/readings/x", body, qos=1)
        _until(connection, before + 1 + MESSAGES * MESSAGE)
        seconds = time.perf_counter() - began
    client.loop_stop()
    broker.stop()
    note = f"{MESSAGES:,} messages of {MESSAGE} at QoS 1, mosquitto, acknowledged after the commit"
    bench.figure(
        "readings from a broker",
        MESSAGES * MESSAGE / seconds,
        unit="/s",
        target=PER_S,
        judge="median",
        better="more",
        note=note,
    )


def _until(connection: Any, wanted: int) -> None:
    deadline = time.monotonic() + 300
    while int(connection.scalar(text("SELECT count(*) FROM reading WHERE at >= :end"), {"end": END})) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError("readings did not come")
        time.sleep(0.1)
