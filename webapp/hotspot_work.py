"""From finding to work: outbreaks, addresses that call again, what was made of hotspots, and whether they cooled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from gis.complaints import incidents
from gis.complaints.privacy import masked_text
from gis.errors import BadInput, ChengmaiError
from gis.hotspots import outbreaks as scanning
from gis.hotspots import place_queries, works
from gis.hotspots.cells import Cell
from gis.hotspots.outbreaks import Told
from gis.hotspots.rules import Label, NoSuchCell, WorkKind
from gis.oversight import outreach
from gis.oversight.rules import MeetingKind
from webapp import exports, forms, hotspot_maps
from webapp import hotspot_views as views
from webapp.access import db, needs, now, scope, who
from webapp.filters import number, today, zone
from webapp.hotspot_views import View
from webapp.i18n import message

pages = Blueprint("hotspot_work", __name__)
LEVELS = ("district", "street", "community")
SCAN_CELL_M = 500.0  # finer cells hold too few complaints of four weeks
THINGS = {
    WorkKind.VISIT: ("meetings.show", "meeting_id"), WorkKind.SPECIAL_WEEK: ("visits.campaign", "campaign_id"),
    WorkKind.INCIDENT: ("incidents.show", "incident_id"),
}  # fmt: skip


def _asked() -> tuple[View | None, str]:
    """The view of this address, or what is wrong with it."""
    try:
        return views.view(), ""
    except ChengmaiError as error:
        return None, message(error)


def _period_missing() -> Response | None:
    """Without a period: the latest week, written into the address, as on the map."""
    if request.args.get("from") and request.args.get("to"):
        return None
    return redirect(url_for(request.endpoint or "", **(views.arguments() | views.latest_week())))  # type: ignore[return-value]


def _page(name: str, view: View | None, problem: str, **more: Any) -> tuple[str, int]:
    shown = views.frame_of(view) | {"problem": problem, "tab": name}
    return render_template(f"hotspots/{name}.html", **shown, **more), 422 if problem else 200


# --- outbreaks -------------------------------------------------------------------------------------------------------
@pages.get("/hotspots/outbreaks")
@needs("see_hotspots")
def outbreaks() -> Any:
    """What breaks out in the days up to the end of the period, against the four weeks before."""
    if (away := _period_missing()) is not None:
        return away
    view, problem = _asked()
    found = _outbreaks(view) if view else []
    names = views.names_at([(one.lon, one.lat) for one in found]) if found else []
    return _page(
        "outbreaks", view, problem, found=list(zip(found, names, strict=True)), called=scanning.CALLED,
        look_back=scanning.LOOK_BACK_DAYS, chance=hotspot_maps.chance, figure=hotspot_maps.figure,
    )  # fmt: skip


def _cell_m(view: View) -> float:
    return max(view.question.cell_m, SCAN_CELL_M)


def _outbreaks(view: View) -> list[Told]:
    return scanning.outbreaks(db(), view.filters, scope(), now(), _cell_m(view), zone())


@pages.post("/hotspots/outbreaks")
@needs("run_incidents")
def make_incident() -> Response:
    """An outbreak becomes an incident: its open complaints come together, one crew is sent, every step is carried."""
    view = views.view()
    chosen = forms.needed("number")
    found = next((one for one in _outbreaks(view) if one.number == chosen), None)
    back = redirect(url_for("hotspot_work.outbreaks", **views.arguments()), 303)
    if found is None:
        flash(message(NoSuchCell(number=chosen)), "error")
        return back  # type: ignore[return-value]
    place = views.names_at([(found.lon, found.lat)])[0]
    try:
        with db().begin_nested():
            ids = scanning.members(db(), view.filters, scope(), now(), found, _cell_m(view))
            made = incidents.open_incident(db(), who(), ids, name=place, radius_m=found.radius_m, zone=zone())
            first = found.first.astimezone(zone()).date()
            kept = works.Found(
                f"outbreak:{found.lon:.4f},{found.lat:.4f}", found.lon, found.lat, place, found.seen, None, str(Label.HOT_99), first,
                first + timedelta(days=found.days - 1), view.question,
            )  # fmt: skip
            works.answer(db(), who(), WorkKind.INCIDENT, made.id, kept, kept.last + timedelta(days=1))
    except ChengmaiError as error:
        flash(message(error), "error")
        return back  # type: ignore[return-value]
    flash(
        _("Incident %(no)s is open. Send a crew for its lead: every step is carried to the others.", no=made.no), "done"
    )
    return redirect(url_for("incidents.show", incident_id=made.id), 303)  # type: ignore[return-value]


# --- addresses and days to close -------------------------------------------------------------------------------------
@pages.get("/hotspots/addresses")
@needs("see_hotspots")
def addresses() -> Any:
    """Who has to call again and again, and where things take long."""
    if (away := _period_missing()) is not None:
        return away
    view, problem = _asked()
    level = request.args.get("level", "district")
    rows, took = ([], []) if view is None else (_again(view), _days(view, level))
    least = number("least", place_queries.AGAIN_FROM, 2, 100)
    return _page("addresses", view, problem, rows=rows, took=took, level=level, levels=LEVELS, least=least)


def _again(view: View) -> list[dict[str, Any]]:
    least = number("least", place_queries.AGAIN_FROM, 2, 100)
    names = {code: name for _p, _n, rows in views.categories() for code, name in rows}
    found = place_queries.repeat_addresses(db(), view.filters, scope(), now(), least=least)
    return [
        {**row, "place": masked_text(row["place"]), "category": names.get(row["category"], row["category"])}
        for row in found
    ]


def _days(view: View, level: str) -> list[Mapping[str, Any]]:
    if level not in LEVELS:
        raise BadInput(reason="level")
    return place_queries.days_to_close(db(), view.filters, scope(), now(), level)


@pages.get("/hotspots/addresses.xlsx")
@needs("export")
def addresses_file() -> Response:
    """The same addresses for Excel."""
    rows = _again(views.view())
    head = [_("Address"), _("Complaints"), _("Still open"), _("Most about"), _("First"), _("Latest")]
    lines: list[list[exports.Cell]] = [
        [row["place"], row["count"], row["open"], row["category"], _local(row["first"]), _local(row["latest"])]
        for row in rows
    ]
    return exports.xlsx_answer("addresses", _("Repeat addresses"), head, lines, len(lines))


@pages.get("/hotspots/days.xlsx")
@needs("export")
def days_file() -> Response:
    """Days to close by area for Excel."""
    rows = _days(views.view(), request.args.get("level", "district"))
    head = [
        _("Area"),
        _("Received"),
        _("Closed"),
        _("Middle, days"),
        _("Nine of ten, days"),
        _("On time"),
        _("Late and open"),
    ]
    lines: list[list[exports.Cell]] = [
        [row["name"] or "—", row["received"], row["closed"], _number(row["median"]), _number(row["nine_of_ten"]), row["on_time"], row["late"]]
        for row in rows
    ]  # fmt: skip
    return exports.xlsx_answer("days_to_close", _("Days to close"), head, lines, len(lines))


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)


def _local(moment: datetime) -> datetime:
    """The city's time without a zone, as Excel keeps it."""
    return moment.astimezone(zone()).replace(tzinfo=None)


