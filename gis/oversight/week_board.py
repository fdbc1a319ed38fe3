"""The board of a themed week: what it has reached beside what it is to reach, by day, station, company and kind of operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gis.network import season_queries
from gis.network.season_model import HeatingSeason
from gis.network.season_rules import SeasonState, standing
from gis.oversight import counting_queries, week_queries
from gis.oversight.counting_queries import Asked, Counting, Narrow
from gis.oversight.periods import Period, PeriodKind, Span
from gis.oversight.rates import Rate, per, rate
from gis.oversight.week_model import ThemedWeek, WeekTarget
from gis.oversight.week_rules import (
    EACH,
    FIGURES,
    SmallRate,
    Standing,
    StationOrder,
    TargetKey,
    WeekState,
    days_counted,
    days_of,
    small_rates,
    week_state,
)
from gis.people.rules import Scope

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """Which stations: of an operator's kind, of a company (it runs them or heats them), with this in the name; in which order."""

    operator: str | None = None
    unit_id: int | None = None
    q: str = ""
    order: StationOrder = StationOrder.SHRUNK

    def takes(self, row: Row) -> bool:
        """Is this station one of them?"""
        return (
            (self.operator is None or row["operator"] == self.operator)
            and (self.unit_id is None or self.unit_id in (row["unit_id"], row["company_id"]))
            and (not self.q or self.q.casefold() in f"{row['name']} {row['code']}".casefold())
        )


@dataclass(frozen=True)
class Group:
    """Stations together: a company, or a kind of operator."""

    key: Any
    name: str
    stations: int
    calls: int
    households: int
    supervisions: int
    found: int
    solved: int

    @property
    def per_hundred(self) -> Decimal | None:
        """Calls for each 100 households; None where there are none."""
        return per(self.calls, self.households, EACH)


@dataclass(frozen=True)
class Board:
    """Everything that the page, the wall and the file show."""

    week: ThemedWeek
    season: HeatingSeason | None
    season_state: SeasonState | None
    state: WeekState
    now: datetime
    standings: list[Standing]
    days: list[Row]
    days_counted: int
    calls: int
    households: int
    today: Row | None
    stations: list[Row]
    all_stations: int
    untied: int
    companies: list[Group]
    operators: list[Group]
    supervisions: list[Row]

    @property
    def per_day(self) -> Decimal | None:
        """Calls for each day of the week that has begun."""
        return per(self.calls, self.days_counted)

    @property
    def per_hundred(self) -> Decimal | None:
        """Calls for each 100 households of all stations."""
        return per(self.calls, self.households, EACH)


def board(
    session: Session, scope: Scope, week: ThemedWeek, chosen: Chosen, now: datetime, zone: ZoneInfo, rules: Counting
) -> Board:  # fmt: skip
    """Where a week stands at this moment, for what this person may see."""
    asked = Asked(scope, rules, Narrow(category=week.utility))
    span = Period(PeriodKind.RANGE, week.first, week.last).span(zone, now)
    state = week_state(now.astimezone(zone).date(), week.first, week.last)
    by_day = week_queries.by_day(session, asked, span, zone.key)
    tied = week_queries.by_station(session, asked, span)
    made = week_queries.supervisions(session, scope, span.since, span.until)
    every = _stations(week_queries.stations(session, scope), tied, made)
    shown = _ordered([row for row in every if chosen.takes(row)], chosen.order)
    season = season_queries.season_at(session, week.city, max(now, span.since))
    calls = sum(row["calls"] for row in by_day.values())
    today = now.astimezone(zone).date()
    return Board(
        week=week, season=season, state=state, now=now, calls=calls,
        season_state=standing(now, season.during.lower, season.during.upper) if season else None,  # type: ignore[arg-type]
        standings=_standings(session, asked, span, week, by_day, made, today),
        days=[{"day": day, "calls": 0, "ordinary": 0, "same_day": 0, **by_day.get(day, {}), "begun": day <= today}
              for day in days_of(week.first, week.last)],
        days_counted=days_counted(week.first, week.last, now, zone), households=sum(row["households"] for row in every),
        today=by_day.get(today) if state is WeekState.RUNNING else None, stations=shown, all_stations=len(every),
        untied=calls - sum(row["calls"] for row in every),
        companies=_grouped(shown, lambda row: (row["unit_id"], row["unit"] or "")),
        operators=_grouped(shown, lambda row: (row["operator"], row["operator"])),
        supervisions=[row for row in made if _is_shown(row, chosen, shown)],
    )  # fmt: skip


