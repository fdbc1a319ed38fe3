"""From where a crew sets out, who walks, and who comes first where volunteers may do it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.model import Caller
from gis.dispatch.assign import Candidate, Certificate, Leg, first_fit, gaps, judge, needed
from gis.dispatch.ranking import Search
from gis.dispatch.rules import Terms
from gis.geo import distance_m
from gis.people.rules import CITY
from gis.places.rules import WALK_KMH
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_crew, make_order
from tests.gis.dispatch.test_assign import JOB, LIMITS, codes, crew, minutes, span

TERMS = Terms(ZoneInfo("Asia/Shanghai"))
FAR = (PINGDU[0] + 0.1, PINGDU[1])


# --- gaps between bookings -------------------------------------------------------------------------------------------
def test_a_crew_with_time_before_its_next_order_sets_out_from_where_it_stands():
    later = crew(busy=(span(120, 180, "W1"),), minutes=10.0, after=(Leg(50.0, 20_000.0, "road", "W1"),))
    found = judge(JOB, later, NOW, LIMITS)
    assert (found.slot, found.minutes) == (span(0, 70), 10.0) and found.fits
    assert "from_order" not in codes(found.reasons)


def test_a_crew_without_time_before_its_next_order_sets_out_from_where_that_ends():
    later = crew(busy=(span(60, 180, "W1"),), minutes=10.0, after=(Leg(50.0, 20_000.0, "road", "W1"),))
    found = judge(JOB, later, NOW, LIMITS)
    assert (found.slot, found.minutes, found.metres) == (span(180, 290), 50.0, 20_000.0)
    assert "from_order" in codes(found.reasons) and codes(found.violations) == ["busy_until"]


bookings = st.lists(st.tuples(st.integers(-300, 900), st.integers(5, 300), st.integers(0, 90)), max_size=6)


@settings(deadline=None)
@given(bookings, st.integers(0, 90))
def test_the_first_fit_touches_no_booking_and_leaves_no_earlier_time_that_would_do(drawn, way):
    busy = tuple(span(start, start + long, str(i)) for i, (start, long, _) in enumerate(drawn))
    legs = tuple(Leg(float(after), 1.0, "road", str(i)) for i, (_, _, after) in enumerate(drawn))
    one = Candidate(1, "maintenance", minutes=float(way), metres=1.0, by="road", busy=busy, after=legs)
    slot, leg = first_fit(JOB, one, NOW, None, LIMITS)
    assert slot.end - slot.start == needed(JOB, leg.minutes, LIMITS)
    assert not any(held.start < slot.end and slot.start < held.end for held in busy)
    before = [held for held in busy if held.end == slot.start] if slot.start > NOW else []
    assert leg.from_order in ({held.ref for held in before} or {None})
    for free, until, other in gaps(one, NOW):
        if until is not None and free < slot.start:
            assert until - free < needed(JOB, other.minutes, LIMITS)


# --- volunteers ------------------------------------------------------------------------------------------------------
def volunteer(**fields):
    return crew(**({"kind": "volunteer", "skills": {"service": Certificate()}, "by": "walk", "on_foot": True} | fields))


def test_the_communitys_own_team_comes_before_a_nearer_one_and_both_before_a_companys_crew():
    job = replace(JOB, skill="service", for_volunteers=True, community_ids=frozenset({7}), vulnerable=("old",))
    own, other = (
        judge(job, volunteer(area_id=7, minutes=12.0), NOW, LIMITS),
        judge(job, volunteer(area_id=8), NOW, LIMITS),
    )
    paid = judge(job, crew(skills={"service": Certificate()}, minutes=5.0), NOW, LIMITS)
    assert own.score < other.score < paid.score and own.fits and other.fits and paid.fits
    assert {"by_walk", "community_team", "vulnerable"} <= set(codes(own.reasons))
    assert "other_team" in codes(other.reasons) and "paid_crew" in codes(paid.reasons)


def test_on_the_database_volunteers_walk_and_are_only_asked_for_what_they_may_do(session):
    community = make_area(session, level="community")
    team = make_crew(
        session,
        at=(PINGDU[0] + 0.005, PINGDU[1]),
        kind="volunteer",
        skills=("service", "heating"),
        area_id=community.id,
    )
    company = make_crew(session, skills=("service", "heating"))
    matter = make_complaint(session, category="service.manner", community_id=community.id)
    session.add(Caller(complaint_id=matter.id, vulnerable=["low_income", "old"]))
    session.flush()
    ranked = Search(session, matter, CITY, TERMS, NOW).best(5)
    assert [r.id for r in ranked.crews] == [team.id, company.id] and all(r.fits for r in ranked.crews)
    first = ranked.crews[0]
    metres = distance_m(PINGDU[0] + 0.005, PINGDU[1], *PINGDU)
    assert first.minutes == pytest.approx(metres / 1000 / WALK_KMH * 60)
    told = {finding.code: finding.params for finding in first.reasons}
    assert told["vulnerable"] == {"marks": ("low_income", "old")} and "community_team" in told
    heating = Search(session, make_complaint(session), CITY, TERMS, NOW).best(5)
    assert [r.id for r in heating.crews] == [company.id, team.id]
    assert codes(heating.crews[1].violations) == ["not_for_volunteers"]


def test_of_many_volunteers_and_crews_the_best_are_those_of_a_look_at_all(session):
    community = make_area(session, level="community")
    for i in range(40):
        kind = "volunteer" if i % 2 else "maintenance"
        at = (PINGDU[0] + 0.002 * i, PINGDU[1] + 0.001 * (i % 7))
        make_crew(session, at=at, kind=kind, skills=("service",), area_id=community.id if i % 5 == 0 else None)
    matter = make_complaint(session, category="service.manner", community_id=community.id)
    search = Search(session, matter, CITY, TERMS, NOW)
    every, _ = search.judge(search.available(1000))
    best = search.best(6).crews
    assert [(r.id, r.score) for r in best] == [(r.id, r.score) for r in every[:6]]
    assert {r.by for r in best} == {"straight"} and len(every) == 40


def test_a_mark_of_a_caller_who_joined_counts_for_the_main_complaint(session):
    main = make_complaint(session, category="service.manner")
    joined = make_complaint(session, category="service.manner", status="merged", merged_into_id=main.id)
    session.add(Caller(complaint_id=joined.id, vulnerable=["orphaned"]))
    session.flush()
    assert Search(session, main, CITY, TERMS, NOW).job.vulnerable == ("orphaned",)


# --- live positions --------------------------------------------------------------------------------------------------
def test_a_crew_whose_next_order_is_later_is_measured_from_where_it_stands_now(session):
    standing = make_crew(session)
    later = Range(NOW + timedelta(hours=3), NOW + timedelta(hours=4))
    make_order(session, make_complaint(session, status="assigned", at=FAR), standing, during=later)
    ranked, _ = Search(session, make_complaint(session), CITY, TERMS, NOW).one(standing.id)
    assert ranked.minutes == 0 and ranked.fits and ranked.slot.start == NOW


def test_a_crew_that_is_busy_now_is_measured_from_the_order_that_it_is_free_after(session):
    one = make_crew(session)
    first = make_order(session, make_complaint(session, status="assigned", at=FAR), one)
    make_order(session, make_complaint(session, status="assigned"), one,
               during=Range(NOW + timedelta(hours=6), NOW + timedelta(hours=7)))  # fmt: skip
    ranked, _ = Search(session, make_complaint(session), CITY, TERMS, NOW).one(one.id)
    assert ranked.slot.start == NOW + timedelta(hours=1) and ranked.minutes > 10
    assert {"order_no": first.order_no} in [finding.params for finding in ranked.reasons]
    assert minutes(60) <= ranked.slot.end - ranked.slot.start
