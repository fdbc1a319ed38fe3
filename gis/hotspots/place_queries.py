"""What the addresses and the areas tell: who has to call again and again, and where things take long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, cast, func, literal_column, select
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters, visible
from gis.complaints.rules import Status
from gis.people.rules import Scope
from gis.places.model import Area

Row = Mapping[str, Any]
AGAIN_FROM = 3  # source: three and more about one matter are under key supervision
SHOWN = 100
_NFKC: Any = literal_column("NFKC")
LEVELS = {"district": Complaint.district_id, "street": Complaint.street_id, "community": Complaint.community_id}


def repeat_addresses(
    session: Session, filters: Filters, scope: Scope, now: datetime, *, least: int = AGAIN_FROM, limit: int = SHOWN
) -> list[Row]:
    """From which addresses did complaints come `least` times or more, most first? Spaces and full-width forms make no difference.

    Joined complaints count: somebody had to call again. Cancelled ones do not.
    """
    said = func.lower(func.regexp_replace(func.normalize(Complaint.place, _NFKC), r"\s+", "", "g"))
    many = func.count()
    asked = (
        select(func.min(Complaint.place).label("place"), many.label("count"),
               func.count(func.distinct(Complaint.category)).label("categories"),
               func.mode().within_group(Complaint.category).label("category"),
               func.min(Complaint.received_at).label("first"), func.max(Complaint.received_at).label("latest"),
               func.count().filter(Complaint.closed_at.is_(None)).label("open"),
               func.max(Complaint.community_id).label("community_id"),
               func.array_agg(cast(Complaint.id, Integer)).label("ids"))
        .where(*visible(scope), *filters.conditions(now), Complaint.place != "", Complaint.status != Status.CANCELLED)
        .group_by(said, Complaint.district_id).having(many >= least)
        .order_by(many.desc(), func.max(Complaint.received_at).desc(), func.min(Complaint.place)).limit(limit)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def days_to_close(
    session: Session, filters: Filters, scope: Scope, now: datetime, level: str = "district"
) -> list[Row]:
    """How many days from receiving to closing, by area: the middle one, nine of ten, and how many are still open.

    Of what was received in the selection; cancelled and joined complaints are left out. Slowest first.
    """
    took = func.extract("epoch", Complaint.closed_at - Complaint.received_at) / 86_400.0
    closed = func.count(Complaint.closed_at)
    asked = (
        select(Area.id, Area.name, func.count().label("received"), closed.label("closed"),
               func.percentile_cont(0.5).within_group(took).label("median"),
               func.percentile_cont(0.9).within_group(took).label("nine_of_ten"),
               func.count().filter(Complaint.closed_at <= Complaint.resolve_by).label("on_time"),
               func.count().filter(Complaint.closed_at.is_(None), Complaint.resolve_by < now).label("late"))
        .select_from(Complaint).outerjoin(Area, Area.id == LEVELS[level])
        .where(*visible(scope), *filters.conditions(now), Complaint.status.notin_((Status.CANCELLED, Status.MERGED)))
        .group_by(Area.id, Area.name)
        .order_by(func.percentile_cont(0.5).within_group(took).desc().nulls_last(), Area.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]
