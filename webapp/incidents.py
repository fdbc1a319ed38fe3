"""Incidents at the desk: what is suspected, what runs, one incident with its map, its members and its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.complaints import incident_queries as queries
from gis.complaints import incidents
from gis.complaints.incident_model import Incident
from gis.complaints.model import Category
from gis.complaints.privacy import masked_text
from gis.complaints.repeat_rules import SUSPECT_FROM, SUSPECT_HOURS, SUSPECT_M
from gis.complaints.rules import may_step
from gis.errors import BadInput, ChengmaiError, Missing
from gis.people.queries import names_of
from webapp import cards
from webapp.access import db, needs, now, scope, who
from webapp.complaints import visible_complaint
from webapp.explained_words import summary
from webapp.filters import number, zone
from webapp.i18n import message
from webapp.repeats import named

pages = Blueprint("incidents", __name__)
SUSPECTS_SHOWN = 12


@pages.get("/incidents")
@needs("see_complaints")
def index() -> str:
    """What is suspected now, what runs, and what is over."""
    hours, metres = number("hours", SUSPECT_HOURS, 1, 168), number("metres", int(SUSPECT_M), 50, 3000)
    least = number("least", SUSPECT_FROM, 2, 100)
    explained = summary()
    without = frozenset(explained["ids"]) if explained else frozenset()
    found = queries.suspected(db(), scope(), now(), hours=hours, radius_m=metres, least=least, without=without)
    rows = queries.listing(db(), scope())
    return render_template(
        "incidents/index.html", suspects=[_suspect(one) for one in found[:SUSPECTS_SHOWN]], many=len(found), rows=rows,
        hours=hours, metres=metres, least=least, category_name=cards.category_name, explained=explained,
    )  # fmt: skip


def _suspect(found: queries.Suspect) -> dict[str, Any]:
    return {
        "suspect": found, "evidence": [evidence_words(one) for one in found.evidence],
        "rows": [row | {"place": masked_text(row["place"]), "category_name": cards.category_name(row)} for row in found.rows],
    }  # fmt: skip


def evidence_words(told: dict[str, Any]) -> str:
    """One piece of evidence, as a sentence."""
    match told["code"]:
        case "many":
            return _("%(n)s callers within %(metres)s m of one place", n=told["n"], metres=told["metres"])
        case "fast":
            return _("all within %(minutes)s minutes", minutes=told["minutes"])
        case "words":
            return _("several say “%(words)s”", words=" / ".join(masked_text(piece) for piece in told["pieces"]))
        case "station":
            return _("%(n)s of %(of)s are served by %(name)s", n=told["n"], of=told["of"], name=told["name"])
        case "pipeline":
            return _("pipeline %(name)s runs %(n)s m from the middle", name=told["name"], n=told["n"])
        case _:
            return _("%(n)s more nearby already have a crew of their own", n=told["n"])


@pages.post("/incidents")
@needs("run_incidents")
def open_one() -> Response:
    """Make an incident of the chosen complaints: a proposal by one click, or a selection."""
    ids = _chosen()
    asset_kind, asset_id = request.form.get("asset_kind", ""), _number("asset_id")
    try:
        with db().begin_nested():
            made = incidents.open_incident(
                db(), who(), ids, lead_id=_number("lead_id"), name=request.form.get("name", ""),
                cause=request.form.get("cause", ""), category=_category(), zone=zone(),
                asset=(asset_kind, asset_id) if asset_kind in ("station", "pipeline", "outage") and asset_id else None,
                radius_m=float(_number("radius_m") or 0) or None,
            )  # fmt: skip
    except ChengmaiError as error:
        flash(message(error), "error")
        return redirect(url_for("incidents.index"), 303)
    flash(
        _("Incident %(no)s is open. Send a crew for its lead: every step is carried to the others.", no=made.no), "done"
    )
    return redirect(url_for("incidents.show", incident_id=made.id), 303)


def _chosen() -> list[int]:
    """The complaints that were ticked, or whose file numbers were written; all of them in this person's scope."""
    numbers = request.form.get("numbers", "").replace(",", " ").replace("，", " ").split()[:1000]
    if numbers:
        return [named(one).id for one in numbers]
    ids = _ids("id")
    for one in ids:
        visible_complaint(one)
    return ids


def _category() -> str | None:
    """The category that a proposal names; only one that exists."""
    code = request.form.get("category", "")[:40]
    return code if code and "\0" not in code and db().get(Category, code) else None


