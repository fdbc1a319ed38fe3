"""Returns, extensions, pauses, urging and the watch of the clocks, on real rows."""

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gis.complaints import actions, law_queries, life
from gis.complaints.law_actions import change_limit, effect, put_in_force, set_hours
from gis.complaints.law_model import Extension, LimitRule, Pause, Reminder, ReturnRequest, RuleSet
from gis.complaints.law_words import (
    AlreadyAsked,
    AlreadyPaused,
    ExtensionTooLong,
    HoursOverlap,
    LimitPassed,
    NoExtension,
    NoSuchMeasure,
    NothingAsked,
    NotPaused,
    PauseTooLong,
    ReturnTooLate,
)
from gis.complaints.limits import Limit
from gis.complaints.model import Complaint
from gis.complaints.rules import WrongStep
from gis.complaints.watch import watch_deadlines
from gis.errors import BadInput, StaleVersion
from gis.journal import JournalEntry, Who
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import make_complaint, make_unit, make_user

ZONE = ZoneInfo("Asia/Shanghai")
RETURN = {"ground": "not_our_duty", "evidence": "该站由物业公司运行,附协议"}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def city_of(session):
    return law_queries.city(session, working_days(session), ZONE)


def go_by(session, code):
    """Only this set of rules is in force."""
    for rules in session.scalars(select(RuleSet)):
        rules.in_force = rules.code == code
    session.flush()


def received(session, when=NOW, **given):
    said = {"channel": "12319", "category": "heat.fee", "description": "收费", "place": "文丰小区", "lon": None, "lat": None,
            "zone": ZONE, "calendar": working_days(session)}  # fmt: skip
    return actions.receive(session, Who(when), **(said | given))


def sent(session, when=NOW, **given):
    made = received(session, when, **given)
    life.send(session, Who(when), made, city=city_of(session), data={"unit_id": make_unit(session).id})
    return made


def entries(session, verb):
    return list(session.scalars(select(JournalEntry).where(JournalEntry.verb == verb)))


def test_the_rule_that_applied_stays_with_a_complaint_when_the_rules_change(session):
    old = received(session)
    assert old.limit_rule_id is not None
    assert old.resolve_by == at("2009-11-20T23:59:59")
    user = make_user(session, role="supervisor")
    rule = session.get_one(LimitRule, old.limit_rule_id)
    changed = change_limit(
        session, Who(NOW, user.id), rule, date(2009, 11, 18), clock="working_days", amount=5, count_from="next_day",
        extension_days=2, further_days=0, source="局长办公会 2009-11-17",
    )  # fmt: skip
    assert (rule.valid_to, rule.amount, changed.valid_from, changed.changed_by) == (
        date(2009, 11, 18), 3, date(2009, 11, 18), user.id,
    )  # fmt: skip
    assert received(session).resolve_by == at("2009-11-20T23:59:59")  # the change begins tomorrow
    new = received(session, NOW + timedelta(days=1))
    assert (new.resolve_by, new.limit_rule_id) == (at("2009-11-25T23:59:59"), changed.id)
    assert law_queries.limit_of(session, old, ZONE).amount == 3
    assert entries(session, "change_limit")[0].data["amount"] == 5
    with pytest.raises(BadInput):
        change_limit(session, Who(NOW), rule, date(2009, 11, 20), clock="minutes", amount=5, count_from="next_day",
                     extension_days=0, further_days=0, source="x")  # fmt: skip


def test_a_set_put_in_force_is_gone_by_from_then_on(session):
    emergency = session.scalars(select(RuleSet).where(RuleSet.code == "emergency")).one()
    put_in_force(session, Who(NOW), emergency, True, emergency.version)
    made = received(session, category="gas.leak")
    assert made.resolve_by == NOW + timedelta(minutes=60)
    assert made.warn_at == NOW + timedelta(minutes=45)
    assert made.late_at == NOW + timedelta(minutes=180)
    with pytest.raises(StaleVersion):
        put_in_force(session, Who(NOW), emergency, False, 1)


def test_a_subclass_with_three_limits_keeps_all_of_them_and_each_is_met_alone(session):
    go_by(session, "three_limits")
    made = received(session, category="works.conduct")
    found = {one.measure: one for one in law_queries.deadlines(session, made.id)}
    assert set(found) == {"停工", "处罚", "拆除"}
    assert found["停工"].due_at == at("2009-11-17T15:30")  # 10:00 and four office hours
    life.meet(session, Who(NOW), made, data={"measure": "停工"})
    assert found["停工"].met_at == NOW
    with pytest.raises(NoSuchMeasure):
        life.meet(session, Who(NOW), made, data={"measure": "停工"})
    actions.take_step(session, Who(NOW), made, "answer", data={"answer": "已拆除"})
    session.expire_all()
    assert all(one.met_at == NOW for one in law_queries.deadlines(session, made.id))


