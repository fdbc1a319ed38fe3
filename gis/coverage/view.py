"""What a camera sees: a sector of a circle, cut by buildings. Metres in a plane, bearings in degrees clockwise from north.

The boundary of what is seen can bend only at the corner of a building, where a wall meets the circle, or on the circle.
So rays go just left and just right of every such angle and at steps between (`STEP_DEG`, where walls of overlapping
outlines may cross); each wall shortens the rays that it spans, and the shortest length of each ray is the boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_DEG = 0.5  # chords of the arc: its area is short by 1.3e-5
SIDE_RAD = 1e-7  # just beside a corner: 0.01 mm at 100 m
MOUNT_M = 1.0  # a camera so near to a wall, or inside the outline by so much, hangs on it
OFF_WALL_M = 0.05  # how far from its wall a camera stands


@dataclass(frozen=True)
class Looks:
    """Cameras as arrays: where they stand, where they look, how wide and how far."""

    x: Floats
    y: Floats
    bearing_deg: Floats
    fov_deg: Floats
    range_m: Floats


@dataclass(frozen=True)
class Walls:
    """Building outlines as walls, and an index to find those near a place. `start[i]:start[i + 1]` are building i's."""

    outlines: NDArray[np.object_]
    tree: shapely.STRtree
    start: Ints
    ends: Floats  # x0, y0, x1, y1 of each wall


