"""The complaints of a view for a geographic information system: GeoJSON and GeoPackage. No caller in them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from flask import Blueprint, Response, stream_with_context
from flask_babel import gettext as _

from webapp.access import needs
from webapp.complaints_export import begin, heading, rows
from webapp.exports import Cell, chunks

pages = Blueprint("complaints_geo_export", __name__)
CHUNK = 20_000
# The columns in a machine's words, in the order of `complaints_export.heading`.
NAMES = (
    "number", "channel", "category_code", "category", "status", "promise", "clock", "received_at", "resolve_by", "closed_at",
    "place", "description", "district", "unit", "lon", "lat", "located", "synthetic",
)  # fmt: skip
MOMENTS = frozenset({"received_at", "resolve_by", "closed_at"})
LON, LAT = NAMES.index("lon"), NAMES.index("lat")


@pages.get("/complaints.geojson")
@needs("export")
def as_geojson() -> Response:
    """What the same query string shows in the list, as GeoJSON (RFC 7946); a row without a place has a null geometry."""
    within, filters, _count, name = begin("geojson")
    answer = Response(stream_with_context(_features(rows(within, filters))), mimetype="application/geo+json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.geojson"'
    return answer


def _features(found: Iterable[list[Cell]]) -> Iterator[bytes]:
    yield b'{"type":"FeatureCollection","features":[\n'
    for n, row in enumerate(found):
        lon, lat = row[LON], row[LAT]
        geometry = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
        told = {name: _plain(cell) for name, cell in zip(NAMES, row, strict=True) if name not in ("lon", "lat")}
        feature = {"type": "Feature", "geometry": geometry, "properties": told}
        yield (",\n" if n else "").encode() + json.dumps(feature, ensure_ascii=False).encode()
    yield b"\n]}\n"


def _plain(cell: Cell) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell


@pages.get("/complaints.gpkg")
@needs("export")
def as_geopackage() -> Response:
    """What the same query string shows in the list, as a GeoPackage in WGS-84 with titles in the reader's language."""
    within, filters, _count, name = begin("gpkg")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{name}.gpkg"
        _write(path, rows(within, filters))
        kept = path.open("rb")  # it stays readable after its name is gone
    answer = Response(chunks(kept), mimetype="application/geopackage+sqlite3")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.gpkg"'
    return answer


def _write(path: Path, found: Iterator[list[Cell]]) -> None:
    """Chunk by chunk, so that memory does not grow with the number of rows."""
    from pyogrio.raw import write

    fields = [n for n in range(len(NAMES)) if n not in (LON, LAT)]
    titles = heading()
    first = True
    while (chunk := list(islice(found, CHUNK))) or first:
        columns = [_column(NAMES[n], [row[n] for row in chunk]) for n in fields]
        write(
            str(path), _points(chunk), columns, np.array([NAMES[n] for n in fields], object), layer="complaints", driver="GPKG",
            geometry_type="Point", crs="EPSG:4326", append=not first, encoding="UTF-8",
            **({} if not first else {"layer_metadata": {f"TITLE_{NAMES[n]}": titles[n] for n in fields}, "identifier": _("Complaints")}),
        )  # fmt: skip
        first = False


def _points(chunk: list[list[Cell]]) -> Any:
    made = [None if row[LON] is None else shapely.Point(row[LON], row[LAT]) for row in chunk]
    return np.array([None if p is None else shapely.to_wkb(p) for p in made], object)


def _column(name: str, cells: list[Cell]) -> Any:
    """Local moments as a data base of this kind keeps them, everything else as text."""
    if name in MOMENTS:
        local = [cell.replace(tzinfo=None) if isinstance(cell, datetime) else None for cell in cells]
        return np.array(local, "datetime64[s]")
    return np.array([None if cell is None else str(cell) for cell in cells], object)
