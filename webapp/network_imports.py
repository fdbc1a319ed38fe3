"""A whole network from a file at the desk: the template, the upload, a look at what it would be, and keeping it."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import xlsxwriter
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from gis.errors import BadInput, Conflict, Missing
from gis.network.import_model import NetworkImport, NetworkImportState
from gis.network.rules import PIPED, NetworkLevel
from gis.people.queries import units
from gis.places.rules import Datum, check_coordinates
from gis.settings import Settings
from webapp.access import db, larger, needs, now, who
from webapp.exports import XLSX
from webapp.import_pages import FileGone
from webapp.imports.errors import EmptyFile
from webapp.imports.network import import_network
from webapp.imports.network_files import Terms
from webapp.imports.network_template import workbook
from webapp.imports.text import safe_name
from webapp.network_words import sentence

pages = Blueprint("network_imports", __name__, url_prefix="/networks/import")
KEPT_DAYS = 7
SILENT = timedelta(seconds=300)
TOLD_EVERY_S = 0.5
DIAMETER_UNITS = ("mm", "cm", "m", "in")
_S = NetworkImportState


class BadAnchor(BadInput):
    """Give longitude and latitude of the drawing's middle as two numbers, as 119.958, 36.787."""

    code = "bad_anchor"


class NothingToKeep(Conflict):
    """This file was kept or put away already."""

    code = "nothing_to_keep"


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _home() -> Path:
    return _settings().data_dir.absolute() / "uploads" / "networks"


def _folder(upload_id: UUID) -> Path:
    return _home() / str(upload_id)


def _sweep() -> None:
    """Files nobody kept are forgotten after a week."""
    here = [UUID(folder.name) for folder in _home().glob("*-*")]
    old = select(NetworkImport.id).where(
        NetworkImport.id.in_(here),
        NetworkImport.at < now() - timedelta(days=KEPT_DAYS),
        NetworkImport.state != _S.STORED,
    )
    for found in db().scalars(old):
        shutil.rmtree(_folder(found), ignore_errors=True)


@pages.get("")
@needs("keep_network")
def index() -> str:
    """Template, upload, and what was brought before."""
    _sweep()
    rows = db().scalars(select(NetworkImport).order_by(NetworkImport.at.desc(), NetworkImport.id).limit(30)).all()
    return render_template(
        "networks/import.html", rows=[(row, _state(row)) for row in rows], max_mb=_settings().max_import_mb, new_id=uuid4(),
        utilities=PIPED, levels=list(NetworkLevel), data=list(Datum), diameter_units=DIAMETER_UNITS,
    )  # fmt: skip


def _state(row: NetworkImport) -> str:
    """A file whose server ended while it was worked on is `broken`."""
    working = row.state in (_S.READING, _S.STORING)
    return "broken" if working and now() - row.seen_at > SILENT else row.state


