"""What is stored about heating seasons: one per city and year, and every decision that moved it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.network.season_rules import SeasonsOverlap, SeasonThere, SeasonVerb


class HeatingSeason(Versioned, Base):
    """When a city heats in the winter that begins in `year` (供热季): from a moment to a moment, with the source that says so."""

    __tablename__ = "heating_season"
    __table_args__ = (
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)", name="during"),
        CheckConstraint("year BETWEEN 1950 AND 2200", name="year"),
        ExcludeConstraint(("city", "="), ("during", "&&"), name="ex_heating_season_city", using="gist"),
        Index("uq_heating_season_city_year", "city", "year", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    city: Mapped[str] = mapped_column(String(40))
    year: Mapped[int]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    source: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(300), default="", server_default="")


class SeasonChange(Base):
    """One line of a season's history (供热季变更): what it was, what it became, who decided and why. Lines are only added."""

    __tablename__ = "season_change"
    __table_args__ = (CheckConstraint(one_of("verb", SeasonVerb), name="verb"),)

    season_id: Mapped[int] = mapped_column(ForeignKey("heating_season.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    verb: Mapped[str] = mapped_column(String(10))
    before: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    after: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    source: Mapped[str] = mapped_column(String(300))


name_constraint("ex_heating_season_city", SeasonsOverlap)
name_constraint("uq_heating_season_city_year", SeasonThere)
