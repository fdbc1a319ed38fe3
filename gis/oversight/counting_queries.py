"""What a bulletin asks: every measure of `rates.MEASURES` as a condition, counted by groups, and the rows behind each figure.

The same conditions make the count and the list, so a figure and what it opens cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import is_open, units_with_complaints, visible
from gis.complaints.rules import Status
from gis.oversight.counting_model import Baseline, BulletinIssue
from gis.oversight.model import FollowUpCall
from gis.oversight.periods import Span
from gis.oversight.rates import MEASURES, REPEATED_LISTED, Basis
from gis.oversight.rules import CallOutcome, Satisfaction
from gis.people.model import Unit
from gis.people.rules import Scope, UnitKind
from gis.places.model import Area
from gis.places.queries import escape_like
from gis.places.rules import AreaLevel

UNKNOWN = 0  # the id that asks for what has no district or no body
LISTED = 50
NOT_FILED = (Status.MERGED, Status.CANCELLED)
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Counting:
    """What a bureau may decide about counting. source: caprane.cn 445180 (三率: 24 h); domain: 满意[+基本满意]."""

    response_hours: int = 24
    basically_counts: bool = True


@dataclass(frozen=True)
class Narrow:
    """One row of a table: a district (or smaller area), a body, a channel, a category or the beginning of one."""

    area: int | None = None
    unit: int | None = None
    channel: str | None = None
    category: str | None = None

    def conditions(self, area_column: Any) -> list[ColumnElement[bool]]:
        """The WHERE over `Complaint`; `UNKNOWN` asks for rows without one."""
        found: list[ColumnElement[bool]] = []
        for column, wanted in ((area_column, self.area), (Complaint.unit_id, self.unit)):
            if wanted is not None:
                found.append(column.is_(None) if wanted == UNKNOWN else column == wanted)
        if self.channel is not None:
            found.append(Complaint.channel == self.channel)
        if self.category is not None:
            below = Complaint.category.like(f"{escape_like(self.category)}.%")
            found.append(or_(Complaint.category == self.category, below))
        return found


ALL = Narrow()
AS_SHIPPED = Counting()


@dataclass(frozen=True)
class Asked:
    """Whose complaints are counted, and by which rules. `level` is the kind of area that the table of areas is by."""

    scope: Scope
    rules: Counting = AS_SHIPPED
    within: Narrow = ALL
    level: AreaLevel = AreaLevel.DISTRICT

    @property
    def area_column(self) -> Any:
        return getattr(Complaint, f"{self.level}_id")

    def conditions(self) -> list[ColumnElement[bool]]:
        """The WHERE of everything that is counted here."""
        return [*visible(self.scope), *self.within.conditions(Complaint.district_id)]


# --- the measures in SQL ------------------------------------------------------------------------------------------------
def _basis(basis: Basis, span: Span) -> list[ColumnElement[bool]]:
    """What brings a complaint into the period (`called` is a join with the calls of the period)."""
    column = {Basis.RECEIVED: Complaint.received_at, Basis.DUE: Complaint.resolve_by, Basis.SENT: Complaint.sent_at}
    if basis is Basis.CALLED:
        return []
    found = [column[basis] >= span.since, column[basis] < span.until]
    if basis is Basis.DUE:
        found += [Complaint.status.not_in(NOT_FILED), Complaint.paused_at.is_(None)]
    return found


def _also(measure: str, span: Span, rules: Counting, call: Any) -> list[ColumnElement[bool]]:
    """What a measure asks beyond its basis."""
    closed = Complaint.closed_at < span.until
    in_time = Complaint.closed_at <= Complaint.resolve_by
    reached = call.outcome == CallOutcome.REACHED
    pleased = [Satisfaction.SATISFIED, *([Satisfaction.BASICALLY] if rules.basically_counts else [])]
    table: dict[str, list[ColumnElement[bool]]] = {
        "accepted": [],
        "filed": [Complaint.status.not_in(NOT_FILED)],
        "repeated": [Complaint.status == Status.MERGED],
        "cancelled": [Complaint.status == Status.CANCELLED],
        "due": [],
        "closed": [closed],
        "on_time": [in_time],
        "late": [or_(Complaint.closed_at.is_(None), ~in_time)],
        "answered_once": [or_(closed, Complaint.reopen_count > 0)],
        "reworked": [Complaint.reopen_count > 0],
        "passed_on": [],
        "signed_in_time": [Complaint.signed_at <= Complaint.sent_at + timedelta(hours=rules.response_hours)],
        "returned": [Complaint.return_count > 0],
        "called": [],
        "reached": [reached],
        "unreachable": [~reached],
        "solved": [reached, call.solved],
        "process_told": [reached, call.process.isnot(None)],
        "process_satisfied": [reached, call.process.in_(pleased)],
        "result_told": [reached, call.result.isnot(None)],
        "result_satisfied": [reached, call.result.in_(pleased)],
    }
    return table[measure]


def _last_calls(span: Span) -> Any:
    """One call for each complaint called in the period: the last one that was answered, or else the last try."""
    tried = case((FollowUpCall.outcome == CallOutcome.REACHED, 0), else_=1)
    asked = (
        select(FollowUpCall)
        .where(FollowUpCall.at >= span.since, FollowUpCall.at < span.until)
        .ext(distinct_on(FollowUpCall.complaint_id))
        .order_by(FollowUpCall.complaint_id, tried, FollowUpCall.at.desc(), FollowUpCall.id.desc())
    )
    return aliased(FollowUpCall, asked.subquery("last_call"))


# --- counting -----------------------------------------------------------------------------------------------------------
GROUPS = ("area", "unit", "channel", "category")


@dataclass(frozen=True)
class Counted:
    """The measures of everything, and of each group: `groups["unit"][7]["closed"]`. A group without a key is None."""

    whole: dict[str, int]
    groups: dict[str, dict[Any, dict[str, int]]]

    @property
    def is_empty(self) -> bool:
        """Is there nothing at all, so that an earlier period has no data to compare with?"""
        return not any(self.whole.values())


def count(session: Session, asked: Asked, span: Span, *, grouped: bool = True) -> Counted:
    """How many of every measure, in all and by district, body, channel and category?

    One question for each basis, so that each goes by its own index; the groups are made of the counted cells, not of rows.
    """
    found = Counted(dict.fromkeys(MEASURES, 0), {group: {} for group in GROUPS})
    for basis in Basis:
        for row in session.execute(_count(asked, span, basis, grouped=grouped)).mappings():
            counts = {key: int(row[key] or 0) for key, m in MEASURES.items() if m.basis is basis}
            group = _group(row["mask"]) if grouped else None
            target = (
                found.whole if group is None else found.groups[group].setdefault(row[group], dict.fromkeys(MEASURES, 0))
            )
            target.update(counts)
    return found


def _group(mask: int) -> str | None:
    """Which column of GROUPING SETS this row is by: its bit is the one that is not set."""
    for n, group in enumerate(reversed(GROUPS)):
        if not mask >> n & 1:
            return group
    return None


def _count(asked: Asked, span: Span, basis: Basis, *, grouped: bool) -> Any:
    call = _last_calls(span)
    measures = [m.key for m in MEASURES.values() if m.basis is basis]
    counted = [func.count().filter(and_(*_also(k, span, asked.rules, call))).label(k) if _also(k, span, asked.rules, call)
               else func.count().label(k) for k in measures]  # fmt: skip
    dimensions = [asked.area_column.label("area"), Complaint.unit_id.label("unit"), Complaint.channel.label("channel"),
                  Complaint.category.label("category")]  # fmt: skip
    cells = select(*(dimensions if grouped else []), *counted).select_from(Complaint)
    if basis is Basis.CALLED:
        cells = cells.join(call, call.complaint_id == Complaint.id)
    cells = cells.where(*_basis(basis, span), *asked.conditions())
    if not grouped:
        return cells
    cube = cells.group_by(*(d.element for d in dimensions)).cte("cell")
    keys = [cube.c[group] for group in GROUPS]
    sums = [func.sum(cube.c[key]).label(key) for key in measures]
    sets = func.grouping_sets(tuple_(), *(tuple_(key) for key in keys))
    return select(func.grouping(*keys).label("mask"), *keys, *sums).group_by(sets)


# --- the rows behind a figure ---------------------------------------------------------------------------------------------
def rows(
    session: Session, asked: Asked, span: Span, measure: str, narrow: Narrow, *, limit: int = 100, offset: int = 0
) -> list[Mapping[str, Any]]:
    """Which complaints are behind this figure? In the order in which they were received."""
    found = _behind(asked, span, measure, narrow).order_by(Complaint.received_at, Complaint.id)
    return _listed(session, found.limit(limit).offset(offset))


def how_many(session: Session, asked: Asked, span: Span, measure: str, narrow: Narrow) -> int:
    """How many are behind this figure?"""
    return int(session.scalar(select(func.count()).select_from(_behind(asked, span, measure, narrow).subquery())) or 0)


def _behind(asked: Asked, span: Span, measure: str, narrow: Narrow) -> Any:
    basis, call = MEASURES[measure].basis, _last_calls(span)
    found: Any = _cards()
    if basis is Basis.CALLED:
        found = found.join(call, call.complaint_id == Complaint.id)
    also = _also(measure, span, asked.rules, call)
    return found.where(*_basis(basis, span), *also, *asked.conditions(), *narrow.conditions(asked.area_column))


def _cards() -> Any:
    """What a list of a bulletin shows of a complaint; nothing of its caller."""
    return (
        select(Complaint.id, Complaint.hotline_no, Complaint.channel, Complaint.category, Complaint.status, Complaint.place,
               Complaint.received_at, Complaint.resolve_by, Complaint.closed_at, Complaint.repeat_count, Complaint.key_since,
               Category.name.label("category_zh"), Category.name_en.label("category_en"), Area.name.label("district"),
               Unit.name.label("unit"))
        .select_from(Complaint)
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Area, Area.id == Complaint.district_id)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
    )  # fmt: skip


def _listed(session: Session, asked: Any) -> list[Mapping[str, Any]]:
    return [dict(row) for row in session.execute(asked).mappings()]


# --- the lists of a bulletin ------------------------------------------------------------------------------------------------
def repeated_matters(session: Session, asked: Asked, span: Span) -> list[Mapping[str, Any]]:
    """Which matters were told more than once in the period? The main complaint of each, most calls first."""
    matter = func.coalesce(Complaint.merged_into_id, Complaint.id)
    told = (
        select(matter.label("matter"), func.count().label("times"))
        .where(*_basis(Basis.RECEIVED, span), *asked.conditions())
        .where(or_(Complaint.merged_into_id.isnot(None), Complaint.repeat_count > 0))
        .group_by(matter)
        .having(func.count() > 1)
        .subquery()
    )
    found = _cards().add_columns(told.c.times).join(told, told.c.matter == Complaint.id).where(*visible(asked.scope))
    return _listed(session, found.order_by(told.c.times.desc(), Complaint.id).limit(REPEATED_LISTED))


def supervised(session: Session, asked: Asked, span: Span) -> tuple[int, list[Mapping[str, Any]]]:
    """Which complaints became key supervision (重点督办) in the period? How many, and the first of them."""
    chosen = [Complaint.key_since >= span.since, Complaint.key_since < span.until]
    return _some(session, asked, chosen, Complaint.key_since)


def overdue(session: Session, asked: Asked, span: Span) -> tuple[int, list[Mapping[str, Any]]]:
    """Which complaints were due by the end of the period and are open? How many, and those that are late the longest."""
    chosen = [is_open(), Complaint.paused_at.is_(None), Complaint.resolve_by < span.until]
    return _some(session, asked, chosen, Complaint.resolve_by)


def _some(
    session: Session, asked: Asked, chosen: list[ColumnElement[bool]], order: Any
) -> tuple[int, list[Mapping[str, Any]]]:
    where = [*chosen, *asked.conditions()]
    many = session.scalar(select(func.count()).select_from(Complaint).where(*where)) or 0
    return int(many), _listed(session, _cards().where(*where).order_by(order, Complaint.id).limit(LISTED))


# --- names and numbers beside the counts --------------------------------------------------------------------------------------
def area_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """What are these areas called?"""
    return {row.id: row.name for row in session.execute(select(Area.id, Area.name).where(Area.id.in_(ids)))}


def unit_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """What are these bodies called?"""
    return {row.id: row.name for row in session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids)))}


def category_names(session: Session) -> dict[str, tuple[str, str]]:
    """The dictionary: code -> Chinese and English name, in its own order."""
    asked = select(Category.code, Category.name, Category.name_en).order_by(Category.number)
    return {row.code: (row.name, row.name_en) for row in session.execute(asked)}


def level_of(session: Session, area_id: int) -> AreaLevel | None:
    """Of which level is this area?"""
    found = session.scalar(select(Area.level).where(Area.id == area_id))
    return AreaLevel(found) if found else None


def households(session: Session, area_id: int | None) -> int | None:
    """How many households are known: of the area itself, or of what lies right below it; of the city, of its districts."""
    if area_id is None:
        return session.scalar(select(func.sum(Area.households)).where(Area.level == AreaLevel.DISTRICT))
    own = session.scalar(select(Area.households).where(Area.id == area_id))
    return own or session.scalar(select(func.sum(Area.households)).where(Area.parent_id == area_id))


def baselines(session: Session, on: date) -> dict[str, tuple[Decimal, str]]:
    """The baseline (基准线) of each rate on a day, and where it comes from: the last one that was in force by then."""
    asked = select(Baseline).where(Baseline.valid_from <= on).ext(distinct_on(Baseline.rate))
    asked = asked.order_by(Baseline.rate, Baseline.valid_from.desc())
    return {row.rate: (row.percent, row.source) for row in session.scalars(asked)}


def bureau(session: Session) -> str:
    """Who publishes: the first body of kind bureau, by its name; nothing where there is none."""
    asked = select(Unit.name).where(Unit.kind == UnitKind.BUREAU).order_by(Unit.id).limit(1)
    return session.scalar(asked) or ""


def choices(session: Session, scope: Scope) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Which districts and which bodies may this person choose from?"""
    areas = select(Area.id, Area.name).where(Area.level == AreaLevel.DISTRICT)
    if scope.area_id is not None:
        areas = areas.where(Area.id == scope.area_id)
    units = [(row["id"], row["name"]) for row in units_with_complaints(session, scope)]
    return [(row.id, row.name) for row in session.execute(areas.order_by(Area.name, Area.id))], units


