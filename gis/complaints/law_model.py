"""What is stored of the law and of what was asked under it: sets of rules, limits, returns, extensions, pauses, reminders."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    Text,
    Time,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.law_words import (
    AlreadyAsked,
    AlreadyPaused,
    Clock,
    CountFrom,
    HoursOverlap,
    LimitsOverlap,
    PauseCause,
    ReturnGround,
    Ruling,
)
from gis.complaints.rules import Complexity
from gis.db import Base, Versioned, name_constraint, one_of


class RuleSet(Versioned, Base):
    """One body of rules (规则集): where it comes from, and from when to when this city goes by it.

    Of several in force the one with the higher `rank` is asked first; it may know only a few categories (emergencies).
    """

    __tablename__ = "rule_set"
    __table_args__ = (CheckConstraint("valid_to > valid_from", name="valid"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(300))
    rank: Mapped[int] = mapped_column(SmallInteger, default=0)
    in_force: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    return_days: Mapped[int] = mapped_column(SmallInteger, default=2)


class LimitRule(Base):
    """One limit (时限规则): what must be done within how much of which clock. Never changed: a change is a new row."""

    __tablename__ = "limit_rule"
    __table_args__ = (
        CheckConstraint(one_of("clock", Clock), name="clock"),
        CheckConstraint(one_of("count_from", CountFrom), name="count_from"),
        CheckConstraint(one_of("complexity", Complexity), name="complexity"),
        CheckConstraint("amount >= 0 AND (amount > 0 OR clock = 'working_days')", name="amount"),
        CheckConstraint("extension_days >= 0 AND further_days >= 0", name="extension"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        ExcludeConstraint(
            ("rule_set_id", "="), ("category", "="), (text("coalesce(complexity, '')"), "="), ("measure", "="),
            (text("daterange(valid_from, valid_to, '[)')"), "&&"),
            name="ex_limit_rule_one_at_a_time", using="gist",
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    rule_set_id: Mapped[int] = mapped_column(ForeignKey("rule_set.id"), index=True)
    category: Mapped[str] = mapped_column(String(40), default="")
    complexity: Mapped[str | None] = mapped_column(String(12))
    measure: Mapped[str] = mapped_column(String(40), default="")
    clock: Mapped[str] = mapped_column(String(16))
    amount: Mapped[int]
    count_from: Mapped[str] = mapped_column(String(16), default=CountFrom.NEXT_DAY)
    extension_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    further_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    source: Mapped[str] = mapped_column(String(300))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class WorkSpan(Base):
    """One stretch of the city's office hours on a working day (办公时段): what the clock of working hours counts."""

    __tablename__ = "work_span"
    __table_args__ = (
        CheckConstraint("ends > begins", name="order"),
        ExcludeConstraint(
            (text("tsrange('2000-01-01'::date + begins, '2000-01-01'::date + ends)"), "&&"),
            name="ex_work_span_apart", using="gist",
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    begins: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)


class ComplaintDeadline(Base):
    """A further limit of one complaint (分项时限), beside the main one in `complaint.resolve_by`."""

    __tablename__ = "complaint_deadline"
    __table_args__ = (
        Index("uq_complaint_deadline_complaint_id_measure", "complaint_id", "measure", unique=True),
        Index("ix_complaint_deadline_running", "due_at", postgresql_where=text("met_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"))
    limit_rule_id: Mapped[int | None] = mapped_column(ForeignKey("limit_rule.id"))
    measure: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    alarm: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class ReturnRequest(Versioned, Base):
    """A unit says that a complaint is not its own (退单申请), and what an arbiter decided."""

    __tablename__ = "return_request"
    __table_args__ = (
        CheckConstraint(one_of("ground", ReturnGround), name="ground"),
        CheckConstraint(one_of("verdict", Ruling), name="verdict"),
        CheckConstraint("(verdict = 'waiting') = (decided_at IS NULL)", name="decided"),
        Index("uq_return_request_waiting", "complaint_id", unique=True, postgresql_where=text("verdict = 'waiting'")),
        Index("ix_return_request_complaint_id", "complaint_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    ground: Mapped[str] = mapped_column(String(20))
    evidence: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    return_by: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(12), default=Ruling.WAITING)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text, default="")


class Extension(Versioned, Base):
    """More time (延期): asked for, and granted or refused within the rule's own maximum. `further`: the second one."""

    __tablename__ = "extension"
    __table_args__ = (
        CheckConstraint(one_of("verdict", Ruling), name="verdict"),
        CheckConstraint("(verdict = 'waiting') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("days > 0 AND (granted_days > 0) = (verdict = 'granted')", name="days"),
        Index("uq_extension_waiting", "complaint_id", unique=True, postgresql_where=text("verdict = 'waiting'")),
        Index("ix_extension_complaint_id", "complaint_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"))
    days: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    further: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    verdict: Mapped[str] = mapped_column(String(12), default=Ruling.WAITING)
    granted_days: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    before: Mapped[datetime]
    resolve_by: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text, default="")


class Pause(Versioned, Base):
    """A stretch in which the clock stood still (中止计时), for a listed cause. `until` is planned; `ended_at` is when it ran again."""

    __tablename__ = "pause"
    __table_args__ = (
        CheckConstraint(one_of("cause", PauseCause), name="cause"),
        CheckConstraint("until > began_at AND ended_at >= began_at", name="order"),
        Index("uq_pause_running", "complaint_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_pause_complaint_id", "complaint_id"),
        Index("ix_pause_until", "until", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"))
    cause: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    before: Mapped[datetime]
    by_user: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class Reminder(Base):
    """Somebody urged the body that answers (催办)."""

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_complaint_id", "complaint_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text, default="")


name_constraint("ex_limit_rule_one_at_a_time", LimitsOverlap)
name_constraint("ex_work_span_apart", HoursOverlap)
name_constraint("uq_return_request_waiting", AlreadyAsked)
name_constraint("uq_extension_waiting", AlreadyAsked)
name_constraint("uq_pause_running", AlreadyPaused)
