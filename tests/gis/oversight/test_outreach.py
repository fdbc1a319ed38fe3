"""Meetings, leaders' days, visits, and what was raised there."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gis.complaints.rules import UnknownCategory
from gis.errors import Missing
from gis.oversight import outreach, outreach_queries, promises
from gis.oversight.outreach import Asked, Plan, Visited
from gis.oversight.rules import BadNumber, DayTaken, EventEnded, MatterSettled
from gis.oversight.schedule import Proposed
from gis.people.rules import CITY, Scope
from gis.workdays import WorkingDays
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")
TIME = {"calendar": WorkingDays(frozenset({2009})), "zone": ZONE}


def _day(session, who, on=date(2009, 11, 18)):
    return outreach.schedule(session, who, [Proposed(on, on, None)], time(9), 90)[0]


def test_a_leaders_matter_is_a_complaint_with_a_limit_and_the_board_follows_it(session, who):
    day = _day(session, who)
    taken = outreach.raise_matter(session, who, "家里不热,打13812345678", "heat.cold", leader_day_id=day.id)
    assert "13812345678" not in taken.text
    made = outreach.make_complaint(session, who, taken, Asked("文丰小区", caller_phone="13812345678"), **TIME)
    assert (made.channel, made.status) == ("leader_day", "received")
    outreach.raise_matter(session, who, "问收费", "heat.fee", leader_day_id=day.id, answer="当场答复")
    row = outreach_queries.leader_day(session, CITY, day.id)
    assert (row["matters"], row["open"], row["spot"], row["answered"]) == (2, 1, 1, 0)
    made.unit_id = make.make_unit(session).id
    session.flush()
    assert [r["id"] for r in outreach_queries.to_supervise(session, CITY, day.id)] == [made.id]
    with pytest.raises(MatterSettled):
        outreach.make_complaint(session, who, taken, Asked(), **TIME)


def test_two_leaders_never_answer_on_one_day_unless_one_was_called_off(session, who):
    day = _day(session, who)
    with pytest.raises(DayTaken), session.begin_nested():
        _day(session, who, day.planned_on)
    other = _day(session, who, date(2009, 11, 25))
    change = {"starts_at": time(9), "minutes": 90, "leader_id": None, "note": ""}
    with pytest.raises(DayTaken), session.begin_nested():
        outreach.change_day(session, who, other.id, on_day=day.on_day, **change)
    session.expire_all()
    outreach.end_day(session, who, day.id, held=False)
    assert outreach.change_day(session, who, other.id, on_day=day.on_day, **change).on_day == day.on_day
    with pytest.raises(EventEnded):
        outreach.end_day(session, who, day.id, held=True)


def test_the_rota_goes_on_after_the_last_day_that_was_entered(session, who):
    ids = [outreach.put_on_rota(session, who, name, "", None).id for name in ("甲", "乙", "丙")]
    outreach.schedule(session, who, [Proposed(date(2009, 11, 4), date(2009, 11, 4), 1)], time(9), 90)
    assert outreach_queries.next_turn(session, date(2009, 11, 11)) == 2
    outreach.take_off_rota(session, who, ids[1], active=False)
    assert [leader.name for leader in outreach_queries.rota(session)] == ["甲", "丙"]


def test_a_meeting_has_its_minutes_and_what_was_raised_becomes_a_promise(session, who):
    area = make.make_area(session)
    meeting = outreach.plan_meeting(session, who, Plan("talk", "恳谈会", NOW, area_id=area.id))
    outreach.end_meeting(session, who, CITY, meeting.id, held=True)
    outreach.change_meeting(
        session, who, CITY, meeting.id, Plan("talk", "恳谈会", NOW, minutes="纪要", area_id=area.id)
    )
    matter = outreach.raise_matter(session, who, "路面没恢复", "works.restore", meeting_id=meeting.id, people=4)
    given = promises.Pledged("月底恢复", "赵经理", date(2009, 11, 30))
    made = outreach.make_promise(session, who, matter, given, zone=ZONE)
    [row] = outreach_queries.matters(session, Scope(area_id=area.id), meeting_id=meeting.id)
    assert (row["promise_id"], row["people"], row["promise_status"]) == (made.id, 4, "open")
    for scope in (Scope(area_id=make.make_area(session).id), Scope(unit_id=make.make_unit(session).id)):
        with pytest.raises(Missing):
            outreach_queries.matter(session, scope, matter.id)
        with pytest.raises(Missing):
            outreach_queries.meeting(session, scope, meeting.id)


def test_a_campaign_counts_visits_and_people_and_a_named_place_is_found(session, who):
    area = make.make_area(session, name="文丰小区", level="compound")
    campaign = outreach.begin_campaign(
        session, who, "进社区", date(2009, 11, 1), date(2009, 11, 30), 200, 10_000, "来源"
    )
    made = outreach.visit(session, who, Visited("community", NOW, "文丰小区", campaign_id=campaign.id))
    elsewhere = outreach.visit(
        session, who, Visited("community", NOW - timedelta(days=1), "某处", campaign_id=campaign.id)
    )
    assert (made.area_id, elsewhere.area_id) == (area.id, None)
    for number, people in ((made.id, 12), (made.id, 5), (elsewhere.id, 1)):
        outreach.raise_matter(session, who, "意见", "heat.cold", visit_id=number, people=people)
    reached = outreach_queries.reached(session, CITY, campaign.id)
    assert (reached["visits"], reached["opinions"], reached["written"]) == (2, 18, 3)
    days = outreach_queries.by_day(session, CITY, campaign.id, "Asia/Shanghai")
    assert [(d["day"].day, d["visits"], d["opinions"]) for d in days] == [(16, 1, 1), (17, 1, 17)]
    with pytest.raises(UnknownCategory):
        outreach.raise_matter(session, who, "意见", "none", visit_id=made.id)
    with pytest.raises(BadNumber):
        outreach.visit(session, who, Visited("on_site", NOW, "站", found=1, solved=2))


def test_on_site_supervisions_are_counted_with_what_they_solved(session, who):
    outreach.visit(session, who, Visited("on_site", NOW, "站", found=12, solved=11))
    told = outreach_queries.on_site(session, CITY, NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert (told["visits"], told["found"], told["solved"]) == (1, 12, 11)
