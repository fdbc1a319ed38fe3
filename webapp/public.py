"""The public page: what one can do here, and reporting a matter without an account."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, render_template, request
from flask_babel import get_locale
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from gis.complaints.actions import receive
from gis.complaints.categories import UNKNOWN
from gis.complaints.model import Complaint
from gis.complaints.queries import categories
from gis.complaints.repeats import join
from gis.complaints.rules import LIMITS, Channel, PlaceMissing, clean
from gis.errors import BadInput, ChengmaiError, Conflict
from gis.inspections import photo_store
from gis.inspections.rules import PHOTO_KINDS, PHOTO_MAX_BYTES
from gis.journal import Who
from gis.people.rules import CITY
from gis.places.queries import extent, working_days
from gis.portal import actions, queries
from gis.portal.rules import (
    CITIZEN_WORDS,
    JOIN_MIN,
    PHOTOS_PER_REPORT,
    RING_FIRST,
    Asked,
    BadReportId,
    PhoneNeeded,
    TooManyPhotos,
)
from webapp.access import db, now, public
from webapp.cards import category_name, iso
from webapp.filters import decimal, zone
from webapp.public_guard import (
    choose_language,
    citizen,
    keep_language,
    meter,
    new_challenge,
    proved,
    sign,
    signed,
)

pages = Blueprint("public", __name__, url_prefix="/public")
NO_COOKIES = True  # nothing here acts by a cookie alone, so no other site can act by it
pages.before_request(choose_language)
pages.after_request(keep_language)
DESCRIPTION_MOST = 1000


@pages.get("/")
@public
def index() -> str:
    """What one can do here."""
    return render_template("public/index.html")


@pages.get("/report")
@public
def report() -> str:
    """The form. What is typed stays on the telephone until it has arrived."""
    return render_template(
        "public/report.html", groups=kinds(), ring_first=RING_FIRST, limits=LIMITS, most_photos=PHOTOS_PER_REPORT,
        photo_bytes=PHOTO_MAX_BYTES, photo_kinds=sorted(PHOTO_KINDS), description_most=DESCRIPTION_MOST,
        extent=extent(db(), CITY),
    )  # fmt: skip


def kinds() -> list[dict[str, Any]]:
    """The categories in a citizen's words, by utility; those of the bureau's own without such words by their name."""
    english = str(get_locale()) == "en"
    found = {c.code: c for c in categories(db()) if c.code != UNKNOWN}
    order = [*(code for code in CITIZEN_WORDS if code in found), *(c for c in found if c not in CITIZEN_WORDS)]
    groups: dict[str, list[dict[str, str]]] = {}
    for code in order:
        words = CITIZEN_WORDS.get(code, (found[code].name, found[code].name_en))
        groups.setdefault(found[code].utility, []).append({"code": code, "words": words[english]})
    rest = groups.pop("other", [])
    told = [{"utility": utility, "kinds": rows} for utility, rows in groups.items()]
    return [*told, *([{"utility": "other", "kinds": rest}] if rest else [])]


@pages.get("/challenge.json")
@public
def challenge() -> dict[str, Any]:
    """A small sum to be done before sending."""
    meter(Asked.CHALLENGE)
    return new_challenge()


@pages.get("/similar.json")
@public
def similar() -> list[dict[str, Any]]:
    """Open complaints about the same thing close by: category, roughly where, the day. Nothing else, and only a few."""
    meter(Asked.SIMILAR)
    lon, lat, category = decimal("lon"), decimal("lat"), request.args.get("category", "")
    if lon is None or lat is None or not -180 <= lon <= 180 or not -90 <= lat <= 90 or "\0" in category:
        raise BadInput(reason="lon, lat")
    return [
        {"ref": sign("join", row["id"]), "category": category_name(row), "place": row["place"],
         "day": f"{row['received_at'].astimezone(zone()):%Y-%m-%d}", "voices": row["repeat_count"] + 1}
        for row in queries.nearby(db(), category, lon, lat, now())
    ]  # fmt: skip


@pages.post("/report.json")
@public
def send() -> dict[str, Any]:
    """One complaint from one sending, however often it is sent: the browser's own id finds the first again."""
    form = request.form
    report_id, said = _report_id(form.get("id", "")), _said()
    known = queries.report_made(db(), report_id)
    if known is None:
        meter(Asked.REPORT)
        solved = proved(form.get("proof", ""), form.get("answers", ""))
        try:
            with db().begin_nested():
                actions.spend(db(), solved, now())
                complaint = _take_in(db())
                actions.keep_report(db(), citizen(), report_id, complaint, said)
        except Conflict:
            known = queries.report_made(db(), report_id)  # the same sending, a moment earlier
            if known is None:
                raise
        else:
            return _receipt(complaint, same=True)
    complaint, digest = known
    return _receipt(complaint, same=digest == actions.digest(said))


