"""What is asked for hotspots: where the complaints are, how many have no place, and the ground under them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Date, Float, Select, cast, func, literal, select
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters, visible
from gis.complaints.rules import Located
from gis.hotspots.model import SheetPlane
from gis.hotspots.sheets import Small, Spots
from gis.people.rules import Scope
from gis.places.model import Area, Building, GazetteerEntry, RoadEdge, RoadNetwork
from gis.places.rules import AreaLevel

Floats = NDArray[np.float64]
MAIN_ROADS = ("motorway", "trunk", "primary", "secondary")
SMALL_ROADS = ("tertiary", "unclassified", "residential", "road")
SMALL_ROADS_MOST = 15_000
PLACES_MOST = 50_000
BUILDINGS_MOST = 500_000


@dataclass(frozen=True)
class Points:
    """Positions in degrees of the located complaints, the day of each as days since 1970, and how many others have no place."""

    lon: Floats
    lat: Floats
    day: Small
    not_located: int


def points(session: Session, filters: Filters, scope: Scope, now: datetime) -> Points:
    """Where are the complaints of this selection, and how many of them have no place?"""
    chosen = [*filters.conditions(now), *visible(scope)]
    located = Complaint.located == Located.LOCATED
    what = select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom), _day(session)).where(*chosen, located)
    at = _copy_numbers(session, what, 3)
    lost = session.scalar(select(func.count()).select_from(Complaint).where(*chosen, ~located)) or 0
    return Points(at["v0"].astype(np.float64), at["v1"].astype(np.float64), at["v2"].astype(np.int32), lost)


def by_community(session: Session, filters: Filters, scope: Scope, now: datetime, ids: Sequence[int]) -> Spots:
    """How many complaints were filed under each of these communities on each day? Columns instead of metres; the rest apart."""
    chosen = [*filters.conditions(now), *visible(scope)]
    day = _day(session)
    asked = (
        select(cast(Complaint.community_id, Float), cast(func.count(), Float), day)
        .where(*chosen, Complaint.community_id.in_(ids), Complaint.located == Located.LOCATED)
        .group_by(Complaint.community_id, day)
    )
    at = _copy_numbers(session, asked, 3)
    order = np.argsort(np.array(ids))
    column = order[np.searchsorted(np.array(ids)[order], at["v0"].astype(np.int64))]
    zeros = np.zeros(column.size, np.int32)
    return Spots(column.astype(np.int32), zeros, at["v1"].astype(np.int32), at["v2"].astype(np.int32), 0, 0)


def _day(session: Session) -> ColumnElement[Any]:
    """The day of the city on which a complaint was received, as days since 1970."""
    zone = session.scalar(select(SheetPlane.zone))
    return cast(cast(func.timezone(zone, Complaint.received_at), Date) - literal(date(1970, 1, 1), Date), Float)


# One row of COPY's binary format with float8 fields; before the rows 19 bytes of header, after them 2 of trailer.
_HEADER, _TRAILER = 19, 2


def _copy_numbers(session: Session, statement: Select[*tuple[Any, ...]], fields: int) -> NDArray[np.void]:
    """Some numbers of every row, by binary COPY: a million rows without a million Python objects."""
    layout = [("fields", ">i2"), *(part for i in range(fields) for part in ((f"bytes{i}", ">i4"), (f"v{i}", ">f8")))]
    return np.frombuffer(copy_binary(session, statement)[_HEADER:-_TRAILER], np.dtype(layout))


def copy_binary(session: Session, statement: Select[*tuple[Any, ...]]) -> memoryview:
    """What PostgreSQL's COPY says of a statement, in its binary format, within this transaction."""
    session.flush()
    compiled = statement.compile(session.connection().engine, compile_kwargs={"render_postcompile": True})
    kept = io.BytesIO()
    with closing(session.connection().connection.cursor()) as cursor:
        sql = cursor.mogrify(str(compiled), compiled.params).decode()
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT binary)", kept, 1 << 20)
    return kept.getbuffer()


