"""Leaders answer calls on a weekday that holidays move: the plan, the rota, one day with its matters followed to their end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from itertools import groupby

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.oversight import notices, outreach, outreach_queries, queries
from gis.oversight.rules import NoticeReason
from gis.oversight.schedule import Proposed, leader_days
from gis.people.queries import units
from gis.places.queries import working_days
from webapp import filters, forms, matters
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import today, zone
from webapp.i18n import message

pages = Blueprint("leader_days", __name__)
BEGINS = time(9, 0)
AHEAD_WEEKS = 8


def _proposed(year: int) -> list[Proposed]:
    """What the calendar and the rota propose: the next weeks of this year, or the whole of another."""
    first = date(year, 1, 1)
    if year == today().year:
        first = today()
    last = min(date(year, 12, 31), first + timedelta(weeks=AHEAD_WEEKS)) if year == today().year else date(year, 12, 31)
    number = queries.numbers(db())
    rota = outreach_queries.rota(db())
    return leader_days(
        first, last, number["leader_weekday"].value, len(rota), outreach_queries.next_turn(db(), first), working_days(db()),
        outreach_queries.planned_days(db(), first),
    )  # fmt: skip


@pages.get("/oversight/leader-days")
@needs("see_oversight")
def index() -> str:
    """The year's days with what became of their matters; the proposal for the next weeks; the rota."""
    return _index()


def _index(error: str | None = None) -> str:
    year = filters.number("year", today().year, 2000, 2100)
    rows = outreach_queries.leader_days(db(), scope(), year=year)
    total = {
        key: sum(row[key] for row in rows) for key in ("matters", "spot", "open", "answered", "called", "confirmed")
    }
    managing = can("hold_meetings")
    return render_template(
        "oversight/leader_days.html", rows=rows, total=total, year=year, today=today(), error=error,
        proposed=_proposed(year) if managing and year >= today().year else [], rota=outreach_queries.rota(db()),
        everybody=outreach_queries.rota(db(), everybody=True), units=units(db()),
        minutes=queries.number(db(), "leader_minutes"), begins=BEGINS,
    )  # fmt: skip


@pages.post("/oversight/leader-days")
@needs("hold_meetings")
def plan() -> Response | tuple[str, int]:
    """Enter the ticked days of the proposal, each on the day that stands beside it."""
    year = filters.number("year", today().year, 2000, 2100)
    try:
        wanted = {date.fromisoformat(raw) for raw in request.form.getlist("planned_on") if len(raw) == 10}
        days = [
            Proposed(day.planned_on, forms.day(f"on-{day.planned_on}"), day.turn)
            for day in _proposed(year) if day.planned_on in wanted
        ]  # fmt: skip
        made = outreach.schedule(
            db(),
            who(),
            days,
            forms.clock("starts_at"),
            forms.whole("minutes") or queries.number(db(), "leader_minutes"),
        )
    except ValueError:
        return _index(_("This is not a day.")), 422
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error)), error.status
    flash(_("Days entered: %(n)s.", n=len(made)), "done")
    return redirect(url_for("leader_days.index", year=year), 303)


@pages.post("/oversight/leaders")
@needs("hold_meetings")
def rota() -> Response | tuple[str, int]:
    """Put somebody on the rota, take somebody off, or back on."""
    try:
        number = forms.whole("leader_id")
        if number is not None:
            outreach.take_off_rota(db(), who(), number, forms.text("active") == "1")
        else:
            outreach.put_on_rota(db(), who(), forms.text("name"), forms.text("post"), forms.whole("unit_id"))
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _index(message(error)), error.status
    return redirect(url_for("leader_days.index"), 303)


@pages.get("/oversight/leader-days/<int:leader_day_id>")
@needs("see_oversight")
def show(leader_day_id: int) -> str:
    """One day: what was raised, until when, whether it was answered and called back."""
    return _show(leader_day_id)


def _show(leader_day_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = outreach_queries.leader_day(db(), scope(), leader_day_id if leader_day_id < 1 << 62 else 0)
    return render_template(
        "oversight/leader_day.html", row=row, raised=outreach_queries.matters(db(), scope(), leader_day_id=leader_day_id),
        categories=matters.choices(), rota=outreach_queries.rota(db()), now_at=now(), error=error, typed=typed or {},
        papers=outreach_queries.leader_notices(db(), leader_day_id) if scope().unit_id is None else [],
    )  # fmt: skip


@pages.post("/oversight/leader-days/<int:leader_day_id>")
@needs("hold_meetings")
def change(leader_day_id: int) -> Response | tuple[str, int]:
    """Another day or leader; held or called off; a call that was taken; or the notices about all its matters."""
    row = outreach_queries.leader_day(db(), scope(), leader_day_id if leader_day_id < 1 << 62 else 0)
    verb, version = forms.text("verb"), forms.whole("base_version")
    try:
        if verb in ("hold", "call_off"):
            outreach.end_day(db(), who(), leader_day_id, verb == "hold", version)
        elif verb == "raise":
            matters.raised(leader_day_id=leader_day_id)
        elif verb == "supervise":
            flash(_("Notices issued: %(n)s.", n=_supervise(int(row["id"]))), "done")
        else:
            outreach.change_day(
                db(), who(), leader_day_id, on_day=forms.day("on_day"), starts_at=forms.clock("starts_at"),
                minutes=forms.whole("minutes") or 0, leader_id=forms.whole("leader_id"), note=forms.text("note"),
                base_version=version,
            )  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _show(leader_day_id, message(error), request.form), error.status
    return redirect(url_for("leader_days.show", leader_day_id=leader_day_id), 303)


def _supervise(leader_day_id: int) -> int:
    """One notice per unit about the day's complaints that are open and in none yet. source: sources/jining-2019: 以督办文件形式."""
    waiting = outreach_queries.to_supervise(db(), scope(), leader_day_id)
    made = 0
    days = queries.number(db(), "leader_matter_days")
    for _unit, group in groupby(waiting, key=lambda r: r["unit_id"]):
        asked = notices.Demand(
            reason=NoticeReason.LEADER,
            complaint_ids=[r["id"] for r in group],
            leader_day_id=leader_day_id,
            limit_days=days,
        )
        notices.issue(db(), who(), scope(), asked, calendar=working_days(db()), zone=zone())
        made += 1
    return made
