"""The day's plan: which crew does which orders, in which order and when. Pure: places are row numbers of a matrix, times seconds.

A crew's day is cut into gaps by what is fixed (orders it has accepted, or that a dispatcher pinned): from where and when it
is free to where and when it must be next. What is fixed never enters a search, so it cannot move. `schedule` is the one
judge: it says when each order of a gap would be reached and done, or why that cannot be; every plan, whoever made it, is
measured by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
Key = tuple[int, int]  # a gap: the crew's id, and which of its gaps


@dataclass(frozen=True)
class Job:
    """An order that is to be served. It may begin from `earliest_s` to `closes_s`; done after `due_s` it is late.

    `worth` is how many seconds of driving it is worth to serve it today. `crews` may do it; nobody else.
    """

    id: int
    place: int
    work_s: int
    worth: int
    crews: frozenset[int]
    earliest_s: int = 0
    closes_s: int | None = None
    due_s: int | None = None
    load: int = 1


@dataclass(frozen=True)
class Fixed:
    """An order whose crew and time stand. The crew is taken from `start_s` to `end_s` and is then at `place`."""

    id: int
    place: int
    start_s: int
    end_s: int
    due_s: int | None = None


@dataclass(frozen=True)
class Lunch:
    """A break of `length_s` that begins from `earliest_s` to `latest_s`."""

    earliest_s: int
    latest_s: int
    length_s: int


@dataclass(frozen=True)
class CrewDay:
    """A crew and its day. `end_place` None: it may end anywhere. `capacity`: so many loads in all, None without limit."""

    id: int
    start_place: int
    shifts: tuple[tuple[int, int], ...]
    end_place: int | None = None
    overtime_s: int = 0
    lunch: Lunch | None = None
    capacity: int | None = None
    fixed: tuple[Fixed, ...] = ()


@dataclass(frozen=True)
class Gap:
    """Free time of a crew: from `start_place` at `start_s` until it must be at `end_place` (or be done) at `end_s`.

    After `shift_end_s` it is overtime. `then` is the fixed order that follows.
    """

    key: Key
    start_place: int
    start_s: int
    end_place: int | None
    end_s: int
    shift_end_s: int
    lunch: Lunch | None = None
    then: Fixed | None = None

    @property
    def crew_id(self) -> int:
        return self.key[0]


@dataclass(frozen=True)
class Prices:
    """What things cost, in seconds of driving. Being late costs by the second up to `late_most`, and `late_once`."""

    overtime: float = 2.0
    late: float = 0.5
    late_most: int = 7200
    late_once: int = 3600


@dataclass(frozen=True)
class Problem:
    """Everything a plan is made from. `seconds[i, j]` and `metres[i, j]` lead from place i to place j."""

    jobs: tuple[Job, ...]
    crews: tuple[CrewDay, ...]
    seconds: Seconds
    metres: Seconds
    prices: Prices = Prices()

    @cached_property
    def job(self) -> dict[int, Job]:
        return {job.id: job for job in self.jobs}

    @cached_property
    def crew(self) -> dict[int, CrewDay]:
        return {crew.id: crew for crew in self.crews}

    @cached_property
    def gaps(self) -> dict[Key, Gap]:
        return {gap.key: gap for crew in self.crews for gap in gaps_of(crew)}

    def way(self, start: int | None, end: int | None) -> tuple[int, int]:
        """Seconds and metres; nowhere in particular is reached at once."""
        if start is None or end is None:
            return 0, 0
        return int(self.seconds[start, end]), int(self.metres[start, end])


@dataclass(frozen=True)
class Plan:
    """Which jobs each gap holds, in order. A job that is in none of them is not served."""

    routes: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def served(self) -> frozenset[int]:
        return frozenset(job for route in self.routes.values() for job in route)

    def of(self, crew_id: int) -> Iterator[tuple[Key, tuple[int, ...]]]:
        return ((key, self.routes[key]) for key in sorted(self.routes) if key[0] == crew_id)


@dataclass(frozen=True)
class Visit:
    """A job in a schedule: the crew leaves for it, begins, is done."""

    job_id: int
    leave_s: int
    begin_s: int
    end_s: int
    way_s: int
    way_m: int
    late_s: int


@dataclass(frozen=True)
class Schedule:
    """A gap with times. `wrong` names what cannot be (nothing: it can); then the times mean little."""

    visits: tuple[Visit, ...]
    way_s: int
    way_m: int
    overtime_s: int
    lunch_s: int | None
    wrong: str = ""

    @property
    def late_s(self) -> int:
        return sum(visit.late_s for visit in self.visits)


# --- gaps ------------------------------------------------------------------------------------------------------------
def gaps_of(crew: CrewDay) -> list[Gap]:
    """The free times of a crew, in order. A fixed order outside of all shifts still moves where the crew sets out from."""
    found: list[Gap] = []
    place, free_s = crew.start_place, 0
    waiting = sorted(crew.fixed, key=lambda f: (f.start_s, f.end_s, f.id))
    shifts = sorted(crew.shifts)
    for number, (shift_start, shift_end) in enumerate(shifts):
        # Overtime ends where the next shift begins; an order fixed in it bounds the day as one within the shift does.
        until = shift_end + crew.overtime_s
        if number + 1 < len(shifts):
            until = min(until, max(shift_end, shifts[number + 1][0]))
        while waiting and waiting[0].start_s < shift_start:
            done = waiting.pop(0)
            place, free_s = done.place, max(free_s, done.end_s)
        while waiting and waiting[0].start_s < until:
            then = waiting.pop(0)
            found.append(
                Gap(
                    (crew.id, len(found)),
                    place,
                    max(shift_start, free_s),
                    then.place,
                    then.start_s,
                    shift_end,
                    then=then,
                )
            )
            place, free_s = then.place, max(free_s, then.end_s)
        found.append(Gap((crew.id, len(found)), place, max(shift_start, free_s), crew.end_place, until, shift_end))
        place = place if crew.end_place is None else crew.end_place
    return _with_lunch(found, crew.lunch)


def _with_lunch(gaps: list[Gap], lunch: Lunch | None) -> list[Gap]:
    """The break belongs to the gap that has most room for it; where none has enough, it falls where it may: nowhere."""
    if lunch is None:
        return gaps

    def room(gap: Gap) -> int:
        return min(gap.end_s, lunch.latest_s + lunch.length_s) - max(gap.start_s, lunch.earliest_s)

    best = max(gaps, key=room, default=None)
    if best is None or room(best) < lunch.length_s:
        return gaps
    return [replace(gap, lunch=lunch) if gap is best else gap for gap in gaps]


# --- the judge -------------------------------------------------------------------------------------------------------
def schedule(problem: Problem, gap: Gap, route: Sequence[int]) -> Schedule:
    """When each job of a gap is reached and done, as early as can be; with lunch where it costs least.

    An empty gap costs the way to what follows: that way is driven whatever is planned.
    """
    if gap.lunch is None or not route:
        return _at_once(problem, gap, route, None)
    tried = [_at_once(problem, gap, route, before) for before in range(len(route) + 1)]
    return min(tried, key=lambda s: (bool(s.wrong), s.late_s, s.overtime_s, s.visits[-1].end_s, s.lunch_s or 0))


def _at_once(problem: Problem, gap: Gap, route: Sequence[int], lunch_before: int | None) -> Schedule:
    at_s, place = gap.start_s, gap.start_place
    visits: list[Visit] = []
    way_s = way_m = 0
    lunch_s: int | None = None
    wrong = ""
    for n, job_id in enumerate(route):
        if lunch_before == n:
            lunch_s, at_s, wrong = _eat(gap, at_s, wrong)
        job = problem.job[job_id]
        if gap.crew_id not in job.crews:
            wrong = wrong or "not_this_crew"
        seconds, metres = problem.way(place, job.place)
        begin = max(at_s + seconds, job.earliest_s)
        if job.closes_s is not None and begin > job.closes_s:
            wrong = wrong or "too_late"
        end = begin + job.work_s
        late = 0 if job.due_s is None else max(0, end - job.due_s)
        visits.append(Visit(job_id, begin - seconds, begin, end, seconds, metres, late))
        at_s, place, way_s, way_m = end, job.place, way_s + seconds, way_m + metres
    if route and lunch_before == len(route):
        lunch_s, at_s, wrong = _eat(gap, at_s, wrong)
    seconds, metres = problem.way(place, gap.end_place) if route or gap.then else (0, 0)
    done = at_s + seconds
    if route and done > gap.end_s:
        wrong = wrong or "shift_ends"
    overtime = max(0, done - max(gap.shift_end_s, gap.start_s)) if route and gap.then is None else 0
    return Schedule(tuple(visits), way_s + seconds, way_m + metres, overtime, lunch_s, wrong)


def _eat(gap: Gap, at_s: int, wrong: str) -> tuple[int, int, str]:
    """Lunch begins, the time after it, and whether that is too late for lunch."""
    assert gap.lunch is not None
    begin = max(at_s, gap.lunch.earliest_s)
    return begin, begin + gap.lunch.length_s, wrong or ("no_lunch" if begin > gap.lunch.latest_s else "")


def schedules(problem: Problem, plan: Plan) -> dict[Key, Schedule]:
    """Every gap of every crew with its times, the empty ones too."""
    return {key: schedule(problem, gap, plan.routes.get(key, ())) for key, gap in problem.gaps.items()}


def faults(problem: Problem, plan: Plan) -> list[str]:
    """What a plan does that must not be; nothing where it can be carried out. The locks hold by construction of the gaps."""
    found = [f"{key}: {s.wrong}" for key, s in schedules(problem, plan).items() if s.wrong]
    found += [f"{key}: no such gap" for key in plan.routes if key not in problem.gaps]
    told = [job for route in plan.routes.values() for job in route]
    found += [f"{job}: twice" for job in sorted(set(told)) if told.count(job) > 1]
    for crew in problem.crews:
        if crew.capacity is not None and load(problem, plan, crew) > crew.capacity:
            found.append(f"{crew.id}: over capacity")
    return found


def load(problem: Problem, plan: Plan, crew: CrewDay) -> int:
    """What a crew carries in the whole day; each fixed order counts as one."""
    return len(crew.fixed) + sum(problem.job[job].load for _, route in plan.of(crew.id) for job in route)


@dataclass(frozen=True)
class Total:
    """A plan in numbers: of one crew, or of all."""

    orders: int = 0
    way_s: int = 0
    way_m: int = 0
    late: int = 0
    late_s: int = 0
    overtime_s: int = 0

    def __add__(self, other: Total) -> Total:
        return Total(self.orders + other.orders, self.way_s + other.way_s, self.way_m + other.way_m, self.late + other.late,
                     self.late_s + other.late_s, self.overtime_s + other.overtime_s)  # fmt: skip


def total_of(problem: Problem, plan: Plan, crew: CrewDay) -> Total:
    """One crew's day, what is fixed included."""
    found = Total(orders=len(crew.fixed))
    for fixed in crew.fixed:
        late = 0 if fixed.due_s is None else max(0, fixed.end_s - fixed.due_s)
        found += Total(late=int(late > 0), late_s=late)
    for gap in gaps_of(crew):
        s = schedule(problem, gap, plan.routes.get(gap.key, ()))
        late = sum(1 for visit in s.visits if visit.late_s)
        found += Total(len(s.visits), s.way_s, s.way_m, late, s.late_s, s.overtime_s)
    return found


