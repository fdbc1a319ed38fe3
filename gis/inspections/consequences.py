"""What is done with consequences: a job proposes by the written rules, people decide, appeal, lift; the clock ends. Verbs flush."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.inspections import consequence_queries as queries
from gis.inspections import site_ban
from gis.inspections.checklist_items import checkable
from gis.inspections.checklist_queries import checklists
from gis.inspections.consequence_model import Consequence, ConsequenceRule, ScoreWeight
from gis.inspections.consequence_rules import (
    RULE_LIMITS,
    WEIGHT_MOST,
    AppealOver,
    BadConsequenceRule,
    ConsequenceKind,
    ConsequenceStatus,
    Counted,
    Event,
    NotYours,
    SameDecider,
    Subject,
    Terms,
    consequence_after,
    decision_no,
    due,
)
from gis.inspections.finding_rules import SOURCE_MAX, Severity, words_of
from gis.inspections.findings import Days
from gis.inspections.site_model import SiteWorker
from gis.inspections.stop_work import next_number
from gis.journal import Who
from gis.people import blacklist
from gis.people.model import Blacklisting, Unit, User
from gis.people.rules import AlreadyBlacklisted, Scope
from gis.workdays import limit_of

_WHOSE: dict[str, str] = {
    Subject.UNIT: "unit_id",
    Subject.CONTRACTOR: "unit_id",
    Subject.PERSON: "user_id",
    Subject.WORKER: "worker_id",
}
_RULE_KEPT = (
    "name",
    "subject",
    "measure",
    "severity",
    "at_least",
    "window_days",
    "kind",
    "period_days",
    "appeal_days",
    "source",
)


def terms_of(rule: ConsequenceRule) -> Terms:
    """What a rule asks, as the pure function wants it."""
    return Terms(Counted(rule.measure), Severity(rule.severity), rule.at_least, rule.window_days)


# --- proposed by the job ---------------------------------------------------------------------------------------------
def propose(session: Session, who: Who) -> int:
    """Propose what the rules call for now; how many are new. Nothing is in force by it, and doing it again proposes nothing."""
    made = 0
    for rule in queries.rules(session, active=True):
        terms = terms_of(rule)
        since = who.now - timedelta(days=rule.window_days)
        events = queries.events(session, rule.subject, rule.measure, since, who.now)
        used, open_ones = queries.used(session, rule.id), queries.unsettled(session, rule.id)
        for whose in sorted(set(events) - open_ones):
            basis = due(terms, events[whose], used.get(whose, ()), who.now)
            if basis:
                made += _propose(session, who, rule, whose, basis)
    session.flush()
    return made


def _propose(session: Session, who: Who, rule: ConsequenceRule, whose: int, basis: list[Event]) -> int:
    row: dict[str, Any] = {
        "rule_id": rule.id, "rule": {name: getattr(rule, name) for name in _RULE_KEPT} | {"version": rule.version},
        "kind": rule.kind, "subject": rule.subject, "unit_id": None, "user_id": None, "worker_id": None, "status": ConsequenceStatus.PROPOSED, "basis": [asdict(e) | {"at": e.at.isoformat()} for e in basis],
        "proposed_at": who.now, "synthetic": rule.synthetic, _WHOSE[rule.subject]: whose,
    }  # fmt: skip
    # Two jobs at once: the index of the unsettled lets one through.
    made = session.scalar(insert(Consequence).values(row).on_conflict_do_nothing().returning(Consequence))
    if made is None:
        return 0
    _told(session, who, made, "propose", kind=rule.kind, rule_id=rule.id, events=len(basis))
    return 1


def _told(session: Session, who: Who, one: Consequence, verb: str, **data: Any) -> None:
    journal.write(session, who, verb, "consequence", one.id, version=one.version, unit_id=one.unit_id, **data)


# --- decided by people -----------------------------------------------------------------------------------------------
def step(
    session: Session, who: Who, scope: Scope, consequence_id: int, verb: str, words: str, days: Days, *, base_version: int | None
) -> Consequence:  # fmt: skip
    """Move a consequence. Whether the role may is the door's question.

    Raises Missing, StaleVersion, WrongConsequenceStep, FindingWordsMissing; SameDecider, AppealOver, NotYours.
    """
    one = queries.for_change(session, scope, consequence_id)
    check_version(one, base_version)
    before, after = one.status, consequence_after(one.status, verb)
    said = words_of(words, needed=True)
    _DO[verb](session, who, one, said, days)
    one.status = after
    with naming_violations(session):
        session.flush()
    _told(session, who, one, verb, before=before, after=str(after))
    session.flush()
    return one


def _decide(session: Session, who: Who, one: Consequence, said: str, days: Days) -> None:
    year = who.now.astimezone(days.zone).year
    number = next_number(session, "decision", year)
    one.decision_no, one.status = decision_no(year, number), ConsequenceStatus.IN_FORCE
    one.decided_at, one.decided_by, one.decided_words = who.now, who.user_id, said
    one.ends_at = _end(who.now, int(one.rule["period_days"]))
    one.appeal_by, _missing = limit_of(who.now, int(one.rule["appeal_days"]), days.calendar, days.zone)
    if one.kind == ConsequenceKind.BLACKLIST:
        one.blacklisting_id = _blacklist(session, who, one)
    elif one.kind == ConsequenceKind.REMOVAL and one.worker_id is not None:
        site_ban.take_off(session, who, one.worker_id)


def _end(start: datetime, days: int) -> datetime | None:
    return start + timedelta(days=days) if days else None


def _blacklist(session: Session, who: Who, one: Consequence) -> int | None:
    """The entry that keeps them from being sent. Where one stands already, that one goes on, and is nobody's here to lift."""
    unit = session.get(Unit, one.unit_id) if one.unit_id is not None else None
    user = session.get(User, one.user_id) if one.user_id is not None else None
    name, source = (
        str(one.rule["name"])[: blacklist.REASON_MAX],
        f"{one.decision_no} · {one.rule['source']}"[: blacklist.SOURCE_MAX],
    )
    try:
        if one.worker_id is not None:
            entry = site_ban.ban(session, who, one.worker_id, reason=name, source=source, until=one.ends_at)
        else:
            entry = blacklist.blacklist(
                session, who, unit=unit, user=user, reason=name, source=source, until=one.ends_at
            )
    except AlreadyBlacklisted:
        return None
    return entry.id


