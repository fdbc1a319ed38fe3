"""What follows from a visit follows however it came: alone, in a batch, corrected, before its photos; and not from a form."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from gis.dispatch import moves
from gis.inspections.finding_model import Finding, FindingPhoto
from gis.inspections.round_model import SiteVisit
from gis.inspections.sync_model import Amendment
from gis.journal import Who
from gis.journal import write as write_journal
from tests import factories as make
from tests.conftest import NOW
from tests.found import make_finding
from tests.mobile_api.v1.test_forms import _boiler, _filled
from tests.mobile_api.v1.test_merging import amending, answer
from tests.phones import AT, change, picture, submitting, visit
from tests.sites import TODAY, make_visit
from webapp.verify_sync import broken


@pytest.fixture
def phone(phone_of):
    return phone_of("inspector")


def site_of_a_unit(session):
    site = make.make_site(session, unit_id=make.make_unit(session).id)
    session.commit()
    return site


def failing(site, item="3.1", **fields):
    """A visit with one failed item."""
    made = visit(site_id=site.id, **fields)
    for given in made["answers"]:
        given["answer"] = "no" if given["item_id"] == item else given["answer"]
    return made


def found(session):
    return [(f.item_id, f.status) for f in session.scalars(select(Finding).order_by(Finding.id))]


def test_of_a_batch_each_failed_item_makes_a_finding_and_each_visit_that_was_planned_is_done(session, phone):
    planned, plain = site_of_a_unit(session), site_of_a_unit(session)
    number = make_visit(session, planned, inspector_id=phone.user.id, on_day=TODAY).id
    session.commit()
    sent = [submitting(failing(planned)), submitting(visit(site_id=plain.id)), submitting(failing(plain, "1.1"))]
    assert [r["verdict"] for r in phone.sync(*sent)] == ["applied"] * 3
    done = session.get(SiteVisit, number, populate_existing=True)
    assert (done.status, str(done.inspection_id)) == ("done", sent[0]["thing_id"])
    assert sorted(found(session)) == [("1.1", "sent"), ("3.1", "sent")]
    phone.sync(*sent)
    assert len(found(session)) == 2


def test_a_corrected_answer_takes_the_finding_back_and_another_makes_one(session, phone):
    sent = submitting(failing(site_of_a_unit(session)))
    phone.sync(sent)
    [applied] = phone.sync(amending(sent["thing_id"], answers=[answer("3.1", "yes"), answer("1.1", "no")]))
    assert applied["verdict"] == "applied"
    session.expire_all()
    assert found(session) == [("3.1", "withdrawn"), ("1.1", "sent")]
    phone.sync(amending(sent["thing_id"], base=2, at="2009-11-17T02:30:00Z", answers=[answer("3.1", "no")]))
    session.expire_all()
    assert found(session) == [("3.1", "sent"), ("1.1", "sent")]


def test_a_photo_that_follows_its_form_is_shown_with_the_finding_too(session, phone):
    sha = hashlib.sha256(picture()).hexdigest()
    shot = {"sha256": sha, "item_id": "3.1", "taken_at": AT, "position": None}
    phone.sync(submitting(failing(site_of_a_unit(session), photos=[shot])))
    assert session.scalars(select(FindingPhoto)).all() == []
    assert phone.put_photo(picture()).status_code in (200, 201)
    assert [(p.sha256, p.part) for p in session.scalars(select(FindingPhoto))] == [(sha, "before")]


def test_a_photo_added_by_a_correction_is_shown_with_the_finding_too(session, phone):
    sent = submitting(failing(site_of_a_unit(session)))
    phone.sync(sent)
    sha = hashlib.sha256(picture()).hexdigest()
    phone.put_photo(picture())
    shot = {"sha256": sha, "item_id": "3.1", "taken_at": AT, "position": None}
    [applied] = phone.sync(amending(sent["thing_id"], photos=[shot]))
    assert applied["verdict"] == "applied"
    assert [(p.sha256, p.part) for p in session.scalars(select(FindingPhoto))] == [(sha, "before")]


def test_what_was_put_right_waits_for_its_photos_and_is_sent_again_as_it_is(session, phone_of):
    unit = make.make_unit(session)
    crew = phone_of("crew", crew_id=make.make_crew(session, unit_id=unit.id).id, unit_id=unit.id)
    finding = make_finding(session, unit_id=unit.id, severity="minor")
    session.commit()
    shown = [{"sha256": hashlib.sha256(picture()).hexdigest(), "taken_at": AT}]
    step = change("finding.rectify", finding.id, {"note": "已清理", "photos": shown})
    [early] = crew.sync(step)
    assert (early["verdict"], early["code"], early["retry"], early["receipt"]) == (
        "refused",
        "photo_missing",
        True,
        None,
    )
    crew.put_photo(picture())
    [done] = crew.sync(step)
    assert (done["verdict"], done["thing"]["status"], done["receipt"]["parts"]) == (
        "applied", "rectified", [shown[0]["sha256"]])  # fmt: skip


def test_of_a_form_the_note_can_be_corrected_but_not_one_answer_among_others(session, phone):
    _boiler(session)
    sent = _filled(make.make_site(session), ("clean", "yes", ""))
    assert phone.sync(sent)[0]["verdict"] == "applied"
    [refused] = phone.sync(amending(sent["thing_id"], answers=[answer("clean", "no")]))
    assert (refused["verdict"], refused["code"]) == ("refused", "bad_checklist")
    assert "重新填写" in refused["detail"]
    assert session.scalars(select(Amendment)).all() == []
    [kept] = phone.sync(amending(sent["thing_id"], note="看过两遍"))
    assert (kept["verdict"], kept["thing"]["version"]) == ("applied", 2)


def test_what_the_desk_does_to_an_orders_time_is_no_illegal_step_but_the_same_after_its_end_is(session, tmp_path):
    order = make.make_order(session, make.make_complaint(session, status="assigned"), make.make_crew(session))
    session.commit()
    moves.lock(session, Who(NOW), order)
    moves.lock(session, Who(NOW), order, False)
    assert broken(session, tmp_path / "files")["an order takes only legal steps"] == []
    write_journal(session, Who(NOW), "lock", "work_order", order.id, version=9, before="resolved", after="resolved")
    session.flush()
    assert broken(session, tmp_path / "files")["an order takes only legal steps"] == [str(order.id)]
