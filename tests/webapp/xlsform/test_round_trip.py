"""Any form that can be written on the page or brought comes back from its workbook as it was; hostile workbooks come to nothing."""

import io
import string
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.inspections.forms import Choice, Form, Group, Item, Need, as_json
from gis.inspections.visit_examples import EXAMPLES, form_of_steps
from gis.inspections.xforms import stamped
from tests.webapp.xlsform.books import workbook_of
from webapp.xlsform.faults import FormRefused, FormTooLarge, NotAWorkbook
from webapp.xlsform.reader import form_code, read
from webapp.xlsform.writer import xform, xlsform

PLAIN = st.text("abc 供热é<&>\"'=+-@0", min_size=1, max_size=12).map(lambda s: " ".join(s.split())).filter(bool)
LABELS = st.fixed_dictionaries({"中文 (zh)": PLAIN, "English (en)": PLAIN})
LISTS = {
    "yn": (Choice("yes", {"": "是"}), Choice("no", {"": "否"})),
    "few": (Choice("a", {"": "甲"}), Choice("b", {"": "乙"}, {"of": "x"})),
}


@st.composite
def items(draw, name):
    kind = draw(st.sampled_from(["yes_no", "select_one", "select_many", "integer", "decimal", "text", "date", "time", "datetime", "photo",
                                 "signature", "geopoint", "note", "tick", "calculate"]))  # fmt: skip
    chosen = {"yes_no": "yn", "select_one": "few", "select_many": "few"}.get(kind, "")
    return Item(
        name, kind, draw(LABELS), draw(st.just({}) | LABELS), draw(st.sampled_from(["", "yes", "1 = 1"])) if kind not in ("note", "calculate") else "",
        relevant=draw(st.sampled_from(["", "${q0} != ''"])) if name != "q0" else "",
        constraint=draw(st.sampled_from(["", ". != 'x'"])) if kind == "text" else "", calculation="1 + 1" if kind == "calculate" else "",
        default="5" if kind == "integer" and draw(st.booleans()) else "", choices=chosen,
        repeat_last=kind == "decimal" and draw(st.booleans()),
        choice_filter="of = 'x'" if kind == "select_many" and draw(st.booleans()) else "",
        evidence=draw(st.dictionaries(st.sampled_from(["yes", "no"]), st.lists(st.sampled_from([str(n) for n in Need]), unique=True, min_size=1)))
        if kind == "yes_no" else {},
    )  # fmt: skip


@st.composite
def whole_forms(draw):
    n = draw(st.integers(2, 6))
    found = [draw(items(f"q{i}")) for i in range(n)]
    cut = draw(st.integers(1, n - 1))
    children = (Group("g", draw(LABELS), "", tuple(found[:cut])), *found[cut:])
    used = {i.choices for i in found}
    return Form(draw(PLAIN), children, {name: LISTS[name] for name in ("yn", "few") if name in used}, "中文 (zh)")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(whole_forms())
def test_a_form_comes_back_from_its_workbook_as_it_was(form):
    brought = read(xlsform(form, "ours", 3), "x.xlsx")
    assert not brought.unshown
    again, before = as_json(brought.form), as_json(form)
    for name, found in before.get("choices", {}).items():
        assert again["choices"][name] == found
    again.pop("choices", None), before.pop("choices", None)
    assert again == before


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(whole_forms())
def test_every_form_can_be_given_to_an_odk_client(form):
    made = stamped(xform(form, "ours"), "ours", 3, form.title)
    assert b'id="ours"' in made
    assert b'version="3"' in made


def test_the_examples_come_back_as_they_were():
    for code, (name, english, _categories, steps) in EXAMPLES.items():
        form = form_of_steps(name, steps, english)
        found = as_json(read(xlsform(form, code, 1), "x.xlsx").form)
        used = {c["choices"] for c in found["children"][0]["children"] if "choices" in c}
        assert found["children"] == as_json(form)["children"]
        assert found["choices"] == {n: c for n, c in as_json(form)["choices"].items() if n in used}


def test_what_an_answer_must_carry_is_asked_of_odk_clients_as_questions():
    made = xform(form_of_steps(*EXAMPLES["visit_heating_tuneup"][::3]), "x")
    assert '/step_4__photo" relevant=" /data/steps/step_4  = \'yes\'"' in made.replace('type="binary" ', "").replace(
        'required="true()" ', ""
    )
    assert "step_4__note" in made


