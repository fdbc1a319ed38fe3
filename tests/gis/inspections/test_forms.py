"""Forms: what is asked when, what is lacking, and that server and phone say the same; the six pledges as a form among them."""

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.inspections.form_answers import check_form, fits
from gis.inspections.forms import SIGNED, Choice, Form, Group, Item, as_json, doubts, form_of, offered, standing, told
from gis.inspections.pledge_form import name_of, pledge_form
from gis.inspections.rules import SIX_PLEDGES, Given, Scope, Stage, applicable
from gis.inspections.visit_examples import EXAMPLES, form_of_steps, steps_of

NOW = "2009-11-17T10:00:00+08:00"
RULES = Path(__file__).parents[3] / "webapp" / "frontend" / "phone" / "form_rules.mjs"
YN = (Choice("yes"), Choice("no"), Choice("na"))
FORM = Form("试", (
    Group("one", {"": "一"}, "", (
        Item("ok", "yes_no", required="yes", choices="yn", evidence={"no": ["photo", "note"], "na": ["note"], "yes": ["signature"]}),
        Item("n", "integer", required="${ok} = 'yes'", constraint=". >= 1 and . <= 9"),
        Item("double", "calculate", calculation="${n} * 2"),
    )),
    Group("two", {"": "二"}, "${double} > 4", (
        Item("area", "select_one", choices="areas", required="yes"),
        Group("in", {}, "${area} != ''", (Item("town", "select_one", choices="towns", choice_filter="of = ${area}"),)),
        Item("day", "date", constraint=". <= today()"), Item("shot", "photo", required="yes"), Item("pen", "signature"),
        Item("many", "select_many", choices="areas"), Item("at", "time"), Item("where", "geopoint"), Item("tick", "tick"),
    )),
    Item("loose", "text"), Item("free", "decimal"),
), {
    "yn": YN, "areas": (Choice("a"), Choice("b")),
    "towns": (Choice("a1", {}, {"of": "a"}), Choice("a2", {}, {"of": "a"}), Choice("b1", {}, {"of": "b"})),
})  # fmt: skip


def _codes(*given, shown=()):
    return {(p.code, p.item_id) for p in check_form(FORM, [Given(n, *rest) for n, *rest in given], shown, NOW)}


@pytest.mark.parametrize(("scope", "stage", "heating"), [*product(Scope, Stage, (True, False))])
def test_the_six_pledges_as_a_form_ask_what_their_tables_ask(scope, stage, heating):
    form = pledge_form(SIX_PLEDGES, "六项承诺")
    assert doubts(form) == []
    at = standing(form, {"scope": scope, "stage": stage, "is_heating": "yes" if heating else "no"}, NOW)
    asked = {name_of(i.id) for i in applicable(SIX_PLEDGES, scope, stage, heating)}
    assert at.asked - {"scope", "stage", "is_heating"} == asked


def test_a_form_is_the_same_after_the_table():
    for form in (FORM, pledge_form(SIX_PLEDGES, "x"), *(form_of_steps(n, s, e) for n, e, _c, s in EXAMPLES.values())):
        assert form_of(json.loads(json.dumps(as_json(form)))) == form


def test_steps_come_back_from_their_form():
    for name, english, _categories, steps in EXAMPLES.values():
        assert steps_of(form_of_steps(name, steps)) == [
            s if s.kind == "yes_no" else type(s)(s.zh, s.en, s.kind, (), (), False, s.constraint, s.hint) for s in steps
        ]
        assert doubts(form_of_steps(name, steps)) == []
        assert form_of_steps(name, steps, english).children[0].label == {"zh": name, "en": english}


def test_conditions_calculations_and_filters_follow_each_other():
    at = standing(FORM, {"ok": "yes", "n": "3", "area": "b"}, NOW)
    assert at.values["double"] == "6"
    assert {"area", "town"} <= at.asked
    town = FORM.children[1].children[1].children[0]
    assert [c.name for c in offered(FORM, town, at)] == ["b1"]
    less = standing(FORM, {"ok": "yes", "n": "2", "area": "b"}, NOW)
    assert less.asked == {"ok", "n", "double", "loose", "free"}
    assert less.values["area"] == ""


def test_contradictions_refuse_and_gaps_are_told():
    assert _codes(("ok", "yes"), ("n", "", "", "3"), ("area", "", "", "a"), shown=["shot", "ok.signature"]) == set()
    assert _codes(("ok", "no")) == {("photo_wanted", "ok"), ("note_missing", "ok")}
    assert _codes(("ok", "na", "无此设备")) == set()
    assert _codes(("ok", "yes")) == {("signature_wanted", "ok"), ("unanswered", "n")}
    assert ("not_met", "n") in _codes(("ok", "na", "x"), ("n", "", "", "10"))
    assert ("not_asked", "area") in _codes(("ok", "na", "x"), ("area", "", "", "a"))
    assert {("unknown_item", "who"), ("unknown_item", "what")} <= _codes(("who", "yes"), shown=["what"])
    assert ("answered_twice", "ok") in _codes(("ok", "na", "x"), ("ok", "no"))
    for name, text in (("n", "x"), ("n", "1.5"), ("area", "c"), ("many", "a a"), ("day", "2009-02-30"), ("at", "25:00"),
                       ("where", "here"), ("tick", "yes"), ("free", "1e5"), ("loose", "x" * 5000)):  # fmt: skip
        assert ("answer_not_allowed", name) in _codes((name, "", "", text)), name
    assert ("answer_not_allowed", "ok") in _codes(("ok", "", "", "perhaps"))


