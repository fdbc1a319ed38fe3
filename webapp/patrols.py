"""Patrols at the desk: planned over stations and measuring points, followed stop by stop, and which stations nobody visits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.inspections import patrol_queries as queries
from gis.inspections import patrols
from gis.inspections.patrol_rules import STOPS_MOST, PatrolStatus, StopState, stop_state
from webapp import forms
from webapp.access import db, needs, scope, who
from webapp.i18n import message
from webapp.rounds import terms
from webapp.sites import today

pages = Blueprint("patrols", __name__, url_prefix="/patrols")
LOOK_BACK_DAYS = 60


@pages.get("")
@needs("see_rounds")
def index() -> str:
    """The patrols of the last two months and those to come, and every station with its last visit."""
    rows = queries.patrols(db(), scope(), today() - timedelta(days=LOOK_BACK_DAYS))
    return render_template(
        "patrols/index.html", rows=[dict(row) | {"missed": _missed(row)} for row in rows], today=today(),
        stations=[dict(row) | {"days": _days(row)} for row in queries.coverage(db(), scope(), today())],
    )  # fmt: skip


def _missed(row: Mapping[str, Any]) -> int:
    """How many stops nobody told of, once the patrol has ended or its day is over; one called off misses nothing."""
    if row["status"] == PatrolStatus.CALLED_OFF:
        return 0
    left = int(row["stops"] - row["visited"] - row["skipped"])
    return left if stop_state(None, row["status"], row["on_day"], today()) is StopState.MISSED else 0


def _days(row: Mapping[str, Any]) -> int | None:
    return None if row["last_at"] is None else max((today() - row["last_at"].date()).days, 0)


@pages.get("/new")
@needs("plan_rounds")
def new() -> str:
    """A patrol to be planned: those stations first that were visited longest ago."""
    return _new({})


def _new(typed: Mapping[str, str], error: str = "") -> str:
    return render_template(
        "patrols/new.html", typed=typed, error=error, today=today(), most=STOPS_MOST, people=queries.walkers(db(), scope()),
        stations=[dict(row) | {"days": _days(row)} for row in queries.coverage(db(), scope(), today())], points=queries.single_points(db(), scope()),
        chosen=request.form.getlist("station") or request.args.getlist("station"), chosen_points=request.form.getlist("point"),
    )  # fmt: skip


@pages.post("")
@needs("plan_rounds")
def plan() -> Response | tuple[str, int]:
    """Plan it: the order of the stops is the shortest way."""
    try:
        made = patrols.plan(db(), who(), scope(), patrols.Planned(
            name=forms.text("name"), on_day=forms.day("on_day"), user_id=forms.needed("user_id"), stations=forms.chosen("station"),
            points=forms.chosen("point"), note=forms.text("note"),
        ), today(), terms())  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _new(request.form, message(error)), error.status
    flash(_("The patrol is planned; the phone has it with its next sync."), "done")
    return redirect(url_for("patrols.show", patrol_id=made.id), 303)  # type: ignore[return-value]


@pages.get("/<int:patrol_id>")
@needs("see_rounds")
def show(patrol_id: int) -> str:
    """A patrol stop by stop: what was read, what is out of its band, what was missed."""
    return _show(patrol_id)


def _show(patrol_id: int, error: str = "") -> str:
    row = queries.patrol(db(), scope(), patrol_id)
    stops = [
        dict(stop) | {"state": stop_state(stop["outcome"], row["status"], row["on_day"], today())}
        for stop in queries.stops(db(), [patrol_id])
    ]
    read = {one["point_id"] for stop in stops for one in stop["readings"]}
    points = {point.id: point for point in queries.points_of(db(), [], read)}
    return render_template("patrols/show.html", row=row, stops=stops, points=points, error=error, today=today())


@pages.post("/<int:patrol_id>")
@needs("plan_rounds")
def end(patrol_id: int) -> Response | tuple[str, int]:
    """End it, so that what is left counts as missed; or call it off."""
    try:
        patrols.end(
            db(), who(), scope(), patrol_id, forms.whole("base_version"), call_off=forms.text("verb") == "call_off"
        )
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _show(patrol_id, message(error)), error.status
    return redirect(url_for("patrols.show", patrol_id=patrol_id), 303)  # type: ignore[return-value]
