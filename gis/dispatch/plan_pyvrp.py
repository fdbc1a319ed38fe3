"""A problem as PyVRP is told it, and its answer told back. Pure.

Each gap is a vehicle of its own, with its own start, end and hours; orders that a crew may not do lie forbidden far away for it;
an order that can be late stands there once for each step of lateness, and one of them at most is done; lunch is held free by
shorter hours and earlier closing, and laid into the route afterwards by `plan.schedule`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvrp

from gis.dispatch.plan import Gap, Job, Key, Plan, Problem, late_cost

FORBIDDEN_S = 1_000_000  # how far away an order lies that a crew may not do
# Up to so late (None: later still), and what that is counted as: four ways for an order to be done.
LATE_STEPS_S = ((0, 0), (3600, 1800), (10_800, 7200), (None, 14_400))


@dataclass(frozen=True)
class Model:
    """A problem as PyVRP knows it, and the way back: which job a client is, which gap a vehicle."""

    data: pyvrp.ProblemData
    jobs: list[Job]
    choices: dict[int, list[int]]
    job_of: list[int]
    keys: list[Key]


def model(problem: Problem, required: frozenset[int], *, hold_lunch: bool = True) -> Model:
    """Translate. With `hold_lunch` the hours are shortened so that lunch always fits afterwards."""
    jobs = list(problem.jobs)
    gaps = [gap for gap in problem.gaps.values() if gap.end_s > gap.start_s]
    horizon = max([gap.end_s for gap in gaps] + [job.closes_s or 0 for job in jobs] + [1])
    places = [job.place for job in jobs]
    depots: dict[int | None, int] = {}
    for place in [p for gap in gaps for p in (gap.start_place, gap.end_place)]:
        if place not in depots:
            depots[place] = len(places)
            places.append(-1 if place is None else place)
    clients, groups, choices, job_of = _clients(problem, jobs, required, horizon, _held(gaps) if hold_lunch else None)
    profiles, vehicles = _vehicles(problem, jobs, gaps, depots, hold_lunch)
    base = _matrix(problem, places)
    matrices = [_forbid(base, allowed) for allowed in profiles] or [base]
    data = pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in places],
        clients,
        [pyvrp.Depot(n) for n in depots.values()],
        vehicles,
        matrices,
        matrices,
        groups,
    )
    return Model(data, jobs, choices, job_of, [gap.key for gap in gaps])


def _held(gaps: Sequence[Gap]) -> tuple[int, int] | None:
    """From when on orders must close earlier, and by how much, so that a crew can eat before."""
    lunches = [gap.lunch for gap in gaps if gap.lunch]
    return (min(x.earliest_s for x in lunches), max(x.length_s for x in lunches)) if lunches else None


def _clients(
    problem: Problem, jobs: Sequence[Job], required: frozenset[int], horizon: int, held: tuple[int, int] | None
) -> tuple[list[pyvrp.Client], list[pyvrp.ClientGroup], dict[int, list[int]], list[int]]:
    clients: list[pyvrp.Client] = []
    groups: list[pyvrp.ClientGroup] = []
    choices: dict[int, list[int]] = {}
    job_of: list[int] = []
    for place, job in enumerate(jobs):
        closes = horizon if job.closes_s is None else min(job.closes_s, horizon)
        if held and closes > held[0]:
            closes = max(closes - held[1], held[0])
        steps = _steps(problem, job, closes)
        must = job.id in required
        group = len(groups) if len(steps) > 1 else None
        choices[job.id] = list(range(len(clients), len(clients) + len(steps)))
        for opens, until, price in steps:
            clients.append(pyvrp.Client(
                place, delivery=[job.load], service_duration=job.work_s, tw_early=opens, tw_late=max(opens, until),
                prize=max(1, job.worth - price), required=must and group is None, group=group,
            ))  # fmt: skip
            job_of.append(job.id)
        if group is not None:
            groups.append(pyvrp.ClientGroup(choices[job.id], required=must))
    return clients, groups, choices, job_of


def _steps(problem: Problem, job: Job, closes: int) -> list[tuple[int, int, int]]:
    """When a job may begin, and what that costs: (from, to, price). One step where it cannot be late."""
    opens = min(job.earliest_s, closes)
    if job.due_s is None or job.due_s - job.work_s >= closes:
        return [(opens, closes, 0)]
    found = []
    due_s = max(job.due_s, job.earliest_s + job.work_s)
    for late_s, typically_s in LATE_STEPS_S:
        until = closes if late_s is None else min(due_s - job.work_s + late_s, closes)
        if until >= opens:
            found.append((opens, until, int(late_cost(problem.prices, job, due_s + typically_s))))
            opens = until + 1
    return found


def _vehicles(
    problem: Problem, jobs: Sequence[Job], gaps: Sequence[Gap], depots: dict[int | None, int], hold_lunch: bool
) -> tuple[list[tuple[bool, ...]], list[pyvrp.VehicleType]]:
    profiles: dict[tuple[bool, ...], int] = {}
    vehicles = []
    number = {place: n for n, place in enumerate(depots)}
    everything = sum(job.load for job in jobs)
    for gap in gaps:
        crew = problem.crew[gap.crew_id]
        allowed = tuple(crew.id in job.crews for job in jobs)
        until = gap.end_s - (gap.lunch.length_s if gap.lunch and hold_lunch else 0)
        until = max(until, gap.start_s)
        shift_s = max(0, min(gap.shift_end_s, until) - gap.start_s)
        overtime = max(0, until - gap.start_s - shift_s) if gap.then is None else 0
        vehicles.append(pyvrp.VehicleType(
            capacity=[everything if crew.capacity is None else max(0, crew.capacity - len(crew.fixed))],
            start_depot=number[gap.start_place], end_depot=number[gap.end_place], tw_early=gap.start_s, tw_late=until,
            start_late=gap.start_s, shift_duration=shift_s if overtime else until - gap.start_s, max_overtime=overtime,
            unit_overtime_cost=round(problem.prices.overtime), profile=profiles.setdefault(allowed, len(profiles)),
        ))  # fmt: skip
    return list(profiles), vehicles


def _matrix(problem: Problem, places: Sequence[int]) -> Any:
    rows = np.array(places, np.int64)
    known = np.maximum(rows, 0)
    found = np.ascontiguousarray(problem.seconds[np.ix_(known, known)], np.int64)
    found[rows < 0, :] = 0
    found[:, rows < 0] = 0
    np.fill_diagonal(found, 0)
    return found


def _forbid(base: Any, allowed: tuple[bool, ...]) -> Any:
    if all(allowed):
        return base
    found = base.copy()
    closed = np.flatnonzero(~np.array(allowed, bool))
    found[:, closed] = FORBIDDEN_S
    found[closed, closed] = 0
    return found


def solution(problem: Problem, told: Model, plan: Plan) -> pyvrp.Solution:
    """A plan as PyVRP holds it: of each order the step of lateness at which it would be reached."""
    routes = []
    for vehicle, key in enumerate(told.keys):
        visits, gap = [], problem.gaps[key]
        at_s, place = gap.start_s, gap.start_place
        for job_id in plan.routes.get(key, ()):
            job = problem.job[job_id]
            at_s += problem.way(place, job.place)[0]
            fits = [c for c in told.choices[job_id] if told.data.client(c).tw_late >= at_s] or told.choices[job_id][-1:]
            visits.append(fits[0])
            at_s, place = max(at_s, told.data.client(fits[0]).tw_early) + job.work_s, job.place
        if visits:
            routes.append(pyvrp.Route(told.data, visits, vehicle))
    return pyvrp.Solution(told.data, routes)


def plan_of(told: Model, found: pyvrp.Solution) -> Plan:
    routes = {}
    for route in found.routes():
        visits = tuple(told.job_of[a.idx] for a in route if a.is_client())
        if visits:
            routes[told.keys[route.vehicle_type()]] = visits
    return Plan(routes)
