"""The dispatcher's board: crews and time, what a place on it would mean, and moving, locking, taking back and undoing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from flask import Blueprint, request
from flask_babel import get_locale
from pydantic import AwareDatetime, Field
from sqlalchemy import Row

from gis.complaints import queries as complaints
from gis.complaints.privacy import masked_text
from gis.complaints.rules import time_state
from gis.dispatch import actions, board_queries, crew_search, moves, queries, together
from gis.dispatch.acceptance import accept_by
from gis.dispatch.model import WorkOrder
from gis.dispatch.placing import Placed, Placing
from gis.dispatch.rules import FINAL, MOST_TOGETHER, CrewBooked, NotAllDone, OrderStatus
from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from webapp.access import can, db, needs, now, scope, who
from webapp.bodies import Body, body
from webapp.cards import iso
from webapp.dispatch import answer_with, complaint_of, crew_of, say_finding, terms
from webapp.filters import number, today, zone
from webapp.i18n import message

pages = Blueprint("board", __name__)
INTO_THE_MORNING = time(6)  # a night shift is one piece on the board of the day it begins


# --- what is shown ---------------------------------------------------------------------------------------------------
@pages.get("/board.json")
@needs("see_complaints")
def board() -> dict[str, Any]:
    """One day of the board, `?day=2009-11-17` of the city (today): crews with shifts and orders, and what still waits."""
    day = _day()
    since = datetime.combine(day, time.min, tzinfo=zone())
    until = datetime.combine(day + timedelta(days=1), INTO_THE_MORNING, tzinfo=zone())
    ids = crew_search.crew_ids(db(), scope(), now())
    shifts = board_queries.shifts(db(), ids, since, until)
    orders = board_queries.orders(db(), ids, scope(), since, until)
    waiting = board_queries.waiting(db(), scope())
    return {
        "day": day.isoformat(), "since": iso(since), "until": iso(until), "undo_s": terms().undo_s,
        "crews": [{"id": c.id, "name": c.name, "kind": c.kind, "unit": c.unit} for c in board_queries.crews(db(), ids)],
        "shifts": [{"crew_id": s.crew_id, "start": iso(s.start), "end": iso(s.end)} for s in shifts],
        "orders": [_order(row) for row in orders],
        "waiting": [_waiting(row) for row in waiting], "waiting_total": board_queries.waiting_count(db(), scope()),
    }  # fmt: skip


def _day() -> date:
    raw = request.args.get("day", "")
    if not raw:
        return today()
    try:
        found = date.fromisoformat(raw)
    except ValueError:
        raise BadInput(reason="day") from None
    if not 2000 <= found.year < 2100:
        raise BadInput(reason="day")
    return found


def _matter(row: Row[Any]) -> dict[str, Any]:
    """What a block or a card of the tray says of its complaint."""
    state = time_state(row.received_at, row.resolve_by, now(), row.closed_at, row.paused_at)
    return {
        "place": masked_text(row.place), "hotline_no": row.hotline_no, "resolve_by": iso(row.resolve_by),
        "category_name": row.category_en if str(get_locale()) == "en" else row.category_zh,
        "time_state": str(state), "lon": row.lon, "lat": row.lat,
    }  # fmt: skip


def _order(row: Row[Any]) -> dict[str, Any]:
    when = {"crew_id": row.crew_id, "start": iso(row.start), "end": iso(row.end)}
    if not row.seen:  # of another district: that the crew is busy, and nothing else
        return {"id": row.id, "seen": False, **when}
    assigned = row.status == OrderStatus.ASSIGNED
    return {
        "id": row.id, "seen": True, **when, "order_no": row.order_no, "complaint_id": row.complaint_id,
        "status": row.status, "version": row.version, "locked": row.locked, "lapsed": assigned and row.lapsed_at is not None,
        "accept_by": iso(accept_by(row.assigned_at, terms())) if assigned else None, "minutes": row.minutes,
        "overridden": row.overridden, "complaint_version": row.complaint_version, **_matter(row),
    }  # fmt: skip


def _waiting(row: Row[Any]) -> dict[str, Any]:
    return {"id": row.id, "version": row.version, "work_min": row.work_min, **_matter(row)}


@pages.get("/complaints/<int:complaint_id>/place.json")
@needs("see_complaints")
def place(complaint_id: int) -> dict[str, Any]:
    """What it would mean to send `?crew=` at `?start=`: when it is there, when it is done, and what speaks against it.

    With `?order=` that order is moved: it is not in its own way.
    """
    complaint, crew = complaint_of(complaint_id), crew_of(number("crew", 0, 0, 999_999_999))
    asked = number("order", 0, 0, 999_999_999)
    order = queries.open_order(db(), complaint.id) if asked else None
    if order is not None and order.id != asked:
        raise Missing(thing="work order", id=asked)
    search = Placing(db(), complaint, scope(), terms(), now())
    moving = order.order_no if order else None
    same = order is not None and order.crew_id == crew.id
    placed = search.at(crew.id, _start(), moving=moving, same_crew=same)
    held = actions.booked(db(), crew.id, crew.name, placed.held, terms()) if placed.held else None
    return _placed(placed) | {"held_by": message(held) if held else None}


def _start() -> datetime:
    try:
        found = datetime.fromisoformat(request.args.get("start", "").replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise BadInput(reason="start") from None
    if found.tzinfo is None:
        raise BadInput(reason="start")
    return found


def _placed(placed: Placed) -> dict[str, Any]:
    ranked, slot = placed.ranked, placed.ranked.slot
    assert slot is not None
    return {
        "crew_id": ranked.id, "crew": placed.facts.name, "start": iso(slot.start), "arrive": iso(placed.arrive_at),
        "end": iso(slot.end), "minutes": None if ranked.minutes is None else round(ranked.minutes, 1), "by": ranked.by,
        "reasons": [say_finding(f) for f in ranked.reasons], "violations": [say_finding(f) for f in ranked.violations],
        "codes": [f.code for f in ranked.violations], "held": placed.held is not None,
        "refused": any(f.code in FINAL for f in ranked.violations),
    }  # fmt: skip


# --- what is done ----------------------------------------------------------------------------------------------------
class Move(Body):
    """Another crew, another time, or both."""

    crew_id: int
    start: AwareDatetime | None = None
    base_version: int | None = None
    override_reason: str | None = Field(None, max_length=500)


@pages.post("/work-orders/<int:order_id>/move")
@needs("assign")
def move(order_id: int) -> dict[str, Any]:
    order, asked = _order_of(order_id), body(Move)
    _may_override(asked.override_reason)
    crew = crew_of(asked.crew_id)
    moved = moves.move(
        db(), who(), order, crew, start=asked.start, base_version=asked.base_version, terms=terms(), scope=scope(),
        override_reason=asked.override_reason,
    )  # fmt: skip
    return _answer(moved)


class Lock(Body):
    """Locked to its crew and time, or not."""

    locked: bool
    base_version: int | None = None


@pages.post("/work-orders/<int:order_id>/lock")
@needs("assign")
def lock(order_id: int) -> dict[str, Any]:
    order, asked = _order_of(order_id), body(Lock)
    return _answer(moves.lock(db(), who(), order, asked.locked, base_version=asked.base_version))


class Version(Body):
    """Which version of the order the person saw."""

    base_version: int | None = None


@pages.post("/work-orders/<int:order_id>/take-back")
@needs("assign")
def take_back(order_id: int) -> dict[str, Any]:
    order = _order_of(order_id)
    return _answer(moves.take_back(db(), who(), order, base_version=body(Version).base_version))


@pages.post("/work-orders/<int:order_id>/undo")
@needs("assign")
def undo(order_id: int) -> dict[str, Any]:
    """Take back what this person did last with this order."""
    return _answer(moves.undo(db(), who(), _order_of(order_id), terms=terms()))


def _order_of(order_id: int) -> WorkOrder:
    order = queries.order_in_scope(db(), order_id, scope())
    if order is None:
        raise Missing(thing="work order", id=order_id)
    return order


def _may_override(reason: str | None) -> None:
    if reason and not can("override_violation"):
        raise NotAllowed()


def _answer(order: WorkOrder) -> dict[str, Any]:
    return answer_with(order, now() + timedelta(seconds=terms().undo_s))


# --- many at once ----------------------------------------------------------------------------------------------------
class Item(Body):
    """One complaint of many, and which version of it the person saw."""

    id: int
    version: int | None = None


class Together(Body):
    """One thing for many complaints. `each`: every one by itself; otherwise all of them or none."""

    verb: Literal["assign", "recall", "lock", "unlock"]
    items: list[Item] = Field(min_length=1, max_length=MOST_TOGETHER)
    crew_id: int | None = None
    each: bool = False
    override_reason: str | None = Field(None, max_length=500)


@pages.post("/work-orders/together")
@needs("assign")
def many() -> tuple[dict[str, Any], int]:
    """Exactly all, or (409, nothing changed) what became of each; with `each` what became of each (200)."""
    asked = body(Together)
    _may_override(asked.override_reason)
    crew = crew_of(asked.crew_id) if asked.crew_id is not None else None
    wish = together.Wish(asked.verb, scope(), terms(), crew, asked.override_reason)
    items = [together.Item(item.id, item.version) for item in asked.items]
    if asked.each:
        return _told(_each(wish, items)), 200
    try:
        return _told(together.all_or_none(db(), who(), wish, items)), 200
    except NotAllDone as error:
        told = _told(error.outcomes) | {"code": error.code, "detail": message(error), "done": 0}
        db().rollback()
        return told, 409


def _each(wish: together.Wish, items: Sequence[together.Item]) -> list[together.Outcome]:
    """One unit of work for each: what was done stays done whatever becomes of the next."""
    outcomes = []
    for item in together.in_order(db(), items):
        try:
            order = together.one(db(), who(), wish, item)
            db().commit()
            outcomes.append(together.Outcome(item.complaint_id, order=order))
        except ChengmaiError as error:
            db().rollback()
            outcomes.append(together.Outcome(item.complaint_id, error=error))
    return outcomes


def _told(outcomes: Sequence[together.Outcome]) -> dict[str, Any]:
    rows = [_outcome(one) for one in outcomes]
    return {"asked": len(rows), "done": sum(1 for row in rows if row["ok"]), "results": rows,
            "undo_until": iso(now() + timedelta(seconds=terms().undo_s))}  # fmt: skip


def _outcome(one: together.Outcome) -> dict[str, Any]:
    card = complaints.card(db(), scope(), one.complaint_id)
    named = {
        "id": one.complaint_id,
        "place": masked_text(card["place"]) if card else None,
        "hotline_no": card["hotline_no"] if card else None,
    }
    if one.error is not None:
        error = {"code": one.error.code, "why": message(one.error)}
        if isinstance(one.error, CrewBooked):
            error["crew"] = one.error.params.get("crew")
        return named | {"ok": False, **error}
    assert one.order is not None
    order = answer_with(one.order, None)["order"]
    return named | {"ok": True, "order": order}
