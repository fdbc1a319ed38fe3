"""Hotspots for the printed bulletin: the map as a picture, and map, legend and the strongest rows on one sheet."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from flask import render_template
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from gis.hotspots import queries
from gis.hotspots.analysis import Findings
from gis.hotspots.cells import surface
from gis.hotspots.rules import Measure
from webapp import hotspot_maps
from webapp.hotspot_maps import STYLES, density_steps, figure
from webapp.hotspot_views import Answer
from webapp.stamps import chinese_font

WIDTH, TALLEST = 1600, 2000
EDGE, LINE, BELOW_TITLE = 40, 34, 10
PDF_ROWS = 40
BREAK_WITHIN = 24  # characters before the end of a line
NAMES_MOST = 40
PICTURE = "picture:map"  # how the sheet names its picture
Point = tuple[float, float]


@dataclass(frozen=True)
class Told:
    """What a file says about itself."""

    title: str
    lines: list[str]
    measure: Measure
    language: str


def png(session: Session, answer: Answer, told: Told) -> bytes:
    """The map on paper white, with title, legend and what is not drawn."""
    found = answer.found
    rows = hotspot_maps.legend_of(found, told.measure, slider=False)
    head = [told.title, *(part for line in told.lines for part in _wrapped(line))]
    top = EDGE + LINE * (len(head) + 1) + BELOW_TITLE
    bounds = found.bounds() if found else (73.0, 18.0, 135.0, 54.0)
    frame = _Frame(bounds, top)
    page = Image.new("RGB", (WIDTH, frame.bottom + LINE * (1 + (len(rows) + 3) // 4) + EDGE), "white")
    pen = ImageDraw.Draw(page, "RGBA")
    for i, line in enumerate(head):
        pen.text(
            (EDGE, EDGE + i * LINE + (BELOW_TITLE if i else 0)),
            line,
            fill="#1b2430" if i == 0 else "#566072",
            font=chinese_font(28 if i == 0 else 20),
        )
    if found is not None:
        _draw(session, page, pen, frame, answer, found, told.measure)
    pen.rectangle((EDGE, top, WIDTH - EDGE, frame.bottom), outline="#8b97a8")
    _legend(pen, rows, frame.bottom + LINE // 2)
    kept = io.BytesIO()
    page.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def pdf(picture: bytes, answer: Answer, told: Told) -> bytes:
    """A4: the picture, and the strongest rows under it. Nothing is fetched."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcherResponse

    rows = [
        (cell.number, name or "—", cell.count, figure(cell.per_km2, 1), figure(cell.rate, 1), figure(cell.z, 2),
         hotspot_maps.verdict(cell, told.measure))
        for cell, name in list(zip(answer.cells, answer.names, strict=True))[:PDF_ROWS]
    ]  # fmt: skip
    page = render_template(
        "hotspots/paper.html", title=told.title, rows=rows, all_rows=len(answer.cells), language=told.language, picture=PICTURE,
    )  # fmt: skip

    def only_the_picture(url: str, *_: Any, **__: Any) -> URLFetcherResponse:
        if url != PICTURE:
            raise ValueError(f"nothing is fetched: {url}")
        return URLFetcherResponse(url, body=picture, headers={"Content-Type": "image/png"})

    return bytes(HTML(string=page, url_fetcher=only_the_picture).write_pdf())


class _Frame:
    """Degrees as pixels, in Mercator."""

    def __init__(self, bounds: tuple[float, float, float, float], top: int) -> None:
        west, south, east, north = bounds
        self.west, self.north = np.radians(west), _mercator(north)
        wide, high = np.radians(east) - self.west, self.north - _mercator(south)
        self.scale = min((WIDTH - 2 * EDGE) / wide, (TALLEST - top) / high)
        self.top = top
        self.left = EDGE + ((WIDTH - 2 * EDGE) - wide * self.scale) / 2
        self.bottom = round(top + high * self.scale)
        self.bounds = bounds

    def at(self, coordinates: Any) -> list[Point]:
        """Pixels of a list of (lon, lat)."""
        xy = np.asarray(coordinates, float)[:, :2]
        x = self.left + (np.radians(xy[:, 0]) - self.west) * self.scale
        y = self.top + (self.north - np.arctanh(np.sin(np.radians(xy[:, 1])))) * self.scale
        return list(zip(x.tolist(), y.tolist(), strict=True))


