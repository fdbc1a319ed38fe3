"""The day's plan: asked for, watched, compared with today, accepted whole or by crew, taken back, printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from gis.complaints import queries as complaints
from gis.complaints.model import Category
from gis.complaints.rules import ASSIGNABLE
from gis.dispatch import plan_accepting, plan_actions, plan_queries, plan_rules, queries
from gis.dispatch.plan_making import Asked
from gis.dispatch.plan_model import DayPlan
from gis.dispatch.plan_rules import PartState, PlanMode, PlanStale, PlanState
from gis.errors import BadInput, ChengmaiError, Missing
from webapp import forms, plan_sheets
from webapp.access import can, db, needs, now, scope, who
from webapp.complaint_page import ASIDE
from webapp.dispatch import terms
from webapp.filters import today, zone
from webapp.i18n import message, word
from webapp.plan_words import failed, stale, unserved

pages = Blueprint("plan", __name__)
MOST_CREWS = 500


@pages.app_template_global("plan_minutes")
def minutes(seconds: float) -> str:
    """Seconds as whole minutes."""
    return f"{round(seconds / 60):,}"


@pages.app_template_global("plan_km")
def kilometres(metres: float) -> str:
    """Metres as kilometres with one decimal."""
    return f"{metres / 1000:,.1f}"


@pages.get("/plan")
@needs("assign")
def index() -> Any:
    """The newest proposal of a day, or what to ask for one with."""
    day = _day(request.args.get("day", ""))
    latest = plan_queries.latest(db(), scope(), day)
    if latest is not None and "new" not in request.args:
        return redirect(url_for("plan.show", plan_id=latest))
    return render_template("plan/index.html", plan=None, **_form(day))


@pages.post("/plan")
@needs("assign")
def propose() -> Response:
    """Ask for a plan."""
    mode = request.form.get("mode", str(PlanMode.WHOLE))
    if mode not in set(PlanMode):
        raise BadInput(reason="mode")
    crews = forms.chosen("crew")
    if len(crews) > MOST_CREWS:
        raise BadInput(reason="crew")
    for crew_id in crews:
        _crew_seen(crew_id)
    known = {code for code, _name in _categories()}
    categories = [c for c in request.form.getlist("category") if c]
    if set(categories) - known:
        raise BadInput(reason="category")
    asked = Asked(forms.day("day"), tuple(crews), tuple(categories), scope())
    seconds = forms.whole("seconds", plan_rules.SECONDS) or 0
    plan = plan_actions.propose(db(), who(), asked, today=today(), seconds=seconds, mode=PlanMode(mode))
    return redirect(url_for("plan.show", plan_id=plan.id))  # type: ignore[return-value]


@pages.get("/plan/<int:plan_id>")
@needs("assign")
def show(plan_id: int) -> str:
    """One proposal beside today."""
    plan = _plan(plan_id)
    return render_template("plan/index.html", plan=plan, **_form(plan.day), **_shown(plan))


@pages.get("/plan/<int:plan_id>/state.json")
@needs("assign")
def state(plan_id: int) -> dict[str, Any]:
    """How far the search is."""
    plan = _plan(plan_id)
    return {"status": plan.status, "progress": round(plan.progress, 3)}


@pages.post("/plan/<int:plan_id>/accept")
@needs("assign")
def accept(plan_id: int) -> Response:
    """Book the parts of the crews that are ticked, or all."""
    plan = _plan(plan_id)
    crews = None if "all" in request.form else forms.chosen("crew")
    if crews == []:
        raise BadInput(reason=str(_("no crew is ticked")))
    try:
        outcomes = plan_accepting.accept(db(), who(), plan, crews, terms())
    except ChengmaiError as error:
        db().rollback()
        return _back(plan_id, "error", _told(error))
    names = {part["crew_id"]: part["name"] for part in plan_queries.parts(db(), plan_id)}
    for outcome in outcomes:
        if outcome.error is not None:
            flash(f"{_names(outcome.crews, names)}{_(': ')}{_told(outcome.error)}", "error")
    done = [crew for outcome in outcomes if outcome.error is None for crew in outcome.crews]
    if done:
        flash(_("Booked: %(crews)s", crews=_names(done, names)), "done")
    return redirect(url_for("plan.show", plan_id=plan_id))  # type: ignore[return-value]


@pages.post("/plan/<int:plan_id>/undo")
@needs("assign")
def undo(plan_id: int) -> Response:
    """Take back what was accepted for a crew."""
    plan = _plan(plan_id)
    names = {part["crew_id"]: part["name"] for part in plan_queries.parts(db(), plan_id)}
    try:
        crews = plan_accepting.undo(db(), who(), plan, forms.needed("crew"), terms())
    except (PlanStale, plan_rules.PlanUndoTooLate) as error:
        db().rollback()
        return _back(plan_id, "error", _told(error))
    return _back(plan_id, "done", _("Taken back: %(crews)s", crews=_names(crews, names)))


@pages.post("/plan/<int:plan_id>/discard")
@needs("assign")
def discard(plan_id: int) -> Response:
    """Put a proposal away."""
    plan = _plan(plan_id)
    plan_actions.discard(db(), who(), plan)
    flash(_("The proposal is put away; nothing of what was accepted changes."), "done")
    return redirect(url_for("plan.index", day=plan.day.isoformat(), new=1))  # type: ignore[return-value]


@pages.get("/plan/<int:plan_id>/sheets")
@needs("assign")
def sheets(plan_id: int) -> str:
    """A page for each crew, to print."""
    plan = _plan(plan_id)
    return render_template("plan/sheets.html", plan=plan, **_shown(plan))


@pages.get("/plan/<int:plan_id>.xlsx")
@needs("assign")
def workbook(plan_id: int) -> Response:
    """The same for Excel: a sheet with the comparison, one with the unserved, one for each crew."""
    plan = _plan(plan_id)
    return plan_sheets.workbook(plan, _shown(plan), zone())


@pages.post("/complaints/<int:complaint_id>/appointment")
@needs("assign")
def appoint(complaint_id: int) -> Response:
    """Keep when the caller will be there, or that there is nothing agreed any more."""
    complaint = complaints.find(db(), scope(), complaint_id)
    if complaint is None:
        raise Missing(thing="complaint", id=complaint_id)
    if "clear" in request.form:
        plan_actions.appoint(db(), who(), complaint, None, None)
    else:
        plan_actions.appoint(db(), who(), complaint, forms.moment("from"), forms.moment("to"))
    return redirect(url_for("complaints.page", complaint_id=complaint_id))  # type: ignore[return-value]


def agreed(row: complaints.Row) -> tuple[str, dict[str, Any]] | None:
    """The time agreed with the caller, on the complaint's page, while a crew may still be sent."""
    found = plan_queries.appointments(db(), [row["id"]]).get(row["id"])
    if not can("assign") or (row["status"] not in ASSIGNABLE and found is None):
        return None
    return "plan/agreed.html", {"agreed": found, "zone": zone()}


