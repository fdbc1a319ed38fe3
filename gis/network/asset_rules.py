"""Words and tables of the explanation of calls: what may have failed, how often that happens, how many then call."""

from __future__ import annotations

from enum import StrEnum


class AssetKind(StrEnum):
    """What may have failed (设施). A segment is all that lies between the same valves; a customer's own pipes are its own."""

    SOURCE = "source"
    STATION = "station"
    SEGMENT = "segment"
    PIPELINE = "pipeline"
    VALVE = "valve"
    CUSTOMER = "customer"


# Failures of one asset in a year, before the bureau's own incidents say otherwise: nobody gave a figure by kind, so all are
# alike; each incident with a known cause and each year of an asset move the figure of its kind (see `per_year`).
ASSUMED_PER_YEAR = 0.1
ASSUMED_YEARS = 10.0  # so many years of one asset the assumption weighs

# Of the households that lost service, the share that calls within the window: not known beforehand, so all of these are held
# possible, alike at first; the bureau's own incidents weigh them.
CALL_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)

# Calls that come though nothing has failed, of a household in an hour, before the city's own history says otherwise.
# source: sources/pingdu-2009: 1,569 calls of 33,500 households in the 7 days of the heating week (4.7 per 100 households)
CALLS_PER_HOUSEHOLD_HOUR = 1_569 / 33_500 / (7 * 24)
HISTORY_DAYS = 14  # so many days back, the same hours of the day are the background


def per_year(failures: int, asset_years: float) -> float:
    """Failures of one asset of a kind in a year: the assumption, moved by what was counted."""
    return (failures + ASSUMED_PER_YEAR * ASSUMED_YEARS) / (asset_years + ASSUMED_YEARS)


def background(calls: float, household_days: float, usual: float) -> float:
    """The share of households that call in the window though nothing has failed: the usual one, moved by what was counted."""
    return (calls + 1.0) / (household_days + 1.0 / usual)
