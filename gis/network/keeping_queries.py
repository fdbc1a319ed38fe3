"""What is asked to keep the networks: lists of valves and stations with what can be edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.network.reading_queries import STATION_MINE, narrowed
from gis.people.rules import Scope

_VALVES = text(
    """
    SELECT v.id, v.code, v.utility, v.kind, v.is_open, v.normally_open, v.reach, v.reach_note, v.reach_since_at, v.version,
           p.code AS pipeline, p.diameter_mm, ST_X(v.geom) AS lon, ST_Y(v.geom) AS lat, count(*) OVER () AS total
      FROM valve v LEFT JOIN pipeline p ON p.id = v.pipeline_id
     WHERE (:utility = '' OR v.utility = :utility)
       AND (:q = '' OR position(lower(:q) IN lower(v.code || ' ' || coalesce(p.code, ''))) > 0)
       AND (:only = '' OR :only = 'unreachable' AND v.reach = 'unreachable' OR :only = 'closed' AND NOT v.is_open
            OR :only = 'changed' AND v.is_open <> v.normally_open)
     ORDER BY v.reach = 'reachable', v.code, v.id OFFSET :start LIMIT :limit
    """
)
_STATIONS = text(
    f"""
    SELECT s.id, s.code, s.name, s.operator, s.unit_id, u.name AS unit, s.households, s.version, ST_X(s.geom) AS lon,
           ST_Y(s.geom) AS lat, count(*) OVER () AS total
      FROM station s LEFT JOIN unit u ON u.id = s.unit_id
     WHERE (:q = '' OR position(lower(:q) IN lower(s.name || ' ' || s.code)) > 0)
       AND (:only = '' OR s.operator = :only) AND {STATION_MINE}
     ORDER BY s.name, s.id OFFSET :start LIMIT :limit
    """
)


def valves(
    session: Session, *, utility: str = "", q: str = "", only: str = "", start: int = 0, limit: int = 50
) -> Sequence[Mapping[str, Any]]:
    """A page of valves, those out of reach first; `only` unreachable, closed, or standing other than normally."""
    asked = {"utility": utility, "q": q, "only": only, "start": start, "limit": limit}
    return [dict(row) for row in session.execute(_VALVES, asked).mappings()]


def stations(
    session: Session, scope: Scope, *, q: str = "", only: str = "", start: int = 0, limit: int = 50
) -> Sequence[Mapping[str, Any]]:
    """A page of stations that this person may see, with who runs them; `only` one kind of operator."""
    asked = {"q": q, "only": only, "start": start, "limit": limit, **narrowed(scope)}
    return [dict(row) for row in session.execute(_STATIONS, asked).mappings()]
