"""What is done with incidents: opened over complaints with one suspected cause, sent out once, carried, closed. Verbs flush.

The work order is on the lead; every step that the lead takes on its way to the answer is carried to the members in the same
transaction (`following.carry`, called by `take_step`), so each caller is answered with it. Members take no such step alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from gis import journal
from gis.complaints import following
from gis.complaints.incident_model import Incident
from gis.complaints.incident_queries import JOINABLE
from gis.complaints.locking import locked
from gis.complaints.model import Complaint
from gis.complaints.repeat_rules import (
    SUSPECT_M,
    HasCrew,
    InAnotherIncident,
    IncidentClosed,
    IncidentStatus,
    LeadStays,
    MembersNeeded,
    MembersOpen,
    MergeClosed,
)
from gis.complaints.repeats import alone_with_groups
from gis.complaints.rules import OPEN, Status, clean
from gis.db import SRID, check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who


def open_incident(
    session: Session, who: Who, ids: Sequence[int], *, lead_id: int | None = None, name: str = "", cause: str = "",
    category: str | None = None, asset: tuple[str, int] | None = None, radius_m: float | None = None, zone: tzinfo,
) -> Incident:  # fmt: skip
    """Make an incident of open complaints. The lead is the one named, or who already has a crew, or who called first.

    Raises MembersNeeded, MergeClosed, InAnotherIncident, HasCrew where a second one has a crew of its own.
    """
    alone_with_groups(session)
    rows = [_joinable(session, one) for one in _mains(session, ids)]
    if len(rows) < 2:
        raise MembersNeeded()
    lead = _lead(rows, lead_id)
    for row in rows:
        if row is not lead and row.status not in JOINABLE:
            raise HasCrew(hotline_no=row.hotline_no)
    made = Incident(
        no=_number(session, who, zone), name=clean("place", name) or lead.place or lead.hotline_no, cause=clean("place", cause),
        category=category or lead.category, asset_kind=asset[0] if asset else None, asset_id=asset[1] if asset else None,
        geom=_middle(session, [row.id for row in rows]), radius_m=radius_m or SUSPECT_M, lead_id=lead.id,
        opened_at=who.now,
    )  # fmt: skip
    with naming_violations(session):
        session.add(made)
    _write(session, who, "open", made, lead, members=len(rows))
    for row in rows:
        _take_in(session, who, made, lead, row)
    return made


def _mains(session: Session, ids: Sequence[int]) -> list[int]:
    """What is merged stands for its main one."""
    asked = select(func.coalesce(Complaint.merged_into_id, Complaint.id)).where(Complaint.id.in_(ids))
    return sorted(set(session.scalars(asked)))


def _joinable(session: Session, complaint_id: int) -> Complaint:
    complaint = locked(session, complaint_id)
    if Status(complaint.status) not in OPEN:
        raise MergeClosed(hotline_no=complaint.hotline_no, status=complaint.status)
    if complaint.incident_id is not None:
        there = session.get_one(Incident, complaint.incident_id)
        raise InAnotherIncident(hotline_no=complaint.hotline_no, incident=there.no)
    return complaint


def _lead(rows: Sequence[Complaint], lead_id: int | None) -> Complaint:
    if lead_id is not None:
        for row in rows:
            if row.id == lead_id:
                return row
        raise Missing(thing="complaint", id=lead_id)
    return min(rows, key=lambda row: (row.status in JOINABLE, row.received_at, row.id))


def _number(session: Session, who: Who, zone: tzinfo) -> str:
    """SJ20091117-0001: counted in the table itself; groups are changed one at a time, so no two get one number."""
    prefix = f"SJ{who.now.astimezone(zone):%Y%m%d}-"
    last = session.scalar(select(func.max(Incident.no)).where(Incident.no.startswith(prefix))) or f"{prefix}0000"
    return f"{prefix}{int(last.removeprefix(prefix)) + 1:04}"


def _middle(session: Session, ids: Sequence[int]) -> WKTElement | None:
    middle = func.ST_Centroid(func.ST_Collect(Complaint.geom))
    found = session.scalar(select(func.ST_AsText(middle)).where(Complaint.id.in_(ids), Complaint.geom.isnot(None)))
    return WKTElement(found, srid=SRID) if found else None


def _take_in(session: Session, who: Who, incident: Incident, lead: Complaint, row: Complaint) -> None:
    """A complaint comes into an incident and stands where the lead stands."""
    before = row.status
    row.incident_id = incident.id
    if row is not lead:
        following.stand_with(row, lead)
    session.flush()
    journal.write(
        session, who, "join_incident", "complaint", row.id, version=row.version, area_id=row.district_id,
        unit_id=row.unit_id, incident_id=incident.id, incident=incident.no, before=before, after=str(row.status),
    )  # fmt: skip


def add(session: Session, who: Who, incident: Incident, ids: Sequence[int]) -> Incident:
    """More complaints come into an open incident."""
    alone_with_groups(session)
    lead = _running(session, incident)
    for one in _mains(session, ids):
        row = _joinable(session, one)
        if row.status not in JOINABLE:
            raise HasCrew(hotline_no=row.hotline_no)
        _take_in(session, who, incident, lead, row)
    _touch(session, who, incident, lead, "add")
    return incident


def take_out(
    session: Session, who: Who, incident: Incident, complaint: Complaint, base_version: int | None = None
) -> Complaint:
    """A member turns out to be another matter: it is received again, and goes its own way."""
    alone_with_groups(session)
    lead = _running(session, incident)
    if complaint.id == lead.id:
        raise LeadStays()
    locked(session, complaint.id)
    check_version(complaint, base_version)
    if complaint.incident_id != incident.id:
        raise Missing(thing="complaint", id=complaint.hotline_no)
    if Status(complaint.status) not in OPEN:
        raise MergeClosed(hotline_no=complaint.hotline_no, status=complaint.status)
    before = complaint.status
    complaint.incident_id, complaint.status = None, Status.RECEIVED
    complaint.signed_at = complaint.resolved_at = None
    session.flush()
    journal.write(
        session, who, "leave_incident", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, incident_id=incident.id, incident=incident.no, before=before, after=complaint.status,
    )  # fmt: skip
    _touch(session, who, incident, lead, "remove")
    return complaint


def lead_by(session: Session, who: Who, incident: Incident, complaint: Complaint) -> Incident:
    """Another member leads from now on; not while a crew is on the way on the lead's order."""
    alone_with_groups(session)
    lead = _running(session, incident)
    if lead.status not in JOINABLE:
        raise HasCrew(hotline_no=lead.hotline_no)
    locked(session, complaint.id)
    if complaint.incident_id != incident.id:
        raise Missing(thing="complaint", id=complaint.hotline_no)
    incident.lead_id = complaint.id
    _touch(session, who, incident, complaint, "lead")
    return incident


