"""What came too early waits, what two people changed is merged or disputed, and what is gone is told."""

from __future__ import annotations

import copy
import uuid
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from gis.dispatch import actions as dispatch
from gis.dispatch.model import Crew
from gis.inspections import hold
from gis.inspections.amend import differing
from gis.inspections.model import Change, CheckAnswer, Inspection
from gis.inspections.sync_model import Amendment, HeldChange, InspectionConflict
from gis.journal import Who
from gis.journal import write as write_journal
from gis.people.model import User
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_site
from tests.phones import change, sha256_of, submitting, visit
from webapp.verify_sync import broken


def amending(inspection_id, base=1, at="2009-11-17T02:00:00Z", after=None, **payload):
    fields = {"base_version": base, "at": at} | ({"after": after} if after else {})
    return change("inspection.amend", inspection_id, {"inspection_id": inspection_id} | payload, **fields)


def answer(item_id, value=None, note=None):
    return {"item_id": item_id} | ({"answer": value} if value else {}) | ({} if note is None else {"note": note})


@pytest.fixture
def phone(phone_of):
    return phone_of()


@pytest.fixture
def sent(session, phone):
    made = submitting(visit(site_id=make_site(session).id))
    assert phone.sync(made)[0]["verdict"] == "applied"
    return made["thing_id"]


def _state(session, inspection_id):
    inspection = session.get(Inspection, uuid.UUID(inspection_id), populate_existing=True)
    answers = session.scalars(
        select(CheckAnswer).where(CheckAnswer.inspection_id == inspection.id).execution_options(populate_existing=True)
    )
    disputed = select(InspectionConflict.path).where(InspectionConflict.inspection_id == inspection.id)
    return (inspection.note, inspection.version, {a.item_id: (a.answer, a.note) for a in answers},
            set(session.scalars(disputed)))  # fmt: skip


# --- what came too early ---------------------------------------------------------------------------------------------
def test_the_steps_of_a_day_in_any_order_end_in_the_same_state(session, crew_phone, phone_of):
    for order in permutations(range(3)):
        made = make_order(
            session, make_complaint(session, status="assigned"), (session.get_one(User, crew_phone.user.id) and None)
            or make_crew(session),
        )  # fmt: skip
        made.crew_id = crew_phone.user.crew_id
        session.commit()
        steps = [
            change(f"order.{verb}", made.id, base_version=base)
            for base, verb in enumerate(("accept", "arrive", "resolve"), start=made.version)
        ]
        for index in order:
            (result,) = crew_phone.sync(steps[index])
            assert result["verdict"] == "applied" or (result["code"], result["retry"], result["hint"], result["after_s"]) == (
                "held", True, "after", 30)  # fmt: skip
        assert [r["verdict"] for r in crew_phone.sync(*steps)] == ["applied"] * 3
        session.refresh(made)
        assert (made.status, made.ended_at) == ("resolved", NOW)
    assert session.scalars(select(HeldChange)).all() == []


def test_a_correction_before_its_visit_waits_and_is_applied_when_the_visit_comes(session, phone):
    submit = submitting(visit(site_id=make_site(session).id))
    amend = amending(submit["thing_id"], answers=[answer("1.1", "no", "没有公示")])
    (held,) = phone.sync(amend)
    assert (held["verdict"], held["code"], held["receipt"]) == ("refused", "held", None)
    assert session.scalars(select(HeldChange.waits_for)).one() == f"inspection:{submit['thing_id']}"
    assert phone.sync(amend) == [held]
    assert phone.sync(submit)[0]["verdict"] == "applied"
    assert _state(session, submit["thing_id"])[2]["1.1"] == ("no", "没有公示")
    (again,) = phone.sync(amend)
    assert (again["verdict"], again["thing"]["version"]) == ("applied", 2)
    assert session.scalars(select(HeldChange)).all() == []


def test_a_change_that_names_its_predecessor_waits_for_it_in_the_same_batch_too(session, phone, sent):
    first = amending(sent, note="一")
    second = amending(sent, note="二", after=first["id"])
    results = phone.sync(second, first)
    assert [r["verdict"] for r in results] == ["refused", "applied"]
    assert _state(session, sent)[0] == "二"
    assert phone.sync(second)[0]["verdict"] == "applied"


def test_what_waits_for_what_never_comes_is_refused_in_the_end_for_all_to_see(session, phone, sent, sign_in):
    lost = amending(sent, note="x", after=str(uuid.uuid4()))
    assert phone.sync(lost)[0]["code"] == "held"
    page = sign_in("supervisor").get("/inspections/review").text
    assert "等待前项的变更" in page and lost["after"] in page
    assert hold.expire(session, Who(NOW + timedelta(days=6))) == []
    assert hold.expire(session, Who(NOW + timedelta(days=8))) == [uuid.UUID(lost["id"])]
    session.commit()
    (result,) = phone.sync(lost)
    assert (result["verdict"], result["code"], result["retry"], result["hint"]) == (
        "refused", "never_came", False, "never")  # fmt: skip
    assert "前项未到" in sign_in("supervisor").get("/inspections/review").text


