"""Weak mobile signal by cell, and areas that a utility does not reach: found, kept as spots, answered and promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask_babel import gettext as _

from gis.coverage import actions, queries, signal_queries
from gis.coverage.rules import RSRP_LIMITS_DBM, SpotKind, SpotOrigin, SpotState, WeakFromOdd
from gis.coverage.signal_queries import PIPED, Asked, Signal
from gis.errors import BadInput, ChengmaiError, Missing
from gis.network.rules import Utility
from gis.places.queries import areas, check_point, extent, names_at
from gis.places.rules import AreaLevel, Datum
from webapp import filters, forms
from webapp.access import db, needs, now, scope, who
from webapp.coverage_spots import address
from webapp.exports import xlsx_answer
from webapp.i18n import message

pages = Blueprint("coverage_signal", __name__)
CELLS_SHOWN = 100
THRESHOLDS = (-105.0, -110.0)
SHARES = (0.05, 0.2, 0.5)  # where the darker steps of the legend begin


def _asked() -> Asked:
    """The view of the URL, with the settings where it says nothing."""
    settings = current_app.config["SETTINGS"]
    given, (low, high) = filters.decimal("weak"), RSRP_LIMITS_DBM
    weak = settings.weak_dbm if given is None else given
    if not low <= weak <= high:
        raise WeakFromOdd(low=low, high=high)
    cell = filters.number("cell", settings.weak_cell_m, 10, 5_000)
    least = filters.number("least", settings.weak_least, 1, 10_000)
    return Asked(weak, cell, least, filters.said("operator"))


@pages.get("/coverage/signal")
@needs("see_coverage")
def index() -> Any:
    """Cells with their share of weak samples, the worst first; the spots that are kept."""
    return _page()


def _page(error: ChengmaiError | None = None, typed: Mapping[str, str] | None = None) -> Any:
    asked = _asked()
    found = signal_queries.signal(db(), scope(), asked)
    states = [s for s in request.args.getlist("state") if s in set(SpotState)]
    said, page = filters.said("q"), filters.number("page", 1, 1, 10_000)
    total, rows = queries.spots(db(), scope(), SpotKind.WEAK_SIGNAL_SPOT, states, said, page)
    drawn = render_template(
        "coverage/signal.html", asked=asked, found=found, cells=found.cells[:CELLS_SHOWN], names=_named(found), band=band,
        operators=signal_queries.operators(db()), thresholds=sorted({*THRESHOLDS, asked.weak_dbm}, reverse=True),
        rows=rows, total=total, listed=queries.LISTED, page=page, states=states, said=said, all_states=list(SpotState),
        tally=queries.tally(db(), scope(), SpotKind.WEAK_SIGNAL_SPOT), shapes=_shapes(found), bounds=_bounds(found, rows),
        shares=SHARES, today=filters.today(), error=message(error) if error else None, typed=typed or {},
    )  # fmt: skip
    return (drawn, error.status) if error else drawn


def band(share: float | None) -> int | None:
    """Which step of the legend a share is in; None has too few samples."""
    return None if share is None else sum(share >= step for step in SHARES)


def _named(found: Signal) -> list[str]:
    return [_name(cell.lon, cell.lat) for cell in found.cells[:CELLS_SHOWN]]


def _name(lon: float, lat: float) -> str:
    told = names_at(db(), lon, lat)
    return told["near"]["name"] if told["near"] else " ".join(area["name"] for area in told["areas"][-2:])


def _shapes(found: Signal) -> dict[str, Any]:
    """The cells for the map."""
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"no": n, "band": -1 if band(cell.share) is None else band(cell.share),
                                           "told": "" if cell.share is None else f"{100 * cell.share:.0f} %"},
         "geometry": {"type": "Polygon", "coordinates": [cell.corners]}}
        for n, cell in enumerate(found.cells, 1)
    ]}  # fmt: skip


def _bounds(found: Signal, rows: list[Any]) -> list[float] | None:
    places = [(c.lon, c.lat) for c in found.cells] + [(r["lon"], r["lat"]) for r in rows]
    if not places:
        box = extent(db(), scope())
        return list(box) if box else None
    lons, lats = zip(*places, strict=True)
    return [min(lons), min(lats), max(lons), max(lats)]


@pages.get("/coverage/signal.xlsx")
@needs("export")
def as_xlsx() -> Response:
    """The cells of the view as a table."""
    asked = _asked()
    found = signal_queries.signal(db(), scope(), asked)
    head = [_("Longitude"), _("Latitude"), _("Samples"), _("Weak samples"), _("Share of weak samples"), _("Behind a building"),
            _("Height of a building not known"), _("Nearest mast")]  # fmt: skip
    cells = [[c.lon, c.lat, c.samples, c.weak, c.share, c.hidden, c.unknown, c.mast] for c in found.cells]
    return xlsx_answer(f"weak_signal_{now():%Y%m%d}", _("Weak mobile signal"), head, cells, len(cells))


@pages.post("/coverage/signal/spots")
@needs("plan_coverage")
def keep() -> Any:
    """Keep a cell, or a place that somebody reports, as a weak signal spot."""
    lon, lat = forms.decimal("lon"), forms.decimal("lat")
    try:
        if lon is None or lat is None:
            raise forms.BadFormField(field="lon")
        lon, lat = check_point(db(), lon, lat, Datum.WGS84)
        told = actions.Weak(forms.text("name") or _name(lon, lat), lon, lat, forms.text("operator"))
        if forms.text("samples"):
            told = replace(told, samples=forms.needed("samples"), weak_samples=forms.needed("weak_samples"))
        spot = actions.report_weak(db(), who(), told)
    except ChengmaiError as error:
        db().rollback()
        return _page(error, request.form)
    return redirect(address(SpotKind.WEAK_SIGNAL_SPOT, spot.id), 303)


# --- areas not yet served --------------------------------------------------------------------------------------------
@pages.get("/coverage/unserved")
@needs("see_coverage")
def unserved() -> Any:
    """Areas farther than the settings say from every pipe of a utility, and those that are kept."""
    return _unserved()


def _utility() -> Utility:
    said = request.values.get("utility", str(Utility.GAS))
    if said not in set(Utility):
        raise BadInput(reason="utility")
    return Utility(said)


def _unserved(error: ChengmaiError | None = None) -> Any:
    utility, settings = _utility(), current_app.config["SETTINGS"]
    states = [s for s in request.args.getlist("state") if s in set(SpotState)]
    said, page = filters.said("q"), filters.number("page", 1, 1, 10_000)
    total, rows = queries.spots(db(), scope(), SpotKind.UNSERVED_AREA, states, said, page)
    levels = (AreaLevel.COMPOUND, AreaLevel.COMMUNITY, AreaLevel.STREET)
    drawn = render_template(
        "coverage/unserved.html", utility=utility, utilities=list(Utility), piped=PIPED, farther=settings.unserved_m,
        found=signal_queries.beyond_pipes(db(), scope(), utility, settings.unserved_m), rows=rows, total=total, listed=queries.LISTED,
        page=page, states=states, said=said, all_states=list(SpotState), tally=queries.tally(db(), scope(), SpotKind.UNSERVED_AREA),
        places=areas(db(), scope(), levels), today=filters.today(), error=message(error) if error else None,
    )  # fmt: skip
    return (drawn, error.status) if error else drawn


@pages.post("/coverage/unserved")
@needs("plan_coverage")
def keep_unserved() -> Any:
    """Keep an area as unserved: found by the distance to the pipes, or as somebody reports it."""
    utility, area_id = _utility(), forms.needed("area_id")
    if area_id not in {row["id"] for row in areas(db(), scope(), tuple(AreaLevel))}:
        raise Missing(thing="area", id=area_id)
    away = forms.decimal("away_m")
    origin = SpotOrigin.CITIZEN if away is None else SpotOrigin.ANALYSIS
    try:
        with db().begin_nested():
            spot = actions.report_unserved(db(), who(), area_id, utility, away, origin)
    except ChengmaiError as error:
        return _unserved(error)
    return redirect(address(SpotKind.UNSERVED_AREA, spot.id), 303)
