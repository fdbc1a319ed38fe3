"""What an inspector needs before the shift (sites, checklists), and photos."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, request

from gis.errors import Missing
from gis.inspections import actions, photo_store, queries
from gis.inspections.rules import Evidence, Polarity, Scope, Stage
from gis.people.rules import Role
from mobile_api.v1.auth import db, needs, phone, who
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_inspections", __name__, tag="inspections")


class SiteOut(Wire):
    """A place of works that may be inspected."""

    id: int
    code: str
    name: str
    scope: Scope
    stage: Stage
    is_heating: bool
    unit: str | None
    area: str | None
    lon: float
    lat: float
    version: int
    synthetic: bool


class SitesOut(Wire):
    """The sites of the inspector's area and unit."""

    sites: list[SiteOut]


class ItemOut(Wire):
    """A check item. `answers` are allowed for it; `heating_only` and `completion_only` are its conditions."""

    id: str
    pledge: str
    pledge_no: int
    zh: str
    en: str
    answers: list[str]
    evidence: Evidence
    scopes: list[Scope]
    stage: Stage
    polarity: Polarity
    heating_only: bool
    completion_only: bool
    note: str


class ChecklistOut(Wire):
    """A list of check items; an inspection keeps the revision it was given."""

    code: str
    revision: int
    name: str
    items: list[ItemOut]


class PhotoOut(Wire):
    """What arrived and is kept."""

    sha256: str
    size_bytes: int


class ChecklistsOut(Wire):
    """The newest revision of every checklist."""

    checklists: list[ChecklistOut]


@api.get("/sites")
@needs("use_phone")
@api.output(SitesOut)
def sites() -> dict[str, Any]:
    """The sites that an inspector may visit; a crew has none."""
    if phone().role != Role.INSPECTOR:
        return {"sites": []}
    return {"sites": [dict(row) for row in queries.sites(db(), phone().scope)]}


@api.get("/checklists")
@needs("use_phone")
@api.output(ChecklistsOut)
def checklists() -> dict[str, Any]:
    """The newest revision of every checklist, with its items."""
    found = queries.checklists(db())
    return {"checklists": [{"code": c.code, "revision": c.revision, "name": c.name, "items": c.items} for c in found]}


@api.put("/photos/<sha256>")
@needs("use_phone")
@api.output(PhotoOut)
def put_photo(sha256: str) -> dict[str, Any]:
    """Keep a photo under the sha256 of its bytes. Sending it again changes nothing and answers the same."""
    files = current_app.config["SETTINGS"].files_dir
    stored = photo_store.keep(files, sha256, request.stream.read, current_app.config["SETTINGS"].max_photo_pixels)
    photo = actions.add_photo(db(), who(), stored, photo_store.clean_name(request.headers.get("X-File-Name")))
    return {"sha256": photo.sha256, "size_bytes": photo.size_bytes}


@api.route("/photos/<sha256>", methods=["HEAD"], provide_automatic_options=False)
@needs("use_phone")
def has_photo(sha256: str) -> Response:
    """Has this photo arrived? 200 or 404."""
    photo = queries.photo(db(), sha256) if photo_store.is_sha256(sha256) else None
    if photo is None:
        raise Missing(thing="photo", id=sha256[:64])
    answer = Response(mimetype=photo.mime)
    answer.content_length = photo.size_bytes
    return answer
