"""What is asked about room tests and refund tables."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Complaint
from gis.complaints.queries import visible
from gis.complaints.room_model import RefundRule, RoomTest
from gis.complaints.room_rules import RefundRow, RoomTestStatus
from gis.errors import Missing
from gis.people.model import Unit, User
from gis.people.rules import Scope

OPEN = (RoomTestStatus.REQUESTED, RoomTestStatus.MEASURED)


def tests(
    session: Session, scope: Scope, *, status: str | None = None, complaint_id: int | None = None, limit: int = 200
) -> list[Row[Any]]:
    """Room tests of the complaints that this person may see: those to be measured first, by their limit."""
    asked = _told().where(*visible(scope))
    if status == "open":
        asked = asked.where(RoomTest.status.in_(OPEN))
    elif status:
        asked = asked.where(RoomTest.status == status)
    if complaint_id is not None:
        asked = asked.where(RoomTest.complaint_id == complaint_id)
    rank = case({"requested": 0, "measured": 1}, value=RoomTest.status, else_=2)
    waiting = case((RoomTest.status == RoomTestStatus.REQUESTED, RoomTest.measure_by))
    return list(session.execute(asked.order_by(rank, waiting, RoomTest.id.desc()).limit(limit)))


def _told() -> Any:
    measurer, decider = aliased(User), aliased(User)
    return (
        select(
            RoomTest, Complaint.hotline_no, Complaint.place, Unit.name.label("unit"), RefundRule.source.label("rule_source"),
            RefundRule.low_c, RefundRule.high_c, RefundRule.synthetic.label("rule_synthetic"), measurer.full_name.label("measurer"),
            decider.full_name.label("decider"),
        )
        .join(Complaint, Complaint.id == RoomTest.complaint_id)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
        .outerjoin(RefundRule, RefundRule.id == RoomTest.rule_id)
        .outerjoin(measurer, measurer.id == RoomTest.measured_by)
        .outerjoin(decider, decider.id == RoomTest.decided_by)
    )  # fmt: skip


def counts(session: Session, scope: Scope, now: datetime) -> dict[str, int]:
    """How many tests are in each status, and how many wait over their 24 hours?"""
    asked = select(RoomTest.status, func.count()).join(Complaint, Complaint.id == RoomTest.complaint_id)
    found = {str(s): 0 for s in RoomTestStatus}
    found |= {row[0]: row[1] for row in session.execute(asked.where(*visible(scope)).group_by(RoomTest.status))}
    late = select(func.count()).select_from(RoomTest).join(Complaint, Complaint.id == RoomTest.complaint_id)
    late = late.where(*visible(scope), RoomTest.status == RoomTestStatus.REQUESTED, RoomTest.measure_by < now)
    return found | {"overdue": session.scalar(late) or 0}


def told(session: Session, scope: Scope, test_id: int) -> Row[Any]:
    """One test with its words. Raises Missing."""
    found = session.execute(_told().where(RoomTest.id == test_id, *visible(scope))).one_or_none()
    if found is None:
        raise Missing(thing="room_test", id=test_id)
    return found


def locked(session: Session, scope: Scope, test_id: int) -> RoomTest:
    """One test, to be changed. Raises Missing."""
    asked = select(RoomTest).join(Complaint, Complaint.id == RoomTest.complaint_id)
    asked = asked.where(RoomTest.id == test_id, *visible(scope)).with_for_update(of=RoomTest)
    found = session.scalar(asked, execution_options={"populate_existing": True})
    if found is None:
        raise Missing(thing="room_test", id=test_id)
    return found


def overdue(session: Session, now: datetime) -> list[RoomTest]:
    """Which tests passed their 24 hours and were not told as overdue yet?"""
    late = and_(RoomTest.status == RoomTestStatus.REQUESTED, RoomTest.measure_by < now, RoomTest.overdue_at.is_(None))
    return list(
        session.scalars(select(RoomTest).where(late).order_by(RoomTest.id).limit(500).with_for_update(skip_locked=True))
    )


def cities(session: Session, day: date) -> list[str]:
    """Which cities have a refund table in force on a day?"""
    asked = select(RefundRule.city).where(RefundRule.valid.contains(day)).distinct().order_by(RefundRule.city)
    return list(session.scalars(asked))


def table(session: Session, city: str, day: date) -> list[RefundRow]:
    """A city's refund table on a day, the coldest first."""
    asked = select(RefundRule).where(RefundRule.city == city, RefundRule.valid.contains(day))
    rows = session.scalars(asked.order_by(RefundRule.low_c.asc().nulls_first()))
    return [RefundRow(row.id, row.low_c, row.high_c, row.percent, row.source) for row in rows]


def rules(session: Session) -> list[tuple[RefundRule, str | None]]:
    """Every row of every table there was, by city, the newest first."""
    asked = select(RefundRule, User.full_name).outerjoin(User, User.id == RefundRule.made_by)
    order = (RefundRule.city, func.lower(RefundRule.valid).desc(), RefundRule.low_c.asc().nulls_first(), RefundRule.id)
    return [
        (row[0], row[1])
        for row in session.execute(asked.order_by(*order), execution_options={"populate_existing": True})
    ]
