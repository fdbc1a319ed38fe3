"""What is done at the public's door: count, spend a proof, take a report in, add words and photos, judge an answer."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.complaints.privacy import masked_text
from gis.complaints.rules import Status, clean, possible
from gis.db import naming_violations
from gis.inspections.photo_store import Stored
from gis.journal import Who
from gis.portal import queries
from gis.portal.model import (
    CallerNote,
    CallerRating,
    ComplaintPhoto,
    PublicLimit,
    PublicMeter,
    PublicReport,
    SpentProof,
)
from gis.portal.proof import Challenge
from gis.portal.rules import (
    LIMIT_SEEDS,
    OWN_LIMIT,
    PHOTOS_PER_COMPLAINT,
    REOPEN_WORDS,
    Asked,
    NotAnswered,
    PhotoBy,
    ReopenedEnough,
    ReopenReason,
    TooManyPhotos,
    TooOften,
    UnknownReason,
)

_SWEPT = 200


def seed_limits(session: Session) -> None:
    """Add the limits of the house that the bureau has not set."""
    rows = [{**asdict(seed), "source": OWN_LIMIT} for seed in LIMIT_SEEDS]
    session.execute(insert(PublicLimit).values(rows).on_conflict_do_nothing(index_elements=["kind"]))


def set_limit(session: Session, who: Who, kind: Asked, most: int, within_min: int, source: str) -> PublicLimit:
    """Another number for one limit, and where it comes from."""
    row = session.get(PublicLimit, kind, with_for_update=True)
    assert row is not None
    before = {"most": row.most, "within_min": row.within_min}
    row.most, row.within_min, row.source = most, within_min, source
    session.flush()
    journal.write(session, who, "set", "public_limit", kind, before=before, most=most, within_min=within_min)
    return row


# --- the throttle ----------------------------------------------------------------------------------------------------
def count(session: Session, kind: Asked, key: bytes, now: datetime) -> int:
    """Count one more, and say how many that makes in the running window. The door commits at once, whatever follows."""
    window = timedelta(minutes=queries.limit(session, kind).within_min)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    until_at = start + ((now - start) // window + 1) * window
    bump = insert(PublicMeter).values(kind=kind, key=key, until_at=until_at, count=1)
    bump = bump.on_conflict_do_update(index_elements=["kind", "key", "until_at"], set_={"count": PublicMeter.count + 1})
    made = int(session.execute(bump.returning(PublicMeter.count)).scalar_one())
    if made == 1:
        _sweep(session, PublicMeter.until_at, now)
    return made


def check_count(session: Session, kind: Asked, made: int) -> None:
    """Raise TooOften where that is more than the limit."""
    limit = queries.limit(session, kind)
    if made > limit.most:
        raise TooOften(minutes=limit.within_min)


def _sweep(session: Session, moment: Any, now: datetime) -> None:
    """Throw away some rows whose time is over; what somebody else is deleting is left to them."""
    table = moment.class_
    old = select(*table.__table__.primary_key).where(moment < now - timedelta(days=1)).limit(_SWEPT)
    rows = session.execute(old.with_for_update(skip_locked=True)).all()
    for row in rows:
        names = [column.name for column in table.__table__.primary_key]
        session.execute(delete(table).where(*(getattr(table, n) == v for n, v in zip(names, row, strict=True))))


def spend(session: Session, challenge: Challenge, now: datetime) -> None:
    """Use a proof of work up. Raises ProofSpent when it was used before: by the primary key, so also at the same moment."""
    expires_at = datetime.fromtimestamp(challenge.expires_s, UTC)
    with naming_violations(session):
        session.add(SpentProof(nonce=bytes.fromhex(challenge.nonce), expires_at=expires_at))
    _sweep(session, SpentProof.expires_at, now)


# --- a report --------------------------------------------------------------------------------------------------------
def keep_report(session: Session, who: Who, report_id: UUID, complaint: Complaint, said: str) -> PublicReport:
    """Remember which complaint a browser's report became. The id is unique: a retry finds it instead of making another."""
    made = PublicReport(id=report_id, complaint_id=complaint.id, sha256=digest(said), at=who.now)
    with naming_violations(session):
        session.add(made)
    return made


def digest(said: str) -> str:
    """The SHA-256 of what a report said."""
    return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True)
