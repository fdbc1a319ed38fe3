"""What is done with shutdowns: saved from an isolation, begun, put off, ended; valves turned and put back. Verbs flush."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis import journal
from gis.db import SRID, check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.network import tracing_queries
from gis.network.model import Valve
from gis.network.outage_model import Outage, OutagePoint, OutageValve, RepairLimit
from gis.network.outage_rules import (
    OPEN_OUTAGES,
    OUTAGE_STEPS,
    REASON_MOST,
    OutageKind,
    OutageStatus,
    OutageStepRefused,
    TimesBackward,
    ValveAction,
    ValveHeld,
    ValvesStillClosed,
)
from gis.network.topology_actions import bump
from gis.network.trace import ValveRole
from gis.network.tracing_answers import Answer, Asked, ask


@dataclass(frozen=True)
class Notice:
    """What a person writes when a shutdown is saved."""

    request_id: UUID
    kind: OutageKind
    reason: str
    place: str
    begins_at: datetime
    expected_end_at: datetime


def save(session: Session, who: Who, asked: Asked, notice: Notice, zone: tzinfo) -> Outage:
    """Keep an isolation as a shutdown: the valves in order, and who loses service, frozen as it is now.

    An emergency runs at once, and its repair clock is the limit in force. Raises TimesBackward, NoSuchPlace, OutageSaved,
    ValveWantedOtherwise.
    """
    reason = notice.reason.strip()[:REASON_MOST]
    if not reason:
        raise BadInput(reason="reason")
    if notice.expected_end_at <= notice.begins_at:
        raise TimesBackward()
    answer = ask(session, asked)
    made = _outage(session, who, asked, notice, answer, reason, zone)
    with naming_violations(session):
        session.add(made)
    with naming_violations(session):
        session.add_all(_valves(made, answer))
    session.add_all(_points(made, answer.lost.points))
    _write(
        session, who, "announce" if made.status == OutageStatus.ANNOUNCED else "begin", made, households=made.households
    )
    session.flush()
    return made


def _outage(
    session: Session, who: Who, asked: Asked, notice: Notice, answer: Answer, reason: str, zone: tzinfo
) -> Outage:
    emergency = notice.kind == OutageKind.EMERGENCY
    pipe = answer.pipe or {}
    limit = limit_of(session, pipe.get("utility", "")) if emergency else None
    lon, lat = tracing_queries.middle(session, answer.start)
    totals = answer.lost.totals
    return Outage(
        request_id=notice.request_id, no=_number(session, who, zone), kind=notice.kind, utility=pipe["utility"],
        status=OutageStatus.RUNNING if emergency else OutageStatus.ANNOUNCED, crossing=asked.crossing, reason=reason,
        place=notice.place.strip()[:160] or pipe["code"], pipeline_id=pipe["id"], unit_id=pipe["unit_id"],
        geom=WKTElement(f"POINT({lon} {lat})", srid=SRID), begins_at=notice.begins_at, begun_at=who.now if emergency else None,
        expected_end_at=notice.expected_end_at, limit_h=limit.hours if limit else None, limit_source=limit.source if limit else None,
        households=totals["households"], people=totals["people"], vulnerable_households=totals["vulnerable_households"],
        stations=[{key: row[key] for key in ("id", "code", "name", "operator", "unit", "households", "grace_min")}
                  for row in answer.lost.stations], made_at=who.now, made_by=who.user_id,
    )  # fmt: skip


def limit_of(session: Session, utility: str) -> RepairLimit | None:
    """The repair limit in force for this utility."""
    return session.scalar(select(RepairLimit).where(RepairLimit.utility == utility, RepairLimit.active))


def _number(session: Session, who: Who, zone: tzinfo) -> str:
    """TG20091117-0001, one after the other: whoever numbers waits for whoever is numbering."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('chengmai outage number'))"))
    prefix = f"TG{who.now.astimezone(zone):%Y%m%d}-"
    last = session.scalar(select(func.max(Outage.no)).where(Outage.no.startswith(prefix))) or f"{prefix}0000"
    return f"{prefix}{int(last.removeprefix(prefix)) + 1:04}"


def _valves(made: Outage, answer: Answer) -> list[OutageValve]:
    steps = [(row["id"], ValveAction.CLOSE, row["role"]) for row in answer.valves]
    steps += [(valve, ValveAction.OPEN, "feed") for valve in answer.asked.opened if valve not in {s[0] for s in steps}]
    return [
        OutageValve(outage_id=made.id, valve_id=valve, position=n, action=action, role=role)
        for n, (valve, action, role) in enumerate(steps, 1)
    ]


def _points(made: Outage, rows: Sequence[dict[str, Any]]) -> list[OutagePoint]:
    return [
        OutagePoint(
            outage_id=made.id, supply_point_id=row["id"], name=row["name"], utility=row["utility"], area_id=row["area_id"],
            area=row["area"] or "", unit=row["unit"] or "", households=row["households"], people=row["people"],
            vulnerable_households=row["vulnerable_households"], geom=WKTElement(f"POINT({row['lon']} {row['lat']})", srid=SRID),
        )
        for row in rows
    ]  # fmt: skip


