"""What is done with findings: they are made by themselves, go to the unit, come back, are looked at again. Verbs flush; doors commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.inspections import finding_queries as queries
from gis.inspections import stop_work
from gis.inspections.checklist_items import Checkable, checkable
from gis.inspections.checklist_queries import checklists
from gis.inspections.finding_model import (
    Finding,
    FindingPhoto,
    Rectification,
    RectifyRule,
    Reinspection,
    SeverityRule,
)
from gis.inspections.finding_rules import (
    PHOTOS_PER_ANSWER,
    RECTIFY,
    RECTIFY_LIMITS,
    SOURCE_MAX,
    AfterPhotoMissing,
    BadRectifyRule,
    BeyondExtension,
    FindingStatus,
    NoUnit,
    OwnReinspection,
    PhotoPart,
    Severity,
    finding_after,
    may_reinspect,
    severity_of,
    words_of,
)
from gis.inspections.model import Checklist
from gis.inspections.queries import photos_here
from gis.inspections.rules import Answer, PhotoMissing
from gis.journal import Who
from gis.people.model import Unit, User
from gis.people.rules import CITY, Scope, UnitKind
from gis.places.queries import working_days
from gis.workdays import WorkingDays, limit_of

CHINA = ZoneInfo("Asia/Shanghai")
CORRECTED = "corrected"


@dataclass(frozen=True)
class Days:
    """The working days, and the city's clock: what a deadline is reckoned by."""

    calendar: WorkingDays
    zone: tzinfo


# --- made by itself --------------------------------------------------------------------------------------------------
def follow(session: Session, who: Who, inspection_id: UUID, zone: tzinfo = CHINA) -> int:
    """Make the findings of an inspection what its answers say now; returns how many were made, withdrawn or revived.

    Called in the transaction that keeps the inspection, and again by whatever corrects an answer. Doing it twice changes nothing.
    """
    rows = queries.failed_items(session, inspection_id)
    if not rows:
        return 0
    new = [row for row in rows if row["finding_id"] is None]
    done = _make(session, who, inspection_id, new, zone) if new else 0
    for row in rows:
        if row["finding_id"] is not None:
            done += _corrected(session, who, row, zone)
    session.flush()
    return done


def _make(session: Session, who: Who, inspection_id: UUID, rows: Sequence[RowMapping], zone: tzinfo) -> int:
    rules, table = queries.rules(session), queries.severities(session, rows[0]["checklist_code"])
    days = Days(working_days(session), zone)
    list_ = session.get_one(Checklist, (rows[0]["checklist_code"], rows[0]["checklist_revision"]))
    words = {item.id: item for item in checkable(list_)}
    made = [_row(who, inspection_id, row, words, rules, severity_of(row["item_id"], table), days) for row in rows]
    adding = insert(Finding).values(made).on_conflict_do_nothing(index_elements=["inspection_id", "item_id"])
    found = session.scalars(adding.returning(Finding)).all()
    if found:
        carry(session, [inspection_id])
    for finding in found:
        _told(session, who, finding, "find", after=finding.status, item=finding.item_id, severity=finding.severity)
    return len(found)


def carry(session: Session, inspections: Sequence[UUID]) -> None:
    """Show the photos of these inspections with their findings too. Again whenever one of them arrives later than its form."""
    if inspections:
        session.execute(_CARRY, {"inspections": sorted(set(inspections))})


# The photos of the item itself, and of the whole pledge or visit (a household's signature): by their hash.
_CARRY = text(
    """
    INSERT INTO finding_photo (finding_id, part, attempt, sha256, taken_at)
    SELECT f.id, CASE WHEN p.item_id = f.item_id THEN 'before' ELSE 'signature' END, 0, p.sha256, min(p.taken_at)
      FROM finding f JOIN inspection_photo p ON p.inspection_id = f.inspection_id
       AND p.item_id IN (f.item_id, f.pledge_no::text)
     WHERE f.inspection_id = ANY(CAST(:inspections AS uuid[])) GROUP BY 1, 2, p.sha256 ON CONFLICT DO NOTHING
    """
)


