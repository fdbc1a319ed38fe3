"""What is believed and kept of the places that crews' phones send. Pure: everything is an argument, also the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gis.geo import distance_m


class PositionWhy(StrEnum):
    """What a phone was asked or did when it noted where it was."""

    MOVING = "moving"
    OPEN = "open"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    RESOLVE = "resolve"


# Points that belong to an order, and stay with it when the track of the day is forgotten.
OF_THE_ORDER = (PositionWhy.ARRIVE, PositionWhy.RESOLVE)
# What somebody may want a crew's track for; the journal keeps which. source: house, after 个人信息保护法 Art. 28-29
# (whereabouts are sensitive: a stated purpose, and no longer than needed).
TRACK_PURPOSES = ("find_crew", "safety", "check_visit", "supervision")

MOVED_M = 50.0  # source: house; the phone thins by the same two figures
EVERY_S = 60.0
SLACK = 0.9  # a point that comes a little early is not thrown away
FASTEST_KMH = 300.0  # nothing on the road or on rails here is faster
VAGUE_M = 1000.0  # a cell tower, not a place
AHEAD_S = 30.0  # the trip of the message, and clocks that run unevenly
DOUBT_S = 600.0  # so long a point in doubt can be confirmed by the next one
NULL_ISLAND_DEG = 0.01


@dataclass(frozen=True)
class Fix:
    """A place and a moment, by the server's clock."""

    id: UUID
    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None = None
    heading_deg: float | None = None
    why: PositionWhy = PositionWhy.MOVING
    order_id: int | None = None


def true_time(at: datetime, sent_at: datetime, received_at: datetime) -> datetime:
    """When it was by our clock: the phone's own may be wrong by years, but it knows how long ago something was."""
    return received_at - (sent_at - at)


def refusal(fix: Fix, now: datetime, days: int) -> str | None:
    """Why a point is not taken at all; a stable code, or none."""
    if fix.at > now + timedelta(seconds=AHEAD_S):
        return "future"
    if fix.at < now - timedelta(days=days):
        return "too_old"
    if abs(fix.lon) < NULL_ISLAND_DEG and abs(fix.lat) < NULL_ISLAND_DEG:
        return "no_place"
    return "vague" if (fix.accuracy_m or 0.0) > VAGUE_M else None


def too_fast(a: Fix, b: Fix) -> bool:
    """Could nobody have gone from one to the other in that time, even where both are as wrong as they say?"""
    metres = apart_m(a, b) - (a.accuracy_m or 0.0) - (b.accuracy_m or 0.0)
    seconds = max(abs((b.at - a.at).total_seconds()), 1.0)
    return metres / seconds * 3.6 > FASTEST_KMH


def apart_m(a: Fix, b: Fix) -> float:
    """Metres between two points."""
    return float(distance_m(a.lon, a.lat, b.lon, b.lat))


def is_jump(fix: Fix, good: Sequence[Fix], doubted: Sequence[Fix]) -> bool:
    """Is this point too far from those beside it to be true? Two in a row that agree are believed: then the others erred.

    `good` and `doubted` are what is known of the crew, by time.
    """
    before, after = beside(fix, good)
    if not any(other is not None and too_fast(other, fix) for other in (before, after)):
        return False
    return not any(
        abs((fix.at - other.at).total_seconds()) <= DOUBT_S and not too_fast(other, fix) for other in doubted
    )


def is_needless(fix: Fix, good: Sequence[Fix]) -> bool:
    """Does this point say nothing that the one before or after it does not? What was noted with a deed is always kept."""
    if fix.why != PositionWhy.MOVING:
        return False
    near = (other for other in beside(fix, good) if other is not None)
    return any(
        abs((fix.at - other.at).total_seconds()) < EVERY_S * SLACK and apart_m(fix, other) < MOVED_M * SLACK
        for other in near
    )


def beside(fix: Fix, good: Sequence[Fix]) -> tuple[Fix | None, Fix | None]:
    """The last point before and the first after, of points ordered by time."""
    before = [other for other in good if (other.at, other.id) <= (fix.at, fix.id)]
    after = [other for other in good if (other.at, other.id) > (fix.at, fix.id)]
    return (before[-1] if before else None), (after[0] if after else None)


@dataclass(frozen=True)
class Duty:
    """When a crew's whereabouts are the bureau's business: shifts, and orders from their assignment to their end."""

    spans: Sequence[tuple[datetime | None, datetime | None]]

    def covers(self, at: datetime) -> bool:
        return any((start is None or start <= at) and (end is None or at <= end) for start, end in self.spans)


def is_silent(
    *, on_shift: bool, at_work: bool, position_at: datetime, seen_at: datetime | None, now: datetime, silent_min: float
) -> bool:
    """Is a crew on shift with an order begun, and has given no sign (a place, or its phone calling) for so long?"""
    sign = max(position_at, seen_at) if seen_at else position_at
    return on_shift and at_work and sign < now - timedelta(minutes=silent_min)