def test_what_fits_is_taken():
    items = {p.item.name: p.item for p in FORM.items()}
    for name, text in (("n", "-3"), ("free", "36.6"), ("day", "2009-11-17"), ("at", "09:30"), ("many", "b a"), ("tick", "OK"),
                       ("where", "36.78 119.96 0 8.0"), ("loose", "供热")):  # fmt: skip
        assert fits(FORM, items[name], text), name


def test_a_text_is_told_in_the_readers_language_else_in_its_own():
    text = {"English (en)": "Room", "中文 (zh)": "房间"}
    assert (told(text, "zh"), told(text, "en")) == ("房间", "Room")
    assert told({"French (fr)": "Salle", "": "x"}, "zh", "French (fr)") == "Salle"
    assert told({}, "zh") == ""


def test_what_cannot_be_reckoned_is_found_before_anybody_fills_it_in():
    form = Form("x", (
        Item("a", "calculate", calculation="${b} + 1"), Item("b", "calculate", calculation="${a} + 1"),
        Item("c", "text", relevant="${nobody} = 1"), Item("d", "text", constraint="pulldata('a','b','c','d')"),
        Item("e", "text", relevant="1 +"), Item("f", "beyond", beyond="audio"),
        Group("g", {}, "${nowhere} = 1", (Item("c", "text"),)),
    ))  # fmt: skip
    assert {(d.code, d.name) for d in doubts(form)} == {
        ("circle", "a"), ("circle", "b"), ("unknown", "c"), ("beyond", "d"), ("wrong", "e"), ("type", "f"), ("unknown", "g"), ("twice", "c"),
    }  # fmt: skip


# --- the phone says the same -----------------------------------------------------------------------------------------
BROWSER = f"""
import fs from "node:fs";
import {{ formAnswers, formProgress, standing }} from {json.dumps(RULES.as_uri())};
const {{ form, now, drafts }} = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(drafts.map(({{ answers, shown }}) => {{
  const at = standing(form, answers, now);
  const whole = formProgress(form, {{ answers }}, shown.map((item_id) => ({{ item_id }})), now);
  return {{ values: at.values, asked: [...at.asked].sort(), gaps: whole.gaps.map(({{ item }}) => item.name), sent: formAnswers(form, {{ answers }}, now) }};
}})));
"""
VALUES = {
    "ok": ["", "yes", "no", "na"], "n": ["", "1", "3", "12"], "area": ["", "a", "b"], "town": ["", "a1", "b1"], "day": ["", "2009-11-16", "2009-11-18"],
    "many": ["", "a b"], "loose": ["", "x"], "free": ["", "1.5"],
}  # fmt: skip
NOTES = st.sampled_from(["", "原因"])
DRAFTS = st.fixed_dictionaries({
    "answers": st.fixed_dictionaries({
        name: st.builds(lambda v, note, name=name: {"answer": v or None, "value": "", "note": note} if name == "ok" else {"answer": None, "value": v, "note": note},
                        st.sampled_from(found), NOTES)
        for name, found in VALUES.items()
    }),
    "shown": st.lists(st.sampled_from(["ok", "shot", "pen", "ok" + SIGNED]), unique=True),
})  # fmt: skip


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
def test_the_phone_asks_and_lacks_the_same():
    drafts = []

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(DRAFTS)
    def collect(draft):
        drafts.append(draft)

    collect()
    sent = json.dumps({"form": as_json(FORM), "now": NOW, "drafts": drafts})
    told = subprocess.run(["node", "--input-type=module", "-e", BROWSER], input=sent, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    for draft, phone in zip(drafts, json.loads(told.stdout), strict=True):
        said = {name: given["answer"] or given["value"] for name, given in draft["answers"].items()}
        at = standing(FORM, said, NOW)
        assert (phone["values"], phone["asked"]) == (at.values, sorted(at.asked))
        answers = [Given(a["item_id"], a["answer"] or "", a["note"], a["value"]) for a in phone["sent"]]
        problems = check_form(FORM, answers, draft["shown"], NOW)
        assert not [p for p in problems if p.refuses and p.code != "answer_not_allowed"]
        assert {p.item_id for p in problems if not p.refuses} == set(phone["gaps"])


def test_bad_nesting_never_breaks_the_reader():
    deep = Item("x", "text")
    for n in range(30):
        deep = Group(f"g{n}", {}, "", (deep,))
    assert len(list(Form("d", (deep,)).items())) == 1
