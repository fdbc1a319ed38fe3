"""What changed since the page last asked: for pages that cannot hold `/events` open, and for anybody who polls."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask_login import current_user

from gis import journal
from gis.dispatch import changes
from webapp.access import db, needs, scope
from webapp.live_hub import told

pages = Blueprint("changes", __name__)


@pages.get("/changes.json")
@needs("see_complaints")
def after() -> dict[str, Any]:
    """Rows after the cursor `after`, of things within the person's scope; without a cursor only where the end is now.

    The cursor moves over rows that the person may not see, so a page never asks for the same stretch twice. A cursor that
    `/events` gave is answered with one of its kind, at once; `reload`: too much changed to be told one by one.
    """
    cursor = request.args.get("after")
    if not cursor:
        return {"cursor": journal.end(db()), "more": False, "rows": []}
    if ":" in cursor:
        news = journal.news_after(db(), cursor, things=changes.THINGS)
        rows = changes.visible(db(), news.rows, scope())
        return {"cursor": news.cursor, "more": False, "reload": news.reload, "rows": told(rows, current_user.id)}
    found = journal.read_after(db(), cursor, things=changes.THINGS)
    rows = changes.visible(db(), found.rows, scope())
    return {"cursor": found.cursor, "more": found.more, "rows": told(rows, current_user.id)}
