"""The dispatcher's console."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.access import needs

pages = Blueprint("dispatch", __name__)


@pages.get("/")
@needs("see_complaints")
def console() -> str:
    return render_template("error.html", error=type("E", (), {"status": "城脉", "code": ""}), sentence="")
