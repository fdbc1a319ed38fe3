"""Findings as a phone carries them: of an inspector what waits for a re-inspection, of a crew what its unit has to put right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app
from pydantic import Field

from gis.errors import Missing
from gis.inspections import finding_queries as queries
from gis.inspections import photo_store
from gis.inspections.finding_rules import FindingStatus, PhotoPart, Severity
from gis.inspections.thumbs import shown_copy
from gis.people.rules import Role, Scope
from mobile_api.v1.auth import Phone, db, needs, now, phone
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_findings", __name__, tag="findings")


class FindingPhotoOut(Wire):
    """A photo of a finding: fetch it by `GET /findings/photos/<sha256>`."""

    sha256: str
    part: PhotoPart
    attempt: int
    taken_at: datetime


class FindingOut(Wire):
    """A failed item: what, where, until when, and how it was answered. `failed_times`: re-inspections that did not pass."""

    id: int
    version: int
    status: FindingStatus
    item_id: str
    zh: str
    en: str
    severity: Severity
    note: str
    place: str
    unit: str | None
    rectify_by: datetime | None
    failed_times: int
    works_stopped: bool
    answer: str = Field(description="what the unit says was done, the last time")
    photo_wanted: bool = Field(description="an answer needs a photo")
    photos: list[FindingPhotoOut]


class FindingsOut(Wire):
    """What this phone's person can do something about."""

    findings: list[FindingOut]


def carried(speaking: Phone) -> Scope:
    """Whose findings a phone may know: of an inspector the area's, of whatever unit; of a crew its unit's."""
    return Scope(area_id=speaking.area_id) if speaking.role == Role.INSPECTOR else speaking.scope


@api.get("/findings")
@needs("use_phone")
@api.output(FindingsOut)
def findings() -> dict[str, Any]:
    """To re-inspect (an inspector; never one's own unit), or to put right (a crew: its unit's)."""
    rows = queries.for_phone(db(), carried(phone()), now(), phone().user_id, phone().unit_id)
    rules = queries.rules(db())
    return {"findings": [_out(row, rules[row["severity"]].after_photo) for row in rows]}


def _out(row: Any, photo_wanted: bool) -> dict[str, Any]:
    kept = ("id", "version", "status", "item_id", "severity", "note", "unit", "rectify_by", "failed_times")
    answers = queries.attempts(db(), row["id"])
    photos = [
        {key: photo[key] for key in ("sha256", "part", "attempt", "taken_at")}
        for photo in queries.photos(db(), row["id"])
    ]
    return {key: row[key] for key in kept} | {
        "zh": row["item_zh"], "en": row["item_en"], "place": row["place"] or row["order_no"] or "", "photos": photos,
        "works_stopped": row["stop_id"] is not None, "answer": answers[-1]["note"] if answers else "", "photo_wanted": photo_wanted,
    }  # fmt: skip


@api.get("/findings/photos/<sha256>")
@needs("use_phone")
def finding_photo(sha256: str) -> Response:
    """A photo of a finding that this phone carries, at the size of a screen and without its metadata."""
    found = queries.photo_in_scope(db(), carried(phone()), sha256) if photo_store.is_sha256(sha256) else None
    if found is None:
        raise Missing(thing="photo", id=sha256[:64])
    settings = current_app.config["SETTINGS"]
    path = shown_copy(settings.files_dir.absolute(), found.sha256, settings.max_photo_pixels)
    answer = Response(path.read_bytes(), mimetype="image/jpeg")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer
