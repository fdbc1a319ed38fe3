"""Photos of inspections: as they arrived, and small. Whatever is inside the bytes, a browser gets a picture or nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request

from gis.errors import Missing
from gis.inspections import finding_queries, photo_store, queries
from gis.inspections.model import Photo
from gis.inspections.rules import PHOTO_KINDS
from gis.inspections.thumbs import shown_copy, thumbnail
from webapp import stamps
from webapp.access import db, needs, scope

pages = Blueprint("photos", __name__)
_POLICY = "default-src 'none'; sandbox"


@pages.get("/photos/<sha256>")
@needs("see_inspections")
def show(sha256: str) -> Response:
    """The photo as it arrived, with the kind that its own header told."""
    photo = _photo(sha256)
    answer = harmless(photo_store.path_of(_files(), photo.sha256), photo.mime, photo.sha256)
    name = photo.file_name or f"{photo.sha256[:12]}.{PHOTO_KINDS[photo.mime]}"
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name, safe='')}"
    return answer


@pages.get("/photos/<sha256>/thumb")
@needs("see_inspections")
def thumb(sha256: str) -> Response:
    """The photo at a size for lists."""
    photo = _photo(sha256)
    path = thumbnail(_files(), photo.sha256, current_app.config["SETTINGS"].max_photo_pixels)
    return harmless(path, "image/jpeg", f"{photo.sha256}-t")


@pages.get("/inspections/<uuid:inspection_id>/photos/<sha256>/stamped")
@needs("see_inspections")
def stamped(inspection_id: UUID, sha256: str) -> Response:
    """An upright copy of a photo of this visit, stamped with when, where, which order and by whom."""
    visit = queries.shown(db(), scope(), inspection_id)
    found = [p for p in queries.photos(db(), inspection_id) if p["sha256"] == sha256] if visit else []
    if visit is None or not found:
        raise Missing(thing="photo", id=sha256[:64])
    settings = current_app.config["SETTINGS"]
    path = shown_copy(_files(), sha256, settings.max_photo_pixels)
    if not path.exists():
        raise Missing(thing="photo", id=sha256[:64])
    answer = Response(
        stamps.stamped(path, stamps.lines(visit, found[0], ZoneInfo(settings.timezone))), mimetype="image/jpeg"
    )
    return _guarded(answer)


def _photo(sha256: str) -> Photo:
    """The photo, if it belongs to an inspection or a finding that this person may see."""
    known = photo_store.is_sha256(sha256)
    photo = queries.photo_in_scope(db(), scope(), sha256) if known else None
    if photo is None and known:
        photo = finding_queries.photo_in_scope(db(), scope(), sha256)
    if photo is None:
        raise Missing(thing="photo", id=sha256[:64])
    return photo


def _files() -> Path:
    files: Path = current_app.config["SETTINGS"].files_dir.absolute()
    return files


def harmless(path: Path, mime: str, etag: str) -> Response:
    """Never anything but a picture: no sniffing, no scripts; kept by the browser for an hour, by nobody else."""
    if not path.exists():
        raise Missing(thing="photo", id=path.stem)
    answer = _guarded(Response(path.read_bytes(), mimetype=mime))
    answer.set_etag(etag)
    answer.make_conditional(request)
    return answer


def _guarded(answer: Response) -> Response:
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
