"""What the address of a hotspot page asks for: the same for map, table, outbreaks, addresses, works and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from gis.complaints.model import Category
from gis.complaints.queries import Filters
from gis.errors import BadInput
from gis.hotspots import analysis, cells, queries, sheet_queries
from gis.hotspots.analysis import Findings, Question
from gis.hotspots.cells import Cell
from gis.hotspots.compared import Span
from gis.hotspots.rules import (
    CELL_M,
    CELL_SIZES_M,
    K_PUBLIC,
    REACH_CELLS,
    REACHES_CELLS,
    BadCell,
    BadReach,
    CellShape,
    Chance,
    Ground,
    Measure,
)
from gis.hotspots.tiling import Tracts
from gis.hotspots.weeks import Weeks, weeks
from webapp import filters as filtering
from webapp.access import db, now, scope
from webapp.i18n import word


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
    """The findings and the rows that map, table and files share; the weeks where they were asked for."""

    found: Findings | None
    cells: list[Cell]
    names: list[str]
    weeks: Weeks | None = None


def view() -> View:
    """The query string, checked."""
    cell = filtering.number("cell", CELL_M, 1, 10**6)
    if cell not in CELL_SIZES_M:
        raise BadCell(least=CELL_SIZES_M[0], most=CELL_SIZES_M[-1], cell_m=cell)
    reach = filtering.number("reach", cell * REACH_CELLS, 1, 10**7)
    if reach % cell or reach // cell not in REACHES_CELLS:
        raise BadReach(reach=reach)
    measure = Measure(_member("measure", Measure, Measure.SIGNIFICANCE))
    chosen = filtering.from_request()
    zone = filtering.zone()
    today = now().astimezone(zone).date()
    first = chosen.since.astimezone(zone).date() if chosen.since else today
    last = (chosen.until - timedelta(seconds=1)).astimezone(zone).date() if chosen.until else today
    ground = Ground.ALL if request.args.get("ground") == Ground.ALL else Ground.SETTLED
    shape = CellShape(_member("shape", CellShape, CellShape.SQUARE))
    chance = Chance(_member("chance", Chance, Chance.NORMAL))
    return View(Question.of(chosen, cell, reach, ground, shape, chance), measure, first, last)


def _member(name: str, possible: Iterable[StrEnum], otherwise: StrEnum) -> str:
    """One word of the query string; another than the possible ones is BadInput."""
    given = request.args.get(name) or str(otherwise)
    if given not in {str(p) for p in possible}:
        raise BadInput(reason=name)
    return given


def answer(view: View, public: bool = False) -> Answer:
    """What the view shows; `public`: nothing of a cell with fewer complaints than anybody may be told of."""
    found = analysis.find(db(), view.question, scope(), now())
    if found is None:
        return Answer(None, [], [])
    told = None
    if view.measure is Measure.COURSE:
        told = weeks(found, (view.first - sheet_queries.EPOCH).days, (view.last - sheet_queries.EPOCH).days)
    if public:
        found = analysis.at_least(found, K_PUBLIC)
    listed = cells.cells(found, view.measure, weeks=told)
    return Answer(found, listed, cells.name_cells(db(), listed, found), told)


def arguments() -> dict[str, Any]:
    """The query string as keyword arguments of `url_for`."""
    return {key: request.args.getlist(key) for key in request.args}


def others() -> list[dict[str, Any]]:
    """Filters that came with the URL and have no field on this page: shown, kept and removable."""
    shown = []
    for key in ("status", "unit", "time_state", "q", "category", "district"):
        values = [v for v in request.args.getlist(key) if v]
        kept = values[1:] if key in ("category", "district") else values
        for value in kept:
            rest = arguments() | {key: [v for v in values if v != value]}
            text = value if key in ("unit", "q", "category", "district") else word(key, value)
            shown.append(
                {
                    "name": key,
                    "value": value,
                    "text": text,
                    "without": url_for(request.endpoint or "hotspots.index", **rest),
                }
            )
    return shown


def categories() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The dictionary grouped by the first part of its codes: (prefix, name, [(code, name)])."""
    groups: dict[str, list[tuple[str, str]]] = {}
    chinese = language() == "zh"
    for row in db().scalars(select(Category).order_by(Category.number)):
        groups.setdefault(row.code.split(".")[0], []).append((row.code, row.name if chinese else row.name_en))
    return [(prefix, word("category_group", prefix), rows) for prefix, rows in groups.items()]


def presets() -> list[tuple[str, dict[str, Any], bool]]:
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
    base = {k: v for k, v in arguments().items() if k not in ("page", "cell_no")}
    return [
        (name, base | {"from": first.isoformat(), "to": last.isoformat()}, shown == (first.isoformat(), last.isoformat()))
        for name, first, last in periods
    ]  # fmt: skip


def latest_week() -> dict[str, str]:
    """The seven days up to the latest complaint, or up to today."""
    zone: ZoneInfo = filtering.zone()
    latest: datetime = queries.latest(db(), scope()) or now()
    last = latest.astimezone(zone).date()
    return {"from": (last - timedelta(days=6)).isoformat(), "to": last.isoformat()}


