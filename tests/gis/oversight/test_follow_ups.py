"""Call-backs and handovers: what follows from a call, who is to be called, cases handed over one by one."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from gis.complaints.rules import TextMissing
from gis.errors import Missing, StaleVersion
from gis.oversight import follow_up_queries, follow_ups
from gis.oversight.follow_ups import Told
from gis.oversight.rules import CallEnd, HandedOver, ItemEnded, NotAnswered, OtherUnit
from gis.people.rules import CITY, Scope
from gis.workdays import WorkingDays
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")
HAPPY = Told("reached", True, "satisfied", "basically")
UNHAPPY = Told("reached", False, "satisfied", "dissatisfied", "还是只有14度,打13812345678")


def _answered(session, **fields):
    ago = NOW - timedelta(days=1)
    return make.make_complaint(
        session, **({"status": "answered", "answered_at": ago, "closed_at": ago, "resolved_at": ago} | fields)
    )


def _calls(session, now=NOW, scope=CITY):
    return follow_up_queries.call_list(
        session, scope, now, before=date(2009, 11, 17), zone=ZONE, again_hours=4, attempts=3, within_days=30
    )


def test_a_satisfied_caller_confirms_and_process_and_result_are_kept_apart(session, who):
    case = _answered(session, unit_id=make.make_unit(session).id)
    made = follow_ups.follow_up(session, who, case, HAPPY, base_version=case.version)
    assert (made.end, case.status) == (CallEnd.CONFIRM, "confirmed")
    assert (made.call.process, made.call.result, made.call.solved, made.call.attempt) == (
        "satisfied",
        "basically",
        True,
        1,
    )
    assert made.call.unit_id == case.unit_id


def test_a_dissatisfied_caller_has_it_handled_again_and_must_say_why(session, who):
    case = _answered(session)
    with session.begin_nested() as point, pytest.raises(TextMissing):
        try:
            follow_ups.follow_up(session, who, case, Told("reached", False, "satisfied", "dissatisfied"))
        finally:
            point.rollback()
    session.refresh(case)
    made = follow_ups.follow_up(session, who, case, UNHAPPY, base_version=case.version)
    assert (made.end, case.status, case.reopen_count, case.closed_at) == (CallEnd.REOPEN, "reopened", 1, None)
    assert "13812345678" not in made.call.note


def test_who_cannot_be_reached_is_tried_again_and_in_the_end_not_counted_as_satisfied(session, who):
    case = _answered(session)
    nothing = Told("unreachable")
    assert [follow_ups.follow_up(session, who, case, nothing).end for _ in range(3)] == ["again", "again", "confirm"]
    assert case.status == "confirmed"
    told = follow_up_queries.told_today(session, CITY, NOW - timedelta(hours=1))
    assert (told["calls"], told["reached"], told["result"]) == (3, 0, 0)


def test_only_what_was_answered_is_called_back_on_the_version_that_was_seen(session, who):
    with pytest.raises(NotAnswered):
        follow_ups.follow_up(session, who, make.make_complaint(session), HAPPY)
    with pytest.raises(StaleVersion):
        follow_ups.follow_up(session, who, _answered(session), HAPPY, base_version=9)


def test_the_list_has_who_is_due_and_keeps_who_was_tried_for_later(session, who):
    due, fresh = _answered(session), _answered(session, answered_at=NOW - timedelta(minutes=5))
    calls = _calls(session)
    assert [row["id"] for row in calls.due] == [due.id]
    assert (calls.total_due, calls.later) == (1, 1)
    follow_ups.follow_up(session, who, due, Told("unreachable"))
    calls = _calls(session, NOW + timedelta(hours=1))
    assert ([r["id"] for r in calls.due], [r["id"] for r in calls.waiting]) == ([], [due.id])
    assert [row["id"] for row in _calls(session, NOW + timedelta(hours=5)).due] == [due.id]
    assert not _calls(session, scope=Scope(area_id=make.make_area(session).id)).due
    assert not follow_up_queries.call_list(session, CITY, NOW + timedelta(days=40), before=date(2009, 12, 25), zone=ZONE,
                                           again_hours=4, attempts=3, within_days=30).due  # fmt: skip
    assert fresh.status == "answered"


def test_a_merged_caller_is_called_too_and_reopens_the_main_complaint(session, who):
    main = _answered(session)
    merged = _answered(session, status="merged", merged_into_id=main.id)
    assert {row["id"] for row in _calls(session).due} == {main.id, merged.id}
    follow_ups.follow_up(session, who, merged, UNHAPPY)
    assert (merged.status, main.status) == ("merged", "reopened")
    assert not _calls(session).due


def test_cases_are_handed_over_one_by_one_each_with_its_limit_and_its_end(session, who):
    unit = make.make_unit(session)
    cases = [_answered(session, unit_id=unit.id) for _ in range(2)]
    for case in cases:
        follow_ups.follow_up(session, who, case, UNHAPPY)
    assert {r["id"] for r in follow_up_queries.to_hand_over(session, CITY)} == {c.id for c in cases}
    give = {"note": "主要负责人亲自办理", "calendar": WorkingDays(frozenset({2009})), "zone": ZONE}
    made = follow_ups.hand_over(session, who, CITY, {cases[0].id: None, cases[1].id: 1}, {}, **give)
    items = follow_up_queries.items(session, made.id)
    assert [i["end_by"].astimezone(ZONE).day for i in items] == [24, 18]
    assert not follow_up_queries.to_hand_over(session, CITY)
    with pytest.raises(HandedOver), session.begin_nested():
        follow_ups.hand_over(session, who, CITY, {cases[0].id: None}, {}, **give)
    follow_ups.end_item(session, who, made.id, items[0]["id"], "已办结")
    with pytest.raises(ItemEnded):
        follow_ups.end_item(session, who, made.id, items[0]["id"], "再办结")
    row = follow_up_queries.handover(session, Scope(unit_id=unit.id), made.id, NOW)
    assert (row["cases"], row["ended"]) == (2, 1)
    with pytest.raises(Missing):
        follow_up_queries.handover(session, Scope(unit_id=make.make_unit(session).id), made.id, NOW)


def test_a_list_goes_to_one_unit(session, who):
    cases = [_answered(session, unit_id=make.make_unit(session).id) for _ in range(2)]
    with pytest.raises(OtherUnit):
        follow_ups.hand_over(
            session, who, CITY, {c.id: None for c in cases}, {}, note="", calendar=WorkingDays(), zone=ZONE
        )
