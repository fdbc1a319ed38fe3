"""Many people's writes to one thing become one state, whatever the order they came in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from gis.inspections.merge import Write, merge
from tests.conftest import NOW

PATHS = ("note", "1.1.answer", "1.1.note")


@st.composite
def histories(draw: st.DrawFn) -> list[Write]:
    """Up to four writes; each knows of some of the earlier ones."""
    made: list[Write] = []
    for number in range(draw(st.integers(1, 4))):
        seen = draw(st.sets(st.sampled_from([w.id for w in made]))) if made else set()
        sets = draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["yes", "no", ""]), min_size=1))
        at = NOW + timedelta(minutes=draw(st.integers(0, 3)))
        made.append(Write(f"w{number}", at, frozenset(seen), sets))
    return made


@given(histories())
def test_all_orders_of_four_writes_give_the_same_state(writes):
    states = {repr(merge(order)) for order in permutations(writes)}
    assert len(states) == 1


@given(histories())
def test_what_is_in_force_is_what_somebody_wrote_and_nobody_replaced(writes):
    merged = merge(writes)
    for path, value in merged.values.items():
        assert value in [w.sets[path] for w in writes if path in w.sets]
    for path, sides in merged.disputed.items():
        assert len({side.sets[path] for side in sides}) > 1
        assert not any(a.id in b.seen for a in sides for b in sides)


@given(histories())
def test_a_write_that_has_seen_all_ends_every_dispute_about_what_it_sets(writes):
    choice = Write("z", NOW - timedelta(days=9), frozenset(w.id for w in writes), dict.fromkeys(PATHS, "chosen"))
    merged = merge([*writes, choice])
    assert merged.values == dict.fromkeys(PATHS, "chosen")
    assert merged.disputed == {}


def test_different_properties_both_hold_and_one_property_is_disputed():
    one = Write("a", NOW, frozenset(), {"note": "x", "1.1.answer": "no"})
    two = Write("b", NOW + timedelta(minutes=1), frozenset(), {"1.1.answer": "yes", "1.1.note": "y"})
    merged = merge([two, one])
    assert merged.values == {"note": "x", "1.1.answer": "yes", "1.1.note": "y"}
    assert merged.disputed == {"1.1.answer": (one, two)}


def test_the_same_value_twice_is_no_dispute():
    assert merge([Write(i, NOW, frozenset(), {"note": "x"}) for i in "ab"]).disputed == {}


def test_what_was_known_through_another_is_replaced_too():
    chain = [Write("a", NOW, frozenset(), {"note": "1"}), Write("b", NOW, frozenset("a"), {"1.1.note": "2"}),
             Write("c", NOW - timedelta(days=1), frozenset("b"), {"note": "3"})]  # fmt: skip
    assert merge(chain).values["note"] == "3"
    assert merge(chain).disputed == {}
