"""The packed places: they follow every change of a complaint, and say what the complaints say."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import func, select, text

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.geo import to_metres
from gis.hotspots import sheet_actions, sheet_queries, sheets
from gis.hotspots.model import PlaceSheet, SheetPlane
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, point, square

LON, LAT = PINGDU
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def some(session):
    """Three districts' complaints: two categories, three days, some without a place, one in America."""
    here, there = make_area(session), make_area(session, geom=square(LON + 0.2, LAT))
    random = np.random.default_rng(3)
    for i in range(40):
        at = (LON + float(random.normal(0, 0.01)), LAT + float(random.normal(0, 0.01)))
        make_complaint(session, at=None if i % 9 == 0 else at, category="heat.cold" if i % 3 else "water.none",
                       received_at=NOW - timedelta(hours=11 * (i % 6)), district_id=(here.id, there.id, None)[i % 4 % 3])  # fmt: skip
    make_complaint(session, at=(-71.06, 42.36))
    session.flush()
    return here, there


def test_every_place_is_where_pyproj_says_and_on_its_day(session, some):
    found = sheet_queries.spots(session, Filters(), CITY)
    rows = session.execute(select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom), Complaint.received_at)
                           .where(func.ST_X(Complaint.geom) > 0)).all()  # fmt: skip
    x, y = to_metres([r[0] for r in rows], [r[1] for r in rows], 120.0)
    days = [(r[2].astimezone(ZONE).date() - sheet_queries.EPOCH).days for r in rows]
    expected = sorted(zip(np.floor(x).astype(int).tolist(), np.floor(y).astype(int).tolist(), days, strict=True))
    assert sorted(zip(found.x_m.tolist(), found.y_m.tolist(), found.day.tolist(), strict=True)) == expected
    assert (found.elsewhere, found.not_located) == (1, 5)
    assert found.located == 36


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"category": ("heat",)},
        {"category": ("water.none", "gas")},
        {"since": "day", "until": "next"},
        {"district": "here"},
        {"district": "both", "category": ("heat.cold",), "since": "day"},
    ],
)
def test_any_filter_counts_what_the_complaints_count(session, some, given):
    day = NOW.astimezone(ZONE).replace(hour=0, minute=0)
    words = {"day": day - timedelta(days=1), "next": day, "here": (some[0].id,), "both": tuple(a.id for a in some)}
    filters = Filters(**{k: words.get(v, v) if isinstance(v, str) else v for k, v in given.items()})
    assert sheet_queries.answers(session, filters, CITY)
    for scope in (CITY, Scope(area_id=some[0].id)):
        found = sheet_queries.spots(session, filters, scope)
        where = [*filters.conditions(NOW)]
        if scope.area_id is not None:
            where.append(Complaint.district_id == scope.area_id)
        located = session.scalar(select(func.count()).where(Complaint.geom.isnot(None), *where))
        lost = session.scalar(select(func.count()).where(Complaint.geom.is_(None), *where))
        assert (found.located, found.not_located) == (located, lost)


def test_what_the_sheets_do_not_know_they_do_not_answer(session, some):
    street = make_area(session, level="street")
    for filters in (Filters(status=("received",)), Filters(q="x"), Filters(unit=(1,)), Filters(since=NOW),
                    Filters(district=(street.id,)), Filters(mark=("late",))):  # fmt: skip
        assert not sheet_queries.answers(session, filters, CITY)
    assert not sheet_queries.answers(session, Filters(), Scope(unit_id=1))
    assert not sheet_queries.answers(session, Filters(), Scope(area_id=street.id))


def test_moves_renames_and_removals_follow_and_steps_append_nothing(session, some):
    assert sheet_queries.differences(session) == []
    before = session.scalar(select(func.count()).select_from(PlaceSheet))
    session.execute(text("UPDATE complaint SET status = 'answered', closed_at = now()"))
    assert session.scalar(select(func.count()).select_from(PlaceSheet)) == before
    one, two, three = session.scalars(
        select(Complaint).where(Complaint.geom.isnot(None)).order_by(Complaint.id).limit(3)
    )
    one.geom, one.category = point(LON + 0.03, LAT), "gas.leak"
    two.geom, two.located = None, "not_located"
    two.received_at -= timedelta(days=3)
    session.flush()
    session.delete(three)
    session.flush()
    assert sheet_queries.differences(session) == []
    assert sheet_actions.compact(session)
    assert sheet_queries.differences(session) == []
    twice = select(PlaceSheet.day).group_by(PlaceSheet.day, PlaceSheet.category).having(func.count() > 1)
    assert session.scalars(twice).all() == []
    assert session.scalar(select(func.count()).select_from(PlaceSheet)) < before + 4


def test_a_change_that_the_triggers_did_not_see_is_found_and_packing_anew_mends_it(session, some):
    session.execute(text("ALTER TABLE complaint DISABLE TRIGGER complaint_sheeted_delete"))
    gone = session.scalar(select(Complaint.id).order_by(Complaint.id).limit(1))
    session.execute(text("DELETE FROM complaint WHERE id = :id"), {"id": gone})
    assert len(sheet_queries.differences(session)) == 1
    sheet_actions.rebuild(session, "Asia/Shanghai", 120.3)
    assert sheet_queries.differences(session) == []


def test_the_plane_follows_the_districts_and_the_days_the_zone(session):
    make_area(session, geom=square(116.6, 35.4))
    make_complaint(session, at=(116.6, 35.4))
    assert sheet_actions.adopt(session, "America/New_York")
    kept = session.get_one(SheetPlane, 1)
    assert (kept.zone, kept.epsg, kept.near_lon) == ("America/New_York", 4548, 117.0)
    found = sheet_queries.spots(session, Filters(), CITY)
    x, y = to_metres([116.6], [35.4], 117.0)
    assert (found.x_m[0], found.y_m[0]) == (int(x[0]), int(y[0]))
    assert not sheet_actions.adopt(session, "America/New_York")


def test_putting_together_adds_up_and_forgets_what_is_nothing():
    raw = np.array(
        [(5, 6, 1, 1), (5, 6, 1, 2), (5, 6, 2, 1), (9, 9, 1, 1), (9, 9, 1, -1), (-5, 6, 1, 1)], sheets.RECORD
    )
    kept = np.frombuffer(sheets.put_together(raw.tobytes()), sheets.RECORD)
    assert sorted(kept.tolist()) == [(-5, 6, 1, 1), (5, 6, 1, 3), (5, 6, 2, 1)]
    assert sheets.put_together(b"") == b""


def test_squares_are_counted_as_by_division():
    random = np.random.default_rng(2)
    x, y = (random.integers(-3_000, 3_000, 500).astype(np.int32) for _ in range(2))
    n = random.integers(1, 4, 500).astype(np.int32)
    counts = np.zeros((20, 24), np.int64)
    sheets.count_squares(x, y, n, 250, -12, -10, counts)
    expected = np.zeros_like(counts)
    for a, b, k in zip(x.tolist(), y.tolist(), n.tolist(), strict=True):
        column, row = a // 250 + 12, b // 250 + 10
        if 0 <= column < 24 and 0 <= row < 20:
            expected[row, column] += k
    assert (counts == expected).all() and counts.sum() > 300
