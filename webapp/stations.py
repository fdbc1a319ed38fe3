"""Heat-exchange stations at the desk: a list with their state now, and a page of each with its readings as charts and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, stream_with_context
from flask_babel import gettext as _

from gis import journal
from gis.errors import BadInput
from gis.network import alarm_queries
from gis.network import reading_queries as asking
from gis.network.reading_rules import KEPT_UNIT, AlarmKind, PointSide, Quantity
from gis.network.watching import wanted_at
from webapp import reading_charts as charts
from webapp.access import db, needs, now, scope, who
from webapp.exports import Cell, csv_answer, xlsx_answer
from webapp.filters import LONGEST_Q, today, zone
from webapp.i18n import word

pages = Blueprint("stations", __name__)
# range -> days that it shows, and how long each drawn step is; a season is what a heating season at most takes
RANGES: dict[str, tuple[int, int]] = {"day": (1, 600), "week": (7, 1800), "season": (180, 6 * 3600)}
STATES = ("alarm", "noted", "silent", "none", "fine")
TABLE_ROWS = 300
LOOKS = {
    PointSide.PRIMARY_SUPPLY: "supply", PointSide.SECONDARY_SUPPLY: "supply", PointSide.PRIMARY_RETURN: "return",
    PointSide.SECONDARY_RETURN: "return", PointSide.ROOM: "room", PointSide.OUTDOOR: "outdoor", PointSide.MAIN: "main",
}  # fmt: skip
GROUPS = (
    ("primary", (PointSide.PRIMARY_SUPPLY, PointSide.PRIMARY_RETURN)),
    ("secondary", (PointSide.SECONDARY_SUPPLY, PointSide.SECONDARY_RETURN)),
    ("others", (PointSide.ROOM, PointSide.OUTDOOR, PointSide.MAIN)),
)


@dataclass(frozen=True)
class View:
    """What the URL asks for: a stretch of whole days by the city's clock."""

    range: str
    on: date

    @property
    def days(self) -> int:
        return RANGES[self.range][0]

    @property
    def step_s(self) -> int:
        return RANGES[self.range][1]

    @property
    def since(self) -> datetime:
        return datetime.combine(self.on - timedelta(days=self.days - 1), time(), tzinfo=zone())

    @property
    def until(self) -> datetime:
        return datetime.combine(self.on + timedelta(days=1), time(), tzinfo=zone())


@pages.get("/stations")
@needs("see_network")
def index() -> str:
    """Every station with what it measures now, the worst first."""
    q, state = request.args.get("q", "")[:LONGEST_Q].replace("\0", "").strip(), request.args.get("state", "")
    if state and state not in STATES:
        raise BadInput(reason="state")
    points: dict[int, list[dict[str, Any]]] = {}
    for row in asking.points_now(db(), scope(), now()):
        points.setdefault(row["station_id"], []).append(row)
    rows = [row | {"state": state_of(points.get(row["id"], [])), "seen": _seen(points.get(row["id"], []))}
            for row in asking.stations(db(), scope(), q)]  # fmt: skip
    counts = {name: sum(row["state"] == name for row in rows) for name in STATES}
    rows = sorted(
        (r for r in rows if not state or r["state"] == state), key=lambda r: (STATES.index(r["state"]), r["name"])
    )
    return render_template(
        "readings/stations.html", rows=rows, counts=counts, q=q, state=state, loose=points.get(None, []), units=KEPT_UNIT,  # type: ignore[call-overload]
    )  # fmt: skip


def state_of(points: list[dict[str, Any]]) -> str:
    """How a station stands, by its points."""
    told = [row for row in points if row["alarms"]]
    if any(row["unseen"] for row in told):
        return "silent" if all(set(r["alarms"]) <= {"silence.silent"} for r in told if r["unseen"]) else "alarm"
    if told:
        return "noted"
    return "fine" if any(row["at"] for row in points) else "none"


