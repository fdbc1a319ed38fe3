"""The map for a day without signal: how far the person's district reaches, and squares of the base map by the dozen.

A square is one vector tile with all layers of the base map in it (a tile is its layers one after another, so they are put
one behind the other). Many come in one answer: over a bad link every question costs more than its answer. The bodies stand
one after another, each after its length as four bytes, big-endian, in the order asked; nothing in a square is length 0.
"""

from __future__ import annotations

import gzip
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from gis.network.queries import label_tile
from gis.people.rules import Scope
from gis.places import queries
from gis.tiles import Tile
from mobile_api.v1.auth import db, needs, phone
from mobile_api.v1.wire import Wire, json_body

api = APIBlueprint("phone_ground", __name__, tag="map")
MOST = 32
LAYERS = (queries.area_tile, queries.road_tile, queries.building_tile, label_tile)


class GroundOut(Wire):
    """`bounds` are west, south, east, north in degrees; null where no area is known."""

    bounds: list[float] | None


class TilesIn(Wire):
    """Squares as `z/x/y`."""

    tiles: list[Annotated[str, Field(pattern=r"^\d{1,2}/\d{1,7}/\d{1,7}$", strict=True)]] = Field(max_length=MOST)


@api.get("/ground")
@needs("use_phone")
@api.output(GroundOut)
def ground() -> dict[str, Any]:
    """How far the person's area reaches; without one: the whole city. What is drawn most finely counts: where people live."""
    found = queries.extent(db(), Scope(area_id=phone().area_id))
    return {"bounds": found and [round(edge, 6) for edge in found]}


@api.post("/tiles")
@needs("use_phone")
@json_body
@api.input(TilesIn)
def tiles(json_data: TilesIn) -> Response:
    """Squares of the base map, each after its length in four bytes."""
    made = bytearray()
    for name in json_data.tiles:
        tile = Tile(*map(int, name.split("/")))
        body = b"".join(layer(db(), tile) for layer in LAYERS)
        made += len(body).to_bytes(4) + body
    answer = Response(bytes(made), mimetype="application/octet-stream")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(bytes(made), 5, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
