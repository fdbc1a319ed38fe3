"""A unit inspects its own site: the same checklist at the desk, kept as a self-inspection, never as the bureau's check; and who did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.errors import BadInput, ChengmaiError, Missing
from gis.inspections import actions, self_check_queries, site_queries
from gis.inspections.actions import Shot, Visit
from gis.inspections.checklist_queries import checklists
from gis.inspections.rules import PLEDGES_EN, Answer, Given, applicable, item_of
from webapp import forms
from webapp.access import db, needs, now, scope, who
from webapp.exports import Cell, xlsx_answer
from webapp.filters import today
from webapp.i18n import message
from webapp.site_photos import kept_photo
from webapp.sites import when

pages = Blueprint("self_inspections", __name__)
CHECKLIST = "six_pledges"


# --- who has, and who has not ----------------------------------------------------------------------------------------
COUNTED = ("sites", "done", "not_yet", "overdue")


@pages.get("/self-checks")
@needs("see_inspections")
def index() -> str:
    """Unit by unit: how many of its own sites it has inspected since it was called for. A unit sees its own row."""
    rows = self_check_queries.by_unit(db(), scope(), when())
    return render_template(
        "sites/self_checks.html", rows=rows, total={name: sum(row[name] for row in rows) for name in COUNTED}, share=share,
        call=site_queries.self_check(db()), today=today(),
    )  # fmt: skip


def share(row: Mapping[str, Any]) -> float:
    """Of a hundred open sites, how many are inspected."""
    return round(100.0 * row["done"] / row["sites"], 1)


@pages.get("/self-checks.xlsx")
@needs("export")
def as_excel() -> Response:
    """The same as a workbook."""
    rows = self_check_queries.by_unit(db(), scope(), when())
    return xlsx_answer(
        f"self_inspection_{today():%Y%m%d}", _("Self-inspection by unit"), _heading(), _table(rows), len(rows)
    )


def _heading() -> list[str]:
    return [_("Unit"), _("Open sites"), _("Self-inspected"), _("Not yet inspected"), _("Of these overdue"), _("Oldest day it was due"),
            _("Percent inspected")]  # fmt: skip


def _table(rows: Sequence[Mapping[str, Any]]) -> list[list[Cell]]:
    return [[row["unit"] or _("No unit answers for it"), *(row[name] for name in COUNTED),
             row["oldest_due_on"].isoformat() if row["oldest_due_on"] else "", share(row)] for row in rows]  # fmt: skip


# --- one site --------------------------------------------------------------------------------------------------------
@pages.get("/sites/<int:site_id>/self-check")
@needs("self_inspect")
def form(site_id: int) -> str:
    """The checklist of a site as its unit fills it in."""
    return _form(site_id)


def _form(site_id: int, error: str | None = None) -> str:
    row = site_queries.shown(db(), scope(), site_id, when()) if site_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="site", id=site_id)
    checklist = next(c for c in checklists(db()) if c.code == CHECKLIST)
    items = applicable([item_of(raw) for raw in checklist.items], row["scope"], row["stage"], row["is_heating"])
    pledges = [(number, list(group)) for number, group in groupby(items, key=lambda item: item.pledge_no)]
    english = str(get_locale()) == "en"
    return render_template(
        "sites/self_check.html", row=row, pledges=pledges, checklist=checklist, names=PLEDGES_EN, english=english, error=error,
        typed=request.form, new_id=request.form.get("id") or uuid4(), begun=now().isoformat(),
    )  # fmt: skip


@pages.post("/sites/<int:site_id>/self-check")
@needs("self_inspect")
def file(site_id: int) -> Response | tuple[str, int]:
    """Keep it. The same sending twice is one inspection."""
    row = site_queries.shown(db(), scope(), site_id, when()) if site_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="site", id=site_id)
    try:
        number = UUID(forms.text("id"))
        begun = forms.moment("begun")
    except ValueError:
        raise BadInput(reason="id") from None
    answers = [
        Given(key.removeprefix("answer-"), value, forms.text(f"note-{key.removeprefix('answer-')}")[:2000])
        for key, value in request.form.items() if key.startswith("answer-") and value in set(Answer)
    ]  # fmt: skip
    try:
        if not answers:
            raise BadInput(reason=_("no answer"))
        with db().begin_nested():
            shots = [Shot(kept_photo(one), "", now()) for one in request.files.getlist("photos")[:20] if one.filename]
            visit = Visit(
                number, CHECKLIST, forms.needed("revision"), row["scope"], row["stage"], min(begun, now()), now(), site_id=site_id,
                note=forms.text("note")[:4000], answers=answers, photos=list({shot.sha256: shot for shot in shots}.values()),
            )  # fmt: skip
            actions.submit(db(), who(), scope(), visit)
    except ChengmaiError as error:
        if error.code == "inspection_there":
            return redirect(url_for("inspections.show", inspection_id=number), 303)
        return _form(site_id, message(error)), error.status
    flash(_("The self-inspection is kept. It does not count as the bureau's check."), "done")
    return redirect(url_for("inspections.show", inspection_id=number), 303)
