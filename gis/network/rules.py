"""Words of the utility networks."""

from __future__ import annotations

from enum import StrEnum


class Utility(StrEnum):
    """What flows, or is served."""

    HEAT = "heat"
    WATER = "water"
    GAS = "gas"
    DRAINAGE = "drainage"
    ROAD = "road"
    LIGHT = "light"
    SANITATION = "sanitation"
    TELECOM = "telecom"
    OTHER = "other"


class StationOperator(StrEnum):
    """Who runs a heat-exchange station: two different responsible parties for the same symptom (Pingdu 2009)."""

    HEAT_COMPANY = "heat_company"
    PROPERTY_COMPANY = "property_company"


class NetworkLevel(StrEnum):
    """Which side of the heat exchanger a pipeline is on; water and gas mains are `main`."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    MAIN = "main"


class Flow(StrEnum):
    """The direction of a heat pipeline."""

    SUPPLY = "supply"
    RETURN = "return"


class ValveKind(StrEnum):
    """What a valve is for: one that isolates can be closed by hand; the others are told but never part of an isolation."""

    ISOLATION = "isolation"
    CONTROL = "control"
    CHECK = "check"
    DRAIN = "drain"


class ValveReach(StrEnum):
    """Can a crew get to the valve and turn it?"""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"


class PipeSide(StrEnum):
    """The water loops that are hydraulically apart: a trace stays on one of them and crosses only at an exchanger."""

    MAIN = "main"
    PRIMARY_SUPPLY = "primary_supply"
    PRIMARY_RETURN = "primary_return"
    SECONDARY_SUPPLY = "secondary_supply"
    SECONDARY_RETURN = "secondary_return"


class NodeKind(StrEnum):
    """What stands where pipe sections meet or end."""

    JUNCTION = "junction"
    SOURCE = "source"
    VALVE = "valve"
    STATION = "station"
    CUSTOMER = "customer"


class BuildState(StrEnum):
    """How far a building of the topology is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class FindingKind(StrEnum):
    """What is wrong with a network as it is drawn; each is told with the object and the place."""

    BAD_GEOMETRY = "bad_geometry"
    ZERO_LENGTH = "zero_length"
    DUPLICATE = "duplicate"
    NEAR_MISS = "near_miss"
    VALVE_OFF_PIPE = "valve_off_pipe"
    SOURCE_OFF_PIPE = "source_off_pipe"
    STATION_OFF_PIPE = "station_off_pipe"
    CUSTOMER_OFF_PIPE = "customer_off_pipe"
    NO_SOURCE = "no_source"
    NO_FLOW = "no_flow"
    SWAPPED = "swapped"


# The utilities that have pipes, so that a topology can be built of them.
PIPED = (Utility.HEAT, Utility.WATER, Utility.GAS)
# Pipe ends nearer than this are one point, and a pipe reaches from its drawn end to a valve, station, source or customer
# within the second distance. Metres. A bureau may give others with each building; the last ones given are proposed.
SNAP_M = 0.5
REACH_M = 8.0
# An end that is farther than the tolerance from another pipe, but nearer than this, is told: it was probably meant to meet it.
NEAR_MISS_M = 5.0
