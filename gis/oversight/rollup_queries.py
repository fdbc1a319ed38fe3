"""What the rollups are asked: the console's counters, the trend of the last days, and whether they still equal the complaints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, literal, select, text, union_all
from sqlalchemy.orm import Session

from gis.complaints import queries as complaints
from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.oversight.counting_model import ComplaintDay, ComplaintTally, CountingClock
from gis.people.rules import Scope
from gis.places.model import Area
from gis.places.rules import AreaLevel


@dataclass(frozen=True)
class TrendDay:
    """How many complaints were received and closed on one day of the city."""

    day: date
    received: int
    closed: int


def counters(session: Session, scope: Scope, filters: Filters, now: datetime) -> dict[str, int]:
    """What `complaints.queries.counts` says, from the rollups wherever they can tell it.

    They know districts and answering bodies; of anything narrower the complaints themselves are counted. How many are open,
    nearly due and late depends on the clock, and is counted over the open ones, which are few and have an index.
    """
    if not _answers(session, scope, filters):
        return complaints.counts(session, scope, filters, now)
    running = complaints.running(session, scope, filters, now)
    asked = select(
        func.coalesce(func.sum(ComplaintTally.total), 0).label("total"),
        func.coalesce(func.sum(ComplaintTally.not_located), 0).label("not_located"),
    ).where(*_narrowed(ComplaintTally.district_id, ComplaintTally.unit_id, scope, filters))
    found = session.execute(asked).mappings().one()
    return {**running, **{name: int(value) for name, value in found.items()}}


def trend(
    session: Session, scope: Scope, filters: Filters, last: date, days: int, zone: tzinfo
) -> list[TrendDay]:  # fmt: skip
    """How many were received and closed on each of the `days` days up to `last`? A day without any is a row of zeros."""
    first = last - timedelta(days=days - 1)
    plain = _answers(session, scope, replace(filters, since=None, until=None)) and not _by_both(scope, filters)
    if plain and session.scalar(select(CountingClock.zone)) == str(zone):
        asked: Any = (
            select(ComplaintDay.day, func.sum(ComplaintDay.received), func.sum(ComplaintDay.closed))
            .where(ComplaintDay.day.between(first, last), *_narrowed_days(scope, filters))
            .group_by(ComplaintDay.day)
        )
    else:
        asked = _counted(scope, filters, first, last, zone)
    found = {day: (int(received), int(closed)) for day, received, closed in session.execute(asked)}
    every = (first + timedelta(days=n) for n in range(days))
    return [TrendDay(day, *found.get(day, (0, 0))) for day in every]


def _answers(session: Session, scope: Scope, filters: Filters) -> bool:
    """Can the rollups tell this? Only districts and bodies may be asked for, and nobody bound to a smaller area."""
    if replace(filters, district=(), unit=(), callers=False) != Filters():
        return False
    areas = {*filters.district, *([scope.area_id] if scope.area_id is not None else [])}
    if not areas:
        return True
    districts = select(func.count()).where(Area.id.in_(areas), Area.level == AreaLevel.DISTRICT)
    return session.scalar(districts) == len(areas)


def _by_both(scope: Scope, filters: Filters) -> bool:
    """Are a district and a body asked for together? Days are counted by one or the other."""
    area = scope.area_id is not None or bool(filters.district)
    return area and (scope.unit_id is not None or bool(filters.unit))


def _narrowed(district: Any, unit: Any, scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    found = []
    if scope.area_id is not None:
        found.append(district == scope.area_id)
    if scope.unit_id is not None:
        found.append(unit == scope.unit_id)
    if filters.district:
        found.append(district.in_(filters.district))
    if filters.unit:
        found.append(unit.in_(filters.unit))
    return found


def _narrowed_days(scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    kind = "unit" if scope.unit_id is not None or filters.unit else "district"
    return [ComplaintDay.kind == kind, *_narrowed(ComplaintDay.key_id, ComplaintDay.key_id, scope, filters)]


def _counted(scope: Scope, filters: Filters, first: date, last: date, zone: tzinfo) -> Any:
    """The same trend from the complaints themselves."""
    chosen = replace(filters, since=None, until=None, time_state=())
    start = datetime.combine(first, time(), zone)  # no clock is left to ask for: the state of the time was taken out
    where = [*complaints.visible(scope), *chosen.conditions(start)]

    def flow(at: Any, received: int) -> Any:
        day = cast(func.timezone(str(zone), at), Date).label("day")
        counted = (literal(received).label("received"), literal(1 - received).label("closed"))
        return select(day, *counted).where(at.isnot(None), *where)

    seen = union_all(flow(Complaint.received_at, 1), flow(Complaint.closed_at, 0)).subquery()
    asked: Any = select(seen.c.day, func.sum(seen.c.received), func.sum(seen.c.closed))
    return asked.where(seen.c.day.between(first, last)).group_by(seen.c.day)


# Each rollup beside a count of the complaints themselves; what differs is told by its key.
_DIFFERENCES = (
    """
    SELECT coalesce(district_id::text, '-') || '/' || coalesce(unit_id::text, '-')
      FROM (SELECT district_id, unit_id, total, not_located FROM complaint_tally
             UNION ALL
            SELECT district_id, unit_id, -1, -(located = 'not_located')::int FROM complaint) both_sides
     GROUP BY district_id, unit_id HAVING sum(total) <> 0 OR sum(not_located) <> 0 ORDER BY 1
    """,
    """
    SELECT day || ' ' || kind || ' ' || coalesce(key_id::text, '-')
      FROM (SELECT day, kind, key_id, received, closed FROM complaint_day
             UNION ALL
            SELECT (received_at AT TIME ZONE z.zone)::date, k.kind, k.key_id, -1, 0
              FROM complaint, counting_clock z, LATERAL (VALUES ('district', district_id), ('unit', unit_id)) k (kind, key_id)
             UNION ALL
            SELECT (closed_at AT TIME ZONE z.zone)::date, k.kind, k.key_id, 0, -1
              FROM complaint, counting_clock z, LATERAL (VALUES ('district', district_id), ('unit', unit_id)) k (kind, key_id)
             WHERE closed_at IS NOT NULL) both_sides
     GROUP BY day, kind, key_id HAVING sum(received) <> 0 OR sum(closed) <> 0 ORDER BY 1
    """,
)


def differences(session: Session) -> Sequence[str]:
    """Where do the rollups differ from the complaints? Nowhere: an empty list. One snapshot for each of the two."""
    return [str(row[0]) for sql in _DIFFERENCES for row in session.execute(text(sql))]
