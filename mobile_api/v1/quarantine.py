"""The door for phones that were signed off: they hand in what they hold, and are told nothing but that it is there."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import current_app, request

from gis.errors import Missing
from gis.inspections import actions, changes, photo_store, quarantine
from gis.inspections.sync_rules import QuarantineSource
from mobile_api.v1.auth import db, needs, seen, who
from mobile_api.v1.changes import SyncIn, uuid_of
from mobile_api.v1.inspections import PhotoOut
from mobile_api.v1.wire import Sha256, Wire, json_body

api = APIBlueprint("phone_quarantine", __name__, tag="quarantine")


class Kept(Wire):
    """A change that is at the desk, to be released or discarded there."""

    id: str
    change_sha256: Sha256


class QuarantineOut(Wire):
    """What is kept apart. What is not among it has no id, or cannot be written down."""

    kept: list[Kept]


@api.post("/quarantine")
@needs("use_phone", revoked_too=True)
@json_body
@api.input(SyncIn)
@api.output(QuarantineOut)
def deliver(json_data: SyncIn) -> dict[str, Any]:
    """Hand in changes from a phone that was signed off. Nothing is applied before a person at the desk releases it."""
    seen(json_data.queue_length)
    told = []
    for one in json_data.changes:
        change_id = uuid_of(one.raw)
        try:
            said = changes.content(one.raw)
        except ValueError:
            continue
        if change_id is not None:
            told.append((change_id, str(one.raw.get("kind")), said))
    quarantine.deliver(db(), who(), told, QuarantineSource.DEVICE)
    return {"kept": [{"id": str(change_id), "change_sha256": said.sha256} for change_id, _, said in told]}


@api.put("/quarantine/photos/<sha256>")
@needs("use_phone", revoked_too=True)
@api.output(PhotoOut)
def put_photo(sha256: str) -> dict[str, Any]:
    """Hand in a photo that a change names which was handed in before."""
    if not photo_store.is_sha256(sha256) or not quarantine.names_photo(db(), who().device_id, sha256):
        raise Missing(thing="photo", id=sha256[:64])
    settings = current_app.config["SETTINGS"]
    stored = photo_store.keep(settings.files_dir, sha256, request.stream.read, settings.max_photo_pixels)
    actions.add_photo(db(), who(), stored, photo_store.clean_name(request.headers.get("X-File-Name")))
    return {"sha256": stored.sha256, "size_bytes": stored.size_bytes}