def last_received(session: Session, scope: Scope) -> datetime | None:
    """When was the latest complaint received that this person may see?"""
    return session.scalar(select(func.max(Complaint.received_at)).where(*visible(scope)))


def first_received(session: Session) -> datetime | None:
    """When was the first complaint of all received?"""
    return session.scalar(select(func.min(Complaint.received_at)))


# --- what was published -----------------------------------------------------------------------------------------------------
def issues(session: Session, scope: Scope, kind: str | None = None, limit: int = 200) -> list[BulletinIssue]:
    """Which bulletins were published, newest first? Somebody bound to an area or a body sees those about it."""
    asked = (
        select(BulletinIssue).where(*_about(scope)).order_by(BulletinIssue.published_at.desc(), BulletinIssue.id.desc())
    )
    if kind is not None:
        asked = asked.where(BulletinIssue.kind == kind)
    return list(session.scalars(asked.limit(limit)))


def issue(session: Session, scope: Scope, issue_id: int) -> BulletinIssue | None:
    """One published bulletin, or None where there is none or it is about something else."""
    return session.scalar(select(BulletinIssue).where(BulletinIssue.id == issue_id, *_about(scope)))


def published(
    session: Session, kind: str, first: date, last: date, area_id: int | None = None, unit_id: int | None = None
) -> BulletinIssue | None:
    """The issue about this period, of the whole city or of one area or body; of several the newest correction."""
    asked = select(BulletinIssue).where(
        BulletinIssue.kind == kind, BulletinIssue.first == first, BulletinIssue.last == last,
        BulletinIssue.area_id.is_not_distinct_from(area_id), BulletinIssue.unit_id.is_not_distinct_from(unit_id),
    )  # fmt: skip
    return session.scalars(asked.order_by(BulletinIssue.id.desc()).limit(1)).first()


def _about(scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.area_id is not None:
        found.append(BulletinIssue.area_id == scope.area_id)
    if scope.unit_id is not None:
        found.append(BulletinIssue.unit_id == scope.unit_id)
    return found