@pages.get("/template.xlsx")
@needs("keep_network")
def template() -> Response:
    """The template to fill in."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        workbook(book, [u.name for u in units(db())])
    answer = Response(out.getvalue(), mimetype=XLSX)
    answer.headers["Content-Disposition"] = 'attachment; filename="chengmai-network.xlsx"'
    return answer


def _terms() -> dict[str, Any]:
    """What the form says about the file."""
    form = request.form
    anchor = [part for part in form.get("anchor", "").replace("，", ",").replace(",", " ").split() if part]
    if anchor:
        try:
            lon, lat = (float(part) for part in anchor)
        except ValueError:
            raise BadAnchor() from None
        check_coordinates(lon, lat)
    given = {
        "utility": form.get("utility") if form.get("utility") in list(PIPED) else None,
        "level": form.get("level") if form.get("level") in list(NetworkLevel) else None,
        "crs": form.get("crs", "").replace("\0", "").strip()[:40] or None, "anchor": [lon, lat] if anchor else None,
        "datum": form.get("datum") if form.get("datum") in list(Datum) else str(Datum.WGS84),
        "diameter_unit": form.get("diameter_unit") if form.get("diameter_unit") in DIAMETER_UNITS else None,
    }  # fmt: skip
    return given


def terms_of(kept: dict[str, Any]) -> Terms:
    """The terms as they were kept."""
    return Terms(**{**kept, "anchor": tuple(kept["anchor"]) if kept.get("anchor") else None})


@pages.post("")
@larger(lambda: _settings().max_import_mb << 20)
@needs("keep_network")
def bring() -> Response:
    """Look at a file; nothing is kept of it yet. The same sending twice is one."""
    upload_id = _uuid(request.form.get("id", "")) or uuid4()
    file = request.files.get("file")
    if file is None or not file.filename:
        raise EmptyFile()
    made = NetworkImport(
        id=upload_id, user_id=current_user.id, file_name=safe_name(Path(file.filename.replace("\\", "/"))), at=now(),
        seen_at=now(), state=_S.READING, terms=_terms(), report={}, part=0.0,
    )  # fmt: skip
    try:
        with db().begin_nested():
            db().add(made)
            db().flush()
    except IntegrityError:
        return redirect(url_for("network_imports.show", upload_id=upload_id), 303)
    db().commit()
    place = _folder(upload_id)
    place.mkdir(parents=True, mode=0o700)
    path = place / made.file_name[-120:].strip(". ")
    file.save(path)
    _run(made, path, store=False)
    return redirect(url_for("network_imports.show", upload_id=upload_id), 303)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _run(row: NetworkImport, path: Path, *, store: bool, good_rows: bool = False) -> None:
    sessions = current_app.extensions["sessions"]
    settings = _settings().model_copy(update={"language": str(get_locale())})
    tell = _telling(sessions, row.id, current_app.config["CLOCK"])
    report = import_network(
        sessions, who(), settings, path, terms_of(row.terms), store=store, good_rows=good_rows, told=tell
    )
    state = _S.STORED if report.stored else _S.REFUSED if report.unreadable or not report.parts else _S.LOOKED_AT
    with sessions() as session:
        kept = session.get_one(NetworkImport, row.id)
        kept.state, kept.part, kept.report, kept.seen_at = state, 1.0, report.as_dict(), now()
        session.commit()
    if state in (_S.STORED, _S.REFUSED):
        shutil.rmtree(path.parent, ignore_errors=True)
    db().expire_all()


def _telling(sessions: sessionmaker[Session], upload_id: UUID, clock: Callable[[], Any]) -> Callable[[float], None]:
    last = [time.monotonic()]

    def tell(part: float) -> None:
        if time.monotonic() - last[0] < TOLD_EVERY_S:
            return
        last[0] = time.monotonic()
        with sessions() as session:
            row = session.get_one(NetworkImport, upload_id)
            row.part, row.seen_at = min(part, 0.99), clock()
            session.commit()

    return tell


def _found(upload_id: UUID) -> NetworkImport:
    row = db().get(NetworkImport, upload_id)
    if row is None:
        raise Missing(thing="upload", id=str(upload_id))
    return row


@pages.get("/<uuid:upload_id>")
@needs("keep_network")
def show(upload_id: UUID) -> str:
    """What a file holds, what is wrong with it, and what the topology will be."""
    row = _found(upload_id)
    report = row.report or {}
    findings = [{**f, "words": sentence(f)} for f in report.get("findings", [])]
    clean = not (report.get("refused") or report.get("found") or report.get("errors"))
    return render_template(
        "networks/import_show.html", row=row, state=_state(row), report=report, findings=findings, clean=clean, kept_days=KEPT_DAYS
    )  # fmt: skip


@pages.get("/<uuid:upload_id>.json")
@needs("keep_network")
def how_far(upload_id: UUID) -> dict[str, Any]:
    """How far a file is. The states are those of other uploads: `reading` until there is something to see."""
    row = db().get(NetworkImport, upload_id)
    if row is None:
        return {"state": "sending", "read": 0, "part": 0.0}
    state = _state(row)
    return {"state": "reading" if state == _S.STORING else state, "read": round(row.part * 100), "part": row.part}


@pages.post("/<uuid:upload_id>/keep")
@needs("keep_network")
def keep(upload_id: UUID) -> Response:
    """Keep what the file holds; with `rest`, without what is wrong."""
    row = _found(upload_id)
    db().refresh(row, with_for_update=True)
    if row.state != _S.LOOKED_AT:
        raise NothingToKeep()
    path = next(iter(_folder(upload_id).iterdir()), None) if _folder(upload_id).is_dir() else None
    if path is None:
        raise FileGone()
    row.state, row.seen_at, row.part = _S.STORING, now(), 0.0
    db().commit()
    _run(row, path, store=True, good_rows=bool(request.form.get("rest")))
    return redirect(url_for("network_imports.show", upload_id=upload_id), 303)


@pages.post("/<uuid:upload_id>/discard")
@needs("keep_network")
def discard(upload_id: UUID) -> Response:
    """Put a file away without keeping anything of it."""
    row = _found(upload_id)
    if row.state in (_S.LOOKED_AT, _S.REFUSED) or _state(row) == "broken":
        row.state = _S.DISCARDED
        db().flush()
        shutil.rmtree(_folder(upload_id), ignore_errors=True)
    return redirect(url_for("network_imports.index"), 303)
