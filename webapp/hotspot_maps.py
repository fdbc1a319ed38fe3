"""Hotspots drawn: the findings as a safe map, with the words and colours of the legend. Both themes, for any eyes.

Gathered is orange and thinned out is blue (a pair that every kind of colour blindness tells apart), the surer the heavier
the outline, and every cell says its word when it is pointed at.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates
from sqlalchemy.orm import Session

from gis.geo import to_metres
from gis.hotspots import density, queries
from gis.hotspots.analysis import PER_HOUSEHOLDS, Findings
from gis.hotspots.cells import Cell, Surface, surface
from gis.hotspots.rules import DRAWN_MAX, STEP_DAYS, Course, Label, Measure, Outcome, WorkKind
from gis.hotspots.sheet_queries import EPOCH
from gis.hotspots.tiling import cell_at
from gis.hotspots.works import Became
from webapp.hotspot_views import Answer

if TYPE_CHECKING:
    from webapp.maps import Bounds, SafeMap

COUNTRY = (73.0, 18.0, 135.0, 54.0)  # what the map shows where there is nothing to draw
LABEL_WORDS = {
    Label.HOT_99: lazy_gettext("Hot, 99 %"), Label.HOT_95: lazy_gettext("Hot, 95 %"),
    Label.HOT_90: lazy_gettext("Hot, 90 %"), Label.NONE: lazy_gettext("Not significant"),
    Label.COLD_90: lazy_gettext("Cold, 90 %"), Label.COLD_95: lazy_gettext("Cold, 95 %"),
    Label.COLD_99: lazy_gettext("Cold, 99 %"), Label.NO_DATA: lazy_gettext("No data to compare"),
}  # fmt: skip


COURSE_WORDS = {
    Course.EMERGING: lazy_gettext("Emerging"), Course.PERSISTENT: lazy_gettext("Persistent"),
    Course.FADING: lazy_gettext("Fading"), Course.SPORADIC: lazy_gettext("Hot now, but off and on"),
    Course.NONE: lazy_gettext("Not hot"),
}  # fmt: skip
# What the colour of a course means while the slider shows one week: that week's own verdict.
IN_ONE_WEEK = {
    Course.EMERGING: Label.HOT_99, Course.PERSISTENT: Label.HOT_95, Course.SPORADIC: Label.HOT_90, Course.FADING: Label.COLD_95,
}  # fmt: skip
OUTCOME_WORDS = {
    Outcome.WAITING: lazy_gettext("Not over yet"), Outcome.COOLED: lazy_gettext("Cooled"),
    Outcome.STILL_HOT: lazy_gettext("Still hot"), Outcome.UNKNOWN: lazy_gettext("Cannot be compared"),
}  # fmt: skip
WORK_WORDS = {
    WorkKind.VISIT: lazy_gettext("Community meeting"), WorkKind.SPECIAL_WEEK: lazy_gettext("Special week"),
    WorkKind.INCIDENT: lazy_gettext("Made an incident"),
}  # fmt: skip


def _cell(fill: str, line: str, weight: float, opacity: float = 0.82, dash: str | None = None) -> dict[str, Any]:
    return {"fillColor": fill, "fillOpacity": opacity, "color": line, "weight": weight, "dashArray": dash}


STYLES: dict[str, dict[str, dict[str, Any]]] = {
    "hot_99": {"light": _cell("#9c3203", "#5c1c00", 1.5), "dark": _cell("#ff9a3d", "#ffd9b0", 1.5)},
    "hot_95": {"light": _cell("#e0620d", "#9c3203", 1), "dark": _cell("#cc6a1b", "#ff9a3d", 1)},
    "hot_90": {"light": _cell("#fdb171", "#e0620d", 1, dash="3 3"), "dark": _cell("#80491d", "#cc6a1b", 1, dash="3 3")},
    "none": {"light": _cell("#566072", "#8b97a8", 0.7, 0.10), "dark": _cell("#a3afbf", "#566475", 0.7, 0.10)},
    "cold_90": {"light": _cell("#a9cfe8", "#3d8bc4", 1, dash="3 3"), "dark": _cell("#275b80", "#3f8fc4", 1, dash="3 3")},
    "cold_95": {"light": _cell("#3d8bc4", "#0b4d8c", 1), "dark": _cell("#3f8fc4", "#7cc8ff", 1)},
    "cold_99": {"light": _cell("#0b4d8c", "#06305a", 1.5), "dark": _cell("#7cc8ff", "#cfeaff", 1.5)},
    "no_data": {"light": _cell("#566072", "#566072", 1, 0.15, "2 4"), "dark": _cell("#a3afbf", "#a3afbf", 1, 0.15, "2 4")},
    "quiet": {"light": _cell("#566072", "#566072", 0, 0.0), "dark": _cell("#a3afbf", "#a3afbf", 0, 0.0)},
}  # fmt: skip

# Five bands of density, thin to dense: one hue, ever further from the ground.
BANDS = {
    "light": ("#fde3cd", "#fcbb86", "#f28a43", "#cb5510", "#8a2c02"),
    "dark": ("#3d2713", "#6f3f16", "#aa5a17", "#e88432", "#ffc58a"),
}
BAND_ALPHA = (0.62, 0.72, 0.80, 0.86, 0.92)
for _i in range(len(BAND_ALPHA)):
    STYLES[f"band_{_i + 1}"] = {theme: _cell(BANDS[theme][_i], BANDS[theme][_i], 0, 1.0) for theme in BANDS}

STYLES |= {
    "emerging": {"light": _cell("#9c3203", "#5c1c00", 2), "dark": _cell("#ff9a3d", "#ffd9b0", 2)},
    "persistent": {"light": _cell("#e0620d", "#9c3203", 1), "dark": _cell("#cc6a1b", "#ff9a3d", 1)},
    "sporadic": {"light": _cell("#fdb171", "#e0620d", 1, dash="3 3"), "dark": _cell("#80491d", "#cc6a1b", 1, dash="3 3")},
    "fading": {"light": _cell("#3d8bc4", "#0b4d8c", 1.5, dash="6 3"), "dark": _cell("#3f8fc4", "#7cc8ff", 1.5, dash="6 3")},
    "no_rate": {"light": _cell("#566072", "#566072", 1, 0.15, "2 4"), "dark": _cell("#a3afbf", "#a3afbf", 1, 0.15, "2 4")},
}  # fmt: skip
RATE_STEPS = (0.5, 1.0, 1.5, 2.0, 3.0)  # times the rate of all: where the bands begin
for _i in range(len(RATE_STEPS)):
    STYLES[f"rate_{_i + 1}"] = {t: _cell(BANDS[t][_i], BANDS[t][_i], 0.7, BAND_ALPHA[_i]) for t in BANDS}
STYLES["rate_0"] = STYLES["none"]
LONGEST_SIDE_PX = 1_000
CONTROL_POINTS = 33
HOMES_MOST = 3_000


@dataclass(frozen=True)
class LegendRow:
    """One line of a legend: the style's name, and what it means in words; the colours for the page around the map."""

    kind: str
    text: str
    light: str
    dark: str


