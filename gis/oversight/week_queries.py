"""What is asked about a themed week: the weeks, and its calls by day and by station. Rates and targets are `week_board`'s."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Complaint
from gis.complaints.queries import is_open
from gis.complaints.rules import Complexity
from gis.errors import Missing
from gis.network.model import HeatSource, Station
from gis.network.serving import served
from gis.oversight.counting_queries import NOT_FILED, Asked
from gis.oversight.outreach_queries import on_site_visits
from gis.oversight.periods import Span
from gis.oversight.week_model import ThemedWeek, WeekTarget
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.queries import within

Row = Mapping[str, Any]


def weeks(session: Session) -> list[ThemedWeek]:
    """All themed weeks, the newest first."""
    return list(session.scalars(select(ThemedWeek).order_by(ThemedWeek.first.desc(), ThemedWeek.id.desc())))


def week(session: Session, week_id: int) -> ThemedWeek:
    """One week, or Missing."""
    row = session.get(ThemedWeek, week_id) if week_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="themed week", id=week_id)
    return row


def week_of(session: Session, today: date) -> ThemedWeek | None:
    """Which week is it: the one that runs today, else the next to come, else the last?"""
    coming = select(ThemedWeek).where(ThemedWeek.last >= today).order_by(ThemedWeek.first, ThemedWeek.id).limit(1)
    last = select(ThemedWeek).order_by(ThemedWeek.last.desc(), ThemedWeek.id.desc()).limit(1)
    return session.scalars(coming).first() or session.scalars(last).first()


def targets(session: Session, week_id: int) -> dict[str, WeekTarget]:
    """What a week is to reach, by key."""
    return {row.key: row for row in session.scalars(select(WeekTarget).where(WeekTarget.week_id == week_id))}


def _received(asked: Asked, span: Span) -> list[Any]:
    return [Complaint.received_at >= span.since, Complaint.received_at < span.until, *asked.conditions()]


def by_day(session: Session, asked: Asked, span: Span, zone: str) -> dict[date, Row]:
    """On each day of the city: how many calls, how many ordinary matters, and how many of these were closed on the same day?"""
    day = func.date(func.timezone(zone, Complaint.received_at)).label("day")
    ordinary = and_(Complaint.complexity == Complexity.ORDINARY, Complaint.status.not_in(NOT_FILED))
    same = and_(
        ordinary,
        func.date(func.timezone(zone, Complaint.closed_at)) == func.date(func.timezone(zone, Complaint.received_at)),
    )
    found = (
        select(day, func.count().label("calls"), func.count().filter(ordinary).label("ordinary"),
               func.count().filter(same).label("same_day"))
        .where(*_received(asked, span)).group_by(day).order_by(day)
    )  # fmt: skip
    return {row["day"]: dict(row) for row in session.execute(found).mappings()}


def by_station(session: Session, asked: Asked, span: Span) -> dict[int | None, Row]:
    """How many calls from the compounds of each station, and how many are still open? None: from no station's compound.

    Where several stations serve a compound, a call counts for the one that serves nearest to it.
    """
    serving = served()
    station = (
        select(serving.c.station_id)
        .where(serving.c.area_id == Complaint.compound_id)
        .order_by(func.ST_Distance(serving.c.geom, Complaint.geom), serving.c.station_id)
        .limit(1)
        .scalar_subquery()
    )
    told = select(station.label("station_id"), is_open().label("open")).where(*_received(asked, span)).subquery()
    found = select(
        told.c.station_id, func.count().label("calls"), func.count().filter(told.c.open).label("open")
    ).group_by(told.c.station_id)
    return {row["station_id"]: dict(row) for row in session.execute(found).mappings()}


def stations(session: Session, scope: Scope) -> list[Row]:
    """The stations that this person may see, with who runs them, who heats them, and how many households they serve."""
    heater = aliased(Unit)
    asked = (
        select(
            Station.id, Station.name, Station.code, Station.operator, Station.households, Station.unit_id, Station.synthetic,
            Unit.name.label("unit"), heater.id.label("company_id"), heater.name.label("company"),
            func.ST_X(Station.geom).label("lon"), func.ST_Y(Station.geom).label("lat"),
        )
        .outerjoin(Unit, Unit.id == Station.unit_id)
        .outerjoin(HeatSource, HeatSource.id == Station.source_id)
        .outerjoin(heater, heater.id == HeatSource.unit_id)
    )  # fmt: skip
    mine = within(scope)
    if mine is not None:
        asked = asked.where(Station.area_id.in_(mine))
    if scope.unit_id is not None:
        asked = asked.where(Station.unit_id == scope.unit_id)
    return [dict(row) for row in session.execute(asked.order_by(Station.name, Station.id)).mappings()]


def supervisions(session: Session, scope: Scope, since: datetime, until: datetime) -> list[Row]:
    """The on-site supervisions of a period with what they found and solved, the newest first."""
    made = on_site_visits(scope, since, until)
    asked = (
        select(made, Station.name.label("station"), Unit.name.label("unit"))
        .outerjoin(Station, Station.id == made.c.station_id)
        .outerjoin(Unit, Unit.id == made.c.unit_id)
        .order_by(made.c.at.desc(), made.c.id.desc())
    )
    return [dict(row) for row in session.execute(asked).mappings()]
