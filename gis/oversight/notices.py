"""What is done with supervision notices: issue with the next number, move by the table of steps, end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.actions import take_step
from gis.complaints.law_words import SuperviseReason
from gis.complaints.model import Complaint
from gis.complaints.queries import visible
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.oversight import queries
from gis.oversight.model import NoticeComplaint, NoticeCounter, NoticeFinding, OversightRule, SupervisionNotice
from gis.oversight.rules import (
    ENDED,
    LONGEST_NOTICE,
    NOTICE_STEPS,
    RULES,
    BadNumber,
    NoIssuer,
    NothingToSupervise,
    NoticeReason,
    NoticeStatus,
    OtherUnit,
    notice_after,
    notice_no,
    said,
)
from gis.people.rules import Scope
from gis.workdays import WorkingDays, limit_of


@dataclass(frozen=True)
class Demand:
    """What a notice asks: of whom, why, about what, until when. Without `limit_days` the bureau's own number applies."""

    reason: str
    complaint_ids: Sequence[int]
    unit_id: int | None = None
    issuer_id: int | None = None
    limit_days: int | None = None
    text: str = ""
    leader_day_id: int | None = None


def next_number(session: Session, issuer_id: int, year: int) -> int:
    """The next number of a body in a year. The counter row stays locked until the transaction ends: no gap and no double."""
    bump = insert(NoticeCounter).values(issuer_id=issuer_id, year=year, last=1)
    bump = bump.on_conflict_do_update(index_elements=["issuer_id", "year"], set_={"last": NoticeCounter.last + 1})
    return int(session.execute(bump.returning(NoticeCounter.last)).scalar_one())


def issue(
    session: Session, who: Who, scope: Scope, demand: Demand, *, calendar: WorkingDays, zone: tzinfo, synthetic: bool = False
) -> SupervisionNotice:  # fmt: skip
    """Give a notice its number and its limit, and mark its complaints as supervised.

    Raises NothingToSupervise, OtherUnit, NoIssuer, BadNumber, NoticeOpen (a complaint has an open notice already).
    """
    if demand.reason not in set(NoticeReason) or demand.reason == NoticeReason.FINDING:
        raise BadInput(reason="reason")
    cases = _cases(session, scope, demand)
    unit_id = demand.unit_id or cases[0].unit_id
    if unit_id is None or any(case.unit_id != unit_id for case in cases):
        raise OtherUnit()
    days, source = _limit(session, demand.limit_days)
    reply_by, missing = limit_of(who.now, days, calendar, zone)
    year, issuer = who.now.astimezone(zone).year, _issuer(session, demand.issuer_id)
    number = next_number(session, issuer, year)
    notice = SupervisionNotice(
        issuer_id=issuer, year=year, number=number, notice_no=notice_no(year, number), unit_id=unit_id,
        reason=demand.reason, demand=said("text", demand.text), limit_days=days, limit_source=source, reply_by=reply_by,
        calendar_missing=missing, leader_day_id=demand.leader_day_id, issued_at=who.now, issued_by=who.user_id,
        status=NoticeStatus.ISSUED, synthetic=synthetic,
    )  # fmt: skip
    with naming_violations(session):
        session.add(notice)
    with naming_violations(session):
        session.add_all(NoticeComplaint(notice_id=notice.id, complaint_id=case.id, is_open=True) for case in cases)
    told(session, who, notice, "issue", about=[case.id for case in cases], reason=demand.reason)
    for case in cases:
        _supervised(session, who, case, notice)
    session.flush()
    return notice


def _cases(session: Session, scope: Scope, demand: Demand) -> list[Complaint]:
    """The complaints, locked in the order of their ids so that two notices at once cannot wait for each other."""
    wanted = sorted(set(demand.complaint_ids))
    if not 0 < len(wanted) <= LONGEST_NOTICE:
        raise NothingToSupervise(limit=LONGEST_NOTICE)
    asked = select(Complaint).where(Complaint.id.in_(wanted), *visible(scope)).order_by(Complaint.id).with_for_update()
    found = list(session.scalars(asked, execution_options={"populate_existing": True}))
    for missing in set(wanted) - {case.id for case in found}:
        raise Missing(thing="complaint", id=missing)
    return found


