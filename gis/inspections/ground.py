"""The ground of a site as somebody drew it: one polygon of a sensible size, or a reason why not. Pure."""

from __future__ import annotations

import json
from typing import Any

from shapely import MultiPolygon, Polygon, make_valid
from shapely import area as planar
from shapely.geometry import shape

from gis.geo import to_metres
from gis.inspections.site_rules import BadGround
from gis.places.rules import check_coordinates

LEAST_M2, MOST_M2 = 4.0, 4_000_000.0
MOST_POINTS = 2_000


def ground_of(text: str) -> Polygon:
    """A polygon from GeoJSON text (a geometry or a feature). Raises BadGround, or what is wrong with its coordinates."""
    try:
        told: Any = json.loads(text)
        drawn = shape(told["geometry"] if told.get("type") == "Feature" else told)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise BadGround(reason="not GeoJSON") from None
    if isinstance(drawn, MultiPolygon) and len(drawn.geoms) == 1:
        drawn = drawn.geoms[0]
    return checked(drawn)


def checked(drawn: Any) -> Polygon:
    """The polygon if it can be the ground of a site."""
    if not isinstance(drawn, Polygon) or drawn.is_empty:
        raise BadGround(reason="not one polygon")
    if len(drawn.exterior.coords) > MOST_POINTS:
        raise BadGround(reason="too many corners")
    for lon, lat, *_height in drawn.exterior.coords:
        check_coordinates(lon, lat)
    if not drawn.is_valid:
        mended = make_valid(drawn)
        if not isinstance(mended, Polygon):
            raise BadGround(reason="its sides cross")
        drawn = mended
    size = area_m2(drawn)
    if not LEAST_M2 <= size <= MOST_M2:
        raise BadGround(reason="too small" if size < LEAST_M2 else "too large")
    return drawn


def area_m2(ground: Polygon) -> float:
    """How large it is, in the metres of its own zone."""
    lon, lat = ground.exterior.coords.xy
    x, y = to_metres(lon, lat, ground.centroid.x)
    return float(planar(Polygon(list(zip(x.tolist(), y.tolist(), strict=True)))))
