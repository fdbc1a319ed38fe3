"""What is stored for hotspots: the places of complaints, packed by day and category, so that any filter is answered fast; and
what was made of a finding.

Like the rollups of `gis/oversight`, sheets only ever grow by differences that statement-level triggers on `complaint` append
(migration `sheets`); `sheet_actions.compact` puts them together. A reader adds up what it finds, in one statement.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.hotspots.rules import AlreadyAnswered, WorkKind


class PlaceSheet(Base):
    """Where the complaints of one day and category are (诉求位置日表). `places` is a row of records of 16 bytes each, four whole
    numbers in network order: metres east and north in the sheets' plane, district, how many (negative where some went away).
    What has no place, or none in the plane, stands at `sheets.LOST` or `sheets.ELSEWHERE` instead of metres."""

    __tablename__ = "place_sheet"
    __table_args__ = (Index("ix_place_sheet_day_category", "day", "category"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    category: Mapped[str] = mapped_column(String(40))
    places: Mapped[bytes] = mapped_column(LargeBinary)


class SheetPlane(Base):
    """How the sheets are cut (位置日表基准): the zone of their days, the plane of their metres and its middle. One row."""

    __tablename__ = "sheet_plane"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(String(64))
    epsg: Mapped[int]
    near_lon: Mapped[float]


class HotspotWork(Versioned, Base):
    """What was made of a finding (高发区处置): which place, found by which question in which period, how hot it was then, and
    the meeting, special week or incident that came of it. `acts_on` is the day from which on it should have cooled."""

    __tablename__ = "hotspot_work"
    __table_args__ = (
        CheckConstraint(one_of("kind", WorkKind), name="kind"),
        CheckConstraint("last >= first AND acts_on > last", name="days"),
        CheckConstraint("count >= 0", name="count"),
        # One answer to one finding: whoever comes second is told that it is taken care of.
        Index("uq_hotspot_work_found", "kind", "first", "last", "cell_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    thing_id: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    acts_on: Mapped[date] = mapped_column(Date)
    place: Mapped[str] = mapped_column(String(160), default="", server_default="")
    cell_key: Mapped[str] = mapped_column(String(80))
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
    district_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    question: Mapped[dict[str, Any]]
    count: Mapped[int]
    z: Mapped[float | None]
    label: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")


name_constraint("uq_hotspot_work_found", AlreadyAnswered)
