"""Which crews are nearest by road or on foot: exactly, among thousands, in a few milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf, sqrt
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy.orm import Session

from gis.dispatch import crew_search
from gis.dispatch.crew_search import Near, Need
from gis.people.rules import Scope

if TYPE_CHECKING:
    from gis.places.roads import RoadNetwork, Target

Part = tuple[str, int | None, int | None]  # a skill, and which square of the town
WIDEN = 4  # how much farther the search looks when it cannot yet prove that it has seen the best
ROUNDING_S = 1e-6  # a time that went through minutes and back

# How many seconds it took lately until the k-th crew with a skill was there, per square root of k: in each part of the town
# (a centre is thick with crews, a suburb is not) and anywhere. It only says where to look first; the answer does not depend
# on it.
_hints: WeakKeyDictionary[RoadNetwork, dict[Part, float]] = WeakKeyDictionary()
PART_DEG = 0.02


@dataclass(frozen=True)
class Way:
    """How a crew gets there: `by` is "road", "walk" or "straight"."""

    minutes: float | None
    metres: float | None
    by: str


@dataclass(frozen=True)
class ByRoad:
    """The nearest crews by road (or on foot), exactly, of thousands: SQL looks where they can be, the network decides."""

    session: Session
    lon: float
    lat: float
    need: Need
    scope: Scope
    now: datetime
    target: Target
    by: str

    def nearest(self, limit: int) -> dict[int, Way]:
        """The k nearest by road, exactly: all that can be here within a time T, once T is long enough for k of them.

        A first guess of T is what it took lately. Where that is too short again and again, the nearest in a straight line
        give an upper bound.
        """
        hint = _hints.setdefault(self.target.network, {})
        anywhere: Part = (self.need.skill, None, None)
        here: Part = (self.need.skill, int(self.lon // PART_DEG), int(self.lat // PART_DEG))
        guess = hint.get(here, 0.6 * hint.get(anywhere, 0.0)) * sqrt(limit)
        times: dict[int, Way] = {}
        for widened in (1.4, 2.8, 5.6) if guess else ():
            times = self._all_within(guess * widened)
            if len(times) >= limit:
                break
        if len(times) < limit:
            times = self._within_bound(limit)
        order = sorted(times, key=lambda i: (times[i].minutes or 0.0, i))[:limit]
        if len(order) == limit:
            lately = (times[order[-1]].minutes or 0.0) * 60.0 / sqrt(limit)
            for part in (here, anywhere):
                hint[part] = 0.7 * hint.get(part, lately) + 0.3 * lately
        return {i: times[i] for i in order}

    def _within_bound(self, limit: int) -> dict[int, Way]:
        """At least the k nearest by road: of some that are near in a straight line, the k-th time is an upper bound."""
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
        region = self.target.reach(seconds)
        near = crew_search.within(self.session, self.lon, self.lat, region, self.need, self.scope, self.now)
        return self._by_road(near, len(near.ids), seconds + ROUNDING_S)

    def _by_road(self, near: Near, wanted: int, limit_s: float = inf) -> dict[int, Way]:
        """The ways of the first of these that can be there by road."""
        seconds, metres = self.target.travel(near.lon, near.lat, wanted, limit_s)
        return {
            near.ids[i]: Way(float(seconds[i]) / 60.0, float(metres[i]), self.by)
            for i in np.flatnonzero(np.isfinite(seconds))
        }
