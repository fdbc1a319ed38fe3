"""From the database to a ranked list: which crews to look at, how far each has to go, and the pure ranking of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf, sqrt
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.dispatch import assign, crew_search, queries, rules
from gis.dispatch.assign import Candidate, Certificate, Job, Ranked, Span
from gis.dispatch.crew_search import Near, Need
from gis.dispatch.queries import Facts
from gis.dispatch.rules import Terms
from gis.geo import distance_m
from gis.people.rules import Scope
from gis.places.networks import network_near

if TYPE_CHECKING:
    from gis.places.roads import RoadNetwork, Target

WIDEN = 4  # how much farther the search looks when it cannot yet prove that it has seen the best
FURTHEST_SHORTLIST = 1000
ROUNDING_S = 1e-6  # a time that went through minutes and back

# How many seconds it took lately until the k-th crew with a skill was there, per square root of k. It only says where to
# look first; the answer does not depend on it.
_hints: WeakKeyDictionary[RoadNetwork, dict[str, float]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Way:
    """How a crew gets there: `by` is "road" or "straight"."""

    minutes: float | None
    metres: float | None
    by: str


@dataclass(frozen=True)
class Ranking:
    """The best crews for a complaint, with what is known of each. `by` says how the ways were measured."""

    by: str
    crews: list[Ranked]
    facts: dict[int, Facts]
    job: Job


def limits(terms: Terms) -> assign.Limits:
    return assign.Limits(rules.WEIGHTS, rules.TOO_FAR_MIN, rules.UNKNOWN_TRAVEL_MIN, terms.position_fresh_min,
                         timedelta(days=rules.HORIZON_DAYS))  # fmt: skip


class Search:
    """One complaint and the crews for it. Everything that every crew is compared with is read once."""

    def __init__(self, session: Session, complaint: Complaint, scope: Scope, terms: Terms, now: datetime) -> None:
        self.session, self.scope, self.terms, self.now = session, scope, terms, now
        self.limits = limits(terms)
        matter = queries.matter(session, complaint.id)
        self.lon, self.lat = matter.lon, matter.lat
        self.target: Target | None = None
        on_network: bool | None = None
        if self.lon is not None and self.lat is not None:
            found = network_near(session, self.lon, self.lat, terms.snap_limit_m)
            self.target, on_network = found.target, found.on_network
        areas = (complaint.district_id, complaint.street_id, complaint.community_id, complaint.compound_id)
        self.job = Job(
            skill=matter.skill, work_min=matter.work_min, resolve_by=complaint.resolve_by,
            day=now.astimezone(terms.zone).date(), unit_id=complaint.unit_id,
            area_ids=frozenset(area for area in areas if area is not None),
            for_volunteers=matter.skill in rules.VOLUNTEER_SKILLS, located=self.lon is not None, on_network=on_network,
        )  # fmt: skip
        self.need = Need(matter.skill, self.job.day, self.job.for_volunteers)

    @property
    def by(self) -> str:
        return "road" if self.target else "straight"

    def best(self, limit: int) -> Ranking:
        """The best crews of all, not only of the nearest: the search widens until no farther crew can be better.

        A score is never below the minutes on the road, so once the worst of the best scores less than the minutes of
        the farthest crew looked at, nothing beyond can matter. Crews with violations fill up what is missing.
        """
        look = 2 * limit
        while True:
            ways = self.available(look)
            ranked, facts = self.judge(ways)
            fits = [r for r in ranked if r.fits][:limit]
            farthest = max((way.minutes or 0.0 for way in ways.values() if way), default=0.0)
            proven = len(fits) == limit and fits[-1].score <= farthest
            if proven or len(ways) < look or look >= FURTHEST_SHORTLIST:
                break
            look = min(look * WIDEN, FURTHEST_SHORTLIST)
        if len(fits) < limit:
            others, more = self.judge(self._whatever(limit, {r.id for r in fits}))
            seen = {r.id: r for r in (*ranked, *others)}
            ranked, facts = sorted(seen.values(), key=lambda r: (not r.fits, r.score, r.id)), facts | more
            fits = ranked[:limit]
        return Ranking(self.by, fits, {r.id: facts[r.id] for r in fits}, self.job)

    def one(self, crew_id: int) -> tuple[Ranked, Facts]:
        """What speaks for and against one crew."""
        ranked, facts = self.judge({crew_id: None})
        return ranked[0], facts[crew_id]

    def available(self, limit: int) -> dict[int, Way | None]:
        """The crews that can be sent at once, the nearest first: exact by road, by straight line, or those least busy."""
        if self.lon is None or self.lat is None:
            found = crew_search.anywhere(self.session, self.need, self.scope, self.now, limit)
            return {crew_id: Way(None, None, "straight") for crew_id in found}
        if self.target is None:
            near = crew_search.nearest(self.session, self.lon, self.lat, self.need, self.scope, self.now, limit)
            return {i: self._straight(float(m)) for i, m in zip(near.ids, near.metres, strict=True)}
        return self._nearest_by_road(limit)

    def _nearest_by_road(self, limit: int) -> dict[int, Way | None]:
        """The k nearest by road, exactly: all that can be here within a time T, once T is long enough for k of them.

        A first guess of T is what it took lately. Where that is too short again and again, the nearest in a straight line
        give an upper bound.
        """
        assert self.target is not None
        hint = _hints.setdefault(self.target.network, {})
        guess = hint.get(self.need.skill, 0.0) * sqrt(limit)
        times: dict[int, Way] = {}
        for widened in (1.6, 3.2, 6.4) if guess else ():
            times = self._all_within(guess * widened)
            if len(times) >= limit:
                break
        if len(times) < limit:
            times = self._within_bound(limit)
        order = sorted(times, key=lambda i: (times[i].minutes or 0.0, i))[:limit]
        if len(order) == limit:
            lately = (times[order[-1]].minutes or 0.0) * 60.0 / sqrt(limit)
            hint[self.need.skill] = lately if not guess else 0.8 * hint.get(self.need.skill, lately) + 0.2 * lately
        return {i: times[i] for i in order}

    def _within_bound(self, limit: int) -> dict[int, Way]:
        """At least the k nearest by road: of some that are near in a straight line, the k-th time is an upper bound."""
        assert self.target is not None and self.lon is not None and self.lat is not None
        look = 2 * limit  # more than wanted: an outlier among the nearest (across the river) would make the bound loose
        while True:
            near = crew_search.roughly_nearest(self.session, self.lon, self.lat, self.need, self.scope, self.now, look)
            times = self._by_road(near, limit)
            if len(near.ids) < look:  # these are all there are
                return times
            if len(times) >= limit:
                return self._all_within(max(way.minutes or 0.0 for way in times.values()) * 60.0)
            look *= WIDEN

    def _all_within(self, seconds: float) -> dict[int, Way]:
        """Every available crew that can be here by road within so many seconds."""
        assert self.target is not None and self.lon is not None and self.lat is not None
        region = self.target.reach(seconds)
        near = crew_search.within(self.session, self.lon, self.lat, region, self.need, self.scope, self.now)
        return self._by_road(near, len(near.ids), seconds + ROUNDING_S)

    def _by_road(self, near: Near, wanted: int, limit_s: float = inf) -> dict[int, Way]:
        """The ways of the first of these that can be there by road."""
        assert self.target is not None
        seconds, metres = self.target.travel(near.lon, near.lat, wanted, limit_s)
        return {
            near.ids[i]: Way(float(seconds[i]) / 60.0, float(metres[i]), "road")
            for i in np.flatnonzero(np.isfinite(seconds))
        }

    def _whatever(self, limit: int, seen: set[int]) -> dict[int, Way | None]:
        """The nearest crews whatever speaks against them."""
        need = Need(self.need.skill, self.need.day, available=False)
        if self.lon is None or self.lat is None:
            found = crew_search.anywhere(self.session, need, self.scope, self.now, limit + len(seen))
        else:
            more = limit + len(seen)
            found = crew_search.nearest(self.session, self.lon, self.lat, need, self.scope, self.now, more).ids
        return {crew_id: None for crew_id in found if crew_id not in seen}

    def _straight(self, metres: float) -> Way:
        return Way(metres / (self.terms.straight_speed_kmh * 1000.0 / 60.0), metres, "straight")

    def judge(self, ways: dict[int, Way | None]) -> tuple[list[Ranked], dict[int, Facts]]:
        """Rank these crews. A way that is not known yet is measured from where the crew will be."""
        facts = queries.facts(self.session, list(ways), self.now, self.now + self.limits.horizon + timedelta(days=2))
        unknown = [crew_id for crew_id in ways if ways[crew_id] is None and crew_id in facts]
        ways = ways | dict(zip(unknown, self._ways([_start(facts[i]) for i in unknown]), strict=True))
        candidates = [self._candidate(facts[i], way) for i, way in ways.items() if i in facts and way is not None]
        return assign.rank(self.job, candidates, self.now, self.limits), facts

    def _ways(self, starts: Sequence[tuple[float, float]]) -> list[Way]:
        """From these places to the complaint: by road where the roads connect them, else in a straight line."""
        if self.lon is None or self.lat is None or not starts:
            return [Way(None, None, "straight")] * len(starts)
        lons, lats = [s[0] for s in starts], [s[1] for s in starts]
        ways = [self._straight(float(m)) for m in distance_m(lons, lats, self.lon, self.lat)]
        if self.target is not None:
            seconds, metres = self.target.travel(lons, lats)
            for i, (s, m) in enumerate(zip(seconds, metres, strict=True)):
                if s != inf:
                    ways[i] = Way(float(s) / 60.0, float(m), "road")
        return ways

    def _candidate(self, fact: Facts, way: Way) -> Candidate:
        """A crew with its bookings; one that overruns its time is expected to need a little longer."""
        overrun = self.now + timedelta(minutes=rules.OVERRUN_MIN)
        busy = tuple(Span(b.start, b.end if b.end > self.now else overrun, b.order_no) for b in fact.bookings)
        return Candidate(
            id=fact.id, kind=fact.kind, active=fact.active, unit_id=fact.unit_id, area_id=fact.area_id,
            skills={skill: Certificate(since, until) for skill, since, until in fact.skills},
            shifts=tuple(Span(start, end) for start, end in fact.shifts), busy=busy,
            position_age_min=max(0.0, (self.now - fact.position_at) / timedelta(minutes=1)),
            minutes=way.minutes, metres=way.metres, by=way.by,
            from_order=fact.bookings[-1].order_no if _ends_elsewhere(fact) else None,
        )  # fmt: skip


def _ends_elsewhere(fact: Facts) -> bool:
    return bool(fact.bookings) and fact.bookings[-1].lon is not None


def _start(fact: Facts) -> tuple[float, float]:
    """Where a crew sets out from: the place of its last order, or where it stands."""
    if _ends_elsewhere(fact):
        last = fact.bookings[-1]
        assert last.lon is not None and last.lat is not None
        return last.lon, last.lat
    return fact.lon, fact.lat