def test_cells_that_begin_like_a_formula_stay_text():
    form = Form("x", (Item("q", "text", {"": "=cmd|' /C calc'!A0"}, {"": "+1", "en": "@SUM(A1)"}),))
    data = xlsform(form, "x", 1)
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert read(data, "x.xlsx").form.children == form.children


def _with(data, change):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
    return out.getvalue()


SMALL = workbook_of([{"type": "text", "name": "a", "label": "A"}])


def test_a_workbook_that_unpacks_to_too_much_is_not_read():
    bomb = _with(SMALL, lambda name, data: b" " * (70 << 20) if name == "docProps/app.xml" else data)
    assert len(bomb) < 1 << 20
    with pytest.raises(FormTooLarge):
        read(bomb, "x.xlsx")


def test_two_cells_at_opposite_corners_make_no_table():
    corner = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    with pytest.raises(FormTooLarge):
        read(
            _with(SMALL, lambda name, data: data.replace(b"</sheetData>", corner) if "sheet1.xml" in name else data),
            "x.xlsx",
        )


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_that_declares_entities_is_refused(part):
    declared = b'<!DOCTYPE x [<!ENTITY a "b">]>'
    hostile = _with(SMALL, lambda name, data: data.replace(b"?>", b"?>" + declared, 1) if name == part else data)
    with pytest.raises(FormRefused) as refused:
        read(hostile, "x.xlsx")
    assert refused.value.faults[0].code == "bad_xml"


def test_too_many_bytes_or_rows_are_refused_with_the_limit():
    with pytest.raises(FormTooLarge):
        read(b"PK\x03\x04" + b"\0" * (6 << 20), "x.xlsx")
    rows = [{"type": "text", "name": f"a{n}", "label": "A"} for n in range(2001)]
    with pytest.raises(FormRefused) as refused:
        read(workbook_of(rows), "x.xlsx")
    assert (refused.value.faults[0].code, refused.value.faults[0].row) == ("too_many", 2002)


@pytest.mark.parametrize(
    ("survey", "code", "row"),
    [
        ([{"type": "text", "name": "a b", "label": "A"}], "bad_name", 2),
        ([{"type": "text", "name": "a", "label": "A"}, {"type": "nonsense", "name": "b", "label": "B"}], "unknown_type", 3),
        ([{"type": "text", "name": "a", "label": "A"}, {"type": "text", "name": "a", "label": "B"}], "twice_name", 3),
        ([{"type": "select_one nowhere", "name": "a", "label": "A"}], "no_list", 2),
        ([{"type": "begin group", "name": "g", "label": "G"}, {"type": "text", "name": "a", "label": "A"}], "unmatched", 2),
        ([{"type": "text", "name": "a", "label": "A", "relevant": "${nobody} = 1"}], "no_reference", 2),
        ([{"type": "include", "name": "other", "label": "A"}], "include", 2),
        ([{"type": "text", "name": "a", "label": "A"}, {"name": "b", "label": "B"}], "no_type", 3),
    ],
)  # fmt: skip
def test_a_form_that_is_wrong_is_refused_with_its_place(survey, code, row):
    with pytest.raises(FormRefused) as refused:
        read(workbook_of(survey, [{"list_name": "x", "name": "a", "label": "A"}]), "x.xlsx")
    found = [f for f in refused.value.faults if f.code == code]
    assert found, refused.value.faults
    if row is not None:
        assert (found[0].sheet, found[0].row) == ("survey", row)


def test_a_workbook_without_a_survey_is_refused():
    data = _with(
        SMALL, lambda name, data: data.replace(b'name="survey"', b'name="other"') if name == "xl/workbook.xml" else data
    )
    with pytest.raises((FormRefused, NotAWorkbook)):
        read(data, "x.xlsx")


@given(st.text(max_size=60))
def test_a_code_is_always_one_that_an_address_can_hold(text):
    code = form_code(text)
    assert 1 <= len(code) <= 40
    assert set(code) <= set(string.ascii_lowercase + string.digits + "_.-")
    assert code[0].isalpha()
