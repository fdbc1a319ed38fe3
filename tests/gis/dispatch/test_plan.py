"""Plans, whoever makes them: nothing overlaps, no lock moves, no rule is broken, and nothing worse is offered as better."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gis.dispatch import plan_change, plan_compare, plan_greedy, plan_pyvrp, plan_solver
from gis.dispatch.plan import (
    CrewDay,
    Fixed,
    Gap,
    Job,
    Lunch,
    Plan,
    Problem,
    cost,
    faults,
    gap_cost,
    gaps_of,
    schedule,
    schedules,
    total,
)
from gis.dispatch.plan_solver import Part, Until

HOUR = 3600
LUNCH = Lunch(3 * HOUR, int(4.5 * HOUR), 2700)


@st.composite
def problems(draw: st.DrawFn, most_jobs: int = 9) -> Problem:
    """A small town: crews with shifts, locks, lunch and capacity; orders with hours, limits and skills."""
    n_crews, n_jobs = draw(st.integers(1, 3)), draw(st.integers(0, most_jobs))
    places = n_crews * 4 + n_jobs
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    xy = rng.integers(0, 6000, (places, 2))
    metres = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))).astype(np.int64)
    seconds = np.rint(metres / 7 * rng.uniform(1.0, 1.3, metres.shape)).astype(np.int64)  # not the same there and back
    np.fill_diagonal(seconds, 0)
    crews = tuple(draw(_crew(c)) for c in range(n_crews))
    jobs = tuple(draw(_job(j, n_crews, n_crews * 4 + j)) for j in range(n_jobs))
    return Problem(jobs, crews, seconds, metres)


@st.composite
def _crew(draw: st.DrawFn, number: int) -> CrewDay:
    begin = draw(st.sampled_from([0, 0, 2 * HOUR]))
    end = begin + draw(st.sampled_from([3, 6, 9])) * HOUR
    fixed, at = [], begin
    for n in range(draw(st.integers(0, 2))):
        at += draw(st.integers(-30, 150)) * 60
        fixed.append(
            Fixed(1000 + number * 10 + n, number * 4 + 1 + n, at, at + 1800, draw(st.sampled_from([None, 4 * HOUR])))
        )
        at += 1800
    return CrewDay(
        number, number * 4, ((begin, end),), draw(st.sampled_from([None, number * 4 + 3])), draw(st.sampled_from([0, HOUR])),
        draw(st.sampled_from([None, LUNCH])), draw(st.sampled_from([None, 3, 6])), tuple(fixed),
    )  # fmt: skip


@st.composite
def _job(draw: st.DrawFn, number: int, crews: int, place: int) -> Job:
    opens = draw(st.sampled_from([0, 0, 2 * HOUR]))
    able = draw(st.sets(st.integers(0, crews - 1)))
    return Job(number, place, draw(st.integers(5, 60)) * 60, draw(st.sampled_from([40_000, 80_000])), frozenset(able), opens,
               draw(st.sampled_from([None, opens + HOUR, 5 * HOUR])), draw(st.sampled_from([None, -600, 3 * HOUR, 8 * HOUR])))  # fmt: skip


def possible(problem: Problem, plan: Plan) -> None:
    """Every rule, looked at with other eyes than the scheduler's: the finished times and nothing else."""
    assert faults(problem, plan) == []
    for crew in problem.crews:
        held: list[tuple[int, int, int | None]] = []
        for key, s in schedules(problem, plan).items():
            if key[0] != crew.id:
                continue
            gap = problem.gaps[key]
            for visit in s.visits:
                job = problem.job[visit.job_id]
                assert crew.id in job.crews
                assert visit.begin_s >= job.earliest_s and (job.closes_s is None or visit.begin_s <= job.closes_s)
                assert visit.end_s - visit.begin_s == job.work_s and visit.begin_s - visit.leave_s == visit.way_s
                assert visit.leave_s >= gap.start_s and visit.end_s <= gap.end_s
                held.append((visit.leave_s, visit.end_s, job.place))
            if s.visits and gap.lunch:
                assert s.lunch_s is not None and gap.lunch.earliest_s <= s.lunch_s <= gap.lunch.latest_s
                held.append((s.lunch_s, s.lunch_s + gap.lunch.length_s, None))
            if s.visits and gap.then is not None:
                last = s.visits[-1]
                assert last.end_s + problem.seconds[problem.job[last.job_id].place, gap.then.place] <= gap.then.start_s
        shift_end = max(end for _, end in crew.shifts)
        assert all(end <= shift_end + crew.overtime_s for _, end, _ in held)
        for (_, end, _), (start, _, _) in pairwise(sorted(held)):
            assert end <= start, "no overlap"
        for fixed in crew.fixed:  # a lock is where and when it was, and nothing lies in it
            assert all(end <= fixed.start_s or start >= min(fixed.end_s, fixed.start_s + 1) for start, end, _ in held)
        if crew.capacity is not None and any(key[0] == crew.id for key, route in plan.routes.items() if route):
            assert len(crew.fixed) + sum(len(route) for _, route in plan.of(crew.id)) <= crew.capacity
    told = [job for route in plan.routes.values() for job in route]
    assert len(told) == len(set(told))


