"""What is stored for hotspots: the places of complaints, packed by day and category, so that any filter is answered fast.

Like the rollups of `gis/oversight`, sheets only ever grow by differences that statement-level triggers on `complaint` append
(migration `sheets`); `sheet_actions.compact` puts them together. A reader adds up what it finds, in one statement.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Identity, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base


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
