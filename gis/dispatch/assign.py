"""Which crew, and when. Pure: it is given the clock, the travel times and the weights, and knows nothing else.

An answer carries its reasons and its violations as codes with numbers; the doors make sentences of them. A crew with a
violation stands behind every crew without one. Ties break by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import repeat
from math import ceil
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, order=True)
class Span:
    """From `start` up to, not including, `end`. `ref` names what holds it."""

    start: datetime
    end: datetime
    ref: str = ""


@dataclass(frozen=True)
class Finding:
    """A code and its numbers, for one sentence."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What is to be done: by whom it may be done, how long it takes, and by when."""

    skill: str
    work_min: int
    resolve_by: datetime
    day: date
    unit_id: int | None = None
    area_ids: frozenset[int] = frozenset()
    for_volunteers: bool = False
    located: bool = True
    on_network: bool | None = None  # None: no road network is loaded at all
    on_paths: bool | None = None  # the same for those who walk
    community_ids: frozenset[int] = frozenset()
    vulnerable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A skill, and from when to when its certificate is valid (`None`: no limit)."""

    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Leg:
    """A way to the job. `by` is "road", "walk" or "straight"; `minutes` is None where the place is unknown."""

    minutes: float | None
    metres: float | None
    by: str = "straight"
    from_order: str | None = None  # None: from where the crew stands


@dataclass(frozen=True)
class Candidate:
    """A crew as the ranking sees it. The way is the one from where it stands; `after` are those from the end of each booking."""

    id: int
    kind: str
    active: bool = True
    unit_id: int | None = None
    area_id: int | None = None
    skills: Mapping[str, Certificate] = field(default_factory=dict)
    shifts: tuple[Span, ...] = ()
    busy: tuple[Span, ...] = ()
    position_age_min: float = 0.0
    minutes: float | None = None
    metres: float | None = None
    by: str = "straight"
    from_order: str | None = None  # the way begins where this order ends; None: where the crew stands
    after: tuple[Leg, ...] = ()
    on_foot: bool = False
    blacklisted: tuple[str, datetime | None] | None = None  # who of them, until when
    stopped: Finding | None = None  # its unit's works at the very place are stopped
    declined: Finding | None = None  # how it parted with this very complaint before


@dataclass(frozen=True)
class Ranked:
    """A crew with its place in the list and why. `slot` is None only where it has no free time at all."""

    id: int
    score: float
    slot: Span | None
    minutes: float | None
    metres: float | None
    by: str
    load: int
    reasons: tuple[Finding, ...]
    violations: tuple[Finding, ...]

    @property
    def fits(self) -> bool:
        return not self.violations


@dataclass(frozen=True)
class Limits:
    """The numbers of `rules.py` that a ranking needs."""

    weights: Mapping[str, float]
    too_far_min: float
    unknown_travel_min: float
    position_fresh_min: float
    horizon: timedelta


PENALTIES = (
    "other_unit",
    "other_area",
    "old_position",
    "late",
    "other_team",
    "paid_crew",
)  # reasons that have a weight
LONG_SHIFT = timedelta(days=2)  # longer means: on duty until somebody ends it
_START = attrgetter("start", "end")


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps; spans that touch become one."""
    out: list[Span] = []
    for span in sorted(spans, key=_START):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        elif span.start < span.end:
            out.append(Span(span.start, span.end))
    return out


def earliest_slot(
    now: datetime, length: timedelta, busy: Sequence[Span], shifts: Sequence[Span] | None, horizon: timedelta
) -> Span | None:
    """The first time from `now` on of this length that touches nothing busy and lies within one shift.

    `shifts` are `merged`; `shifts=None` asks for any hour. None is the answer where nothing is free before `now + horizon`.
    """
    windows = [Span(now, now + horizon + length)] if shifts is None else shifts
    taken = merged(busy)
    for window in windows:
        start = max(now, window.start)
        for held in taken:
            if held.end <= start:
                continue
            if held.start >= start + length:
                break
            start = held.end
        if start + length <= window.end and start <= now + horizon:
            return Span(start, start + length)
    return None


def needed(job: Job, minutes: float | None, limits: Limits) -> timedelta:
    """How long an order holds its crew: the way there and the work, in whole minutes."""
    travel = limits.unknown_travel_min if minutes is None else minutes
    return timedelta(minutes=max(1, ceil(travel - 1e-9) + job.work_min))


