"""Public promises: never silently edited, overdue told once, what became of each."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gis.errors import Missing, StaleVersion
from gis.journal import Who
from gis.oversight import promises
from gis.oversight.promises import Pledged
from gis.oversight.rules import BadPeriod, NothingChanged, PromiseEnded, WordsMissing
from gis.people.rules import CITY, Scope
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")
DUE = date(2009, 11, 20)
GIVEN = Pledged("11月20日前更换循环泵", "刘经理", DUE, source="报纸")


def test_a_promise_is_moved_reworded_and_kept_only_with_its_reason_and_all_of_it_is_shown(session, who):
    row = promises.promise(session, who, GIVEN, zone=ZONE)
    with pytest.raises(WordsMissing):
        promises.move(session, who, CITY, row.id, date(2009, 11, 25), "  ")
    with pytest.raises(NothingChanged):
        promises.move(session, who, CITY, row.id, DUE, "为什么")
    promises.move(session, who, CITY, row.id, date(2009, 11, 25), "配件未到", 1)
    promises.reword(session, who, CITY, row.id, "11月25日前更换两台循环泵", "", "又坏一台", 2)
    with pytest.raises(StaleVersion):
        promises.end(session, who, CITY, row.id, True, "完成", 2)
    promises.end(session, who, CITY, row.id, True, "25日完成", 3)
    with pytest.raises(PromiseEnded):
        promises.move(session, who, CITY, row.id, date(2009, 12, 1), "再延")
    told = promises.histories(session, [row.id])[row.id]
    assert [(t["verb"], t["version"]) for t in told] == [("made", 1), ("moved", 2), ("reworded", 3), ("kept", 4)]
    assert (told[1]["due_before"], told[1]["due_after"], told[1]["note"]) == (DUE, date(2009, 11, 25), "配件未到")
    assert told[2]["text_before"] == GIVEN.text


def test_a_promise_cannot_end_before_it_was_made(session, who):
    with pytest.raises(BadPeriod):
        promises.promise(session, who, Pledged("x", "y", date(2009, 11, 1)), zone=ZONE)


def test_an_overdue_promise_is_told_once_for_each_date(session, who):
    row = promises.promise(session, who, GIVEN, zone=ZONE)
    on_the_day, after = Who(NOW + timedelta(days=3)), Who(NOW + timedelta(days=4))
    assert [promises.tell_overdue(session, w, ZONE) for w in (on_the_day, after, after)] == [0, 1, 0]
    promises.move(session, after, CITY, row.id, date(2009, 11, 23), "配件未到")
    assert promises.tell_overdue(session, Who(NOW + timedelta(days=8)), ZONE) == 1
    counts = promises.counts(session, CITY, date(2009, 12, 1))
    assert (counts["open"], counts["overdue"], counts["moved"], counts["kept"]) == (1, 1, 1, 0)


def test_a_unit_and_a_district_deal_with_their_own(session, who):
    area, unit = make.make_area(session), make.make_unit(session)
    mine = promises.promise(session, who, Pledged("x", "y", DUE, unit_id=unit.id, area_id=area.id), zone=ZONE)
    for scope in (Scope(unit_id=unit.id), Scope(area_id=area.id), CITY):
        assert promises.one(session, scope, mine.id)
    for scope in (Scope(unit_id=make.make_unit(session).id), Scope(area_id=make.make_area(session).id)):
        with pytest.raises(Missing):
            promises.move(session, who, scope, mine.id, date(2009, 12, 1), "为什么")


def test_the_database_itself_refuses_a_silent_edit(committed):
    with committed() as session:
        row = promises.promise(session, Who(NOW), GIVEN, zone=ZONE)
        session.commit()
    for sql in ("UPDATE promise SET due_on = due_on + 9, version = version + 1", "UPDATE promise_change SET note = '-'",
                "DELETE FROM promise_change"):  # fmt: skip
        with committed() as session, pytest.raises(IntegrityError):
            session.execute(text(sql))
            session.commit()
    with committed() as session:
        assert promises.one(session, CITY, row.id)["due_on"] == DUE
