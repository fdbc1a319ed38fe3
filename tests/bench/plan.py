"""Plan: 200 to 1,000 orders beside plain PyVRP, VROOM and OR-Tools in equal time, Solomon R101, and 60 crews beside greedy.

The instances are made from a seed in the plane (20 km by 20 km, metres as seconds): every crew sets out from the middle and comes
back; every second order has a window of a third of the day; 300 seconds of work each. What is left undone costs `UNDONE`. All
are measured by the same judge, `gis.dispatch.plan`. The peers are installed by `make bench` alone (.ci/bench.lock).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyvrp
from pyvrp.stop import MaxRuntime

from gis.dispatch import plan_greedy, plan_pyvrp, plan_solver
from gis.dispatch.plan import CrewDay, Job, Plan, Problem, faults, total
from gis.dispatch.plan_solver import Until
from webapp.plan_cores import cores

SEED, SECONDS, CREWS, UNDONE = 1, 10.0, 20, 100_000
SIZES = (200, 500, 1000)
R101 = Path(__file__).parents[3] / "shared" / "data" / "vrp" / "solomon" / "R101.txt"
R101_BEST = 16377  # 1,637.7: the least total distance known, each distance cut after one decimal (DIMACS); 20 vehicles
# What is promised at each size against plain PyVRP, VROOM and OR-Tools.
PROMISED = {200: (1.00, 0.97, 0.90), 1000: (1.00, 0.80, 0.70)}
Solver = Callable[[Problem, float], Plan]


def run(bench: Any) -> None:
    """Each size once for everybody in turn, then R101, then 60 crews."""
    for size in SIZES:
        _beside_others(bench, size)
    _solomon(bench)
    _sixty_crews(bench)


def town(size: int, crews: int = CREWS, seed: int = SEED, *, hours: float = 0.0) -> Problem:
    """Orders at random in the plane, one place for all crews in it."""
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 20_000, (size + 1, 2))
    xy[0] = 10_000
    far = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))).astype(np.int64)
    day = int(hours * 3600) or size // crews * 2500 + 20_000
    everybody = frozenset(range(crews))
    jobs = []
    for n in range(1, size + 1):
        opens = int(rng.integers(0, day - day // 3)) if n % 2 else 0
        jobs.append(Job(n, n, 300, UNDONE, everybody, opens, opens + day // 3 if n % 2 else day))
    shift = ((0, day + 3000),)
    return Problem(tuple(jobs), tuple(CrewDay(c, 0, shift, end_place=0) for c in range(crews)), far, far)


def ours(problem: Problem, seconds: float) -> Plan:
    """What the desk offers."""
    began = time.monotonic()
    base = plan_greedy.greedy(problem)
    stop = Until(time.monotonic, began + seconds)
    with cores() as spread:
        return plan_solver.improve(problem, base, base.served, seed=SEED, stop=stop, spread=spread)


def plain_pyvrp(problem: Problem, seconds: float) -> Plan:
    """PyVRP as it comes."""
    told = plan_pyvrp.model(problem, frozenset())
    found = pyvrp.solve(told.data, MaxRuntime(seconds), seed=SEED, display=False, collect_stats=False)
    return plan_pyvrp.plan_of(told, found.best)


def vroom(problem: Problem, seconds: float) -> Plan:
    """VROOM with all it has: both cores, its deepest search, until the time is up."""
    import vroom as engine

    asked = engine.Input()
    asked.set_durations_matrix("car", np.asarray(problem.seconds, np.uint32))
    asked.set_costs_matrix("car", np.asarray(problem.seconds, np.uint32))
    for crew in problem.crews:
        start, end = crew.shifts[0]
        asked.add_vehicle(engine.Vehicle(crew.id, start=crew.start_place, end=crew.end_place, time_window=[start, end]))
    for job in problem.jobs:
        windows = [[job.earliest_s, job.closes_s]] if job.closes_s is not None else []
        asked.add_job(engine.Job(job.id, location=job.place, default_service=job.work_s, time_windows=windows))
    found = asked.solve(exploration_level=5, nb_threads=2, timeout=_timeout(seconds)).to_dict()
    routes = {(r["vehicle"], 0): tuple(s["id"] for s in r["steps"] if s["type"] == "job") for r in found["routes"]}
    return Plan(routes)


def _timeout(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)


def or_tools(problem: Problem, seconds: float) -> Plan:
    """OR-Tools' routing with guided local search, as its own pages advise."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    n = len(problem.seconds)
    manager = pywrapcp.RoutingIndexManager(n, len(problem.crews), 0)
    routing = pywrapcp.RoutingModel(manager)
    far, job_at = problem.seconds, {job.place: job for job in problem.jobs}
    cost = routing.RegisterTransitMatrix(far.tolist())
    routing.SetArcCostEvaluatorOfAllVehicles(cost)
    work = np.array([job_at[p].work_s if p in job_at else 0 for p in range(n)])
    taking = routing.RegisterTransitMatrix((far + work[:, None]).tolist())
    end = max(crew.shifts[0][1] for crew in problem.crews)
    routing.AddDimension(taking, end, end, False, "time")
    clock = routing.GetDimensionOrDie("time")
    for job in problem.jobs:
        index = manager.NodeToIndex(job.place)
        clock.CumulVar(index).SetRange(job.earliest_s, end if job.closes_s is None else job.closes_s)
        routing.AddDisjunction([index], job.worth)
    how = pywrapcp.DefaultRoutingSearchParameters()
    how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    how.time_limit.FromMilliseconds(int(seconds * 1000))
    found = routing.SolveWithParameters(how)
    routes = {}
    for crew in problem.crews if found else ():
        index, visits = routing.Start(crew.id), []
        while not routing.IsEnd(index):
            if (place := manager.IndexToNode(index)) in job_at:
                visits.append(job_at[place].id)
            index = found.Value(routing.NextVar(index))
        routes[(crew.id, 0)] = tuple(visits)
    return Plan(routes)