def walls(outlines: NDArray[np.object_]) -> Walls:
    """The walls of (multi)polygons, holes too. An outline that is not simple is made valid first."""
    good = np.asarray(shapely.make_valid(np.asarray(outlines, object)), object)
    parts, of_part = shapely.get_parts(
        shapely.get_parts(good), return_index=True
    )  # a collection may hold multipolygons
    _, of_good = shapely.get_parts(good, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    of = of_good[of_part[of_ring]]
    coords, owner = shapely.get_coordinates(rings, return_index=True)
    if len(rings) == 0:
        return Walls(good, shapely.STRtree(good), np.zeros(len(good) + 1, np.int64), np.empty((0, 4)))
    same = owner[1:] == owner[:-1]
    ends = np.hstack([coords[:-1], coords[1:]])[same]
    building = of[owner[:-1][same]]
    start = np.searchsorted(building, np.arange(len(good) + 1)).astype(np.int64)
    return Walls(good, shapely.STRtree(good), start, np.ascontiguousarray(ends))


def stand_off(looks: Looks, around: Walls, ignored: frozenset[int] = frozenset()) -> tuple[Looks, list[list[int]]]:
    """Cameras that hang on a wall, moved just in front of it, and for each camera the buildings that do not hide anything.

    The wall is the nearest within `MOUNT_M` that faces where the camera looks; the other wings of its building go on to
    hide. A camera inside an outline with no such wall (on a roof, or drawn carelessly) is not hidden by that building.
    `ignored`: cameras that stand higher than their building.
    """
    x, y = looks.x.copy(), looks.y.copy()
    free: list[list[int]] = [[] for _ in x]
    if len(around.outlines) == 0 or len(x) == 0:
        return looks, free
    points = shapely.points(x, y)
    cameras, buildings = around.tree.query(points, predicate="dwithin", distance=MOUNT_M)
    for camera, building in zip(cameras.tolist(), buildings.tolist(), strict=True):
        outline = around.outlines[building]
        inside = bool(shapely.contains_xy(outline, looks.x[camera], looks.y[camera]))
        if camera in ignored:
            free[camera].append(building)
            continue
        ends = around.ends[around.start[building] : around.start[building + 1]]
        there = _facing(
            ends, looks.x[camera], looks.y[camera], looks.bearing_deg[camera], looks.fov_deg[camera], outline
        )
        if there is not None:
            x[camera], y[camera] = there
        elif inside:
            free[camera].append(building)
    return Looks(x, y, looks.bearing_deg, looks.fov_deg, looks.range_m), free


def _facing(
    ends: Floats, x: float, y: float, bearing_deg: float, fov_deg: float, outline: shapely.Geometry
) -> tuple[float, float] | None:
    """Just in front of the nearest wall within `MOUNT_M` that faces the bearing (any wall, where all round is seen)."""
    along = ends[:, 2:] - ends[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    kept = length > 0
    ends, along, length = ends[kept], along[kept] / length[kept, None], length[kept]
    t = np.clip((x - ends[:, 0]) * along[:, 0] + (y - ends[:, 1]) * along[:, 1], 0, length)
    near = ends[:, :2] + t[:, None] * along
    away = np.hypot(near[:, 0] - x, near[:, 1] - y)
    look = np.array([np.sin(np.radians(bearing_deg)), np.cos(np.radians(bearing_deg))])
    for wall in np.argsort(away, kind="stable"):
        if away[wall] > MOUNT_M:
            return None
        out = np.array([along[wall, 1], -along[wall, 0]])
        for normal in (out, -out):
            px, py = near[wall] + OFF_WALL_M * normal
            if shapely.contains_xy(outline, px, py):
                continue
            if fov_deg >= 360 or normal @ look > 1e-9:
                return float(px), float(py)
    return None


def view_fields(looks: Looks, around: Walls, free: list[list[int]] | None = None) -> NDArray[np.object_]:
    """The polygon that each camera sees. `free[i]`: buildings that do not hide anything from camera i."""
    n = len(looks.x)
    if n == 0:
        return np.empty(0, object)
    reach = looks.range_m
    boxes = shapely.box(looks.x - reach, looks.y - reach, looks.x + reach, looks.y + reach)
    cameras, buildings = around.tree.query(boxes) if len(around.outlines) else (np.empty(0, int), np.empty(0, int))
    if free is not None and any(free):
        left_out = np.array(
            [building in free[camera] for camera, building in zip(cameras, buildings, strict=True)], bool
        )
        cameras, buildings = cameras[~left_out], buildings[~left_out]
    order = np.lexsort((buildings, cameras))
    cameras, buildings = cameras[order], buildings[order]
    first = np.searchsorted(cameras, np.arange(n + 1)).astype(np.int64)
    fields = np.empty(n, object)
    for i in range(n):
        ring = _ring(
            looks.x[i], looks.y[i], np.radians(looks.bearing_deg[i]), np.radians(min(looks.fov_deg[i], 360.0)),
            reach[i], buildings[first[i] : first[i + 1]].astype(np.int64), around.start, around.ends,
        )  # fmt: skip
        fields[i] = shapely.Polygon(ring)
    return fields


@numba.njit(cache=True)
def _ring(
    x: float, y: float, bearing: float, fov: float, reach: float, buildings: Ints, start: Ints, ends: Floats
) -> Floats:
    """The boundary as points: the camera first where it is not all round."""
    half = fov / 2
    count = 0
    for b in buildings:
        count += start[b + 1] - start[b]
    near = np.empty((count, 4))
    kept = 0
    for b in buildings:
        for w in range(start[b], start[b + 1]):
            x0, y0, x1, y1 = ends[w, 0] - x, ends[w, 1] - y, ends[w, 2] - x, ends[w, 3] - y
            ok, t0, t1 = _within(x0, y0, x1, y1, reach)
            if ok:
                near[kept] = (x0 + t0 * (x1 - x0), y0 + t0 * (y1 - y0), x0 + t1 * (x1 - x0), y0 + t1 * (y1 - y0))
                kept += 1
    steps = int(np.ceil(fov / np.radians(STEP_DEG))) + 1
    rays = np.empty(steps + 6 * kept)
    for i in range(steps):
        rays[i] = -half + fov * i / (steps - 1)
    total = steps
    spans = np.empty((kept, 2))
    for w in range(kept):
        for e in range(2):
            angle = _turned(np.arctan2(near[w, 2 * e], near[w, 2 * e + 1]) - bearing)
            spans[w, e] = angle
            for side in (-SIDE_RAD, 0.0, SIDE_RAD):
                if -half <= angle + side <= half:
                    rays[total] = angle + side
                    total += 1
    rays = np.sort(rays[:total])
    far = np.full(total, reach)
    for w in range(kept):
        low, high = min(spans[w, 0], spans[w, 1]), max(spans[w, 0], spans[w, 1])
        if high - low > np.pi:  # behind the camera: both outer parts
            _shorten(rays, far, near[w], bearing, high, np.pi)
            _shorten(rays, far, near[w], bearing, -np.pi, low)
        else:
            _shorten(rays, far, near[w], bearing, low, high)
    whole = fov >= 2 * np.pi - 1e-9
    ring = np.empty((total + (0 if whole else 1), 2))
    at = 0
    if not whole:
        ring[0] = (x, y)
        at = 1
    for i in range(total):
        ring[at + i] = (x + far[i] * np.sin(bearing + rays[i]), y + far[i] * np.cos(bearing + rays[i]))
    return ring


@numba.njit(cache=True)
def _turned(angle: float) -> float:
    """The same angle within -pi to pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


@numba.njit(cache=True)
def _within(x0: float, y0: float, x1: float, y1: float, reach: float) -> tuple[bool, float, float]:
    """Which part of a wall lies in the circle around nought."""
    dx, dy = x1 - x0, y1 - y0
    a = dx * dx + dy * dy
    if a == 0:
        return False, 0.0, 0.0
    b = x0 * dx + y0 * dy
    c = x0 * x0 + y0 * y0 - reach * reach
    under = b * b - a * c
    if under <= 0:
        return False, 0.0, 0.0
    root = np.sqrt(under)
    t0, t1 = max(0.0, (-b - root) / a), min(1.0, (-b + root) / a)
    return t0 < t1, t0, t1


@numba.njit(cache=True)
def _shorten(rays: Floats, far: Floats, wall: Floats, bearing: float, low: float, high: float) -> None:
    """Cut the rays between two angles at a wall."""
    dx, dy = wall[2] - wall[0], wall[3] - wall[1]
    cross = wall[0] * dy - wall[1] * dx
    for i in range(np.searchsorted(rays, low), np.searchsorted(rays, high, side="right")):
        ux, uy = np.sin(bearing + rays[i]), np.cos(bearing + rays[i])
        down = ux * dy - uy * dx
        if abs(down) > 1e-12:
            t = cross / down
            if 0 <= t < far[i]:
                far[i] = t
