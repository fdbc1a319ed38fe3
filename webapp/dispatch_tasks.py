"""What dispatch does by itself: watch the time to accept, and send the next best crew where the bureau wants that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis import jobs
from gis.dispatch import acceptance
from gis.dispatch.rules import Terms
from gis.journal import Who
from webapp.worker import follow, settings, task

LOOK_S = 10.0
BACK_WITHIN = timedelta(hours=1)  # what was given back longer ago is the dispatcher's, who has had time to see it


def terms() -> Terms:
    """The settings of dispatch, as the worker has them."""
    s = settings()
    zone = ZoneInfo(s.timezone)
    return Terms(zone, s.straight_speed_kmh, s.snap_limit_m, s.position_fresh_min, s.undo_s, s.accept_min, s.reoffer)


@follow("acceptance", every_s=LOOK_S)
def watch_acceptance(session: Session, who: Who) -> bool:
    """Tell what was not accepted in time; have it, and what was given back, offered again where that is turned on."""
    known = terms()
    lapsed = acceptance.tell_lapsed(session, who, known)
    if known.reoffer:
        for complaint_id in lapsed:
            jobs.defer(session, "offer_again", {"complaint_id": complaint_id})
        for order_id, complaint_id in acceptance.given_back(session, who.now - BACK_WITHIN):
            jobs.defer(session, "offer_again", {"complaint_id": complaint_id}, key=f"offer_again:{order_id}")
    return len(lapsed) == acceptance.MOST_AT_ONCE


@task("offer_again")
def offer_again(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Send the next best crew to a complaint; where none fits it stays with the dispatcher."""
    acceptance.offer_again(session, who, payload["complaint_id"], terms())
