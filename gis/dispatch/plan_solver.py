"""The search for a shorter plan, by PyVRP. Pure: it is given the seed and a clock to keep its time by.

`plan.schedule` has the last word on everything that PyVRP finds.

The orders are searched in parts that lie together (crews by the angle at which they work, cut elsewhere in each round), each
part on a core of its own; then the whole is polished. A search begins from the plan it is to beat and can only end better.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import pi

import numpy as np
import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.IteratedLocalSearch import IteratedLocalSearch, IteratedLocalSearchParams
from pyvrp.PenaltyManager import PenaltyManager, PenaltyParams
from pyvrp.search import OPERATORS, LocalSearch, NeighbourhoodParams, PerturbationManager, compute_neighbours

from gis.dispatch import plan_greedy
from gis.dispatch.plan import CrewDay, Job, Key, Plan, Problem, cost, faults, gap_cost, schedule, without
from gis.dispatch.plan_pyvrp import model, plan_of, solution

Clock = Callable[[], float]  # seconds, from anywhere, never back
HISTORY = 60  # how long a worse plan is held against a new one; shorter than PyVRP's own, as the time is short
PATIENCE = (60, 300)  # the histories with which the whole is polished, core by core
PART_MOST = 600  # more orders than this are searched in more parts than there are cores
ROUND_S = 2.5  # how long one round of parts takes
POLISH = 0.55  # the share of the time in which the whole is polished
INSERT_MOST = 5000  # places that may be tried by hand after a search: a tenth of a second or two
TIDY_MOST = 25  # orders in a gap, for each to be tried in every place
SPLIT_LEAST = 60  # fewer orders are searched as a whole


@dataclass(frozen=True)
class Part:
    """A problem with the plan to beat, for one core: `seconds` long. `required` must stay served."""

    problem: Problem
    start: Plan
    required: frozenset[int]
    seed: int
    seconds: float
    history: int = HISTORY


@dataclass
class Until:
    """Stop when the clock says so. `watch` is told of every look."""

    clock: Clock
    at: float
    watch: Callable[[], None] = field(default=lambda: None)

    def __call__(self, best_cost: int) -> bool:
        self.watch()
        return self.clock() >= self.at

    @property
    def left(self) -> float:
        return self.at - self.clock()


Watch = Callable[[], None]
Spread = Callable[[Sequence[Part], Watch], list[Plan]]


# --- one search ------------------------------------------------------------------------------------------------------
def search(part: Part, stop: Until) -> Plan:
    """Beat the plan of a part within the time, or give it back."""
    if not part.problem.jobs or stop.left <= 0:
        return part.start
    told = model(part.problem, part.required)
    begin = solution(part.problem, told, part.start)
    if not begin.is_feasible():
        told = model(part.problem, part.required, hold_lunch=False)
        begin = solution(part.problem, told, part.start)
    rng = pyvrp.RandomNumberGenerator(seed=part.seed % 2**32)
    ls = LocalSearch(
        told.data, rng, compute_neighbours(told.data, NeighbourhoodParams(num_neighbours=30)), PerturbationManager()
    )
    for operator in OPERATORS:
        if operator.supports(told.data):
            ls.add_operator(operator(told.data))
    params = PenaltyParams()
    penalties = PenaltyManager(params.midpoint_penalties(told.data), params)
    if stop(0):
        return part.start
    if (better := ls(begin, penalties.max_cost_evaluator(), exhaustive=True)).is_feasible():
        begin = better
    ils = IteratedLocalSearch(told.data, penalties, ls, begin, IteratedLocalSearchParams(history_length=part.history))
    with warnings.catch_warnings():  # that a penalty is at its most says only that the start is hard to beat
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        found = ils.run(stop, collect_stats=False).best
    return settle(part, plan_of(told, found))


def settle(part: Part, found: Plan) -> Plan:
    """What was found, made possible by the judge's measure; the plan to beat where it is no better or leaves something out."""
    problem = part.problem
    found = repaired(problem, found)
    for missing in (part.required - found.served, problem.job.keys() - found.served):
        if missing and len(missing) * len(problem.jobs) <= INSERT_MOST:
            found = plan_greedy.insert(problem, found, missing)
    found = tidied(problem, found)
    possible = part.required <= found.served and not faults(problem, found)
    return found if possible and cost(problem, found) <= cost(problem, part.start) else part.start


def tidied(problem: Problem, plan: Plan) -> Plan:
    """PyVRP knows lateness in steps, the judge by the second: within a gap where something is late, each order moves to where
    it costs least, as long as that helps."""
    routes = dict(plan.routes)
    for key, route in plan.routes.items():
        gap = problem.gaps[key]
        now = schedule(problem, gap, route)
        best = gap_cost(problem, now)
        while now.late_s and len(route) <= TIDY_MOST:
            tried = [other for job in route for other in _elsewhere(route, job)]
            cheapest, chosen = min((gap_cost(problem, schedule(problem, gap, other)), other) for other in tried)
            if cheapest >= best:
                break
            best, route, now = cheapest, chosen, schedule(problem, gap, chosen)
        routes[key] = route
    return Plan(routes)


