"""ODK clients fetch our forms and send them in: once, whole, and never anything that was not meant."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gis.inspections import checklist_actions as checklists
from gis.inspections.checklist_actions import Added
from gis.inspections.model import CheckAnswer, Inspection, InspectionPhoto, OdkPart, OdkSubmission, Photo
from gis.inspections.rules import SIX_PLEDGES, ChecklistKind, applicable
from gis.journal import Who
from gis.people import keys
from tests import factories as make
from tests.conftest import NOW, SHARED
from tests.mobile_api.openrosa.client import OdkClient
from tests.phones import picture
from webapp.xlsform.reader import from_book, read

BOOK = {
    "survey": [
        {"type": "begin group", "name": "boiler", "label": "锅炉房"},
        {"type": "select_one yes_no", "name": "clean", "label": "干净？", "required": "yes"},
        {"type": "image", "name": "dirt", "label": "照片", "relevant": "${clean} = 'no'"},
        {"type": "integer", "name": "pumps", "label": "泵数", "constraint": ". >= 0 and . < 10"},
        {"type": "select_multiple kinds", "name": "kinds", "label": "种类"},
        {"type": "text", "name": "site_code", "label": "工地编号"},
        {"type": "end group"},
    ],
    "choices": [
        {"list_name": "yes_no", "name": "yes", "label": "是"}, {"list_name": "yes_no", "name": "no", "label": "否"},
        {"list_name": "kinds", "name": "a", "label": "甲"}, {"list_name": "kinds", "name": "b", "label": "乙"},
    ],
    "settings": [{"form_id": "boiler_room", "form_title": "锅炉房检查"}],
}  # fmt: skip


@pytest.fixture
def boiler(session):
    return _add(session, from_book(BOOK, "boiler"))


def _add(session, brought):
    given = Added(brought.code, brought.title, ChecklistKind.FORM, brought.form, "test", brought.xform,
                  unshown=tuple(f.as_json() for f in brought.unshown))  # fmt: skip
    made = checklists.add_revision(session, Who(NOW), given)
    checklists.activate(session, Who(NOW), made.code, made.revision)
    session.commit()
    return made


@pytest.fixture
def phone(phone_of):
    return phone_of("inspector")


@pytest.fixture
def odk(app, phone):
    return OdkClient(app.test_client(), phone.token)


def _form(odk, code):
    (listed,) = [f for f in odk.forms() if f.form_id == code]
    return odk.fetch(listed)


def test_every_form_of_the_house_is_listed_and_fetched_with_its_hash(odk, boiler):
    found = odk.forms()
    assert {f.form_id for f in found} >= {"six_pledges", "boiler_room", "visit_charging", "visit_heating_tuneup"}
    for listed in found:
        assert odk.fetch(listed).startswith(b"<?xml")


def test_the_list_can_be_asked_for_one_form(odk, boiler):
    answer = odk.http.get("/api/openrosa/formList?formID=boiler_room", headers=odk.headers)
    assert answer.text.count("<formID>") == 1


def test_a_client_that_asks_first_is_told_where_to_send_to(odk):
    answer = odk.head()
    assert answer.status_code == 204
    assert answer.headers["Location"].endswith("/api/openrosa/submission")


def test_a_form_filled_in_becomes_an_inspection_with_its_photo(odk, boiler, session, phone):
    site = make.make_site(session)
    session.commit()
    xml = odk.fill(
        _form(odk, "boiler_room"),
        {"clean": "no", "dirt": "1.jpg", "pumps": "3", "kinds": "a b", "site_code": site.code},
    )
    answer = odk.submit(xml, {"1.jpg": picture()})
    assert answer.status_code == 201, answer.text
    kept = session.scalars(select(OdkSubmission)).one()
    visit = session.get_one(Inspection, kept.inspection_id)
    assert (kept.state, visit.inspector_id, visit.site_id, visit.checklist_code) == (
        "kept",
        phone.user.id,
        site.id,
        "boiler_room",
    )
    given = {a.item_id: a.answer or a.value for a in session.scalars(select(CheckAnswer))}
    assert given == {"clean": "no", "pumps": "3", "kinds": "a b", "site_code": site.code}
    (shot,) = session.scalars(select(InspectionPhoto))
    assert (shot.inspection_id, shot.item_id) == (visit.id, "dirt")


def test_the_same_sent_again_changes_nothing_and_other_content_is_a_conflict(odk, boiler, session):
    xform, instance = _form(odk, "boiler_room"), f"uuid:{uuid.uuid4()}"
    xml = odk.fill(xform, {"clean": "yes"}, instance)
    assert [odk.submit(xml).status_code for _ in range(3)] == [201, 201, 201]
    assert session.scalar(select(func.count()).select_from(Inspection)) == 1
    assert odk.submit(odk.fill(xform, {"clean": "no"}, instance)).status_code == 409
    assert session.scalars(select(CheckAnswer.answer)).all() == ["yes"]


def test_parts_come_one_after_the_other_and_only_the_last_is_201(odk, boiler, session):
    xml = odk.fill(_form(odk, "boiler_room"), {"clean": "no", "dirt": "1.jpg"})
    assert odk.submit(xml, incomplete=True).status_code == 202
    assert odk.submit(xml).status_code == 202  # the photo that it names is not here
    assert session.scalar(select(func.count()).select_from(Inspection)) == 0
    assert odk.submit(xml, {"1.jpg": picture()}).status_code == 201
    assert odk.submit(xml, {"1.jpg": picture()}).status_code == 201
    assert odk.submit(xml, {"1.jpg": picture(colour="blue")}).status_code == 409
    assert session.scalar(select(func.count()).select_from(Inspection)) == 1


def test_the_six_pledges_come_from_an_odk_client_as_from_our_own_phone(odk, session):
    asked = applicable(SIX_PLEDGES, "yard", "during", True)
    answers = {f"p{i.id.replace('.', '_')}": "yes" for i in asked} | {
        "scope": "yard",
        "stage": "during",
        "is_heating": "yes",
    }
    answers |= {"p4_1": "no", "p4_1__photo": "a.jpg"}
    assert odk.submit(odk.fill(_form(odk, "six_pledges"), answers), {"a.jpg": picture()}).status_code == 201
    kept = session.scalars(select(OdkSubmission)).one()
    assert (kept.state, kept.why) == ("raw", "The checklist cannot be kept: 1.3 is for heating works only")
    answers.pop("p1_3")
    assert odk.submit(odk.fill(_form(odk, "six_pledges"), answers), {"a.jpg": picture()}).status_code == 201
    visit = session.scalars(select(Inspection)).one()
    assert (visit.scope, visit.stage, visit.checklist_code) == ("yard", "during", "six_pledges")
    assert session.scalars(select(InspectionPhoto.item_id)).all() == ["4.1"]
    assert session.scalar(select(func.count()).select_from(CheckAnswer)) == len(asked) - 1


def test_a_form_beyond_our_app_is_fetched_and_its_submission_kept_as_it_came(odk, session):
    path = SHARED / "xlsform" / "must_load" / "tutorial.xls"
    if not path.exists():
        pytest.skip("../shared/data is not here")
    made = _add(session, read(path.read_bytes(), path.name))
    assert made.unshown
    xml = odk.fill(_form(odk, made.code), {})
    assert odk.submit(xml, {"sound.3gp": b"\0noise"}).status_code == 201
    kept = session.scalars(select(OdkSubmission)).one()
    assert (kept.state, kept.why, kept.xml.encode()) == ("raw", "not_shown", xml)
    assert session.scalars(select(OdkPart.data)).one() == b"\0noise"


@pytest.mark.parametrize(
    "path", sorted((SHARED / "xlsform" / "must_load").glob("*")) if SHARED.exists() else [], ids=lambda p: p.name
)
def test_every_sample_goes_the_whole_way_to_a_client_and_back(path: Path, odk, session):
    made = _add(session, read(path.read_bytes(), path.name))
    xml = odk.fill(_form(odk, made.code), {})
    assert odk.submit(xml).status_code in (201, 202)
    assert session.scalars(select(OdkSubmission)).one().xml.encode() == xml


def test_who_has_no_token_is_asked_for_one(app, phone, session, boiler):
    for secret in ("", "nonsense", "cmk_00000000_nothing"):
        client = OdkClient(app.test_client(), secret)
        for answer in (client.head(), client.http.get("/api/openrosa/formList", headers=client.headers)):
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
    phone.device.revoked_at = NOW
    session.commit()
    assert OdkClient(app.test_client(), phone.token).head().status_code == 401


def test_a_key_of_a_body_submits_where_it_may(app, session, boiler):
    unit = make.make_unit(session)
    secret, key = keys.make_key(session, Who(NOW), name="odk", unit_id=unit.id, rights=["submit_forms"])
    other, _ = keys.make_key(session, Who(NOW), name="map", unit_id=unit.id, rights=["see_network"])
    session.commit()
    client = OdkClient(app.test_client(), secret)
    assert client.submit(client.fill(_form(client, "boiler_room"), {"clean": "yes"})).status_code == 201
    kept = session.scalars(select(OdkSubmission)).one()
    visit = session.get_one(Inspection, kept.inspection_id)
    assert (kept.key_id, kept.unit_id, visit.inspector_id, visit.unit_id) == (key.id, unit.id, None, unit.id)
    assert OdkClient(app.test_client(), other).head().status_code == 403


@pytest.mark.parametrize(
    "xml",
    [
        b"", b"no xml", b"<data/>", b'<data id="boiler_room" version="1"/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><data id="boiler_room" version="1"><meta><instanceID>u</instanceID></meta><clean>&x;</clean></data>',
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><data id="boiler_room" version="1"><clean>&b;</clean></data>',
        b'<data id="boiler_room" version="x"><meta><instanceID>uuid:1</instanceID></meta></data>',
        b"<a>" * 5000 + b"</a>" * 5000,
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a []><data/>'.encode("utf-16"),
    ],
    ids=range(9),
)  # fmt: skip
def test_xml_that_is_no_submission_is_refused_and_nothing_of_it_is_read(odk, boiler, session, xml):
    assert odk.submit(xml).status_code == 400
    assert session.scalar(select(func.count()).select_from(OdkSubmission)) == 0


def test_a_form_that_is_not_here_is_missing(odk, boiler):
    xml = b'<data id="other" version="1"><meta><instanceID>uuid:1</instanceID></meta></data>'
    assert odk.submit(xml).status_code == 404


def test_what_is_no_multipart_or_too_large_is_told_so(odk):
    sent = odk.http.post("/api/openrosa/submission", headers=odk.headers, data=b"<data/>", content_type="text/xml")
    assert sent.status_code == 415
    large = odk.http.post("/api/openrosa/submission", headers=odk.headers, data=bytes(21 << 20),
                          content_type="multipart/form-data; boundary=x")  # fmt: skip
    assert large.status_code == 413


def test_an_answer_that_fits_nothing_is_kept_word_for_word_and_told(odk, boiler, session):
    xml = odk.fill(_form(odk, "boiler_room"), {"clean": "perhaps"})
    assert odk.submit(xml).status_code == 201
    kept = session.scalars(select(OdkSubmission)).one()
    assert kept.state == "raw"
    assert "clean cannot be answered so" in kept.why
    assert session.scalar(select(func.count()).select_from(Photo)) == 0
