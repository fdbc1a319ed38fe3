"""What came with a complaint over the public page, on its page at the desk: photos, further words, what was said of the answer.

Photos are shown as copies without their metadata; the original stays on the disk, as it arrived, as evidence.
"""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _

from gis.complaints.privacy import masked_text
from gis.complaints.queries import Row
from gis.errors import ChengmaiError, Missing
from gis.inspections import photo_store
from gis.inspections.rules import PHOTO_KINDS
from gis.inspections.thumbs import shown_copy, thumbnail
from gis.portal import actions, queries
from gis.portal.rules import PHOTOS_PER_REPORT, NothingSaid
from webapp import complaint_page, complaints
from webapp.access import can, db, needs, scope, who
from webapp.i18n import message
from webapp.photos import harmless
from webapp.public import kept_pictures


def came_with_it(row: Row) -> tuple[str, dict[str, Any]] | None:
    """Photos, words and judgements; nothing where there are none and nobody could add any."""
    photos, notes = queries.photos_of(db(), row["id"]), queries.notes_of(db(), row["id"])
    ratings = queries.ratings_of(db(), row["id"])
    if not (photos or notes or ratings or can("take_step")):
        return None
    return "complaints/page/photos.html", {
        "photos": photos, "ratings": [(r, masked_text(r.note)) for r in ratings], "notes": [(n, masked_text(n.text)) for n in notes],
        "kinds": sorted(PHOTO_KINDS), "most": PHOTOS_PER_REPORT,
    }  # fmt: skip


complaint_page.SECTIONS.insert(1, came_with_it)


@complaints.pages.get("/complaints/<int:complaint_id>/photos/<sha256>/<size>")
@needs("see_complaints")
def complaint_photo(complaint_id: int, sha256: str, size: str) -> Response:
    """A photo of a complaint that this person may see: small, or as large as a screen."""
    known = photo_store.is_sha256(sha256) and complaint_id < 1 << 62 and size in ("thumb", "large")
    photo = queries.photo_in_scope(db(), scope(), complaint_id, sha256) if known else None
    if photo is None:
        raise Missing(thing="photo", id=sha256[:64])
    settings = current_app.config["SETTINGS"]
    make = thumbnail if size == "thumb" else shown_copy
    path = make(settings.files_dir.absolute(), photo.sha256, settings.max_photo_pixels)
    return harmless(path, "image/jpeg", f"{photo.sha256}-{size}")


@complaints.pages.post("/complaints/<int:complaint_id>/photos")
@needs("take_step")
def add_complaint_photos(complaint_id: int) -> Response:
    """Photos that somebody at the desk was sent, or took."""
    complaint = complaints.visible_complaint(complaint_id)
    try:
        with db().begin_nested():
            pictures = kept_pictures(PHOTOS_PER_REPORT)
            if not pictures:
                raise NothingSaid()
            made = actions.add_photos(db(), who(), complaint, pictures)
    except ChengmaiError as error:
        flash(message(error), "error")
    else:
        flash(_("%(n)s photos added.", n=made), "done")
    return redirect(url_for("complaints.page", complaint_id=complaint_id), 303)
