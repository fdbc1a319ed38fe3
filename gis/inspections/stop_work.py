"""Orders to stop the works at a site (停工): issued for a finding, lifted by its re-inspection or by a supervisor.

The row of the site is locked first, and a trigger on work orders locks the same row: an order of the contractor at the place is
either booked before the works were stopped, or refused because of it.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version, naming_violations
from gis.inspections import finding_queries as queries
from gis.inspections.finding_model import Finding, PaperCounter, StopWork
from gis.inspections.finding_rules import LIVE, CannotStop, NotStopped, stop_no, words_of
from gis.inspections.model import Site
from gis.journal import Who
from gis.people.rules import Scope


def next_number(session: Session, kind: str, year: int) -> int:
    """The next number of a kind of paper in a year; the counter's row stays locked until the transaction ends."""
    bump = insert(PaperCounter).values(kind=kind, year=year, last=1)
    bump = bump.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": PaperCounter.last + 1})
    return int(session.execute(bump.returning(PaperCounter.last)).scalar_one())


def stop(session: Session, who: Who, scope: Scope, finding_id: int, reason: str, zone: tzinfo) -> StopWork:
    """Stop the works at the site of a finding. Raises Missing, CannotStop, AlreadyStopped, FindingWordsMissing."""
    finding = queries.finding_for_change(session, scope, finding_id)
    said = words_of(reason, needed=True)
    rule = queries.rules(session)[finding.severity]
    if finding.site_id is None or finding.unit_id is None or finding.status not in LIVE or not rule.may_stop:
        raise CannotStop()
    session.execute(select(Site.id).where(Site.id == finding.site_id).with_for_update())
    year = who.now.astimezone(zone).year
    number = next_number(session, "stop_work", year)
    made = StopWork(
        year=year, number=number, stop_no=stop_no(year, number), site_id=finding.site_id, finding_id=finding.id,
        unit_id=finding.unit_id, contractor_id=finding.contractor_id, reason=said, stopped_at=who.now,
        stopped_by=who.user_id, synthetic=finding.synthetic,
    )  # fmt: skip
    with naming_violations(session):
        session.add(made)
    _told(session, who, made, finding, "stop", stop_no=made.stop_no)
    return made


def lift(session: Session, who: Who, scope: Scope, stop_id: int, reason: str, base_version: int | None) -> StopWork:
    """A supervisor lets the works go on. Raises Missing, NotStopped, StaleVersion, FindingWordsMissing."""
    queries.stop_shown(session, scope, stop_id)
    order = session.get_one(StopWork, stop_id, with_for_update=True, populate_existing=True)
    check_version(order, base_version)
    if order.lifted_at is not None:
        raise NotStopped()
    _lift(session, who, order, session.get_one(Finding, order.finding_id), words_of(reason, needed=True))
    return order


def lift_for(session: Session, who: Who, finding: Finding, why: str) -> None:
    """The finding that stopped the works is over: so is the order, where one stands."""
    asked = select(StopWork).where(StopWork.finding_id == finding.id, StopWork.lifted_at.is_(None)).with_for_update()
    order = session.scalar(asked, execution_options={"populate_existing": True})
    if order is not None:
        _lift(session, who, order, finding, why)


def _lift(session: Session, who: Who, order: StopWork, finding: Finding, why: str) -> None:
    order.lifted_at, order.lifted_by, order.lift_reason = who.now, who.user_id, why
    session.flush()
    _told(session, who, order, finding, "lift", stop_no=order.stop_no)


def _told(session: Session, who: Who, order: StopWork, finding: Finding, verb: str, **data: Any) -> None:
    """On the order's own line, and on the finding's."""
    area, unit = finding.area_id, order.unit_id
    journal.write(
        session,
        who,
        verb,
        "stop_work",
        order.id,
        version=order.version,
        area_id=area,
        unit_id=unit,
        site_id=order.site_id,
    )
    journal.write(session, who, f"{verb}_work", "finding", finding.id, area_id=area, unit_id=unit, **data)
    session.flush()