def latest(session: Session, scope: Scope) -> datetime | None:
    """When was the latest complaint received that this person may see?"""
    return session.scalar(select(func.max(Complaint.received_at)).where(*visible(scope)))


def study_area(session: Session, districts: Sequence[int], scope: Scope) -> Any | None:
    """Which area is asked about: the chosen districts, else the person's own area, else all districts; as one geometry in
    degrees. `None` where the bureau has no such areas yet."""
    union = func.ST_AsBinary(func.ST_UnaryUnion(func.ST_Collect(Area.geom)))
    own = None
    if scope.area_id is not None:
        own = _geometry(session, select(union).where(Area.id == scope.area_id))
    if districts:
        chosen = _geometry(session, select(union).where(Area.id.in_(districts)))
        return chosen if own is None or chosen is None else shapely.intersection(chosen, own)
    if own is not None:
        return own
    return _geometry(session, select(union).where(Area.level == AreaLevel.DISTRICT))


def _geometry(session: Session, statement: Select[Any]) -> Any | None:
    wkb = session.scalar(statement)
    return None if wkb is None else shapely.from_wkb(bytes(wkb))


@dataclass(frozen=True)
class Home:
    """Somewhere people live: a shape in degrees and how many households are known there."""

    geometry: Any
    households: int


def settled(session: Session, area: Any) -> list[Home]:
    """Where do people live in this area? The residential compounds, or the buildings where no compound is known."""
    box = func.ST_MakeEnvelope(*area.bounds, 4326)
    compounds = select(func.ST_AsBinary(Area.geom), Area.households).where(
        Area.level == AreaLevel.COMPOUND, Area.geom.op("&&")(box)
    )
    middle = func.ST_AsBinary(func.ST_Centroid(Building.geom))
    buildings = select(middle, literal(0)).where(Building.geom.op("&&")(box)).limit(BUILDINGS_MOST)
    rows = session.execute(compounds).all() or session.execute(buildings).all()
    return [Home(shapely.from_wkb(bytes(wkb)), int(households)) for wkb, households in rows]


@dataclass(frozen=True)
class Community:
    """A community as a cell: its shape in degrees, its households."""

    id: int
    name: str
    households: int
    geometry: Any


def communities(session: Session, area: Any) -> list[Community]:
    """Which communities lie in this area?"""
    wkb = func.ST_GeomFromWKB(shapely.to_wkb(area), 4326)
    rows = session.execute(
        select(Area.id, Area.name, Area.households, func.ST_AsBinary(Area.geom))
        .where(Area.level == AreaLevel.COMMUNITY, Area.geom.op("&&")(wkb), func.ST_Intersects(func.ST_PointOnSurface(Area.geom), wkb))
        .order_by(Area.id)
    )  # fmt: skip
    return [Community(i, name, households, shapely.from_wkb(bytes(shape))) for i, name, households, shape in rows]


def fingerprint(session: Session) -> tuple[Any, ...]:
    """Something that changes whenever areas, homes or the sheets' plane do."""
    areas = select(func.count(), func.max(Area.id), func.sum(Area.version), func.sum(Area.households),
                   func.sum(func.ST_Area(Area.geom)))  # fmt: skip
    plane, building = select(SheetPlane.near_lon).scalar_subquery(), select(func.max(Building.id)).scalar_subquery()
    return tuple(session.execute(areas.add_columns(plane, building)).one())


@dataclass(frozen=True)
class NamedArea:
    """An area for the ground of a map."""

    name: str
    level: str
    source: str
    geometry: Any
    lon: float
    lat: float


