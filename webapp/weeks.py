"""The heating week's board (专题接话周): live figures beside their targets, stations on a map and in a table. The URL is the view."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput, ChengmaiError
from gis.network import season_queries
from gis.network.rules import StationOperator, Utility
from gis.network.season_rules import standing
from gis.oversight import week_queries, weeks
from gis.oversight.counting_queries import Counting
from gis.oversight.week_board import Board, Chosen, board
from gis.oversight.week_model import ThemedWeek
from gis.oversight.week_rules import FIGURES, StationOrder, TargetKey, days_of
from webapp import filters, forms, week_files
from webapp.access import db, needs, now, scope, who
from webapp.filters import today, zone
from webapp.forms import BadFormField
from webapp.i18n import message

pages = Blueprint("weeks", __name__, url_prefix="/heating")
WALL_STATIONS, SHOWN, ALL = 6, 20, 5_000


@pages.get("/week")
@needs("see_complaints")
def index() -> str:
    """The board of a week, as it is now: the running one, or `week`; `wall=1` for the big screen."""
    week = _week()
    wall = request.args.get("wall") == "1"
    chosen = _chosen()
    shown = {
        "week": week, "weeks": week_queries.weeks(db()), "chosen": chosen, "wall": wall, "orders": list(StationOrder),
        "operators": list(StationOperator), "here": _here(),
        "shown_rows": WALL_STATIONS if wall else ALL if request.args.get("all") == "1" else SHOWN,
        "narrowed": chosen != Chosen(order=chosen.order),
    }  # fmt: skip
    if week is None:
        return render_template("weeks/empty.html", **shown, **_season_now())
    made = _board(week, chosen)
    return render_template("weeks/index.html", **shown, board=made, units=_units(made), places=_places(made))


@pages.get("/week.xlsx")
@needs("export")
def as_excel() -> Response:
    """The same view as a workbook: figures with their denominators, days, stations, companies, supervisions."""
    week = _week()
    if week is None:
        raise BadInput(reason="week")
    return week_files.excel(_board(week, _chosen()))


def _board(week: ThemedWeek, chosen: Chosen) -> Board:
    settings = current_app.config["SETTINGS"]
    rules = Counting(settings.response_hours, settings.basically_satisfied)
    return board(db(), scope(), week, chosen, now(), zone(), rules)


def _week() -> ThemedWeek | None:
    number = filters.number("week", 0, 0, 10**9)
    return week_queries.week(db(), number) if number else week_queries.week_of(db(), today())


def _chosen() -> Chosen:
    """The query string, checked."""
    operator, order = request.args.get("operator") or None, request.args.get("order") or StationOrder.SHRUNK
    if operator is not None and operator not in set(StationOperator):
        raise BadInput(reason="operator")
    if order not in set(StationOrder):
        raise BadInput(reason="order")
    q = request.args.get("q", "").strip()
    if len(q) > filters.LONGEST_Q or "\0" in q:
        raise BadInput(reason="q")
    return Chosen(operator, filters.number("unit", 0, 0, 10**9) or None, q, StationOrder(order))


def _here() -> dict[str, str]:
    """The view without what is empty, for links."""
    return {key: value for key in ("week", "operator", "unit", "q", "order") if (value := request.args.get(key))}


def _units(made: Board) -> list[tuple[int, str]]:
    """The companies that run or heat a station that this person may see."""
    found = {}
    for row in week_queries.stations(db(), scope()):
        found |= {row[f"{kind}_id"]: row[kind] for kind in ("unit", "company") if row[f"{kind}_id"]}
    return sorted(found.items(), key=lambda pair: pair[1])


def _places(made: Board) -> list[dict[str, Any]]:
    """What the map draws of each station: the rows of the table, no others."""
    mean = float(made.per_hundred or 0)
    return [
        {"id": row["id"], "name": row["name"], "lon": row["lon"], "lat": row["lat"], "calls": row["calls"],
         "rate": None if row["rate"].raw is None else float(row["rate"].raw), "band": _band(row["rate"], mean)}
        for row in made.stations
    ]  # fmt: skip


def _band(rate: Any, mean: float) -> str:
    """Beside the mean of all stations: surely above, surely below (its interval leaves the mean out), or not to be told."""
    if rate.raw is None:
        return "none"
    if rate.low > mean:
        return "above"
    return "below" if rate.high < mean else "same"


@pages.app_template_global("week_band")
def week_band(rate: Any, mean: Decimal | None) -> str:
    """The same for the table."""
    return _band(rate, float(mean or 0))


def _season_now() -> dict[str, Any]:
    city = season_queries.home_city(db())
    season = season_queries.season_at(db(), city, now()) if city else None
    state = standing(now(), season.during.lower, season.during.upper) if season else None  # type: ignore[arg-type]
    return {"season": season, "season_state": state, "city": city}


# --- entered and changed -------------------------------------------------------------------------------------------------
@pages.get("/weeks/new")
@needs("edit_oversight")
def new() -> str:
    """An empty week."""
    return _form(None)


@pages.get("/weeks/<int:week_id>")
@needs("edit_oversight")
def edit(week_id: int) -> str:
    """A week and its targets, to be changed."""
    return _form(week_queries.week(db(), week_id))


def _form(week: ThemedWeek | None, error: str = "", typed: Mapping[str, str] | None = None) -> str:
    kept = (
        {
            key: (str(t.value.normalize().__format__("f")), t.source)
            for key, t in week_queries.targets(db(), week.id).items()
        }
        if week
        else {}
    )
    return render_template(
        "weeks/edit.html", week=week, figures=list(FIGURES.values()), targets=kept, error=error, typed=typed or {},
        utilities=list(Utility), city=season_queries.home_city(db()),
    )  # fmt: skip


@pages.post("/weeks")
@needs("edit_oversight")
def enter() -> Response | tuple[str, int]:
    """Enter a week with its targets."""
    return _save(None)


@pages.post("/weeks/<int:week_id>")
@needs("edit_oversight")
def change(week_id: int) -> Response | tuple[str, int]:
    """Other days, words or targets of a week."""
    return _save(week_queries.week(db(), week_id))


def _save(week: ThemedWeek | None) -> Response | tuple[str, int]:
    try:
        planned = weeks.Planned(
            city=forms.text("city"), name=forms.text("name"), name_en=forms.text("name_en"), first=forms.day("first"),
            last=forms.day("last"), source=forms.text("source"), utility=forms.text("utility") or Utility.HEAT,
        )  # fmt: skip
        if week is None:
            kept = weeks.enter(db(), who(), planned)
        else:
            kept = weeks.change(db(), who(), week.id, planned, forms.whole("base_version"))
        weeks.set_targets(db(), who(), kept.id, _targets())
    except ChengmaiError as error:
        db().rollback()
        week = week_queries.week(db(), week.id) if week is not None else None
        return _form(week, message(error), request.form), error.status
    flash(_("The week is kept; its board counts from now on."), "done")
    return redirect(url_for("weeks.index", week=kept.id), 303)  # type: ignore[return-value]


def _targets() -> dict[TargetKey, weeks.Target]:
    """The targets of the form; one without a number is none."""
    found = {}
    for key in TargetKey:
        raw = forms.text(f"value.{key}").strip().replace(",", "")
        if not raw:
            continue
        try:
            found[key] = weeks.Target(Decimal(raw), forms.text(f"source.{key}"))
        except InvalidOperation:
            raise BadFormField(field=f"value.{key}") from None
    return found


@pages.app_template_global("week_days")
def week_days(week: ThemedWeek) -> list[Any]:
    """Every day of a week."""
    return days_of(week.first, week.last)