# --- returns ------------------------------------------------------------------------------------------------------------
def test_a_return_goes_to_an_arbiter_and_the_clock_goes_on_from_the_first_sending(session):
    made = sent(session)
    limit, first = made.resolve_by, made.sent_at
    asked = life.give_back(session, Who(NOW), made, city=city_of(session), data=RETURN)
    assert (made.status, made.return_count, asked.verdict) == ("returned", 1, "waiting")
    assert asked.return_by == at("2009-11-19T23:59:59")
    other = make_unit(session)
    later = NOW + timedelta(days=1)
    life.judge_return(session, Who(later), made, "uphold_return", data={"unit_id": other.id})
    assert (made.status, made.unit_id, made.sent_at, made.resolve_by) == ("sent", other.id, first, limit)
    assert (asked.verdict, asked.decided_at) == ("granted", later)
    # the other body has its own two days, counted from when it got it
    again = life.give_back(session, Who(NOW + timedelta(days=2)), made, city=city_of(session), data=RETURN)
    assert again.return_by == at("2009-11-20T23:59:59")
    life.judge_return(session, Who(later), made, "refuse_return", data={"note": "属于贵单位职责"})
    assert (made.status, again.verdict, made.resolve_by) == ("sent", "refused", limit)


def test_a_refused_return_of_what_was_signed_is_signed_again(session):
    made = sent(session)
    actions.take_step(session, Who(NOW), made, "sign")
    life.give_back(session, Who(NOW), made, city=city_of(session), data=RETURN)
    life.judge_return(session, Who(NOW), made, "refuse_return", data={"note": "理由不成立"})
    assert made.status == "signed"


@pytest.mark.parametrize(("when", "possible"), [
    ("2009-11-19T23:59:59", True), ("2009-11-20T00:00:00", False), ("2009-11-30T09:00", False),
])  # fmt: skip
def test_a_return_is_possible_for_two_working_days(session, when, possible):
    made = sent(session)
    if possible:
        assert life.give_back(session, Who(at(when)), made, city=city_of(session), data=RETURN).id
        return
    with pytest.raises(ReturnTooLate):
        life.give_back(session, Who(at(when)), made, city=city_of(session), data=RETURN)
    assert (made.status, entries(session, "return")) == ("sent", [])


def test_a_waiting_return_lapses_when_the_complaint_is_struck_off(session):
    made = sent(session)
    asked = life.give_back(session, Who(NOW), made, city=city_of(session), data=RETURN)
    actions.take_step(session, Who(NOW), made, "cancel", data={"reason": "withdrawn", "note": "来电人撤回"})
    session.refresh(asked)
    assert (asked.verdict, made.status) == ("refused", "cancelled")
    with pytest.raises(WrongStep):
        life.judge_return(session, Who(NOW), made, "uphold_return")


# --- extensions ---------------------------------------------------------------------------------------------------------
ASK = {"days": 7, "note": "需要更换主管道"}


def test_the_rule_of_2009_knows_no_extension(session):
    with pytest.raises(NoExtension):
        life.ask_extension(session, Who(NOW), received(session), city=city_of(session), data=ASK | {"days": 1})


def test_the_province_grants_seven_days_then_seven_more_then_none(session):
    go_by(session, "province_2017")
    made, city = received(session), city_of(session)
    first = made.resolve_by
    with pytest.raises(ExtensionTooLong):
        life.ask_extension(session, Who(NOW), made, city=city, data=ASK | {"days": 8})
    asked = life.ask_extension(session, Who(NOW), made, city=city, data=ASK)
    with pytest.raises(AlreadyAsked), session.begin_nested():
        life.ask_extension(session, Who(NOW), made, city=city, data=ASK)
    life.judge_extension(session, Who(NOW), made, "grant_extension", city=city, data={"days": 5})
    assert made.resolve_by == at("2009-12-15T23:59:59")
    assert (asked.before, asked.granted_days, asked.resolve_by, made.extension_count) == (first, 5, made.resolve_by, 1)
    second = life.ask_extension(session, Who(NOW), made, city=city, data=ASK)
    assert second.further
    life.judge_extension(session, Who(NOW), made, "grant_extension", city=city)
    assert made.resolve_by == at("2009-12-24T23:59:59")
    with pytest.raises(NoExtension):
        life.ask_extension(session, Who(NOW), made, city=city, data=ASK | {"days": 1})
    assert made.resolve_by == replayed(session, made).resolve_by


