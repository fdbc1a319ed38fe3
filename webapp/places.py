"""Places at the desk: searching, converting coordinates, the working calendar."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, request

from gis.network.queries import stations_called
from gis.places import queries
from gis.places.rules import check_coordinates, from_datum
from webapp.access import db, needs, scope
from webapp.bodies import Body, body

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
        return [{"name": f"{lon}, {lat}", "kind": "coordinates", "lon": lon, "lat": lat, "source": "typed"}]
    found = [dict(row) for row in queries.search(db(), q)]
    stations = [
        {"name": row["name"], "kind": "station", "lon": row["lon"], "lat": row["lat"], "source": "station"}
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
