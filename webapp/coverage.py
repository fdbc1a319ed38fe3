"""The planner's page of coverage: what cameras see, which roads nobody sees, and where more cameras help most. The URL is the view."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely
from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.coverage import actions, analysis, infill_sites, queries
from gis.coverage import ground_queries as ground
from gis.coverage.infill_sites import Infill
from gis.coverage.rules import (
    CAMERA_TYPES,
    PIXELS_PER_M,
    CameraState,
    NoSuchRoad,
    SpotKind,
    SpotState,
    ViewLevel,
    heading,
)
from gis.errors import BadInput, ChengmaiError, Missing
from gis.places.queries import extent
from webapp import filters, forms
from webapp.access import db, needs, now, scope, who
from webapp.complaints import visible_complaint
from webapp.exports import xlsx_answer
from webapp.i18n import message, word
from webapp.imports.layers import import_layer
from webapp.imports.text import safe_name

pages = Blueprint("coverage", __name__)
K_MOST = 50
INFILL_S = 4.5
LACKING_SHOWN = 100
BROUGHT = ("cameras", "samples", "masts")


@pages.get("/coverage")
@needs("see_coverage")
def index() -> str | tuple[str, int]:
    """Cameras, roads seen by level, blind spots, proposals."""
    return _page()


def _page(error: ChengmaiError | None = None, typed: Mapping[str, str] | None = None) -> Any:
    states = [s for s in request.args.getlist("state") if s in set(SpotState)]
    said, page = filters.said("q"), filters.number("page", 1, 1, 10_000)
    total, rows = queries.spots(db(), scope(), SpotKind.BLIND_SPOT, states, said, page)
    run, last = queries.last_run(db()), queries.last_results(db())
    k, kind = filters.number("k", 0, 0, K_MOST), request.args.get("type", "1080p_4_mm")
    found = _infill(k, kind)
    seers = ground.cameras(db())
    lacking = [(s, s.optics.lacks()) for s in seers if s.optics.lacks()]
    names = _names([s.id for s, _ in lacking])
    drawn = render_template(
        "coverage/index.html", run=run, last=last, cameras=_cameras(seers), lacking=[one for one in lacking if one[0].id in names][:LACKING_SHOWN],
        lacking_names=names, lacks=Counter(lack for _, lacks in lacking for lack in lacks),
        levels=_levels(last), rows=rows, total=total, listed=queries.LISTED, page=page, states=states, said=said,
        tally=queries.tally(db(), scope(), SpotKind.BLIND_SPOT), all_states=list(SpotState), way=way, k=k, kind=kind,
        types=CAMERA_TYPES, found=found, bounds=_bounds(rows, found), proposals=_proposals(found), roads=queries.road_names(db()),
        px=PIXELS_PER_M, today=filters.today(), error=message(error) if error else None, typed=typed or {},
    )  # fmt: skip
    return (drawn, error.status) if error else drawn


def way(row: Mapping[str, Any]) -> str:
    """In which of eight directions a stretch is told, as a word within a sentence."""
    return word("heading", heading(row["azimuth"])).lower() if row["azimuth"] is not None else ""


def _cameras(seers: list[ground.Seer]) -> dict[str, int]:
    """How many cameras there are, by what matters for coverage."""
    states = Counter(s.state for s in seers)
    return {
        "all": len(seers), **{str(state): states[state] for state in CameraState},
        "ptz": sum(s.optics.is_ptz for s in seers), "lacking": sum(bool(s.optics.lacks()) for s in seers),
    }  # fmt: skip


def _names(ids: list[int]) -> dict[int, str]:
    return queries.camera_names(db(), scope(), ids)


def _levels(last: Any) -> list[dict[str, Any]]:
    """Rows of the table by level: metres and shares of all road."""
    if last is None or not last.results.get("road_m"):
        return []
    road = last.results["road_m"]
    return [
        {"level": level, "px": PIXELS_PER_M[level], **{name: (metres, metres / road) for name, metres in last.results["levels"][level].items()}}
        for level in ViewLevel
    ]  # fmt: skip


def _infill(k: int, kind: str) -> Infill | None:
    if k == 0:
        return None
    if kind not in CAMERA_TYPES:
        raise BadInput(reason="type")
    return infill_sites.propose(db(), k, CAMERA_TYPES[kind], INFILL_S)


def _proposals(found: Infill | None) -> dict[str, Any]:
    """The proposed sites for the map."""
    features = [
        {"type": "Feature", "properties": {"no": n}, "geometry": shapely.geometry.mapping(site.field)}
        for n, site in enumerate(found.sites if found else (), 1)
    ] + [
        {"type": "Feature", "properties": {"no": n, "site": True}, "geometry": {"type": "Point", "coordinates": [site.lon, site.lat]}}
        for n, site in enumerate(found.sites if found else (), 1)
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def _bounds(rows: list[Any], found: Infill | None) -> list[float] | None:
    """West, south, east, north of what the table shows; else of the city."""
    places = [(r["lon"], r["lat"]) for r in rows] + [(s.lon, s.lat) for s in (found.sites if found else ())]
    if not places:
        box = extent(db(), scope())
        return list(box) if box else None
    lons, lats = zip(*places, strict=True)
    return [min(lons), min(lats), max(lons), max(lats)]


# --- computing -------------------------------------------------------------------------------------------------------
@pages.post("/coverage/run")
@needs("plan_coverage")
def compute() -> Any:
    """Have coverage computed anew."""
    try:
        with db().begin_nested():
            actions.ask_run(db(), who())
    except ChengmaiError as error:
        return _page(error)
    return redirect(url_for("coverage.index"), 303)


@pages.get("/coverage/run.json")
@needs("see_coverage")
def progress() -> Response:
    """How far the computation is."""
    run = queries.last_run(db())
    return jsonify(None if run is None else {"id": run.id, "state": run.state, "done": run.done, "total": run.total})


# --- bringing in -----------------------------------------------------------------------------------------------------
@pages.post("/coverage/import")
@needs("plan_coverage")
def bring() -> Any:
    """A file of cameras, signal samples or masts: all of it or nothing, and what is wrong by row."""
    kind, datum, given = forms.text("kind"), forms.text("datum") or None, request.files.get("file")
    if kind not in BROUGHT or given is None or not given.filename:
        return _page(BadInput(reason="file"))
    with tempfile.TemporaryDirectory(prefix="chengmai-coverage-") as place:
        path = Path(place) / safe_name(Path(given.filename))
        given.save(path)
        report = import_layer(
            current_app.extensions["sessions"], who(), current_app.config["SETTINGS"], kind, path, None, datum
        )
    told = report.as_dict()
    if report.failed:
        for error in told["errors"][:5]:
            where = " ".join(str(error[part]) for part in ("row", "column") if error[part] is not None)
            flash(f"{where} {error['message']}".strip(), "error")
    else:
        flash(_("%(n)s rows are in, %(same)s were there already.", n=told["added"], same=told["unchanged"]), "done")
        for name, count in (+report.warnings).items():
            flash(f"{word('import', name)}{_(': ')}{count:,}", "")
    back = "coverage.index" if kind == "cameras" else "coverage_signal.index"
    return redirect(url_for(back), 303)


# --- reported by people ----------------------------------------------------------------------------------------------
@pages.post("/coverage/blind-spots")
@needs("plan_coverage")
def report() -> Any:
    """A blind spot as a citizen tells it: from where to where along which road."""
    road, begins, ends = (forms.text(name).strip()[:160] for name in ("road_name", "from_landmark", "to_landmark"))
    try:
        near_lon = ground.middle_lon(db())
        if near_lon is None:
            raise NoSuchRoad(name=road)
        line = analysis.stretch_between(db(), near_lon, road, begins, ends)
        said = actions.Reported(road, begins, ends, _complaint())
        spot = actions.report(db(), who(), said, near_lon, line)
    except ChengmaiError as error:
        db().rollback()
        return _page(error, request.form)
    return redirect(url_for("coverage_spots.blind", spot_id=spot.id), 303)


def _complaint() -> int | None:
    """The complaint that told of it, by its hotline number."""
    number = forms.text("hotline_no").strip()[:60]
    if not number:
        return None
    found = queries.complaint_called(db(), number)
    if found is None:
        raise Missing(thing="complaint", id=number)
    return visible_complaint(found).id


# --- files -----------------------------------------------------------------------------------------------------------
@pages.get("/coverage.xlsx")
@needs("export")
def as_xlsx() -> Response:
    """The blind spots of the view as a table."""
    rows = list(_exported())
    head = [_("Code"), _("Road"), _("From landmark"), _("Direction"), _("To landmark"), _("Length, m"), _("Unseen, m"), _("State"),
            _("Origin"), _("Cameras counted on foot"), _("Promised until"), _("District"), _("Longitude"), _("Latitude")]  # fmt: skip
    cells = [
        [r["code"], r["road_name"], r["from_landmark"], way(r), r["to_landmark"], r["metres"],
         r["unseen_m"], word("spot_state", r["state"]), word("spot_origin", r["origin"]), r["cameras_there"],
         str(r["due_on"] or ""), r["district"] or "", r["lon"], r["lat"]]
        for r in rows
    ]  # fmt: skip
    return xlsx_answer(f"blind_spots_{now():%Y%m%d}", _("Blind spots"), head, cells, len(cells))


@pages.get("/coverage.geojson")
@needs("export")
def as_geojson() -> Response:
    """The blind spots of the view as lines in WGS-84."""
    kept = (
        "code",
        "road_name",
        "from_landmark",
        "to_landmark",
        "metres",
        "unseen_m",
        "state",
        "origin",
        "cameras_there",
    )
    features = [
        {"type": "Feature", "id": r["id"], "geometry": json.loads(r["geojson"]), "properties": {name: r[name] for name in kept}}
        for r in _exported()
    ]  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    answer = Response(body, mimetype="application/geo+json")
    answer.headers["Content-Disposition"] = f'attachment; filename="blind_spots_{now():%Y%m%d}.geojson"'
    return answer


def _exported() -> Any:
    states, said, page = (
        [s for s in request.args.getlist("state") if s in set(SpotState)],
        filters.said("q"),
        1,
    )
    while True:
        total, rows = queries.spots(db(), scope(), SpotKind.BLIND_SPOT, states, said, page)
        yield from rows
        if page * queries.LISTED >= total:
            return
        page += 1
