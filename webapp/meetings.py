"""Meetings face to face: when, where, who took part, the minutes, and what was raised."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gis.errors import ChengmaiError
from gis.oversight import outreach, outreach_queries
from gis.oversight.rules import TEXT_LIMITS, MeetingKind
from gis.people.queries import units
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp import forms, matters
from webapp.access import db, needs, scope, who
from webapp.i18n import message

pages = Blueprint("meetings", __name__)


@pages.get("/oversight/meetings")
@needs("see_oversight")
def index() -> str:
    """Meetings to come and held, and the form for another."""
    return _index()


def _index(error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    levels = (AreaLevel.DISTRICT, AreaLevel.STREET, AreaLevel.COMMUNITY)
    return render_template(
        "oversight/meetings.html", rows=outreach_queries.meetings(db(), scope()), kinds=list(MeetingKind), units=units(db()),
        areas=areas(db(), scope(), levels), limits=TEXT_LIMITS, error=error, typed=typed or {},
    )  # fmt: skip


def _plan() -> outreach.Plan:
    area = forms.whole("area_id")
    bound = scope().area_id
    return outreach.Plan(
        kind=forms.text("kind"), title=forms.text("title"), at=forms.moment("at"), place=forms.text("place"),
        participants=forms.text("participants"), minutes=forms.text("minutes"), area_id=area or bound,
        unit_id=forms.whole("unit_id"),
    )  # fmt: skip


@pages.post("/oversight/meetings")
@needs("hold_meetings")
def plan() -> Response | tuple[str, int]:
    """Enter a meeting."""
    try:
        made = outreach.plan_meeting(db(), who(), _plan())
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error), request.form), error.status
    return redirect(url_for("meetings.show", meeting_id=made.id), 303)


@pages.get("/oversight/meetings/<int:meeting_id>")
@needs("see_oversight")
def show(meeting_id: int) -> str:
    """One meeting with its minutes and what was raised; it prints as the record of the meeting."""
    return _show(meeting_id)


def _show(meeting_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    levels = (AreaLevel.DISTRICT, AreaLevel.STREET, AreaLevel.COMMUNITY)
    row = outreach_queries.meeting(db(), scope(), meeting_id if meeting_id < 1 << 62 else 0)
    return render_template(
        "oversight/meeting.html", row=row, raised=outreach_queries.matters(db(), scope(), meeting_id=meeting_id),
        categories=matters.choices(), kinds=list(MeetingKind), units=units(db()), areas=areas(db(), scope(), levels),
        limits=TEXT_LIMITS, error=error, typed=typed or {},
    )  # fmt: skip


@pages.post("/oversight/meetings/<int:meeting_id>")
@needs("hold_meetings")
def change(meeting_id: int) -> Response | tuple[str, int]:
    """Other words, the minutes; or held, or called off; or something that was raised there."""
    outreach_queries.meeting(db(), scope(), meeting_id if meeting_id < 1 << 62 else 0)
    verb, version = forms.text("verb"), forms.whole("base_version")
    try:
        if verb in ("hold", "call_off"):
            outreach.end_meeting(db(), who(), scope(), meeting_id, verb == "hold", version)
        elif verb == "raise":
            matters.raised(meeting_id=meeting_id)
        else:
            outreach.change_meeting(db(), who(), scope(), meeting_id, _plan(), version)
    except ChengmaiError as error:
        db().rollback()
        return _show(meeting_id, message(error), request.form), error.status
    return redirect(url_for("meetings.show", meeting_id=meeting_id), 303)
