"""The phone and the server write the same change down in the same bytes."""

import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.inspections import canonical
from gis.inspections.merge import differences

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
BROWSER = """
const canonical = (v) => Array.isArray(v) ? `[${v.map(canonical).join(",")}]`
  : v === null || typeof v !== "object" ? JSON.stringify(v)
  : `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(",")}}`;
for (const line of require("fs").readFileSync(0, "utf8").split("\\n")) if (line) console.log(canonical(JSON.parse(line)));
"""


@given(JSON)
def test_it_reads_back_as_what_it_was(value):
    as_a_browser = json.loads(canonical.dumps(value), parse_int=float)  # which knows doubles only
    assert as_a_browser == json.loads(json.dumps(value), parse_int=float)


@given(JSON)
def test_it_is_the_same_after_a_round_trip(value):
    assert canonical.dumps(json.loads(canonical.dumps(value))) == canonical.dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (119.96, "119.96"), (1e21, "1e+21"), (1e-7, "1e-7"), (0.000001, "0.000001"),
     (123456789012345680000.0, "123456789012345680000"), (5e-324, "5e-324"), (1.5e300, "1.5e+300"), (-2.5, "-2.5"),
     (1.5e16, "15000000000000000"), (10**21, "1e+21"), ({"\U0001f600": 1, "\uffee": 1.5}, '{"\U0001f600":1,"\uffee":1.5}'),
     ({"b": 1, "a": [None, True]}, '{"a":[null,true],"b":1}'), ("锅炉\n\"", '"锅炉\\n\\""')],
)  # fmt: skip
def test_numbers_and_text_are_written_as_a_browser_writes_them(value, text):
    assert canonical.dumps(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": object()}])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        canonical.dumps(value)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(JSON, min_size=20, max_size=20))
def test_a_javascript_engine_writes_the_same(values):
    lines = "\n".join(json.dumps(v) for v in values)
    told = subprocess.run(["node", "-e", BROWSER], input=lines, capture_output=True, text=True, check=True).stdout
    assert told.split("\n")[:-1] == [canonical.dumps(json.loads(line)) for line in lines.split("\n")]


def test_two_versions_are_compared_item_by_item():
    kept = {
        "payload": {"answers": [{"item_id": "1.1", "answer": "yes"}, {"item_id": "1.2", "answer": "no"}], "note": ""}
    }
    came = {
        "payload": {"answers": [{"item_id": "1.2", "answer": "yes"}, {"item_id": "1.4", "answer": "na"}], "note": ""}
    }
    assert [(d.path, d.kept, d.came) for d in differences(kept, came)] == [
        ("payload.answers[1.1]", {"item_id": "1.1", "answer": "yes"}, None),
        ("payload.answers[1.2].answer", "no", "yes"),
        ("payload.answers[1.4]", None, {"item_id": "1.4", "answer": "na"}),
    ]


@given(JSON, JSON)
def test_only_what_is_the_same_has_no_differences(kept, came):
    assert differences(kept, kept) == []
    if differences(kept, came):
        assert canonical.dumps(kept) != canonical.dumps(came)
