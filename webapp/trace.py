"""Trace at the desk: a pipe from the map or from a list, what lies up and down of it, which valves, who loses service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, json, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput
from gis.network import outage_queries, tracing_queries
from gis.network.outage_rules import Crossing, NoSuchPlace, OutageKind, TraceKind
from gis.network.rules import PIPED
from gis.network.tracing_answers import Answer, Asked, ask, without
from gis.places.queries import extent
from gis.places.rules import check_coordinates
from webapp import filters
from webapp.access import can, db, needs, now, scope
from webapp.exports import Cell, xlsx_answer
from webapp.filters import zone
from webapp.i18n import message, word

pages = Blueprint("trace", __name__)
THINGS = ("section", "pipe", "valve", "station")
MOST_REFUSED = 50
FAR = timedelta(days=366)  # shutdowns that begin later are not held against one that has no time yet


def asked() -> Asked | None:
    """The question that stands in the address, or None while nothing is chosen."""
    thing, kind = request.args.get("thing", "section"), request.args.get("kind", TraceKind.ISOLATION)
    crossing = request.args.get("crossing", Crossing.FUNCTIONAL)
    if thing not in THINGS or kind not in set(TraceKind) or crossing not in set(Crossing):
        raise BadInput(reason="thing, kind, crossing")
    number = filters.whole_id("id")
    if number is None:
        return None
    refused, opened = filters.whole_ids("refused"), filters.whole_ids("opened")
    if len(refused) + len(opened) > MOST_REFUSED:
        raise BadInput(reason="refused")
    return Asked(TraceKind(kind), Crossing(crossing), thing, number, tuple(refused), tuple(opened))


def query_of(question: Asked, **changes: Any) -> dict[str, Any]:
    """The same question as parts of an address, with changes."""
    q = replace(question, **changes)
    parts = {"thing": q.thing, "id": q.id, "kind": str(q.kind), "crossing": str(q.crossing)}
    return parts | {name: list(ids) for name, ids in (("refused", q.refused), ("opened", q.opened)) if ids}


@pages.get("/trace")
@needs("trace_network")
def index() -> Response | str | tuple[str, int]:
    """Choose a pipe, valve or station by name or on the map, and see what follows. The address is the view."""
    lon, lat = filters.decimal("lon"), filters.decimal("lat")
    if lon is not None and lat is not None:
        return _clicked(lon, lat)
    q = request.args.get("q", "").strip()[:60].replace("\0", "")
    found = tracing_queries.called(db(), q) if q else []
    try:
        question = asked()
        answer = ask(db(), question) if question else None
    except NoSuchPlace as error:
        return _page(None, q, found, message(error)), error.status
    return _page(answer, q, found, _("No pipe lies here.") if request.args.get("nothing") else None)


def _clicked(lon: float, lat: float) -> Response:
    """A click on the map: the nearest pipe's section, with the question otherwise as it was."""
    check_coordinates(lon, lat)
    utility = request.args.get("utility", "")
    section = tracing_queries.section_near(db(), lon, lat, utility if utility in PIPED else "", _reach())
    kept = {name: request.args[name] for name in ("kind", "crossing") if name in request.args}
    if section is None:
        return redirect(url_for("trace.index", nothing=1, **kept), 303)
    return redirect(url_for("trace.index", thing="section", id=section, **kept), 303)


def _reach() -> float:
    """Metres around a click: what a fingertip covers at that zoom, as the page says."""
    said = filters.decimal("reach_m")
    return min(max(said or tracing_queries.CLICK_M, 1.0), 500.0)


def _page(answer: Answer | None, q: str, found: list[dict[str, Any]], error: str | None) -> str:
    question = answer.asked if answer else None
    spare = {v["id"]: without(db(), question, v["id"]) for v in answer.valves if v["role"] in ("supply", "drain")} if (
        answer and question and question.kind == TraceKind.ISOLATION and len(answer.valves) <= 12) else {}  # fmt: skip
    fewest = _fewest(answer) if answer else []
    conflicts = (
        outage_queries.conflicts(db(), answer.close, answer.asked.opened, now(), now() + FAR, now())
        if answer and answer.close
        else []
    )
    refused = tracing_queries.valves(db(), question.refused) if question else {}
    opened = tracing_queries.valves(db(), question.opened) if question else {}
    return render_template(
        "trace/index.html", answer=answer, asked=question, q=q, found=found, error=error, kinds=list(TraceKind),
        crossings=list(Crossing), query_of=query_of, spare=spare, fewest=fewest, conflicts=conflicts, refused=refused, opened=opened,
        name=_name(answer) if answer else "", may_save=bool(answer and answer.close and can("run_outages")), outage_kinds=list(OutageKind), request_id=uuid4(),
        begins=local(now()), extent=extent(db(), scope()), utilities=PIPED,
    )  # fmt: skip


