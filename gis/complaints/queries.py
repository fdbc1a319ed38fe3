"""What is asked about complaints. `Filters` and `visible` are what every list, tile, count and export narrows by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from gis.complaints.law_model import Extension
from gis.complaints.law_words import Ruling
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.privacy import normal_phone
from gis.complaints.rules import OPEN, BadPhone, Located, TimeState
from gis.errors import BadInput
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.model import Area
from gis.places.queries import escape_like, within
from gis.prepared import Prepared

OPEN_WORDS = tuple(sorted(OPEN))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Filters:
    """What somebody looks for. Empty means everything; several values of one field mean any of them.

    `since` is included and `until` is not. `category` is a code or the beginning of one ("heat" is every "heat.…").
    `district` is the id of an area of any level. `callers` lets `q` find a full telephone number: only for those who
    may unmask.
    """

    status: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    district: tuple[int, ...] = ()
    unit: tuple[int, ...] = ()
    time_state: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""
    callers: bool = False
    mark: tuple[str, ...] = ()

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """The WHERE of these filters, over `Complaint`. Without filters: none."""
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(Complaint.status.in_(self.status))
        if self.category:
            found.append(or_(*(_category_is(code) for code in self.category)))
        if self.district:
            found.append(_in_areas(self.district))
        if self.unit:
            found.append(Complaint.unit_id.in_(self.unit))
        if self.time_state:
            found.append(or_(*(time_state_is(state, now) for state in self.time_state)))
        if self.since:
            found.append(Complaint.received_at >= self.since)
        if self.until:
            found.append(Complaint.received_at < self.until)
        if self.mark:
            found.append(or_(*(and_(is_open(), marked(mark, now)) for mark in self.mark)))
        if self.q:
            found.append(self._says(self.q))
        return found

    def _says(self, q: str) -> ColumnElement[bool]:
        like = f"%{escape_like(q)}%"
        said = [Complaint.hotline_no.ilike(like), Complaint.place.ilike(like), Complaint.description.ilike(like)]
        if self.callers:
            with suppress(BadPhone):
                told = select(Caller.complaint_id).where(Caller.phone == normal_phone(q))
                said.append(Complaint.id.in_(told))
        return or_(*said)


def visible(scope: Scope) -> list[ColumnElement[bool]]:
    """The WHERE of what a person can see, over `Complaint`."""
    found: list[ColumnElement[bool]] = []
    if scope.area_id is not None:
        found.append(_in_areas((scope.area_id,)))
    if scope.unit_id is not None:
        found.append(Complaint.unit_id == scope.unit_id)
    return found


def _in_areas(ids: tuple[int, ...]) -> ColumnElement[bool]:
    """In any of these areas, whatever their level."""
    columns = (Complaint.district_id, Complaint.street_id, Complaint.community_id, Complaint.compound_id)
    return or_(*(column.in_(ids) for column in columns))


def _category_is(code: str) -> ColumnElement[bool]:
    return or_(Complaint.category == code, Complaint.category.like(f"{escape_like(code)}.%"))


def is_open() -> ColumnElement[bool]:
    """Written as the partial index `ix_complaint_open` is, so that it is used."""
    return Complaint.status.in_(OPEN_WORDS)


MARKS = ("warned", "late", "key", "reopened", "extension")


def marked(mark: str, now: datetime) -> ColumnElement[bool]:
    """What stands out beside status and clock: a yellow card, the third time late, key supervision, time asked for."""
    if mark == "warned":
        return and_(Complaint.warn_at <= now, Complaint.resolve_by >= now, Complaint.paused_at.is_(None))
    if mark == "late":
        return and_(Complaint.late_at < now, Complaint.paused_at.is_(None))
    if mark == "key":
        return Complaint.key_since.isnot(None)
    if mark == "reopened":
        return Complaint.reopen_count > 0
    return Complaint.id.in_(select(Extension.complaint_id).where(Extension.verdict == Ruling.WAITING))


def time_state_is(state: str, now: datetime) -> ColumnElement[bool]:
    """`rules.time_state` in SQL: a test holds the two together."""
    closed, by, stands = Complaint.closed_at, Complaint.resolve_by, Complaint.paused_at.isnot(None)
    if state == TimeState.DONE:
        return and_(closed.isnot(None), closed <= by)
    if state == TimeState.PAUSED:
        return and_(closed.is_(None), stands)
    if state == TimeState.RED:
        return or_(closed > by, and_(closed.is_(None), ~stands, by < now))
    used = now - Complaint.received_at
    total = func.greatest(by - Complaint.received_at, timedelta(seconds=1))
    running = and_(closed.is_(None), ~stands, by >= now)
    if state == TimeState.GREEN:
        return and_(running, used < total * 0.5)
    if state == TimeState.YELLOW:
        return and_(running, used >= total * 0.5, used < total * 0.75)
    return and_(running, used >= total * 0.75)


# --- rows -----------------------------------------------------------------------------------------------------------
def _rows() -> Select[Any]:
    """A complaint with the names that a card shows; nothing of its caller."""
    district = aliased(Area)
    columns = [c for c in Complaint.__table__.c if c.name not in ("geom", "batch_id", "import_digest")]
    return (
        select(*columns, func.ST_X(Complaint.geom).label("lon"), func.ST_Y(Complaint.geom).label("lat"),
               Category.name.label("category_zh"), Category.name_en.label("category_en"), Category.utility,
               district.name.label("district"), Unit.name.label("unit"))
        .select_from(Complaint)
        .join(Category, Category.code == Complaint.category)
        .outerjoin(district, district.id == Complaint.district_id)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
    )  # fmt: skip


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Listed:
    """One page of a list and the cursor of the next one."""

    rows: list[Row]
    next: str | None


def listing(
    session: Session, scope: Scope, filters: Filters, now: datetime, *, sort: str = "due", after: str | None = None,
    limit: int = 100,
) -> Listed:  # fmt: skip
    """A page of the complaints somebody may see. `due`: the open ones by deadline, then the closed ones, newest first.

    The cursor names the last row (part, moment, id), so a page is as quick at the end as at the beginning, and rows that
    come or go meanwhile neither repeat nor hide others.
    """
    where = [*visible(scope), *filters.conditions(now)]
    part, moment, row_id = parse_cursor(after) if after else ("o" if sort == "due" else "n", None, 0)
    rows: list[Row] = []
    for wanted in {"o": ("o", "c"), "c": ("c",), "n": ("n",)}[part]:
        start = (moment, row_id) if wanted == part and moment else None
        asked = _part(wanted, start).where(*where).limit(limit + 1 - len(rows))
        rows += [dict(row, part=wanted) for row in session.execute(asked).mappings()]
        if len(rows) > limit:
            break
    if len(rows) <= limit:
        return Listed(rows, None)
    last = rows[limit - 1]
    at = last["resolve_by"] if last["part"] == "o" else last["received_at"]
    return Listed(rows[:limit], f"{last['part']}.{(at - _EPOCH) // timedelta(microseconds=1)}.{last['id']}")


def _part(part: str, start: tuple[datetime, int] | None) -> Select[Any]:
    """One stretch of a list in its order, after `start`: open by deadline, closed or all by newest."""
    asked = _rows()
    if part == "o":
        asked = asked.where(is_open()).order_by(Complaint.resolve_by, Complaint.id)
        key = tuple_(Complaint.resolve_by, Complaint.id)
        return asked.where(key > tuple_(*start)) if start else asked
    if part == "c":
        asked = asked.where(~is_open())
    asked = asked.order_by(Complaint.received_at.desc(), Complaint.id.desc())
    key = tuple_(Complaint.received_at, Complaint.id)
    return asked.where(key < tuple_(*start)) if start else asked


def parse_cursor(cursor: str) -> tuple[str, datetime, int]:
    """`"<part>.<microseconds>.<id>"`; anything else is bad input."""
    part, _, rest = cursor.partition(".")
    micro, _, row_id = rest.partition(".")
    digits = micro.removeprefix("-")
    if part not in ("o", "c", "n") or not (digits.isascii() and digits.isdigit() and len(digits) < 17):
        raise BadInput(reason="cursor")
    if not (row_id.isascii() and row_id.isdigit() and len(row_id) < 19):
        raise BadInput(reason="cursor")
    return part, _EPOCH + timedelta(microseconds=int(micro)), int(row_id)


def total(session: Session, scope: Scope, filters: Filters, now: datetime) -> int:
    """How many complaints are these?"""
    asked = select(func.count()).select_from(Complaint).where(*visible(scope), *filters.conditions(now))
    return int(session.scalar(asked) or 0)


def counts(session: Session, scope: Scope, filters: Filters, now: datetime) -> dict[str, int]:
    """`total` and `not_located` of the rows; `open`, `due_soon` and `overdue` whatever status and clock were chosen.

    So the last three can be used as filters themselves, and `not_located` tells how many rows of the list the map lacks.
    """
    lost = func.count().filter(Complaint.located == Located.NOT_LOCATED)
    rows = select(func.count().label("total"), lost.label("not_located")).select_from(Complaint)
    rows = rows.where(*visible(scope), *filters.conditions(now))
    return {**running(session, scope, filters, now), **session.execute(rows).mappings().one()}


def running(session: Session, scope: Scope, filters: Filters, now: datetime) -> dict[str, int]:
    """How many are open, nearly due and late, whatever status and clock were chosen? The open ones are few, and indexed."""
    at_large = replace(filters, status=(), time_state=())
    asked = select(
        func.count().label("open"),
        func.count().filter(time_state_is(TimeState.ORANGE, now)).label("due_soon"),
        func.count().filter(Complaint.resolve_by < now, Complaint.paused_at.is_(None)).label("overdue"),
    ).where(is_open(), *visible(scope), *at_large.conditions(now))
    return dict(session.execute(asked).mappings().one())


def by_status(session: Session, scope: Scope, filters: Filters, now: datetime) -> dict[str, int]:
    """How many of each status?"""
    asked = select(Complaint.status, func.count()).where(*visible(scope), *filters.conditions(now))
    found = session.execute(asked.group_by(Complaint.status).order_by(Complaint.status))
    return {row[0]: row[1] for row in found}


def everything(session: Session, scope: Scope, filters: Filters, now: datetime) -> Select[Any]:
    """The statement of an export: all rows, newest first."""
    asked = _rows().where(*visible(scope), *filters.conditions(now))
    return asked.order_by(Complaint.received_at.desc(), Complaint.id.desc())


def card(session: Session, scope: Scope, complaint_id: int) -> Row | None:
    """One complaint as the list shows it, or None where there is none or it is outside the scope."""
    asked = _rows().where(Complaint.id == complaint_id, *visible(scope))
    found = session.execute(asked).mappings().one_or_none()
    return dict(found) if found else None


def find(session: Session, scope: Scope, complaint_id: int) -> Complaint | None:
    """The complaint itself, for a verb; None outside the scope as where there is none."""
    return session.scalar(select(Complaint).where(Complaint.id == complaint_id, *visible(scope)))


def caller(session: Session, complaint_id: int) -> Caller | None:
    """Who told it. Only for masking, and for `actions.unmask`."""
    return session.get(Caller, complaint_id)


_VULNERABLE = Prepared(
    """
    SELECT DISTINCT mark FROM caller p, unnest(p.vulnerable) AS mark
     WHERE p.complaint_id = :id OR p.complaint_id IN (SELECT id FROM complaint WHERE merged_into_id = :id) ORDER BY mark
    """,
    id="bigint",
)


def vulnerable(session: Session, complaint_id: int) -> tuple[str, ...]:
    """How are the households marked of those who told it (and joined in)? The marks alone: nothing says who they are."""
    return tuple(row.mark for row in _VULNERABLE.rows(session, id=complaint_id))


def categories(session: Session) -> list[Category]:
    """The dictionary of categories, in its own order."""
    return list(session.scalars(select(Category).order_by(Category.number)))


def units_with_complaints(session: Session, scope: Scope) -> list[Mapping[str, Any]]:
    """The units that somebody may choose from: all, only their own, or those that answer within their area."""
    asked = select(Unit.id, Unit.name)
    mine = within(scope)
    if mine is not None:
        areas = select(Area.unit_id).where(Area.id.in_(mine), Area.unit_id == Unit.id)
        told = select(Complaint.id).where(Complaint.unit_id == Unit.id, *visible(scope))
        asked = asked.where(or_(exists(areas), exists(told)))
    if scope.unit_id is not None:
        asked = asked.where(Unit.id == scope.unit_id)
    return [dict(row) for row in session.execute(asked.order_by(Unit.name)).mappings()]
