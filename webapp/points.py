"""Measuring points: every one with what it measures, and the form for a new one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.network import point_actions
from gis.network import reading_queries as asking
from gis.network.reading_rules import UNITS, PointSide, Quantity
from gis.network.rules import Utility
from webapp import forms
from webapp.access import db, needs, now, scope, who
from webapp.i18n import message

pages = Blueprint("points", __name__)
MOST = 2000


@pages.get("/points")
@needs("edit_network_rules")
def index() -> str:
    """All points, and a form for another; `station_id` chooses its station."""
    return _page()


def _page(error: str | None = None) -> str:
    rows = asking.points_now(db(), scope(), now())
    return render_template(
        "readings/points.html", points=rows[:MOST], total=len(rows), stations=asking.stations(db(), scope()), units=UNITS,
        quantities=list(Quantity), sides=list(PointSide), utilities=list(Utility)[:3], error=error,
        typed=request.form or request.args,
    )  # fmt: skip


@pages.post("/points")
@needs("edit_network_rules")
def add() -> Any:
    """Add a point."""
    try:
        with db().begin_nested():
            made = point_actions.add_point(
                db(), who(), scope(), code=forms.text("code"), name=forms.text("name"), quantity=forms.text("quantity"),
                side=forms.text("side"), unit=forms.text("unit"), utility=forms.text("utility") or "heat", place=forms.text("place"),
                station_id=forms.whole("station_id"),
            )  # fmt: skip
    except ChengmaiError as error:
        return _page(message(error)), error.status
    flash(_("%(code)s can be measured from now on.", code=made.code), "done")
    return redirect(url_for("points.index", station_id=made.station_id), 303)


@pages.post("/points/<int:point_id>/use")
@needs("edit_network_rules")
def use(point_id: int) -> Response:
    """Out of use, or in use again."""
    active = forms.text("active") == "1"
    point_actions.set_active(
        db(), who(), scope(), point_id if point_id < 1 << 31 else 0, active, forms.whole("base_version")
    )
    return redirect(url_for("points.index"), 303)  # type: ignore[return-value]
