"""What is asked for the public: one complaint by number and telephone, its course, photos, what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.model import Area, GazetteerEntry
from gis.places.queries import point
from gis.portal.model import (
    CallerNote,
    CallerRating,
    ComplaintPhoto,
    PublicLimit,
    PublicMeter,
    PublicReport,
)
from gis.portal.rules import LIMIT_SEEDS, PUBLIC_VERBS, Asked

Row = Mapping[str, Any]
NEAR_DAYS = 30
NEAR_M = 300.0
NEAR_MOST = 3


@dataclass(frozen=True)
class Limit:
    """So many in so many minutes."""

    most: int
    within_min: int


def limit(session: Session, kind: Asked) -> Limit:
    """How often may this be asked? The bureau's own row, or what the house ships."""
    row = session.get(PublicLimit, kind)
    if row is not None:
        return Limit(row.most, row.within_min)
    seed = next(seed for seed in LIMIT_SEEDS if seed.kind == kind)
    return Limit(seed.most, seed.within_min)


def limits(session: Session) -> list[PublicLimit]:
    """All limits, in the order of the table."""
    order = {str(seed.kind): n for n, seed in enumerate(LIMIT_SEEDS)}
    return sorted(session.scalars(select(PublicLimit)), key=lambda row: order[row.kind])


def load(session: Session, kind: Asked, key: bytes, now: datetime) -> int:
    """How often was this asked under this key, in the window that runs?"""
    asked = select(func.coalesce(func.sum(PublicMeter.count), 0)).where(
        PublicMeter.kind == kind, PublicMeter.key == key, PublicMeter.until_at > now
    )
    return int(session.scalar(asked) or 0)


def report_made(session: Session, report_id: UUID) -> tuple[Complaint, str] | None:
    """The complaint that a browser's report became, and the digest of what it said; None where there is none yet."""
    found = session.execute(
        select(Complaint, PublicReport.sha256)
        .join(PublicReport, PublicReport.complaint_id == Complaint.id)
        .where(PublicReport.id == report_id)
    ).one_or_none()
    return (found[0], found[1]) if found else None


def numbered(session: Session, hotline_no: str) -> tuple[int, str | None] | None:
    """The id of the complaint with this number and its caller's telephone number: one question, found or not."""
    found = session.execute(
        select(Complaint.id, Caller.phone)
        .outerjoin(Caller, Caller.complaint_id == Complaint.id)
        .where(Complaint.hotline_no == hotline_no)
    ).one_or_none()
    return (found[0], found[1]) if found else None


def followed(session: Session, complaint_id: int) -> Row:
    """What its own caller is told of a complaint: nothing of anybody else, no note, no name of a member of staff."""
    asked = (
        select(Complaint, Category.name.label("category_zh"), Category.name_en.label("category_en"), Unit.name.label("unit"))
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
        .where(Complaint.id == complaint_id)
    )  # fmt: skip
    return dict(session.execute(asked.execution_options(populate_existing=True)).mappings().one())


_COURSE = text(
    """
    SELECT at, verb, thing_id <> :own AS joined FROM journal
     WHERE thing = 'complaint' AND thing_id = ANY(:ids) AND verb = ANY(:verbs)
       AND (thing_id = :own OR verb NOT IN ('receive', 'import', 'add_words', 'add_photo', 'rate', 'merge'))
     ORDER BY at, seq
    """
)


def course(session: Session, complaint: Complaint) -> list[Row]:
    """What happened to a complaint (and to the one it was joined to), as the public is told it: moments and words."""
    lead = complaint.merged_into_id
    ids = [str(complaint.id), *([str(lead)] if lead else [])]
    given = {"own": ids[0], "ids": ids, "verbs": list(PUBLIC_VERBS)}
    return [dict(row) | {"word": PUBLIC_VERBS[row["verb"]]} for row in session.execute(_COURSE, given).mappings()]


def photos_of(session: Session, complaint_id: int) -> list[ComplaintPhoto]:
    """The photos of a complaint, in the order they came."""
    asked = select(ComplaintPhoto).where(ComplaintPhoto.complaint_id == complaint_id)
    return list(session.scalars(asked.order_by(ComplaintPhoto.id)))


def photo(session: Session, complaint_id: int, sha256: str) -> ComplaintPhoto | None:
    """One photo of one complaint."""
    return session.scalar(
        select(ComplaintPhoto).where(ComplaintPhoto.complaint_id == complaint_id, ComplaintPhoto.sha256 == sha256)
    )


def photo_in_scope(session: Session, scope: Scope, complaint_id: int, sha256: str) -> ComplaintPhoto | None:
    """One photo of a complaint that this person may see."""
    asked = select(ComplaintPhoto).join(Complaint, Complaint.id == ComplaintPhoto.complaint_id)
    return session.scalar(asked.where(Complaint.id == complaint_id, ComplaintPhoto.sha256 == sha256, *visible(scope)))


def notes_of(session: Session, complaint_id: int) -> list[CallerNote]:
    """The words that were added to a complaint."""
    asked = select(CallerNote).where(CallerNote.complaint_id == complaint_id)
    return list(session.scalars(asked.order_by(CallerNote.at, CallerNote.id)))


def ratings_of(session: Session, complaint_id: int) -> list[CallerRating]:
    """What its caller said of the answers, oldest first."""
    asked = select(CallerRating).where(CallerRating.complaint_id == complaint_id)
    return list(session.scalars(asked.order_by(CallerRating.at, CallerRating.id)))


def nearby(session: Session, category: str, lon: float, lat: float, now: datetime) -> list[Row]:
    """A few open complaints of this category close to a point: what they are about, roughly where, and the day. No more.

    The place is the name of the compound or the nearest entry of the gazetteer, never what a caller said: that may be a
    door. Nobody can list complaints by this: few, near, of one category, and the door counts who asks.
    """
    here = point(lon, lat)
    near_name = (
        select(GazetteerEntry.name)
        .where(func.ST_DWithin(func.geography(GazetteerEntry.geom), func.geography(Complaint.geom), NEAR_M))
        .order_by(GazetteerEntry.geom.op("<->")(Complaint.geom), GazetteerEntry.id)
        .limit(1)
        .scalar_subquery()
    )
    metres = func.ST_DistanceSphere(Complaint.geom, here)
    around = func.geometry(func.ST_Buffer(func.geography(here), NEAR_M * 1.05))
    asked = (
        select(Complaint.id, Complaint.received_at, Complaint.repeat_count, func.coalesce(Area.name, near_name, "").label("place"),
               Category.name.label("category_zh"), Category.name_en.label("category_en"))
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Area, Area.id == Complaint.compound_id)
        .where(is_open(), Complaint.merged_into_id.is_(None), Complaint.category == category,
               Complaint.received_at >= now - timedelta(days=NEAR_DAYS), Complaint.geom.op("&&")(around), metres <= NEAR_M)
        .order_by(metres, Complaint.id)
        .limit(NEAR_MOST)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]
