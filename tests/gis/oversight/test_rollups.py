"""The rollups equal the complaints: after any statement, with many people at once, and for whoever asks."""

import threading
from dataclasses import asdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update

from gis.complaints import queries as complaints
from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.oversight import rollup_queries
from gis.oversight.counting_model import ComplaintDay, ComplaintTally
from gis.oversight.rollup_actions import adopt_zone, compact, rebuild
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit
from webapp.verify import broken_invariants

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = NOW.astimezone(ZONE).date()


def trend(session, scope=CITY, filters=None, days=90, zone=ZONE):
    found = rollup_queries.trend(session, scope, filters or Filters(), TODAY, days, zone)
    return {row.day: (row.received, row.closed) for row in found if (row.received, row.closed) != (0, 0)}


def rows_of(table):
    return select(func.count()).select_from(table)


_STEP = st.one_of(
    st.tuples(st.just("insert"), st.integers(1, 4), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("close"), st.integers(0, 9), st.integers(-40, 40)),
    st.tuples(st.just("open"), st.integers(0, 9)),
    st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("lose"), st.integers(0, 9)),
    st.tuples(st.just("merge"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("all"), st.integers(0, 3)),
    st.tuples(st.just("compact")),
)


def _do(session, step, areas, units, ids):
    """One statement on the complaints; `ids` are those that exist."""
    verb, *given_ = step
    if verb == "insert":
        many, area, unit = given_
        for n in range(many):
            at = NOW - timedelta(hours=13 * n)
            ids.append(make_complaint(session, district_id=areas[area], unit_id=units[unit], received_at=at).id)
        return
    if verb == "compact":
        assert compact(session)
        return
    if verb == "all":
        session.execute(update(Complaint).values(unit_id=units[given_[0]]))
        return
    if not ids:
        return
    chosen = ids[given_[0] % len(ids)]
    target = update(Complaint).where(Complaint.id == chosen)
    if verb == "close":
        session.execute(
            target.values(status="answered", merged_into_id=None, closed_at=NOW + timedelta(hours=given_[1]))
        )
    elif verb == "open":
        session.execute(target.values(status="received", closed_at=None, merged_into_id=None))
    elif verb == "move":
        session.execute(target.values(district_id=areas[given_[1]], unit_id=units[given_[2]]))
    elif verb == "lose":
        session.execute(target.values(located="not_located", geom=None))
    elif verb == "merge":
        _split_from(session, chosen)  # what has others joined to it cannot be joined itself
        into = session.scalar(
            select(Complaint.id).where(Complaint.id != chosen, Complaint.merged_into_id.is_(None)).limit(1)
        )
        if into is not None:
            session.execute(target.values(status="merged", closed_at=NOW, merged_into_id=into))
    elif verb == "delete":
        _split_from(session, chosen)
        session.execute(delete(Complaint).where(Complaint.id == chosen))
        ids.remove(chosen)


def _split_from(session, main):
    joined = update(Complaint).where(Complaint.merged_into_id == main)
    session.execute(joined.values(merged_into_id=None, status="received", closed_at=None))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=1, max_size=14))
def test_whatever_statements_come_the_rollups_equal_the_complaints(session, steps):
    outer = session.begin_nested()
    try:
        areas = [make_area(session).id, make_area(session).id, None]
        units = [make_unit(session).id, make_unit(session).id, make_unit(session).id, None]
        ids = []
        for step in steps:
            _do(session, step, areas, units, ids)
        assert rollup_queries.differences(session) == []
        for scope in (
            CITY,
            Scope(area_id=areas[0]),
            Scope(unit_id=units[0]),
            Scope(area_id=areas[1], unit_id=units[1]),
        ):
            raw = complaints.counts(session, scope, Filters(), NOW)
            assert rollup_queries.counters(session, scope, Filters(), NOW) == raw
            assert trend(session, scope) == trend(session, scope, Filters(category=("heat",)))
    finally:
        outer.rollback()
        session.expunge_all()


