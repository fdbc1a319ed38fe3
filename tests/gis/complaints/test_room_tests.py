"""Room tests: 24 hours, the city's own table with its boundaries exact, a person decides."""

from datetime import date, timedelta
from decimal import Decimal as D
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis.complaints import room_actions as actions
from gis.complaints import room_queries as asking
from gis.complaints.room_rules import (
    BadRefundRule,
    BadTemperature,
    NoRefundTable,
    NotAboutWarmth,
    RefundGap,
    RefundRow,
    RefundRowsOverlap,
    RoomOpening,
    RoomTestOpen,
    RoomTestStep,
    gaps,
    judged,
    one_digit,
)
from gis.errors import BadInput, Missing, StaleVersion
from gis.journal import Who
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_complaint, make_unit, make_user

DAY = date(2009, 11, 17)
ZONE = ZoneInfo("Asia/Shanghai")
# Weifang's table as it is told: below 16 the whole fee of the days, from 16 to below 18 half of it; from 18 on nothing.
WEIFANG = [
    RefundRow(1, None, D("16.0"), D(100), "潍坊"),
    RefundRow(2, D("16.0"), D("18.0"), D(50), "潍坊"),
    RefundRow(3, D("18.0"), None, D(0), "潍坊"),
]
degrees = st.decimals("-30.0", "60.0", places=1)


@pytest.mark.parametrize(
    ("temperature", "percent", "days"),
    [
        ("15.9", 100, 3),
        ("16.0", 50, 3),
        ("16.1", 50, 3),
        ("17.9", 50, 3),
        ("18.0", 0, 0),
        ("18.1", 0, 0),
        ("-3.0", 100, 3),
    ],
)
def test_the_boundaries_fall_where_the_words_put_them(temperature, percent, days):
    found = judged(WEIFANG, D(temperature), DAY, DAY + timedelta(days=2))
    assert (found.percent, found.days) == (percent, days)


@given(degrees)
def test_a_whole_table_judges_every_temperature_as_its_words_do(t):
    wanted = 100 if t < 16 else 50 if t < 18 else 0
    assert judged(WEIFANG, t, DAY, DAY).percent == wanted
    assert gaps(WEIFANG) == []


@given(st.lists(degrees, min_size=2, max_size=8, unique=True), st.data())
def test_a_temperature_is_in_a_gap_exactly_where_no_row_holds_it(bounds, data):
    bounds = sorted(bounds)
    pairs = [(None, bounds[0]), *pairwise(bounds), (bounds[-1], None)]
    kept = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    rows = [RefundRow(n, low, high, D(n), "s") for n, (low, high) in enumerate(kept)]
    missing = gaps(data.draw(st.permutations(rows)))
    t = data.draw(degrees | st.sampled_from(bounds))
    in_gap = any((low is None or low <= t) and (high is None or t < high) for low, high in missing)
    held = [row for row in rows if row.holds(t)]
    assert len(held) == (0 if in_gap else 1)
    if in_gap:
        with pytest.raises(RefundGap):
            judged(rows, t, DAY, DAY)
    else:
        assert judged(rows, t, DAY, DAY).rule_id == held[0].id


def test_without_a_table_nothing_is_judged():
    with pytest.raises(NoRefundTable):
        judged([], D(15), DAY, DAY)
    assert gaps([]) == [(None, None)]


@pytest.mark.parametrize("raw", ["", "x", "NaN", "Infinity", "15.95", "1e3", "-40", "60.1"])
def test_a_temperature_that_cannot_be_is_refused(raw):
    with pytest.raises(BadTemperature):
        one_digit(raw)
    assert one_digit(" 16.0 ") == one_digit("16") == D("16.0")


@pytest.fixture
def weifang(session, who):
    for row in WEIFANG:
        actions.add_rule(session, who, city="潍坊", low_c=row.low_c, high_c=row.high_c, percent=row.percent, begins=date(2009, 11, 1),
                         ends=None, source="潍坊供热退费办法")  # fmt: skip


def measured(temperature="15.9", at=NOW):
    return actions.Measured(D(temperature), at, "卧室", RoomOpening.CLOSED, D("-5.0"), "距地 1.5 米")


def request_one(session, **fields):
    return actions.request_test(session, Who(NOW), make_complaint(session, **fields))


