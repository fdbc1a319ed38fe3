"""What is allowed with repeated complaints: when they may be one matter, when they become key supervision, and the errors."""

from __future__ import annotations

from enum import StrEnum

from gis.complaints.rules import Status
from gis.errors import BadInput, Conflict

# source: sources/jinan-2014: 投诉3次以上 (three or more complaints about one matter are key supervision)
KEY_FROM = 3
KEY_REASON = "three_repeats"
KEY_SOURCE = "sources/jinan-2014: 市民投诉3次以上的事项列为重点督办"

SIMILAR_DAYS = (
    30  # how far back an open complaint may lie and still be offered: a habit of the list, no rule of the bureau
)
RADIUS_M = 200  # where a category says nothing else

DUPLICATE_M, DUPLICATE_DAYS = 50.0, 7

# From so many complaints of one utility within the radius and the hours, one cause is suspected.
SUSPECT_FROM, SUSPECT_M, SUSPECT_HOURS = 5, 400.0, 6


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CLOSED = "closed"


class MergeIntoItself(BadInput):
    """A complaint cannot be merged into itself."""

    code = "merge_into_itself"


class AlreadyMerged(Conflict):
    """Complaint %(hotline_no)s is already merged into %(into)s."""

    code = "already_merged"


class NotMerged(Conflict):
    """Complaint %(hotline_no)s is not merged into another."""

    code = "not_merged"


class MergeClosed(Conflict):
    """Complaint %(hotline_no)s is closed (%(status)s); only open ones can be joined."""

    code = "merge_closed"


class OtherUtility(BadInput):
    """These are matters of different utilities (%(one)s, %(other)s); put them into one incident instead."""

    code = "other_utility"


class MergeChain(Conflict):
    """A merged complaint cannot have others merged into it."""

    code = "merge_chain"


class LeadTaken(Conflict):
    """This complaint already leads another open incident."""

    code = "lead_taken"


class InAnotherIncident(Conflict):
    """Complaint %(hotline_no)s already belongs to incident %(incident)s."""

    code = "in_another_incident"


class IncidentClosed(Conflict):
    """Incident %(no)s is closed."""

    code = "incident_closed"


class LeadStays(Conflict):
    """The lead of an incident cannot be taken out of it; close the incident, or choose another lead first."""

    code = "lead_stays"


class HasCrew(Conflict):
    """A crew is already sent for complaint %(hotline_no)s; let it lead the incident, or recall its order first."""

    code = "has_crew"


class FollowsLead(Conflict):
    """Complaint %(hotline_no)s belongs to incident %(incident)s: its steps are taken on the lead, %(lead)s."""

    code = "follows_lead"


class MembersNeeded(BadInput):
    """An incident needs at least two open complaints."""

    code = "members_needed"


class MembersOpen(Conflict):
    """%(n)s complaints of this incident are not answered yet."""

    code = "members_open"


class SourceNeeded(BadInput):
    """Say which regulation, document or decision this rule comes from."""

    code = "source_needed"


class BadRule(BadInput):
    """A routing rule names one unit, or whoever serves the compound; its days must be in order."""

    code = "bad_routing_rule"


def mergeable(status: str, open_statuses: frozenset[Status]) -> bool:
    """May a complaint of this status be joined with another? Only while its clock runs."""
    return Status(status) in open_statuses
