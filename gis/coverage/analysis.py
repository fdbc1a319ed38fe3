"""The computation of coverage: what each camera sees, how much road is seen at which level, and which stretches are not.

In pieces, so that a door can commit between them and tell how far it is. Degrees outside, metres of one zone inside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis.coverage import ground_queries as ground
from gis.coverage.blindspots import (
    Spans,
    Stretch,
    landmarks,
    once,
    seen,
    streets,
    stretches,
    told_from,
    without_twins,
)
from gis.coverage.ground_queries import Roads, Seer
from gis.coverage.rules import (
    LANDMARK_M,
    LEAST_STRETCH_M,
    SNAP_M,
    CameraState,
    NoSuchLandmark,
    NoSuchRoad,
    NotOnThatRoad,
    ViewLevel,
)
from gis.coverage.view import Looks, stand_off, view_fields, walls
from gis.geo import to_degrees, to_metres

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class View:
    """What one camera sees at one level; the polygon is of degrees."""

    camera_id: int
    level: ViewLevel
    reach_m: float
    area_m2: float
    polygon: Any


def degrees(shapes: Any, near_lon: float) -> Any:
    """Shapes of metres in degrees."""
    return shapely.transform(shapes, lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1], near_lon)))


def view_of(session: Session, seers: Sequence[Seer], near_lon: float) -> list[View]:
    """The view fields of these cameras, cut by the buildings around. What is not known of a camera leaves it out."""
    known = [s for s in seers if not s.optics.lacks() and s.state != CameraState.PLANNED]
    if not known:
        return []
    lon, lat = np.array([s.lon for s in known]), np.array([s.lat for s in known])
    reaches = {level: np.array([s.optics.reach_m(level) or 0.0 for s in known]) for level in ViewLevel}
    outlines, heights = ground.buildings_near(session, lon, lat, reaches[ViewLevel.DETECT], near_lon)
    around = walls(outlines)
    x, y = to_metres(lon, lat, near_lon)
    fov = np.array([360.0 if s.optics.all_round else s.optics.lens_deg or 0.0 for s in known])
    bearing = np.array([s.optics.bearing_deg or 0.0 for s in known])
    stood, free = stand_off(
        Looks(x, y, bearing, fov, reaches[ViewLevel.DETECT]), around, _above(known, around, x, y, heights)
    )
    found = []
    for level, reach in reaches.items():
        some = np.flatnonzero(reach > 0)
        looks = Looks(stood.x[some], stood.y[some], bearing[some], fov[some], reach[some])
        fields = view_fields(looks, around, [free[i] for i in some])
        found += [
            View(known[i].id, level, float(reach[i]), float(field.area), polygon)
            for i, field, polygon in zip(some.tolist(), fields, degrees(fields, near_lon), strict=True)
        ]
    return found


def _above(known: Sequence[Seer], around: Any, x: Any, y: Any, heights: Any) -> frozenset[int]:
    """The cameras that stand at least as high as the building they stand on is known to be: on its roof."""
    if not len(around.outlines):
        return frozenset()
    camera, building = around.tree.query(shapely.points(x, y), predicate="intersects")
    return frozenset(
        int(c) for c, b in zip(camera, building, strict=True)
        if known[c].height_m is not None and not np.isnan(heights[b]) and (known[c].height_m or 0.0) >= heights[b]
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """An unseen stretch of a named road with its landmarks; the line is of degrees, told northward or eastward."""

    code: str
    road_name: str
    from_landmark: str
    to_landmark: str
    length_m: float
    line: Any
    metres: Any


@dataclass(frozen=True)
class Coverage:
    """How much road is seen, and what is not."""

    results: dict[str, Any]
    found: list[Found]


def cover(session: Session, near_lon: float) -> Coverage:
    """Hold the stored view fields against the roads."""
    roads = ground.roads(session, near_lon)
    views = ground.views(session, near_lon)
    kept = once(roads.names, roads.lines)
    length = shapely.length(roads.lines)[kept] if len(kept) else np.empty(0)
    table: dict[str, dict[str, float]] = {}
    lit = Spans(np.empty(0, np.int64), np.empty(0), np.empty(0))
    for level in ViewLevel:
        of_level = [view for view in views if view[2] == level]
        working = _fields(v for v in of_level if v[1] == CameraState.WORKING and not v[3])
        with_broken = _fields(v for v in of_level if not v[3])
        with_ptz = _fields(v for v in of_level if v[1] == CameraState.WORKING)
        spans = [seen(roads.lines, fields) for fields in (working, with_broken, with_ptz)]
        table[level] = {
            name: round(_length(span, kept), 1)
            for name, span in zip(("working_m", "with_broken_m", "with_ptz_m"), spans, strict=True)
        }
        if level is ViewLevel.DETECT:
            lit = spans[2]
    found = blind(session, roads, kept, lit, near_lon)
    results = {"road_m": round(float(length.sum()), 1), "levels": table, "named_m": round(_named(roads, kept), 1),
               "blind_m": round(sum(f.length_m for f in found), 1), "blind": len(found)}  # fmt: skip
    return Coverage(results, found)


def _fields(views: Any) -> Shapes:
    return np.array([view[4] for view in views], object)


def _length(spans: Spans, kept: Any) -> float:
    inside = np.isin(spans.line, kept)
    return float((spans.end_m - spans.begin_m)[inside].sum())


def _named(roads: Roads, kept: Any) -> float:
    return float(sum(shapely.length(roads.lines[i]) for i in kept if roads.names[i]))


def blind(session: Session, roads: Roads, kept: Any, lit: Spans, near_lon: float) -> list[Found]:
    """The unseen stretches of every named road, the longest first."""
    dark = without_twins([
        stretch
        for street in streets(roads.names, roads.begins, roads.ends, roads.lines, kept)
        for stretch in stretches(street, roads.lines, lit, LEAST_STRETCH_M)
    ])  # fmt: skip
    return told(session, dark, roads, near_lon)


def told(session: Session, dark: Sequence[Stretch], roads: Roads, near_lon: float) -> list[Found]:
    """Stretches with the names of their ends."""
    marks = ground.marks(session, roads, near_lon)
    tree = shapely.STRtree(shapely.points(marks.x, marks.y))
    answer = []
    for stretch in dark:
        line = told_from(stretch.line)
        begins, ends = landmarks(line, stretch.name, marks, tree, LANDMARK_M)
        outside = degrees(line, near_lon)
        key = f"{stretch.name} {shapely.to_wkt(outside, rounding_precision=5)}"
        code = f"A-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        answer.append(Found(code, stretch.name, begins, ends, stretch.length_m, outside, line))
    return answer


def stretch_between(session: Session, near_lon: float, road: str, begins: str, ends: str) -> Any:
    """The part of a named road between two landmarks, as a line in metres. Raises NoSuchRoad, NoSuchLandmark, NotOnThatRoad."""
    roads = ground.roads(session, near_lon)
    ways = [
        s
        for s in streets(roads.names, roads.begins, roads.ends, roads.lines, once(roads.names, roads.lines))
        if s.name == road
    ]
    if not ways:
        raise NoSuchRoad(name=road)
    marks = ground.marks(session, roads, near_lon)
    wholes = [_whole(way, roads.lines) for way in ways]
    placed = {}
    for name in (begins, ends):
        there = [shapely.Point(marks.x[i], marks.y[i]) for i, n in enumerate(marks.names) if n == name]
        if not there:
            raise NoSuchLandmark(name=name)
        placed[name] = there
    away = [max(min(p.distance(whole) for p in there) for there in placed.values()) for whole in wholes]
    best = int(np.argmin(away))
    whole = wholes[best]
    at = []
    for name, there in placed.items():
        point = min(there, key=whole.distance)
        if point.distance(whole) > SNAP_M:
            raise NotOnThatRoad(name=name, road=road, metres=round(point.distance(whole)), most=round(SNAP_M))
        at.append(float(whole.project(point)))
    if len(at) < 2 or abs(at[0] - at[1]) < 1.0:
        raise NotOnThatRoad(name=ends, road=begins, metres=0, most=1)
    return told_from(shapely.ops.substring(whole, min(at), max(at)))


def _whole(way: Any, lines: Shapes) -> Any:
    parts = [shapely.get_coordinates(lines[edge])[:: -1 if against else 1] for edge, against in way.steps]
    return shapely.LineString(np.concatenate(parts))