def legend_of(found: Findings | None, measure: Measure, slider: bool = True) -> list[LegendRow]:
    """The legend in words: how sure, how many to the square kilometre, how far from the average, how it went on (and, where
    there is a slider, what the same colours mean in one week)."""
    if measure is Measure.SIGNIFICANCE:
        rows = [(str(label), str(LABEL_WORDS[label])) for label in LABEL_WORDS if label is not Label.NO_DATA]
    elif measure is Measure.COURSE:
        rows = _course_rows(slider)
    elif measure is Measure.RATE:
        rows = _rate_rows(found)
    else:
        steps = density_steps(surface(found)) if found else []
        upper = [*steps[1:], None][: len(steps)]  # no complaint at all: no bands
        rows = [
            (f"band_{i + 1}", _("%(low)s or more per km²", low=_short(low)) if high is None
             else _("%(low)s to %(high)s per km²", low=_short(low), high=_short(high)))
            for i, (low, high) in enumerate(zip(steps, upper, strict=True))
        ]  # fmt: skip
    return [
        LegendRow(kind, text, STYLES[kind]["light"]["fillColor"], STYLES[kind]["dark"]["fillColor"])
        for kind, text in rows
    ]


def _course_rows(slider: bool) -> list[tuple[str, str]]:
    rows = []
    for course, words in COURSE_WORDS.items():
        label = IN_ONE_WEEK.get(course) if slider else None
        told = _("%(course)s (in one week: %(label)s)", course=words, label=LABEL_WORDS[label]) if label else str(words)
        rows.append((str(course) if course is not Course.NONE else "none", told))
    others = (Label.COLD_99, Label.COLD_90) if slider else ()
    return rows + [(str(label), _("In one week: %(label)s", label=LABEL_WORDS[label])) for label in others]


def _rate_rows(found: Findings | None) -> list[tuple[str, str]]:
    mean = average_rate(found)
    bounds = [0.0, *(round(step * mean, 1) for step in RATE_STEPS)]
    rows = [
        (f"rate_{i}", _("%(low)s or more per 1,000 households", low=_short(low)) if i == len(RATE_STEPS)
         else _("%(low)s to %(high)s per 1,000 households", low=_short(low), high=_short(bounds[i + 1])))
        for i, low in enumerate(bounds)
    ]  # fmt: skip
    return (
        [*rows, ("no_rate", _("No household known: no rate"))]
        if mean
        else [("no_rate", _("No household known: no rate"))]
    )


