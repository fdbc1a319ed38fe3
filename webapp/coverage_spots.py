"""One blind spot, weak signal spot or unserved area: what is known, who was there, what was answered and promised, what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import shapely
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.coverage import actions, queries
from gis.coverage.rules import CHECK_PHOTOS, SPOT_STEPS, WORDS_MAX, SpotKind, SpotVerb
from gis.errors import BadInput, ChengmaiError, Missing
from gis.inspections import actions as inspections
from gis.inspections import photo_store
from gis.inspections.rules import PHOTO_KINDS
from gis.inspections.thumbs import shown_copy, thumbnail
from gis.oversight import promises
from gis.people.queries import units
from webapp import forms
from webapp.access import can, db, needs, now, scope, who
from webapp.coverage import way
from webapp.filters import today, zone
from webapp.i18n import message
from webapp.photos import harmless
from webapp.public import kept_pictures

pages = Blueprint("coverage_spots", __name__)
_MOST_ID = 1 << 62
PAGES = {SpotKind.BLIND_SPOT: "blind", SpotKind.WEAK_SIGNAL_SPOT: "weak", SpotKind.UNSERVED_AREA: "unserved"}
_ARGUMENTS = {
    SpotKind.BLIND_SPOT: "spot_id",
    SpotKind.WEAK_SIGNAL_SPOT: "weak_id",
    SpotKind.UNSERVED_AREA: "unserved_id",
}


def address(kind: SpotKind, spot_id: int, step: bool = False) -> str:
    """Where a spot's page is, or where its steps are taken."""
    return url_for(f"coverage_spots.{PAGES[kind]}{'_step' if step else ''}", **{_ARGUMENTS[kind]: spot_id})


@pages.get("/coverage/blind-spots/<int:spot_id>")
@needs("see_coverage")
def blind(spot_id: int) -> str:
    """A stretch of road that no camera sees."""
    return _show(SpotKind.BLIND_SPOT, spot_id)


@pages.get("/coverage/weak-spots/<int:weak_id>")
@needs("see_coverage")
def weak(weak_id: int) -> str:
    """A place with weak signal."""
    return _show(SpotKind.WEAK_SIGNAL_SPOT, weak_id)


@pages.get("/coverage/unserved-areas/<int:unserved_id>")
@needs("see_coverage")
def unserved(unserved_id: int) -> str:
    """An area that a utility does not reach."""
    return _show(SpotKind.UNSERVED_AREA, unserved_id)


def _row(kind: SpotKind, spot_id: int) -> Mapping[str, Any]:
    return queries.spot_in_scope(db(), scope(), kind, spot_id if spot_id < _MOST_ID else 0)


def _show(
    kind: SpotKind, spot_id: int, error: str | None = None, typed: Mapping[str, str] | None = None
) -> str:  # fmt: skip
    row = _row(kind, spot_id)
    verbs = [verb for verb, step in SPOT_STEPS.items() if row["state"] in step.begins] if can("plan_coverage") else []
    others_promise = SpotVerb.PLAN in verbs and not can("keep_promises")
    if others_promise:
        verbs.remove(SpotVerb.PLAN)
    where = _("from %(a)s %(way)s to %(b)s", a=row["from_landmark"] or "—", way=way(row),
              b=row["to_landmark"] or "—") if kind is SpotKind.BLIND_SPOT else ""  # fmt: skip
    return render_template(
        "coverage/spot.html", row=row, kind=kind, where=where, verbs=verbs, checks=queries.checks(db(), kind, spot_id),
        told=queries.history(db(), kind, spot_id), action=address(kind, spot_id, step=True), units=units(db()),
        today=today(), words_max=WORDS_MAX, kinds=sorted(PHOTO_KINDS), most=CHECK_PHOTOS, error=error,
        typed=typed or {}, others_promise=others_promise, bounds=shapely.from_geojson(row["geojson"]).bounds,
    )  # fmt: skip


