"""What is done under the law beside plain steps: passing on, returns, extensions, pauses, urging, further limits.

Each verb locks the complaint, asks the rule that applied to it, keeps its own row, and takes the step, all in one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gis.complaints import clocks, law_queries
from gis.complaints.actions import take_step
from gis.complaints.law_model import Extension, Pause, Reminder, ReturnRequest
from gis.complaints.law_words import (
    ExtensionTooLong,
    LimitPassed,
    NoExtension,
    NoSuchMeasure,
    NothingAsked,
    NotPaused,
    PauseTooLong,
    ReturnTooLate,
    Ruling,
)
from gis.complaints.limits import City, extended, longest_pause, return_by, shifted
from gis.complaints.model import Complaint
from gis.complaints.rules import after, evidence
from gis.db import check_version, naming_violations
from gis.journal import Who

Data = dict[str, Any] | None


def _begin(session: Session, complaint: Complaint, verb: str, base_version: int | None, data: Data) -> dict[str, Any]:
    """Lock it, and refuse what cannot be before anything is kept; the evidence, read."""
    session.refresh(complaint, with_for_update=True)
    check_version(complaint, base_version)
    after(complaint.status, verb)
    return evidence(verb, data)


def _keep(session: Session, row: Any) -> None:
    """Add a row; a second one that waits or runs at the same time is refused by name, and only that."""
    with naming_violations(session):
        session.add(row)


def send(
    session: Session, who: Who, complaint: Complaint, *, city: City, base_version: int | None = None, data: Data = None
) -> Complaint:
    """Pass it on (转办). Where its rule counts from the first sending, that is when its clock begins."""
    given = _begin(session, complaint, "send", base_version, data)
    values: dict[str, Any] = {}
    if complaint.sent_at is None:
        found = clocks.counted(session, complaint, city, who.now)
        if found.resolve_by != complaint.resolve_by and not complaint.batch_id:
            values = clocks.columns(found)
    return take_step(session, who, complaint, "send", data=given, values=values)


def give_back(
    session: Session, who: Who, complaint: Complaint, *, city: City, base_version: int | None = None, data: Data = None
) -> ReturnRequest:
    """A body says that it is not its duty (退单): with a coded ground and evidence, within the days its rule gives.

    Raises ReturnTooLate. The clock goes on meanwhile: whatever is decided, it counts from the first sending.
    """
    given = _begin(session, complaint, "return", base_version, data)
    limit = law_queries.limit_of(session, complaint, city.zone)
    latest = return_by(complaint.handed_at or complaint.sent_at or complaint.received_at, limit, city)
    if who.now > latest:
        raise ReturnTooLate(days=limit.return_days, until=f"{latest:%Y-%m-%d %H:%M}")
    asked = ReturnRequest(
        complaint_id=complaint.id, unit_id=complaint.unit_id, ground=given["ground"], evidence=given["evidence"],
        asked_at=who.now, asked_by=who.user_id, return_by=latest, verdict=Ruling.WAITING, note="",
    )  # fmt: skip
    _keep(session, asked)
    take_step(session, who, complaint, "return", data=given, values={"return_count": complaint.return_count + 1})
    return asked


def judge_return(
    session: Session, who: Who, complaint: Complaint, verb: str, *, base_version: int | None = None, data: Data = None
) -> ReturnRequest:
    """The arbiter upholds a return (to another body, or back to the desk) or refuses it (it stays where it was)."""
    given = _begin(session, complaint, verb, base_version, data)
    asked = law_queries.waiting_return(session, complaint.id)
    if asked is None:
        raise NothingAsked()
    asked.verdict = Ruling.GRANTED if verb == "uphold_return" else Ruling.REFUSED
    asked.decided_at, asked.decided_by, asked.note = who.now, who.user_id, given.get("note", "")
    take_step(session, who, complaint, verb, data=given)
    return asked


def ask_extension(
    session: Session, who: Who, complaint: Complaint, *, city: City, base_version: int | None = None, data: Data = None
) -> Extension:
    """Ask for more working days, before the limit has passed and within what the rule allows.

    Raises LimitPassed, NoExtension, ExtensionTooLong; AlreadyAsked where one waits.
    """
    given = _begin(session, complaint, "request_extension", base_version, data)
    most = _most_days(session, complaint, who.now, city)
    if given["days"] > most:
        raise ExtensionTooLong(most=most)
    asked = Extension(
        complaint_id=complaint.id, days=given["days"], reason=given["note"], further=complaint.extension_count > 0,
        asked_at=who.now, asked_by=who.user_id, verdict=Ruling.WAITING, before=complaint.resolve_by, note="",
    )  # fmt: skip
    _keep(session, asked)
    take_step(session, who, complaint, "request_extension", data=given)
    return asked


def _most_days(session: Session, complaint: Complaint, now: datetime, city: City) -> int:
    """How many days may be granted now: first the rule's extension, then its further one, then no more."""
    if now > complaint.resolve_by and complaint.paused_at is None:
        raise LimitPassed()
    limit = law_queries.limit_of(session, complaint, city.zone)
    most = (limit.extension_days, limit.further_days, 0)[min(complaint.extension_count, 2)]
    if not most:
        raise NoExtension(rule=limit.source)
    return most


