"""What is stored about meeting people: meetings, leaders' days, visits, what was raised there, and public promises."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Identity, Index, String, Text, Time, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.oversight.rules import DayTaken, EventStatus, MeetingKind, PromiseStatus, PromiseVerb, VisitKind


class Leader(Versioned, Base):
    """Somebody on the rota of leaders who answer calls (值班领导), in the order of `turn`."""

    __tablename__ = "leader"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    post: Mapped[str] = mapped_column(String(80), default="", server_default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    turn: Mapped[int]
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")


class LeaderDay(Versioned, Base):
    """A leader answers calls (领导接听日): the weekday it belongs to and the day it is held on."""

    __tablename__ = "leader_day"
    __table_args__ = (
        CheckConstraint(one_of("status", EventStatus), name="status"),
        CheckConstraint("minutes > 0", name="minutes"),
        Index("uq_leader_day_planned_on", "planned_on", unique=True),
        Index("uq_leader_day_on_day", "on_day", unique=True, postgresql_where=text("status <> 'called_off'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    planned_on: Mapped[date] = mapped_column(Date)
    on_day: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[time] = mapped_column(Time)
    minutes: Mapped[int]
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("leader.id"))
    status: Mapped[str] = mapped_column(String(12), default=EventStatus.PLANNED)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Meeting(Versioned, Base):
    """A meeting with people (面对面、恳谈会): when, where, who took part, the minutes."""

    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint(one_of("kind", MeetingKind), name="kind"),
        CheckConstraint(one_of("status", EventStatus), name="status"),
        Index("ix_meeting_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    place: Mapped[str] = mapped_column(String(300), default="", server_default="")
    participants: Mapped[str] = mapped_column(Text, default="", server_default="")
    minutes: Mapped[str] = mapped_column(Text, default="", server_default="")
    status: Mapped[str] = mapped_column(String(12), default=EventStatus.PLANNED)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class VisitCampaign(Versioned, Base):
    """A campaign of community visits (进社区活动) with what it is to reach."""

    __tablename__ = "visit_campaign"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("visits_target >= 0 AND opinions_target >= 0", name="targets"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    visits_target: Mapped[int]
    opinions_target: Mapped[int]
    source: Mapped[str] = mapped_column(String(300), default="", server_default="")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Visit(Versioned, Base):
    """One visit to a community (进社区) or one on-site supervision (现场督查)."""

    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint(one_of("kind", VisitKind), name="kind"),
        CheckConstraint("people >= 0 AND found >= 0 AND solved >= 0 AND solved <= found", name="counts"),
        Index("ix_visit_at", "at"),
        Index("ix_visit_campaign_id", "campaign_id"),
        Index("ix_visit_station_id", "station_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("visit_campaign.id"))
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    place: Mapped[str] = mapped_column(String(300))
    visitors: Mapped[str] = mapped_column(Text, default="", server_default="")
    people: Mapped[int] = mapped_column(default=0, server_default="0")
    found: Mapped[int] = mapped_column(default=0, server_default="0")
    solved: Mapped[int] = mapped_column(default=0, server_default="0")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Matter(Versioned, Base):
    """What was raised at a meeting, on a leader's day or on a visit (事项、意见), and what it became.

    On an on-site supervision it is a concrete problem (具体问题): it is solved when somebody says how, or its complaint is closed.
    """

    __tablename__ = "matter"
    __table_args__ = (
        CheckConstraint("num_nonnulls(meeting_id, leader_day_id, visit_id) = 1", name="raised_somewhere"),
        CheckConstraint("people > 0", name="people"),
        CheckConstraint("num_nonnulls(complaint_id, promise_id) <= 1", name="one_end"),
        CheckConstraint("(solved_at IS NULL) = (solution = '')", name="solved"),
        Index("uq_matter_complaint_id", "complaint_id", unique=True),
        Index("ix_matter_meeting_id", "meeting_id"),
        Index("ix_matter_leader_day_id", "leader_day_id"),
        Index("ix_matter_visit_id", "visit_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"))
    leader_day_id: Mapped[int | None] = mapped_column(ForeignKey("leader_day.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    raised_at: Mapped[datetime]
    raised_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    category: Mapped[str] = mapped_column(ForeignKey("category.code"))
    text: Mapped[str] = mapped_column(Text)
    people: Mapped[int] = mapped_column(default=1, server_default="1")
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    answered_at: Mapped[datetime | None]
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    promise_id: Mapped[int | None] = mapped_column(ForeignKey("promise.id"), index=True)
    solved_at: Mapped[datetime | None]
    solved_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    solution: Mapped[str] = mapped_column(Text, default="", server_default="")


class Promise(Versioned, Base):
    """A public promise (公开承诺) with a responsible person and a date. Every version has a line in `PromiseChange`."""

    __tablename__ = "promise"
    __table_args__ = (
        CheckConstraint(one_of("status", PromiseStatus), name="status"),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended"),
        Index("ix_promise_due_on", "due_on"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text, default="", server_default="")
    person: Mapped[str] = mapped_column(String(80))
    post: Mapped[str] = mapped_column(String(80), default="", server_default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    made_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(300), default="", server_default="")
    status: Mapped[str] = mapped_column(String(10), default=PromiseStatus.OPEN)
    ended_at: Mapped[datetime | None]
    overdue_told_at: Mapped[datetime | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class PromiseChange(Base):
    """One line of a promise's history (承诺变更): what changed, from what, and why. Lines are added, never changed."""

    __tablename__ = "promise_change"
    __table_args__ = (CheckConstraint(one_of("verb", PromiseVerb), name="verb"),)

    promise_id: Mapped[int] = mapped_column(ForeignKey("promise.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    verb: Mapped[str] = mapped_column(String(10))
    text_before: Mapped[str] = mapped_column(Text, default="", server_default="")
    due_before: Mapped[date | None] = mapped_column(Date)
    due_after: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


name_constraint("uq_leader_day_on_day", DayTaken)
name_constraint("uq_leader_day_planned_on", DayTaken)