def _seen(points: list[dict[str, Any]]) -> dict[str, Any]:
    """The last values of a station by side and quantity, and when the newest of them came."""
    by = {f"{row['side']}.{row['quantity']}": row for row in points if row["at"]}
    return by | {"newest": max((row["at"] for row in points if row["at"]), default=None)}


@pages.get("/stations/<int:station_id>")
@needs("see_network")
def show(station_id: int) -> str:
    """One station: its state now, its charts with what is wanted, the same as tables, its alarms."""
    station, view = asking.station(db(), scope(), _id(station_id)), _view()
    points = asking.points_now(db(), scope(), now(), station_id=station["id"])
    asked = alarm_queries.Asked(state="all", station_id=station["id"], limit=20)
    return render_template(
        "readings/station.html", station=station | {"state": state_of(points)}, points=points, view=view, ranges=RANGES,
        frames=frames(points, view), alarms=alarm_queries.alarms(db(), scope(), asked), units=KEPT_UNIT, today=today(),
        before=view.on - timedelta(days=view.days), after=view.on + timedelta(days=view.days), table_rows=TABLE_ROWS,
    )  # fmt: skip


@pages.get("/points/<int:point_id>")
@needs("see_network")
def point(point_id: int) -> str:
    """One measuring point that belongs to no station (a main, a room, outdoors), or one of a station alone."""
    rows = asking.points_now(db(), scope(), now(), point_id=_id(point_id))
    if not rows:
        raise asking.Missing(thing="measuring_point", id=point_id)
    view = _view()
    return render_template(
        "readings/point.html", point=rows[0], points=rows, view=view, ranges=RANGES, frames=frames(rows, view), units=KEPT_UNIT,
        today=today(), before=view.on - timedelta(days=view.days), after=view.on + timedelta(days=view.days), table_rows=TABLE_ROWS,
    )  # fmt: skip


@pages.get("/stations/<int:station_id>/readings.<any(csv, xlsx):format>")
@needs("export")
def as_file(station_id: int, format: str) -> Response:
    """Every reading of the shown days, as it is kept."""
    station, view = asking.station(db(), scope(), _id(station_id)), _view()
    points = [row["id"] for row in asking.points_now(db(), scope(), now(), station_id=station["id"])]
    count = asking.count(db(), points, view.since, view.until)
    journal.write(db(), who(), "export", "readings", station["id"], rows=count)
    name = f"readings-{station['code']}-{view.on:%Y%m%d}-{view.range}".encode("ascii", "ignore").decode()
    heading = [_("Point's code"), _("Measuring point"), _("Side"), _("Quantity"), _("Measured at"), _("Measured value"), _("Unit of measure"), _("Revision of the reading"),
               _("Contradicted")]  # fmt: skip
    if format == "csv":
        return csv_answer(name, heading, stream_with_context(_cells(points, view)))
    return xlsx_answer(name, str(station["code"]), heading, _cells(points, view), count)


def _cells(points: list[int], view: View) -> Iterator[list[Cell]]:
    local, words = zone(), dict[tuple[str, str], str]()

    def say(kind: str, value: str) -> str:
        return words.setdefault((kind, value), word(kind, value))

    with current_app.extensions["sessions"]() as session:
        for row in asking.rows(session, points, view.since, view.until):
            yield [
                row.code, row.name, say("point_side", row.side), say("quantity", row.quantity), row.at.astimezone(local), row.value,
                KEPT_UNIT[Quantity(row.quantity)], row.revision, say("yes_no", "yes" if row.contradicted else "no"),
            ]  # fmt: skip


# --- charts -----------------------------------------------------------------------------------------------------------
def frames(points: list[dict[str, Any]], view: View) -> list[dict[str, Any]]:
    """A chart and its table for each side and quantity that is measured."""
    ids = [row["id"] for row in points]
    rules = [rule for rule in alarm_queries.rules_of_points(db(), ids) if not rule.valid.isempty]
    others = [rule.other_id for rule in rules if rule.kind == AlarmKind.CURVE and rule.other_id is not None]
    series = asking.series(db(), {*ids, *others}, view.since, view.until, view.step_s)
    since = _begin(series, view)
    found = []
    for group, sides in GROUPS:
        for quantity in Quantity:
            of = [row for row in points if row["side"] in sides and row["quantity"] == quantity]
            if of:
                found.append(
                    _frame(
                        group,
                        quantity,
                        since,
                        of,
                        [r for r in rules if r.point_id in {p["id"] for p in of}],
                        series,
                        view,
                    )
                )
    return found


