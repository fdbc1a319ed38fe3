"""The files beside a form at the desk: lists of choices, pictures and sounds that it speaks of, put there for ODK clients."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError, Missing, TooLarge
from gis.inspections import checklist_actions as actions
from gis.inspections import checklist_queries as queries
from gis.inspections.form_files import MOST_BYTES, MOST_FILES, mime_of
from gis.inspections.photo_store import clean_name
from webapp.access import db, larger, needs, who
from webapp.checklists import own_unit
from webapp.i18n import message

pages = Blueprint("checklist_files", __name__, url_prefix="/checklists")


@pages.post("/<code>/<int:revision>/files")
@larger(lambda: 2 * MOST_BYTES + (1 << 20))
@needs("edit_checklists")
def add(code: str, revision: int) -> Response:
    """Put files beside a revision, all or none; one of the same name takes the place of the older."""
    sent = [file for file in request.files.getlist("files") if file.filename]
    there = url_for("checklists.show", code=code, revision=revision)
    try:
        if len(sent) > MOST_FILES:
            raise TooLarge(limit=f"{MOST_FILES} files")
        with db().begin_nested():
            for file in sent:
                name, data = clean_name(file.filename), file.stream.read(MOST_BYTES + 1)
                actions.add_form_file(db(), who(), code, min(revision, 2**31 - 1), name, data, own_unit())
    except ChengmaiError as error:
        flash(message(error), "error")
        return redirect(there, 303)  # type: ignore[return-value]
    flash(_("Files kept: %(n)s. ODK clients fetch them with the form.", n=len(sent)), "done")
    return redirect(there, 303)  # type: ignore[return-value]


@pages.get("/<code>/<int:revision>/files/<name>")
@needs("see_inspections")
def file(code: str, revision: int, name: str) -> Response:
    """A file beside a form, to take away."""
    data = queries.form_file(db(), code, min(revision, 2**31 - 1), name)
    if data is None:
        raise Missing(thing="form_file", id=name)
    answer = Response(data, content_type=mime_of(name))
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
