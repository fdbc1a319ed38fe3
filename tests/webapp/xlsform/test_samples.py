"""The real XLSForm samples: those that must load do, those that must not are refused with a sentence that names the place."""

import warnings
from pathlib import Path

import pytest
from pyxform.xls2json_backends import get_xlsform

from gis.inspections.forms import ItemType, as_json, form_of
from gis.inspections.xforms import stamped
from tests.conftest import SHARED
from webapp.xlsform import workbook
from webapp.xlsform.faults import FormRefused, NotAWorkbook, told
from webapp.xlsform.reader import read
from webapp.xlsform.writer import xlsform

LOAD = sorted((SHARED / "xlsform" / "must_load").glob("*.xls*")) if SHARED.exists() else []
REFUSE = sorted((SHARED / "xlsform" / "must_refuse").glob("*.xls*")) if SHARED.exists() else []
# Forms that our phone app cannot show, and why.
BEYOND = {
    "attribute_columns_test": {"type"}, "xlsform_spec_test": {"type"}, "bad_calc": {"wrong"}, "pull_data": {"beyond"},
    "case_insensitivity": {"type", "external", "entities"}, "loop": {"type"}, "simple_loop": {"type"}, "tutorial": {"type"},
}  # fmt: skip
needs_samples = pytest.mark.skipif(not LOAD, reason="../shared/data/xlsform is not here")


@needs_samples
def test_the_samples_are_here():
    assert len(LOAD) >= 33
    assert len(REFUSE) >= 5


@pytest.mark.parametrize("path", LOAD, ids=lambda p: p.name)
def test_a_form_that_must_load_does(path: Path):
    brought = read(path.read_bytes(), path.name)
    assert brought.code and brought.title and list(brought.form.items())
    assert b"<h:html" in stamped(brought.xform, brought.code, 1, brought.title)
    assert {f.code for f in brought.unshown} >= BEYOND.get(path.stem, set())
    assert bool(brought.unshown) == (path.stem in BEYOND)
    assert form_of(as_json(brought.form)) == brought.form


@pytest.mark.parametrize("path", [*LOAD, *REFUSE], ids=lambda p: p.name)
def test_the_sheets_are_read_as_pyxform_reads_them(path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = get_xlsform(str(path))
    ours = workbook.read(path.read_bytes())
    for name in ("sheet_names", *(n + part for n in workbook.MOST_ROWS for part in ("", "_header"))):
        assert ours.get(name) == getattr(theirs, name), name


@pytest.mark.parametrize("path", LOAD, ids=lambda p: p.name)
def test_a_form_that_comes_back_from_its_export_is_the_same(path: Path):
    brought = read(path.read_bytes(), path.name)
    if brought.unshown:
        return  # its export is the file that came
    again = read(xlsform(brought.form, brought.code, 7), "other name.xlsx")
    assert again.code == brought.code
    assert not again.unshown
    assert _plain(again.form) == _plain(brought.form)


def _plain(form):
    """As data, without what a client notes by itself under other names."""
    made = as_json(form)
    made["children"] = [c for c in made["children"] if c.get("type") != ItemType.META]
    return made


@pytest.mark.parametrize("path", REFUSE, ids=lambda p: p.name)
def test_a_form_that_must_be_refused_is_with_its_place(path: Path, app):
    with pytest.raises(FormRefused) as refused:
        read(path.read_bytes(), path.name)
    assert all(f.code != "converter" for f in refused.value.faults)
    for language, words in (("zh", ("工作表 survey", "行", "列")), ("en", ("sheet survey", "row", ""))):
        with app.test_request_context(headers={"Cookie": f"language={language}"}):
            app.preprocess_request()
            said = told(refused.value.faults[0])
        assert all(word in said for word in words), said


@needs_samples
def test_the_unknown_type_is_named_beside_the_two_columns():
    with pytest.raises(FormRefused) as refused:
        read((SHARED / "xlsform" / "must_refuse" / "unknown_question_type.xls").read_bytes(), "x.xls")
    assert {f.code for f in refused.value.faults} >= {"same_column", "unknown_type"}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 500, b"<html>", b"type,name\ntext,a", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600])  # fmt: skip
def test_what_is_no_workbook_is_told_so(data):
    with pytest.raises(NotAWorkbook):
        read(data, "x.xlsx")


@needs_samples
def test_a_workbook_cut_anywhere_never_breaks_the_reader():
    whole = (SHARED / "xlsform" / "must_load" / "group.xlsx").read_bytes()
    for at in range(0, len(whole) - 1, 509):
        with pytest.raises((NotAWorkbook, FormRefused)):
            read(whole[:at], "x.xlsx")
