"""Which asset explains the calls, at the desk: ranked failures in words and on the map; one click makes incident, order and notice."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, json, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints import explaining_queries as queries
from gis.complaints import incidents
from gis.complaints.explaining import Cause, Explanation, explain
from gis.complaints.explaining_actions import Asked, open_explained
from gis.complaints.explaining_rules import HOURS, NotANetwork
from gis.complaints.repeat_rules import SUSPECT_HOURS
from gis.dispatch import together
from gis.dispatch.ranking import Search
from gis.errors import BadInput, ChengmaiError
from gis.network.rules import PIPED
from webapp.access import can, db, needs, now, scope, who
from webapp.dispatch import complaint_of, crew_of, say_finding, terms
from webapp.explained_words import evidence, less, notice_of, sure, title_of
from webapp.filters import number, zone
from webapp.i18n import message
from webapp.incidents import visible_incident

pages = Blueprint("explaining", __name__)
CREWS = 3
RADIUS_M = 400.0
MOST_POINTS = 6000


@pages.get("/incidents/explain")
@needs("see_complaints")
def index() -> str:
    """The failures that the calls of the last hours speak for, the surest first; `at` is an earlier moment."""
    hours, utilities = _window()
    at = _moment()
    try:
        found: Explanation | None = explain(db(), scope(), at or now(), hours=hours, utilities=utilities)
    except NotANetwork:
        found = None
    return render_template(
        "incidents/explain.html", found=found, hours=hours, utilities=utilities, piped=[str(u) for u in PIPED], choices=HOURS,
        causes=[_told(one_of, at is None) for one_of in found.causes] if found else [], drawing=_drawing(found) if found else None,
        at=at or now(), past=at is not None, query=urlencode([("hours", hours), *(("utility", u) for u in utilities)]), title_of=title_of,
    )  # fmt: skip


def _window() -> tuple[int, list[str]]:
    utilities = [value for value in request.args.getlist("utility") if value]
    if set(utilities) - {str(u) for u in PIPED}:
        raise BadInput(reason="utility")
    return number("hours", SUSPECT_HOURS, 1, 168), utilities


def _moment() -> datetime | None:
    """An earlier moment, as a form (local) or a link writes it; none for now."""
    raw = request.args.get("at", "").strip()
    if not raw:
        return None
    try:
        given = datetime.fromisoformat(raw)
    except ValueError:
        raise BadInput(reason="at") from None
    given = given if given.tzinfo else given.replace(tzinfo=zone())
    return min(given, now()) if given.year > 1900 else None


def _told(one_of: list[Cause], is_now: bool) -> dict[str, Any]:
    first = one_of[0]
    return {
        "cause": first, "title": title_of(first), "evidence": evidence(first), "sure": sure(first.ranked.odds),
        "notice": notice_of(first), "crews": _crews(first) if is_now and first.incident is None else [],
        "others": [{"cause": other, "title": title_of(other), "evidence": evidence(other),
                    "less": less(first.ranked.odds - other.ranked.odds)} for other in one_of[1:]],
    }  # fmt: skip


def _crews(cause: Cause) -> list[dict[str, Any]]:
    """The crews that dispatch would send for the lead, the best first; none where it has one already."""
    if not can("assign") or cause.lead_id is None or len(cause.free) < 2:
        return []
    lead = complaint_of(cause.lead_id)
    if lead.status not in queries.JOINABLE:
        return []
    ranking = Search(db(), lead, scope(), terms(), now()).best(CREWS)
    return [
        {"id": one.id, "name": ranking.facts[one.id].name, "minutes": one.minutes and round(one.minutes),
         "reasons": [say_finding(f) for f in one.reasons]}
        for one in ranking.crews if one.fits
    ]  # fmt: skip


def _drawing(found: Explanation) -> dict[str, Any]:
    """For the map: customers under any failure told (how many called from there), the pipes of each, and where to look."""
    under: dict[int, list[int]] = {}
    for i, one_of in enumerate(found.causes):
        for point in one_of[0].points:
            under.setdefault(point, []).append(i)
    shown = sorted(set(under) | set(found.called))[:MOST_POINTS]
    sections = {s: i for i, one_of in reversed(list(enumerate(found.causes))) for s in one_of[0].sections}
    lines = queries.lines(db(), sorted(sections)) if sections else {}
    return {
        "points": [[found.customers[p]["lon"], found.customers[p]["lat"], found.customers[p]["name"], found.called[p],
                    under.get(p, [])] for p in shown],
        "lines": [[json.loads(line), sections[s], found.causes[sections[s]][0].utility] for s, line in lines.items()],
    }  # fmt: skip


@pages.post("/incidents/explain")
@needs("run_incidents")
def make() -> Response:
    """One click: the incident of the calls, the order for its lead, what every caller is told. All of it or nothing."""
    hours, utilities = _window()
    form = request.form
    asked = Asked(
        form.get("key", "")[:60],
        hours,
        utilities,
        form.get("name", ""),
        form.get("cause", ""),
        form.get("notice", ""),
        RADIUS_M,
    )
    crew = form.get("crew", "")
    try:
        with db().begin_nested():
            made, is_new = open_explained(db(), who(), scope(), asked, zone())
            order = (
                _send(made.lead_id, crew) if is_new and crew.isascii() and crew.isdigit() and len(crew) < 10 else None
            )
    except ChengmaiError as error:
        flash(message(error), "error")
        return redirect(url_for("explaining.index", hours=hours, utility=utilities), 303)
    if not is_new:
        flash(_("Incident %(no)s was already there; the calls since then belong to it now.", no=made.no), "done")
    elif order:
        flash(
            _(
                "Incident %(no)s is open and %(crew)s is sent; every step is carried to all callers.",
                no=made.no,
                crew=order,
            ),
            "done",
        )
    else:
        flash(
            _("Incident %(no)s is open. Send a crew for its lead: every step is carried to the others.", no=made.no),
            "done",
        )
    return redirect(url_for("incidents.show", incident_id=made.id), 303)


def _send(lead_id: int, crew: str) -> str:
    """The order for the lead; its crew's name."""
    chosen = crew_of(int(crew))
    wish = together.Wish("assign", scope(), terms(), chosen)
    together.one(db(), who(), wish, together.Item(lead_id))
    return chosen.name


@pages.post("/incidents/<int:incident_id>/note")
@needs("run_incidents")
def note(incident_id: int) -> Response:
    """What happened on the way, and what callers are told now."""
    incident = visible_incident(incident_id)
    try:
        with db().begin_nested():
            incidents.note(db(), who(), incident, request.form.get("note", ""), request.form.get("notice", ""))
        flash(_("Kept."), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)
