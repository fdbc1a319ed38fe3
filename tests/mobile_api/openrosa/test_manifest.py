"""The files that a form speaks of: put beside it at the desk, fetched by an ODK client with its manifest."""

from __future__ import annotations

import hashlib
import io
import xml.etree.ElementTree as ET
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import func, select

from gis.inspections import checklist_actions as checklists
from gis.inspections.checklist_actions import Added
from gis.inspections.form_files import FormFileUnfit, fit, named
from gis.inspections.model import FileContent, FormFile
from gis.inspections.rules import ChecklistKind
from gis.journal import JournalEntry, Who
from tests.conftest import NOW, SHARED
from tests.factories import make_unit
from tests.mobile_api.openrosa.client import LIST, OdkClient
from tests.phones import picture
from webapp.xlsform.reader import from_book, read

MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
CSV = "name,label\n1,甲站\n2,乙站\n"
BOOK = {
    "survey": [
        {"type": "select_one_from_file 换热站.csv", "name": "station", "label": "哪个站？"},
        {"type": "note", "name": "look", "label": "这样的阀门", "media::image": "valve.png"},
        {"type": "calculate", "name": "owner", "calculation": "pulldata('owners', 'label', 'name', ${station})"},
    ],
    "settings": [{"form_id": "stations", "form_title": "换热站检查"}],
}
NAMES = ("owners.csv", "valve.png", "换热站.csv")


def _add(session, book=BOOK, title=None):
    brought = from_book(book, "stations")
    given = Added(brought.code, title or brought.title, ChecklistKind.FORM, brought.form, "test", brought.xform,
                  unshown=tuple(f.as_json() for f in brought.unshown), files=brought.files)  # fmt: skip
    made = checklists.add_revision(session, Who(NOW), given)
    checklists.activate(session, Who(NOW), made.code, made.revision)
    session.commit()
    return made


@pytest.fixture
def form(session):
    return _add(session)


@pytest.fixture
def odk(app, phone_of):
    return OdkClient(app.test_client(), phone_of("inspector").token)


@pytest.fixture
def boss(sign_in):
    return sign_in("supervisor")


def _put(client, files, revision=1):
    sent = [(io.BytesIO(data), name) for name, data in files.items()]
    return client.post(f"/checklists/stations/{revision}/files", data={"files": sent},
                       content_type="multipart/form-data", follow_redirects=True)  # fmt: skip


def _manifest_url(odk, code="stations"):
    answer = odk._checked(odk.http.get("/api/openrosa/formList", headers=odk.headers))
    (form,) = [f for f in ET.fromstring(answer.data) if f.findtext(f"{LIST}formID") == code]
    return form.findtext(f"{LIST}manifestUrl")


def _get(odk, url):
    return odk._checked(odk.http.get(unquote(urlsplit(url).path), headers=odk.headers))


def _files(odk, code="stations"):
    """What a client has after it followed the manifest: name -> bytes, every hash checked."""
    answer = _get(odk, _manifest_url(odk, code))
    assert (answer.status_code, answer.content_type.split(";")[0]) == (200, "text/xml")
    root = ET.fromstring(answer.data)
    assert root.tag == f"{MANIFEST}manifest"
    found = {}
    for file in root:
        assert file.tag == f"{MANIFEST}mediaFile"
        said = {child.tag.removeprefix(MANIFEST): child.text for child in file}
        data = _get(odk, said["downloadUrl"]).data
        assert said["hash"] == f"md5:{hashlib.md5(data).hexdigest()}"
        found[said["filename"]] = data
    return found


def test_the_desk_names_what_is_missing_and_a_client_fetches_what_was_put_there(form, odk, boss, session):
    page = boss.get("/checklists/stations").text
    assert all(name in page for name in NAMES) and page.count("尚未上传") == 3
    assert "附件齐全之前" in page
    assert _files(odk) == {}
    told = _put(boss, {"换热站.csv": CSV.encode("gb18030"), "valve.png": picture(kind="PNG")}).text
    assert "已保存附件 2 个" in told and told.count("尚未上传") == 1
    assert _files(odk) == {"换热站.csv": CSV.encode(), "valve.png": picture(kind="PNG")}
    _put(boss, {"owners.csv": CSV.encode()})
    assert "附件齐全之前" not in boss.get("/checklists/stations").text
    assert set(_files(odk)) == set(NAMES)
    assert session.scalar(select(func.count()).select_from(FileContent)) == 2  # two tables with one content
    assert boss.get("/checklists/stations/1/files/owners.csv").data == CSV.encode()
    verbs = session.scalars(select(JournalEntry.verb).where(JournalEntry.thing == "checklist")).all()
    assert verbs == ["add", "activate", "add_file", "add_file", "add_file"]


