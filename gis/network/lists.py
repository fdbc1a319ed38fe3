"""The map's network in rows: whoever cannot use a map, or has none, finds the same stations and pipelines in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

STATIONS = """
    SELECT id, name, operator AS state, code, households, synthetic, geom AS at FROM station
"""
PIPELINES = """
    SELECT id, code AS name, utility AS state, code, level, flow, diameter_mm, material, synthetic,
           round(ST_Length(geom::geography)) AS metres, ST_LineInterpolatePoint(geom, 0.5) AS at
      FROM pipeline
"""
_ROWS = """
    SELECT thing.*, ST_X(at) AS lon, ST_Y(at) AS lat, count(*) OVER () AS total
      FROM ({things}) AS thing
     WHERE (CAST(:id AS bigint) IS NULL OR id = :id)
       AND (:q = '' OR position(lower(:q) IN lower(name || ' ' || code)) > 0)
     ORDER BY name, id
    OFFSET :start LIMIT :limit
"""


@dataclass(frozen=True)
class Asked:
    """Which rows: those whose name or code contains `q`, from row `start` on, or the one `id`."""

    q: str = ""
    start: int = 0
    limit: int = 100
    id: int | None = None


@dataclass(frozen=True)
class Listed:
    """One page of rows and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int


def ask(session: Session, things: str, asked: Asked) -> Listed:
    """A page of `things` (SQL with id, name, code, state, at and whatever else is told of them)."""
    params = {"q": asked.q, "start": asked.start, "limit": asked.limit, "id": asked.id}
    found = [dict(row) for row in session.execute(text(_ROWS.format(things=things)), params).mappings()]
    total = found[0]["total"] if found else 0
    return Listed([{k: v for k, v in row.items() if k not in ("at", "total")} for row in found], total)


def stations(session: Session, asked: Asked) -> Listed:
    """Which heat-exchange stations are there, by name?"""
    return ask(session, STATIONS, asked)


def pipelines(session: Session, asked: Asked) -> Listed:
    """Which pipelines are there, by number, each told at its middle?"""
    return ask(session, PIPELINES, asked)
