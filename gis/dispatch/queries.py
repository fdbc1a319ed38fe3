"""What is asked about crews and work orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import visible
from gis.dispatch.model import Crew, WorkOrder
from gis.dispatch.rules import BOOKING, STOP_REACH_M
from gis.errors import Missing
from gis.people.model import User
from gis.people.rules import Scope
from gis.places.queries import within
from gis.prepared import Prepared
from gis.tiles import Tile, draw

_CREWS = """
    SELECT id AS fid, id, name, kind, unit_id, heading_deg AS heading, synthetic, position AS geom_4326,
           round(position_accuracy_m) AS accuracy_m, greatest(0, floor(extract(epoch FROM CAST(:now AS timestamptz) - position_at) / 60))::int AS age_min,
           position_off_at IS NOT NULL AS hidden,
           CASE WHEN NOT EXISTS (SELECT FROM shift WHERE crew_id = crew.id AND during @> CAST(:now AS timestamptz))
                THEN 'off_shift'
                WHEN position_at < :silent_since
                     AND EXISTS (SELECT FROM work_order WHERE crew_id = crew.id AND lower(during) <= :now
                                    AND status IN ('assigned', 'accepted', 'arrived'))
                     AND coalesce((SELECT max(d.last_seen_at) FROM app_user u JOIN device d ON d.user_id = u.id
                                    WHERE u.crew_id = crew.id AND d.revoked_at IS NULL), '-infinity') < :silent_since
                THEN 'silent'
                WHEN position_at < :fresh_since THEN 'stale'
                WHEN EXISTS (SELECT FROM work_order WHERE crew_id = crew.id AND lower(during) <= :now
                                AND status IN ('assigned', 'accepted', 'arrived')) THEN 'busy'
                ELSE 'free' END AS state
      FROM crew
     WHERE active AND position && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND (CAST(:unit_id AS bigint) IS NULL OR unit_id = :unit_id)
       AND (CAST(:area_id AS bigint) IS NULL OR area_id = :area_id
            OR EXISTS (SELECT FROM area WHERE area.id = :area_id AND ST_Intersects(area.geom, crew.position)))
     ORDER BY id LIMIT 5000
"""


def crew_tile(
    session: Session, tile: Tile, scope: Scope, now: datetime, fresh_since: datetime, silent_since: datetime
) -> bytes:
    """Which crews are in this square (of the person's unit; in or responsible for the person's area), free, busy, silent?"""
    return draw(
        session, "crews", tile, _CREWS, buffer=0, now=now, fresh_since=fresh_since,
        silent_since=silent_since, area_id=scope.area_id,
        unit_id=scope.unit_id,
    )  # fmt: skip


def running_orders(session: Session, complaint_ids: list[int]) -> dict[int, Mapping[str, Any]]:
    """Which order is under way for each of these complaints, and whose is it?"""
    if not complaint_ids:
        return {}
    asked = select(
        WorkOrder.id, WorkOrder.order_no, WorkOrder.complaint_id, WorkOrder.crew_id, Crew.name.label("crew"),
        WorkOrder.status, func.lower(WorkOrder.during).label("start"), func.upper(WorkOrder.during).label("end"),
        WorkOrder.assigned_at, WorkOrder.locked, WorkOrder.lapsed_at, WorkOrder.minutes, WorkOrder.metres, WorkOrder.by, WorkOrder.version,
    ).join(Crew, Crew.id == WorkOrder.crew_id)  # fmt: skip
    asked = asked.where(WorkOrder.complaint_id.in_(complaint_ids), WorkOrder.status.in_(BOOKING))
    return {row["complaint_id"]: dict(row) for row in session.execute(asked).mappings()}


_MATTER = Prepared(
    """
    SELECT ST_X(k.geom) AS lon, ST_Y(k.geom) AS lat, g.skill, g.work_min
      FROM complaint k JOIN category g ON g.code = k.category WHERE k.id = :id
    """,
    id="bigint",
)


@dataclass(frozen=True)
class Matter:
    """What a complaint asks for: where (if that is known), which skill, how long it usually takes."""

    lon: float | None
    lat: float | None
    skill: str
    work_min: int


def matter(session: Session, complaint_id: int) -> Matter:
    """What is to be done for this complaint, and where?"""
    (row,) = _MATTER.rows(session, id=complaint_id)
    return Matter(row.lon, row.lat, row.skill, row.work_min)


_DECLINED = Prepared(
    """
    SELECT DISTINCT ON (crew_id) crew_id, return_reason FROM work_order
     WHERE complaint_id = :id AND (status = 'returned' OR (lapsed_at IS NOT NULL AND accepted_at IS NULL))
     ORDER BY crew_id, id DESC
    """,
    id="bigint",
)


def declined(session: Session, complaint_id: int) -> dict[int, str | None]:
    """Which crews gave this complaint back, and why? None: it let the time to accept pass."""
    return {row.crew_id: row.return_reason for row in _DECLINED.rows(session, id=complaint_id)}


# Where works are stopped: the trigger on work orders asks the same.
STOPPED_THERE = """
      stop_work w JOIN site s ON s.id = w.site_id AND w.lifted_at IS NULL
      JOIN complaint k ON s.geom && ST_Expand(k.geom, 0.001) AND ST_DWithin(s.geom::geography, k.geom::geography, :reach)
