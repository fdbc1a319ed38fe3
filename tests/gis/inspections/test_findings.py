"""Findings: made by themselves, moved by the table, carried with their photos, withdrawn when the inspection is corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from gis import journal
from gis.errors import BadInput, ChengmaiError, Conflict, Missing, NotAllowed, StaleVersion
from gis.inspections import consequences, findings, stop_work
from gis.inspections import finding_queries as queries
from gis.inspections.checklist_actions import Added, activate, add_revision
from gis.inspections.finding_model import Finding, FindingPhoto, Rectification, Reinspection, StopWork
from gis.inspections.finding_rules import (
    FINDING_STEPS,
    AfterPhotoMissing,
    AlreadyStopped,
    BeyondExtension,
    CannotStop,
    FindingStatus,
    FindingWordsMissing,
    OwnReinspection,
    WrongFindingStep,
    finding_after,
    may_reinspect,
)
from gis.inspections.forms import Form, Group, Item, ItemType
from gis.inspections.model import CheckAnswer, InspectionPhoto, Photo
from gis.inspections.rules import ChecklistKind
from gis.journal import Who
from gis.oversight.finding_notices import watch_findings
from gis.oversight.model import NoticeFinding, SupervisionNotice
from gis.people.rules import CITY, Role, Scope
from gis.places.queries import working_days
from tests import factories as make
from tests.conftest import NOW
from tests.found import answer, make_finding, make_inspection

ZONE = ZoneInfo("Asia/Shanghai")
NOTHING = findings.Said()
SHA = "a" * 64


@pytest.fixture
def days(session):
    return findings.Days(working_days(session), ZONE)


def photo(session, sha=SHA):
    session.add(Photo(sha256=sha, mime="image/jpeg", size_bytes=9, width=2, height=2, received_at=NOW))
    session.flush()
    return findings.Shown(sha, NOW)


def failed_visit(session, *items, **fields):
    unit = make.make_unit(session)
    site = make.make_site(session, unit_id=unit.id)
    visit = make_inspection(session, unit_id=unit.id, site_id=site.id, **fields)
    answer(session, visit, **dict.fromkeys(items or ("i3_1",), "no"), i1_1="yes")
    return visit


def of(session, visit):
    return {f.item_id: f for f in session.scalars(select(Finding).where(Finding.inspection_id == visit.id))}


def move(session, finding, verb, days, said=NOTHING, by=None, scope=CITY, at=NOW):
    return findings.step(session, Who(at, by), scope, finding.id, verb, said, days, base_version=None)


# --- the table -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", FINDING_STEPS)
@pytest.mark.parametrize("status", FindingStatus)
def test_a_step_is_possible_exactly_where_the_table_says(status, verb):
    step = FINDING_STEPS[verb]
    if status in step.before:
        assert finding_after(status, verb) == (step.after or status)
    else:
        with pytest.raises(WrongFindingStep) as refused:
            finding_after(status, verb)
        assert verb not in refused.value.params["finding_steps"]


def test_every_status_is_reached_and_only_a_closed_one_has_no_way_on_but_a_correction():
    reached = {step.after for step in FINDING_STEPS.values()} - {None}
    assert reached | {FindingStatus.OPEN} == set(FindingStatus)
    assert [s.verb for s in FINDING_STEPS.values() if FindingStatus.CLOSED in s.before] == ["annul"]


def test_no_role_of_a_unit_can_pass_fail_extend_or_withdraw():
    for verb in ("pass", "fail", "extend", "withdraw", "escalate", "reinstate", "send"):
        assert not FINDING_STEPS[verb].roles & {Role.UNIT_HANDLER, Role.CREW}


@pytest.mark.parametrize("status", FindingStatus)
@pytest.mark.parametrize("verb", [v for v, s in FINDING_STEPS.items() if s.roles])
def test_the_verb_itself_moves_as_the_table_says_and_refuses_everything_else(session, days, status, verb):
    finding = make_finding(session, status=status, rectify_by=NOW + timedelta(days=3))
    handler = make.make_user(session, role="unit_handler", unit_id=finding.unit_id)
    checker = make.make_user(session, role="inspector")
    if status == FindingStatus.RECTIFIED:
        session.add(Rectification(finding_id=finding.id, attempt=1, at=NOW, user_id=handler.id, note="好", late=False))
    said = findings.Said("已处理", [photo(session)], days=1)
    by = handler.id if verb in ("sign", "rectify") else checker.id
    if status not in FINDING_STEPS[verb].before:
        with pytest.raises(WrongFindingStep):
            move(session, finding, verb, days, said, by)
        assert finding.status == status
    else:
        move(session, finding, verb, days, said, by)
        assert finding.status == (FINDING_STEPS[verb].after or status)
        assert [e["verb"] for e in journal.timeline(session, "finding", finding.id)] == [verb]


# --- made by itself --------------------------------------------------------------------------------------------------
def test_each_failed_item_becomes_a_finding_sent_to_its_unit_with_a_deadline_in_working_days(session):
    visit = failed_visit(session, "i3_1", "i6_5")
    assert findings.follow(session, Who(NOW), visit.id) == 2
    found = of(session, visit)
    assert {f.status for f in found.values()} == {"sent"}
    assert found["3.1"].severity == "general" and found["6.5"].severity == "serious"
    # 17 November 2009 is a Tuesday: five working days later is the next Tuesday, two are Thursday.
    assert found["3.1"].rectify_by == datetime(2009, 11, 24, 15, 59, 59, tzinfo=UTC)
    assert found["6.5"].rectify_by == datetime(2009, 11, 19, 15, 59, 59, tzinfo=UTC)
    assert found["3.1"].limit_source and found["3.1"].item_zh == "统一着装"


def test_an_inspection_that_arrives_again_makes_no_second_finding(session):
    visit = failed_visit(session)
    assert [findings.follow(session, Who(NOW), visit.id) for _ in range(3)] == [1, 0, 0]
    assert len(of(session, visit)) == 1


def test_a_self_inspection_and_what_a_crew_files_make_none(session):
    self_made = failed_visit(session, is_self=True)
    crews = failed_visit(session, inspector_id=make.make_user(session, role="crew").id)
    assert findings.follow(session, Who(NOW), self_made.id) == 0
    assert findings.follow(session, Who(NOW), crews.id) == 0


def test_a_site_without_a_unit_leaves_the_finding_to_the_bureau(session, days):
    visit = make_inspection(session, site_id=make.make_site(session).id)
    answer(session, visit, i3_1="no")
    findings.follow(session, Who(NOW), visit.id)
    [finding] = of(session, visit).values()
    assert finding.status == "open" and finding.rectify_by is None
    with pytest.raises(Conflict):
        move(session, finding, "send", days)
    session.expire_all()
    unit = make.make_unit(session)
    move(session, finding, "send", days, findings.Said(unit_id=unit.id))
    assert finding.status == "sent" and finding.unit_id == unit.id and finding.rectify_by is not None


def test_photos_and_signature_are_carried_by_their_hash(session):
    visit = failed_visit(session)
    for sha, item in (("b" * 64, "3.1"), ("c" * 64, "3"), ("d" * 64, "1.1")):
        photo(session, sha)
        session.add(InspectionPhoto(inspection_id=visit.id, sha256=sha, item_id=item, taken_at=NOW))
    session.flush()
    findings.follow(session, Who(NOW), visit.id)
    carried = set(session.execute(select(FindingPhoto.part, FindingPhoto.sha256)).all())
    assert carried == {("before", "b" * 64), ("signature", "c" * 64)}
    assert session.scalar(select(func.count()).select_from(Photo)) == 3


def test_a_correction_to_yes_withdraws_the_finding_and_back_to_no_revives_it_and_both_are_told(session, days):
    visit = failed_visit(session)
    findings.follow(session, Who(NOW), visit.id)
    [finding] = of(session, visit).values()
    move(session, finding, "sign", days)
    answer(session, visit, i3_1="yes")
    assert [findings.follow(session, Who(NOW), visit.id) for _ in range(2)] == [1, 0]
    assert finding.status == "withdrawn"
    answer(session, visit, i3_1="no")
    assert [findings.follow(session, Who(NOW), visit.id) for _ in range(2)] == [1, 0]
    assert finding.status == "sent"
    told = [e["verb"] for e in journal.timeline(session, "finding", finding.id)]
    assert told == ["find", "sign", "annul", "revive", "send"]


def test_what_a_supervisor_withdrew_is_not_revived_by_the_same_inspection_again(session, days):
    visit = failed_visit(session)
    findings.follow(session, Who(NOW), visit.id)
    [finding] = of(session, visit).values()
    with pytest.raises(FindingWordsMissing):
        move(session, finding, "withdraw", days)
    session.expire_all()
    move(session, finding, "withdraw", days, findings.Said("误判"))
    assert findings.follow(session, Who(NOW), visit.id) == 0
    assert finding.status == "withdrawn"


# --- put right, looked at again --------------------------------------------------------------------------------------
def test_a_failed_re_inspection_counts_gives_a_new_deadline_and_a_passed_one_closes(session, days):
    finding = make_finding(session)
    handler = make.make_user(session, role="unit_handler", unit_id=finding.unit_id)
    checker = make.make_user(session, role="inspector")
    own = Scope(unit_id=finding.unit_id)
    move(session, finding, "sign", days, by=handler.id, scope=own)
    with pytest.raises(AfterPhotoMissing):
        move(session, finding, "rectify", days, findings.Said("换了"), handler.id)
    session.expire_all()
    shown = findings.Said("换了", [photo(session)])
    move(session, finding, "rectify", days, shown, handler.id, own)
    move(session, finding, "fail", days, findings.Said("还差两人"), checker.id)
    assert (finding.status, finding.failed_times) == ("failed", 1)
    assert finding.rectify_by == datetime(2009, 11, 20, 15, 59, 59, tzinfo=UTC)
    move(session, finding, "rectify", days, shown, handler.id, own)
    move(session, finding, "pass", days, by=checker.id)
    assert finding.status == "closed" and finding.ended_at == NOW
    looks = session.execute(select(Reinspection.attempt, Reinspection.passed).order_by(Reinspection.attempt)).all()
    assert looks == [(1, False), (2, True)]


def test_nobody_of_the_unit_or_contractor_and_not_who_answered_may_re_inspect():
    assert may_reinspect((1, 2), 10, None, True, 11)
    assert may_reinspect((1, None), 10, 3, True, 11)
    assert not may_reinspect((1, 2), 10, 2, True, 11)
    assert not may_reinspect((1, 2), 11, None, True, 11)
    assert not may_reinspect((1, 2), 10, 3, False, 11)


def test_an_inspector_of_the_unit_itself_is_refused_as_is_one_of_another_company(session, days):
    finding = make_finding(session, status="rectified")
    session.add(Rectification(finding_id=finding.id, attempt=1, at=NOW, note="好", late=False))
    other = make.make_unit(session)
    for unit_id in (finding.unit_id, other.id):
        checker = make.make_user(session, role="inspector", unit_id=unit_id)
        with pytest.raises(OwnReinspection):
            move(session, finding, "pass", days, by=checker.id)
        session.expire_all()
    assert finding.status == "rectified"


def test_an_extension_is_within_the_rule_and_no_oftener_than_it_says(session, days):
    finding = make_finding(session)
    with pytest.raises(BeyondExtension):
        move(session, finding, "extend", days, findings.Said("下雨", days=6))
    session.expire_all()
    before = finding.rectify_by
    move(session, finding, "extend", days, findings.Said("下雨", days=5))
    assert finding.rectify_by > before
    with pytest.raises(BeyondExtension):
        move(session, finding, "extend", days, findings.Said("又下雨", days=1))


def test_a_unit_sees_and_moves_only_its_own_and_nothing_that_is_not_sent(session, days):
    finding, other = make_finding(session), make.make_unit(session)
    waiting = make_finding(session, status="open", sent_at=None)
    for scope, which in ((Scope(unit_id=other.id), finding), (Scope(unit_id=waiting.unit_id), waiting)):
        with pytest.raises(Missing):
            move(session, which, "sign", days, scope=scope)
    assert queries.listed(session, Scope(unit_id=finding.unit_id), NOW, queries.Wanted())[0] == 1


def test_an_edit_on_an_old_version_is_refused(session, days):
    finding = make_finding(session)
    with pytest.raises(StaleVersion):
        findings.step(session, Who(NOW), CITY, finding.id, "sign", NOTHING, days, base_version=7)


def test_the_person_named_works_for_the_unit_or_the_contractor(session, days):
    finding = make_finding(session)
    own, other = make.make_user(session, unit_id=finding.unit_id), make.make_user(session)
    move(session, finding, "name_person", days, findings.Said(user_id=own.id))
    assert finding.user_id == own.id
    with pytest.raises(Missing):
        move(session, finding, "name_person", days, findings.Said(user_id=other.id))


# --- stopped works ---------------------------------------------------------------------------------------------------
def test_works_are_stopped_with_a_number_once_and_lifted_by_the_re_inspection_that_passes(session, days):
    finding = make_finding(session, severity="serious", status="rectified")
    session.add(Rectification(finding_id=finding.id, attempt=1, at=NOW, note="好", late=False))
    boss, checker = make.make_user(session, role="supervisor"), make.make_user(session, role="inspector")
    order = stop_work.stop(session, Who(NOW, boss.id), CITY, finding.id, "未设围挡", ZONE)
    assert order.stop_no == "停工〔2009〕1号"
    with pytest.raises(AlreadyStopped), session.begin_nested():
        stop_work.stop(session, Who(NOW, boss.id), CITY, finding.id, "再停", ZONE)
    move(session, finding, "pass", days, by=checker.id)
    session.refresh(order)
    assert order.lift_reason == "reinspection" and order.lifted_by == checker.id


def test_a_general_finding_and_one_without_a_site_cannot_stop_the_works(session):
    general = make_finding(session)
    homeless = make_finding(session, severity="serious", site_id=None)
    for finding in (general, homeless):
        with pytest.raises(CannotStop):
            stop_work.stop(session, Who(NOW), CITY, finding.id, "停", ZONE)


def test_a_supervisor_lifts_with_a_reason_and_not_twice(session):
    finding = make_finding(session, severity="serious")
    order = stop_work.stop(session, Who(NOW), CITY, finding.id, "停", ZONE)
    with pytest.raises(FindingWordsMissing):
        stop_work.lift(session, Who(NOW), CITY, order.id, " ", None)
    session.expire_all()
    stop_work.lift(session, Who(NOW), CITY, order.id, "现场已整改", None)
    with pytest.raises(Conflict):
        stop_work.lift(session, Who(NOW), CITY, order.id, "再", None)


# --- by itself, when time passes -------------------------------------------------------------------------------------
def test_the_watch_warns_tells_the_breach_and_escalates_to_a_notice_each_once(session, days):
    make.make_unit(session, kind="bureau", name="城市管理局")
    visit = failed_visit(session, "i3_1", "i3_2")
    findings.follow(session, Who(NOW), visit.id)
    counts = []
    for later in (0, 6, 6, 8, 8, 10, 10):  # the limit is 7 days later, on Tuesday 24 November
        seen = watch_findings(session, Who(NOW + timedelta(days=later)), days)
        counts.append((seen.warned, seen.late))
    assert counts == [(0, 0), (2, 0), (0, 0), (0, 2), (0, 0), (0, 0), (0, 0)]
    [notice] = session.scalars(select(SupervisionNotice)).all()
    assert (notice.reason, notice.status, notice.notice_no) == ("finding", "issued", "督办〔2009〕1号")
    assert session.scalar(select(func.count()).select_from(NoticeFinding)) == 2
    for finding in of(session, visit).values():
        assert [e["verb"] for e in journal.timeline(session, "finding", finding.id)] == [
            "find",
            "warn",
            "late",
            "escalate",
        ]


def test_every_error_of_this_room_is_of_the_family_that_its_door_answers_with():
    for error in (WrongFindingStep, AlreadyStopped, CannotStop):
        assert issubclass(error, Conflict)
    assert issubclass(OwnReinspection, NotAllowed) and issubclass(FindingWordsMissing, BadInput)
    assert ChengmaiError in FindingWordsMissing.__mro__


def test_only_one_order_stops_a_site_whatever_the_code_does(session):
    finding = make_finding(session, severity="serious")
    stop_work.stop(session, Who(NOW), CITY, finding.id, "停", ZONE)
    standing = session.scalar(text("SELECT count(*) FROM stop_work WHERE lifted_at IS NULL"))
    assert standing == 1 and session.scalar(select(StopWork.site_id)) == finding.site_id


def test_a_no_in_a_form_of_the_bureaus_own_is_a_finding_in_the_forms_words(session):
    barrier = Item(
        "barrier_stands_along_the_pit", ItemType.YES_NO, {"zh": "沟槽边有围挡", "en": "A barrier along the pit"}
    )
    given = Added(
        "own_form",
        "自定检查",
        ChecklistKind.FORM,
        Form("自定检查", (Group("p", {}, "", (barrier,)),)),
        "局自定",
        "<h/>",
    )
    made = add_revision(session, Who(NOW), given)
    activate(session, Who(NOW), made.code, made.revision)
    findings.set_severity(session, Who(NOW), "own_form", barrier.name, "serious", "局自定")
    consequences.set_weight(session, Who(NOW), "own_form", barrier.name, 3, "局自定")
    unit = make.make_unit(session)
    site = make.make_site(session, unit_id=unit.id)
    visit = make_inspection(
        session, unit_id=unit.id, site_id=site.id, checklist_code="own_form", checklist_revision=made.revision,
        scope=None, stage=None,
    )  # fmt: skip
    session.merge(CheckAnswer(inspection_id=visit.id, item_id=barrier.name, answer="no", note=""))
    session.flush()
    assert findings.follow(session, Who(NOW), visit.id, ZONE) == 1
    finding = of(session, visit)[barrier.name]
    assert (finding.item_zh, finding.item_en) == ("沟槽边有围挡", "A barrier along the pit")
    assert (finding.severity, finding.unit_id) == ("serious", unit.id)
