"""What is done with patrols: planned in the order of the shortest way, told of stop by stop, ended, called off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.rules import clean
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.inspections import patrol_queries as queries
from gis.inspections.day_plans import Terms, travel_times
from gis.inspections.patrol_model import Patrol, PatrolStop
from gis.inspections.patrol_rules import (
    NOTE_MOST,
    STOPS_MOST,
    BadPatrol,
    BadPatrolReading,
    PatrolOver,
    PatrolStatus,
    SkipReasonMissing,
    StopOutcome,
    StopTold,
    way_out,
)
from gis.inspections.routes import open_route
from gis.journal import Who
from gis.network import reading_actions
from gis.network.model import Station
from gis.network.reading_model import MeasuringPoint
from gis.network.reading_rules import UNITS, FaultKind, FromWhere, Quantity
from gis.people.rules import CITY, Scope
from gis.places.queries import point, within

AHEAD = timedelta(minutes=5)  # a phone's clock may be so fast; what is later still is told at the moment it came


@dataclass(frozen=True)
class Planned:
    """A patrol: what it is called, on which day, who walks it, and where to."""

    name: str
    on_day: date
    user_id: int
    stations: Sequence[int] = ()
    points: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True)
class Read:
    """A value as it was read from an instrument, in the point's own unit."""

    point_id: int
    value: float
    at: datetime


@dataclass(frozen=True)
class Told:
    """What a phone tells of a stop."""

    stop_id: int
    at: datetime
    change_id: UUID
    readings: Sequence[Read] = ()
    note: str = ""
    position: tuple[float, float] | None = None


def plan(
    session: Session, who: Who, scope: Scope, given: Planned, today: date, terms: Terms, *, synthetic: bool = False
) -> Patrol:
    """A patrol with its stops in the order of the shortest way through them. Raises BadPatrol, Missing."""
    count = len(set(given.stations)) + len(set(given.points))
    wrong = {
        "name": not given.name.strip() or len(given.name) > 120, "stops": not 1 <= count <= STOPS_MOST,
        "the day is over": given.on_day < today, "person": given.user_id not in {u.id for u in queries.walkers(session, scope)},
    }  # fmt: skip
    for reason, is_wrong in wrong.items():
        if is_wrong:
            raise BadPatrol(most=STOPS_MOST, reason=reason)
    places = _places(session, scope, given)
    row = Patrol(name=clean("place", given.name), on_day=given.on_day, user_id=given.user_id, note=clean("note", given.note)[:NOTE_MOST],
                 status=PatrolStatus.PLANNED, made_at=who.now, made_by=who.user_id, synthetic=synthetic)  # fmt: skip
    session.add(row)
    session.flush()
    times = travel_times(session, [(lon, lat) for _key, _id, lon, lat in places], terms)
    order = open_route(times)
    with naming_violations(session):
        for n, at in enumerate(order):
            key, number, _lon, _lat = places[at]
            way = float(times[order[n - 1], at]) if n else None
            session.add(PatrolStop(patrol_id=row.id, stop_no=n + 1, travel_s=way, **{key: number}))
    _note(session, who, "plan", row, stops=len(places))
    return row


def _places(session: Session, scope: Scope, given: Planned) -> list[tuple[str, int, float, float]]:
    """(column, id, lon, lat) of each stop. Raises Missing for one that is unknown, outside the scope or without a place."""
    mine = within(scope)
    asked = select(Station.id, Station.geom.ST_X(), Station.geom.ST_Y()).where(Station.id.in_(set(given.stations)))
    place = select(MeasuringPoint.id, MeasuringPoint.geom.ST_X(), MeasuringPoint.geom.ST_Y()).where(
        MeasuringPoint.id.in_(set(given.points)), MeasuringPoint.geom.isnot(None)
    )
    if mine is not None:
        asked, place = asked.where(Station.area_id.in_(mine)), place.where(MeasuringPoint.area_id.in_(mine))
    found = [("station_id", *row) for row in session.execute(asked.order_by(Station.id))]
    found += [("point_id", *row) for row in session.execute(place.order_by(MeasuringPoint.id))]
    there = {(key, number) for key, number, *_ in found}
    for key, wanted in (("station_id", given.stations), ("point_id", given.points)):
        for number in wanted:
            if (key, number) not in there:
                raise Missing(thing="station" if key == "station_id" else "measuring point", id=number)
    return found


