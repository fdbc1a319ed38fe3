"""What is done with an explanation: the incident of its calls, at most one open one for each asset. Verbs flush."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy.orm import Session

from gis.complaints import incidents
from gis.complaints.explaining import Cause, explain
from gis.complaints.explaining_rules import NothingExplained
from gis.complaints.incident_model import Incident
from gis.complaints.repeats import alone_with_groups
from gis.complaints.rules import clean
from gis.db import naming_violations
from gis.journal import Who
from gis.people.rules import Scope


@dataclass(frozen=True)
class Asked:
    """Which explanation was seen (its key, window and utilities), and how its incident is to be called and told of."""

    key: str
    hours: float
    utilities: Sequence[str] = ()
    name: str = ""
    cause: str = ""
    notice: str = ""
    radius_m: float | None = None


def open_explained(session: Session, who: Who, scope: Scope, asked: Asked, zone: tzinfo) -> tuple[Incident, bool]:
    """Make the incident of an explanation from the calls as they are now; whether it is new.

    Where somebody made it in the meantime that one is given, with the calls that came since taken into it. Raises
    NothingExplained where the calls speak for it no longer, and what `open_incident` raises.
    """
    alone_with_groups(session)
    cause = find(session, who, scope, asked)
    if cause.incident is not None:
        there = session.get_one(Incident, cause.incident[0])
        if cause.free:
            incidents.add(session, who, there, cause.free)
        return there, False
    first = cause.things[0]
    made = incidents.open_incident(
        session, who, cause.free, lead_id=cause.lead_id, name=asked.name, cause=asked.cause, category=cause.category,
        asset=(first.kind, first.id), radius_m=asked.radius_m, zone=zone,
    )  # fmt: skip
    made.asset_households, made.notice = cause.households, clean("place", asked.notice)
    with naming_violations(session):
        session.flush()
    return made, True


def find(session: Session, who: Who, scope: Scope, asked: Asked) -> Cause:
    """The explanation with this key among those of the moment, or NothingExplained."""
    found = explain(session, scope, who.now, hours=asked.hours, utilities=asked.utilities)
    for cause in (cause for one_of in found.causes for cause in one_of):
        if cause.key == asked.key:
            return cause
    raise NothingExplained()
