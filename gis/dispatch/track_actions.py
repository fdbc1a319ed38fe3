"""What is done with the places that phones send: take them in, show a track for a purpose, forget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.dispatch import track_queries
from gis.dispatch.actions import move_crew, point
from gis.dispatch.model import Crew
from gis.dispatch.track_model import CrewPosition
from gis.dispatch.track_rules import OF_THE_ORDER, TRACK_PURPOSES, Fix, is_jump, is_needless, refusal
from gis.errors import BadInput
from gis.journal import Who

# Changes that say where somebody was, other than at an order's arrival and end: the place goes, the change stays.
PLACED_KINDS = ("crew.position", "order.accept", "order.return")
_FORGET_IN_CHANGES = text(
    """
    UPDATE change SET body = CASE kind WHEN 'crew.position' THEN jsonb_set(body, '{payload}', '{}')
                                       ELSE body #- '{payload,position}' END
     WHERE kind = ANY(:kinds) AND received_at < :limit
       AND (body #> '{payload,position}' IS NOT NULL OR (kind = 'crew.position' AND body #> '{payload,lon}' IS NOT NULL))
    """
)
AROUND = timedelta(hours=1)  # so far on both sides points are held against each other


@dataclass(frozen=True)
class Taken:
    """What became of a point: kept (no code), `duplicate`, `thinned`, `doubted`, or refused by its code."""

    kept: bool
    code: str | None = None


def record(session: Session, who: Who, crew: Crew, fixes: Sequence[Fix], *, days: int) -> list[Taken]:
    """Take in points of a crew, in any order and any number of times; one answer per point, in the order given.

    The newest that is believed moves the crew on the map, once. A point of a time when the crew was neither on shift nor
    had an order is nobody's business and is not kept.
    """
    if not fixes:
        return []
    taken: dict[int, Taken] = {}
    since, until = min(f.at for f in fixes) - AROUND, max(f.at for f in fixes) + AROUND
    good, doubted = track_queries.known(session, crew.id, since, until)
    duty = track_queries.duty(session, crew.id, since, until)
    own = track_queries.own_orders(session, crew.id, [f.order_id for f in fixes if f.order_id is not None])
    newest: Fix | None = None
    for i, fix in sorted(enumerate(fixes), key=lambda pair: (pair[1].at, pair[1].id)):
        taken[i] = _take(session, who, crew, fix, good, doubted, days=days, on_duty=duty.covers(fix.at), own=own)
        if taken[i].kept and taken[i].code in (None, "thinned") and (newest is None or fix.at >= newest.at):
            newest = fix
    if newest is not None:
        move_crew(session, who, crew, newest.lon, newest.lat, newest.accuracy_m, newest.at, newest.heading_deg)
    return [taken[i] for i in range(len(fixes))]


def _take(
    session: Session, who: Who, crew: Crew, fix: Fix, good: list[Fix], doubted: list[Fix], *, days: int, on_duty: bool,
    own: set[int],
) -> Taken:  # fmt: skip
    """One point, held against what is known; what is kept of it is known to the next one."""
    if any(fix.id == other.id for other in (*good, *doubted)):
        return Taken(True, "duplicate")
    code = refusal(fix, who.now, days) or (None if on_duty else "off_duty")
    if code is not None:
        return Taken(False, code)
    if is_needless(fix, good):
        return Taken(True, "thinned")
    jump = is_jump(fix, good, doubted)
    order_id = fix.order_id if fix.order_id in own else None
    row = insert(CrewPosition).values(
        id=fix.id, crew_id=crew.id, device_id=who.device_id, order_id=order_id, at=min(fix.at, who.now),
        received_at=who.now, position=point(fix.lon, fix.lat), accuracy_m=fix.accuracy_m, heading_deg=fix.heading_deg,
        why=str(fix.why), doubted=jump,
    )  # fmt: skip
    made = session.scalar(row.on_conflict_do_nothing().returning(CrewPosition.id))
    if made is None:  # sent twice at the same moment
        return Taken(True, "duplicate")
    known = doubted if jump else good
    known.append(fix)
    known.sort(key=lambda other: (other.at, other.id))
    return Taken(True, "doubted" if jump else None)


def share(session: Session, who: Who, crew: Crew, *, on: bool) -> None:
    """A crew's people say where they are, or do not want to: told at the desk, and once in the journal."""
    if on is (crew.position_off_at is None):
        return
    changed = session.execute(
        update(Crew)
        .where(Crew.id == crew.id, Crew.position_off_at.is_not(None) if on else Crew.position_off_at.is_(None))
        .values(position_off_at=None if on else who.now)
        .returning(Crew.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.expire(crew)
    if changed is not None:
        verb = "share_position" if on else "hide_position"
        journal.write(
            session, who, verb, "crew", crew.id, version=crew.version, area_id=crew.area_id, unit_id=crew.unit_id
        )


def see_track(session: Session, who: Who, crew: Crew, purpose: str, since: datetime) -> list[Fix]:
    """A crew's believed points since then, for a purpose of the table, which the journal keeps."""
    if purpose not in TRACK_PURPOSES:
        raise BadInput(reason="purpose")
    journal.write(
        session, who, "see_track", "crew", crew.id, version=crew.version, area_id=crew.area_id, unit_id=crew.unit_id,
        purpose=purpose,
    )  # fmt: skip
    return track_queries.known(session, crew.id, since, who.now)[0]


def forget(session: Session, who: Who, days: int) -> int:
    """Delete what is older than so many days; points of an order stay with it, without the phone that sent them."""
    limit = who.now - timedelta(days=days)
    old = CrewPosition.at < limit
    stay = CrewPosition.why.in_([str(why) for why in OF_THE_ORDER]) & CrewPosition.order_id.is_not(None)
    stay &= ~CrewPosition.doubted
    gone = session.execute(delete(CrewPosition).where(old, ~stay).returning(CrewPosition.id)).all()
    session.execute(update(CrewPosition).where(old, CrewPosition.device_id.is_not(None)).values(device_id=None))
    session.execute(_FORGET_IN_CHANGES, {"limit": limit, "kinds": list(PLACED_KINDS)})
    return len(gone)
