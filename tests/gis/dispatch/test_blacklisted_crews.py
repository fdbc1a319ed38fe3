"""Blacklisted units and persons: refused by the ranking, by the verb, by the database, and in a race with either."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import Range

from gis import journal
from gis.db import naming_violations, unit_of_work
from gis.dispatch import actions
from gis.dispatch.model import WorkOrder
from gis.dispatch.ranking import Search
from gis.dispatch.rules import CrewBlacklisted, Terms
from gis.errors import BadInput, StaleVersion
from gis.journal import Who
from gis.people import blacklist
from gis.people.model import Unit
from gis.people.rules import CITY, AlreadyBlacklisted, NotBlacklisted
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order, make_unit, make_user
from tests.gis.dispatch.test_dispatch_races import assigner, at_once

TERMS = Terms(ZoneInfo("Asia/Shanghai"))
WHY = {"reason": "违反六项承诺三次", "source": "青市政公用办〔2011〕85号"}


def codes(findings):
    return [finding.code for finding in findings]


def send(session, who, crew, **fields):
    complaint = make_complaint(session)
    return actions.assign(session, who, complaint, crew, base_version=1, terms=TERMS, **fields)


def test_a_crew_of_a_blacklisted_unit_is_offered_last_and_sent_by_nobody_whatever_the_reason(session, who):
    unit = make_unit(session, name="某安装公司")
    crew, other = make_crew(session, unit_id=unit.id), make_crew(session, at=(119.99, 36.78))
    entry = blacklist.blacklist(session, who, unit=unit, until=NOW + timedelta(days=30), **WHY)
    ranked = Search(session, make_complaint(session), CITY, TERMS, NOW).best(5)
    assert [r.id for r in ranked.crews] == [other.id, crew.id] and ranked.crews[0].fits
    (finding,) = ranked.crews[1].violations
    assert (finding.code, finding.params) == ("blacklisted", {"whom": "某安装公司", "until": NOW + timedelta(days=30)})
    with pytest.raises(CrewBlacklisted) as refused:
        send(session, who, crew, override_reason="非去不可")
    assert refused.value.params["whom"] == "某安装公司" and refused.value.params["until"].startswith("2009-12-17")
    assert [row["verb"] for row in journal.timeline(session, "blacklisting", entry.id)] == ["blacklist"]


def test_one_blacklisted_person_keeps_the_whole_crew_at_home_until_that_is_lifted(session, who):
    crew = make_crew(session)
    person = make_user(session, role="crew", crew_id=crew.id, full_name="张三")
    entry = blacklist.blacklist(session, who, user=person, **WHY)
    with pytest.raises(CrewBlacklisted) as refused:
        send(session, who, crew)
    assert refused.value.params["whom"] == "张三"
    assert [r.fits for r in Search(session, make_complaint(session), CITY, TERMS, NOW).best(5).crews] == [False]
    later = Who(NOW + timedelta(hours=1), who.user_id)
    blacklist.lift(session, later, entry, "申诉成立", base_version=1)
    assert send(session, later, crew).status == "assigned"
    with pytest.raises(NotBlacklisted):
        blacklist.lift(session, later, entry, "再次")


def test_a_person_who_left_the_crew_or_an_entry_that_is_over_holds_nobody_back(session, who):
    crew, unit = make_crew(session), make_unit(session)
    person = make_user(session, role="crew", crew_id=crew.id, active=False)
    blacklist.blacklist(session, who, user=person, **WHY)
    of_unit = make_crew(session, unit_id=unit.id)
    blacklist.blacklist(session, who, unit=unit, until=NOW + timedelta(minutes=5), **WHY)
    assert send(session, who, crew).status == "assigned"
    assert send(session, Who(NOW + timedelta(minutes=5)), of_unit).status == "assigned"


def test_who_is_blacklisted_is_so_once_with_a_reason_a_source_and_an_end_to_come(session, who):
    unit = make_unit(session)
    for wrong in ({"reason": " "}, {"source": ""}, {"until": NOW}, {"reason": "x" * 501}):
        with pytest.raises(BadInput):
            blacklist.blacklist(session, who, unit=unit, **(WHY | wrong))
    with pytest.raises(BadInput):
        blacklist.blacklist(session, who, **WHY)
    entry = blacklist.blacklist(session, who, unit=unit, **WHY)
    with pytest.raises(AlreadyBlacklisted):
        blacklist.blacklist(session, who, unit=unit, **WHY)
    with pytest.raises(StaleVersion):
        blacklist.lift(session, who, entry, "x", base_version=7)
    blacklist.lift(session, who, entry, "误列")  # in the same instant
    again = blacklist.blacklist(session, Who(NOW + timedelta(seconds=1)), unit=unit, **WHY)
    told = blacklist.listing(session, CITY, NOW + timedelta(seconds=2))
    assert [(row["id"], row["stands"], row["lift_reason"]) for row in told] == [
        (again.id, True, None),
        (entry.id, False, "误列"),
    ]


def test_orders_under_way_stay_and_are_counted(session, who):
    unit = make_unit(session)
    order = make_order(session, crew=make_crew(session, unit_id=unit.id), status="accepted")
    blacklist.blacklist(session, who, unit=unit, **WHY)
    assert [row["orders"] for row in blacklist.listing(session, CITY, NOW)] == [1]
    assert session.get(WorkOrder, order.id).status == "accepted"


def test_the_database_itself_refuses_an_order_for_a_blacklisted_crew(session, who):
    unit = make_unit(session)
    crew, free = make_crew(session, unit_id=unit.id), make_crew(session)
    blacklist.blacklist(session, who, unit=unit, **WHY)
    with pytest.raises(CrewBlacklisted), session.begin_nested(), naming_violations(session):
        make_order_raw(session, crew)
    order = make_order(session, crew=free)
    with pytest.raises(CrewBlacklisted), session.begin_nested(), naming_violations(session):
        order.crew_id = crew.id


def make_order_raw(session, crew):
    complaint = make_complaint(session, status="assigned")
    session.add(WorkOrder(order_no=f"RAW{complaint.id}", complaint_id=complaint.id, crew_id=crew.id, assigned_at=NOW,
                          during=Range(NOW, NOW + timedelta(hours=1))))  # fmt: skip


def test_whoever_blacklists_and_assigns_at_once_the_order_is_before_the_entry_or_is_not(committed):
    """The entry tells by its listing of every order that was faster; nobody is sent after it."""
    for _ in range(6):
        with unit_of_work(committed) as session:
            unit = make_unit(session).id
            crews = [make_crew(session, unit_id=unit).id for _ in range(8)]
            complaints, user = [make_complaint(session).id for _ in crews], make_user(session).id

        def ban(unit=unit):
            with unit_of_work(committed) as session:
                made = blacklist.blacklist(session, Who(NOW), unit=session.get_one(Unit, unit), **WHY)
                return blacklist.listing(session, CITY, NOW, made.id)[0]["orders"]

        jobs = [assigner(committed, c, crew, user) for c, crew in zip(complaints, crews, strict=True)]
        *answers, seen = at_once([*jobs, ban])
        sent = [answer for answer in answers if isinstance(answer, str)]
        assert all(isinstance(answer, CrewBlacklisted) for answer in answers if not isinstance(answer, str))
        assert seen == len(sent)
        with unit_of_work(committed) as session:
            late = assigner(committed, make_complaint(session).id, crews[0], user, override_reason="x")
            session.commit()
        assert isinstance(at_once([late])[0], CrewBlacklisted)
