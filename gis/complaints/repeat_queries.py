"""What is asked about repeated complaints: which open ones may be this matter, who hangs together, what looks double.

`similar` is asked while somebody types. It never reads more than a few hundred rows: for every category of the utility the
nearest open ones within the radius (one GiST index over category, place and time, of the open ones alone), the newest that
tell the same place where there are no coordinates, and those of the same telephone number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.complaints.repeat_rules import RADIUS_M, SIMILAR_DAYS
from gis.complaints.rules import OPEN
from gis.complaints.similarity import Alike, Candidate, rank
from gis.db import one_of
from gis.people.rules import Scope
from gis.places.queries import escape_like

Row = Mapping[str, Any]
NEAREST, NEWEST = 24, 150  # of one category: the nearest that are ranked, the newest whose place is read
_EARTH_M_PER_DEG = 111_195.0

_OPEN = one_of("c.status", OPEN)
_MINE = """
   AND (CAST(:area AS bigint) IS NULL
        OR :area IN (c.district_id, c.street_id, c.community_id, c.compound_id))
   AND (CAST(:unit AS bigint) IS NULL OR c.unit_id = :unit)
"""
# OFFSET 0 keeps the lateral a loop over the utility's few categories, each one ordered walk through the index.
_NEAR = f"""
    SELECT near.id, near.id AS said_id, near.metres
      FROM kinds k CROSS JOIN LATERAL (
           SELECT c.id, ST_DistanceSphere(c.geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)) AS metres
             FROM complaint c
            WHERE c.category = k.code AND {_OPEN} AND c.received_at >= :since
              AND c.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) {_MINE}
            ORDER BY c.geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) LIMIT {NEAREST}) near
     WHERE near.metres <= :radius
"""
_NAMED = f"""
    SELECT named.id, named.id, NULL::float8
      FROM kinds k CROSS JOIN LATERAL (
           SELECT c.id, c.place FROM complaint c
            WHERE c.category = k.code AND {_OPEN} AND c.received_at >= :since {_MINE}
            ORDER BY c.received_at DESC LIMIT {NEWEST}) named
     WHERE named.place ILIKE :place
"""
# Who was merged called about the main one: that is what is offered.
_CALLED = f"""
    SELECT c.id, s.id, NULL::float8
      FROM caller p JOIN complaint s ON s.id = p.complaint_id
      JOIN complaint c ON c.id = coalesce(s.merged_into_id, s.id)
     WHERE p.phone = :phone AND {_OPEN} AND c.received_at >= :since AND c.category IN (SELECT code FROM kinds) {_MINE}
"""
_SIMILAR = """
    WITH kinds AS MATERIALIZED (
      SELECT code FROM category WHERE utility = (SELECT utility FROM category WHERE code = :category)
    ), found (id, said_id, metres) AS ({found})
    SELECT c.id, c.hotline_no, c.place, c.status, c.category, c.received_at, c.description, c.repeat_count, c.key_since,
           c.version, c.compound_id, k.name AS category_zh, k.name_en AS category_en, min(f.metres) AS metres,
           bool_or(p.phone IS NOT NULL) AS same_caller
      FROM found f JOIN complaint c ON c.id = f.id JOIN category k ON k.code = c.category
      LEFT JOIN caller p ON p.complaint_id = f.said_id AND p.phone = :phone
     WHERE c.id <> :but
     GROUP BY c.id, k.code