def _nothing(_session: Session, who: Who, one: Consequence, said: str, _days: Days) -> None:
    one.ended_at, one.ended_words = who.now, said


def _appeal(session: Session, who: Who, one: Consequence, said: str, _days: Days) -> None:
    asker = session.get(User, who.user_id) if who.user_id is not None else None
    whose = one.unit_id
    if one.user_id is not None:
        whose = session.get_one(User, one.user_id).unit_id
    elif one.worker_id is not None:
        whose = session.get_one(SiteWorker, one.worker_id).unit_id
    if asker is None or asker.unit_id is None or asker.unit_id != whose:
        raise NotYours()
    if one.appeal_decided_at is not None or one.appeal_by is None or who.now > one.appeal_by:
        raise AppealOver()
    one.appealed_at, one.appealed_by, one.appeal = who.now, who.user_id, said


def _judge(who: Who, one: Consequence, said: str) -> None:
    if who.user_id is None or who.user_id == one.decided_by:
        raise SameDecider()
    one.appeal_decided_at, one.appeal_decided_by, one.appeal_words = who.now, who.user_id, said


def _uphold(_session: Session, who: Who, one: Consequence, said: str, _days: Days) -> None:
    _judge(who, one, said)


def _revoke(session: Session, who: Who, one: Consequence, said: str, _days: Days) -> None:
    _judge(who, one, said)
    _over(session, who, one, said)


def _lift(session: Session, who: Who, one: Consequence, said: str, _days: Days) -> None:
    _over(session, who, one, said)


def _over(session: Session, who: Who, one: Consequence, said: str) -> None:
    one.ended_at, one.ended_words = who.now, said
    entry = session.get(Blacklisting, one.blacklisting_id) if one.blacklisting_id is not None else None
    if entry is None:
        return
    session.refresh(entry)
    if entry.lifted_at is None and (entry.during.upper is None or entry.during.upper > who.now):
        blacklist.lift(session, who, entry, said[: blacklist.REASON_MAX])


