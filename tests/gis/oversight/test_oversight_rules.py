"""The tables and pure functions of oversight, against the sources' own dates and numbers."""

from datetime import date

import pytest
from chinese_calendar import get_workdays
from hypothesis import given
from hypothesis import strategies as st

from gis.oversight.numerals import chinese_date, chinese_number
from gis.oversight.rules import (
    ENDED,
    NOTICE_STEPS,
    CallEnd,
    CallUnclear,
    NoticeStatus,
    WrongNoticeStep,
    call_end,
    notice_after,
    notice_no,
)
from gis.oversight.schedule import call_back_before, leader_days, pace
from gis.workdays import WorkingDays


def _year(year):
    worked = set(get_workdays(date(year, 1, 1), date(year, 12, 31)))
    days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)]
    return WorkingDays(frozenset({year}), {d: d in worked for d in days if (d in worked) != (d.weekday() < 5)})


def test_the_wednesdays_of_jining_2019_that_were_holidays_move_to_the_next_working_day():
    days = leader_days(date(2019, 1, 1), date(2019, 12, 31), 3, 4, 0, _year(2019))
    assert len(days) == 52
    moved = {d.planned_on: d.on_day for d in days if d.moved}
    assert moved == {
        date(2019, 2, 6): date(2019, 2, 11), date(2019, 5, 1): date(2019, 5, 5), date(2019, 10, 2): date(2019, 10, 8),
    }  # fmt: skip
    assert len({d.on_day for d in days}) == 52  # no two leaders on one day
    assert [d.turn for d in days[:5]] == [0, 1, 2, 3, 0]


def test_a_week_that_has_its_day_is_not_proposed_again_and_the_rota_goes_on():
    days = leader_days(date(2009, 11, 1), date(2009, 11, 30), 3, 2, 1, WorkingDays(), [date(2009, 11, 11)])
    assert [(d.planned_on.day, d.turn) for d in days] == [(4, 1), (18, 0), (25, 1)]


def test_nobody_is_proposed_where_the_rota_is_empty():
    assert {d.turn for d in leader_days(date(2009, 11, 1), date(2009, 11, 30), 3, 0, 0, WorkingDays())} == {None}


@pytest.mark.parametrize(
    ("today", "days", "before"),
    [(date(2009, 11, 17), 1, date(2009, 11, 17)),  # Tuesday: what was answered until Monday night
     (date(2009, 11, 23), 1, date(2009, 11, 23)),  # Monday: Friday's, Saturday's and Sunday's answers
     (date(2009, 11, 22), 1, date(2009, 11, 20)),  # Sunday: nothing of Friday is due before Monday
     (date(2009, 11, 17), 2, date(2009, 11, 16)),
     (date(2009, 11, 17), 0, date(2009, 11, 18))],
)  # fmt: skip
def test_a_call_back_is_due_on_the_next_working_day(today, days, before):
    assert call_back_before(today, days, WorkingDays()) == before


def test_the_campaign_of_2011_stands_against_its_pace():
    standing = pace(4_000, 10_000, date(2011, 9, 1), date(2011, 11, 30), date(2011, 10, 31))
    assert (standing.expected, standing.days_left, standing.per_day) == (6703, 31, 6000 / 31)
    assert standing.behind
    assert not standing.reached
    over = pace(9_999, 10_000, date(2011, 9, 1), date(2011, 11, 30), date(2011, 12, 1))
    assert (over.per_day, over.days_left, over.expected) == (None, 0, 10_000)
    assert pace(200, 200, date(2011, 9, 1), date(2011, 11, 30), date(2011, 12, 1)).per_day == 0.0
    assert pace(0, 200, date(2011, 9, 1), date(2011, 11, 30), date(2011, 8, 1)).expected == 0


@given(st.integers(0, 20_000), st.integers(0, 20_000), st.integers(-40, 400))
def test_a_pace_never_asks_for_less_than_nothing(done, target, day):
    standing = pace(
        done, target, date(2011, 9, 1), date(2011, 11, 30), date.fromordinal(date(2011, 9, 1).toordinal() + day)
    )
    assert standing.per_day is None or standing.per_day >= 0
    assert 0 <= standing.percent <= 100
    assert 0 <= standing.expected <= target


def test_official_dates_are_written_as_in_qingdao_2011():
    assert chinese_date(date(2011, 9, 2)) == "二〇一一年九月二日"
    assert chinese_date(date(2009, 11, 22)) == "二〇〇九年十一月二十二日"
    assert [chinese_number(n) for n in (1, 10, 11, 20, 31, 99)] == ["一", "十", "十一", "二十", "三十一", "九十九"]
    assert notice_no(2009, 1) == "督办〔2009〕1号"


@pytest.mark.parametrize("status", list(NoticeStatus))
def test_every_move_of_a_notice_is_the_tables_or_refused_with_what_is_possible(status):
    for verb, step in NOTICE_STEPS.items():
        if status in step.before:
            assert notice_after(status, verb) == step.after
        else:
            with pytest.raises(WrongNoticeStep) as refused:
                notice_after(status, verb)
            assert refused.value.params["possible"] == [s.verb for s in NOTICE_STEPS.values() if status in s.before]
    if status in ENDED:
        assert not any(status in step.before for step in NOTICE_STEPS.values())


@pytest.mark.parametrize(
    ("told", "attempt", "end"),
    [(("reached", True, "satisfied", "satisfied"), 1, "confirm"), (("reached", True, "dissatisfied", "basically"), 1, "confirm"),
     (("reached", True, "satisfied", "dissatisfied"), 1, "reopen"), (("reached", False, "satisfied", "satisfied"), 3, "reopen"),
     (("unreachable", None, None, None), 1, "again"), (("wrong_number", None, None, None), 2, "again"),
     (("unreachable", None, None, None), 3, "confirm"), (("refused", None, None, None), 1, "confirm")],
)  # fmt: skip
def test_what_follows_from_a_call(told, attempt, end):
    assert call_end(*told, attempt, 3) == CallEnd(end)


@pytest.mark.parametrize("told", [("reached", None, "satisfied", "satisfied"), ("reached", True, None, "satisfied"),
                                  ("reached", True, "satisfied", "happy"), ("unreachable", True, None, None)])  # fmt: skip
def test_a_call_that_says_half_is_refused(told):
    with pytest.raises(CallUnclear):
        call_end(*told, 1, 3)
