"""From the database to a ranked list: which crews to look at, how far each has to go, and the pure ranking of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import vulnerable
from gis.dispatch import assign, crew_search, queries, rules
from gis.dispatch.assign import Candidate, Certificate, Finding, Job, Leg, Ranked, Span
from gis.dispatch.crew_search import Need
from gis.dispatch.nearest import WIDEN, ByRoad, Way
from gis.dispatch.queries import Facts
from gis.dispatch.rules import CrewKind, Terms
from gis.geo import distance_m
from gis.people.rules import Scope
from gis.places.networks import Found, network_near
from gis.places.rules import WALK_KMH, TravelMode

if TYPE_CHECKING:
    from gis.places.roads import Target

FURTHEST_SHORTLIST = 1000
BY = {TravelMode.DRIVE: "road", TravelMode.WALK: "walk"}


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
        self._found: dict[TravelMode, Found] = {}
        areas = (complaint.district_id, complaint.street_id, complaint.community_id, complaint.compound_id)
        communities = (complaint.community_id, complaint.compound_id)
        for_volunteers = matter.skill in rules.VOLUNTEER_SKILLS
        self.job = Job(
            skill=matter.skill, work_min=matter.work_min, resolve_by=complaint.resolve_by,
            day=now.astimezone(terms.zone).date(), unit_id=complaint.unit_id,
            area_ids=frozenset(area for area in areas if area is not None),
            for_volunteers=for_volunteers, located=self.lon is not None, on_network=self._on(TravelMode.DRIVE).on_network,
            on_paths=self._on(TravelMode.WALK).on_network if for_volunteers else None,
            community_ids=frozenset(area for area in communities if area is not None),
            vulnerable=vulnerable(session, complaint.id) if for_volunteers else (),
        )  # fmt: skip
        self.declined = queries.declined(session, complaint.id)
        self.stopped = {body: _stopped(row) for row in queries.stops(session, complaint.id) for body in row.bodies}

    def _on(self, mode: TravelMode) -> Found:
        """The place on the network of those who come this way."""
        if mode not in self._found:
            found = Found(None, None)
            if self.lon is not None and self.lat is not None:
                found = network_near(self.session, self.lon, self.lat, self.terms.snap_limit_m, mode)
            self._found[mode] = found
        return self._found[mode]

    @property
    def target(self) -> Target | None:
        """The place on the streets that are driven; None where it is on none."""
        return self._on(TravelMode.DRIVE).target

    @property
    def by(self) -> str:
        return "road" if self.target else "straight"

    def best(self, limit: int) -> Ranking:
        """The best crews of all, not only of the nearest: the search widens until no farther crew can be better.

        A score is never below the minutes on the way, so once the worst of the best scores less than the minutes of
        the farthest crew looked at, nothing beyond can matter. Crews with violations fill up what is missing.
        """
        look = 2 * limit
        while True:
            looked = [self._ways_of(volunteers, look) for volunteers in self._kinds()]
            ways = {crew_id: way for found in looked for crew_id, way in found.items()}
            ranked, facts = self.judge(dict(ways))
            fits = [r for r in ranked if r.fits][:limit]
            beyond = [max(way.minutes or 0.0 for way in found.values()) for found in looked if len(found) >= look]
            proven = not beyond or (len(fits) == limit and fits[-1].score <= min(beyond))
            if proven or look >= FURTHEST_SHORTLIST:
                break
            look = min(look * WIDEN, FURTHEST_SHORTLIST)
        if len(fits) < limit:
            others, more = self.judge(self._whatever(limit, {r.id for r in fits}))
            seen = {r.id: r for r in (*ranked, *others)}
            ranked, facts = sorted(seen.values(), key=lambda r: (not r.fits, r.score, r.id)), facts | more
            fits = ranked[:limit]
        return Ranking(self.by, fits, {r.id: facts[r.id] for r in fits}, self.job)

    def _kinds(self) -> tuple[bool, ...]:
        """Who is asked: the crews, and (True) the volunteers where they may do it."""
        return (False, True) if self.job.for_volunteers else (False,)

    def one(self, crew_id: int) -> tuple[Ranked, Facts]:
        """What speaks for and against one crew."""
        ranked, facts = self.judge({crew_id: None})
        return ranked[0], facts[crew_id]

    def available(self, limit: int) -> dict[int, Way]:
        """The crews that can be sent at once, the nearest first: exact by road, by straight line, or those least busy."""
        found = {i: way for volunteers in self._kinds() for i, way in self._ways_of(volunteers, limit).items()}
        return {i: found[i] for i in sorted(found, key=lambda i: (found[i].minutes or 0.0, i))[:limit]}

    def _ways_of(self, volunteers: bool, limit: int) -> dict[int, Way]:
        """The nearest of those who drive, or of the volunteers, who walk."""
        need = Need(self.job.skill, self.job.day, volunteers)
        mode = rules.MODES[CrewKind.VOLUNTEER if volunteers else CrewKind.MAINTENANCE]
        if self.lon is None or self.lat is None:
            found = crew_search.anywhere(self.session, need, self.scope, self.now, limit)
            return {crew_id: Way(None, None, "straight") for crew_id in found}
        target = self._on(mode).target
        if target is None:
            near = crew_search.nearest(self.session, self.lon, self.lat, need, self.scope, self.now, limit)
            return {i: self._straight(float(m), mode) for i, m in zip(near.ids, near.metres, strict=True)}
        return ByRoad(self.session, self.lon, self.lat, need, self.scope, self.now, target, BY[mode]).nearest(limit)

    def _whatever(self, limit: int, seen: set[int]) -> dict[int, Way | None]:
        """The nearest crews whatever speaks against them."""
        need = Need(self.job.skill, self.job.day, available=False)
        if self.lon is None or self.lat is None:
            found = crew_search.anywhere(self.session, need, self.scope, self.now, limit + len(seen))
        else:
            more = limit + len(seen)
            found = crew_search.nearest(self.session, self.lon, self.lat, need, self.scope, self.now, more).ids
        return {crew_id: None for crew_id in found if crew_id not in seen}

    def _straight(self, metres: float, mode: TravelMode) -> Way:
        speed_kmh = WALK_KMH if mode == TravelMode.WALK else self.terms.straight_speed_kmh
        return Way(metres / (speed_kmh * 1000.0 / 60.0), metres, "straight")

    def judge(self, ways: Mapping[int, Way | None]) -> tuple[list[Ranked], dict[int, Facts]]:
        """Rank these crews. A way that is not known yet is measured, and from the end of each booking as well."""
        facts = queries.facts(self.session, list(ways), self.now, self.now + self.limits.horizon + timedelta(days=2))
        starts: dict[tuple[int, int], tuple[float, float]] = {}
        for crew_id, fact in facts.items():
            if ways[crew_id] is None:
                starts[crew_id, 0] = fact.lon, fact.lat
            for number, booking in enumerate(fact.bookings, start=1):
                if booking.lon is not None and booking.lat is not None:
                    starts[crew_id, number] = booking.lon, booking.lat
        measured: dict[tuple[int, int], Way] = {}
        for mode in TravelMode:
            some = [key for key in starts if _mode(facts[key[0]]) == mode]
            measured |= zip(some, self._ways([starts[key] for key in some], mode), strict=True)
        candidates = [
            self._candidate(
                fact, ways[i] or measured[i, 0], [measured.get((i, n + 1)) for n in range(len(fact.bookings))]
            )
            for i, fact in facts.items()
        ]
        return assign.rank(self.job, candidates, self.now, self.limits), facts

    def _ways(self, starts: Sequence[tuple[float, float]], mode: TravelMode) -> list[Way]:
        """From these places to the complaint: by road where the roads connect them, else in a straight line."""
        if self.lon is None or self.lat is None or not starts:
            return [Way(None, None, "straight")] * len(starts)
        lons, lats = [s[0] for s in starts], [s[1] for s in starts]
        ways = [self._straight(float(m), mode) for m in distance_m(lons, lats, self.lon, self.lat)]
        target = self._on(mode).target
        if target is not None:
            seconds, metres = target.travel(lons, lats)
            for i, (s, m) in enumerate(zip(seconds, metres, strict=True)):
                if s != inf:
                    ways[i] = Way(float(s) / 60.0, float(m), BY[mode])
        return ways

    def _candidate(self, fact: Facts, way: Way, after: Sequence[Way | None]) -> Candidate:
        """A crew with its bookings; one that overruns its time is expected to need a little longer."""
        overrun = self.now + timedelta(minutes=rules.OVERRUN_MIN)
        busy = tuple(Span(b.start, b.end if b.end > self.now else overrun, b.order_no) for b in fact.bookings)
        legs = [
            Leg(then.minutes, then.metres, then.by, booking.order_no) if then else Leg(way.minutes, way.metres, way.by)
            for booking, then in zip(fact.bookings, after, strict=True)
        ]
        return Candidate(
            id=fact.id, kind=fact.kind, active=fact.active, unit_id=fact.unit_id, area_id=fact.area_id,
            skills={skill: Certificate(since, until) for skill, since, until in fact.skills},
            shifts=tuple(Span(start, end) for start, end in fact.shifts), busy=busy,
            position_age_min=max(0.0, (self.now - fact.position_at) / timedelta(minutes=1)),
            minutes=way.minutes, metres=way.metres, by=way.by, after=tuple(legs),
            on_foot=_mode(fact) == TravelMode.WALK, blacklisted=fact.blacklisted,
            stopped=self.stopped.get(fact.unit_id) if fact.unit_id is not None else None,
            declined=_finding(self.declined[fact.id]) if fact.id in self.declined else None,
        )  # fmt: skip


def _stopped(row: Any) -> Finding:
    """That no crew of this unit is sent to the place."""
    return Finding("site_stopped", {"no": row.no, "since": row.since, "site": row.site})


def _finding(reason: str | None) -> Finding:
    """That a crew gave the complaint back (and why), or let its time to accept pass."""
    return Finding("gave_back", {"reason": reason}) if reason else Finding("not_accepted")


def _mode(fact: Facts) -> TravelMode:
    return rules.MODES[CrewKind(fact.kind)]
