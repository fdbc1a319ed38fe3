"""From the database to a problem, and from a plan to a proposal: what is known of a day, said in seconds and row numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from gis.dispatch import crew_search, plan_change, plan_queries, plan_rules, plan_solver, queries, rules, travel
from gis.dispatch.plan import CrewDay, Fixed, Job, Key, Lunch, Plan, Problem, cost, schedule
from gis.dispatch.plan_greedy import greedy
from gis.dispatch.plan_model import CrewBase
from gis.dispatch.plan_queries import Matter
from gis.dispatch.plan_rules import PlanMode
from gis.dispatch.plan_solver import Spread, Until
from gis.dispatch.queries import Facts
from gis.dispatch.rules import OrderStatus, Terms
from gis.dispatch.travel import Point, Travel
from gis.people.rules import Scope


@dataclass(frozen=True)
class Asked:
    """What a plan is wanted for. Empty tuples mean all. A category is a code or the first part of codes."""

    day: date
    crews: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Situation:
    """A day as it stands: second 0 is `at`. `never` are the orders that no plan can hold, and why."""

    at: datetime
    problem: Problem
    today: Plan
    matters: dict[int, Matter]
    facts: dict[int, Facts]
    crew_versions: dict[int, int]
    never: dict[int, str]
    travel: Travel
    places: tuple[Point, ...]

    def moment(self, seconds: int) -> datetime:
        """A second of the plan as a time."""
        return self.at + timedelta(seconds=int(seconds))


def situation(session: Session, asked: Asked, terms: Terms, now: datetime) -> Situation:
    """Everything a plan for this day is made from, read at one moment."""
    at, until = _span(asked.day, terms, now)
    ids = [i for i in crew_search.crew_ids(session, asked.scope, now) if not asked.crews or i in asked.crews]
    facts = queries.facts(session, ids, at, until + timedelta(hours=12))
    facts = {i: f for i, f in facts.items() if f.active and f.blacklisted is None and _shifts(f, at, until)}
    read = plan_queries.matters(session, asked.scope, list(facts))
    found = {m.complaint_id: m for m in read if not m.paused or m.order_id is not None}
    stopped, bases = plan_queries.stopped(session, list(found)), plan_queries.bases(session, list(facts))
    return _Reading(asked, terms, now, at, until, facts, found, stopped, bases).whole(
        session, plan_queries.crew_versions(session, list(facts))
    )


def _span(day: date, terms: Terms, now: datetime) -> tuple[datetime, datetime]:
    """From now (or the morning of another day) to the end of that day on the city's clock. Raises BadPlanDay."""
    today = now.astimezone(terms.zone).date()
    if not today <= day <= today + timedelta(days=plan_rules.DAYS_AHEAD):
        raise plan_rules.BadPlanDay(days=plan_rules.DAYS_AHEAD)
    begin = datetime.combine(day, time(), terms.zone)
    return max(now.replace(microsecond=0), begin), datetime.combine(day + timedelta(days=1), time(), terms.zone)


def _shifts(fact: Facts, at: datetime, until: datetime) -> list[tuple[int, int]]:
    """On duty from second to second; who is on duty for good works until the day ends. A night shift is planned whole."""
    found = []
    for start, end in fact.shifts:
        if start < until and end > at:
            end = until if end - start > timedelta(days=2) else end
            found.append((max(0, _s(start - at)), _s(end - at)))
    return sorted(found)


def _s(span: timedelta) -> int:
    return round(span.total_seconds())


