"""The sites of a view to take away: Excel, CSV, GeoJSON, GeoPackage. No door and no name of a person in them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from flask import Blueprint, Response
from flask_babel import gettext as _

from gis.inspections import site_queries
from webapp.access import db, needs, scope
from webapp.exports import Cell, chunks, csv_answer, xlsx_answer
from webapp.filters import zone
from webapp.i18n import word
from webapp.sites import looked, when

pages = Blueprint("site_files", __name__)
MOST = 100_000
NAMES = ("code", "name", "works", "stage", "heating", "unit", "contractor", "district", "area", "address", "planned_from", "planned_to",
         "begun_on", "ended_on", "last_check", "breaches", "people", "unfit", "self_inspection", "lon", "lat", "synthetic")  # fmt: skip


def heading() -> list[str]:
    """The columns in the reader's language; the template of the import knows the Chinese ones."""
    return [_("Number of the site"), _("Name of the site"), _("Scope of the works"), _("Stage of the works"), _("heating works"),
            _("Answering unit"), _("Contractor"), _("District"), _("Area"), _("Address of the site"), _("Planned from"), _("Planned to"),
            _("Begun on"), _("Ended on"), _("Last check by the bureau"), _("Breaches in a year"), _("People on site"),
            _("without what they need"), _("Self-inspection"), _("Longitude"), _("Latitude"), _("Synthetic")]  # fmt: skip


def _rows() -> Sequence[Mapping[str, Any]]:
    return site_queries.listed(db(), scope(), looked(), when(), 1, MOST)[1]


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    def plain(day: Any) -> str:
        return day.isoformat() if day else ""

    last = row["last_at"].astimezone(zone()) if row["last_at"] else None
    return [
        row["code"], row["name"], word("scope", row["scope"]), word("stage", row["stage"]), _("Yes") if row["is_heating"] else _("No"),
        row["unit"] or "", row["contractor"] or "", row["district"] or "", row["area"] or "", row["address"], plain(row["planned_from"]),
        plain(row["planned_to"]), plain(row["begun_on"]), plain(row["ended_on"]), last, row["breaches"], row["people"], row["unfit"],
        word("self_state", row["self_state"]), row["lon"], row["lat"], _("Yes") if row["synthetic"] else "",
    ]  # fmt: skip


@pages.get("/sites.xlsx")
@needs("export")
def as_excel() -> Response:
    """What the list shows, as a workbook."""
    rows = _rows()
    return xlsx_answer("sites", _("Sites of works"), heading(), (_cells(row) for row in rows), len(rows))


@pages.get("/sites.csv")
@needs("export")
def as_csv() -> Response:
    """What the list shows, as CSV."""
    return csv_answer("sites", heading(), [_cells(row) for row in _rows()])


@pages.get("/sites.geojson")
@needs("export")
def as_geojson() -> Response:
    """What the list shows, as GeoJSON (RFC 7946)."""
    told = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
         "properties": {n: _json(c) for n, c in zip(NAMES, _cells(row), strict=True) if n not in ("lon", "lat")}} for row in _rows()
    ]}  # fmt: skip
    answer = Response(json.dumps(told, ensure_ascii=False), mimetype="application/geo+json")
    answer.headers["Content-Disposition"] = 'attachment; filename="sites.geojson"'
    return answer


def _json(cell: Cell) -> Any:
    return cell.isoformat() if hasattr(cell, "isoformat") else cell


@pages.get("/sites.gpkg")
@needs("export")
def as_geopackage() -> Response:
    """What the list shows, as a GeoPackage in WGS-84."""
    from pyogrio.raw import write

    rows = [_cells(row) for row in _rows()]
    fields = [n for n, name in enumerate(NAMES) if name not in ("lon", "lat")]
    points = [shapely.to_wkb(shapely.Point(r[NAMES.index("lon")], r[NAMES.index("lat")])) for r in rows]
    columns = [np.array([None if r[n] in (None, "") else str(_json(r[n])) for r in rows], object) for n in fields]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "sites.gpkg"
        write(str(path), np.array(points, object), columns, np.array([NAMES[n] for n in fields], object), layer="sites", driver="GPKG",
              geometry_type="Point", crs="EPSG:4326", encoding="UTF-8")  # fmt: skip
        kept = path.open("rb")
    answer = Response(chunks(kept), mimetype="application/geopackage+sqlite3")
    answer.headers["Content-Disposition"] = 'attachment; filename="sites.gpkg"'
    return answer