def _elsewhere(route: tuple[int, ...], job: int) -> list[tuple[int, ...]]:
    rest = tuple(other for other in route if other != job)
    return [(*rest[:at], job, *rest[at:]) for at in range(len(route))]


def repaired(problem: Problem, plan: Plan) -> Plan:
    """Take out what makes a gap impossible, the least worth first and of those the latest."""
    routes: dict[Key, tuple[int, ...]] = {}
    for key, route in plan.routes.items():
        kept = list(route)
        while kept and schedule(problem, problem.gaps[key], kept).wrong:
            kept.remove(min(reversed(kept), key=lambda j: problem.job[j].worth))
        routes[key] = tuple(kept)
    found = Plan(routes)
    for crew in problem.crews:
        if crew.capacity is None:
            continue
        over = plan_greedy.load(problem, found, crew) - crew.capacity
        mine = sorted(
            (job for _, route in found.of(crew.id) for job in route), key=lambda j: (problem.job[j].worth, -j)
        )
        while over > 0 and mine:
            gone = mine.pop(0)
            over -= problem.job[gone].load
            found = without(found, [gone])
    return found


# --- the whole -------------------------------------------------------------------------------------------------------
def alone(clock: Clock) -> Spread:
    """The parts one after another on this core, each with its share of the time."""

    def run(parts: Sequence[Part], watch: Watch) -> list[Plan]:
        share = [replace(part, seconds=part.seconds / len(parts)) for part in parts]
        return [search(part, Until(clock, clock() + part.seconds, watch)) for part in share]

    return run


