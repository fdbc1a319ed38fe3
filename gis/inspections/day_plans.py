"""Who goes where on which day, and in which order: by area and load, then the shortest way through each day's sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from gis import journal
from gis.db import check_version
from gis.geo import distance_m, to_metres
from gis.inspections import round_queries
from gis.inspections.round_model import Round, SiteVisit
from gis.inspections.round_rules import NoInspector, RoundStatus, VisitStatus, WrongRoundState
from gis.inspections.routes import Floats, open_route, shared_out
from gis.journal import Who
from gis.people.rules import Scope
from gis.places.networks import network_near
from gis.places.queries import working_days

DETOUR = 1.3  # how much longer a way through streets is than a straight line [K]


@dataclass(frozen=True)
class Terms:
    """How ways are measured: on the road network, and straight where there is none."""

    snap_limit_m: float
    straight_speed_kmh: float


def assign(
    session: Session, who: Who, scope: Scope, round_id: int, inspector_ids: Sequence[int], today: date, terms: Terms,
    base_version: int | None,
) -> int:  # fmt: skip
    """Give every planned visit an inspector, a working day that is not over, and its place in that day's route.

    Returns how many could not be given to anybody: nobody chosen may look there, or every day is full. Raises NoInspector.
    """
    made = round_queries.round_locked(session, scope, round_id)
    check_version(made, base_version)
    if made.status not in (RoundStatus.DRAFT, RoundStatus.FIXED):
        raise WrongRoundState()
    chosen = [row for row in round_queries.inspectors(session, scope, today) if row["id"] in set(inspector_ids)]
    if not chosen:
        raise NoInspector()
    rows = [row for row in round_queries.visits(session, made.id) if row["status"] == VisitStatus.PLANNED]
    days = _days(session, made, today)
    given = _give(session, made, rows, chosen, days)
    _write(session, rows, given, terms)
    flag_modified(made, "status")
    session.flush()
    left = len(rows) - len(given)
    journal.write(session, who, "assign", "inspection_round", made.id, version=made.version, area_id=made.area_id,
                  inspectors=sorted(row["id"] for row in chosen), visits=len(given), left=left)  # fmt: skip
    session.flush()
    return left


def _days(session: Session, made: Round, today: date) -> list[date]:
    worked = working_days(session)
    first = max(made.starts_on, today)
    span = (made.ends_on - first).days + 1
    return [day for n in range(max(span, 0)) if worked.is_working(day := first + timedelta(days=n))]


def _give(
    session: Session, made: Round, rows: Sequence[RowMapping], chosen: Sequence[RowMapping], days: Sequence[date]
) -> dict[int, tuple[int, date]]:
    """Visit id → inspector and day. First among the inspectors, each at most a fair share; then each one's among the days."""
    if not rows or not days:
        return {}
    taken = round_queries.busy(session, days[0], days[-1], made.id)
    free = {(row["id"], day): max(made.per_day - taken.get((row["id"], day), 0), 0) for row in chosen for day in days}
    room = [sum(free[row["id"], day] for day in days) for row in chosen]
    places = np.column_stack(to_metres([r["lon"] for r in rows], [r["lat"] for r in rows], rows[0]["lon"]))
    sites = [row["site_id"] for row in rows]
    may = np.column_stack([np.isin(sites, list(round_queries.may_visit(session, row, sites))) for row in chosen])
    fair = [min(r, s) for r, s in zip(room, _fair(len(rows), room), strict=True)]
    who_goes = shared_out(places, len(chosen), fair, may)
    late = [n for n, g in enumerate(who_goes) if g < 0]
    if late:  # a fair share may be too small where few may look: the rest takes what room there is
        rest = [r - who_goes.count(g) for g, r in enumerate(room)]
        for n, g in zip(late, shared_out(places[late], len(chosen), rest, may[late]), strict=True):
            who_goes[n] = g
    given: dict[int, tuple[int, date]] = {}
    for g, inspector in enumerate(chosen):
        mine = [n for n, to in enumerate(who_goes) if to == g]
        open_days = _needed([(day, free[inspector["id"], day]) for day in days], len(mine))
        for n, d in zip(
            mine, shared_out(places[mine], len(open_days), [most for _day, most in open_days]), strict=True
        ):
            given[rows[n]["id"]] = (inspector["id"], open_days[d][0])
    return given


