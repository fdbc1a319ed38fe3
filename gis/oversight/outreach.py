"""What is done with people face to face: meetings, leaders' days, campaigns, visits, and what was raised there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import actions as complaints
from gis.complaints.model import Category, Complaint
from gis.complaints.privacy import masked_text
from gis.complaints.rules import Channel, UnknownCategory
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.network.model import Station
from gis.oversight import outreach_queries as queries
from gis.oversight import promises
from gis.oversight.outreach_model import (
    Leader,
    LeaderDay,
    Matter,
    Meeting,
    Promise,
    Visit,
    VisitCampaign,
)
from gis.oversight.rules import (
    BadNumber,
    BadPeriod,
    EventEnded,
    EventStatus,
    MatterSettled,
    MeetingKind,
    VisitKind,
    said,
)
from gis.oversight.schedule import Proposed
from gis.oversight.week_rules import AlreadySolved
from gis.people.rules import Scope
from gis.places.queries import areas_at, check_point, point
from gis.workdays import WorkingDays

MANY = 1_000_000


def _note(session: Session, who: Who, verb: str, thing: str, row: Meeting | Visit | LeaderDay | VisitCampaign) -> None:
    session.flush()
    journal.write(
        session, who, verb, thing, row.id, version=row.version, area_id=getattr(row, "area_id", None),
        unit_id=getattr(row, "unit_id", None),
    )  # fmt: skip
    session.flush()


# --- meetings --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Plan:
    """A meeting: when, where, who takes part, what was said."""

    kind: str
    title: str
    at: datetime
    place: str = ""
    participants: str = ""
    minutes: str = ""
    area_id: int | None = None
    unit_id: int | None = None


def plan_meeting(session: Session, who: Who, plan: Plan, *, synthetic: bool = False) -> Meeting:
    """Enter a meeting that is to come, or was. Raises WordsMissing, WordsTooLong."""
    row = Meeting(status=EventStatus.PLANNED, synthetic=synthetic, **_meeting(plan))
    with naming_violations(session):
        session.add(row)
    _note(session, who, "plan", "meeting", row)
    return row


def _meeting(plan: Plan) -> dict[str, object]:
    if plan.kind not in set(MeetingKind):
        raise BadInput(reason="kind")
    return {
        "kind": plan.kind, "title": said("title", plan.title, needed=True), "at": plan.at, "place": said("place", plan.place),
        "participants": said("participants", plan.participants), "minutes": said("minutes", plan.minutes),
        "area_id": plan.area_id, "unit_id": plan.unit_id,
    }  # fmt: skip


def change_meeting(
    session: Session, who: Who, scope: Scope, meeting_id: int, plan: Plan, base_version: int | None = None
) -> Meeting:
    """Other words of a meeting; the minutes of one that was held are written afterwards. Raises EventEnded when it was called off."""
    row = queries.for_change(session, scope, Meeting, meeting_id)
    check_version(row, base_version)
    if row.status == EventStatus.CALLED_OFF:
        raise EventEnded()
    for key, value in _meeting(plan).items():
        setattr(row, key, value)
    with naming_violations(session):
        session.flush()
    _note(session, who, "change", "meeting", row)
    return row


def end_meeting(
    session: Session, who: Who, scope: Scope, meeting_id: int, held: bool, base_version: int | None = None
) -> Meeting:
    """It was held, or called off. Raises EventEnded when that is known already."""
    row = queries.for_change(session, scope, Meeting, meeting_id)
    check_version(row, base_version)
    if row.status != EventStatus.PLANNED:
        raise EventEnded()
    row.status = EventStatus.HELD if held else EventStatus.CALLED_OFF
    _note(session, who, "hold" if held else "call_off", "meeting", row)
    return row


# --- leaders' days ---------------------------------------------------------------------------------------------------
def put_on_rota(session: Session, who: Who, name: str, post: str, unit_id: int | None) -> Leader:
    """Another leader at the end of the rota."""
    turn = len(queries.rota(session, everybody=True))
    row = Leader(
        name=said("person", name, needed=True), post=said("post", post), unit_id=unit_id, turn=turn, active=True
    )
    with naming_violations(session):
        session.add(row)
    journal.write(session, who, "put_on_rota", "leader", row.id, version=row.version)
    session.flush()
    return row


def take_off_rota(session: Session, who: Who, leader_id: int, active: bool) -> Leader:
    """Somebody leaves the rota, or comes back to it."""
    row = queries.for_change(session, Scope(), Leader, leader_id)
    row.active = active
    session.flush()
    journal.write(session, who, "put_on_rota" if active else "take_off_rota", "leader", row.id, version=row.version)
    session.flush()
    return row


def schedule(
    session: Session, who: Who, days: Sequence[Proposed], starts_at: time, minutes: int, *, synthetic: bool = False
) -> list[LeaderDay]:
    """Enter proposed leaders' days; whose turn it is comes from the rota. Raises DayTaken."""
    rota = queries.rota(session)
    made = []
    for day in days:
        leader = rota[day.turn].id if day.turn is not None and rota else None
        row = LeaderDay(
            planned_on=day.planned_on, on_day=day.on_day, starts_at=starts_at, minutes=minutes, leader_id=leader,
            status=EventStatus.PLANNED, synthetic=synthetic,
        )  # fmt: skip
        with naming_violations(session):
            session.add(row)
        _note(session, who, "plan", "leader_day", row)
        made.append(row)
    return made


