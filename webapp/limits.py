"""The rules of time on a screen: which sets are in force, every limit with its history, the office hours; a change is a new row."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, time, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.complaints import law_actions, law_queries, queries
from gis.complaints.law_model import LimitRule, RuleSet
from gis.complaints.law_words import Clock, CountFrom, HoursOverlap
from gis.complaints.limits import PAUSES
from gis.errors import BadInput, ChengmaiError, Missing
from gis.people.queries import names_of
from gis.places.queries import working_days
from webapp.access import can, db, needs, now, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("limits", __name__)
PREVIEW_DAYS = 30
MOST_SPANS = 6


@pages.get("/limits")
@needs("see_complaints")
def index() -> str:
    """Every set of rules with its limits, those of today and those of before."""
    return _page()


@pages.post("/limits/<int:limit_id>")
@needs("edit_limits")
def change(limit_id: int) -> Any:
    """Another limit in the place of this one, from a day on; what is already received keeps the old one."""
    rule = _found(LimitRule, limit_id)
    try:
        begins = _day(request.form.get("valid_from", ""))
        law_actions.change_limit(
            db(), who(), rule, begins, **_asked(request.form), source=request.form.get("source", "")
        )
    except (BadInput, ChengmaiError) as error:
        db().rollback()
        return _page(wrong={"id": limit_id, "message": message(error), "typed": request.form}), error.status
    flash(_("The new limit holds from %(day)s on.", day=begins), "done")
    return redirect(url_for("limits.index"), 303)


@pages.get("/limits/<int:limit_id>/effect.json")
@needs("edit_limits")
def effect(limit_id: int) -> dict[str, Any]:
    """What a change would have meant for what was received in the last month."""
    rule = _found(LimitRule, limit_id)
    said = law_actions.check(**_asked(request.args))
    old = law_queries.limit_by_id(db(), rule.id)
    assert old is not None
    found = law_actions.effect(db(), now(), rule, replace(old, **said), _city(), PREVIEW_DAYS)
    return asdict(found) | {"since": found.since.isoformat()}


@pages.post("/limits/sets/<int:set_id>")
@needs("edit_limits")
def put_in_force(set_id: int) -> Response:
    """Go by a set from now on, or no longer."""
    rules = _found(RuleSet, set_id)
    wanted = request.form.get("in_force") == "1"
    law_actions.put_in_force(db(), who(), rules, wanted, _number("version"))
    flash(_("From now on %(name)s is in force.", name=_name(rules)) if wanted
          else _("%(name)s is no longer in force.", name=_name(rules)), "done")  # fmt: skip
    return redirect(url_for("limits.index"), 303)  # type: ignore[return-value]


@pages.post("/limits/hours")
@needs("edit_limits")
def hours() -> Any:
    """The office hours: pairs of times; an empty pair is left out."""
    begins, ends = request.form.getlist("begins"), request.form.getlist("ends")
    try:
        if len(begins) != len(ends) or len(begins) > MOST_SPANS:
            raise HoursOverlap()
        spans = [(_time(b), _time(e)) for b, e in zip(begins, ends, strict=True) if b or e]
        law_actions.set_hours(db(), who(), spans)
    except BadInput as error:
        db().rollback()
        return _page(hours_wrong=message(error)), error.status
    flash(_("The office hours are kept. Deadlines that were given stay."), "done")
    return redirect(url_for("limits.index"), 303)


def _page(**more: Any) -> str:
    rules = law_queries.limit_rules(db())
    by_set = {key: list(found) for key, found in groupby(rules, key=lambda rule: rule.rule_set_id)}
    used, city = law_queries.applied(db()), _city()
    today = city.day(now())
    return render_template(
        "complaints/limits.html", sets=law_queries.rule_sets(db()), by_set=by_set, used=used, today=today,
        tomorrow=today + timedelta(days=1), hours=city.hours, clocks=list(Clock), counts=list(CountFrom), name=_name,
        names=names_of(db(), {rule.changed_by for rule in rules if rule.changed_by}), pauses=PAUSES,
        categories={c.code: c.name_en if str(get_locale()) == "en" else c.name for c in queries.categories(db())},
        editable=can("edit_limits"), **({"wrong": None, "hours_wrong": None} | more),
    )  # fmt: skip


def _name(rules: RuleSet) -> str:
    return rules.name_en if str(get_locale()) == "en" else rules.name


def _city() -> Any:
    return law_queries.city(db(), working_days(db()), zone())


def _found(model: type[Any], row_id: int) -> Any:
    found = db().get(model, row_id) if row_id < 1 << 31 else None
    if found is None:
        raise Missing(thing="limit", id=row_id)
    return found


def _asked(form: Any) -> dict[str, Any]:
    return {
        "clock": form.get("clock", ""), "count_from": form.get("count_from", ""),
        **{name: _number(name, form) for name in ("amount", "extension_days", "further_days")},
    }  # fmt: skip


def _number(name: str, form: Any = None) -> int:
    raw = (request.form if form is None else form).get(name, "").strip()
    if not (raw.isascii() and raw.isdigit() and len(raw) < 9):
        raise BadInput(reason=name)
    return int(raw)


def _day(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise BadInput(reason="valid_from") from None


def _time(raw: str) -> time:
    try:
        return time.fromisoformat(raw)
    except ValueError:
        raise HoursOverlap() from None
