"""Changes of phones that were signed off, and out of files that phones wrote: the desk looks, then releases or discards."""

from __future__ import annotations

import base64
import binascii
import io
import json
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError, Missing
from gis.inspections import actions, change_queries, changes, photo_store, quarantine
from gis.inspections.sync_rules import NoQueueFile, QuarantineSource, QuarantineState
from gis.journal import Who
from gis.people.model import Device
from gis.people.queries import devices_of, user_by_id
from webapp.access import db, needs, now, scope, who
from webapp.i18n import message, word

pages = Blueprint("quarantine", __name__)
FILE_MAX = 256 << 20
FORMAT = "chengmai-phone-queue"


@pages.get("/inspections/quarantine")
@needs("review_conflict")
def index() -> str:
    """Everything that waits for a decision, the newest first; with `all=1` what was decided too."""
    everything = request.args.get("all") == "1"
    rows = [
        (row, json.dumps(row["body"], ensure_ascii=False, indent=1), summary(row["kind"], row["body"]))
        for row in change_queries.quarantine(db(), scope(), decided_too=everything)
    ]
    return render_template("inspections/quarantine.html", rows=rows, everything=everything)


def summary(kind: str, body: dict[str, Any]) -> str:
    """What a change says, in one line."""
    payload = body.get("payload") if isinstance(body.get("payload"), dict) else {}
    assert isinstance(payload, dict)
    if kind.startswith("inspection."):
        answers = [a for a in payload.get("answers") or () if isinstance(a, dict)]
        noes = [str(a.get("item_id")) for a in answers if a.get("answer") == "no"]
        said = _("%(n)s answers, %(photos)s photos", n=len(answers), photos=len(payload.get("photos") or ()))
        return f"{said} · {word('answer', 'no')} {', '.join(noes)}" if noes else said
    return str(payload.get("note") or "")[:200]


@pages.post("/inspections/quarantine/<int:kept_id>")
@needs("review_conflict")
def decide(kept_id: int) -> Response:
    """Release it (it is applied as if its phone had sent it now) or discard it with a reason."""
    row = quarantine.to_decide(db(), scope(), kept_id)
    reason = request.form.get("reason", "")
    try:
        if request.form.get("decision") == QuarantineState.RELEASED:
            _release(row.id, row.device_id, row.change_id, row.body, reason)
        else:
            quarantine.decide(db(), who(), row, QuarantineState.DISCARDED, reason)
            flash(_("Discarded; it stays in the list of what was decided."), "done")
    except ChengmaiError as error:
        db().rollback()
        flash(message(error), "error")
    return redirect(url_for("quarantine.index"))


def _release(kept_id: int, device_id: int, change_id: UUID, body: dict[str, Any], reason: str) -> None:
    """Applied in its own transaction first; a release that is cut in between finds it applied the next time."""
    db().commit()
    result = current_app.extensions["release_change"](db(), now(), device_id, change_id, body)
    if result.get("receipt") is None:
        flash(result.get("detail") or word("verdict", result["verdict"]), "error")
        return
    row = quarantine.to_decide(db(), scope(), kept_id)
    quarantine.decide(db(), who(), row, QuarantineState.RELEASED, reason, result)
    done = "done" if result["verdict"] == "applied" else "error"
    flash(f"{word('verdict', result['verdict'])} {result.get('detail') or ''}".strip(), done)


@pages.post("/inspections/quarantine/file")
@needs("review_conflict")
def from_file() -> Response:
    """Take in a file that a phone wrote: its changes are kept apart like those of a phone that was signed off."""
    request.max_content_length = FILE_MAX
    try:
        told = read(request.files["file"].stream.read() if "file" in request.files else b"")
        device = _device(told)
        new, photos = _take_in(told, device)
    except ChengmaiError as error:
        db().rollback()
        flash(message(error), "error")
    else:
        drafts = sum(draft.get("state") == "draft" for draft in told.get("drafts") or () if isinstance(draft, dict))
        flash(_("Out of the file: %(new)s new changes, %(photos)s photos.", new=new, photos=photos), "done")
        if drafts:
            flash(
                _("%(n)s unfinished checklists are in the file; they can be finished on the phone alone.", n=drafts),
                "error",
            )
    return redirect(url_for("quarantine.index"))


def read(data: bytes) -> dict[str, Any]:
    """The file as a phone writes it. Raises NoQueueFile."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoQueueFile(reason="JSON") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("changes"), list):
        raise NoQueueFile(reason="format")
    return told


def _device(told: dict[str, Any]) -> Device:
    """The phone that wrote it: by its number, or for an older app by its person and its name."""
    user = told.get("user") if isinstance(told.get("user"), dict) else None
    if user is None or not isinstance(user.get("id"), int):
        raise NoQueueFile(reason="user")
    person = user_by_id(db(), scope(), user["id"])
    for device in devices_of(db(), person.id):
        if told.get("device_id") in (None, device.id) and (told.get("device_id") or device.name == told.get("device")):
            return device
    raise Missing(thing="device", id=told.get("device_id") or told.get("device") or "?")


def _take_in(told: dict[str, Any], device: Device) -> tuple[int, int]:
    sent, named = [], set()
    for raw in told["changes"]:
        if not isinstance(raw, dict):
            raise NoQueueFile(reason="changes")
        try:
            change_id, said = UUID(str(raw.get("id"))), changes.content(raw)
        except ValueError as error:
            raise NoQueueFile(reason=f"changes: {raw.get('id')}") from error
        if raw.get("sha256") not in (None, said.sha256):
            raise NoQueueFile(reason=f"sha256: {change_id}")
        sent.append((change_id, str(raw.get("kind")), said))
        payload = raw.get("payload")
        shots = payload.get("photos") if isinstance(payload, dict) else None
        named |= {shot.get("sha256") for shot in shots or () if isinstance(shot, dict)}
    by = Who(now(), who().user_id, device.id)
    new = quarantine.deliver(db(), by, sent, QuarantineSource.FILE)
    pictures = [
        p for p in told.get("photos") or ()
        if isinstance(p, dict) and (p.get("sha256") in named or quarantine.names_photo(db(), device.id, str(p.get("sha256"))))
    ]  # fmt: skip
    for picture in pictures:
        _keep_photo(by, picture)
    return new, len(pictures)


def _keep_photo(by: Who, picture: dict[str, Any]) -> None:
    settings = current_app.config["SETTINGS"]
    try:
        data = base64.b64decode(str(picture.get("base64")), validate=True)
    except binascii.Error as error:
        raise NoQueueFile(reason="base64") from error
    sha256 = str(picture["sha256"])
    stored = photo_store.keep(settings.files_dir, sha256, io.BytesIO(data).read, settings.max_photo_pixels)
    actions.add_photo(db(), by, stored, photo_store.clean_name(str(picture.get("name") or "")))
