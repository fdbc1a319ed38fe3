"""Following a complaint by number and telephone: its course, the answer, satisfied or not, further words and photos.

The page of one's own complaint stays open for half an hour: a signed reference in a cookie that no script and no other site
can use, and the same reference in every form. An unknown number and a wrong telephone get the same answer in the same time.
"""

from __future__ import annotations

import hmac
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for

from gis.complaints import incident_queries
from gis.complaints.model import Complaint
from gis.complaints.outage_calls import known_to
from gis.complaints.privacy import normal_phone
from gis.complaints.rules import LIMITS, BadPhone, Status, possible
from gis.errors import ChengmaiError, Missing
from gis.inspections import photo_store
from gis.inspections.rules import PHOTO_KINDS
from gis.inspections.thumbs import shown_copy, thumbnail
from gis.portal import actions, queries
from gis.portal.rules import (
    FOLLOW_MIN,
    PHOTOS_PER_REPORT,
    Asked,
    BadReportId,
    FollowExpired,
    NotFollowed,
    NothingSaid,
    ReopenReason,
    TooOften,
)
from webapp.access import db, now, public
from webapp.i18n import message
from webapp.photos import harmless
from webapp.public import kept_pictures, title_of
from webapp.public_guard import choose_language, citizen, hashed, keep_language, meter, network, sign, signed

pages = Blueprint("public_follow", __name__, url_prefix="/public/follow")
NO_COOKIES = True
pages.before_request(choose_language)
pages.after_request(keep_language)
COOKIE = "chengmai-follow"


@pages.get("")
@public
def ask() -> str:
    """Number and telephone."""
    return render_template("public/follow.html", number=request.args.get("number", "")[:60], error=None)


@pages.post("")
@public
def open_one() -> Response | tuple[str, int]:
    """Open the page of a complaint, for whoever knows its number and the telephone number that was given with it."""
    number, phone = request.form.get("number", "").strip()[:60], request.form.get("phone", "").strip()[:40]
    try:
        complaint_id = _found(number, phone)
    except (NotFollowed, TooOften) as error:
        page = render_template("public/follow.html", number=number, error=message(error))
        return page, error.status
    answer = make_response(redirect(url_for("public_follow.show"), 303))
    answer.set_cookie(COOKIE, sign("follow", complaint_id), max_age=FOLLOW_MIN * 60, httponly=True, samesite="Strict",
                      path="/public/follow", secure=current_app.config["SESSION_COOKIE_SECURE"])  # fmt: skip
    return answer


def _found(number: str, phone: str) -> int:
    """The complaint's id, or NotFollowed; what is wrong cannot be told from the answer, nor from how long it takes."""
    about = hashed("number", number.upper())
    meter(Asked.FOLLOW)
    meter(Asked.FOLLOW, about)
    limit = queries.limit(db(), Asked.WRONG)
    if max(queries.load(db(), Asked.WRONG, key, now()) for key in (network(), about)) >= limit.most:
        raise TooOften(minutes=limit.within_min)
    try:
        given = normal_phone(phone)
    except BadPhone:
        given = "?"
    found = queries.numbered(db(), number.replace("\0", "").upper())
    kept = (found[1] if found else None) or "nobody has this number"
    right = hmac.compare_digest(hashed("phone", given), hashed("phone", kept))
    if not (found and right):
        for key in (network(), about):
            actions.count(db(), Asked.WRONG, key, now())
        db().commit()
        raise NotFollowed(thing="complaint", id="")
    return found[0]


@pages.get("/mine")
@public
def show() -> Response | str:
    """The course of one's own complaint."""
    try:
        complaint = _mine(request.cookies.get(COOKIE, ""))
    except FollowExpired:
        return redirect(url_for("public_follow.ask"))
    return _page(complaint)