def ground_areas(session: Session, area: Any) -> list[NamedArea]:
    """Which districts and streets lie in this area, with outlines fit for a small map?"""
    wkb = func.ST_GeomFromWKB(shapely.to_wkb(area), 4326)
    tolerance = max(area.bounds[2] - area.bounds[0], area.bounds[3] - area.bounds[1]) / 2_000
    middle = func.ST_PointOnSurface(Area.geom)
    outline = func.ST_AsBinary(func.ST_SimplifyPreserveTopology(Area.geom, tolerance))
    rows = session.execute(
        select(Area.name, Area.level, Area.source, outline, func.ST_X(middle), func.ST_Y(middle))
        .where(Area.level.in_((AreaLevel.DISTRICT, AreaLevel.STREET)), func.ST_Intersects(middle, wkb))
        .order_by(Area.level, Area.id)
    )
    return [NamedArea(name, level, source, shapely.from_wkb(bytes(b)), x, y) for name, level, source, b, x, y in rows]


@dataclass(frozen=True)
class GroundRoads:
    """Streets for the ground of a map, all in one geometry for each width; and where they come from."""

    main: Any | None
    small: Any | None
    sources: tuple[str, ...]


def ground_roads(session: Session, area: Any) -> GroundRoads:
    """Which streets cross this area? The small ones only where they are few enough for a light map."""
    box = func.ST_MakeEnvelope(*area.bounds, 4326)
    tolerance = max(area.bounds[2] - area.bounds[0], area.bounds[3] - area.bounds[1]) / 4_000

    def merged(kinds: Sequence[str]) -> Any | None:
        inside: list[ColumnElement[bool]] = [RoadEdge.highway.in_(kinds), RoadEdge.geom.op("&&")(box)]
        lines = func.ST_Simplify(func.ST_LineMerge(func.ST_Collect(RoadEdge.geom)), tolerance)
        return _geometry(session, select(func.ST_AsBinary(lines)).where(*inside))

    few = select(RoadEdge.id).where(RoadEdge.highway.in_(SMALL_ROADS), RoadEdge.geom.op("&&")(box))
    many = session.scalar(select(func.count()).select_from(few.limit(SMALL_ROADS_MOST + 1).subquery())) or 0
    links = tuple(f"{kind}_link" for kind in MAIN_ROADS)
    sources = tuple(session.scalars(select(RoadNetwork.source).where(RoadNetwork.source != "").distinct()))
    return GroundRoads(
        merged((*MAIN_ROADS, *links)), merged(SMALL_ROADS) if many <= SMALL_ROADS_MOST else None, sources
    )


@dataclass(frozen=True)
class Names:
    """Named places as points in degrees."""

    names: list[str]
    lon: Floats
    lat: Floats


def named_places(session: Session, bounds: tuple[float, float, float, float], area: Any | None) -> Names:
    """What are places called here? Residential compounds and the gazetteer, within a box and, where there is one, the area."""
    box = func.ST_MakeEnvelope(*bounds, 4326)
    middle = func.ST_PointOnSurface(Area.geom)
    compounds = select(Area.name, func.ST_X(middle), func.ST_Y(middle)).where(
        Area.level == AreaLevel.COMPOUND, Area.geom.op("&&")(box)
    )
    entries = select(GazetteerEntry.name, func.ST_X(GazetteerEntry.geom), func.ST_Y(GazetteerEntry.geom)).where(
        GazetteerEntry.geom.op("&&")(box)
    )
    rows = [
        *session.execute(compounds.order_by(Area.id).limit(PLACES_MOST)),
        *session.execute(entries.order_by(GazetteerEntry.id).limit(PLACES_MOST)),
    ]
    at = np.array([(x, y) for _, x, y in rows], np.float64).reshape(-1, 2)
    here = np.ones(len(rows), bool) if area is None else shapely.contains_xy(area, at[:, 0], at[:, 1])
    return Names([row[0] for row, inside in zip(rows, here, strict=True) if inside], at[here, 0], at[here, 1])


def districts(session: Session, scope: Scope) -> list[tuple[int, str]]:
    """Which districts may this person choose? For somebody with a smaller area: the areas right below it."""
    chosen = select(Area.id, Area.name).order_by(Area.name, Area.id)
    if scope.area_id is None:
        chosen = chosen.where(Area.level == AreaLevel.DISTRICT)
    else:
        chosen = chosen.where(Area.id == scope.area_id)
    return [(row.id, row.name) for row in session.execute(chosen)]
