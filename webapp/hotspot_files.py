"""Hotspots as files: a page that opens anywhere, Excel, GeoJSON, GeoPackage. Cells only: nothing of a single complaint."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
import xlsxwriter
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.hotspots.cells import Cell
from gis.hotspots.rules import DRAWN_MAX
from webapp import hotspot_maps, hotspot_pictures
from webapp.hotspot_maps import COURSE_WORDS, LABEL_WORDS, chance, figure
from webapp.hotspot_pictures import Told
from webapp.hotspot_views import Answer

if TYPE_CHECKING:
    import geopandas as gpd

WORDS: dict[str, Any] = {"label": LABEL_WORDS, "course": COURSE_WORDS}
COLUMNS = ("number", "place", "lon", "lat", "count", "per_km2", "households", "rate", "z", "p", "q", "label", "course")


def write(kind: str, session: Session, answer: Answer, told: Told) -> tuple[bytes, str]:
    """The file's content and its media type."""
    if kind == "html":
        return _html(session, answer, told), "text/html"
    if kind in ("png", "pdf"):
        picture = hotspot_pictures.png(session, answer, told)
        return (
            (picture, "image/png")
            if kind == "png"
            else (hotspot_pictures.pdf(picture, answer, told), "application/pdf")
        )
    if kind not in WRITERS:
        raise Missing(thing="page", id=kind)
    writer, mimetype = WRITERS[kind]
    return writer(answer.cells, answer.names, told), mimetype


def _html(session: Session, answer: Answer, told: Told) -> bytes:
    """Map, legend and table in one file that needs neither network nor server."""
    drawn = hotspot_maps.draw(session, answer, told.measure, told.language, told.title)
    drawn.heading(told.title, told.lines)
    drawn.legend(_("Legend"), [(row.kind, row.text) for row in hotspot_maps.legend_of(answer.found, told.measure)])
    head = ("№", _("Nearest place"), _("Complaints"), _("Per km²"), _("Per 1,000 households"), "z", "p", _("Verdict"))
    drawn.table(head, (
        (cell.number if cell.number <= DRAWN_MAX else None,
         (cell.number, name or "—", cell.count, figure(cell.per_km2, 1), figure(cell.rate, 1), figure(cell.z, 2),
          chance(cell.p), hotspot_maps.verdict(cell, told.measure)))
        for cell, name in zip(answer.cells, answer.names, strict=True)
    ))  # fmt: skip
    return drawn.html().encode()


def _records(cells: list[Cell], names: list[str]) -> list[dict[str, Any]]:
    return [
        {column: name if column == "place" else str(getattr(cell, column)) if column in WORDS else getattr(cell, column)
         for column in COLUMNS}
        for cell, name in zip(cells, names, strict=True)
    ]  # fmt: skip


def _xlsx(cells: list[Cell], names: list[str], told: Told) -> bytes:
    """Two sheets: the cells, and what they are. Text is written as text, so `=cmd` stays a word."""
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold, fixed = book.add_format({"bold": True}), book.add_format({"num_format": "0.000"})
    sheet = book.add_worksheet(_("Cells"))
    head = (
        "№",
        _("Nearest place"),
        _("Longitude"),
        _("Latitude"),
        _("Complaints"),
        _("Per km²"),
        _("Households"),
        _("Per 1,000 households"),
        "z",
        "p",
        _("p, adjusted"),
        _("Verdict"),
        _("Course"),
    )
    for column, text in enumerate(head):
        sheet.write_string(0, column, text, bold)
    for row, record in enumerate(_records(cells, names), start=1):
        for column, key in enumerate(COLUMNS):
            value = record[key]
            if key in WORDS:
                sheet.write_string(row, column, str(WORDS[key][value]))
            elif isinstance(value, str):
                sheet.write_string(row, column, value)
            elif value is not None:
                sheet.write_number(row, column, value, fixed if key in ("per_km2", "rate", "z", "p", "q") else None)
    sheet.set_column(1, 1, 28)
    sheet.set_column(2, 12, 12)
    sheet.freeze_panes(1, 0)
    if cells:
        sheet.autofilter(0, 0, len(cells), len(COLUMNS) - 1)
    about = book.add_worksheet(_("About"))
    about.write_string(0, 0, told.title, bold)
    for row, line in enumerate(told.lines, start=1):
        about.write_string(row, 0, line)
    about.set_column(0, 0, 100)
    book.close()
    return kept.getvalue()


def _frame(cells: list[Cell], names: list[str]) -> gpd.GeoDataFrame:
    shapes = [cell.geometry for cell in cells]
    import geopandas as gpd  # here and not above: a server that starts need not wait for it

    return gpd.GeoDataFrame(_records(cells, names), columns=[*COLUMNS], geometry=shapes, crs="EPSG:4326")


def _geojson(cells: list[Cell], names: list[str], told: Told) -> bytes:
    """WGS-84, one polygon for each cell."""
    features = [
        {"type": "Feature", "id": cell.number, "properties": record,
         "geometry": shapely.geometry.mapping(shapely.set_precision(cell.geometry, 1e-7, mode="pointwise"))}
        for cell, record in zip(cells, _records(cells, names), strict=True)
    ]  # fmt: skip
    about = {"title": told.title, "lines": told.lines}
    document = {"type": "FeatureCollection", "about": about, "features": features}
    return json.dumps(document, ensure_ascii=False).encode()


def _gpkg(cells: list[Cell], names: list[str], told: Told) -> bytes:
    """A layer `hotspots` in WGS-84, for any GIS."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "hotspots.gpkg"
        _frame(cells, names).to_file(
            path, layer="hotspots", driver="GPKG", engine="pyogrio", geometry_type="Polygon",
            layer_options={"DESCRIPTION": " ".join(told.lines)[:1_000], "IDENTIFIER": told.title},
        )  # fmt: skip
        return path.read_bytes()


WRITERS: dict[str, tuple[Callable[[list[Cell], list[str], Told], bytes], str]] = {
    "xlsx": (_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "geojson": (_geojson, "application/geo+json"),
    "gpkg": (_gpkg, "application/geopackage+sqlite3"),
}