def visited(session: Session, who: Who, told: Told) -> PatrolStop:
    """A stop was visited: its readings reach the series of its points, once. Raises StopTold, BadPatrolReading, Missing.

    Taken although the patrol was ended or called off meanwhile: what was read is never lost.
    """
    stop, patrol = queries.stop_locked(session, who.user_id or 0, told.stop_id)
    if stop.outcome is not None:
        raise StopTold()
    points = {
        p.id: p
        for p in queries.points_of(
            session, [stop.station_id] if stop.station_id else [], [stop.point_id] if stop.point_id else []
        )
    }
    kept = _kept(session, who, told, points, patrol.on_day)
    stop.readings, stop.out_of_band = kept, sum(1 for one in kept if one["way"])
    _tell(session, who, stop, patrol, StopOutcome.VISITED, told)
    return stop


def _kept(
    session: Session, who: Who, told: Told, points: dict[int, MeasuringPoint], day: date
) -> list[dict[str, Any]]:  # fmt: skip
    """Put the readings into their series; what was told beside them is for the desk."""
    for read in told.readings:
        if read.point_id not in points:
            raise BadPatrolReading(reason="point")
    moments = {read.point_id: min(read.at, who.now) for read in told.readings}
    if len(moments) != len(told.readings):
        raise BadPatrolReading(reason="point twice")
    rows = [
        {"point": points[r.point_id].code, "at": moments[r.point_id].isoformat(), "value": r.value}
        for r in told.readings
    ]
    if rows:
        done = reading_actions.keep(session, who, CITY, rows, FromWhere.PHONE, ahead=AHEAD)
        wrong = [fault for fault in done.faults if fault["kind"] != FaultKind.CONTRADICTS]
        if wrong:
            raise BadPatrolReading(reason=f"{wrong[0]['object']}: {wrong[0]['kind']}")
    bands = queries.bands(session, list(moments), day, who.now)
    return [
        {"point_id": r.point_id, "at": moments[r.point_id].isoformat(), "value": r.value, "unit": points[r.point_id].unit,
         "way": way_out(_kept_value(points[r.point_id], r.value), bands.get(r.point_id, [])),
         "bands": [asdict(b) for b in bands.get(r.point_id, [])]}
        for r in told.readings
    ]  # fmt: skip


def _kept_value(point: MeasuringPoint, value: float) -> float:
    """In the unit in which the quantity is kept, as its bands are."""
    factor, offset = UNITS[Quantity(point.quantity)][point.unit]
    return value * factor + offset


def skipped(session: Session, who: Who, told: Told) -> PatrolStop:
    """A stop could not be visited, and why. Raises SkipReasonMissing, StopTold, Missing."""
    stop, patrol = queries.stop_locked(session, who.user_id or 0, told.stop_id)
    if not told.note.strip():
        raise SkipReasonMissing()
    if stop.outcome is not None:
        raise StopTold()
    _tell(session, who, stop, patrol, StopOutcome.SKIPPED, told)
    return stop


def _tell(session: Session, who: Who, stop: PatrolStop, patrol: Patrol, outcome: StopOutcome, told: Told) -> None:
    stop.outcome, stop.note = outcome, clean("note", told.note)[:NOTE_MOST]
    stop.told_at, stop.received_at, stop.told_by, stop.change_id = (
        min(told.at, who.now),
        who.now,
        who.user_id,
        told.change_id,
    )
    stop.position = point(*told.position) if told.position else None
    with naming_violations(session):
        session.flush()
    journal.write(session, who, str(outcome), "patrol", patrol.id, version=patrol.version, stop_id=stop.id, stop_no=stop.stop_no,
                  readings=len(stop.readings or []), out_of_band=stop.out_of_band)  # fmt: skip
    session.flush()


def end(
    session: Session, who: Who, scope: Scope, patrol_id: int, base_version: int | None, *, call_off: bool = False
) -> Patrol:
    """A patrol is over (what was not told of is missed), or is not walked at all. Raises PatrolOver, StaleVersion, Missing."""
    queries.patrol(session, scope, patrol_id)
    row = session.get_one(Patrol, patrol_id, with_for_update=True, populate_existing=True)
    check_version(row, base_version)
    if row.status != PatrolStatus.PLANNED:
        raise PatrolOver()
    row.status = PatrolStatus.CALLED_OFF if call_off else PatrolStatus.ENDED
    _note(session, who, "call_off" if call_off else "end", row)
    return row


def _note(session: Session, who: Who, verb: str, row: Patrol, **data: Any) -> None:
    session.flush()
    journal.write(session, who, verb, "patrol", row.id, version=row.version, on_day=row.on_day.isoformat(), **data)
    session.flush()