def _fair(n: int, room: Sequence[int]) -> list[int]:
    """Shares of `n` as even as the room allows, rounded up."""
    level = 0
    while sum(min(r, level) for r in room) < min(n, sum(room)):
        level += 1
    return [min(r, level) for r in room]


def _needed(days: Sequence[tuple[date, int]], n: int) -> list[tuple[date, int]]:
    """The first days with room for `n`, and as even as they can be."""
    found: list[tuple[date, int]] = []
    for day, most in days:
        if sum(m for _day, m in found) >= n:
            break
        if most:
            found.append((day, most))
    level = _fair(n, [most for _day, most in found])
    return [(day, most) for (day, _full), most in zip(found, level, strict=True)]


def _write(session: Session, rows: Sequence[RowMapping], given: dict[int, tuple[int, date]], terms: Terms) -> None:
    kept = {
        v.id: v
        for v in session.scalars(select(SiteVisit).where(SiteVisit.id.in_([r["id"] for r in rows])).with_for_update())
    }
    groups: dict[tuple[int, date], list[RowMapping]] = {}
    for row in rows:
        visit = kept[row["id"]]
        visit.inspector_id, visit.on_day = given.get(row["id"], (None, None))
        visit.stop_no = visit.travel_s = None
        if row["id"] in given:
            groups.setdefault(given[row["id"]], []).append(row)
    for group in groups.values():
        times = travel_times(session, [(r["lon"], r["lat"]) for r in group], terms)
        order = open_route(times)
        for stop, at in enumerate(order):
            visit = kept[group[at]["id"]]
            visit.stop_no = stop + 1
            visit.travel_s = float(times[order[stop - 1], at]) if stop else None
    session.flush()


def walk_again(session: Session, round_id: int, terms: Terms) -> None:
    """The days of a round whose sites have changed are put in order anew; nobody gets another day."""
    rows = [row for row in round_queries.visits(session, round_id) if row["status"] == VisitStatus.PLANNED]
    days = {(r["inspector_id"], r["on_day"]) for r in rows if r["on_day"] is not None and r["stop_no"] is None}
    days |= {key for key, stops in _stops(rows).items() if sorted(stops) != list(range(1, len(stops) + 1))}
    mine = [row for row in rows if (row["inspector_id"], row["on_day"]) in days]
    if mine:
        _write(session, mine, {row["id"]: (row["inspector_id"], row["on_day"]) for row in mine}, terms)


def _stops(rows: Sequence[RowMapping]) -> dict[tuple[int, date], list[int]]:
    found: dict[tuple[int, date], list[int]] = {}
    for row in rows:
        if row["on_day"] is not None:
            found.setdefault((row["inspector_id"], row["on_day"]), []).append(row["stop_no"] or 0)
    return found


def travel_times(session: Session, places: Sequence[tuple[float, float]], terms: Terms) -> Floats:
    """Seconds from each place (row) to each (column): by road, or a straight line made longer where no road is known."""
    lon, lat = np.array([p[0] for p in places]), np.array([p[1] for p in places])
    straight = (
        distance_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :]) * DETOUR / (terms.straight_speed_kmh / 3.6)
    )
    times = np.array(straight, float)
    for to in range(len(places)):
        target = network_near(session, float(lon[to]), float(lat[to]), terms.snap_limit_m).target
        if target is not None:
            seconds, _metres = target.travel(lon, lat)
            times[:, to] = np.where(np.isfinite(seconds), seconds, straight[:, to])
    np.fill_diagonal(times, 0.0)
    return times