def test_two_contents_that_wait_under_one_id_are_both_kept(session, phone):
    submit = submitting(visit(site_id=make_site(session).id))
    one = amending(submit["thing_id"], note="一")
    other = copy.deepcopy(one) | {"payload": one["payload"] | {"note": "二"}}
    assert [phone.sync(c)[0]["code"] for c in (one, other)] == ["held", "held"]
    phone.sync(submit)
    assert _state(session, submit["thing_id"])[0] in ("一", "二")
    results = [phone.sync(c)[0] for c in (one, other)]
    assert sorted(r.get("code", r["verdict"]) for r in results) == ["applied", "change_differs"]
    assert [r["receipt"]["change_sha256"] for r in results] == [sha256_of(one), sha256_of(other)]


# --- merged, or disputed ---------------------------------------------------------------------------------------------
def test_corrections_of_different_properties_all_hold_and_are_told(session, phone, sent):
    one = amending(sent, answers=[answer("1.1", "no")])
    two = amending(sent, answers=[answer("1.1", note="看过"), answer("2.1", "no")], note="重看")
    first, second = phone.sync(one, two)
    assert (first["verdict"], "merged" in first) == ("applied", False)
    assert (second["verdict"], second["merged"]) == ("applied", ["1.1.answer"])
    note, version, answers, disputed = _state(session, sent)
    assert (note, version, answers["1.1"], answers["2.1"][0], disputed) == ("重看", 3, ("no", "看过"), "no", set())


def test_corrections_of_one_property_are_both_kept_and_a_person_chooses(session, phone, sent, sign_in):
    one = amending(sent, at="2009-11-17T02:00:00Z", note="甲说")
    two = amending(sent, at="2009-11-17T01:00:00Z", note="乙说")
    first, second = phone.sync(one, two)
    assert (first["verdict"], second["verdict"], second["code"], second["hint"]) == (
        "applied", "conflict", "fields_differ", "never")  # fmt: skip
    assert second["receipt"]["change_sha256"]
    assert _state(session, sent)[::3] == ("甲说", {"note"})
    desk = sign_in("supervisor")
    page = desk.get("/inspections/review").text
    assert "甲说" in page and "乙说" in page and "以此为准" in page
    answered = desk.post(f"/inspections/{sent}/choose", data={"path": "note", "chosen": two["id"]})
    assert answered.status_code == 302
    assert _state(session, sent)[::3] == ("乙说", set())
    assert "甲说" in desk.get(f"/inspections/{sent}").text  # nothing is thrown away
    later = amending(sent, base=4, note="丙说")
    assert phone.sync(later)[0]["verdict"] == "applied"
    assert differing(session) == []


def test_all_orders_of_four_corrections_end_in_the_same_state(session, phone):
    """Two phones' chains of two, made without signal: each second correction rests on its first."""
    site, states = make_site(session), []
    for order in permutations(range(4)):
        submit = submitting(visit(site_id=site.id))
        phone.sync(submit)
        about = submit["thing_id"]
        a = amending(about, at="2009-11-17T02:00:00Z", answers=[answer("1.1", "no", "甲")], note="甲一")
        b = amending(about, at="2009-11-17T02:05:00Z", after=a["id"], answers=[answer("1.1", note="甲改")])
        c = amending(about, at="2009-11-17T02:01:00Z", answers=[answer("1.1", "no"), answer("2.1", "no")], note="乙一")
        d = amending(about, at="2009-11-17T02:02:00Z", after=c["id"], answers=[answer("2.1", "yes")])
        made = (a, b, c, d)
        for index in order:
            phone.sync(made[index])
        assert {r["verdict"] for r in phone.sync(*made)} <= {"applied", "conflict"}
        states.append(_state(session, about))
    assert all(state == states[0] for state in states)
    note, version, answers, disputed = states[0]
    assert (note, version, answers["1.1"], answers["2.1"]) == ("乙一", 5, ("no", "甲改"), ("yes", ""))
    assert disputed == {"note"}
    assert differing(session) == []


def test_a_correction_is_held_against_the_checklist(phone, sent):
    for payload, reason in (
        ({"answers": [answer("9.9", "yes")]}, "9.9"),
        ({"answers": [answer("2.1", "na")]}, "2.1"),
        ({}, "没有任何改动"),
    ):
        (result,) = phone.sync(amending(sent, **payload))
        assert (result["verdict"], result["code"], result["hint"]) == ("refused", "bad_checklist", "changed")
        assert reason in result["detail"]


def test_somebody_elses_visit_cannot_be_corrected(phone_of, sent, session):
    (result,) = phone_of().sync(amending(sent, note="x"))
    assert (result["verdict"], result["code"]) == ("refused", "missing")
    assert session.scalars(select(Amendment)).all() == []


def test_a_correction_is_in_the_journal_without_what_it_said(session, phone, sent):
    phone.sync(amending(sent, note="王五家"))
    from gis.journal import timeline

    (line,) = [row for row in timeline(session, "inspection", sent) if row["verb"] == "amend"]
    assert (line["version"], line["data"]["fields"]) == (2, ["note"])
    assert "王五" not in str(line["data"])


