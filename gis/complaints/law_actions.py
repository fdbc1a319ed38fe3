"""What is done with the rules themselves: seeded, put in force, changed by a new row, and office hours set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import law_queries
from gis.complaints.law_model import LimitRule, RuleSet, WorkSpan
from gis.complaints.law_words import Clock, CountFrom, HoursOverlap
from gis.complaints.limit_seeds import OFFICE_HOURS, RULE_SETS
from gis.complaints.limits import City, Limit, due, in_order
from gis.complaints.rules import clean
from gis.db import check_version, naming_violations
from gis.errors import BadInput
from gis.journal import Who

MOST = {Clock.WORKING_DAYS: 250, Clock.WORKING_HOURS: 2000, Clock.MINUTES: 100_000}
MOST_EXTENSION = 250


def seed_rule_sets(session: Session) -> None:
    """Add the sets of rules of the house that are not there yet, and the office hours where there are none."""
    there = set(session.scalars(select(RuleSet.code)))
    for seed in RULE_SETS:
        if seed.code in there:
            continue
        made = RuleSet(
            code=seed.code, name=seed.name, name_en=seed.name_en, source=seed.source, rank=seed.rank,
            in_force=seed.in_force, valid_from=seed.valid_from, return_days=seed.return_days,
        )  # fmt: skip
        session.add(made)
        session.flush()
        session.add_all(LimitRule(rule_set_id=made.id, **({"complexity": None} | limit)) for limit in seed.limits)
    if not session.scalar(select(func.count()).select_from(WorkSpan)):
        session.execute(insert(WorkSpan), [{"begins": begins, "ends": ends} for begins, ends in OFFICE_HOURS])
    session.flush()


def put_in_force(session: Session, who: Who, rules: RuleSet, in_force: bool, base_version: int | None) -> RuleSet:
    """Go by a set of rules from now on, or no longer. What was received before keeps the rule that applied."""
    session.refresh(rules, with_for_update=True)
    check_version(rules, base_version)
    rules.in_force = in_force
    session.flush()
    journal.write(
        session, who, "put_in_force" if in_force else "put_out_of_force", "rule_set", rules.id, version=rules.version
    )
    return rules


def change_limit(
    session: Session, who: Who, old: LimitRule, day: date, *, clock: str, amount: int, count_from: str,
    extension_days: int, further_days: int, source: str,
) -> LimitRule:  # fmt: skip
    """A new limit in the place of an old one from a day on. The old row stays, and what it was applied to keeps it.

    Raises BadInput for numbers beyond reason, LimitsOverlap where somebody was faster.
    """
    said = check(clock, amount, count_from, extension_days, further_days)
    session.refresh(old, with_for_update=True)
    if old.valid_to is not None or (old.valid_from is not None and day < old.valid_from):
        raise BadInput(reason="valid_from")
    made = LimitRule(
        rule_set_id=old.rule_set_id, category=old.category, complexity=old.complexity, measure=old.measure, **said,
        source=clean("source", source, needed=True), valid_from=day, changed_at=who.now, changed_by=who.user_id,
    )  # fmt: skip
    old.valid_to = day
    with naming_violations(session):
        session.flush()
        session.add(made)
    journal.write(
        session, who, "change_limit", "limit_rule", made.id, before=old.id, rule_set_id=made.rule_set_id, **said
    )
    return made


def check(clock: str, amount: int, count_from: str, extension_days: int, further_days: int) -> dict[str, Any]:
    """The numbers of a limit, or BadInput naming the one that cannot be."""
    if clock not in set(Clock):
        raise BadInput(reason="clock")
    if count_from not in set(CountFrom):
        raise BadInput(reason="count_from")
    if not (0 if clock == Clock.WORKING_DAYS else 1) <= amount <= MOST[Clock(clock)]:
        raise BadInput(reason="amount")
    if not (0 <= extension_days <= MOST_EXTENSION and 0 <= further_days <= MOST_EXTENSION):
        raise BadInput(reason="extension_days")
    return {
        "clock": clock, "amount": amount, "count_from": count_from, "extension_days": extension_days,
        "further_days": further_days,
    }  # fmt: skip


def set_hours(session: Session, who: Who, hours: Sequence[tuple[time, time]]) -> None:
    """The city's office hours from now on. Deadlines that were given stay. Raises HoursOverlap."""
    if not in_order(hours):
        raise HoursOverlap()
    session.execute(delete(WorkSpan))
    session.add_all(WorkSpan(begins=begins, ends=ends) for begins, ends in hours)
    with naming_violations(session):
        session.flush()
    told = [f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in hours]
    journal.write(session, who, "set_hours", "work_span", "all", hours=told)


@dataclass(frozen=True)
class Effect:
    """What a limit would have meant for what was received in a time: of how many, late as it was and as it would be."""

    since: date
    received: int
    late_now: int
    late_then: int


def effect(session: Session, now: datetime, old: LimitRule, changed: Limit, city: City, days: int = 30) -> Effect:
    """The complaints of the last days under the old row and under a changed one; those still open count as of now."""
    before = law_queries.limit_by_id(session, old.id)
    assert before is not None
    since = city.start_of(city.day(now) - timedelta(days=days))
    rows = law_queries.received_between(session, since, now, old.category, old.complexity)
    late = [
        sum((row.closed_at or now) > due(limit, row.received_at, city, row.sent_at).resolve_by for row in rows)
        for limit in (before, changed)
    ]
    return Effect(city.day(since), len(rows), *late)
