"""What somebody may see, what they look for, and in which order."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gis.complaints import queries
from gis.complaints.law_model import Extension
from gis.complaints.model import Caller
from gis.complaints.queries import Filters
from gis.complaints.rules import OPEN, Status, TimeState, time_state
from gis.errors import BadInput
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit


def ids(session, scope=CITY, limit=100, sort="due", **filters):
    found, after = [], None
    while True:
        page = queries.listing(session, scope, Filters(**filters), NOW, sort=sort, after=after, limit=limit)
        found += [row["id"] for row in page.rows]
        after = page.next
        if after is None:
            return found


def test_the_list_has_the_open_ones_by_deadline_and_then_the_closed_ones_newest_first(session):
    late = make_complaint(session, resolve_by=NOW - timedelta(hours=1))
    soon = make_complaint(session, resolve_by=NOW + timedelta(hours=1))
    old = make_complaint(session, status="confirmed", closed_at=NOW, received_at=NOW - timedelta(days=3))
    new = make_complaint(session, status="answered", closed_at=NOW, received_at=NOW - timedelta(days=1))
    assert ids(session) == [late.id, soon.id, new.id, old.id]
    assert ids(session, sort="newest") == [soon.id, late.id, new.id, old.id]


@pytest.mark.parametrize("sort", ["due", "newest"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_any_size_hold_every_row_once_although_moments_are_equal(session, sort, limit):
    for n in range(10):
        closed = {"status": "answered", "closed_at": NOW} if n % 3 == 0 else {}
        make_complaint(session, resolve_by=NOW + timedelta(hours=n // 4), **closed)
    whole = ids(session, sort=sort)
    assert len(whole) == 10
    assert ids(session, sort=sort, limit=limit) == whole


def test_a_row_that_is_closed_between_two_pages_hides_no_other(session):
    made = [make_complaint(session, resolve_by=NOW + timedelta(minutes=n)) for n in range(5)]
    first = queries.listing(session, CITY, Filters(), NOW, limit=2)
    made[1].status, made[1].closed_at = "answered", NOW
    session.flush()
    rest = queries.listing(session, CITY, Filters(), NOW, after=first.next, limit=10)
    assert [row["id"] for row in rest.rows][:3] == [c.id for c in made[2:]]


@pytest.mark.parametrize(
    "cursor", ["", "x", "o.1", "o.1.", "q.1.1", "o.-.1", "o.1.-1", "o.99999999999999999999.1", "o.٣.1"]
)
def test_a_cursor_that_we_did_not_give_is_bad_input(cursor):
    with pytest.raises(BadInput):
        queries.parse_cursor(cursor)


def test_everybody_sees_their_area_whatever_its_level_and_nothing_else(session):
    levels = {level: make_area(session, level=level) for level in ("district", "street", "community", "compound")}
    mine = make_complaint(session, **{f"{level}_id": area.id for level, area in levels.items()})
    other = make_complaint(session, district_id=make_area(session).id)
    nowhere = make_complaint(session, at=None)
    for area in levels.values():
        scope = Scope(area_id=area.id)
        assert ids(session, scope) == [mine.id]
        assert queries.total(session, scope, Filters(), NOW) == 1
        assert queries.card(session, scope, mine.id)["id"] == mine.id
        for hidden in (other, nowhere):
            assert queries.card(session, scope, hidden.id) is None
            assert queries.find(session, scope, hidden.id) is None
        assert queries.counts(session, scope, Filters(), NOW)["open"] == 1
    assert len(ids(session)) == 3


def test_a_unit_handler_sees_what_their_unit_answers_for(session):
    unit, other = make_unit(session), make_unit(session)
    mine = make_complaint(session, unit_id=unit.id)
    make_complaint(session, unit_id=other.id)
    make_complaint(session)
    assert ids(session, Scope(unit_id=unit.id)) == [mine.id]
    assert queries.units_with_complaints(session, Scope(unit_id=unit.id)) == [{"id": unit.id, "name": unit.name}]


def test_both_bounds_of_a_scope_hold_together(session):
    unit, area = make_unit(session), make_area(session)
    make_complaint(session, unit_id=unit.id)
    make_complaint(session, district_id=area.id)
    both = make_complaint(session, unit_id=unit.id, district_id=area.id)
    assert ids(session, Scope(unit_id=unit.id, area_id=area.id)) == [both.id]


def test_each_filter_narrows_and_several_narrow_together(session):
    area, unit = make_area(session), make_unit(session)
    one = make_complaint(session, category="heat.leak", district_id=area.id, unit_id=unit.id, place="文丰小区3号楼")
    two = make_complaint(session, category="water.burst", received_at=NOW - timedelta(days=2), status="assigned")
    three = make_complaint(session, category="other", at=None)
    assert ids(session, category=("heat",)) == [one.id]
    assert set(ids(session, category=("heat", "water.burst"))) == {one.id, two.id}
    assert ids(session, category=("hea",)) == []
    assert ids(session, category=("%",)) == []
    assert ids(session, category=("other",)) == [three.id]
    assert ids(session, district=(area.id,)) == [one.id]
    assert ids(session, unit=(unit.id,)) == [one.id]
    assert ids(session, status=("assigned",)) == [two.id]
    assert ids(session, until=NOW - timedelta(days=1)) == [two.id]
    assert set(ids(session, since=NOW - timedelta(days=1))) == {one.id, three.id}
    assert ids(session, q="文丰") == [one.id]
    assert ids(session, q="100%") == []
    assert ids(session, q=two.hotline_no.lower()) == [two.id]
    assert ids(session, category=("heat",), status=("assigned",)) == []


def test_until_is_the_first_moment_that_is_not_included(session):
    made = make_complaint(session, received_at=NOW)
    assert ids(session, since=NOW, until=NOW + timedelta(microseconds=1)) == [made.id]
    assert ids(session, until=NOW) == []


def test_a_telephone_number_finds_only_for_those_who_may_unmask(session):
    made = make_complaint(session)
    session.add(Caller(complaint_id=made.id, name="张三", phone="13812345678"))
    session.flush()
    assert ids(session, q="138 1234 5678", callers=True) == [made.id]
    assert ids(session, q="1381234", callers=True) == []
    assert ids(session, q="13812345678") == []


def test_the_clock_in_sql_is_the_clock_of_the_rules(session):
    hours = (-30, -3, -1, 0, 1, 2, 5, 40)
    for received, by, closed in product((-50, -4, -2, 0), hours, (None, -3, 0, 3)):
        make_complaint(
            session,
            received_at=NOW + timedelta(hours=received),
            resolve_by=NOW + timedelta(hours=by),
            closed_at=None if closed is None else NOW + timedelta(hours=closed),
            status="received" if closed is None else "answered",
        )
    rows = queries.listing(session, CITY, Filters(), NOW, limit=500).rows
    for state in TimeState:
        told = {r["id"] for r in rows if time_state(r["received_at"], r["resolve_by"], NOW, r["closed_at"]) == state}
        assert set(ids(session, time_state=(state,), limit=500)) == told


def test_counts_are_right_and_do_not_depend_on_the_chosen_status(session):
    make_complaint(session, resolve_by=NOW - timedelta(minutes=1))
    make_complaint(session, received_at=NOW - timedelta(hours=9), resolve_by=NOW + timedelta(hours=1))
    make_complaint(session, received_at=NOW, resolve_by=NOW + timedelta(hours=9))
    make_complaint(session, status="answered", closed_at=NOW, at=None)
    whole = {"total": 4, "open": 3, "due_soon": 1, "overdue": 1, "not_located": 1}
    assert queries.counts(session, CITY, Filters(), NOW) == whole
    chosen = queries.counts(session, CITY, Filters(status=("received",), time_state=("red",)), NOW)
    assert chosen == whole | {"total": 1, "not_located": 0}
    assert queries.by_status(session, CITY, Filters(), NOW) == {"answered": 1, "received": 3}


def test_open_in_the_index_is_open_in_the_rules(session):
    main = make_complaint(session, status="confirmed", closed_at=NOW, received_at=NOW - timedelta(days=9))
    for status in set(Status) - {Status.CONFIRMED}:
        into = main.id if status == "merged" else None
        make_complaint(session, status=status, closed_at=None if status in OPEN else NOW, merged_into_id=into)
    rows = queries.listing(session, CITY, Filters(), NOW).rows
    assert {row["status"] for row in rows[: len(OPEN)]} == set(OPEN)
    assert [row["part"] for row in rows] == ["o"] * len(OPEN) + ["c"] * (len(Status) - len(OPEN))


def test_a_cursor_keeps_the_microsecond(session):
    at = datetime(2009, 11, 17, 1, 2, 3, 123457, tzinfo=UTC)
    make_complaint(session, resolve_by=at)
    make_complaint(session, resolve_by=at + timedelta(microseconds=1))
    assert len(ids(session, limit=1)) == 2


def test_what_stands_out_is_found_by_its_mark_while_it_is_open(session):
    soon, past = NOW + timedelta(hours=2), NOW - timedelta(hours=2)
    made = {
        "warned": make_complaint(session, warn_at=past, resolve_by=soon, late_at=soon),
        "late": make_complaint(session, warn_at=past, resolve_by=past, late_at=past),
        "key": make_complaint(session, key_since=NOW), "reopened": make_complaint(session, reopen_count=1),
        "extension": make_complaint(session),
    }  # fmt: skip
    session.add(Extension(complaint_id=made["extension"].id, days=2, reason="x", asked_at=NOW, before=soon, note=""))
    make_complaint(session, status="confirmed", closed_at=NOW, key_since=NOW, reopen_count=1, warn_at=past)
    make_complaint(session, warn_at=past, resolve_by=soon, paused_at=NOW)
    session.flush()
    for mark in queries.MARKS:
        rows = queries.listing(session, CITY, Filters(mark=(mark,)), NOW).rows
        assert [row["id"] for row in rows] == [made[mark].id], mark