class _Reading:
    """What was read, on its way to numbers."""

    def __init__(
        self, asked: Asked, terms: Terms, now: datetime, at: datetime, until: datetime, facts: dict[int, Facts],
        matters: dict[int, Matter], stopped: dict[int, frozenset[int]], bases: dict[int, CrewBase],
    ) -> None:  # fmt: skip
        self.asked, self.terms, self.now, self.at, self.until = asked, terms, now, at, until
        self.facts, self.matters, self.stopped, self.bases = facts, matters, stopped, bases
        self.places: list[Point] = []
        self.never: dict[int, str] = {}

    def whole(self, session: Session, versions: dict[int, int]) -> Situation:
        jobs = self._jobs()
        starts = {i: self._start(fact) for i, fact in self.facts.items()}
        movable = {job.id for job in jobs}
        where = {
            m.complaint_id: self._place(m.lon, m.lat) for m in self.matters.values() if m.order_id and m.lon is not None
        }
        ends = {i: self._end(i) for i in self.facts}
        way = travel.between(session, self.places, self.terms)
        while True:
            crews = tuple(self._crew(i, starts[i], ends[i], where, movable) for i in sorted(self.facts))
            problem = Problem(
                tuple(j for j in jobs if j.id in movable), crews, way.seconds, way.metres, plan_rules.PRICES
            )
            today = self._today(problem)
            stuck = {
                j
                for key, route in today.routes.items()
                if schedule(problem, problem.gaps[key], route).wrong
                for j in route
            }
            if not stuck:
                break
            movable -= stuck  # given as it cannot be planned: left as somebody wanted it
        kept = {i: m for i, m in self.matters.items() if m.in_scope or m.order_id is not None}
        return Situation(self.at, problem, today, kept, self.facts, versions, self.never, way, tuple(self.places))

    # --- orders ------------------------------------------------------------------------------------------------------
    def _jobs(self) -> list[Job]:
        jobs = []
        for matter in self.matters.values():
            if not self._wanted(matter) or self._is_pinned(matter):
                continue
            skilled = {i for i, fact in self.facts.items() if self._may(fact, matter.skill)}
            stopped = self.stopped.get(matter.complaint_id, frozenset())
            able = frozenset(i for i in skilled if self.facts[i].unit_id not in stopped)
            if matter.crew_id is not None:
                able |= {matter.crew_id}  # somebody gave it to this crew
            if matter.lon is None or matter.lat is None:
                self.never[matter.complaint_id] = "place_unknown"
            elif not able:
                self.never[matter.complaint_id] = "site_stopped" if skilled else "no_skill"
            else:
                jobs.append(self._job(matter, able))
        return jobs

    def _wanted(self, matter: Matter) -> bool:
        codes = self.asked.categories
        return not codes or any(matter.category == c or matter.category.startswith(f"{c}.") for c in codes)

    def _is_pinned(self, matter: Matter) -> bool:
        """Neither a plan nor a change moves it: the crew has taken it, somebody locked it or had a reason of his own."""
        if matter.order_id is None:
            return False
        later = matter.start is not None and matter.start >= self.until
        by_hand = matter.overridden or bool(matter.locked)
        return matter.order_status != OrderStatus.ASSIGNED or by_hand or matter.lon is None or later

    def _may(self, fact: Facts, skill: str) -> bool:
        if fact.kind == "volunteer" and skill not in rules.VOLUNTEER_SKILLS:
            return False
        return any(
            has == skill and (since is None or since <= self.asked.day) and (until is None or until >= self.asked.day)
            for has, since, until in fact.skills
        )

    def _job(self, matter: Matter, able: frozenset[int]) -> Job:
        opens, closes = 0, None
        if matter.visit_from is not None and matter.visit_to is not None and matter.visit_to > self.at:
            opens, closes = max(0, _s(matter.visit_from - self.at)), _s(matter.visit_to - self.at)
        place = self._place(matter.lon, matter.lat)
        return Job(matter.complaint_id, place, matter.work_min * 60, self._worth(matter), able, opens, closes,
                   _s(matter.resolve_by - self.at))  # fmt: skip

    def _worth(self, matter: Matter) -> int:
        worth = plan_rules.WORTH
        due = _s(matter.resolve_by - self.at)
        return (
            worth["order"]
            + worth["given"] * (matter.order_id is not None)
            + worth["key_supervision"] * matter.is_key
            + worth["reopened"] * matter.reopened
            + (worth["overdue"] if due <= 0 else worth["due_today"] if matter.resolve_by < self.until else 0)
        )

    # --- crews -------------------------------------------------------------------------------------------------------
    def _place(self, lon: float | None, lat: float | None) -> int:
        assert lon is not None and lat is not None
        self.places.append((lon, lat))
        return len(self.places) - 1

    def _start(self, fact: Facts) -> int:
        """Where it stands now, if that is known well enough and the plan is for now; else where its shifts begin."""
        base = self.bases.get(fact.id)
        fresh = self.now - fact.position_at <= timedelta(minutes=self.terms.position_fresh_min)
        here = self.at <= self.now and (fresh or base is None or base.lon is None)
        if here or base is None or base.lon is None:
            return self._place(fact.lon, fact.lat)
        return self._place(base.lon, base.lat)

    def _end(self, crew_id: int) -> int | None:
        base = self.bases.get(crew_id)
        if base is None or base.lon is None or not base.ends_here:
            return None
        return self._place(base.lon, base.lat)

    def _crew(self, crew_id: int, start: int, end: int | None, where: dict[int, int], movable: set[int]) -> CrewDay:
        fact, base = self.facts[crew_id], self.bases.get(crew_id)
        fixed = []
        for matter in self.matters.values():
            if (
                matter.crew_id == crew_id
                and matter.complaint_id not in movable
                and matter.start
                and matter.start < self.until
            ):
                fixed.append(self._fixed(matter, where.get(matter.complaint_id, start)))
        return CrewDay(
            crew_id, start, tuple(_shifts(fact, self.at, self.until)), end, plan_rules.OVERTIME_MOST_MIN * 60, self._lunch(),
            None if base is None else base.capacity, tuple(fixed),
        )  # fmt: skip

    def _fixed(self, matter: Matter, place: int) -> Fixed:
        """What is under way ends when it is planned to, or a little later than now where that has passed."""
        assert matter.start is not None
        start = _s(matter.start - self.at)
        end = _s(matter.end - self.at) if matter.end else start
        if end <= 0 and self.at <= self.now:
            end = rules.OVERRUN_MIN * 60
        return Fixed(
            matter.complaint_id,
            place,
            min(start, -1) if start <= 0 else start,
            max(end, 0),
            _s(matter.resolve_by - self.at),
        )

    def _lunch(self) -> Lunch | None:
        noon = [_s(datetime.combine(self.asked.day, t, self.terms.zone) - self.at)
                for t in (plan_rules.LUNCH_FROM, plan_rules.LUNCH_UNTIL)]  # fmt: skip
        if noon[0] < 0:  # already begun: nobody is told to eat twice
            return None
        return Lunch(noon[0], noon[1], plan_rules.LUNCH_MIN * 60)

    def _today(self, problem: Problem) -> Plan:
        """What is given already, in the order it is booked, each in the gap it is booked in."""
        routes: dict[Key, list[int]] = {}
        given = sorted((m for m in self.matters.values() if m.complaint_id in problem.job and m.crew_id is not None and m.start),
                       key=lambda m: (m.start, m.complaint_id))  # fmt: skip
        for matter in given:
            assert matter.crew_id is not None and matter.start is not None
            gaps = sorted(key for key in problem.gaps if key[0] == matter.crew_id)
            start = max(0, _s(matter.start - self.at))
            key = next((k for k in gaps if problem.gaps[k].end_s > start), gaps[-1])
            routes.setdefault(key, []).append(matter.complaint_id)
        return Plan({key: tuple(route) for key, route in routes.items()})


# --- the plan itself -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Made:
    """A plan, and the greedy one that it is measured by."""

    plan: Plan
    greedy: Plan


def make(
    stands: Situation,
    mode: PlanMode,
    *,
    seed: int,
    stop: Until,
    spread: Spread,
    told: Callable[[float], None] = lambda share: None,
) -> Made:
    """The best plan that the time allows: it serves whatever today and the greedy plan serve, and never costs more."""
    base = greedy(stands.problem, stands.today)
    if mode == PlanMode.LEAST:
        return Made(plan_change.replan(stands.problem, stands.today).plan, base)
    found = plan_solver.improve(stands.problem, base, base.served, seed=seed, stop=stop, spread=spread, told=told)
    return Made(min((found, base), key=lambda plan: cost(stands.problem, plan)), base)


def without_crews(stands: Situation, gone: Sequence[int]) -> Situation:
    """The same day without some crews: what they had in hand waits again."""
    kept = tuple(crew for crew in stands.problem.crews if crew.id not in gone)
    return replace(stands, problem=replace(stands.problem, crews=kept))
