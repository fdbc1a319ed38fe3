"""Where a crew was today: for who has the right, for a purpose that the journal keeps."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from flask import Blueprint
from pydantic import Field

from gis.dispatch import crew_search
from gis.dispatch.track_actions import see_track
from gis.dispatch.track_queries import told
from gis.errors import Missing
from webapp.access import db, needs, now, scope, who
from webapp.bodies import Body, body
from webapp.filters import today, zone

pages = Blueprint("tracks", __name__)


class TrackBody(Body):
    """What somebody wants the track for."""

    purpose: str = Field(max_length=40)


@pages.post("/crews/<int:crew_id>/track")
@needs("see_track")
def track(crew_id: int) -> dict[str, Any]:
    """The crew's track of the city's day."""
    crew = crew_search.crew_in_scope(db(), crew_id, scope(), now()) if crew_id < 1 << 62 else None
    if crew is None:
        raise Missing(thing="crew", id=crew_id)
    midnight = datetime.combine(today(), time(), zone())
    return {"crew_id": crew.id, "points": told(see_track(db(), who(), crew, body(TrackBody).purpose, midnight))}
