"""Shutdowns at the desk: announced, running, over; their valves step by step, who loses service, the paper, the repair clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis import journal
from gis.complaints import outage_calls
from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from gis.network import outage_queries as queries
from gis.network import outages as verbs
from gis.network.outage_rules import (
    OUTAGE_STEPS,
    OutageKind,
    OutageSaved,
    OutageStatus,
    outage_steps,
)
from gis.network.rules import PIPED
from gis.network.tracing_answers import lost_of
from gis.people.queries import names_of
from gis.places.rules import check_coordinates
from webapp import filters, forms, outage_paper
from webapp.access import can, db, needs, now, scope, who
from webapp.exports import xlsx_answer
from webapp.filters import zone
from webapp.findings import issuer
from webapp.i18n import message, word
from webapp.trace import asked, cells, heading, local, query_of

pages = Blueprint("outages", __name__)
_MOST_ID = 1 << 62


@pages.get("/outages")
@needs("trace_network")
def index() -> str:
    """Which shutdowns run or are announced, and which are over."""
    status, utility = request.args.get("status", ""), request.args.get("utility", "")
    if status not in ("", *OutageStatus) or utility not in ("", *PIPED):
        raise BadInput(reason="status, utility")
    page = filters.number("page", 1, 1, 100_000)
    total, rows = queries.listed(db(), status, utility, page)
    return render_template(
        "outages/index.html", rows=rows, total=total, page=page, pages=max(1, -(-total // queries.PAGE)), status=status, utility=utility,
        statuses=list(OutageStatus), utilities=PIPED, late=_late,
    )  # fmt: skip


def _late(row: Mapping[str, Any]) -> bool:
    return row["status"] == OutageStatus.RUNNING and now() > row["expected_end_at"]


def _own(unit_id: int | None) -> None:
    """A company turns its own valves; the bureau's people may act for all."""
    mine = scope().unit_id
    if mine is not None and mine != unit_id:
        raise NotAllowed()


@pages.post("/outages")
@needs("run_outages")
def save() -> Response:
    """Keep the isolation that stands in the address as a shutdown."""
    question = asked()
    if question is None:
        raise BadInput(reason="id")
    try:
        given = verbs.Notice(
            UUID(forms.text("request_id")), _kind(forms.text("outage_kind")), forms.text("reason").replace("\0", ""),
            forms.text("place").replace("\0", ""), forms.moment("begins_at"), forms.moment("expected_end_at"),
        )  # fmt: skip
    except ValueError:
        raise BadInput(reason="request_id") from None
    try:
        with db().begin_nested():
            made = verbs.save(db(), who(), question, given, zone())
            _own(made.unit_id)
    except OutageSaved:  # pressed twice: the same one
        return redirect(url_for("outages.show", outage_id=queries.saved_as(db(), given.request_id)), 303)
    except NotAllowed:
        raise
    except ChengmaiError as error:
        flash(message(error), "error")
        return redirect(url_for("trace.index", **query_of(question)), 303)
    flash(_("Shutdown %(no)s is saved; call-takers are warned of it.", no=made.no), "done")
    return redirect(url_for("outages.show", outage_id=made.id), 303)


def _kind(text: str) -> OutageKind:
    if text not in set(OutageKind):
        raise BadInput(reason="outage_kind")
    return OutageKind(text)


def _row(outage_id: int) -> dict[str, Any]:
    return queries.one(db(), outage_id if outage_id < _MOST_ID else 0)


@pages.get("/outages/<int:outage_id>")
@needs("trace_network")
def show(outage_id: int) -> str:
    """One shutdown: its clock, its valves and who turned them, who loses service, conflicts, what happened."""
    row = _row(outage_id)
    happened = journal.timeline(db(), "outage", outage_id)
    points = queries.points(db(), outage_id)
    open_ = row["status"] in ("announced", "running")
    return render_template(
        "outages/show.html", row=row, valves=queries.valves(db(), outage_id), lost=lost_of(row["stations"], _as_found(points)), points=points,
        steps=outage_steps(row["status"]) if can("run_outages") and _may(row) else [], may=can("run_outages") and _may(row),
        conflicts=queries.conflicts_of(db(), row, now()) if open_ else [], happened=happened,
        names=names_of(db(), {e["user_id"] for e in happened if e["user_id"]}), limit_at=_limit_at(row), late=_late(row), local=local,
        calls=outage_calls.calls(db(), scope(), row, now()) if open_ and can("run_incidents") else [],
        incident=outage_calls.incidents_of(db(), scope(), [outage_id]).get(outage_id),
    )  # fmt: skip


def _may(row: Mapping[str, Any]) -> bool:
    return scope().unit_id in (None, row["unit_id"])


