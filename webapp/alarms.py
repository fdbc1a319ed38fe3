"""Alarms at the desk: what is out of order now, who took note of it, what cleared by itself."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput
from gis.network import alarm_actions
from gis.network import alarm_queries as asking
from gis.network.reading_rules import KEPT_UNIT, AlarmKind
from webapp import forms
from webapp.access import db, needs, now, scope, who
from webapp.filters import number

pages = Blueprint("alarms", __name__)
STATES = ("open", "new", "acknowledged", "cleared", "all")
PAGE_ROWS = 100


@pages.get("/alarms")
@needs("see_network")
def index() -> str:
    """Alarms by state and kind; the page follows `/events`."""
    state, kind = request.args.get("state", "open"), request.args.get("kind", "")
    if state not in STATES:
        raise BadInput(reason="state")
    if kind and kind not in set(AlarmKind):
        raise BadInput(reason="kind")
    page = number("page", 1, 1, 10_000)
    asked = asking.Asked(state, kind or None, start=(page - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    rows = asking.alarms(db(), scope(), asked)
    total = rows[0]["total"] if rows else 0
    return render_template(
        "readings/alarms.html", rows=rows, total=total, page=page, page_count=max(1, -(-total // PAGE_ROWS)), states=STATES, state=state,
        kinds=list(AlarmKind), kind=kind, units=KEPT_UNIT, at=now(),
    )  # fmt: skip


@pages.post("/alarms/<int:alarm_id>/acknowledge")
@needs("acknowledge_alarm")
def acknowledge(alarm_id: int) -> Response:
    """Take note of an alarm."""
    alarm_actions.acknowledge(
        db(), who(), scope(), alarm_id if alarm_id < 1 << 62 else 0, forms.text("note"), forms.whole("base_version")
    )
    flash(_("Noted. The alarm clears by itself when the values are back."), "done")
    back = forms.text("back")
    return redirect(back if back.startswith(("/stations/", "/alarms")) else url_for("alarms.index"), 303)  # type: ignore[return-value]
