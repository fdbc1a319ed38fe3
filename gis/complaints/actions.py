"""What is done with complaints: receive, step, unmask. Verbs flush; doors commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import clocks, following, law_queries
from gis.complaints.categories import CATEGORIES
from gis.complaints.key_supervision import same_caller
from gis.complaints.lines import check_line
from gis.complaints.model import Caller, Category, Complaint, HotlineCounter
from gis.complaints.privacy import masked_text, normal_phone
from gis.complaints.queries import is_open
from gis.complaints.routing_actions import route_new
from gis.complaints.rules import (
    MOMENTS,
    OPEN,
    PURPOSES,
    Channel,
    Complexity,
    Located,
    PurposeNeeded,
    Status,
    UnknownCategory,
    UnknownChannel,
    UnknownComplexity,
    UnknownVulnerable,
    Vulnerable,
    after,
    clean,
    close_time,
    evidence,
)
from gis.db import check_version, naming_violations
from gis.errors import Missing
from gis.journal import Who
from gis.places.queries import areas_at, check_point, point
from gis.places.rules import from_datum
from gis.workdays import WorkingDays

PURPOSE_MIN = 4


def seed_categories(session: Session) -> None:
    """Add the categories of the house that are not in the dictionary yet."""
    rows = [asdict(seed) for seed in CATEGORIES]
    session.execute(insert(Category).values(rows).on_conflict_do_nothing(index_elements=["code"]))


def receive(
    session: Session,
    who: Who,
    *,
    channel: str,
    category: str,
    description: str,
    place: str,
    lon: float | None,
    lat: float | None,
    datum: str = "wgs84",
    zone: tzinfo,
    calendar: WorkingDays,
    complexity: str | None = None,
    caller_name: str | None = None,
    caller_phone: str | None = None,
    door_no: str | None = None,
    hotline_no: str | None = None,
    source_no: str | None = None,
    line_id: int | None = None,
    synthetic: bool = False,
    sure: bool = False,
    category_said: str | None = None,
    vulnerable: Iterable[str] = (),
) -> Complaint:
    """Take in what somebody told: give it a number, a deadline and the areas it lies in, and keep the caller apart.

    `source_no` is the number that the channel (and its line) gave: the same again is SourceNumberTaken, by constraint.
    Without coordinates it is `not_located`. `sure` keeps coordinates that look like another datum's all the same.
    Which unit answers is decided by the routing rules. `category_said` is the source's own word where the category is
    `unknown`: it waits in the worklist for somebody to choose.
    `vulnerable` marks the household (`Vulnerable`). Raises UnknownChannel, UnknownCategory, UnknownComplexity, BadPhone, TextMissing, TextTooLong, NumberTaken and
    everything of `places.queries.check_point`.
    """
    kind = _dictionary(session, channel, category, complexity)
    check_line(session, channel, line_id)
    texts = {"description": clean("description", description, needed=True), "place": clean("place", place)}
    caller = _caller(caller_name, caller_phone, door_no, vulnerable)
    if hotline_no is not None:
        hotline_no = clean("hotline_no", hotline_no, needed=True)
    where = _where(session, lon, lat, datum, sure)
    chosen = complexity or kind.complexity
    deadline, further = clocks.begin(session, category, chosen, who.now, calendar, zone)
    complaint = Complaint(
        hotline_no=hotline_no or next_number(session, who.now.astimezone(zone).date()), channel=channel,
        category=category, complexity=chosen, status=Status.RECEIVED, **texts, **where, received_at=who.now,
        source_no=clean("source_no", source_no) or None, line_id=line_id, received_by=who.user_id, synthetic=synthetic,
        category_said=clean("place", category_said) or None, **clocks.columns(deadline),
    )  # fmt: skip
    why = route_new(session, complaint, who.now.astimezone(zone).date())
    with naming_violations(session):
        session.add(complaint)
    for one in further:
        one.complaint_id = complaint.id
        session.add(one)
    if caller is not None:
        caller.complaint_id = complaint.id
        session.add(caller)
        session.flush()
    journal.write(
        session, who, "receive", "complaint", complaint.id, version=complaint.version,
        area_id=complaint.district_id, unit_id=complaint.unit_id, channel=channel, category=category, **why,
    )  # fmt: skip
    same_caller(session, who, complaint, caller)
    return complaint


def _dictionary(session: Session, channel: str, category: str, complexity: str | None) -> Category:
    if channel not in set(Channel):
        raise UnknownChannel(channel=channel[:40])
    if complexity is not None and complexity not in set(Complexity):
        raise UnknownComplexity(complexity=complexity[:40])
    kind = session.get(Category, category[:40]) if "\0" not in category else None
    if kind is None:
        raise UnknownCategory(category=category[:40].replace("\0", ""))
    return kind


def _caller(name: str | None, phone: str | None, door_no: str | None, vulnerable: Iterable[str] = ()) -> Caller | None:
    name, phone = clean("caller_name", name), clean("caller_phone", phone)
    door_no, marks = clean("door_no", door_no), sorted(set(vulnerable))
    if unknown := [mark for mark in marks if mark not in set(Vulnerable)]:
        raise UnknownVulnerable(mark=unknown[0][:40], possible=[str(mark) for mark in Vulnerable])
    if not (name or phone or door_no or marks):
        return None
    return Caller(
        name=name or None, phone=normal_phone(phone) if phone else None, door_no=door_no or None, vulnerable=marks
    )


def _where(session: Session, lon: float | None, lat: float | None, datum: str, sure: bool) -> dict[str, Any]:
    """The columns that say where: the point in WGS-84 and what contains it, or that the place is not known."""
    if lon is None or lat is None:
        return {"located": Located.NOT_LOCATED}
    x, y = from_datum(lon, lat, datum) if sure else check_point(session, lon, lat, datum)
    filed = asdict(areas_at(session, x, y))
    filed.pop("unit_id")  # who answers is the rules' question
    return {"located": Located.LOCATED, "geom": point(x, y), **filed}


def next_number(session: Session, day: date) -> str:
    """The next file number of a day, as CM20091117-000123.

    The day's counter row stays locked until this transaction ends: numbers of one day are given one after the other, none
    twice, and one that was rolled back is given again. Numbers that came from outside in our form are stepped over.
    """
    bump = insert(HotlineCounter).values(day=day, last=1)
    bump = bump.on_conflict_do_update(index_elements=["day"], set_={"last": HotlineCounter.last + 1})
    number = session.execute(bump.returning(HotlineCounter.last)).scalar_one()
    prefix = f"CM{day:%Y%m%d}-"
    if session.scalar(select(exists().where(Complaint.hotline_no == f"{prefix}{number:06}"))):
        ours = Complaint.hotline_no.op("~")(f"^{prefix}[0-9]{{6}}$")
        highest = session.scalar(select(func.max(Complaint.hotline_no)).where(ours)) or f"{prefix}{number:06}"
        number = int(highest.removeprefix(prefix)) + 1
        session.execute(update(HotlineCounter).where(HotlineCounter.day == day).values(last=number))
    return f"{prefix}{number:06}"


def take_step(
    session: Session, who: Who, complaint: Complaint, verb: str, *, base_version: int | None = None,
    data: dict[str, Any] | None = None, values: dict[str, Any] | None = None,
) -> Complaint:  # fmt: skip
    """Move a complaint by one of `rules.STEPS`, and write it down. Who may do so is the door's question.

    `data` is the step's evidence and whatever else the journal should tell; it must hold no personal data. `values` are
    columns that change with it. The row is
    locked and read again first, so of two steps at once the second sees the first: StaleVersion where it was made on an
    older version, WrongStep where it is no longer possible; TextMissing or BadEvidence where the evidence is not there.
    """
    session.refresh(complaint, with_for_update=True)
    check_version(complaint, base_version)
    before = complaint.status
    following.check(session, complaint, verb)
    given = evidence(verb, data)
    leads_to = after(before, verb, _facts(complaint, given))
    _fill_moments(complaint, verb, leads_to, given, who.now)
    for name, value in (values or {}).items():
        setattr(complaint, name, value)
    complaint.status = leads_to
    complaint.closed_at = close_time(leads_to, who.now, complaint.closed_at)
    with naming_violations(session):
        if before in OPEN and leads_to not in OPEN:
            clocks.settle(session, who, complaint, met=leads_to in (Status.ANSWERED, Status.CONFIRMED))
    journal.write(
        session, who, verb, "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, before=before, after=str(leads_to), **_told(given),
    )  # fmt: skip
    following.carry(session, who, complaint, verb)
    return complaint


def _facts(complaint: Complaint, given: dict[str, Any]) -> set[str]:
    """What decides between the two ends of a step."""
    facts = {"signed": complaint.signed_at is not None, "answered": given.get("answered"), "unit": given.get("unit_id")}
    return {name for name, holds in facts.items() if holds}


def _fill_moments(complaint: Complaint, verb: str, leads_to: Status, given: dict[str, Any], now: datetime) -> None:
    """The columns that tell when what was done. The first sending stays; what is reopened was not handled after all."""
    if verb in ("send", "uphold_return") and given.get("unit_id") not in (None, complaint.unit_id):
        complaint.unit_id, complaint.signed_at = given["unit_id"], None
    if verb == "uphold_return" or (verb == "recall" and complaint.status == Status.SENT):
        complaint.signed_at = None  # that unit has nothing in hand any more
    if verb == "recall" and complaint.status == Status.SENT and not complaint.return_count + complaint.reopen_count:
        complaint.sent_at = None  # it was never passed on
    if leads_to == Status.SENT and verb in ("send", "uphold_return"):
        complaint.handed_at = now
    if verb in ("send", "sign"):
        setattr(complaint, MOMENTS[verb], getattr(complaint, MOMENTS[verb]) or now)
    elif verb in MOMENTS:
        setattr(complaint, MOMENTS[verb], now)
    if leads_to in (Status.ANSWERED, Status.CONFIRMED):  # whoever confirms was called: that call answers
        complaint.resolved_at = complaint.resolved_at or now
        complaint.answered_at = complaint.answered_at or now
    if given.get("answer"):
        complaint.answer = given["answer"]
    if verb == "reopen":
        complaint.resolved_at = complaint.answered_at = complaint.confirmed_at = None
        complaint.reopen_count += 1
    if verb == "supervise":
        complaint.key_since = complaint.key_since or now
    if verb in ("merge", "split"):
        complaint.merged_into_id = given.get("into")


def _told(given: dict[str, Any]) -> dict[str, Any]:
    """The evidence as the journal keeps it: telephone numbers behind stars, moments as text."""
    told = {"to_unit_id" if key == "unit_id" else key: value for key, value in given.items()}
    return {key: masked_text(v) if isinstance(v, str) else v.isoformat() if isinstance(v, datetime) else v
            for key, v in told.items()}  # fmt: skip


def renew_deadlines(session: Session, who: Who, calendar: WorkingDays, zone: tzinfo) -> int:
    """Count again the deadlines of open complaints that were counted without a calendar; how many are final now.

    For when a missing year has been filled in. A deadline that was counted with a calendar is a promise, and stays.
    """
    asked = select(Complaint).where(is_open(), Complaint.calendar_missing).order_by(Complaint.id).with_for_update()
    renewed = 0
    for complaint in session.scalars(asked):
        deadline = clocks.counted(session, complaint, law_queries.city(session, calendar, zone))
        if deadline.missing_years:
            continue
        before = complaint.resolve_by
        complaint.resolve_by, complaint.calendar_missing = deadline.resolve_by, False
        complaint.warn_at, complaint.late_at = deadline.warn_at, deadline.late_at
        session.flush()
        journal.write(
            session, who, "renew_deadline", "complaint", complaint.id, version=complaint.version,
            area_id=complaint.district_id, unit_id=complaint.unit_id, before=before.isoformat(),
            after=deadline.resolve_by.isoformat(),
        )  # fmt: skip
        renewed += 1
    return renewed


@dataclass(frozen=True)
class Unmasked:
    """A caller as told to somebody who said why."""

    name: str | None
    phone: str | None
    door_no: str | None
    email: str | None = None


def unmask(session: Session, who: Who, complaint: Complaint, purpose: str | None) -> Unmasked:
    """The caller's name, number and door, for a purpose that the journal keeps: one of PURPOSES, or said in words.

    Raises PurposeNeeded, and Missing where nobody's number was kept. Whether this person may is the door's question.
    """
    said = masked_text(clean("purpose", purpose))
    if said not in PURPOSES and len(said) < PURPOSE_MIN:
        raise PurposeNeeded()
    caller = session.get(Caller, complaint.id)
    if caller is None:
        raise Missing(thing="caller", id=complaint.hotline_no)
    journal.write(
        session, who, "unmask", "complaint", complaint.id, version=complaint.version, area_id=complaint.district_id,
        unit_id=complaint.unit_id, purpose=said,
    )  # fmt: skip
    session.flush()
    return Unmasked(caller.name, caller.phone, caller.door_no, caller.email)
