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
VALVES = """
    SELECT id, code AS name, utility AS state, code, kind, is_open, reach, reach_note, geom AS at FROM valve
"""
# Two tables, one list: the numbers of heat sources are even, those of the others odd, as in their tiles.
SOURCES = """
    SELECT 2 * id AS id, name, 'heat' AS state, code, geom AS at FROM heat_source
    UNION ALL SELECT 2 * id + 1, name, utility, code, geom FROM supply_source
"""
SUPPLY_POINTS = """
    SELECT id, name, utility AS state, code, households, people, vulnerable_households, synthetic, geom AS at FROM supply_point
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


def valves(session: Session, asked: Asked) -> Listed:
    """Which valves are there, by number?"""
    return ask(session, VALVES, asked)


def sources(session: Session, asked: Asked) -> Listed:
    """Where do heat, water and gas come from, by name?"""
    return ask(session, SOURCES, asked)


def supply_points(session: Session, asked: Asked) -> Listed:
    """Which buildings, institutions and stations are served, by name?"""
    return ask(session, SUPPLY_POINTS, asked)