def rank(job: Job, candidates: Iterable[Candidate], now: datetime, limits: Limits) -> list[Ranked]:
    """Every candidate, the best first."""
    found = [judge(job, candidate, now, limits) for candidate in candidates]
    return sorted(found, key=lambda r: (not r.fits, r.score, r.id))


def gaps(crew: Candidate, now: datetime) -> Iterator[tuple[datetime, datetime | None, Leg]]:
    """When a crew is free from now on (from, up to), and how it then gets to the job: from where its last booking ends."""
    leg = Leg(crew.minutes, crew.metres, crew.by, crew.from_order)
    free = now
    for held, after in sorted(
        zip(crew.busy, crew.after or repeat(leg), strict=False), key=lambda pair: _START(pair[0])
    ):
        if held.start > free:
            yield free, held.start, leg
        if held.end > free:
            free, leg = held.end, after
    yield free, None, leg


def first_fit(
    job: Job, crew: Candidate, now: datetime, shifts: Sequence[Span] | None, limits: Limits
) -> tuple[Span, Leg] | None:
    """The earliest time that is long enough for the way from where the crew then is, and the work."""
    for free, until, leg in gaps(crew, now):
        slot = earliest_slot(free, needed(job, leg.minutes, limits), (), shifts, limits.horizon)
        if slot and (until is None or slot.end <= until) and slot.start <= now + limits.horizon:
            return slot, leg
    return None


def judge(job: Job, crew: Candidate, now: datetime, limits: Limits) -> Ranked:
    """One crew for one job: when it could be there, what speaks for it, what against."""
    duty = merged(crew.shifts)
    here = needed(job, crew.minutes, limits)
    in_shift = earliest_slot(now, here, (), duty, limits.horizon)
    on_duty = in_shift is not None and in_shift.start == now
    # Off duty means: called out now all the same, if somebody says why.
    fit = first_fit(job, crew, now, duty if on_duty else None, limits)
    if fit is None and on_duty:
        fit = first_fit(job, crew, now, None, limits)
    slot, leg = fit or (None, [leg for _, _, leg in gaps(crew, now)][-1])
    violations = (
        *_unfit(job, crew), *_time_against(crew, duty, now, slot, on_duty), *_way_against(job, crew, leg, limits)
    )  # fmt: skip
    reasons = (*_way(job, crew, leg, limits), *_skill(job, crew), *_ties(job, crew), *_time(job, crew, duty, now, slot))
    score = _score({f.code for f in reasons}, crew, leg, now, slot, limits) + limits.weights["violation"] * len(
        violations
    )
    return Ranked(crew.id, round(score, 3), slot, leg.minutes, leg.metres, leg.by, len(crew.busy), reasons, violations)


def _unfit(job: Job, crew: Candidate) -> Iterable[Finding]:
    if crew.blacklisted is not None:
        yield Finding("blacklisted", {"whom": crew.blacklisted[0], "until": crew.blacklisted[1]})
    if crew.stopped is not None:
        yield crew.stopped
    if not crew.active:
        yield Finding("inactive")
    held = crew.skills.get(job.skill)
    if held is None:
        yield Finding("wrong_skill", {"skill": job.skill})
    elif held.valid_to is not None and held.valid_to < job.day:
        yield Finding("certificate_expired", {"skill": job.skill, "on": held.valid_to})
    elif held.valid_from is not None and held.valid_from > job.day:
        yield Finding("certificate_not_yet", {"skill": job.skill, "on": held.valid_from})
    if crew.kind == "volunteer" and not job.for_volunteers:
        yield Finding("not_for_volunteers", {"skill": job.skill})
    if crew.declined is not None:
        yield crew.declined


def _time_against(
    crew: Candidate, duty: Sequence[Span], now: datetime, slot: Span | None, on_duty: bool
) -> Iterable[Finding]:
    if not on_duty:
        current = next((s for s in duty if s.start <= now < s.end), None)
        later = next((s for s in duty if s.start > now), None)
        if current:
            yield Finding("shift_ends", {"until": current.end})
        else:
            yield Finding("off_shift", {"starts": later.start if later else None})
    if slot is None or slot.start > now:
        held = _last_before(crew.busy, slot.start if slot else None)
        yield Finding("busy_until", {"until": slot.start if slot else None, "order_no": held.ref if held else None})


