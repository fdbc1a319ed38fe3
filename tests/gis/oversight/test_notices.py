"""Supervision notices: numbers without gaps, one open notice per complaint, proposals, steps."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gis import journal
from gis.errors import Missing, StaleVersion
from gis.journal import Who
from gis.oversight import notices, queries
from gis.oversight.model import FollowUpCall, SupervisionNotice
from gis.oversight.notices import Demand
from gis.oversight.rules import NothingToSupervise, NoticeOpen, OtherUnit, WordsMissing
from gis.people.rules import CITY, Scope
from gis.workdays import WorkingDays
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")
TIME = {"calendar": WorkingDays(frozenset({2009})), "zone": ZONE}


def _issue(session, who, *cases, scope=CITY, **fields):
    demand = Demand(**({"reason": "overdue", "complaint_ids": [c.id for c in cases]} | fields))
    return notices.issue(session, who, scope, demand, **TIME)


@pytest.fixture
def bureau(session):
    return make.make_unit(session, kind="bureau")


def test_a_notice_has_its_number_its_limit_and_marks_its_complaints(session, who, bureau):
    unit = make.make_unit(session)
    cases = [make.make_complaint(session, unit_id=unit.id) for _ in range(2)]
    first, second = _issue(session, who, *cases), _issue(session, who, make.make_complaint(session, unit_id=unit.id))
    assert (first.notice_no, second.notice_no) == ("督办〔2009〕1号", "督办〔2009〕2号")
    assert first.issuer_id == bureau.id
    assert first.unit_id == unit.id
    assert first.reply_by.astimezone(ZONE).strftime("%m-%d %H:%M:%S") == "11-20 23:59:59"  # the third working day
    assert cases[0].key_since == NOW
    told = [e["data"] for e in journal.timeline(session, "complaint", cases[0].id) if e["verb"] == "supervise"]
    assert told[0]["notice_no"] == first.notice_no


def test_numbers_are_of_a_body_and_a_year(session, bureau):
    other, unit = make.make_unit(session, kind="bureau"), make.make_unit(session)
    for issuer, at, number in (
        (bureau, NOW, 1),
        (other, NOW, 1),
        (bureau, NOW + timedelta(days=60), 1),
        (bureau, NOW, 2),
    ):
        made = _issue(session, Who(at), make.make_complaint(session, unit_id=unit.id), issuer_id=issuer.id)
        assert made.number == number


def test_eight_at_once_and_some_rolled_back_leave_no_gap_and_no_double(committed):
    with committed() as session:
        bureau, unit = make.make_unit(session, kind="bureau"), make.make_unit(session)
        ids = [make.make_complaint(session, unit_id=unit.id).id for _ in range(48)]
        session.commit()

    def one(n):
        with committed() as session:
            notices.issue(session, Who(NOW), CITY, Demand("overdue", [ids[n]], issuer_id=bureau.id), **TIME)
            if n % 4 == 3:
                session.rollback()  # its number goes to the next
            else:
                session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(48)))
    with committed() as session:
        assert sorted(session.scalars(select(SupervisionNotice.number))) == list(range(1, 37))


def test_two_notices_at_once_about_one_complaint_are_one(committed):
    with committed() as session:
        make.make_unit(session, kind="bureau")
        case = make.make_complaint(session, unit_id=make.make_unit(session).id).id
        session.commit()

    def one(_):
        with committed() as session:
            try:
                notices.issue(session, Who(NOW), CITY, Demand("overdue", [case]), **TIME)
            except NoticeOpen:
                return "refused"
            session.commit()
            return "issued"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(one, range(6))) == ["issued"] + ["refused"] * 5
    with committed() as session:
        assert [n.number for n in session.scalars(select(SupervisionNotice))] == [1]


def test_a_notice_goes_to_one_unit_and_is_about_something_within_the_scope(session, who, bureau):
    one, other = make.make_unit(session), make.make_unit(session)
    case = make.make_complaint(session, unit_id=one.id)
    with pytest.raises(OtherUnit):
        _issue(session, who, case, make.make_complaint(session, unit_id=other.id))
    with pytest.raises(OtherUnit):
        _issue(session, who, make.make_complaint(session))
    with pytest.raises(NothingToSupervise):
        _issue(session, who)
    with pytest.raises(Missing):
        _issue(session, who, case, scope=Scope(area_id=make.make_area(session).id))


def test_a_notice_is_followed_to_its_end_and_then_another_is_possible(session, who, bureau):
    case = make.make_complaint(session, unit_id=make.make_unit(session).id)
    notice = _issue(session, who, case)
    for verb, words in (("send", ""), ("acknowledge", ""), ("reply", "已更换循环泵"), ("ask_again", "没有写室温"), ("reply", "室温19度"),
                        ("escalate", "报分管局长"), ("reply", "室温20度"), ("close", "")):  # fmt: skip
        if verb in ("reply", "ask_again", "escalate"):
            with pytest.raises(WordsMissing):
                notices.step(session, who, CITY, notice.id, verb, base_version=notice.version)
        notices.step(session, who, CITY, notice.id, verb, base_version=notice.version, words=words)
    assert (notice.status, notice.reply, notice.ended_at) == ("closed", "室温20度", NOW)
    assert _issue(session, who, case).number == 2
    with pytest.raises(StaleVersion):
        notices.step(session, who, CITY, notice.id, "close", base_version=1)


def test_a_number_stays_used_when_its_notice_is_withdrawn(session, who, bureau):
    case = make.make_complaint(session, unit_id=make.make_unit(session).id)
    notice = _issue(session, who, case)
    notices.step(session, who, CITY, notice.id, "withdraw", base_version=None, words="发错单位")
    assert _issue(session, who, case).number == 2


def test_what_calls_for_a_notice_is_proposed_by_unit_and_reason_until_it_has_one(session, who, bureau):
    unit = make.make_unit(session)
    late = make.make_complaint(session, unit_id=unit.id, resolve_by=NOW - timedelta(hours=1))
    key = make.make_complaint(session, unit_id=unit.id, key_since=NOW)
    twice = make.make_complaint(session, unit_id=unit.id, status="reopened")
    once = make.make_complaint(session, unit_id=unit.id, status="reopened")
    make.make_complaint(session, unit_id=unit.id)
    for case, times in ((twice, 2), (once, 1)):
        for n in range(times):
            session.add(FollowUpCall(complaint_id=case.id, at=NOW, attempt=n + 1, outcome="reached", solved=False,
                                     process="satisfied", result="dissatisfied"))  # fmt: skip
    session.flush()
    found = {p.reason: [c["id"] for c in p.cases] for p in queries.proposals(session, CITY, NOW)}
    assert found == {
        "still_dissatisfied": [twice.id],
        "three_repeats": [key.id],
        "overdue": [late.id],
        "dissatisfied": [once.id],
    }
    notice = _issue(session, who, late)
    assert "overdue" not in {p.reason for p in queries.proposals(session, CITY, NOW)}
    for verb, words in (("send", ""), ("acknowledge", ""), ("reply", "办理中"), ("close", "")):
        notices.step(session, who, CITY, notice.id, verb, base_version=None, words=words)
    assert "overdue" not in {p.reason for p in queries.proposals(session, CITY, NOW)}


def test_a_unit_sees_its_own_notices_once_they_are_sent_and_a_district_only_what_is_wholly_inside(session, who, bureau):
    area, unit = make.make_area(session), make.make_unit(session)
    inside = make.make_complaint(session, unit_id=unit.id, district_id=area.id)
    outside = make.make_complaint(session, unit_id=unit.id)
    notice, both = _issue(session, who, inside), _issue(session, who, make.make_complaint(session, unit_id=unit.id,
                          district_id=area.id), outside)  # fmt: skip
    with pytest.raises(Missing):
        queries.notice(session, Scope(unit_id=unit.id), notice.id)
    notices.step(session, who, CITY, notice.id, "send", base_version=None)
    assert queries.notice(session, Scope(unit_id=unit.id), notice.id)["notice_no"] == notice.notice_no
    assert queries.notice(session, Scope(area_id=area.id), notice.id)
    with pytest.raises(Missing):
        queries.notice(session, Scope(area_id=area.id), both.id)


def test_an_overdue_notice_is_told_once(session, who, bureau):
    notice = _issue(session, who, make.make_complaint(session, unit_id=make.make_unit(session).id))
    notices.step(session, who, CITY, notice.id, "send", base_version=None)
    later = Who(NOW + timedelta(days=9))
    assert [notices.tell_overdue(session, later) for _ in range(2)] == [1, 0]
    verbs = [e["verb"] for e in journal.timeline(session, "supervision_notice", notice.id)]
    assert verbs == ["issue", "send", "overdue"]
