"""Published bulletins: numbered without gaps, frozen, corrected only by a new issue; baselines with their source."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from gis.errors import BadInput, ChengmaiError
from gis.journal import JournalEntry, Who
from gis.oversight import counting_queries as asking
from gis.oversight.bulletins import Question
from gis.oversight.counting_actions import publish, set_baseline
from gis.oversight.counting_model import BulletinIssue
from gis.oversight.periods import Period
from gis.oversight.rates import AlreadyPublished, BadBaseline, BaselineTaken, ReasonNeeded, StillRunning
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit

ZONE = ZoneInfo("Asia/Shanghai")
AFTER = Who(datetime(2009, 12, 1, tzinfo=UTC))


def week(on: str = "2009-11-17", **asked) -> Question:
    return Question(Period.of("week", date.fromisoformat(on)), **asked)


def test_a_published_bulletin_stays_as_it_was_printed(session):
    make_complaint(session)
    issue = publish(session, AFTER, CITY, week(), ZONE)
    make_complaint(session)
    session.expire(issue)
    accepted = {row["key"]: row["count"] for row in issue.body["figures"]}["accepted"]
    assert (issue.number, issue.year, accepted) == (1, 2009, 1)
    for change in (update(BulletinIssue).values(number=9), delete(BulletinIssue)):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(change)
    entry = session.scalars(select(JournalEntry).where(JournalEntry.thing == "bulletin")).one()
    assert (entry.verb, entry.data["number"]) == ("publish", 1)


def test_numbers_go_on_for_each_kind_and_year(session):
    told = [publish(session, AFTER, CITY, week(day), ZONE) for day in ("2009-11-17", "2009-11-10", "2008-12-30")]
    assert [(i.year, i.number) for i in told] == [(2009, 1), (2009, 2), (2009, 3)], "the week ends in January 2009"
    monthly = publish(session, AFTER, CITY, Question(Period.of("month", date(2009, 10, 3))), ZONE)
    assert monthly.number == 1
    assert publish(session, AFTER, CITY, week("2008-11-11"), ZONE).number == 1


def test_a_period_is_published_once_and_corrected_by_a_new_issue(session):
    first = publish(session, AFTER, CITY, week(), ZONE)
    with pytest.raises(AlreadyPublished), session.begin_nested():
        publish(session, AFTER, CITY, week("2009-11-19"), ZONE)
    with pytest.raises(ReasonNeeded):
        publish(session, AFTER, CITY, week(), ZONE, corrects=first)
    for other in (week("2009-11-10"), week(district=make_area(session).id)):
        with pytest.raises(BadInput):
            publish(session, AFTER, CITY, other, ZONE, corrects=first, reason="漏计市长信箱")
    second = publish(session, AFTER, CITY, week(), ZONE, corrects=first, reason="漏计市长信箱")
    assert (second.number, second.corrects_id) == (2, first.id)
    assert asking.published(session, "week", first.first, first.last).id == second.id


def test_only_the_daily_notice_goes_out_on_the_day_itself(session):
    with pytest.raises(StillRunning):
        publish(session, Who(NOW), CITY, week(), ZONE)
    daily = publish(session, Who(NOW), CITY, Question(Period.of("day", date(2009, 11, 17))), ZONE)
    assert daily.body["period"]["running"]
    with pytest.raises(StillRunning):
        publish(session, Who(NOW), CITY, Question(Period.of("day", date(2009, 11, 18))), ZONE)


def test_somebody_bound_to_an_area_sees_what_is_about_it(session):
    area, other, unit = make_area(session).id, make_area(session).id, make_unit(session).id
    publish(session, AFTER, CITY, week(), ZONE)
    mine = publish(session, AFTER, Scope(area_id=area), week(), ZONE)
    publish(session, AFTER, CITY, week(district=other), ZONE)
    publish(session, AFTER, Scope(unit_id=unit), week(), ZONE)
    assert [i.id for i in asking.issues(session, Scope(area_id=area))] == [mine.id]
    assert asking.issue(session, Scope(area_id=other), mine.id) is None
    assert len(asking.issues(session, CITY)) == 4
    assert len(asking.issues(session, CITY, kind="month")) == 0


def test_many_at_once_leave_no_gap_and_publish_nothing_twice(committed):
    refused = []

    def work(n: int) -> None:
        with committed() as session:
            try:
                publish(session, AFTER, CITY, week((date(2009, 11, 17) - timedelta(weeks=n % 4)).isoformat()), ZONE)
                if n == 5:
                    session.rollback()
                session.commit()
            except ChengmaiError as error:
                session.rollback()
                refused.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(error) for error in refused} <= {AlreadyPublished}
    with committed() as session:
        rows = session.execute(text("SELECT number, first FROM bulletin_issue ORDER BY number")).all()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert len({row.first for row in rows}) == len(rows) >= 3


def test_a_baseline_has_a_source_and_begins_on_a_day(session):
    made = set_baseline(
        session, Who(NOW), rate="on_time", percent="92.5", valid_from=date(2009, 11, 1), source="局发〔2009〕12号"
    )
    assert made.percent == Decimal("92.50")
    with pytest.raises(BaselineTaken), session.begin_nested():
        set_baseline(session, Who(NOW), rate="on_time", percent="80", valid_from=date(2009, 11, 1), source="x")
    for percent, source in (("101", "x"), ("-1", "x"), ("NaN", "x"), ("many", "x"), ("50", " ")):
        with pytest.raises(BadBaseline):
            set_baseline(
                session, Who(NOW), rate="on_time", percent=percent, valid_from=date(2009, 12, 1), source=source
            )
    with pytest.raises(BadInput):
        set_baseline(session, Who(NOW), rate="filing", percent="50", valid_from=date(2009, 12, 1), source="x")
