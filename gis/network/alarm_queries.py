"""What is asked about alarms and their rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.network.reading_model import Alarm, AlarmRule, MeasuringPoint
from gis.network.reading_queries import MINE, narrowed
from gis.network.watching import Read
from gis.people.rules import Scope

OTHER_BACK = timedelta(hours=24)  # so far back is an outdoor temperature looked for, where none came meanwhile
# The readings of the last `minutes` before a point's newest one, and the one before them: what lasted longer is whole then.
_TAILS = text(
    """
    SELECT g.point_id, t.at, t.value
      FROM unnest(CAST(:points AS integer[]), CAST(:minutes AS integer[])) AS g (point_id, minutes)
      JOIN LATERAL (SELECT at FROM reading WHERE point_id = g.point_id AND at <= :until ORDER BY at DESC LIMIT 1) newest ON true
      JOIN LATERAL (
           (SELECT at, value FROM reading
             WHERE point_id = g.point_id AND at <= newest.at AND at > newest.at - make_interval(mins => g.minutes))
           UNION ALL
           (SELECT at, value FROM reading
             WHERE point_id = g.point_id AND at <= newest.at - make_interval(mins => g.minutes) ORDER BY at DESC LIMIT 1)) t ON true
     ORDER BY g.point_id, t.at
    """
)
_LIST = """
    SELECT a.id, a.version, a.kind, a.way, a.opened_at, a.noticed_at, a.cleared_at, a.acknowledged_at, a.value, a.cleared_value,
           a.wanted, a.note, p.id AS point_id, p.code, p.name AS point, p.quantity, p.side, p.place, s.id AS station_id,
           s.name AS station, u.name AS unit, r.source, r.synthetic, k.full_name AS acknowledged_by, count(*) OVER () AS total
      FROM alarm a JOIN measuring_point p ON p.id = a.point_id JOIN alarm_rule r ON r.id = a.rule_id
      LEFT JOIN station s ON s.id = p.station_id LEFT JOIN unit u ON u.id = coalesce(p.unit_id, s.unit_id)
      LEFT JOIN app_user k ON k.id = a.acknowledged_by
     WHERE {mine} AND (CAST(:kind AS text) IS NULL OR a.kind = :kind)
       AND (CAST(:station_id AS bigint) IS NULL OR p.station_id = :station_id)
       AND CASE CAST(:state AS text) WHEN 'open' THEN a.cleared_at IS NULL
                WHEN 'new' THEN a.cleared_at IS NULL AND a.acknowledged_at IS NULL
                WHEN 'acknowledged' THEN a.cleared_at IS NULL AND a.acknowledged_at IS NOT NULL
                WHEN 'cleared' THEN a.cleared_at IS NOT NULL ELSE true END
     ORDER BY a.cleared_at IS NOT NULL, a.acknowledged_at IS NOT NULL, a.opened_at DESC, a.id DESC
     OFFSET :start LIMIT :limit
"""
_ONE = text(f"""
    SELECT a.id FROM alarm a JOIN measuring_point p ON p.id = a.point_id LEFT JOIN station s ON s.id = p.station_id
     WHERE a.id = :id AND {MINE}
""")


@dataclass(frozen=True)
class Asked:
    """Which alarms: `state` is open, new, acknowledged, cleared, or all."""

    state: str = "open"
    kind: str | None = None
    station_id: int | None = None
    start: int = 0
    limit: int = 100


def alarms(session: Session, scope: Scope, asked: Asked) -> list[dict[str, Any]]:
    """Which alarms are there: the open ones that nobody took note of first, then the newest?"""
    found = session.execute(text(_LIST.format(mine=MINE)), {**vars(asked), **narrowed(scope)})
    return [dict(row) for row in found.mappings()]


def locked(session: Session, scope: Scope, alarm_id: int) -> Alarm:
    """One alarm within the scope, to be changed. Raises Missing."""
    if session.scalar(_ONE, {"id": alarm_id, **narrowed(scope)}) is None:
        raise Missing(thing="alarm", id=alarm_id)
    return session.scalars(
        select(Alarm).where(Alarm.id == alarm_id).with_for_update(), execution_options={"populate_existing": True}
    ).one()


def rules_of_day(session: Session, day: date) -> Sequence[AlarmRule]:
    """Which rules of points in use hold on this day?"""
    asked = select(AlarmRule).join(MeasuringPoint, MeasuringPoint.id == AlarmRule.point_id)
    asked = asked.where(AlarmRule.valid.contains(day), MeasuringPoint.active).order_by(AlarmRule.id)
    return session.scalars(asked).all()


def open_alarms(session: Session) -> Mapping[tuple[int, str], Alarm]:
    """Every open alarm, by point and kind."""
    found = session.scalars(
        select(Alarm).where(Alarm.cleared_at.is_(None)).with_for_update(), execution_options={"populate_existing": True}
    )
    return {(alarm.point_id, alarm.kind): alarm for alarm in found}


def tails(session: Session, spans: Mapping[int, int], until: datetime) -> dict[int, list[Read]]:
    """The last readings of these points (point → minutes), oldest first, none after `until`."""
    found: dict[int, list[Read]] = defaultdict(list)
    asked = {"points": list(spans), "minutes": list(spans.values()), "until": until}
    for row in session.execute(_TAILS, asked):
        found[row.point_id].append((row.at, row.value))
    return found


def rules_of_points(session: Session, points: Collection[int]) -> Sequence[AlarmRule]:
    """Every rule that these points have or had, the newest first."""
    asked = select(AlarmRule).where(AlarmRule.point_id.in_(points))
    return session.scalars(
        asked.order_by(AlarmRule.point_id, AlarmRule.kind, AlarmRule.id.desc()), execution_options={"populate_existing": True}
    ).all()  # fmt: skip
