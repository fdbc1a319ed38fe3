"""The main job on input nobody here wrote: real service requests and a real street network, through the real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.complaints.actions import receive
from gis.db import make_engine
from gis.journal import Who
from gis.places.queries import working_days

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def city(new_database, tmp_path_factory):
    """A database and the command line on it."""
    url, place = new_database(), tmp_path_factory.mktemp("real")

    def chengmai(*arguments: str, expect: int = 0):
        environment = os.environ | {"CHENGMAI_DATABASE_URL": url, "CHENGMAI_DATA_DIR": str(place)}
        command = [sys.executable, "-m", "webapp.cli", *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        assert done.returncode == expect, done.stderr[-2000:] + done.stdout[-2000:]
        return json.loads(done.stdout)

    chengmai.engine = make_engine(url)
    yield chengmai
    chengmai.engine.dispose()


def test_the_boston_sample_is_imported_once_and_dispatched(city, shared):
    sample = str(shared / "complaints" / "boston311_2015_sample2000.csv")
    first = city("import", "complaints", sample, "--mapping", str(ROOT / "webapp/imports/mappings/boston311.toml"))
    assert first["read"] == first["added"] == 2000
    assert first["not_located"] > 0
    again = city("import", "complaints", sample, "--mapping", str(ROOT / "webapp/imports/mappings/boston311.toml"))
    assert (again["added"], again["unchanged"]) == (0, 2000)
    assert city("complaints", "count")["count"] == 2000
    with Session(city.engine) as session:
        drawn = session.scalar(
            text(
                "SELECT count(*) FROM complaint WHERE geom && ST_MakeEnvelope(-71.05871, 42.35939, -71.05869, 42.35941, 4326)"
            )
        )
        assert drawn == 0, "the fallback point is never a place"
        chosen = session.execute(
            text(
                "SELECT id, ST_X(geom) x, ST_Y(geom) y FROM complaint WHERE located = 'located' AND status = 'received' ORDER BY id LIMIT 1"
            )
        ).one()
    for n in range(3):
        city(
            "crew",
            "add",
            f"Crew {n}",
            "--kind",
            "maintenance",
            "--skill",
            "heating",
            "--at",
            f"{chosen.x + 0.002 * (n + 1)},{chosen.y}",
        )
    ranked = city("crews", "nearest", "--complaint", str(chosen.id), "--limit", "3")
    assert [row["by"] for row in ranked] == ["straight"] * 3
    assert all(row["reasons"] for row in ranked)
    minutes = [row["minutes"] for row in ranked]
    assert minutes == sorted(minutes)
    assert city("verify")["ok"]


def test_hotspots_of_the_sample_are_found_without_the_fallback_point(city, shared):
    cells = city("hotspots", "--from", "2015-01-01", "--to", "2015-12-31", "--cell", "500")
    with Session(city.engine) as session:
        located = session.scalar(text("SELECT count(*) FROM complaint WHERE located = 'located'"))
    assert 0 < sum(cell["count"] for cell in cells) <= located
    assert {"count", "z", "p", "label"} <= set(cells[0])
    assert any(cell["label"] == "hot_99" for cell in cells)


@pytest.mark.parametrize(("file", "centre"), [("baltimore", (-76.6122, 39.2904)), ("liechtenstein", (9.5215, 47.1410))])
def test_a_real_street_network_is_imported_and_crews_come_by_road(city, shared, file, centre):
    roads = str(shared / "roads" / f"{file}.osm.pbf")
    first = city("import", "roads", roads)
    assert first["added"] > 3000
    assert city("import", "roads", roads)["added"] == 0
    now = datetime.now(UTC)
    with Session(city.engine) as session:
        node = session.execute(
            text(
                "SELECT ST_X(geom) x, ST_Y(geom) y FROM road_node ORDER BY geom <-> ST_SetSRID(ST_Point(:x, :y), 4326) LIMIT 1"
            ),
            {"x": centre[0], "y": centre[1]},
        ).one()
        complaint = receive(
            session, Who(now), channel="12319", category="heat.cold", description="No heat", place="Main Street", lon=node.x,
            lat=node.y, zone=ZoneInfo("UTC"), calendar=working_days(session),
        )  # fmt: skip
        session.commit()
        number = complaint.id
    for n, (dx, dy) in enumerate(((0.004, 0), (0, 0.004), (-0.006, 0.003))):
        city(
            "crew",
            "add",
            f"{file} {n}",
            "--kind",
            "maintenance",
            "--skill",
            "heating",
            "--at",
            f"{node.x + dx},{node.y + dy}",
        )
    ranked = city("crews", "nearest", "--complaint", str(number), "--limit", "3")
    assert {row["by"] for row in ranked} == {"road"}
    assert all(row["metres"] > 0 for row in ranked)