def _row(
    who: Who, inspection_id: UUID, row: RowMapping, words: Mapping[str, Checkable], rules: dict[str, RectifyRule],
    severity: Severity, days: Days,
) -> dict[str, Any]:  # fmt: skip
    said = words.get(row["item_id"]) or Checkable(row["item_id"], row["item_id"], row["item_id"])
    rule, known = rules[severity], row["unit_id"] is not None
    until, missing = limit_of(who.now, rule.days, days.calendar, days.zone) if known else (None, False)
    return {
        "inspection_id": inspection_id, "item_id": row["item_id"], "item_zh": said.zh,
        "item_en": said.en, "pledge_no": row["pledge_no"], "severity": severity, "note": row["note"],
        "status": FindingStatus.SENT if known else FindingStatus.OPEN, "site_id": row["site_id"],
        "order_id": row["order_id"], "area_id": row["area_id"], "unit_id": row["unit_id"],
        "contractor_id": row["contractor_id"], "inspector_id": row["inspector_id"], "found_at": row["received_at"],
        "sent_at": who.now if known else None, "rectify_by": until, "calendar_missing": missing,
        "limit_source": rule.source if known else "", "synthetic": row["synthetic"],
    }  # fmt: skip


def _corrected(session: Session, who: Who, row: RowMapping, zone: tzinfo) -> int:
    """An answer was corrected after it was sent: the finding goes, or comes back, and both are told."""
    failed, gone = row["answer"] == Answer.NO, row["status"] == FindingStatus.WITHDRAWN
    if failed == (not gone) or (failed and row["last_words"] != CORRECTED):
        return 0  # as it should be; what a supervisor withdrew stays withdrawn
    finding = queries.finding_for_change(session, CITY, row["finding_id"])
    verb = "revive" if failed else "annul"
    before, finding.status = finding.status, finding_after(finding.status, verb)
    finding.last_words = "" if failed else CORRECTED
    finding.ended_at = None if failed else who.now
    if not failed:
        stop_work.lift_for(session, who, finding, CORRECTED)
    session.flush()
    _told(session, who, finding, verb, before=before, after=str(finding.status))
    if failed and finding.unit_id is not None:
        _send(session, who, finding, Days(working_days(session), zone))
    return 1


def _told(session: Session, who: Who, finding: Finding, verb: str, **data: Any) -> None:
    journal.write(session, who, verb, "finding", finding.id, version=finding.version, area_id=finding.area_id,
                  unit_id=finding.unit_id, **data)  # fmt: skip


# --- moved by the table ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Shown:
    """A photo that has arrived, as an answer names it."""

    sha256: str
    taken_at: datetime


@dataclass(frozen=True)
class Said:
    """What is said with a step; each step takes what concerns it."""

    words: str = ""
    photos: Sequence[Shown] = ()
    unit_id: int | None = None
    user_id: int | None = None
    worker_id: int | None = None
    days: int | None = None


def step(
    session: Session, who: Who, scope: Scope, finding_id: int, verb: str, said: Said, days: Days, *, base_version: int | None
) -> Finding:  # fmt: skip
    """Move a finding. Whether the person's role may is the door's question; whether this person may re-inspect is asked here.

    Raises Missing, StaleVersion, WrongFindingStep and what the step itself refuses.
    """
    finding = queries.finding_for_change(session, scope, finding_id)
    check_version(finding, base_version)
    before = finding.status
    after = finding_after(before, verb)
    told = _DO[verb](session, who, finding, said, days) or {}
    finding.status = after
    with naming_violations(session):
        session.flush()
    _told(session, who, finding, verb, before=before, after=str(after), **told)
    session.flush()
    return finding


Told = dict[str, Any] | None


def _do_send(session: Session, who: Who, finding: Finding, said: Said, days: Days) -> Told:
    if said.unit_id is not None:
        if session.get(Unit, said.unit_id) is None:
            raise Missing(thing="unit", id=said.unit_id)
        finding.unit_id = said.unit_id
    _give(session, who, finding, days)
    return None


def _give(session: Session, who: Who, finding: Finding, days: Days) -> None:
    if finding.unit_id is None:
        raise NoUnit()
    rule = queries.rules(session)[finding.severity]
    finding.sent_at = who.now
    _until(finding, who.now, rule.days, rule.source, days)


