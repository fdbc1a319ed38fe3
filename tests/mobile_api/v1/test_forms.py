"""A form filled in on our own phone: values beside yes and no, the revision it was given to, and what contradicts refused."""

from sqlalchemy import select

from gis.inspections import checklist_actions as checklists
from gis.inspections.checklist_actions import Added
from gis.inspections.model import CheckAnswer, Inspection
from gis.inspections.rules import ChecklistKind
from gis.journal import Who
from tests import factories as make
from tests.conftest import NOW
from tests.mobile_api.openrosa.test_openrosa import BOOK
from tests.phones import submitting, visit
from webapp.xlsform.reader import from_book


def _boiler(session, title="锅炉房检查"):
    brought = from_book(BOOK, "boiler")
    made = checklists.add_revision(
        session, Who(NOW), Added(brought.code, title, ChecklistKind.FORM, brought.form, "t", brought.xform)
    )
    checklists.activate(session, Who(NOW), made.code, made.revision)
    session.commit()


def _filled(site, *answers, **fields):
    found = [{"item_id": name, "answer": answer, "value": value, "note": ""} for name, answer, value in answers]
    return submitting(
        visit(site_id=site.id, answers=found, checklist_code="boiler_room", scope=None, stage=None, **fields)
    )


def test_values_are_kept_beside_yes_and_no(phone_of, session):
    _boiler(session)
    site, phone = make.make_site(session), phone_of("inspector")
    (result,) = phone.sync(_filled(site, ("clean", "yes", ""), ("pumps", None, "4"), ("kinds", None, "a b")))
    assert result["verdict"] == "applied", result
    kept = {a.item_id: (a.answer, a.value) for a in session.scalars(select(CheckAnswer))}
    assert kept == {"clean": ("yes", None), "pumps": (None, "4"), "kinds": (None, "a b")}


def test_a_draft_begun_with_an_old_revision_arrives_with_it(phone_of, session):
    _boiler(session)
    _boiler(session, "锅炉房检查（新）")
    site, phone = make.make_site(session), phone_of("inspector")
    assert [c["revision"] for c in phone.get("/checklists").json["checklists"] if c["code"] == "boiler_room"] == [2]
    (result,) = phone.sync(_filled(site, ("clean", "yes", "")))
    assert result["verdict"] == "applied"
    assert session.scalars(select(Inspection.checklist_revision)).all() == [1]


def test_what_contradicts_the_form_is_refused_in_words(phone_of, session):
    _boiler(session)
    site, phone = make.make_site(session), phone_of("inspector")
    for answers, words in (
        ([("pumps", None, "many")], "pumps"),
        ([("other", "yes", "")], "other"),
        ([("clean", "na", "")], "clean"),
    ):
        (result,) = phone.sync(_filled(site, *answers))
        assert (result["verdict"], result["code"]) == ("refused", "bad_checklist")
        assert words in result["detail"]


def test_the_six_pledges_take_no_values_and_need_their_place_and_stage(phone_of, session):
    site, phone = make.make_site(session), phone_of("inspector")
    whole = visit(site_id=site.id)
    whole["answers"][0] |= {"answer": None, "value": "4"}
    (result,) = phone.sync(submitting(whole))
    assert (result["verdict"], result["code"]) == ("refused", "bad_checklist")
    (result,) = phone.sync(submitting(visit(site_id=site.id) | {"scope": None}))
    assert (result["verdict"], result["code"]) == ("refused", "bad_checklist")
