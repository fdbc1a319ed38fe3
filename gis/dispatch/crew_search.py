"""Which crews are near, can be sent, or may be seen at all: the questions of `queries.py` that search among many crews."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.dispatch.model import Crew
from gis.geo import Floats, distance_m
from gis.people.rules import CITY, Scope
from gis.prepared import Prepared

if TYPE_CHECKING:
    from gis.places.roads import Reach

# Which crews a scope shows: its unit's; its area's, those of the areas within it, and those that stand there now.
_VISIBLE = {
    "unit_id": "c.unit_id = :unit",
    "area_id": "(c.area_id = ANY(:within) OR ST_Covers((SELECT geom FROM area WHERE id = :area), c.position))",
    "crew_id": "c.id = :crew",
}
# Who can be sent now without any "but": in service, not blacklisted, trained and certified on the
# day, on shift, free. Each is asked of one
# crew at a time (a subquery with a limit is not turned into a join), so that the index on positions leads whatever the
# statistics say: the nearest are looked at first, and few of them.
_AVAILABLE = """
    c.active AND c.kind {is_} 'volunteer'
    AND (c.unit_id IS NULL OR c.unit_id <> ALL (ARRAY(
         SELECT b.unit_id FROM blacklisting b WHERE b.unit_id IS NOT NULL AND b.during @> :now)))
    AND c.id <> ALL (ARRAY(SELECT p.crew_id FROM blacklisting b JOIN app_user p ON p.id = b.user_id
                            WHERE p.crew_id IS NOT NULL AND p.active AND b.during @> :now))
    AND (SELECT true FROM crew_skill s WHERE s.crew_id = c.id AND s.skill = :skill
          AND (s.valid_from IS NULL OR s.valid_from <= :day) AND (s.valid_to IS NULL OR s.valid_to >= :day) LIMIT 1)
    AND (SELECT true FROM shift h WHERE h.crew_id = c.id AND h.during @> :now LIMIT 1)
    AND (SELECT true FROM work_order w WHERE w.crew_id = c.id AND w.status IN ('assigned','accepted','arrived')
          AND lower(w.during) <= :now LIMIT 1) IS NULL
"""
_NEAREST = """
    SELECT c.id, ST_X(c.position) AS lon, ST_Y(c.position) AS lat, c.position <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS d
      FROM crew c WHERE {where} ORDER BY d LIMIT :look
"""
# The bits say which cells of the box count. The bounds hold for crews outside of the box too: nobody promises that the box
# is asked about first.
_WITHIN = """
    SELECT c.id, ST_X(c.position) AS lon, ST_Y(c.position) AS lat FROM crew c
     WHERE c.position && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND get_bit(:cells,
                   greatest(0, least(floor((ST_Y(c.position) - :south) / :height)::int, :side - 1)) * :side
                   + greatest(0, least(floor((ST_X(c.position) - :west) / :width)::int, :side - 1))) = 1
       AND {where} ORDER BY c.id
"""
_ANYWHERE = """
    SELECT c.id FROM crew c WHERE {where}
     ORDER BY (SELECT count(*) FROM work_order w WHERE w.crew_id = c.id AND w.status IN ('assigned','accepted','arrived')),
              c.id LIMIT :look
