"""What is done about who answers: a rule is written, changed or ended; open complaints are sent by the rules again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import routing_queries as queries
from gis.complaints.locking import locked_where
from gis.complaints.model import Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.repeat_rules import BadRule, SourceNeeded
from gis.complaints.routing import AnswersFor, Routed, decide
from gis.complaints.routing_model import RoutingRule
from gis.complaints.rules import UnknownCategory
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.network.model import Station
from gis.people.model import Unit
from gis.people.rules import CITY, Scope, UnitKind
from gis.places.model import Area

# A complaint that a unit has signed for is that unit's; who wants it elsewhere returns it.
REROUTED_FROM = ("received", "sent", "reopened")
FIELDS = ("priority", "utility", "category", "area_id", "station_id", "operator", "answers", "unit_id", "valid_from",
          "valid_to", "source")  # fmt: skip
PRIORITY_MAX = 100_000


def route(session: Session, complaint: Any, on: date) -> Routed:
    """Who answers for one complaint (filed under its areas already), by the rules in force on a day."""
    known = queries.ground_of(session, complaint.category, complaint.compound_id)
    return decide(queries.rules(session), queries.matter(complaint), known, on)


def route_new(session: Session, complaint: Complaint, on: date) -> dict[str, Any]:
    """Say who answers for a complaint that is being received; what decided, for its first line in the journal."""
    routed = route(session, complaint, on)
    complaint.unit_id, complaint.routing_rule_id = routed.unit_id, routed.rule_id
    return {"rule_id": routed.rule_id, "why": routed.why} if routed.rule_id is not None else {}


def checked(session: Session, values: Mapping[str, Any]) -> RoutingRule:
    """A rule as it would be kept, not yet kept. Raises BadRule, SourceNeeded, UnknownCategory or Missing."""
    given = {name: values.get(name) for name in FIELDS}
    given["source"] = " ".join(str(given["source"] or "").split())
    if not given["source"]:
        raise SourceNeeded()
    names_unit = given["answers"] == AnswersFor.UNIT
    start, end = given["valid_from"], given["valid_to"]
    fine = given["answers"] in set(AnswersFor) and names_unit == (given["unit_id"] is not None)
    fine = fine and isinstance(given["priority"], int) and 0 <= given["priority"] <= PRIORITY_MAX
    fine = fine and (given["operator"] is None or given["operator"] in set(UnitKind))
    if not fine or (start and end and start > end) or len(given["source"]) > 300:
        raise BadRule()
    _known(session, given)
    return RoutingRule(**given)


def _known(session: Session, given: Mapping[str, Any]) -> None:
    """Everything that the rule names exists."""
    for name, model in (("unit_id", Unit), ("area_id", Area), ("station_id", Station)):
        if given[name] is not None and session.get(model, given[name]) is None:
            raise Missing(thing=name.removesuffix("_id"), id=given[name])
    kinds = select(Category.code, Category.utility)
    known = [(row.code, row.utility) for row in session.execute(kinds)]
    category, utility = given["category"], given["utility"]
    if category is not None and not any(c == category or c.startswith(f"{category}.") for c, _ in known):
        raise UnknownCategory(category=str(category)[:40])
    if utility is not None and utility not in {u for _, u in known}:
        raise UnknownCategory(category=str(utility)[:40])


def save(
    session: Session,
    who: Who,
    values: Mapping[str, Any],
    *,
    rule: RoutingRule | None = None,
    base_version: int | None = None,
) -> RoutingRule:
    """Keep a new rule, or change one that is there; a change is written down with what was before."""
    fresh = checked(session, values)
    before: dict[str, Any] = {}
    if rule is None:
        rule = fresh
        with naming_violations(session):
            session.add(rule)
    else:
        session.refresh(rule, with_for_update=True)
        check_version(rule, base_version)
        for name in FIELDS:
            was, now = getattr(rule, name), getattr(fresh, name)
            if was != now:
                before[name] = _plain(was)
                setattr(rule, name, now)
        with naming_violations(session):
            session.flush()
    after = {name: _plain(getattr(rule, name)) for name in FIELDS}
    journal.write(
        session, who, "change" if before else "add", "routing_rule", rule.id, version=rule.version, before=before,
        after=after,
    )  # fmt: skip
    session.flush()
    return rule


def end(session: Session, who: Who, rule: RoutingRule, on: date, base_version: int | None = None) -> RoutingRule:
    """The rule holds for the last time on the day before `on`; what it decided keeps naming it."""
    session.refresh(rule, with_for_update=True)
    check_version(rule, base_version)
    last = on - timedelta(days=1)
    was = rule.valid_to
    rule.valid_to = last
    if rule.valid_from is not None and rule.valid_from > last:
        rule.valid_from = last
    session.flush()
    journal.write(
        session, who, "end", "routing_rule", rule.id, version=rule.version, before=_plain(was), after=_plain(last)
    )
    return rule


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True)
class Rerouted:
    """How many open complaints were asked, and how many went to another unit."""

    asked: int
    moved: int


def reroute(session: Session, who: Who, on: date, scope: Scope = CITY) -> Rerouted:
    """Ask the rules again for open complaints that no unit has signed for; each that goes elsewhere is written down.

    Somebody who chose a unit by hand is not overruled: only what a rule decided, or nobody, is asked again.
    """
    where = [Complaint.status.in_(REROUTED_FROM), *visible(scope)]
    router = queries.router(session)
    asked = moved = 0
    for complaint in locked_where(session, *where):
        if complaint.unit_id is not None and complaint.routing_rule_id is None:
            continue
        asked += 1
        routed = router.route(queries.matter(complaint), on)
        if routed.rule_id is not None and routed.unit_id != complaint.unit_id:
            _send_to(session, who, complaint, routed)
            moved += 1
    session.flush()
    return Rerouted(asked, moved)


def _send_to(session: Session, who: Who, complaint: Complaint, routed: Routed) -> None:
    before = complaint.unit_id
    complaint.unit_id, complaint.routing_rule_id = routed.unit_id, routed.rule_id
    session.flush()
    journal.write(
        session, who, "reroute", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, before=before, after=routed.unit_id, rule_id=routed.rule_id, why=routed.why,
    )  # fmt: skip