def average_rate(found: Findings | None) -> float:
    """Complaints per 1,000 households of everything that is compared and lived in."""
    if found is None:
        return 0.0
    lived = found.mask & (found.households > 0)
    homes = float(found.households[lived].sum())
    return float(found.counts[lived].sum()) / homes * PER_HOUSEHOLDS if homes else 0.0


def kind_of(found: Findings | None, measure: Measure) -> Callable[[Cell], str]:
    """The style of a cell in this view."""
    if measure is Measure.DENSITY:
        return lambda cell: "quiet"
    if measure is Measure.COURSE:
        return lambda cell: str(cell.course)
    if measure is Measure.RATE:
        mean = average_rate(found)
        return lambda cell: (
            "no_rate" if cell.rate is None or not mean else f"rate_{sum(cell.rate >= s * mean for s in RATE_STEPS)}"
        )
    return lambda cell: str(cell.label)


def density_steps(found: Surface) -> list[float]:
    """Where the bands begin: five round numbers below the peak, the first a quarter of a step."""
    peak = float(found.per_km2.max(initial=0.0))
    if peak <= 0:
        return []
    rough = peak / 4.5
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(max(n * power for n in (1, 2, 2.5, 5) if n * power <= rough * 1.0001))
    return [step / 4, *(step * n for n in (1, 2, 3, 4))]


def verdict(cell: Cell, measure: Measure) -> str:
    """A cell's word in this view."""
    return str(COURSE_WORDS[cell.course] if measure is Measure.COURSE else LABEL_WORDS[cell.label])


def draw(
    session: Session, answer: Answer, measure: Measure, language: str, title: str, done: Sequence[Done] = ()
) -> SafeMap:  # fmt: skip
    """The map: the ground, then the surface or the cells, then what was done. Cells beyond `DRAWN_MAX` are left to the table."""
    from webapp.maps import SafeMap, Shape  # here and not above: see `SLOW` in webapp/app.py

    found = answer.found
    words = {
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "play": _("Play"),
        "pause": _("Pause"),
        "all_weeks": _("The whole period"),
        "slider": _("Week on the map"),
    }
    drawn = SafeMap(title, COUNTRY if found is None else found.bounds(), language=language, words=words)
    if found is None:
        return drawn
    drawn.styles(STYLES)
    _ground(session, drawn, found)
    if measure is Measure.DENSITY:
        flat = surface(found)
        steps = density_steps(flat)
        if steps:
            box, light, dark = density_images(flat, found, steps)
            drawn.image(_("Density"), light, dark, box, alt=_("Density of complaints"))
    fields = (_("Nearest place"), _("Complaints"), _("Per km²"), _("Per 1,000 households"), "z", "p", _("Verdict"))
    kind = kind_of(found, measure)
    shapes = [
        Shape(shapely.geometry.mapping(cell.geometry), kind(cell),
              (name or "—", cell.count, figure(cell.per_km2, 1), figure(cell.rate, 1), figure(cell.z, 2), chance(cell.p),
               verdict(cell, measure)), cell.number)
        for cell, name in zip(answer.cells[:DRAWN_MAX], answer.names, strict=False)
    ]  # fmt: skip
    # the strongest last: they are drawn over their neighbours
    drawn.shapes(_("Cells"), reversed(shapes), fields=fields)
    if answer.weeks is not None:
        drawn.steps(*_steps(answer, found))
    for work, became in done:
        told = f"{WORK_WORDS[WorkKind(work['kind'])]} {work['acts_on']} · {OUTCOME_WORDS[became.outcome]}"
        drawn.marker(work["lon"], work["lat"], _SIGNS[became.outcome], tooltip=f"{work['place']} {told}", title=told)
    return drawn


Done = tuple[Mapping[str, Any], Became]
_SIGNS = {Outcome.WAITING: "◌", Outcome.COOLED: "✓", Outcome.STILL_HOT: "▲", Outcome.UNKNOWN: "?"}
_STEP_KINDS = ("none", "cold_90", "cold_95", "cold_99", "hot_90", "hot_95", "hot_99")


