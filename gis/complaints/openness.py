"""What the public may be told of a complaint that somebody made. Pure.

A hole in a road is everybody's matter and is shown where it is. A cold room is somebody's home: of it only the cell of the
city is told (about 500 m) and the names of the areas around, never what was written by telephone, post or another channel.
Only a report that came by an open interface, whose form says that it is published, keeps its words, without numbers to call.
"""

from __future__ import annotations

import math
import re

from gis.complaints.privacy import masked_text

STREET_UTILITIES = frozenset({"road", "light", "drainage", "sanitation"})
PUBLISHED_CHANNELS = frozenset({"open311"})
CELL_DEG = 0.005
K_ANONYMOUS = 5  # a cell of the public map speaks of at least so many complaints
_DOOR = re.compile(
    r"[A-Za-z甲乙丙丁东西南北]?\s*[\d０-９一二三四五六七八九十]+\s*(?:号楼|栋|幢|座|单元|室|户|楼|层|门洞).*$"
    r"|[A-Za-z]\s*[栋幢座].*$|\d+\s*[-－]\s*\d+(?:\s*[-－]\s*\d+)*.*$|\b(?:apt|unit|room|flat)\b\.?\s*\w+.*$",
    re.IGNORECASE | re.DOTALL,
)


def cell_of(lon: float, lat: float) -> tuple[int, int]:
    """The column and the row of the city's cell in which a point lies."""
    return math.floor(lon / CELL_DEG), math.floor(lat / CELL_DEG)


def public_point(lon: float, lat: float, utility: str) -> tuple[float, float]:
    """Where the public is told it is: street matters to about 10 m, everything else the middle of its cell."""
    if utility in STREET_UTILITIES:
        return round(lon, 4), round(lat, 4)
    x, y = cell_of(lon, lat)
    return round((x + 0.5) * CELL_DEG, 4), round((y + 0.5) * CELL_DEG, 4)


def without_door(place: str) -> str:
    """An address as far as the compound or the street number: no building, staircase or door, no telephone number."""
    return _DOOR.sub("", masked_text(place)).strip(" ,，、;；-")


def public_address(place: str, utility: str, areas: list[str]) -> str:
    """The address that the public is told: of street matters what was said, else only the areas, narrowest first."""
    if utility in STREET_UTILITIES:
        return without_door(place)
    return " ".join(areas)


def public_text(text: str, channel: str) -> str:
    """What the public may read of a complaint's words: nothing, unless they came by an interface that says so."""
    return masked_text(text) if channel in PUBLISHED_CHANNELS else ""
