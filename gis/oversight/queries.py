"""What is asked about notices, calls and handovers. Every question narrows by the scope; a notice only when all of it is inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, or_, select, true
from sqlalchemy.orm import Session, aliased

from gis.complaints.model import Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.dispatch.model import WorkOrder
from gis.errors import Missing
from gis.inspections.finding_model import Finding
from gis.inspections.model import Site
from gis.oversight.model import FollowUpCall, NoticeComplaint, NoticeFinding, OversightRule, SupervisionNotice
from gis.oversight.rules import (
    AWAITING,
    RULES,
    NoticeReason,
    NoticeStatus,
    Satisfaction,
)
from gis.people.model import Unit, User
from gis.people.rules import Scope, UnitKind
from gis.places.queries import within

Row = Mapping[str, Any]
PAGE = 50
PROPOSED = 500


def numbers(session: Session) -> dict[str, OversightRule]:
    """The bureau's numbers by code; what is not stored yet is the house's own."""
    stored = {row.code: row for row in session.scalars(select(OversightRule))}
    return {
        code: stored.get(code) or OversightRule(code=code, value=seed.value, source=seed.source, version=1)
        for code, seed in RULES.items()
    }


def number(session: Session, code: str) -> int:
    """One of the bureau's numbers."""
    value = session.scalar(select(OversightRule.value).where(OversightRule.code == code))
    return RULES[code].value if value is None else value


def issuers(session: Session) -> list[Unit]:
    """Who can issue a notice: the bodies of kind bureau, or all bodies where none is."""
    found = list(session.scalars(select(Unit).order_by(Unit.kind != UnitKind.BUREAU, Unit.id)))
    bureaus = [u for u in found if u.kind == UnitKind.BUREAU]
    return bureaus or found


# --- notices ---------------------------------------------------------------------------------------------------------
def notice_visible(scope: Scope) -> list[ColumnElement[bool]]:
    """The WHERE of the notices that a person may see: to their unit, and about nothing outside their area."""
    found: list[ColumnElement[bool]] = []
    if scope.unit_id is not None:
        found.append(SupervisionNotice.unit_id == scope.unit_id)
        found.append(SupervisionNotice.status != NoticeStatus.ISSUED)  # not sent yet: the bureau's own paper
    inner = within(scope)
    if inner is not None:
        inside = and_(*visible(Scope(area_id=scope.area_id)))
        outside = (
            select(NoticeComplaint.notice_id)
            .join(Complaint, Complaint.id == NoticeComplaint.complaint_id)
            .where(NoticeComplaint.notice_id == SupervisionNotice.id, not_(func.coalesce(inside, False)))
            .correlate(SupervisionNotice)
        )
        found.append(not_(exists(outside)))
        elsewhere = (
            select(NoticeFinding.notice_id)
            .join(Finding, Finding.id == NoticeFinding.finding_id)
            .where(
                NoticeFinding.notice_id == SupervisionNotice.id,
                not_(func.coalesce(Finding.area_id.in_(inner), False)),
            )
            .correlate(SupervisionNotice)
        )
        found.append(not_(exists(elsewhere)))
    return found


_TO, _FROM = aliased(Unit), aliased(Unit)


def _notices() -> Any:
    about = select(func.count()).select_from(NoticeComplaint).where(NoticeComplaint.notice_id == SupervisionNotice.id)
    of_findings = select(func.count()).select_from(NoticeFinding).where(NoticeFinding.notice_id == SupervisionNotice.id)
    about_count = (
        about.correlate(SupervisionNotice).scalar_subquery()
        + of_findings.correlate(SupervisionNotice).scalar_subquery()
    )
    return (
        select(*SupervisionNotice.__table__.c, _TO.name.label("unit"), _FROM.name.label("issuer"), about_count.label("about"),
               User.full_name.label("issued_by_name"))
        .join(_TO, _TO.id == SupervisionNotice.unit_id)
        .join(_FROM, _FROM.id == SupervisionNotice.issuer_id)
        .outerjoin(User, User.id == SupervisionNotice.issued_by)
    )  # fmt: skip


