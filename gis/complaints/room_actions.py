"""What is done with room tests: asked for, measured, judged by the city's table, decided by a person; the tables' rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import room_queries as asking
from gis.complaints.model import Complaint
from gis.complaints.room_model import RefundRule, RoomTest
from gis.complaints.room_rules import (
    TEST_CATEGORIES,
    TEST_WITHIN,
    BadRefundRule,
    NoRefundTable,
    NotAboutWarmth,
    Proposal,
    RefundGap,
    RoomOpening,
    RoomTestStatus,
    RoomTestStep,
    judged,
)
from gis.db import check_version, naming_violations
from gis.errors import BadInput
from gis.journal import Who
from gis.people.rules import Scope

WORDS_MOST = 1000
DAYS_MOST = 366


@dataclass(frozen=True)
class Measured:
    """What was measured, and under which conditions."""

    temperature_c: Decimal
    at: datetime
    room: str
    openings: RoomOpening
    outdoor_c: Decimal | None = None
    conditions: str = ""


def request_test(session: Session, who: Who, complaint: Complaint) -> RoomTest:
    """Somebody asks for a test: it has 24 hours. Raises NotAboutWarmth and RoomTestOpen."""
    if complaint.category not in TEST_CATEGORIES:
        raise NotAboutWarmth()
    test = RoomTest(
        complaint_id=complaint.id, status=RoomTestStatus.REQUESTED, requested_at=who.now, requested_by=who.user_id,
        measure_by=who.now + TEST_WITHIN,
    )  # fmt: skip
    with naming_violations(session):
        session.add(test)
    _note(session, who, "request", test, measure_by=test.measure_by.isoformat())
    return test


def measure(
    session: Session, who: Who, scope: Scope, test_id: int, found: Measured, city: str, zone: tzinfo, base_version: int | None
) -> RoomTest:  # fmt: skip
    """Write down a measurement; what the city's table makes of it is proposed. Measured again before the decision, it replaces.

    Raises Missing, StaleVersion, RoomTestStep and BadInput. Without a table, or in a gap of it, nothing is proposed.
    """
    test = _step(session, scope, test_id, base_version, (RoomTestStatus.REQUESTED, RoomTestStatus.MEASURED))
    if not test.requested_at - timedelta(minutes=1) <= found.at <= who.now + timedelta(minutes=1):
        raise BadInput(reason="measured_at")
    room = found.room.strip()
    if not room or len(room) > 40 or not room.isprintable():
        raise BadInput(reason="room")
    test.status, test.temperature_c, test.measured_at, test.measured_by = (
        RoomTestStatus.MEASURED,
        found.temperature_c,
        found.at,
        who.user_id,
    )
    test.room, test.openings, test.outdoor_c = room, found.openings, found.outdoor_c
    test.conditions, test.city = found.conditions.strip()[:WORDS_MOST], city
    with session.no_autoflush:  # one change, one version
        proposal = proposed(session, test, zone)
    test.rule_id = proposal.rule_id if proposal else None
    test.proposed_percent = proposal.percent if proposal else None
    test.proposed_days = proposal.days if proposal else None
    session.flush()
    _note(session, who, "measure", test, temperature_c=str(found.temperature_c), rule_id=test.rule_id,
          percent=None if proposal is None else str(proposal.percent), days=test.proposed_days)  # fmt: skip
    return test


def proposed(session: Session, test: RoomTest, zone: tzinfo) -> Proposal | None:
    """What the table of the test's city makes of it, or None where the table does not say."""
    if test.temperature_c is None or test.measured_at is None:
        return None
    asked_on, measured_on = (at.astimezone(zone).date() for at in (test.requested_at, test.measured_at))
    try:
        return judged(asking.table(session, test.city, measured_on), test.temperature_c, asked_on, measured_on)
    except (NoRefundTable, RefundGap):
        return None