def change_day(
    session: Session, who: Who, leader_day_id: int, *, on_day: date, starts_at: time, minutes: int, leader_id: int | None,
    note: str, base_version: int | None = None,
) -> LeaderDay:  # fmt: skip
    """Another day, time or leader: where a holiday moves the day to is the bureau's choice. Raises DayTaken, EventEnded."""
    row = queries.for_change(session, Scope(), LeaderDay, leader_day_id)
    check_version(row, base_version)
    if row.status != EventStatus.PLANNED:
        raise EventEnded()
    if not 1 <= minutes <= 600:
        raise BadNumber(field="minutes", low=1, high=600)
    row.on_day, row.starts_at, row.minutes, row.leader_id, row.note = (
        on_day, starts_at, minutes, leader_id, said("note", note),
    )  # fmt: skip
    with naming_violations(session):
        session.flush()
    _note(session, who, "change", "leader_day", row)
    return row


def end_day(session: Session, who: Who, leader_day_id: int, held: bool, base_version: int | None = None) -> LeaderDay:
    """The leader answered, or the day was called off. Raises EventEnded."""
    row = queries.for_change(session, Scope(), LeaderDay, leader_day_id)
    check_version(row, base_version)
    if row.status != EventStatus.PLANNED:
        raise EventEnded()
    row.status = EventStatus.HELD if held else EventStatus.CALLED_OFF
    _note(session, who, "hold" if held else "call_off", "leader_day", row)
    return row


# --- campaigns and visits --------------------------------------------------------------------------------------------
def begin_campaign(
    session: Session, who: Who, name: str, starts_on: date, ends_on: date, visits: int, opinions: int, source: str, *,
    synthetic: bool = False,
) -> VisitCampaign:  # fmt: skip
    """A campaign and what it is to reach. Raises BadPeriod, BadNumber, WordsMissing."""
    if ends_on < starts_on:
        raise BadPeriod()
    for field, value in (("visits_target", visits), ("opinions_target", opinions)):
        if not 0 <= value <= MANY:
            raise BadNumber(field=field, low=0, high=MANY)
    row = VisitCampaign(
        name=said("name", name, needed=True), starts_on=starts_on, ends_on=ends_on, visits_target=visits,
        opinions_target=opinions, source=said("source", source), synthetic=synthetic,
    )  # fmt: skip
    with naming_violations(session):
        session.add(row)
    _note(session, who, "begin", "visit_campaign", row)
    return row


@dataclass(frozen=True)
class Visited:
    """One visit: where, when, who went, how many were met; on-site supervision also counts problems found and solved."""

    kind: str
    at: datetime
    place: str
    campaign_id: int | None = None
    visitors: str = ""
    people: int = 0
    found: int = 0
    solved: int = 0
    note: str = ""
    unit_id: int | None = None
    lon: float | None = None
    lat: float | None = None
    station_id: int | None = None


def visit(session: Session, who: Who, given: Visited, *, synthetic: bool = False) -> Visit:
    """Enter a visit; its area follows from its point, from its name where exactly one area is called so, or from its station.

    A station's own unit answers where none is named. Raises WordsMissing, BadNumber, Missing and everything of `check_point`.
    """
    if given.kind not in set(VisitKind):
        raise BadInput(reason="kind")
    for field in ("people", "found", "solved"):
        if not 0 <= getattr(given, field) <= MANY:
            raise BadNumber(field=field, low=0, high=MANY)
    if given.solved > given.found:
        raise BadNumber(field="solved", low=0, high=given.found)
    station = None if given.station_id is None else _station(session, given.station_id)
    place = given.place or (station.name if station else "")
    row = Visit(
        kind=given.kind, at=given.at, place=said("place", place, needed=True), campaign_id=given.campaign_id,
        visitors=said("participants", given.visitors), people=given.people, found=given.found, solved=given.solved,
        note=said("note", given.note), unit_id=given.unit_id or (station.unit_id if station else None),
        station_id=given.station_id, synthetic=synthetic,
    )  # fmt: skip
    if given.lon is not None and given.lat is not None:
        lon, lat = check_point(session, given.lon, given.lat, "wgs84")
        row.geom, filed = point(lon, lat), areas_at(session, lon, lat)
        row.area_id = filed.compound_id or filed.community_id or filed.street_id or filed.district_id
    else:
        row.area_id, row.geom = queries.called(session, row.place)
    if station is not None and row.geom is None:
        row.area_id, row.geom = station.area_id, station.geom
    with naming_violations(session):
        session.add(row)
    _note(session, who, "visit", "visit", row)
    return row