def notice_overdue(now: datetime) -> ColumnElement[bool]:
    """Waiting for the unit, beyond its limit."""
    return and_(SupervisionNotice.status.in_(tuple(sorted(AWAITING))), SupervisionNotice.reply_by < now)


def notices(
    session: Session, scope: Scope, now: datetime, *, status: str = "", unit: int | None = None, year: int | None = None,
    page: int = 1,
) -> tuple[int, list[Row]]:  # fmt: skip
    """How many notices are there, and which are on this page: those beyond their limit first, then the newest."""
    asked = _notices().where(*notice_visible(scope))
    if status == "open":
        asked = asked.where(SupervisionNotice.ended_at.is_(None))
    elif status == "overdue":
        asked = asked.where(notice_overdue(now))
    elif status:
        asked = asked.where(SupervisionNotice.status == status)
    if unit is not None:
        asked = asked.where(SupervisionNotice.unit_id == unit)
    if year is not None:
        asked = asked.where(SupervisionNotice.year == year)
    total = int(session.scalar(select(func.count()).select_from(asked.order_by(None).subquery())) or 0)
    order = (case((notice_overdue(now), 0), else_=1), SupervisionNotice.issued_at.desc(), SupervisionNotice.id.desc())
    rows = session.execute(asked.order_by(*order).limit(PAGE).offset((page - 1) * PAGE)).mappings()
    return total, [dict(row) for row in rows]


def notice(session: Session, scope: Scope, notice_id: int) -> Row:
    """One notice with its names, or Missing."""
    asked = _notices().where(SupervisionNotice.id == notice_id, *notice_visible(scope))
    row = session.execute(asked).mappings().one_or_none()
    if row is None:
        raise Missing(thing="notice", id=notice_id)
    return dict(row)


def notice_for_change(session: Session, scope: Scope, notice_id: int) -> SupervisionNotice:
    """The notice itself, locked, or Missing."""
    asked = select(SupervisionNotice).where(SupervisionNotice.id == notice_id, *notice_visible(scope))
    found = session.scalar(asked.with_for_update(), execution_options={"populate_existing": True})
    if found is None:
        raise Missing(thing="notice", id=notice_id)
    return found


def _cases() -> Any:
    return select(
        Complaint.id, Complaint.hotline_no, Complaint.place, Complaint.description, Complaint.status, Complaint.received_at,
        Complaint.resolve_by, Complaint.closed_at, Complaint.unit_id, Complaint.version, Complaint.category,
        Category.name.label("category_zh"), Category.name_en.label("category_en"),
    ).join(Category, Category.code == Complaint.category)  # fmt: skip


def about(session: Session, notice_id: int) -> list[Row]:
    """What is a notice about? Only for a notice that was found within the scope."""
    asked = _cases().join(NoticeComplaint, NoticeComplaint.complaint_id == Complaint.id)
    asked = asked.where(NoticeComplaint.notice_id == notice_id).order_by(Complaint.received_at, Complaint.id)
    return [dict(row) for row in session.execute(asked).mappings()]


