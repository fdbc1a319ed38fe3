"""Complaint tiles over HTTP and their index in the process: filters, scope, and changes as they are committed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text

from gis import journal
from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.journal import Who
from gis.people.rules import CITY
from gis.tiles import Tile
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit
from tests.mvt import decode
from tests.webapp.test_tiles import tile_of, url
from webapp import tile_holder
from webapp.tile_holder import Holder


def shown(client, z=14, query="", **kwargs):
    """Status of each complaint that a tile names, by id."""
    answer = client.get(url("complaints", z, **kwargs) + query)
    assert answer.status_code in (200, 204), answer.get_data(as_text=True)
    layers = decode(answer.data)
    features = [f for name in ("cells", "complaints") for f in layers.get(name, {"features": []})["features"]]
    return {f["properties"]["id"]: f["properties"]["status"] for f in features if "id" in f["properties"]}


@pytest.fixture
def always_fresh(monkeypatch):
    """No waiting between two looks at the journal."""
    monkeypatch.setattr(tile_holder, "FRESH_S", 0.0)


def change(session, complaint, **fields):
    """As a verb does it: the row and its journal entry in one transaction."""
    for name, value in fields.items():
        setattr(complaint, name, value)
    session.flush()
    journal.write(session, Who(NOW), "test", "complaint", complaint.id, version=complaint.version)
    session.commit()


@pytest.mark.parametrize("z", [8, 12, 14, 18])
def test_a_complaint_is_on_the_map_with_what_the_map_needs(session, sign_in, z):
    late = make_complaint(session, resolve_by=NOW - timedelta(minutes=1))
    make_complaint(session, at=None)
    answer = sign_in("dispatcher").get(url("complaints", z))
    assert answer.headers["Cache-Control"] == "private, no-store"
    ((name, layer),) = decode(answer.data).items()
    assert name == ("cells" if z <= 12 else "complaints")
    (feature,) = layer["features"]
    assert feature["id"] == late.id
    counts = {"n": 1, "red": 1, "orange": 0} if z <= 12 else {}
    assert feature["properties"] == {
        "id": late.id, "status": "received", "state": "red", "category": "heat.cold", **counts,
    }  # fmt: skip


def test_the_filters_of_the_url_narrow_the_tile(session, sign_in):
    cold = make_complaint(session, place="文丰小区3号楼")
    burst = make_complaint(session, category="water.burst", status="answered", closed_at=NOW)
    client = sign_in("dispatcher")
    assert shown(client) == {cold.id: "received", burst.id: "answered"}
    for query, expected in {
        "?category=heat": {cold.id}, "?status=open": {cold.id}, "?status=answered&category=water": {burst.id},
        "?time_state=done": {burst.id}, "?from=2009-11-18": set(), "?to=2009-11-17": {cold.id, burst.id},
        "?q=文丰": {cold.id}, "?q=无此小区": set(), "?district=999": set(), "?category=nothing": set(),
        "?district=99999999999999999": set(),
    }.items():  # fmt: skip
        for z in (9, 14):
            assert set(shown(client, z, query)) == (expected if z == 14 or len(expected) < 2 else set()), (query, z)
    for query in ("?status=nothing", "?district=x", "?from=yesterday"):
        assert client.get(url("complaints") + query).json["code"] == "bad_input"


def test_a_tile_shows_only_what_the_person_may_see(session, sign_in):
    here, there = make_area(session), make_area(session)
    unit = make_unit(session)
    inside = make_complaint(session, district_id=here.id)
    own = make_complaint(session, district_id=there.id, unit_id=unit.id)
    make_complaint(session, at=(PINGDU[0] + 0.5, PINGDU[1]), district_id=there.id)
    assert shown(sign_in("dispatcher", area_id=here.id)) == {inside.id: "received"}
    assert shown(sign_in("unit_handler", unit_id=unit.id)) == {own.id: "received"}
    assert shown(sign_in("unit_handler", unit_id=unit.id, area_id=here.id)) == {}
    assert set(shown(sign_in("supervisor"))) == {inside.id, own.id}
    assert sign_in("inspector").get(url("complaints")).status_code == 403


def test_a_change_is_in_the_next_tile(session, sign_in, always_fresh):
    complaint = make_complaint(session)
    client = sign_in("dispatcher")
    assert shown(client) == {complaint.id: "received"}
    change(session, complaint, status="assigned")
    assert shown(client) == {complaint.id: "assigned"}
    assert shown(client, 9) == {complaint.id: "assigned"}
    new = make_complaint(session)
    change(session, new)
    assert set(shown(client)) == {complaint.id, new.id}
    change(session, new, geom=None, located="not_located")
    assert set(shown(client)) == {complaint.id}


def test_an_import_is_read_as_a_whole(session, sign_in, always_fresh):
    client = sign_in("dispatcher")
    assert shown(client) == {}
    ids = {make_complaint(session).id for _ in range(3)}
    session.commit()
    assert shown(client) == {}  # nothing tells of them yet
    journal.write(session, Who(NOW), "import", "import", 1)
    session.commit()
    assert set(shown(client)) == ids


def status_of(holder, sessions, complaint_id):
    with sessions() as session:
        body = holder.tile(session, Filters(), CITY, NOW, Tile(*tile_of(14)))
    return {f["properties"]["id"]: f["properties"]["status"] for f in decode(body)["complaints"]["features"]}[
        complaint_id
    ]


def test_a_change_is_seen_although_an_older_transaction_is_still_running(committed, always_fresh):
    """A large import holds everybody's journal cursor back, but not the map."""
    with committed() as session:
        complaint = make_complaint(session)
        session.commit()
    holder = Holder(committed)
    with committed() as running:
        running.execute(text("SELECT pg_current_xact_id()"))
        assert status_of(holder, committed, complaint.id) == "received"
        for status in ("assigned", "accepted"):
            with committed() as session:
                change(session, session.get(Complaint, complaint.id), status=status)
                assert journal.read_after(session, "0.0").rows == []
            assert status_of(holder, committed, complaint.id) == status
            generation = holder.index().generation
        assert holder.index().generation == generation  # what was seen already is not read again
        running.rollback()
    assert status_of(holder, committed, complaint.id) == "accepted"


