"""The working calendar: seen, edited, loud where it is missing, and journalled."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gis.complaints.limits import resolve_by
from gis.journal import JournalEntry
from gis.places.actions import seed_calendar
from gis.places.model import CalendarDay, CalendarYear
from gis.places.queries import working_days
from tests.factories import make_complaint

ZONE = ZoneInfo("Asia/Shanghai")


def entries(session):
    return [
        (e.verb, e.thing_id, e.data)
        for e in session.scalars(
            select(JournalEntry).where(JournalEntry.thing == "calendar").order_by(JournalEntry.seq)
        )
    ]


def test_a_known_year_is_shown_with_its_holidays_and_where_they_are_from(sign_in):
    page = sign_in("supervisor").get("/calendar").text
    assert "工作日历 2009" in page
    assert "国庆节" in page
    assert "chinesecalendar" in page
    assert "缺少 2" not in page


def test_a_missing_year_is_said_loudly(sign_in, app):
    client = sign_in("supervisor")
    app.config["CLOCK"] = lambda: datetime(2026, 12, 20, tzinfo=UTC)
    assert "缺少 2027 年工作日历" in client.get("/calendar").text
    assert "缺少 2027 年工作日历" in client.get("/calendar?year=2027").text
    assert "No exceptional day" in sign_in("supervisor", language="en").get("/calendar?year=2027").text


def test_a_holiday_is_added_and_removed_and_the_deadlines_follow(session, sign_in):
    client = sign_in("supervisor")
    received = datetime(2009, 11, 17, 2, tzinfo=UTC)
    answer = client.post("/calendar/2009/days", data={"day": "2009-11-18", "is_working": "0", "name": "停水抢修日"})
    assert answer.status_code == 303
    assert "停水抢修日" in client.get("/calendar").text
    assert resolve_by(received, "complex", working_days(session), ZONE).resolve_by.day == 23
    client.post("/calendar/2009/days", data={"day": "2009-11-21", "is_working": "1"})
    assert resolve_by(received, "complex", working_days(session), ZONE).resolve_by.day == 21
    client.post("/calendar/2009/days/2009-11-18/remove")
    assert resolve_by(received, "complex", working_days(session), ZONE).resolve_by.day == 20
    client.post("/calendar/2009/days/2009-11-18/remove")
    assert [e[:2] for e in entries(session)] == [
        ("set_day", "2009-11-18"),
        ("set_day", "2009-11-21"),
        ("remove_day", "2009-11-18"),
    ]


@pytest.mark.parametrize(("sent", "told"), [
    ({"day": "2009-11-18", "is_working": "1"}, "本来如此"), ({"day": "2009-11-21", "is_working": "0"}, "本来如此"),
    ({"day": "2009-02-30", "is_working": "0"}, "不是日期"), ({"day": "", "is_working": "0"}, "不是日期"),
    ({"day": "1899-01-02", "is_working": "0"}, "不是日历年份"), ({}, "不是日期"),
])  # fmt: skip
def test_a_day_that_cannot_be_listed_is_told_and_what_was_typed_stays(session, sign_in, sent, told):
    answer = sign_in("supervisor").post("/calendar/2009/days", data=sent | {"name": "某日"})
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="某日"' in answer.text
    assert entries(session) == []


def test_a_year_is_marked_as_known_with_its_source_and_provisional_deadlines_are_counted_again(session, sign_in):
    received = datetime(2029, 12, 31, 2, tzinfo=UTC)
    due = resolve_by(received, "complex", working_days(session), ZONE)
    assert due.missing_years == (2029, 2030)
    session.add(CalendarYear(year=2029, source="国办发明电〔2028〕1号"))
    provisional = make_complaint(
        session, complexity="complex", received_at=received, resolve_by=due.resolve_by, calendar_missing=True
    )
    closed = make_complaint(session, complexity="complex", received_at=received, resolve_by=due.resolve_by, calendar_missing=True,
                            status="answered", closed_at=received)  # fmt: skip
    promised = make_complaint(session, complexity="complex", received_at=received, resolve_by=due.resolve_by)
    client = sign_in("administrator")
    client.post("/calendar/2030/days", data={"day": "2030-01-01", "is_working": "0", "name": "元旦"})
    assert client.post("/calendar/2030/known", data={"source": " "}).status_code == 422
    answer = client.post("/calendar/2030/known", data={"source": "国办发明电〔2029〕1号"}, follow_redirects=True)
    assert "已按日历重新计算 1 件诉求的时限" in answer.text
    session.expire_all()
    assert (provisional.resolve_by.astimezone(ZONE).date(), provisional.calendar_missing) == (date(2030, 1, 4), False)
    assert closed.resolve_by == promised.resolve_by == due.resolve_by
    [renewed] = session.scalars(select(JournalEntry).where(JournalEntry.verb == "renew_deadline"))
    assert renewed.thing_id == str(provisional.id)
    assert ("know_year", "2030", {"source": "国办发明电〔2029〕1号"}) in entries(session)


@pytest.mark.parametrize(
    "path", ["/calendar?year=x", "/calendar?year=99999", "/calendar?year=1899", "/calendar?year=٢٠٠٩"]
)
def test_a_year_that_cannot_be_is_refused(sign_in, path):
    assert sign_in("supervisor").get(path).status_code == 422


def test_only_some_may_edit_the_calendar(sign_in):
    for role in ("dispatcher", "planner", "call_taker", "crew"):
        client = sign_in(role)
        assert client.get("/calendar").status_code == 403
        assert client.post("/calendar/2009/days", data={"day": "2009-11-18", "is_working": "0"}).status_code == 403
        assert client.post("/calendar/2009/known", data={"source": "x"}).status_code == 403


def test_seeding_again_overwrites_nothing_that_was_edited(session):
    gone = session.get(CalendarDay, date(2009, 10, 1))
    session.delete(gone)
    session.get(CalendarYear, 2009).source = "本局修订"
    session.flush()
    seed_calendar(session)
    assert session.get(CalendarDay, date(2009, 10, 1)) is None
    assert session.get(CalendarYear, 2009).source == "本局修订"


def test_seeding_a_year_keeps_the_days_that_were_listed_before(session):
    from sqlalchemy import delete

    session.execute(delete(CalendarYear).where(CalendarYear.year == 2009))
    session.execute(delete(CalendarDay).where(CalendarDay.day.between(date(2009, 1, 1), date(2009, 12, 31))))
    session.add(CalendarDay(day=date(2009, 10, 1), is_working=False, name="先录入的国庆"))
    session.flush()
    seed_calendar(session)
    assert session.get(CalendarDay, date(2009, 10, 1)).name == "先录入的国庆"
    assert session.get(CalendarDay, date(2009, 10, 2)) is not None
