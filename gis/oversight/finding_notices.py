"""Findings whose rectification is late become a supervision notice to their unit: with the same numbers, steps and papers as any other."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.inspections import finding_queries, findings
from gis.inspections.finding_model import Finding
from gis.inspections.finding_watch import Seen, watch
from gis.inspections.findings import Days
from gis.journal import Who
from gis.oversight import notices, queries
from gis.oversight.model import NoticeFinding, SupervisionNotice
from gis.oversight.rules import (
    LONGEST_NOTICE,
    NoIssuer,
    NothingToSupervise,
    NoticeReason,
    NoticeStatus,
    notice_no,
    said,
)
from gis.people.rules import CITY, Scope
from gis.workdays import limit_of

BY_ITSELF = "整改逾期，系统提请督办"


def watch_findings(session: Session, who: Who, days: Days) -> Seen:
    """Warn, tell breaches, and make notices (not sent yet: a supervisor sends them) of what is late beyond the rule."""
    seen = watch(session, who, days)
    by_unit: dict[int, list[Finding]] = {}
    for finding in seen.to_escalate:
        if finding.unit_id is not None and not _has_notice(session, finding.id):
            by_unit.setdefault(finding.unit_id, []).append(finding)
    if by_unit and queries.issuers(session):
        for unit_id, late in sorted(by_unit.items()):
            for start in range(0, len(late), LONGEST_NOTICE):
                _issue(session, who, unit_id, late[start : start + LONGEST_NOTICE], BY_ITSELF, days)
    return seen


def _has_notice(session: Session, finding_id: int) -> bool:
    asked = select(NoticeFinding.notice_id).where(NoticeFinding.finding_id == finding_id, NoticeFinding.is_open)
    return session.scalar(asked) is not None


def escalate(
    session: Session, who: Who, scope: Scope, finding_ids: Sequence[int], words: str, days: Days, base_version: int | None = None
) -> SupervisionNotice:  # fmt: skip
    """A supervisor escalates findings of one unit by hand. Raises Missing, WrongFindingStep, NothingToSupervise, FindingNotice."""
    wanted = sorted(set(finding_ids))
    if not 0 < len(wanted) <= LONGEST_NOTICE:
        raise NothingToSupervise(limit=LONGEST_NOTICE)
    found = [finding_queries.finding_for_change(session, scope, i) for i in wanted]
    check_version(found[0], base_version)
    units = {finding.unit_id for finding in found}
    if len(units) != 1 or None in units:
        raise Missing(thing="unit", id="")
    [unit_id] = units
    assert unit_id is not None
    return _issue(session, who, unit_id, found, words, days)


def _issue(
    session: Session, who: Who, unit_id: int, late: Sequence[Finding], words: str, days: Days
) -> SupervisionNotice:
    try:
        issuer = queries.issuers(session)[0].id
    except IndexError:
        raise NoIssuer() from None
    rule = queries.numbers(session)["notice_days"]
    until, missing = limit_of(who.now, rule.value, days.calendar, days.zone)
    year = who.now.astimezone(days.zone).year
    number = notices.next_number(session, issuer, year)
    notice = SupervisionNotice(
        issuer_id=issuer, year=year, number=number, notice_no=notice_no(year, number), unit_id=unit_id,
        reason=NoticeReason.FINDING, demand=said("text", words), limit_days=rule.value, limit_source=rule.source,
        reply_by=until, calendar_missing=missing, issued_at=who.now, issued_by=who.user_id, status=NoticeStatus.ISSUED,
        synthetic=all(finding.synthetic for finding in late),
    )  # fmt: skip
    with naming_violations(session):
        session.add(notice)
    with naming_violations(session):
        session.add_all(NoticeFinding(notice_id=notice.id, finding_id=f.id, is_open=True) for f in late)
    notices.told(session, who, notice, "issue", findings=[f.id for f in late], reason=str(NoticeReason.FINDING))
    for finding in late:
        findings.step(
            session, who, CITY, finding.id, "escalate", findings.Said(words or BY_ITSELF), days, base_version=None
        )
    session.flush()
    return notice
