"""Complaints held until the transaction ends, as they are now: one, or many in the order of their ids."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from gis.complaints.model import Complaint
from gis.errors import Missing


def locked(session: Session, complaint_id: int) -> Complaint:
    """A complaint as it is now, held until the transaction ends. Raises Missing."""
    found = session.get(Complaint, complaint_id)
    if found is None:
        raise Missing(thing="complaint", id=complaint_id)
    session.refresh(found, with_for_update=True)
    return found


def locked_where(session: Session, *where: ColumnElement[bool]) -> list[Complaint]:
    """All complaints of which this holds, locked in the order of their ids, as they are once they are locked.

    Their ids are locked first: what this session read before is forgotten, and read again when nobody can change it.
    """
    ids = list(session.scalars(select(Complaint.id).where(*where).order_by(Complaint.id).with_for_update()))
    for row in [one for one in session.identity_map.values() if isinstance(one, Complaint) and one.id in set(ids)]:
        session.expire(row)
    return list(session.scalars(select(Complaint).where(Complaint.id.in_(ids), *where).order_by(Complaint.id)))
