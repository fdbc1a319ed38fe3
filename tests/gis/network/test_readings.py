"""Readings: late, repeated, out of order and corrected ones end in one state; what cannot be kept is told with its object."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis.journal import Who
from gis.network import reading_actions as actions
from gis.network.reading_checks import Known, merged, sort_out
from gis.network.reading_rules import FaultKind, FromWhere, Quantity
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_unit
from tests.measured import AHEAD, make_point, make_station, read, stored

POINTS = {
    "T": Known(1, Quantity.TEMPERATURE, "°C"),
    "P": Known(2, Quantity.PRESSURE, "kPa"),
    "F": Known(3, Quantity.FLOW, "m³/h"),
}
values = st.tuples(st.integers(-5, 5).map(float), st.integers(0, 2), st.just(False))


def sorted_out(**row):
    return sort_out([{"point": "T", "at": NOW.isoformat(), "value": 50.0} | row], POINTS, NOW, AHEAD)


@given(values, values, values)
def test_merging_knows_no_order_and_no_repetition(a, b, c):
    assert merged(a, b) == merged(b, a)
    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, a) == a
    assert merged(merged(a, b), b) == merged(a, b)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"value": math.nan}, FaultKind.NOT_A_NUMBER),
        ({"value": "NaN"}, FaultKind.NOT_A_NUMBER),
        ({"value": None}, FaultKind.NOT_A_NUMBER),
        ({"value": math.inf}, FaultKind.INFINITE),
        ({"value": "-Infinity"}, FaultKind.INFINITE),
        ({"value": 10**400}, FaultKind.INFINITE),
        ({"value": "warm"}, FaultKind.UNREADABLE),
        ({"value": True}, FaultKind.UNREADABLE),
        ({"value": -300.0}, FaultKind.IMPOSSIBLE),
        ({"unit": "furlong"}, FaultKind.UNKNOWN_UNIT),
        ({"unit": "MPa"}, FaultKind.UNKNOWN_UNIT),
        ({"unit": 5}, FaultKind.UNKNOWN_UNIT),
        ({"point": "nowhere"}, FaultKind.UNKNOWN_POINT),
        ({"point": None}, FaultKind.UNREADABLE),
        ({"at": (NOW + timedelta(minutes=2)).isoformat()}, FaultKind.FUTURE),
        ({"at": "1889-01-01T00:00:00Z"}, FaultKind.TOO_OLD),
        ({"at": "2009-11-17T10:00:00"}, FaultKind.NO_TIME),
        ({"at": "yesterday"}, FaultKind.NO_TIME),
        ({"at": math.nan}, FaultKind.NO_TIME),
        ({"at": 1e300}, FaultKind.NO_TIME),
        ({"revision": -1}, FaultKind.UNREADABLE),
        ({"revision": 40_000}, FaultKind.UNREADABLE),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_object(row, kind):
    found = sorted_out(**row)
    assert not found.kept
    ((named, what), fault) = next(iter(found.faults.items()))
    assert (named, what, fault.times) == (row.get("point", "T") or "?", kind, 1)
    assert fault.example


def test_units_are_converted_to_the_one_that_is_kept():
    rows = [
        {"point": "T", "at": NOW.isoformat(), "value": 122.0, "unit": "°F"},
        {"point": "P", "at": NOW.isoformat(), "value": 450},
        {"point": "P", "at": (NOW - timedelta(hours=1)).isoformat(), "value": 4.5, "unit": "bar"},
        {"point": "F", "at": NOW.timestamp(), "value": "10", "unit": "L/s"},
        {"point": "F", "at": int((NOW - timedelta(hours=1)).timestamp() * 1000), "value": 36},
    ]
    found = sort_out(rows, POINTS, NOW, AHEAD)
    assert not found.faults
    assert {key: pytest.approx(value[0]) for key, value in found.kept.items()} == {
        (1, NOW): 50.0, (2, NOW): 0.45, (2, NOW - timedelta(hours=1)): 0.45, (3, NOW): 36.0, (3, NOW - timedelta(hours=1)): 36.0,
    }  # fmt: skip


def test_a_file_without_zones_is_read_by_the_citys_clock():
    rows = [{"point": "T", "at": "2009-11-17 09:30", "value": "51"}]
    found = sort_out(rows, POINTS, NOW, AHEAD, ZoneInfo("Asia/Shanghai"))
    assert list(found.kept) == [(1, datetime(2009, 11, 17, 1, 30, tzinfo=UTC))]


def test_a_flood_of_unknown_objects_is_counted_in_one_row():
    found = sort_out(({"point": f"X{n}", "at": 0, "value": 1} for n in range(2_000)), POINTS, NOW, AHEAD)
    assert len(found.faults) == 501
    assert sum(f.times for f in found.faults.values()) == 2_000 == found.received


def test_a_late_reading_goes_to_its_month_and_the_same_again_changes_nothing(session):
    point = make_point(session)
    late = datetime(2008, 2, 29, 23, 59, tzinfo=UTC)
    first = read(session, (point, 5, 51.5), (point, late, 48.0))
    assert (first.received, first.new, first.corrected, first.unchanged, first.faults) == (2, 2, 0, 0, [])
    where = text("SELECT tableoid::regclass::text FROM reading WHERE at = :at")
    assert session.scalar(where, {"at": late}) == "reading_2008_02"
    before = stored(session)
    again = read(session, (point, late, 48.0), (point, 5, 51.5), now=NOW + timedelta(hours=1 / 60))
    assert (again.new, again.corrected) == (1, 0)  # five minutes before another now is another moment
    again = read(session, (point, late, 48.0), (point, 5, 51.5), (point, 5, 51.5))
    assert (again.new, again.corrected, again.unchanged) == (0, 0, 3)
    assert [row for row in stored(session) if row in before] == before


def test_a_correction_wins_whenever_it_comes_and_contradictions_are_marked_and_told(session):
    one, other = make_point(session), make_point(session)
    read(session, (one, 5, 51.5, 1))
    assert read(session, (one, 5, 15.1, 0)).unchanged == 1
    assert read(session, (one, 5, 51.7, 2)).corrected == 1
    assert [row[2:] for row in stored(session)] == [(51.7, 2, False)]
    told = read(session, (other, 5, 40.0), (other, 5, 60.0))
    assert told.faults == [{"object": other.code, "kind": "contradicts", "times": 1, "example": other.code}]
    assert stored(session)[1][2:] == (60.0, 0, True)
    fault = session.execute(text("SELECT object, kind, came_by, point_id FROM reading_fault")).one()
    assert tuple(fault) == (other.code, "contradicts", "api", other.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_repetition_of_batches_ends_in_one_state(session, data):
    moments = [NOW - timedelta(days=days) for days in (0, 20, 50, 400)]
    with session.begin_nested() as undone:
        points = [make_point(session) for _ in range(2)]
        reading = st.tuples(
            st.sampled_from(points), st.sampled_from(moments), st.sampled_from([1.0, 2.0, 3.0]), st.integers(0, 2)
        )
        batches = data.draw(st.lists(st.lists(reading, min_size=1, max_size=6), min_size=1, max_size=4))
        ends = []
        for _ in range(2):
            order = data.draw(st.permutations(batches + data.draw(st.lists(st.sampled_from(batches), max_size=3))))
            with session.begin_nested() as run:
                for batch in order:
                    kept = read(session, *data.draw(st.permutations(batch)))
                    assert kept.new + kept.corrected + kept.unchanged == kept.received == len(batch)
                ends.append(stored(session))
                run.rollback()
        assert ends[0] == ends[1]
        wanted = {}
        for point, at, value, revision in (r for batch in batches for r in batch):
            key, new = (point.id, at), (value, revision, False)
            wanted[key] = merged(wanted[key], new) if key in wanted else new
        assert {(row[0], row[1]): row[2:] for row in ends[0]} == wanted
        undone.rollback()


def test_of_another_bodys_point_nothing_is_known(session):
    ours, theirs = make_unit(session), make_unit(session)
    own = make_point(session, make_station(session, unit_id=ours.id))
    other = make_point(session, make_station(session, unit_id=theirs.id))
    rows = [{"point": p.code, "at": NOW.isoformat(), "value": 50} for p in (own, other)]
    kept = actions.keep(session, Who(NOW), Scope(unit_id=ours.id), rows, FromWhere.API, ahead=AHEAD)
    assert kept.new == 1
    assert [(f["object"], f["kind"]) for f in kept.faults] == [(other.code, "unknown_point")]


def test_faults_are_counted_by_day_and_object_and_journalled(session):
    rows = [{"point": "没有", "at": NOW.isoformat(), "value": 1}] * 3
    for _ in range(2):
        actions.keep(session, Who(NOW), CITY, rows, FromWhere.MQTT, ahead=AHEAD, unreadable=[("topic/x", "\0{")])
    found = session.execute(text("SELECT object, kind, times, example FROM reading_fault ORDER BY object")).all()
    assert [tuple(row)[:3] for row in found] == [("topic/x", "unreadable", 2), ("没有", "unknown_point", 6)]
    assert session.scalar(text("SELECT count(*) FROM journal WHERE verb = 'ingest' AND thing = 'reading'")) == 2


def test_months_are_made_ahead_once(session):
    assert actions.make_months_ahead(session, datetime(2031, 12, 31, tzinfo=UTC)) == 3
    assert actions.make_months_ahead(session, datetime(2031, 12, 31, tzinfo=UTC)) == 0
    parts = session.scalars(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass")
    )
    assert {"reading_2031_12", "reading_2032_01", "reading_2032_02"} <= set(parts)


def test_batches_of_a_new_month_at_once_make_it_once(committed):
    with committed.begin() as session:
        points = [make_point(session) for _ in range(3)]
        codes = [p.code for p in points]
    at = datetime(2001, 5, 5, tzinfo=UTC)
    together = Barrier(len(codes))

    def send(code):
        with committed.begin() as session:
            together.wait(60)
            return actions.keep(
                session, Who(NOW), CITY, [{"point": code, "at": at.isoformat(), "value": 1}], FromWhere.API, ahead=AHEAD
            ).new

    with ThreadPoolExecutor(len(codes)) as pool:
        assert list(pool.map(send, codes)) == [1, 1, 1]
