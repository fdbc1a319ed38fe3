"""The ground that is compared: which area, in which plane, cut into which cells, where people live. Kept in memory while the
bureau's areas stay as they are, because every filter asks for it anew and none of them changes it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gis.complaints.queries import Filters
from gis.geo import to_metres
from gis.hotspots import queries, sheet_queries, tiling
from gis.hotspots.density import Floats, Mask
from gis.hotspots.rules import CellShape, Ground, NoTracts
from gis.hotspots.tiling import Tiling
from gis.people.rules import Scope

KEPT = 24
NEAR_PLANE = 3.0  # degrees from its middle at which the sheets' plane still serves: lengths are wrong by 0.1 % there


@dataclass(frozen=True)
class Cut:
    """An area in degrees and its cells: all of the area, those lived in (none: nobody knows), households in each."""

    near_lon: float
    area: Any
    tiling: Tiling
    ground_mask: Mask
    lived: Mask | None
    households: Floats


_cuts: OrderedDict[tuple[object, ...], Cut | None] = OrderedDict()
_lock = Lock()


def cut(
    session: Session, filters: Filters, scope: Scope, shape: CellShape, cell_m: float, ground: Ground
) -> Cut | None:  # fmt: skip
    """The ground of these districts. `None` where the bureau has no areas yet. Raises TooManyCells, NoTracts."""
    address = session.connection().engine.url.render_as_string(hide_password=True)
    key = (address, *queries.fingerprint(session), filters.district, scope.area_id, shape, cell_m, ground)
    with _lock:
        if key in _cuts:
            _cuts.move_to_end(key)
            return _cuts[key]
    made = _cut(session, filters, scope, shape, cell_m, ground)
    with _lock:
        _cuts[key] = made
        while len(_cuts) > KEPT:
            _cuts.popitem(last=False)
    return made


def _cut(
    session: Session, filters: Filters, scope: Scope, shape: CellShape, cell_m: float, ground: Ground
) -> Cut | None:  # fmt: skip
    area = queries.study_area(session, filters.district, scope)
    if area is None or shapely.is_empty(area):
        return None
    near_lon = plane_of(session, float(area.centroid.x))
    if shape is CellShape.COMMUNITY:
        return _communities(session, area, near_lon)
    area_m = in_metres(area, near_lon)
    grid = tiling.over(shape, area_m.bounds, cell_m)
    mask = tiling.touched(grid, area_m)
    homes = queries.settled(session, area)
    lived, households = None, np.zeros(grid.shape)
    if homes:
        shapes = [in_metres(home.geometry, near_lon) for home in homes]
        lived, households = tiling.lived_in(grid, shapes, np.array([float(home.households) for home in homes]))
        lived = lived & mask if ground is Ground.SETTLED else None
    return Cut(near_lon, area, grid, mask, lived, np.where(mask, households, 0.0))


def _communities(session: Session, area: Any, near_lon: float) -> Cut:
    rows = queries.communities(session, area)
    if not rows:
        raise NoTracts()
    shapes = [in_metres(row.geometry, near_lon) for row in rows]
    made = tiling.tracts([row.id for row in rows], [row.name for row in rows], shapes)
    every, households = np.ones(made.shape, bool), np.array([[float(row.households) for row in rows]])
    return Cut(near_lon, area, made, every, None, households)


def plane_of(session: Session, lon: float) -> float:
    """The middle of the plane to compute in: the sheets' own wherever it serves."""
    kept = sheet_queries.plane(session).near_lon
    return kept if abs(kept - lon) <= NEAR_PLANE else round(lon / 3) * 3.0


def in_metres(shape: Any, near_lon: float) -> Any:
    """A geometry in degrees as one in metres."""
    return shapely.transform(shape, lambda xy: np.column_stack(to_metres(xy[:, 0], xy[:, 1], near_lon)))
