"""Words of heating seasons: where a day stands in its city's season, and what can be wrong with one. Pure.

A season is per city and per year, decided by that city: there is no one date for a province, and no date in the code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from gis.errors import BadInput, Conflict

LONGEST_DAYS = 300
CITY_MAX, SOURCE_MAX, NOTE_MAX = 40, 300, 300


class SeasonState(StrEnum):
    """Where a moment stands in a heating season."""

    BEFORE = "before"
    RUNNING = "running"
    OVER = "over"


class SeasonVerb(StrEnum):
    """One line of a season's history."""

    ENTERED = "entered"
    MOVED = "moved"


def standing(now: datetime, begins_at: datetime, ends_at: datetime) -> SeasonState:
    """Before its first moment, in it, or from its end on: the end itself does not belong to it."""
    if now < begins_at:
        return SeasonState.BEFORE
    return SeasonState.RUNNING if now < ends_at else SeasonState.OVER


def check_season(city: str, begins_at: datetime, ends_at: datetime, source: str) -> None:
    """Raises BadSeason naming what is wrong: no city, an end before the beginning, too long, no source."""
    wrong = {
        "city": not city.strip() or len(city) > CITY_MAX, "dates": ends_at <= begins_at,
        "too long": ends_at - begins_at > timedelta(days=LONGEST_DAYS), "source": not source.strip() or len(source) > SOURCE_MAX,
    }  # fmt: skip
    for reason, is_wrong in wrong.items():
        if is_wrong:
            raise BadSeason(reason=reason)


class BadSeason(BadInput):
    """A heating season needs a city, a beginning, a later end and a source: %(reason)s."""

    code = "bad_season"


class SeasonsOverlap(Conflict):
    """This city already has a heating season at that time."""

    code = "seasons_overlap"


class SeasonThere(Conflict):
    """The heating season of this city and year is already entered; move it instead."""

    code = "season_there"


class SeasonUnchanged(BadInput):
    """The season already begins and ends then."""

    code = "season_unchanged"
