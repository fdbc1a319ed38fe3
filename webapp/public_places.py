"""Places for the public: the base map and its names. No network, no complaint, nothing that the desk keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from gis.errors import BadInput, Missing
from gis.places import queries
from gis.places.rules import check_coordinates
from gis.portal.base_map import label_tile
from gis.portal.rules import Asked
from gis.tiles import Tile
from webapp.access import db, public
from webapp.filters import decimal
from webapp.public_guard import meter
from webapp.tiles import send

pages = Blueprint("public_places", __name__, url_prefix="/public")
LAYERS: dict[str, Callable[[Session, Tile], bytes]] = {
    "areas": queries.area_tile,
    "roads": queries.road_tile,
    "buildings": queries.building_tile,
    "gazetteer": label_tile,
}
LONGEST_Q = 40


@pages.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
@public
def tile(layer: str, z: int, x: int, y: int) -> Response:
    """A square of the base map: the same for everybody, and kept by the browser for an hour."""
    if layer not in LAYERS:
        raise Missing(thing="layer", id=layer)
    answer = send(LAYERS[layer](db(), Tile(z, x, y)))
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@pages.get("/places/search.json")
@public
def search() -> list[dict[str, Any]]:
    """Compounds, streets and landmarks called so."""
    q = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_Q]
    if not q:
        return []
    meter(Asked.PLACES)
    keys = ("name", "kind", "lon", "lat", "within")
    return [{key: row[key] for key in keys} for row in queries.search(db(), q)]


@pages.get("/places/at.json")
@public
def at() -> dict[str, Any]:
    """What a point is called."""
    lon, lat = decimal("lon"), decimal("lat")
    if lon is None or lat is None:
        raise BadInput(reason="lon, lat")
    check_coordinates(lon, lat)
    meter(Asked.PLACES)
    return queries.names_at(db(), lon, lat)
