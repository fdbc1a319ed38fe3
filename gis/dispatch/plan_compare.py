"""A proposal beside today: what becomes of each order and each crew, and why an order has no place. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gis.dispatch.plan import CrewDay, Plan, Problem, Total, schedule, total, total_of


@dataclass(frozen=True)
class Why:
    """Why an order is in no crew's day: a code of `plan_rules.UNSERVED` and its numbers."""

    code: str
    params: dict[str, Any]


def why_not(problem: Problem, plan: Plan, job_id: int) -> Why:
    """What keeps an order out: of all crews that may do it, the best that can be said."""
    job = problem.job[job_id]
    gaps = [gap for gap in problem.gaps.values() if gap.crew_id in job.crews]
    if not gaps:
        return Why("none_on_shift", {})
    found = {schedule(problem, gap, [job_id]).wrong for gap in gaps}
    if "" in found:
        return Why("crews_full", {"n": len({gap.crew_id for gap in gaps})})
    return Why(
        "closes_too_soon" if found <= {"too_late"} else "no_time_left", {"n": len({gap.crew_id for gap in gaps})}
    )


def crew_totals(problem: Problem, plan: Plan, crew: CrewDay) -> dict[str, int]:
    """A crew's day in numbers, for the page and for programs."""
    return as_numbers(total_of(problem, plan, crew))


def as_numbers(found: Total) -> dict[str, int]:
    """Seconds and metres as they are stored and told."""
    return asdict(found)


def compared(problem: Problem, today: Plan, greedy: Plan, proposal: Plan, never: int) -> dict[str, Any]:
    """Today, the greedy plan and the proposal; `never` orders could not be planned at all (no place, no skill).

    An order that a plan leaves undone is late until the last shift ends, if its limit is before that.
    """
    last = max((end for crew in problem.crews for _, end in crew.shifts), default=0)
    found = {}
    for name, plan in (("today", today), ("greedy", greedy), ("plan", proposal)):
        undone = [job for job in problem.jobs if job.id not in plan.served]
        late = [last - job.due_s for job in undone if job.due_s is not None and job.due_s < last]
        whole = total(problem, plan) + Total(late=len(late), late_s=sum(late))
        found[name] = as_numbers(whole) | {"unserved": len(undone) + never}
    return found