def test_a_test_is_asked_for_measured_proposed_and_decided_by_a_person(session, weifang):
    person = make_user(session)
    test = request_one(session)
    assert test.measure_by == NOW + timedelta(hours=24)
    with pytest.raises(RoomTestOpen), session.begin_nested():
        actions.request_test(session, Who(NOW), session.get(actions.Complaint, test.complaint_id))
    later = Who(NOW + timedelta(hours=20), person.id)  # after midnight by the city's clock
    actions.measure(session, later, CITY, test.id, measured("16.0", later.now), "潍坊", ZONE, test.version)
    assert (test.proposed_percent, test.proposed_days) == (50, 2)
    with pytest.raises(BadInput, match="words"):
        actions.decide(session, later, CITY, test.id, D(100), 2, "", test.version)
    with pytest.raises(StaleVersion):
        actions.decide(session, later, CITY, test.id, D(50), 2, "", test.version - 1)
    actions.decide(session, later, CITY, test.id, D(50), 2, "", test.version)
    with pytest.raises(RoomTestStep):
        actions.measure(session, later, CITY, test.id, measured(), "潍坊", ZONE, None)
    told = asking.told(session, CITY, test.id)
    assert (told.decider, told.measurer, told.rule_source) == (person.full_name, person.full_name, "潍坊供热退费办法")
    verbs = session.scalars(text("SELECT verb FROM journal WHERE thing = 'room_test' ORDER BY seq")).all()
    assert verbs == ["request", "measure", "decide"]
    again = actions.request_test(session, Who(NOW), session.get(actions.Complaint, test.complaint_id))
    actions.cancel(session, Who(NOW), CITY, again.id, "用户不在家", again.version)


def test_without_a_table_nothing_is_proposed_and_words_are_needed(session, who):
    test = request_one(session)
    actions.measure(session, who, CITY, test.id, measured(), "", ZONE, None)
    assert (test.proposed_percent, test.rule_id) == (None, None)
    with pytest.raises(BadInput, match="words"):
        actions.decide(session, who, CITY, test.id, D(0), 0, " ", None)


def test_a_day_over_is_told_once(session):
    test = request_one(session)
    later = Who(NOW + timedelta(hours=24, seconds=1))
    assert actions.tell_overdue(session, Who(NOW + timedelta(hours=24))) == 0
    assert (actions.tell_overdue(session, later), actions.tell_overdue(session, later)) == (1, 0)
    assert asking.counts(session, CITY, later.now)["overdue"] == 1
    assert asking.tests(session, CITY)[0].RoomTest.id == test.id


@pytest.mark.parametrize("at", [NOW - timedelta(hours=1), NOW + timedelta(hours=1)])
def test_it_is_measured_between_the_request_and_now(session, who, at):
    test = request_one(session)
    with pytest.raises(BadInput, match="measured_at"):
        actions.measure(session, who, CITY, test.id, measured(at=at), "", ZONE, None)


def test_only_a_cold_room_is_tested_and_only_by_those_who_see_it(session, who):
    with pytest.raises(NotAboutWarmth):
        request_one(session, category="water.burst")
    ours, theirs = make_unit(session), make_unit(session)
    test = request_one(session, unit_id=theirs.id)
    with pytest.raises(Missing):
        actions.measure(session, who, Scope(unit_id=ours.id), test.id, measured(), "", ZONE, None)
    assert asking.tests(session, Scope(unit_id=ours.id)) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.none() | degrees, st.none() | degrees, st.integers(0, 20), st.none() | st.integers(1, 20)),
        min_size=2,
        max_size=5,
    )
)
def test_the_database_refuses_two_rows_exactly_where_they_share_a_degree_and_a_day(session, rows):
    kept = []
    with session.begin_nested() as undone:
        for low, high, first, length in rows:
            begins = DAY + timedelta(days=first)
            ends = None if length is None else begins + timedelta(days=length)
            given_row = {
                "city": "测",
                "low_c": low,
                "high_c": high,
                "percent": D(50),
                "begins": begins,
                "ends": ends,
                "source": "s",
            }
            if low is not None and high is not None and low >= high:
                with pytest.raises(BadRefundRule):
                    actions.add_rule(session, Who(NOW), **given_row)
                continue
            if any(_share(a, (low, high, begins, ends)) for a in kept):
                with pytest.raises(RefundRowsOverlap), session.begin_nested():
                    actions.add_rule(session, Who(NOW), **given_row)
            else:
                with session.begin_nested():
                    actions.add_rule(session, Who(NOW), **given_row)
                kept.append((low, high, begins, ends))
        undone.rollback()


def _share(a, b):
    def meet(low, high, other_low, other_high):
        return (high is None or other_low is None or other_low < high) and (
            other_high is None or low is None or low < other_high
        )

    return meet(a[0], a[1], b[0], b[1]) and meet(a[2], a[3], b[2], b[3])


def test_a_table_that_ends_judges_no_more_but_what_it_judged_stays(session, who, weifang):
    rule = asking.rules(session)[0][0]
    actions.end_rule(session, who, rule.id, DAY, rule.version)
    assert len(asking.table(session, "潍坊", DAY)) == 2
    assert len(asking.table(session, "潍坊", DAY - timedelta(days=1))) == 3
    assert asking.cities(session, DAY) == ["潍坊"]
    with pytest.raises(BadRefundRule):
        actions.end_rule(session, who, rule.id, DAY, None)