class Picture:
    """A photo that is on the disk, and what its sender called it."""

    stored: Stored
    name: str


def add_photos(session: Session, who: Who, complaint: Complaint, pictures: list[Picture]) -> int:
    """Put photos to a complaint; the same photo twice is one. How many were new. Raises TooManyPhotos.

    The complaint's row is locked first, so that two who add at once do not exceed the number together.
    """
    session.execute(select(Complaint.id).where(Complaint.id == complaint.id).with_for_update())
    kept = {photo.sha256 for photo in queries.photos_of(session, complaint.id)}
    fresh = {p.stored.sha256: p for p in pictures if p.stored.sha256 not in kept}
    if len(kept) + len(fresh) > PHOTOS_PER_COMPLAINT:
        raise TooManyPhotos(limit=PHOTOS_PER_COMPLAINT)
    by = PhotoBy.USER if who.user_id else PhotoBy.PUBLIC
    session.add_all(
        ComplaintPhoto(
            complaint_id=complaint.id, sha256=p.stored.sha256, mime=p.stored.mime, size=p.stored.size_bytes,
            name=p.name, at=who.now, by=by, user_id=who.user_id,
        )
        for p in fresh.values()
    )  # fmt: skip
    session.flush()
    if fresh:
        _write(session, who, "add_photo", complaint, photos=len(fresh))
    return len(fresh)


def add_words(session: Session, who: Who, complaint: Complaint, note_id: UUID, text: str) -> None:
    """Put a citizen's further words to their complaint; the same id again changes nothing."""
    said = clean("note", text, needed=True)
    row = {"id": note_id, "complaint_id": complaint.id, "at": who.now, "text": said}
    made = session.execute(insert(CallerNote).values(row).on_conflict_do_nothing().returning(CallerNote.id)).first()
    if made:
        _write(session, who, "add_words", complaint)


def rate(
    session: Session, who: Who, complaint: Complaint, rating_id: UUID, *, satisfied: bool, reason: str | None, note: str
) -> bool:
    """What its caller says of the answer: content confirms it, discontent reopens it, a few times. False for a repetition.

    A complaint that was joined to another speaks for the whole matter. Raises NotAnswered, UnknownReason, ReopenedEnough.
    """
    matter = _matter(session, complaint)
    if session.get(CallerRating, rating_id) is not None:
        return False
    verb = "confirm" if satisfied else "reopen"
    if complaint.answered_at is None or verb not in possible(matter.status):
        raise NotAnswered()
    if not satisfied and reason not in set(ReopenReason):
        raise UnknownReason()
    said = clean("note", note)
    if not satisfied:
        _check_reopened(session, complaint, who.now)
    session.add(
        CallerRating(id=rating_id, complaint_id=complaint.id, at=who.now, satisfied=satisfied,
                     reason=None if satisfied else reason, note=said)
    )  # fmt: skip
    session.flush()
    _write(session, who, "rate", complaint, satisfied=satisfied, reason=None if satisfied else reason)
    words = masked_text(said)
    if satisfied:
        told = {"by": "citizen", "note": words or None}
    else:
        told = {"by": "citizen", "reason": reason, "note": f"{REOPEN_WORDS[str(reason)]} {words}".strip()}
    take_step(session, who, matter, verb, data=told)
    return True


def _matter(session: Session, complaint: Complaint) -> Complaint:
    """The complaint whose steps count, locked: itself, or the one it was joined to."""
    session.refresh(complaint, with_for_update=True)
    if complaint.status != Status.MERGED or complaint.merged_into_id is None:
        return complaint
    lead = session.get(Complaint, complaint.merged_into_id, with_for_update=True)
    assert lead is not None
    return lead


def _check_reopened(session: Session, complaint: Complaint, now: datetime) -> None:
    limit = queries.limit(session, Asked.REOPEN)
    since = now - timedelta(minutes=limit.within_min)
    asked = select(func.count()).where(
        CallerRating.complaint_id == complaint.id, ~CallerRating.satisfied, CallerRating.at > since
    )
    times = int(session.scalar(asked) or 0)
    if times >= limit.most:
        raise ReopenedEnough(times=times)


def _write(session: Session, who: Who, verb: str, complaint: Complaint, **data: Any) -> None:
    journal.write(
        session, who, verb, "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, **data,
    )  # fmt: skip