"""
_STOPS = Prepared(
    f"""
    SELECT w.id, w.stop_no AS no, w.stopped_at AS since, w.finding_id, s.name AS site, u.name AS unit, n.name AS contractor,
           array_remove(ARRAY[w.unit_id, w.contractor_id], NULL) AS bodies
      FROM {STOPPED_THERE}
      JOIN unit u ON u.id = w.unit_id LEFT JOIN unit n ON n.id = w.contractor_id
     WHERE k.id = :id ORDER BY w.id
    """,
    id="bigint", reach="float8",
)  # fmt: skip


def stops(session: Session, complaint_id: int) -> Sequence[Any]:
    """Which orders to stop works (停工令) hold at the place of a complaint, and for whose crews?"""
    return _STOPS.rows(session, id=complaint_id, reach=STOP_REACH_M)


_FACTS = Prepared(
    """
    SELECT c.id, c.name, c.kind, c.active, c.unit_id, u.name AS unit, c.area_id, c.position_at, c.position_accuracy_m,
           c.heading_deg, ST_X(c.position) AS lon, ST_Y(c.position) AS lat,
           (SELECT jsonb_agg(jsonb_build_array(s.skill, s.valid_from, s.valid_to)) FROM crew_skill s
             WHERE s.crew_id = c.id) AS skills,
           (SELECT jsonb_agg(jsonb_build_array(extract(epoch FROM lower(h.during)), extract(epoch FROM upper(h.during))))
              FROM shift h WHERE h.crew_id = c.id AND h.during && tstzrange(:now, :horizon)) AS shifts,
           (SELECT jsonb_agg(jsonb_build_array(extract(epoch FROM lower(w.during)), extract(epoch FROM upper(w.during)),
                                               w.order_no, ST_X(k.geom), ST_Y(k.geom)) ORDER BY lower(w.during))
              FROM work_order w JOIN complaint k ON k.id = w.complaint_id
             WHERE w.crew_id = c.id AND w.status IN ('assigned','accepted','arrived')) AS orders,
           (SELECT jsonb_build_array(coalesce(bu.name, nullif(bp.full_name, ''), bp.name), extract(epoch FROM upper(b.during)))
              FROM blacklisting b LEFT JOIN unit bu ON bu.id = b.unit_id LEFT JOIN app_user bp ON bp.id = b.user_id AND bp.active
             WHERE b.during @> :now AND (b.unit_id = c.unit_id OR bp.crew_id = c.id) ORDER BY b.id LIMIT 1) AS blacklisted
      FROM crew c LEFT JOIN unit u ON u.id = c.unit_id
     WHERE c.id = ANY(:ids)
    """,
    ids="bigint[]", now="timestamptz", horizon="timestamptz",
)  # fmt: skip


@dataclass(frozen=True)
class Booking:
    """An open order of a crew: when, and where it ends."""

    start: datetime
    end: datetime
    order_no: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Facts:
    """Everything about one crew that a ranking or a list needs, read in one question."""

    id: int
    name: str
    kind: str
    active: bool
    unit_id: int | None
    unit: str | None
    area_id: int | None
    lon: float
    lat: float
    position_at: datetime
    position_accuracy_m: float | None
    heading_deg: float | None
    skills: tuple[tuple[str, date | None, date | None], ...]
    shifts: tuple[tuple[datetime, datetime], ...]
    bookings: tuple[Booking, ...]
    blacklisted: tuple[str, datetime | None] | None = None


def facts(session: Session, ids: Sequence[int], now: datetime, horizon: datetime) -> dict[int, Facts]:
    """What is known about these crews: skills, shifts up to the horizon, open orders?"""
    rows = _FACTS.rows(session, ids=list(ids), now=now, horizon=horizon)
    return {row.id: _fact(row, now, horizon) for row in rows}


def _fact(row: Any, now: datetime, horizon: datetime) -> Facts:
    def moment(seconds: float | None, otherwise: datetime) -> datetime:
        return otherwise if seconds is None else datetime.fromtimestamp(float(seconds), UTC)

    def end(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)

    def day(value: str | None) -> date | None:
        return None if value is None else date.fromisoformat(value)

    return Facts(
        row.id, row.name, row.kind, row.active, row.unit_id, row.unit, row.area_id, row.lon, row.lat, row.position_at,
        row.position_accuracy_m, row.heading_deg,
        tuple((skill, day(since), day(until)) for skill, since, until in row.skills or ()),
        tuple((moment(start, now), moment(end, horizon)) for start, end in row.shifts or ()),
        tuple(Booking(moment(a, now), moment(b, horizon), no, x, y) for a, b, no, x, y in row.orders or ()),
        (row.blacklisted[0], end(row.blacklisted[1])) if row.blacklisted else None,
    )  # fmt: skip


def crews(session: Session, scope: Scope) -> list[Crew]:
    """The active crews of the areas and unit this person may see, by name: to say whose orders somebody carries out."""
    question = select(Crew).where(Crew.active).order_by(Crew.name, Crew.id)
    if (inside := within(scope)) is not None:
        question = question.where(Crew.area_id.in_(inside))
    if scope.unit_id is not None:
        question = question.where(Crew.unit_id == scope.unit_id)
    return list(session.scalars(question))


def crew_called(session: Session, text_: str) -> Crew:
    """The crew with this code, or the only one with this name."""
    found = list(session.scalars(select(Crew).where((Crew.code == text_) | (Crew.name == text_)).limit(2)))
    if len(found) != 1:
        raise Missing(thing="crew", id=text_)
    return found[0]


def open_order(session: Session, complaint_id: int) -> WorkOrder | None:
    """The order under way for this complaint?"""
    return session.scalar(
        select(WorkOrder).where(WorkOrder.complaint_id == complaint_id, WorkOrder.status.in_(BOOKING))
    )


def orders_of_crew(session: Session, crew_id: int) -> list[WorkOrder]:
    """What is this crew to do? Its open orders, the first to be done first."""
    found = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.crew_id == crew_id, WorkOrder.status.in_(BOOKING))
        .order_by(func.lower(WorkOrder.during), WorkOrder.id)
    )
    return list(found)


def order_in_scope(session: Session, order_id: int, scope: Scope) -> WorkOrder | None:
    """This order, if the scope shows its complaint."""
    question = select(WorkOrder).join(Complaint, Complaint.id == WorkOrder.complaint_id)
    question = question.where(WorkOrder.id == order_id, *visible(scope))
    return session.scalar(question)


_SINCE = text(
    """
    SELECT verb, data ->> 'before' IS DISTINCT FROM data ->> 'after' AS moved FROM journal
     WHERE thing = 'work_order' AND thing_id = :id AND version > :version ORDER BY version, seq
    """
)


def steps_since(session: Session, order_id: int, version: int) -> tuple[bool, list[str]]:
    """Did the order's status move after this version, and what was done with it since?"""
    rows = session.execute(_SINCE, {"id": str(order_id), "version": version}).all()
    return any(row.moved for row in rows), [row.verb for row in rows] or ["edit"]


@dataclass(frozen=True)
class Holder:
    """Who has booked a crew, and when."""

    order_no: str
    start: datetime
    end: datetime
    booked_by: str


def holder(session: Session, crew_id: int, start: datetime, end: datetime) -> Holder | None:
    """Which open order holds this crew in that time, and who gave it?"""
    row = session.execute(
        select(WorkOrder.order_no, WorkOrder.during, User.full_name, User.name)
        .outerjoin(User, User.id == WorkOrder.assigned_by)
        .where(WorkOrder.crew_id == crew_id, WorkOrder.status.in_(BOOKING))
        .where(WorkOrder.during.op("&&")(func.tstzrange(start, end)))
        .order_by(func.lower(WorkOrder.during).desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Holder(row.order_no, row.during.lower, row.during.upper, row.full_name or row.name or "?")