def _as_found(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Frozen rows as the counting wants them: a place is what has one name in one community."""
    return [row | {"building_id": None} for row in points]


def _limit_at(row: Mapping[str, Any]) -> datetime | None:
    """Until when the repair has to be done: the limit in force counted from the beginning."""
    if row["limit_h"] is None or row["begun_at"] is None:
        return None
    begun: datetime = row["begun_at"]
    return begun + timedelta(hours=row["limit_h"])


@pages.post("/outages/<int:outage_id>/steps")
@needs("run_outages")
def step(outage_id: int) -> Response:
    """Begin, put off, end or cancel."""
    verb = forms.text("verb")
    row = _row(outage_id)
    _own(row["unit_id"])
    if verb not in OUTAGE_STEPS:
        raise BadInput(reason="verb")
    try:
        with db().begin_nested():
            verbs.step(
                db(), who(), outage_id, verb, note=forms.text("note").replace("\0", ""), base_version=forms.whole("base_version"),
                expected_end_at=forms.moment("expected_end_at") if verb == "postpone" else None,
            )  # fmt: skip
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("outages.show", outage_id=outage_id), 303)


@pages.post("/outages/<int:outage_id>/valves/<int:valve_id>")
@needs("run_outages")
def turn(outage_id: int, valve_id: int) -> Response:
    """A valve was turned, or put back."""
    row = _row(outage_id)
    _own(row["unit_id"])
    try:
        with db().begin_nested():
            verbs.turn(db(), who(), outage_id, valve_id if valve_id < _MOST_ID else 0, back=forms.text("back") == "1")
    except Missing:
        raise
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("outages.show", outage_id=outage_id) + "#valves", 303)


@pages.get("/outages/<int:outage_id>.pdf")
@needs("trace_network")
def pdf(outage_id: int) -> Response:
    """停供通知, as it is printed and posted."""
    row = _row(outage_id)
    made = outage_paper.paper(row, queries.valves(db(), outage_id), queries.points(db(), outage_id), issuer(), zone())
    answer = Response(outage_paper.pdf(made), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="shutdown-{row["no"]}.pdf"'
    return answer


@pages.get("/outages/<int:outage_id>/notice")
@needs("trace_network")
def notice(outage_id: int) -> str:
    """The same notice as a page, to read and print."""
    row = _row(outage_id)
    made = outage_paper.paper(row, queries.valves(db(), outage_id), queries.points(db(), outage_id), issuer(), zone())
    return outage_paper.page(made)


@pages.get("/outages/<int:outage_id>.xlsx")
@needs("export")
def workbook(outage_id: int) -> Response:
    """Who loses service, as it was frozen."""
    row = _row(outage_id)
    rows = list(cells(queries.valves(db(), outage_id), row["stations"], queries.points(db(), outage_id)))
    return xlsx_answer(f"shutdown-{row['no']}", _("Loses service"), heading(), rows, len(rows))


@pages.get("/outages/near.json")
@needs("receive_complaint")
def near() -> list[dict[str, Any]]:
    """Of which shutdowns a call-taker should know, who hears a call from this place."""
    lon, lat = filters.decimal("lon"), filters.decimal("lat")
    if lon is None or lat is None:
        raise BadInput(reason="lon, lat")
    check_coordinates(lon, lat)
    utility = request.args.get("utility", "")
    rows = queries.warned(db(), lon, lat, now(), utility if utility in PIPED else "")
    incidents = outage_calls.incidents_of(db(), scope(), [row["id"] for row in rows])
    return [_warning(row) | {"incident": incidents.get(row["id"])} for row in rows]


def _warning(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: row[key] for key in ("id", "no", "kind", "status", "utility", "place", "reason", "name", "area", "within")
    }
    times = {key: row[key].astimezone(zone()).strftime("%Y-%m-%d %H:%M") for key in ("begins_at", "expected_end_at")}
    return kept | times | {"metres": round(row["metres"]), "late": _late(row), "status_word": word("outage_status", row["status"]),
                           "utility_word": word("utility", row["utility"])}  # fmt: skip


# --- repair limits ----------------------------------------------------------------------------------------------------
@pages.get("/outages/limits")
@needs("edit_limits")
def limits() -> str:
    """How long an emergency repair may take, by utility, and by which document."""
    return render_template("outages/limits.html", rows=queries.limits(db()), utilities=PIPED)


@pages.post("/outages/limits")
@needs("edit_limits")
def put_limit() -> Response:
    """Write a limit; one per utility is in force."""
    utility, hours = forms.text("utility"), forms.decimal("hours")
    if utility not in PIPED or hours is None:
        raise BadInput(reason="utility, hours")
    try:
        with db().begin_nested():
            verbs.put_limit(
                db(), who(), utility=utility, hours=hours, source=forms.text("source").replace("\0", ""), active=bool(forms.text("active")),
                limit_id=forms.whole("id"), base_version=forms.whole("base_version"),
            )  # fmt: skip
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("outages.limits"), 303)
