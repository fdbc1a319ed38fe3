"""What is stored about inspections, and every change a phone ever sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, Versioned, name_constraint, one_of
from gis.inspections.rules import (
    Answer,
    ChecklistChanged,
    ChecklistKind,
    ChecklistState,
    Scope,
    Stage,
    SubmissionState,
    Verdict,
)


class Site(Versioned, Base):
    """Where works are done (工地): a yard or a home. `geom` is its point; its ground is drawn, or is a building's.

    `unit_id` has the works done and answers for them, `contractor_id` does them. A closed site is not inspected any more.
    """

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint(one_of("scope", Scope), name="scope"),
        CheckConstraint(one_of("stage", Stage), name="stage"),
        CheckConstraint("footprint IS NULL OR building_id IS NULL", name="ground"),
        CheckConstraint("planned_to >= planned_from", name="planned"),
        CheckConstraint("ended_on >= begun_on", name="done"),
        Index("ix_site_unit_id", "unit_id"),
        Index("ix_site_contractor_id", "contractor_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    scope: Mapped[str] = mapped_column(String(8))
    stage: Mapped[str] = mapped_column(String(8))
    is_heating: Mapped[bool] = mapped_column(Boolean, default=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    geom: Mapped[Any] = mapped_column(Geometry("POINT", SRID))
    contractor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id"))
    footprint: Mapped[Any | None] = mapped_column(Geometry("POLYGON", SRID))
    address: Mapped[str] = mapped_column(String(200), default="", server_default="")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    planned_from: Mapped[date | None] = mapped_column(Date)
    planned_to: Mapped[date | None] = mapped_column(Date)
    begun_on: Mapped[date | None] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    closed_at: Mapped[datetime | None]


class Checklist(Base):
    """A version of a list of check items (检查表). An inspection keeps the version it was given.

    `items` are the six pledges' own; every other list has a `form`. `unshown`: what our phone app cannot show of it.
    """

    __tablename__ = "checklist"
    __table_args__ = (
        CheckConstraint(one_of("kind", ChecklistKind), name="kind"),
        CheckConstraint(one_of("state", ChecklistState), name="state"),
        Index("uq_checklist_active", "code", unique=True, postgresql_where=text("state = 'active'")),
    )

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    items: Mapped[list[Any]]
    source: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(8), default="pledges", server_default="pledges")
    state: Mapped[str] = mapped_column(String(8), default="active", server_default="active")
    form: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    unshown: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'::jsonb"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    created_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class ChecklistFile(Base):
    """What ODK clients and people fetch of a checklist (检查表文件): the workbook as it came, and the XForm made from it."""

    __tablename__ = "checklist_file"
    __table_args__ = (ForeignKeyConstraint(["code", "revision"], ["checklist.code", "checklist.revision"]),)

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_name: Mapped[str] = mapped_column(String(255))
    original: Mapped[bytes | None] = mapped_column(LargeBinary)
    xform: Mapped[str] = mapped_column(Text)


class FileContent(Base):
    """What a file beside a form holds (附件内容), once however many forms and revisions speak of it. OpenRosa names it by its MD5."""

    __tablename__ = "file_content"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size_bytes: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class FormFile(Base):
    """A file that a revision of a form speaks of (表单附件): a list of choices, a picture, a sound."""

    __tablename__ = "form_file"
    __table_args__ = (ForeignKeyConstraint(["code", "revision"], ["checklist.code", "checklist.revision"]),)

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("file_content.sha256"), index=True)
    added_at: Mapped[datetime]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class VisitRule(Base):
    """Which matters get which steps (标准服务适用范围): by category, or by the skill that a category needs."""

    __tablename__ = "visit_rule"
    __table_args__ = (
        CheckConstraint("(category IS NULL) <> (skill IS NULL)", name="one"),
        Index(
            "uq_visit_rule", "checklist_code", text("coalesce(category, '')"), text("coalesce(skill, '')"), unique=True
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    checklist_code: Mapped[str] = mapped_column(String(40))
    category: Mapped[str | None] = mapped_column(ForeignKey("category.code"))
    skill: Mapped[str | None] = mapped_column(String(40))


class Inspection(Versioned, Base):
    """One visit with its answers (检查). The id is made on the phone.

    `is_self`: filed by somebody of a unit that is not the bureau (自查). It never counts as the bureau's check.
    """

    __tablename__ = "inspection"
    __table_args__ = (Index("ix_inspection_received_at", "received_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    inspector_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    checklist_code: Mapped[str] = mapped_column(String(40))
    checklist_revision: Mapped[int]
    scope: Mapped[str | None] = mapped_column(String(8))
    stage: Mapped[str | None] = mapped_column(String(8))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    received_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    position: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
    position_accuracy_m: Mapped[float | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    is_self: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class CheckAnswer(Base):
    """The answer to one check item (检查答案): yes, no or n/a, or of a form's item a value as a text."""

    __tablename__ = "check_answer"
    __table_args__ = (CheckConstraint(one_of("answer", Answer), name="answer"),)

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    answer: Mapped[str | None] = mapped_column(String(4))
    value: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class Photo(Base):
    """A picture (照片), kept as it arrived under the name of its SHA-256."""

    __tablename__ = "photo"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    mime: Mapped[str] = mapped_column(String(40))
    size_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    received_at: Mapped[datetime]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    file_name: Mapped[str] = mapped_column(String(255), default="", server_default="")


class InspectionPhoto(Base):
    """Which picture belongs to which item of which inspection (检查照片)."""

    __tablename__ = "inspection_photo"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("photo.sha256"), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    taken_at: Mapped[datetime]
    position: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
    position_accuracy_m: Mapped[float | None]


class OdkSubmission(Base):
    """What an ODK client sent (ODK 提交), word for word, and what became of it. The id is made by the client."""

    __tablename__ = "odk_submission"
    __table_args__ = (CheckConstraint(one_of("state", SubmissionState), name="state"),)

    instance_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    revision: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    xml: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(Text, default="", server_default="")
    wanted: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'::jsonb"))
    received_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    key_id: Mapped[int | None] = mapped_column(ForeignKey("api_key.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    inspection_id: Mapped[UUID | None] = mapped_column(ForeignKey("inspection.id"))


class OdkPart(Base):
    """A file that came with a submission (ODK 附件): a picture lies among the photos, anything else here."""

    __tablename__ = "odk_part"

    instance_id: Mapped[str] = mapped_column(ForeignKey("odk_submission.instance_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    mime: Mapped[str] = mapped_column(String(80))
    size_bytes: Mapped[int]
    data: Mapped[bytes | None] = mapped_column(LargeBinary)


class Change(Base):
    """One change made without signal (离线变更), its verdict and the reply that was given: asked again, it is given again."""

    __tablename__ = "change"
    __table_args__ = (CheckConstraint(one_of("verdict", Verdict), name="verdict"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    verdict: Mapped[str] = mapped_column(String(12))
    reply: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class ChangeVariant(Base):
    """Other content that came under a used change id (变更异本): kept, and shown for review."""

    __tablename__ = "change_variant"
    __table_args__ = (Index("uq_change_variant_change_id_sha256", "change_id", "sha256", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    change_id: Mapped[UUID] = mapped_column(ForeignKey("change.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


for _name in ("pk_checklist", "uq_checklist_active"):
    name_constraint(_name, ChecklistChanged)
