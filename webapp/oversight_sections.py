"""What oversight shows on a complaint's page, and the step `follow_up` behind its button."""

from __future__ import annotations

from typing import Any

from gis.complaints.law_words import Solved
from gis.complaints.model import Complaint
from gis.complaints.queries import Row
from gis.oversight import follow_up_queries, follow_ups, outreach_queries, queries
from webapp.access import db, scope, who
from webapp.complaint_page import SECTIONS
from webapp.step_forms import handles


def watched(row: Row) -> tuple[str, dict[str, Any]] | None:
    """The calls back, the notices, the handovers of a complaint, and where it was raised; nothing where there is none."""
    calls = follow_up_queries.calls_of(db(), row["id"])
    notices = queries.notices_of(db(), scope(), row["id"])
    items = follow_up_queries.items_of(db(), row["id"])
    raised = outreach_queries.matter_of(db(), row["id"])
    if not (calls or notices or items or raised):
        return None
    return "oversight/section.html", {"calls": calls, "notices": notices, "items": items, "raised": raised}


SECTIONS.insert(len(SECTIONS) - 1, watched)


@handles("follow_up")
def follow_up(_verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """Keep a call and make what follows from it, in the words of the step's form."""
    solved = {Solved.YES: True, Solved.NO: False}.get(given.get("solved") or "")
    told = follow_ups.Told(
        outcome=given.get("outcome") or "", solved=solved, process=given.get("process") or None,
        result=given.get("result") or None, note=given.get("note") or "",
    )  # fmt: skip
    follow_ups.follow_up(db(), who(), complaint, told, base_version=base_version)
