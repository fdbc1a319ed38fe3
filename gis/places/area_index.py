"""Which areas contain many points at once: polygons and numbers in, ids out. Pure; the answers are those of `areas_at`.

A million points against ten thousand polygons take seconds, because each polygon is prepared once and asked for a whole
chunk of points; the same question in SQL, point by point, takes longer than the rest of an import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class AreaIndex:
    """Areas of several levels. Of two areas of one level that hold a point, the smaller is meant, then the lower id."""

    def __init__(self, ids: Sequence[int], levels: Sequence[str], shapes: Sequence[Any]) -> None:
        polygons = np.asarray(shapes, dtype=object)
        order: Ints = np.lexsort((-np.asarray(ids, np.int64), -shapely.area(polygons)))
        self._ids = np.asarray(ids, np.int64)[order]
        self._levels = np.asarray(levels, dtype=object)[order]
        self._shapes = polygons[order]
        shapely.prepare(self._shapes)

    def find(self, lon: Floats, lat: Floats) -> dict[str, Ints]:
        """Level -> the id of the area that covers each point, 0 where there is none (also where a number is NaN)."""
        found: dict[str, Ints] = {}
        known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        if not len(self._ids) or not len(known):
            return found
        tree = shapely.STRtree(shapely.points(lon[known], lat[known]))
        area, point = tree.query(self._shapes, predicate="covers")
        for level in set(self._levels):
            mine = self._levels[area] == level
            ids = np.zeros(len(lon), np.int64)
            # Widest first, so that the smaller area is written last and stays.
            ids[known[point[mine]]] = self._ids[area[mine]]
            found[level] = ids
        return found

    def swapped(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Which points lie far outside all areas as they stand, and inside one the other way round?"""
        if not len(self._ids):
            return np.zeros(len(lon), np.bool_)
        west, south, east, north = shapely.total_bounds(self._shapes)
        outside = (lon < west) | (lon > east) | (lat < south) | (lat > north)
        turned = outside & (lat >= west) & (lat <= east) & (lon >= south) & (lon <= north)
        if turned.any():
            inside = self.find(np.where(turned, lat, np.nan), np.where(turned, lon, np.nan))
            turned &= np.any([ids > 0 for ids in inside.values()], axis=0)
        return turned