# --- what was made of it ---------------------------------------------------------------------------------------------
@pages.get("/hotspots/works")
@needs("see_hotspots")
def index() -> Any:
    """What was made of hotspots, and did they cool?"""
    if (away := _period_missing()) is not None:
        return away
    view, problem = _asked()
    rows = works.listing(db(), scope())
    became = works.became(db(), rows, scope(), now(), zone())
    links = [
        url_for(endpoint, **{key: row["thing_id"]})
        for row in rows
        for endpoint, key in (THINGS[WorkKind(row["kind"])],)
    ]
    return _page(
        "works", view, problem, rows=list(zip(rows, became, links, strict=True)), work_words=hotspot_maps.WORK_WORDS,
        outcome_words=hotspot_maps.OUTCOME_WORDS, label_words=hotspot_maps.LABEL_WORDS, figure=hotspot_maps.figure,
    )  # fmt: skip


@pages.get("/hotspots/works/new")
@needs("answer_hotspots")
def propose() -> Any:
    """What should be done about this cell: a meeting in the community, or a special week."""
    return _form("", {})


def _form(problem: str, typed: Mapping[str, str]) -> Any:
    view, wrong = _asked()
    chosen = None
    if view is not None:
        try:
            chosen = _chosen(view, number("cell_no", 0, 0, 10**7))
        except ChengmaiError as error:
            wrong = message(error)
    day = today()
    return _page(
        "propose", view, problem or wrong, chosen=chosen, typed=typed, today=day, soon=day + timedelta(days=7),
        label_words=hotspot_maps.LABEL_WORDS, figure=hotspot_maps.figure,
    )  # fmt: skip