"""
_OF_THESE = "SELECT c.id FROM crew c WHERE c.id = ANY(:ids) AND {where}"
_ALL = "SELECT c.id FROM crew c WHERE {where} ORDER BY c.id"
_TYPES = {
    "unit": "bigint", "area": "bigint", "within": "bigint[]", "crew": "bigint", "volunteers": "boolean",
    "skill": "text", "day": "date", "now": "timestamptz", "lon": "float8", "lat": "float8", "look": "bigint",
    "west": "float8", "south": "float8", "east": "float8", "north": "float8", "width": "float8", "height": "float8",
    "side": "integer", "cells": "bytea", "ids": "bigint[]",
}  # fmt: skip
DEGREE_M = 111_195.0
FLAT_DEGREES = 2.0  # as far as a degree can be taken for a fixed number of metres


@dataclass(frozen=True)
class Need:
    """What a crew must be good for. `available=False` asks for every crew, whatever speaks against it."""

    skill: str
    day: date
    volunteers: bool = False  # volunteers and nobody else, or nobody of them
    available: bool = True


@dataclass(frozen=True)
class Near:
    """Crews, where they stand, and how far that is in a straight line: parallel columns."""

    ids: list[int]
    lon: Floats
    lat: Floats
    metres: Floats


@cache
def _question(form: str, narrowed: tuple[str, ...], need: bool | None = None, more: str = "") -> Prepared:
    """The question of a form, of crews that a scope of this kind shows: one plan for each kind.

    `need` asks for those who can be sent: volunteers (True) or all others.
    """
    available = [] if need is None else [_AVAILABLE.format(is_="=" if need else "<>")]
    conditions = [_VISIBLE[field] for field in narrowed] + available + [more] * bool(more)
    return Prepared(form.format(where=" AND ".join(conditions) or "true"), **_TYPES)


def _ask(
    session: Session, form: str, scope: Scope, now: datetime, need: Need | None = None, more: str = "", **given: Any
) -> Sequence[Any]:
    """Ask a form within a scope, of every crew or (with a need) of those that can be sent."""
    narrowed = tuple(field for field in _VISIBLE if getattr(scope, field) is not None)
    inner = areas_within(session, scope.area_id) if scope.area_id is not None else None
    given |= {"unit": scope.unit_id, "area": scope.area_id, "crew": scope.crew_id, "within": inner, "now": now}
    if need is not None:
        given |= {"skill": need.skill, "day": need.day}
    sent = need.volunteers if need is not None and need.available else None
    return _question(form, narrowed, sent, more).rows(session, **given)


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


def roughly_nearest(
    session: Session, lon: float, lat: float, need: Need, scope: Scope, now: datetime, limit: int
) -> Near:
    """Which crews stand about nearest, by degrees? Enough for a first bound, and half the work."""
    return _near(_ask(session, _NEAREST, scope, now, need, lon=lon, lat=lat, look=limit), lon, lat)


def nearest(session: Session, lon: float, lat: float, need: Need, scope: Scope, now: datetime, limit: int) -> Near:
    """Which crews stand nearest in a straight line? Exact.

    The index orders by degrees, and a degree of longitude is shorter than one of latitude. So a few more are asked for,
    until whatever comes after in degrees is farther in metres as well.
    """
    look = math.ceil(limit / _narrow(lat, 0.0) * 1.2) + 4
    while True:
        rows = _ask(session, _NEAREST, scope, now, need, lon=lon, lat=lat, look=look)
        found = _near(rows, lon, lat)
        if len(rows) < look or (rows[-1].d <= FLAT_DEGREES and _proven(found.metres[limit - 1], lat, rows[-1].d)):
            return Near(found.ids[:limit], found.lon[:limit], found.lat[:limit], found.metres[:limit])
        look *= 3


def _narrow(lat: float, degrees: float) -> float:
    """How much shorter a degree of longitude is than one of latitude, so many degrees nearer to the pole."""
    return max(math.cos(math.radians(min(abs(lat) + degrees, 89.0))), 0.02)


def _proven(metres: float, lat: float, degrees: float) -> bool:
    """Is everything that is farther than so many degrees also farther than so many metres?"""
    return metres <= degrees * DEGREE_M * _narrow(lat, degrees) * 0.999


def within(session: Session, lon: float, lat: float, reach: Reach, need: Need, scope: Scope, now: datetime) -> Near:
    """Which crews that fit the need stand in these cells, the nearest first?"""
    rows = _ask(
        session, _WITHIN, scope, now, need, west=reach.west, south=reach.south, east=reach.east, north=reach.north,
        width=(reach.east - reach.west) / reach.side, height=(reach.north - reach.south) / reach.side, side=reach.side,
        cells=reach.cells,
    )  # fmt: skip
    return _near(rows, lon, lat)


def _near(rows: Sequence[Any], lon: float, lat: float) -> Near:
    """The nearest first; of equally near ones the lowest id."""
    ids, lons, lats = [np.array([row[i] for row in rows]) for i in range(3)]
    metres = distance_m(lons, lats, lon, lat)
    order = np.lexsort((ids, metres))
    return Near(ids[order].tolist(), lons[order], lats[order], metres[order])


def anywhere(session: Session, need: Need, scope: Scope, now: datetime, limit: int) -> list[int]:
    """Which crews, where the place is not known: those with the least to do."""
    return [row.id for row in _ask(session, _ANYWHERE, scope, now, need, look=limit)]


def crew_ids(session: Session, scope: Scope, now: datetime) -> list[int]:
    """Which crews in service does this scope show?"""
    return [row.id for row in _ask(session, _ALL, scope, now, more="c.active")]


def crew_in_scope(session: Session, crew_id: int, scope: Scope, now: datetime) -> Crew | None:
    """This crew, if the scope shows it."""
    if scope != CITY and not _ask(session, _OF_THESE, scope, now, ids=[crew_id]):
        return None
    return session.get(Crew, crew_id)