def _page(complaint: Complaint, error: str | None = None) -> str:
    row = queries.followed(db(), complaint.id)
    matter = complaint
    if complaint.merged_into_id:
        lead = db().get(Complaint, complaint.merged_into_id)
        matter = lead or complaint
    may = {
        verb: complaint.answered_at is not None and verb in possible(matter.status) for verb in ("confirm", "reopen")
    }
    return render_template(
        "public/mine.html", complaint=complaint, title=title_of(_about(row)), unit=row["unit"], course=queries.course(db(), complaint),
        photos=queries.photos_of(db(), complaint.id), notes=queries.notes_of(db(), complaint.id),
        ratings=queries.ratings_of(db(), complaint.id), may=may, reasons=list(ReopenReason), token=sign("follow", complaint.id),
        action_id=uuid4(), outages=known_to(db(), complaint, now()), limits=LIMITS, most_photos=PHOTOS_PER_REPORT, photo_kinds=sorted(PHOTO_KINDS), error=error,
        notice=incident_queries.notice_of(db(), matter), matter_status=str(matter.status), done=request.args.get("done", ""), open=matter.status not in (Status.CANCELLED,),
    )  # fmt: skip


def _about(row: Any) -> dict[str, Any]:
    return {"category": row["Complaint"].category, "category_zh": row["category_zh"], "category_en": row["category_en"]}


def _mine(token: str) -> Complaint:
    """The complaint that this reference opens, or FollowExpired."""
    complaint_id = signed("follow", token, FOLLOW_MIN)
    complaint = db().get(Complaint, complaint_id) if isinstance(complaint_id, int) else None
    if complaint is None:
        raise FollowExpired()
    return complaint


def _acting() -> Complaint:
    """For a form: the cookie and the form's own reference both open the same complaint; and not too often."""
    complaint = _mine(request.form.get("token", ""))
    if _mine(request.cookies.get(COOKIE, "")).id != complaint.id:
        raise FollowExpired()
    meter(Asked.ACT, hashed("complaint", str(complaint.id)))
    return complaint


def _action_id() -> UUID:
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        raise BadReportId() from None


def _done(complaint: Complaint, what: str, act: Any) -> Response | tuple[str, int]:
    """Do it and show the page again; an error is told on the page, and what was typed is still in the browser."""
    try:
        with db().begin_nested():
            act()
    except ChengmaiError as error:
        db().refresh(complaint)
        return _page(complaint, message(error)), error.status
    return redirect(url_for("public_follow.show", done=what), 303)


@pages.post("/rate")
@public
def rate() -> Response | tuple[str, int]:
    """Satisfied, or not and why: then it is taken up again."""
    complaint, form = _acting(), request.form
    satisfied = form.get("satisfied") == "1"
    return _done(
        complaint, "rated" if satisfied else "reopened",
        lambda: actions.rate(db(), citizen(), complaint, _action_id(), satisfied=satisfied,
                             reason=form.get("reason") or None, note=form.get("note", "")),
    )  # fmt: skip


@pages.post("/more")
@public
def more() -> Response | tuple[str, int]:
    """Further words, further photos."""
    complaint = _acting()

    def act() -> None:
        pictures, text = kept_pictures(PHOTOS_PER_REPORT), request.form.get("text", "").strip()
        if not pictures and not text:
            raise NothingSaid()
        if text:
            actions.add_words(db(), citizen(), complaint, _action_id(), text)
        if pictures:
            actions.add_photos(db(), citizen(), complaint, pictures)

    return _done(complaint, "added", act)


@pages.post("/leave")
@public
def leave() -> Response:
    """Close the page of the complaint on this device."""
    answer = make_response(redirect(url_for("public_follow.ask"), 303))
    answer.delete_cookie(COOKIE, path="/public/follow")
    return answer


@pages.get("/photos/<sha256>/<size>")
@public
def photo(sha256: str, size: str) -> Response:
    """A photo of one's own complaint, as a copy without its metadata."""
    complaint = _mine(request.cookies.get(COOKIE, ""))
    found = queries.photo(db(), complaint.id, sha256) if photo_store.is_sha256(sha256) else None
    if found is None or size not in ("thumb", "large"):
        raise Missing(thing="photo", id=sha256[:64])
    settings = current_app.config["SETTINGS"]
    make = thumbnail if size == "thumb" else shown_copy
    path = make(settings.files_dir.absolute(), found.sha256, settings.max_photo_pixels)
    return harmless(path, "image/jpeg", f"{found.sha256}-{size}")
