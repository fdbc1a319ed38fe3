"""What the tags of a mapped street mean: may it be driven, in which direction, how fast. Tables and pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gis.places.rules import DRIVE_KMH, WALK_KMH, WALK_ONLY

CLOSED = frozenset({"no", "private", "agricultural", "forestry", "military", "emergency", "psv", "bus"})
NO_WALKING = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
# The most particular tag decides. source: OpenStreetMap's access hierarchy for motor cars.
CAR_ACCESS = ("motorcar", "motor_vehicle", "vehicle", "access")
FOOT_ACCESS = ("foot", "access")
MILE_KM = 1.609344
KNOT_KM = 1.852
SLOWEST_KMH, FASTEST_KMH = 3.0, 150.0

# Classes as Chinese survey data and other products name them. source: CJJ 37 (classes of urban roads), house assumption.
CLASSES: dict[str, str] = {
    "高速公路": "motorway", "高速": "motorway", "国道": "trunk", "快速路": "trunk", "省道": "primary", "主干路": "primary",
    "主干道": "primary", "县道": "secondary", "次干路": "secondary", "次干道": "secondary", "乡道": "tertiary", "支路": "tertiary",
    "村道": "unclassified", "街坊路": "residential", "小区路": "living_street", "步行街": "pedestrian", "人行道": "footway",
    "major_road": "secondary", "minor_road": "residential", "street": "residential", "street_limited": "residential",
}  # fmt: skip


@dataclass(frozen=True)
class Road:
    """A usable street: speeds in the direction it was drawn and against it. None: closed that way."""

    highway: str
    name: str | None
    forward_kmh: float | None
    backward_kmh: float | None
    walk_kmh: float | None


def read_road(tags: Mapping[str, str]) -> Road | None:
    """A street from its tags, or None for what is no street, not built yet, or closed to us."""
    highway = tags.get("highway", "")
    highway = CLASSES.get(highway, highway)
    if highway not in DRIVE_KMH and highway not in WALK_ONLY:
        return None
    if tags.get("area") == "yes":
        return None
    forward, backward = (None, None) if not _may_drive(highway, tags) else _speeds(highway, tags)
    walk = WALK_KMH if _may_walk(highway, tags) else None
    if forward is None and backward is None and walk is None:
        return None
    return Road(highway, (tags.get("name") or tags.get("ref") or "")[:160] or None, forward, backward, walk)


def _first(tags: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((tags[key] for key in keys if tags.get(key)), None)


def _may_drive(highway: str, tags: Mapping[str, str]) -> bool:
    return highway in DRIVE_KMH and _first(tags, CAR_ACCESS) not in CLOSED


def _may_walk(highway: str, tags: Mapping[str, str]) -> bool:
    said = _first(tags, FOOT_ACCESS)
    return said in ("yes", "designated") if highway in NO_WALKING else said not in CLOSED


def _speeds(highway: str, tags: Mapping[str, str]) -> tuple[float | None, float | None]:
    usual = DRIVE_KMH[highway]
    both = speed_kmh(tags.get("maxspeed")) or usual
    forward = speed_kmh(tags.get("maxspeed:forward")) or both
    backward = speed_kmh(tags.get("maxspeed:backward")) or both
    one_way = direction(tags, highway)
    return forward if one_way >= 0 else None, backward if one_way <= 0 else None


def direction(tags: Mapping[str, str], highway: str = "") -> int:
    """1: only as drawn, -1: only against it, 0: both ways. A roundabout and a motorway are one-way unless they say no."""
    said = (_first(tags, ("oneway:motor_vehicle", "oneway")) or "").strip().lower()
    if said in ("yes", "true", "1", "ft", "f"):
        return 1
    if said in ("-1", "reverse", "tf", "t"):
        return -1
    if said in ("no", "false", "0", "b"):
        return 0
    return 1 if tags.get("junction") in ("roundabout", "circular") or highway == "motorway" else 0


def speed_kmh(said: str | None) -> float | None:
    """`"50"`, `"30 mph"`, `"walk"`; None where nothing, or nothing sensible, is said."""
    if not said:
        return None
    first = said.split(";")[0].strip().lower()
    if first in ("walk", "cn:living_street", "de:living_street"):
        return 7.0
    match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", first)
    if match is None:
        return None
    factor = {"mph": MILE_KM, "knots": KNOT_KM}.get(match[2] or "", 1.0)
    value = float(match[1]) * factor
    return value if SLOWEST_KMH <= value <= FASTEST_KMH else None
