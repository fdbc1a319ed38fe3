"""Heating seasons at the desk: one per city and year, moved early or late by a decision, and everything that was decided."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.network import season_queries, seasons
from gis.network.season_rules import standing
from webapp import forms
from webapp.access import db, needs, now, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("seasons", __name__, url_prefix="/heating/seasons")


@pages.get("")
@needs("see_complaints")
def index() -> str:
    """Every season with its source, its state and its history; this bureau's own city first."""
    return _page()


def _page(error: str = "", typed: Mapping[str, str] | None = None, at: int = 0) -> str:
    city, told = season_queries.home_city(db()), season_queries.history(db())
    rows = [
        {"row": row, "state": standing(now(), row.during.lower, row.during.upper), "history": told.get(row.id, [])}  # type: ignore[arg-type]
        for row in season_queries.seasons(db())
    ]
    rows.sort(key=lambda told: told["row"].city != city)
    return render_template("weeks/seasons.html", rows=rows, city=city, error=error, typed=typed or {}, at=at)


@pages.post("")
@needs("edit_oversight")
def enter() -> Response | tuple[str, int]:
    """Enter a city's season."""
    try:
        seasons.enter(
            db(), who(), forms.text("city"), forms.moment("begins_at"), forms.moment("ends_at"), forms.text("source"),
            forms.text("note"), zone=zone(),
        )  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _page(message(error), request.form), error.status
    return _done()


@pages.post("/<int:season_id>")
@needs("edit_oversight")
def move(season_id: int) -> Response | tuple[str, int]:
    """Begin or end it earlier or later: by a decision, with its reason and source."""
    try:
        seasons.move(
            db(), who(), season_id, forms.moment("begins_at"), forms.moment("ends_at"), forms.text("reason"),
            forms.text("source"), forms.whole("base_version"),
        )  # fmt: skip
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _page(message(error), request.form, season_id), error.status
    return _done()


def _done() -> Response:
    flash(_("The heating season is kept."), "done")
    return redirect(url_for("seasons.index"), 303)  # type: ignore[return-value]