def _frame(group: str, quantity: Quantity, since: datetime, points: list[dict[str, Any]], rules: list[Any], series: dict[int, list[Any]], view: View) -> dict[str, Any]:  # fmt: skip
    names = {row["id"]: row["name"] for row in points}
    looks = {row["id"]: LOOKS[PointSide(row["side"])] for row in points}
    silences = {r.point_id: timedelta(minutes=r.silent_min) for r in rules if r.kind == AlarmKind.SILENCE}
    lines = [charts.Line(names[i], looks[i], series[i], silences.get(i)) for i in names]
    unit = KEPT_UNIT[quantity]
    title = _("%(what)s in %(unit)s", what=f"{word('point_group', group)} · {word('quantity', quantity)}", unit=unit)
    chart = charts.Chart(
        title, unit, since, view.until, lines, _bands(rules, looks, view), _wanted(rules, names, series, view)
    )
    table: dict[datetime, dict[int, Any]] = {}
    for i in names:
        for spot in series[i]:
            table.setdefault(spot.at, {})[i] = spot
    rows = sorted(table.items(), reverse=True)
    return {"title": title, "unit": unit, "svg": charts.drawn(chart, zone()), "points": points, "rows": rows[:TABLE_ROWS], "total": len(rows),
            "wanted": bool(chart.wanted), "bands": bool(chart.bands), "looks": looks}  # fmt: skip


def _begin(series: dict[int, list[Any]], view: View) -> datetime:
    """Where the axis begins: a season that is young is not drawn as half a year of nothing."""
    first = min((spots[0].at for spots in series.values() if spots), default=view.since)
    if view.range != "season":
        return view.since
    return max(view.since, datetime.combine(first.astimezone(zone()).date(), time(), tzinfo=zone()))


def _bands(rules: list[Any], looks: dict[int, str], view: View) -> list[charts.Band]:
    """The bands of the shown days, each for the days that it held."""
    found = []
    for rule in rules:
        since, until = _span(rule, view)
        if rule.kind == AlarmKind.BAND and since < until:
            found.append(charts.Band(looks[rule.point_id], rule.low, rule.high, since, until))
    return found


def _span(rule: Any, view: View) -> tuple[datetime, datetime]:
    lower, upper = rule.valid.lower, rule.valid.upper
    since = view.since if lower is None else max(view.since, datetime.combine(lower, time(), tzinfo=zone()))
    until = view.until if upper is None else min(view.until, datetime.combine(upper, time(), tzinfo=zone()))
    return since, until


def _wanted(rules: list[Any], names: dict[int, str], series: dict[int, list[Any]], view: View) -> list[charts.Line]:
    """What the outdoor curve wanted at each moment at which the outdoor temperature is known."""
    found = []
    for rule in rules:
        since, until = _span(rule, view)
        if rule.kind != AlarmKind.CURVE or since >= until:
            continue
        spots = []
        for read in series[rule.other_id]:
            if since <= read.at < until:
                value = wanted_at(rule.knots, read.value)
                spots.append(charts.Spot(read.at, value, value, value))
        if spots:
            found.append(charts.Line(names[rule.point_id], "wanted", spots))
    return found


def _view() -> View:
    chosen = request.args.get("range", "day")
    if chosen not in RANGES:
        raise BadInput(reason="range")
    raw = request.args.get("on", "").strip()
    try:
        on = date.fromisoformat(raw) if raw else today()
    except ValueError:
        raise BadInput(reason="on") from None
    if not 1990 <= on.year <= 2199:
        raise BadInput(reason="on")
    return View(chosen, on)


def _id(given: int) -> int:
    return given if given < 1 << 31 else 0
