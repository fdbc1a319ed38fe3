"""What is done with the sheets: put their differences together, and pack everything anew for another zone or plane."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.geo import zone_epsg
from gis.hotspots import sheet_queries
from gis.hotspots.model import PlaceSheet, SheetPlane
from gis.hotspots.sheets import put_together

_LOCK = "chengmai sheets"
_LOOSE = """
    DELETE FROM place_sheet WHERE id IN (
        SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY day, category) AS n FROM place_sheet) k WHERE n > 1)
    RETURNING day, category, places
"""
_PACK = """
    INSERT INTO place_sheet (day, category, places)
    SELECT day, category, string_agg(int4send(x) || int4send(y) || int4send(district) || int4send(n), ''::bytea ORDER BY y, x)
      FROM (SELECT day, category, district, x, y, count(*)::int AS n FROM (
""" + sheet_queries.PLACED + """) placed GROUP BY day, category, district, x, y) summed
     GROUP BY day, category ORDER BY day, category
"""  # fmt: skip


def compact(session: Session) -> bool:
    """One row for each day and category. A reader's statement sees the many or the one. False where somebody else is at it."""
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext(:lock))"), {"lock": _LOCK}):
        return False
    loose: dict[tuple[object, str], list[bytes]] = defaultdict(list)
    for day, category, places in session.execute(text(_LOOSE)):
        loose[day, category].append(bytes(places))
    together = {key: put_together(b"".join(parts)) for key, parts in sorted(loose.items(), key=lambda kept: kept[0])}
    session.add_all(PlaceSheet(day=day, category=name, places=one) for (day, name), one in together.items() if one)
    session.flush()
    return True


def rebuild(session: Session, zone: str, near_lon: float) -> None:
    """Pack everything anew: days by `zone`, metres around `near_lon`. Complaints cannot change until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": _LOCK})
    session.execute(text("LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE"))
    middle = round(near_lon / 3) * 3.0
    plane = session.get_one(SheetPlane, 1, populate_existing=True)
    plane.zone, plane.near_lon, plane.epsg = zone, middle, zone_epsg(middle)
    session.flush()
    session.execute(text("DELETE FROM place_sheet"))
    session.execute(text(_PACK))


def adopt(session: Session, zone: str) -> bool:
    """Make the sheets follow the city's zone and the place of its districts; True where that meant to pack them anew."""
    plane = session.get_one(SheetPlane, 1, populate_existing=True)
    if (plane.zone, plane.near_lon) == (zone, _wanted(session, plane)):
        return False
    repack(session, zone)
    return True


def repack(session: Session, zone: str) -> None:
    """Pack everything anew where the city is."""
    rebuild(session, zone, _wanted(session, session.get_one(SheetPlane, 1)))


def _wanted(session: Session, plane: SheetPlane) -> float:
    """The middle of the zone that the bureau lies in."""
    middle = sheet_queries.middle(session)
    return plane.near_lon if middle is None else round(middle / 3) * 3.0
