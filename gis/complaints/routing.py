"""Which body must answer? Rules as rows, facts of a complaint in, the answer and why out. Pure.

The rule with the smallest priority that fits and names somebody decides; ties by id. A rule that asks for the unit which
serves the compound passes the matter on where no such unit is known. Every condition that is left empty fits everything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class AnswersFor(StrEnum):
    """Who a routing rule names: one unit, or whoever serves the compound (its own unit, or the one of its station)."""

    UNIT = "unit"
    SERVED_BY = "served_by"


@dataclass(frozen=True)
class Rule:
    """One row of the routing table. `operator` is the kind of unit that serves the compound; `station_id` its station."""

    id: int
    priority: int
    answers: str
    unit_id: int | None = None
    utility: str | None = None
    category: str | None = None
    area_id: int | None = None
    station_id: int | None = None
    operator: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def in_force(self, on: date) -> bool:
        """Does the rule hold on this day? Both days are included."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class Matter:
    """What of a complaint decides who answers. `areas` are the areas that it is filed under, of all levels."""

    category: str
    areas: tuple[int, ...] = ()
    compound_id: int | None = None


@dataclass(frozen=True)
class Ground:
    """What is known of the city: the utility of each category, and who serves each compound from which station."""

    utility_of: Mapping[str, str] = field(default_factory=dict)
    served_by: Mapping[int, int] = field(default_factory=dict)
    station_of: Mapping[int, int] = field(default_factory=dict)
    kind_of: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Routed:
    """Who answers, by which rule, and the conditions that it fitted by: `{"utility": "heat", "operator": "property_company"}`."""

    unit_id: int | None = None
    rule_id: int | None = None
    why: dict[str, Any] = field(default_factory=dict)


NOBODY = Routed()


def decide(rules: Iterable[Rule], matter: Matter, ground: Ground, on: date) -> Routed:
    """Who answers for a matter on a day; `NOBODY` where no rule names anybody."""
    for rule in sorted(rules, key=lambda r: (r.priority, r.id)):
        if rule.in_force(on):
            routed = _try(rule, matter, ground)
            if routed is not None:
                return routed
    return NOBODY


def _try(rule: Rule, matter: Matter, ground: Ground) -> Routed | None:
    compound = matter.compound_id
    serving = ground.served_by.get(compound) if compound is not None else None
    facts: dict[str, tuple[Any, bool]] = {
        "utility": (rule.utility, ground.utility_of.get(matter.category) == rule.utility),
        "category": (rule.category, under(matter.category, rule.category)),
        "area_id": (rule.area_id, rule.area_id in matter.areas),
        "station_id": (rule.station_id, compound is not None and ground.station_of.get(compound) == rule.station_id),
        "operator": (rule.operator, serving is not None and ground.kind_of.get(serving) == rule.operator),
    }
    if not all(fits for wanted, fits in facts.values() if wanted is not None):
        return None
    unit = serving if rule.answers == AnswersFor.SERVED_BY else rule.unit_id
    if unit is None:
        return None
    why = {name: wanted for name, (wanted, _) in facts.items() if wanted is not None}
    return Routed(unit, rule.id, {**why, "answers": str(rule.answers)})


def under(category: str, prefix: str | None) -> bool:
    """Is a category the given one or one below it? `heat` holds `heat.cold`."""
    return prefix is None or category == prefix or category.startswith(f"{prefix}.")


class Router:
    """The rules over one state of the city, for many complaints: every different question is decided once."""

    def __init__(self, rules: Sequence[Rule], ground: Ground) -> None:
        self.rules, self.ground = rules, ground
        edges = {d for r in rules for d in (r.valid_from, r.valid_to) if d is not None}
        self._edges = sorted({e for d in edges for e in (d.toordinal(), d.toordinal() + 1)})
        self._short: dict[tuple[int, str, tuple[int, ...]], tuple[int | None, int | None]] = {}
        self._known: dict[tuple[int, Matter], Routed] = {}

    def known(self, category: str, place: tuple[int, ...], day: int) -> tuple[int | None, int | None]:
        """`route` for a row of an import: its areas by level, the compound last (0 where there is none), the day's number."""
        key = (bisect_right(self._edges, day), category, place)
        found = self._short.get(key)
        if found is None:
            matter = Matter(category, tuple(a for a in place if a), place[-1] or None)
            routed = self.route(matter, date.fromordinal(day))
            found = self._short[key] = (routed.unit_id, routed.rule_id)
        return found

    def route(self, matter: Matter, on: date) -> Routed:
        """`decide`, remembered between two days on which some rule begins or ends."""
        key = (bisect_right(self._edges, on.toordinal()), matter)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = decide(self.rules, matter, self.ground, on)
        return found
