"""Dragnet rounds: drawn with reasons, drawn again the same, adjusted, fixed, given out, ended by what is filed."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gis import journal
from gis.errors import Missing, StaleVersion
from gis.inspections import actions, day_plans, round_queries, round_visits, rounds
from gis.inspections.day_plans import Terms
from gis.inspections.model import CheckAnswer, Inspection
from gis.inspections.round_model import RoundSite, SiteVisit
from gis.inspections.round_rules import (
    WEIGHTS,
    BadRound,
    BadWeight,
    Facts,
    NoInspector,
    NothingToDraw,
    ReasonMissing,
    SiteInRound,
    WrongRoundState,
    breach_class,
    measure,
)
from gis.inspections.rules import Given
from gis.journal import Who
from gis.people.rules import CITY, Scope
from tests import factories as make
from tests.conftest import NOW
from tests.sites import TODAY, WHEN, make_contractor, make_visit, make_worker

TERMS = Terms(500.0, 25.0)
PLAIN = {code: weight.value for code, weight in WEIGHTS.items()}


def _sites(session, n=12):
    contractors = [make_contractor(session) for _ in range(2)]
    area = make.make_area(session, name="城关", geom=make.square(half=0.2))
    return [
        make.make_site(session, contractor_id=contractors[i % 2].id, stage=("before", "during", "after")[i % 3], area_id=area.id,
                       geom=make.point(119.9 + 0.01 * (i % 4), 36.7 + 0.01 * (i // 4)))
        for i in range(n)
    ]  # fmt: skip


def _asked(**fields):
    return rounds.Asked(
        **(
            {"name": "拉网式检查", "starts_on": TODAY, "ends_on": TODAY + timedelta(days=9), "size": 5, "seed": 7}
            | fields
        )
    )


def _breaches(session, site, n, days_ago=10):
    user = make.make_user(session, role="inspector")
    at = NOW - timedelta(days=days_ago)
    made = Inspection(id=uuid4(), site_id=site.id, inspector_id=user.id, checklist_code="six_pledges", checklist_revision=1,
                      scope=site.scope, stage=site.stage, started_at=at, finished_at=at, received_at=at)  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(CheckAnswer(inspection_id=made.id, item_id=f"1.{k}", answer="no") for k in range(1, n + 1))
    session.flush()


# --- pure ------------------------------------------------------------------------------------------------------------
facts = st.builds(
    Facts,
    st.sampled_from(["before", "during", "after"]),
    st.integers(0, 9),
    st.none() | st.integers(0, 4000),
    st.integers(0, 5),
)


@given(facts)
def test_more_breaches_never_make_a_site_less_likely_and_every_size_is_positive(told):
    more = Facts(told.stage, told.breaches + 1, told.days_since, told.unfit_persons)
    assert 0 < measure(told, PLAIN).size <= measure(more, PLAIN).size
    assert measure(told, PLAIN).certain == (told.breaches >= PLAIN["certain_from"])


def test_a_site_never_checked_is_likelier_than_one_checked_yesterday_and_says_why():
    never, fresh = measure(Facts("during", 0, None, 0), PLAIN), measure(Facts("during", 0, 1, 0), PLAIN)
    assert never.size > fresh.size and never.why[0] == {"code": "never_checked", "adds": 3.0, "n": 0}
    assert [breach_class(n) for n in (0, 1, 2, 3, 9)] == ["none", "few", "few", "many", "many"]


# --- drawn -----------------------------------------------------------------------------------------------------------
def test_a_round_is_drawn_from_the_open_sites_and_keeps_every_probability_and_reason(session, who):
    found = _sites(session)
    make.make_site(session, closed_at=NOW)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    frame = session.scalars(select(RoundSite).where(RoundSite.round_id == made.id)).all()
    assert {f.site_id for f in frame} == {s.id for s in found}
    assert sum(f.probability for f in frame) == pytest.approx(5) and sum(f.drawn for f in frame) == 5
    assert all(f.why[0]["code"] == "never_checked" for f in frame)
    visits = round_queries.visits(session, made.id)
    assert {v["site_id"] for v in visits} == {f.site_id for f in frame if f.drawn}
    assert made.weights == PLAIN and made.status == "draft"


def test_the_same_seed_draws_the_same_sites_and_another_seed_others(session, who):
    _sites(session, 40)
    draws = [
        {
            v["site_id"]
            for v in round_queries.visits(session, rounds.plan(session, who, CITY, _asked(seed=seed), WHEN).id)
        }
        for seed in (7, 7, 8)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_a_site_with_many_breaches_is_certain_and_old_breaches_are_forgotten(session, who):
    found = _sites(session, 20)
    _breaches(session, found[0], 4)
    _breaches(session, found[1], 4, days_ago=400)
    made = rounds.plan(session, who, CITY, _asked(size=4), WHEN)
    frame = {f.site_id: f for f in session.scalars(select(RoundSite).where(RoundSite.round_id == made.id))}
    assert frame[found[0].id].certain and frame[found[0].id].drawn and not frame[found[1].id].certain
    origin = {v["site_id"]: v["origin"] for v in round_queries.visits(session, made.id)}
    assert origin[found[0].id] == "certain"


def test_every_stratum_gets_its_share_rounded_down_or_up(session, who):
    _sites(session, 30)
    for allocation in ("proportional", "neyman"):
        made = rounds.plan(
            session, who, CITY, _asked(size=10, allocation=allocation, strata=("stage", "contractor")), WHEN
        )
        for row in round_queries.strata(session, made.id):
            assert int(row["expected"] + 1e-6) <= row["drawn"] <= int(row["expected"] - 1e-6) + 1
        assert sum(row["drawn"] for row in round_queries.strata(session, made.id)) == 10


def test_a_round_that_cannot_be_is_refused_by_name(session, who):
    with pytest.raises(NothingToDraw):
        rounds.plan(session, who, CITY, _asked(), WHEN)
    for wrong in (
        {"ends_on": TODAY - timedelta(days=1)},
        {"size": 0},
        {"per_day": 10},
        {"seed": -1},
        {"strata": ("colour",)},
        {"name": " "},
    ):
        with pytest.raises(BadRound):
            rounds.plan(session, who, CITY, _asked(**wrong), WHEN)


def test_weights_are_bounded_versioned_and_used_by_the_next_draw(session, who):
    _sites(session)
    row = rounds.set_weight(session, who, "never_checked", 8.0, "局发〔2009〕3号", None)
    with pytest.raises(StaleVersion):
        rounds.set_weight(session, who, "never_checked", 9.0, "", row.version - 1)
    with pytest.raises(BadWeight):
        rounds.set_weight(session, who, "lookback_days", 0, "", None)
    assert rounds.plan(session, who, CITY, _asked(), WHEN).weights["never_checked"] == 8.0


# --- adjusted --------------------------------------------------------------------------------------------------------
def test_a_swap_needs_a_reason_keeps_both_and_refuses_a_site_that_is_in(session, who):
    _sites(session)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    first, second = round_queries.visits(session, made.id)[:2]
    other = round_queries.undrawn(session, made.id)[0]["id"]
    with pytest.raises(ReasonMissing):
        rounds.swap(session, who, CITY, made.id, first["id"], other, " ", None)
    with pytest.raises(SiteInRound), session.begin_nested():
        rounds.swap(session, who, CITY, made.id, first["id"], second["site_id"], "试", None)
    before = made.version
    new = rounds.swap(session, who, CITY, made.id, first["id"], other, "道路封闭", before)
    with pytest.raises(StaleVersion):
        rounds.swap(session, who, CITY, made.id, second["id"], first["site_id"], "再换", before)
    assert (new.origin, new.replaces_id) == ("swapped", first["id"])
    states = Counter(v["status"] for v in round_queries.visits(session, made.id))
    assert states == {"planned": 5, "dropped": 1}
    last = journal.timeline(session, "inspection_round", made.id)[-1]
    assert last["verb"] == "swap" and last["data"] == {"out": first["site_id"], "into": other, "reason": "道路封闭"}


def test_sites_can_be_added_and_taken_out_until_the_round_ends(session, who):
    _sites(session)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    rounds.add(session, who, CITY, made.id, round_queries.undrawn(session, made.id)[0]["id"], "群众来信", None)
    rounds.fix(session, who, CITY, made.id, None)
    rounds.drop(session, who, CITY, made.id, round_queries.visits(session, made.id)[0]["id"], "已停工", None)
    with pytest.raises(WrongRoundState):
        rounds.draw_again(session, who, CITY, made.id, _asked(), WHEN, None)
    rounds.end(session, who, CITY, made.id, None)
    with pytest.raises(WrongRoundState):
        rounds.drop(session, who, CITY, made.id, round_queries.visits(session, made.id)[0]["id"], "晚了", None)


def test_drawing_again_forgets_what_was_adjusted(session, who):
    _sites(session)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    rounds.drop(session, who, CITY, made.id, round_queries.visits(session, made.id)[0]["id"], "试", None)
    rounds.draw_again(session, who, CITY, made.id, _asked(size=7), WHEN, None)
    assert [v["status"] for v in round_queries.visits(session, made.id)] == ["planned"] * 7


def test_a_round_of_another_area_is_missing(session, who):
    _sites(session)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    elsewhere = Scope(area_id=make.make_area(session, geom=make.square(121, 37)).id)
    with pytest.raises(Missing):
        round_queries.round_shown(session, elsewhere, made.id, TODAY)
    assert round_queries.rounds(session, elsewhere, TODAY) == []


# --- given out -------------------------------------------------------------------------------------------------------
def test_visits_go_to_inspectors_by_area_and_load_on_working_days_in_route_order(session, who):
    _sites(session, 24)
    inspectors = [make.make_user(session, role="inspector") for _ in range(2)]
    make.make_user(session, role="inspector", unit_id=make_contractor(session).id)
    made = rounds.plan(session, who, CITY, _asked(size=16), WHEN)
    assert day_plans.assign(session, who, CITY, made.id, [u.id for u in inspectors], TODAY, TERMS, None) == 0
    found = round_queries.visits(session, made.id)
    assert Counter(v["inspector_id"] for v in found) == {u.id: 8 for u in inspectors}
    assert all(v["on_day"].weekday() < 5 and TODAY <= v["on_day"] <= made.ends_on for v in found)
    for _key, stops in _by_day(found).items():
        assert len(stops) <= 4 and sorted(v["stop_no"] for v in stops) == list(range(1, len(stops) + 1))
        assert [v["travel_s"] is None for v in sorted(stops, key=lambda v: v["stop_no"])] == [True] + [False] * (
            len(stops) - 1
        )


def _by_day(found):
    days = {}
    for v in found:
        days.setdefault((v["inspector_id"], v["on_day"]), []).append(v)
    return days


def test_nobody_is_sent_where_they_may_not_look_and_what_is_left_is_told(session, who):
    _sites(session)
    elsewhere = make.make_area(session, geom=make.square(121.4, 37.4, half=0.1))
    away = make.make_user(session, role="inspector", area_id=elsewhere.id)
    made = rounds.plan(session, who, CITY, _asked(), WHEN)
    assert day_plans.assign(session, who, CITY, made.id, [away.id], TODAY, TERMS, None) == 5
    with pytest.raises(NoInspector):
        day_plans.assign(session, who, CITY, made.id, [], TODAY, TERMS, None)


def test_another_rounds_visits_count_as_load(session, who):
    found = _sites(session)
    one = make.make_user(session, role="inspector")
    for _ in range(4):
        make_visit(session, found[0], inspector_id=one.id, on_day=TODAY)
    made = rounds.plan(session, who, CITY, _asked(size=4), WHEN)
    day_plans.assign(session, who, CITY, made.id, [one.id], TODAY, TERMS, None)
    assert TODAY not in {v["on_day"] for v in round_queries.visits(session, made.id)}


def test_ways_are_measured_on_the_roads_where_there_are_any(session):
    from gis.geo import distance_m

    places = [(119.90, 36.70), (119.91, 36.70), (119.90, 36.71)]
    times = day_plans.travel_times(session, places, TERMS)
    straight = float(distance_m(*places[0], *places[1])) * day_plans.DETOUR / (25 / 3.6)
    assert times[0, 1] == pytest.approx(straight) and times.diagonal().tolist() == [0, 0, 0]


# --- walked ----------------------------------------------------------------------------------------------------------
def _file(session, site, user, scope=CITY):
    visit = actions.Visit(
        uuid4(), "six_pledges", 1, site.scope, site.stage, NOW, NOW, site_id=site.id, answers=[Given("1.1", "no")]
    )
    actions.submit(session, Who(NOW, user.id), scope, visit)
    return visit.id


def test_an_inspection_that_arrives_ends_the_visit_of_its_site_and_only_one(session, who):
    site = make.make_site(session)
    user, other = (make.make_user(session, role="inspector") for _ in range(2))
    theirs = make_visit(session, site, inspector_id=other.id, on_day=TODAY - timedelta(days=1))
    mine = make_visit(session, site, inspector_id=user.id, on_day=TODAY)
    number = _file(session, site, user)
    session.expire_all()
    assert (mine.status, mine.inspection_id, theirs.status) == ("done", number, "planned")
    assert journal.timeline(session, "site_visit", mine.id)[-1]["data"]["inspection_id"] == str(number)


def test_a_self_inspection_ends_no_visit_and_a_draft_is_not_walked(session, who):
    contractor = make_contractor(session)
    site = make.make_site(session, contractor_id=contractor.id)
    bureau = make.make_user(session, role="inspector")
    single = make_visit(session, site, inspector_id=bureau.id, on_day=TODAY)
    _file(
        session, site, make.make_user(session, role="unit_handler", unit_id=contractor.id), Scope(unit_id=contractor.id)
    )
    session.expire_all()
    assert single.status == "planned"
    single.status = "dropped"
    made = rounds.plan(session, who, CITY, _asked(size=1), WHEN)
    _file(session, site, bureau)
    [row] = round_queries.visits(session, made.id)
    assert row["status"] == "planned"
    rounds.fix(session, who, CITY, made.id, None)
    _file(session, site, bureau)
    rows = round_queries.visits(session, made.id)
    assert [r["status"] for r in rows] == ["done"] and rows[0]["no_count"] == 1
    [told] = round_queries.progress(rows, "contractor", TODAY)
    assert (told.name, told.done, told.breaches) == (contractor.name, 1, 1)


def test_a_day_that_is_over_is_missed(session):
    site = make.make_site(session)
    user = make.make_user(session, role="inspector")
    made = rounds.plan(session, Who(NOW), CITY, _asked(size=1), WHEN)
    [visit] = session.scalars(select(SiteVisit).where(SiteVisit.round_id == made.id))
    visit.inspector_id, visit.on_day = user.id, TODAY
    session.flush()
    rounds.fix(session, Who(NOW), CITY, made.id, None)
    for day, missed in ((TODAY, 0), (TODAY + timedelta(days=1), 1)):
        assert round_queries.round_shown(session, CITY, made.id, day)["missed"] == missed
    assert site.id == visit.site_id


def test_the_day_is_in_route_order_with_last_findings_and_hides_drafts(session, who):
    found = _sites(session, 3)
    make_worker(session, found[0])
    _breaches(session, found[0], 2)
    user = make.make_user(session, role="inspector")
    made = rounds.plan(session, who, CITY, _asked(size=3), WHEN)
    day_plans.assign(session, who, CITY, made.id, [user.id], TODAY, TERMS, None)
    day = min(v["on_day"] for v in round_queries.visits(session, made.id))
    assert round_queries.day(session, CITY, user.id, day) == []
    rounds.fix(session, who, CITY, made.id, None)
    rows = round_queries.day(session, CITY, user.id, day)
    assert [r["stop_no"] for r in rows] == [1, 2, 3]
    assert {r["site_id"]: r["last_noes"] for r in rows}[found[0].id] == ["1.1", "1.2"]


def test_a_single_visit_is_planned_for_somebody_who_may_go_and_called_off_with_a_reason(session, who):
    site = make.make_site(session)
    user = make.make_user(session, role="inspector")

    def plan(**f):
        return round_visits.single(
            session,
            who,
            CITY,
            site.id,
            **({"inspector_id": user.id, "on_day": TODAY, "surprise": True, "reason": "举报", "today": TODAY} | f),
        )

    with pytest.raises(BadRound):
        plan(on_day=TODAY - timedelta(days=1))
    with pytest.raises(NoInspector):
        plan(inspector_id=make.make_user(session, role="dispatcher").id)
    made = plan()
    with pytest.raises(ReasonMissing):
        round_visits.call_off(session, who, CITY, made.id, "", None)
    assert round_visits.call_off(session, who, CITY, made.id, "改期", 1).status == "dropped"


def test_units_do_not_see_a_surprise_visit_before_it_is_done(session):
    site = make.make_site(session)
    user = make.make_user(session, role="inspector")
    hidden = make_visit(session, site, inspector_id=user.id, on_day=TODAY)
    shown = make_visit(session, site, inspector_id=user.id, on_day=TODAY, surprise=False)
    seen = lambda everything: {v["id"] for v in round_queries.visits_of_site(session, site.id, everything=everything)}  # noqa: E731
    assert seen(True) == {hidden.id, shown.id} and seen(False) == {shown.id}
    _file(session, site, user)
    session.expire_all()
    done = hidden if hidden.status == "done" else shown
    assert done.id in seen(False)


def test_a_round_of_an_area_that_the_planner_may_not_see_is_missing(session, who):
    _sites(session)
    mine, other = (make.make_area(session, geom=make.square(lon, 36.7, half=0.05)) for lon in (119.9, 121.4))
    with pytest.raises(Missing):
        rounds.plan(session, who, Scope(area_id=mine.id), _asked(area_id=other.id), WHEN)


# --- at the same moment ----------------------------------------------------------------------------------------------
def test_of_eight_inspections_filed_at_once_one_ends_the_visit(committed):
    with committed() as session:
        site, users = make.make_site(session), [make.make_user(session, role="inspector") for _ in range(8)]
        visit = make_visit(session, site, inspector_id=users[0].id, on_day=TODAY)
        session.commit()

    def file(user):
        with committed() as session:
            number = _file(session, site, user)
            session.commit()
            return number

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(file, users))
    with committed() as session:
        kept = session.get_one(SiteVisit, visit.id)
        assert (kept.status, kept.version) == ("done", 2) and kept.inspection_id in numbers
        assert len(numbers) == len(session.scalars(select(Inspection.id)).all()) == 8
        assert len(journal.timeline(session, "site_visit", visit.id)) == 1


def test_of_two_swaps_made_on_the_same_version_one_is_refused(committed):
    with committed() as session:
        _sites(session)
        made = rounds.plan(session, Who(NOW), CITY, _asked(), WHEN)
        visits, version = round_queries.visits(session, made.id)[:2], made.version
        free = [row["id"] for row in round_queries.undrawn(session, made.id)[:2]]
        session.commit()

    def swap(n):
        with committed() as session:
            try:
                rounds.swap(session, Who(NOW), CITY, made.id, visits[n]["id"], free[n], "同时", version)
                session.commit()
            except StaleVersion:
                return "stale"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(swap, range(2))) == ["done", "stale"]
