"""What is stored about themed weeks: the week and what it is to reach. What is found on the spot are visits and matters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.network.rules import Utility
from gis.oversight.week_rules import TargetKey, WeekThere


class ThemedWeek(Versioned, Base):
    """A week in which a city answers calls about one utility together (专题接话周)."""

    __tablename__ = "themed_week"
    __table_args__ = (
        CheckConstraint(one_of("utility", Utility), name="utility"),
        CheckConstraint("last >= first", name="period"),
        Index("uq_themed_week_city_first_name", "city", "first", "name", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    city: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120), default="", server_default="")
    utility: Mapped[str] = mapped_column(String(12), default=Utility.HEAT, server_default="heat")
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(300))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class WeekTarget(Base):
    """What a themed week is to reach (专题周目标), and where that is written."""

    __tablename__ = "week_target"
    __table_args__ = (
        CheckConstraint(one_of("key", TargetKey), name="key"),
        CheckConstraint("value >= 0", name="value"),
    )

    week_id: Mapped[int] = mapped_column(ForeignKey("themed_week.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    source: Mapped[str] = mapped_column(String(300))


name_constraint("uq_themed_week_city_first_name", WeekThere)
