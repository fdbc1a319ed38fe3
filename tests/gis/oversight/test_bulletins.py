"""Bulletins against what the sources printed, on generated rows in a real database; and that every figure opens its list."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text

from gis.complaints.model import Category, Complaint
from gis.errors import Missing
from gis.oversight import counting_queries as asking
from gis.oversight.bulletins import Question, asked_of, bulletin
from gis.oversight.counting_model import Baseline
from gis.oversight.counting_queries import UNKNOWN, Counting, Narrow
from gis.oversight.model import FollowUpCall
from gis.oversight.periods import Period
from gis.oversight.rates import MEASURES, RATES, RateKey
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit

ZONE = ZoneInfo("Asia/Shanghai")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
_numbers = count(1)


def at(day: str, clock: str = "09:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)


def many(session: Any, n: int, received: datetime, by: datetime, closed: datetime | None = None, **fields: Any) -> None:
    """`n` complaints at once; closed ones are confirmed."""
    common = {
        "channel": "12345", "category": "heat.cold", "complexity": "ordinary", "located": "not_located", "description": "",
        "place": "", "status": "received" if closed is None else "confirmed", "received_at": received, "resolve_by": by,
        "closed_at": closed,
    } | fields  # fmt: skip
    if n:
        rows = [common | {"hotline_no": f"M{next(_numbers):09}"} for _ in range(n)]
        session.execute(insert(Complaint.__table__), rows)


def make(
    session: Any,
    kind: str,
    on: str,
    *,
    scope: Scope = CITY,
    now: datetime = LATER,
    last: str | None = None,
    **asked: Any,
) -> Any:
    period = Period.of(kind, date.fromisoformat(on), date.fromisoformat(last) if last else None)
    return bulletin(session, scope, Question(period, **asked), ZONE, now).as_dict()


def rate_of(made: Any, key: str) -> tuple[int, int, float | None]:
    row = next(r for r in made["rates"] if r["key"] == key)
    return row["numerator"], row["denominator"], row["percent"]


def counts_of(made: Any) -> dict[str, int]:
    return {row["key"]: row["count"] for row in made["figures"]}


# --- oracles ------------------------------------------------------------------------------------------------------------
def test_tianmen_in_december_2016(session):
    """hbcic.net.cn 74587: accepted 1,054, filed 996, due 972, closed 911 (93.72 %), on time 737 (75.82 %), 953 of 996 by patrol."""
    session.execute(insert(Category), [
        {"code": code, "name": name, "name_en": name, "utility": "other", "skill": "x", "complexity": "ordinary", "work_min": 1}
        for code, name in (("event.x", "事件"), ("component.x", "部件"))
    ])  # fmt: skip
    received, by, late = at("2016-12-05"), at("2016-12-20"), at("2016-12-25")
    after = at("2017-01-09")
    patrol, phone = {"channel": "patrol"}, {"channel": "12319"}
    event, component = {"category": "event.x"}, {"category": "component.x"}
    many(session, 731, received, by, by, **event, **patrol)  # on time, to the moment
    many(session, 171, received, by, late, **event, **patrol)  # closed, late
    many(session, 21, received, by, None, **event, **patrol)
    many(session, 33, received, by, after, **event, **phone)  # closed only in January
    many(session, 15, received, after, None, **event, **patrol)  # not due yet
    many(session, 6, received, by, at("2016-12-06"), **component, **patrol)
    many(session, 3, received, by, late, **component, **patrol)
    many(session, 6, received, by, None, **component, **patrol)
    many(session, 1, received, by, None, **component, **phone)
    many(session, 9, received, at("2017-01-01", "00:00"), None, **component, **phone)  # due at the open boundary
    many(session, 58, received, by, received, status="cancelled", **event, **phone)
    made = make(session, "month", "2016-12-31")
    found = counts_of(made)
    assert (found["accepted"], found["filed"], found["due"], found["closed"], found["on_time"]) == (
        1054,
        996,
        972,
        911,
        737,
    )
    assert rate_of(made, "closing") == (911, 972, 93.72)
    assert rate_of(made, "on_time") == (737, 972, 75.82)
    source = next(row for row in made["channels"] if row["key"] == "patrol")
    assert source["filed_share"] == {"numerator": 953, "denominator": 996, "percent": 95.68}
    groups = {row["key"]: row for row in made["category_groups"]}
    for key, filed, due, closed, percent in (("event", 971, 956, 902, 94.35), ("component", 25, 16, 9, 56.25)):
        row = groups[key]
        assert (row["counts"]["filed"], row["counts"]["due"], row["counts"]["closed"]) == (filed, due, closed)
        assert row["rates"]["closing"] == {"numerator": closed, "denominator": due, "percent": percent}
    assert sum(row["counts"]["filed"] for row in made["categories"]) == 996


def test_the_heating_week_of_pingdu(session):
    """sources/pingdu-2009: 1,569 calls, all closed, 224 a day, 4.7 for each 100 of 33,500 households."""
    district = make_area(session, households=33_500).id
    units = [make_unit(session, name=name).id for name in ("兴平热电", "金泉热力")]
    days = [date(2009, 11, 16) + timedelta(days=n) for n in range(7)]
    for n, (day, calls) in enumerate(zip(days, (345, 298, 251, 204, 188, 157, 126), strict=True)):
        shift = {"district_id": district, "unit_id": units[n % 2]}
        received = at(day.isoformat(), "10:00")
        many(session, calls, received, at(day.isoformat(), "23:59:59"), received + timedelta(hours=2), **shift)
    many(session, 5, at("2009-11-15", "23:59:59"), at("2009-11-15", "23:59:59"), at("2009-11-15", "23:59:59"))
    many(session, 5, at("2009-11-23", "00:00"), at("2009-11-23", "23:59:59"), at("2009-11-23", "08:00"))
    made = make(session, "week", "2009-11-22")
    assert counts_of(made)["accepted"] == 1_569
    assert rate_of(made, "closing") == (1_569, 1_569, 100.0)
    assert made["per_day"] == {"count": 1_569, "of": 7, "each": 1, "value": 224.0}
    assert made["per_100_households"] == {"count": 1_569, "of": 33_500, "each": 100, "value": 4.7}
    assert [row["name"] for row in made["units"]] == ["兴平热电", "金泉热力"]
    assert [row["rank"] for row in made["units"]] == [1, 1]


def test_september_2019_in_jining(session):
    """sources/jining-2019: 69,345 received, 66,111 valid, 26,338 passed on, 99.30 % on time; other channels stay visible."""
    received, by = at("2019-09-10"), at("2019-09-17")
    text_fill = text(
        """
        INSERT INTO complaint (hotline_no, channel, category, complexity, status, description, place, located, received_at,
                               resolve_by, closed_at, sent_at, deadline_source)
        SELECT 'J' || i, CASE WHEN i % 100 = 0 THEN 'mailbox' WHEN i % 50 = 1 THEN 'app' ELSE '12345' END, 'other', 'ordinary',
               CASE WHEN i <= 66111 THEN 'confirmed' ELSE 'cancelled' END, '', '', 'not_located', :received,
               CASE WHEN i <= 26338 THEN CAST(:by AS timestamptz) ELSE CAST(:after AS timestamptz) END,
               CAST(:by AS timestamptz) + CASE WHEN i <= 184 THEN interval '1 second' ELSE interval '0' END,
               CASE WHEN i <= 26338 THEN CAST(:received AS timestamptz) END, ''
          FROM generate_series(1, 69345) i
        """
    )
    session.execute(text_fill, {"received": received, "by": by, "after": at("2019-10-08")})
    made = make(session, "month", "2019-09-30")
    found = counts_of(made)
    assert (found["accepted"], found["filed"], found["passed_on"], found["due"]) == (69_345, 66_111, 26_338, 26_338)
    assert rate_of(made, "on_time") == (26_154, 26_338, 99.3)
    channels = {row["key"]: row["counts"]["accepted"] for row in made["channels"]}
    assert sum(channels.values()) == 69_345
    assert set(channels) == {"12345", "app", "mailbox"}


# --- boundaries ------------------------------------------------------------------------------------------------------------
def test_a_day_begins_at_midnight_and_ends_before_the_next(session):
    for clock, inside in (("2009-11-16T23:59:59.999999", 0), ("2009-11-17T00:00", 1), ("2009-11-17T23:59:59.999999", 1),
                          ("2009-11-18T00:00", 0)):  # fmt: skip
        before = counts_of(make(session, "day", "2009-11-17"))["accepted"]
        moment = datetime.fromisoformat(clock).replace(tzinfo=ZONE)
        many(session, 1, moment, moment + timedelta(days=9))
        assert counts_of(make(session, "day", "2009-11-17"))["accepted"] == before + inside, clock


def test_what_was_received_this_very_moment_is_in_todays_bulletin(session):
    many(session, 1, NOW, NOW + timedelta(hours=3))
    made = make(session, "day", "2009-11-17", now=NOW)
    assert made["period"]["running"]
    assert counts_of(made)["accepted"] == 1
    assert counts_of(made)["due"] == 0, "a limit that has not ended is nobody's fault yet"
    assert rate_of(made, "on_time") == (0, 0, None)


def test_what_is_closed_after_the_period_was_not_closed_in_it(session):
    many(session, 1, at("2009-11-17"), at("2009-11-17", "18:00"), at("2009-11-18", "00:00"))
    assert rate_of(make(session, "day", "2009-11-17"), "closing") == (0, 1, 0.0)
    assert rate_of(make(session, "week", "2009-11-17"), "closing") == (1, 1, 100.0)
    assert rate_of(make(session, "week", "2009-11-17"), "on_time") == (0, 1, 0.0)


def test_joined_cancelled_and_paused_complaints_are_not_due(session):
    main = make_complaint(session, received_at=at("2009-11-17"), resolve_by=at("2009-11-17", "12:00"))
    common = {"received_at": at("2009-11-17"), "resolve_by": at("2009-11-17", "12:00")}
    make_complaint(session, status="merged", merged_into_id=main.id, closed_at=NOW, **common)
    make_complaint(session, status="cancelled", closed_at=NOW, **common)
    make_complaint(session, paused_at=NOW, **common)
    found = counts_of(make(session, "day", "2009-11-17"))
    assert (found["accepted"], found["filed"], found["due"], found["repeated"], found["cancelled"]) == (4, 2, 1, 1, 1)


# --- no data, comparison --------------------------------------------------------------------------------------------------
def test_an_empty_period_says_no_data_everywhere_and_never_a_hundred(session):
    made = make(session, "week", "2009-11-22")
    assert {row["percent"] for row in made["rates"]} == {None}
    assert {row["count"] for row in made["figures"]} == {0}
    assert made["per_100_households"]["value"] is None
    assert made["areas"] == made["units"] == made["channels"] == []
    assert all(row["arrow_previous"] is None and row["previous"] is None for row in made["figures"])
    json.dumps(made)


def test_a_period_is_compared_with_the_one_before_and_with_the_same_dates_last_year(session):
    for day, closed, still in (("2009-11-18", 3, 1), ("2009-11-11", 1, 1), ("2008-11-18", 2, 0)):
        many(session, closed, at(day), at(day, "12:00"), at(day, "11:00"))
        many(session, still, at(day), at(day, "12:00"))
    made = make(session, "week", "2009-11-22")
    row = next(r for r in made["rates"] if r["key"] == "on_time")
    assert (row["percent"], row["previous"]["percent"], row["last_year"]["percent"]) == (75.0, 50.0, 100.0)
    assert (row["points_previous"], row["arrow_previous"]) == (25.0, "up")
    assert (row["points_last_year"], row["arrow_last_year"]) == (-25.0, "down")
    accepted = made["figures"][0]
    assert (accepted["count"], accepted["previous"], accepted["growth_previous"]) == (4, 2, 100.0)
    response = next(r for r in made["rates"] if r["key"] == "response")
    assert (response["points_previous"], response["arrow_previous"]) == (None, None)


def test_half_a_month_is_compared_with_half_a_month(session):
    many(session, 2, at("2009-10-05"), at("2009-10-06"))
    many(session, 7, at("2009-10-29"), at("2009-10-30"))
    many(session, 3, at("2009-11-05"), at("2009-11-06"))
    accepted = make(session, "month", "2009-11-17", now=NOW)["figures"][0]
    assert (accepted["count"], accepted["previous"]) == (3, 2)


# --- bodies, rankings, baselines ------------------------------------------------------------------------------------------
def test_bodies_are_ranked_with_ties_against_the_baseline_of_the_time(session):
    names = ("甲", "乙", "丙", "丁")
    units = {name: make_unit(session, name=name).id for name in names}
    for name, good, bad in (("甲", 9, 1), ("乙", 17, 3), ("丙", 90, 10)):
        many(session, good, at("2009-11-17"), at("2009-11-17", "18:00"), at("2009-11-17", "12:00"), unit_id=units[name])
        many(session, bad, at("2009-11-17"), at("2009-11-17", "18:00"), unit_id=units[name])
    many(session, 4, at("2009-11-17"), at("2009-12-17"), unit_id=units["丁"])
    many(session, 2, at("2009-11-17"), at("2009-11-17", "18:00"))
    session.add_all([
        Baseline(rate="on_time", percent=Decimal(80), valid_from=date(2009, 1, 1), source="甲文"),
        Baseline(rate="on_time", percent=Decimal(90), valid_from=date(2009, 11, 1), source="乙文"),
        Baseline(rate="on_time", percent=Decimal(99), valid_from=date(2009, 12, 1), source="丙文"),
    ])  # fmt: skip
    session.flush()
    made = make(session, "week", "2009-11-22")
    told = [(row["name"], row["rank"], row["meets"]) for row in made["units"]]
    assert told == [("丙", 1, True), ("甲", 1, True), ("乙", 3, False), ("丁", None, None), (None, None, None)]
    on_time = next(r for r in made["rates"] if r["key"] == "on_time")
    assert (on_time["baseline"], on_time["baseline_source"], on_time["meets"]) == (90.0, "乙文", False)
    again = make(session, "week", "2009-11-22", rank_by=RateKey.RETURN)
    assert [row["rank"] for row in again["units"]] == [None] * 5


def test_the_lowest_satisfaction_that_is_allowed_comes_from_its_source(session):
    limits = asking.baselines(session, date(2009, 11, 22))
    assert limits["result_satisfaction"][0] == Decimal(85)
    assert "dyrmt" in limits["result_satisfaction"][1]


def test_rates_of_passing_on_signing_returning_and_reworking(session):
    sent = at("2009-11-17")
    common = {"received_at": sent, "resolve_by": at("2009-11-18", "12:00"), "sent_at": sent}
    make_complaint(session, status="signed", signed_at=sent + timedelta(hours=24), **common)
    make_complaint(session, status="signed", signed_at=sent + timedelta(hours=24, seconds=1), return_count=2, **common)
    make_complaint(session, status="sent", **common)
    make_complaint(session, status="reopened", reopen_count=1, **common)
    make_complaint(session, status="answered", closed_at=at("2009-11-18", "11:00"), **common)
    made = make(session, "week", "2009-11-22")
    assert rate_of(made, "response") == (1, 5, 20.0)
    assert rate_of(made, "return") == (1, 5, 20.0)
    assert rate_of(made, "rework") == (1, 2, 50.0)
    longer = make(session, "week", "2009-11-22", rules=Counting(response_hours=25))
    assert rate_of(longer, "response") == (2, 5, 40.0)


def _call(session, complaint, day, attempt=1, outcome="reached", solved=None, process=None, result=None):
    session.add(FollowUpCall(complaint_id=complaint.id, at=at(day), attempt=attempt, outcome=outcome, solved=solved,
                             process=process, result=result))  # fmt: skip
    session.flush()


def test_process_and_result_satisfaction_are_two_rates_of_those_who_were_reached(session):
    made = [make_complaint(session, status="answered", closed_at=at("2009-11-17")) for _ in range(5)]
    _call(session, made[0], "2009-11-17", outcome="unreachable")
    _call(session, made[0], "2009-11-18", 2, "reached", True, "satisfied", "basically")
    _call(session, made[0], "2009-11-19", 3, "unreachable")  # the answer counts, not the last try
    _call(session, made[1], "2009-11-17", 1, "reached", False, "dissatisfied", "dissatisfied")
    _call(session, made[1], "2009-11-20", 2, "reached", True, "satisfied", "dissatisfied")  # the last answer counts
    _call(session, made[2], "2009-11-17", outcome="unreachable")
    _call(session, made[3], "2009-11-17", outcome="wrong_number")
    _call(session, made[4], "2009-11-09", 1, "reached", True, "satisfied", "satisfied")  # the week before
    week = make(session, "week", "2009-11-22")
    assert rate_of(week, "solving") == (2, 2, 100.0)
    assert rate_of(week, "process_satisfaction") == (2, 2, 100.0)
    assert rate_of(week, "result_satisfaction") == (1, 2, 50.0)
    assert rate_of(week, "unreachable") == (2, 4, 50.0)
    strict = make(session, "week", "2009-11-22", rules=Counting(basically_counts=False))
    assert rate_of(strict, "result_satisfaction") == (0, 2, 0.0)
    assert next(r for r in week["rates"] if r["key"] == "result_satisfaction")["previous"]["percent"] == 100.0


def test_a_dissatisfied_caller_alone_makes_no_data_a_zero(session):
    complaint = make_complaint(session)
    _call(session, complaint, "2009-11-17", outcome="unreachable")
    week = make(session, "week", "2009-11-22")
    assert rate_of(week, "result_satisfaction") == (0, 0, None)


# --- lists -----------------------------------------------------------------------------------------------------------------
def test_repeated_matters_key_supervision_and_what_is_late_are_listed(session):
    day = {"received_at": at("2009-11-17"), "resolve_by": at("2009-11-18")}
    main = make_complaint(session, place="文丰小区3号楼", repeat_count=3, key_since=at("2009-11-17", "15:00"), **day)
    for _ in range(3):
        make_complaint(session, status="merged", merged_into_id=main.id, closed_at=NOW, **day)
    make_complaint(session, received_at=at("2009-11-17"), resolve_by=at("2009-12-18"))
    make_complaint(session, paused_at=at("2009-11-17"), **day)
    made = make(session, "week", "2009-11-22")
    assert [(row["hotline_no"], row["times"]) for row in made["repeated"]] == [(main.hotline_no, 4)]
    assert (made["supervised"]["count"], made["supervised"]["rows"][0]["id"]) == (1, main.id)
    assert [row["id"] for row in made["overdue"]["rows"]] == [main.id]
    assert rate_of(made, "repeat") == (3, 6, 50.0)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_a_figure_and_the_list_it_opens_are_the_same(session, measure):
    area, unit = make_area(session).id, make_unit(session).id
    for n in range(24):
        closed = (None, at("2009-11-18"), at("2009-11-21"))[n % 3]
        status = "answered" if closed else "received"
        made = make_complaint(
            session, received_at=at("2009-11-17"), resolve_by=at("2009-11-19"), closed_at=closed, status=status,
            sent_at=at("2009-11-17") if n % 2 else None, signed_at=at("2009-11-18", f"{n % 24:02}:00") if n % 4 == 1 else None,
            return_count=int(n % 5 == 0), reopen_count=int(n % 7 == 0), district_id=area if n % 2 else None,
            unit_id=unit if n % 3 else None, channel=("12345", "app")[n % 2], category=("heat.cold", "water.none")[n % 2],
        )  # fmt: skip
        if n % 4 == 3:
            outcome = ("reached", "unreachable")[n % 8 == 7]
            told = {"solved": True, "process": "satisfied", "result": "basically"} if outcome == "reached" else {}
            _call(session, made, "2009-11-20", outcome=outcome, **told)
    make_complaint(session, status="cancelled", received_at=at("2009-11-17"), closed_at=NOW)
    main = make_complaint(session, received_at=at("2009-11-17"))
    make_complaint(session, status="merged", merged_into_id=main.id, received_at=at("2009-11-17"), closed_at=NOW)
    question = Question(Period.of("week", date(2009, 11, 22)))
    asked, span = asked_of(session, CITY, question), question.period.span(ZONE, LATER)
    counted = asking.count(session, asked, span)
    groups = {"area": counted.groups["area"], "unit": counted.groups["unit"], "channel": counted.groups["channel"],
              "category": counted.groups["category"]}  # fmt: skip
    for name, rows in groups.items():
        assert sum(row[measure] for row in rows.values()) == counted.whole[measure]
        for key, row in rows.items():
            narrow = Narrow(**{name: UNKNOWN if key is None else key})
            assert asking.how_many(session, asked, span, measure, narrow) == row[measure]
            assert len(asking.rows(session, asked, span, measure, narrow)) == row[measure]
    assert asking.how_many(session, asked, span, measure, Narrow()) == counted.whole[measure] > 0
    assert (
        asking.how_many(session, asked, span, measure, Narrow(category="heat"))
        == counted.groups["category"]["heat.cold"][measure]
    )
    first = asking.rows(session, asked, span, measure, Narrow(), limit=1)
    second = asking.rows(session, asked, span, measure, Narrow(), limit=1, offset=1)
    assert counted.whole[measure] == 1 or first != second


# --- who sees what ------------------------------------------------------------------------------------------------------------
def test_everybody_counts_what_they_see_and_an_area_is_told_by_the_areas_below_it(session):
    district, other = make_area(session, households=100), make_area(session)
    street = make_area(session, level="street", parent_id=district.id)
    unit = make_unit(session)
    many(session, 3, at("2009-11-17"), at("2009-11-18"), district_id=district.id, street_id=street.id, unit_id=unit.id)
    many(session, 4, at("2009-11-17"), at("2009-11-18"), district_id=other.id)
    assert counts_of(make(session, "week", "2009-11-22"))["accepted"] == 7
    mine = make(session, "week", "2009-11-22", scope=Scope(area_id=district.id))
    assert counts_of(mine)["accepted"] == 3
    assert (mine["area_level"], [row["name"] for row in mine["areas"]]) == ("street", [street.name])
    assert mine["per_100_households"]["value"] == 3.0
    chosen = make(session, "week", "2009-11-22", district=other.id)
    assert (counts_of(chosen)["accepted"], chosen["subject"]["area"]) == (4, other.name)
    assert counts_of(make(session, "week", "2009-11-22", unit=unit.id))["accepted"] == 3
    assert counts_of(make(session, "week", "2009-11-22", scope=Scope(unit_id=unit.id)))["accepted"] == 3
    with pytest.raises(Missing):
        make(session, "week", "2009-11-22", district=10**9)
    with pytest.raises(Missing):  # not even its name is told
        make(session, "week", "2009-11-22", scope=Scope(area_id=district.id), district=other.id)
    with pytest.raises(Missing):
        make(session, "week", "2009-11-22", scope=Scope(unit_id=unit.id), unit=make_unit(session).id)


def test_every_rate_is_told_with_its_definition_and_nothing_personal(session):
    make_complaint(session, place="文丰小区 13812345678", received_at=at("2009-11-10"), resolve_by=at("2009-11-11"))
    made = make(session, "week", "2009-11-22")
    assert {row["key"] for row in made["definitions"]} == set(RATES) == {row["key"] for row in made["rates"]}
    assert all(row["numerator_words"] and row["denominator_words"] and row["source"] for row in made["definitions"])
    assert "13812345678" not in json.dumps(made, ensure_ascii=False)
