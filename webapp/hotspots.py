"""The planner's page: where complaints gather, and whether that is more than chance. The URL is the view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from gis.complaints.model import Category
from gis.complaints.queries import Filters
from gis.errors import ChengmaiError
from gis.hotspots import analysis, cells, queries
from gis.hotspots.analysis import Findings, Question
from gis.hotspots.cells import Cell
from gis.hotspots.rules import (
    CELL_M,
    CELL_SIZES_M,
    DRAWN_MAX,
    REACH_CELLS,
    REACHES_CELLS,
    BadCell,
    BadReach,
    Ground,
    Measure,
)
from webapp import filters as filtering
from webapp import hotspot_files, hotspot_maps
from webapp.access import db, needs, now, scope
from webapp.i18n import message, word
from webapp.maps import SafeMap

pages = Blueprint("hotspots", __name__)
PAGE_ROWS = 100
# Stored text cannot run in the frame (webapp/maps.py); if it ever did, it would run without an origin, cookies or network.
FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class View:
    """What the URL asks for."""

    question: Question
    measure: Measure
    first: date
    last: date

    @property
    def filters(self) -> Filters:
        return self.question.filters


@dataclass(frozen=True)
class Answer:
    """The findings and the rows that map, table and files share."""

    found: Findings | None
    cells: list[Cell]
    names: list[str]


@pages.get("/hotspots")
@needs("see_hotspots")
def index() -> Any:
    """Filters, map, legend, table. Without a period: the week up to the latest complaint, written into the URL."""
    if not (request.args.get("from") and request.args.get("to")):
        return redirect(url_for("hotspots.index", **(_arguments() | _latest_week())))
    problem, answer, view = "", Answer(None, [], []), None
    try:
        view = _view()
        answer = _answer(view)
    except ChengmaiError as error:
        problem = message(error)
    status = 422 if problem else 200
    return render_template("hotspots/index.html", **_page(view, answer, problem)), status


@pages.get("/hotspots/map")
@needs("see_hotspots")
def frame() -> Response:
    """The map alone, for the page's sandboxed frame."""
    view = _view()
    answer = _answer(view)
    if answer.found is None:
        drawn = SafeMap(_("Hotspots"), (73.0, 18.0, 135.0, 54.0), language=_language())
    else:
        drawn = hotspot_maps.draw(
            db(), answer.found, answer.cells, answer.names, view.measure, _language(), _("Hotspots")
        )
    reply = Response(drawn.html(), mimetype="text/html")
    reply.headers["Content-Security-Policy"] = FRAME_POLICY
    reply.headers["X-Frame-Options"] = "SAMEORIGIN"
    return reply


@pages.get("/hotspots.html")
@needs("export")
def as_html() -> Response:
    """The same view as one page that opens on any computer, without network or server."""
    return _export("html")


@pages.get("/hotspots.xlsx")
@needs("export")
def as_xlsx() -> Response:
    """The same rows for Excel."""
    return _export("xlsx")


@pages.get("/hotspots.geojson")
@needs("export")
def as_geojson() -> Response:
    """The same rows as polygons."""
    return _export("geojson")


@pages.get("/hotspots.gpkg")
@needs("export")
def as_gpkg() -> Response:
    """The same rows for any GIS."""
    return _export("gpkg")


def _export(kind: str) -> Response:
    view = _view()
    answer = _answer(view)
    told = hotspot_files.Told(_title(view), _lines(view, answer), view.measure, _language())
    body, mimetype = hotspot_files.write(kind, db(), answer.found, answer.cells, answer.names, told)
    name = f"hotspots_{view.first}_{view.last}.{kind}"
    return Response(
        body,
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Robots-Tag": "none"},
    )


