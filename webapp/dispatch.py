"""The dispatcher's console: ranked crews, assigning, undoing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext
from pydantic import AwareDatetime, Field

from gis.complaints import queries as complaints
from gis.complaints.model import Complaint
from gis.dispatch import actions, crew_search, queries, track_queries
from gis.dispatch.assign import Finding, Ranked
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.queries import Facts
from gis.dispatch.ranking import Search
from gis.dispatch.rules import FINAL, OrderStatus, Terms
from gis.dispatch.track_rules import is_silent
from gis.errors import Missing, NotAllowed
from webapp import cards
from webapp.access import can, db, needs, now, scope, who
from webapp.bodies import Body, body
from webapp.cards import iso
from webapp.crew_words import sentence
from webapp.filters import number, zone
from webapp.i18n import word
from webapp.stops import stops_at

pages = Blueprint("dispatch", __name__)
MOST_CREWS = 50


def terms() -> Terms:
    """The settings of dispatch."""
    s = current_app.config["SETTINGS"]
    return Terms(zone(), s.straight_speed_kmh, s.snap_limit_m, s.position_fresh_min, s.undo_s, s.accept_min, s.reoffer)


@pages.get("/")
@needs("see_complaints")
def console() -> str:
    return render_template("dispatch/console.html")


@pages.get("/complaints/<int:complaint_id>/crews.json")
@needs("see_complaints")
def crews_for(complaint_id: int) -> dict[str, Any]:
    """The best crews for a complaint, with reasons and violations; `?crew=` asks about one crew instead."""
    search = Search(db(), complaint_of(complaint_id), scope(), terms(), now())
    wanted = number("crew", 0, 0, 999_999_999)
    if wanted:
        ranked, facts = search.one(crew_of(wanted).id)
        return {"by": search.by, "crews": [_crew_for(ranked, facts)], "stops": stops_at(complaint_id)}
    ranking = search.best(number("limit", 10, 1, MOST_CREWS))
    crews = [_crew_for(r, ranking.facts[r.id]) for r in ranking.crews]
    return {"by": ranking.by, "crews": crews, "stops": stops_at(complaint_id)}


@pages.get("/crews.json")
@needs("see_complaints")
def crews() -> list[dict[str, Any]]:
    """All crews in service, where they are and what they do now."""
    at = now()
    found = queries.facts(db(), crew_search.crew_ids(db(), scope(), at), at, at + timedelta(minutes=1))
    signs = track_queries.signs(db(), list(found))
    return [_crew_now(found[crew_id], signs.get(crew_id, track_queries.Sign()), at) for crew_id in sorted(found)]


class NewOrder(Body):
    """What a dispatcher sends to assign a crew."""

    complaint_id: int
    crew_id: int
    base_version: int
    override_reason: str | None = Field(None, max_length=500)
    start: AwareDatetime | None = None


@pages.post("/work-orders")
@needs("assign")
def assign() -> tuple[dict[str, Any], int]:
    asked = body(NewOrder)
    if asked.override_reason and not can("override_violation"):
        raise NotAllowed()
    complaint, crew = complaint_of(asked.complaint_id), crew_of(asked.crew_id)
    order = actions.assign(
        db(), who(), complaint, crew, base_version=asked.base_version, terms=terms(), scope=scope(),
        override_reason=asked.override_reason, start=asked.start,
    )  # fmt: skip
    return _answer(order), 201


class Undo(Body):
    """What a dispatcher sends to undo an assignment."""

    base_version: int | None = None


@pages.post("/work-orders/<int:order_id>/recall")
@needs("assign")
def recall(order_id: int) -> dict[str, Any]:
    order = queries.order_in_scope(db(), order_id, scope())
    if order is None:
        raise Missing(thing="work order", id=order_id)
    base_version = body(Undo).base_version if request.data else None
    return _answer(actions.recall(db(), who(), order, base_version=base_version, terms=terms()))


# --- what is told ----------------------------------------------------------------------------------------------------
def complaint_of(complaint_id: int) -> Complaint:
    found = complaints.find(db(), scope(), complaint_id)
    if found is None:
        raise Missing(thing="complaint", id=complaint_id)
    return found


def crew_of(crew_id: int) -> Crew:
    found = crew_search.crew_in_scope(db(), crew_id, scope(), now())
    if found is None:
        raise Missing(thing="crew", id=crew_id)
    return found


def _crew_for(ranked: Ranked, facts: Facts) -> dict[str, Any]:
    return {
        "id": ranked.id, "name": facts.name, "kind": facts.kind, "unit": facts.unit,
        "minutes": None if ranked.minutes is None else round(ranked.minutes, 1),
        "metres": None if ranked.metres is None else round(ranked.metres), "by": ranked.by, "load": ranked.load,
        "lon": facts.lon, "lat": facts.lat, "position_at": iso(facts.position_at), "score": ranked.score,
        "reasons": [say_finding(f) for f in ranked.reasons], "violations": [say_finding(f) for f in ranked.violations],
        "codes": [f.code for f in ranked.violations], "refused": any(f.code in FINAL for f in ranked.violations),
        "slot": {"start": iso(ranked.slot.start), "end": iso(ranked.slot.end)} if ranked.slot else None,
    }  # fmt: skip


def say_finding(finding: Finding) -> str:
    return sentence(finding, terms().zone, now(), lambda text: str(gettext(text)), word)


def _crew_now(facts: Facts, sign: track_queries.Sign, at: datetime) -> dict[str, Any]:
    on_shift = any(start <= at < end for start, end in facts.shifts)
    return {
        "id": facts.id, "name": facts.name, "kind": facts.kind, "unit": facts.unit, "lon": facts.lon, "lat": facts.lat,
        "position_at": iso(facts.position_at), "accuracy_m": facts.position_accuracy_m, "heading_deg": facts.heading_deg,
        "on_shift": on_shift, "load": len(facts.bookings), "skills": sorted(skill for skill, _, _ in facts.skills),
        "state": _state(facts, sign, on_shift, at), "seen_at": iso(sign.seen_at), "hidden_at": iso(sign.off_at),
    }  # fmt: skip


def _state(facts: Facts, sign: track_queries.Sign, on_shift: bool, at: datetime) -> str:
    """One word for the map; the same order of questions as the crews' tile."""
    if not on_shift:
        return "off_shift"
    at_work = any(booking.start <= at for booking in facts.bookings)
    silent_min = current_app.config["SETTINGS"].silent_min
    if is_silent(on_shift=on_shift, at_work=at_work, position_at=facts.position_at, seen_at=sign.seen_at, now=at,
                 silent_min=silent_min):  # fmt: skip
        return "silent"
    if facts.position_at < at - timedelta(minutes=terms().position_fresh_min):
        return "stale"
    return "busy" if at_work else "free"


def _answer(order: WorkOrder) -> dict[str, Any]:
    undo_until = order.assigned_at + timedelta(seconds=terms().undo_s)
    return answer_with(order, undo_until if order.status == OrderStatus.ASSIGNED else None)


def answer_with(order: WorkOrder, undo_until: datetime | None) -> dict[str, Any]:
    """An order and the card of its complaint as it is now, and until when what was done can be undone."""
    card = complaints.card(db(), scope(), order.complaint_id)
    crew = db().get_one(Crew, order.crew_id)
    return {
        "order": {
            "id": order.id, "order_no": order.order_no, "complaint_id": order.complaint_id, "crew_id": order.crew_id,
            "crew": crew.name, "status": str(order.status), "start": iso(order.during.lower),
            "end": iso(order.during.upper), "minutes": order.minutes, "metres": order.metres, "by": order.by,
            "version": order.version, "override_reason": order.override_reason,
            "undo_until": iso(undo_until), "locked": order.locked,
        },
        "complaint": cards.cards([card])[0] if card else None,
    }  # fmt: skip
