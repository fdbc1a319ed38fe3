"""Key supervision (重点督办) that comes by itself: three or more complaints about one matter. In the transaction of the third."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.locking import locked
from gis.complaints.model import Caller, Complaint
from gis.complaints.repeat_queries import same_caller_open
from gis.complaints.repeat_rules import KEY_FROM, KEY_REASON
from gis.journal import Who

_CALLER_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def supervise_by_itself(session: Session, who: Who, complaint: Complaint, told: int) -> None:
    """Three or more about one matter are key supervision: nobody has to press for it. source: repeat_rules.KEY_SOURCE."""
    if complaint.key_since is not None:
        return
    complaint.key_since = who.now
    session.flush()
    journal.write(
        session, who, "supervise", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, reason=KEY_REASON, told=told,
    )  # fmt: skip


def same_caller(session: Session, who: Who, complaint: Complaint, caller: Caller | None) -> None:
    """The same caller for the third time about the same, still open: all of these are key supervision.

    Called by `receive` in its own transaction. The lock on caller and matter makes two who call at once count each other.
    """
    if caller is None or not caller.phone or complaint.compound_id is None:
        return
    key = f"repeat {caller.phone} {complaint.category} {complaint.compound_id}"
    session.execute(_CALLER_LOCK, {"key": key})
    ids = same_caller_open(session, complaint, caller.phone)
    if len(ids) < KEY_FROM:
        return
    for one in sorted(ids):
        supervise_by_itself(session, who, complaint if one == complaint.id else locked(session, one), len(ids))