def _view() -> View:
    """The query string, checked."""
    args = request.args
    cell = filtering.number("cell", CELL_M, 1, 10**6)
    if cell not in CELL_SIZES_M:
        raise BadCell(least=CELL_SIZES_M[0], most=CELL_SIZES_M[-1], cell_m=cell)
    reach = filtering.number("reach", cell * REACH_CELLS, 1, 10**7)
    if reach % cell or reach // cell not in REACHES_CELLS:
        raise BadReach(reach=reach)
    measure = Measure.DENSITY if args.get("measure") == Measure.DENSITY else Measure.SIGNIFICANCE
    chosen = filtering.from_request()
    zone = filtering.zone()
    today = now().astimezone(zone).date()
    first = chosen.since.astimezone(zone).date() if chosen.since else today
    last = (chosen.until - timedelta(seconds=1)).astimezone(zone).date() if chosen.until else today
    ground = Ground.ALL if args.get("ground") == Ground.ALL else Ground.SETTLED
    return View(Question.of(chosen, cell, reach, ground), measure, first, last)


def _answer(view: View) -> Answer:
    found = analysis.find(db(), view.question, scope(), now())
    if found is None:
        return Answer(None, [], [])
    listed = cells.cells(found, view.measure)
    return Answer(found, listed, cells.name_cells(db(), listed, found))


