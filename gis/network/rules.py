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