def solved(problem: Problem, base: Plan) -> Plan:
    """Half a second of the processor's time at most, so that a busy machine tests the same."""
    clock = time.process_time
    return plan_solver.improve(
        problem, base, base.served, seed=1, stop=Until(clock, clock() + 0.08), spread=plan_solver.alone(clock)
    )


def test_an_order_fixed_in_overtime_bounds_the_day_and_overtime_ends_where_the_next_shift_begins():
    crew = CrewDay(1, 0, ((0, 3 * HOUR), (4 * HOUR, 8 * HOUR)), None, 2 * HOUR, None, None, (
        Fixed(9, 1, 8 * HOUR, 8 * HOUR + 1800, None),
    ))  # fmt: skip
    spans = [(gap.start_s, gap.end_s) for gap in gaps_of(crew)]
    assert spans == [(0, 4 * HOUR), (4 * HOUR, 8 * HOUR), (8 * HOUR + 1800, 10 * HOUR)]


@settings(max_examples=150, deadline=None)
@given(problems())
def test_a_greedy_plan_breaks_no_rule(problem):
    assume(all(c.capacity is None or len(c.fixed) <= c.capacity for c in problem.crews))
    possible(problem, plan_greedy.greedy(problem))


@settings(max_examples=40, deadline=None)
@given(problems())
def test_a_searched_plan_breaks_no_rule_and_is_never_worse_than_greedy(problem):
    assume(all(c.capacity is None or len(c.fixed) <= c.capacity for c in problem.crews))
    base = plan_greedy.greedy(problem)
    found = solved(problem, base)
    possible(problem, found)
    assert base.served <= found.served
    assert cost(problem, found) <= cost(problem, base)


@settings(max_examples=40, deadline=None)
@given(problems(), st.data())
def test_what_is_given_today_stays_served_and_the_offer_is_never_worse_than_today(problem, data):
    assume(all(c.capacity is None or len(c.fixed) <= c.capacity for c in problem.crews))
    given_ids = data.draw(st.sets(st.sampled_from([j.id for j in problem.jobs]))) if problem.jobs else set()
    today = plan_greedy.insert(problem, Plan(), given_ids)
    base = plan_greedy.greedy(problem, today)
    found = solved(problem, base)
    assert today.served <= base.served <= found.served
    assert cost(problem, found) <= cost(problem, base) <= cost(problem, today)


@settings(max_examples=60, deadline=None)
@given(problems(most_jobs=7), st.data())
def test_a_change_during_the_day_moves_only_what_it_must(problem, data):
    assume(problem.jobs and all(c.capacity is None or len(c.fixed) <= c.capacity for c in problem.crews))
    urgent = data.draw(st.sampled_from([j.id for j in problem.jobs]))
    before = replace(problem, jobs=tuple(j for j in problem.jobs if j.id != urgent))
    current = plan_greedy.greedy(before)
    change = plan_change.replan(problem, current)
    possible(problem, change.plan)
    assert current.served <= change.plan.served, "nobody loses a place"
    waiting = {j.id for j in problem.jobs} - current.served
    assert len(change.moved) <= len(waiting & change.plan.served), "at most one gives way for each that is added"
    simply = plan_greedy.insert(problem, current, waiting)
    if len(simply.served) == len(problem.jobs):
        assert not change.moved, "where there is room, nobody moves"
        for key, route in current.routes.items():
            assert [j for j in change.plan.routes[key] if j in current.served] == list(route), (
                "nor is anybody's order changed"
            )