def describe(
    session: Session, who: Who, incident: Incident, *, name: str, cause: str, base_version: int | None
) -> Incident:
    """What it is called and what is thought to be the cause."""
    session.refresh(incident, with_for_update=True)
    check_version(incident, base_version)
    incident.name, incident.cause = clean("place", name) or incident.name, clean("place", cause)
    _touch(session, who, incident, session.get_one(Complaint, incident.lead_id), "change")
    return incident


def note(session: Session, who: Who, incident: Incident, text: str, notice: str = "") -> Incident:
    """Write down what happened on the way (water is back, the supply temperature was raised), and what callers are told now."""
    session.refresh(incident, with_for_update=True)
    if incident.status != IncidentStatus.OPEN:
        raise IncidentClosed(no=incident.no)
    told = clean("note", text)
    if not told:
        raise BadInput(reason="note")
    incident.notice = clean("place", notice) or incident.notice
    flag_modified(incident, "name")
    session.flush()
    _write(session, who, "note", incident, session.get_one(Complaint, incident.lead_id), note=told)
    return incident


def close(session: Session, who: Who, incident: Incident, base_version: int | None = None) -> Incident:
    """Over: every caller was answered. Raises MembersOpen with how many were not."""
    alone_with_groups(session)
    session.refresh(incident, with_for_update=True)
    check_version(incident, base_version)
    lead = _running(session, incident)
    asked = select(func.count()).where(Complaint.incident_id == incident.id, Complaint.status.in_(sorted(OPEN)))
    still = int(session.scalar(asked) or 0)
    if still:
        raise MembersOpen(n=still)
    incident.status, incident.closed_at = IncidentStatus.CLOSED, who.now
    _touch(session, who, incident, lead, "close")
    return incident


def _running(session: Session, incident: Incident) -> Complaint:
    """The lead, locked, of an incident that is open."""
    session.refresh(incident, with_for_update=True)
    if incident.status != IncidentStatus.OPEN:
        raise IncidentClosed(no=incident.no)
    return locked(session, incident.lead_id)


def _touch(session: Session, who: Who, incident: Incident, lead: Complaint, verb: str) -> None:
    """Write a change of the incident down; its version rises with every change of its members too."""
    flag_modified(incident, "name")
    with naming_violations(session):
        session.flush()
    _write(session, who, verb, incident, lead)


def _write(session: Session, who: Who, verb: str, incident: Incident, lead: Complaint, **data: Any) -> None:
    journal.write(
        session, who, verb, "incident", incident.id, version=incident.version, area_id=lead.district_id,
        unit_id=lead.unit_id, no=incident.no, lead=lead.hotline_no, **data,
    )  # fmt: skip
    session.flush()
