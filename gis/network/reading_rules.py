"""Words of measuring: what is measured where and in which unit, what can be wrong with a reading, and which alarms there are.

No limit stands here: bands, curves, durations and expected intervals are rows (`AlarmRule`), each with its source.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from gis.errors import BadInput, Conflict


class Quantity(StrEnum):
    """What a measuring point measures."""

    TEMPERATURE = "temperature"
    PRESSURE = "pressure"
    FLOW = "flow"


class PointSide(StrEnum):
    """Where a measuring point sits: a side of a heat-exchange station, a main, a room, or outdoors."""

    PRIMARY_SUPPLY = "primary_supply"
    PRIMARY_RETURN = "primary_return"
    SECONDARY_SUPPLY = "secondary_supply"
    SECONDARY_RETURN = "secondary_return"
    MAIN = "main"
    ROOM = "room"
    OUTDOOR = "outdoor"


class FaultKind(StrEnum):
    """Why a reading is not kept as a reading; it is kept as a fault with its object instead."""

    UNREADABLE = "unreadable"
    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_UNIT = "unknown_unit"
    NO_TIME = "no_time"
    FUTURE = "future"
    TOO_OLD = "too_old"
    NOT_A_NUMBER = "not_a_number"
    INFINITE = "infinite"
    IMPOSSIBLE = "impossible"
    CONTRADICTS = "contradicts"


class AlarmKind(StrEnum):
    """What an alarm rule watches."""

    BAND = "band"
    CURVE = "curve"
    SWAPPED = "swapped"
    SILENCE = "silence"


class AlarmWay(StrEnum):
    """To which side an alarm left what is wanted."""

    LOW = "low"
    HIGH = "high"
    SILENT = "silent"
    SWAPPED = "swapped"


class FromWhere(StrEnum):
    """The way by which a reading came in."""

    API = "api"
    FILE = "file"
    MQTT = "mqtt"
    PHONE = "phone"


# The unit in which each quantity is kept, and the others that are understood: value × factor + offset is the kept one.
KEPT_UNIT: dict[Quantity, str] = {Quantity.TEMPERATURE: "°C", Quantity.PRESSURE: "MPa", Quantity.FLOW: "m³/h"}
UNITS: dict[Quantity, dict[str, tuple[float, float]]] = {
    Quantity.TEMPERATURE: {"°C": (1, 0), "℃": (1, 0), "C": (1, 0), "°F": (5 / 9, -160 / 9), "K": (1, -273.15)},
    Quantity.PRESSURE: {"MPa": (1, 0), "kPa": (0.001, 0), "Pa": (0.000001, 0), "bar": (0.1, 0)},
    Quantity.FLOW: {"m³/h": (1, 0), "m3/h": (1, 0), "L/s": (3.6, 0), "L/min": (0.06, 0), "L/h": (0.001, 0)},
}
# Below absolute zero, or less than no pressure at all: no instrument can mean that. Not a limit of operation.
POSSIBLE: dict[Quantity, tuple[float, float]] = {
    Quantity.TEMPERATURE: (-273.15, 5_000.0),
    Quantity.PRESSURE: (-0.2, 1_000.0),
    Quantity.FLOW: (-1_000_000.0, 1_000_000.0),
}
EARLIEST = datetime(
    1990, 1, 1, tzinfo=UTC
)  # no telemetry of ours is older; a partition is made for every month that is
REVISION_MOST = 32_767
RETURN_OF: dict[PointSide, PointSide] = {
    PointSide.PRIMARY_SUPPLY: PointSide.PRIMARY_RETURN,
    PointSide.SECONDARY_SUPPLY: PointSide.SECONDARY_RETURN,
}
STATION_SIDES: tuple[PointSide, ...] = (*RETURN_OF, *RETURN_OF.values())


class PointCodeTaken(Conflict):
    """There is a measuring point with this code already."""

    code = "point_code_taken"


class AlarmRulesOverlap(Conflict):
    """This measuring point has a rule of this kind for these days already."""

    code = "alarm_rules_overlap"


class BadAlarmRule(BadInput):
    """This rule cannot be kept: %(reason)s."""

    code = "bad_alarm_rule"


class BadPoint(BadInput):
    """This measuring point cannot be kept: %(reason)s."""

    code = "bad_point"