def _steps(answer: Answer, found: Findings) -> tuple[list[str], tuple[str, ...], dict[int, str]]:
    """What the time slider shows: a caption for each week, the styles, and for each drawn cell its style week by week."""
    told = answer.weeks
    assert told is not None
    begin, all_weeks = EPOCH + timedelta(days=told.first_day), told.counts.shape[0]
    captions = [
        _("Week %(n)s of %(all)s: %(first)s – %(last)s", n=n + 1, all=all_weeks, first=begin + timedelta(days=STEP_DAYS * n),
          last=begin + timedelta(days=STEP_DAYS * n + STEP_DAYS - 1))
        for n in range(all_weeks)
    ]  # fmt: skip
    where = {}
    for cell in answer.cells[:DRAWN_MAX]:
        x, y = to_metres([cell.lon], [cell.lat], found.near_lon)
        at = cell_at(found.tiling, float(x[0]), float(y[0]))
        if at is not None:
            sure = told.sure[(slice(None), *at)]
            where[cell.number] = "".join(str(s + 3 if s > 0 else -s) for s in sure.tolist())
    return captions, _STEP_KINDS, where


def _ground(session: Session, drawn: SafeMap, found: Findings) -> None:
    """The bureau's own districts, streets and roads, with names and where they come from."""
    from webapp.maps import Shape

    area = found.area if found.area is not None else shapely.box(*found.bounds())
    areas = queries.ground_areas(session, area)
    roads = queries.ground_roads(session, area)
    sources = " · ".join(dict.fromkeys([*(a.source for a in areas if a.source), *roads.sources]))
    for level in ("district", "street"):
        shapes = [Shape(shapely.geometry.mapping(a.geometry), level) for a in areas if a.level == level]
        drawn.shapes(level, shapes, ground=True, attribution=sources if level == "district" else "")
    if not areas and found.area is not None:
        drawn.shapes(
            "district", [Shape(shapely.geometry.mapping(found.area), "district")], ground=True, attribution=sources
        )
    homes = [h.geometry for h in queries.settled(session, area) if h.geometry.geom_type in ("Polygon", "MultiPolygon")]
    drawn.shapes("home", [Shape(shapely.geometry.mapping(home), "home") for home in homes[:HOMES_MOST]], ground=True)
    for kind, lines in (("road", roads.small), ("road_main", roads.main)):
        if lines is not None and not shapely.is_empty(lines):
            drawn.shapes(kind, [Shape(shapely.geometry.mapping(lines), kind)], ground=True)
    streets = [a for a in areas if a.level == "street"]
    for a in streets or areas:
        drawn.marker(a.lon, a.lat, a.name)


def density_images(flat: Surface, found: Findings, steps: list[float]) -> tuple[Bounds, bytes, bytes]:
    """The surface as two pictures in Mercator over the study area, clear where there is less than the first step."""
    west, south, east, north = found.bounds()
    top, bottom = _mercator(north), _mercator(south)
    wide = np.radians(east - west)
    scale = LONGEST_SIDE_PX / max(wide, top - bottom)
    width, height = max(int(wide * scale), 2), max(int((top - bottom) * scale), 2)
    x, y = _plane(flat, (west, south, east, north), width, height)
    values = density.sample(flat.grid, flat.per_km2, x, y)
    band = np.where(found.on_ground(x, y), np.searchsorted(np.array(steps), values, side="right"), 0).reshape(
        height, width
    )
    return (west, south, east, north), _png(band, "light"), _png(band, "dark")


def _mercator(lat: float) -> float:
    return float(np.arctanh(np.sin(np.radians(lat))))


def _plane(flat: Surface, box: Bounds, width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres of every pixel's middle: exact at a net of points, linear between (a pixel is metres, the error millimetres)."""
    west, south, east, north = box
    lon = np.linspace(west, east, CONTROL_POINTS)
    lat = np.degrees(np.arcsin(np.tanh(np.linspace(_mercator(north), _mercator(south), CONTROL_POINTS))))
    net = to_metres(np.tile(lon, CONTROL_POINTS), np.repeat(lat, CONTROL_POINTS), flat.near_lon)
    at_row = np.repeat((np.arange(height) + 0.5) / height * (CONTROL_POINTS - 1), width)
    at_column = np.tile((np.arange(width) + 0.5) / width * (CONTROL_POINTS - 1), height)
    x, y = (map_coordinates(n.reshape(CONTROL_POINTS, CONTROL_POINTS), [at_row, at_column], order=1) for n in net)
    return x, y


def _png(band: NDArray[np.int64], theme: str) -> bytes:
    """Bands as colours; band 0 is clear."""
    table = np.zeros((len(BAND_ALPHA) + 1, 4), np.uint8)
    for i, colour in enumerate(BANDS[theme]):
        table[i + 1] = (*bytes.fromhex(colour[1:]), round(BAND_ALPHA[i] * 255))
    kept = io.BytesIO()
    Image.fromarray(table[band]).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def figure(value: float | None, digits: int) -> str:
    """A number for people, or a dash."""
    return "—" if value is None else f"{value:.{digits}f}"


def chance(p: float | None) -> str:
    """A p for people."""
    return "—" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _short(value: float) -> str:
    return f"{value:,.4g}"
