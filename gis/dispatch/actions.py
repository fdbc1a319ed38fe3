"""What is done with crews and orders. Verbs flush; doors commit.

Locks are always taken in the order crew, complaint, order, so that two verbs can wait for each other but never in a ring.
The lock on the crew only makes a race polite (the loser waits and is told who won); that nobody is booked twice is the
exclusion constraint's work, and that a complaint has one open order the unique index's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.complaints.rules import after
from gis.db import SRID, check_version, naming_violations
from gis.dispatch import queries
from gis.dispatch.assign import Ranked, Span
from gis.dispatch.model import Crew, CrewSkill, Shift, WorkOrder
from gis.dispatch.placing import Placing
from gis.dispatch.queries import Facts
from gis.dispatch.ranking import Search
from gis.dispatch.rules import (
    COMPLAINT_VERBS,
    HORIZON_DAYS,
    NOTE_MAX,
    ORDER_STEPS,
    REASON_MAX,
    VIOLATIONS,
    AlreadyAssigned,
    CrewBlacklisted,
    CrewBooked,
    CrewKind,
    NoFreeTime,
    OrderLocked,
    OrderStatus,
    RecallReason,
    ReturnReason,
    SiteStopped,
    Terms,
    UndoTooLate,
    UnknownReturnReason,
    ViolationNotOverridden,
    WrongOrderStep,
)
from gis.errors import BadInput, Missing, StaleVersion
from gis.journal import Who
from gis.people.model import User
from gis.people.rules import CITY, Scope
from gis.places.rules import BadCoordinates


# --- the desk --------------------------------------------------------------------------------------------------------
def assign(
    session: Session,
    who: Who,
    complaint: Complaint,
    crew: Crew,
    *,
    base_version: int | None,
    terms: Terms,
    scope: Scope = CITY,
    override_reason: str | None = None,
    start: datetime | None = None,
    queue: bool = False,
) -> WorkOrder:
    """Send a crew: book its earliest free time from now on, or the time from `start` on.

    With `queue` a crew that is busy and nothing else is booked after what it has, without a reason.

    Raises StaleVersion, AlreadyAssigned, WrongStep; CrewBooked (who holds it until when) and ViolationNotOverridden where
    something speaks against the crew and no reason is given; CrewBlacklisted and SiteStopped, whatever reason is given.
    """
    reason = _said(override_reason, "override_reason", REASON_MAX)
    beside_others(session)
    session.refresh(crew, with_for_update={"key_share": True})
    session.refresh(complaint, with_for_update=True)
    _still_to_assign(session, complaint, base_version)
    return give(session, who, complaint, crew, terms, scope, reason, start=start, queue=queue)


def give(
    session: Session,
    who: Who,
    complaint: Complaint,
    crew: Crew,
    terms: Terms,
    scope: Scope,
    reason: str | None,
    *,
    start: datetime | None = None,
    queue: bool = False,
    **told: Any,
) -> WorkOrder:
    """Book a crew for a complaint that waits; crew and complaint are locked by the caller. `told` goes into the journal."""
    if start is None:
        ranked, facts = Search(session, complaint, scope, terms, who.now).one(crew.id)
    else:
        placed = Placing(session, complaint, scope, terms, who.now).at(crew.id, start)
        if placed.held is not None:
            raise booked(session, crew.id, crew.name, placed.held, terms)
        ranked, facts = placed.ranked, placed.facts
    if facts.blacklisted is not None:
        raise _blacklisted(facts, terms)
    codes = [finding.code for finding in ranked.violations]
    if "site_stopped" in codes:
        raise SiteStopped()
    if codes and not reason and not (queue and codes == ["busy_until"]):
        raise _refusal(session, ranked, facts, who.now, terms)
    if ranked.slot is None:
        raise NoFreeTime(crew=crew.name, days=HORIZON_DAYS)
    order = _book(session, who, complaint, crew, ranked, reason, terms)
    named = {"order_id": order.id, "order_no": order.order_no, "crew_id": crew.id}
    take_step(session, who, complaint, "assign", data=named)
    _write(session, who, "assign", order, complaint, before=None, overridden=codes, **told)
    return order


def _blacklisted(facts: Facts, terms: Terms) -> CrewBlacklisted:
    assert facts.blacklisted is not None
    whom, until = facts.blacklisted
    local = until.astimezone(terms.zone).strftime("%Y-%m-%d %H:%M") if until else "…"
    return CrewBlacklisted(crew=facts.name, whom=whom, until=local)


def beside_others(session: Session) -> None:
    """Whoever books one crew at a time may do so beside others, but not beside a bulk action: that locks many at once."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(hashtext('chengmai bookings'))"))


