"""Rules and scores for every input: monotone, in any order, however often the same thing comes."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.inspections.consequence_rules import (
    CONSEQUENCE_STEPS,
    ConsequenceKind,
    ConsequenceStatus,
    Counted,
    Event,
    Terms,
    WrongConsequenceStep,
    consequence_after,
    due,
    score,
)
from gis.inspections.finding_rules import SEVERITY_ORDER, Severity
from gis.inspections.results import lines, quarter
from gis.people.rules import Role
from tests.conftest import NOW

EVENTS = st.lists(
    st.builds(
        Event,
        st.integers(0, 12).map(lambda n: f"finding:{n}"),
        st.sampled_from([Counted.BREACHES, Counted.LATE]),
        st.sampled_from(list(Severity)),
        st.integers(-5, 60).map(lambda d: NOW - timedelta(days=d)),
    ),
    max_size=20,
    unique_by=lambda e: e.key,
)
TERMS = st.builds(
    Terms, st.just(Counted.BREACHES), st.sampled_from(list(Severity)), st.integers(1, 5), st.integers(1, 40)
)


@given(EVENTS, TERMS, st.randoms())
def test_the_order_of_events_and_their_repetition_change_nothing(events, terms, random):
    mixed = events * 2
    random.shuffle(mixed)
    assert due(terms, mixed, (), NOW) == due(terms, events, (), NOW)


@given(EVENTS, TERMS)
def test_a_rule_speaks_exactly_when_enough_is_counted(events, terms):
    counted = [
        e for e in events
        if e.measure == terms.measure and NOW - timedelta(days=terms.window_days) < e.at <= NOW
        and SEVERITY_ORDER[e.severity] >= SEVERITY_ORDER[terms.severity]
    ]  # fmt: skip
    assert (due(terms, events, (), NOW) is not None) == (len(counted) >= terms.at_least)


@given(EVENTS, EVENTS, TERMS)
def test_one_event_more_never_silences_a_rule(events, more, terms):
    if due(terms, events, (), NOW):
        known = {e.key for e in events}
        assert due(terms, [*events, *(e for e in more if e.key not in known)], (), NOW)


@given(EVENTS, TERMS)
def test_what_it_was_used_for_does_not_count_again(events, terms):
    basis = due(terms, events, (), NOW)
    if basis:
        assert due(terms, events, {e.key for e in basis}, NOW) is None


ANSWERS = st.lists(
    st.tuples(st.integers(1, 3).map(str), st.just("c"), st.sampled_from("abcd"), st.sampled_from(["yes", "no", "na"])),
    max_size=30,
)
WEIGHTS = st.dictionaries(st.tuples(st.just("c"), st.sampled_from("abcd")), st.integers(1, 9), max_size=4)


@given(WEIGHTS, ANSWERS, st.randoms())
def test_a_score_is_the_weight_kept_of_the_weight_asked_in_any_order(weights, answers, random):
    mixed = list(answers)
    random.shuffle(mixed)
    told = score(weights, mixed)
    asked = [(weights[c, i], a) for _v, c, i, a in answers if a != "na" and (c, i) in weights]
    if not asked:
        assert told.percent is None and told.answers == 0
    else:
        exact = Fraction(sum(w for w, a in asked if a == "yes"), sum(w for w, _ in asked)) * 100
        assert abs(Fraction(told.percent) - exact) <= Fraction(1, 199) and told.answers == len(asked)
    assert told == score(weights, answers)


@given(WEIGHTS, ANSWERS, st.integers(0, 29))
def test_a_promise_kept_instead_of_broken_never_lowers_a_score(weights, answers, which):
    broken = [n for n, a in enumerate(answers) if a[3] == "no"]
    if not broken:
        return
    n = broken[which % len(broken)]
    better = [*answers[:n], (*answers[n][:3], "yes"), *answers[n + 1 :]]
    before, after = score(weights, answers).percent, score(weights, better).percent
    assert (before is None) == (after is None) and (before is None or after >= before)


def test_without_weights_there_is_no_score_never_nought_or_a_hundred():
    assert score({}, [("v", "c", "a", "yes"), ("v", "c", "b", "no")]).percent is None


@pytest.mark.parametrize("verb", CONSEQUENCE_STEPS)
@pytest.mark.parametrize("status", ConsequenceStatus)
def test_a_consequence_moves_exactly_where_the_table_says(status, verb):
    step = CONSEQUENCE_STEPS[verb]
    if status in step.before:
        assert consequence_after(status, verb) == step.after
    else:
        with pytest.raises(WrongConsequenceStep):
            consequence_after(status, verb)


def test_nothing_comes_into_force_but_by_a_supervisor_and_only_the_unit_appeals():
    into = {v: s.roles for v, s in CONSEQUENCE_STEPS.items() if s.after == ConsequenceStatus.IN_FORCE}
    assert set(into) == {"decide", "uphold"} and all(roles == {Role.SUPERVISOR} for roles in into.values())
    assert CONSEQUENCE_STEPS["appeal"].roles == {Role.UNIT_HANDLER}
    assert len(ConsequenceKind) == 4


def test_a_body_without_inspections_has_no_data_and_no_rank_and_equals_share_one():
    said = [
        {"inspection": str(n), "code": "c", "item": "a", "answer": a, "unit_id": u}
        for n, (u, a) in enumerate([(1, "yes"), (1, "no"), (2, "yes"), (2, "no"), (3, "yes")])
    ]
    record = [
        {"unit_id": 4, "severity": "serious", "status": "closed", "failed_times": 2, "late": True, "stopped": False}
    ]
    made = lines("unit_id", {1: "甲", 2: "乙", 3: "丙", 4: "丁"}, said, record, {})
    assert [(line.name, line.rank) for line in made] == [("丙", 1), ("甲", 2), ("乙", 2), ("丁", None)]
    assert made[-1].breach.percent is None and made[-1].failed == 2 and made[1].breach.percent == 50.0


def test_quarters_meet_without_gap():
    ends = [quarter(2009, n) for n in (1, 2, 3, 4)] + [quarter(2010, 1)]
    assert all(a[1] == b[0] for a, b in pairwise(ends))