# --- what a phone is told to do --------------------------------------------------------------------------------------
def test_every_verdict_says_when_to_send_again(session, phone, monkeypatch):
    site = make_site(session)
    good, bad, lost = (
        submitting(visit(site_id=site.id)), submitting(visit(site_id=site.id, surprise=1)), submitting(visit(site_id=10**15)),
    )  # fmt: skip
    hints = [(r["hint"], r["retry"]) for r in phone.sync(good, bad, lost)]
    assert hints == [("never", False), ("changed", False), ("never", False)]


# --- tombstones ------------------------------------------------------------------------------------------------------
def _pull(session, phone, cursor):
    """The answer once the test's own transaction is behind the horizon: what is asked is the query, not the clock of xmin."""
    return phone.get(f"/sync?after={cursor}").json


@pytest.fixture
def final(monkeypatch):
    """In these tests everything is one transaction, so nothing of it is ever behind the horizon: take the horizon away."""
    from sqlalchemy import text

    from gis.inspections import queries

    bare = str(queries._CHANGED_SINCE).replace("AND txid < pg_snapshot_xmin(pg_current_snapshot())", "")
    monkeypatch.setattr(queries, "_CHANGED_SINCE", text(bare))


def test_an_order_given_to_another_crew_is_gone_and_one_never_carried_is_not_told(session, crew_phone, final):
    crew, other = crew_phone.user.crew_id, make_crew(session)
    mine = make_order(session, make_complaint(session, status="assigned"), session.get_one(Crew, crew))
    theirs = make_order(session, crew=make_crew(session))
    session.flush()
    for order in (mine, theirs):
        write_journal(session, Who(NOW), "assign", "work_order", order.id, version=1, crew_id=order.crew_id)
    session.commit()
    cursor = crew_phone.get("/orders").json["cursor"]
    mine.crew_id = other.id
    session.flush()
    for order in (mine, theirs):
        write_journal(session, Who(NOW), "assign", "work_order", order.id, version=2, crew_id=order.crew_id)
    session.commit()
    told = _pull(session, crew_phone, cursor)
    assert (told["orders"], told["gone"]) == ([], [{"thing": "order", "id": mine.id}])


def test_a_recalled_order_and_a_lost_site_are_told(session, phone_of, final):
    area, elsewhere = make_area(session), make_area(session)
    inspector = phone_of("inspector", area_id=area.id)
    site = make_site(session, area_id=area.id)
    order = make_order(session, make_complaint(session, status="assigned", community_id=area.id))
    session.commit()
    dispatch.release(session, Who(NOW), order.complaint_id)
    write_journal(session, Who(NOW), "edit", "site", site.id, version=2)
    session.commit()
    told = _pull(session, inspector, "0.0")
    assert [(o["id"], o["status"]) for o in told["orders"]] == [(order.id, "recalled")]
    assert [s["id"] for s in told["sites"]] == [site.id]
    site.area_id = elsewhere.id
    write_journal(session, Who(NOW), "edit", "site", site.id, version=3)
    session.commit()
    told = _pull(session, inspector, "0.0")
    assert {"thing": "site", "id": site.id} in told["gone"] and told["sites"] == []


def test_changed_rights_are_told_by_another_word(session, phone_of):
    inspector = phone_of("inspector", area_id=make_area(session).id)
    before = inspector.get("/sync").json["rights"]
    assert inspector.get("/sync").json["rights"] == before
    session.get(User, inspector.user.id).area_id = make_area(session).id
    session.commit()
    assert inspector.get("/sync").json["rights"] != before


def test_a_record_deleted_at_the_desk_never_blocks_the_rest(session, phone, tmp_path):
    gone, there = make_site(session), make_site(session)
    lost, kept = submitting(visit(site_id=gone.id)), submitting(visit(site_id=there.id))
    session.delete(gone)
    session.commit()
    results = phone.sync(lost, kept)
    assert [r["verdict"] for r in results] == ["refused", "applied"]
    assert session.get(Change, uuid.UUID(lost["id"])).body["payload"]["answers"]  # nothing of it is thrown away
    assert {name: rows for name, rows in broken(session, tmp_path / "files").items() if rows} == {}


def test_the_checker_names_what_was_acknowledged_and_is_not_there_or_not_so(session, phone, sent, tmp_path):
    (change_id,) = session.scalars(select(Change.id))
    kept = session.get(Change, change_id)

    def found(**acknowledged):
        rows = broken(session, tmp_path / "files", acknowledged=acknowledged.get("told", {}))
        return {name for name, ids in rows.items() if ids}

    assert found(told={str(change_id): kept.sha256}) == set()
    assert found(told={str(uuid.uuid4()): kept.sha256}) == {"every acknowledged change is kept"}
    assert found(told={str(change_id): "0" * 64}) == {"every acknowledged change is kept"}
    kept.body = kept.body | {"at": "2009-11-18T00:00:00Z"}
    session.flush()
    assert found() == {"a change is as it was acknowledged"}
