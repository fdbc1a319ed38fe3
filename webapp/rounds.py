"""Dragnet rounds at the desk: planned as a sample, adjusted by hand, fixed, given to inspectors, followed, printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.inspections import day_plans, round_queries, rounds
from gis.inspections.day_plans import Terms
from gis.inspections.round_rules import PER_DAY_MOST, WEIGHTS, Allocation, Stratum
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp import forms
from webapp.access import db, needs, scope, who
from webapp.exports import Cell, xlsx_answer
from webapp.i18n import message, word
from webapp.sites import local, today, when

pages = Blueprint("rounds", __name__)


def terms() -> Terms:
    """How ways are measured."""
    settings = current_app.config["SETTINGS"]
    return Terms(settings.snap_limit_m, settings.straight_speed_kmh)


def why_words(why: list[dict[str, Any]] | None) -> list[str]:
    """Why a site was likely to be drawn, as sentences."""
    return [words for part in why or [] if (words := _why(part))]


def _why(part: Mapping[str, Any]) -> str:
    match part["code"]:
        case "never_checked":
            return _("never checked by the bureau")
        case "month_unchecked":
            return _("not checked for %(n)s days", n=part["n"])
        case "breach":
            return _("%(n)s breaches in the time looked at", n=part["n"])
        case "unfit_person":
            return _("%(n)s people without what their trade needs", n=part["n"])
        case _:
            return _("%(stage)s: factor %(factor)s", stage=word("stage", part["stage"]), factor=f"{part['factor']:g}")


def told(row: Mapping[str, Any]) -> str:
    """In one sentence: why this site is in the round."""
    if row["origin"] == "single" or row["probability"] is None:
        return row.get("reason") or ""
    reasons = _("; ").join(why_words(row["why"]))
    percent = f"{row['probability'] * 100:.0f}%"
    if row["origin"] == "swapped":
        return _("put in by hand: %(reason)s", reason=row["reason"])
    if row["origin"] == "added":
        return _("added by hand: %(reason)s", reason=row["reason"])
    if row["certain"]:
        return _("certain — %(reasons)s", reasons=reasons)
    return _(
        "drawn with %(percent)s in “%(stratum)s” — %(reasons)s",
        percent=percent,
        stratum=stratum(row["stratum"]),
        reasons=reasons,
    )


def stratum(name: str | None) -> str:
    """A stratum's name with the house's words for stages and breaches."""
    if name in (None, "*"):
        return _("all sites")
    return " · ".join(_stratum_word(part) for part in str(name).split(" · "))


def _stratum_word(part: str) -> str:
    if part in ("before", "during", "after"):
        return word("stage", part)
    return word("breach_class", part) if part in ("none", "few", "many") else part


@pages.get("/rounds")
@needs("see_rounds")
def index() -> str:
    """All rounds, the newest first."""
    return render_template("rounds/index.html", rows=round_queries.rounds(db(), scope(), today()), today=today())


@pages.get("/rounds/new")
@needs("plan_rounds")
def new() -> str:
    """What a new round is to be."""
    return _new({})


def _new(typed: Mapping[str, str], error: str | None = None) -> str:
    return render_template(
        "rounds/new.html", typed=typed, error=error, allocations=list(Allocation), strata=list(Stratum), per_day_most=PER_DAY_MOST,
        districts=areas(db(), scope(), (AreaLevel.DISTRICT, AreaLevel.STREET)), today=today(), row=None,
        open_sites=len(round_queries.frame(db(), scope(), scope().area_id, when())), chosen=_chosen_strata(typed),
    )  # fmt: skip


def _chosen_strata(typed: Mapping[str, str]) -> list[str]:
    return request.form.getlist("strata") if typed else [str(Stratum.STREET), str(Stratum.STAGE)]


def _asked() -> rounds.Asked:
    return rounds.Asked(
        name=forms.text("name"), starts_on=forms.day("starts_on"), ends_on=forms.day("ends_on"), size=forms.needed("size"),
        seed=forms.needed("seed"), allocation=forms.text("allocation"), strata=tuple(request.form.getlist("strata")),
        per_day=forms.needed("per_day"), surprise=forms.text("surprise") == "1", area_id=forms.whole("area_id"), note=forms.text("note"),
    )  # fmt: skip


@pages.post("/rounds")
@needs("plan_rounds")
def plan() -> Response | tuple[str, int]:
    """Draw a draft and show it."""
    try:
        with db().begin_nested():
            made = rounds.plan(db(), who(), scope(), _asked(), when())
    except ChengmaiError as error:
        return _new(request.form, message(error)), error.status
    return redirect(url_for("rounds.show", round_id=made.id), 303)


@pages.get("/rounds/<int:round_id>")
@needs("see_rounds")
def show(round_id: int) -> str:
    """A round: its sample with reasons, its strata, its days, how far it is."""
    row = round_queries.round_shown(db(), scope(), round_id, today())
    found = round_queries.visits(db(), row["id"])
    by_district = "district" if len({v["district"] for v in found}) > 1 else "street"
    return render_template(
        "rounds/show.html", row=row, visits=[dict(v) | {"told": told(v)} for v in found], strata=round_queries.strata(db(), row["id"]),
        undrawn=round_queries.undrawn(db(), row["id"]), inspectors=round_queries.inspectors(db(), scope(), today()), today=today(),
        by_area=round_queries.progress(found, by_district, today()), by_contractor=round_queries.progress(found, "contractor", today()),
        stratum=stratum, allocations=list(Allocation), all_strata=list(Stratum), per_day_most=PER_DAY_MOST, minutes=minutes,
        unassigned=sum(v["status"] == "planned" and v["on_day"] is None for v in found), weights=row["weights"],
        districts=areas(db(), scope(), (AreaLevel.DISTRICT, AreaLevel.STREET)), typed={}, chosen=row["strata"],
    )  # fmt: skip


def minutes(seconds: float | None) -> str:
    """Travel time as minutes, for a table."""
    return "" if seconds is None else f"{max(seconds / 60, 1):.0f}"


def _act(round_id: int, verb: Callable[[int | None], Any], done: str) -> Response:
    try:
        with db().begin_nested():
            verb(forms.whole("base_version"))
            day_plans.walk_again(db(), round_id, terms())
        flash(done, "done")
    except ChengmaiError as error:
        if error.status in (403, 404, 412):
            raise
        flash(message(error), "error")
    return redirect(url_for("rounds.show", round_id=round_id), 303)


@pages.post("/rounds/<int:round_id>/draw")
@needs("plan_rounds")
def draw_again(round_id: int) -> Response:
    """Draw a draft anew."""
    return _act(
        round_id,
        lambda base: rounds.draw_again(db(), who(), scope(), round_id, _asked(), when(), base),
        _("Drawn anew."),
    )


@pages.post("/rounds/<int:round_id>/swap")
@needs("plan_rounds")
def swap(round_id: int) -> Response:
    """Another site instead of one, for a reason."""
    return _act(
        round_id,
        lambda base: rounds.swap(
            db(), who(), scope(), round_id, forms.needed("visit"), forms.needed("by"), forms.text("reason"), base
        ),
        _("Swapped; the reason is kept."),
    )


@pages.post("/rounds/<int:round_id>/drop")
@needs("plan_rounds")
def drop(round_id: int) -> Response:
    """One site less, for a reason."""
    return _act(
        round_id, lambda base: rounds.drop(db(), who(), scope(), round_id, forms.needed("visit"), forms.text("reason"), base),
        _("Taken out; the reason is kept."),
    )  # fmt: skip


@pages.post("/rounds/<int:round_id>/add")
@needs("plan_rounds")
def add(round_id: int) -> Response:
    """One site more, for a reason."""
    return _act(
        round_id, lambda base: rounds.add(db(), who(), scope(), round_id, forms.needed("site"), forms.text("reason"), base),
        _("Added; the reason is kept."),
    )  # fmt: skip


@pages.post("/rounds/<int:round_id>/assign")
@needs("plan_rounds")
def assign(round_id: int) -> Response:
    """Give the visits to inspectors, days and routes."""
    left: list[int] = []

    def verb(base: int | None) -> None:
        left.append(day_plans.assign(db(), who(), scope(), round_id, forms.chosen("inspector"), today(), terms(), base))

    answer = _act(round_id, verb, _("The visits are given out, each day in the order of its route."))
    if left and left[0]:
        flash(
            _("%(n)s visits found nobody: no chosen inspector may look there, or every day is full.", n=left[0]),
            "error",
        )
    return answer


@pages.post("/rounds/<int:round_id>/fix")
@needs("plan_rounds")
def fix(round_id: int) -> Response:
    """The sample stands; inspectors see their days."""
    return _act(round_id, lambda base: rounds.fix(db(), who(), scope(), round_id, base), _("The round is fixed."))


@pages.post("/rounds/<int:round_id>/end")
@needs("plan_rounds")
def end(round_id: int) -> Response:
    """The round is over."""
    return _act(round_id, lambda base: rounds.end(db(), who(), scope(), round_id, base), _("The round has ended."))


@pages.post("/rounds/<int:round_id>/discard")
@needs("plan_rounds")
def discard(round_id: int) -> Response:
    """A draft is put away."""
    _act(round_id, lambda base: rounds.discard(db(), who(), scope(), round_id, base), _("The draft is put away."))
    return redirect(url_for("rounds.index"), 303)


@pages.get("/rounds/<int:round_id>.xlsx")
@needs("see_rounds")
def as_excel(round_id: int) -> Response:
    """The visits of a round with probabilities and reasons, as a workbook."""
    row = round_queries.round_shown(db(), scope(), round_id, today())
    found = round_queries.visits(db(), row["id"])
    heading = [_("Day"), _("Inspector"), _("Stop"), _("Number of the site"), _("Name of the site"), _("Address of the site"),
               _("Contractor"), _("Answering unit"), _("Area"), _("State"), _("Probability"), _("Why"), _("Minutes on the way"),
               _("Inspected at"), _("Breaches")]  # fmt: skip
    return xlsx_answer(f"round-{row['id']}", row["name"][:31].translate(str.maketrans("[]:*?/\\", "       ")), heading,
                       (_line(v) for v in found), len(found))  # fmt: skip


def _line(v: Mapping[str, Any]) -> list[Cell]:
    late = v["status"] == "planned" and v["on_day"] is not None and v["on_day"] < today()
    state = word("visit_status", "missed" if late else v["status"])
    return [
        v["on_day"].isoformat() if v["on_day"] else "", v["inspector"] or "", v["stop_no"], v["code"], v["site"], v["address"],
        v["contractor"] or "", v["unit"] or "", v["area"] or "", state, v["probability"],
        (v["reason"] if v["status"] == "dropped" else told(v)), minutes(v["travel_s"]), local(v["done_at"]) if v["done_at"] else "",
        v["no_count"] if v["inspection_id"] else None,
    ]  # fmt: skip


# --- the numbers of the drawing --------------------------------------------------------------------------------------
@pages.get("/rounds/weights")
@needs("see_rounds")
def weights() -> str:
    """What makes a site likelier to be drawn."""
    return render_template(
        "rounds/weights.html", seeds=WEIGHTS, values=round_queries.weights(db()), rows=round_queries.weight_rows(db())
    )


@pages.post("/rounds/weights")
@needs("plan_rounds")
def set_weight() -> Response:
    """Another number."""
    value = forms.decimal("value")
    if value is None or value != value:
        raise forms.BadFormField(field="value")
    try:
        with db().begin_nested():
            rounds.set_weight(db(), who(), forms.text("code"), value, forms.text("source"), forms.whole("base_version"))
        flash(_("Kept; drafts drawn from now on use it."), "done")
    except ChengmaiError as error:
        if error.status in (404, 412):
            raise
        flash(message(error), "error")
    return redirect(url_for("rounds.weights"), 303)
