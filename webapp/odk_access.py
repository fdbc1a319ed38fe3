"""Connecting ODK Collect: a device of a person, with its password shown once, and the QR code that sets the client up."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import segno
from flask import Blueprint, current_app, json, render_template, request

from gis.people import actions
from gis.people.queries import user_by_id, users
from gis.people.rules import RIGHTS
from webapp import forms
from webapp.access import db, needs, scope, who

pages = Blueprint("odk_access", __name__, url_prefix="/odk-access")


@dataclass(frozen=True)
class Made:
    """What is shown once."""

    person: str
    user: str
    secret: str
    qr: str


@pages.get("")
@needs("enrol_device")
def index() -> str:
    """Who may have a client."""
    return _page()


def _address() -> str:
    return f"{request.url_root.rstrip('/')}/api/openrosa"


def _page(made: Made | None = None) -> str:
    people = [u for u in users(db(), scope()) if u.active and u.role in RIGHTS["submit_forms"]]
    secure = current_app.config["SETTINGS"].secure_cookies or request.is_secure
    return render_template("checklists/odk.html", people=people, made=made, address=_address(), secure=secure)


@pages.post("")
@needs("enrol_device")
def give() -> str:
    """A new device of this person: what an ODK client signs in with. Only its SHA-256 is kept."""
    user = user_by_id(db(), scope(), forms.needed("user_id"))
    code = actions.offer_enrolment(db(), who(), user.id)
    secret, _device = actions.enrol(db(), who(), code, "ODK Collect")
    return _page(Made(user.full_name or user.name, user.name, secret, qr_code(_address(), user.name, secret)))


def qr_code(address: str, user: str, secret: str) -> str:
    """The code that ODK Collect reads: its settings as JSON, deflated, in base64.

    source: https://docs.getodk.org/collect-import-export
    """
    settings = {
        "general": {"protocol": "other_protocol", "server_url": address, "username": user, "password": secret},
        "admin": {},
    }
    packed = base64.b64encode(zlib.compress(json.dumps(settings).encode())).decode()
    return str(segno.make(packed, error="l", micro=False).svg_inline(scale=4, border=3))
