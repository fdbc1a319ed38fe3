"""What is stored about complaints. The caller stands apart, so that a list or a map can never leak one by accident."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.channels import UTILITY_HOTLINES
from gis.complaints.repeat_rules import MergeChain
from gis.complaints.rules import (
    OPEN,
    Channel,
    Complexity,
    LineTaken,
    Located,
    NumberTaken,
    SourceNumberTaken,
    Status,
    Vulnerable,
)
from gis.db import SRID, Base, Versioned, name_constraint, one_of


class Category(Base):
    """What a complaint is about (类别): an editable dictionary."""

    __tablename__ = "category"
    __table_args__ = (CheckConstraint("repeat_radius_m > 0", name="repeat_radius_m"),)

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    utility: Mapped[str] = mapped_column(String(12))
    skill: Mapped[str] = mapped_column(String(40))
    complexity: Mapped[str] = mapped_column(String(12))
    work_min: Mapped[int]
    number: Mapped[int] = mapped_column(Identity(), unique=True)
    repeat_radius_m: Mapped[int] = mapped_column(default=200, server_default="200")


class ChannelLine(Versioned, Base):
    """One company's hotline within a channel (渠道线路). Numbers of the channel are unique per line."""

    __tablename__ = "channel_line"
    __table_args__ = (CheckConstraint(one_of("channel", UTILITY_HOTLINES), name="channel"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    phone: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")


class Complaint(Versioned, Base):
    """What somebody told the bureau (诉求)."""

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint(one_of("status", Status), name="status"),
        CheckConstraint(one_of("channel", Channel), name="channel"),
        CheckConstraint(one_of("complexity", Complexity), name="complexity"),
        CheckConstraint(one_of("located", Located), name="located"),
        CheckConstraint("(located = 'located') = (geom IS NOT NULL)", name="located_has_place"),
        Index("ix_complaint_received_at", "received_at"),
        Index("ix_complaint_district_id_received_at", "district_id", "received_at"),
        Index("ix_complaint_unit_id_received_at", "unit_id", "received_at"),
        Index("ix_complaint_resolve_by_range", "resolve_by", postgresql_using="brin"),
        Index("ix_complaint_sent_at_range", "sent_at", postgresql_using="brin"),
        Index("ix_complaint_key_since", "key_since", postgresql_where=text("key_since IS NOT NULL")),
        # What the console's counters read of an open complaint is in the index itself: the rows need not be looked at.
        Index("ix_complaint_open", "resolve_by", postgresql_where=text(one_of("status", OPEN)),
              postgresql_include=["received_at", "closed_at", "paused_at", "district_id", "unit_id"]),
        CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged_has_main"),
        CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        Index("ix_complaint_to_call", "answered_at", postgresql_where=text("status IN ('answered','merged')")),
        Index("ix_complaint_merged_into_id", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        Index("uq_complaint_channel_source_no", "channel", "line_id", "source_no", unique=True,
              postgresql_where=text("source_no IS NOT NULL"), postgresql_nulls_not_distinct=True),
        Index("ix_complaint_similar", "category", "geom", "received_at", postgresql_using="gist",
              postgresql_where=text(one_of("status", OPEN))),
        Index("ix_complaint_category_newest", "category", "received_at", postgresql_where=text(one_of("status", OPEN))),
        Index("ix_complaint_incident_id", "incident_id", postgresql_where=text("incident_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    hotline_no: Mapped[str] = mapped_column(String(60), unique=True)
    channel: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(ForeignKey("category.code"))
    complexity: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(12), default=Status.RECEIVED)
    description: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(String(300), default="")
    located: Mapped[str] = mapped_column(String(12))
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
    district_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    street_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    compound_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    received_at: Mapped[datetime]
    received_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    resolve_by: Mapped[datetime]
    deadline_source: Mapped[str] = mapped_column(String(200), default="")
    calendar_missing: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    sent_at: Mapped[datetime | None]
    handed_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id", use_alter=True))
    routing_rule_id: Mapped[int | None] = mapped_column(ForeignKey("routing_rule.id"))
    category_said: Mapped[str | None] = mapped_column(String(300))
    key_since: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    limit_rule_id: Mapped[int | None] = mapped_column(ForeignKey("limit_rule.id"))
    warn_at: Mapped[datetime | None]
    late_at: Mapped[datetime | None]
    alarm: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    reopen_count: Mapped[int] = mapped_column(default=0, server_default="0")
    return_count: Mapped[int] = mapped_column(default=0, server_default="0")
    extension_count: Mapped[int] = mapped_column(default=0, server_default="0")
    repeat_count: Mapped[int] = mapped_column(default=0, server_default="0")
    urge_count: Mapped[int] = mapped_column(default=0, server_default="0")
    source_no: Mapped[str | None] = mapped_column(String(60))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("channel_line.id"))
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))
    import_digest: Mapped[uuid.UUID | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class Caller(Base):
    """Who told it (来电人). Read only through `actions.unmask`, which journals the purpose, or masked.

    `vulnerable` alone is shown to whoever sends a crew: a mark that says of which kind the household is, not who they are.
    """

    __tablename__ = "caller"
    __table_args__ = (
        CheckConstraint(
            f"vulnerable <@ ARRAY[{', '.join(repr(str(v)) for v in Vulnerable)}]::varchar[]", name="vulnerable"
        ),
    )

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(80))
    phone: Mapped[str | None] = mapped_column(String(40), index=True)
    door_no: Mapped[str | None] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    vulnerable: Mapped[list[str]] = mapped_column(ARRAY(String(12)), default=list, server_default="{}")


class ImportBatch(Base):
    """One imported file (导入批次): all of it or nothing."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    counts: Mapped[dict[str, Any]]


class HotlineCounter(Base):
    """The last file number given on a day of the city (编号计数). Its row is locked by whoever takes the next number."""

    __tablename__ = "hotline_counter"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


name_constraint("ck_complaint_merge_chain", MergeChain)  # raised by a trigger
name_constraint("uq_complaint_hotline_no", NumberTaken)
name_constraint("uq_channel_line_name", LineTaken)
name_constraint("uq_complaint_channel_source_no", SourceNumberTaken)
