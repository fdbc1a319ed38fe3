"""A real Dask cluster of two processes gives the answers of the arrays, number by number, from the database and from files."""

import socket
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import geopandas
import numpy as np
import pandas
import pytest
from distributed import Client, LocalCluster
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.db import make_engine
from gis.hotspots import analysis, clustered
from gis.hotspots import cells as rows
from gis.hotspots.analysis import Question
from gis.hotspots.rules import CellShape, Chance, Ground
from gis.hotspots.sheet_queries import EPOCH
from gis.hotspots.weeks import weeks
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def workers():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as here, Client(here) as client:
        yield client


class Opened:
    """Opens a session where a worker runs."""

    def __init__(self, url):
        self.url = url

    def __call__(self):
        return Session(make_engine(self.url, poolclass=NullPool))


@pytest.fixture
def city(committed):
    """A district of four communities, 300 complaints over eight weeks around two hearts, some lost, some far away."""
    with committed() as session:
        district = make_area(session)
        quarters = {
            (dx, dy): make_area(session, level="community", households=400, parent_id=district.id,
                                geom=square(LON + dx * 0.0125, LAT + dy * 0.0125, half=0.0125)).id
            for dx in (-1, 1) for dy in (-1, 1)
        }  # fmt: skip
        random = np.random.default_rng(11)
        for i in range(300):
            heart = (LON - 0.01, LAT - 0.01) if i % 3 else (LON + 0.012, LAT + 0.008)
            x, y = heart + random.normal(0, 0.004, 2)
            at = None if i % 23 == 0 else (-71.06, 42.36) if i % 41 == 0 else (float(x), float(y))
            inside = at is not None and max(abs(at[0] - LON), abs(at[1] - LAT)) < 0.025
            mine = quarters[1 if at[0] > LON else -1, 1 if at[1] > LAT else -1] if inside else None
            make_complaint(session, at=at, district_id=district.id, community_id=mine, category="heat.cold" if i % 4 else "water.none",
                           received_at=NOW - timedelta(days=int(random.integers(0, 56)), hours=int(random.integers(0, 24))))  # fmt: skip
        session.commit()
    return committed


def _same(one, other):
    for name in ("counts", "z", "p", "q", "confidence", "rate"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.located, one.not_located, one.outside) == (other.located, other.not_located, other.outside)
    np.testing.assert_allclose(rows.surface(one).per_km2, rows.surface(other).per_km2, rtol=1e-12, atol=1e-9)
    ours, theirs = (rows.cells(found, every=True) for found in (one, other))
    assert [(c.key, c.count, c.z, c.label) for c in ours] == [(c.key, c.count, c.z, c.label) for c in theirs]