def judge_extension(
    session: Session, who: Who, complaint: Complaint, verb: str, *, city: City, base_version: int | None = None,
    data: Data = None,
) -> Extension:  # fmt: skip
    """Grant what was asked (or fewer days), or refuse it. What was asked in time may be granted after the old limit."""
    given = _begin(session, complaint, verb, base_version, data)
    asked = law_queries.waiting_extension(session, complaint.id)
    if asked is None:
        raise NothingAsked()
    values: dict[str, Any] = {}
    granted, end = 0, None
    if verb == "grant_extension":
        most = _most_days(session, complaint, asked.asked_at, city)
        granted = given.setdefault("days", asked.days)
        if granted > most:
            raise ExtensionTooLong(most=most)
        end = extended(complaint.resolve_by, granted, city)
        values = _moved(session, complaint, end, who.now, city) | {"extension_count": complaint.extension_count + 1}
        given["resolve_by"] = end.isoformat()
    asked.verdict = Ruling.GRANTED if granted else Ruling.REFUSED
    asked.granted_days, asked.resolve_by = granted, end
    asked.decided_at, asked.decided_by, asked.note = who.now, who.user_id, given.get("note", "")
    take_step(session, who, complaint, verb, data=given, values=values)
    return asked


def _moved(session: Session, complaint: Complaint, end: datetime, now: datetime, city: City) -> dict[str, Any]:
    """The columns of the new deadline. An alarm that rang for the old one is silent again, where the new one lies ahead."""
    values = clocks.until(session, complaint, end, city)
    rang = 0 if values["warn_at"] and values["warn_at"] > now else 1 if end > now else complaint.alarm
    return values | {"alarm": min(complaint.alarm, rang)}


def pause(
    session: Session, who: Who, complaint: Complaint, *, base_version: int | None = None, data: Data = None
) -> Pause:
    """Stop the clock for a listed cause until a stated moment at the latest.

    Raises PauseTooLong, LimitPassed (what is overdue cannot be stopped), AlreadyPaused.
    """
    given = _begin(session, complaint, "pause", base_version, data)
    latest = longest_pause(given["cause"], who.now)
    if not who.now < given["until"] <= latest:
        raise PauseTooLong(until=f"{latest:%Y-%m-%d %H:%M}")
    if who.now > complaint.resolve_by:
        raise LimitPassed()
    stands = Pause(
        complaint_id=complaint.id, cause=given["cause"], reason=given["note"], began_at=who.now, until=given["until"],
        before=complaint.resolve_by, by_user=who.user_id,
    )  # fmt: skip
    _keep(session, stands)
    take_step(session, who, complaint, "pause", data=given, values={"paused_at": who.now})
    return stands


def resume(
    session: Session, who: Who, complaint: Complaint, *, city: City, base_version: int | None = None, data: Data = None
) -> Pause:
    """Let the clock run again: every limit moves on by what its own clock lost. Raises NotPaused."""
    given = _begin(session, complaint, "resume", base_version, data)
    return _run_again(session, who, complaint, city, given, "resume")


def _run_again(session: Session, who: Who, complaint: Complaint, city: City, given: dict[str, Any], verb: str) -> Pause:
    stands = law_queries.running_pause(session, complaint.id)
    if stands is None:
        raise NotPaused()
    stands.ended_at = min(who.now, stands.until) if who.user_id is None else who.now
    limit = law_queries.limit_of(session, complaint, city.zone)
    end = shifted(limit, complaint.resolve_by, stands.began_at, stands.ended_at, city)
    for one in law_queries.deadlines(session, complaint.id):
        if one.met_at is None:
            rule = law_queries.limit_by_id(session, one.limit_rule_id) or limit
            was, one.due_at = one.due_at, shifted(rule, one.due_at, stands.began_at, stands.ended_at, city)
            one.warn_at = one.warn_at and one.warn_at + (one.due_at - was)
    values = _moved(session, complaint, end, who.now, city) | {"paused_at": None}
    take_step(session, who, complaint, verb, data=given | {"resolve_by": end.isoformat()}, values=values)
    return stands


def urge(
    session: Session, who: Who, complaint: Complaint, *, base_version: int | None = None, data: Data = None
) -> Reminder:
    """Remind the body that answers (催办)."""
    given = _begin(session, complaint, "urge", base_version, data)
    made = Reminder(
        complaint_id=complaint.id, unit_id=complaint.unit_id, at=who.now, user_id=who.user_id,
        note=given.get("note", ""),
    )  # fmt: skip
    _keep(session, made)
    take_step(session, who, complaint, "urge", data=given, values={"urge_count": complaint.urge_count + 1})
    return made


def meet(
    session: Session, who: Who, complaint: Complaint, *, base_version: int | None = None, data: Data = None
) -> Complaint:
    """One of the further limits is met: what it asked for is done. Raises NoSuchMeasure."""
    given = _begin(session, complaint, "meet", base_version, data)
    open_ones = {one.measure: one for one in law_queries.deadlines(session, complaint.id) if one.met_at is None}
    if given["measure"] not in open_ones:
        raise NoSuchMeasure(measure=given["measure"])
    open_ones[given["measure"]].met_at = who.now
    return take_step(session, who, complaint, "meet", data=given)
