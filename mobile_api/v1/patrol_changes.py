"""Stops of patrols as phones tell them: visited with readings, or skipped with a reason."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.inspections import patrol_queries, patrols
from gis.inspections.patrol_model import PatrolStop
from gis.inspections.patrol_rules import NOTE_MOST, READINGS_MOST
from gis.journal import Who
from mobile_api.v1.auth import Phone
from mobile_api.v1.wire import Moment, Number, Position, Text, Wire


class ReadIn(Wire):
    """One value as it was read, in the unit of its point, at the moment it was entered."""

    point_id: Number
    value: Annotated[float, Field(ge=-10_000_000, le=10_000_000, allow_inf_nan=False, strict=True)]
    at: Moment


class StopVisit(Wire):
    """What was read at a stop."""

    readings: list[ReadIn] = Field(default=[], max_length=READINGS_MOST)
    note: Text(NOTE_MOST) = ""  # type: ignore[valid-type]
    position: Position | None = None


class StopSkip(Wire):
    """Why a stop was not visited."""

    note: Text(NOTE_MOST, 1)  # type: ignore[valid-type]
    position: Position | None = None


def stop_now(session: Session, phone: Phone, change: Any) -> dict[str, Any] | None:
    """The stop that a change was about, as it stands, if this phone may know of it."""
    try:
        stop, _patrol = patrol_queries.stop_locked(session, phone.user_id, change.number or 0)
    except Missing:
        return None
    return _thing(stop)


def stop_step(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    """Tell of the stop. A patrol that was ended meanwhile takes it all the same."""
    payload = change.payload
    place = payload.position and (payload.position.lon, payload.position.lat)
    if isinstance(payload, StopSkip):
        told = patrols.Told(change.number or 0, change.at, change.id, note=payload.note, position=place)
        return _thing(patrols.skipped(session, who, told))
    readings = [patrols.Read(r.point_id, r.value, r.at) for r in payload.readings]
    told = patrols.Told(change.number or 0, change.at, change.id, readings, payload.note, place)
    return _thing(patrols.visited(session, who, told))


def _thing(stop: PatrolStop) -> dict[str, Any]:
    return {"id": str(stop.id), "version": stop.version, "status": str(stop.outcome or "waiting")}
