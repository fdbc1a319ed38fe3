"""Photos that somebody brings at the desk: kept under their hash like a phone's."""

from __future__ import annotations

import hashlib
import io

from flask import current_app
from werkzeug.datastructures import FileStorage

from gis.errors import TooLarge
from gis.inspections import actions, photo_store
from gis.inspections.rules import PHOTO_MAX_BYTES
from webapp.access import db, who


def kept_photo(file: FileStorage) -> str:
    """Keep an uploaded picture and say its sha256. Raises BadPhoto for what is none, TooLarge for too many bytes."""
    data = file.stream.read(PHOTO_MAX_BYTES + 1)
    if len(data) > PHOTO_MAX_BYTES:
        raise TooLarge(limit=f"{PHOTO_MAX_BYTES >> 20} MB")
    settings = current_app.config["SETTINGS"]
    sha256 = hashlib.sha256(data).hexdigest()
    stored = photo_store.keep(settings.files_dir.absolute(), sha256, io.BytesIO(data).read, settings.max_photo_pixels)
    actions.add_photo(db(), who(), stored, photo_store.clean_name(file.filename))
    return stored.sha256
