"""The desk's live screens: `/events` stays open and tells what changes (text/event-stream)."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_login import current_user

from gis import journal
from gis.dispatch import changes
from webapp.access import db, needs, scope
from webapp.live_hub import ADMIT, Opening, tell

pages = Blueprint("live", __name__)


@pages.get("/events")
@needs("see_complaints")
def events() -> Response:
    """What changed after `Last-Event-ID` (or `after`), of things within the person's scope, and what changes from now on.

    Events: `hello` (the stream stands), `change` (rows of the journal), `reload` (too much to tell), `beat` (every ten
    seconds, so that a dead line is noticed), `again` (come again: a planned end). Each id is a cursor of the journal.
    """
    cursor = request.headers.get("Last-Event-ID") or request.args.get("after") or None
    if cursor:
        journal.check_cursor(cursor)
    person, within = current_user, scope()
    admitted = request.environ.get(ADMIT)
    said = ""
    if admitted is not None and request.method == "GET":
        admitted.append(Opening(person.id, person.role, person.area_id, person.unit_id, within, cursor))
    else:  # a server that keeps nothing open: what there is, and the browser asks again
        news = journal.news_after(db(), cursor, things=changes.THINGS)
        said = "retry: 2000\n" + tell(news, changes.visible(db(), news.rows, within), person.id, hello=True, beat=False)
    headers = {"Cache-Control": "private, no-store, no-transform", "X-Accel-Buffering": "no"}  # no proxy holds it back
    return Response(said, mimetype="text/event-stream", headers=headers)
