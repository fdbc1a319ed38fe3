"""What the desk asks about time and addresses: outbreaks, comparisons, who calls again, where things take long."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.complaints.queries import Filters
from gis.hotspots import compared, outbreaks, place_queries
from gis.hotspots.compared import Span
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
ZONE = ZoneInfo("Asia/Shanghai")


def _quiet(session, district):
    random = np.random.default_rng(5)
    for _ in range(120):
        at = random.uniform((LON - 0.045, LAT - 0.045), (LON + 0.045, LAT + 0.045))
        make_complaint(session, at=(float(at[0]), float(at[1])), district_id=district.id,
                       received_at=NOW - timedelta(days=int(random.integers(0, 28)), hours=1))  # fmt: skip


def test_an_outbreak_is_told_with_its_place_its_days_and_its_open_complaints(session):
    district = make_area(session)
    _quiet(session, district)
    burst = [make_complaint(session, at=(LON + 0.02, LAT + 0.0002 * i), district_id=district.id,
                            received_at=NOW - timedelta(hours=30 - 3 * i)) for i in range(10)]  # fmt: skip
    burst[0].status, burst[0].closed_at = "answered", NOW
    session.flush()
    filters = Filters(until=datetime(2009, 11, 18, tzinfo=ZONE))
    found = outbreaks.outbreaks(session, filters, CITY, NOW, 500.0, ZONE)
    first = found[0]
    assert first.p <= 0.01 and first.seen >= 10 and first.expected < 3 and first.days <= 3
    assert abs(first.lon - LON - 0.02) < 0.01 and abs(first.lat - LAT) < 0.01
    ids = outbreaks.members(session, filters, CITY, NOW, first, 500.0)
    assert {b.id for b in burst[1:]} <= set(ids) and burst[0].id not in ids
    assert outbreaks.outbreaks(session, filters, Scope(area_id=make_area(session).id), NOW, 500.0, ZONE) == []


def test_quiet_weeks_have_no_sure_outbreak(session):
    district = make_area(session)
    _quiet(session, district)
    found = outbreaks.outbreaks(session, Filters(until=datetime(2009, 11, 18, tzinfo=ZONE)), CITY, NOW, 500.0, ZONE)
    assert all(one.p > 0.05 for one in found)


@given(st.dates(date(2001, 1, 1), date(2060, 12, 31)), st.integers(0, 400))
def test_a_year_before_has_the_same_dates_and_the_days_before_join_without_a_gap(first, days):
    span = Span(first, first + timedelta(days=days))
    earlier, before = compared.year_before(span), compared.before(span)
    assert before.last + timedelta(days=1) == span.first and before.days == span.days
    assert earlier.first.year == span.first.year - 1
    for now, then in ((span.first, earlier.first), (span.last, earlier.last)):
        assert (now.month, now.day) == (then.month, then.day) or now.month == then.month == 2


def test_a_whole_february_is_held_against_a_whole_february():
    assert compared.year_before(Span(date(2025, 2, 1), date(2025, 2, 28))).last == date(2024, 2, 29)
    assert compared.year_before(Span(date(2024, 2, 1), date(2024, 2, 29))).last == date(2023, 2, 28)


def test_the_heating_season_is_held_against_the_same_dates_and_the_days_before(session):
    make_area(session)
    for days, n in ((0, 6), (1, 3), (7, 3), (365, 4), (366, 4), (380, 5)):
        for _ in range(n):
            make_complaint(session, received_at=NOW - timedelta(days=days))
    span = Span(date(2009, 11, 15), date(2009, 11, 21))
    found = compared.compare(session, Filters(), CITY, NOW, span, ZONE)
    assert found.span == Span(date(2009, 11, 15), date(2009, 11, 17))  # today is the 17th: three days are over or run
    assert (found.now, found.before, found.year_before) == (9, None, 8)
    assert found.year_on_year == pytest.approx(0.125) and found.month_on_month is None
    by_rows = compared.compare(session, Filters(status=("received",)), CITY, NOW, span, ZONE)
    assert (by_rows.now, by_rows.year_before) == (9, 8)
    assert compared.daily(session, Filters(), CITY, Span(date(2009, 11, 15), date(2009, 11, 17)), ZONE) == [0, 3, 6]


def test_addresses_are_the_same_whatever_their_spaces_and_forms(session):
    district, other = make_area(session), make_area(session)
    for place in ("云山小区 3号楼", "云山小区３号楼", "云山小区3号楼", "云山小区4号楼"):
        make_complaint(session, place=place, district_id=district.id)
    for _ in range(4):
        make_complaint(session, place="幸福路1号", district_id=other.id, category="water.none", at=None)
    make_complaint(session, place="幸福路1号", district_id=other.id, status="cancelled", closed_at=NOW)
    rows = place_queries.repeat_addresses(session, Filters(), CITY, NOW)
    assert [(r["place"], r["count"], r["category"]) for r in rows] == [
        ("幸福路1号", 4, "water.none"), ("云山小区 3号楼", 3, "heat.cold")]  # fmt: skip
    assert place_queries.repeat_addresses(session, Filters(), Scope(area_id=district.id), NOW)[0]["count"] == 3
    assert place_queries.repeat_addresses(session, Filters(category=("water",)), CITY, NOW, least=5) == []


def test_days_to_close_are_told_by_area_slowest_first_with_what_is_open(session):
    slow, fast = make_area(session, name="慢区"), make_area(session, name="快区", geom=square(LON + 0.3, LAT))
    for area, days in ((slow, (2, 4, 9)), (fast, (1, 1, 2))):
        for n in days:
            make_complaint(session, district_id=area.id, received_at=NOW - timedelta(days=20), status="confirmed",
                           closed_at=NOW - timedelta(days=20 - n), resolve_by=NOW - timedelta(days=17))  # fmt: skip
    make_complaint(
        session, district_id=slow.id, received_at=NOW - timedelta(days=9), resolve_by=NOW - timedelta(days=4)
    )
    make_complaint(session, district_id=slow.id, status="cancelled", closed_at=NOW)
    rows = place_queries.days_to_close(session, Filters(), CITY, NOW)
    assert [(r["name"], r["received"], r["closed"], r["median"], r["on_time"], r["late"]) for r in rows] == [
        ("慢区", 4, 3, pytest.approx(4), 1, 1), ("快区", 3, 3, pytest.approx(1), 3, 0)]  # fmt: skip
    assert rows[0]["nine_of_ten"] == pytest.approx(8)