def _page(view: View | None, answer: Answer, problem: str) -> dict[str, Any]:
    """Everything the template shows."""
    pages_most = max(1, -(-len(answer.cells) // PAGE_ROWS))
    page = min(filtering.number("page", 1, 1, 10**6), pages_most)
    start = (page - 1) * PAGE_ROWS
    rows = list(zip(answer.cells, answer.names, strict=True))[start : start + PAGE_ROWS]
    measure = view.measure if view else Measure.SIGNIFICANCE
    steps = (
        hotspot_maps.density_steps(cells.surface(answer.found)) if answer.found and measure is Measure.DENSITY else []
    )
    here = _arguments()
    return {
        "problem": problem, "view": view, "found": answer.found, "rows": rows, "all_rows": len(answer.cells),
        "page": page, "pages_most": pages_most, "page_rows": PAGE_ROWS, "legend": hotspot_maps.legend(measure, steps),
        "label_words": hotspot_maps.LABEL_WORDS, "figure": hotspot_maps.figure, "chance": hotspot_maps.chance,
        "here": {k: v for k, v in here.items() if k not in ("page", "cell_no")}, "measure": measure,
        "categories": _categories(), "districts": queries.districts(db(), scope()), "presets": _presets(),
        "cell_sizes": CELL_SIZES_M, "reaches": REACHES_CELLS, "cell_m": view.question.cell_m if view else CELL_M,
        "reach_m": view.question.reach_m if view else CELL_M * REACH_CELLS, "drawn_most": DRAWN_MAX, "others": _others(),
        "hot": sum(1 for c in answer.cells if c.label.startswith("hot_")), "tally": _tally(answer), "title": _title(view) if view else "", "described": _describe(view) if view else "",
        "study_area": study_area(answer.found) if answer.found else "", "method": _method(view) if view else "",
        "ground": str(view.question.ground) if view else str(Ground.SETTLED),
        "focus": filtering.number("cell_no", 0, 0, 10**7),
    }  # fmt: skip


def _tally(answer: Answer) -> dict[str, int]:
    """How many cells carry each label."""
    tally: dict[str, int] = {}
    for cell in answer.cells:
        tally[cell.label] = tally.get(cell.label, 0) + 1
    return tally


def _arguments() -> dict[str, Any]:
    """The query string as keyword arguments of `url_for`."""
    return {key: request.args.getlist(key) for key in request.args}


def _others() -> list[dict[str, Any]]:
    """Filters that came with the URL and have no field on this page: shown, kept and removable."""
    shown = []
    for key in ("status", "unit", "time_state", "q", "category", "district"):
        values = [v for v in request.args.getlist(key) if v]
        kept = values[1:] if key in ("category", "district") else values
        for value in kept:
            rest = _arguments() | {key: [v for v in values if v != value]}
            text = value if key in ("unit", "q", "category", "district") else word(key, value)
            shown.append({"name": key, "value": value, "text": text, "without": url_for("hotspots.index", **rest)})
    return shown


def _categories() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The dictionary grouped by the first part of its codes: (prefix, name, [(code, name)])."""
    groups: dict[str, list[tuple[str, str]]] = {}
    chinese = _language() == "zh"
    for row in db().scalars(select(Category).order_by(Category.number)):
        groups.setdefault(row.code.split(".")[0], []).append((row.code, row.name if chinese else row.name_en))
    return [(prefix, word("category_group", prefix), rows) for prefix, rows in groups.items()]


def _presets() -> list[tuple[str, dict[str, Any], bool]]:
    """Periods that are asked for often: (name, arguments, is it the one shown?)."""
    today = now().astimezone(filtering.zone()).date()
    year = today.year if today.month >= 11 else today.year - 1
    periods = [
        (_("Today"), today, today),
        (_("7 days"), today - timedelta(days=6), today),
        (_("30 days"), today - timedelta(days=29), today),
        (_("This month"), today.replace(day=1), today),
        (_("Heating season"), date(year, 11, 15), min(date(year + 1, 3, 15), max(today, date(year, 11, 15)))),
        (_("This year"), today.replace(month=1, day=1), today),
    ]
    shown = (request.args.get("from"), request.args.get("to"))
    base = {k: v for k, v in _arguments().items() if k not in ("page", "cell_no")}
    return [
        (name, base | {"from": first.isoformat(), "to": last.isoformat()}, shown == (first.isoformat(), last.isoformat()))
        for name, first, last in periods
    ]  # fmt: skip


def _latest_week() -> dict[str, str]:
    """The seven days up to the latest complaint, or up to today."""
    zone: ZoneInfo = filtering.zone()
    latest: datetime = queries.latest(db(), scope()) or now()
    last = latest.astimezone(zone).date()
    return {"from": (last - timedelta(days=6)).isoformat(), "to": last.isoformat()}


def _title(view: View) -> str:
    name = _("Density of complaints") if view.measure is Measure.DENSITY else _("Where complaints gather")
    return f"{name} {view.first} – {view.last}"


def _lines(view: View, answer: Answer) -> list[str]:
    """What a document says about itself: the selection, the method, what is not drawn."""
    lines = [_describe(view)]
    found = answer.found
    if found is not None:
        lines.append(_("%(drawn)s complaints on the map · %(lost)s not located · %(outside)s outside the study area",
                       drawn=found.drawn, lost=found.not_located, outside=found.outside))  # fmt: skip
        area = study_area(found)
        lines.append(area)
    lines.append(_method(view))
    if current_app.config["SETTINGS"].demo:
        lines.append(_("Synthetic demo data"))
    return lines


def study_area(found: Findings) -> str:
    """Which cells are compared, in a sentence."""
    n = f"{found.cells_in_area:,}"
    if found.area is None:
        return _("Study area: the rectangle around the complaints (%(n)s cells), because no district is known.", n=n)
    if found.ground is Ground.SETTLED:
        return _(
            "Study area: the %(n)s cells of the chosen districts where people live or that hold a complaint; cells without complaints count as zero.",
            n=n,
        )
    return _(
        "Study area: the %(n)s cells that the chosen districts touch; cells without complaints count as zero.", n=n
    )


def _describe(view: View) -> str:
    names = {code: name for _p, _n, rows in _categories() for code, name in rows}
    names |= {prefix: name for prefix, name, _r in _categories()}
    districts = {str(i): name for i, name in queries.districts(db(), scope())}
    category = ", ".join(names.get(c, c) for c in view.filters.category) or _("All categories")
    district = ", ".join(districts.get(str(d), str(d)) for d in view.filters.district) or _("All districts")
    others = [
        f"{word('filter', o['name'])}: {o['text']}" for o in _others() if o["name"] not in ("category", "district")
    ]
    return " · ".join([f"{view.first} – {view.last}", category, district, *others])


def _method(view: View) -> str:
    if view.measure is Measure.DENSITY:
        return _("Quartic kernel, bandwidth %(reach)s m, complaints per square kilometre; no edge correction.",
                 reach=f"{view.question.reach_m:g}")  # fmt: skip
    return _("Getis-Ord Gi* on cells of %(cell)s m, neighbours within %(reach)s m, two-sided p, labels after Benjamini-Hochberg.",
             cell=f"{view.question.cell_m:g}", reach=f"{view.question.reach_m:g}")  # fmt: skip


def _language() -> str:
    return "zh" if str(get_locale()).startswith("zh") else "en"
