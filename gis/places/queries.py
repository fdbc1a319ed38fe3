"""What is asked about places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from gis.db import SRID
from gis.errors import Missing
from gis.geo import distance_m
from gis.people.rules import Scope
from gis.places.model import Area, CalendarDay, CalendarYear, GazetteerEntry
from gis.places.rules import (
    AREA_FROM_ZOOM,
    DATUM_NAMES,
    ROAD_FROM_ZOOM,
    AreaLevel,
    Datum,
    SwappedCoordinates,
    WrongDatum,
    from_datum,
)
from gis.tiles import Tile, draw
from gis.workdays import WorkingDays

# The levels that a complaint is filed under, widest first.
FILED_LEVELS = (AreaLevel.DISTRICT, AreaLevel.STREET, AreaLevel.COMMUNITY, AreaLevel.COMPOUND)


def working_days(session: Session) -> WorkingDays:
    """Which days are worked, in which known years?"""
    years = frozenset(session.scalars(select(CalendarYear.year)))
    days = {row.day: row.is_working for row in session.execute(select(CalendarDay.day, CalendarDay.is_working))}
    return WorkingDays(years, days)


def calendar_years(session: Session) -> list[CalendarYear]:
    """Which years have a table, and from where?"""
    fresh = {"populate_existing": True}
    return list(session.scalars(select(CalendarYear).order_by(CalendarYear.year), execution_options=fresh))


def calendar_days(session: Session, year: int) -> list[CalendarDay]:
    """Which days of a year differ from Monday to Friday?"""
    within = CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
    asked = select(CalendarDay).where(within).order_by(CalendarDay.day)
    return list(session.scalars(asked, execution_options={"populate_existing": True}))


def point(lon: float, lat: float) -> ColumnElement[Any]:
    """A point of WGS-84 degrees in SQL."""
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID)


@dataclass(frozen=True)
class Filed:
    """Where a point lies: the area of each level that contains it, and the unit of its compound."""

    district_id: int | None = None
    street_id: int | None = None
    community_id: int | None = None
    compound_id: int | None = None
    unit_id: int | None = None


def areas_at(session: Session, lon: float, lat: float) -> Filed:
    """Which district, street, community and compound contain this point? Of two that overlap, the smaller."""
    found = session.execute(
        select(Area.level, Area.id, Area.unit_id)
        .where(Area.level.in_(FILED_LEVELS), func.ST_Covers(Area.geom, point(lon, lat)))
        .order_by(func.ST_Area(Area.geom).desc(), Area.id.desc())
    )
    filed: dict[str, int | None] = {}
    for row in found:
        filed[f"{row.level}_id"] = row.id
        if row.level == AreaLevel.COMPOUND:
            filed["unit_id"] = row.unit_id
    return Filed(**filed)


def in_some_district(session: Session, lon: float, lat: float) -> bool:
    """Does any district (or the city's own outline) contain this point?"""
    within = Area.level.in_((AreaLevel.CITY, AreaLevel.DISTRICT)) & func.ST_Covers(Area.geom, point(lon, lat))
    return bool(session.scalar(select(exists().where(within))))


def districts_known(session: Session) -> bool:
    """Is any district drawn at all?"""
    return bool(session.scalar(select(exists().where(Area.level.in_((AreaLevel.CITY, AreaLevel.DISTRICT))))))


def check_point(session: Session, lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Declared coordinates as WGS-84, or SwappedCoordinates or WrongDatum where the districts tell unmistakably.

    A point outside every district is accepted (a city has outlying places) unless exactly one other reading of the same
    numbers lies inside: the other way round, or in exactly one other coordinate system.
    """
    x, y = from_datum(lon, lat, datum)
    if in_some_district(session, x, y) or not districts_known(session):
        return x, y
    if abs(lon) <= 90 and in_some_district(session, *from_datum(lat, lon, datum)):
        raise SwappedCoordinates(lon=lon, lat=lat)
    others = {d: from_datum(lon, lat, d) for d in (Datum.WGS84, Datum.GCJ02, Datum.BD09)}
    fitting = [d for d, there in others.items() if there != (x, y) and in_some_district(session, *there)]
    if len(fitting) == 1:
        raise WrongDatum(declared=DATUM_NAMES[Datum(datum)], looks_like=DATUM_NAMES[fitting[0]], datum=str(fitting[0]))
    return x, y


def within(scope: Scope) -> Select[tuple[int]] | None:
    """The ids of the areas a scope includes (the area and all below it), or None for the whole city."""
    if scope.area_id is None:
        return None
    tree = select(Area.id).where(Area.id == scope.area_id).cte(recursive=True)
    tree = tree.union(select(Area.id).join(tree, Area.parent_id == tree.c.id))
    return select(tree.c.id)


def areas(session: Session, scope: Scope, levels: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The areas of some levels that this person may see, widest first."""
    asked = select(Area.id, Area.name, Area.level, Area.code, Area.parent_id).where(Area.level.in_(levels))
    mine = within(scope)
    if mine is not None:
        asked = asked.where(Area.id.in_(mine))
    rank = case({str(level): n for n, level in enumerate(AreaLevel)}, value=Area.level)
    return [dict(row) for row in session.execute(asked.order_by(rank, Area.code)).mappings()]


def area_coded(session: Session, code: str) -> Area:
    """The area with this code."""
    area = session.scalar(select(Area).where(Area.code == code))
    if area is None:
        raise Missing(thing="area", id=code)
    return area


def areas_called(session: Session, text: str) -> list[int]:
    """The ids of the areas with this code or name; else the area with this id."""
    found = list(session.scalars(select(Area.id).where(or_(Area.code == text, Area.name == text)).order_by(Area.id)))
    if found or not (text.isascii() and text.isdigit() and len(text) < 19):
        return found
    return list(session.scalars(select(Area.id).where(Area.id == int(text))))


def extent(session: Session, scope: Scope) -> tuple[float, float, float, float] | None:
    """West, south, east and north of where a person's map begins: the compounds, else the communities, else the districts.

    None where nothing is drawn yet. A district is mostly fields; people call from where the compounds are.
    """
    mine = within(scope)
    for level in (AreaLevel.COMPOUND, AreaLevel.COMMUNITY, AreaLevel.STREET, AreaLevel.DISTRICT, AreaLevel.CITY):
        drawn = [Area.level == level, *([Area.id.in_(mine)] if mine is not None else [])]
        box = select(func.ST_Extent(Area.geom).label("box")).where(*drawn).subquery()
        edges = (f(func.geometry(box.c.box)) for f in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax))
        row = session.execute(select(*edges)).one()
        if row[0] is not None:
            return row[0], row[1], row[2], row[3]
    return None


NEAR_M = 300.0


def names_at(session: Session, lon: float, lat: float) -> dict[str, Any]:
    """What is this point called: the areas it lies in, widest first, and the nearest name of the gazetteer close by?"""
    inside = select(Area.name, Area.level).where(
        Area.level.in_(FILED_LEVELS), Area.name != "", func.ST_Covers(Area.geom, point(lon, lat))
    )
    found = session.execute(inside.order_by(func.ST_Area(Area.geom).desc(), Area.id))
    metres = func.ST_DistanceSphere(GazetteerEntry.geom, point(lon, lat))
    closest = select(GazetteerEntry.name, metres.label("metres")).order_by(
        GazetteerEntry.geom.op("<->")(point(lon, lat)), GazetteerEntry.id
    )
    near = session.execute(closest.limit(1)).mappings().one_or_none()
    return {
        "areas": [dict(row) for row in found.mappings()],
        "near": {"name": near["name"], "metres": round(near["metres"])} if near and near["metres"] <= NEAR_M else None,
    }


def escape_like(text: str) -> str:
    """Text as it stands inside a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


SAME_PLACE_M = 500.0


def search(session: Session, text: str, limit: int = 10) -> list[Mapping[str, Any]]:
    """Which gazetteer entries and areas are called so, and in which district and street are they?

    The same name first, then a beginning, then anywhere; short first. A name that is in the gazetteer and also an area's
    is told once; two places far apart that share a name are told both.
    """
    like = f"%{escape_like(text)}%"
    entries = select(
        GazetteerEntry.name, GazetteerEntry.kind, literal("gazetteer").label("source"), GazetteerEntry.id,
        GazetteerEntry.geom.label("at"),
    ).where(GazetteerEntry.name.ilike(like))  # fmt: skip
    named = select(
        Area.name, Area.level, literal("area").label("source"), Area.id, func.ST_PointOnSurface(Area.geom).label("at")
    ).where(Area.name.ilike(like), Area.level != AreaLevel.CELL)
    every = union_all(entries, named).subquery()
    rank = case((every.c.name == text, 0), (every.c.name.ilike(f"{escape_like(text)}%"), 1), else_=2)
    inside = (Area.level.in_((AreaLevel.DISTRICT, AreaLevel.STREET))) & func.ST_Covers(Area.geom, every.c.at)
    whole = select(func.string_agg(Area.name, aggregate_order_by(literal(" "), Area.level))).where(inside)
    asked = (
        select(every.c.name, every.c.kind, every.c.source, func.ST_X(every.c.at).label("lon"),
               func.ST_Y(every.c.at).label("lat"), whole.scalar_subquery().label("within"))
        .order_by(rank, func.length(every.c.name), every.c.name, every.c.source.desc(), every.c.id)
        .limit(2 * limit)
    )  # fmt: skip
    told: list[Mapping[str, Any]] = []
    for row in map(dict, session.execute(asked).mappings()):
        if not any(row["name"] == other["name"] and _metres(row, other) < SAME_PLACE_M for other in told):
            told.append(row)
    return told[:limit]


def _metres(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return float(distance_m(one["lon"], one["lat"], other["lon"], other["lat"]))


# --- layers of the map -----------------------------------------------------------------------------------------------
_AREAS = """
    SELECT id AS fid, id, name, level, parent_id, households, synthetic,
           ST_ClipByBox2D(ST_Simplify(geom, :near_deg, true), box) AS geom_4326
      FROM area, ST_MakeEnvelope(:west, :south, :east, :north, 4326) AS box
     WHERE geom && box AND level = ANY(:levels)
     ORDER BY array_position(:levels, level), id LIMIT 4000
"""
# Stretches of one street are joined: fewer features, and a name is written once along it.
_ROADS = """
    SELECT min(id) AS fid, name, highway, ST_Simplify(ST_LineMerge(ST_Collect(geom)), :near_deg) AS geom_4326
      FROM road_edge
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND highway = ANY(:classes)
     GROUP BY name, highway ORDER BY array_position(:classes, highway), name LIMIT 6000
"""
_BUILDINGS = """
    SELECT id AS fid, name, height_m, ST_Simplify(geom, :near_deg, true) AS geom_4326
      FROM building
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND (:z >= 15 OR (ST_XMax(geom) - ST_XMin(geom)) * (ST_YMax(geom) - ST_YMin(geom)) > 64 * :near_deg * :near_deg)
     ORDER BY id LIMIT 8000
"""


def area_tile(session: Session, tile: Tile) -> bytes:
    """Which districts, streets, communities, compounds and cells reach into this square, as far as the zoom shows them?"""
    levels = [str(level) for level, zoom in AREA_FROM_ZOOM.items() if tile.z >= zoom]
    return draw(session, "areas", tile, _AREAS, levels=levels)


def road_tile(session: Session, tile: Tile) -> bytes:
    """Which streets pass through this square: only the major classes from afar?"""
    classes = [highway for highway, zoom in ROAD_FROM_ZOOM.items() if tile.z >= zoom]
    return draw(session, "roads", tile, _ROADS, classes=classes)


def building_tile(session: Session, tile: Tile) -> bytes:
    """Which buildings stand in this square? None before zoom 13, the small ones from zoom 15."""
    return draw(session, "buildings", tile, _BUILDINGS) if tile.z >= 13 else b""
