"""Ranking and slots: pure, so they are tried by property as well as by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gis.dispatch import rules
from gis.dispatch.assign import Candidate, Certificate, Finding, Job, Limits, Span, earliest_slot, judge, merged, rank
from tests.conftest import NOW

LIMITS = Limits(rules.WEIGHTS, rules.TOO_FAR_MIN, rules.UNKNOWN_TRAVEL_MIN, 30.0, timedelta(days=7))
JOB = Job("heating", 60, NOW + timedelta(hours=8), date(2009, 11, 17), unit_id=1, area_ids=frozenset({7}))


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def span(a: float, b: float, ref: str = "") -> Span:
    return Span(NOW + minutes(a), NOW + minutes(b), ref)


def crew(id: int = 1, **fields) -> Candidate:
    given = {"kind": "maintenance", "skills": {"heating": Certificate()}, "shifts": (span(-240, 480),), "minutes": 10.0,
             "metres": 4000.0, "by": "road"} | fields  # fmt: skip
    return Candidate(id, **given)


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


spans = st.lists(
    st.tuples(st.integers(-600, 6000), st.integers(1, 400)).map(lambda t: span(t[0], t[0] + t[1])), max_size=12
)


@settings(deadline=None)
@given(busy=spans, shifts=st.one_of(st.none(), spans), length=st.integers(1, 300))
def test_a_slot_overlaps_nothing_lies_in_one_shift_and_none_is_earlier(busy, shifts, length):
    found = earliest_slot(NOW, minutes(length), busy, None if shifts is None else merged(shifts), timedelta(days=3))

    def free(start: datetime) -> bool:
        end = start + minutes(length)
        in_shift = shifts is None or any(s.start <= start and end <= s.end for s in merged(shifts))
        return in_shift and all(b.end <= start or b.start >= end for b in busy)

    # every earliest start is now, the start of a shift or the end of a booking
    starts = {NOW, *(s.start for s in shifts or ()), *(b.end for b in busy)}
    possible = sorted(s for s in starts if NOW <= s <= NOW + timedelta(days=3) and free(s))
    assert (found.start if found else None) == (possible[0] if possible else None)
    if found:
        assert found.end - found.start == minutes(length)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            crew,
            id=st.integers(1, 30),
            minutes=st.one_of(st.none(), st.floats(0, 200)),
            busy=spans.map(tuple),
            active=st.booleans(),
            unit_id=st.sampled_from([None, 1, 2]),
            area_id=st.sampled_from([None, 7, 8]),
            position_age_min=st.floats(0, 600),
        ),
        max_size=8,
        unique_by=lambda c: c.id,
    ),
    st.randoms(),
)
def test_the_order_of_asking_never_changes_the_ranking_and_those_that_fit_come_first(crews, random):
    once = rank(JOB, crews, NOW, LIMITS)
    random.shuffle(crews)
    assert rank(JOB, crews, NOW, LIMITS) == once
    assert sorted(once, key=lambda r: not r.fits) == once
    assert all(r.score >= (r.minutes or 0) - 1e-3 for r in once)
    for ranked in once:
        if ranked.slot:
            held = next(c for c in crews if c.id == ranked.id).busy
            assert all(b.end <= ranked.slot.start or b.start >= ranked.slot.end for b in held)


def test_the_nearer_of_two_equal_crews_comes_first_and_a_tie_goes_by_id():
    found = rank(JOB, [crew(3, minutes=9.0), crew(2, minutes=12.0), crew(1, minutes=12.0)], NOW, LIMITS)
    assert [r.id for r in found] == [3, 1, 2]


def test_the_responsible_unit_outweighs_a_few_minutes_and_says_so():
    found = rank(JOB, [crew(1, minutes=8.0, unit_id=2), crew(2, minutes=15.0, unit_id=1)], NOW, LIMITS)
    assert [r.id for r in found] == [2, 1]
    assert "own_unit" in codes(found[0].reasons) and "other_unit" in codes(found[1].reasons)


def test_a_free_crew_gets_the_time_from_now_for_the_way_and_the_work():
    found = judge(JOB, crew(minutes=9.2), NOW, LIMITS)
    assert found.slot == span(0, 70)
    assert found.fits and "free_now" in codes(found.reasons)


def test_each_thing_against_a_crew_has_its_code():
    against = {
        "inactive": crew(active=False),
        "wrong_skill": crew(skills={"gas": Certificate()}),
        "certificate_expired": crew(skills={"heating": Certificate(valid_to=date(2009, 11, 16))}),
        "certificate_not_yet": crew(skills={"heating": Certificate(valid_from=date(2009, 11, 18))}),
        "not_for_volunteers": crew(kind="volunteer"),
        "off_shift": crew(shifts=(span(60, 600),)),
        "shift_ends": crew(shifts=(span(-60, 30),)),
        "busy_until": crew(busy=(span(-30, 30, "W1"),)),
        "too_far": crew(minutes=130.0),
        "blacklisted": crew(blacklisted=("某公司", None)),
        "site_stopped": crew(stopped=Finding("site_stopped", {"no": "停工〔2009〕1号", "since": NOW, "site": "工地"})),
        "gave_back": crew(declined=Finding("gave_back", {"reason": "unsafe"})),
        "not_accepted": crew(declined=Finding("not_accepted")),
    }
    for code, candidate in against.items():
        assert codes(judge(JOB, candidate, NOW, LIMITS).violations) == [code]
    off = judge(replace(JOB, on_network=True), crew(by="straight"), NOW, LIMITS)
    assert codes(off.violations) == ["off_network"]
    assert {*against, "off_network"} == set(rules.VIOLATIONS)


def test_a_certificate_is_valid_on_its_last_day():
    assert judge(JOB, crew(skills={"heating": Certificate(valid_to=JOB.day)}), NOW, LIMITS).fits


def test_a_busy_crew_is_offered_after_its_order_and_the_order_is_named():
    found = judge(JOB, crew(busy=(span(-30, 30, "W1"), span(100, 400, "W2"))), NOW, LIMITS)
    assert found.slot == span(30, 100)
    assert found.violations[0].params == {"until": NOW + minutes(30), "order_no": "W1"}


def test_a_crew_that_is_off_shift_is_called_out_now_once_somebody_says_why():
    assert judge(JOB, crew(shifts=()), NOW, LIMITS).slot == span(0, 70)


def test_volunteers_may_do_what_volunteers_may_do():
    job = replace(JOB, skill="service", for_volunteers=True)
    assert judge(job, crew(kind="volunteer", skills={"service": Certificate()}), NOW, LIMITS).fits


def test_without_a_place_the_ranking_still_answers_and_says_that_it_does_not_know():
    found = judge(replace(JOB, located=False), crew(minutes=None, metres=None), NOW, LIMITS)
    assert found.slot == span(0, 90) and "place_unknown" in codes(found.reasons)


def test_every_reason_and_violation_has_a_sentence_in_both_languages():
    from babel.messages.pofile import read_po

    from webapp.crew_words import SENTENCES
    from webapp.i18n import TRANSLATIONS

    assert set(SENTENCES) == {*rules.REASONS, *rules.VIOLATIONS}
    with (TRANSLATIONS / "zh" / "LC_MESSAGES" / "dispatch.po").open("rb") as po:
        chinese = {m.id: m.string for m in read_po(po)}
    for text in (*SENTENCES.values(), *rules.VIOLATIONS.values()):
        assert chinese.get(text), text


def test_a_crew_without_an_end_of_shift_is_told_as_being_on_duty_round_the_clock():
    found = judge(JOB, crew(shifts=(span(-240, 7 * 1440),)), NOW, LIMITS)
    assert "on_duty" in codes(found.reasons) and "on_shift_until" not in codes(found.reasons)
