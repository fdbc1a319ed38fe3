"""What is asked about measuring points and readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.network.reading_checks import Known
from gis.network.reading_rules import PointSide, Quantity
from gis.people.rules import Scope

CODE_MOST = 60
_OF_BODY_AND_AREA = """
    (CAST(:unit_id AS bigint) IS NULL OR {unit} = :unit_id)
    AND (CAST(:area_id AS bigint) IS NULL OR {area} IN (
         WITH RECURSIVE inside AS (SELECT id FROM area WHERE id = :area_id
             UNION ALL SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside))
"""
# A point belongs to the body and the area it names, else to its station's.
MINE = _OF_BODY_AND_AREA.format(unit="coalesce(p.unit_id, s.unit_id)", area="coalesce(p.area_id, s.area_id)")
STATION_MINE = _OF_BODY_AND_AREA.format(unit="s.unit_id", area="s.area_id")
_KNOWN = text(
    f"""
    SELECT p.code, p.id, p.quantity, p.unit FROM measuring_point p LEFT JOIN station s ON s.id = p.station_id
     WHERE p.code = ANY(:codes) AND {MINE}
    """
)


def narrowed(scope: Scope) -> dict[str, Any]:
    """The parameters of `MINE`."""
    return {"unit_id": scope.unit_id, "area_id": scope.area_id}


def known(session: Session, scope: Scope, codes: Collection[str]) -> dict[str, Known]:
    """Which of these codes are measuring points within the scope?"""
    found = session.execute(
        _KNOWN, {"codes": [c for c in codes if c.isprintable() and len(c) <= CODE_MOST], **narrowed(scope)}
    )
    return {row.code: Known(row.id, Quantity(row.quantity), row.unit) for row in found}


# --- what a screen shows ----------------------------------------------------------------------------------------------
RECENT_DAYS = 40  # a last reading older than this is no state of now
_NOW = f"""
    SELECT p.id, p.code, p.name, p.quantity, p.side, p.utility, p.unit AS sent_unit, p.place, p.active, p.synthetic, p.version,
           p.station_id, s.name AS station, r.at, r.value, r.contradicted, al.kinds AS alarms, al.unseen
      FROM measuring_point p LEFT JOIN station s ON s.id = p.station_id
      LEFT JOIN LATERAL (SELECT at, value, contradicted FROM reading
                          WHERE point_id = p.id AND at <= :now AND at > CAST(:now AS timestamptz) - make_interval(days => {RECENT_DAYS})
                          ORDER BY at DESC LIMIT 1) r ON true
      LEFT JOIN LATERAL (SELECT array_agg(kind || '.' || way ORDER BY kind) AS kinds, bool_or(acknowledged_at IS NULL) AS unseen
                           FROM alarm WHERE point_id = p.id AND cleared_at IS NULL) al ON true
     WHERE {{which}} AND {MINE}
     ORDER BY s.name, p.station_id, array_position(:sides, p.side), array_position(:quantities, p.quantity), p.code
"""
_STATIONS = text(
    f"""
    SELECT s.id, s.code, s.name, s.operator, s.households, s.synthetic, u.name AS unit
      FROM station s LEFT JOIN unit u ON u.id = s.unit_id
     WHERE (CAST(:station_id AS bigint) IS NULL OR s.id = :station_id)
       AND (:q = '' OR position(lower(:q) IN lower(s.name || ' ' || s.code)) > 0)
       AND {STATION_MINE}
     ORDER BY s.name, s.id
    """
)
_SERIES = text(
    """
    SELECT point_id, date_bin(make_interval(secs => :step_s), at, CAST(:since AS timestamptz)) AS at, avg(value) AS value,
           min(value) AS low, max(value) AS high, count(*) AS count, bool_or(contradicted) AS contradicted
      FROM reading
     WHERE point_id = ANY(:points) AND at >= :since AND at < :until
     GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_ROWS = text(
    """
    SELECT p.code, p.name, p.side, p.quantity, r.at, r.value, r.revision, r.contradicted, r.received_at
      FROM reading r JOIN measuring_point p ON p.id = r.point_id
     WHERE r.point_id = ANY(:points) AND r.at >= :since AND r.at < :until
     ORDER BY r.at, p.code
    """
)
_FAULTS = text(
    f"""
    SELECT f.day, f.object, f.kind, f.came_by, f.times, f.example, f.first_at, f.last_at, p.station_id, s.name AS station
      FROM reading_fault f LEFT JOIN measuring_point p ON p.id = f.point_id LEFT JOIN station s ON s.id = p.station_id
     WHERE f.day >= :since AND (CAST(:kind AS text) IS NULL OR f.kind = :kind)
       AND (p.id IS NOT NULL OR CAST(:unit_id AS bigint) IS NULL AND CAST(:area_id AS bigint) IS NULL)
       AND (p.id IS NULL OR {MINE})
     ORDER BY f.day DESC, f.times DESC, f.object LIMIT 500
    """
)


def stations(session: Session, scope: Scope, q: str = "", station_id: int | None = None) -> list[dict[str, Any]]:
    """Which heat-exchange stations may this person see, by name?"""
    found = session.execute(_STATIONS, {"q": q, "station_id": station_id, **narrowed(scope)})
    return [dict(row) for row in found.mappings()]


def station(session: Session, scope: Scope, station_id: int) -> dict[str, Any]:
    """One station. Raises Missing."""
    found = stations(session, scope, station_id=station_id)
    if not found:
        raise Missing(thing="station", id=station_id)
    return found[0]


def points_now(
    session: Session, scope: Scope, now: datetime, *, station_id: int | None = None, loose: bool = False, point_id: int | None = None
) -> list[dict[str, Any]]:  # fmt: skip
    """The points of a station, of all stations, of none (`loose`), or the one: with their last reading and open alarms."""
    which = "p.station_id IS NULL" if loose else "p.station_id = :station_id" if station_id is not None else "true"
    which = "p.id = :point_id" if point_id is not None else which
    asked = {"now": now, "station_id": station_id, "point_id": point_id, "sides": [str(s) for s in PointSide],
             "quantities": [str(q) for q in Quantity], **narrowed(scope)}  # fmt: skip
    return [dict(row) for row in session.execute(text(_NOW.format(which=which)), asked).mappings()]


def series(
    session: Session, points: Collection[int], since: datetime, until: datetime, step_s: int
) -> dict[int, list[Any]]:
    """Means, least and most of each step, by point: rows with at, value, low, high, count, contradicted."""
    found: dict[int, list[Any]] = {point: [] for point in points}
    asked = {"points": list(points), "since": since, "until": until, "step_s": step_s}
    for row in session.execute(_SERIES, asked):
        found[row[0]].append(row)
    return found


def rows(session: Session, points: Collection[int], since: datetime, until: datetime) -> Iterator[Any]:
    """Every reading of some points in a stretch of time, from a cursor of the server."""
    asked = {"points": list(points), "since": since, "until": until}
    yield from session.execute(_ROWS.execution_options(yield_per=2000), asked)


def count(session: Session, points: Collection[int], since: datetime, until: datetime) -> int:
    """How many readings are there in a stretch of time?"""
    asked = text("SELECT count(*) FROM reading WHERE point_id = ANY(:points) AND at >= :since AND at < :until")
    return int(session.scalar(asked, {"points": list(points), "since": since, "until": until}) or 0)


def faults(session: Session, scope: Scope, since: date, kind: str | None = None) -> list[dict[str, Any]]:
    """What came and could not be kept since a day? What names no point of ours is told to those who see the whole city."""
    found = session.execute(_FAULTS, {"since": since, "kind": kind, **narrowed(scope)})
    return [dict(row) for row in found.mappings()]
