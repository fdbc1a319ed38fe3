"""Many orders at once: exactly all of them, or a list that says which failed and why; never one of many silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.complaints import queries as complaints
from gis.complaints.model import Complaint
from gis.db import check_version
from gis.dispatch import actions, moves, queries
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.ranking import Search
from gis.dispatch.rules import NobodyFits, NoOrder, NotAllDone, Terms
from gis.errors import BadInput, ChengmaiError, Missing
from gis.journal import Who
from gis.people.rules import Scope

VERBS = ("assign", "recall", "lock", "unlock")


@dataclass(frozen=True)
class Item:
    """One of many: a complaint, and which version of it the person saw."""

    complaint_id: int
    base_version: int | None = None


@dataclass(frozen=True)
class Wish:
    """What is to be done with each. Without a crew each complaint gets its own best one."""

    verb: str
    scope: Scope
    terms: Terms
    crew: Crew | None = None
    override_reason: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one: the order, or the error."""

    complaint_id: int
    order: WorkOrder | None = None
    error: ChengmaiError | None = None


def in_order(session: Session, items: Sequence[Item]) -> list[Item]:
    """The most urgent first: it has the choice of crews. The same complaint twice is asked for once."""
    once = {item.complaint_id: item for item in items}
    due = {
        row.id: row.resolve_by
        for row in session.query(Complaint.id, Complaint.resolve_by).filter(Complaint.id.in_(once))
    }
    found = sorted((item for item in once.values() if item.complaint_id in due),
                   key=lambda item: (due[item.complaint_id], item.complaint_id))  # fmt: skip
    return [*found, *(item for item in once.values() if item.complaint_id not in due)]


def one(session: Session, who: Who, wish: Wish, item: Item) -> WorkOrder:
    """Do it for one complaint; raises what is in the way."""
    complaint = complaints.find(session, wish.scope, item.complaint_id)
    if complaint is None:
        raise Missing(thing="complaint", id=item.complaint_id)
    if wish.verb == "assign":
        return _assign(session, who, wish, complaint, item.base_version)
    order = queries.open_order(session, complaint.id)
    if order is None:
        raise NoOrder()
    check_version(complaint, item.base_version)
    if wish.verb == "recall":
        return moves.take_back(session, who, order)
    if wish.verb in ("lock", "unlock"):
        return moves.lock(session, who, order, wish.verb == "lock")
    raise BadInput(reason="verb")


def _assign(session: Session, who: Who, wish: Wish, complaint: Complaint, base_version: int | None) -> WorkOrder:
    crew = wish.crew
    if crew is None:
        best = Search(session, complaint, wish.scope, wish.terms, who.now).best(1).crews
        if not best or not best[0].fits:
            actions._still_to_assign(session, complaint, base_version)  # that somebody was faster is the better reason
            raise NobodyFits()
        crew = session.get_one(Crew, best[0].id)
    return actions.assign(
        session, who, complaint, crew, base_version=base_version, terms=wish.terms, scope=wish.scope,
        override_reason=wish.override_reason, queue=wish.crew is not None,
    )  # fmt: skip


def all_or_none(session: Session, who: Who, wish: Wish, items: Sequence[Item]) -> list[Outcome]:
    """Do it for all in this transaction; raises NotAllDone with what became of each, and then nothing may be committed.

    It locks many crews and complaints, so nobody else books while it does.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('chengmai bookings'))"))
    outcomes = [_tried(session, who, wish, item) for item in in_order(session, items)]
    if any(outcome.error for outcome in outcomes):
        raise NotAllDone(outcomes, failed_count=sum(1 for o in outcomes if o.error), asked=len(outcomes))
    return outcomes


def _tried(session: Session, who: Who, wish: Wish, item: Item) -> Outcome:
    try:
        with session.begin_nested():
            return Outcome(item.complaint_id, order=one(session, who, wish, item))
    except ChengmaiError as error:
        return Outcome(item.complaint_id, error=error)
