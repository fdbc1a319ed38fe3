"""Orders that nobody accepts in time: told once, and offered to the next best crew where the bureau has turned that on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.model import Complaint
from gis.complaints.rules import ASSIGNABLE
from gis.dispatch import actions, moves, queries
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.ranking import Search
from gis.dispatch.rules import OFFERED_AGAIN, OrderStatus, Terms
from gis.journal import Who
from gis.people.rules import CITY

MOST_AT_ONCE = 200


def accept_by(assigned_at: datetime, terms: Terms) -> datetime:
    """Until when a crew should have accepted what it was given."""
    return assigned_at + timedelta(minutes=terms.accept_min)


def tell_lapsed(session: Session, who: Who, terms: Terms) -> list[int]:
    """Mark every order whose time to accept has passed, once, on the order and on its complaint; the complaints' ids.

    The order stays with its crew, which may still accept it: the dispatcher is told and decides.
    """
    found = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.status == OrderStatus.ASSIGNED, WorkOrder.lapsed_at.is_(None))
        .where(WorkOrder.assigned_at <= who.now - timedelta(minutes=terms.accept_min))
        .order_by(WorkOrder.id)
        .limit(MOST_AT_ONCE)
    )
    told = []
    for order in list(found):
        asked = select(Complaint).where(Complaint.id == order.complaint_id).with_for_update(skip_locked=True)
        complaint = session.scalar(asked.execution_options(populate_existing=True))
        if complaint is None:
            continue  # somebody is at it just now; the next look comes soon
        session.refresh(order, with_for_update=True)
        if order.status != OrderStatus.ASSIGNED or order.lapsed_at is not None:
            continue
        order.lapsed_at = who.now
        session.flush()
        actions._write(session, who, "lapse", order, complaint, before=str(order.status))
        named = {"order_id": order.id, "order_no": order.order_no, "crew_id": order.crew_id}
        journal.write(
            session, who, "lapse", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
            unit_id=complaint.unit_id, **named,
        )  # fmt: skip
        told.append(complaint.id)
    return told


def given_back(session: Session, since: datetime) -> list[tuple[int, int]]:
    """Which orders were given back lately for a reason that another crew need not have: (order, complaint)?"""
    asked = select(WorkOrder.id, WorkOrder.complaint_id).join(Complaint, Complaint.id == WorkOrder.complaint_id)
    asked = asked.where(WorkOrder.status == OrderStatus.RETURNED, WorkOrder.ended_at > since)
    asked = asked.where(WorkOrder.return_reason.in_(OFFERED_AGAIN), Complaint.status.in_(ASSIGNABLE))
    return [(row.id, row.complaint_id) for row in session.execute(asked.order_by(WorkOrder.id))]


def offer_again(session: Session, who: Who, complaint_id: int, terms: Terms) -> WorkOrder | None:
    """Send the next best crew, if one can be sent without any "but"; otherwise it stays with the dispatcher.

    A crew that gave the complaint back or let its time pass has that against it, so nothing goes to and fro.
    """
    complaint = session.get_one(Complaint, complaint_id)
    best = Search(session, complaint, CITY, terms, who.now).best(1).crews
    if not best or not best[0].fits:
        return None
    crew = session.get_one(Crew, best[0].id)
    order = queries.open_order(session, complaint_id)
    if order is None:
        if complaint.status not in ASSIGNABLE:
            return None
        return actions.assign(session, who, complaint, crew, base_version=None, terms=terms)
    if order.lapsed_at is None or order.status != OrderStatus.ASSIGNED or order.locked:
        return None
    return moves.move(session, who, order, crew, base_version=order.version, terms=terms)
