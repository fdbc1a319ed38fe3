"""The six pledges are exactly the 33 items of the text, and answers fit their conditions."""

import csv
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.inspections.rules import (
    PLEDGES,
    PROBLEM_WORDS,
    SIX_PLEDGES,
    Answer,
    Given,
    Scope,
    Stage,
    applicable,
    check,
    excluded,
    item_of,
    refusal,
)


def test_the_table_equals_the_csv_that_was_derived_word_by_word(shared):
    with (shared / "six_pledges.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    ours = [
        {
            "item_id": i.id, "pledge": i.pledge, "zh_item": i.zh, "en_item": i.en, "answer": "/".join(i.answers),
            "evidence": i.evidence, "scope": "+".join(i.scopes), "stage": i.stage, "polarity": i.polarity,
        } for i in SIX_PLEDGES
    ]  # fmt: skip
    assert ours == [{key: row[key] for key in ours[0]} for row in rows]


def test_there_are_33_items_in_six_pledges():
    assert Counter(i.pledge for i in SIX_PLEDGES) == dict(zip(PLEDGES.values(), (4, 5, 4, 7, 6, 7), strict=True))
    assert len({i.id for i in SIX_PLEDGES}) == 33


def test_an_item_survives_the_way_through_the_database():
    assert tuple(item_of(i.as_dict()) for i in SIX_PLEDGES) == SIX_PLEDGES


def _ids(scope, stage, heating=True):
    return {i.id for i in applicable(SIX_PLEDGES, scope, stage, heating)}


def test_restored_ground_is_asked_after_completion_only():
    assert "4.7" not in _ids("yard", "before") | _ids("yard", "during") | _ids("indoor", "after")
    assert "4.7" in _ids("yard", "after")


def test_the_price_of_heating_materials_is_asked_of_heating_works_only():
    assert "1.3" in _ids("yard", "before") and "1.3" not in _ids("yard", "before", heating=False)


def test_before_the_works_only_what_is_posted_and_brought_is_asked():
    assert {i.partition(".")[0] for i in _ids("indoor", "before")} == {"1", "2"}


@given(st.sampled_from(Scope), st.booleans())
def test_a_later_visit_never_asks_less(scope, heating):
    stages = [_ids(scope, stage, heating) for stage in Stage]
    assert stages[0] <= stages[1] <= stages[2]


def test_the_households_own_items_need_its_confirmation():
    confirmed = {i.id for i in SIX_PLEDGES if i.evidence == "household confirmation"}
    assert confirmed == {"6.1", "6.2", "6.4", "6.6", "6.7"}
    assert all(i.polarity == "prohibition" for i in SIX_PLEDGES if i.pledge_no == 6)


@given(
    st.sampled_from(Scope), st.sampled_from(Stage), st.booleans(),
    st.lists(st.tuples(st.sampled_from([i.id for i in SIX_PLEDGES]), st.sampled_from(Answer)), unique_by=lambda a: a[0]),
)  # fmt: skip
def test_only_contradictions_refuse(scope, stage, heating, answers):
    said = [Given(item, answer) for item, answer in answers]
    problems = check(SIX_PLEDGES, scope, stage, heating, said)
    by_id = {i.id: i for i in SIX_PLEDGES}
    impossible = {
        item for item, answer in answers
        if (excluded(by_id[item], scope, stage, heating) and answer != "na")
        or (answer == "na" and "na" not in by_id[item].answers and item in _ids(scope, stage, heating))
    }  # fmt: skip
    assert {p.item_id for p in problems if p.refuses} == impossible
    assert bool(refusal(problems)) == bool(impossible)
    answered = {item for item, _ in answers}
    assert {p.item_id for p in problems if p.code == "unanswered"} == _ids(scope, stage, heating) - answered
    assert {p.code for p in problems} <= set(PROBLEM_WORDS)


@pytest.mark.parametrize(("photos", "wanted"), [((), True), (("4.1",), False), (("4",), False), (("4.2",), True)])
def test_a_breach_wants_a_photo_of_the_item_or_its_pledge(photos, wanted):
    problems = check(SIX_PLEDGES, "yard", "during", True, [Given("4.1", "no")], photos)
    assert any(p.code == "photo_wanted" and p.item_id == "4.1" for p in problems) is wanted


def test_a_judgement_wants_a_note_when_it_is_no():
    bare, told = (check(SIX_PLEDGES, "yard", "during", True, [Given("3.3", "no", note)]) for note in (" ", "满身酒气"))
    assert [p.code for p in bare if p.item_id == "3.3"] == ["note_missing"]
    assert not [p for p in told if p.item_id == "3.3"]