def _still_to_assign(session: Session, complaint: Complaint, base_version: int | None) -> None:
    """Refuse what somebody else was faster with, naming the order that is in the way."""
    there = queries.open_order(session, complaint.id)
    crew = session.get_one(Crew, there.crew_id) if there else None
    named = {"order_no": there.order_no, "crew": crew.name} if there and crew else {}
    if base_version is not None and complaint.version != base_version:
        raise StaleVersion(base_version=base_version, current_version=complaint.version, **named)
    if named:
        raise AlreadyAssigned(**named)
    after(complaint.status, "assign")


def _refusal(session: Session, ranked: Ranked, facts: Facts, now: datetime, terms: Terms) -> Exception:
    """Why a crew cannot simply be sent: it is booked and nothing else, or all that speaks against it."""
    codes = [finding.code for finding in ranked.violations]
    if codes == ["busy_until"]:
        held = _busy_span(facts, now)
        return booked(session, ranked.id, facts.name, held, terms)
    return ViolationNotOverridden(violations=[VIOLATIONS[code] for code in codes], codes=codes)


def _busy_span(facts: Facts, now: datetime) -> Span:
    """The booking that is in the way: the first that has not ended, or the last that should have."""
    bookings = facts.bookings
    first = next((b for b in bookings if b.end > now), bookings[-1])
    return Span(first.start, first.end, first.order_no)


def booked(session: Session, crew_id: int, name: str, held: Span, terms: Terms) -> CrewBooked:
    """Who holds a crew in that time, and until when: the error that a loser is told."""
    found = queries.holder(session, crew_id, held.start, held.end)
    if found is None:
        return CrewBooked(crew=name, crew_id=crew_id)
    until = found.end.astimezone(terms.zone).strftime("%m-%d %H:%M")
    return CrewBooked(
        crew=name, crew_id=crew_id, until=until, order_no=found.order_no, booked_by=found.booked_by,
        start=found.start.isoformat(), end=found.end.isoformat(),
    )  # fmt: skip


def _book(
    session: Session, who: Who, complaint: Complaint, crew: Crew, ranked: Ranked, reason: str | None, terms: Terms
) -> WorkOrder:
    """The row that books the crew. The database has the last word: its refusal becomes CrewBooked or AlreadyAssigned."""
    assert ranked.slot is not None
    order_id = _next_id(session, "work_order")
    order = WorkOrder(
        id=order_id, order_no=f"PD{who.now.astimezone(terms.zone):%Y%m%d}-{order_id:05d}", complaint_id=complaint.id,
        crew_id=crew.id, status=OrderStatus.ASSIGNED, during=Range(ranked.slot.start, ranked.slot.end),
        assigned_by=who.user_id, assigned_at=who.now, minutes=ranked.minutes, metres=ranked.metres, by=ranked.by,
        override_reason=reason if ranked.violations else None, locked=False,
    )  # fmt: skip
    try:
        with session.begin_nested(), naming_violations(session):
            session.add(order)
    except CrewBooked:
        raise booked(session, crew.id, crew.name, ranked.slot, terms) from None
    except AlreadyAssigned:
        _still_to_assign(session, complaint, None)
        raise
    return order


