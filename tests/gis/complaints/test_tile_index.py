"""The tile index against brute force: nothing lost, nothing doubled, changes equal a fresh build."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from gis.complaints import tile_kernels as kernels
from gis.complaints import tile_queries
from gis.complaints.model import Complaint
from gis.complaints.queries import Filters, visible
from gis.complaints.rules import Status, TimeState, time_state
from gis.complaints.tile_index import SINGLY, STATES, STATUSES, Index, question, tile_keys
from gis.complaints.tile_kernels import FOREVER, Columns
from gis.people.rules import CITY, Scope
from gis.tiles import Tile
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit
from tests.mvt import decode

CATEGORIES = ("heat.cold", "heat.leak", "heather", "water.none", "other")
HOUR = 3_600_000_000
NOW_MICRO = tile_queries.micro(NOW)


def columns(lon, lat, seed=0, first_id=1):
    """Complaints at these places, everything else by chance."""
    r, n = np.random.default_rng(seed), len(lon)
    received = NOW_MICRO - r.integers(0, 40 * HOUR, n)
    resolve = received + r.integers(1, 30 * HOUR, n)
    closed = np.where(r.random(n) < 0.5, received + r.integers(0, 40 * HOUR, n), FOREVER)
    return Columns(
        kernels.keys(np.asarray(lon, float), np.asarray(lat, float)), np.arange(first_id, first_id + n),
        r.integers(0, len(STATUSES), n).astype(np.uint8), r.integers(0, len(CATEGORIES), n).astype(np.int16),
        r.integers(0, 4, (n, 4)).astype(np.int32), r.integers(0, 3, n).astype(np.int32), received, resolve, closed,
    )  # fmt: skip


def a_city(n=3000, seed=1, first_id=1):
    r = np.random.default_rng(seed)
    homes = np.c_[r.uniform(119.9, 120.0, 20), r.uniform(36.74, 36.82, 20)]
    at = homes[r.integers(0, 20, n)] + r.normal(0, 0.002, (n, 2))
    return columns(at[:, 0], at[:, 1], seed, first_id)


def moment(micro):
    return tile_queries.EPOCH + timedelta(microseconds=int(micro))


def brute(c, now=NOW, **asked):
    """The ids that a question means, row by row, by the rules' own words."""
    found = set()
    for i in range(len(c.id)):
        closed = None if c.closed[i] == FOREVER else moment(c.closed[i])
        state = time_state(moment(c.received[i]), moment(c.resolve[i]), now, closed)
        code = CATEGORIES[c.category[i]]
        areas = set(c.areas[i].tolist()) - {0}
        wanted = (
            (not asked.get("status") or STATUSES[c.status[i]] in asked["status"])
            and (not asked.get("category") or any(code == k or code.startswith(k + ".") for k in asked["category"]))
            and (not asked.get("time_state") or state in asked["time_state"])
            and (not asked.get("areas") or bool(areas & set(asked["areas"])))
            and (not asked.get("units") or c.unit[i] in asked["units"])
            and (not asked.get("scope_area") or asked["scope_area"] in areas)
            and (not asked.get("scope_unit") or c.unit[i] == asked["scope_unit"])
            and c.received[i] >= asked.get("since", -FOREVER)
            and c.received[i] < asked.get("until", FOREVER)
            and (asked.get("only") is None or c.id[i] in asked["only"])
        )
        if wanted:
            found.add(int(c.id[i]))
    return found


def read(tile):
    """How many complaints a tile tells of, and the ids that it names."""
    layers = decode(tile)
    cells = [f["properties"] for f in layers.get("cells", {"features": []})["features"]]
    points = [f["properties"] for f in layers.get("complaints", {"features": []})["features"]]
    named = [f["id"] for f in cells if f["n"] == 1] + [f["id"] for f in points]
    assert all(("id" in f) == (f["n"] == 1) for f in cells)
    return sum(f["n"] for f in cells) + len(points), named


def tiles_over(z, west=119.8, south=36.65, east=120.1, north=36.9):
    def x(lon):
        return int((lon + 180) / 360 * (1 << z))

    def y(lat):
        return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * (1 << z))

    return [Tile(z, i, j) for i in range(x(west), x(east) + 1) for j in range(y(north), y(south) + 1)]


CITY_ROWS = a_city()
INDEX = Index.build(CITY_ROWS, CATEGORIES)

