"""What is done with repeated complaints: "+1", merge, split, and the key supervision that follows by itself. Verbs flush.

Each call stays a complaint with its own number and its own caller; `merged_into_id` says which one answers for it. Groups
are changed one at a time (an advisory lock of the transaction), and the main one is always locked before those that hang on
it, as an answer does, so nobody waits in a ring. That there is no chain and no cycle is also the database's own rule: a
trigger locks the main one and refuses what would make one, whoever writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import actions
from gis.complaints.key_supervision import supervise_by_itself
from gis.complaints.locking import locked, locked_where
from gis.complaints.model import Category, Complaint
from gis.complaints.repeat_rules import (
    KEY_FROM,
    KEY_REASON,
    AlreadyMerged,
    MergeClosed,
    MergeIntoItself,
    NotMerged,
    OtherUtility,
)
from gis.complaints.rules import OPEN, STEPS, Status
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.workdays import WorkingDays

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('chengmai groups', 0))")


def alone_with_groups(session: Session) -> None:
    """Wait until nobody else is changing who hangs together with whom; holds until the transaction ends."""
    session.execute(_ONE_AT_A_TIME)


def join(session: Session, who: Who, into: Complaint, *, zone: tzinfo, calendar: WorkingDays, **told: Any) -> Complaint:
    """ "+1": receive what somebody told and merge it at once into the open complaint that is about the same matter.

    What the caller did not say again (category, place) is the main one's. `told` is what `actions.receive` takes.
    """
    alone_with_groups(session)
    session.refresh(into)
    main = session.get_one(Complaint, into.merged_into_id or into.id)
    _open(main)
    made = actions.receive(session, who, zone=zone, calendar=calendar, **_same_as(session, main, told))
    main = _main_of(session, main.id)  # locked only now: `receive` locks the caller before any other complaint
    _open(main)
    return _hang(session, who, made, main)


def _same_as(session: Session, main: Complaint, told: dict[str, Any]) -> dict[str, Any]:
    given = {**told}
    given["category"] = given.get("category") or main.category
    given["place"] = given.get("place") or main.place
    if given.get("lon") is None and main.geom is not None and given["place"] == main.place:
        where = select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom)).where(Complaint.id == main.id)
        given["lon"], given["lat"] = session.execute(where).one()
        given["datum"], given["sure"] = "wgs84", True
    return given


def merge(
    session: Session, who: Who, complaint: Complaint, into: Complaint, base_version: int | None = None,
    note: str | None = None,
) -> Complaint:  # fmt: skip
    """Join a complaint to another that is about the same matter; whatever hung on it hangs on the other from now on.

    Merging into one that is merged already goes to its main one. Raises MergeIntoItself, AlreadyMerged, MergeClosed,
    OtherUtility, and what `take_step` raises.
    """
    alone_with_groups(session)
    if complaint.id == into.id:
        raise MergeIntoItself()
    main = _main_of(session, into.id)
    if main.id == complaint.id:
        raise MergeIntoItself()
    _open(main)
    locked(session, complaint.id)
    check_version(complaint, base_version)
    if complaint.merged_into_id is not None:
        raise AlreadyMerged(hotline_no=complaint.hotline_no, into=_number(session, complaint.merged_into_id))
    _same_utility(session, complaint, main)
    return _hang(session, who, complaint, main, note)


def _hang(session: Session, who: Who, complaint: Complaint, main: Complaint, note: str | None = None) -> Complaint:
    """Hang a locked complaint, and all that hang on it, on the locked main one."""
    children = locked_where(session, Complaint.merged_into_id == complaint.id)
    for child in children:
        _move(session, who, child, main)
    complaint.repeat_count = 0
    if children:
        _release(session, who, complaint, 1)
    session.flush()  # the step reads the row again
    actions.take_step(
        session, who, complaint, "merge", data={"into": main.id, "into_no": main.hotline_no, "note": note}
    )
    _count(session, who, main, "joined", complaint.hotline_no)
    return complaint


def _move(session: Session, who: Who, child: Complaint, main: Complaint) -> None:
    before, child.merged_into_id = child.merged_into_id, main.id
    session.flush()
    journal.write(
        session, who, "merge", "complaint", child.id, version=child.version, area_id=child.district_id,
        unit_id=child.unit_id, into=main.id, into_no=main.hotline_no, moved_from=before,
    )  # fmt: skip


def split(
    session: Session, who: Who, complaint: Complaint, base_version: int | None = None, note: str | None = None
) -> Complaint:
    """Take a merged complaint out again: it is a matter of its own, received and not yet answered."""
    alone_with_groups(session)
    session.refresh(complaint)
    if complaint.merged_into_id is None:
        raise NotMerged(hotline_no=complaint.hotline_no)
    main = locked(session, complaint.merged_into_id)
    locked(session, complaint.id)
    check_version(complaint, base_version)
    complaint.signed_at = complaint.resolved_at = complaint.answered_at = complaint.confirmed_at = None
    complaint.answer = ""
    session.flush()  # the step reads the row again
    data = {"from_id": main.id, "from_no": main.hotline_no, "note": note}
    actions.take_step(session, who, complaint, "split", data=data)
    _count(session, who, main, "parted", complaint.hotline_no)
    return complaint


def merge_group(
    session: Session, who: Who, ids: Sequence[int], versions: dict[int, int] | None = None
) -> tuple[Complaint, list[Complaint]]:
    """Merge a whole group into the one that is being worked on, else the first; the main one and those joined to it."""
    alone_with_groups(session)
    rows = session.scalars(select(Complaint).where(Complaint.id.in_(ids)).order_by(Complaint.received_at, Complaint.id))
    found = rows.all()
    if len(found) < len(set(ids)) or not found:
        raise Missing(thing="complaint", id=", ".join(map(str, ids)))
    first, *others = sorted(found, key=main_first)
    for other in others:
        merge(session, who, other, first, (versions or {}).get(other.id))
    return first, others


def main_first(row: Any) -> tuple[bool, Any, int]:
    """The order of a group: a matter that a crew has in hand answers for the others, else what was told first."""
    return row.status in STEPS["merge"].before, row.received_at, row.id


def _main_of(session: Session, complaint_id: int) -> Complaint:
    """The one that answers for it, locked: itself, or what it was merged into."""
    found = locked(session, complaint_id)
    while found.merged_into_id is not None:
        found = locked(session, found.merged_into_id)
    return found


def _open(main: Complaint) -> None:
    if Status(main.status) not in OPEN:
        raise MergeClosed(hotline_no=main.hotline_no, status=main.status)


def _same_utility(session: Session, complaint: Complaint, main: Complaint) -> None:
    asked = select(Category.code, Category.utility).where(Category.code.in_([complaint.category, main.category]))
    of = {row.code: row.utility for row in session.execute(asked)}
    if of[complaint.category] != of[main.category]:
        raise OtherUtility(one=of[complaint.category], other=of[main.category])


def _number(session: Session, complaint_id: int) -> str:
    return session.scalar(select(Complaint.hotline_no).where(Complaint.id == complaint_id)) or ""


# --- three or more: key supervision by itself --------------------------------------------------------------------------
def _count(session: Session, who: Who, main: Complaint, verb: str, number: str) -> None:
    """Count again how many hang on the main one, and put it under key supervision, or no longer."""
    session.flush()
    asked = select(func.count()).where(Complaint.merged_into_id == main.id)
    main.repeat_count = int(session.scalar(asked) or 0)
    told = 1 + main.repeat_count
    session.flush()
    journal.write(
        session, who, verb, "complaint", main.id, version=main.version, area_id=main.district_id, unit_id=main.unit_id,
        other_no=number, told=told,
    )  # fmt: skip
    if told >= KEY_FROM:
        supervise_by_itself(session, who, main, told)
    else:
        _release(session, who, main, told)


def _release(session: Session, who: Who, main: Complaint, told: int) -> None:
    """Fewer than three hang together now: key supervision that came by itself ends; what somebody ordered stays."""
    if main.key_since is None or _why_key(session, main) != KEY_REASON:
        return
    main.key_since = None
    session.flush()
    journal.write(
        session, who, "unsupervise", "complaint", main.id, version=main.version, area_id=main.district_id,
        unit_id=main.unit_id, reason=KEY_REASON, told=told,
    )  # fmt: skip


def _why_key(session: Session, complaint: Complaint) -> str | None:
    """The reason that was written down when it last came under key supervision."""
    asked = text(
        "SELECT data ->> 'reason' FROM journal WHERE thing = 'complaint' AND thing_id = :id AND verb = 'supervise' "
        "ORDER BY seq DESC LIMIT 1"
    )
    return session.scalar(asked, {"id": str(complaint.id)})


def set_radii(session: Session, who: Who, radii: dict[str, int]) -> int:
    """Within how many metres complaints of each category are offered as similar; how many categories changed."""
    changed = 0
    for category in session.scalars(select(Category).order_by(Category.code).with_for_update()):
        metres = radii.get(category.code)
        if metres is None or metres == category.repeat_radius_m:
            continue
        before, category.repeat_radius_m = category.repeat_radius_m, metres
        with naming_violations(session):
            session.flush()
        journal.write(session, who, "change", "category", category.code, before=before, after=metres)
        changed += 1
    return changed
