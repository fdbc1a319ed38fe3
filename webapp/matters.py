"""What was raised face to face, at the desk: it becomes a complaint, a promise, or is answered on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints.queries import categories
from gis.errors import ChengmaiError
from gis.oversight import outreach, outreach_queries, promises
from gis.oversight.outreach_model import Matter
from gis.people.queries import units
from gis.places.queries import working_days
from webapp import forms
from webapp.access import db, needs, scope, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("matters", __name__)
PLACES = {"meeting": "meetings.show", "leader_day": "leader_days.show", "visit": "visits.show"}


def home(matter: Matter) -> str:
    """The page of the meeting, day or visit where it was raised."""
    for thing, endpoint in PLACES.items():
        number = getattr(matter, f"{thing}_id")
        if number is not None:
            return url_for(endpoint, **{f"{thing}_id": number})
    raise AssertionError


def raised(**where: int) -> Matter:
    """Keep what the form says was raised there; ticked `is_complaint` makes it a complaint at once."""
    matter = outreach.raise_matter(
        db(), who(), forms.text("text"), forms.text("category"), people=forms.whole("people", 1) or 0,
        answer=forms.text("answer"), **where,
    )  # fmt: skip
    if request.form.get("is_complaint"):
        made = outreach.make_complaint(db(), who(), matter, asked(), calendar=working_days(db()), zone=zone())
        flash(_("Complaint %(no)s is accepted.", no=made.hotline_no), "done")
    return matter


def asked() -> outreach.Asked:
    """Who raised it and where, as the form says."""
    return outreach.Asked(
        place=forms.text("place"), lon=forms.decimal("lon"), lat=forms.decimal("lat"),
        caller_name=forms.text("caller_name"), caller_phone=forms.text("caller_phone"),
    )  # fmt: skip


def choices() -> list[Any]:
    """The categories that a matter can be about."""
    return categories(db())


@pages.get("/oversight/matters/<int:matter_id>")
@needs("hold_meetings")
def show(matter_id: int) -> str:
    """One matter, with the forms of what it can become."""
    return _show(matter_id)


def _matter(matter_id: int) -> Matter:
    return outreach_queries.matter(db(), scope(), matter_id if matter_id < 1 << 62 else 0)


def _show(matter_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    matter = _matter(matter_id)
    return render_template(
        "oversight/matter.html", matter=matter, back=home(matter), units=units(db()), error=error, typed=typed or {},
        category=next(c for c in choices() if c.code == matter.category),
    )  # fmt: skip


@pages.post("/oversight/matters/<int:matter_id>")
@needs("hold_meetings")
def settle(matter_id: int) -> Response | tuple[str, int]:
    """It becomes what the form says: a complaint, a promise, or an answer."""
    matter = _matter(matter_id)
    try:
        _settle(matter, forms.text("becomes"))
    except ChengmaiError as error:
        db().rollback()
        return _show(matter_id, message(error), request.form), error.status
    return redirect(home(matter), 303)


def _settle(matter: Matter, becomes: str) -> None:
    if becomes == "complaint":
        made = outreach.make_complaint(db(), who(), matter, asked(), calendar=working_days(db()), zone=zone())
        flash(_("Complaint %(no)s is accepted.", no=made.hotline_no), "done")
    elif becomes == "promise":
        given = promises.Pledged(
            text=forms.text("promise"), person=forms.text("person"), post=forms.text("post"), due_on=forms.day("due_on"),
            unit_id=forms.whole("unit_id"), source=forms.text("source"),
        )  # fmt: skip
        outreach.make_promise(db(), who(), matter, given, zone=zone())
        flash(_("The promise is public now."), "done")
    else:
        outreach.answer_matter(db(), who(), matter, forms.text("answer"))


@pages.post("/oversight/matters/<int:matter_id>/solved")
@needs("hold_meetings")
def solved(matter_id: int) -> Response | tuple[str, int]:
    """What was found on the spot is solved, and how."""
    matter = _matter(matter_id)
    try:
        outreach.solve_matter(db(), who(), matter, forms.text("solution"))
    except ChengmaiError as error:
        db().rollback()
        return _show(matter_id, message(error), request.form), error.status
    flash(_("The problem is solved."), "done")
    return redirect(home(matter), 303)
