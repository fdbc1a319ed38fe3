"""Checklists at the desk: brought as XLSForms, looked at as a phone shows them, given to phones, weighed, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, json, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.errors import BadInput, ChengmaiError, Missing
from gis.inspections import checklist_actions as actions
from gis.inspections import checklist_queries as queries
from gis.inspections import form_files, odk_queries
from gis.inspections.checklist_actions import Added
from gis.inspections.forms import Form, Item, as_json, form_of, told
from gis.inspections.model import Checklist
from gis.inspections.pledge_form import pledge_form
from gis.inspections.rules import ChecklistKind, ChecklistState, item_of
from webapp import forms
from webapp.access import can, db, larger, needs, scope, who
from webapp.exports import XLSX
from webapp.i18n import message
from webapp.xlsform import faults as xlsform_faults
from webapp.xlsform.faults import MOST_BYTES, FormRefused

pages = Blueprint("checklists", __name__, url_prefix="/checklists")
MOST_WEIGHED = 5000


def own_unit() -> int | None:
    """The unit of whoever writes, where it is a unit's own person."""
    return scope().unit_id


def language() -> str:
    return "en" if str(get_locale()) == "en" else "zh"


@pages.get("")
@needs("see_inspections")
def index() -> str:
    """Every checklist, the form to bring one, and which matters get which steps."""
    return _index()


def _index(refused: Sequence[str] = (), error: str = "") -> str:
    return render_template(
        "checklists/index.html", rows=queries.listed(db()), refused=refused, error=error, most_mb=MOST_BYTES >> 20,
        waiting=odk_queries.counted(db(), scope()),
    )  # fmt: skip


@pages.post("")
@larger(lambda: MOST_BYTES + (1 << 20))  # its reader says in words what is too large
@needs("edit_checklists")
def bring() -> Response | tuple[str, int]:
    """Take in an XLSForm as the next revision of its checklist: a draft, to be looked at first."""
    from webapp.xlsform.reader import read  # here and not above: see `SLOW` in webapp/app.py

    file = request.files.get("file")
    if file is None or not file.filename:
        return _index(error=_("Choose a workbook first.")), 422
    data = file.stream.read(MOST_BYTES + 1)
    try:
        brought = read(data, file.filename)
        given = Added(
            brought.code, brought.title[:120], ChecklistKind.FORM, brought.form, f"XLSForm {file.filename}"[:300], brought.xform,
            file.filename, data, tuple(f.as_json() for f in brought.unshown), brought.files,
        )  # fmt: skip
        made = actions.add_revision(db(), who(), given, own_unit())
    except FormRefused as error:
        return _index(refused=[xlsform_faults.told(f) for f in error.faults]), error.status
    except ChengmaiError as error:
        db().rollback()
        return _index(error=message(error)), error.status
    return redirect(url_for("checklists.show", code=made.code, revision=made.revision), 303)  # type: ignore[return-value]


def _found(code: str, revision: int | None = None) -> Checklist:
    made = queries.one(db(), code, revision)
    if made is None:
        raise Missing(thing="checklist", id=code)
    return made


def form_of_checklist(checklist: Checklist) -> Form:
    """The form of any checklist; the six pledges as one."""
    if checklist.form is not None:
        return form_of(checklist.form)
    return pledge_form([item_of(raw) for raw in checklist.items], checklist.name)


@pages.get("/<code>")
@needs("see_inspections")
def show(code: str) -> str:
    """One checklist: a revision as the phone shows it, and its revisions."""
    checklist = _found(code, forms_revision())
    form = form_of_checklist(checklist)
    return render_template(
        "checklists/show.html", checklist=checklist, revisions=queries.revisions(db(), code),
        unshown=[xlsform_faults.told(f) for f in checklist.unshown], pages_n=len(form.pages()), items_n=sum(1 for _p in form.items()),
        mine=can("edit_checklists") and actions.may_write(checklist, own_unit()),
        rules=[r for r in queries.visit_rules(db()) if r["checklist_code"] == code], files=files_of(checklist),
        most_mb=form_files.MOST_BYTES >> 20,
    )  # fmt: skip


def files_of(checklist: Checklist) -> list[Mapping[str, Any]]:
    """The files that a revision speaks of, with what is there of each."""
    kept = queries.file_of(db(), checklist.code, checklist.revision)
    there = {row["name"]: row for row in queries.form_files(db(), checklist.code, checklist.revision)}
    return [there.get(name, {"name": name}) for name in form_files.named(kept.xform)] if kept is not None else []