questions = st.fixed_dictionaries({}, optional={
    "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3),
    "category": st.lists(st.sampled_from(["heat", "heat.cold", "water", "other", "nothing"]), min_size=1, max_size=2),
    "time_state": st.lists(st.sampled_from(STATES), min_size=1, max_size=2),
    "areas": st.lists(st.integers(1, 5), min_size=1, max_size=3),
    "units": st.lists(st.integers(1, 3), min_size=1, max_size=2),
    "scope_area": st.integers(1, 4), "scope_unit": st.integers(1, 3),
    "since": st.integers(NOW_MICRO - 40 * HOUR, NOW_MICRO), "until": st.integers(NOW_MICRO - 40 * HOUR, NOW_MICRO),
    "only": st.lists(st.integers(1, 3100), max_size=400),
})  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(questions, st.sampled_from([0, 5, 9, 11, 12, 13, 14, 16]))
def test_every_complaint_that_is_meant_is_in_one_tile_and_only_one(asked, z):
    wanted = brute(CITY_ROWS, **asked)
    told, named = 0, []
    for tile in tiles_over(z):
        n, ids = read(INDEX.tile(question(NOW_MICRO, categories=CATEGORIES, **asked), tile))
        told, named = told + n, named + ids
    assert told == len(wanted)
    assert set(named) <= wanted
    assert len(named) == len(set(named))


def test_the_colours_of_the_cells_are_those_of_the_rules():
    expected = Counter(
        str(time_state(moment(CITY_ROWS.received[i]), moment(CITY_ROWS.resolve[i]), NOW,
                       None if CITY_ROWS.closed[i] == FOREVER else moment(CITY_ROWS.closed[i])))
        for i in range(len(CITY_ROWS.id))
    )  # fmt: skip
    layers = [decode(INDEX.tile(question(NOW_MICRO, categories=CATEGORIES), t)) for t in tiles_over(9)]
    cells = [f["properties"] for tile in layers if tile for f in tile["cells"]["features"]]
    assert sum(c["red"] for c in cells) == expected["red"]
    assert sum(c["orange"] for c in cells) == expected["orange"]
    assert STATES == tuple(map(str, TimeState)) == ("green", "yellow", "orange", "red", "done", "paused")
    assert tuple(range(5)) == (kernels.GREEN, kernels.YELLOW, kernels.ORANGE, kernels.RED, kernels.DONE)


rows = st.lists(st.integers(-2 * HOUR, 2 * HOUR), min_size=3, max_size=3)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 5 * HOUR), st.integers(1, 5 * HOUR), st.none() | st.integers(0, 6 * HOUR))
def test_the_compiled_clock_is_the_rules_clock_also_at_its_edges(age, allowed, closed_after):
    received = NOW_MICRO - age
    closed = FOREVER if closed_after is None else received + closed_after
    state = kernels._state(received, received + allowed, closed, NOW_MICRO)
    by_rule = time_state(
        moment(received), moment(received + allowed), NOW, None if closed == FOREVER else moment(closed)
    )
    assert STATES[state] == by_rule
    if closed == FOREVER and by_rule != TimeState.RED:
        change = kernels._next(received, received + allowed, state)
        assert change > NOW_MICRO
        args = (moment(received), moment(received + allowed))
        assert time_state(*args, moment(change - 1)) == by_rule
        assert time_state(*args, moment(change)) != by_rule


@st.composite
def histories(draw):
    """Several rounds of changes: ids that change, some of which lose their place."""
    return draw(st.lists(st.tuples(st.sets(st.integers(1, 330), max_size=40), st.integers(0, 2**32), st.floats(0, 1)),
                         min_size=1, max_size=5))  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(histories(), st.integers(0, 4))
