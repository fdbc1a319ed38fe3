"""Races with real transactions: two re-inspections, one visit twice, dispatch against blacklist and stopped works, two jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from gis.complaints.model import Complaint
from gis.db import unit_of_work
from gis.dispatch.actions import assign
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.ranking import Search
from gis.dispatch.rules import CrewBlacklisted, SiteStopped, Terms
from gis.errors import ChengmaiError
from gis.inspections import consequences, findings, site_ban, site_queries, sites, stop_work
from gis.inspections.consequence_model import Consequence
from gis.inspections.finding_model import Finding, Rectification, Reinspection, StopWork
from gis.inspections.finding_rules import AlreadyStopped, WrongFindingStep
from gis.journal import Who
from gis.people.model import Blacklisting
from gis.people.rules import CITY, Blacklisted
from gis.places.queries import working_days
from tests import factories as make
from tests.conftest import NOW
from tests.found import answer, make_finding, make_inspection, make_rule
from tests.sites import make_contractor, make_worker

ZONE = ZoneInfo("Asia/Shanghai")
TERMS = Terms(ZONE)


def at_once(jobs):
    """Run all jobs at the same moment; returns what each gave or the error it met."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            return job()
        except ChengmaiError as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def assigner(sessions, complaint_id, crew_id, user_id, **more):
    def job():
        with unit_of_work(sessions) as session:
            complaint, crew = session.get_one(Complaint, complaint_id), session.get_one(Crew, crew_id)
            return assign(session, Who(NOW, user_id), complaint, crew, base_version=1, terms=TERMS, **more).order_no

    return job


def days(session):
    return findings.Days(working_days(session), ZONE)


def test_of_eight_re_inspections_at_once_one_is_kept_and_the_others_are_told(committed):
    with unit_of_work(committed) as session:
        finding = make_finding(session, status="rectified")
        session.add(Rectification(finding_id=finding.id, attempt=1, at=NOW, note="好", late=False))
        number, checkers = finding.id, [make.make_user(session, role="inspector").id for _ in range(8)]

    def look(n):
        def job():
            with unit_of_work(committed) as session:
                verb = "pass" if n % 2 else "fail"
                step = findings.step(session, Who(NOW, checkers[n]), CITY, number, verb, findings.Said("看过"), days(session),
                                     base_version=None)  # fmt: skip
                return str(step.status)

        return job

    answers = at_once([look(n) for n in range(8)])
    won = [a for a in answers if isinstance(a, str)]
    assert len(won) == 1 and all(isinstance(a, WrongFindingStep) for a in answers if not isinstance(a, str))
    with unit_of_work(committed) as session:
        assert session.scalar(select(func.count()).select_from(Reinspection)) == 1
        assert session.get_one(Finding, number).status == won[0]


def test_one_inspection_followed_by_eight_threads_makes_each_finding_once(committed):
    with unit_of_work(committed) as session:
        unit = make.make_unit(session)
        visit = make_inspection(session, unit_id=unit.id, site_id=make.make_site(session, unit_id=unit.id).id)
        answer(session, visit, i3_1="no", i3_2="no")
        number = visit.id

    def follow():
        with unit_of_work(committed) as session:
            return findings.follow(session, Who(NOW), number)

    assert sum(at_once([follow] * 8)) == 2
    with unit_of_work(committed) as session:
        assert session.scalar(select(func.count()).select_from(Finding)) == 2


def test_eight_jobs_at_once_propose_once(committed):
    with unit_of_work(committed) as session:
        make_rule(session, at_least=1)
        make_finding(session)

    def job():
        with unit_of_work(committed) as session:
            return consequences.propose(session, Who(NOW))

    assert sum(at_once([job] * 8)) == 1
    with unit_of_work(committed) as session:
        assert session.scalar(select(func.count()).select_from(Consequence)) == 1