def test_many_people_at_once_lose_nothing_and_never_lock_each_other_out(committed):
    with committed() as session:
        areas = [make_area(session).id for _ in range(2)]
        units = [make_unit(session).id for _ in range(2)]
        ids = [make_complaint(session, district_id=areas[n % 2], unit_id=units[n % 2]).id for n in range(24)]
        session.commit()
    failed = []

    def work(seed: int) -> None:
        try:
            for turn in range(12):
                with committed() as session:
                    mine = ids[seed::8][:: 1 if seed % 2 else -1]
                    for one in mine:  # several statements in one transaction, over the bodies in either order
                        closed = NOW if turn % 2 else None
                        session.execute(update(Complaint).where(Complaint.id == one)
                                        .values(closed_at=closed, unit_id=units[(seed + turn) % 2]))  # fmt: skip
                    make_complaint(session, district_id=areas[seed % 2], hotline_no=f"P{seed}-{turn}")
                    if turn % 5 == 4:
                        session.rollback()
                    session.commit()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    def tidy() -> None:
        try:
            for _ in range(15):
                with committed() as session:
                    compact(session)
                    session.commit()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    # Nobody changes another's complaints: whoever has to wait, waits for a rollup.
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)] + [threading.Thread(target=tidy)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with committed() as session:
        assert rollup_queries.differences(session) == []
        assert rollup_queries.counters(session, CITY, Filters(), NOW) == complaints.counts(
            session, CITY, Filters(), NOW
        )
        assert compact(session)
        session.commit()
        assert rollup_queries.differences(session) == []


def test_compacting_leaves_one_row_a_key_and_the_same_sums(session):
    area = make_area(session).id
    for _ in range(9):
        make_complaint(session, district_id=area)
    before = rollup_queries.counters(session, CITY, Filters(), NOW), trend(session)
    assert session.scalar(rows_of(ComplaintDay)) == 18
    assert compact(session)
    assert (session.scalar(rows_of(ComplaintDay)), session.scalar(rows_of(ComplaintTally))) == (2, 1)
    assert (rollup_queries.counters(session, CITY, Filters(), NOW), trend(session)) == before
    session.execute(delete(Complaint))
    compact(session)
    assert (session.scalar(rows_of(ComplaintDay)), session.scalar(rows_of(ComplaintTally))) == (0, 0)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kathmandu"])
def test_days_are_the_citys_days_in_every_zone_and_by_either_way(session, zone):
    midnight = NOW.astimezone(ZONE).replace(hour=0, minute=0)
    for minutes in (-1, 0, 1):
        make_complaint(session, received_at=midnight + timedelta(minutes=minutes), resolve_by=NOW)
    raw = trend(session, zone=ZoneInfo(zone))
    assert adopt_zone(session, zone) == (zone != "Asia/Shanghai")
    assert trend(session, zone=ZoneInfo(zone)) == raw
    if zone == "Asia/Shanghai":
        assert raw == {TODAY - timedelta(days=1): (1, 0), TODAY: (2, 0)}
    make_complaint(session, received_at=midnight)
    assert rollup_queries.differences(session) == []


def test_what_the_rollups_cannot_tell_is_counted_from_the_complaints(session):
    district, street = make_area(session).id, make_area(session, level="street").id
    make_complaint(session, district_id=district, street_id=street, category="heat.leak")
    make_complaint(session, district_id=district, category="water.burst", closed_at=NOW, status="confirmed", at=None)
    for filters in (Filters(), Filters(category=("heat",)), Filters(district=(street,)), Filters(district=(district, street)),
                    Filters(district=(district,)), Filters(q="小区"), Filters(status=("received",)), Filters(callers=True),
                    Filters(since=NOW), Filters(time_state=("green",))):  # fmt: skip
        for scope in (CITY, Scope(area_id=street), Scope(area_id=district)):
            raw = complaints.counts(session, scope, filters, NOW)
            assert rollup_queries.counters(session, scope, filters, NOW) == raw, filters


def test_a_trend_has_a_row_for_each_of_its_days(session):
    make_complaint(session, closed_at=NOW, status="confirmed", received_at=NOW - timedelta(days=3))
    rows = rollup_queries.trend(session, CITY, Filters(), TODAY, 5, ZONE)
    assert [row.day for row in rows] == [TODAY - timedelta(days=n) for n in (4, 3, 2, 1, 0)]
    assert asdict(rows[1]) == {"day": TODAY - timedelta(days=3), "received": 1, "closed": 0}
    assert asdict(rows[4]) == {"day": TODAY, "received": 0, "closed": 1}


def test_verify_tells_a_rollup_that_does_not_equal_the_complaints_and_a_rebuild_mends_it(session, tmp_path):
    made = make_complaint(session, district_id=make_area(session).id)
    session.execute(text("UPDATE complaint_day SET received = received + 1"))
    told = {row["invariant"]: row for row in broken_invariants(session, tmp_path)}
    assert told["the rollups equal the complaints"]["examples"] == [
        f"{_day(made)} district {made.district_id}", f"{_day(made)} unit -"
    ]  # fmt: skip
    rebuild(session, "Asia/Shanghai")
    assert rollup_queries.differences(session) == []


def _day(complaint) -> date:
    return complaint.received_at.astimezone(ZONE).date()
