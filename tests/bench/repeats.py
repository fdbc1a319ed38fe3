"""Similar open complaints while somebody types, and duplicate groups, over a million stored complaints."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from gis.complaints import duplicates, repeat_queries
from gis.db import make_engine, make_sessions
from gis.people.rules import CITY
from tests.bench.report import Bench
from tests.bench.tiles import make_world

NOW = datetime(2009, 11, 22, tzinfo=UTC)
ASKED, TARGET_MS = 300, 10.0
TARGET_S = 4.0


def run(bench: Bench) -> None:
    """A city of a million complaints, 30,000 of them open."""
    world = make_world(bench)
    engine = make_engine(world.url)
    sessions = make_sessions(engine)
    similar(bench, sessions)
    groups(bench, sessions)
    engine.dispose()


def similar(bench: Bench, sessions) -> None:  # type: ignore[no-untyped-def]
    """Every question is another place and another category, as the calls of a day are."""
    random = np.random.default_rng(1)
    took = []
    with sessions() as session:
        for n in range(ASKED + 10):
            quarter = int(random.integers(40))
            lon = 119.96 + 0.09 * np.sin(quarter * 2.4) * np.sqrt(quarter / 40) + random.normal(0, 0.004)
            lat = 36.78 + 0.07 * np.cos(quarter * 2.4) * np.sqrt(quarter / 40) + random.normal(0, 0.004)
            kind = ("heat.cold", "heat.none", "water.none", "road.damage", "heat.outage")[n % 5]
            began = time.perf_counter()
            repeat_queries.similar(
                session, CITY, category=kind, lon=float(lon), lat=float(lat), now=NOW, phone="13800001234",
                words="家里暖气不热", place="12号小区",
            )  # fmt: skip
            took.append((time.perf_counter() - began) * 1000)
        named = bench.timed(
            lambda: repeat_queries.similar(
                session, CITY, category="heat.cold", now=NOW, place="12号小区", words="不热"
            ),
            100,
        )
    bench.figure("similar open complaints while typing, 1,000,000 stored", took[10:], target=TARGET_MS, judge="p95")
    bench.figure("the same by the name of the place alone", named, target=TARGET_MS, judge="p95")


def groups(bench: Bench, sessions) -> None:  # type: ignore[no-untyped-def]
    """All million, and only the open ones of a week as the supervisor's screen asks."""
    took = []
    with sessions() as session:
        for _ in range(4):
            began = time.perf_counter()
            found = duplicates.find(session)
            took.append(time.perf_counter() - began)
        note = f"{len(found.groups)} groups, {found.double} of {found.read} complaints"
        bench.figure(
            "duplicate groups over 1,000,000 (50 m, 7 days)",
            took[1:],
            unit="s",
            target=TARGET_S,
            judge="max",
            note=note,
        )
        week = bench.timed(lambda: duplicates.find(session, since=NOW - timedelta(days=7), only_open=True), 10)
        bench.figure("duplicate groups of a week's open ones", week)
