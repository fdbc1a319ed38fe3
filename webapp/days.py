"""An inspector's day at the desk: the visits as a list and a map, in the order of the route."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask_login import current_user

from gis.errors import Missing
from gis.inspections import round_queries, site_queries
from gis.inspections.round_rules import DAY_BEGINS, VISIT_MIN
from gis.people.rules import Role, Scope
from webapp.access import db, needs, scope
from webapp.filters import zone
from webapp.rounds import minutes, told
from webapp.sites import today, told_people

pages = Blueprint("days", __name__)


@pages.get("/day")
@needs("see_day")
def index() -> str:
    """One day of one inspector: an inspector's own, or anybody's for those who plan."""
    on_day = _day(request.args.get("on")) or today()
    chosen, others = _inspector()
    rows = round_queries.day(db(), _scope(), chosen, on_day) if chosen else []
    people = told_people(site_queries.people(db(), [row["site_id"] for row in rows]), on_day)
    stops = [
        dict(row) | {"told": told(row), "people": [p for p in people if p["site_id"] == row["site_id"]], "at": at}
        for row, at in zip(rows, arrivals(rows, on_day), strict=True)
    ]  # fmt: skip
    return render_template(
        "rounds/day.html", stops=stops, on_day=on_day, today=today(), days=round_queries.days_with_visits(db(), chosen, on_day) if chosen else [],
        inspectors=others, chosen=chosen, minutes=minutes, before=on_day - timedelta(days=1), after=on_day + timedelta(days=1),
        points=[{"n": n, "id": s["id"], "name": s["name"], "lon": s["lon"], "lat": s["lat"], "done": s["status"] == "done",
                 "ground": s["ground"]} for n, s in enumerate(stops, 1)],
    )  # fmt: skip


def _scope() -> Scope:
    """Inspectors are bound to their area and unit, as their phones are."""
    if current_user.role == Role.INSPECTOR:
        return Scope(area_id=current_user.area_id, unit_id=current_user.unit_id)
    return scope()


def _day(raw: str | None) -> date | None:
    try:
        return date.fromisoformat(raw) if raw else None
    except ValueError:
        return None


def _inspector() -> tuple[int | None, list[Any]]:
    """Whose day, and whose days may be looked at."""
    if current_user.role == Role.INSPECTOR:
        return int(current_user.id), []
    known = list(round_queries.inspectors(db(), scope(), today()))
    raw = request.args.get("inspector", "")
    if not raw:
        return (known[0]["id"] if known else None), known
    if raw.isascii() and raw.isdigit() and any(row["id"] == int(raw[:18]) for row in known):
        return int(raw), known
    raise Missing(thing="user", id=raw[:20])


def arrivals(rows: Any, on_day: date) -> list[str]:
    """When each stop is reached, by the city's clock, if the day begins on time and each visit takes its usual time."""
    at = datetime.combine(on_day, time.fromisoformat(DAY_BEGINS), tzinfo=zone())
    found = []
    for row in rows:
        at += timedelta(seconds=row["travel_s"] or 0)
        found.append(at.strftime("%H:%M"))
        at += timedelta(minutes=VISIT_MIN)
    return found
