"""What speaks for and against a crew that is to set out at a chosen time: the same ranking, of one crew and one time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gis.dispatch.assign import Finding, Ranked, Span, judge
from gis.dispatch.queries import Booking, Facts
from gis.dispatch.ranking import Search, _mode
from gis.dispatch.rules import HORIZON_DAYS, OVERRUN_MIN, TIME_VIOLATIONS
from gis.errors import BadInput


@dataclass(frozen=True)
class Placed:
    """A crew at a time. `held` is the booking in the way: that can be overridden by nobody."""

    ranked: Ranked
    facts: Facts
    held: Span | None
    arrive_at: datetime


class Placing(Search):
    """A complaint, and one crew after the other at times that somebody points at."""

    def at(self, crew_id: int, start: datetime, *, moving: str | None = None, same_crew: bool = False) -> Placed:
        """The crew sets out at `start` (now, where that is past) from where it will be by then.

        `moving` is the number of the order that is being moved and is not in its own way; with `same_crew` only the time
        is new, so only the time can speak against it.
        """
        start = max(start, self.now)
        if start > self.now + timedelta(days=HORIZON_DAYS):
            raise BadInput(reason="start")
        fact = self._facts(crew_id, moving)
        before = tuple(b for b in fact.bookings if b.end <= start)
        then = replace(fact, bookings=before)
        last = before[-1] if before and before[-1].lon is not None else None
        place = (fact.lon, fact.lat) if last is None or last.lon is None or last.lat is None else (last.lon, last.lat)
        (way,) = self._ways([place], _mode(fact))
        there = self._candidate(then, way, [None] * len(before))
        candidate = replace(there, busy=(), after=(), from_order=last.order_no if last else None)
        found = judge(self.job, candidate, start, self.limits)
        assert found.slot is not None  # nothing is busy: it begins when it is asked to
        against = [f for f in found.violations if not same_crew or f.code in TIME_VIOLATIONS]
        reasons = [f for f in found.reasons if f.code != "free_now"]
        held = _in_the_way(fact.bookings, found.slot)
        if held is not None:
            against.append(Finding("busy_until", {"until": held.end, "order_no": held.ref}))
        ranked = replace(found, violations=tuple(against), reasons=tuple(reasons), load=len(fact.bookings))
        return Placed(ranked, fact, held, start + timedelta(minutes=found.minutes or 0.0))

    def _facts(self, crew_id: int, moving: str | None) -> Facts:
        _, fact = self.one(crew_id)
        longer = self.now + timedelta(minutes=OVERRUN_MIN)  # whoever overruns is expected to need a little longer
        others = (b for b in fact.bookings if b.order_no != moving)
        return replace(fact, bookings=tuple(b if b.end > self.now else replace(b, end=longer) for b in others))


def _in_the_way(bookings: tuple[Booking, ...], slot: Span) -> Span | None:
    """The first booking that shares a moment with this time."""
    found = (Span(b.start, b.end, b.order_no) for b in bookings if b.start < slot.end and slot.start < b.end)
    return next(found, None)