ASIDE.append(agreed)


# --- what is shown ---------------------------------------------------------------------------------------------------
def _plan(plan_id: int) -> DayPlan:
    found = plan_queries.plan_in_scope(db(), plan_id, scope())
    if found is None:
        raise Missing(thing="plan", id=plan_id)
    return found


def _crew_seen(crew_id: int) -> None:
    if crew_id not in {crew.id for crew in queries.crews(db(), scope())}:
        raise Missing(thing="crew", id=crew_id)


def _day(raw: str) -> date:
    if not raw:
        return today()
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise BadInput(reason="day") from None


def _form(day: date) -> dict[str, Any]:
    """What a plan can be asked for with."""
    return {
        "day": day, "today": today(), "last_day": today() + timedelta(days=plan_rules.DAYS_AHEAD),
        "crews": queries.crews(db(), scope()), "categories": _categories(), "seconds": plan_rules.SECONDS,
        "seconds_most": plan_rules.SECONDS_MOST, "plans": plan_queries.plans(db(), scope()), "modes": list(PlanMode),
    }  # fmt: skip


def _categories() -> list[tuple[str, str]]:
    """The first parts of the codes with their words, as complaints are filtered by."""
    prefixes = dict.fromkeys(
        code.split(".")[0] for code in db().scalars(select(Category.code).order_by(Category.number))
    )
    return [(prefix, word("category_group", prefix)) for prefix in prefixes]


def _shown(plan: DayPlan) -> dict[str, Any]:
    """The parts, orders and reasons of a proposal."""
    parts, stops = plan_queries.parts(db(), plan.id), plan_queries.stops(db(), plan.id, scope())
    by_crew: dict[int, list[Mapping[str, Any]]] = {}
    for stop in stops:
        if stop["crew_id"] is not None:
            by_crew.setdefault(stop["crew_id"], []).append(stop)
    left = [stop | {"why": unserved(stop["reason"], stop["params"], _say)} for stop in stops if stop["crew_id"] is None]
    together = plan_queries.hand_overs(db(), plan.id)
    until = timedelta(minutes=plan_rules.UNDO_MIN)
    rows = [
        part | {
            "stops": by_crew.get(part["crew_id"], []), "together": sorted(together.get(part["crew_id"], ())),
            "changes": any(s["kind"] in plan_accepting.CHANGING for s in by_crew.get(part["crew_id"], [])) or part["before"] != part["after"],
            "can_undo": part["status"] == PartState.ACCEPTED and part["accepted_at"] and now() - part["accepted_at"] <= until,
        }
        for part in parts
    ]  # fmt: skip
    rows.sort(key=lambda row: (row["status"] == PartState.PROPOSED and not row["changes"], row["name"]))
    return {
        "parts": rows, "left": left, "totals": plan.totals or {}, "ready": plan.status == PlanState.READY,
        "running": plan.status in (PlanState.WAITING, PlanState.SOLVING), "open_parts": sum(r["status"] == "proposed" for r in rows),
        "problem": failed(plan.problem or "", _say) if plan.status == PlanState.FAILED else "", "drawn": _drawn(rows, left),
    }  # fmt: skip


def _drawn(rows: Sequence[Mapping[str, Any]], left: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the map needs and nothing more."""
    points = [
        {"lon": s["lon"], "lat": s["lat"], "n": s["position"], "crew": s["crew_id"], "kind": s["kind"], "no": s["hotline_no"]}
        for s in [stop for row in rows for stop in row["stops"]] + list(left) if s["lon"] is not None
    ]  # fmt: skip
    lines = [
        {"crew": row["crew_id"], "name": row["name"], "old": row["old_line"], "new": row["new_line"]} for row in rows
    ]
    return {"points": points, "lines": lines}


def _say(text: str) -> str:
    return str(_(text))


def _told(error: ChengmaiError) -> str:
    return message(stale(error, _say) if isinstance(error, PlanStale) else error)


def _names(crews: Sequence[int], names: Mapping[int, str]) -> str:
    return _("; ").join(names.get(crew, "?") for crew in crews)


def _back(plan_id: int, kind: str, text: str) -> Response:
    flash(text, kind)
    return redirect(url_for("plan.show", plan_id=plan_id))  # type: ignore[return-value]