def _station(session: Session, station_id: int) -> Station:
    found = session.get(Station, station_id) if station_id < 1 << 62 else None
    if found is None:
        raise Missing(thing="station", id=station_id)
    return found


# --- what was raised -------------------------------------------------------------------------------------------------
def raise_matter(
    session: Session, who: Who, text: str, category: str, *, meeting_id: int | None = None, leader_day_id: int | None = None,
    visit_id: int | None = None, people: int = 1, answer: str = "",
) -> Matter:  # fmt: skip
    """Write down what was raised; `people` said so; `answer` is what was told on the spot. Raises WordsMissing, UnknownCategory."""
    if session.get(Category, category[:40].replace("\0", "")) is None:
        raise UnknownCategory(category=category[:40].replace("\0", ""))
    if not 1 <= people <= 100_000:
        raise BadNumber(field="people", low=1, high=100_000)
    told = masked_text(said("answer", answer))
    row = Matter(
        meeting_id=meeting_id, leader_day_id=leader_day_id, visit_id=visit_id, raised_at=who.now, raised_by=who.user_id,
        category=category, text=masked_text(said("text", text, needed=True)), people=people, answer=told,
        answered_at=who.now if told else None,
    )  # fmt: skip
    with naming_violations(session):
        session.add(row)
    journal.write(session, who, "raise", "matter", row.id, version=row.version, category=category, people=people)
    session.flush()
    return row


@dataclass(frozen=True)
class Asked:
    """Who raised a matter and where, as a complaint needs it."""

    place: str = ""
    lon: float | None = None
    lat: float | None = None
    caller_name: str = ""
    caller_phone: str = ""


def make_complaint(
    session: Session, who: Who, matter: Matter, asked: Asked, *, calendar: WorkingDays, zone: tzinfo, synthetic: bool = False
) -> Complaint:  # fmt: skip
    """A matter becomes a complaint, with a number, a limit and a caller to be called back. Raises MatterSettled and what `receive` does."""
    _open(session, matter)
    channel = Channel.VISIT if matter.leader_day_id is None else Channel.LEADER_DAY
    complaint = complaints.receive(
        session, who, channel=channel, category=matter.category, description=matter.text, place=asked.place, lon=asked.lon,
        lat=asked.lat, zone=zone, calendar=calendar, caller_name=asked.caller_name or None,
        caller_phone=asked.caller_phone or None, synthetic=synthetic,
    )  # fmt: skip
    matter.complaint_id = complaint.id
    _settled(session, who, matter, "make_complaint", hotline_no=complaint.hotline_no)
    return complaint


def make_promise(session: Session, who: Who, matter: Matter, given: promises.Pledged, *, zone: tzinfo) -> Promise:
    """A matter becomes a public promise. Raises MatterSettled and what `promises.promise` does."""
    _open(session, matter)
    made = promises.promise(session, who, given, zone=zone)
    matter.promise_id = made.id
    _settled(session, who, matter, "make_promise", promise_id=made.id)
    return made


def answer_matter(session: Session, who: Who, matter: Matter, answer: str) -> Matter:
    """What was told to those who raised it. Raises WordsMissing, MatterSettled."""
    _open(session, matter)
    matter.answer, matter.answered_at = masked_text(said("answer", answer, needed=True)), who.now
    _settled(session, who, matter, "answer")
    return matter


def solve_matter(session: Session, who: Who, matter: Matter, solution: str) -> Matter:
    """What was found on the spot is solved, and how. It may be a complaint or a promise too. Raises WordsMissing, AlreadySolved."""
    session.refresh(matter, with_for_update=True)
    if matter.solved_at is not None:
        raise AlreadySolved()
    matter.solution = masked_text(said("answer", solution, needed=True))
    matter.solved_at, matter.solved_by = who.now, who.user_id
    _settled(session, who, matter, "solve")
    return matter


def _open(session: Session, matter: Matter) -> None:
    session.refresh(matter, with_for_update=True)
    if matter.complaint_id is not None or matter.promise_id is not None:
        raise MatterSettled()


def _settled(session: Session, who: Who, matter: Matter, verb: str, **data: Any) -> None:
    with naming_violations(session):
        session.flush()
    journal.write(session, who, verb, "matter", matter.id, version=matter.version, **data)
    session.flush()