# --- steps -----------------------------------------------------------------------------------------------------------
@pages.post("/coverage/blind-spots/<int:spot_id>/steps")
@needs("plan_coverage")
def blind_step(spot_id: int) -> Response | tuple[str, int]:
    """Verify, explain, close, reopen."""
    return _step(SpotKind.BLIND_SPOT, spot_id)


@pages.post("/coverage/weak-spots/<int:weak_id>/steps")
@needs("plan_coverage")
def weak_step(weak_id: int) -> Response | tuple[str, int]:
    """Verify, write down the operator's answer, close, reopen."""
    return _step(SpotKind.WEAK_SIGNAL_SPOT, weak_id)


@pages.post("/coverage/unserved-areas/<int:unserved_id>/steps")
@needs("plan_coverage")
def unserved_step(unserved_id: int) -> Response | tuple[str, int]:
    """Investigate, explain, close, reopen."""
    return _step(SpotKind.UNSERVED_AREA, unserved_id)


def _step(kind: SpotKind, spot_id: int) -> Response | tuple[str, int]:
    _row(kind, spot_id)
    try:
        verb = SpotVerb(forms.text("verb"))
    except ValueError:
        raise BadInput(reason="verb") from None
    try:
        _take(kind, spot_id, verb, forms.whole("base_version"))
    except ChengmaiError as error:
        db().rollback()
        return _show(kind, spot_id, message(error), request.form), error.status
    return redirect(address(kind, spot_id), 303)


def _take(kind: SpotKind, spot_id: int, verb: SpotVerb, version: int | None) -> None:
    if verb is SpotVerb.VERIFY:
        actions.verify(db(), who(), scope(), kind, spot_id, _seen(), version)
    elif verb is SpotVerb.PLAN:
        _promise(kind, spot_id, version)
    else:
        actions.step(db(), who(), scope(), kind, spot_id, verb, forms.text("words"), version)


def _seen() -> actions.Seen:
    shots = []
    for picture in kept_pictures(CHECK_PHOTOS):
        inspections.add_photo(db(), who(), picture.stored, picture.name)
        shots.append(actions.Shot(picture.stored.sha256, now()))
    return actions.Seen(uuid4(), now(), forms.whole("cameras"), forms.decimal("rsrp_dbm"), forms.text("words"), shots)


def _promise(kind: SpotKind, spot_id: int, version: int | None) -> None:
    """The promise is made and the spot planned in one transaction; from then on it is followed like every promise."""
    if not can("keep_promises"):
        raise BadInput(reason="verb")
    row = _row(kind, spot_id)
    given = promises.Pledged(
        text=forms.text("words"), person=forms.text("person"), post=forms.text("post"), due_on=forms.day("due_on"),
        unit_id=forms.whole("unit_id"), area_id=row["area_id"], source=forms.text("source"),
    )  # fmt: skip
    made = promises.promise(db(), who(), given, zone=zone())
    actions.plan(db(), who(), scope(), kind, spot_id, made.id, made.due_on, forms.text("answer"), version)


# --- photos ----------------------------------------------------------------------------------------------------------
@pages.get("/coverage/photos/<sha256>")
@needs("see_coverage")
def photo(sha256: str) -> Response:
    """A photo of a check, at the size of a screen and without its metadata."""
    settings = current_app.config["SETTINGS"]
    path = shown_copy(settings.files_dir.absolute(), _known(sha256), settings.max_photo_pixels)
    return harmless(path, "image/jpeg", f"{sha256}-s")


@pages.get("/coverage/photos/<sha256>/thumb")
@needs("see_coverage")
def thumb(sha256: str) -> Response:
    """The photo at a size for lists."""
    settings = current_app.config["SETTINGS"]
    path = thumbnail(settings.files_dir.absolute(), _known(sha256), settings.max_photo_pixels)
    return harmless(path, "image/jpeg", f"{sha256}-t")


def _known(sha256: str) -> str:
    if not photo_store.is_sha256(sha256) or not queries.photo_of_check(db(), scope(), sha256):
        raise Missing(thing="photo", id=sha256[:64])
    return sha256
