"""Complaints at the desk: lists, details, steps, unmasking, the call-taker's form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_login import current_user

from gis.complaints import actions, clocks, queries
from gis.complaints.categories import UNKNOWN
from gis.complaints.lines import code_of
from gis.complaints.lines import lines as channel_lines
from gis.complaints.model import Complaint
from gis.complaints.rules import (
    LIMITS,
    Channel,
    Complexity,
    Status,
    UnknownCategory,
    Vulnerable,
)
from gis.errors import BadInput, Missing
from gis.oversight import rollup_queries
from gis.people.rules import CITY
from gis.places.queries import areas, extent, working_days
from gis.places.rules import DATUM_NAMES, AreaLevel
from webapp import cards
from webapp.access import db, needs, now, scope, who
from webapp.bodies import Body, body
from webapp.filters import from_request, number, zone
from webapp.i18n import word
from webapp.intake_form import IntakeForm

pages = Blueprint("complaints", __name__)


class UnmaskBody(Body):
    """Why a caller's number is to be shown."""

    purpose: str | None = None


@pages.get("/complaints.json")
@needs("see_complaints")
def listing() -> dict[str, Any]:
    """A page of the list, and the figures of the bar above it."""
    filters = from_request()
    sort = request.args.get("sort", "due")
    if sort not in ("due", "newest"):
        raise BadInput(reason="sort")
    found = queries.listing(
        db(), scope(), filters, now(), sort=sort, after=request.args.get("after") or None,
        limit=number("limit", 100, 1, 500),
    )  # fmt: skip
    counts = rollup_queries.counters(db(), scope(), filters, now())
    return {
        "total": counts.pop("total"),
        "counts": counts,
        "next": found.next,
        "rows": cards.cards(found.rows),
    }


@pages.get("/complaints/<int:complaint_id>.json")
@needs("see_complaints")
def detail(complaint_id: int) -> dict[str, Any]:
    """Everything about one complaint."""
    return cards.detail(visible_row(complaint_id))


def visible_row(complaint_id: int) -> queries.Row:
    """The row of a complaint in this person's scope, or Missing."""
    row = queries.card(db(), scope(), complaint_id) if complaint_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="complaint", id=complaint_id)
    return row


def visible_complaint(complaint_id: int) -> Complaint:
    """The complaint itself, for a verb, or Missing."""
    complaint = queries.find(db(), scope(), complaint_id) if complaint_id < 1 << 62 else None
    if complaint is None:
        raise Missing(thing="complaint", id=complaint_id)
    return complaint


@pages.post("/complaints/<int:complaint_id>/unmask")
@needs("unmask_caller")
def unmask(complaint_id: int) -> dict[str, Any]:
    """The caller's name, number and door; the purpose is written down."""
    complaint = visible_complaint(complaint_id)
    told = actions.unmask(db(), who(), complaint, body(UnmaskBody).purpose)
    return {"name": told.name, "phone": told.phone, "door_no": told.door_no, "email": told.email}


@pages.get("/complaints/deadline.json")
@needs("receive_complaint")
def deadline() -> dict[str, Any]:
    """Until when a complaint received now must be closed."""
    code = request.args.get("category", "")
    kind = next((c for c in queries.categories(db()) if c.code == code), None)
    if kind is None:
        raise UnknownCategory(category=code[:40])
    complexity = request.args.get("complexity") or kind.complexity
    if complexity not in ("ordinary", "complex"):
        raise BadInput(reason="complexity")
    due, further = clocks.begin(db(), code, complexity, now(), working_days(db()), zone())
    return {
        "complexity": complexity, "resolve_by": cards.iso(due.resolve_by), "source": due.source,
        "missing_years": list(due.missing_years), "calendar_missing": bool(due.missing_years),
        "further": [{"measure": one.measure, "due_at": cards.iso(one.due_at)} for one in further],
    }  # fmt: skip


@pages.get("/complaints/new")
@needs("receive_complaint")
def new() -> str:
    """The call-taker's form; after one is saved it says the number and is ready for the next call."""
    made = queries.card(db(), CITY, number("made", 0, 0, 999_999_999)) if "made" in request.args else None
    if made is not None and made["received_by"] != current_user.id:
        made = None  # a number is only told to who took the call; anybody else looks in the list
    form = IntakeForm.of({"channel": request.args.get("channel", "12319")})
    return _form_page(form, made=made)


@pages.post("/complaints")
@needs("receive_complaint")
def receive() -> Response | tuple[str, int]:
    """Keep what the caller told; where something is wrong, the form again with everything typed."""
    form = IntakeForm.of(request.form)
    made = form.save(db(), who(), scope())
    if made is None:
        return _form_page(form), 422
    return redirect(url_for("complaints.new", made=made.id, channel=form.typed["channel"]), 303)


def _form_page(form: IntakeForm, made: queries.Row | None = None) -> str:
    by_utility: dict[str, list[Any]] = {}
    for category in (c for c in queries.categories(db()) if c.code != UNKNOWN):
        by_utility.setdefault(category.utility, []).append(category)
    channels = [c for c in Channel if c != Channel.IMPORTED]
    joined = queries.card(db(), scope(), made["merged_into_id"]) if made and made["merged_into_id"] else None
    return render_template(
        "complaints/new.html", form=form, made=made, joined=joined, by_utility=by_utility, channels=channels, datums=DATUM_NAMES,
        lines=[(code_of(row["line"]), row["line"]) for row in channel_lines(db())], complexities=list(Complexity), limits=LIMITS, vulnerable=list(Vulnerable),
        earlier=_earlier(form), extent=extent(db(), scope()), category_name=cards.category_name,
    )  # fmt: skip


def _earlier(form: IntakeForm) -> queries.Row | None:
    """The complaint that already has the number, as far as this person may see it; else only that there is one."""
    if form.earlier is None:
        return None
    return queries.card(db(), scope(), form.earlier.id) or {"id": None, "hotline_no": form.earlier.hotline_no}


@pages.get("/filters.json")
@needs("see_complaints")
def filter_words() -> dict[str, Any]:
    """What the filters can be set to, in the reader's language."""
    english = str(get_locale()) == "en"
    levels = (AreaLevel.DISTRICT, AreaLevel.STREET, AreaLevel.COMMUNITY)
    return {
        "categories": [
            {"code": c.code, "name": c.name_en if english else c.name, "utility": c.utility}
            for c in queries.categories(db())
        ],
        "districts": [{"id": a["id"], "name": a["name"], "level": a["level"]} for a in areas(db(), scope(), levels)],
        "units": queries.units_with_complaints(db(), scope()),
        "statuses": [{"code": str(s), "name": word("status", s)} for s in Status],
    }
