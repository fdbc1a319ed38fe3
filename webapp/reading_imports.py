"""A file of readings at the desk: what it would bring is shown first, then it is kept, or left."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis.errors import ChengmaiError, Missing
from gis.network import reading_queries as asking
from gis.network.reading_actions import keep, told
from gis.network.reading_checks import SortedOut
from gis.network.reading_rules import FaultKind, FromWhere
from gis.settings import Settings
from webapp.access import db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message
from webapp.imports.errors import EmptyFile
from webapp.imports.text import safe_name
from webapp.reading_files import COLUMNS, batches, merge_into

pages = Blueprint("reading_imports", __name__, url_prefix="/readings/import")
KEPT_H = 24  # how long a file waits for a yes
SHOWN = 20


@pages.get("")
@needs("send_readings")
def index() -> str:
    """How a file looks, and the upload."""
    return render_template("readings/import.html", columns=COLUMNS, error=None, problem=None)


@pages.post("")
@needs("send_readings")
def upload() -> Any:
    """Take the file; the next page shows what it would bring."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise EmptyFile()
    _sweep()
    made = uuid4()
    path = _place() / f"{current_user.id}-{made}{Path(safe_name(Path(file.filename))).suffix.lower()[:8]}"
    file.save(path)
    return redirect(url_for("reading_imports.preview", upload_id=made), 303)


@pages.get("/<uuid:upload_id>")
@needs("send_readings")
def preview(upload_id: UUID) -> Any:
    """What the file would bring: how many readings, of which points, from when to when, and everything that is wrong."""
    path, whole, points = _file(upload_id), SortedOut(), {}
    try:
        for batch in batches(path, _settings().max_body_mb):
            points |= asking.known(db(), scope(), {row["point"] for row in batch.rows})
            merge_into(
                whole, batch, points, now=now(), ahead=timedelta(seconds=_settings().reading_ahead_s), zone=zone()
            )
    except ChengmaiError as error:
        path.unlink(missing_ok=True)
        return render_template("readings/import.html", columns=COLUMNS, error=message(error)), error.status
    names = {point.id: code for code, point in points.items()}
    by_point: dict[str, list[Any]] = {}
    for (point_id, at), value in sorted(whole.kept.items()):
        by_point.setdefault(names[point_id], []).append((at, value[0]))
    rows = [{"point": code, "count": len(spots), "first": spots[0][0], "last": spots[-1][0], "low": min(v for _, v in spots),
             "high": max(v for _, v in spots)} for code, spots in by_point.items()]  # fmt: skip
    return render_template(
        "readings/preview.html", upload_id=upload_id, whole=whole, rows=rows, faults=told(whole.faults)[:200]
    )


@pages.post("/<uuid:upload_id>")
@needs("send_readings")
def confirm(upload_id: UUID) -> Response:
    """Keep what can be kept, or (`leave`) nothing."""
    path = _file(upload_id)
    if request.form.get("leave"):
        path.unlink(missing_ok=True)
        flash(_("Nothing was kept."), "done")
        return redirect(url_for("reading_imports.index"), 303)  # type: ignore[return-value]
    new = corrected = unchanged = wrong = 0
    for batch in batches(path, _settings().max_body_mb):
        kept = keep(db(), who(), scope(), batch.rows, FromWhere.FILE, ahead=timedelta(seconds=_settings().reading_ahead_s), zone=zone(),
                    unreadable=batch.unreadable)  # fmt: skip
        new, corrected, unchanged = new + kept.new, corrected + kept.corrected, unchanged + kept.unchanged
        wrong += sum(f["times"] for f in kept.faults if f["kind"] != FaultKind.CONTRADICTS)
    db().commit()
    path.unlink(missing_ok=True)
    flash(_("Kept: %(new)s new, %(corrected)s corrected, %(unchanged)s as before, %(wrong)s faults.", new=f"{new:,}",
            corrected=f"{corrected:,}", unchanged=f"{unchanged:,}", wrong=f"{wrong:,}"), "done")  # fmt: skip
    return redirect(url_for("reading_faults.index") if wrong else url_for("stations.index"), 303)  # type: ignore[return-value]


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _place() -> Path:
    place = _settings().files_dir / "readings"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def _file(upload_id: UUID) -> Path:
    """A file that this person brought. Raises Missing."""
    found = next(_place().glob(f"{current_user.id}-{upload_id}*"), None)
    if found is None:
        raise Missing(thing="upload", id=str(upload_id))
    return found


def _sweep() -> None:
    """Files that nobody said yes to in a day go."""
    for path in _place().iterdir():
        if path.stat().st_mtime < time.time() - KEPT_H * 3600:
            path.unlink(missing_ok=True)
