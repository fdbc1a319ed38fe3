"""What is stored about consequences: the bureau's weights and written rules, and what was proposed, decided, appealed, ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.inspections.consequence_rules import (
    AlreadyProposed,
    ConsequenceKind,
    ConsequenceStatus,
    Counted,
    Subject,
)
from gis.inspections.finding_rules import Severity

_WHOM = """num_nonnulls(unit_id, user_id, worker_id) = 1 AND (subject = 'person') = (user_id IS NOT NULL)
        AND (subject = 'worker') = (worker_id IS NOT NULL)"""


class ScoreWeight(Versioned, Base):
    """How much an item weighs (评分权重). There is none to begin with: then there is no score."""

    __tablename__ = "score_weight"
    __table_args__ = (CheckConstraint("weight > 0", name="weight"),)

    checklist_code: Mapped[str] = mapped_column(String(40), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    weight: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class ConsequenceRule(Versioned, Base):
    """A written rule (处理规则): so many of this within so many days have that consequence for so long. Read by everybody."""

    __tablename__ = "consequence_rule"
    __table_args__ = (
        CheckConstraint(one_of("subject", Subject), name="subject"),
        CheckConstraint(one_of("measure", Counted), name="measure"),
        CheckConstraint(one_of("severity", Severity), name="severity"),
        CheckConstraint(one_of("kind", ConsequenceKind), name="kind"),
        CheckConstraint("(kind = 'star') = (measure = 'clean_inspections')", name="direction"),
        CheckConstraint("at_least > 0 AND window_days > 0 AND period_days >= 0 AND appeal_days > 0", name="numbers"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(12))
    measure: Mapped[str] = mapped_column(String(24))
    severity: Mapped[str] = mapped_column(String(10))
    at_least: Mapped[int]
    window_days: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    period_days: Mapped[int]
    appeal_days: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Consequence(Versioned, Base):
    """What a rule proposes for a unit or a person, and what became of it (处理). `rule` and `basis` are kept as they were then.

    A row that has ended is never written again: what comes later is another row.
    """

    __tablename__ = "consequence"
    __table_args__ = (
        CheckConstraint(one_of("kind", ConsequenceKind), name="kind"),
        CheckConstraint(one_of("subject", Subject), name="subject"),
        CheckConstraint(one_of("status", ConsequenceStatus), name="status"),
        CheckConstraint(_WHOM, name="whom"),
        CheckConstraint("(decision_no IS NULL) = (status IN ('proposed', 'declined'))", name="decision_no"),
        Index("uq_consequence_unsettled_unit", "rule_id", "unit_id", unique=True,
              postgresql_where=text("unit_id IS NOT NULL AND status IN ('proposed','in_force','appealed')")),
        Index("uq_consequence_unsettled_user", "rule_id", "user_id", unique=True,
              postgresql_where=text("user_id IS NOT NULL AND status IN ('proposed','in_force','appealed')")),
        Index("uq_consequence_unsettled_worker", "rule_id", "worker_id", unique=True,
              postgresql_where=text("worker_id IS NOT NULL AND status IN ('proposed','in_force','appealed')")),
        Index("ix_consequence_ends_at", "ends_at", postgresql_where=text("status IN ('in_force','appealed')")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("consequence_rule.id"))
    rule: Mapped[dict[str, Any]]
    kind: Mapped[str] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("site_worker.id"), index=True)
    status: Mapped[str] = mapped_column(String(10), default=ConsequenceStatus.PROPOSED)
    basis: Mapped[list[Any]]
    proposed_at: Mapped[datetime]
    decision_no: Mapped[str | None] = mapped_column(String(40), unique=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    decided_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    ends_at: Mapped[datetime | None]
    appeal_by: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]
    appealed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    appeal: Mapped[str] = mapped_column(Text, default="", server_default="")
    appeal_decided_at: Mapped[datetime | None]
    appeal_decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    appeal_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    ended_at: Mapped[datetime | None]
    ended_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    blacklisting_id: Mapped[int | None] = mapped_column(ForeignKey("blacklisting.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


name_constraint("uq_consequence_unsettled_unit", AlreadyProposed)
name_constraint("uq_consequence_unsettled_user", AlreadyProposed)
name_constraint("uq_consequence_unsettled_worker", AlreadyProposed)
