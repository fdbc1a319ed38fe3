"""The cameras as a list, and one camera to be put up or corrected: position, height, bearing, lens, pixels, state. The map shows what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gis.coverage import camera_actions, queries
from gis.coverage.rules import CAMERA_LIMITS, PIXELS_PER_M, CameraState, Optics
from gis.errors import BadInput, ChengmaiError
from gis.people.queries import units
from gis.places.queries import check_point, districts_known, extent, in_some_district
from gis.places.rules import Datum
from webapp import filters, forms
from webapp.access import can, db, needs, scope, who
from webapp.i18n import message

pages = Blueprint("coverage_cameras", __name__)
_MOST_ID = 1 << 62


@pages.get("/coverage/cameras")
@needs("see_coverage")
def index() -> str:
    """Every camera by code, with what lacks."""
    states = [s for s in request.args.getlist("state") if s in set(CameraState)]
    said, page = filters.said("q"), filters.number("page", 1, 1, 10_000)
    lacking = request.args.get("lacking") == "1"
    total, rows = queries.cameras(db(), scope(), states, said, lacking, page)
    return render_template(
        "coverage/cameras.html", rows=[(row, _optics(row).lacks()) for row in rows], total=total, listed=queries.LISTED, page=page,
        states=states, said=said, lacking=lacking, all_states=list(CameraState),
    )  # fmt: skip


@pages.get("/coverage/cameras/new")
@needs("plan_coverage")
def new() -> str:
    """An empty form; a click on the map is the place."""
    return _form(None)


@pages.post("/coverage/cameras/new")
@needs("plan_coverage")
def put_up() -> Any:
    """A new camera."""
    try:
        with db().begin_nested():
            camera = camera_actions.put_up(db(), who(), _told())
    except ChengmaiError as error:
        return _form(None, error), error.status
    return redirect(url_for("coverage_cameras.show", camera_id=camera.id), 303)


@pages.get("/coverage/cameras/<int:camera_id>")
@needs("see_coverage")
def show(camera_id: int) -> str:
    """One camera and what it sees at each level."""
    return _form(_row(camera_id))


@pages.post("/coverage/cameras/<int:camera_id>")
@needs("plan_coverage")
def correct(camera_id: int) -> Response | tuple[str, int]:
    """What is known of it is otherwise."""
    row = _row(camera_id)
    try:
        with db().begin_nested():
            camera_actions.correct(db(), who(), scope(), row["id"], _told(), forms.whole("base_version"))
    except ChengmaiError as error:
        return _form(row, error), error.status
    return redirect(url_for("coverage_cameras.show", camera_id=row["id"]), 303)


def _row(camera_id: int) -> Mapping[str, Any]:
    return queries.camera_in_scope(db(), scope(), camera_id if camera_id < _MOST_ID else 0)


def _optics(row: Mapping[str, Any]) -> Optics:
    return Optics(**{field.name: row[field.name] for field in fields(Optics)})


def _told() -> camera_actions.Told:
    """The form. Raises BadFormField, WrongDatum."""
    state = forms.text("state")
    if state not in set(CameraState):
        raise BadInput(reason="state")
    lon, lat = forms.decimal("lon"), forms.decimal("lat")
    if lon is None or lat is None:
        raise forms.BadFormField(field="lon")
    lon, lat = check_point(db(), lon, lat, Datum.WGS84)
    figures = {name: forms.decimal(name) for name in CAMERA_LIMITS if name not in ("resolution_px", "height_m")}
    optics = Optics(**figures, resolution_px=forms.whole("resolution_px"), is_ptz=forms.text("is_ptz") == "1")
    return camera_actions.Told(
        forms.text("code"), forms.text("name"), CameraState(state), lon, lat, optics, forms.decimal("height_m"), forms.whole("unit_id")
    )  # fmt: skip


def _form(row: Mapping[str, Any] | None, error: ChengmaiError | None = None) -> str:
    typed: Mapping[str, Any] = request.form if error else row or {"state": CameraState.WORKING}
    optics = _optics(row) if row else Optics()
    lacks = optics.lacks() if row else []
    box = extent(db(), scope())
    bounds = [row["lon"], row["lat"], row["lon"], row["lat"]] if row else (list(box) if box else None)
    reaches = {level: optics.reach_m(level) for level in PIXELS_PER_M} if row and not lacks else {}
    return render_template(
        "coverage/camera.html", row=row, typed=typed, lacks=lacks, bounds=bounds, reaches=reaches, px=PIXELS_PER_M,
        states=list(CameraState), units=units(db()), limits=CAMERA_LIMITS, editable=can("plan_coverage"),
        lens=optics.lens_deg, outside=row is not None and districts_known(db()) and not in_some_district(db(), row["lon"], row["lat"]), error=message(error) if error else None,
    )  # fmt: skip
