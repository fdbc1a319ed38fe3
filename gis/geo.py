"""Coordinates. WGS-84 longitude/latitude at the doors; only this module converts (GCJ-02, BD-09, CGCS2000, metres).

GCJ-02 and BD-09 are the published offsets of the Chinese web map datums (Krasovsky 1940 ellipsoid); the inverse is found
by fixed-point iteration to less than a millimetre. CGCS2000 and WGS-84 differ by centimetres and are taken as equal.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer

Floats = NDArray[np.float64]

_A = 6378245.0
_EE = 0.00669342162296594323
_X_PI = math.pi * 3000.0 / 180.0
EARTH_M = 6371008.8


def in_china(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Where the Chinese offset applies (the rectangle that every public implementation uses)."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    return (x > 72.004) & (x < 137.8347) & (y > 0.8293) & (y < 55.8271)


def _offset(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    d_lat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    d_lon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1 - _EE * np.sin(radians) ** 2
    root_magic = np.sqrt(magic)
    d_lat = d_lat * 180.0 / ((_A * (1 - _EE)) / (magic * root_magic) * np.pi)
    d_lon = d_lon * 180.0 / (_A / root_magic * np.cos(radians) * np.pi)
    return d_lon, d_lat


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Degrees in, degrees out, any shape. Outside China the point is returned as it is."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    d_lon, d_lat = _offset(x, y)
    inside = in_china(x, y)
    return np.where(inside, x + d_lon, x), np.where(inside, y + d_lat, y)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """The exact inverse, by iteration (converges by a factor of about 1,000 a step)."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    guess_x, guess_y = x.copy(), y.copy()
    for _ in range(6):
        there_x, there_y = wgs84_to_gcj02(guess_x, guess_y)
        guess_x, guess_y = guess_x - (there_x - x), guess_y - (there_y - y)
    return guess_x, guess_y


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    z = np.hypot(x, y) + 0.00002 * np.sin(y * _X_PI)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * _X_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    guess_x, guess_y = x - 0.0065, y - 0.006
    for _ in range(8):
        there_x, there_y = gcj02_to_bd09(guess_x, guess_y)
        guess_x, guess_y = guess_x - (there_x - x), guess_y - (there_y - y)
    return guess_x, guess_y


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str = "wgs84") -> tuple[Floats, Floats]:
    """Coordinates declared in `datum` (wgs84, cgcs2000, gcj02 or bd09) as WGS-84. Raises KeyError for another word."""
    return _TO_WGS84[datum](lon, lat)


def _same(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    return np.asarray(lon, float), np.asarray(lat, float)


_TO_WGS84: dict[str, Any] = {
    "wgs84": _same,
    "cgcs2000": _same,
    "gcj02": gcj02_to_wgs84,
    "bd09": lambda lon, lat: gcj02_to_wgs84(*bd09_to_gcj02(lon, lat)),
}


def distance_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Great-circle distance in metres (sphere; within 0.5 % of the ellipsoid)."""
    p1, p2 = np.radians(np.asarray(lat1, float)), np.radians(np.asarray(lat2, float))
    d_lon = np.radians(np.asarray(lon2, float) - np.asarray(lon1, float))
    h = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin(d_lon / 2) ** 2
    distance: Floats = 2 * EARTH_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))
    return distance


def zone_epsg(lon: float) -> int:
    """The projected system for metres near a longitude: CGCS2000 3-degree zone in China (CM 75..135), else UTM north."""
    zone = round(lon / 3)
    if 25 <= zone <= 45:
        return 4534 + zone - 25
    return 32600 + int((lon + 180) // 6) % 60 + 1


@cache
def metres_at(lon_3deg: int) -> Transformer:
    """A transformer from WGS-84 degrees to metres for the zone around `lon_3deg * 3` degrees."""
    return Transformer.from_crs(CRS.from_epsg(4326), CRS.from_epsg(zone_epsg(lon_3deg * 3.0)), always_xy=True)


def to_metres(lon: ArrayLike, lat: ArrayLike, near_lon: float) -> tuple[Floats, Floats]:
    """Easting and northing in metres in the zone around `near_lon` (use one zone for one computation)."""
    x, y = metres_at(round(near_lon / 3)).transform(np.asarray(lon, float), np.asarray(lat, float))
    return np.asarray(x, float), np.asarray(y, float)


def to_degrees(x_m: ArrayLike, y_m: ArrayLike, near_lon: float) -> tuple[Floats, Floats]:
    """The inverse of `to_metres` with the same `near_lon`."""
    lon, lat = metres_at(round(near_lon / 3)).transform(
        np.asarray(x_m, float), np.asarray(y_m, float), direction="INVERSE"
    )
    return np.asarray(lon, float), np.asarray(lat, float)