def forms_revision() -> int | None:
    """The revision that the URL asks for."""
    raw = request.args.get("revision", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else None


@pages.get("/<code>/<int:revision>/preview")
@needs("see_inspections")
def preview(code: str, revision: int) -> str:
    """The revision as the phone app shows it, to be tried out; nothing of it is kept."""
    checklist = _found(code, min(revision, 2**31 - 1))
    return render_template(
        "checklists/preview.html", checklist=checklist, form=json.dumps(as_json(form_of_checklist(checklist)))
    )


@pages.get("/<code>/<int:revision>.xlsx")
@needs("see_inspections")
def workbook(code: str, revision: int) -> Response:
    """The revision as an XLSForm; the file as it was brought where our own form does not hold all of it, or `?original=1`."""
    from webapp.xlsform.writer import xlsform  # here and not above: see `SLOW` in webapp/app.py

    checklist = _found(code, min(revision, 2**31 - 1))
    file = queries.file_of(db(), code, checklist.revision)
    name, data = f"{code}-{checklist.revision}.xlsx", None
    if file is not None and file.original is not None and (checklist.unshown or request.args.get("original")):
        data, name = (
            file.original,
            f"{code}-{checklist.revision}.{file.file_name.rpartition('.')[2].lower()[:4] or 'xlsx'}",
        )
    answer = Response(data or xlsform(form_of_checklist(checklist), code, checklist.revision), mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@pages.get("/<code>/<int:revision>/changes")
@needs("see_inspections")
def changes(code: str, revision: int) -> str:
    """What this revision says otherwise than the one before it (or `?with=`)."""
    checklist = _found(code, min(revision, 2**31 - 1))
    raw = request.args.get("with", "")
    before = int(raw) if raw.isdigit() and len(raw) < 9 else max(1, checklist.revision - 1)
    old = _found(code, before)
    return render_template(
        "checklists/changes.html", checklist=checklist, old=old, lines=differences(form_of_checklist(old), form_of_checklist(checklist)),
        revisions=queries.revisions(db(), code),
    )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One item that was added, removed, moved or said otherwise: field, before, after."""

    name: str
    text: str
    kind: str
    fields: tuple[tuple[str, str, str], ...] = ()


def differences(old: Form, new: Form) -> list[Line]:
    """What changed between two revisions, in the order of the new one; what went away at the end."""
    before = {p.item.name: (n, p.item) for n, p in enumerate(old.items())}
    after = {p.item.name: (n, p.item) for n, p in enumerate(new.items())}
    stayed = [name for name in after if name in before]
    was = [name for name in before if name in after]
    moved = {name for name, other in zip(stayed, was, strict=True) if name != other}
    lines = []
    for name, (_n, item) in after.items():
        text = told(item.label, language(), new.default_language) or name
        if name not in before:
            lines.append(Line(name, text, "added"))
        elif found := _fields(before[name][1], item, old, new):
            lines.append(Line(name, text, "changed", found))
        elif name in moved:
            lines.append(Line(name, text, "moved"))
    return lines + [Line(name, told(item.label, language(), old.default_language) or name, "removed")
                    for name, (_n, item) in before.items() if name not in after]  # fmt: skip


def _fields(old: Item, new: Item, old_form: Form, new_form: Form) -> tuple[tuple[str, str, str], ...]:
    a, b = as_json(old), as_json(new)
    found = [
        (field, _plain(a.get(field)), _plain(b.get(field)))
        for field in dict.fromkeys((*a, *b))
        if a.get(field) != b.get(field)
    ]
    one, two = (_choices(item, form) for item, form in ((old, old_form), (new, new_form)))
    return tuple(found + ([("choices", one, two)] if one != two and old.choices == new.choices else []))


def _choices(item: Item, form: Form) -> str:
    return "、".join(
        f"{c.name} {told(c.label, language(), form.default_language)}".strip()
        for c in form.choices.get(item.choices, ())
    )


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{k}: {_plain(v)}" if k else _plain(v) for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@pages.post("/<code>/<int:revision>/state")
@needs("edit_checklists")
def set_state(code: str, revision: int) -> Response:
    """Give this revision to phones, or take it back from them."""
    wanted = forms.text("state")
    if wanted == ChecklistState.ACTIVE:
        made = actions.activate(db(), who(), code, min(revision, 2**31 - 1), own_unit())
        flash(_("Revision %(n)s is in use now; phones get it with their next sync.", n=made.revision), "done")
    elif wanted == ChecklistState.RETIRED:
        made = actions.retire(db(), who(), code, min(revision, 2**31 - 1), own_unit())
        flash(_("Revision %(n)s is out of use; what was answered to it stays.", n=made.revision), "done")
    else:
        raise BadInput(reason="state")
    return redirect(url_for("checklists.show", code=code, revision=made.revision), 303)  # type: ignore[return-value]


@pages.get("/submissions")
@needs("see_inspections")
def submissions() -> str:
    """What ODK clients sent, newest first, and what became of each."""
    return render_template("checklists/submissions.html", rows=odk_queries.listed(db(), scope()))
