"""Standard visits (标准化服务): step lists that an organisation writes itself, and which matters get them."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints.queries import categories
from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from gis.inspections import checklist_actions as actions
from gis.inspections import checklist_queries as queries
from gis.inspections.checklist_actions import Added
from gis.inspections.forms import ItemType, Need, doubts, form_of
from gis.inspections.model import Checklist
from gis.inspections.rules import ChecklistKind, ChecklistState
from gis.inspections.visit_examples import Step, form_of_steps, steps_of
from webapp import forms
from webapp.access import can, db, needs, who
from webapp.checklists import own_unit
from webapp.i18n import message

pages = Blueprint("visit_steps", __name__, url_prefix="/standard-visits")
T = ItemType
KINDS: tuple[str, ...] = (
    T.YES_NO,
    T.INTEGER,
    T.DECIMAL,
    T.TEXT,
    T.PHOTO,
    T.SIGNATURE,
    T.DATE,
    T.TIME,
    T.GEOPOINT,
    T.NOTE,
)
MOST_STEPS, LONGEST = 60, 300


@pages.get("")
@needs("see_inspections")
def index() -> str:
    """The step lists, and the table of which matters get which."""
    return _index()


def _index(error: str = "") -> str:
    rows = [row for row in queries.listed(db()) if row["kind"] == ChecklistKind.VISIT]
    return render_template(
        "checklists/visits.html", rows=rows, rules=queries.visit_rules(db()), categories=categories(db()),
        skills=queries.skills(db()), error=error,
    )  # fmt: skip


@pages.get("/new")
@needs("edit_checklists")
def new() -> str:
    """An empty step list."""
    return _editor(None, "", "", [Step("")])


@pages.get("/<code>/steps")
@needs("edit_checklists")
def edit(code: str) -> str:
    """The newest steps of a list, to be changed; what is saved is its next revision."""
    made = _visit(code)
    assert made.form is not None
    form = form_of(made.form)
    return _editor(made, made.name, form.children[0].label.get("en", ""), steps_of(form))


def _visit(code: str) -> Checklist:
    made = queries.one(db(), code)
    if made is None or made.kind != ChecklistKind.VISIT:
        raise Missing(thing="checklist", id=code)
    if not actions.may_write(made, own_unit()):
        raise NotAllowed()
    return made


def _editor(made: Checklist | None, name: str, name_en: str, steps: list[Step], error: str = "") -> str:
    return render_template(
        "checklists/steps.html", checklist=made, name=name, name_en=name_en, steps=steps, kinds=KINDS, error=error, most=MOST_STEPS, longest=LONGEST,
        empty=Step(""), needs=list(Need),
    )  # fmt: skip


@pages.post("/save")
@needs("edit_checklists")
def save() -> Response | tuple[str, int] | str:
    """Keep the steps as the next revision and give it to phones; or add, move or take away a step without scripts."""
    from webapp.xlsform.writer import xform  # here and not above: see `SLOW` in webapp/app.py

    code = forms.text("code")
    made = _visit(code) if code else None
    name, name_en, steps = forms.text("name").strip(), forms.text("name_en").strip()[:120], _steps()
    if forms.text("do") not in ("", "save"):
        return _editor(made, name, name_en, _changed(steps, forms.text("do")))
    kept = [s for s in steps if s.zh or s.en]
    try:
        if not kept:
            raise BadInput(reason=_("a list needs at least one step"))
        form = form_of_steps(name, kept, name_en)
        if wrong := doubts(form):
            raise BadInput(
                reason=_("the condition of step %(n)s cannot be understood", n=wrong[0].name.removeprefix("step_"))
            )
        code = code or actions.free_code(db(), "visit_own")
        given = Added(code, name, ChecklistKind.VISIT, form, _("written at the desk"), xform(form, code))
        fresh = actions.add_revision(db(), who(), given, own_unit())
        actions.activate(db(), who(), fresh.code, fresh.revision, own_unit())
    except ChengmaiError as error:
        db().rollback()
        return _editor(_visit(code) if made is not None else None, name, name_en, steps, message(error)), error.status
    flash(_("Kept as revision %(n)s and given to phones with their next sync.", n=fresh.revision), "done")
    return redirect(url_for("checklists.show", code=fresh.code), 303)  # type: ignore[return-value]


def _steps() -> list[Step]:
    """The steps of the form, in its order: fields `zh.0`, `kind.0`, …"""
    found = []
    order = [n for n in request.form.getlist("step") if n.isascii() and n.isdigit()][:MOST_STEPS]
    for n in order:
        kind = request.form.get(f"kind.{n}", T.YES_NO)
        if kind not in KINDS:
            raise BadInput(reason="kind")
        found.append(Step(
            request.form.get(f"zh.{n}", "").strip()[:LONGEST], request.form.get(f"en.{n}", "").strip()[:LONGEST], kind,
            _needs(f"done.{n}"), _needs(f"not_done.{n}"), request.form.get(f"na.{n}") == "1",
            request.form.get(f"constraint.{n}", "").strip()[:LONGEST], request.form.get(f"hint.{n}", "").strip()[:LONGEST],
        ))  # fmt: skip
    return found


def _needs(field: str) -> tuple[Need, ...]:
    return tuple(need for need in Need if need in request.form.getlist(field))


def _changed(steps: list[Step], do: str) -> list[Step]:
    """`add`, `up.3`, `down.3`, `remove.3`, `copy.3`: what the buttons of the page do where no script runs."""
    verb, _dot, raw = do.partition(".")
    at = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else len(steps)
    if verb == "add":
        steps.append(Step(""))
    elif at < len(steps):
        if verb == "remove":
            steps.pop(at)
        elif verb == "copy":
            steps.insert(at + 1, replace(steps[at]))
        elif verb in ("up", "down"):
            to = max(0, min(len(steps) - 1, at + (1 if verb == "down" else -1)))
            steps.insert(to, steps.pop(at))
    return steps[:MOST_STEPS]


@pages.post("/rules")
@needs("edit_checklists")
def add_rule() -> Response | tuple[str, int]:
    """These matters get these steps."""
    what, _colon, value = forms.text("matter").partition(":")
    try:
        actions.add_visit_rule(
            db(),
            who(),
            forms.text("checklist"),
            value if what == "category" else None,
            value if what == "skill" else None,
        )
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error)), error.status
    return redirect(url_for("visit_steps.index"), 303)  # type: ignore[return-value]


@pages.post("/rules/<int:rule_id>/remove")
@needs("edit_checklists")
def remove_rule(rule_id: int) -> Response:
    """These matters do not get these steps any more."""
    actions.remove_visit_rule(db(), who(), min(rule_id, 2**63 - 1))
    return redirect(url_for("visit_steps.index"), 303)  # type: ignore[return-value]


def writes(row_unit_id: int | None) -> bool:
    """May the signed-in person write a list of this unit?"""
    return can("edit_checklists") and own_unit() in (None, row_unit_id)


@pages.app_context_processor
def _tell() -> dict[str, object]:
    return {"writes_checklist": writes, "ChecklistState": ChecklistState}
