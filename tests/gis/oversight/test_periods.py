"""Periods in the city's days, open at midnight, and what they are compared with."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.oversight.periods import BadRange, Period, PeriodKind, Span

ZONE = ZoneInfo("Asia/Shanghai")
LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "on", "first", "last"),
    [("day", "2009-11-18", "2009-11-18", "2009-11-18"), ("week", "2009-11-16", "2009-11-16", "2009-11-22"),
     ("week", "2009-11-22", "2009-11-16", "2009-11-22"), ("month", "2016-12-31", "2016-12-01", "2016-12-31"),
     ("month", "2012-02-10", "2012-02-01", "2012-02-29"), ("quarter", "2009-11-22", "2009-10-01", "2009-12-31"),
     ("quarter", "2009-03-31", "2009-01-01", "2009-03-31"), ("year", "2009-11-22", "2009-01-01", "2009-12-31")],
)  # fmt: skip
def test_a_period_is_the_one_its_day_lies_in(kind, on, first, last):
    period = Period.of(kind, date.fromisoformat(on))
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


def test_a_range_needs_both_days_in_order():
    assert Period.of("range", date(2019, 1, 1), date(2019, 10, 15)).days == 288
    for last in (None, date(2018, 12, 31), date(2039, 1, 1)):
        with pytest.raises(BadRange):
            Period.of("range", date(2019, 1, 1), last)


@pytest.mark.parametrize(
    ("kind", "on", "previous", "last_year"),
    [("day", "2012-02-29", "2012-02-28", "2011-02-28"), ("week", "2009-11-22", "2009-11-09", "2008-11-16"),
     ("month", "2012-02-10", "2012-01-01", "2011-02-01"), ("month", "2010-01-31", "2009-12-01", "2009-01-01"),
     ("quarter", "2010-02-01", "2009-10-01", "2009-01-01"), ("year", "2012-05-05", "2011-01-01", "2011-01-01")],
)  # fmt: skip
def test_what_a_period_is_compared_with(kind, on, previous, last_year):
    period = Period.of(kind, date.fromisoformat(on))
    assert period.previous().first.isoformat() == previous
    assert period.last_year().first.isoformat() == last_year
    assert period.previous().last == period.first - timedelta(days=1)


def test_february_of_a_leap_year_is_compared_with_the_whole_february_before():
    assert Period.of("month", date(2013, 2, 1)).last_year().last == date(2012, 2, 29)
    assert Period.of("month", date(2012, 2, 1)).last_year().last == date(2011, 2, 28)


def test_days_begin_and_end_at_the_citys_midnight():
    span = Period.of("day", date(2009, 11, 17)).span(ZONE, LATER)
    assert span == Span(datetime(2009, 11, 16, 16, tzinfo=UTC), datetime(2009, 11, 17, 16, tzinfo=UTC))


def test_a_running_period_ends_now_and_holds_what_happened_at_this_moment():
    now = datetime(2009, 11, 17, 2, tzinfo=UTC)
    week = Period.of("week", date(2009, 11, 17))
    span = week.span(ZONE, now)
    assert week.is_running(ZONE, now)
    assert span.since <= now < span.until
    assert span.until - now == timedelta(microseconds=1)
    earlier = week.elapsed(week.previous(), ZONE, now)
    assert earlier.until - earlier.since == span.until - span.since
    assert week.elapsed(week.previous(), ZONE, LATER) == week.previous().whole(ZONE)


def test_a_period_that_has_not_begun_is_empty():
    span = Period.of("month", date(2010, 1, 1)).span(ZONE, datetime(2009, 11, 17, tzinfo=UTC))
    assert span.since == span.until


@given(st.sampled_from([k for k in PeriodKind if k != "range"]), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_periods_lie_side_by_side(kind, on):
    period = Period.of(kind, on)
    assert period.first <= on <= period.last
    assert Period.of(kind, period.first) == Period.of(kind, period.last) == period
    assert Period.of(kind, period.first - timedelta(days=1)) == period.previous()
    assert period.previous().whole(ZONE).until == period.whole(ZONE).since