def test_many_readers_see_each_change_that_was_committed_before_they_asked(committed, always_fresh):
    with committed() as session:
        complaint = make_complaint(session)
        session.commit()
    holder, latest, wrong = Holder(committed), [0], []
    words = ["received", "assigned", "accepted", "arrived", "resolved", "reopened"]
    stop = threading.Event()

    def read():
        while not stop.is_set():
            before = latest[0]
            told = status_of(holder, committed, complaint.id)
            after = latest[0] + 1  # committed, but not yet noted by the writer
            if told not in {words[i % len(words)] for i in range(before, after + 1)}:
                wrong.append((before, told, after))

    with ThreadPoolExecutor(6) as pool:
        reading = [pool.submit(read) for _ in range(5)]
        for turn in range(1, 60):
            with committed() as session:
                change(session, session.get(Complaint, complaint.id), status=words[turn % len(words)])
            latest[0] = turn
        stop.set()
        for one in reading:
            one.result()
    assert wrong == []


def test_a_broken_connection_loses_no_change(committed, always_fresh, monkeypatch):
    with committed() as session:
        complaint = make_complaint(session)
        session.commit()
    holder = Holder(committed)
    assert status_of(holder, committed, complaint.id) == "received"
    with committed() as session:
        change(session, session.get(Complaint, complaint.id), status="assigned")
    with monkeypatch.context() as broken:
        broken.setattr(tile_holder.tile_queries, "rows", lambda *_: (_ for _ in ()).throw(ConnectionError()))
        with pytest.raises(ConnectionError):
            holder.index()
    assert status_of(holder, committed, complaint.id) == "assigned"


def test_a_large_delta_is_merged_in_the_background_and_nothing_is_lost(committed, always_fresh, monkeypatch):
    monkeypatch.setattr(tile_holder, "LARGE_DELTA", 10)
    with committed() as session:
        ids = [make_complaint(session).id for _ in range(40)]
        session.commit()
    holder = Holder(committed)
    assert len(holder.index()) == 40
    r = np.random.default_rng(1)
    for turn in range(30):
        with committed() as session:
            for id in r.choice(ids, 3, replace=False):
                change(session, session.get(Complaint, int(id)), place=f"{turn}", status="cancelled")
            change(session, make_complaint(session), status="assigned")
        assert len(holder.index()) == 41 + turn
    if holder._merging:
        holder._merging.join()
    index = holder.index()
    assert len(index) == 70
    assert len(index.delta.alive) < 40  # it was merged at least once
    with committed() as session:
        body = holder.tile(session, Filters(status=("assigned",)), CITY, NOW, Tile(*tile_of(14)))
    assert len(decode(body)["complaints"]["features"]) == 30


def test_too_many_changes_are_read_as_a_whole(committed, always_fresh, monkeypatch):
    monkeypatch.setattr(tile_holder, "MOST_CHANGES", 5)
    with committed() as session:
        complaint = make_complaint(session)
        session.commit()
    holder = Holder(committed)
    assert status_of(holder, committed, complaint.id) == "received"
    with committed() as session:
        for _ in range(7):
            change(session, make_complaint(session))
        change(session, session.get(Complaint, complaint.id), status="arrived")
    assert status_of(holder, committed, complaint.id) == "arrived"
    assert len(holder.index()) == 8


def test_many_changes_beside_a_long_transaction_are_read_as_a_whole_only_once(committed, always_fresh, monkeypatch):
    monkeypatch.setattr(tile_holder, "MOST_CHANGES", 5)
    holder = Holder(committed)
    assert len(holder.index()) == 0
    with committed() as running:
        running.execute(text("SELECT pg_current_xact_id()"))
        with committed() as session:
            for _ in range(7):
                change(session, make_complaint(session))
        loaded = holder.index()
        assert len(loaded) == 7
        assert holder.index() is loaded
        with committed() as session:
            change(session, make_complaint(session))
        assert len(holder.index()) == 8
        assert holder.index().by_id is loaded.by_id  # the base is still the one that was loaded
        running.rollback()
    assert len(holder.index()) == 8


def test_a_server_gets_ready_before_somebody_waits(committed):
    holder = Holder(committed)
    holder.warm()
    assert holder._index is None  # there was nothing to load
    with committed() as session:
        make_complaint(session)
        session.commit()
    holder.warm()
    assert len(holder._index) == 1


def test_two_looks_are_not_nearer_than_they_need_to_be(committed, monkeypatch):
    monkeypatch.setattr(tile_holder, "FRESH_S", 600.0)
    with committed() as session:
        complaint = make_complaint(session)
        session.commit()
    holder = Holder(committed)
    index = holder.index()
    with committed() as session:
        change(session, session.get(Complaint, complaint.id), status="assigned")
    assert holder.index() is index
    holder._looked_at -= tile_holder.FRESH_S
    assert holder.index() is not index
