"""Files of sites in: a template with lists to choose from, the report, and the same file back with its error column."""

from __future__ import annotations

import io
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import xlsxwriter
from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.inspections.rules import Scope, Stage
from gis.people.queries import units
from gis.people.rules import UnitKind
from gis.settings import Settings
from webapp.access import db, larger, needs, who
from webapp.exports import XLSX, chunks
from webapp.i18n import words
from webapp.import_pages import FileGone
from webapp.imports.errors import BrokenQuotes, EmptyFile
from webapp.imports.features import VECTOR
from webapp.imports.kinds import KINDS, LAT, LON
from webapp.imports.layers import import_layer
from webapp.imports.marked import mark
from webapp.imports.text import key, safe_name

pages = Blueprint("site_imports", __name__)
KEPT_S = 7 * 24 * 3600
SHOWN = 200
ROWS = 5_000


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _folder(upload_id: UUID | None = None) -> Path:
    place = _settings().data_dir.absolute() / "uploads" / "sites"
    return place if upload_id is None else place / str(upload_id)


def _sweep() -> None:
    """Files with problems are kept for a week."""
    for place in _folder().glob("*"):
        if time.time() - place.stat().st_mtime > KEPT_S:
            shutil.rmtree(place, ignore_errors=True)


@pages.get("/sites/import")
@needs("import_sites")
def index() -> str:
    """Template and upload."""
    _sweep()
    return _page()


def _page(report: dict[str, Any] | None = None, marked_id: UUID | None = None, name: str = "") -> str:
    return render_template(
        "sites/import.html", report=report, marked_id=marked_id, name=name, max_mb=_settings().max_import_mb
    )


def _fields() -> list[tuple[str, str, bool]]:
    """Field, Chinese heading, needed: what the template asks for and the import understands without a mapping."""
    fields = (*KINDS["sites"].fields, LON, LAT)
    return [
        (f.name, next(a for a in (*f.aliases, f.name) if not a.isascii()), f.needed or f in (LON, LAT)) for f in fields
    ]


def _choices() -> dict[str, list[str]]:
    chinese, known = words("zh"), units(db())
    return {
        "scope": [chinese[f"scope:{s}"] for s in Scope], "stage": [chinese[f"stage:{s}"] for s in Stage], "is_heating": ["是", "否"],
        "unit": [u.name for u in known if u.kind != UnitKind.CONTRACTOR], "contractor": [u.name for u in known if u.kind == UnitKind.CONTRACTOR],
    }  # fmt: skip


@pages.get("/sites/import/template.xlsx")
@needs("import_sites")
def template() -> Response:
    """The template to fill in."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page, lists = book.add_worksheet("工地"), book.add_worksheet("lists")
    bold = book.add_format({"bold": True, "bg_color": "#1a5fd0", "font_color": "#ffffff", "border": 1})
    free = book.add_format({"bold": True, "bg_color": "#e4edfb", "border": 1})
    choices = _choices()
    for column, (field, title, needed) in enumerate(_fields()):
        page.write_string(0, column, title, bold if needed else free)
        page.set_column(column, column, 18)
        if told := choices.get(field):
            letter = xlsxwriter.utility.xl_col_to_name(column)
            for row, text in enumerate(told):
                lists.write_string(row, column, text)
            page.data_validation(1, column, ROWS, column, {"validate": "list", "error_type": "warning",
                                 "source": f"=lists!${letter}$1:${letter}${len(told)}"})  # fmt: skip
    page.freeze_panes(1, 2)
    lists.hide()
    book.close()
    answer = Response(out.getvalue(), mimetype=XLSX)
    answer.headers["Content-Disposition"] = 'attachment; filename="chengmai-sites.xlsx"'
    return answer


@pages.post("/sites/import")
@larger(lambda: _settings().max_import_mb << 20)
@needs("import_sites")
def bring() -> str | tuple[str, int]:
    """All of a file or nothing of it. The same file again adds nothing."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise EmptyFile()
    name = safe_name(Path(file.filename.replace("\\", "/")))
    upload_id = uuid4()
    place = _folder(upload_id)
    place.mkdir(parents=True, mode=0o700)
    path = place / name[-120:]
    file.save(path)
    db().commit()  # the import has its own transaction
    settings = _settings().model_copy(update={"language": str(get_locale())})
    report = import_layer(current_app.extensions["sessions"], who(), settings, "sites", path, None)
    marked_id = None
    if report.lines and path.suffix.lower() not in VECTOR:
        with suppress(BrokenQuotes, OSError):
            mark(
                path,
                place / "marked",
                report.column(),
                str(get_locale()),
                {key(title) for _field, title, _needed in _fields()},
            )
            marked_id = upload_id
    path.unlink()
    if marked_id is None:
        shutil.rmtree(place, ignore_errors=True)
    told = report.as_dict()
    told["errors"] = told["errors"][:SHOWN]
    return _page(told | {"failed": report.failed}, marked_id, name), 422 if report.failed else 200


@pages.get("/sites/import/<uuid:upload_id>/marked")
@needs("import_sites")
def marked(upload_id: UUID) -> Response:
    """The same file with its error column."""
    path = next(iter(_folder(upload_id).glob("marked.*")), None)
    if path is None:
        raise FileGone()
    name = f"sites-{_('with problems')}{path.suffix}"
    answer = Response(chunks(path.open("rb")), mimetype=XLSX if path.suffix == ".xlsx" else "text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return answer
