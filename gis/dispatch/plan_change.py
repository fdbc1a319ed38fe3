"""A change during the day: a new urgent order, a crew that falls out. Only what must change does. Pure.

What stands stays with its crew and in its order; what has no crew any more, and what is new, is laid between. Only where an
order finds no place that way is one other order asked to move for it, and one after that, until nothing helps: the least
that lets everybody be served.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gis.dispatch.plan import Key, Plan, Problem, faults, gap_cost, load, schedule, without
from gis.dispatch.plan_greedy import insert

TRIES = 40  # orders without a place for which others are asked to move


@dataclass(frozen=True)
class Change:
    """A new plan, and the orders that another crew does now, or none."""

    plan: Plan
    moved: frozenset[int]


def moved(before: Plan, after: Plan) -> frozenset[int]:
    """The orders of both plans that another crew does now."""
    was, now = _crew_of(before), _crew_of(after)
    return frozenset(job for job in was.keys() & now.keys() if was[job] != now[job])


def _crew_of(plan: Plan) -> dict[int, int]:
    return {job: key[0] for key, route in plan.routes.items() for job in route}


def replan(problem: Problem, current: Plan) -> Change:
    """The current plan, changed as little as lets everything be served that can be.

    `problem` is the day as it is now; whatever of `current` it no longer knows (crews, gaps, orders) is dropped.
    """
    standing = possible(problem, current)
    waiting = [job.id for job in problem.jobs if job.id not in standing.served]
    plan = insert(problem, standing, waiting)
    for job_id in _urgent_first(problem, (j for j in waiting if j not in plan.served))[:TRIES]:
        plan = _make_room(problem, plan, job_id) or plan
    return Change(plan, moved(current, plan))


def possible(problem: Problem, current: Plan) -> Plan:
    """What of a plan can still be carried out: from each route as few orders as possible are taken, the least worth first."""
    routes: dict[Key, tuple[int, ...]] = {}
    seen: set[int] = set()
    for key in sorted(current.routes):
        gap = problem.gaps.get(key)
        if gap is None:
            continue
        kept = [j for j in current.routes[key] if j in problem.job and key[0] in problem.job[j].crews and j not in seen]
        while kept and schedule(problem, gap, kept).wrong:
            kept.remove(_in_the_way(problem, key, kept))
        seen |= set(kept)
        routes[key] = tuple(kept)
    plan = Plan({key: route for key, route in routes.items() if route})
    for crew in problem.crews:
        mine = sorted((j for _, route in plan.of(crew.id) for j in route), key=lambda j: (problem.job[j].worth, -j))
        while crew.capacity is not None and mine and load(problem, plan, crew) > crew.capacity:
            plan = without(plan, [mine.pop(0)])
    return plan


def _in_the_way(problem: Problem, key: Key, route: list[int]) -> int:
    """The order whose going alone makes the rest possible; else the last of the least worth."""
    gap = problem.gaps[key]
    by_worth = sorted(route, key=lambda j: (problem.job[j].worth, -route.index(j)))
    for job_id in by_worth:
        if not schedule(problem, gap, [j for j in route if j != job_id]).wrong:
            return job_id
    return by_worth[0]


def _urgent_first(problem: Problem, jobs: Iterable[int]) -> list[int]:
    return sorted(jobs, key=lambda j: (-problem.job[j].worth, j))


def _make_room(problem: Problem, plan: Plan, job_id: int) -> Plan | None:
    """One other order moves to another crew so that this one finds a place: the cheapest such pair, if there is one."""
    job = problem.job[job_id]
    best: tuple[float, Plan] | None = None
    for key, route in sorted(plan.routes.items()):
        if key[0] not in job.crews:
            continue
        before = gap_cost(problem, schedule(problem, problem.gaps[key], route))
        for other in route:
            rest = without(plan, [other])
            here = tuple(j for j in route if j != other)
            placed = _best_in(problem, key, here, job_id)
            if placed is None:
                continue
            moved_on = insert(problem, Plan({**rest.routes, key: placed}), [other])
            if other not in moved_on.served or faults(problem, moved_on):
                continue
            more = gap_cost(problem, schedule(problem, problem.gaps[key], placed)) - before
            if best is None or more < best[0]:
                best = (more, moved_on)
    return best[1] if best else None


def _best_in(problem: Problem, key: Key, route: tuple[int, ...], job_id: int) -> tuple[int, ...] | None:
    """The route with this order in its best place; None where there is none."""
    tried = [(*route[:at], job_id, *route[at:]) for at in range(len(route) + 1)]
    good = [(gap_cost(problem, s), r) for r in tried if not (s := schedule(problem, problem.gaps[key], r)).wrong]
    return min(good)[1] if good else None
