"""Sign-in and sign-out, language, users and their phones."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from gis.dispatch.queries import crews
from gis.errors import BadInput, ChengmaiError, Missing
from gis.people import actions, queries
from gis.people.model import Device, User
from gis.people.rules import DESK, PHONE, DemoAccount, Role
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp.access import Person, can, db, needs, now, public, scope, who
from webapp.i18n import message

pages = Blueprint("people", __name__)
LOOPBACK = ("127.0.0.1", "::1")


def _safe_next(target: str | None) -> str:
    parts = urlsplit(target or "")
    if not target or parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return url_for("dispatch.console")
    return target


@pages.get("/login")
@public
def login() -> str | Response:
    if current_user.is_authenticated:
        return redirect(url_for("dispatch.console"))
    return render_template("people/login.html", next=request.args.get("next", ""))


@pages.post("/login")
@public
def sign_in() -> str | Response | tuple[str, int]:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    address = request.remote_addr or "?"
    try:
        user = actions.sign_in(db(), who(), name, password, address)
        if user.is_demo and address not in LOOPBACK:
            raise DemoAccount()
    except ChengmaiError as error:
        db().commit()  # the failed attempt is counted
        page = render_template("people/login.html", next=request.form.get("next", ""), error=message(error), name=name)
        return page, error.status
    session.clear()
    login_user(Person(user))
    if user.role not in DESK:
        return redirect(url_for("people.account"))
    return redirect(_safe_next(request.form.get("next")))


@pages.post("/logout")
@public
def sign_out() -> Response:
    logout_user()
    session.clear()
    return redirect(url_for("people.login"))


@pages.post("/language")
@public
def language() -> Response:
    """Switch the language of the screens; kept in a cookie and, when signed in, with the person."""
    wanted = request.form.get("language")
    if wanted not in current_app.config["LANGUAGES"]:
        raise BadInput(reason="language")
    if current_user.is_authenticated:
        user = db().get(User, current_user.id)
        assert user is not None
        user.language = wanted
    answer = redirect(_safe_next(request.form.get("next")))
    answer.set_cookie("language", wanted, max_age=31536000, samesite="Lax",
                      secure=current_app.config["SESSION_COOKIE_SECURE"])  # fmt: skip
    return answer


@pages.get("/account")
@needs("own_account")
def account() -> str:
    """Who am I, and which phones are mine."""
    return render_template("people/account.html", devices=queries.devices_of(db(), current_user.id))


@pages.get("/people")
@needs("enrol_device")
def index() -> str:
    """Everybody, with their phones."""
    choices = {}
    if can("administer"):
        levels = (AreaLevel.DISTRICT, AreaLevel.STREET)
        choices = {"units": queries.units(db()), "crews": crews(db(), scope()), "areas": areas(db(), scope(), levels)}
    people = queries.users(db(), scope())
    return render_template("people/index.html", users=people, roles=list(Role), phone_roles=PHONE, **choices)


@pages.post("/people")
@needs("administer")
def add() -> Response:
    form = request.form
    try:
        user = actions.add_user(db(), who(), form.get("name", ""), form.get("role", ""), form.get("password", ""),
                                full_name=form.get("full_name", ""), unit_id=_chosen("unit_id"),
                                area_id=_chosen("area_id"), crew_id=_chosen("crew_id"))  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        flash(message(error), "error")
    else:
        flash(_("Added %(name)s.", name=user.name), "done")
    return redirect(url_for("people.index"))


def _chosen(field: str) -> int | None:
    """A choice of the form; nothing chosen is nothing."""
    value = request.form.get(field, "")
    if value and not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadInput(reason=field)
    return int(value) if value else None


@pages.get("/people/<int:user_id>")
@needs("enrol_device")
def show(user_id: int) -> str:
    user = queries.user_by_id(db(), scope(), user_id)
    return render_template("people/show.html", user=user, devices=queries.devices_of(db(), user_id), qr=None)


@pages.post("/people/<int:user_id>/enrol")
@needs("enrol_device")
def enrol(user_id: int) -> str:
    """A one-use QR code: the phone's own camera opens the app with the code after the `#`, which no server log sees."""
    user = queries.user_by_id(db(), scope(), user_id)
    if user.role not in PHONE:
        raise Missing(thing="user", id=user_id)
    code = actions.offer_enrolment(db(), who(), user_id)
    link = url_for("phone.shell", _external=True) + f"#enrol={code}"
    qr = segno.make(link, error="m").svg_inline(scale=6, dark="#111", light="#fff")
    devices = queries.devices_of(db(), user_id)
    return render_template("people/show.html", user=user, devices=devices, qr=qr, link=link, at=now())


@pages.post("/devices/<int:device_id>/revoke")
@needs("enrol_device")
def revoke(device_id: int) -> Response:
    device = db().get(Device, device_id)
    if device is None:
        raise Missing(thing="device", id=device_id)
    queries.user_by_id(db(), scope(), device.user_id)
    actions.revoke(db(), who(), device)
    return redirect(url_for("people.show", user_id=device.user_id))
