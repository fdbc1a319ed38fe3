"""Public promises: kept at the desk, shown to everybody with everything that became of them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from gis.errors import BadInput, ChengmaiError
from gis.oversight import promises
from gis.oversight.rules import TEXT_LIMITS, PromiseStatus
from gis.people.queries import units
from gis.people.rules import CITY
from webapp import filters, forms
from webapp.access import db, needs, public, scope, who
from webapp.filters import today, zone
from webapp.i18n import message
from webapp.public_guard import choose_language, keep_language

pages = Blueprint("promises", __name__)
SHOWN = ("", "overdue", "moved", *PromiseStatus)


def _status() -> str:
    status = request.args.get("status", "")
    if status not in SHOWN:
        raise BadInput(reason="status")
    return status


@pages.get("/oversight/promises")
@needs("see_oversight")
def index() -> str:
    """The promises of the desk's scope, those beyond their day first, and the form for another."""
    return _index()


def _index(error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    total, rows = promises.listed(db(), scope(), today(), status=_status())
    return render_template(
        "oversight/promises.html", rows=rows, total=total, counts=promises.counts(db(), scope(), today()), status=_status(),
        shown=SHOWN, today=today(), units=units(db()), limits=TEXT_LIMITS, error=error, typed=typed or {},
    )  # fmt: skip


@pages.post("/oversight/promises")
@needs("keep_promises")
def make() -> Response | tuple[str, int]:
    """Make a promise; it is public at once."""
    try:
        given = promises.Pledged(
            text=forms.text("text"), text_en=forms.text("text_en"), person=forms.text("person"), post=forms.text("post"),
            due_on=forms.day("due_on"), source=forms.text("source"), unit_id=forms.whole("unit_id"), area_id=scope().area_id,
            made_on=forms.day("made_on") if forms.text("made_on") else None,
        )  # fmt: skip
        made = promises.promise(db(), who(), given, zone=zone())
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error), request.form), error.status
    return redirect(url_for("promises.show", promise_id=made.id), 303)


@pages.get("/oversight/promises/<int:promise_id>")
@needs("see_oversight")
def show(promise_id: int) -> str:
    """One promise with its whole history, and what can be done."""
    return _show(promise_id)


def _show(promise_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = promises.one(db(), scope(), promise_id if promise_id < 1 << 62 else 0)
    return render_template(
        "oversight/promise.html", row=row, history=promises.histories(db(), [promise_id]).get(promise_id, []), today=today(),
        limits=TEXT_LIMITS, error=error, typed=typed or {},
    )  # fmt: skip


@pages.post("/oversight/promises/<int:promise_id>")
@needs("keep_promises")
def change(promise_id: int) -> Response | tuple[str, int]:
    """Move it, reword it, or say what became of it; the reason is asked for each time."""
    promises.one(db(), scope(), promise_id if promise_id < 1 << 62 else 0)
    verb, version, why = forms.text("verb"), forms.whole("base_version"), forms.text("note")
    try:
        if verb == "move":
            promises.move(db(), who(), scope(), promise_id, forms.day("due_on"), why, version)
        elif verb == "reword":
            text, english = forms.text("text"), forms.text("text_en")
            promises.reword(db(), who(), scope(), promise_id, text, english, why, version)
        elif verb in ("keep", "break"):
            promises.end(db(), who(), scope(), promise_id, verb == "keep", why, version)
        else:
            raise BadInput(reason="verb")
    except ChengmaiError as error:
        db().rollback()
        return _show(promise_id, message(error), request.form), error.status
    return redirect(url_for("promises.show", promise_id=promise_id), 303)


@pages.get("/public/promises")
@public
def everybody() -> Response:
    """What was promised, by whom, until when, and what became of it: for everybody, without signing in."""
    choose_language()
    page = filters.number("page", 1, 1, 10_000)
    total, rows = promises.listed(db(), CITY, today(), status=_status(), page=page)
    drawn = render_template(
        "oversight/public_promises.html", rows=rows, histories=promises.histories(db(), [row["id"] for row in rows]),
        counts=promises.counts(db(), CITY, today()), status=_status(), shown=SHOWN, today=today(), total=total, page=page,
        pages=max(1, -(-total // promises.LISTED)),
    )  # fmt: skip
    answer: Response = keep_language(make_response(drawn))
    return answer
