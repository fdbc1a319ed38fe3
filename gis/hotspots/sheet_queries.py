"""What the sheets are asked: the places of a selection, and whether they still equal the complaints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, Select, cast, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import DATE
from sqlalchemy.orm import Session

from gis.complaints.queries import Filters
from gis.hotspots.model import PlaceSheet, SheetPlane
from gis.hotspots.queries import copy_binary
from gis.hotspots.sheets import Spots, day_counts, unpack
from gis.people.rules import Scope
from gis.places.model import Area
from gis.places.queries import escape_like
from gis.places.rules import AreaLevel

EPOCH = datetime(1970, 1, 1).date()  # noqa: DTZ001 - a day of any zone
_DAY = timedelta(days=1)
# Every complaint as the triggers place it (migration `sheets`): a test holds the two together.
PLACED = """
    SELECT day, category, district, coalesce(floor(ST_X(at))::int, lost) AS x, coalesce(floor(ST_Y(at))::int, lost) AS y
      FROM (SELECT (c.received_at AT TIME ZONE p.zone)::date AS day, c.category, coalesce(c.district_id, 0)::int AS district,
                   CASE WHEN abs(ST_X(c.geom) - p.near_lon) <= 6 AND abs(ST_Y(c.geom)) <= 84
                        THEN ST_Transform(c.geom, p.epsg) END AS at,
                   CASE WHEN c.geom IS NULL THEN -2147483648 ELSE -2147483647 END AS lost
              FROM complaint c, sheet_plane p) one
"""
# A record's four numbers, out of the packed bytes again.
_NUMBERS = ", ".join(
    f"('x' || encode(substring(s.places FROM 16 * i + {4 * k + 1} FOR 4), 'hex'))::bit(32)::int AS {name}"
    for k, name in enumerate(("x", "y", "district", "n"))
)
_DIFFERENCES = f"""
    SELECT day || ' ' || category || ' ' || x || ' ' || y || ' ' || district
      FROM (SELECT s.day, s.category, {_NUMBERS}
              FROM place_sheet s, generate_series(0, length(s.places) / 16 - 1) AS i
             UNION ALL
            SELECT day, category, x, y, district, -1 FROM ({PLACED}) placed) both_sides
     GROUP BY day, category, x, y, district HAVING sum(n) <> 0 ORDER BY 1
"""


def plane(session: Session) -> SheetPlane:
    """How the sheets are cut."""
    return session.get_one(SheetPlane, 1)


def middle(session: Session) -> float | None:
    """The longitude around which the bureau's districts lie; without districts, that of its complaints."""
    box = select(func.ST_Extent(Area.geom).label("box")).where(Area.level == AreaLevel.DISTRICT).subquery()
    found = session.scalar(select((func.ST_XMin(box.c.box) + func.ST_XMax(box.c.box)) / 2))
    if found is None:
        found = session.scalar(
            text("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ST_X(geom)) FROM (SELECT geom FROM complaint "
                 "WHERE geom IS NOT NULL ORDER BY id LIMIT 1000) first_ones"))  # fmt: skip
    return None if found is None else float(found)


def answers(session: Session, filters: Filters, scope: Scope) -> bool:
    """Can the sheets tell this? They know days, categories and districts, and nothing of bodies, statuses or words."""
    plain = replace(filters, district=(), category=(), since=None, until=None, callers=False) == Filters()
    if not plain or scope.unit_id is not None:
        return False
    zone = ZoneInfo(plane(session).zone)
    edges = [moment.astimezone(zone) for moment in (filters.since, filters.until) if moment is not None]
    if any(edge.time().isoformat() != "00:00:00" for edge in edges):
        return False
    areas = {*filters.district, *([scope.area_id] if scope.area_id is not None else [])}
    known = select(func.count()).where(Area.id.in_(areas), Area.level == AreaLevel.DISTRICT)
    return not areas or session.scalar(known) == len(areas)


def spots(session: Session, filters: Filters, scope: Scope) -> Spots:
    """Where are the complaints of this selection, on which day? In one statement; see `answers` for what may be asked."""
    asked, districts = _asked(session, filters, scope)
    return unpack(copy_binary(session, asked), districts)


def _asked(session: Session, filters: Filters, scope: Scope) -> tuple[Select[*tuple[Any, ...]], tuple[int, ...]]:
    """The sheets of a selection, and the districts whose records count (none: all)."""
    zone = ZoneInfo(plane(session).zone)
    districts = set(filters.district)
    if scope.area_id is not None:
        districts = districts & {scope.area_id} if districts else {scope.area_id}
        districts = districts or {-1}
    asked = select(cast(PlaceSheet.day - literal(EPOCH, DATE), Integer), PlaceSheet.places)
    if filters.since is not None:
        asked = asked.where(PlaceSheet.day >= filters.since.astimezone(zone).date())
    if filters.until is not None:
        asked = asked.where(PlaceSheet.day <= (filters.until.astimezone(zone) - _DAY).date())
    if filters.category:
        asked = asked.where(
            or_(*(PlaceSheet.category == c for c in filters.category),
                *(PlaceSheet.category.like(f"{escape_like(c)}.%") for c in filters.category)))  # fmt: skip
    return asked, tuple(sorted(districts))


def every_day(session: Session, filters: Filters, scope: Scope) -> dict[int, int]:
    """How many complaints of this selection on each day (since 1970), with or without a place?"""
    asked, districts = _asked(session, filters, scope)
    return day_counts(copy_binary(session, asked), districts)


def differences(session: Session) -> Sequence[str]:
    """Where do the sheets differ from the complaints? Nowhere: an empty list. One snapshot for both sides."""
    return [str(row[0]) for row in session.execute(text(_DIFFERENCES))]