def _is_shown(visit: Row, chosen: Chosen, shown: Sequence[Row]) -> bool:
    """With stations chosen, only what was supervised there or at that company."""
    if chosen.operator is None and chosen.unit_id is None and not chosen.q:
        return True
    at_station = visit["station_id"] is not None and any(row["id"] == visit["station_id"] for row in shown)
    return at_station or (chosen.unit_id is not None and visit["unit_id"] == chosen.unit_id)


def _stations(rows: Sequence[Row], tied: Mapping[int | None, Row], made: Sequence[Row]) -> list[Row]:
    """Each station with its calls, its rate told honestly, and what was found there."""
    calls = [int(tied.get(row["id"], {}).get("calls", 0)) for row in rows]
    rates = small_rates([(n, int(row["households"])) for n, row in zip(calls, rows, strict=True)])
    visits: dict[int, list[Row]] = {}
    for visit in made:
        if visit["station_id"] is not None:
            visits.setdefault(visit["station_id"], []).append(visit)
    return [
        {**row, "calls": n, "open": int(tied.get(row["id"], {}).get("open", 0)), "rate": told,
         **_found(visits.get(row["id"], []))}
        for row, n, told in zip(rows, calls, rates, strict=True)
    ]  # fmt: skip


def _found(visits: Sequence[Row]) -> dict[str, int]:
    return {
        "supervisions": len(visits),
        "found": sum(v["found"] for v in visits),
        "solved": sum(v["solved"] for v in visits),
    }


def _ordered(rows: list[Row], order: StationOrder) -> list[Row]:
    """The worst first; stations without households, for which there is no rate, at the end."""

    def key(row: Row) -> tuple[Any, ...]:
        told: SmallRate = row["rate"]
        by = {StationOrder.SHRUNK: told.shrunk, StationOrder.RATE: told.raw, StationOrder.CALLS: row["calls"],
              StationOrder.NAME: 0}[order]  # fmt: skip
        return (by is None, -float(by or 0), row["name"], row["id"])

    return sorted(rows, key=key)


def _grouped(rows: Sequence[Row], by: Callable[[Row], tuple[Any, str]]) -> list[Group]:
    groups: dict[tuple[Any, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    made = [
        Group(key, name, len(mine), *(sum(row[n] for row in mine) for n in ("calls", "households", "supervisions", "found", "solved")))
        for (key, name), mine in groups.items()
    ]  # fmt: skip
    return sorted(made, key=lambda g: (g.per_hundred is None, -(g.per_hundred or Decimal(0)), g.name))


def _standings(
    session: Session, asked: Asked, span: Span, week: ThemedWeek, by_day: Mapping[Any, Row], made: Sequence[Row], today: Any
) -> list[Standing]:  # fmt: skip
    """Every figure of the table beside its target; rates that the bulletins have are counted as they count them."""
    counts = counting_queries.count(session, asked, span, grouped=False).whole
    over = [row for day, row in by_day.items() if day < today]
    found, solved = sum(v["found"] for v in made), sum(v["solved"] for v in made)
    figures: dict[TargetKey, Rate | int] = {
        TargetKey.CALLS: counts["accepted"],
        TargetKey.SAME_DAY: Rate(sum(row["same_day"] for row in over), sum(row["ordinary"] for row in over)),
        TargetKey.CLOSING: rate("closing", counts),
        TargetKey.SUPERVISIONS: len(made),
        TargetKey.PROBLEMS_SOLVED: solved,
        TargetKey.CARRIED_OUT: Rate(solved, found),
        TargetKey.SATISFIED: rate("result_satisfaction", counts),
    }
    wanted = week_queries.targets(session, week.id)
    return [_beside(key, figures[key], wanted.get(str(key))) for key in FIGURES]


def _beside(key: TargetKey, counted: Rate | int, target: WeekTarget | None) -> Standing:
    told = None if isinstance(counted, int) else counted
    number = counted if isinstance(counted, int) else counted.numerator
    return Standing(FIGURES[key], number, told, target.value if target else None, target.source if target else "")
