"""Cases handed over to their unit item by item: the candidates, the lists, the end of each case."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.oversight import follow_up_queries, follow_ups, queries
from gis.oversight.rules import LONGEST_NOTICE, RULES, HandoverReason
from gis.places.queries import working_days
from webapp import forms
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("handovers", __name__)


@pages.get("/oversight/handovers")
@needs("see_oversight")
def index() -> str:
    """What is to be handed over, unit by unit, and what was."""
    return _index()


def _index(error: str | None = None) -> str:
    rows = follow_up_queries.to_hand_over(db(), scope()) if can("issue_notice") else []
    units = [(unit, list(group)[:LONGEST_NOTICE]) for unit, group in groupby(rows, key=lambda r: r["unit"])]
    return render_template(
        "oversight/handovers.html", units=units, lists=follow_up_queries.handovers(db(), scope(), now()),
        days=queries.number(db(), "handover_days"), seed=RULES["handover_days"], error=error,
    )  # fmt: skip


@pages.post("/oversight/handovers")
@needs("issue_notice")
def hand_over() -> Response | tuple[str, int]:
    """Hand over the ticked cases of one unit, each with its own limit."""
    try:
        ids = forms.chosen("complaint")
        cases = {number: forms.whole(f"days-{number}") for number in ids}
        reasons = {number: forms.text(f"reason-{number}") or str(HandoverReason.DISSATISFIED) for number in ids}
        made = follow_ups.hand_over(
            db(), who(), scope(), cases, reasons, note=forms.text("note"), calendar=working_days(db()), zone=zone()
        )
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _index(message(error)), error.status
    flash(_("Handed over: %(n)s.", n=len(cases)), "done")
    return redirect(url_for("handovers.show", handover_id=made.id), 303)


@pages.get("/oversight/handovers/<int:handover_id>")
@needs("see_oversight")
def show(handover_id: int) -> str:
    """One list, each case with its limit and its end; it prints as the list that goes to the unit."""
    return _show(handover_id)


def _show(handover_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = follow_up_queries.handover(db(), scope(), handover_id if handover_id < 1 << 62 else 0, now())
    return render_template(
        "oversight/handover.html",
        row=row,
        items=follow_up_queries.items(db(), handover_id),
        error=error,
        typed=typed or {},
    )


@pages.post("/oversight/handovers/<int:handover_id>/items/<int:item_id>")
@needs("answer_notice")
def end(handover_id: int, item_id: int) -> Response | tuple[str, int]:
    """Say how one case ended."""
    follow_up_queries.handover(db(), scope(), handover_id if handover_id < 1 << 62 else 0, now())
    try:
        version = forms.whole("base_version")
        follow_ups.end_item(db(), who(), handover_id, item_id, forms.text(f"ending-{item_id}"), version)
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _show(handover_id, message(error), request.form), error.status
    return redirect(url_for("handovers.show", handover_id=handover_id), 303)