@settings(max_examples=60, deadline=None)
@given(problems(), st.data())
def test_a_crew_that_falls_out_leaves_all_others_as_they_are(problem, data):
    assume(len(problem.crews) > 1 and all(c.capacity is None or len(c.fixed) <= c.capacity for c in problem.crews))
    current = plan_greedy.greedy(problem)
    gone = data.draw(st.sampled_from([c.id for c in problem.crews]))
    after = replace(problem, crews=tuple(c for c in problem.crews if c.id != gone))
    change = plan_change.replan(after, current)
    possible(after, change.plan)
    orphans = {job for _, route in current.of(gone) for job in route}
    must_stay = current.served - orphans
    assert must_stay <= change.plan.served
    kept_moves = {j for j in change.moved if j in must_stay}
    assert len(kept_moves) <= len({j.id for j in problem.jobs} - must_stay)


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_the_schedule_agrees_with_pyvrp(problem, data):
    """PyVRP is the second opinion on ways, times, hours and overtime of any route; lunch it does not know."""
    bare = replace(problem, crews=tuple(replace(c, lunch=None, capacity=None) for c in problem.crews),
                   jobs=tuple(replace(j, due_s=None) for j in problem.jobs))  # fmt: skip
    gaps = [gap for gap in bare.gaps.values() if gap.end_s > gap.start_s]
    assume(gaps and bare.jobs)
    gap = data.draw(st.sampled_from(gaps))
    able = [j.id for j in bare.jobs if gap.crew_id in j.crews]
    assume(able)
    route = tuple(data.draw(st.lists(st.sampled_from(able), unique=True, min_size=1, max_size=5)))
    told = plan_pyvrp.model(bare, frozenset(), hold_lunch=False)
    theirs = next(iter(plan_pyvrp.solution(bare, told, Plan({gap.key: route})).routes()))
    ours = schedule(bare, gap, route)
    assert ours.way_s == theirs.distance()
    assert (ours.wrong == "") == (not theirs.has_time_warp())
    if (
        not ours.wrong
        and gap.end_s <= gap.shift_end_s + bare.crew[gap.crew_id].overtime_s
        and gap.then is None
        and gap.start_s <= gap.shift_end_s
    ):
        assert ours.overtime_s == theirs.overtime()


@settings(max_examples=40, deadline=None)
@given(problems(most_jobs=4))
def test_no_plan_of_a_tiny_day_is_cheaper_than_the_best_of_all(problem):
    """Every plan there is, one after the other: the search is never cheaper than the best, and mostly as cheap."""
    one = replace(problem, crews=tuple(replace(c, fixed=(), capacity=None, lunch=None) for c in problem.crews[:2]),
                  jobs=tuple(replace(j, crews=j.crews & {0, 1}, due_s=None) for j in problem.jobs))  # fmt: skip
    best = min(cost(one, plan) for plan in everything(one))
    found = solved(one, plan_greedy.greedy(one))
    assert best <= cost(one, found)
    assert cost(one, found) <= cost(one, plan_greedy.greedy(one))


def everything(problem: Problem):
    """All plans: each order in each place of each gap, or in none."""

    def lay(jobs, routes):
        if not jobs:
            yield Plan({k: tuple(r) for k, r in routes.items()})
            return
        yield from lay(jobs[1:], routes)
        for key in problem.gaps:
            route = routes.get(key, [])
            for at in range(len(route) + 1):
                yield from lay(jobs[1:], routes | {key: [*route[:at], jobs[0], *route[at:]]})

    yield from lay([j.id for j in problem.jobs], {})


# --- examples --------------------------------------------------------------------------------------------------------
def line(*jobs: Job, crews: tuple[CrewDay, ...] | None = None, step: int = 600) -> Problem:
    """Places along a street, ten minutes apart; place 0 is where crews begin."""
    n = max([job.place for job in jobs] + [c.start_place for c in crews or ()]) + 1
    seconds = np.abs(np.arange(n)[:, None] - np.arange(n)[None]) * step
    return Problem(jobs, crews or (CrewDay(1, 0, ((0, 8 * HOUR),)),), seconds, seconds * 5)


def job(number: int, place: int, **more) -> Job:
    return Job(**({"id": number, "place": place, "work_s": 1800, "worth": 40_000, "crews": frozenset({1, 2})} | more))


