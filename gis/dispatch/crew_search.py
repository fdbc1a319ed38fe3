"""Which crews are near, can be sent, or may be seen at all: the questions of `queries.py` that search among many crews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import TextClause

from gis.dispatch.model import Crew
from gis.people.rules import CITY, Scope

# Which crews a scope shows: its unit's; its area's, those of the areas within it, and those that stand there now.
_VISIBLE = """
    (CAST(:unit AS bigint) IS NULL OR c.unit_id = :unit)
    AND (CAST(:area AS bigint) IS NULL OR c.area_id = ANY(CAST(:within AS bigint[]))
         OR ST_Covers((SELECT geom FROM area WHERE id = :area), c.position))
    AND (CAST(:crew AS bigint) IS NULL OR c.id = :crew)
"""
# Who can be sent now without any "but": in service, trained and certified on the day, on shift, free.
_AVAILABLE = """
    c.active AND (c.kind <> 'volunteer' OR :for_volunteers)
    AND EXISTS (SELECT FROM crew_skill s WHERE s.crew_id = c.id AND s.skill = :skill
                AND (s.valid_from IS NULL OR s.valid_from <= :day) AND (s.valid_to IS NULL OR s.valid_to >= :day))
    AND EXISTS (SELECT FROM shift h WHERE h.crew_id = c.id AND h.during @> CAST(:now AS timestamptz))
    AND NOT EXISTS (SELECT FROM work_order w WHERE w.crew_id = c.id AND w.status IN ('assigned','accepted','arrived')
                    AND lower(w.during) <= :now)
"""
_POINT = "ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)"
_METRES = f"ST_DistanceSphere(c.position, {_POINT})"
_BOX = f"ST_Expand({_POINT}, :m / (110500.0 * greatest(cos(radians(least(abs(:lat) + :m / 110500.0, 89))), 0.01)), :m / 110500.0)"


@dataclass(frozen=True)
class Need:
    """What a crew must be good for. `available=False` asks for every crew, whatever speaks against it."""

    skill: str
    day: date
    for_volunteers: bool = False
    available: bool = True


@dataclass(frozen=True)
class Near:
    """A crew, where it stands, and how far that is in a straight line."""

    id: int
    lon: float
    lat: float
    metres: float


def _params(session: Session, scope: Scope, need: Need | None, now: datetime, **more: Any) -> dict[str, Any]:
    inner = areas_within(session, scope.area_id) if scope.area_id is not None else None
    given = {"unit": scope.unit_id, "area": scope.area_id, "crew": scope.crew_id, "within": inner, "now": now} | more
    if need is not None and need.available:
        given |= {"skill": need.skill, "day": need.day, "for_volunteers": need.for_volunteers}
    return given


def _where(need: Need) -> str:
    return f"{_VISIBLE} AND {_AVAILABLE}" if need.available else _VISIBLE


def areas_within(session: Session, area_id: int) -> list[int]:
    """An area and all that lie in it."""
    found = session.scalars(
        text(
            """
            WITH RECURSIVE down AS (SELECT id FROM area WHERE id = :id
                                    UNION ALL SELECT a.id FROM area a JOIN down d ON a.parent_id = d.id)
            SELECT id FROM down
            """
        ),
        {"id": area_id},
    )
    return list(found)


def nearest(
    session: Session, lon: float, lat: float, need: Need, scope: Scope, now: datetime, limit: int
) -> list[Near]:
    """Which crews stand nearest in a straight line?

    The index orders by degrees, which are not metres: the first `limit` of it give a radius, and within that box the
    metres decide. The answer is exact.
    """
    where = _where(need)
    question = text(
        f"""
        WITH first AS MATERIALIZED (
            SELECT {_METRES} AS m FROM crew c WHERE {where} ORDER BY c.position <-> {_POINT} LIMIT :limit),
        reach AS (SELECT max(m) AS m FROM first)
        SELECT c.id, ST_X(c.position) AS lon, ST_Y(c.position) AS lat, {_METRES} AS metres
          FROM crew c, reach
         WHERE c.position && {_BOX.replace(":m", "reach.m")} AND {where}
         ORDER BY metres, c.id LIMIT :limit
        """
    )
    return _nears(session, question, _params(session, scope, need, now, lon=lon, lat=lat, limit=limit))


def within(
    session: Session, lon: float, lat: float, metres: float, need: Need, scope: Scope, now: datetime
) -> list[Near]:
    """Which crews stand within so many metres, the nearest first?"""
    question = text(
        f"""
        SELECT c.id, ST_X(c.position) AS lon, ST_Y(c.position) AS lat, {_METRES} AS metres
          FROM crew c WHERE c.position && {_BOX} AND {_METRES} <= :m AND {_where(need)}
         ORDER BY metres, c.id
        """
    )
    return _nears(session, question, _params(session, scope, need, now, lon=lon, lat=lat, m=metres))


def _nears(session: Session, question: TextClause, params: dict[str, Any]) -> list[Near]:
    return [Near(row.id, row.lon, row.lat, row.metres) for row in session.execute(question, params)]


def anywhere(session: Session, need: Need, scope: Scope, now: datetime, limit: int) -> list[int]:
    """Which crews, where the place is not known: those with the least to do."""
    question = text(
        f"""
        SELECT c.id FROM crew c WHERE {_where(need)}
         ORDER BY (SELECT count(*) FROM work_order w WHERE w.crew_id = c.id AND w.status IN ('assigned','accepted','arrived')),
                  c.id LIMIT :limit
        """
    )
    return list(session.scalars(question, _params(session, scope, need, now, limit=limit)))


def crew_ids(session: Session, scope: Scope, now: datetime) -> list[int]:
    """Which crews in service does this scope show?"""
    found = session.scalars(
        text(f"SELECT c.id FROM crew c WHERE c.active AND {_VISIBLE} ORDER BY c.id"), _params(session, scope, None, now)
    )
    return list(found)


def crew_in_scope(session: Session, crew_id: int, scope: Scope, now: datetime) -> Crew | None:
    """This crew, if the scope shows it."""
    if scope != CITY:
        params = _params(session, scope, None, now, id=crew_id)
        if session.scalar(text(f"SELECT c.id FROM crew c WHERE c.id = :id AND {_VISIBLE}"), params) is None:
            return None
    return session.get(Crew, crew_id)