@pages.get("/incidents/<int:incident_id>")
@needs("see_complaints")
def show(incident_id: int) -> str:
    """One incident: its map, its lead and members, what may be done, what happened."""
    incident = visible_incident(incident_id)
    rows = [row | {"place": masked_text(row["place"]), "category_name": cards.category_name(row)}
            for row in queries.members(db(), scope(), incident_id)]  # fmt: skip
    rows.sort(key=lambda row: row["id"] != incident.lead_id)
    lead = next((row for row in rows if row["id"] == incident.lead_id), None)
    happened = journal.timeline(db(), "incident", incident_id)
    return render_template(
        "incidents/show.html", incident=incident, rows=rows, lead=lead, happened=happened,
        names=names_of(db(), {entry["user_id"] for entry in happened if entry["user_id"]}),
        calls=sum(1 + row["repeat_count"] for row in rows), still=sum(row["closed_at"] is None for row in rows),
        asset=queries.asset_name(db(), incident), answerable=_answerable(lead), order=cards.running(incident.lead_id),
        points=[{"id": r["id"], "lon": r["lon"], "lat": r["lat"], "no": r["hotline_no"], "lead": r["id"] == incident.lead_id,
                 "closed": r["closed_at"] is not None} for r in rows if r["lon"] is not None],
    )  # fmt: skip


def _answerable(lead: dict[str, Any] | None) -> bool:
    """May this person answer the lead as it stands, and with it every caller?"""
    return lead is not None and may_step(current_user.role, "answer", lead["status"])


def visible_incident(incident_id: int) -> Incident:
    """The incident, if its lead is in this person's scope, or Missing."""
    found = queries.find(db(), scope(), incident_id) if incident_id < 1 << 62 else None
    if found is None:
        raise Missing(thing="incident", id=incident_id)
    return found


def _act(incident_id: int, act: Callable[[Incident], Any], done: str) -> Response:
    incident = visible_incident(incident_id)
    try:
        with db().begin_nested():
            act(incident)
        flash(done, "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


@pages.post("/incidents/<int:incident_id>/add")
@needs("run_incidents")
def add(incident_id: int) -> Response:
    """More complaints come in, by file number or id."""
    return _act(
        incident_id,
        lambda one: incidents.add(db(), who(), one, [named(request.form.get("no", "")).id]),
        _("It belongs to the incident now."),
    )


@pages.post("/incidents/<int:incident_id>/remove/<int:complaint_id>")
@needs("run_incidents")
def remove(incident_id: int, complaint_id: int) -> Response:
    """A member is another matter after all."""
    complaint = visible_complaint(complaint_id)
    return _act(
        incident_id, lambda one: incidents.take_out(db(), who(), one, complaint, _number("base_version")),
        _("%(no)s is received again and goes its own way.", no=complaint.hotline_no),
    )  # fmt: skip


@pages.post("/incidents/<int:incident_id>/lead/<int:complaint_id>")
@needs("run_incidents")
def lead(incident_id: int, complaint_id: int) -> Response:
    """Another member leads."""
    complaint = visible_complaint(complaint_id)
    return _act(
        incident_id, lambda one: incidents.lead_by(db(), who(), one, complaint),
        _("%(no)s leads the incident now.", no=complaint.hotline_no),
    )  # fmt: skip


@pages.post("/incidents/<int:incident_id>/describe")
@needs("run_incidents")
def describe(incident_id: int) -> Response:
    """Its name, and what is thought to be the cause."""
    name, cause = request.form.get("name", ""), request.form.get("cause", "")
    return _act(
        incident_id,
        lambda one: incidents.describe(db(), who(), one, name=name, cause=cause, base_version=_number("base_version")),
        _("Kept."),
    )  # fmt: skip


@pages.post("/incidents/<int:incident_id>/close")
@needs("run_incidents")
def close(incident_id: int) -> Response:
    """Over: every caller was answered."""
    return _act(
        incident_id,
        lambda one: incidents.close(db(), who(), one, _number("base_version")),
        _("The incident is closed."),
    )


def _number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None


def _ids(name: str) -> list[int]:
    given = request.form.getlist(name)[:1000]
    if not given or not all(one.isascii() and one.isdigit() and len(one) < 16 for one in given):
        raise BadInput(reason=name)
    return [int(one) for one in given]