def test_changes_merged_in_equal_a_fresh_build(history, merge_at):
    start = a_city(300, seed=3)
    truth = {int(id): Columns._make(c[i : i + 1] for c in start) for i, id in enumerate(start.id)}
    index = old = Index.build(start, CATEGORIES)
    for turn, (ids, seed, share) in enumerate(history):
        if turn == merge_at:
            old = index
        r = np.random.default_rng(seed)
        moved = a_city(400, seed=seed + 1)
        left = []
        for id in ids:
            truth.pop(id, None)
            if r.random() >= share:  # it is still on the map, elsewhere or otherwise
                truth[id] = Columns._make(c[id : id + 1] for c in moved)._replace(id=np.array([id]))
                left.append(truth[id])
        index = index.apply(ids, _join(left, start))
    fresh = Index.build(_join(list(truth.values()), start), CATEGORIES)
    caught_up = old.merged().catch_up(index)
    asked = question(NOW_MICRO, categories=CATEGORIES)
    for one in (index, index.merged(), caught_up):
        assert len(one) == len(fresh) == len(truth)
        for z in (8, 12, 14, 17):
            for tile in tiles_over(z) if z < 14 else tiles_over(z, 119.93, 36.77, 119.95, 36.79):
                assert shown(one.tile(asked, tile)) == shown(fresh.tile(asked, tile))
    assert len(caught_up.delta.alive) <= len(index.delta.alive)
    assert caught_up.generation > index.generation  # a number is never used for two states


def _join(parts, like):
    empty = Columns._make(c[:0] for c in like)
    return Columns._make(np.concatenate(c) for c in zip(empty, *parts, strict=True))


def shown(tile):
    """What a tile shows, whatever the order of its features."""
    return {
        name: sorted((tuple(f["points"]), sorted(map(str, f["properties"].items()))) for f in layer["features"])
        for name, layer in decode(tile).items()
    }


def test_a_reader_of_the_older_index_is_not_disturbed():
    index = Index.build(a_city(300, seed=3), CATEGORIES)
    asked, tile = question(NOW_MICRO, categories=CATEGORIES), tiles_over(9)[0]
    before = shown(index.tile(asked, tile))
    newer = index.apply([1, 2, 3], _join([], a_city(1)))
    assert len(newer) == 297
    assert shown(index.tile(asked, tile)) == before


def test_a_counted_view_serves_a_moment_and_then_is_counted_again():
    index = Index.build(columns([119.96], [36.78]), CATEGORIES)
    c, (tile,) = index.base.columns, tiles_over(8, 119.96, 36.78, 119.96, 36.78)
    c.closed[0] = FOREVER
    c.received[0], c.resolve[0] = 0, 100_000_000
    ask = lambda now: question(now, categories=CATEGORIES)  # noqa: E731

    def red(now):
        return decode(index.tile(ask(now), tile, "view"))["cells"]["features"][0]["properties"]["red"]

    assert red(99_500_000) == 0
    assert red(100_400_000) == 0  # less than a second later: the same count
    assert red(100_600_000) == 1
    assert red(10**15) == 1
    assert red(99_500_000) == 0  # an earlier moment is counted by itself


def test_a_place_beyond_the_map_is_taken_to_its_edge():
    index = Index.build(columns([-180, 180, 0, 0, 179.999], [0, 0, 90, -90, 85]), CATEGORIES)
    asked = question(NOW_MICRO, categories=CATEGORIES)
    assert read(index.tile(asked, Tile(0, 0, 0)))[0] == 5
    assert sum(read(index.tile(asked, Tile(1, x, y)))[0] for x in (0, 1) for y in (0, 1)) == 5


def test_keys_of_tiles_nest():
    low, high = tile_keys(Tile(22, 3_494_000, 1_635_000))
    outer_low, outer_high = tile_keys(Tile(21, 1_747_000, 817_500))
    assert outer_low <= low <= high <= outer_high
    assert tile_keys(Tile(0, 0, 0)) == (0, 2**64 - 1)


def test_an_empty_city_has_empty_tiles():
    index = Index.build(columns([], []), CATEGORIES)
    for z in (0, 12, 16):
        assert index.tile(question(NOW_MICRO, categories=CATEGORIES), Tile(z, 0, 0)) == b""
    assert len(index.apply([5], columns([119.96], [36.78]))) == 1


@pytest.mark.parametrize("z", [13, 15, 17, 22])
def test_few_are_shown_singly_and_many_in_cells(z):
    limit = SINGLY[min(z, 17)]
    (tile,) = tiles_over(z, 119.96, 36.78, 119.96, 36.78)
    west, south, east, north = tile.bounds(-0.01)
    for n, layer in ((limit, "complaints"), (limit + 1, "cells")):
        r = np.random.default_rng(n)
        index = Index.build(columns(r.uniform(west, east, n), r.uniform(south, north, n)), CATEGORIES)
        body = index.tile(question(NOW_MICRO, categories=CATEGORIES), tile)
        assert set(decode(body)) == {layer}
        assert len(body) < 300_000


