"""The law of a complaint: steps, clocks and promises, with the calendar's known answers."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.complaints.limits import resolve_by
from gis.complaints.rules import (
    LIMITS,
    OPEN,
    STEPS,
    BadEvidence,
    Complexity,
    Status,
    TextMissing,
    TextTooLong,
    TimeState,
    WrongStep,
    after,
    clean,
    close_time,
    evidence,
    may_step,
    possible,
    time_state,
)
from gis.people.rules import RIGHTS, Role
from gis.places.actions import _exceptions
from gis.workdays import WorkingDays
from tests.law import sample

ZONE = ZoneInfo("Asia/Shanghai")
moments = st.datetimes(datetime(2004, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture(scope="module")
def calendar():
    years = range(2009, 2027)
    days = {row["day"]: row["is_working"] for year in years for row in _exceptions(year)}
    return WorkingDays(frozenset(years), days)


# source: domain facts, section 7: day 0 is the day of receipt
@pytest.mark.parametrize(("start", "days", "end"), [
    ("2009-11-20", 3, "2009-11-25"), ("2009-09-30", 3, "2009-10-12"), ("2014-09-26", 3, "2014-09-30"),
    ("2014-09-30", 5, "2014-10-13"), ("2019-09-27", 5, "2019-10-10"), ("2019-09-30", 5, "2019-10-12"),
    ("2011-12-30", 3, "2012-01-05"), ("2026-02-13", 5, "2026-02-27"), ("2026-09-30", 5, "2026-10-13"),
])  # fmt: skip
def test_working_days_are_counted_as_the_notices_of_the_state_council_say(calendar, start, days, end):
    assert calendar.add(date.fromisoformat(start), days) == (date.fromisoformat(end), ())


def test_an_ordinary_matter_is_closed_the_same_day_of_the_city(calendar):
    for hour in (0, 1, 15):
        received = datetime(2009, 11, 17, hour, 59, 59, tzinfo=UTC)
        due = resolve_by(received, "ordinary", calendar, ZONE)
        assert due.resolve_by == datetime(2009, 11, 17, 15, 59, 59, tzinfo=UTC)
        assert due.missing_years == ()
    assert resolve_by(datetime(2009, 11, 17, 16, 0, tzinfo=UTC), "ordinary", calendar, ZONE).resolve_by.day == 18


@pytest.mark.parametrize(("received", "by"), [
    ("2009-11-20T10:00+08:00", "2009-11-25"), ("2009-09-30T23:59+08:00", "2009-10-12"),
    ("2014-09-26T08:00+08:00", "2014-09-30"), ("2011-12-30T08:00+08:00", "2012-01-05"),
])  # fmt: skip
def test_a_complex_matter_has_three_working_days_after_its_day(calendar, received, by):
    due = resolve_by(datetime.fromisoformat(received), "complex", calendar, ZONE)
    assert due.resolve_by == datetime.fromisoformat(f"{by}T23:59:59+08:00")


def test_a_year_without_a_calendar_is_counted_monday_to_friday_and_named(calendar):
    due = resolve_by(datetime(2026, 12, 30, 2, tzinfo=UTC), "complex", calendar, ZONE)
    assert due.resolve_by.date() == date(2027, 1, 4)
    assert due.missing_years == (2027,)
    assert resolve_by(datetime(2030, 1, 4, 2, tzinfo=UTC), "complex", WorkingDays(), ZONE).missing_years == (2030,)


@given(moments, st.sampled_from(Complexity))
def test_a_deadline_is_never_before_its_receipt_and_is_the_last_second_of_a_day(received, complexity):
    due = resolve_by(received, complexity, WorkingDays(), ZONE)
    assert due.resolve_by + timedelta(seconds=1) > received
    assert due.resolve_by.strftime("%H:%M:%S") == "23:59:59"
    assert due.source


# --- the clock ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hours", "state"), [
    (0, "green"), (4.99, "green"), (5, "yellow"), (7.49, "yellow"), (7.5, "orange"), (10, "orange"), (10.01, "red"),
])  # fmt: skip
def test_the_colour_changes_at_half_at_three_quarters_and_past_the_limit(hours, state):
    start = datetime(2009, 11, 17, tzinfo=UTC)
    assert time_state(start, start + timedelta(hours=10), start + timedelta(hours=hours)) == state


def test_what_was_closed_in_time_stays_done_and_what_was_late_stays_red():
    start = datetime(2009, 11, 17, tzinfo=UTC)
    by, long_after = start + timedelta(hours=10), start + timedelta(days=900)
    assert time_state(start, by, long_after, by) == TimeState.DONE
    assert time_state(start, by, long_after, by + timedelta(seconds=1)) == TimeState.RED


@given(moments, st.timedeltas(timedelta(days=-2), timedelta(days=30)), st.timedeltas(timedelta(), timedelta(days=60)))
def test_a_running_clock_never_goes_back(received, span, waited):
    order = [TimeState.GREEN, TimeState.YELLOW, TimeState.ORANGE, TimeState.RED]
    states = [time_state(received, received + span, received + waited * k) for k in (0, 0.3, 1)]
    assert states == sorted(states, key=order.index)


@given(st.sampled_from(Status), moments, st.none() | moments)
def test_only_what_is_not_open_has_a_closing_time(status, now, closed):
    assert (close_time(status, now, closed) is None) == (status in OPEN)


# --- steps -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", STEPS)
def test_a_step_leads_where_the_table_says_or_tells_what_is_possible(status, verb):
    step = STEPS[verb]
    if status in step.before:
        ends = {after(status, verb), after(status, verb, (step.when,))}
        assert ends == step.leads_to(status)
        assert (step.after or status) in ends
        assert verb in possible(status)
    else:
        with pytest.raises(WrongStep) as refused:
            after(status, verb)
        assert refused.value.params["possible"] == possible(status)
        assert verb not in possible(status)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", STEPS)
def test_a_step_is_for_the_roles_of_the_table_from_every_status(role, verb):
    step = STEPS[verb]
    assert may_step(role, verb) == (role in step.roles)
    for status in Status:
        allowed = status in step.before and role in step.roles_at(status)
        assert (verb in possible(status, role)) == allowed
        if allowed:
            assert role in step.roles
    assert any(role in step.roles_at(status) for status in step.before) == (role in step.roles)


def test_every_status_but_the_end_can_be_left_and_every_status_is_reached():
    reached = {end for step in STEPS.values() for before in step.before for end in step.leads_to(before) - {before}}
    assert reached | {Status.RECEIVED} == set(Status)
    assert [s for s in Status if not possible(s)] == [Status.CANCELLED]


def test_whoever_may_make_a_step_holds_the_right_of_its_route():
    for verb, step in STEPS.items():
        assert step.roles - {Role.CREW, Role.INSPECTOR} <= RIGHTS["take_step"], verb
    assert STEPS["assign"].roles <= RIGHTS["assign"]
    assert not may_step("supervisor", "dance")


@pytest.mark.parametrize("verb", STEPS)
def test_a_step_is_not_made_without_its_evidence(verb):
    fields = STEPS[verb].fields
    whole = {field.name: sample(field) for field in fields}
    assert set(evidence(verb, whole)) == set(whole)
    for field in fields:
        rest = {k: v for k, v in whole.items() if k != field.name}
        if field.required:
            for nothing in (rest, rest | {field.name: None}, rest | {field.name: "  "}):
                with pytest.raises(TextMissing):
                    evidence(verb, nothing)
        else:
            assert field.name not in evidence(verb, rest)
        if field.kind not in ("text", "measure"):
            with pytest.raises(BadEvidence):
                evidence(verb, whole | {field.name: "?!"})
        with pytest.raises((BadEvidence, TextTooLong)):
            evidence(verb, whole | {field.name: ["x"]})


# --- text --------------------------------------------------------------------------------------------------------------
@given(st.sampled_from(sorted(LIMITS)), st.text(max_size=5000))
def test_kept_text_is_short_printable_and_cleaned_only_once(field, text):
    try:
        kept = clean(field, text)
    except TextTooLong:
        return
    assert len(kept) <= LIMITS[field]
    assert "\0" not in kept
    assert clean(field, kept) == kept


def test_what_is_needed_must_hold_something():
    with pytest.raises(TextMissing):
        clean("description", "\u200b\0 \n", needed=True)
    assert clean("place", None) == ""
