"""An inspector's visits: today's and the next days', in the order of the route, with all that must be known without signal."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import current_app
from pydantic import Field

from gis import journal
from gis.inspections import round_queries, site_queries
from gis.inspections.round_rules import Origin, VisitStatus
from gis.inspections.rules import Scope, Stage
from gis.inspections.site_rules import REQUIRED, CertificateKind, Fit, Held, Trade, fit
from gis.people.rules import Role
from mobile_api.v1.auth import db, needs, now, phone, who
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_visits", __name__, tag="visits")
DAYS_AHEAD = 2


class CertificateOut(Wire):
    """What somebody can show."""

    kind: CertificateKind
    no: str
    valid_from: date | None
    valid_to: date | None


class PersonOut(Wire):
    """Somebody who should be on the site. `fit`: do they hold what their trade `needs`, on the day of the visit?"""

    id: int
    name: str
    trade: Trade
    needs: CertificateKind
    fit: Fit
    certificates: list[CertificateOut]


class LastOut(Wire):
    """The bureau's last inspection of the site; `noes` are the items that were not kept."""

    at: datetime
    noes: list[str]


class VisitSiteOut(Wire):
    """The site of a visit, whole: nothing more has to be asked for on the way."""

    id: int
    code: str
    name: str
    scope: Scope
    stage: Stage
    is_heating: bool
    unit: str | None
    contractor: str | None
    area: str | None
    address: str
    door_no: str | None
    lon: float
    lat: float
    ground: dict[str, Any] | None = Field(description="GeoJSON of the ground, drawn or a building's")
    version: int
    synthetic: bool


class VisitOut(Wire):
    """A visit of this inspector. `stop_no` is its place in the day's route, `travel_s` the way from the stop before."""

    id: int
    on_day: date
    stop_no: int | None
    travel_s: float | None
    status: VisitStatus
    surprise: bool
    origin: Origin
    round: str | None
    why: list[dict[str, Any]] = Field(description="why the site was likely to be drawn: codes with numbers")
    version: int
    site: VisitSiteOut
    people: list[PersonOut]
    last: LastOut | None


class VisitsOut(Wire):
    """Visits by day and stop; whatever is not among them any more is to be put away."""

    today: date
    visits: list[VisitOut]


@api.get("/visits")
@needs("use_phone")
@api.output(VisitsOut)
def visits() -> dict[str, Any]:
    """The inspector's own visits of today and the next two days; a crew has none. That names are told is journalled once."""
    day = now().astimezone(ZoneInfo(current_app.config["SETTINGS"].timezone)).date()
    if phone().role != Role.INSPECTOR:
        return {"today": day, "visits": []}
    rows = round_queries.day(db(), phone().scope, phone().user_id, day, day + timedelta(days=DAYS_AHEAD))
    people = site_queries.people(db(), [row["site_id"] for row in rows])
    for row in rows:
        if not row["journalled"] and (row["door_no"] or any(p["site_id"] == row["site_id"] for p in people)):
            journal.write(db(), who(), "unmask", "site", row["site_id"], version=row["site_version"], purpose="visit",
                          visit_id=row["id"])  # fmt: skip
    return {
        "today": day,
        "visits": [_visit(row, [p for p in people if p["site_id"] == row["site_id"]]) for row in rows],
    }


def _visit(row: Any, people: list[Any]) -> dict[str, Any]:
    told = {
        key: row[key]
        for key in ("id", "on_day", "stop_no", "travel_s", "status", "surprise", "origin", "round", "version")
    }
    site = {key: row[key] for key in ("code", "name", "scope", "stage", "is_heating", "unit", "contractor", "area", "address",
                                      "door_no", "lon", "lat", "ground", "synthetic")}  # fmt: skip
    last = None if row["last_at"] is None else {"at": row["last_at"], "noes": row["last_noes"] or []}
    return told | {
        "why": row["why"] or [], "site": site | {"id": row["site_id"], "version": row["site_version"]}, "last": last,
        "people": [_person(person, row["on_day"]) for person in people],
    }  # fmt: skip


def _person(person: Any, day: date) -> dict[str, Any]:
    held = [Held(c["kind"], _day(c["valid_from"]), _day(c["valid_to"])) for c in person["certificates"]]
    return {
        "id": person["id"], "name": person["name"], "trade": person["trade"], "needs": REQUIRED[Trade(person["trade"])],
        "fit": fit(person["trade"], held, day), "certificates": person["certificates"],
    }  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
