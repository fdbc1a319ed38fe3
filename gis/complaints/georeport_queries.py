"""What a program asks about reports: only what the public may know; the caller's table is not read here at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.complaints.georeport_model import OpenRequest
from gis.complaints.model import Category, Complaint
from gis.complaints.rules import OPEN

PAGE_MAX = 1000  # source: GeoReport v2, Response Volume: 90 days or the first 1000 requests


@dataclass(frozen=True)
class Asked:
    """Which reports. Empty means all; `numbers` overrides everything else, as the specification says."""

    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    open: bool | None = None
    start: datetime | None = None
    end: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    page: int = 1
    page_size: int = PAGE_MAX


_CHANGED = """
    LEFT JOIN LATERAL (SELECT max(j.at) AS at FROM journal AS j
                        WHERE j.thing = 'complaint' AND j.thing_id = c.id::text AND j.verb <> 'unmask') AS told ON true
"""
_SHOWN = f"""
    SELECT c.id, c.hotline_no, c.status, c.channel, c.category, c.description, c.place, c.received_at, c.resolve_by,
           c.closed_at, k.name AS category_zh, k.name_en AS category_en, k.utility, u.name AS unit, d.name AS district,
           s.name AS street, y.name AS community, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat,
           greatest(c.received_at, c.closed_at, told.at) AS changed_at
      FROM ({{page}}) AS p JOIN complaint AS c ON c.id = p.id JOIN category AS k ON k.code = c.category
      LEFT JOIN unit AS u ON u.id = c.unit_id LEFT JOIN area AS d ON d.id = c.district_id
      LEFT JOIN area AS s ON s.id = c.street_id LEFT JOIN area AS y ON y.id = c.community_id
      {_CHANGED}
"""
_WHERE = """
     WHERE (CAST(:start AS timestamptz) IS NULL OR c.received_at >= :start)
       AND (CAST(:end AS timestamptz) IS NULL OR c.received_at <= :end)
       AND (CAST(:categories AS text[]) IS NULL OR c.category = ANY(:categories))
       AND (CAST(:open AS boolean) IS NULL OR (c.status = ANY(:open_statuses)) = :open)
"""
_NUMBERED = "SELECT c.id FROM complaint AS c WHERE c.hotline_no = ANY(:numbers) LIMIT :limit"
_NEWEST = f"SELECT c.id FROM complaint AS c {_WHERE} ORDER BY c.received_at DESC, c.id DESC OFFSET :skip LIMIT :limit"
# Whatever changed has a line in the journal or was received since: both are found by an index on the moment.
_UPDATED = f"""
    SELECT c.id FROM complaint AS c JOIN
           (SELECT thing_id::bigint AS id FROM journal
             WHERE thing = 'complaint' AND at >= :after AND verb <> 'unmask' AND thing_id ~ '^[0-9]{{1,18}}$'
             UNION SELECT id FROM complaint WHERE received_at >= :after) AS recent ON recent.id = c.id {_CHANGED} {_WHERE}
       AND greatest(c.received_at, c.closed_at, told.at) BETWEEN :after AND :before
     ORDER BY greatest(c.received_at, c.closed_at, told.at), c.id OFFSET :skip LIMIT :limit
"""
_BY_CHANGE = " ORDER BY changed_at, c.id"
_BY_RECEIPT = " ORDER BY c.received_at DESC, c.id DESC"


def requests(session: Session, asked: Asked) -> Sequence[RowMapping]:
    """Which reports, newest first; those asked by their change, the oldest change first, so that a reader can go on from it."""
    given: dict[str, Any] = {"limit": asked.page_size, "skip": (asked.page - 1) * asked.page_size}
    if asked.numbers:
        page, order = _NUMBERED, _BY_RECEIPT
        given = {"limit": PAGE_MAX, "numbers": list(asked.numbers)}
    else:
        given |= {
            "start": asked.start, "end": asked.end, "categories": list(asked.categories) or None, "open": asked.open,
            "open_statuses": sorted(OPEN),
        }  # fmt: skip
        page, order = _NEWEST, _BY_RECEIPT
        if asked.updated_after is not None:
            page, order = _UPDATED, _BY_CHANGE
            given |= {"after": asked.updated_after, "before": asked.updated_before}
    return session.execute(text(_SHOWN.format(page=page) + order), given).mappings().all()


def by_token(session: Session, token: UUID) -> str | None:
    """The number of the complaint that was reported under this token."""
    asked = select(Complaint.hotline_no).join(OpenRequest, OpenRequest.complaint_id == Complaint.id)
    return session.scalar(asked.where(OpenRequest.token == token))


def beside(session: Session, complaint_id: int) -> OpenRequest | None:
    """What a program told beside this complaint, if it came from one."""
    return session.get(OpenRequest, complaint_id)


def services(session: Session) -> list[Category]:
    """The services that can be reported, in the dictionary's order."""
    return list(session.scalars(select(Category).order_by(Category.number)))


def key_told(session: Session, key_id: int) -> RowMapping:
    """Whose key this is, and what it is for."""
    asked = (
        "SELECT k.name, k.prefix, u.name AS unit FROM api_key AS k JOIN unit AS u ON u.id = k.unit_id WHERE k.id = :id"
    )
    return session.execute(text(asked), {"id": key_id}).mappings().one()
