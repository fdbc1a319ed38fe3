"""Visits: one alone (a surprise visit, say), and what becomes of a planned one when its inspection is filed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.db import check_version
from gis.errors import Missing
from gis.inspections import round_queries, site_queries
from gis.inspections.round_model import SiteVisit
from gis.inspections.round_rules import BadRound, NoInspector, Origin, ReasonMissing, VisitStatus, WrongRoundState
from gis.journal import Who
from gis.people.rules import Scope

# The bureau's own inspection ends one planned visit of its site: the inspector's own first, then the earliest.
_FILED = text(
    """
    UPDATE site_visit SET status = 'done', inspection_id = :inspection, version = site_visit.version + 1
     WHERE id = (SELECT v.id FROM site_visit v LEFT JOIN inspection_round r ON r.id = v.round_id
                  WHERE v.site_id = :site AND v.status = 'planned' AND (r.id IS NULL OR r.status IN ('fixed', 'ended'))
                    AND NOT (SELECT is_self FROM inspection WHERE id = :inspection)
                  ORDER BY v.inspector_id IS NOT DISTINCT FROM :user DESC, v.on_day NULLS LAST, v.id LIMIT 1 FOR UPDATE OF v)
    RETURNING id, round_id, version
    """
)


def expecting(session: Session, sites: Sequence[int]) -> set[int]:
    """At which of these sites is a visit planned at all?"""
    if not sites:
        return set()
    question = text("SELECT DISTINCT site_id FROM site_visit WHERE status = 'planned' AND site_id = ANY(:sites)")
    return set(session.scalars(question, {"sites": sorted(set(sites))}))


def filed(session: Session, who: Who, site_id: int, inspection_id: UUID) -> int | None:
    """The visit that this inspection was; None where none was planned, or where the unit inspected itself."""
    row = session.execute(_FILED, {"site": site_id, "inspection": inspection_id, "user": who.user_id}).one_or_none()
    if row is None:
        return None
    journal.write(session, who, "done", "site_visit", row.id, version=row.version, inspection_id=str(inspection_id),
                  round_id=row.round_id, site_id=site_id)  # fmt: skip
    session.flush()
    return int(row.id)


def single(
    session: Session, who: Who, scope: Scope, site_id: int, inspector_id: int, on_day: date, *, surprise: bool, reason: str,
    today: date,
) -> SiteVisit:  # fmt: skip
    """One visit outside of every round. Raises Missing outside the scope, NoInspector for somebody who may not go there."""
    if site_id >= 1 << 62 or not site_queries.visible(session, scope, site_id):
        raise Missing(thing="site", id=site_id)
    if on_day < today:
        raise BadRound(reason="the day is over")
    chosen = next((row for row in round_queries.inspectors(session, scope, today) if row["id"] == inspector_id), None)
    if chosen is None or site_id not in round_queries.may_visit(session, chosen, [site_id]):
        raise NoInspector()
    made = SiteVisit(site_id=site_id, origin=Origin.SINGLE, surprise=surprise, status=VisitStatus.PLANNED, reason=reason.strip()[:300],
                     inspector_id=inspector_id, on_day=on_day)  # fmt: skip
    session.add(made)
    session.flush()
    journal.write(session, who, "plan", "site_visit", made.id, version=1, site_id=site_id, surprise=surprise)
    session.flush()
    return made


def call_off(
    session: Session, who: Who, scope: Scope, visit_id: int, reason: str, base_version: int | None
) -> SiteVisit:
    """A planned visit outside of a round is not made."""
    visit = session.get(SiteVisit, visit_id, with_for_update=True) if visit_id < 1 << 62 else None
    if visit is None or visit.round_id is not None or not site_queries.visible(session, scope, visit.site_id):
        raise Missing(thing="visit", id=visit_id)
    check_version(visit, base_version)
    if visit.status != VisitStatus.PLANNED:
        raise WrongRoundState()
    if not reason.strip():
        raise ReasonMissing()
    visit.status, visit.reason = VisitStatus.DROPPED, reason.strip()[:300]
    session.flush()
    journal.write(session, who, "drop", "site_visit", visit.id, version=visit.version, reason=visit.reason)
    session.flush()
    return visit