@pytest.mark.parametrize("subject", ["unit", "person"])
def test_dispatch_racing_a_blacklisting_is_before_it_or_refused_and_afterwards_nobody_is_sent(committed, subject):
    for n in range(6):
        with unit_of_work(committed) as session:
            unit = make.make_unit(session)
            crew = make.make_crew(session, unit_id=unit.id)
            person = make.make_user(session, role="crew", crew_id=crew.id, unit_id=unit.id)
            rule = make_rule(session, subject=subject, kind="blacklist", at_least=1, name=f"规则{n}")
            make_finding(session, unit_id=unit.id, user_id=person.id)
            consequences.propose(session, Who(NOW))
            told = session.scalars(select(Consequence).where(Consequence.rule_id == rule.id)).all()
            row = next(c for c in told if unit.id == c.unit_id or person.id == c.user_id)
            one, crew_id, boss = row.id, crew.id, make.make_user(session, role="supervisor").id
            first, second = make.make_complaint(session).id, make.make_complaint(session).id

        def decide(one=one, boss=boss):
            with unit_of_work(committed) as session:
                step = consequences.step(
                    session, Who(NOW, boss), CITY, one, "decide", "属实", days(session), base_version=None
                )
                return str(step.status)

        sent, decided = at_once([assigner(committed, first, crew_id, boss, override_reason="急"), decide])
        assert decided == "in_force"
        assert isinstance(sent, str | CrewBlacklisted), sent
        [again] = at_once([assigner(committed, second, crew_id, boss, override_reason="急")])
        assert isinstance(again, CrewBlacklisted)
        with unit_of_work(committed) as session:
            assert session.scalar(select(func.count()).where(WorkOrder.crew_id == crew_id)) == isinstance(sent, str)
            ranked = Search(session, session.get_one(Complaint, second), CITY, TERMS, NOW).best(20).crews
            assert all(r.id != crew_id or "blacklisted" in {v.code for v in r.violations} for r in ranked)
            assert session.scalar(select(func.count()).select_from(Blacklisting)) == n + 1


def test_dispatch_racing_an_order_to_stop_is_before_it_or_refused_and_other_places_and_units_go_on(committed):
    with unit_of_work(committed) as session:
        unit = make.make_unit(session)
        crews = [make.make_crew(session, unit_id=unit.id).id for _ in range(3)]
        foreign = make.make_crew(session, unit_id=make.make_unit(session).id).id
        finding = make_finding(session, unit_id=unit.id, severity="serious")
        number, boss = finding.id, make.make_user(session, role="supervisor").id
        here = [make.make_complaint(session).id for _ in range(3)]
        away = make.make_complaint(session, at=(119.97, 36.78)).id

    def stop():
        with unit_of_work(committed) as session:
            return stop_work.stop(session, Who(NOW, boss), CITY, number, "未设围挡", ZONE).stop_no

    sent, *stopped = at_once([assigner(committed, here[0], crews[0], boss), stop, stop])
    assert isinstance(sent, str | SiteStopped)
    assert sorted(isinstance(s, AlreadyStopped) for s in stopped) == [False, True]
    answers = at_once([
        assigner(committed, here[1], crews[1], boss, override_reason="急"), assigner(committed, here[2], foreign, boss),
        assigner(committed, away, crews[2], boss),
    ])  # fmt: skip
    assert isinstance(answers[0], SiteStopped)
    assert [isinstance(a, ChengmaiError) for a in answers] == [True, False, False]
    with unit_of_work(committed) as session:
        order = session.scalars(select(StopWork)).one()
        stop_work.lift(session, Who(NOW, boss), CITY, order.id, "已整改", None)
    [again] = at_once([assigner(committed, here[1], crews[1], boss)])
    assert isinstance(again, str)


def test_whoever_is_banned_while_being_brought_onto_sites_is_on_none_afterwards(committed):
    with unit_of_work(committed) as session:
        home = make.make_site(session, contractor_id=make_contractor(session).id)
        worker_id = make_worker(session, home).id
        places = [make.make_site(session, contractor_id=home.contractor_id).id for _ in range(7)]

    def bring(site_id):
        def job():
            with unit_of_work(committed) as session:
                sites.bring_worker(session, Who(NOW), CITY, site_id, sites.WorkerGiven(worker_id=worker_id))

        return job

    def ban():
        with unit_of_work(committed) as session:
            site_ban.ban(session, Who(NOW), worker_id, reason="无证焊接", source="通报")

    told = at_once([*map(bring, places), ban])
    assert told[-1] is None and all(one is None or isinstance(one, Blacklisted) for one in told)
    with unit_of_work(committed) as session:
        assert site_queries.people(session, [home.id, *places]) == []