def recall(session: Session, who: Who, order: WorkOrder, *, base_version: int | None = None, terms: Terms) -> WorkOrder:
    """Undo an assignment: within a minute or so, and before the crew accepts it."""

    def in_time() -> None:
        too_late = who.now - order.assigned_at > timedelta(seconds=terms.undo_s)
        if order.status == OrderStatus.ACCEPTED or (order.status == OrderStatus.ASSIGNED and too_late):
            raise UndoTooLate(seconds=terms.undo_s)

    undone = RecallReason.UNDONE
    return _step(session, who, order, "recall", base_version, in_time, ended_at=who.now, recall_reason=undone)


def release(session: Session, who: Who, complaint_id: int) -> WorkOrder | None:
    """Free the crew of a complaint that was cancelled: its open order, if any, is recalled. The complaint stays as it is."""
    complaint = session.get_one(Complaint, complaint_id, with_for_update=True, populate_existing=True)
    order = queries.open_order(session, complaint_id)
    if order is not None:
        session.refresh(order, with_for_update=True)
        before, order.status, order.ended_at = order.status, OrderStatus.RECALLED, who.now
        order.recall_reason = RecallReason.CANCELLED
        session.flush()
        _write(session, who, "recall", order, complaint, before=before)
    return order


# --- the phone -------------------------------------------------------------------------------------------------------
def accept(session: Session, who: Who, order: WorkOrder, base_version: int | None = None) -> WorkOrder:
    """The crew takes the order."""
    own_order(session, who, order)
    return _step(session, who, order, "accept", base_version, accepted_at=who.now)


def return_order(
    session: Session, who: Who, order: WorkOrder, reason: str, note: str = "", base_version: int | None = None
) -> WorkOrder:
    """The crew gives the order back, and says why by a code."""
    own_order(session, who, order)
    if reason not in set(ReturnReason):
        raise UnknownReturnReason(reason=str(reason)[:40], possible=[str(r) for r in ReturnReason])
    note = _said(note, "note", NOTE_MAX) or ""
    return _step(
        session, who, order, "return", base_version, told={"reason": reason}, return_reason=reason, note=note,
        ended_at=who.now,
    )  # fmt: skip


def arrive(session: Session, who: Who, order: WorkOrder, base_version: int | None = None) -> WorkOrder:
    """The crew is there."""
    own_order(session, who, order)
    return _step(session, who, order, "arrive", base_version, arrived_at=who.now)


def resolve(session: Session, who: Who, order: WorkOrder, note: str = "", base_version: int | None = None) -> WorkOrder:
    """The crew has done the work; its time is free again."""
    own_order(session, who, order)
    note = _said(note, "note", NOTE_MAX) or ""
    return _step(session, who, order, "resolve", base_version, note=note, resolved_at=who.now, ended_at=who.now)


def own_order(session: Session, who: Who, order: WorkOrder) -> None:
    """Only the order's own crew; for everybody else there is no such order."""
    user = session.get(User, who.user_id) if who.user_id is not None else None
    if user is None or not user.active or user.crew_id is None or user.crew_id != order.crew_id:
        raise Missing(thing="work order", id=order.id)


def _step(
    session: Session,
    who: Who,
    order: WorkOrder,
    verb: str,
    base_version: int | None,
    check: Any = None,
    told: dict[str, Any] | None = None,
    **values: Any,
) -> WorkOrder:
    """Move an order and its complaint by one step of the tables, and write both down."""
    complaint = session.get_one(Complaint, order.complaint_id, with_for_update=True, populate_existing=True)
    session.refresh(order, with_for_update=True)
    check_version(order, base_version)
    if check is not None:
        check()
    possible_from, leads_to = ORDER_STEPS[verb]
    before = order.status
    if before not in possible_from:
        raise WrongOrderStep(status=before, verb=verb)
    if verb == "recall" and order.locked:
        raise OrderLocked(order_no=order.order_no)
    for name, value in values.items():
        setattr(order, name, value)
    order.status = leads_to
    with naming_violations(session):
        session.flush()
    data = {"order_id": order.id, "order_no": order.order_no, "crew_id": order.crew_id} | (told or {})
    take_step(session, who, complaint, COMPLAINT_VERBS.get(verb, verb), data=data)
    _write(session, who, verb, order, complaint, before=before, **(told or {}))
    return order