def test_another_file_of_the_name_takes_its_place_and_the_next_revision_has_them_all(form, odk, boss, session):
    _put(boss, {"owners.csv": b"name,label\n1,x\n", "valve.png": picture(kind="PNG")})
    _put(boss, {"owners.csv": CSV.encode()})
    assert _files(odk)["owners.csv"] == CSV.encode()
    less = BOOK | {"survey": [BOOK["survey"][0], BOOK["survey"][2]]}
    assert _add(session, less, "第二版").revision == 2
    assert set(_files(odk)) == {"owners.csv"}
    assert set(session.scalars(select(FormFile.name).where(FormFile.revision == 1))) == {"owners.csv", "valve.png"}


def test_a_form_that_speaks_of_no_file_has_no_manifest_url(odk, form):
    assert _manifest_url(odk, "six_pledges") is None
    assert odk.http.get("/api/openrosa/forms/six_pledges/1/manifest", headers=odk.headers).status_code == 200


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("other.csv", b"a,b\n", "此表单没有提到文件“other.csv”"), ("../换热站.csv.exe", b"MZ", "此表单没有提到文件"),
        ("valve.png", b"<svg onload=alert(1)>", "不能使用"), ("valve.png", b"\xff\xd8\xff\xe0 no picture", "不能使用"),
        ("换热站.csv", b"name\0label", "不能使用"), ("换热站.csv", b"", "不能使用"),
        ("换热站.csv", b"a" * ((10 << 20) + 1), "不能使用"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_the_form_does_not_speak_of_or_is_not_what_it_says_is_refused(form, boss, session, name, data, words):
    assert words in _put(boss, {"owners.csv": CSV.encode(), name: data}).text
    assert session.scalar(select(func.count()).select_from(FormFile)) == 0  # all or none


def test_files_are_for_those_who_may_write_the_form_and_read_by_those_with_a_token(app, form, odk, session, sign_in):
    crew = sign_in("inspector")
    assert _put(crew, {"owners.csv": CSV.encode()}).status_code == 403
    stranger = OdkClient(app.test_client(), "nonsense")
    for path in ("manifest", "files/owners.csv"):
        assert stranger.http.get(f"/api/openrosa/forms/stations/1/{path}", headers=stranger.headers).status_code == 401
    for path in (
        "stations/9/manifest",
        "none/1/manifest",
        "stations/1/files/owners.csv",
        "stations/99999999999/manifest",
    ):
        assert odk.http.get(f"/api/openrosa/forms/{path}", headers=odk.headers).status_code == 404
    theirs = make_unit(session)
    session.commit()
    _put(sign_in("unit_handler", unit_id=theirs.id), {"owners.csv": CSV.encode()})
    assert session.scalar(select(func.count()).select_from(FormFile)) == 0  # the bureau's form is not theirs to write


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.exe", b"MZ"), ("x.xml", b"<!DOCTYPE a []><a/>"), ("x.xml", b"<a>"), ("x.geojson", b"[]"), ("x.geojson", b"{"), ("x", b"a")],
)  # fmt: skip
def test_what_is_unfit_is_told_by_its_kind(name, data):
    with pytest.raises(FormFileUnfit):
        fit(name, data)


def test_a_table_is_kept_in_utf_8_and_everything_else_as_it_came():
    assert fit("x.csv", CSV.encode("utf-8-sig")) == fit("x.csv", CSV.encode("gbk")) == CSV.encode()
    collection = b'{"type": "FeatureCollection", "features": []}'
    assert (fit("x.geojson", collection), fit("x.xml", b"<a/>"), fit("x.mp3", b"\0ID3")) == (
        collection,
        b"<a/>",
        b"\0ID3",
    )


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not here")
def test_the_sample_with_a_sheet_of_external_choices_brings_its_table_along(session, odk):
    path = SHARED / "xlsform" / "must_load" / "case_insensitivity.xlsx"
    brought = read(path.read_bytes(), path.name)
    assert "itemsets.csv" in named(brought.xform)
    given = Added(
        brought.code, brought.title, ChecklistKind.FORM, brought.form, "test", brought.xform, files=brought.files
    )
    made = checklists.add_revision(session, Who(NOW), given)
    checklists.activate(session, Who(NOW), made.code, made.revision)
    session.commit()
    assert _files(odk, made.code)["itemsets.csv"].startswith(b'"LIST_NAME"')