def _receipt(complaint: Complaint, *, same: bool) -> dict[str, Any]:
    return {
        "number": complaint.hotline_no, "received_at": iso(complaint.received_at),
        "resolve_by": iso(complaint.resolve_by), "joined": complaint.merged_into_id is not None, "same": same,
    }  # fmt: skip


def _report_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadReportId() from None


def _said() -> str:
    """What the report says, as one text to compare a retry with."""
    names = ("category", "description", "place", "lon", "lat", "name", "phone", "join")
    return "\x1f".join(request.form.get(name, "") for name in names)


def _take_in(session: Session) -> Complaint:
    form, who = request.form, citizen()
    if not clean("caller_phone", form.get("phone")):
        raise PhoneNeeded()
    description = clean("description", form.get("description"), needed=True)[:DESCRIPTION_MOST]
    lon, lat = _coordinate("lon"), _coordinate("lat")
    place = clean("place", form.get("place"))
    if not place and (lon is None or lat is None):
        raise PlaceMissing()
    given = {
        "channel": Channel.WEB, "category": form.get("category", ""), "description": description, "place": place,
        "lon": lon, "lat": lat, "zone": zone(), "calendar": working_days(session), "caller_name": form.get("name"),
        "caller_phone": form.get("phone"), "sure": True,
    }  # fmt: skip
    pictures = kept_pictures(PHOTOS_PER_REPORT)
    into = signed("join", form.get("join", ""), JOIN_MIN) if form.get("join") else None
    complaint = _receive(session, who, into, given)
    if pictures:
        actions.add_photos(session, who, complaint, pictures)
    return complaint


def _receive(session: Session, who: Who, into: int | None, given: dict[str, Any]) -> Complaint:
    """A complaint of its own, or joined to the one that somebody pointed at ("me too"), while that one is still open."""
    main = session.get(Complaint, into) if isinstance(into, int) else None
    if main is not None:
        try:
            with session.begin_nested():
                return join(session, who, main, **given)
        except ChengmaiError:
            session.expire_all()  # closed meanwhile, or about something else: this caller is answered all the same
    return receive(session, who, **given)


def _coordinate(name: str) -> float | None:
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    try:
        return float(raw)
    except ValueError:
        raise BadInput(reason=name) from None


def kept_pictures(most: int, field: str = "photo") -> list[actions.Picture]:
    """The photos of this request, checked as every photo is, and safely on the disk. Raises TooManyPhotos, BadPhoto, …"""
    sent = [file for file in request.files.getlist(field) if file.filename or file.content_length]
    if len(sent) > most:
        raise TooManyPhotos(limit=most)
    return [_keep(file) for file in sent]


def _keep(file: FileStorage) -> actions.Picture:
    settings = current_app.config["SETTINGS"]
    sha256 = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    file.stream.seek(0)
    stored = photo_store.keep(settings.files_dir.absolute(), sha256, file.stream.read, settings.max_photo_pixels)
    return actions.Picture(stored, photo_store.clean_name(file.filename))


def title_of(row: Any) -> str:
    """A category as the public reads it."""
    english = str(get_locale()) == "en"
    words = CITIZEN_WORDS.get(row["category"])
    return words[english] if words else category_name(row)