def _mercator(lat: float) -> float:
    return float(np.arctanh(np.sin(np.radians(lat))))


def _draw(
    session: Session, page: Any, pen: Any, frame: _Frame, answer: Answer, found: Findings, measure: Measure
) -> None:
    window = shapely.box(*frame.bounds)
    area = found.area if found.area is not None else window
    areas = queries.ground_areas(session, area)
    for one in areas:
        _outline(
            pen, frame, shapely.intersection(one.geometry, window), "#8b97a8" if one.level == "district" else "#c3cad5"
        )
    roads = queries.ground_roads(session, area)
    if roads.main is not None:
        for line in shapely.get_parts(shapely.intersection(roads.main, window)):
            if line.geom_type == "LineString" and not line.is_empty:
                pen.line(frame.at(line.coords), fill="#c9b38a", width=2)
    if measure is Measure.DENSITY:
        flat = surface(found)
        if steps := density_steps(flat):
            box, light, _dark = hotspot_maps.density_images(flat, found, steps)
            (west, top), (east, bottom) = frame.at([(box[0], box[3]), (box[2], box[1])])
            with Image.open(io.BytesIO(light)) as surface_image:
                shown = surface_image.convert("RGBA").resize((max(round(east - west), 1), max(round(bottom - top), 1)))
            page.paste(shown, (round(west), round(top)), shown)
    else:
        kind = hotspot_maps.kind_of(found, measure)
        for cell in reversed(answer.cells):
            _fill(pen, frame, cell.geometry, STYLES[kind(cell)]["light"])
    for one in [a for a in areas if a.level == "street"][:NAMES_MOST] or areas[:NAMES_MOST]:
        if window.contains(shapely.Point(one.lon, one.lat)):
            pen.text(frame.at([(one.lon, one.lat)])[0], one.name, fill="#566072", font=chinese_font(18), anchor="mm",
                     stroke_width=3, stroke_fill="white")  # fmt: skip


def _outline(pen: Any, frame: _Frame, shape: Any, colour: str) -> None:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            pen.line(frame.at(part.exterior.coords), fill=colour, width=2)


def _fill(pen: Any, frame: _Frame, shape: Any, style: dict[str, Any]) -> None:
    fill = (*bytes.fromhex(style["fillColor"][1:]), round(style["fillOpacity"] * 255))
    for part in shapely.get_parts(shape):
        pen.polygon(
            frame.at(part.exterior.coords), fill=fill, outline=style["color"], width=max(round(style["weight"]), 1)
        )


def _legend(pen: Any, rows: list[hotspot_maps.LegendRow], top: int) -> None:
    """Four to a line, a swatch and a word each: told apart without colour by their words and outlines."""
    wide = (WIDTH - 2 * EDGE) // 4
    for i, row in enumerate(rows):
        x, y = EDGE + (i % 4) * wide, top + (i // 4) * LINE
        style = STYLES[row.kind]["light"]
        fill = (*bytes.fromhex(style["fillColor"][1:]), round(style["fillOpacity"] * 255))
        pen.rectangle((x, y, x + 22, y + 22), fill=fill, outline=style["color"], width=max(round(style["weight"]), 1))
        pen.text((x + 32, y + 11), row.text, fill="#1b2430", font=chinese_font(20), anchor="lm")


def _wrapped(line: str) -> list[str]:
    """A line as so many lines as the picture is wide for; broken after a mark or a space where there is one near the end."""
    font, room, parts = chinese_font(20), WIDTH - 2 * EDGE, []
    while font.getlength(line) > room:
        end = next(n for n in range(len(line), 0, -1) if font.getlength(line[:n]) <= room)
        mark = max(line.rfind(sign, end - BREAK_WITHIN, end) for sign in " ，。；、)）")
        end = mark + 1 if mark > 0 else end
        parts.append(line[:end].rstrip())
        line = line[end:].lstrip()
    return [*parts, line]
