"""Public promises: made, moved with a reason, reworded with a reason, kept or broken. Every version has its line of history.

The database itself refuses a promise whose version has no line, and a line that is changed (migration `oversight`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.oversight.outreach_model import Promise, PromiseChange
from gis.oversight.rules import BadPeriod, NothingChanged, PromiseEnded, PromiseStatus, PromiseVerb, said
from gis.people.model import Unit, User
from gis.people.rules import Scope
from gis.places.queries import within

Row = Mapping[str, Any]
LISTED = 100


@dataclass(frozen=True)
class Pledged:
    """What is promised, by whom, until when, and where it was announced."""

    text: str
    person: str
    due_on: date
    text_en: str = ""
    post: str = ""
    source: str = ""
    unit_id: int | None = None
    area_id: int | None = None
    made_on: date | None = None


def promise(session: Session, who: Who, given: Pledged, *, zone: tzinfo, synthetic: bool = False) -> Promise:
    """Make a promise; it is public from now on. Raises WordsMissing, WordsTooLong, BadPeriod."""
    today = who.now.astimezone(zone).date()
    made_on = given.made_on or today
    if given.due_on < made_on:
        raise BadPeriod()
    row = Promise(
        text=said("note", given.text, needed=True), text_en=said("note", given.text_en), unit_id=given.unit_id,
        person=said("person", given.person, needed=True), post=said("post", given.post), area_id=given.area_id,
        made_on=made_on, due_on=given.due_on, source=said("source", given.source), synthetic=synthetic,
    )  # fmt: skip
    with naming_violations(session):
        session.add(row)
    _line(session, who, row, PromiseVerb.MADE, due_after=row.due_on)
    return row


def _line(session: Session, who: Who, row: Promise, verb: PromiseVerb, **changed: Any) -> None:
    session.add(
        PromiseChange(promise_id=row.id, version=row.version, at=who.now, user_id=who.user_id, verb=verb, **changed)
    )
    journal.write(
        session, who, str(verb), "promise", row.id, version=row.version, area_id=row.area_id, unit_id=row.unit_id,
        due_on=row.due_on.isoformat(),
    )  # fmt: skip
    session.flush()


def _open(session: Session, scope: Scope, promise_id: int, base_version: int | None) -> Promise:
    asked = select(Promise).where(Promise.id == promise_id, *visible_to(scope)).with_for_update()
    row = session.scalar(asked, execution_options={"populate_existing": True})
    if row is None:
        raise Missing(thing="promise", id=promise_id)
    check_version(row, base_version)
    if row.status != PromiseStatus.OPEN:
        raise PromiseEnded()
    return row


def move(
    session: Session,
    who: Who,
    scope: Scope,
    promise_id: int,
    due_on: date,
    reason: str,
    base_version: int | None = None,
) -> Promise:
    """Another date, with the reason, which is shown beside the old date. Raises WordsMissing, NothingChanged, BadPeriod."""
    row = _open(session, scope, promise_id, base_version)
    why = said("note", reason, needed=True)
    if due_on == row.due_on:
        raise NothingChanged()
    if due_on < row.made_on:
        raise BadPeriod()
    before, row.due_on, row.overdue_told_at = row.due_on, due_on, None
    session.flush()
    _line(session, who, row, PromiseVerb.MOVED, due_before=before, due_after=due_on, note=why)
    return row


def reword(
    session: Session, who: Who, scope: Scope, promise_id: int, text: str, text_en: str, reason: str,
    base_version: int | None = None,
) -> Promise:  # fmt: skip
    """Other words, with the reason; the old words stay in the history. Raises WordsMissing, NothingChanged."""
    row = _open(session, scope, promise_id, base_version)
    why, words, english = said("note", reason, needed=True), said("note", text, needed=True), said("note", text_en)
    if (words, english) == (row.text, row.text_en):
        raise NothingChanged()
    before, row.text, row.text_en = row.text, words, english
    session.flush()
    _line(session, who, row, PromiseVerb.REWORDED, text_before=before, note=why)
    return row


def end(
    session: Session, who: Who, scope: Scope, promise_id: int, kept: bool, words: str, base_version: int | None = None
) -> Promise:
    """Say what became of it: kept, or broken; how or why is asked for in both cases. Raises WordsMissing, PromiseEnded."""
    row = _open(session, scope, promise_id, base_version)
    note = said("note", words, needed=True)
    row.status = PromiseStatus.KEPT if kept else PromiseStatus.BROKEN
    row.ended_at = who.now
    session.flush()
    _line(session, who, row, PromiseVerb.KEPT if kept else PromiseVerb.BROKEN, note=note)
    return row


def tell_overdue(session: Session, who: Who, zone: tzinfo) -> int:
    """Write down, once for each date, the promises whose day has passed; how many are new."""
    today = who.now.astimezone(zone).date()
    asked = (
        select(Promise).where(is_overdue(today), Promise.overdue_told_at.is_(None)).order_by(Promise.id)
        .limit(500).with_for_update(skip_locked=True)
    )  # fmt: skip
    late = list(session.scalars(asked))
    for row in late:
        row.overdue_told_at = who.now
        session.flush()
        _line(session, who, row, PromiseVerb.OVERDUE, due_before=row.due_on)
    return len(late)


# --- what is asked ---------------------------------------------------------------------------------------------------
def visible_to(scope: Scope) -> list[ColumnElement[bool]]:
    """The WHERE of the promises that a person deals with at the desk: their unit's, their area's and the whole city's."""
    found: list[ColumnElement[bool]] = []
    if scope.unit_id is not None:
        found.append(Promise.unit_id == scope.unit_id)
    mine = within(scope)
    if mine is not None:
        found.append(or_(Promise.area_id.is_(None), Promise.area_id.in_(mine)))
    return found


