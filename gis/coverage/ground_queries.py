"""What the computation of coverage is made from, as arrays: cameras, buildings near them, roads, names of places, need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.coverage.blindspots import Marks
from gis.coverage.rules import Optics
from gis.geo import to_metres

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
_OPTICS = ", ".join(f"c.{field.name}" for field in fields(Optics))
DEGREE_M = 55_000.0  # a degree of longitude is longer than this up to 60° north: boxes are wide enough


@dataclass(frozen=True)
class Seer:
    """A camera as the computation needs it."""

    id: int
    lon: float
    lat: float
    state: str
    height_m: float | None
    optics: Optics


def cameras(session: Session, after: int = 0, most: int | None = None) -> list[Seer]:
    """The cameras in the order of their ids, `most` after one of them."""
    rows = session.execute(
        text(f"SELECT c.id, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.state, c.height_m, {_OPTICS} FROM camera AS c"
             " WHERE c.id > :after ORDER BY c.id LIMIT :most"), {"after": after, "most": most}
    ).mappings()  # fmt: skip
    return [
        Seer(r["id"], r["lon"], r["lat"], r["state"], r["height_m"], Optics(**{f.name: r[f.name] for f in fields(Optics)}))
        for r in rows
    ]  # fmt: skip


def metric(shapes: Shapes, near_lon: float) -> Shapes:
    """Shapes of degrees in metres of the zone around a longitude."""
    moved: Shapes = shapely.transform(shapes, lambda xy: np.column_stack(to_metres(xy[:, 0], xy[:, 1], near_lon)))
    return moved


_NEAR_BOXES = """
    SELECT DISTINCT b.id, ST_AsBinary(b.geom) AS wkb, b.height_m
      FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:deg AS float8[])) AS c (lon, lat, deg)
      JOIN building AS b ON b.geom && ST_MakeEnvelope(lon - deg, lat - deg, lon + deg, lat + deg, 4326)
     ORDER BY b.id
"""


def buildings_near(
    session: Session, lon: Floats, lat: Floats, reach_m: Floats, near_lon: float
) -> tuple[Shapes, Floats]:
    """The outlines (metres) and heights of the buildings within reach of these places."""
    if not len(lon):
        return np.empty(0, object), np.empty(0)
    given = {"lon": lon.tolist(), "lat": lat.tolist(), "deg": (reach_m / DEGREE_M).tolist()}
    rows = session.execute(text(_NEAR_BOXES), given).all()
    shapes = shapely.from_wkb([bytes(row.wkb) for row in rows])
    heights = np.array([np.nan if row.height_m is None else row.height_m for row in rows], float)
    return metric(np.asarray(shapes, object), near_lon), heights


@dataclass(frozen=True)
class Roads:
    """Every edge of the road networks, in metres."""

    names: list[str]
    begins: list[int]
    ends: list[int]
    lines: Shapes


def roads(session: Session, near_lon: float) -> Roads:
    """The streets: names, nodes, lines. An edge without length is none."""
    rows = session.execute(
        text("SELECT coalesce(name, '') AS name, from_node, to_node, ST_AsBinary(geom) AS wkb FROM road_edge"
             " WHERE ST_Length(geom) > 0 ORDER BY id")
    ).all()  # fmt: skip
    lines = (
        metric(np.asarray(shapely.from_wkb([bytes(r.wkb) for r in rows]), object), near_lon)
        if rows
        else np.empty(0, object)
    )
    return Roads([r.name for r in rows], [r.from_node for r in rows], [r.to_node for r in rows], lines)


_NAMES = """
    SELECT name, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM gazetteer_entry WHERE name <> ''
    UNION ALL SELECT name, ST_X(p), ST_Y(p) FROM building, ST_PointOnSurface(geom) AS p WHERE name <> ''
    UNION ALL SELECT name, ST_X(p), ST_Y(p) FROM area, ST_PointOnSurface(geom) AS p WHERE level = 'compound' AND name <> ''
"""


def marks(session: Session, streets: Roads, near_lon: float) -> Marks:
    """By what people know a place: the gazetteer, named buildings and compounds, and roads of another name that cross."""
    rows = session.execute(text(_NAMES)).all()
    x, y = to_metres([r.lon for r in rows], [r.lat for r in rows], near_lon) if rows else (np.empty(0), np.empty(0))
    crossings: list[tuple[float, float, str]] = []
    at: dict[int, dict[str, tuple[float, float]]] = {}
    for i, name in enumerate(streets.names):
        if name:
            coords = shapely.get_coordinates(streets.lines[i])
            at.setdefault(streets.begins[i], {})[name] = tuple(coords[0])
            at.setdefault(streets.ends[i], {})[name] = tuple(coords[-1])
    for names in at.values():
        if len(names) > 1:
            crossings += [(*where, name) for name, where in names.items()]
    return Marks(
        np.concatenate([x, [c[0] for c in crossings]]), np.concatenate([y, [c[1] for c in crossings]]),
        [r.name for r in rows] + [c[2] for c in crossings],
    )  # fmt: skip


def views(session: Session, near_lon: float) -> Sequence[tuple[int, str, str, bool, Any]]:
    """The view fields in metres: camera, its state, level, PTZ, polygon."""
    rows = session.execute(
        text("SELECT v.camera_id, c.state, v.level, c.is_ptz, ST_AsBinary(v.geom) AS wkb FROM camera_view AS v"
             " JOIN camera AS c ON c.id = v.camera_id ORDER BY v.camera_id, v.level")
    ).all()  # fmt: skip
    if not rows:
        return []
    shapes = metric(np.asarray(shapely.from_wkb([bytes(r.wkb) for r in rows]), object), near_lon)
    return [(r.camera_id, r.state, r.level, r.is_ptz, shape) for r, shape in zip(rows, shapes, strict=True)]


def households(session: Session, near_lon: float) -> tuple[Shapes, Floats]:
    """Where people live: compounds (metres) and their households."""
    rows = session.execute(
        text(
            "SELECT ST_AsBinary(geom) AS wkb, households FROM area WHERE level = 'compound' AND households > 0 ORDER BY id"
        )
    ).all()
    if not rows:
        return np.empty(0, object), np.empty(0)
    shapes = metric(np.asarray(shapely.from_wkb([bytes(r.wkb) for r in rows]), object), near_lon)
    return shapes, np.array([r.households for r in rows], float)


def middle_lon(session: Session) -> float | None:
    """The longitude whose zone the computation uses: the middle of the roads, else of the cameras."""
    for table in ("road_edge", "camera"):
        lon = session.scalar(
            text(f"SELECT (ST_XMin(e) + ST_XMax(e)) / 2 FROM (SELECT ST_Extent(geom) AS e FROM {table}) AS t")
        )
        if lon is not None:
            return float(lon)
    return None
