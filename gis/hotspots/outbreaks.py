"""Outbreaks this week: the space-time scan over the last four weeks of a selection, told with place, days and strength."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters, is_open, visible
from gis.geo import to_degrees, to_metres
from gis.hotspots import grounds, queries, scan, sheet_queries
from gis.hotspots.analysis import Own
from gis.hotspots.density import Counts
from gis.hotspots.rules import PERMUTATIONS, SEED
from gis.hotspots.sheets import Spots
from gis.people.rules import Scope

LOOK_BACK_DAYS, LONGEST_DAYS = 28, 7
RADII_CELLS = (0.5, 1.5, 2.5, 4.0)
MANY, FEWER = 20_000, 199  # above so many complaints, so many permutations: p is then told in steps of 0.005
FEWEST = 3  # so many complaints at least make an outbreak
FOUND_MOST = 5
CALLED = 0.05


@dataclass(frozen=True)
class Told:
    """An outbreak for people: its middle, reach and days; seen against expected; the chance of one as strong anywhere."""

    number: int
    lon: float
    lat: float
    radius_m: float
    first: datetime
    days: int
    seen: int
    expected: float
    p: float
    cells: tuple[tuple[int, int], ...]


def outbreaks(
    session: Session, filters: Filters, scope: Scope, now: datetime, cell_m: float, zone: tzinfo
) -> list[Told]:  # fmt: skip
    """What breaks out in the days up to the end of this selection? Strongest first; a p above 5 % may be chance."""
    until = filters.until or datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    asked = replace(filters, since=until - timedelta(days=LOOK_BACK_DAYS), until=until)
    near_lon = grounds.plane_of(session, _lon(session, filters, scope))
    spots = Own(session, asked, scope, now).spots(near_lon)
    if not spots.n.size:
        return []
    last = (until.astimezone(zone).date() - sheet_queries.EPOCH).days - 1
    cells, place, day = cells_of(spots, cell_m, last)
    x, y = ((cells[:, i].astype(np.float64) + 0.5) * cell_m for i in (0, 1))
    bases = scan.zones(x, y, tuple(r * cell_m for r in RADII_CELLS))
    times = PERMUTATIONS if place.size <= MANY else FEWER
    found = scan.scan(
        place, day, LOOK_BACK_DAYS, bases, longest=LONGEST_DAYS, permutations=times, seed=SEED, most=FOUND_MOST
    )
    told: list[Told] = []
    for one in (one for one in found if one.seen >= FEWEST):
        members = bases.members.indices[bases.members.indptr[one.zone] : bases.members.indptr[one.zone + 1]]
        centre = int(bases.centre[one.zone])
        lon, lat = to_degrees(x[centre], y[centre], near_lon)
        told.append(
            Told(len(told) + 1, float(lon), float(lat), float(bases.radius_m[one.zone]) + cell_m / 2, until - timedelta(days=one.days),
                 one.days, one.seen, one.expected, one.p, tuple((int(a), int(b)) for a, b in cells[members]))
        )  # fmt: skip
    return told


def _lon(session: Session, filters: Filters, scope: Scope) -> float:
    area = queries.study_area(session, filters.district, scope)
    return sheet_queries.plane(session).near_lon if area is None else float(area.centroid.x)


def cells_of(spots: Spots, cell_m: float, last_day: int) -> tuple[Counts, Counts, Counts]:
    """The lit squares (column, row), and for every complaint the index of its square and its day, 0 the oldest."""
    at = np.column_stack([np.floor((spots.x_m + 0.5) / cell_m), np.floor((spots.y_m + 0.5) / cell_m)]).astype(np.int64)
    lit, which = np.unique(at, axis=0, return_inverse=True)
    day = spots.day.astype(np.int64) - (last_day + 1 - LOOK_BACK_DAYS)
    return lit, np.repeat(which.ravel(), spots.n), np.repeat(day, spots.n)


def members(
    session: Session, filters: Filters, scope: Scope, now: datetime, told: Told, cell_m: float
) -> list[int]:  # fmt: skip
    """Which open complaints of no incident make up this outbreak? Oldest first."""
    asked = replace(filters, since=told.first, until=told.first + timedelta(days=told.days))
    near_lon = grounds.plane_of(session, _lon(session, filters, scope))
    rows = session.execute(
        select(Complaint.id, Complaint.geom.ST_X(), Complaint.geom.ST_Y())
        .where(*visible(scope), *asked.conditions(now), is_open(), Complaint.geom.isnot(None), Complaint.incident_id.is_(None))
        .order_by(Complaint.received_at, Complaint.id)
    ).all()  # fmt: skip
    if not rows:
        return []
    x, y = to_metres([r[1] for r in rows], [r[2] for r in rows], near_lon)
    inside = set(told.cells)
    return [
        row[0]
        for row, a, b in zip(rows, np.floor(x / cell_m), np.floor(y / cell_m), strict=True)
        if (int(a), int(b)) in inside
    ]
