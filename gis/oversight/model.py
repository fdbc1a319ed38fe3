"""What is stored about oversight: notices, calls, handovers, the bureau's own numbers. What is held with people is in `outreach_model`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, Versioned, name_constraint, one_of
from gis.oversight.rules import (
    CallOutcome,
    FindingNotice,
    HandedOver,
    HandoverReason,
    NoticeNumberTaken,
    NoticeOpen,
    NoticeReason,
    NoticeStatus,
    Satisfaction,
)


class OversightRule(Versioned, Base):
    """A number that the bureau decides (督办参数), and where it comes from."""

    __tablename__ = "oversight_rule"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class NoticeCounter(Base):
    """The last notice number of a body in a year (督办编号计数). Its row is locked by whoever takes the next number."""

    __tablename__ = "notice_counter"

    issuer_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class SupervisionNotice(Versioned, Base):
    """A written demand to a unit (督办通知单), numbered without gaps per body and year."""

    __tablename__ = "supervision_notice"
    __table_args__ = (
        CheckConstraint(one_of("reason", NoticeReason), name="reason"),
        CheckConstraint(one_of("status", NoticeStatus), name="status"),
        CheckConstraint("number > 0 AND limit_days > 0", name="numbers"),
        Index("uq_supervision_notice_issuer_id_year_number", "issuer_id", "year", "number", unique=True),
        Index("ix_supervision_notice_unit_id_issued_at", "unit_id", "issued_at"),
        Index("ix_supervision_notice_open", "reply_by",
              postgresql_where=text("status IN ('sent','acknowledged','escalated')")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    year: Mapped[int]
    number: Mapped[int]
    notice_no: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    reason: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(14), default=NoticeStatus.ISSUED)
    demand: Mapped[str] = mapped_column(Text, default="", server_default="")
    limit_days: Mapped[int]
    limit_source: Mapped[str] = mapped_column(String(300))
    reply_by: Mapped[datetime]
    calendar_missing: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    leader_day_id: Mapped[int | None] = mapped_column(ForeignKey("leader_day.id"), index=True)
    issued_at: Mapped[datetime]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    sent_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    replied_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(Text, default="", server_default="")
    escalated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    overdue_told_at: Mapped[datetime | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class NoticeComplaint(Base):
    """Which complaints a notice is about (督办诉求); `is_open` until the notice ends, so that no complaint has two at once."""

    __tablename__ = "notice_complaint"
    __table_args__ = (
        Index("uq_notice_complaint_open", "complaint_id", unique=True, postgresql_where=text("is_open")),
        Index("ix_notice_complaint_complaint_id", "complaint_id"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("supervision_notice.id", ondelete="CASCADE"), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    is_open: Mapped[bool] = mapped_column(Boolean, default=True)


class NoticeFinding(Base):
    """Which findings a notice is about (督办问题): inspections whose rectification is late; `is_open` until the notice ends."""

    __tablename__ = "notice_finding"
    __table_args__ = (
        Index("uq_notice_finding_open", "finding_id", unique=True, postgresql_where=text("is_open")),
        Index("ix_notice_finding_finding_id", "finding_id"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("supervision_notice.id", ondelete="CASCADE"), primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    is_open: Mapped[bool] = mapped_column(Boolean, default=True)


class FollowUpCall(Base):
    """One attempt to call somebody back (回访): how it was handled and what came out are asked apart."""

    __tablename__ = "follow_up_call"
    __table_args__ = (
        CheckConstraint(one_of("outcome", CallOutcome), name="outcome"),
        CheckConstraint(f"process IS NULL OR {one_of('process', Satisfaction)}", name="process"),
        CheckConstraint(f"result IS NULL OR {one_of('result', Satisfaction)}", name="result"),
        CheckConstraint(
            "(outcome = 'reached') = (solved IS NOT NULL AND process IS NOT NULL AND result IS NOT NULL)", name="told"
        ),
        Index("uq_follow_up_call_complaint_id_attempt", "complaint_id", "attempt", unique=True),
        Index("ix_follow_up_call_at", "at"),
        Index("ix_follow_up_call_unit_id_at", "unit_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(14))
    solved: Mapped[bool | None] = mapped_column(Boolean)
    process: Mapped[str | None] = mapped_column(String(14))
    result: Mapped[str | None] = mapped_column(String(14))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    district_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))


class Handover(Base):
    """A list of dissatisfied or repeated cases given to a unit (移交清单)."""

    __tablename__ = "handover"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class HandoverItem(Versioned, Base):
    """One case of such a list (移交事项), with its own limit and its own end."""

    __tablename__ = "handover_item"
    __table_args__ = (
        CheckConstraint(one_of("reason", HandoverReason), name="reason"),
        CheckConstraint("(ended_at IS NULL) = (ending = '')", name="ended"),
        Index("uq_handover_item_open", "complaint_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_handover_item_handover_id", "handover_id"),
        Index("ix_handover_item_complaint_id", "complaint_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handover.id", ondelete="CASCADE"))
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    reason: Mapped[str] = mapped_column(String(14))
    end_by: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    ending: Mapped[str] = mapped_column(Text, default="", server_default="")


name_constraint("uq_supervision_notice_issuer_id_year_number", NoticeNumberTaken)
name_constraint("uq_notice_complaint_open", NoticeOpen)
name_constraint("uq_notice_finding_open", FindingNotice)
name_constraint("uq_handover_item_open", HandedOver)
