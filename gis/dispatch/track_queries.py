"""What is asked about where crews were, and about the signs that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.dispatch.track_rules import Duty, Fix, PositionWhy

_KNOWN = text(
    """
    SELECT id, at, ST_X(position) AS lon, ST_Y(position) AS lat, accuracy_m, heading_deg, why, order_id, doubted
      FROM crew_position WHERE crew_id = :crew_id AND at BETWEEN :since AND :until ORDER BY at, id
    """
)
_DUTY = text(
    """
    SELECT lower(during) AS begins, upper(during) AS ends FROM shift
     WHERE crew_id = :crew_id AND during && tstzrange(:since, :until, '[]')
    UNION ALL
    SELECT assigned_at, ended_at FROM work_order
     WHERE crew_id = :crew_id AND assigned_at <= :until AND (ended_at IS NULL OR ended_at >= :since)
       AND status <> 'recalled'
    """
)
_SIGNS = text(
    """
    SELECT crew.id, crew.position_off_at,
           (SELECT max(d.last_seen_at) FROM app_user u JOIN device d ON d.user_id = u.id
             WHERE u.crew_id = crew.id AND d.revoked_at IS NULL) AS seen_at
      FROM crew WHERE crew.id = ANY(:ids)
    """
)


def known(session: Session, crew_id: int, since: datetime, until: datetime) -> tuple[list[Fix], list[Fix]]:
    """Where was this crew in that time? Believed points, and doubted ones, by time."""
    rows = session.execute(_KNOWN, {"crew_id": crew_id, "since": since, "until": until}).all()
    fixes = [
        (r.doubted, Fix(r.id, r.at, r.lon, r.lat, r.accuracy_m, r.heading_deg, PositionWhy(r.why), r.order_id))
        for r in rows
    ]
    return [fix for doubted, fix in fixes if not doubted], [fix for doubted, fix in fixes if doubted]


def duty(session: Session, crew_id: int, since: datetime, until: datetime) -> Duty:
    """When in that time was this crew on shift or had an order?"""
    rows = session.execute(_DUTY, {"crew_id": crew_id, "since": since, "until": until})
    return Duty([(row.begins, row.ends) for row in rows])


def own_orders(session: Session, crew_id: int, ids: Sequence[int]) -> set[int]:
    """Which of these orders are this crew's?"""
    asked = text("SELECT id FROM work_order WHERE crew_id = :crew_id AND id = ANY(:ids)")
    return set(session.scalars(asked, {"crew_id": crew_id, "ids": list(ids)}))


@dataclass(frozen=True)
class Sign:
    """When a crew's phone last called, and since when its people do not say where they are."""

    seen_at: datetime | None = None
    off_at: datetime | None = None


def signs(session: Session, ids: Sequence[int]) -> Mapping[int, Sign]:
    """What signs have these crews given?"""
    return {row.id: Sign(row.seen_at, row.position_off_at) for row in session.execute(_SIGNS, {"ids": list(ids)})}


def on_duty(session: Session, crew_id: int, now: datetime) -> bool:
    """Is this crew on shift?"""
    asked = text("SELECT EXISTS (SELECT FROM shift WHERE crew_id = :id AND during @> CAST(:now AS timestamptz))")
    return bool(session.scalar(asked, {"id": crew_id, "now": now}))


def told(fixes: Sequence[Fix]) -> list[dict[str, Any]]:
    """A track as a page gets it."""
    return [
        {"at": f.at.isoformat(), "lon": f.lon, "lat": f.lat, "accuracy_m": f.accuracy_m, "why": str(f.why),
         "order_id": f.order_id} for f in fixes
    ]  # fmt: skip
