"""What is asked about meetings, leaders' days, campaigns, visits and what was raised there. Rows without an area are the city's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select, true
from sqlalchemy.orm import Session

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.rules import OPEN, Status
from gis.errors import Missing
from gis.network.model import Station
from gis.oversight.model import FollowUpCall, NoticeComplaint, SupervisionNotice
from gis.oversight.outreach_model import Leader, LeaderDay, Matter, Meeting, Promise, Visit, VisitCampaign
from gis.oversight.rules import EventStatus, VisitKind
from gis.people.model import Unit
from gis.people.rules import Scope
from gis.places.model import Area
from gis.places.queries import within

Row = Mapping[str, Any]
M = TypeVar("M", Meeting, Visit, LeaderDay, Leader, VisitCampaign)
LISTED = 200
THINGS = {Meeting: "meeting", Visit: "visit", LeaderDay: "leader_day", Leader: "leader", VisitCampaign: "campaign"}


def _mine(scope: Scope, model: Any) -> list[ColumnElement[bool]]:
    """Of rows that carry an area and a unit: the unit's own, and those of the area or of the whole city."""
    found: list[ColumnElement[bool]] = []
    if scope.unit_id is not None:
        found.append(model.unit_id == scope.unit_id)
    mine = within(scope)
    if mine is not None:
        found.append(or_(model.area_id.is_(None), model.area_id.in_(mine)))
    return found


def for_change(session: Session, scope: Scope, model: type[M], number: int) -> M:
    """One row, locked, or Missing where there is none or it is outside the scope."""
    asked = select(model).where(model.id == number).with_for_update()
    if model in (Meeting, Visit):
        asked = asked.where(*_mine(scope, model))
    row = session.scalar(asked, execution_options={"populate_existing": True})
    if row is None:
        raise Missing(thing=THINGS[model], id=number)
    return row


# --- meetings --------------------------------------------------------------------------------------------------------
def _meetings() -> Any:
    raised = select(func.count()).where(Matter.meeting_id == Meeting.id).scalar_subquery()
    return (
        select(*Meeting.__table__.c, Area.name.label("area"), Unit.name.label("unit"), raised.label("raised"))
        .outerjoin(Area, Area.id == Meeting.area_id).outerjoin(Unit, Unit.id == Meeting.unit_id)
    )  # fmt: skip


def meetings(session: Session, scope: Scope) -> list[Row]:
    """Meetings, those to come first (the next one on top), then the newest."""
    to_come = Meeting.status == EventStatus.PLANNED
    order = (case((to_come, 0), else_=1), case((to_come, Meeting.at)), Meeting.at.desc(), Meeting.id)
    rows = session.execute(_meetings().where(*_mine(scope, Meeting)).order_by(*order).limit(LISTED)).mappings()
    return [dict(row) for row in rows]


def meeting(session: Session, scope: Scope, meeting_id: int) -> Row:
    """One meeting, or Missing."""
    row = session.execute(_meetings().where(Meeting.id == meeting_id, *_mine(scope, Meeting))).mappings().one_or_none()
    if row is None:
        raise Missing(thing="meeting", id=meeting_id)
    return dict(row)


# --- leaders' days ---------------------------------------------------------------------------------------------------
def rota(session: Session, *, everybody: bool = False) -> list[Leader]:
    """The leaders whose turn comes round, in order; `everybody` also those who left."""
    asked = select(Leader).order_by(Leader.turn, Leader.id)
    return list(session.scalars(asked if everybody else asked.where(Leader.active)))


def next_turn(session: Session, before: date) -> int:
    """Whose turn is it after the last day that was entered before this one? An index into the rota."""
    last = session.scalar(
        select(LeaderDay.leader_id).where(LeaderDay.planned_on < before, LeaderDay.leader_id.isnot(None))
        .order_by(LeaderDay.planned_on.desc()).limit(1)
    )  # fmt: skip
    ids = [leader.id for leader in rota(session)]
    return ids.index(last) + 1 if last in ids else 0


def planned_days(session: Session, since: date) -> list[date]:
    """The weekdays that already have their leader's day."""
    return list(session.scalars(select(LeaderDay.planned_on).where(LeaderDay.planned_on >= since)))


def _called_back() -> ColumnElement[bool]:
    spoken = and_(FollowUpCall.complaint_id == Complaint.id, FollowUpCall.at >= Complaint.received_at)
    return exists().where(spoken)