def _send(session: Session, who: Who, finding: Finding, days: Days) -> None:
    before, finding.status = finding.status, finding_after(finding.status, "send")
    _give(session, who, finding, days)
    session.flush()
    _told(session, who, finding, "send", before=before, after=str(finding.status))


def _until(finding: Finding, start: datetime, amount: int, source: str, days: Days) -> None:
    finding.rectify_by, finding.calendar_missing = limit_of(start, amount, days.calendar, days.zone)
    finding.limit_source = source
    finding.warned_at = finding.late_at = finding.escalated_at = None  # the journal keeps when each of them was


def _do_sign(_session: Session, who: Who, finding: Finding, _said: Said, _days: Days) -> Told:
    finding.signed_at, finding.signed_by = who.now, who.user_id
    return None


def _do_rectify(session: Session, who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    note, rule = words_of(said.words, needed=True), queries.rules(session)[finding.severity]
    if rule.after_photo and not said.photos:
        raise AfterPhotoMissing()
    attempt = finding.failed_times + 1
    late = finding.rectify_by is not None and who.now > finding.rectify_by
    session.add(
        Rectification(finding_id=finding.id, attempt=attempt, at=who.now, user_id=who.user_id, note=note, late=late)
    )
    _keep_photos(session, finding, PhotoPart.AFTER, attempt, said.photos)
    return {"attempt": attempt, "late": late, "photos": len(said.photos)}


def _keep_photos(session: Session, finding: Finding, part: PhotoPart, attempt: int, shown: Sequence[Shown]) -> None:
    if len(shown) > PHOTOS_PER_ANSWER:
        raise BadInput(reason=f"photos: {PHOTOS_PER_ANSWER}")
    wanted = {photo.sha256: photo for photo in shown}
    here = set(photos_here(session, list(wanted)))
    for sha256, photo in wanted.items():
        if sha256 not in here:
            raise PhotoMissing(sha256=sha256)
        session.add(
            FindingPhoto(finding_id=finding.id, part=part, attempt=attempt, sha256=sha256, taken_at=photo.taken_at)
        )


def _look(session: Session, who: Who, finding: Finding, said: Said, passed: bool) -> int:
    if who.user_id is None:
        raise BadInput(reason="user")
    attempt = finding.failed_times + 1
    answer = session.get_one(Rectification, (finding.id, attempt))
    checker = session.get_one(User, who.user_id)
    own = session.get(Unit, checker.unit_id) if checker.unit_id is not None else None
    of_bureau = own is None or own.kind == UnitKind.BUREAU
    if not may_reinspect(
        (finding.unit_id, finding.contractor_id), checker.id, checker.unit_id, of_bureau, answer.user_id
    ):
        raise OwnReinspection()
    note = words_of(said.words, needed=not passed)
    session.add(
        Reinspection(finding_id=finding.id, attempt=attempt, at=who.now, user_id=checker.id, passed=passed, note=note)
    )
    _keep_photos(session, finding, PhotoPart.REINSPECTION, attempt, said.photos)
    return attempt


def _do_pass(session: Session, who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    attempt = _look(session, who, finding, said, True)
    finding.ended_at = who.now
    stop_work.lift_for(session, who, finding, "reinspection")
    return {"attempt": attempt}


def _do_fail(session: Session, who: Who, finding: Finding, said: Said, days: Days) -> Told:
    attempt = _look(session, who, finding, said, False)
    finding.failed_times += 1
    rule = queries.rules(session)[finding.severity]
    _until(finding, who.now, rule.again_days, rule.source, days)
    return {"attempt": attempt, "failed_times": finding.failed_times}


def _do_extend(session: Session, who: Who, finding: Finding, said: Said, days: Days) -> Told:
    kept, rule = words_of(said.words, needed=True), queries.rules(session)[finding.severity]
    amount = said.days or 0
    if not 0 < amount <= rule.extend_days or finding.extended_times >= rule.extend_times:
        raise BeyondExtension(times=rule.extend_times, days=rule.extend_days)
    assert finding.rectify_by is not None
    before = finding.rectify_by
    _until(finding, max(before, who.now), amount, rule.source, days)
    finding.extended_times += 1
    finding.last_words = kept
    assert finding.rectify_by is not None
    return {"until": finding.rectify_by.isoformat(), "was": before.isoformat()}


def _do_escalate(_session: Session, who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    finding.last_words = words_of(said.words, needed=True)
    finding.escalated_at = finding.escalated_at or who.now
    return None


def _do_name(session: Session, _who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    person = session.get(User, said.user_id) if said.user_id is not None else None
    bodies = {finding.unit_id, finding.contractor_id} - {None}
    if said.user_id is not None and (person is None or person.unit_id not in bodies):
        raise Missing(thing="user", id=said.user_id)
    if said.worker_id is not None and (
        said.user_id is not None or said.worker_id not in queries.on_site(session, finding.site_id)
    ):
        raise Missing(thing="person", id=said.worker_id)
    finding.user_id, finding.worker_id = said.user_id, said.worker_id
    return None


def _do_withdraw(session: Session, who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    finding.last_words = words_of(said.words, needed=True)
    finding.ended_at = who.now
    stop_work.lift_for(session, who, finding, "withdrawn")
    return None


def _do_reinstate(_session: Session, _who: Who, finding: Finding, said: Said, _days: Days) -> Told:
    finding.last_words, finding.ended_at = words_of(said.words, needed=True), None
    return None


_DO = {
    "send": _do_send, "sign": _do_sign, "rectify": _do_rectify, "pass": _do_pass, "fail": _do_fail, "extend": _do_extend,
    "escalate": _do_escalate, "name_person": _do_name, "withdraw": _do_withdraw, "reinstate": _do_reinstate,
}  # fmt: skip


# --- the bureau's tables ---------------------------------------------------------------------------------------------
def set_severity(session: Session, who: Who, code: str, item_id: str, severity: str, source: str) -> SeverityRule:
    """Say how serious an item is from now on; findings that are there keep theirs. Raises Missing, BadInput."""
    if severity not in set(Severity):
        raise BadInput(reason="severity")
    known = {c.code: {item.id for item in checkable(c)} for c in checklists(session)}
    if item_id not in known.get(code, set()):
        raise Missing(thing="item", id=f"{code[:40]} {item_id[:12]}")
    kept = words_of(source, needed=True, longest=SOURCE_MAX)
    row = session.get(SeverityRule, (code, item_id), with_for_update=True)
    if row is None:
        row = SeverityRule(checklist_code=code, item_id=item_id, severity=severity, source=kept)
        with naming_violations(session):
            session.add(row)
    row.severity, row.source = severity, kept
    session.flush()
    journal.write(
        session, who, "set_severity", "severity_rule", f"{code} {item_id}", version=row.version, after=severity
    )
    return row


def set_rectify_rule(
    session: Session, who: Who, severity: str, values: dict[str, int], after_photo: bool, may_stop: bool, source: str,
    base_version: int | None = None,
) -> RectifyRule:  # fmt: skip
    """Decide how findings of a severity are dealt with. Raises Missing, BadRectifyRule, StaleVersion, FindingWordsMissing."""
    if severity not in RECTIFY:
        raise Missing(thing="rule", id=severity[:20])
    for name, (low, high) in RECTIFY_LIMITS.items():
        if not low <= values.get(name, -1) <= high:
            raise BadRectifyRule(rule_field=name, low=low, high=high)
    kept = words_of(source, needed=True, longest=SOURCE_MAX)
    first = insert(RectifyRule).values(**vars(RECTIFY[severity]))
    session.execute(first.on_conflict_do_nothing(index_elements=["severity"]))
    rule = session.get_one(RectifyRule, severity, with_for_update=True, populate_existing=True)
    check_version(rule, base_version)
    for name in RECTIFY_LIMITS:
        setattr(rule, name, values[name])
    rule.after_photo, rule.may_stop, rule.source = after_photo, may_stop, kept
    session.flush()
    journal.write(session, who, "set_rule", "rectify_rule", severity, version=rule.version, **values)
    session.flush()
    return rule