def title(view: View) -> str:
    names = {
        Measure.DENSITY: _("Density of complaints"), Measure.RATE: _("Complaints per 1,000 households"),
        Measure.COURSE: _("How hotspots go on"),
    }  # fmt: skip
    return f"{names.get(view.measure) or _('Where complaints gather')} {view.first} – {view.last}"


def lines(view: View, answer: Answer, public: bool = False) -> list[str]:
    """What a document says about itself: the selection, the method, what is not drawn."""
    told = [describe(view)]
    found = answer.found
    if found is not None:
        if public:
            told.append(
                _(
                    "Only cells of at least %(k)s complaints are shown; nothing of a single complaint, address or person.",
                    k=K_PUBLIC,
                )
            )
        else:
            told.append(_("%(drawn)s complaints on the map · %(lost)s not located · %(outside)s outside the study area",
                          drawn=found.drawn, lost=found.not_located, outside=found.outside))  # fmt: skip
            told.append(study_area(found))
    told.append(method(view))
    if current_app.config["SETTINGS"].demo:
        told.append(_("Synthetic demo data"))
    return told


def study_area(found: Findings) -> str:
    """Which cells are compared, in a sentence."""
    n = f"{found.cells_in_area:,}"
    if isinstance(found.tiling, Tracts):
        return _("Study area: %(n)s communities; one without complaints counts as zero.", n=n)
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


def describe(view: View) -> str:
    names = {code: name for _p, _n, rows in categories() for code, name in rows}
    names |= {prefix: name for prefix, name, _r in categories()}
    districts = {str(i): name for i, name in queries.districts(db(), scope())}
    category = ", ".join(names.get(c, c) for c in view.filters.category) or _("All categories")
    district = ", ".join(districts.get(str(d), str(d)) for d in view.filters.district) or _("All districts")
    more = [
        f"{word('filter', o['name'])}{_(': ')}{o['text']}"
        for o in others()
        if o["name"] not in ("category", "district")
    ]
    return " · ".join([f"{view.first} – {view.last}", category, district, *more])


def method(view: View) -> str:
    """How the numbers came about, in a sentence."""
    asked = view.question
    reach, cell = f"{asked.reach_m:g}", f"{asked.cell_m:g}"
    if view.measure is Measure.DENSITY:
        return _(
            "Quartic kernel, bandwidth %(reach)s m, complaints per square kilometre; no edge correction.", reach=reach
        )
    if view.measure is Measure.RATE:
        return _("Complaints per 1,000 households, drawn towards the mean of all where few households stand behind a rate (empirical Bayes, Marshall 1991).")  # fmt: skip
    if asked.shape is CellShape.COMMUNITY:
        told = _(
            "Getis-Ord Gi* on communities, neighbours where borders touch, two-sided p, labels after Benjamini-Hochberg."
        )
    elif asked.shape is CellShape.HEXAGON:
        told = _("Getis-Ord Gi* on hexagons %(cell)s m apart, neighbours within %(reach)s m, two-sided p, labels after Benjamini-Hochberg.",
                 cell=cell, reach=reach)  # fmt: skip
    else:
        told = _("Getis-Ord Gi* on cells of %(cell)s m, neighbours within %(reach)s m, two-sided p, labels after Benjamini-Hochberg.",
                 cell=cell, reach=reach)  # fmt: skip
    if asked.chance is Chance.PERMUTED:
        told += " " + _("p by 999 random permutations.")
    if view.measure is Measure.COURSE:
        told += " " + _(
            "Trend of each cell's weekly Gi* by Mann-Kendall at 5 %; persistent is hot in nine of ten weeks."
        )
    return told


def language() -> str:
    return "zh" if str(get_locale()).startswith("zh") else "en"


def span(view: View) -> Span:
    """The days that were asked for."""
    return Span(view.first, view.last)


def frame_of(shown: View | None) -> dict[str, Any]:
    """What the filters and tabs of every hotspot page need."""
    asked = shown.question if shown else None
    return {
        "view": shown, "here": {k: v for k, v in arguments().items() if k not in ("page", "cell_no")}, "others": others(),
        "categories": categories(), "districts": queries.districts(db(), scope()), "presets": presets(),
        "cell_sizes": CELL_SIZES_M, "reaches": REACHES_CELLS, "cell_m": asked.cell_m if asked else CELL_M,
        "reach_m": asked.reach_m if asked else CELL_M * REACH_CELLS, "ground": str(asked.ground if asked else Ground.SETTLED),
        "shape": str(asked.shape if asked else CellShape.SQUARE), "shapes": list(CellShape),
        "chance_kind": str(asked.chance if asked else Chance.NORMAL), "measure": shown.measure if shown else Measure.SIGNIFICANCE,
        "title": title(shown) if shown else "", "described": describe(shown) if shown else "",
    }  # fmt: skip


def names_at(places: list[tuple[float, float]]) -> list[str]:
    """What people call these places: the nearest compound or gazetteer name within reach, else nothing."""
    return cells.names_near(db(), places, queries.study_area(db(), (), scope()))