def _days(scope: Scope) -> Any:
    """Days with the ends of their matters: answered on the spot, still open, answered, called back, confirmed."""
    inside = and_(true(), *visible(scope)) if scope != Scope() else true()
    spot = and_(Matter.complaint_id.is_(None), Matter.answered_at.isnot(None))
    counted = (
        select(
            Matter.leader_day_id.label("day"), func.count().label("matters"), func.count().filter(spot).label("spot"),
            func.count().filter(Complaint.status.in_(sorted(OPEN))).label("open"),
            func.count().filter(and_(Complaint.id.isnot(None), Complaint.status.notin_(sorted(OPEN)))).label("answered"),
            func.count().filter(_called_back()).label("called"),
            func.count().filter(Complaint.status == Status.CONFIRMED).label("confirmed"),
        )
        .outerjoin(Complaint, Complaint.id == Matter.complaint_id)
        .where(Matter.leader_day_id.isnot(None), inside)
        .group_by(Matter.leader_day_id)
    ).subquery()  # fmt: skip
    sums = [
        func.coalesce(counted.c[n], 0).label(n) for n in ("matters", "spot", "open", "answered", "called", "confirmed")
    ]
    return (
        select(*LeaderDay.__table__.c, Leader.name.label("leader"), Leader.post, Leader.unit_id, Unit.name.label("unit"), *sums)
        .outerjoin(Leader, Leader.id == LeaderDay.leader_id).outerjoin(Unit, Unit.id == Leader.unit_id)
        .outerjoin(counted, counted.c.day == LeaderDay.id)
    )  # fmt: skip


def leader_days(session: Session, scope: Scope, *, year: int | None = None) -> list[Row]:
    """The leaders' days, in order of time, with what became of their matters."""
    asked = _days(scope).order_by(LeaderDay.on_day, LeaderDay.id)
    if year is not None:
        asked = asked.where(LeaderDay.planned_on.between(date(year, 1, 1), date(year, 12, 31)))
    return [dict(row) for row in session.execute(asked.limit(LISTED)).mappings()]


def leader_day(session: Session, scope: Scope, leader_day_id: int) -> Row:
    """One leader's day, or Missing."""
    row = session.execute(_days(scope).where(LeaderDay.id == leader_day_id)).mappings().one_or_none()
    if row is None:
        raise Missing(thing="leader_day", id=leader_day_id)
    return dict(row)


# --- what was raised -------------------------------------------------------------------------------------------------
def _matter_visible(scope: Scope) -> list[ColumnElement[bool]]:
    if scope == Scope():
        return []
    at_meeting = Matter.meeting_id.in_(select(Meeting.id).where(*_mine(scope, Meeting)))
    on_visit = Matter.visit_id.in_(select(Visit.id).where(*_mine(scope, Visit)))
    told = Matter.complaint_id.in_(select(Complaint.id).where(*visible(scope)))
    return [or_(at_meeting, on_visit, and_(Matter.leader_day_id.isnot(None), told))]


def matters(
    session: Session, scope: Scope, *, meeting_id: int | None = None, leader_day_id: int | None = None,
    visit_id: int | None = None, campaign_id: int | None = None, limit: int = 500,
) -> list[Row]:  # fmt: skip
    """What was raised there, in order, and what became of it: the complaint or promise it is now, and the last call-back."""
    last = (
        select(FollowUpCall.complaint_id, func.max(FollowUpCall.attempt).label("attempt"))
        .group_by(FollowUpCall.complaint_id)
    ).subquery()  # fmt: skip
    asked = (
        select(
            *Matter.__table__.c, Category.name.label("category_zh"), Category.name_en.label("category_en"),
            Complaint.hotline_no, Complaint.status.label("complaint_status"), Complaint.resolve_by, Complaint.closed_at,
            Complaint.unit_id.label("complaint_unit_id"), Unit.name.label("unit"), FollowUpCall.outcome, FollowUpCall.solved,
            FollowUpCall.result, Promise.text.label("promise_text"), Promise.status.label("promise_status"),
            Promise.due_on, Visit.place.label("visit_place"),
        )
        .join(Category, Category.code == Matter.category)
        .outerjoin(Complaint, Complaint.id == Matter.complaint_id)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
        .outerjoin(last, last.c.complaint_id == Matter.complaint_id)
        .outerjoin(FollowUpCall, and_(FollowUpCall.complaint_id == last.c.complaint_id, FollowUpCall.attempt == last.c.attempt))
        .outerjoin(Promise, Promise.id == Matter.promise_id)
        .outerjoin(Visit, Visit.id == Matter.visit_id)
        .where(*_matter_visible(scope)).order_by(Matter.id).limit(limit)
    )  # fmt: skip
    for column, value in ((Matter.meeting_id, meeting_id), (Matter.leader_day_id, leader_day_id), (Matter.visit_id, visit_id),
                          (Visit.campaign_id, campaign_id)):  # fmt: skip
        if value is not None:
            asked = asked.where(column == value)
    return [dict(row) for row in session.execute(asked).mappings()]


