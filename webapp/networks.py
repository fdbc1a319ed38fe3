"""The pipe networks at the desk: what is stored, the topology and its report, valves and stations as they stand now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput, ChengmaiError, Missing
from gis.network import actions, keeping_queries, reading_queries, topology_actions, topology_queries
from gis.network.model import Station, Valve
from gis.network.rules import PIPED, REACH_M, SNAP_M, BuildState, FindingKind, StationOperator, Utility
from gis.people.model import Unit
from gis.people.queries import units
from webapp.access import db, needs, now, scope, who
from webapp.exports import xlsx_answer
from webapp.i18n import message, word
from webapp.network_words import sentence

pages = Blueprint("networks", __name__, url_prefix="/networks")
SHOWN = 200
PAGE = 50
ONLY = ("unreachable", "closed", "changed")


def _utility(given: str | None) -> str:
    return given if given in list(PIPED) else str(Utility.HEAT)


@pages.get("")
@needs("keep_network")
def index() -> str:
    """One utility: what is stored, its topology, and what is wrong with it."""
    utility = _utility(request.args.get("utility"))
    kind, q = _kind(), request.args.get("q", "").replace("\0", "").strip()[:60]
    ready = topology_queries.builds(db(), BuildState.READY).get(utility)
    last = topology_queries.builds(db(), *BuildState).get(utility)
    found = topology_queries.findings(db(), ready["id"], kind, q) if ready else []
    kinds = topology_queries.kinds_found(db(), ready["id"]) if ready else {}
    rows = [{**row, "words": sentence(row)} for row in found[:SHOWN]]
    return render_template(
        "networks/index.html", utility=utility, utilities=PIPED, stored=topology_queries.stored(db()), ready=ready, last=last,
        rows=rows, total=len(found), kinds=kinds, kind=kind, q=q, snap_m=ready["snap_m"] if ready else SNAP_M,
        reach_m=ready["reach_m"] if ready else REACH_M, going=last is not None and last["state"] in ("waiting", "running"),
        silent=last is not None and now() - last["at"] > topology_actions.STALE,
    )  # fmt: skip


def _kind() -> str:
    given = request.args.get("kind", "")
    return given if given in list(FindingKind) else ""


@pages.get("/findings.xlsx")
@needs("keep_network")
def export() -> Response:
    """The report as a workbook, filtered as the page is."""
    utility = _utility(request.args.get("utility"))
    ready = topology_queries.builds(db(), BuildState.READY).get(utility)
    q = request.args.get("q", "").replace("\0", "").strip()[:60]
    found = topology_queries.findings(db(), ready["id"], _kind(), q) if ready else []
    heading = [_("Kind of problem"), _("Object"), _("Other object"), _("What is wrong"), _("Longitude"), _("Latitude")]
    rows = [
        [word("finding_kind", f["kind"]), f["code"], f["other_code"], sentence(f), f["lon"], f["lat"]] for f in found
    ]
    return xlsx_answer(f"topology-{utility}", word("utility", utility), heading, rows, len(rows))


@pages.post("/build")
@needs("keep_network")
def build() -> Response:
    """Have the topology built anew, with these tolerances."""
    utility = _utility(request.form.get("utility"))
    try:
        with db().begin_nested():
            topology_actions.request(db(), who(), utility, _metres("snap_m", SNAP_M), _metres("reach_m", REACH_M))
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("networks.index", utility=utility), 303)


def _metres(name: str, default: float) -> float:
    given = request.form.get(name, "").strip()
    try:
        return float(given) if given else default
    except ValueError:
        raise topology_actions.BadTolerance() from None


@pages.get("/build.json")
@needs("keep_network")
def how_far() -> dict[str, Any]:
    """How far the last building of a utility is."""
    last = topology_queries.builds(db(), *BuildState).get(_utility(request.args.get("utility")))
    return {"state": last["state"], "part": last["part"]} if last else {"state": "none", "part": 0.0}


# --- valves and stations ---------------------------------------------------------------------------------------------
def _start() -> int:
    given = request.args.get("start", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 9):
        raise BadInput(reason="start")
    return int(given)


@pages.get("/valves")
@needs("keep_network")
def valves() -> str:
    """Valves as they stand, those out of reach first."""
    only = request.args.get("only", "")
    utility = request.args.get("utility", "")
    asked = {"q": request.args.get("q", "").replace("\0", "").strip()[:60], "only": only if only in ONLY else "",
             "utility": utility if utility in list(PIPED) else "", "start": _start()}  # fmt: skip
    rows = keeping_queries.valves(db(), **asked, limit=PAGE)  # type: ignore[arg-type]
    return render_template(
        "networks/valves.html", rows=rows, total=rows[0]["total"] if rows else 0, asked=asked, page=PAGE, utilities=PIPED, only=ONLY
    )  # fmt: skip


@pages.post("/valves/<int:valve_id>")
@needs("keep_network")
def edit_valve(valve_id: int) -> Response:
    """Open or closed, in reach or not and why."""
    valve = db().get(Valve, valve_id) if valve_id < 2**63 else None
    if valve is None:
        raise Missing(thing="valve", id=valve_id)
    try:
        with db().begin_nested():
            actions.edit_valve(
                db(), who(), valve, _version(), is_open=request.form.get("is_open") == "open",
                reach=request.form.get("reach", ""), note=request.form.get("note", "").replace("\0", ""),
            )  # fmt: skip
        flash(_("Valve %(code)s is kept.", code=valve.code), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(_back("networks.valves"), 303)


@pages.get("/stations")
@needs("keep_network")
def stations() -> str:
    """Stations and who runs them."""
    only = request.args.get("only", "")
    asked = {"q": request.args.get("q", "").replace("\0", "").strip()[:60], "only": only if only in list(StationOperator) else "",
             "start": _start()}  # fmt: skip
    rows = keeping_queries.stations(db(), scope(), **asked, limit=PAGE)  # type: ignore[arg-type]
    return render_template(
        "networks/stations.html", rows=rows, total=rows[0]["total"] if rows else 0, asked=asked, page=PAGE, units=units(db()),
        operators=list(StationOperator),
    )  # fmt: skip


@pages.post("/stations/<int:station_id>")
@needs("keep_network")
def edit_station(station_id: int) -> Response:
    """Who runs a station."""
    if station_id >= 2**63:
        raise Missing(thing="station", id=station_id)
    station = db().get_one(Station, reading_queries.station(db(), scope(), station_id)["id"])
    unit = request.form.get("unit_id", "")
    unit_id = int(unit) if unit.isascii() and unit.isdigit() and len(unit) < 16 and db().get(Unit, int(unit)) else None
    try:
        with db().begin_nested():
            actions.edit_station(
                db(), who(), station, _version(), operator=request.form.get("operator", ""), unit_id=unit_id
            )
        flash(_("Station %(name)s is kept.", name=station.name), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(_back("networks.stations"), 303)


def _version() -> int | None:
    given = request.form.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1


def _back(endpoint: str) -> str:
    """To the list as it was filtered."""
    kept = {
        name: value for name in ("q", "only", "utility", "start") if (value := request.form.get(f"back_{name}", ""))
    }
    return url_for(endpoint, **kept)  # type: ignore[arg-type]
