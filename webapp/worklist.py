"""The worklist: what only a person can put right, each with the one action that clears it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints import queries as complaints
from gis.complaints import worklist as work
from gis.complaints.categories import UNKNOWN
from gis.complaints.privacy import masked_text
from gis.complaints.rules import PlaceMissing
from gis.errors import BadInput, ChengmaiError
from gis.people.queries import units
from gis.places.queries import check_point, extent, working_days
from gis.places.rules import DATUM_NAMES, from_datum
from webapp import cards
from webapp.access import db, needs, scope, who
from webapp.complaints import visible_complaint, visible_row
from webapp.filters import today, zone
from webapp.i18n import message

pages = Blueprint("worklist", __name__)
SHOWN = 100
# Other rooms add theirs: kind -> (how many, where it is cleared).
MORE: dict[str, Callable[[], tuple[int, str]]] = {}


def adds(kind: str) -> Callable[[Callable[[], tuple[int, str]]], Callable[[], tuple[int, str]]]:
    """The decorated function tells how many of this kind wait for a person, and on which page they are cleared."""

    def keep(tells: Callable[[], tuple[int, str]]) -> Callable[[], tuple[int, str]]:
        MORE[kind] = tells
        return tells

    return keep


@pages.get("/worklist")
@needs("see_worklist")
def index() -> str:
    """All kinds with how many wait, and the list of the chosen one."""
    counts = work.counts(db(), scope())
    kind = request.args.get("kind") or next((k for k, n in counts.items() if n), "no_unit")
    if kind not in work.KINDS:
        raise BadInput(reason="kind")
    rows = [_told(row) for row in work.listing(db(), scope(), kind, SHOWN)]
    return render_template(
        "worklist/index.html", counts=counts, kind=kind, rows=rows, more={k: tells() for k, tells in MORE.items()},
        units=units(db()), categories=_by_utility(), years=work.missing_years(db(), scope()), shown=SHOWN,
    )  # fmt: skip


@pages.get("/worklist.json")
@needs("see_worklist")
def as_json() -> dict[str, Any]:
    """The same as JSON: every kind with its count, its list and where it is cleared."""
    kinds = [
        {"kind": kind, "count": n, "page": url_for("worklist.index", kind=kind),
         "rows": [_plain(row) for row in work.listing(db(), scope(), kind, SHOWN)]}
        for kind, n in work.counts(db(), scope()).items()
    ]  # fmt: skip
    others = [{"kind": kind, "count": n, "page": page, "rows": []} for kind, (n, page) in
              ((k, tells()) for k, tells in MORE.items())]  # fmt: skip
    return {"kinds": kinds + others}


def _told(row: Any) -> dict[str, Any]:
    return {**row, "place": masked_text(row["place"]), "description": masked_text(row["description"]),
            "category_name": cards.category_name(row)}  # fmt: skip


def _plain(row: Any) -> dict[str, Any]:
    told = _told(row)
    keys = ("id", "hotline_no", "category", "category_said", "category_name", "place", "status", "version")
    return {key: told[key] for key in keys} | {"received_at": cards.iso(row["received_at"]),
                                              "resolve_by": cards.iso(row["resolve_by"])}  # fmt: skip


def _by_utility() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for category in complaints.categories(db()):
        if category.code != UNKNOWN:
            found.setdefault(category.utility, []).append(category)
    return found


def _cleared(kind: str, act: Callable[[], Any], done: str) -> Response:
    try:
        with db().begin_nested():
            act()
        flash(done, "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("worklist.index", kind=kind), 303)


@pages.post("/worklist/<int:complaint_id>/unit")
@needs("see_worklist")
def choose_unit(complaint_id: int) -> Response:
    """Say who answers."""
    complaint = visible_complaint(complaint_id)
    unit = _number("unit_id") or 0
    return _cleared(
        "no_unit", lambda: work.choose_unit(db(), who(), complaint, unit, _number("base_version")),
        _("%(no)s has a unit now.", no=complaint.hotline_no),
    )  # fmt: skip


@pages.post("/worklist/<int:complaint_id>/category")
@needs("see_worklist")
def choose_category(complaint_id: int) -> Response:
    """Say what it is about."""
    complaint = visible_complaint(complaint_id)
    category = request.form.get("category", "")
    return _cleared(
        "unknown_category",
        lambda: work.choose_category(
            db(), who(), complaint, category, _number("base_version"), calendar=working_days(db()), zone=zone()
        ),
        _("%(no)s has a category now.", no=complaint.hotline_no),
    )  # fmt: skip


@pages.get("/worklist/<int:complaint_id>/place")
@needs("see_worklist")
def place(complaint_id: int) -> str:
    """The map, to say where it is."""
    return _place_page(complaint_id, {})


def _place_page(complaint_id: int, errors: dict[str, str]) -> str:
    row = visible_row(complaint_id)
    return render_template(
        "worklist/place.html", row=row, errors=errors, datums=DATUM_NAMES, extent=extent(db(), scope()),
        said=masked_text(row["place"]), description=masked_text(row["description"]), category=cards.category_name(row),
    )  # fmt: skip


@pages.post("/worklist/<int:complaint_id>/place")
@needs("see_worklist")
def locate(complaint_id: int) -> Response | tuple[str, int]:
    """Say where it is: by the map, or by coordinates of a declared system."""
    complaint = visible_complaint(complaint_id)
    form = request.form
    try:
        lon, lat = _coordinate("lon"), _coordinate("lat")
        datum = form.get("datum") or "wgs84"
        lon, lat = from_datum(lon, lat, datum) if form.get("sure") else check_point(db(), lon, lat, datum)
        with db().begin_nested():
            work.locate(db(), who(), complaint, lon, lat, form.get("place", ""), today(), _number("base_version"))
    except ChengmaiError as error:
        return _place_page(complaint_id, {"form": message(error)}), error.status
    flash(_("%(no)s is on the map now.", no=complaint.hotline_no), "done")
    return redirect(url_for("worklist.index", kind="not_located"), 303)


def _coordinate(name: str) -> float:
    try:
        return float(request.form.get(name, ""))
    except ValueError:
        raise PlaceMissing() from None


def _number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None
