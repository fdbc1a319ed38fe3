"""Files on their way in through the desk: how far each is, what was wrong with it, and taking a batch back.

An upload is told row by row while it is read, in transactions of its own, so that the page can show how far it is although
the complaints themselves come in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import journal
from gis.bulk import one_at_a_time
from gis.complaints.law_model import ComplaintDeadline
from gis.complaints.model import Caller, Complaint, ImportBatch
from gis.complaints.watch import ALARMS
from gis.db import Base, one_of
from gis.errors import Conflict, Missing
from gis.journal import Who
from gis.people.model import User

KEPT_DAYS = 7
SILENT_S = 180


class UploadState(StrEnum):
    """What became of an uploaded file."""

    READING = "reading"
    REFUSED = "refused"
    DONE = "done"
    PARTLY = "partly"
    DISCARDED = "discarded"


class ImportUpload(Base):
    """A file that somebody brought to the desk (上传文件). Its bytes are kept a week while rows of it are wrong."""

    __tablename__ = "import_upload"
    __table_args__ = (
        CheckConstraint(one_of("state", UploadState), name="state"),
        Index("ix_import_upload_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    file_name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    seen_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    read: Mapped[int] = mapped_column(default=0)
    part: Mapped[float] = mapped_column(Float, default=0.0)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))


class BatchInUse(Conflict):
    """Something was already done with %(count)s complaints of this file; it can no longer be taken back."""

    code = "batch_in_use"


def progress(session: Session, upload: ImportUpload, now: datetime) -> str:
    """The state as it is to be told: an upload whose server ended while reading is `broken`."""
    if upload.state == UploadState.READING and now - upload.seen_at > timedelta(seconds=SILENT_S):
        return "broken"
    return upload.state


def uploads(session: Session, user_id: int | None, limit: int = 50) -> list[Mapping[str, Any]]:
    """The last uploads, of one person or of everybody, with who brought them."""
    asked = select(ImportUpload, User.full_name, User.name).join(User, User.id == ImportUpload.user_id)
    if user_id is not None:
        asked = asked.where(ImportUpload.user_id == user_id)
    asked = asked.order_by(ImportUpload.at.desc(), ImportUpload.id).limit(limit)
    return [{"upload": u, "who": full or name} for u, full, name in session.execute(asked)]


def waiting(session: Session, now: datetime, user_id: int | None = None) -> int:
    """How many files (of one person, or of everybody) wait for somebody to correct them?"""
    asked = select(func.count()).where(
        ImportUpload.state == UploadState.REFUSED, ImportUpload.at > now - timedelta(days=KEPT_DAYS)
    )
    if user_id is not None:
        asked = asked.where(ImportUpload.user_id == user_id)
    return int(session.scalar(asked) or 0)


def expired(session: Session, now: datetime) -> list[UUID]:
    """The uploads whose bytes need not be kept any longer."""
    done = ImportUpload.state.in_((UploadState.DONE, UploadState.DISCARDED))
    return list(
        session.scalars(select(ImportUpload.id).where(done | (ImportUpload.at < now - timedelta(days=KEPT_DAYS))))
    )


def batches(session: Session, limit: int = 100) -> list[Mapping[str, Any]]:
    """What was brought in, newest first: file, counts, by whom, and how many of its complaints are still untouched."""
    mine = Complaint.batch_id == ImportBatch.id
    kept = select(func.count()).where(mine).scalar_subquery()
    asked = select(ImportBatch, User.full_name, User.name, kept.label("kept"))
    asked = asked.outerjoin(User, User.id == ImportBatch.user_id).where(ImportBatch.kind == "complaints")
    asked = asked.order_by(ImportBatch.id.desc()).limit(limit)
    return [{"batch": b, "who": full or name, "kept": n} for b, full, name, n in session.execute(asked)]


_TOUCHED = text(
    """
    SELECT count(*) FROM complaint c
     WHERE c.batch_id = :batch AND (c.version > 1 OR EXISTS (
           SELECT 1 FROM journal j WHERE j.thing = 'complaint' AND j.thing_id = c.id::text
              AND NOT (j.verb = ANY(:alarms) AND j.user_id IS NULL)))
    """
)


def touched(session: Session, batch_id: int) -> int:
    """How many complaints of a batch had something done to them since? A clock that rang by itself does not count."""
    return int(session.execute(_TOUCHED, {"batch": batch_id, "alarms": list(ALARMS)}).scalar_one())


def take_back(session: Session, who: Who, batch_id: int) -> int:
    """Remove the complaints of a batch while nothing was done with any of them. How many. Raises BatchInUse, Missing.

    The rows are locked first; what refers to one of them (an order, a photo) is held by its foreign key.
    """
    one_at_a_time(session)
    batch = session.get(ImportBatch, batch_id, with_for_update=True)
    if batch is None:
        raise Missing(thing="import", id=batch_id)
    session.execute(select(Complaint.id).where(Complaint.batch_id == batch_id).with_for_update())
    used = touched(session, batch_id)
    if used:
        raise BatchInUse(count=used)
    ids = select(Complaint.id).where(Complaint.batch_id == batch_id).scalar_subquery()
    try:
        with session.begin_nested():
            session.execute(delete(Caller).where(Caller.complaint_id.in_(ids)))
            session.execute(delete(ComplaintDeadline).where(ComplaintDeadline.complaint_id.in_(ids)))
            removed = int(session.execute(delete(Complaint).where(Complaint.batch_id == batch_id)).rowcount)  # type: ignore[attr-defined]
            session.execute(
                text("UPDATE import_upload SET batch_id = NULL, state = 'discarded' WHERE batch_id = :batch"),
                {"batch": batch_id},
            )
            session.delete(batch)
            session.flush()
    except IntegrityError:
        raise BatchInUse(count="?") from None
    journal.write(session, who, "take_back", "import", batch_id, kind="complaints", removed=removed)
    session.flush()
    return removed