def is_overdue(today: date) -> ColumnElement[bool]:
    """Open, and its last day has passed."""
    return and_(Promise.status == PromiseStatus.OPEN, Promise.due_on < today)


def _moves() -> Any:
    moved = and_(PromiseChange.promise_id == Promise.id, PromiseChange.verb == PromiseVerb.MOVED)
    return select(func.count()).where(moved).scalar_subquery().label("moves")


def listed(session: Session, scope: Scope, today: date, *, status: str = "", page: int = 1) -> tuple[int, list[Row]]:
    """The promises, those beyond their day first, then what is due next, then what has ended."""
    asked = select(*Promise.__table__.c, Unit.name.label("unit"), _moves()).outerjoin(Unit, Unit.id == Promise.unit_id)
    asked = asked.where(*visible_to(scope))
    if status == "overdue":
        asked = asked.where(is_overdue(today))
    elif status == "moved":
        asked = asked.where(_moves() > 0)
    elif status:
        asked = asked.where(Promise.status == status)
    total = int(session.scalar(select(func.count()).select_from(asked.subquery())) or 0)
    rank = case((is_overdue(today), 0), (Promise.status == PromiseStatus.OPEN, 1), else_=2)
    when = case((Promise.status == PromiseStatus.OPEN, Promise.due_on))
    rows = session.execute(
        asked.order_by(rank, when, Promise.ended_at.desc(), Promise.id).limit(LISTED).offset((page - 1) * LISTED)
    )
    return total, [dict(row) for row in rows.mappings()]


def counts(session: Session, scope: Scope, today: date) -> Row:
    """How many are open, overdue, kept, broken, and how many were ever moved?"""
    status = Promise.status
    asked = select(
        func.count().label("total"), func.count().filter(status == PromiseStatus.OPEN).label("open"),
        func.count().filter(is_overdue(today)).label("overdue"), func.count().filter(_moves() > 0).label("moved"),
        func.count().filter(status == PromiseStatus.KEPT).label("kept"),
        func.count().filter(status == PromiseStatus.BROKEN).label("broken"),
    ).where(*visible_to(scope))  # fmt: skip
    return dict(session.execute(asked).mappings().one())


def one(session: Session, scope: Scope, promise_id: int) -> Row:
    """One promise with the name of its unit, or Missing."""
    asked = select(*Promise.__table__.c, Unit.name.label("unit"), _moves()).outerjoin(Unit, Unit.id == Promise.unit_id)
    row = session.execute(asked.where(Promise.id == promise_id, *visible_to(scope))).mappings().one_or_none()
    if row is None:
        raise Missing(thing="promise", id=promise_id)
    return dict(row)


def histories(session: Session, ids: list[int]) -> dict[int, list[Row]]:
    """Everything that became of these promises, oldest first."""
    asked = select(*PromiseChange.__table__.c, User.full_name.label("by")).outerjoin(
        User, User.id == PromiseChange.user_id
    )
    asked = asked.where(PromiseChange.promise_id.in_(ids)).order_by(PromiseChange.promise_id, PromiseChange.version)
    found: dict[int, list[Row]] = {}
    for row in session.execute(asked).mappings():
        found.setdefault(row["promise_id"], []).append(dict(row))
    return found
