"""The page of one complaint: what, where, who, its clocks, what can be done now, what happened. It prints as the file.

The page is built of sections. A room that has something to show of a complaint adds a function to `SECTIONS` (or, for what
belongs beside, to `ASIDE`): given the row it answers the name of its template and what that needs, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from gis.complaints import actions, law_queries
from gis.complaints.privacy import masked_text
from gis.complaints.queries import Row, vulnerable
from gis.complaints.rules import OPEN, PURPOSES
from gis.dispatch.queries import running_orders
from gis.errors import BadInput, ChengmaiError, NotAllowed, NotSignedIn
from gis.people.queries import names_of, units
from webapp import cards, complaints
from webapp.access import db, needs, now, who
from webapp.i18n import message, word
from webapp.step_forms import offer
from webapp.steps import asked_by_form, make

Section = Callable[[Row], tuple[str, dict[str, Any]] | None]
SHAPES = {"green": "●", "yellow": "▲", "orange": "◆", "red": "■", "done": "✓", "paused": "‖"}


def about(row: Row) -> tuple[str, dict[str, Any]]:
    """What somebody told, and where it is."""
    order = running_orders(db(), [row["id"]]).get(row["id"])
    seen = {"description": masked_text(row["description"]), "place": masked_text(row["place"]), "order": order}
    return "complaints/page/about.html", {"seen": seen, "names": cards.category_name(row)}


def caller(row: Row) -> tuple[str, dict[str, Any]]:
    """Who told it, behind stars; `told` and `error` come from the form that asks to see more."""
    return "complaints/page/caller.html", {
        "caller": cards.masked_caller(row["id"]), "purposes": PURPOSES, "vulnerable": vulnerable(db(), row["id"]),
    }  # fmt: skip


def clocks(row: Row) -> tuple[str, dict[str, Any]]:
    """Until when, by which rule, and when what was done."""
    total = max((row["resolve_by"] - row["received_at"]).total_seconds(), 1.0)
    stands = row["paused_at"] or row["closed_at"] or now()
    used = min(max((stands - row["received_at"]).total_seconds() / total, 0.0), 1.0)
    return "complaints/page/clocks.html", {
        "is_open": row["status"] in OPEN, "at": now(), "used": round(100 * used), "state": cards.state_of(row),
        "further": law_queries.deadlines(db(), row["id"]), "pause": law_queries.running_pause(db(), row["id"]),
        "left": _span(abs(row["resolve_by"] - stands)), "over": stands > row["resolve_by"],
    }  # fmt: skip


def _span(span: timedelta) -> str:
    """Two units are enough to act on."""
    minutes = int(span.total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return str(_("%(d)s d %(h)s h", d=days, h=hours))
    return str(_("%(h)s h %(m)s min", h=hours, m=f"{rest:02}")) if hours else str(_("%(m)s min", m=rest))


def asked(row: Row) -> tuple[str, dict[str, Any]] | None:
    """What was asked for under the law and decided: returns, extensions, pauses, reminders."""
    if not (row["return_count"] or row["urge_count"] or _has_more(row)):
        return None
    found = {
        "returns": law_queries.returns(db(), row["id"]), "extensions": law_queries.extensions(db(), row["id"]),
        "pauses": law_queries.pauses(db(), row["id"]), "reminders": law_queries.reminders(db(), row["id"]),
    }  # fmt: skip
    people = {one.asked_by for one in (*found["returns"], *found["extensions"])}
    people |= {one.decided_by for one in (*found["returns"], *found["extensions"])}
    people |= {one.by_user for one in found["pauses"]} | {one.user_id for one in found["reminders"]}
    return "complaints/page/asked.html", {**found, "names": names_of(db(), {p for p in people if p})}


def _has_more(row: Row) -> bool:
    return bool(law_queries.extensions(db(), row["id"]) or law_queries.pauses(db(), row["id"]))


def steps(row: Row) -> tuple[str, dict[str, Any]] | None:
    """What its reader can do with it now, each with its form."""
    offered = offer(row, current_user.role)
    if not offered.verbs:
        return None
    asks_unit = any(f["kind"] == "unit" for fields in offered.forms.values() for f in fields)
    return "complaints/page/steps.html", {
        "verbs": offered.verbs, "forms": offered.forms, "units": units(db()) if asks_unit else [],
    }  # fmt: skip


def happened(row: Row) -> tuple[str, dict[str, Any]]:
    """The journal of it, oldest first."""
    return "complaints/page/happened.html", {"happened": cards.happened(row["id"])}


SECTIONS: list[Section] = [about, caller, asked, happened]
ASIDE: list[Section] = [clocks, steps]


@complaints.pages.get("/complaints/<int:complaint_id>")
@needs("see_complaints")
def page(complaint_id: int) -> str:
    """One complaint with everything that its reader may see and do."""
    return _page(complaint_id)


@complaints.pages.post("/complaints/<int:complaint_id>/caller")
@needs("unmask_caller")
def show_caller(complaint_id: int) -> str | tuple[str, int]:
    """The same page with the caller's details, for a purpose that is written down."""
    complaint = complaints.visible_complaint(complaint_id)
    purpose = request.form.get("purpose_text", "").strip() or request.form.get("purpose", "")
    try:
        told = actions.unmask(db(), who(), complaint, purpose)
    except BadInput as error:
        return _page(complaint_id, error=message(error)), error.status
    return _page(complaint_id, told=told)


@complaints.pages.post("/complaints/<int:complaint_id>/step")
@needs("take_step")
def step_form(complaint_id: int) -> Any:
    """A step from the page's own form; where it is refused, the page as it is now with everything typed."""
    complaint = complaints.visible_complaint(complaint_id)
    verb, base_version, given = asked_by_form(request.form)
    try:
        make(complaint, verb, base_version, dict(given))
    except (NotAllowed, NotSignedIn):
        raise
    except ChengmaiError as error:
        db().rollback()  # the answer is committed, and nothing of the refused step may be in it
        db().expire_all()
        failed = {"verb": verb, "given": request.form, "message": message(error), "field": error.params.get("field")}
        return _page(complaint_id, failed=failed), error.status
    flash(_("%(step)s: done", step=word("verb", verb)), "done")
    return redirect(url_for("complaints.page", complaint_id=complaint_id), 303)


def _page(complaint_id: int, **more: Any) -> str:
    row = complaints.visible_row(complaint_id)
    state = cards.state_of(row)
    return render_template(
        "complaints/page.html", row=row, names=cards.category_name(row), state=state, shape=SHAPES[state],
        sections=_drawn(SECTIONS, row, more), aside=_drawn(ASIDE, row, more),
    )  # fmt: skip


def _drawn(sections: list[Section], row: Row, more: dict[str, Any]) -> list[Markup]:
    found = [section(row) for section in sections]
    return [Markup(render_template(name, row=row, **(given | more))) for name, given in filter(None, found)]