def decide(
    session: Session, who: Who, scope: Scope, test_id: int, percent: Decimal, days: int, words: str, base_version: int | None
) -> RoomTest:  # fmt: skip
    """A person decides. What differs from the proposal needs words. Raises Missing, StaleVersion, RoomTestStep, BadInput."""
    test = _step(session, scope, test_id, base_version, (RoomTestStatus.MEASURED,))
    words = words.strip()[:WORDS_MOST]
    if not percent.is_finite() or not 0 <= percent <= 100 or percent != percent.quantize(Decimal("0.01")):
        raise BadInput(reason="percent")
    if not 0 <= days <= DAYS_MOST:
        raise BadInput(reason="days")
    if (percent, days) != (test.proposed_percent, test.proposed_days) and not words:
        raise BadInput(reason="words")
    test.status, test.decided_at, test.decided_by = RoomTestStatus.DECIDED, who.now, who.user_id
    test.decided_percent, test.decided_days, test.words = percent, days, words
    session.flush()
    _note(session, who, "decide", test, percent=str(percent), days=days)
    return test


def cancel(session: Session, who: Who, scope: Scope, test_id: int, words: str, base_version: int | None) -> RoomTest:
    """The test is not wanted any more, or nobody opened; with words."""
    test = _step(session, scope, test_id, base_version, (RoomTestStatus.REQUESTED, RoomTestStatus.MEASURED))
    if not words.strip():
        raise BadInput(reason="words")
    test.status, test.words = RoomTestStatus.CANCELLED, words.strip()[:WORDS_MOST]
    session.flush()
    _note(session, who, "cancel", test)
    return test


def _step(session: Session, scope: Scope, test_id: int, base_version: int | None, before: tuple[str, ...]) -> RoomTest:
    test = asking.locked(session, scope, test_id)
    check_version(test, base_version)
    if test.status not in before:
        raise RoomTestStep(room_test_status=test.status)
    return test


def tell_overdue(session: Session, who: Who) -> int:
    """Tell, once, of tests that were not done in their 24 hours; how many."""
    late = asking.overdue(session, who.now)
    for test in late:
        test.overdue_at = who.now
        session.flush()
        _note(session, who, "overdue", test)
    return len(late)


def _note(session: Session, who: Who, verb: str, test: RoomTest, **data: Any) -> None:
    journal.write(
        session, who, verb, "room_test", test.id, version=test.version, complaint_id=test.complaint_id, **data
    )


def add_rule(
    session: Session, who: Who, *, city: str, low_c: Decimal | None, high_c: Decimal | None, percent: Decimal, begins: date, ends: date | None,
    source: str, synthetic: bool = False,
) -> RefundRule:  # fmt: skip
    """A row of a city's table, from a day to a day. Raises BadRefundRule and RefundRowsOverlap."""
    city, source = city.strip(), source.strip()
    wrong = "city" if not city or len(city) > 40 else "source" if not source else ""
    if low_c is not None and high_c is not None and low_c >= high_c:
        wrong = "low_c, high_c"
    if not percent.is_finite() or not 0 <= percent <= 100:
        wrong = "percent"
    if ends is not None and ends <= begins:
        wrong = "valid_to"
    if wrong:
        raise BadRefundRule(reason=wrong)
    rule = RefundRule(
        city=city, low_c=low_c, high_c=high_c, percent=percent, valid=Range(begins, ends), source=source[:300], synthetic=synthetic,
        made_at=who.now, made_by=who.user_id,
    )  # fmt: skip
    with naming_violations(session):
        session.add(rule)
    journal.write(session, who, "add", "refund_rule", rule.id, version=rule.version, city=city, low_c=str(low_c), high_c=str(high_c),
                  percent=str(percent))  # fmt: skip
    return rule


def end_rule(session: Session, who: Who, rule_id: int, ends: date, base_version: int | None) -> None:
    """From a day on a row holds no more; tests that were judged by it keep it. Raises BadRefundRule and StaleVersion."""
    rule = session.get(RefundRule, rule_id, with_for_update=True)
    if rule is None:
        raise BadRefundRule(reason="id")
    check_version(rule, base_version)
    lower, upper = rule.valid.lower, rule.valid.upper
    if rule.valid.isempty or (upper is not None and upper <= ends):
        raise BadRefundRule(reason="valid_to")
    rule.valid = Range(lower, ends) if lower is None or lower < ends else Range(empty=True)
    session.flush()
    journal.write(session, who, "end", "refund_rule", rule.id, version=rule.version, ends=ends.isoformat())