def matter(session: Session, scope: Scope, matter_id: int) -> Matter:
    """One matter, for a verb, or Missing."""
    row = session.scalar(select(Matter).where(Matter.id == matter_id, *_matter_visible(scope)))
    if row is None:
        raise Missing(thing="matter", id=matter_id)
    return row


def matter_of(session: Session, complaint_id: int) -> Row | None:
    """Where was this complaint raised face to face? Only for a complaint that was found within the scope."""
    asked = select(Matter.id, Matter.meeting_id, Matter.leader_day_id, Matter.visit_id).where(
        Matter.complaint_id == complaint_id
    )
    row = session.execute(asked).mappings().one_or_none()
    return dict(row) if row else None


def leader_notices(session: Session, leader_day_id: int) -> list[Row]:
    """Which notices were issued about the matters of this day?"""
    asked = (
        select(SupervisionNotice.id, SupervisionNotice.notice_no, SupervisionNotice.status, Unit.name.label("unit"))
        .join(Unit, Unit.id == SupervisionNotice.unit_id).where(SupervisionNotice.leader_day_id == leader_day_id)
        .order_by(SupervisionNotice.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def to_supervise(session: Session, scope: Scope, leader_day_id: int) -> list[Row]:
    """Which open complaints of a leader's day have a unit and no open notice, by unit?"""
    noticed = exists().where(NoticeComplaint.complaint_id == Complaint.id, NoticeComplaint.is_open)
    asked = (
        select(Complaint.id, Complaint.unit_id).join(Matter, Matter.complaint_id == Complaint.id)
        .where(Matter.leader_day_id == leader_day_id, Complaint.status.in_(sorted(OPEN)), Complaint.unit_id.isnot(None),
               not_(noticed), *visible(scope))
        .order_by(Complaint.unit_id, Complaint.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


# --- campaigns and visits --------------------------------------------------------------------------------------------
def campaigns(session: Session) -> list[VisitCampaign]:
    """The campaigns, the newest first."""
    return list(
        session.scalars(select(VisitCampaign).order_by(VisitCampaign.starts_on.desc(), VisitCampaign.id.desc()))
    )


def campaign(session: Session, campaign_id: int) -> VisitCampaign:
    """One campaign, or Missing."""
    row = session.get(VisitCampaign, campaign_id)
    if row is None:
        raise Missing(thing="campaign", id=campaign_id)
    return row


def reached(session: Session, scope: Scope, campaign_id: int) -> Row:
    """How many visits were made in a campaign, how many opinions were gathered (one per person who said so), how many answered?"""
    visits = select(func.count()).where(Visit.campaign_id == campaign_id, *_mine(scope, Visit)).scalar_subquery()
    asked = (
        select(
            func.coalesce(func.sum(Matter.people), 0).label("opinions"), func.count().label("written"),
            func.count().filter(Matter.complaint_id.isnot(None)).label("complaints"),
            func.count().filter(Matter.promise_id.isnot(None)).label("promises"),
            func.count().filter(Matter.answered_at.isnot(None)).label("answered"), visits.label("visits"),
        )
        .join(Visit, Visit.id == Matter.visit_id)
        .where(Visit.campaign_id == campaign_id, *_mine(scope, Visit))
    )  # fmt: skip
    return dict(session.execute(asked).mappings().one())


def by_day(session: Session, scope: Scope, campaign_id: int, zone: str) -> list[Row]:
    """How many visits and opinions on each day of a campaign that had any?"""
    day = func.date(func.timezone(zone, Visit.at)).label("day")
    gathered = (
        select(Matter.visit_id, func.sum(Matter.people).label("people")).where(Matter.visit_id.isnot(None))
        .group_by(Matter.visit_id)
    ).subquery()  # fmt: skip
    asked = (
        select(day, func.count().label("visits"), func.coalesce(func.sum(gathered.c.people), 0).label("opinions"))
        .outerjoin(gathered, gathered.c.visit_id == Visit.id)
        .where(Visit.campaign_id == campaign_id, *_mine(scope, Visit)).group_by(day).order_by(day)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def by_category(session: Session, scope: Scope, campaign_id: int) -> list[Row]:
    """What are the opinions of a campaign about?"""
    people = func.sum(Matter.people).label("people")
    asked = (
        select(Category.name.label("category_zh"), Category.name_en.label("category_en"), people)
        .join(Matter, Matter.category == Category.code).join(Visit, Visit.id == Matter.visit_id)
        .where(Visit.campaign_id == campaign_id, *_mine(scope, Visit))
        .group_by(Category.code).order_by(people.desc(), Category.code)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def visits(
    session: Session, scope: Scope, *, campaign_id: int | None = None, kind: str | None = None, page: int = 1, size: int = 50
) -> tuple[int, list[Row]]:  # fmt: skip
    """How many visits are there, and which are on this page, newest first?"""
    asked = _visits().where(*_mine(scope, Visit))
    if campaign_id is not None:
        asked = asked.where(Visit.campaign_id == campaign_id)
    if kind is not None:
        asked = asked.where(Visit.kind == kind)
    total = int(session.scalar(select(func.count()).select_from(asked.subquery())) or 0)
    rows = session.execute(asked.order_by(Visit.at.desc(), Visit.id.desc()).limit(size).offset((page - 1) * size))
    return total, [dict(row) for row in rows.mappings()]


def _visits() -> Any:
    raised = select(func.coalesce(func.sum(Matter.people), 0)).where(Matter.visit_id == Visit.id).scalar_subquery()
    columns = [c for c in Visit.__table__.c if c.name != "geom"]
    return (
        select(*columns, func.ST_X(Visit.geom).label("lon"), func.ST_Y(Visit.geom).label("lat"), Area.name.label("area"),
               Unit.name.label("unit"), raised.label("opinions"), Station.name.label("station"))
        .outerjoin(Area, Area.id == Visit.area_id).outerjoin(Unit, Unit.id == Visit.unit_id)
        .outerjoin(Station, Station.id == Visit.station_id)
    )  # fmt: skip


def visit(session: Session, scope: Scope, visit_id: int) -> Row:
    """One visit, or Missing."""
    row = session.execute(_visits().where(Visit.id == visit_id, *_mine(scope, Visit))).mappings().one_or_none()
    if row is None:
        raise Missing(thing="visit", id=visit_id)
    return dict(row)


def called(session: Session, place: str) -> tuple[int | None, Any]:
    """The one area that is called so, with a point in it; nothing where there is none or several."""
    found = session.execute(select(Area.id, func.ST_PointOnSurface(Area.geom)).where(Area.name == place).limit(2)).all()
    return (found[0][0], found[0][1]) if len(found) == 1 else (None, None)


def problem_solved() -> ColumnElement[bool]:
    """Is what was found on the spot solved: said so with how, or closed as the complaint that it became?"""
    return or_(Matter.solved_at.isnot(None), Complaint.closed_at.isnot(None))


def on_site_visits(scope: Scope, since: datetime, until: datetime) -> Any:
    """On-site supervisions of a period, each with how many problems it found and solved, as a subquery.

    Problems are those written down one by one; where fewer are written down than were counted, the counted number holds.
    """
    written = (
        select(Matter.visit_id, func.count().label("found"), func.count().filter(problem_solved()).label("solved"))
        .outerjoin(Complaint, Complaint.id == Matter.complaint_id)
        .where(Matter.visit_id.isnot(None)).group_by(Matter.visit_id)
    ).subquery()  # fmt: skip
    return (
        select(
            Visit.id, Visit.at, Visit.place, Visit.station_id, Visit.unit_id,
            func.greatest(Visit.found, func.coalesce(written.c.found, 0)).label("found"),
            func.greatest(Visit.solved, func.coalesce(written.c.solved, 0)).label("solved"),
        )
        .outerjoin(written, written.c.visit_id == Visit.id)
        .where(Visit.kind == VisitKind.ON_SITE, Visit.at >= since, Visit.at < until, *_mine(scope, Visit))
    ).subquery("supervised")  # fmt: skip


def on_site(session: Session, scope: Scope, since: datetime, until: datetime) -> Row:
    """How many on-site supervisions were made in a period, how many problems were found and solved?"""
    made = on_site_visits(scope, since, until)
    asked = select(
        func.count().label("visits"), func.coalesce(func.sum(made.c.found), 0).label("found"),
        func.coalesce(func.sum(made.c.solved), 0).label("solved"),
    ).select_from(made)  # fmt: skip
    return dict(session.execute(asked).mappings().one())
