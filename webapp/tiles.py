"""Vector tiles for the map: `/tiles/<layer>/<z>/<x>/<y>.mvt`. An empty tile is 204."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.orm import Session

from gis.coverage import queries as coverage
from gis.dispatch import queries as dispatch
from gis.errors import Missing
from gis.network import queries as network
from gis.places import queries as places
from gis.tiles import Tile
from webapp.access import db, needs, now, scope
from webapp.filters import from_request
from webapp.tile_holder import Holder

pages = Blueprint("tiles", __name__)

GZIP_FROM = 2048
# Layer -> (the room's question, seconds a browser may keep the answer). They are the same for everybody.
LAYERS: dict[str, tuple[Callable[[Session, Tile], bytes], int]] = {
    "stations": (network.station_tile, 60),
    "pipelines": (network.pipeline_tile, 60),
    "valves": (network.valve_tile, 10),
    "sources": (network.source_tile, 60),
    "supply_points": (network.supply_point_tile, 60),
    "cameras": (coverage.camera_tile, 60),
    "camera_views": (coverage.view_tile, 60),
    "blind_spots": (coverage.blind_spot_tile, 60),
    "areas": (places.area_tile, 300),
    "roads": (places.road_tile, 300),
    "buildings": (places.building_tile, 300),
    "gazetteer": (network.label_tile, 300),
}


@pages.record_once
def hold(state: BlueprintSetupState) -> None:
    """One index of complaints for the whole process; it is loaded by the first tile."""
    app = state.app
    app.extensions["tiles"] = Holder(lambda: app.extensions["sessions"]())


@pages.get("/tiles/complaints/<int:z>/<int:x>/<int:y>.mvt")
@needs("see_complaints")
def complaints(z: int, x: int, y: int) -> Response:
    """The complaints that the person may see and the query string asks for, in cells or singly; never kept by a cache."""
    holder: Holder = current_app.extensions["tiles"]
    return send(holder.tile(db(), from_request(), scope(), now(), Tile(z, x, y)))


@pages.get("/tiles/crews/<int:z>/<int:x>/<int:y>.mvt")
@needs("see_complaints")
def crews(z: int, x: int, y: int) -> Response:
    """Where the crews of the person's scope are now."""
    set_, at = current_app.config["SETTINGS"], now()
    fresh, silent = (at - timedelta(minutes=m) for m in (set_.position_fresh_min, set_.silent_min))
    return send(dispatch.crew_tile(db(), Tile(z, x, y), scope(), at, fresh, silent))


@pages.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
@needs("see_network")
def layer(layer: str, z: int, x: int, y: int) -> Response:
    """A layer that changes slowly."""
    if layer not in LAYERS:
        raise Missing(thing="layer", id=layer)
    question, seconds = LAYERS[layer]
    answer = send(question(db(), Tile(z, x, y)))
    answer.headers["Cache-Control"] = f"private, max-age={seconds}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def send(body: bytes) -> Response:
    """The tile as a response, never kept by anybody unless the caller says otherwise; compressed when that pays."""
    answer = Response(body, status=200 if body else 204, mimetype="application/vnd.mapbox-vector-tile")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Vary"] = "Accept-Encoding, Cookie"
    if len(body) >= GZIP_FROM and request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(body, 1, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
