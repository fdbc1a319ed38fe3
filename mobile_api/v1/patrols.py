"""The patrols that somebody walks, today's and the next days', with all that must be known at each stop without signal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from apiflask import APIBlueprint

from gis.inspections import patrol_queries as queries
from gis.inspections.patrol_rules import DAYS_AHEAD, PatrolStatus, StopOutcome
from gis.network.reading_rules import KEPT_UNIT, POSSIBLE, UNITS, PointSide, Quantity
from mobile_api.v1.auth import db, needs, now, phone, zone
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_patrols", __name__, tag="patrols")


class BandOut(Wire):
    """Between what a reading should be, in the point's own unit. `beside`: the outdoor temperature the curve was read at, °C."""

    kind: str
    low: float | None
    high: float | None
    source: str
    beside: float | None


class LastReadOut(Wire):
    """The point's last value, in its own unit."""

    at: datetime
    value: float


class PatrolPointOut(Wire):
    """A measuring point to be read. `least` and `most` are what an instrument can mean at all; `bands` is what it should show."""

    id: int
    code: str
    name: str
    quantity: Quantity
    side: PointSide
    unit: str
    least: float
    most: float
    bands: list[BandOut]
    last: LastReadOut | None


class PatrolStopOut(Wire):
    """A stop: a station with its points, or one point. `travel_s` is the way from the stop before."""

    id: int
    stop_no: int
    travel_s: float | None
    name: str
    unit: str | None
    lon: float
    lat: float
    outcome: StopOutcome | None
    version: int
    points: list[PatrolPointOut]


class PatrolOut(Wire):
    """A patrol of this person."""

    id: int
    name: str
    on_day: date
    status: PatrolStatus
    note: str
    version: int
    stops: list[PatrolStopOut]


class PatrolsOut(Wire):
    """Patrols by day; whatever is not among them any more is to be put away."""

    today: date
    patrols: list[PatrolOut]


@api.get("/patrols")
@needs("use_phone")
@api.output(PatrolsOut)
def patrols() -> dict[str, Any]:
    """This person's patrols of today and the next two days, each stop with its points, bands and last readings."""
    today = now().astimezone(zone()).date()
    rows = queries.carried(db(), phone().user_id, today, today + timedelta(days=DAYS_AHEAD))
    stops = queries.stops(db(), [row.id for row in rows]) if rows else []
    points = queries.points_of(
        db(), {s["station_id"] for s in stops if s["station_id"]}, {s["point_id"] for s in stops if s["point_id"]}
    )
    known = [point.id for point in points]
    bands, last = queries.bands(db(), known, today, now()), queries.last_readings(db(), known, now())
    told = [_point(point, bands.get(point.id, []), last.get(point.id)) | {"at": point} for point in points]
    return {"today": today, "patrols": [
        {"id": row.id, "name": row.name, "on_day": row.on_day, "status": row.status, "note": row.note, "version": row.version,
         "stops": [_stop(stop, told) for stop in stops if stop["patrol_id"] == row.id]}
        for row in rows
    ]}  # fmt: skip


def _stop(stop: Any, points: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("id", "stop_no", "travel_s", "name", "unit", "lon", "lat", "outcome", "version")
    mine = [
        {key: value for key, value in told.items() if key != "at"}
        for told in points
        if stop["point_id"] == told["at"].id
        or (stop["station_id"] is not None and stop["station_id"] == told["at"].station_id and told["at"].side != PointSide.ROOM)
    ]  # fmt: skip
    return {key: stop[key] for key in keys} | {"points": mine}


def _point(point: Any, bands: list[Any], last: Any) -> dict[str, Any]:
    """In the point's own unit, which is what its instrument shows; the core keeps another."""
    factor, offset = UNITS[Quantity(point.quantity)].get(point.unit, (1.0, 0.0))

    def shown(kept: float | None) -> float | None:
        return None if kept is None else round((kept - offset) / factor, 4)

    least, most = POSSIBLE[Quantity(point.quantity)]
    return {
        "id": point.id, "code": point.code, "name": point.name, "quantity": point.quantity, "side": point.side,
        "unit": point.unit or KEPT_UNIT[Quantity(point.quantity)], "least": shown(least), "most": shown(most),
        "bands": [asdict(band) | {"low": shown(band.low), "high": shown(band.high)} for band in bands],
        "last": None if last is None else {"at": last[0], "value": shown(last[1])},
    }  # fmt: skip
