"""What an inspector needs before the shift (sites, checklists), and photos."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, request

from gis.errors import Missing
from gis.inspections import actions, checklist_queries, photo_store, queries
from gis.inspections.forms import ItemType, Need
from gis.inspections.rules import ChecklistKind, Evidence, Polarity, Scope, Stage
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


class ChoiceOut(Wire):
    """One answer to choose. `columns` are what a choice filter looks at."""

    name: str
    label: dict[str, str] = {}
    columns: dict[str, str] = {}


class FormItemOut(Wire):
    """An item of a form. Conditions are XPath expressions of the XLSForm kind; texts are by language."""

    name: str
    type: ItemType
    label: dict[str, str] = {}
    hint: dict[str, str] = {}
    required: str = ""
    required_message: dict[str, str] = {}
    relevant: str = ""
    constraint: str = ""
    constraint_message: dict[str, str] = {}
    calculation: str = ""
    default: str = ""
    dynamic: bool = False
    read_only: bool = False
    repeat_last: bool = False
    choices: str = ""
    choice_filter: str = ""
    appearance: str = ""
    evidence: dict[str, list[Need]] = {}


class FormGroupOut(Wire):
    """Items that stand together; a group at the top is a page."""

    name: str
    label: dict[str, str] = {}
    relevant: str = ""
    children: list[FormItemOut | FormGroupOut]


class FormOut(Wire):
    """A whole form."""

    title: str
    children: list[FormItemOut | FormGroupOut]
    choices: dict[str, list[ChoiceOut]] = {}
    default_language: str = ""


class ChecklistOut(Wire):
    """A list of check items; an inspection keeps the revision it was given. `items` are the six pledges', else `form`.

    `for_categories`: the matters on whose orders it is offered; empty where it is for any.
    """

    code: str
    revision: int
    name: str
    kind: ChecklistKind
    items: list[ItemOut]
    form: FormOut | None
    for_categories: list[str]


class PhotoOut(Wire):
    """What arrived and is kept."""

    sha256: str
    size_bytes: int


class ChecklistsOut(Wire):
    """The active revision of every checklist."""

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
    """The active revision of every checklist that the app can show: the bureau's, and those of the person's own unit."""
    return {"checklists": checklist_queries.on_phones(db(), phone().body_id)}


@api.put("/photos/<sha256>")
@needs("use_phone")
@api.output(PhotoOut)
def put_photo(sha256: str) -> dict[str, Any]:
    """Keep a photo under the sha256 of its bytes. Sending it again changes nothing and answers the same."""
    files = current_app.config["SETTINGS"].files_dir
    stored = photo_store.keep(files, sha256, request.stream.read, current_app.config["SETTINGS"].max_photo_pixels)
    actions.add_photo(db(), who(), stored, photo_store.clean_name(request.headers.get("X-File-Name")))
    return {"sha256": stored.sha256, "size_bytes": stored.size_bytes}


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
