"""What changed since the page last asked: the desk's pages poll this and refresh only what is touched."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask_login import current_user

from gis import journal
from gis.dispatch import changes
from webapp.access import db, needs, scope

pages = Blueprint("changes", __name__)

TOLD = ("seq", "at", "verb", "thing", "thing_id", "version")


@pages.get("/changes.json")
@needs("see_complaints")
def after() -> dict[str, Any]:
    """Rows after the cursor `after`, of things within the person's scope; without a cursor only where the end is now.

    The cursor moves over rows that the person may not see, so a page never asks for the same stretch twice.
    """
    cursor = request.args.get("after")
    if not cursor:
        return {"cursor": journal.end(db()), "more": False, "rows": []}
    found = journal.read_after(db(), cursor, things=changes.THINGS)
    rows = changes.visible(db(), found.rows, scope())
    told = [
        {key: row[key] for key in TOLD} | {"at": row["at"].isoformat(), "mine": row["user_id"] == current_user.id}
        for row in rows
    ]
    return {"cursor": found.cursor, "more": found.more, "rows": told}
