"""The bureau's tables of rectification: how serious an item is, and how findings of each severity are dealt with."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.inspections import consequence_queries, consequences, findings
from gis.inspections import finding_queries as queries
from gis.inspections.checklist_items import checkable
from gis.inspections.checklist_queries import checklists
from gis.inspections.consequence_rules import WEIGHT_MOST
from gis.inspections.finding_rules import RECTIFY_LIMITS, Severity, severity_of
from gis.inspections.rules import ChecklistKind
from webapp import forms
from webapp.access import db, needs, who
from webapp.i18n import message

pages = Blueprint("finding_rules", __name__)


@pages.get("/findings/rules")
@needs("see_inspections")
def index() -> str:
    """Deadlines by severity, and severity and weight of each item; who may not edit them reads them."""
    return _page()


def _page(error: str | None = None) -> str:
    own, weights = queries.severity_rows(db()), consequence_queries.weights(db())
    language = "en" if str(get_locale()) == "en" else "zh"
    lists = [
        (c, [{"id": item.id, "text": getattr(item, language), "severity": severity_of(item.id, queries.severities(db(), c.code)),
              "own": own.get((c.code, item.id)), "weight": weights.get((c.code, item.id))} for item in checkable(c)])
        for c in checklists(db()) if c.kind != ChecklistKind.VISIT
    ]  # fmt: skip
    return render_template("findings/rules.html", rules=queries.rules(db()), limits=RECTIFY_LIMITS, lists=lists,
                           severities=list(Severity), most=WEIGHT_MOST, error=error)  # fmt: skip


@pages.post("/findings/rules/<any(minor, general, serious):severity>")
@needs("edit_inspection_rules")
def put(severity: str) -> Response | tuple[str, int]:
    """Decide how findings of a severity are dealt with, from now on."""
    try:
        values = {name: forms.needed(name) for name in RECTIFY_LIMITS}
        findings.set_rectify_rule(
            db(), who(), severity, values, bool(request.form.get("after_photo")), bool(request.form.get("may_stop")),
            forms.text("source"), forms.whole("base_version"),
        )  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _page(message(error)), error.status
    flash(_("Kept. It counts for what is found or moved from now on."), "done")
    return redirect(url_for("finding_rules.index"), 303)


@pages.post("/findings/items")
@needs("edit_inspection_rules")
def item() -> Response | tuple[str, int]:
    """Say how serious an item is, and how much it weighs."""
    code, number, source = forms.text("code"), forms.text("item"), forms.text("source")
    try:
        if forms.text("severity"):
            findings.set_severity(db(), who(), code, number, forms.text("severity"), source)
        weight = forms.whole("weight")
        if weight is not None:
            consequences.set_weight(db(), who(), code, number, weight, source)
    except ChengmaiError as error:
        db().rollback()
        return _page(message(error)), error.status
    flash(_("Kept. It counts for what is found or moved from now on."), "done")
    return redirect(url_for("finding_rules.index") + f"#item-{number}", 303)
