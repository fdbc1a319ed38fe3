"""What is asked about patrols: the patrols and their stops, what a phone carries along, and which stations nobody visits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.inspections.patrol_model import Patrol, PatrolStop
from gis.inspections.patrol_rules import Band
from gis.network.alarm_queries import rules_of_points
from gis.network.reading_model import AlarmRule, MeasuringPoint
from gis.network.reading_rules import AlarmKind, PointSide, Quantity
from gis.network.watching import Read, Rule, limits
from gis.people.model import User
from gis.people.rules import PHONE, Scope
from gis.places.queries import within

# A stop belongs to the area of its station, or of its point.
_INSIDE = """
    (CAST(:area_id AS bigint) IS NULL OR coalesce(p.area_id, s.area_id) IN (
        WITH RECURSIVE inside AS (SELECT id FROM area WHERE id = :area_id
            UNION ALL SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside))
"""
_PLACES = """
    FROM patrol_stop t LEFT JOIN measuring_point p ON p.id = t.point_id
    LEFT JOIN station s ON s.id = coalesce(t.station_id, p.station_id)
"""
_SEEN = f"EXISTS (SELECT 1 {_PLACES} WHERE t.patrol_id = r.id AND {_INSIDE})"
_PATROLS = f"""
    SELECT r.id, r.name, r.on_day, r.status, r.note, r.version, r.synthetic, r.user_id, u.full_name AS person,
           c.stops, c.visited, c.skipped, c.out_of_band, c.readings
      FROM patrol r JOIN app_user u ON u.id = r.user_id
      CROSS JOIN LATERAL (SELECT count(*) AS stops, count(*) FILTER (WHERE outcome = 'visited') AS visited,
             count(*) FILTER (WHERE outcome = 'skipped') AS skipped, coalesce(sum(out_of_band), 0) AS out_of_band,
             coalesce(sum(jsonb_array_length(readings)), 0) AS readings FROM patrol_stop WHERE patrol_id = r.id) c
     WHERE {_SEEN}
"""
_STOPS = text(
    f"""
    SELECT t.id, t.patrol_id, t.station_id, t.point_id, t.stop_no, t.travel_s, t.outcome, t.told_at, t.received_at, t.note, t.readings,
           t.out_of_band, t.version, coalesce(p.name, s.name) AS name, s.operator, n.name AS unit, v.full_name AS told_by,
           ST_X(coalesce(p.geom, s.geom)) AS lon, ST_Y(coalesce(p.geom, s.geom)) AS lat
      {_PLACES} LEFT JOIN unit n ON n.id = s.unit_id LEFT JOIN app_user v ON v.id = t.told_by
     WHERE t.patrol_id = ANY(:patrols) ORDER BY t.patrol_id, t.stop_no, t.id
    """
)
_COVERAGE = text(
    """
    SELECT s.id, s.name, s.operator, n.name AS unit, count(p.id) AS points, l.told_at AS last_at, l.patrol_id,
           (SELECT min(r.on_day) FROM patrol_stop t JOIN patrol r ON r.id = t.patrol_id
             WHERE t.station_id = s.id AND t.outcome IS NULL AND r.status = 'planned' AND r.on_day >= :today) AS next_on
      FROM station s LEFT JOIN unit n ON n.id = s.unit_id
      LEFT JOIN measuring_point p ON p.station_id = s.id AND p.active
      LEFT JOIN LATERAL (SELECT t.told_at, t.patrol_id FROM patrol_stop t
            WHERE t.station_id = s.id AND t.outcome = 'visited' ORDER BY t.told_at DESC, t.id DESC LIMIT 1) l ON true
     WHERE CAST(:area_id AS bigint) IS NULL OR s.area_id IN (
        WITH RECURSIVE inside AS (SELECT id FROM area WHERE id = :area_id
            UNION ALL SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside)
     GROUP BY s.id, n.name, l.told_at, l.patrol_id
     ORDER BY l.told_at NULLS FIRST, s.name, s.id
    """
)
_LAST = text(
    """
    SELECT g.point_id, r.at, r.value FROM unnest(CAST(:points AS integer[])) AS g (point_id)
     CROSS JOIN LATERAL (SELECT at, value FROM reading WHERE reading.point_id = g.point_id AND at <= :now ORDER BY at DESC LIMIT 1) r
    """
)


def patrols(session: Session, scope: Scope, since: date) -> Sequence[RowMapping]:
    """The patrols from a day on, the newest first, with how far each is."""
    asked = text(f"{_PATROLS} AND r.on_day >= :since ORDER BY r.on_day DESC, r.id DESC LIMIT 500")
    return session.execute(asked, {"area_id": scope.area_id, "since": since}).mappings().all()


def patrol(session: Session, scope: Scope, patrol_id: int) -> RowMapping:
    """One patrol, or Missing."""
    asked = text(f"{_PATROLS} AND r.id = :id")
    number = patrol_id if patrol_id < 1 << 62 else 0
    row = session.execute(asked, {"area_id": scope.area_id, "id": number}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="patrol", id=patrol_id)
    return row


def stops(session: Session, patrols: Collection[int]) -> Sequence[RowMapping]:
    """The stops of these patrols, in the order they are walked."""
    return session.execute(_STOPS, {"patrols": sorted(patrols)}).mappings().all()


def carried(session: Session, user_id: int, first: date, last: date) -> list[Patrol]:
    """The patrols that somebody walks on these days; one that was called off is none."""
    asked = select(Patrol).where(
        Patrol.user_id == user_id, Patrol.on_day.between(first, last), Patrol.status != "called_off"
    )
    return list(session.scalars(asked.order_by(Patrol.on_day, Patrol.id)))


def stop_locked(session: Session, user_id: int, stop_id: int) -> tuple[PatrolStop, Patrol]:
    """A stop of a patrol that this person walks, to be told of, or Missing."""
    asked = select(PatrolStop, Patrol).join(Patrol, Patrol.id == PatrolStop.patrol_id)
    asked = asked.where(PatrolStop.id == stop_id, Patrol.user_id == user_id).with_for_update()
    found = session.execute(asked, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise Missing(thing="patrol stop", id=stop_id)
    return found[0], found[1]


def points_of(session: Session, stations: Collection[int], points: Collection[int]) -> list[MeasuringPoint]:
    """The measuring points that are read at these stations, and these points themselves, in the order in which one walks them."""
    asked = select(MeasuringPoint).where(
        MeasuringPoint.active, MeasuringPoint.station_id.in_(stations) & (MeasuringPoint.side != "room") | MeasuringPoint.id.in_(points)
    )  # fmt: skip
    sides, quantities = list(PointSide), list(Quantity)
    found = session.scalars(asked.order_by(MeasuringPoint.code))
    return sorted(found, key=lambda p: (sides.index(PointSide(p.side)), quantities.index(Quantity(p.quantity)), p.code))


def single_points(session: Session, scope: Scope) -> list[MeasuringPoint]:
    """Points with a place of their own that are read at no station: rooms, mains, outdoors. Each is a stop."""
    asked = select(MeasuringPoint).where(
        MeasuringPoint.active, MeasuringPoint.geom.isnot(None), MeasuringPoint.side.in_(("room", "main", "outdoor"))
    )
    mine = within(scope)
    if mine is not None:
        asked = asked.where(MeasuringPoint.area_id.in_(mine))
    return list(session.scalars(asked.order_by(MeasuringPoint.name, MeasuringPoint.id).limit(500)))


def last_readings(session: Session, points: Collection[int], now: datetime) -> dict[int, Read]:
    """The last reading of each of these points."""
    rows = session.execute(_LAST, {"points": sorted(points), "now": now})
    return {row.point_id: (row.at, row.value) for row in rows}


def bands(session: Session, points: Collection[int], day: date, now: datetime) -> dict[int, list[Band]]:
    """Between what each point should be on a day: its bands, and its curves at the outdoor temperature last read."""
    rules = [
        rule for rule in rules_of_points(session, points)
        if rule.kind in (AlarmKind.BAND, AlarmKind.CURVE) and day in rule.valid
    ]  # fmt: skip
    beside = last_readings(session, {rule.other_id for rule in rules if rule.other_id is not None}, now)
    found: dict[int, list[Band]] = {}
    for rule in rules:
        band = _band(rule, beside, now)
        if band is not None:
            found.setdefault(rule.point_id, []).append(band)
    return found


def _band(rule: AlarmRule, beside: Mapping[int, Read], now: datetime) -> Band | None:
    other = beside.get(rule.other_id) if rule.other_id is not None else None
    knots = tuple((float(x), float(y)) for x, y in rule.knots or ())
    told = limits(Rule(AlarmKind(rule.kind), rule.low, rule.high, knots), now, [other] if other else [])
    if told is None:
        return None
    return Band(str(rule.kind), told[0], told[1], rule.source, other[1] if other else None)


def coverage(session: Session, scope: Scope, today: date) -> Sequence[RowMapping]:
    """Every station with when it was last visited on a patrol, and when it will be: those never visited first."""
    return session.execute(_COVERAGE, {"area_id": scope.area_id, "today": today}).mappings().all()


def walkers(session: Session, scope: Scope) -> list[User]:
    """Who can walk a patrol: people with a phone's role, of the same area."""
    asked = select(User).where(User.active, User.role.in_(sorted(PHONE)))
    if scope.area_id is not None:
        asked = asked.where(User.area_id == scope.area_id)
    return list(session.scalars(asked.order_by(User.full_name, User.id)))
