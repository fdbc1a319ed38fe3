"""What is stored about who answers for what."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.routing import AnswersFor, Rule
from gis.db import Base, Versioned, one_of
from gis.people.rules import UnitKind


class RoutingRule(Versioned, Base):
    """One row of the table that says which body answers (承办规则). What is empty fits everything."""

    __tablename__ = "routing_rule"
    __table_args__ = (
        CheckConstraint(one_of("answers", AnswersFor), name="answers"),
        CheckConstraint("(answers = 'unit') = (unit_id IS NOT NULL)", name="unit_named"),
        CheckConstraint(f"operator IS NULL OR {one_of('operator', UnitKind)}", name="operator"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_from <= valid_to", name="valid"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    priority: Mapped[int]
    utility: Mapped[str | None] = mapped_column(String(12))
    category: Mapped[str | None] = mapped_column(String(40))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    operator: Mapped[str | None] = mapped_column(String(20))
    answers: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(300))

    def pure(self) -> Rule:
        """The row as `routing.decide` takes it."""
        return Rule(
            self.id or 0, self.priority, self.answers, self.unit_id, self.utility, self.category, self.area_id,
            self.station_id, self.operator, self.valid_from, self.valid_to,
        )  # fmt: skip