def replayed(session, made):
    from gis.complaints.clocks import counted

    return counted(session, made, city_of(session))


def test_what_was_refused_changes_nothing_and_may_be_asked_again(session):
    go_by(session, "shandong_2020")
    made, city = received(session), city_of(session)
    before = made.resolve_by
    life.ask_extension(session, Who(NOW), made, city=city, data=ASK)
    life.judge_extension(session, Who(NOW), made, "refuse_extension", city=city, data={"note": "不复杂"})
    assert (made.resolve_by, made.extension_count) == (before, 0)
    with pytest.raises(NothingAsked):
        life.judge_extension(session, Who(NOW), made, "grant_extension", city=city)
    assert life.ask_extension(session, Who(NOW), made, city=city, data=ASK).further is False


def test_after_the_limit_no_extension_is_asked_for_but_what_was_asked_in_time_may_be_granted(session):
    go_by(session, "shandong_2020")
    made, city = received(session), city_of(session)
    over = made.resolve_by + timedelta(hours=2)
    with pytest.raises(LimitPassed):
        life.ask_extension(session, Who(over), made, city=city, data=ASK)
    life.ask_extension(session, Who(NOW), made, city=city, data=ASK)
    watch_deadlines(session, Who(over), city)
    session.refresh(made)
    assert made.alarm == 2
    life.judge_extension(session, Who(over), made, "grant_extension", city=city)
    assert (made.resolve_by > over, made.alarm) == (True, 0)


# --- pauses -------------------------------------------------------------------------------------------------------------
def stop(until, cause="permit"):
    return {"cause": cause, "until": until, "note": "等待占掘路审批"}


def test_a_pause_stops_the_clock_and_the_limit_moves_on_by_what_it_took(session):
    made, city = received(session), city_of(session)
    stands = life.pause(session, Who(NOW), made, data=stop(NOW + timedelta(days=9)))
    assert made.paused_at == NOW
    with pytest.raises(AlreadyPaused), session.begin_nested():
        life.pause(session, Who(NOW), made, data=stop(NOW + timedelta(days=9)))
    back = at("2009-11-23T09:00")  # 18, 19, 20 and 23 November were lost
    life.resume(session, Who(back), made, city=city)
    assert made.paused_at is None
    assert made.resolve_by == at("2009-11-26T23:59:59")
    assert made.warn_at == at("2009-11-26T00:00")
    assert stands.ended_at == back
    assert made.resolve_by == replayed(session, made).resolve_by
    with pytest.raises(NotPaused):
        life.resume(session, Who(back), made, city=city)


def test_only_a_listed_cause_for_its_own_time_stops_the_clock_and_never_what_is_overdue(session):
    made = received(session)
    for until in (NOW, NOW + timedelta(days=8)):
        with pytest.raises(PauseTooLong):
            life.pause(session, Who(NOW), made, data=stop(until, "weather"))
    over = made.resolve_by + timedelta(minutes=1)
    with pytest.raises(LimitPassed):
        life.pause(session, Who(over), made, data=stop(over + timedelta(days=1)))
    assert made.paused_at is None


def test_a_pause_ends_by_itself_at_its_stated_end(session):
    made, city = received(session), city_of(session)
    life.pause(session, Who(NOW), made, data=stop(at("2009-11-19T09:00")))
    assert watch_deadlines(session, Who(at("2009-11-19T08:59")), city)["resume"] == 0
    told = watch_deadlines(session, Who(at("2009-11-24T09:00")), city)
    session.refresh(made)
    assert told["resume"] == 1
    assert made.resolve_by == at("2009-11-24T23:59:59")  # two days, not five: it ran again on the 19th
    assert session.scalars(select(Pause)).one().ended_at == at("2009-11-19T09:00")


def test_who_closes_while_the_clock_stands_still_is_in_time(session):
    made = received(session)
    life.pause(session, Who(NOW), made, data=stop(NOW + timedelta(days=20)))
    over = made.resolve_by + timedelta(days=2)
    actions.take_step(session, Who(over), made, "answer", data={"answer": "已办妥"})
    assert made.closed_at <= made.resolve_by
    assert made.paused_at is None
    session.expire_all()
    assert session.scalars(select(Pause)).one().ended_at == over


def test_urging_is_counted_and_kept(session):
    made = received(session)
    for _ in range(2):
        life.urge(session, Who(NOW), made, data={"note": "请尽快"})
    assert (made.urge_count, made.status) == (2, "received")
    assert len(session.scalars(select(Reminder)).all()) == 2


