"""The plan that needs no solver: each crew that becomes free goes to the nearest order it can still do. Pure.

It is what a plan is measured against, where a search begins, and what is offered when a search finds nothing better. What is
already given to a crew (`keep`) stays there: the plan of a change during the day begins from it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from gis.dispatch.plan import Gap, Key, Lunch, Plan, Problem, gap_cost, load, schedule


@dataclass
class _At:
    """Where a crew stands while its gap is filled."""

    place: int
    free_s: int
    ate: bool


class Greedy:
    """The jobs as columns, so that the nearest is one glance."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.ids = np.array([job.id for job in problem.jobs], np.int64)
        self.place = np.array([job.place for job in problem.jobs], np.int64)
        self.work = np.array([job.work_s for job in problem.jobs], np.int64)
        self.opens = np.array([job.earliest_s for job in problem.jobs], np.int64)
        self.closes = np.array([_or_never(job.closes_s) for job in problem.jobs], np.int64)
        self.load = np.array([job.load for job in problem.jobs], np.int64)
        self.may = {crew.id: np.array([crew.id in job.crews for job in problem.jobs], bool) for crew in problem.crews}
        self.row = {job.id: n for n, job in enumerate(problem.jobs)}

    def run(self, keep: Plan) -> Plan:
        """Fill the gaps behind what is kept; the crew that is free first chooses first, ties by the lowest id."""
        waiting = np.array([job not in keep.served for job in self.ids.tolist()], bool)
        routes = {key: list(keep.routes.get(key, ())) for key in self.problem.gaps}
        carried = {crew.id: load(self.problem, keep, crew) for crew in self.problem.crews}
        at = {key: self._after(gap, routes[key]) for key, gap in self.problem.gaps.items()}
        queue = [(at[key].free_s, key) for key in at]
        heapq.heapify(queue)
        while queue:
            _, key = heapq.heappop(queue)
            gap, here = self.problem.gaps[key], at[key]
            crew = self.problem.crew[gap.crew_id]
            room = inf if crew.capacity is None else crew.capacity - carried[crew.id]
            row = self._nearest(gap, here, waiting & self.may[crew.id] & (self.load <= room))
            if row is None:
                continue
            waiting[row] = False
            routes[key].append(int(self.ids[row]))
            carried[crew.id] += int(self.load[row])
            self._go(gap, here, row)
            heapq.heappush(queue, (here.free_s, key))
        return Plan({key: tuple(route) for key, route in routes.items() if route})

    def _after(self, gap: Gap, route: list[int]) -> _At:
        """Where the crew stands after what it keeps; it eats as the schedule says."""
        here = _At(gap.start_place, gap.start_s, gap.lunch is None)
        if route:
            s = schedule(self.problem, gap, route)
            eaten_after = s.lunch_s is not None and s.lunch_s >= s.visits[-1].end_s
            here.free_s, here.place = s.visits[-1].end_s, self.problem.job[route[-1]].place
            here.ate = gap.lunch is None or not eaten_after
        return here

    def _nearest(self, gap: Gap, here: _At, can: NDArray[np.bool_]) -> int | None:
        """The nearest of these jobs that can still be done in time, eating included."""
        if not can.any():
            return None
        way = self.problem.seconds[here.place, self.place]
        begin = np.maximum(here.free_s + way, self.opens)
        end = begin + self.work
        home = 0 if gap.end_place is None else self.problem.seconds[self.place, gap.end_place]
        if here.ate or gap.lunch is None:
            fits = can & (begin <= self.closes) & (end + home <= gap.end_s)
        else:
            later = np.maximum(_fed(here.free_s, gap.lunch) + way, self.opens)  # eat first, then go
            fits_after = (later <= self.closes) & (later + self.work + home <= gap.end_s)
            fits_after &= max(here.free_s, gap.lunch.earliest_s) <= gap.lunch.latest_s
            then_eat = np.maximum(end, gap.lunch.earliest_s)  # go first, then eat
            fits_before = (begin <= self.closes) & (then_eat <= gap.lunch.latest_s)
            fits_before &= then_eat + gap.lunch.length_s + home <= gap.end_s
            fits = can & (fits_after | fits_before)
        if not fits.any():
            return None
        # nearest by the way and the wait; the lowest id of equals
        cost = np.where(fits, begin - here.free_s, np.iinfo(np.int64).max)
        rows = np.flatnonzero(cost == cost.min())
        return int(rows[np.argmin(self.ids[rows])])

    def _go(self, gap: Gap, here: _At, row: int) -> None:
        place = int(self.place[row])
        way = int(self.problem.seconds[here.place, place])
        free = here.free_s
        if not here.ate and gap.lunch is not None:
            end = max(free + way, int(self.opens[row])) + int(self.work[row])
            home = 0 if gap.end_place is None else int(self.problem.seconds[place, gap.end_place])
            then_eat = max(end, gap.lunch.earliest_s)
            before = max(free + way, int(self.opens[row])) <= self.closes[row] and then_eat <= gap.lunch.latest_s
            if free >= gap.lunch.earliest_s or not before or then_eat + gap.lunch.length_s + home > gap.end_s:
                later = max(_fed(free, gap.lunch) + way, int(self.opens[row]))
                if (
                    max(free, gap.lunch.earliest_s) <= gap.lunch.latest_s
                    and later <= self.closes[row]
                    and later + int(self.work[row]) + home <= gap.end_s
                ):
                    free, here.ate = _fed(free, gap.lunch), True
        here.free_s = max(free + way, int(self.opens[row])) + int(self.work[row])
        here.place = place


def _fed(free_s: int, lunch: Lunch) -> int:
    return max(free_s, lunch.earliest_s) + lunch.length_s


def _or_never(closes_s: int | None) -> int:
    return np.iinfo(np.int64).max if closes_s is None else closes_s


def greedy(problem: Problem, keep: Plan | None = None) -> Plan:
    """The greedy plan, on top of what is kept."""
    return Greedy(problem).run(keep or Plan())


def insert(problem: Problem, plan: Plan, jobs: Iterable[int]) -> Plan:
    """Put each of these jobs where it costs least, if anywhere; the rest keep their order. Dearest to leave first."""
    routes = {key: list(plan.routes.get(key, ())) for key in problem.gaps}
    costs = {key: gap_cost(problem, schedule(problem, gap, routes[key])) for key, gap in problem.gaps.items()}
    carried = {crew.id: load(problem, plan, crew) for crew in problem.crews}
    for job_id in sorted(jobs, key=lambda j: (-problem.job[j].worth, j)):
        job = problem.job[job_id]
        best: tuple[float, Key, int] | None = None
        for key, gap in problem.gaps.items():
            crew = problem.crew[gap.crew_id]
            full = crew.capacity is not None and carried[crew.id] + job.load > crew.capacity
            if crew.id not in job.crews or full:
                continue
            for at in range(len(routes[key]) + 1):
                tried = [*routes[key][:at], job_id, *routes[key][at:]]
                more = gap_cost(problem, schedule(problem, gap, tried)) - costs[key]
                if more < job.worth and (best is None or (more, key, at) < best):
                    best = (more, key, at)
        if best is not None:
            _, key, at = best
            routes[key].insert(at, job_id)
            costs[key] = gap_cost(problem, schedule(problem, problem.gaps[key], routes[key]))
            carried[key[0]] += job.load
    return Plan({key: tuple(route) for key, route in routes.items() if route})
