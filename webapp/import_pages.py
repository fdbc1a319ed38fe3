"""Files in: the template, the upload, what is wrong with it, the same file back, the history, and taking a batch back."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from gis.complaints import uploads
from gis.complaints.channels import Channel
from gis.complaints.lines import lines
from gis.complaints.queries import categories
from gis.complaints.uploads import ImportUpload, UploadState
from gis.errors import ChengmaiError, Conflict, Missing
from gis.people.queries import units
from gis.settings import Settings
from webapp.access import can, db, larger, needs, now, who
from webapp.exports import XLSX, chunks
from webapp.i18n import message, words
from webapp.imports import uploads as files
from webapp.imports.errors import EmptyFile
from webapp.imports.template import Choices, workbook
from webapp.imports.text import safe_name
from webapp.worklist import adds

pages = Blueprint("imports", __name__, url_prefix="/imports")


class FileGone(Conflict):
    """This file is not kept any longer; please upload it again."""

    code = "file_gone"


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


@pages.get("")
@needs("import_complaints")
def index() -> str:
    """Template, upload, history."""
    files.sweep(db(), _settings(), now())
    return render_template(
        "imports/index.html", uploads=[_told(row) for row in uploads.uploads(db(), _only())], batches=uploads.batches(db()) if _only() is None else [],
        max_mb=_settings().max_import_mb, new_id=uuid4(), kept_days=uploads.KEPT_DAYS,
    )  # fmt: skip


def _only() -> int | None:
    """Whoever is bound to a district sees what they brought themselves."""
    return None if current_user.area_id is None else int(current_user.id)


@adds("import_errors")
def files_to_correct() -> tuple[int, str]:
    """For the worklist: files with wrong rows, for those who may bring files in."""
    waiting = uploads.waiting(db(), now(), _only()) if can("import_complaints") else 0
    return waiting, url_for("imports.index")


def _told(row: Any) -> dict[str, Any]:
    upload = row["upload"]
    return {"upload": upload, "who": row["who"], "state": uploads.progress(db(), upload, now())}


@pages.get("/template.xlsx")
@needs("import_complaints")
def template() -> Response:
    """The template to fill in."""
    chinese = words("zh")  # the headings are Chinese, so is what is chosen
    channels = [chinese[f"channel:{c}"] for c in Channel if c not in (Channel.IMPORTED, Channel.OPEN311)]
    channels += [row["line"].name for row in lines(db())]
    made = workbook(Choices([c.name for c in categories(db())], channels, [u.name for u in units(db())]))
    answer = Response(made, mimetype=XLSX)
    answer.headers["Content-Disposition"] = 'attachment; filename="chengmai-template.xlsx"'
    return answer


@pages.post("")
@larger(lambda: _settings().max_import_mb << 20)
@needs("import_complaints")
def upload() -> Response:
    """Bring a file: all of it comes in, or the page says what is wrong. The same sending twice is one upload."""
    upload_id = _uuid(request.form.get("id", "")) or uuid4()
    file = request.files.get("file")
    if file is None or not file.filename:
        raise EmptyFile()
    made = ImportUpload(
        id=upload_id, user_id=current_user.id, file_name=safe_name(Path(file.filename.replace("\\", "/"))), at=now(),
        seen_at=now(), state=UploadState.READING, report={}, read=0, part=0.0,
    )  # fmt: skip
    try:
        with db().begin_nested():
            db().add(made)
            db().flush()
    except IntegrityError:
        return redirect(url_for("imports.show", upload_id=_mine(upload_id).id), 303)
    db().commit()
    path = files.keep(_settings(), upload_id, file.filename, file.save)
    _run(upload_id, path)
    return redirect(url_for("imports.show", upload_id=upload_id), 303)


def _run(upload_id: UUID, path: Path, *, good_rows: bool = False) -> None:
    sessions = current_app.extensions["sessions"]
    clock = current_app.config["CLOCK"]
    files.run(sessions, who(), _settings(), upload_id, path, str(get_locale()), clock, good_rows=good_rows)
    db().expire_all()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _mine(upload_id: UUID) -> ImportUpload:
    """An upload that this person may see, or Missing."""
    found = db().get(ImportUpload, upload_id)
    if found is None or (_only() is not None and found.user_id != _only()):
        raise Missing(thing="upload", id=str(upload_id))
    return found


@pages.get("/<uuid:upload_id>")
@needs("import_complaints")
def show(upload_id: UUID) -> str:
    """What became of one file."""
    upload = _mine(upload_id)
    settings = _settings()
    report = upload.report or {}
    good = int(report.get("read", 0)) - int(report.get("refused", 0))
    return render_template(
        "imports/show.html", upload=upload, state=uploads.progress(db(), upload, now()), report=report, good=good,
        marked=files.marked_file(settings, upload_id) is not None, kept=files.original(settings, upload_id) is not None,
        kept_days=uploads.KEPT_DAYS, untouched=upload.batch_id is not None and uploads.touched(db(), upload.batch_id) == 0,
    )  # fmt: skip


@pages.get("/<uuid:upload_id>.json")
@needs("import_complaints")
def how_far(upload_id: UUID) -> dict[str, Any]:
    """How far a file is, while it is read."""
    found = db().get(ImportUpload, upload_id)
    if found is None:
        return {"state": "sending", "read": 0, "part": 0.0}
    upload = _mine(upload_id)
    return {"state": uploads.progress(db(), upload, now()), "read": upload.read, "part": upload.part}


@pages.get("/<uuid:upload_id>/marked")
@needs("import_complaints")
def marked(upload_id: UUID) -> Response:
    """The same file with its error column."""
    upload = _mine(upload_id)
    path = files.marked_file(_settings(), upload_id)
    if path is None:
        raise FileGone()
    stem = Path(upload.file_name).stem
    name = f"{stem}-{_('with problems')}{path.suffix}"
    answer = Response(chunks(path.open("rb")), mimetype=XLSX if path.suffix == ".xlsx" else "text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return answer


@pages.post("/<uuid:upload_id>/good-rows")
@needs("import_complaints")
def good_rows(upload_id: UUID) -> Response:
    """Import the rows that have nothing wrong with them; the others stay in the file with the error column."""
    upload = _mine(upload_id)
    db().refresh(upload, with_for_update=True)
    if upload.state != UploadState.REFUSED:
        raise Missing(thing="upload", id=str(upload_id))
    path = files.original(_settings(), upload_id)
    if path is None:
        raise FileGone()
    upload.state, upload.seen_at = UploadState.READING, now()
    db().commit()
    _run(upload_id, path, good_rows=True)
    return redirect(url_for("imports.show", upload_id=upload_id), 303)


@pages.post("/<uuid:upload_id>/discard")
@needs("import_complaints")
def discard(upload_id: UUID) -> Response:
    """Put a refused file away: it is not worked on any more."""
    upload = _mine(upload_id)
    if upload.state in (UploadState.REFUSED, UploadState.READING):
        upload.state = UploadState.DISCARDED
        db().flush()
        files.forget(_settings(), upload_id)
    return redirect(url_for("imports.index"), 303)


@pages.post("/batches/<int:batch_id>/take-back")
@needs("import_complaints")
def take_back(batch_id: int) -> Response:
    """Remove what a file brought, while nothing was done with it."""
    if _only() is not None:
        raise Missing(thing="import", id=batch_id)
    try:
        with db().begin_nested():
            removed = uploads.take_back(db(), who(), batch_id)
    except Conflict as error:
        flash(message(error), "error")
    except ChengmaiError:
        raise
    else:
        flash(_("%(n)s complaints were taken back.", n=removed), "done")
    return redirect(url_for("imports.index"), 303)
