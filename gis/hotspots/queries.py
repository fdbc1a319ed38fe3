"""What is asked for hotspots: where the complaints are, how many have no place, and the ground under them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters, visible
from gis.complaints.rules import Located
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
    """Positions in degrees of the located complaints, and how many others have none."""

    lon: Floats
    lat: Floats
    not_located: int


def points(session: Session, filters: Filters, scope: Scope, now: datetime) -> Points:
    """Where are the complaints of this selection, and how many of them have no place?"""
    chosen = [*filters.conditions(now), *visible(scope)]
    located = Complaint.located == Located.LOCATED
    at = _copy_pairs(session, select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom)).where(*chosen, located))
    lost = session.scalar(select(func.count()).select_from(Complaint).where(*chosen, ~located)) or 0
    return Points(at["x"].astype(np.float64), at["y"].astype(np.float64), lost)


# One row of COPY's binary format with two float8 fields; before the rows 19 bytes of header, after them 2 of trailer.
_PAIR = np.dtype([("fields", ">i2"), ("x_bytes", ">i4"), ("x", ">f8"), ("y_bytes", ">i4"), ("y", ">f8")])
_HEADER, _TRAILER = 19, 2


def _copy_pairs(session: Session, statement: Select[Any]) -> NDArray[np.void]:
    """Two numbers of every row, by binary COPY: a million rows without a million Python objects."""
    compiled = statement.compile(session.connection().engine, compile_kwargs={"render_postcompile": True})
    kept = io.BytesIO()
    with closing(session.connection().connection.cursor()) as cursor:
        sql = cursor.mogrify(str(compiled), compiled.params).decode()
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT binary)", kept)
    return np.frombuffer(kept.getbuffer()[_HEADER:-_TRAILER], _PAIR)


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


def settled(session: Session, area: Any) -> list[Any]:
    """Where do people live in this area? The residential compounds, or the buildings where no compound is known."""
    box = func.ST_MakeEnvelope(*area.bounds, 4326)
    compounds = select(func.ST_AsBinary(Area.geom)).where(Area.level == AreaLevel.COMPOUND, Area.geom.op("&&")(box))
    buildings = select(func.ST_AsBinary(func.ST_Centroid(Building.geom))).where(Building.geom.op("&&")(box))
    rows = session.scalars(compounds).all() or session.scalars(buildings.limit(BUILDINGS_MOST)).all()
    return [shapely.from_wkb(bytes(wkb)) for wkb in rows]


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