def _name(answer: Answer) -> str:
    """What the trace began at, as people call it."""
    match answer.asked.thing:
        case "valve":
            return str(tracing_queries.valves(db(), [answer.asked.id])[answer.asked.id]["code"])
        case "station":
            return str(tracing_queries.stations(db(), [answer.asked.id])[0]["name"])
        case _:
            return str(answer.pipe["code"]) if answer.pipe else ""


def local(at: Any) -> str:
    """A moment as a browser's field wants it."""
    return str(at.astimezone(zone()).strftime("%Y-%m-%dT%H:%M"))


def _fewest(answer: Answer) -> list[dict[str, Any]]:
    """The fewest valves, where those are fewer than the nearest ones."""
    must = [v["id"] for v in answer.valves if v["role"] == "supply"]
    if answer.fewest is None or len(answer.fewest) >= len(must):
        return []
    rows = tracing_queries.valves(db(), answer.fewest)
    return [rows[v] for v in answer.fewest]


@pages.get("/trace.json")
@needs("trace_network")
def as_json() -> Any:
    """The same answer for the map and for programs: lines as GeoJSON, valves in order, who loses service.

    `more=1` adds what would feed the lost from elsewhere, and the fewest valves that would do.
    """
    question = asked()
    if question is None:
        raise NoSuchPlace()
    answer = ask(db(), question, more=request.args.get("more") == "1")
    body = told(answer) | {"lines": _lines(answer)}
    return Response(json.dumps(body, ensure_ascii=False), mimetype="application/json")


def told(answer: Answer) -> dict[str, Any]:
    """An answer in plain values."""
    return {
        "start": answer.start, "pipe": answer.pipe, "served": answer.served, "metres": round(answer.metres, 1), "valves": answer.valves,
        "feeds": answer.feeds, "fewest": answer.fewest, "sources": answer.sources, "stations": answer.lost.stations,
        "points": answer.lost.points, "areas": answer.lost.areas, "totals": answer.lost.totals, "units": answer.units,
        "inside": len(answer.inside), "lost_sections": len(answer.lost_sections), "found": len(answer.found),
    }  # fmt: skip


def _lines(answer: Answer) -> dict[str, Any]:
    """GeoJSON without a detour over objects: the database has written the geometry already."""
    kinds = [("inside", answer.inside), ("lost", answer.lost_sections), ("found", answer.found)]
    features = []
    for kind, ids in kinds:
        for id_, line in tracing_queries.lines(db(), ids):
            start = "true" if id_ == answer.start else "false"
            features.append(
                f'{{"type":"Feature","properties":{{"kind":"{kind}","id":{id_},"start":{start}}},"geometry":{line}}}'
            )
    return json.loads(f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}')  # type: ignore[no-any-return]


@pages.get("/trace/things.json")
@needs("trace_network")
def things() -> list[dict[str, Any]]:
    """Pipes, valves and stations by code or name."""
    q = request.args.get("q", "").strip()[:60].replace("\0", "")
    return tracing_queries.called(db(), q) if q else []


@pages.get("/trace.xlsx")
@needs("export")
def workbook() -> Response:
    """Who loses service, a row per supply point; the valves in order stand above them."""
    question = asked()
    if question is None:
        raise NoSuchPlace()
    answer = ask(db(), question)
    rows = list(cells(answer.valves, answer.lost.stations, answer.lost.points))
    return xlsx_answer("trace", _("Loses service"), heading(), rows, len(rows))


def heading() -> list[str]:
    """The columns of the workbook."""
    return [_("Kind"), _("Number"), _("Name"), _("Utility"), _("Community"), _("Responsible unit"), _("Households"), _("People living there"),
            _("Vulnerable households")]  # fmt: skip


def cells(
    valves: list[dict[str, Any]], stations: list[dict[str, Any]], points: list[dict[str, Any]]
) -> Iterator[list[Cell]]:
    """Valves in order, then stations, then supply points."""
    for n, row in enumerate(valves, 1):
        role = word("valve_role", row["role"]) if row.get("role") else ""
        yield [_("Valve %(n)s", n=n), row["code"], role, "", "", row.get("unit") or "", None, None, None]
    for row in stations:
        yield [
            _("Station"),
            row["code"],
            row["name"],
            word("utility", "heat"),
            "",
            row["unit"] or "",
            row["households"],
            None,
            None,
        ]
    for row in points:
        yield [_("Supply point"), row.get("code") or "", row["name"], word("utility", row["utility"]), row["area"] or "", row["unit"] or "",
               row["households"], row["people"], row["vulnerable_households"]]  # fmt: skip