# --- with the database -----------------------------------------------------------------------------------------------
@pytest.fixture
def city(session):
    """Some hundred complaints of all kinds; the areas and units they may have."""
    r = np.random.default_rng(5)
    areas = [make_area(session, name=f"区{i}").id for i in range(3)]
    units = [make_unit(session).id for _ in range(2)]
    for i in range(300):
        received = NOW - timedelta(hours=float(r.uniform(0, 40)))
        make_complaint(
            session, at=None if i % 17 == 0 else (PINGDU[0] + r.normal(0, 0.02), PINGDU[1] + r.normal(0, 0.02)),
            status=str(r.choice(list(Status))), category=str(r.choice(["heat.cold", "heat.leak", "water.none"])),
            district_id=int(r.choice(areas)), compound_id=r.choice([None, areas[0]]), unit_id=r.choice([None, *units]),
            received_at=received, resolve_by=received + timedelta(hours=float(r.uniform(1, 30))),
            closed_at=r.choice([None, received + timedelta(hours=float(r.uniform(0, 40)))]),
            paused_at=r.choice([None, None, received]), place=f"小区{i % 7}",
        )  # fmt: skip
    return areas, units


def test_the_index_means_the_same_as_sql(session, city):
    areas, units = city
    codes = tile_queries.categories(session)
    index = Index.build(tile_queries.rows(session, codes), codes)
    wanted = [
        Filters(), Filters(status=("received", "assigned")), Filters(category=("heat",)), Filters(category=("heat.leak",)),
        Filters(district=(areas[0],)), Filters(district=(areas[1], 10**17)), Filters(district=(10**17,)),
        Filters(unit=(units[0],)), Filters(q="小区3"), Filters(q="100%"),
        *(Filters(time_state=(state,)) for state in STATES),
        Filters(since=NOW - timedelta(hours=20), until=NOW - timedelta(hours=3), status=("resolved", "received")),
    ]  # fmt: skip
    for filters in wanted:
        for scope in (CITY, Scope(area_id=areas[0]), Scope(unit_id=units[1])):
            where = (*visible(scope), *filters.conditions(NOW), Complaint.geom.isnot(None))
            ids = set(session.scalars(select(Complaint.id).where(*where)))
            only = tile_queries.saying(session, filters, NOW) if filters.q else None
            asked = tile_queries.ask(filters, scope, NOW, codes, only)
            told = [read(index.tile(asked, tile)) for tile in tiles_over(14)]
            assert sum(n for n, _ in told) == len(ids), (filters, scope)
            assert {id for _, named in told for id in named} <= ids


def test_only_what_changed_is_read_again_and_new_categories_find_their_place(session, city):
    codes = tile_queries.categories(session)
    index = Index.build(tile_queries.rows(session, codes), codes)
    assert len(index) == session.scalar(text("SELECT count(*) FROM complaint WHERE geom IS NOT NULL"))
    session.execute(text(
        "INSERT INTO category (code, name, name_en, utility, skill, complexity, work_min) "
        "VALUES ('a.first', '甲', 'A', 'heat', 'heating', 'ordinary', 10)"
    ))  # fmt: skip
    new = make_complaint(session, category="a.first")
    of_the_city = select(Complaint).where(Complaint.geom.isnot(None), Complaint.id != new.id)
    lost = session.scalars(of_the_city.order_by(Complaint.id).limit(1)).one()
    lost.geom, lost.located = None, "not_located"
    session.flush()
    more = tile_queries.categories(session, codes)
    assert more == (*codes, "a.first")
    newer = index.apply([new.id, lost.id], tile_queries.rows(session, more, [new.id, lost.id]), more)
    assert len(newer) == len(index)
    asked = tile_queries.ask(Filters(category=("a",)), CITY, NOW, more)
    told = [read(newer.tile(asked, tile)) for tile in tiles_over(13)]
    assert [named for _, named in told if named] == [[new.id]]


def test_a_question_of_text_and_clock_is_kept_exactly():
    at = datetime(2009, 11, 17, 2, 0, 0, 123457, tzinfo=UTC)
    assert moment(tile_queries.micro(at)) == at
    filters = replace(Filters(), since=at)
    assert tile_queries.ask(filters, CITY, NOW, CATEGORIES).since == tile_queries.micro(at)
