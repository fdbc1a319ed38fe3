"""Bands, curves, silences: the rules of a station's points with their history; a change is a new row from a day on."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.network import alarm_actions, alarm_queries, point_actions
from gis.network import reading_queries as asking
from gis.network.reading_rules import KEPT_UNIT, RETURN_OF, AlarmKind, BadAlarmRule, PointSide, Quantity
from gis.people.queries import names_of
from webapp import forms
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import today
from webapp.i18n import message

pages = Blueprint("alarm_rules", __name__)


@pages.get("/stations/<int:station_id>/rules")
@needs("see_network")
def index(station_id: int) -> str:
    """The rules of a station's points; who may not edit them reads them."""
    return _page(asking.station(db(), scope(), station_id if station_id < 1 << 31 else 0))


@pages.get("/points/rules")
@needs("see_network")
def loose() -> str:
    """The rules of points that belong to no station."""
    return _page(None)


def _page(station: dict[str, Any] | None, error: str | None = None, wrong: int | None = None) -> str:
    points = asking.points_now(
        db(), scope(), now(), station_id=station["id"] if station else None, loose=station is None
    )
    rules = alarm_queries.rules_of_points(db(), [row["id"] for row in points])
    by_point = {key: list(found) for key, found in groupby(rules, key=lambda rule: rule.point_id)}
    day = today()
    outdoor = [row for row in asking.points_now(db(), scope(), now(), loose=True) if row["side"] == PointSide.OUTDOOR]
    return render_template(
        "readings/rules.html", station=station, points=points, by_point=by_point, units=KEPT_UNIT, kinds=list(AlarmKind), today=day,
        others=points + [row for row in outdoor if row not in points], names={row["id"]: row["name"] for row in [*points, *outdoor]},
        people=names_of(db(), {rule.made_by for rule in rules if rule.made_by}), editable=can("edit_network_rules"), error=error,
        wrong=wrong, typed=request.form, offered=_offered, in_force=lambda rule: not rule.valid.isempty and rule.valid.upper is None,
    )  # fmt: skip


def _offered(point: dict[str, Any]) -> list[AlarmKind]:
    """Which kinds of rule make sense for a point: only a temperature follows a curve, only a supply can be swapped."""
    kinds = [AlarmKind.BAND, AlarmKind.SILENCE]
    if point["quantity"] == Quantity.TEMPERATURE:
        kinds.append(AlarmKind.CURVE)
        if point["side"] in RETURN_OF:
            kinds.append(AlarmKind.SWAPPED)
    return kinds


@pages.post("/points/<int:point_id>/rules")
@needs("edit_network_rules")
def put(point_id: int) -> Any:
    """A rule from a day on, or (`end`) none from a day on."""
    point = point_actions.point(db(), scope(), point_id if point_id < 1 << 31 else 0)
    try:
        with db().begin_nested():
            begins, kind = forms.day("begins"), _kind()
            if forms.text("end"):
                alarm_actions.end_rule(db(), who(), point, kind, begins)
            else:
                alarm_actions.put_rule(db(), who(), point, kind, begins, _given(point.station_id))
    except ChengmaiError as error:
        station = asking.station(db(), scope(), point.station_id) if point.station_id else None
        return _page(station, message(error), point.id), error.status
    flash(_("Kept. It counts from %(day)s on; what was watched before stays in the history.", day=begins), "done")
    where = (
        url_for("alarm_rules.index", station_id=point.station_id) if point.station_id else url_for("alarm_rules.loose")
    )
    return redirect(f"{where}#point-{point.id}", 303)


def _kind() -> AlarmKind:
    raw = forms.text("kind")
    if raw not in set(AlarmKind):
        raise BadAlarmRule(reason="kind")
    return AlarmKind(raw)


def _given(station_id: int | None) -> dict[str, Any]:
    other = forms.whole("other_id")
    if other is not None:
        beside = point_actions.point(db(), scope(), other)
        if beside.side != PointSide.OUTDOOR and beside.station_id != station_id:
            raise BadAlarmRule(reason="other_id")
    numbers = {name: forms.decimal(name) for name in alarm_actions.NUMBERS}
    minutes = {name: forms.whole(name) for name in alarm_actions.MINUTES}
    return {
        **numbers,
        **minutes,
        "other_id": other,
        "knots": _knots(forms.text("knots")),
        "source": forms.text("source"),
    }


def _knots(said: str) -> list[list[str]]:
    """A curve as it is typed: a line per knot, outdoor temperature and what is wanted."""
    return [parts for line in said.splitlines() if (parts := re.split(r"[\s,;:，；：]+", line.strip())) != [""]]
