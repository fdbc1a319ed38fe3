"""Places at the desk: searching, converting coordinates, the working calendar."""

from __future__ import annotations

import re
from calendar import Calendar
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints.actions import renew_deadlines
from gis.errors import BadInput
from gis.network.queries import stations_called
from gis.places import actions, queries
from gis.places.model import CalendarDay
from gis.places.rules import SourceMissing, check_coordinates, check_year, from_datum
from webapp.access import db, needs, scope, who
from webapp.bodies import Body, body
from webapp.filters import decimal, today, zone
from webapp.i18n import message

pages = Blueprint("places", __name__)
_PAIR = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,， ]\s*(-?\d{1,3}(?:\.\d+)?)\s*")
LONGEST_Q = 80


@pages.get("/places/search.json")
@needs("see_complaints")
def search() -> list[dict[str, Any]]:
    """Names that people say for places, areas, stations; or a pair of coordinates (longitude, latitude, WGS-84)."""
    q = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_Q]
    if not q:
        return []
    pair = _PAIR.fullmatch(q)
    if pair:
        lon, lat = float(pair[1]), float(pair[2])
        check_coordinates(lon, lat)
        return [
            {"name": f"{lon}, {lat}", "kind": "coordinates", "lon": lon, "lat": lat, "source": "typed", "within": None}
        ]
    found = [dict(row) for row in queries.search(db(), q)]
    stations = [
        {
            "name": row["name"],
            "kind": "station",
            "lon": row["lon"],
            "lat": row["lat"],
            "source": "station",
            "within": None,
        }
        for row in stations_called(db(), scope(), q)
    ]
    return (found + stations)[:15]


class ConvertBody(Body):
    """Coordinates with the system they are declared in; `sure` keeps them although they look like another."""

    lon: float
    lat: float
    datum: str = "wgs84"
    sure: bool = False


@pages.post("/places/convert.json")
@needs("see_complaints")
def convert() -> dict[str, float]:
    """Declared coordinates as WGS-84."""
    asked = body(ConvertBody)
    if asked.sure:
        lon, lat = from_datum(asked.lon, asked.lat, asked.datum)
    else:
        lon, lat = queries.check_point(db(), asked.lon, asked.lat, asked.datum)
    return {"lon": lon, "lat": lat}


@pages.get("/places/at.json")
@needs("see_complaints")
def at() -> dict[str, Any]:
    """What a point is called: the areas it lies in, and the nearest name."""
    lon, lat = decimal("lon"), decimal("lat")
    if lon is None or lat is None:
        raise BadInput(reason="lon, lat")
    check_coordinates(lon, lat)
    return queries.names_at(db(), lon, lat)


# --- the working calendar --------------------------------------------------------------------------------------------
@pages.get("/calendar")
@needs("edit_calendar")
def calendar() -> str:
    """A year's exceptional days, and which years are known."""
    return _calendar_page(_year(request.args.get("year", "") or str(today().year)))


def _calendar_page(year: int, error: str | None = None, typed: dict[str, str] | None = None) -> str:
    days = queries.calendar_days(db(), year)
    known = {row.year: row.source for row in queries.calendar_years(db())}
    this = today().year
    return render_template(
        "places/calendar.html", year=year, source=known.get(year), days=days, error=error, typed=typed or {},
        years=sorted({*known, this, this + 1, year}), missing=sorted({y for y in (this, this + 1, year) if y not in known and y >= this}),
        known=known, months=months(year, {d.day: d for d in days}), first_weekday=date(year, 1, 1),
    )  # fmt: skip


def months(year: int, exceptions: dict[date, CalendarDay]) -> list[list[list[dict[str, Any] | None]]]:
    """Twelve months of weeks of seven days (Monday first), each with how it is worked; None outside the month."""
    made = []
    for month in range(1, 13):
        weeks = []
        for week in Calendar().monthdatescalendar(year, month):
            weeks.append([_day_cell(day, exceptions.get(day)) if day.month == month else None for day in week])
        made.append(weeks)
    return made


def _day_cell(day: date, exception: CalendarDay | None) -> dict[str, Any]:
    if exception is not None:
        kind = "worked" if exception.is_working else "holiday"
    else:
        kind = "ordinary" if day.weekday() < 5 else "rest"
    return {"number": day.day, "kind": kind, "name": exception.name if exception else ""}


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise BadInput(reason="year")
    check_year(int(text))
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(day=text[:20]) from None


class BadDay(BadInput):
    """This is not a day: %(day)s"""

    code = "bad_day"


@pages.post("/calendar/<int:year>/days")
@needs("edit_calendar")
def set_day(year: int) -> Response | tuple[str, int]:
    """List a holiday on a weekday, or a weekend day that is worked."""
    check_year(year)
    typed = {name: request.form.get(name, "") for name in ("day", "is_working", "name")}
    try:
        day = _day(typed["day"])
        actions.set_day(db(), who(), day, typed["is_working"] == "1", typed["name"])
    except BadInput as error:
        return _calendar_page(year, message(error), typed), error.status
    return redirect(url_for("places.calendar", year=day.year), 303)


@pages.post("/calendar/<int:year>/days/<day>/remove")
@needs("edit_calendar")
def remove_day(year: int, day: str) -> Response:
    """The day is an ordinary one again."""
    check_year(year)
    actions.remove_day(db(), who(), _day(day))
    return redirect(url_for("places.calendar", year=year), 303)


@pages.post("/calendar/<int:year>/known")
@needs("edit_calendar")
def know_year(year: int) -> Response | tuple[str, int]:
    """The year is complete; deadlines that were counted without it are counted again."""
    try:
        actions.know_year(db(), who(), year, request.form.get("source", ""))
    except SourceMissing as error:
        return _calendar_page(year, message(error)), error.status
    renewed = renew_deadlines(db(), who(), queries.working_days(db()), zone())
    if renewed:
        flash(_("%(n)s deadlines were counted again with the calendar.", n=renewed), "done")
    return redirect(url_for("places.calendar", year=year), 303)
