"""Words and limits of places."""

from __future__ import annotations

import math
from enum import StrEnum

from gis.errors import BadInput
from gis.geo import in_china, to_wgs84


class AreaLevel(StrEnum):
    """Levels of areas, widest first. A residential compound (小区) is the smallest; a grid cell (网格) crosses none."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    COMPOUND = "compound"
    CELL = "cell"


class Datum(StrEnum):
    """Coordinate systems that a caller may declare."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


# What people call them.
DATUM_NAMES: dict[Datum, str] = {
    Datum.WGS84: "WGS-84 (GPS)", Datum.GCJ02: "GCJ-02 (Amap, Tencent)", Datum.BD09: "BD-09 (Baidu)",
    Datum.CGCS2000: "CGCS2000 (national)",
}  # fmt: skip


class TravelMode(StrEnum):
    """How somebody gets there: a network answers for one of them at a time."""

    DRIVE = "drive"
    WALK = "walk"


# Kilometres per hour by OSM highway class; urban averages, editable here. source: house assumption, not a regulation.
DRIVE_KMH: dict[str, float] = {
    "motorway": 90, "motorway_link": 50, "trunk": 70, "trunk_link": 40, "primary": 50, "primary_link": 35,
    "secondary": 45, "secondary_link": 30, "tertiary": 40, "tertiary_link": 30, "unclassified": 30, "residential": 25,
    "living_street": 10, "service": 15, "road": 25,
}  # fmt: skip
WALK_ONLY = frozenset({"footway", "pedestrian", "path", "steps", "track", "cycleway", "bridleway"})
WALK_KMH = 4.5
# A part of a network with fewer junctions than this share of the largest is an island: nobody is snapped to it.
ISLAND_SHARE = 0.1
STOREY_M = 3.0  # where only storeys are mapped

# From which zoom of the map each level of area and each class of road is drawn, most important first.
AREA_FROM_ZOOM: dict[AreaLevel, int] = {
    AreaLevel.CITY: 0, AreaLevel.DISTRICT: 0, AreaLevel.STREET: 9, AreaLevel.COMMUNITY: 11, AreaLevel.COMPOUND: 13,
    AreaLevel.CELL: 14,
}  # fmt: skip
ROAD_FROM_ZOOM: dict[str, int] = {
    "motorway": 5, "trunk": 6, "primary": 8, "secondary": 10, "motorway_link": 11, "trunk_link": 11, "tertiary": 11,
    "primary_link": 12, "secondary_link": 12, "tertiary_link": 13, "unclassified": 12, "residential": 12, "road": 12,
    "pedestrian": 14, "living_street": 14, "service": 14, "track": 15, "cycleway": 15, "bridleway": 15, "footway": 15,
    "path": 15, "steps": 15,
}  # fmt: skip


class BadCoordinates(BadInput):
    """These coordinates are outside the possible range: %(lon)s, %(lat)s."""

    code = "bad_coordinates"


class SwappedCoordinates(BadInput):
    """Longitude and latitude look swapped: %(lon)s, %(lat)s."""

    code = "swapped_coordinates"


class BadGeometry(BadInput):
    """This geometry cannot be used: %(reason)s"""

    code = "bad_geometry"


class WrongDatum(BadInput):
    """These coordinates do not fit the declared system %(declared)s; they look like %(looks_like)s."""

    code = "wrong_datum"


class UnknownDatum(BadInput):
    """There is no coordinate system %(datum)s; declare one of %(known)s."""

    code = "unknown_datum"


class UnknownYear(BadInput):
    """%(year)s is not a year of the calendar."""

    code = "unknown_year"


class NotExceptional(BadInput):
    """%(day)s is already so without being listed: only days that differ from Monday to Friday are."""

    code = "not_exceptional"


class SourceMissing(BadInput):
    """Say where the year's holidays come from."""

    code = "source_missing"


FIRST_YEAR, LAST_YEAR = 2000, 2100
NAME_LIMIT, SOURCE_LIMIT = 80, 300


def check_year(year: int) -> None:
    """Raise UnknownYear outside what the calendar can hold."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnknownYear(year=year)


def check_coordinates(lon: float, lat: float) -> None:
    """Raise BadCoordinates for what is no longitude and latitude, SwappedCoordinates where they stand the wrong way round.

    Swapped is said of values that are impossible as they stand, or that lie in China only the other way round and are
    far from any city as they stand (latitude above 66). Anything else needs the city's districts: `queries.check_point`.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise BadCoordinates(lon=str(lon), lat=str(lat))
    swapped_in_china = bool(in_china(lat, lon))
    possible = abs(lon) <= 180 and abs(lat) <= 90
    if swapped_in_china and (not possible or abs(lat) > 66):
        raise SwappedCoordinates(lon=lon, lat=lat)
    if not possible:
        raise BadCoordinates(lon=lon, lat=lat)


def from_datum(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Checked coordinates of a declared system as WGS-84 degrees (8 decimals: a millimetre)."""
    if datum not in set(Datum):
        raise UnknownDatum(datum=datum, known=", ".join(Datum))
    check_coordinates(lon, lat)
    x, y = to_wgs84(lon, lat, datum)
    return round(float(x), 8), round(float(y), 8)
