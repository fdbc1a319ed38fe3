"""What is asked about heating seasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.network.season_model import HeatingSeason, SeasonChange
from gis.people.model import User
from gis.places.model import Area
from gis.places.rules import AreaLevel

Row = Mapping[str, Any]


def seasons(session: Session) -> list[HeatingSeason]:
    """All seasons, by city, the newest first."""
    asked = select(HeatingSeason).order_by(HeatingSeason.city, HeatingSeason.year.desc(), HeatingSeason.id)
    return list(session.scalars(asked))


def season(session: Session, season_id: int) -> HeatingSeason:
    """One season, or Missing."""
    row = session.get(HeatingSeason, season_id) if season_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="heating season", id=season_id)
    return row


def season_at(session: Session, city: str, at: datetime) -> HeatingSeason | None:
    """The season a moment lies in; else the next to come; else the last one; none where the city has none."""
    mine = select(HeatingSeason).where(HeatingSeason.city == city)
    begins, ends = func.lower(HeatingSeason.during), func.upper(HeatingSeason.during)
    coming = session.scalars(mine.where(ends > at).order_by(begins, HeatingSeason.id).limit(1)).first()
    return coming or session.scalars(mine.order_by(ends.desc(), HeatingSeason.id).limit(1)).first()


def history(session: Session) -> dict[int, list[Row]]:
    """What was decided about each season, in order, and by whom."""
    asked = (
        select(SeasonChange, User.full_name.label("person"))
        .outerjoin(User, User.id == SeasonChange.user_id)
        .order_by(SeasonChange.season_id, SeasonChange.version)
    )
    found: dict[int, list[Row]] = {}
    for change, person in session.execute(asked):
        found.setdefault(change.season_id, []).append({"change": change, "person": person})
    return found


def home_city(session: Session) -> str:
    """What is this bureau's city called? The one area of the widest level that has exactly one; nothing where that is unknown."""
    for level in (AreaLevel.CITY, AreaLevel.DISTRICT):
        names = session.scalars(select(Area.name).where(Area.level == level).order_by(Area.id).limit(2)).all()
        if len(names) == 1:
            return names[0]
    return ""
