"""What is asked about who answers: the rules, what is known of the city, and what another table of rules would have moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.complaints.routing import Ground, Matter, Routed, Router, Rule
from gis.complaints.routing_model import RoutingRule
from gis.network.model import Station
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.model import Area
from gis.places.queries import within
from gis.places.rules import AreaLevel

_LEVELS = (Complaint.district_id, Complaint.street_id, Complaint.community_id, Complaint.compound_id)
LISTED = 200


def rules(session: Session) -> list[Rule]:
    """All rules, first the one that decides first."""
    asked = select(RoutingRule).order_by(RoutingRule.priority, RoutingRule.id)
    return [row.pure() for row in session.scalars(asked)]


def ground(session: Session) -> Ground:
    """Which utility has each category, who serves each compound (its own unit, else its station's), from which station?"""
    station_of: dict[int, int] = {}
    served: dict[int, int] = {}
    for row in session.execute(select(Station.id, Station.area_id, Station.unit_id).order_by(Station.id.desc())):
        if row.area_id is not None:
            station_of[row.area_id] = row.id
            if row.unit_id is not None:
                served[row.area_id] = row.unit_id
    compounds = select(Area.id, Area.unit_id).where(Area.level == AreaLevel.COMPOUND, Area.unit_id.isnot(None))
    served |= {row.id: row.unit_id for row in session.execute(compounds)}
    return Ground(
        utility_of={row.code: row.utility for row in session.execute(select(Category.code, Category.utility))},
        served_by=served, station_of=station_of,
        kind_of={row.id: row.kind for row in session.execute(select(Unit.id, Unit.kind))},
    )  # fmt: skip


def router(session: Session) -> Router:
    """The rules over the city as it is now, for many complaints."""
    return Router(rules(session), ground(session))


def ground_of(session: Session, category: str, compound_id: int | None) -> Ground:
    """The same for one complaint alone: three small questions instead of the whole city."""
    kind = session.execute(select(Category.utility).where(Category.code == category)).scalar()
    utility_of = {category: kind} if kind else {}
    if compound_id is None:
        return Ground(utility_of=utility_of)
    station = session.execute(
        select(Station.id, Station.unit_id).where(Station.area_id == compound_id).order_by(Station.id).limit(1)
    ).one_or_none()
    serving = session.scalar(select(Area.unit_id).where(Area.id == compound_id)) or (
        station.unit_id if station else None
    )
    unit = session.get(Unit, serving) if serving else None
    return Ground(
        utility_of=utility_of, served_by={compound_id: unit.id} if unit else {},
        station_of={compound_id: station.id} if station else {}, kind_of={unit.id: unit.kind} if unit else {},
    )  # fmt: skip


def matter(row: Any) -> Matter:
    """What of a complaint (or of a row with its columns) decides who answers."""
    areas = (row.district_id, row.street_id, row.community_id, row.compound_id)
    return Matter(row.category, tuple(a for a in areas if a is not None), row.compound_id)


@dataclass(frozen=True)
class Moved:
    """What another table of rules would have moved: how many from whom to whom, and the complaints themselves."""

    asked: int
    moved: int
    counts: list[dict[str, Any]]
    rows: list[Mapping[str, Any]]


def preview(
    session: Session, scope: Scope, before: Sequence[Rule], after: Sequence[Rule], *, on: date, since: datetime,
    until: datetime,
) -> Moved:  # fmt: skip
    """What of the complaints received from `since` to `until` would another table have sent elsewhere?

    Both tables are read as of the day `on`, so that a rule of next month can be tried on the month that is known. Asked once
    for every different category and place, not for every complaint.
    """
    known = ground(session)
    old, new = Router(before, known), Router(after, known)
    within = [Complaint.received_at >= since, Complaint.received_at < until, *visible(scope)]
    asked = select(Complaint.category, *_LEVELS, func.count().label("n")).where(*within)
    counts: dict[tuple[int | None, int | None], int] = {}
    moved: dict[Matter, tuple[Routed, Routed]] = {}
    total = 0
    for row in session.execute(asked.group_by(Complaint.category, *_LEVELS)):
        total += row.n
        what = matter(row)
        one, other = old.route(what, on), new.route(what, on)
        if one.unit_id != other.unit_id:
            moved[what] = (one, other)
            key = (one.unit_id, other.unit_id)
            counts[key] = counts.get(key, 0) + row.n
    names = unit_names(session)
    told = [
        {"from": names.get(a or 0), "to": names.get(b or 0), "from_id": a, "to_id": b, "n": n}
        for (a, b), n in sorted(counts.items(), key=lambda item: (-item[1], item[0][0] or 0, item[0][1] or 0))
    ]
    return Moved(total, sum(counts.values()), told, _moved_rows(session, within, moved, names))


def _moved_rows(
    session: Session, within: list[Any], moved: Mapping[Matter, tuple[Routed, Routed]], names: Mapping[int, str]
) -> list[Mapping[str, Any]]:
    """The newest of the complaints that would have gone elsewhere."""
    if not moved:
        return []
    asked = select(
        Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.place, Complaint.received_at, Complaint.status,
        *_LEVELS, Category.name.label("category_zh"), Category.name_en.label("category_en"),
    ).join(Category, Category.code == Complaint.category)  # fmt: skip
    kinds = {what.category for what in moved}
    compounds = {what.compound_id for what in moved}
    asked = asked.where(*within, Complaint.category.in_(kinds))
    if None not in compounds:
        asked = asked.where(Complaint.compound_id.in_(compounds))
    found: list[Mapping[str, Any]] = []
    newest = asked.order_by(Complaint.received_at.desc(), Complaint.id.desc())
    for row in session.execute(newest.execution_options(yield_per=500)):
        pair = moved.get(matter(row))
        if pair is not None:
            found.append(
                {**row._mapping, "from": names.get(pair[0].unit_id or 0), "to": names.get(pair[1].unit_id or 0)}
            )
            if len(found) == LISTED:
                break
    return found


def unit_names(session: Session) -> dict[int, str]:
    """The name of every unit."""
    return {row.id: row.name for row in session.execute(select(Unit.id, Unit.name))}


def listing(session: Session, scope: Scope) -> list[Mapping[str, Any]]:
    """The rules of the whole city and of this person's area, with their names, in the order in which they decide."""
    unit, area = aliased(Unit), aliased(Area)
    asked = (
        select(*RoutingRule.__table__.c, unit.name.label("unit"), area.name.label("area"), area.level.label("area_level"),
               Station.name.label("station"), Category.name.label("category_zh"), Category.name_en.label("category_en"))
        .outerjoin(unit, unit.id == RoutingRule.unit_id).outerjoin(area, area.id == RoutingRule.area_id)
        .outerjoin(Station, Station.id == RoutingRule.station_id)
        .outerjoin(Category, Category.code == RoutingRule.category)
        .order_by(RoutingRule.priority, RoutingRule.id)
    )  # fmt: skip
    mine = within(scope)
    if mine is not None:
        asked = asked.where(or_(RoutingRule.area_id.is_(None), RoutingRule.area_id.in_(mine)))
    return [dict(row) for row in session.execute(asked).mappings()]


def may_edit(session: Session, scope: Scope, area_id: int | None) -> bool:
    """May a person of this scope write a rule for this area? For the whole city only who is bound to no area."""
    mine = within(scope)
    if mine is None:
        return True
    return area_id is not None and area_id in set(session.scalars(mine))


def uses(session: Session) -> dict[int, int]:
    """How many open complaints did each rule send to their unit?"""
    asked = select(Complaint.routing_rule_id, func.count()).where(is_open(), Complaint.routing_rule_id.isnot(None))
    return {int(row[0] or 0): int(row[1]) for row in session.execute(asked.group_by(Complaint.routing_rule_id))}
