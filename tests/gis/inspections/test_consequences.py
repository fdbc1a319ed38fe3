"""Consequences: proposed by the job, decided by people, appealed, ended; who is blacklisted is not sent."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from gis import journal
from gis.errors import BadInput, Missing
from gis.inspections import consequence_queries as queries
from gis.inspections import consequences, findings, site_queries, sites
from gis.inspections.consequence_model import Consequence, ConsequenceRule
from gis.inspections.consequence_rules import (
    CONSEQUENCE_STEPS,
    AppealOver,
    BadConsequenceRule,
    NotYours,
    SameDecider,
    WrongConsequenceStep,
)
from gis.inspections.finding_rules import FindingWordsMissing
from gis.inspections.results import lines
from gis.journal import Who
from gis.people.model import Blacklisting
from gis.people.rules import CITY, Blacklisted, Scope
from gis.places.queries import working_days
from tests import factories as make
from tests.conftest import NOW
from tests.found import answer, make_finding, make_inspection, make_rule
from tests.sites import make_worker

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def days(session):
    return findings.Days(working_days(session), ZONE)


def found(session, n, unit_id=None, **fields):
    unit_id = unit_id or make.make_unit(session).id
    return [make_finding(session, unit_id=unit_id, item_id=f"3.{i + 1}", **fields) for i in range(n)], unit_id


def one(session, **fields):
    return session.scalars(select(Consequence).filter_by(**fields)).one()


def move(session, row, verb, days, words="事由", by=None, at=NOW, scope=CITY):
    return consequences.step(session, Who(at, by), scope, row.id, verb, words, days, base_version=None)


@pytest.fixture
def decided(session, days):
    """A unit blacklisted for 30 days by a supervisor, and its handler."""
    rule = make_rule(session, kind="blacklist", at_least=2, period_days=30, appeal_days=3)
    _rows, unit_id = found(session, 2)
    consequences.propose(session, Who(NOW))
    boss = make.make_user(session, role="supervisor")
    row = one(session, rule_id=rule.id)
    move(session, row, "decide", days, by=boss.id)
    return row, boss, make.make_user(session, role="unit_handler", unit_id=unit_id)


def test_without_a_rule_nothing_is_ever_proposed(session):
    found(session, 9, severity="serious")
    assert consequences.propose(session, Who(NOW)) == 0


def test_a_rule_proposes_once_for_the_same_events_and_again_only_for_new_ones(session, days):
    make_rule(session, at_least=3)
    _rows, unit_id = found(session, 3)
    assert [consequences.propose(session, Who(NOW)) for _ in range(3)] == [1, 0, 0]
    row = one(session, unit_id=unit_id)
    assert row.status == "proposed" and len(row.basis) == 3
    assert session.scalar(select(func.count()).select_from(Blacklisting)) == 0
    move(session, row, "decline", days)
    found(session, 2, unit_id)
    assert consequences.propose(session, Who(NOW)) == 0
    found(session, 1, unit_id)
    assert consequences.propose(session, Who(NOW)) == 1


def test_what_was_withdrawn_does_not_count_and_severity_and_window_do(session):
    make_rule(session, at_least=2, severity="serious", window_days=30)
    found(session, 2, status="withdrawn", severity="serious")
    found(session, 2)
    found(session, 2, severity="serious", found_at=NOW - timedelta(days=31))
    _rows, guilty = found(session, 2, severity="serious", found_at=NOW - timedelta(days=29))
    assert consequences.propose(session, Who(NOW)) == 1
    assert one(session).unit_id == guilty


def test_contractors_and_persons_have_records_of_their_own(session):
    firm, person = make.make_unit(session, kind="contractor"), make.make_user(session, role="crew")
    make_rule(session, subject="contractor", at_least=1)
    make_rule(session, subject="person", at_least=1)
    found(session, 1, contractor_id=firm.id, user_id=person.id)
    assert consequences.propose(session, Who(NOW)) == 2
    assert one(session, subject="contractor").unit_id == firm.id
    assert one(session, subject="person").user_id == person.id


def test_a_person_of_a_contractor_leaves_every_site_comes_onto_none_and_comes_back_when_the_contractors_appeal_is_heard(
    session, days
):
    firm = make.make_unit(session, kind="contractor")
    home, other = (make.make_site(session, contractor_id=firm.id) for _ in range(2))
    welder = make_worker(session, home)
    sites.bring_worker(session, Who(NOW), CITY, other.id, sites.WorkerGiven(worker_id=welder.id))
    make_rule(session, subject="worker", kind="blacklist", at_least=2, period_days=30, appeal_days=3)
    for item in ("3.1", "3.2"):
        visit = make_inspection(session, site_id=home.id)
        breach = make_finding(session, visit, unit_id=firm.id, item_id=item)
        findings.step(
            session,
            Who(NOW),
            CITY,
            breach.id,
            "name_person",
            findings.Said(worker_id=welder.id),
            days,
            base_version=None,
        )
    assert [consequences.propose(session, Who(NOW)) for _ in range(2)] == [1, 0]
    row, boss = one(session), make.make_user(session, role="supervisor")
    assert (row.worker_id, row.unit_id, row.user_id) == (welder.id, None, None)
    move(session, row, "decide", days, by=boss.id)
    assert [site_queries.people(session, [site.id]) for site in (home, other)] == [[], []]
    with pytest.raises(Blacklisted):
        sites.bring_worker(session, Who(NOW), CITY, home.id, sites.WorkerGiven(worker_id=welder.id))
    session.expire_all()
    told = [e["verb"] for site in (home, other) for e in journal.timeline(session, "site", site.id)]
    assert told == ["dismiss_person", "bring_person", "dismiss_person"]
    handler = make.make_user(session, role="unit_handler", unit_id=firm.id)
    assert queries.shown(session, Scope(unit_id=firm.id), row.id)["person_unit_id"] == firm.id
    move(session, row, "appeal", days, "焊缝并非其所焊", by=handler.id)
    move(session, row, "revoke", days, by=make.make_user(session, role="supervisor").id)
    sites.bring_worker(session, Who(NOW), CITY, home.id, sites.WorkerGiven(worker_id=welder.id))
    assert [p["id"] for p in site_queries.people(session, [home.id])] == [welder.id]


def test_only_somebody_who_is_or_was_on_the_site_can_be_named_of_the_contractor(session, days):
    (breach,), _unit_id = found(session, 1)
    stranger = make_worker(session, make.make_site(session))
    said = findings.Said(worker_id=stranger.id)
    with pytest.raises(Missing):
        findings.step(session, Who(NOW), CITY, breach.id, "name_person", said, days, base_version=None)


def test_stars_go_to_clean_inspections_alone(session):
    make_rule(session, kind="star", measure="clean_inspections", at_least=2)
    clean, other = make.make_unit(session), make.make_unit(session)
    for unit, value in ((clean, "yes"), (clean, "yes"), (other, "yes"), (other, "no")):
        answer(session, make_inspection(session, unit_id=unit.id), i3_1=value)
    answer(session, make_inspection(session, unit_id=other.id, is_self=True), i3_1="yes")
    assert consequences.propose(session, Who(NOW)) == 1
    assert one(session).unit_id == clean.id


def test_a_decision_has_a_number_an_end_and_a_time_to_appeal_and_the_blacklist_ends_with_it(session, decided):
    row, boss, _handler = decided
    assert row.decision_no == "处理〔2009〕1号" and row.decided_by == boss.id
    assert row.ends_at == NOW + timedelta(days=30)
    assert row.appeal_by.astimezone(ZONE).date().isoformat() == "2009-11-20"
    entry = session.get(Blacklisting, row.blacklisting_id)
    assert (entry.unit_id, entry.during.upper) == (row.unit_id, row.ends_at) and row.decision_no in entry.source


def test_an_appeal_is_the_bodys_own_in_time_and_decided_by_somebody_else(session, days, decided):
    row, boss, handler = decided
    stranger = make.make_user(session, role="unit_handler", unit_id=make.make_unit(session).id)
    with pytest.raises(NotYours):
        move(session, row, "appeal", days, by=stranger.id)
    with pytest.raises(AppealOver):
        move(session, row, "appeal", days, by=handler.id, at=NOW + timedelta(days=4))
    session.expire_all()
    move(session, row, "appeal", days, "处罚过重", by=handler.id)
    assert row.status == "appealed" and session.get(Blacklisting, row.blacklisting_id).lifted_at is None
    with pytest.raises(SameDecider):
        move(session, row, "revoke", days, by=boss.id)
    session.expire_all()
    other = make.make_user(session, role="supervisor")
    move(session, row, "revoke", days, "证据不足", by=other.id)
    assert row.status == "revoked" and session.get(Blacklisting, row.blacklisting_id).lifted_at == NOW


def test_an_upheld_decision_cannot_be_appealed_again(session, days, decided):
    row, _boss, handler = decided
    move(session, row, "appeal", days, by=handler.id)
    move(session, row, "uphold", days, by=make.make_user(session, role="supervisor").id)
    with pytest.raises(AppealOver):
        move(session, row, "appeal", days, by=handler.id)


def test_a_decision_expires_once_and_history_stays_as_it_was(session, decided):
    row = decided[0]
    before = (row.rule, row.basis, row.decided_words, row.decision_no)
    late = Who(NOW + timedelta(days=30))
    assert [consequences.expire(session, late) for _ in range(2)] == [1, 0]
    assert row.status == "expired" and row.ended_at == row.ends_at
    session.get_one(ConsequenceRule, row.rule_id).name = "改名"
    session.flush()
    session.refresh(row)
    assert (row.rule, row.basis, row.decided_words, row.decision_no) == before
    told = [e["verb"] for e in journal.timeline(session, "consequence", row.id)]
    assert told == ["propose", "decide", "expire"]
    for verb, step in CONSEQUENCE_STEPS.items():
        if step.roles:
            with pytest.raises(WrongConsequenceStep):
                consequences.step(session, late, CITY, row.id, verb, "x", None, base_version=None)


def test_a_reason_is_always_asked(session, days, decided):
    with pytest.raises(FindingWordsMissing):
        move(session, decided[0], "lift", days, " ")


def test_a_unit_reads_what_concerns_it_and_no_proposal(session, days):
    make_rule(session, at_least=1)
    _rows, unit_id = found(session, 1)
    consequences.propose(session, Who(NOW))
    row, own, other = one(session), Scope(unit_id=unit_id), Scope(unit_id=make.make_unit(session).id)
    with pytest.raises(Missing):
        queries.shown(session, own, row.id)
    move(session, row, "decide", days, by=make.make_user(session, role="supervisor").id)
    assert queries.shown(session, own, row.id)["decision_no"]
    with pytest.raises(Missing):
        queries.shown(session, other, row.id)


@pytest.mark.parametrize(
    "wrong",
    [{"at_least": 0}, {"window_days": 5000}, {"kind": "star"}, {"measure": "clean_inspections"}, {"subject": "x"}],
)
def test_a_rule_that_makes_no_sense_is_refused(session, wrong):
    values = {"name": "规则", "subject": "unit", "measure": "breaches", "severity": "minor", "at_least": 3, "window_days": 90,
              "kind": "warning", "period_days": 0, "appeal_days": 5, "source": "文件", "active": "1"}  # fmt: skip
    consequences.put_rule(session, Who(NOW), values)
    with pytest.raises(BadConsequenceRule):
        consequences.put_rule(session, Who(NOW), values | wrong)
    with pytest.raises(BadInput):
        consequences.put_rule(session, Who(NOW), values | {"source": ""})


def test_results_score_by_the_weights_table_and_say_no_score_without(session):
    unit = make.make_unit(session)
    answer(session, make_inspection(session, unit_id=unit.id), i3_1="yes", i3_2="no", i6_5="na")
    answer(session, make_inspection(session, unit_id=unit.id, is_self=True), i3_1="no")
    span = (NOW - timedelta(days=1), NOW + timedelta(days=1))

    def line():
        weights = {key: row.weight for key, row in queries.weights(session).items()}
        [made] = lines("unit_id", {}, queries.answered(session, *span), queries.record(session, *span), weights)
        return made

    assert (line().score.percent, line().breach.part, line().breach.whole, line().inspections) == (None, 1, 2, 1)
    consequences.set_weight(session, Who(NOW), "six_pledges", "3.1", 3, "本局权重表")
    consequences.set_weight(session, Who(NOW), "six_pledges", "3.2", 1, "本局权重表")
    assert (line().score.percent, line().score.answers) == (75.0, 2)
    consequences.set_weight(session, Who(NOW), "six_pledges", "3.1", 0, "")
    assert line().score.percent == 0.0
