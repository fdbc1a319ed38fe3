"""Everything that the map draws, as rows: stations, pipelines, cameras, blind spots. Same rights as their tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from gis.coverage import lists as coverage
from gis.errors import BadInput, Missing
from gis.network import lists as network
from gis.network.lists import Asked, Listed
from webapp.access import db, needs

pages = Blueprint("layers", __name__)

LISTS: dict[str, Callable[[Session, Asked], Listed]] = {
    "stations": network.stations,
    "pipelines": network.pipelines,
    "valves": network.valves,
    "sources": network.sources,
    "supply_points": network.supply_points,
    "cameras": coverage.cameras,
    "blind_spots": coverage.blind_spots,
}
PAGE = 100


@pages.get("/layers/<layer>.json")
@needs("see_network")
def rows(layer: str) -> dict[str, Any]:
    """A page of one layer: `q` part of a name or number, `start` from which row, or `id` for one thing."""
    if layer not in LISTS:
        raise Missing(thing="layer", id=layer)
    start, id = _whole("start") or 0, _whole("id")
    found = LISTS[layer](db(), Asked(request.args.get("q", "").strip()[:100], start, PAGE, id))
    more = start + len(found.rows)
    return {"total": found.total, "next": more if more < found.total else None, "rows": found.rows}


def _whole(name: str) -> int | None:
    """A whole number of the query string that the database can hold."""
    given = request.args.get(name)
    if given in (None, ""):
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 18):
        raise BadInput(reason=name)
    return int(given)