"""


def similar(
    session: Session, scope: Scope, *, category: str, lon: float | None = None, lat: float | None = None, phone: str = "",
    words: str = "", place: str = "", now: datetime, radius_m: float | None = None, but: int = 0, limit: int = 6,
) -> list[dict[str, Any]]:  # fmt: skip
    """Which open complaints of the same utility may be this matter, and why? The likeliest first.

    `phone` is a whole number, compared and never told. `radius_m` overrides the one of the category.
    """
    radius = radius_m or radius_of(session, category)
    if radius is None:
        return []
    parts = [_NEAR] if lon is not None and lat is not None else [_NAMED] if len(place) > 1 else []
    parts += [_CALLED] if phone else []
    if not parts:
        return []
    given = _given(scope, category, lon, lat, phone, place, now, radius, but)
    asked = text(_SIMILAR.replace("{found}", " UNION ALL ".join(parts)))
    rows = {row["id"]: dict(row) for row in session.execute(asked, given).mappings()}
    ranked = rank((_candidate(row, category, place) for row in rows.values()), f"{place} {words}", radius)
    return [_told(rows[one.id], one) for one in ranked[:limit]]


def _given(
    scope: Scope, category: str, lon: float | None, lat: float | None, phone: str, place: str, now: datetime,
    radius: float, but: int,
) -> dict[str, Any]:  # fmt: skip
    at = {"lon": lon, "lat": lat}
    if lon is not None and lat is not None:
        high = radius * 1.01 / _EARTH_M_PER_DEG
        wide = min(high / max(math.cos(math.radians(lat)), 0.01), 180.0)
        at |= {"west": lon - wide, "east": lon + wide, "south": lat - high, "north": lat + high}
    return {
        **at, "category": category, "phone": phone, "place": f"%{escape_like(place)}%", "radius": radius, "but": but,
        "since": now - timedelta(days=SIMILAR_DAYS), "area": scope.area_id, "unit": scope.unit_id,
    }  # fmt: skip


def _candidate(row: Row, category: str, place: str) -> Candidate:
    same_place = len(place) > 1 and (place in row["place"] or (len(row["place"]) > 1 and row["place"] in place))
    return Candidate(
        row["id"], row["metres"], row["category"] == category, bool(row["same_caller"]), same_place,
        f"{row['place']} {row['description']}",
    )  # fmt: skip


def _told(row: dict[str, Any], one: Alike) -> dict[str, Any]:
    del row["same_caller"]
    return {**row, "reasons": one.reasons, "score": one.score}


def radius_of(session: Session, category: str) -> float | None:
    """Within how many metres complaints of this category may be one matter; None for an unknown category."""
    found = session.execute(select(Category.repeat_radius_m).where(Category.code == category)).one_or_none()
    return None if found is None else float(found[0] or RADIUS_M)


def merged_into(session: Session, main_id: int) -> list[Row]:
    """Who was merged into this one, first called first; nothing of a caller but that there is one."""
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.received_at, Complaint.channel, Complaint.place,
               Complaint.status, Complaint.answered_at, Complaint.version, Caller.complaint_id.label("caller"))
        .outerjoin(Caller, Caller.complaint_id == Complaint.id)
        .where(Complaint.merged_into_id == main_id).order_by(Complaint.received_at, Complaint.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def same_caller_open(session: Session, complaint: Complaint, phone: str) -> list[int]:
    """Which open complaints has this telephone number made about this category in this compound?"""
    asked = select(Complaint.id).join(Caller, Caller.complaint_id == Complaint.id)
    asked = asked.where(
        Caller.phone == phone, is_open(), Complaint.category == complaint.category,
        Complaint.compound_id == complaint.compound_id,
    )  # fmt: skip
    return list(session.scalars(asked.order_by(Complaint.id)))


def cards(session: Session, scope: Scope, ids: list[int]) -> dict[int, Row]:
    """What a line of a group says of each complaint."""
    main = aliased(Complaint)
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.place, Complaint.status, Complaint.version,
               Complaint.received_at, Complaint.repeat_count, Complaint.key_since, Complaint.description,
               Complaint.incident_id, func.ST_X(Complaint.geom).label("lon"), func.ST_Y(Complaint.geom).label("lat"),
               Category.name.label("category_zh"), Category.name_en.label("category_en"), Category.utility,
               main.hotline_no.label("main_no"))
        .join(Category, Category.code == Complaint.category).outerjoin(main, main.id == Complaint.merged_into_id)
        .where(Complaint.id.in_(ids), *visible(scope))
    )  # fmt: skip
    return {row["id"]: dict(row) for row in session.execute(asked).mappings()}


def numbered(session: Session, scope: Scope, number: str) -> Complaint | None:
    """The complaint with this file number, if this person may see it."""
    if not number or "\0" in number:
        return None
    return session.scalar(select(Complaint).where(Complaint.hotline_no == number, *visible(scope)))