QUESTIONS = [
    Question.of(Filters(), 250.0, ground=Ground.ALL),
    Question.of(Filters(category=("heat",)), 250.0, shape=CellShape.HEXAGON, ground=Ground.ALL),
    Question.of(Filters(q="4"), 500.0, chance=Chance.PERMUTED),
    Question.of(Filters(), 250.0, shape=CellShape.COMMUNITY),
    Question.of(Filters(since=NOW - timedelta(days=20, hours=3), until=NOW - timedelta(days=2, hours=1)), 500.0),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_workers_say_of_the_database_what_the_arrays_say(workers, city, question):
    told = []
    with city() as session:
        alone = analysis.find(session, question, CITY, NOW)
    with city() as session:
        source = clustered.Database(workers, session, question.filters, CITY, NOW, Opened(str(session.get_bind().url.render_as_string(False))),
                                    lambda done, total: told.append((done, total)), part_rows=40)  # fmt: skip
        together = analysis.find(session, question, CITY, NOW, source)
        assert together.counts.sum() > 0
        assert len(together.spots.futures) > 2
        assert told[-1][0] == told[-1][1] >= len(together.spots.futures)
        _same(alone, together)
        if not question.filters.since:
            day = (NOW.astimezone(ZONE).date() - EPOCH).days
            one, other = (weeks(found, day - 55, day) for found in (alone, together))
            np.testing.assert_array_equal(one.counts, other.counts)
            np.testing.assert_array_equal(one.course, other.course)


def test_all_workers_read_what_the_asking_transaction_sees(workers, city):
    question = QUESTIONS[0]
    with city() as session, city() as late:
        source = clustered.Database(workers, session, question.filters, CITY, NOW, Opened(session.get_bind().url.render_as_string(False)),
                                    lambda done, total: None, part_rows=40)  # fmt: skip
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        before = analysis.find(session, question, CITY, NOW)
        make_complaint(late, at=(LON, LAT), received_at=NOW)
        late.commit()
        _same(before, analysis.find(session, question, CITY, NOW, source))


def test_a_scope_holds_on_the_cluster_too(workers, city):
    with city() as session:
        other = make_area(session, geom=square(LON + 0.2, LAT))
        session.commit()
        scope = Scope(area_id=other.id)
        source = clustered.Database(workers, session, Filters(), scope, NOW, Opened(session.get_bind().url.render_as_string(False)),
                                    lambda done, total: None)  # fmt: skip
        assert source.spots(120.0).located == 0


@pytest.fixture
def files(city, tmp_path):
    """The same complaints as three files in another reference system, times without a zone in one of them."""
    with city() as session:
        found = session.execute(
            select(Complaint.category, Complaint.received_at, Complaint.geom.ST_X(), Complaint.geom.ST_Y())
        ).all()
    frame = pandas.DataFrame(found, columns=["category", "received_at", "x", "y"])
    shapes = geopandas.points_from_xy(frame.x, frame.y, crs=4326)
    whole = geopandas.GeoDataFrame(frame[["category", "received_at"]], geometry=shapes)
    whole.loc[frame.x.isna(), "geometry"] = None
    for i in range(3):
        whole.iloc[i::3].to_crs(4490).to_parquet(tmp_path / f"part-{i}.parquet")
    return (str(tmp_path / "*.parquet"),)


@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[1], QUESTIONS[3], QUESTIONS[4]])
def test_files_say_what_the_database_says(workers, city, files, question):
    with city() as session:
        source = clustered.Files(workers, files, question.filters, ZONE, lambda done, total: None)
        _same(analysis.find(session, question, CITY, NOW), analysis.find(session, question, CITY, NOW, source))


def test_without_areas_the_files_alone_say_where_to_look(workers, committed, files):
    question = replace(QUESTIONS[0], filters=Filters(category=("water",)))
    with committed() as session:
        session.execute(text("UPDATE complaint SET district_id = NULL, community_id = NULL"))
        session.execute(text("DELETE FROM area"))
        session.commit()
        source = clustered.Files(workers, files, question.filters, ZONE, lambda done, total: None)
        found = analysis.find(session, question, CITY, NOW, source)
        assert found.area is None and found.drawn == found.spots.located - found.spots.elsewhere > 0


@pytest.mark.parametrize("broken", ["no crs", "no time", "a text", "lines", "empty"])
def test_other_files_are_refused_with_a_sentence(workers, session, tmp_path, broken):
    at = geopandas.points_from_xy([LON], [LAT])
    frame = geopandas.GeoDataFrame({"received_at": pandas.to_datetime([NOW])}, geometry=at, crs=4326)
    if broken == "no crs":
        frame = frame.set_crs(None, allow_override=True)
    elif broken == "no time":
        frame = frame.drop(columns="received_at")
    elif broken == "lines":
        frame = frame.set_geometry(frame.to_crs(4550).buffer(10).to_crs(4326), crs=4326)
    elif broken == "a text":
        frame["received_at"] = "yesterday"
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    if broken == "empty":
        path.write_bytes(b"")
    make_area(session)
    source = clustered.Files(workers, (str(path),), Filters(), ZONE, lambda done, total: None)
    with pytest.raises(clustered.BadPlacesFile):
        analysis.find(session, QUESTIONS[0], CITY, NOW, source)


def test_nobody_at_the_address_is_said(monkeypatch):
    monkeypatch.setattr(clustered, "PATIENCE_S", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(clustered.ClusterAway, match=address), clustered.cluster(address):
            pass
