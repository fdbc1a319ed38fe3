"""For the authors of programs: what the interfaces are, how to call them, and how to get a key. Open to anybody."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request, url_for

from gis.people.rules import KEY_PER_MINUTE
from webapp.access import public

pages = Blueprint("developers", __name__)


@pages.get("/developers")
@public
def index() -> str:
    """The page for developers, with examples that can be copied as they stand."""
    root = request.host_url.rstrip("/")
    has = current_app.view_functions
    return render_template(
        "developers/index.html", root=root, open311=f"{root}/open311/v2", ogc=f"{root}/ogc" if "ogc.landing" in has else None, per_minute=KEY_PER_MINUTE,
        webhooks=url_for("webhooks.index") if "webhooks.index" in has else None,
    )  # fmt: skip
