"""Coordinates and shapes from outside: are they of the system that is declared, and can they be kept?

A polygon that crosses itself is repaired only where nothing is lost (its area stays the same to a hundred-thousandth);
otherwise it is refused with the place of the fault. Everything leaves here as WGS-84 longitude and latitude.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from gis.errors import BadInput, ChengmaiError
from gis.geo import in_china, to_wgs84, wgs84_to_gcj02
from gis.places.rules import DATUM_NAMES, BadCoordinates, BadGeometry, Datum, SwappedCoordinates, WrongDatum
from webapp.imports.errors import BadMapping, CoordinatesMissing, CrsContradicted, WrongGeometryKind

MOST_VERTICES = 1_000_000
LOSSLESS = 1e-5
WORST_PAIR = 0.5  # two areas that share less are not the same area
MISFIT_FROM = 0.002
CLEARLY = 0.75
Shapes = NDArray[Any]
Refuse = Callable[[int, ChengmaiError], None]

_MULTI = {"POINT": "MultiPoint", "LINESTRING": "MultiLineString"}


def crs_of(name: str) -> CRS:
    """A coordinate system by its name (EPSG:4548). Raises BadMapping."""
    try:
        return CRS.from_user_input(name)
    except CRSError:
        raise BadMapping(where="coordinates.crs", reason=name[:40]) from None


def to_degrees(shapes: Shapes, crs: CRS, datum: str) -> Shapes:
    """Shapes in a declared system as WGS-84. Raises CrsContradicted, SwappedCoordinates, BadCoordinates."""
    points = shapely.get_coordinates(shapes)
    if not len(points):
        return shapes
    if not np.isfinite(points).all():
        raise BadCoordinates(lon="NaN", lat="NaN")
    x, y = points[0].tolist()
    largest = float(np.abs(points).max())
    if largest > 1000 if crs.is_geographic else largest <= 180:
        raise CrsContradicted(crs=crs.name, x=x, y=y)
    if crs.is_geographic:
        _check_degrees(points)
    moved = shapely.transform(shapely.force_2d(shapes), _converter(crs, datum))
    _check_home(crs, shapely.get_coordinates(moved), x, y)
    return moved


def _check_degrees(points: NDArray[np.float64]) -> None:
    lon, lat = points[:, 0], points[:, 1]
    wrong = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    swapped = in_china(lat, lon) & (wrong | (np.abs(lat) > 66))
    for bad, error in ((swapped, SwappedCoordinates), (wrong, BadCoordinates)):
        if bad.any():
            i = int(np.argmax(bad))
            raise error(lon=float(lon[i]), lat=float(lat[i]))


def _converter(crs: CRS, datum: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    # CGCS2000 and WGS-84 agree within centimetres; asking PROJ would only bring back the axis order question.
    same = crs.is_geographic and crs.to_epsg() in (4326, 4490, 4979, 4480)
    transformer = None if same else Transformer.from_crs(crs, CRS.from_epsg(4326), always_xy=True)

    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = xy[:, 0], xy[:, 1]
        if transformer is not None:
            try:
                lon, lat = transformer.transform(lon, lat)
            except ProjError:
                lon, lat = np.full(len(xy), np.inf), np.full(len(xy), np.inf)
        return np.column_stack(to_wgs84(lon, lat, datum))

    return convert


def _check_home(crs: CRS, degrees: NDArray[np.float64], x: float, y: float) -> None:
    """Converted coordinates must be possible, and not far from where their system is used."""
    if not np.isfinite(degrees).all() or (np.abs(degrees[:, 1]) > 90).any():
        raise CrsContradicted(crs=crs.name, x=x, y=y)
    home = crs.area_of_use
    if home is not None and home.west < home.east:
        lon, lat = np.median(degrees, axis=0)
        if not (home.west - 10 <= lon <= home.east + 10 and home.south - 10 <= lat <= home.north + 10):
            raise CrsContradicted(crs=crs.name, x=x, y=y)


def checked(shapes: Shapes, wanted: str, refuse: Refuse, warn: Callable[[str], None]) -> Shapes:
    """Each shape as the kind that is wanted, or refused with its reason."""
    kept = shapes.copy()
    for i, shape in enumerate(shapes):
        try:
            kept[i] = _one(shape, wanted, warn)
        except BadInput as error:
            refuse(i, error)
            kept[i] = None
    return kept


def _one(shape: Any, wanted: str, warn: Callable[[str], None]) -> Any:
    if shape is None or shape.is_empty:
        raise CoordinatesMissing()
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise BadGeometry(reason=f"> {MOST_VERTICES:,} vertices")
    if wanted == "MULTIPOLYGON":
        return _polygons(shape, warn)
    if shape.geom_type == _MULTI[wanted]:
        shape = shapely.line_merge(shape) if wanted == "LINESTRING" else shape
        if shape.geom_type == _MULTI[wanted] and len(shape.geoms) == 1:
            shape = shape.geoms[0]
    if shape.geom_type.upper() != wanted:
        raise WrongGeometryKind(kind=shape.geom_type, needed=wanted.capitalize())
    if wanted == "LINESTRING" and shape.length == 0:
        warn("zero_length")
    return shape


def _polygons(shape: Any, warn: Callable[[str], None]) -> Any:
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise WrongGeometryKind(kind=shape.geom_type, needed="Polygon")
    if not shape.is_valid:
        repaired = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        lost = abs(repaired.area - shape.area) > LOSSLESS * max(shape.area, 1e-12)
        if lost or repaired.is_empty or repaired.geom_type not in ("Polygon", "MultiPolygon"):
            raise BadGeometry(reason=shapely.is_valid_reason(shape))
        warn("made_valid")
        shape = repaired
    if shape.area == 0:
        raise BadGeometry(reason="area 0")
    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])


def check_datum(new: Shapes, known: Shapes, declared: str) -> None:
    """Lay areas over the known ones of the same level; WrongDatum where another datum makes them fit clearly better.

    GCJ-02 lies 400 to 600 m off in China. Borders also change with the years and are drawn more or less finely, so the
    median over all pairs decides, and pairs that never fit are left out.
    """
    if not len(new) or not len(known):
        return
    tree = shapely.STRtree(known)
    misfits: dict[str, list[float]] = {name: [] for name in ("declared", *_BACK)}
    for shape in new:
        near = known[tree.query(shape)]
        there = min(near, key=lambda k: _misfit(shape, k), default=None)
        if there is None or _misfit(shape, there) > WORST_PAIR:
            continue
        misfits["declared"].append(_misfit(shape, there))
        for name, back in _BACK.items():
            misfits[name].append(_misfit(shapely.transform(shape, back), there))
    if not misfits["declared"]:
        return
    median = {name: float(np.median(values)) for name, values in misfits.items()}
    best = min(_BACK, key=lambda name: median[name])
    if median["declared"] > MISFIT_FROM and median[best] < CLEARLY * median["declared"]:
        raise WrongDatum(declared=DATUM_NAMES[Datum(declared)], looks_like=DATUM_NAMES[Datum(best)], datum=best)


def _misfit(a: Any, b: Any) -> float:
    """0 where two shapes are the same, 1 where they have nothing in common."""
    common = shapely.area(shapely.intersection(a, b))
    return 1.0 - float(common / (shapely.area(a) + shapely.area(b) - common))


# What would make coordinates true that are declared as another system.
_BACK: dict[str, Callable[[Any], Any]] = {
    "gcj02": lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02")),
    "bd09": lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "bd09")),
    "wgs84": lambda xy: np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1])),
}
