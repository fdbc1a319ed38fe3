"""Where a crew is: a batch of points, as many at once as the phone noted, in any order, any number of times."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import current_app
from pydantic import Field

from gis.dispatch.model import Crew
from gis.dispatch.track_actions import record, share
from gis.dispatch.track_queries import on_duty
from gis.dispatch.track_rules import Fix, PositionWhy, true_time
from gis.errors import Missing
from gis.inspections.rules import Verdict
from mobile_api.v1.auth import db, needs, now, phone, who
from mobile_api.v1.wire import Lat, Lon, Metres, Moment, Number, Wire, json_body

api = APIBlueprint("phone_positions", __name__, tag="positions")
MOST = 500
LONGEST = timedelta(days=400)


class PointIn(Wire):
    """One point, by the phone's own clock. `id` is made once, so that the same point counts once however often it comes."""

    id: UUID
    at: Moment
    lon: Lon
    lat: Lat
    accuracy_m: Metres | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360, allow_inf_nan=False, strict=True)] | None = None
    why: PositionWhy = PositionWhy.MOVING
    order_id: Number | None = None


class PositionsIn(Wire):
    """`sent_at` is the same clock now: the server counts from when it received this. `sharing`: the person's own switch."""

    sent_at: Moment
    sharing: bool = True
    positions: list[PointIn] = Field(max_length=MOST)


class PointOut(Wire):
    """What became of a point; whatever it is, it need not be sent again. A refusal has a code, and so has what was not kept."""

    id: UUID
    verdict: Literal["applied", "duplicate", "refused"]
    code: Literal["thinned", "doubted", "future", "too_old", "no_place", "vague", "off_duty", "sharing_off"] | None = (
        None
    )


class PositionsOut(Wire):
    """One result per point, in the order sent, and whether the crew is on shift: off shift and without an order none is kept."""

    results: list[PointOut]
    on_shift: bool


@api.post("/positions")
@needs("use_phone")
@json_body
@api.input(PositionsIn)
@api.output(PositionsOut)
def send(json_data: PositionsIn) -> dict[str, Any]:
    """Take in where the crew was, or that its people do not say so."""
    speaking, at = phone(), now()
    crew = db().get(Crew, speaking.crew_id) if speaking.crew_id is not None else None
    if crew is None:
        raise Missing(thing="crew", id=speaking.crew_id)
    share(db(), who(), crew, on=json_data.sharing)
    shift = on_duty(db(), crew.id, at)
    if not json_data.sharing:
        refused = {"verdict": str(Verdict.REFUSED), "code": "sharing_off"}
        return {"results": [{"id": p.id} | refused for p in json_data.positions], "on_shift": shift}
    fixes = [_fix(point, json_data) for point in json_data.positions]
    taken = record(db(), who(), crew, fixes, days=current_app.config["SETTINGS"].position_days)
    results = [
        {"id": fix.id, "verdict": _verdict(t.kept, t.code), "code": None if t.code == "duplicate" else t.code}
        for fix, t in zip(fixes, taken, strict=True)
    ]
    return {"results": results, "on_shift": shift}


def _verdict(kept: bool, code: str | None) -> str:
    return str(Verdict.REFUSED if not kept else Verdict.DUPLICATE if code == "duplicate" else Verdict.APPLIED)


def _fix(point: PointIn, sent: PositionsIn) -> Fix:
    """The point by our clock."""
    age = max(min(sent.sent_at - point.at, LONGEST), -LONGEST)
    at = true_time(sent.sent_at - age, sent.sent_at, now())
    return Fix(point.id, at, point.lon, point.lat, point.accuracy_m, point.heading_deg, point.why, point.order_id)
