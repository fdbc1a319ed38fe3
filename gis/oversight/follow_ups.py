"""What is done with call-backs and handovers: a call and what follows from it, a list of cases and the end of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.complaints.privacy import masked_text
from gis.complaints.queries import visible
from gis.complaints.rules import STEPS, Status
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.oversight import queries
from gis.oversight.model import FollowUpCall, Handover, HandoverItem
from gis.oversight.rules import (
    LONGEST_NOTICE,
    RULES,
    BadNumber,
    CallEnd,
    CallOutcome,
    HandoverReason,
    ItemEnded,
    NotAnswered,
    NothingToSupervise,
    OtherUnit,
    call_end,
    said,
)
from gis.people.rules import Scope
from gis.workdays import WorkingDays, limit_of


@dataclass(frozen=True)
class Told:
    """What became of one attempt to call back; the last three only of a caller who was reached."""

    outcome: str
    solved: bool | None = None
    process: str | None = None
    result: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Followed:
    """The call as it is kept, and what followed from it."""

    call: FollowUpCall
    end: CallEnd


def follow_up(
    session: Session, who: Who, complaint: Complaint, told: Told, *, base_version: int | None = None
) -> Followed:
    """Keep a call and make the steps that follow: `follow_up`, then `confirm` or `reopen`, all in one transaction.

    A complaint that was merged into another has its own caller: who is dissatisfied reopens the one it was merged into.
    Raises NotAnswered, StaleVersion, CallUnclear, and TextMissing where a dissatisfied caller's reason is not told.
    """
    if told.outcome not in set(CallOutcome):
        raise BadInput(reason="outcome")
    session.refresh(complaint, with_for_update=True)
    check_version(complaint, base_version)
    if Status(complaint.status) not in STEPS["follow_up"].before:
        raise NotAnswered(status=complaint.status)
    tried, note = _attempts(session, complaint), masked_text(said("note", told.note))
    end = call_end(
        told.outcome,
        told.solved,
        told.process,
        told.result,
        tried.since_answer + 1,
        queries.number(session, "call_attempts"),
    )
    call = FollowUpCall(
        complaint_id=complaint.id, at=who.now, user_id=who.user_id, attempt=tried.ever + 1, outcome=told.outcome,
        solved=told.solved, process=told.process, result=told.result, note=note, unit_id=complaint.unit_id,
        district_id=complaint.district_id,
    )  # fmt: skip
    with naming_violations(session):
        session.add(call)
    solved = None if told.solved is None else "yes" if told.solved else "no"
    facts = {"attempt": call.attempt, "outcome": told.outcome, "solved": solved, "process": told.process,
             "result": told.result, "note": note or None}  # fmt: skip
    take_step(session, who, complaint, "follow_up", data={k: v for k, v in facts.items() if v is not None})
    _after(session, who, complaint, end, note, reached=told.outcome == CallOutcome.REACHED)
    return Followed(call, end)


@dataclass(frozen=True)
class _Tried:
    ever: int
    since_answer: int


def _attempts(session: Session, complaint: Complaint) -> _Tried:
    since = func.count().filter(FollowUpCall.at >= complaint.answered_at)
    asked = select(func.coalesce(func.max(FollowUpCall.attempt), 0), since)
    row = session.execute(asked.where(FollowUpCall.complaint_id == complaint.id)).one()
    return _Tried(int(row[0]), int(row[1]))


def _after(session: Session, who: Who, complaint: Complaint, end: CallEnd, note: str, *, reached: bool) -> None:
    """The step that follows. A merged complaint is closed already: only its main one can be handled again."""
    if end == CallEnd.AGAIN:
        return
    target: Complaint | None = complaint
    if complaint.status == Status.MERGED:
        target = session.get(Complaint, complaint.merged_into_id) if end == CallEnd.REOPEN else None
        if target is not None and Status(target.status) not in STEPS["reopen"].before:
            target = None  # already being handled again
    if target is None:
        return
    data: dict[str, object] = {"note": note} if note else {}
    if end == CallEnd.CONFIRM:
        data["reached"] = reached
    take_step(session, who, target, str(end), data=data)


# --- handed over, item by item ---------------------------------------------------------------------------------------
def hand_over(
    session: Session, who: Who, scope: Scope, cases: Mapping[int, int | None], reasons: Mapping[int, str], *, note: str,
    calendar: WorkingDays, zone: tzinfo, synthetic: bool = False,
) -> Handover:  # fmt: skip
    """Give a list of cases to their unit: `cases` says for each complaint its limit in working days (None: the bureau's number).

    Raises NothingToSupervise, OtherUnit, BadNumber, HandedOver.
    """
    found = _cases(session, scope, sorted(cases))
    units = {case.unit_id for case in found}
    unit = units.pop()
    if units or unit is None:
        raise OtherUnit()
    handover = Handover(
        unit_id=unit, made_at=who.now, made_by=who.user_id, note=said("note", note), synthetic=synthetic
    )
    session.add(handover)
    session.flush()
    standard, seed = queries.number(session, "handover_days"), RULES["handover_days"]
    with naming_violations(session):
        for case in found:
            days = cases[case.id] or standard
            if not seed.low <= days <= seed.high:
                raise BadNumber(field="limit_days", low=seed.low, high=seed.high)
            reason = reasons.get(case.id, HandoverReason.DISSATISFIED)
            if reason not in set(HandoverReason):
                raise BadInput(reason="reason")
            end_by, _ = limit_of(who.now, days, calendar, zone)
            session.add(HandoverItem(handover_id=handover.id, complaint_id=case.id, reason=reason, end_by=end_by))
    journal.write(session, who, "hand_over", "handover", handover.id, unit_id=unit, about=[case.id for case in found])
    session.flush()
    return handover


def _cases(session: Session, scope: Scope, wanted: Sequence[int]) -> list[Complaint]:
    if not 0 < len(wanted) <= LONGEST_NOTICE:
        raise NothingToSupervise(limit=LONGEST_NOTICE)
    asked = select(Complaint).where(Complaint.id.in_(wanted), *visible(scope)).order_by(Complaint.id).with_for_update()
    found = list(session.scalars(asked, execution_options={"populate_existing": True}))
    for missing in set(wanted) - {case.id for case in found}:
        raise Missing(thing="complaint", id=missing)
    return found


def end_item(
    session: Session, who: Who, handover_id: int, item_id: int, ending: str, base_version: int | None = None
) -> HandoverItem:
    """Say how a case that was handed over ended. The list itself was found within the scope. Raises Missing, ItemEnded."""
    item = session.get(HandoverItem, item_id, with_for_update=True, populate_existing=True)
    if item is None or item.handover_id != handover_id:
        raise Missing(thing="item", id=item_id)
    check_version(item, base_version)
    if item.ended_at is not None:
        raise ItemEnded()
    item.ending = masked_text(said("answer", ending, needed=True))
    item.ended_at, item.ended_by = who.now, who.user_id
    session.flush()
    journal.write(session, who, "end", "handover_item", item.id, version=item.version, complaint_id=item.complaint_id)
    session.flush()
    return item
