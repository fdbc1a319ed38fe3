"""A thing that may be told by its ground instead of its point: the polygon goes into a column, a point inside stays."""

from __future__ import annotations

from typing import Any

import numpy as np
from geoalchemy2 import WKBElement
from pyproj import CRS
from shapely import Polygon, to_wkb

from gis.db import SRID
from gis.errors import ChengmaiError
from gis.inspections.ground import checked
from webapp.imports.fields import Columns
from webapp.imports.geometry import to_degrees


def taken_apart(shapes: np.ndarray, columns: Columns) -> list[Polygon | None]:
    """The polygons, in the file's own system; in `shapes` a point inside of each takes their place."""
    grounds: list[Polygon | None] = [None] * len(shapes)
    for i, shape in enumerate(shapes):
        kind = getattr(shape, "geom_type", "")
        if kind == "MultiPolygon" and len(shape.geoms) == 1:
            shape, kind = shape.geoms[0], "Polygon"
        if kind == "Polygon" and not shape.is_empty:
            grounds[i], shapes[i] = shape, shape.representative_point()
    return grounds


def kept_grounds(grounds: list[Polygon | None], crs: CRS, datum: str, columns: Columns) -> list[Any]:
    """The polygons as the database keeps them; one that cannot be a ground refuses its row."""
    kept: list[Any] = []
    for i, ground in enumerate(grounds):
        made = None
        if ground is not None and columns.good(i):
            try:
                there = np.array([ground], dtype=object)
                made = WKBElement(to_wkb(checked(to_degrees(there, crs, datum)[0])), srid=SRID)
            except ChengmaiError as error:
                columns.refuse_place(i, error)
        kept.append(made)
    return kept
