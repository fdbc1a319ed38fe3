"""Expressions of forms: one file of vectors for the server and the phone, and libxml2 as the judge of the XPath in them."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gis.inspections.expressions import BeyondUs, Wrong, names, parse
from gis.inspections.reckon import Ground, boolean, number, string, value

FILE = json.loads(Path(__file__).with_name("expressions.json").read_text("utf-8"))
GIVEN = FILE["ground"]
GROUND = Ground(
    GIVEN["values"], frozenset(GIVEN["dates"]), GIVEN["now"], GIVEN["own"], columns=GIVEN["columns"],
)  # fmt: skip
MODULE = Path(__file__).parents[3] / "webapp" / "frontend" / "phone" / "expressions.mjs"
BROWSER = f"""
import fs from "node:fs";
import {{ string, value }} from {json.dumps(MODULE.as_uri())};
const {{ ground, asked }} = JSON.parse(fs.readFileSync(0, "utf8"));
ground.dates = new Set(ground.dates);
const told = asked.map((text) => {{ try {{ const v = value(text, ground); return typeof v === "boolean" ? v : string(v); }} catch (e) {{ return `!${{e.constructor.name}}`; }} }});
process.stdout.write(JSON.stringify(told));
"""


def _plain(found):
    return found if isinstance(found, bool) else string(found)


@pytest.mark.parametrize(("text", "wanted"), FILE["vectors"], ids=lambda v: str(v)[:40])
def test_every_vector_comes_to_what_the_documents_say(text, wanted):
    assert _plain(value(text, GROUND)) == wanted


def _on_the_phone(asked):
    sent = json.dumps({"ground": GIVEN, "asked": asked})
    told = subprocess.run(["node", "--input-type=module", "-e", BROWSER], input=sent, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")


@needs_node
def test_the_phone_comes_to_the_same():
    assert _on_the_phone([text for text, _ in FILE["vectors"]]) == [wanted for _, wanted in FILE["vectors"]]


NUMBERS = st.integers(0, 99).map(str) | st.sampled_from(["0.5", "2.25", "10.0", ".75"])
TEXTS = st.text("ab1 -.热", max_size=4).map(lambda s: f"'{s}'")
REFS = st.sampled_from(["${n}", "${many}", "${none}"])


def _deeper(inner):
    two = st.tuples(
        inner, st.sampled_from(["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"]), inner
    )
    one = st.tuples(
        st.sampled_from(["not", "string", "number", "boolean", "floor", "ceiling", "string-length", "normalize-space"]),
        inner,
    )
    pair = st.tuples(
        st.sampled_from(["contains", "starts-with", "substring-before", "substring-after", "concat"]), inner, inner
    )
    three = st.tuples(st.sampled_from(["substring", "translate"]), inner, inner, inner)
    return (
        two.map(lambda t: f"({t[0]} {t[1]} {t[2]})") | two.map(lambda t: f"{t[0]} {t[1]} {t[2]}")
        | inner.map(lambda a: f"-{a}") | one.map(lambda t: f"{t[0]}({t[1]})") | pair.map(lambda t: f"{t[0]}({t[1]}, {t[2]})")
        | three.map(lambda t: f"{t[0]}({t[1]}, {t[2]}, {t[3]})")
    )  # fmt: skip


EXPRESSIONS = st.recursive(NUMBERS | TEXTS | REFS, _deeper, max_leaves=8)


def _judged(text):
    """What libxml2 says: our references are its variables."""
    plain = text.replace("${n}", "$n").replace("${many}", "$many").replace("${none}", "$none")
    return etree.XPath(plain)(etree.Element("data"), n="5", many="a b", none="")


def _alike(mine, judge):
    if isinstance(judge, bool):
        return boolean(mine) == judge and isinstance(mine, bool)
    if isinstance(judge, float):
        ours = number(mine)
        return (math.isnan(ours) and math.isnan(judge)) or ours == judge or math.isclose(ours, judge, rel_tol=1e-12)
    return string(mine) == str(judge)


def _writes_a_long_number(text):
    """libxml2 writes numbers as text with 15 digits, the recommendation with as many as tell them apart: not compared."""
    return any(
        word in text for word in ("string", "concat", "contains", "starts", "substring", "translate", "normalize")
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_xpath_is_what_libxml2_takes_it_to_be(text):
    mine, judge = value(text, GROUND), _judged(text)
    if _writes_a_long_number(text) and any(sign in text for sign in ("div", "mod", "*", "0.", ".")):
        return
    assert _alike(mine, judge), (text, mine, judge)


@needs_node
def test_the_phone_agrees_on_a_thousand_random_expressions():
    found = []

    @settings(
        max_examples=1000, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(EXPRESSIONS)
    def collect(text):
        found.append(text)

    collect()
    asked = sorted(set(found))
    assert len(asked) > 500
    differ = [
        (text, mine, phone)
        for text, mine, phone in zip(
            asked, [_plain(value(t, GROUND)) for t in asked], _on_the_phone(asked), strict=True
        )
        if mine != phone
    ]
    assert not differ, differ[:5]


@pytest.mark.parametrize(
    "text",
    ["1 +", "because pyxform does", "(1", "${}", "'a", "selected(1)", "a b", "1 2", "", "#", "if(1,2)", "${a b}"],
)
def test_what_is_no_expression_is_told_so(text):
    with pytest.raises(Wrong):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["pulldata('f','a','b','c')", "instance('x')/top/item[name = 1]", "count(${a})", "random()", "position(..)", "//a", "../*",
     "indexed-repeat(${a}, ${b}, 1)", "jr:choice-name('a','b')", "${last-saved#a}", "regex(., ${p})", "regex(., '(a+)+')",
     "regex(., '(?=a)')", "regex(., '(a)\\1')", "sum(${a})", "${a} | ${b}"],
)  # fmt: skip
def test_what_is_beyond_us_is_named_and_never_guessed(text):
    with pytest.raises(BeyondUs) as told:
        parse(text)
    assert told.value.args[0]


def test_nothing_deep_or_long_breaks_the_reader():
    for text in ("(" * 19 + "1" + ")" * 19, "1" + "+1" * 190):
        assert value(text, GROUND) in (1.0, 191.0)
    for text in ("(" * 5000 + "1" + ")" * 5000, "1" + "+1" * 3000, "not(" * 500 + "1" + ")" * 500, "-" * 3000 + "1"):
        with pytest.raises(Wrong):
            value(text, GROUND)


def test_an_expression_says_what_it_speaks_of():
    assert names(parse("if(${a} = 1, ../b, concat(/data/c, today()))")) == {"a", "b", "c"}
    assert names(parse("cf = ${a} and kind = 'x'"), "name") == {"cf", "kind"}


def test_a_pattern_cannot_hold_the_server_up():
    assert value("regex(., '[a-z]+@[a-z]+')", Ground(own="a" * 100_000)) is False