def _last_before(busy: Sequence[Span], start: datetime | None) -> Span | None:
    """The booking that the slot waits for."""
    before = [span for span in busy if start is None or span.end <= start]
    return max(before, key=lambda s: s.end, default=None)


def _reached(job: Job, crew: Candidate) -> bool | None:
    """Is the place on the network of those who come as this crew does?"""
    return job.on_paths if crew.on_foot else job.on_network


def _way_against(job: Job, crew: Candidate, leg: Leg, limits: Limits) -> Iterable[Finding]:
    if _reached(job, crew) and leg.by == "straight" and leg.minutes is not None:
        yield Finding("off_network")
    elif leg.minutes is not None and leg.minutes > limits.too_far_min:
        yield Finding("too_far", {"minutes": leg.minutes, "limit": limits.too_far_min})


def _way(job: Job, crew: Candidate, leg: Leg, limits: Limits) -> Iterable[Finding]:
    if leg.minutes is None or leg.metres is None:
        yield Finding("place_unknown")
        return
    yield Finding(f"by_{leg.by}", {"minutes": leg.minutes, "metres": leg.metres})
    if _reached(job, crew) is False:
        yield Finding("network_not_here")
    if leg.from_order:
        yield Finding("from_order", {"order_no": leg.from_order})
    elif crew.position_age_min > limits.position_fresh_min:
        yield Finding("old_position", {"minutes": crew.position_age_min})


def _skill(job: Job, crew: Candidate) -> Iterable[Finding]:
    held = crew.skills.get(job.skill)
    if held is not None and (held.valid_to is None or held.valid_to >= job.day):
        yield Finding("has_skill", {"skill": job.skill})
        if held.valid_to is not None:
            yield Finding("certificate_until", {"on": held.valid_to})


def _ties(job: Job, crew: Candidate) -> Iterable[Finding]:
    """Whose crew it is. A crew or a complaint that belongs to nobody in particular is no argument either way."""
    if job.unit_id is not None and crew.unit_id is not None:
        yield Finding("own_unit" if job.unit_id == crew.unit_id else "other_unit")
    if job.for_volunteers:
        yield from _volunteers(job, crew)
    if job.area_ids and crew.area_id is not None and crew.kind != "volunteer":
        yield Finding("own_area" if crew.area_id in job.area_ids else "other_area")


def _volunteers(job: Job, crew: Candidate) -> Iterable[Finding]:
    """What volunteers may do, they do first: the team of the very community before any other."""
    if crew.kind != "volunteer":
        yield Finding("paid_crew")
        return
    if crew.area_id in job.community_ids:
        yield Finding("community_team")
    elif crew.area_id is not None and crew.area_id not in job.area_ids:
        yield Finding("other_team")
    if job.vulnerable:
        yield Finding("vulnerable", {"marks": job.vulnerable})


def _time(job: Job, crew: Candidate, duty: Sequence[Span], now: datetime, slot: Span | None) -> Iterable[Finding]:
    if not crew.busy:
        yield Finding("free_now")
    else:
        yield Finding("open_orders", {"n": len(crew.busy)})
    current = next((s for s in duty if s.start <= now < s.end), None)
    if current and current.end - now < LONG_SHIFT:
        yield Finding("on_shift_until", {"until": current.end})
    elif current:
        yield Finding("on_duty")
    if slot and slot.end > job.resolve_by:
        yield Finding("late", {"resolve_by": job.resolve_by, "end": slot.end})


def _score(codes: set[str], crew: Candidate, leg: Leg, now: datetime, slot: Span | None, limits: Limits) -> float:
    """Minutes, real and by weight. Never below the travel minutes: the search for the best relies on it."""
    w = limits.weights
    travel = limits.unknown_travel_min if leg.minutes is None else leg.minutes
    wait = (slot.start - now) / timedelta(minutes=1) if slot else limits.horizon / timedelta(minutes=1)
    flags = sum(w[code] for code in PENALTIES if code in codes)
    return travel * w["travel_min"] + wait * w["wait_min"] + len(crew.busy) * w["open_order"] + flags
