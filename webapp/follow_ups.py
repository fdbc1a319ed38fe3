"""The follow-up caller's page: one list, one complaint at a time, worked through by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints.model import Complaint
from gis.errors import ChengmaiError
from gis.oversight import follow_up_queries, follow_ups, queries
from gis.oversight.rules import CallEnd, CallOutcome, Satisfaction
from webapp import forms
from webapp.access import db, needs, who
from webapp.complaints import visible_complaint
from webapp.filters import number
from webapp.i18n import message
from webapp.oversight import calls_due

pages = Blueprint("follow_ups", __name__)
ENDS = {
    CallEnd.CONFIRM: "%(no)s is confirmed.",
    CallEnd.REOPEN: "%(no)s is handled again.",
    CallEnd.AGAIN: "%(no)s is tried again later.",
}


@pages.get("/oversight/calls")
@needs("follow_up")
def index() -> str:
    """Who is to be called back; the first one is open unless another is chosen."""
    return _index()


def _index(error: str | None = None, typed: Mapping[str, str] | None = None, current: int = 0) -> str:
    calls = calls_due()
    everybody = [*calls.due, *calls.waiting]
    wanted = current or number("complaint", 0, 0, 1 << 29)
    chosen = next((row for row in everybody if row["id"] == wanted), everybody[0] if everybody else None)
    context: dict[str, Any] = {"chosen": chosen, "earlier": []}
    if chosen is not None:
        context["earlier"] = follow_up_queries.calls_of(db(), chosen["id"])
    return render_template(
        "oversight/calls.html", calls=calls, outcomes=list(CallOutcome), scale=list(Satisfaction), error=error,
        typed=typed or {}, attempts=queries.number(db(), "call_attempts"), **context,
    )  # fmt: skip


@pages.post("/oversight/calls/<int:complaint_id>")
@needs("follow_up")
def call(complaint_id: int) -> Response | tuple[str, int]:
    """Keep what became of a call, make the steps that follow, and go on to the next."""
    complaint = visible_complaint(complaint_id)
    try:
        made = follow_ups.follow_up(db(), who(), complaint, told(), base_version=forms.whole("base_version"))
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error), request.form, complaint_id), error.status
    flash(said(complaint, made), "done")
    return redirect(url_for("follow_ups.index"), 303)


def told() -> follow_ups.Told:
    """The call as the form tells it."""
    return follow_ups.Told(
        outcome=forms.text("outcome"), solved=forms.answer("solved"), process=forms.text("process") or None,
        result=forms.text("result") or None, note=forms.text("note"),
    )  # fmt: skip


def said(complaint: Complaint, made: follow_ups.Followed) -> str:
    """What followed, in words."""
    return str(_(ENDS[made.end], no=complaint.hotline_no))
