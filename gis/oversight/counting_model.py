"""What is stored for counting: two small rollups of the complaints, kept by the database itself at every change.

Both tables only ever grow by differences, written by statement-level triggers on `complaint` (migration `rollups`) in the
transaction of the change; a reader adds them up, and `counting_actions.compact` puts them together from time to time. No
transaction ever updates a row that another one needs, so they cannot wait for each other or lock each other out, and the
sums are exact in every snapshot.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base


class ComplaintTally(Base):
    """How many complaints there are, by district and answering body (诉求总数), as differences to be added up."""

    __tablename__ = "complaint_tally"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    not_located: Mapped[int] = mapped_column(BigInteger)


class ComplaintDay(Base):
    """How many were received and closed on a day of the city (诉求日计数), as differences to be added up."""

    __tablename__ = "complaint_day"
    __table_args__ = (Index("ix_complaint_day_day", "day"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[int] = mapped_column(BigInteger)


class CountingClock(Base):
    """The zone by which the rollups cut days (统计时区): one row. A reader with another zone counts the complaints themselves."""

    __tablename__ = "counting_clock"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(String(64))
