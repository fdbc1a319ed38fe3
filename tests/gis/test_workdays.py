"""Working days beside numpy's, which counts them in another way."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.workdays import WorkingDays

days = st.dates(date(2000, 1, 1), date(2030, 12, 31))


@st.composite
def calendars(draw):
    """Some holidays on weekdays and some worked weekends, as a table and as numpy takes them."""
    listed = draw(st.sets(st.dates(date(2014, 1, 1), date(2016, 12, 31)), max_size=60))
    exceptions = {day: day.weekday() >= 5 for day in listed}
    return WorkingDays(frozenset(range(2000, 2031)), exceptions)


def by_numpy(calendar, start, n):
    """The n-th working day after `start`, from numpy: worked weekends are added by hand."""
    holidays = np.array([d for d, worked in calendar.exceptions.items() if not worked], "datetime64[D]")
    worked = {d for d, worked in calendar.exceptions.items() if worked}
    span = np.datetime64(start) + np.arange(1, 400)
    is_busy = np.is_busday(span, holidays=holidays) | np.isin(span, np.array(sorted(worked), "datetime64[D]"))
    return span[is_busy][n - 1].astype(date)


@given(calendars(), st.dates(date(2013, 12, 1), date(2016, 12, 31)), st.integers(1, 60))
def test_the_nth_working_day_is_numpy_s(calendar, start, n):
    assert calendar.add(start, n)[0] == by_numpy(calendar, start, n)


@given(days, st.integers(0, 200))
def test_without_exceptions_it_is_numpy_s_busday_offset(start, n):
    found, missing = WorkingDays(frozenset(range(2000, 2040))).add(start, n)
    assert found == (start if n == 0 else np.busday_offset(start, n, roll="backward").astype(date))
    assert missing == ()


@given(calendars(), days, st.integers(0, 60))
def test_adding_and_counting_are_inverse(calendar, start, n):
    end, _ = calendar.add(start, n)
    assert calendar.count(start, end) == n
    assert n == 0 or calendar.is_working(end)


@given(calendars(), days, st.integers(0, 60), st.integers(0, 60))
def test_one_more_day_is_never_earlier(calendar, start, n, more):
    assert calendar.add(start, n)[0] <= calendar.add(start, n + more)[0]


@given(days, st.integers(0, 600))
def test_every_year_that_was_passed_and_has_no_table_is_named(start, n):
    end, missing = WorkingDays().add(start, n)
    assert missing == tuple(range(start.year, end.year + 1))


def test_a_receipt_on_a_holiday_counts_from_the_first_day_worked():
    national = {date(2009, 10, 1) + timedelta(days=k): False for k in range(8)} | {date(2009, 10, 10): True}
    calendar = WorkingDays(frozenset({2009}), national)
    assert calendar.add(date(2009, 10, 3), 1)[0] == date(2009, 10, 9)
    assert calendar.add(date(2009, 10, 3), 2)[0] == date(2009, 10, 10)


def test_numbers_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="negative"):
        WorkingDays().add(date(2009, 1, 1), -1)
    with pytest.raises(ValueError, match="too many"):
        WorkingDays().add(date(2009, 1, 1), 100_000)
