"""Who answers for what, as a table that a supervisor edits: with what a change would have moved, before it is kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.complaints import queries as complaints
from gis.complaints import routing_actions as actions
from gis.complaints import routing_queries as queries
from gis.complaints.routing import AnswersFor, Rule, under
from gis.complaints.routing_model import RoutingRule
from gis.errors import ChengmaiError, Missing, NotAllowed
from gis.network.queries import station_names
from gis.people.queries import units
from gis.people.rules import UnitKind
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp.access import db, needs, now, scope, who
from webapp.filters import today
from webapp.i18n import message, word

pages = Blueprint("routing", __name__)
PREVIEW_DAYS = 30
_LEVELS = (AreaLevel.DISTRICT, AreaLevel.STREET, AreaLevel.COMMUNITY, AreaLevel.COMPOUND)
_NEW: dict[str, str] = {"priority": "100", "answers": "unit"}


@pages.get("/routing")
@needs("edit_routing")
def index() -> str:
    """The rules in the order in which they decide."""
    kinds = complaints.categories(db())
    rows = [row | {"words": conditions(row, kinds)} for row in queries.listing(db(), scope())]
    return render_template("routing/index.html", rows=rows, uses=queries.uses(db()), today=today())


def conditions(row: Any, kinds: list[Any]) -> list[str]:
    """When a rule fits, in words; nothing for one that always fits."""
    english = str(get_locale()) == "en"
    told = []
    if row["utility"]:
        told.append(word("utility", row["utility"]))
    if row["category"]:
        below = [c.name_en if english else c.name for c in kinds if under(c.code, row["category"])]
        told.append(_(", ").join(below) or row["category"])
    if row["area"]:
        told.append(_("in %(area)s", area=row["area"]))
    if row["station"]:
        told.append(_("from station %(name)s", name=row["station"]))
    if row["operator"]:
        told.append(_("served by a %(kind)s", kind=word("kind", row["operator"])))
    return told


def why_words(why: dict[str, Any]) -> str:
    """Why a rule decided, in words, for the timeline and the list of moved complaints."""
    told = [word("utility", why["utility"])] if why.get("utility") else []
    told += [str(why["category"])] if why.get("category") else []
    told += [_("its area")] if why.get("area_id") else []
    told += [_("its station")] if why.get("station_id") else []
    told += [_("served by a %(kind)s", kind=word("kind", why["operator"]))] if why.get("operator") else []
    told += [_("whoever serves the compound")] if why.get("answers") == AnswersFor.SERVED_BY else []
    return "; ".join(told)


@pages.get("/routing/new")
@needs("edit_routing")
def new() -> str:
    """An empty rule."""
    return _form(dict(_NEW))


@pages.get("/routing/<int:rule_id>")
@needs("edit_routing")
def edit(rule_id: int) -> str:
    """One rule, to be changed or ended."""
    rule = _rule(rule_id)
    typed = {name: "" if getattr(rule, name) is None else str(getattr(rule, name)) for name in actions.FIELDS}
    return _form(typed | {"base_version": str(rule.version)}, rule=rule)


@pages.post("/routing/preview")
@needs("edit_routing")
def preview() -> str | tuple[str, int]:
    """What the rule as typed would have moved in the last days; nothing is kept."""
    rule = _rule(_number("rule_id") or 0) if request.form.get("rule_id") else None
    try:
        fresh = actions.checked(db(), _typed())
    except ChengmaiError as error:
        return _form(dict(request.form), rule=rule, error=message(error)), error.status
    before = queries.rules(db())
    after = [r for r in before if rule is None or r.id != rule.id] + [_pure(fresh, rule)]
    on = max(today(), fresh.valid_from) if fresh.valid_from else today()
    moved = queries.preview(
        db(), scope(), before, after, on=on, since=now() - timedelta(days=PREVIEW_DAYS), until=now()
    )
    return _form(dict(request.form), rule=rule, moved=moved)


def _pure(fresh: RoutingRule, rule: RoutingRule | None) -> Rule:
    """The typed rule in the place of the kept one; a new one comes after those of its priority."""
    values = {name: getattr(fresh, name) for name in actions.FIELDS if name != "source"}
    return Rule(id=rule.id if rule else 1 << 60, **values)


@pages.post("/routing")
@needs("edit_routing")
def add() -> Response | tuple[str, int]:
    """Keep a new rule."""
    return _save(None)


@pages.post("/routing/<int:rule_id>")
@needs("edit_routing")
def change(rule_id: int) -> Response | tuple[str, int]:
    """Keep a change of a rule."""
    return _save(_rule(rule_id))


def _save(rule: RoutingRule | None) -> Response | tuple[str, int]:
    typed = _typed()
    if not all(queries.may_edit(db(), scope(), area) for area in (typed["area_id"], *([rule.area_id] if rule else []))):
        raise NotAllowed()
    try:
        with db().begin_nested():
            actions.save(db(), who(), typed, rule=rule, base_version=_number("base_version"))
    except ChengmaiError as error:
        return _form(dict(request.form), rule=rule, error=message(error)), error.status
    flash(_("The rule is kept. Complaints received from now on follow it; open ones when they are sent anew."), "done")
    return redirect(url_for("routing.index"), 303)


@pages.post("/routing/<int:rule_id>/end")
@needs("edit_routing")
def end(rule_id: int) -> Response:
    """The rule holds no longer from today on."""
    rule = _rule(rule_id)
    if not queries.may_edit(db(), scope(), rule.area_id):
        raise NotAllowed()
    try:
        with db().begin_nested():
            actions.end(db(), who(), rule, today(), _number("base_version"))
        flash(_("The rule has ended; what it decided keeps naming it."), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("routing.index"), 303)


@pages.post("/routing/reroute")
@needs("edit_routing")
def reroute() -> Response:
    """Ask the rules again for open complaints that nobody has signed for."""
    done = actions.reroute(db(), who(), today(), scope())
    flash(_("%(moved)s of %(asked)s open complaints went to another unit.", moved=done.moved, asked=done.asked), "done")
    return redirect(url_for("routing.index"), 303)


# --- the form ------------------------------------------------------------------------------------------------------------
def _form(
    typed: dict[str, str], *, rule: RoutingRule | None = None, error: str | None = None, moved: Any = None
) -> str:
    kinds = complaints.categories(db())
    prefixes = sorted({code.rpartition(".")[0] for code in (c.code for c in kinds) if "." in code})
    return render_template(
        "routing/form.html", typed=typed, rule=rule, error=error, moved=moved, kinds=kinds, prefixes=prefixes,
        utilities=list(dict.fromkeys(c.utility for c in kinds)), units=units(db()), areas=areas(db(), scope(), _LEVELS),
        stations=station_names(db(), scope()), operators=[UnitKind.HEAT_COMPANY, UnitKind.PROPERTY_COMPANY],
        answers=list(AnswersFor), days=PREVIEW_DAYS, today=today(),
    )  # fmt: skip


def _typed() -> dict[str, Any]:
    form = request.form
    text = {name: form.get(name, "").replace("\0", "").strip()[:300] or None
            for name in ("utility", "category", "operator", "answers", "source")}  # fmt: skip
    numbers = {name: _number(name) for name in ("priority", "area_id", "station_id", "unit_id")}
    if text["answers"] == AnswersFor.SERVED_BY:
        numbers["unit_id"] = None
    return {**text, **numbers, "valid_from": _day("valid_from"), "valid_to": _day("valid_to")}


def _number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None


def _day(name: str) -> date | None:
    raw = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(raw) if raw else None
    except ValueError:
        return None


def _rule(rule_id: int) -> RoutingRule:
    rule = db().get(RoutingRule, rule_id) if rule_id < 1 << 62 else None
    if rule is None or not (rule.area_id is None or queries.may_edit(db(), scope(), rule.area_id)):
        raise Missing(thing="routing rule", id=rule_id)
    return rule