def about_findings(session: Session, notice_id: int) -> list[Row]:
    """Which findings is a notice about? Only for a notice that was found within the scope."""
    asked = (
        select(Finding.id, Finding.item_id, Finding.item_zh, Finding.item_en, Finding.severity, Finding.status, Finding.note,
               Finding.found_at, Finding.rectify_by, Finding.pledge_no, func.coalesce(Site.name, Complaint.place).label("place"))
        .join(NoticeFinding, NoticeFinding.finding_id == Finding.id).outerjoin(Site, Site.id == Finding.site_id)
        .outerjoin(WorkOrder, WorkOrder.id == Finding.order_id).outerjoin(Complaint, Complaint.id == WorkOrder.complaint_id)
        .where(NoticeFinding.notice_id == notice_id).order_by(Finding.found_at, Finding.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def notice_of_finding(session: Session, scope: Scope, finding_id: int) -> list[Row]:
    """Which notices are about this finding, newest first?"""
    asked = _notices().join(NoticeFinding, NoticeFinding.notice_id == SupervisionNotice.id)
    asked = asked.where(NoticeFinding.finding_id == finding_id, *notice_visible(scope))
    return [dict(row) for row in session.execute(asked.order_by(SupervisionNotice.id.desc())).mappings()]


def notices_of(session: Session, scope: Scope, complaint_id: int) -> list[Row]:
    """Which notices are about this complaint, newest first?"""
    asked = _notices().join(NoticeComplaint, NoticeComplaint.notice_id == SupervisionNotice.id)
    asked = asked.where(NoticeComplaint.complaint_id == complaint_id, *notice_visible(scope))
    return [dict(row) for row in session.execute(asked.order_by(SupervisionNotice.id.desc())).mappings()]


# --- proposals -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Proposal:
    """Complaints of one unit that call for a notice, and why."""

    unit_id: int
    unit: str
    reason: str
    cases: list[Row]


def _dissatisfied_calls() -> Any:
    """How often this complaint's caller was not satisfied, or said that it is not solved."""
    told = or_(FollowUpCall.result == Satisfaction.DISSATISFIED, FollowUpCall.solved.is_(False))
    return select(func.count().label("times")).where(FollowUpCall.complaint_id == Complaint.id, told).lateral()


def proposals(session: Session, scope: Scope, now: datetime) -> list[Proposal]:
    """Which open complaints call for a notice and have none: by unit and reason, the most serious reason first.

    source: Shandong provincial hotline 2017: overdue, dissatisfied, still dissatisfied after re-handling; jinan-2014: three times.
    """
    calls = _dissatisfied_calls()
    times = calls.c.times
    ever = (
        select(NoticeComplaint.notice_id)
        .join(SupervisionNotice, SupervisionNotice.id == NoticeComplaint.notice_id)
        .where(NoticeComplaint.complaint_id == Complaint.id, SupervisionNotice.status != NoticeStatus.WITHDRAWN)
    )
    reason = case(
        (times >= 2, literal(str(NoticeReason.STILL_DISSATISFIED))),
        (and_(Complaint.key_since.isnot(None), not_(exists(ever))), literal(str(NoticeReason.THREE_REPEATS))),
        (Complaint.resolve_by < now, literal(str(NoticeReason.OVERDUE))),
        (times == 1, literal(str(NoticeReason.DISSATISFIED))),
    )
    earlier = (
        select(NoticeComplaint.notice_id)
        .join(SupervisionNotice, SupervisionNotice.id == NoticeComplaint.notice_id)
        .where(
            NoticeComplaint.complaint_id == Complaint.id,
            or_(NoticeComplaint.is_open,
                and_(SupervisionNotice.reason == reason, SupervisionNotice.status == NoticeStatus.CLOSED)),
        )
    )  # fmt: skip
    asked = (
        _cases().add_columns(reason.label("reason"), Unit.name.label("unit"))
        .join(Unit, Unit.id == Complaint.unit_id)
        .join(calls, true())
        .where(is_open(), *visible(scope), reason.isnot(None), not_(exists(earlier)))
        .order_by(Complaint.resolve_by, Complaint.id)
        .limit(PROPOSED)
    )  # fmt: skip
    grouped: dict[tuple[str, int], list[Row]] = {}
    for row in session.execute(asked).mappings():
        grouped.setdefault((row["reason"], row["unit_id"]), []).append(dict(row))
    rank = {str(r): n for n, r in enumerate((NoticeReason.STILL_DISSATISFIED, NoticeReason.THREE_REPEATS,
                                             NoticeReason.OVERDUE, NoticeReason.DISSATISFIED))}  # fmt: skip
    found = [Proposal(unit, cases[0]["unit"], why, cases) for (why, unit), cases in grouped.items()]
    return sorted(found, key=lambda p: (rank[p.reason], -len(p.cases), p.unit_id))


def chosen(session: Session, scope: Scope, text: str) -> list[Row]:
    """The open complaints with these numbers (any separators), for a notice by hand."""
    wanted = [word for word in text.replace(",", " ").replace("，", " ").replace("、", " ").split() if word][:60]
    asked = _cases().where(Complaint.hotline_no.in_(wanted), *visible(scope)).order_by(Complaint.received_at)
    return [dict(row) for row in session.execute(asked).mappings()] if wanted else []


def area_ids(scope: Scope) -> Any:
    """The areas of a scope as a subquery, or None for the whole city."""
    return within(scope)