def _measured(problem: Problem, solver: Solver, seconds: float = SECONDS) -> tuple[float, float, str]:
    """The total (driving, and what is undone), the seconds that it took, and a remark."""
    began = time.monotonic()
    plan = solver(problem, seconds)
    took = time.monotonic() - began
    wrong = faults(problem, plan)
    undone = len(problem.jobs) - len(plan.served)
    return total(problem, plan).way_s + undone * UNDONE, took, f"{wrong[0]}" if wrong else f"{undone} undone"


def _beside_others(bench: Any, size: int) -> None:
    problem = town(size)
    own, took, remark = _measured(problem, ours)
    name = f"plan {size} orders x {CREWS} crews, {SECONDS:g} s"
    bench.figure(
        f"{name}: time taken",
        took,
        unit="s",
        target=SECONDS + 0.3,
        judge="max",
        note="the promise, and a third of a second",
    )
    bench.figure(f"{name}: total", own, unit="s of driving", note=f"{remark}; in the plane, seed {SEED}")
    promised = PROMISED.get(size, (1.00, None, None))
    for (who, solver), target in zip(
        (("plain PyVRP", plain_pyvrp), ("VROOM", vroom), ("OR-Tools", or_tools)), promised, strict=True
    ):
        try:
            theirs, their_time, their_remark = _measured(problem, solver)
        except ImportError:
            bench.say(f"  {who} is not installed: `make bench` does")
            continue
        note = f"theirs {theirs:,.0f} in {their_time:.1f} s, {their_remark}"
        bench.figure(
            f"{name}: total against {who}", own / theirs, unit="of theirs", target=target, judge="median", note=note
        )


def _solomon(bench: Any) -> None:
    if not R101.exists():
        bench.say("  Solomon's instances are not here: R101 not measured")
        return
    problem = solomon(R101)
    began = time.monotonic()
    plan = ours(problem, 30.0)
    took, found = time.monotonic() - began, total(problem, plan)
    note = f"{found.way_s / 10:,.1f} against {R101_BEST / 10:,.1f}, {sum(1 for r in plan.routes.values() if r)} vehicles, {took:.1f} s"
    over = found.way_s / R101_BEST if len(plan.served) == len(problem.jobs) else float("inf")
    bench.figure(
        "Solomon R101 in 30 s against the best known", over, unit="of it", target=1.01, judge="median", note=note
    )


def solomon(path: Path) -> Problem:
    """An instance of Solomon's, in tenths, distances cut as DIMACS does; a vehicle's load as its capacity."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    count, capacity = next((int(x[0]), int(x[1])) for x in lines if len(x) == 2 and x[0].isdigit())
    rows = np.array([[float(v) for v in x] for x in lines if len(x) == 7 and x[0].isdigit()])
    xy = rows[:, 1:3]
    far = np.floor(10 * np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 1e-9).astype(np.int64)
    whole = (rows * 10).astype(np.int64)
    crews = tuple(CrewDay(c, 0, ((0, int(whole[0, 5])),), end_place=0, capacity=capacity) for c in range(count))
    jobs = tuple(
        Job(n, n, int(r[6]), UNDONE, frozenset(range(count)), int(r[4]), int(r[5]), load=int(rows[n, 3]))
        for n, r in enumerate(whole) if n
    )  # fmt: skip
    return Problem(jobs, crews, far, far)


def _sixty_crews(bench: Any) -> None:
    """A day of twelve hours: more than a greedy plan may be able to do."""
    problem = town(1000, 60, hours=12.0)
    base = plan_greedy.greedy(problem)
    began = time.monotonic()
    plan = ours(problem, 60.0)
    took = time.monotonic() - began
    theirs, own = total(problem, base), total(problem, plan)
    name = "plan 1,000 orders x 60 crews, 60 s"
    note = f"greedy serves {theirs.orders}, ours {own.orders}; {took:.1f} s"
    bench.figure(
        f"{name}: unserved that greedy serves",
        len(base.served - plan.served),
        unit="orders",
        target=0,
        judge="max",
        note=note,
    )
    note = f"{own.way_s:,} against {theirs.way_s:,} s of driving"
    bench.figure(
        f"{name}: shorter than greedy",
        100 * (1 - own.way_s / theirs.way_s),
        unit="%",
        target=30,
        judge="median",
        better="more",
        note=note,
    )
