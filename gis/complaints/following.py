"""Members of an incident follow its lead: what the lead does on its way to the answer is done for each of them.

`take_step` asks `check` before a step and calls `carry` after it, in its own transaction, with the stepping complaint locked;
members are locked after their lead, in the order of their ids, so nobody waits in a ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from gis import journal
from gis.complaints import clocks
from gis.complaints.incident_model import Incident
from gis.complaints.locking import locked_where
from gis.complaints.model import Complaint
from gis.complaints.repeat_rules import FollowsLead, IncidentStatus, LeadStays
from gis.complaints.rules import OPEN, STEPS, Status, close_time
from gis.journal import Who

# A caller is asked and may be dissatisfied alone; joining, parting and striking off concern one complaint. While the lead's
# return waits for the arbiter the members stay where they are, and follow where it is sent next.
OWN = frozenset({"confirm", "reopen", "merge", "split", "cancel", "return"})
CARRIED = frozenset(verb for verb, step in STEPS.items() if step.after is not None) - OWN
_MOMENTS = ("sent_at", "signed_at", "resolved_at", "answered_at")


def check(session: Session, complaint: Complaint, verb: str) -> None:
    """Refuse a step that the lead takes for its members; and that the lead goes away from an open incident."""
    if complaint.incident_id is None:
        return
    incident = session.get_one(Incident, complaint.incident_id)
    if incident.status != IncidentStatus.OPEN:
        return
    leads = incident.lead_id == complaint.id
    if leads and verb in ("merge", "cancel"):
        raise LeadStays()
    if not leads and verb in CARRIED | {"return"} and Status(complaint.status) in OPEN:
        number = session.scalar(select(Complaint.hotline_no).where(Complaint.id == incident.lead_id))
        raise FollowsLead(hotline_no=complaint.hotline_no, incident=incident.no, lead=number)


def carry(session: Session, who: Who, lead: Complaint, verb: str) -> list[Complaint]:
    """Do for the open members what the lead just did; those that were moved. Whoever hangs on an answered one is answered."""
    moved = _carried(session, who, lead, verb)
    if lead.status in (Status.ANSWERED, Status.CONFIRMED):
        answer_merged(session, who, [lead, *moved])
    return moved


def _carried(session: Session, who: Who, lead: Complaint, verb: str) -> list[Complaint]:
    if lead.incident_id is None or verb not in CARRIED:
        return []
    incident = session.get_one(Incident, lead.incident_id)
    if incident.lead_id != lead.id or incident.status != IncidentStatus.OPEN:
        return []
    moved = locked_where(
        session, Complaint.incident_id == incident.id, Complaint.id != lead.id, Complaint.status.in_(sorted(OPEN))
    )
    told: dict[str, Any] = {"incident_id": incident.id, "incident": incident.no, "carried_from": lead.hotline_no}
    before = {member.id: member.status for member in moved}
    for member in moved:
        stand_with(member, lead)
        member.closed_at = close_time(member.status, who.now, member.closed_at)
        if Status(member.status) not in OPEN:
            member.answer = member.answer or lead.answer
            clocks.settle(session, who, member, met=Status(member.status) in (Status.ANSWERED, Status.CONFIRMED))
    session.flush()
    for member in moved:
        journal.write(
            session, who, verb, "complaint", member.id, version=member.version, area_id=member.district_id,
            unit_id=member.unit_id, before=before[member.id], after=str(member.status), **told,
        )  # fmt: skip
    return moved


def answer_merged(session: Session, who: Who, mains: Sequence[Complaint]) -> int:
    """Tell the callers who were merged into answered complaints what their main one's caller was told; how many those are.

    In one statement; each has one line in the journal. One that was answered before keeps what it was told.
    """
    of = {main.id: main for main in mains if main.answered_at is not None}
    if not of:
        return 0
    main = aliased(Complaint)
    told = (
        update(Complaint)
        .where(Complaint.merged_into_id == main.id, main.id.in_(of), Complaint.answered_at.is_(None))
        .values(answered_at=main.answered_at, answer=main.answer, version=Complaint.version + 1)
        .returning(Complaint.id, Complaint.version, Complaint.district_id, Complaint.unit_id, Complaint.merged_into_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    rows = session.execute(told).all()
    for row in sorted(rows):
        journal.write(
            session, who, "answer", "complaint", row.id, version=row.version, area_id=row.district_id, unit_id=row.unit_id,
            with_no=of[row.merged_into_id].hotline_no,
        )  # fmt: skip
    return len(rows)


def stand_with(member: Complaint, lead: Complaint) -> None:
    """A member stands where its lead stands; nothing was done about it before it was received, and its first sending stays."""
    member.status = lead.status
    for name in _MOMENTS:
        moment = getattr(lead, name)
        if name == "sent_at" and member.sent_at is not None:
            continue
        setattr(member, name, moment and max(moment, member.received_at, member.sent_at or moment))