def test_gaps_lie_between_what_is_fixed():
    fixed = (Fixed(9, 2, 3600, 5400), Fixed(8, 3, 9000, 9600))
    gaps = gaps_of(CrewDay(1, 0, ((0, 8 * HOUR),), end_place=4, overtime_s=600, fixed=fixed))
    told = [(g.start_place, g.start_s, g.end_place, g.end_s) for g in gaps]
    assert told == [(0, 0, 2, 3600), (2, 5400, 3, 9000), (3, 9600, 4, 8 * HOUR + 600)]


def test_an_order_under_way_is_where_the_day_begins():
    [gap] = gaps_of(CrewDay(1, 0, ((0, HOUR),), fixed=(Fixed(9, 5, -1, 1200),)))
    assert (gap.start_place, gap.start_s) == (5, 1200)


def test_lunch_falls_where_it_costs_least():
    noon = replace(CrewDay(1, 0, ((0, 8 * HOUR),)), lunch=Lunch(3600, 7200, 1800))
    late = job(2, 2, closes_s=6000)
    problem = line(job(1, 1), late, crews=(noon,))
    gap: Gap = problem.gaps[1, 0]
    s = schedule(problem, gap, [1, 2])
    assert s.wrong == "" and s.lunch_s == 4800, "after both: before the second would be too late"


def test_an_order_that_can_only_be_late_is_still_served():
    problem = line(job(1, 3, due_s=60), job(2, 1))
    found = solved(problem, plan_greedy.greedy(problem))
    assert found.served == {1, 2} and total(problem, found).late == 1


def test_the_search_prefers_to_be_in_time():
    problem = line(job(1, 6, due_s=6000), job(2, 1), job(3, 2))
    found = solved(problem, plan_greedy.greedy(problem))
    assert total(problem, found).late == 0


def test_what_is_late_already_is_done_first():
    problem = line(job(1, 3, due_s=-7200), *(job(n, 1) for n in range(2, 6)))
    found = solved(problem, plan_greedy.greedy(problem))
    assert found.routes[1, 0][0] == 1


@pytest.mark.parametrize(("change", "code"), [
    ({"crews": frozenset()}, "none_on_shift"), ({"closes_s": 10}, "closes_too_soon"), ({"work_s": 9 * HOUR}, "no_time_left"),
    ({"work_s": 5 * HOUR}, "crews_full"),
])  # fmt: skip
def test_why_an_order_has_no_place(change, code):
    problem = line(job(1, 1, work_s=7 * HOUR), job(2, 2, **change))
    plan = plan_greedy.insert(problem, Plan(), [1])
    assert plan_compare.why_not(problem, plan, 2).code == code


def test_the_promised_time_is_kept_and_parts_are_put_together():
    """The clock counts looks, not seconds: a search that looked away would never end."""
    rng = np.random.default_rng(5)
    xy = rng.integers(0, 9000, (121, 2))
    far = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))).astype(np.int64)
    crews = tuple(CrewDay(c, 0, ((0, 10 * HOUR),), end_place=0) for c in range(8))
    jobs = tuple(Job(n, n, 600, 40_000, frozenset(range(8))) for n in range(1, 121))
    problem = Problem(jobs, crews, far, far)
    base = plan_greedy.greedy(problem)
    looks = [0.0]

    def clock() -> float:
        looks[0] += 0.01
        return looks[0]

    rounds: list[list[Part]] = []

    def spread(parts, watch):
        rounds.append(list(parts))
        return [plan_solver.search(part, Until(clock, clock() + 0.5)) for part in parts]

    found = plan_solver.improve(problem, base, base.served, seed=1, stop=Until(clock, clock() + 12.0), spread=spread)
    assert looks[0] < 13.0 and len(rounds) > 1
    for parts in rounds[:-1]:  # the last one polishes the whole, from two seeds
        told = sorted(job.id for part in parts for job in part.problem.jobs)
        assert told == sorted(job.id for job in jobs), "each order is in one part"
    possible(problem, found)
    assert base.served <= found.served and cost(problem, found) < 0.7 * cost(problem, base)


def test_forbidden_orders_are_never_done_by_who_may_not():
    crews = (CrewDay(1, 0, ((0, 8 * HOUR),)), CrewDay(2, 0, ((0, 8 * HOUR),)))
    jobs = [job(n, n, crews=frozenset({1 + n % 2})) for n in range(1, 7)]
    problem = line(*jobs, crews=crews)
    found = solved(problem, plan_greedy.greedy(problem))
    assert len(found.served) == 6 and faults(problem, found) == []
    assert np.isfinite(sum(gap_cost(problem, s) for s in schedules(problem, found).values()))