def _write(
    session: Session, who: Who, verb: str, order: WorkOrder, complaint: Complaint, *, before: str | None, **data: Any
) -> None:
    journal.write(
        session, who, verb, "work_order", order.id, version=order.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, complaint_id=complaint.id, crew_id=order.crew_id, before=before,
        after=str(order.status), **data,
    )  # fmt: skip


def _said(words: str | None, field: str, longest: int) -> str | None:
    """What somebody wrote, without the blanks around it; nothing if there is nothing."""
    if words is not None and (not isinstance(words, str) or len(words) > longest or "\x00" in words):
        raise BadInput(reason=field)
    return (words or "").strip() or None


# --- crews -----------------------------------------------------------------------------------------------------------
def add_crew(
    session: Session,
    who: Who,
    name: str,
    kind: str,
    skills: Iterable[str],
    lon: float,
    lat: float,
    *,
    shifts: Iterable[tuple[datetime, datetime | None]] = (),
    code: str | None = None,
    unit_id: int | None = None,
    area_id: int | None = None,
    synthetic: bool = False,
) -> Crew:
    """Add a crew with its skills, its shifts (no end: on duty until somebody ends it) and where it stands."""
    if not name.strip() or len(name) > 120:
        raise BadInput(reason="name")
    if kind not in set(CrewKind):
        raise BadInput(reason=f"kind: {', '.join(CrewKind)}")
    crew_id = _next_id(session, "crew")
    crew = Crew(
        id=crew_id, code=code or f"crew-{crew_id}",
        name=name.strip(), kind=kind, unit_id=unit_id, area_id=area_id, synthetic=synthetic,
        position=point(lon, lat), position_at=who.now,
    )  # fmt: skip
    with naming_violations(session):
        session.add(crew)
    session.add_all(CrewSkill(crew_id=crew.id, skill=skill) for skill in sorted(set(skills)))
    session.add_all(Shift(crew_id=crew.id, during=Range(start, end)) for start, end in shifts)
    with naming_violations(session):
        session.flush()
    journal.write(session, who, "add", "crew", crew.id, version=crew.version, area_id=area_id, unit_id=unit_id)
    return crew


def move_crew(
    session: Session, who: Who, crew: Crew, lon: float, lat: float, accuracy_m: float | None, at: datetime,
    heading_deg: float | None = None,
) -> bool:  # fmt: skip
    """Where a crew is now. A position older than the known one (sent late from a phone without signal) changes nothing.

    The journal says that it moved, not where to: whereabouts are personal data. The version stays: nobody edits a position.
    """
    found = session.execute(
        update(Crew)
        .where(Crew.id == crew.id, Crew.position_at <= min(at, who.now))
        .values(
            position=point(lon, lat),
            position_at=min(at, who.now),
            position_accuracy_m=accuracy_m,
            heading_deg=heading_deg,
        )
        .returning(Crew.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if found is None:
        return False
    session.expire(crew)
    journal.write(
        session, who, "move", "crew", crew.id, version=crew.version, area_id=crew.area_id, unit_id=crew.unit_id
    )
    return True


def _next_id(session: Session, table: str) -> int:
    """The next number of a table's own sequence, for rows whose code is made of it."""
    return int(session.scalar(text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))"), {"table": table}) or 0)


def point(lon: float, lat: float) -> WKTElement:
    """A place as the database takes it."""
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise BadCoordinates(lon=lon, lat=lat)
    return WKTElement(f"POINT({float(lon)!r} {float(lat)!r})", srid=SRID)


def known_skills(session: Session) -> list[str]:
    """The skills that categories ask for and crews have."""
    from gis.complaints.model import Category

    asked = select(Category.skill).union(select(CrewSkill.skill))
    return sorted(session.scalars(asked))