def locked(session: Session, outage_id: int) -> Outage:
    """The shutdown, locked until the transaction ends. Raises Missing."""
    found = session.scalar(
        select(Outage).where(Outage.id == outage_id).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(thing="outage", id=outage_id)
    return found


def step(
    session: Session, who: Who, outage_id: int, verb: str, *, expected_end_at: datetime | None = None, note: str = "",
    base_version: int | None = None,
) -> Outage:  # fmt: skip
    """Take a step of the table. Raises OutageStepRefused, ValvesStillClosed, TimesBackward, StaleVersion."""
    outage = locked(session, outage_id)
    check_version(outage, base_version)
    rule = OUTAGE_STEPS[verb]
    if OutageStatus(outage.status) not in rule.before:
        raise OutageStepRefused(outage=outage.status)
    told: dict[str, Any] = {"note": note.strip()[:REASON_MOST]} if note.strip() else {}
    if verb == "postpone":
        if expected_end_at is None or expected_end_at <= outage.begins_at:
            raise TimesBackward()
        told["before"], told["after"] = outage.expected_end_at.isoformat(), expected_end_at.isoformat()
        outage.expected_end_at = expected_end_at
    if verb == "begin":
        outage.begun_at = who.now
    if rule.after is not None:
        if rule.after not in OPEN_OUTAGES:
            _let_go(session, outage)
            outage.ended_at = who.now
        outage.status = rule.after
    with naming_violations(session):
        _write(session, who, verb, outage, **told)
    return outage


def _let_go(session: Session, outage: Outage) -> None:
    rows = session.scalars(select(OutageValve).where(OutageValve.outage_id == outage.id)).all()
    still = sum(row.turned_at is not None and row.back_at is None for row in rows)
    if still:
        raise ValvesStillClosed(n=still)
    for row in rows:
        row.held = False


def turn(session: Session, who: Who, outage_id: int, valve_id: int, *, back: bool) -> OutageValve:
    """A valve was turned as the shutdown wants, or put back as it stood. The network's valve stands so from now on.

    Raises OutageStepRefused while the shutdown does not run or this was done, ValveHeld when another one needs it as it is.
    """
    outage = locked(session, outage_id)
    row = session.get(OutageValve, (outage_id, valve_id), populate_existing=True)
    if row is None:
        raise Missing(thing="valve", id=valve_id)
    if (
        outage.status != OutageStatus.RUNNING
        or row.role == ValveRole.SHUT
        or (row.back_at or (None if back else row.turned_at))
    ):
        raise OutageStepRefused(outage=outage.status)
    if back and row.turned_at is None:
        raise OutageStepRefused(outage=outage.status)
    valve = session.scalars(
        select(Valve).where(Valve.id == valve_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if back:
        _not_held(session, outage, valve, row.action)
        row.back_at, row.back_by = who.now, who.user_id
    else:
        row.turned_at, row.turned_by = who.now, who.user_id
    valve.is_open = (row.action == ValveAction.OPEN) != back
    session.flush()
    bump(session, valve.utility)
    verb = "open_valve" if valve.is_open else "close_valve"
    journal.write(session, who, verb, "valve", valve.id, version=valve.version, outage=outage.no, code=valve.code)
    _write(session, who, verb, outage, valve=valve.code)
    session.flush()
    return row


def _not_held(session: Session, outage: Outage, valve: Valve, action: str) -> None:
    """Is there another running shutdown that has turned this valve the same way, and still needs it so?"""
    no = session.scalar(
        select(Outage.no)
        .join(OutageValve, OutageValve.outage_id == Outage.id)
        .where(
            OutageValve.valve_id == valve.id, Outage.id != outage.id, OutageValve.held, OutageValve.action == action,
            Outage.status == OutageStatus.RUNNING, OutageValve.back_at.is_(None),
        )
        .order_by(Outage.id)
        .limit(1)
    )  # fmt: skip
    if no is not None:
        raise ValveHeld(valve=valve.code, no=no)


def put_limit(
    session: Session, who: Who, *, utility: str, hours: float, source: str, active: bool, limit_id: int | None = None,
    base_version: int | None = None,
) -> RepairLimit:  # fmt: skip
    """Write a repair limit with its source; one per utility is in force."""
    if not source.strip() or not 0 < hours <= 24 * 60:
        raise BadInput(reason="source" if not source.strip() else "hours")
    row = session.get(RepairLimit, limit_id) if limit_id else RepairLimit(utility=utility)
    if row is None:
        raise Missing(thing="repair_limit", id=limit_id)
    check_version(row, base_version)
    row.utility, row.hours, row.source, row.active = utility, hours, source.strip()[:200], active
    with naming_violations(session):
        session.add(row)
    journal.write(session, who, "change", "repair_limit", row.id, version=row.version, hours=hours, active=active)
    session.flush()
    return row


def _write(session: Session, who: Who, verb: str, outage: Outage, **data: Any) -> None:
    session.flush()
    journal.write(
        session, who, verb, "outage", outage.id, version=outage.version, unit_id=outage.unit_id, no=outage.no, **data
    )
    session.flush()