_DO = {"decide": _decide, "decline": _nothing, "appeal": _appeal, "uphold": _uphold, "revoke": _revoke, "lift": _lift}


def expire(session: Session, who: Who) -> int:
    """End what is over. The blacklist's entry ends by itself, at the same moment: its time has that end."""
    over = queries.expired(session, who.now)
    for one in over:
        before, one.status = one.status, consequence_after(one.status, "expire")
        one.ended_at = one.ends_at
        session.flush()
        _told(session, who, one, "expire", before=before, after=str(one.status))
    session.flush()
    return len(over)


# --- written by the bureau -------------------------------------------------------------------------------------------
def put_rule(
    session: Session, who: Who, values: dict[str, Any], *, rule_id: int | None = None, base_version: int | None = None
) -> ConsequenceRule:  # fmt: skip
    """Write a rule, or another version of one; what was proposed keeps the words it was proposed by. Raises BadConsequenceRule."""
    kept = _checked(values)
    if rule_id is None:
        rule = ConsequenceRule(**kept)
        session.add(rule)
    else:
        found = session.get(ConsequenceRule, rule_id, with_for_update=True, populate_existing=True)
        if found is None:
            raise Missing(thing="rule", id=rule_id)
        rule = found
        check_version(rule, base_version)
        for name, value in kept.items():
            setattr(rule, name, value)
    with naming_violations(session):
        session.flush()
    journal.write(session, who, "put_rule", "consequence_rule", rule.id, version=rule.version, kind=rule.kind, active=rule.active,
                  at_least=rule.at_least, window_days=rule.window_days, period_days=rule.period_days)  # fmt: skip
    session.flush()
    return rule


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: values.get(name) for name in ("subject", "measure", "severity", "kind")}
    for name, words in (("subject", Subject), ("measure", Counted), ("severity", Severity), ("kind", ConsequenceKind)):
        if kept[name] not in set(words):
            raise BadConsequenceRule(reason=name)
    for name, (low, high) in RULE_LIMITS.items():
        number = values.get(name)
        if not isinstance(number, int) or not low <= number <= high:
            raise BadConsequenceRule(reason=f"{name}: {low}-{high}")
        kept[name] = number
    if (kept["kind"] == ConsequenceKind.STAR) != (kept["measure"] == Counted.CLEAN_INSPECTIONS):
        raise BadConsequenceRule(reason="a star is for clean inspections, and nothing else is")
    if kept["measure"] == Counted.CLEAN_INSPECTIONS and kept["subject"] in (Subject.PERSON, Subject.WORKER):
        raise BadConsequenceRule(reason="an inspection names no person who did well")
    for name in ("name", "source"):
        kept[name] = words_of(str(values.get(name) or ""), needed=True, longest=120 if name == "name" else SOURCE_MAX)
    return kept | {"active": bool(values.get("active"))}


def set_weight(session: Session, who: Who, code: str, item_id: str, weight: int, source: str) -> None:
    """Say how much an item weighs; 0 takes the weight away. Raises Missing, BadInput, FindingWordsMissing."""
    known = {c.code: {item.id for item in checkable(c)} for c in checklists(session)}
    if item_id not in known.get(code, set()):
        raise Missing(thing="item", id=f"{code[:40]} {item_id[:12]}")
    if not 0 <= weight <= WEIGHT_MOST:
        raise BadInput(reason=f"weight: 0-{WEIGHT_MOST}")
    row = session.get(ScoreWeight, (code, item_id), with_for_update=True)
    before = row.weight if row else 0
    if weight == before and row is None:
        return
    if weight == 0:
        session.delete(row)
    else:
        kept = words_of(source, needed=True, longest=SOURCE_MAX)
        if row is None:
            row = ScoreWeight(checklist_code=code, item_id=item_id)
            session.add(row)
        row.weight, row.source = weight, kept
    with naming_violations(session):
        session.flush()
    journal.write(session, who, "set_weight", "score_weight", f"{code} {item_id}", before=before, after=weight)
    session.flush()