def _limit(session: Session, days: int | None) -> tuple[int, str]:
    rule, seed = queries.numbers(session)["notice_days"], RULES["notice_days"]
    if days is None or days == rule.value:
        return rule.value, rule.source
    if not seed.low <= days <= seed.high:
        raise BadNumber(field="limit_days", low=seed.low, high=seed.high)
    return days, "本件另定"


def _issuer(session: Session, wanted: int | None) -> int:
    possible = [unit.id for unit in queries.issuers(session)]
    if not possible:
        raise NoIssuer()
    if wanted is not None and wanted not in possible:
        raise Missing(thing="unit", id=wanted)
    return wanted or possible[0]


# A reason of a notice that the law of a complaint does not know by itself.
_REASONS = {NoticeReason.STILL_DISSATISFIED: SuperviseReason.DISSATISFIED}


def _supervised(session: Session, who: Who, case: Complaint, notice: SupervisionNotice) -> None:
    """The complaint is under key supervision from now on; its own line of the journal names the notice."""
    reason = _REASONS.get(NoticeReason(notice.reason)) or SuperviseReason(notice.reason)
    take_step(session, who, case, "supervise", data={"reason": str(reason), "notice_no": notice.notice_no})


def told(session: Session, who: Who, notice: SupervisionNotice, verb: str, **data: Any) -> None:
    """The journal line of something that happened to a notice."""
    journal.write(
        session, who, verb, "supervision_notice", notice.id, version=notice.version, unit_id=notice.unit_id,
        notice_no=notice.notice_no, **data,
    )  # fmt: skip


def step(
    session: Session, who: Who, scope: Scope, notice_id: int, verb: str, *, base_version: int | None, words: str = ""
) -> SupervisionNotice:
    """Move a notice. Raises Missing, StaleVersion, WrongNoticeStep, WordsMissing. Whether the person may is the door's question."""
    notice = queries.notice_for_change(session, scope, notice_id)
    check_version(notice, base_version)
    before, after = notice.status, notice_after(notice.status, verb)
    kept = said("answer", words, needed=NOTICE_STEPS[verb].words)
    notice.status = after
    if verb == "send":
        notice.sent_at = who.now
    elif verb == "acknowledge":
        notice.acknowledged_at, notice.acknowledged_by = who.now, who.user_id
    elif verb == "reply":
        notice.replied_at, notice.reply = who.now, kept
    elif verb == "escalate":
        notice.escalated_at = who.now
    if verb != "reply" and kept:
        notice.last_words = kept
    if after in ENDED:
        notice.ended_at = who.now
        for about in (NoticeComplaint, NoticeFinding):
            ended = update(about).where(about.notice_id == notice.id)
            session.execute(ended.values(is_open=False).execution_options(synchronize_session=False))
    with naming_violations(session):
        session.flush()
    told(session, who, notice, verb, before=before, after=str(after))
    session.flush()
    return notice


def tell_overdue(session: Session, who: Who) -> int:
    """Write down, once for each, the notices whose unit did not answer within the limit; how many are new."""
    asked = (
        select(SupervisionNotice)
        .where(queries.notice_overdue(who.now), SupervisionNotice.overdue_told_at.is_(None))
        .order_by(SupervisionNotice.id).limit(500).with_for_update(skip_locked=True)
    )  # fmt: skip
    late = list(session.scalars(asked))
    for notice in late:
        notice.overdue_told_at = who.now
        session.flush()
        told(session, who, notice, "overdue")
    session.flush()
    return len(late)


def set_number(
    session: Session, who: Who, code: str, value: int, source: str, base_version: int | None = None
) -> OversightRule:
    """Decide a number of the bureau; its source is asked for. Raises Missing, BadNumber, WordsMissing, StaleVersion."""
    seed = RULES.get(code)
    if seed is None:
        raise Missing(thing="rule", id=code[:40])
    if not seed.low <= value <= seed.high:
        raise BadNumber(field=code, low=seed.low, high=seed.high)
    kept = said("source", source, needed=True)
    first = insert(OversightRule).values(code=code, value=seed.value, source=seed.source)
    session.execute(first.on_conflict_do_nothing(index_elements=["code"]))
    rule = session.get_one(OversightRule, code, with_for_update=True, populate_existing=True)
    check_version(rule, base_version)
    before = rule.value
    rule.value, rule.source = value, kept
    session.flush()
    journal.write(session, who, "set_number", "oversight_rule", code, version=rule.version, before=before, after=value)
    session.flush()
    return rule