def improve(
    problem: Problem, start: Plan, required: Iterable[int], *, seed: int, stop: Until, spread: Spread, cores: int = 2,
    told: Callable[[float], None] = lambda share: None,
) -> Plan:  # fmt: skip
    """A plan as good as the time allows. It serves what is required as `start` does, and never costs more."""
    must, best = frozenset(required), start
    began, whole = stop.clock(), max(stop.left, 1e-9)

    def watch() -> None:
        told(min(1.0, (stop.clock() - began) / whole))

    turn = 0
    if len(problem.jobs) < SPLIT_LEAST or cores < 2:
        return search(Part(problem, best, must, seed, stop.left), Until(stop.clock, stop.at, watch))
    count = cores * -(-len(problem.jobs) // (PART_MOST * cores))
    while stop.left > whole * POLISH + 0.3:
        seconds = min(ROUND_S, stop.left - whole * POLISH)
        if turn == 0:  # the plan to beat may send everybody everywhere: begin with areas
            parts = areas(problem, count, seed, seconds)
            best = better(problem, best, merged(problem, Plan(), parts, spread(parts, watch)), must)
        else:
            parts = split(problem, best, must, count, 2 * pi * turn * 0.381966, seed + turn, seconds)
            best = merged(problem, best, parts, spread(parts, watch))
        turn += 1
    if stop.left > 0.05:  # the whole, on each core from another seed and with another patience: the best of them
        left = stop.left
        tries = [
            Part(problem, best, must, seed + turn + 97 * n, left, PATIENCE[n % len(PATIENCE)]) for n in range(cores)
        ]
        best = min([best, *spread(tries, watch)], key=lambda plan: cost(problem, plan))
    return best


def better(problem: Problem, kept: Plan, found: Plan, required: frozenset[int]) -> Plan:
    """The plan that was found, if it can be carried out, serves what is required, and costs no more than the one that is kept."""
    missing = required - found.served
    if len(missing) * len(problem.jobs) > INSERT_MOST:
        return kept
    found = plan_greedy.insert(problem, found, missing)
    good = required <= found.served and not faults(problem, found) and cost(problem, found) <= cost(problem, kept)
    return found if good else kept


def areas(problem: Problem, count: int, seed: int, seconds: float) -> list[Part]:
    """Orders by their angle around the middle, cut into parts of as many each; crews go where they set out from, or in turn
    where they all set out from the same place. Each part begins with its own greedy plan."""
    xy = bearings(problem)
    middle = xy[[job.place for job in problem.jobs]].mean(0)

    def angle(place: int) -> float:
        dx, dy = xy[place] - middle
        return float(np.arctan2(dy, dx))

    jobs = np.array_split(np.array(sorted(problem.jobs, key=lambda j: (angle(j.place), j.id)), object), count)
    crews = np.array_split(np.array(sorted(problem.crews, key=lambda c: (angle(c.start_place), c.id)), object), count)
    parts = [
        _part(problem, Plan(), frozenset(), list(c), list(j), seed + 31 * n, seconds)
        for n, (c, j) in enumerate(zip(crews, jobs, strict=True)) if len(c)
    ]  # fmt: skip
    return [replace(part, start=plan_greedy.greedy(part.problem)) for part in parts]


def merged(problem: Problem, before: Plan, parts: Sequence[Part], found: Sequence[Plan]) -> Plan:
    """The parts put together again; what none of them serves is not served."""
    routes: dict[Key, tuple[int, ...]] = dict(before.routes)
    for part, plan in zip(parts, found, strict=True):
        routes |= {key: plan.routes.get(key, ()) for key in part.problem.gaps}
    return Plan({key: route for key, route in routes.items() if route})


def split(
    problem: Problem, plan: Plan, required: frozenset[int], count: int, turned: float, seed: int, seconds: float
) -> list[Part]:
    """Crews by the angle of their work around the middle of all, cut into parts with about as many orders each.

    Angles need coordinates and there is only a matrix: `bearings` makes a map of it.
    """
    xy = bearings(problem)
    middle = xy[[job.place for job in problem.jobs]].mean(0)
    angle, weight = {}, {}
    for crew in problem.crews:
        stops = [problem.job[j].place for _, route in plan.of(crew.id) for j in route] or [crew.start_place]
        dx, dy = xy[stops].mean(0) - middle
        angle[crew.id] = (float(np.arctan2(dy, dx)) - turned) % (2 * pi)
        weight[crew.id] = sum(len(route) for _, route in plan.of(crew.id)) + 1
    order = sorted(problem.crews, key=lambda c: (angle[c.id], c.id))
    share = sum(weight.values()) / count
    groups: list[list[CrewDay]] = [[] for _ in range(count)]
    done = 0.0
    for crew in order:
        groups[min(count - 1, int((done + weight[crew.id] / 2) / share))].append(crew)
        done += weight[crew.id]
    part_of = {crew.id: n for n, group in enumerate(groups) for crew in group}
    jobs: list[list[Job]] = [[] for _ in range(count)]
    at = {job: part_of[key[0]] for key, route in plan.routes.items() for job in route}
    for job in problem.jobs:
        if job.id not in at:  # nobody's yet: the part of whoever could do it and lies nearest by angle
            dx, dy = xy[job.place] - middle
            mine = (float(np.arctan2(dy, dx)) - turned) % (2 * pi)
            able = [c for c in order if c.id in job.crews] or order
            near = min(able, key=lambda c: (min(abs(angle[c.id] - mine), 2 * pi - abs(angle[c.id] - mine)), c.id))
            at[job.id] = part_of[near.id]
        jobs[at[job.id]].append(job)
    return [
        _part(problem, plan, required, group, own, seed + 31 * n, seconds)
        for n, (group, own) in enumerate(zip(groups, jobs, strict=True))
        if group
    ]


def _part(
    problem: Problem,
    plan: Plan,
    required: frozenset[int],
    crews: Sequence[CrewDay],
    jobs: Sequence[Job],
    seed: int,
    seconds: float,
) -> Part:
    """A problem of its own, with no more of the matrix than it needs."""
    used = sorted({p for c in crews for p in (c.start_place, c.end_place, *(f.place for f in c.fixed)) if p is not None}
                  | {job.place for job in jobs})  # fmt: skip
    new = {place: n for n, place in enumerate(used)}
    cut = np.ix_(used, used)
    own = tuple(
        replace(c, start_place=new[c.start_place], end_place=None if c.end_place is None else new[c.end_place],
                fixed=tuple(replace(f, place=new[f.place]) for f in c.fixed))
        for c in crews
    )  # fmt: skip
    small = Problem(tuple(replace(job, place=new[job.place]) for job in jobs), own, problem.seconds[cut], problem.metres[cut],
                    problem.prices)  # fmt: skip
    there = {c.id for c in crews}
    start = Plan({key: route for key, route in plan.routes.items() if key[0] in there})
    return Part(small, start, required & {job.id for job in jobs}, seed, seconds)


def bearings(problem: Problem) -> np.ndarray:
    """A flat map whose distances are about those of the matrix: landmarks, then the two directions that tell most apart."""
    both = (problem.seconds + problem.seconds.T) / 2.0
    marks = [0]
    while len(marks) < min(12, len(both)):
        marks.append(int(np.argmax(both[marks].min(0))))
    columns = both[:, marks]
    centred = columns - columns.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    flat: np.ndarray = centred @ axes[:2].T
    return flat if flat.shape[1] == 2 else np.column_stack([flat, np.zeros(len(flat))])
