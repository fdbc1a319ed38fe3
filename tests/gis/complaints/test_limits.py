"""The three clocks against independent oracles: numpy's busday for days, a count of every minute for office hours."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.complaints.law_words import PauseCause
from gis.complaints.limit_seeds import OFFICE_HOURS, RULE_SETS
from gis.complaints.limits import (
    HOUSE,
    PAUSES,
    City,
    Law,
    Limit,
    Longer,
    Stood,
    due,
    extended,
    longest_pause,
    office_time,
    replay,
    return_by,
    shifted,
)
from gis.places.actions import _exceptions
from gis.workdays import WorkingDays

ZONE = ZoneInfo("Asia/Shanghai")
YEARS = range(2008, 2027)
EXCEPTIONS = {row["day"]: row["is_working"] for year in YEARS for row in _exceptions(year)}
CITY = City(ZONE, WorkingDays(frozenset(YEARS), EXCEPTIONS))
# numpy knows no make-up days: it is given every day that is worked, as a list.
WORKED = np.array(
    [d for n in range((date(2026, 12, 31) - date(2008, 1, 1)).days + 1)
     if CITY.calendar.is_working(d := date(2008, 1, 1) + timedelta(n))], "datetime64[D]",
)  # fmt: skip
moments = st.datetimes(datetime(2008, 2, 1), datetime(2026, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def nth_working_day(start, n):
    """The n-th working day after a day, by looking it up among all that were worked."""
    return WORKED[np.searchsorted(WORKED, np.datetime64(start), "right") + n - 1].astype(object)


# source: domain facts, section 7
@pytest.mark.parametrize(("received", "days", "end"), [
    ("2009-11-20", 3, "2009-11-25"), ("2009-09-30", 3, "2009-10-12"), ("2014-09-26", 3, "2014-09-30"),
    ("2014-09-30", 5, "2014-10-13"), ("2019-09-27", 5, "2019-10-10"), ("2019-09-30", 5, "2019-10-12"),
    ("2011-12-30", 3, "2012-01-05"), ("2026-02-13", 5, "2026-02-27"), ("2026-09-30", 5, "2026-10-13"),
])  # fmt: skip
def test_working_days_end_where_the_notices_of_the_state_council_say(received, days, end):
    found = due(Limit("working_days", days, "x"), at(f"{received}T15:30"), CITY)
    assert found.resolve_by == at(f"{end}T23:59:59")
    assert found.warn_at == at(f"{end}T00:00")
    assert found.missing_years == ()


@settings(max_examples=300, deadline=None)
@given(moments, st.integers(1, 40))
def test_working_days_agree_with_numpy(received, days):
    local = received.astimezone(ZONE).date()
    found = due(Limit("working_days", days, "x"), received, CITY)
    assert found.resolve_by.astimezone(ZONE).date() == nth_working_day(local, days)
    plain = City(ZONE, WorkingDays(frozenset(YEARS), {}))
    assert due(Limit("working_days", days, "x"), received, plain).resolve_by.date() == np.busday_offset(
        np.datetime64(local), days, roll="backward"
    ).astype(object)


@settings(max_examples=200, deadline=None)
@given(moments, st.integers(1, 20))
def test_a_limit_that_counts_the_day_of_receipt_ends_a_working_day_earlier_only_where_that_day_was_worked(
    received, days
):
    local = received.astimezone(ZONE).date()
    found = due(Limit("working_days", days, "x", count_from="same_day"), received, CITY).resolve_by.date()
    first = np.searchsorted(WORKED, np.datetime64(local), "left")
    assert found == WORKED[first + days - 1].astype(object)


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(1, 30))
def test_working_hours_agree_with_a_count_of_every_minute(received, hours):
    received = received.replace(second=0, microsecond=0)
    found = due(Limit("working_hours", hours, "x"), received, CITY).resolve_by
    left, moment = hours * 60, received
    while left:
        local = moment.astimezone(ZONE)
        worked = CITY.calendar.is_working(local.date())
        left -= worked and any(begins <= local.time() < ends for begins, ends in OFFICE_HOURS)
        moment += timedelta(minutes=1)
    assert found == moment
    assert office_time(received, found, CITY) == timedelta(hours=hours)


@given(moments, st.integers(1, 10_000))
def test_minutes_are_minutes(received, minutes):
    limit = Limit("minutes", minutes, "x")
    found = due(limit, received, CITY)
    assert found.resolve_by - received == timedelta(minutes=minutes)
    assert received < found.warn_at < found.resolve_by < found.late_at
    assert found.late_at - received == 3 * (found.resolve_by - received)


limits = st.builds(
    Limit, st.sampled_from(["working_days", "working_hours", "minutes"]), st.integers(1, 30), st.just("x"),
    count_from=st.sampled_from(["next_day", "same_day", "sending"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(limits, moments)
def test_first_comes_the_yellow_card_then_the_limit_then_the_third_time_late(limit, received):
    found = due(limit, received, CITY)
    assert received <= found.warn_at <= found.resolve_by < found.late_at


def test_the_limit_in_working_hours_goes_over_lunch_the_night_and_the_days_off():
    limit = Limit("working_hours", 4, "x")
    assert due(limit, at("2009-11-20T10:00"), CITY).resolve_by == at("2009-11-20T15:30")
    assert due(limit, at("2009-11-20T16:30"), CITY).resolve_by == at("2009-11-23T11:30")
    assert due(limit, at("2009-11-21T10:00"), CITY).resolve_by == at("2009-11-23T14:00")


# --- what moves a deadline ---------------------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(limits, moments, st.timedeltas(timedelta(), timedelta(days=20)), st.timedeltas(timedelta(), timedelta(days=40)))
def test_a_pause_gives_back_what_it_took_of_its_own_clock_and_nothing_else(limit, received, waited, stood):
    end = due(limit, received, CITY).resolve_by
    began = received + waited
    moved = shifted(limit, end, began, began + stood, CITY)
    assert moved >= end
    if began >= end:
        assert moved == end
    elif limit.clock == "minutes":
        assert moved - end == stood
    elif limit.clock == "working_hours":
        assert office_time(end, moved, CITY) == office_time(began, began + stood, CITY)
    else:
        took = CITY.calendar.count(CITY.day(began), CITY.day(began + stood))
        assert CITY.calendar.count(CITY.day(end), CITY.day(moved)) == took


def test_an_extension_is_counted_in_working_days_from_the_old_limit():
    assert extended(at("2009-09-30T23:59:59"), 7, CITY) == at("2009-10-16T23:59:59")
    assert extended(at("2009-11-20T10:30"), 1, CITY) == at("2009-11-23T10:30")


def test_a_deadline_replayed_is_the_limit_with_all_that_moved_it_in_order():
    limit = Limit("working_days", 3, "x")
    received = at("2009-11-16T09:00")
    events = [Longer(at("2009-11-18T10:00"), 2), Stood(at("2009-11-16T10:00"), at("2009-11-17T10:00"))]
    found = replay(limit, received, None, events, CITY)
    assert found.resolve_by == at("2009-11-24T23:59:59")  # 19th, one day stood still: 20th, two more: 24th
    assert found.warn_at == at("2009-11-24T00:00")
    assert replay(limit, received, None, [], CITY) == due(limit, received, CITY)


def test_a_limit_from_sending_begins_with_the_first_sending():
    limit = Limit("working_days", 2, "x", count_from="sending")
    assert due(limit, at("2009-11-16T09:00"), CITY).resolve_by == at("2009-11-18T23:59:59")
    assert due(limit, at("2009-11-16T09:00"), CITY, at("2009-11-19T17:00")).resolve_by == at("2009-11-23T23:59:59")


def test_a_body_has_two_working_days_to_send_back():
    assert return_by(at("2009-11-20T16:00"), Limit("working_days", 3, "x"), CITY) == at("2009-11-24T23:59:59")


def test_every_listed_cause_has_an_end():
    assert set(PAUSES) == set(PauseCause)
    for cause, days in PAUSES.items():
        assert longest_pause(cause, at("2009-11-16T09:00")) == at("2009-11-16T09:00") + timedelta(days=days)


# --- which rule ---------------------------------------------------------------------------------------------------------
def rules(code):
    found = next(rules for rules in RULE_SETS if rules.code == code)
    return Law(tuple(Limit(**limit, rank=found.rank) for limit in found.limits))


@pytest.mark.parametrize(("code", "category", "complexity", "end", "warned"), [
    ("pingdu_2009", "heat.cold", "ordinary", "2009-11-20T23:59:59", None),
    ("pingdu_2009", "heat.fee", "complex", "2009-11-25T23:59:59", "2009-11-25T00:00"),
    ("shandong_2020", "heat.cold", "ordinary", "2009-11-27T23:59:59", "2009-11-27T00:00"),
    ("province_2017", "heat.cold", "complex", "2009-12-11T23:59:59", "2009-12-11T00:00"),
    ("other_city", "heat.cold", "complex", "2009-12-09T23:59:59", "2009-12-09T00:00"),
    ("other_city", "gas.leak", "ordinary", "2009-11-20T23:59:59", None),
    ("emergency", "gas.leak", "ordinary", "2009-11-20T16:30", "2009-11-20T16:15"),
])  # fmt: skip
def test_every_set_of_rules_gives_its_own_deadline(code, category, complexity, end, warned):
    received = at("2009-11-20T15:30")
    found = due(rules(code).pick(category, complexity, received.date()), received, CITY)
    assert found.resolve_by == at(end)
    if warned:
        assert found.warn_at == at(warned)
    assert found.source


def test_one_subclass_has_three_limits_on_two_clocks():
    received = at("2009-11-20T15:30")
    found = {limit.measure: due(limit, received, CITY).resolve_by
             for limit in rules("three_limits").measures("works.conduct", "complex", received.date())}  # fmt: skip
    assert found == {
        "停工": at("2009-11-23T10:30"), "处罚": at("2009-12-01T23:59:59"), "拆除": at("2009-12-18T23:59:59"),
    }  # fmt: skip


def test_the_closest_rule_of_the_highest_set_that_holds_that_day_is_taken():
    base = Limit("working_days", 5, "all", id=1)
    law = Law((
        base, replace(base, complexity="complex", amount=7, id=2), replace(base, category="heat", amount=2, id=3),
        replace(base, category="heat.leak", amount=1, id=4), replace(base, category="gas", rank=9, clock="minutes", id=5),
        replace(base, category="water", valid_to=date(2009, 11, 1), amount=9, id=6),
        replace(base, category="water", valid_from=date(2009, 11, 1), amount=8, id=7),
    ))  # fmt: skip

    def pick(category, complexity="ordinary", day=date(2009, 11, 17)):
        return law.pick(category, complexity, day).id

    assert pick("road.snow") == 1
    assert pick("road.snow", "complex") == 2
    assert (pick("heat.cold"), pick("heat.leak"), pick("heather")) == (3, 4, 1)
    assert pick("gas.leak") == 5
    assert (pick("water.none", day=date(2009, 10, 31)), pick("water.none", day=date(2009, 11, 1))) == (6, 7)
    assert Law(()).pick("heat.cold", "complex", date(2009, 11, 17)) in HOUSE.limits


def test_office_hours_of_another_city_count_otherwise():
    night = City(ZONE, CITY.calendar, ((time(20), time(23)),))
    assert due(Limit("working_hours", 4, "x"), at("2009-11-20T10:00"), night).resolve_by == at("2009-11-23T21:00")