# --- the watch ----------------------------------------------------------------------------------------------------------
def test_the_yellow_card_the_breach_and_the_third_time_late_are_told_once_each(session):
    made, city = received(session), city_of(session)
    moments = [("2009-11-19T12:00", {}), ("2009-11-20T00:00", {"warn": 1}), ("2009-11-20T12:00", {}),
               ("2009-11-21T00:00", {"breach": 1}), ("2009-11-23T00:00", {}), ("2009-12-01T00:00", {"late": 1}),
               ("2010-01-01T00:00", {})]  # fmt: skip
    for when, told in moments:
        found = watch_deadlines(session, Who(at(when)), city)
        assert {k: v for k, v in found.items() if v} == told, when
    for verb in ("warn", "breach", "late"):
        [entry] = entries(session, verb)
        assert (entry.thing_id, entry.user_id) == (str(made.id), None)
    assert made.version == 1  # an alarm is no edit: nobody's form goes stale by it


def test_what_is_closed_paused_or_already_late_is_not_warned(session):
    city = city_of(session)
    make_complaint(session, status="confirmed", closed_at=NOW, warn_at=NOW)
    make_complaint(session, paused_at=NOW, warn_at=NOW)
    late = make_complaint(session, warn_at=NOW - timedelta(days=3), resolve_by=NOW - timedelta(days=1))
    assert watch_deadlines(session, Who(NOW), city) == {"resume": 0, "warn": 0, "breach": 1, "late": 0}
    assert entries(session, "breach")[0].thing_id == str(late.id)


def test_two_watches_at_once_tell_every_alarm_once(committed):
    with committed() as session:
        for _ in range(40):
            make_complaint(session, warn_at=NOW, resolve_by=NOW + timedelta(hours=1))
        session.commit()
    told, start = [], threading.Barrier(4)

    def work():
        with committed() as session:
            start.wait()
            told.append(watch_deadlines(session, Who(NOW), city_of(session))["warn"])
            session.commit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 40
    with committed() as session:
        ids = [entry.thing_id for entry in entries(session, "warn")]
        assert (len(ids), len(set(ids))) == (40, 40)


# --- two at once --------------------------------------------------------------------------------------------------------
def test_of_many_who_ask_return_and_pause_at_once_each_row_is_made_once(committed):
    with committed() as session:
        go_by(session, "province_2017")
        made = sent(session).id
        session.commit()
    acts = {
        "extension": lambda s, c: life.ask_extension(s, Who(NOW), c, city=city_of(s), data=ASK),
        "pause": lambda s, c: life.pause(s, Who(NOW), c, data=stop(NOW + timedelta(days=3))),
        "return": lambda s, c: life.give_back(s, Who(NOW), c, city=city_of(s), data=RETURN),
    }
    done, refused, start = [], [], threading.Barrier(12)

    def work(name):
        with committed() as session:
            complaint = session.get(Complaint, made)
            start.wait()
            try:
                acts[name](session, complaint)
                session.commit()
                done.append(name)
            except (AlreadyAsked, AlreadyPaused, WrongStep) as error:
                refused.append(error.code)

    threads = [threading.Thread(target=work, args=(name,)) for name in acts for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) + len(refused) == 12
    assert done.count("return") == 1
    assert max(done.count(name) for name in acts) == 1
    with committed() as session:
        for model in (ReturnRequest, Extension, Pause):
            assert len(session.scalars(select(model)).all()) <= 1
        changes = [
            e for e in session.scalars(select(JournalEntry)) if e.verb in ("return", "request_extension", "pause")
        ]
        assert len(changes) == len(done)


# --- the rules' own screen ------------------------------------------------------------------------------------------------
def test_a_change_is_previewed_on_what_was_received(session):
    rule = session.scalars(
        select(LimitRule).join(RuleSet).where(RuleSet.code == "pingdu_2009", LimitRule.complexity == "complex")
    ).one()
    for days in (1, 2, 5, 40):
        when = NOW - timedelta(days=days)
        made = received(session, when)
        made.status, made.closed_at = "answered", when + timedelta(days=2 if days == 5 else 1)
    session.flush()
    found = effect(session, NOW, rule, Limit("working_days", 1, "x"), city_of(session))
    assert (found.received, found.late_now, found.late_then) == (3, 0, 1)


def test_office_hours_follow_one_another(session):
    from datetime import time

    set_hours(session, Who(NOW), [(time(9), time(12)), (time(13), time(18))])
    assert city_of(session).hours == ((time(9), time(12)), (time(13), time(18)))
    for wrong in ([], [(time(9), time(9))], [(time(9), time(12)), (time(11), time(13))]):
        with pytest.raises(HoursOverlap):
            set_hours(session, Who(NOW), wrong)