def _chosen(view: View, cell_no: int, key: str = "") -> tuple[Cell, str]:
    """The cell of this view with its name, by its number, or by its key once somebody has seen it. Raises NoSuchCell."""
    answer = views.answer(view)
    for cell, name in zip(answer.cells, answer.names, strict=True):
        if (cell.key == key) if key else (cell.number == cell_no):
            return cell, name
    raise NoSuchCell(number=cell_no)


@pages.post("/hotspots/works")
@needs("answer_hotspots")
def make() -> Any:
    """Plan the meeting or the week, and keep with it which hotspot it is for."""
    view = views.view()
    try:
        with db().begin_nested():
            cell, name = _chosen(view, number("cell_no", 0, 0, 10**7), forms.text("key"))
            kind = forms.text("kind")
            if kind not in (WorkKind.VISIT, WorkKind.SPECIAL_WEEK):
                raise BadInput(reason="kind")
            place = name or f"{cell.lat:.4f}, {cell.lon:.4f}"
            thing_id, acts_on = _meeting(cell, place) if kind == WorkKind.VISIT else _week(view, place)
            kept = works.Found(
                cell.key,
                cell.lon,
                cell.lat,
                place,
                cell.count,
                cell.z,
                str(cell.label),
                view.first,
                view.last,
                view.question,
            )
            works.answer(db(), who(), WorkKind(kind), thing_id, kept, acts_on, forms.text("note"))
    except ChengmaiError as error:
        return _form(message(error), request.form)
    flash(_("Planned. What becomes of the hotspot is shown here and on the map."), "done")
    return redirect(url_for("hotspot_work.index", **_without_cell()), 303)


def _meeting(cell: Cell, place: str) -> tuple[int, Any]:
    at = forms.moment("at")
    plan = outreach.Plan(
        kind=str(MeetingKind.COMMUNITY), title=_("Face to face at %(place)s", place=place), at=at, place=place, area_id=scope().area_id,
    )  # fmt: skip
    return outreach.plan_meeting(db(), who(), plan).id, at.astimezone(zone()).date() + timedelta(days=1)


def _week(view: View, place: str) -> tuple[int, Any]:
    starts, ends = forms.day("starts_on"), forms.day("ends_on")
    source = _("Hotspot of %(first)s – %(last)s", first=view.first, last=view.last)
    made = outreach.begin_campaign(db(), who(), _("Special week at %(place)s", place=place), starts, ends, 0, 0, source)
    return made.id, ends + timedelta(days=1)


def _without_cell() -> dict[str, Any]:
    kept = MultiDict(request.args)
    kept.poplist("cell_no")
    return {key: kept.getlist(key) for key in kept}