def total(problem: Problem, plan: Plan) -> Total:
    """All crews together."""
    found = Total()
    for crew in problem.crews:
        found += total_of(problem, plan, crew)
    return found


def cost(problem: Problem, plan: Plan) -> float:
    """What is to be least: driving, overtime, being late, and what is left undone."""
    undone = sum(job.worth for job in problem.jobs if job.id not in plan.served)
    return undone + sum(gap_cost(problem, s) for s in schedules(problem, plan).values())


def gap_cost(problem: Problem, s: Schedule) -> float:
    """The cost of one gap; a schedule that cannot be is infinitely dear."""
    if s.wrong:
        return inf
    late = sum(late_cost(problem.prices, problem.job[v.job_id], v.end_s) for v in s.visits)
    return s.way_s + s.overtime_s * problem.prices.overtime + late


def late_cost(prices: Prices, job: Job, end_s: float) -> float:
    """What being late costs. Of an order that is late already only what could still be saved: the sooner, the cheaper."""
    if job.due_s is None:
        return 0.0
    soonest = job.earliest_s + job.work_s
    late_s = end_s - max(job.due_s, soonest)
    if late_s <= 0:
        return 0.0
    return min(late_s * prices.late, prices.late_most) + (prices.late_once if job.due_s >= soonest else 0)


def without(plan: Plan, jobs: Iterable[int]) -> Plan:
    """The plan without these jobs."""
    gone = frozenset(jobs)
    return Plan({key: tuple(job for job in route if job not in gone) for key, route in plan.routes.items()})
