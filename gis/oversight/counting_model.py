"""What is stored for counting: two small rollups of the complaints, baselines, and the bulletins that were published.

Both rollups only ever grow by differences, written by statement-level triggers on `complaint` (migration `rollups`) in the
transaction of the change; a reader adds them up, and `counting_actions.compact` puts them together from time to time. No
transaction ever updates a row that another one needs, so they cannot wait for each other or lock each other out, and the
sums are exact in every snapshot.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, Numeric, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, name_constraint, one_of
from gis.oversight.periods import PeriodKind
from gis.oversight.rates import AlreadyPublished, BaselineTaken, RateKey


class ComplaintTally(Base):
    """How many complaints there are, by district and answering body (诉求总数), as differences to be added up."""

    __tablename__ = "complaint_tally"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    not_located: Mapped[int] = mapped_column(BigInteger)


class ComplaintDay(Base):
    """How many were received and closed on a day of the city (诉求日计数), as differences to be added up.

    Counted once by district and once by answering body: days by both together would be nearly as many rows as complaints.
    The rows of one kind add up to the whole; `key_id` is null for what has no district, or no body.
    """

    __tablename__ = "complaint_day"
    __table_args__ = (
        CheckConstraint("kind IN ('district', 'unit')", name="kind"),
        Index("ix_complaint_day_kind_day", "kind", "day"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(8))
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[int] = mapped_column(BigInteger)


class CountingClock(Base):
    """The zone by which the rollups cut days (统计时区): one row. A reader with another zone counts the complaints themselves."""

    __tablename__ = "counting_clock"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(String(64))


class Baseline(Base):
    """What share of a rate is asked for (基准线), from a day on. Earlier ones stay: a ranking is held against that of its time."""

    __tablename__ = "baseline"
    __table_args__ = (
        CheckConstraint(one_of("rate", RateKey), name="rate"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        Index("uq_baseline_rate_valid_from", "rate", "valid_from", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    rate: Mapped[str] = mapped_column(String(24))
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    valid_from: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(300))


class BulletinIssue(Base):
    """A published bulletin (通报期号) as it was printed. The database refuses every change of it; a correction is a new issue."""

    __tablename__ = "bulletin_issue"
    __table_args__ = (
        CheckConstraint(one_of("kind", PeriodKind), name="kind"),
        CheckConstraint("number > 0", name="number"),
        Index("uq_bulletin_issue_kind_year_number", "kind", "year", "number", unique=True),
        # One issue for a period and whom it is about; corrections come beside it.
        Index("uq_bulletin_issue_period", "kind", "first", "last", text("coalesce(area_id, 0)"), text("coalesce(unit_id, 0)"),
              unique=True, postgresql_where=text("corrects_id IS NULL")),
        Index("ix_bulletin_issue_published_at", "published_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    year: Mapped[int]
    number: Mapped[int]
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    published_at: Mapped[datetime]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin_issue.id"))
    reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    body: Mapped[dict[str, Any]]


name_constraint("uq_baseline_rate_valid_from", BaselineTaken)
name_constraint("uq_bulletin_issue_period", AlreadyPublished)
