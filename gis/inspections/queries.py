"""What is asked about inspections, by phones and by the desk. Every question that returns rows narrows by the scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.inspections.forms import Form, form_of
from gis.inspections.model import Photo
from gis.inspections.rules import CheckItem, item_of
from gis.journal import parse_cursor
from gis.people.rules import Scope
from gis.prepared import Prepared

# A complaint lies in an area of any level; a site lies in one area, or, when nobody has said which, where its point is.
_COMPLAINT_INSIDE = """
    (CAST(:area AS bigint) IS NULL OR :area IN (c.district_id, c.street_id, c.community_id, c.compound_id))
    AND (CAST(:unit AS bigint) IS NULL OR c.unit_id = :unit)
"""
SITE_INSIDE = """
    (CAST(:area AS bigint) IS NULL OR s.area_id IN (
        WITH RECURSIVE inside AS (SELECT CAST(:area AS bigint) AS id
            UNION SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside)
     OR (s.area_id IS NULL AND EXISTS (SELECT FROM area a WHERE a.id = :area AND ST_Covers(a.geom, s.geom))))
    AND (CAST(:unit AS bigint) IS NULL OR :unit IN (s.unit_id, s.contractor_id))
"""
DONE_SHOWN = timedelta(hours=24)
PAGE = 100


def bounds(scope: Scope) -> dict[str, Any]:
    return {"area": scope.area_id, "unit": scope.unit_id, "crew": scope.crew_id}


# --- phones ----------------------------------------------------------------------------------------------------------
_ORDERS = f"""
    SELECT o.id, o.order_no, o.status, o.version, o.crew_id, o.assigned_at, o.recall_reason, lower(o.during) AS start, upper(o.during) AS "end", o.minutes,
           c.id AS complaint_id, c.hotline_no, c.category, k.name AS category_name, k.name_en AS category_name_en,
           c.description, c.place, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.resolve_by
      FROM work_order o JOIN complaint c ON c.id = o.complaint_id JOIN category k ON k.code = c.category
     WHERE (CAST(:crew AS bigint) IS NULL OR o.crew_id = :crew) AND {_COMPLAINT_INSIDE}
"""
_OPEN_ORDERS = text(f"""{_ORDERS}
       AND (o.status IN ('assigned','accepted','arrived') OR (o.status = 'resolved' AND o.resolved_at > :since))
     ORDER BY lower(o.during), o.id LIMIT 500
""")
_CHANGED_ORDERS = text(f"""{_ORDERS} AND o.id = ANY(:ids) ORDER BY lower(o.during), o.id""")


def orders_on_phone(session: Session, scope: Scope, now: datetime) -> Sequence[RowMapping]:
    """Which orders does a phone carry: those under way, and those resolved within the last day?"""
    return session.execute(_OPEN_ORDERS, bounds(scope) | {"since": now - DONE_SHOWN}).mappings().all()


def orders_by_id(session: Session, scope: Scope, ids: Sequence[int]) -> Sequence[RowMapping]:
    """The same of certain orders, whatever has become of them."""
    return session.execute(_CHANGED_ORDERS, bounds(scope) | {"ids": list(ids)}).mappings().all()


_CHANGED_SINCE = text(
    """
    SELECT txid::text AS txid, seq, thing, thing_id FROM journal
     WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)
       AND txid < pg_snapshot_xmin(pg_current_snapshot())
       AND thing IN ('work_order', 'site')
     ORDER BY txid, seq LIMIT :limit
    """
)


@dataclass(frozen=True)
class Changed:
    """Which orders and sites changed after a cursor, the cursor to ask with next, and whether there is more."""

    orders: list[int]
    sites: list[int]
    cursor: str
    more: bool


def changed_after(session: Session, cursor: str, limit: int = 2000) -> Changed:
    """Which orders and sites changed after the cursor, whoever may see them?"""
    txid, seq = parse_cursor(cursor)
    rows = session.execute(_CHANGED_SINCE, {"txid": str(txid), "seq": seq, "limit": limit + 1}).all()
    more = len(rows) > limit
    rows = rows[:limit]
    reached = f"{rows[-1].txid}.{rows[-1].seq}" if rows else cursor
    by_thing = {t: sorted({int(r.thing_id) for r in rows if r.thing == t}) for t in ("work_order", "site")}
    return Changed(by_thing["work_order"], by_thing["site"], reached, more)


_WERE_OURS = text(
    """
    SELECT DISTINCT thing_id::bigint FROM journal
     WHERE thing = 'work_order' AND thing_id = ANY(:ids) AND data ->> 'crew_id' = CAST(:crew AS text)
    """
)


def were_carried(session: Session, scope: Scope, ids: Sequence[int]) -> list[int]:
    """Which of these orders may a phone of this scope still carry? A crew's only those that were once its own."""
    if scope.crew_id is None or not ids:
        return list(ids)
    return sorted(session.scalars(_WERE_OURS, {"ids": [str(i) for i in ids], "crew": scope.crew_id}))


_CALLERS = text(
    """
    SELECT r.complaint_id, r.name, r.phone, r.door_no,
           EXISTS (SELECT FROM journal j WHERE j.thing = 'complaint' AND j.thing_id = r.complaint_id::text
                   AND j.verb = 'unmask' AND j.user_id = :user AND j.data ->> 'order_id' = o.id::text) AS journalled,
           o.id AS order_id
      FROM caller r JOIN work_order o ON o.complaint_id = r.complaint_id
     WHERE o.id = ANY(:orders) AND o.crew_id = :crew AND o.status IN ('accepted','arrived')
    """
)


def callers_of_orders(session: Session, user_id: int, crew_id: int, orders: Sequence[int]) -> Sequence[RowMapping]:
    """Who called about the orders that this crew has accepted, and was it journalled already that this person sees it?"""
    return session.execute(_CALLERS, {"user": user_id, "crew": crew_id, "orders": list(orders)}).mappings().all()


_SITES = text(
    f"""
    SELECT s.id, s.code, s.name, s.scope, s.stage, s.is_heating, s.version, s.synthetic, u.name AS unit, a.name AS area,
           ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat
      FROM site s LEFT JOIN unit u ON u.id = s.unit_id LEFT JOIN area a ON a.id = s.area_id
     WHERE s.closed_at IS NULL AND (CAST(:ids AS bigint[]) IS NULL OR s.id = ANY(:ids)) AND {SITE_INSIDE}
     ORDER BY s.name, s.id LIMIT 2000
    """
)


def sites(session: Session, scope: Scope, ids: Sequence[int] | None = None) -> Sequence[RowMapping]:
    """Which sites (of these, or of all) may be inspected?"""
    return session.execute(_SITES, bounds(scope) | {"ids": None if ids is None else list(ids)}).mappings().all()


@dataclass(frozen=True)
class Ground:
    """What must be known before a visit can be kept."""

    items: tuple[CheckItem, ...] | None
    form: Form | None
    found: bool
    heating: bool
    area_id: int | None
    unit_id: int | None


@dataclass(frozen=True)
class Asked:
    """What a visit is about: which checklist, and which order or site."""

    code: str
    revision: int
    order_id: int | None
    site_id: int | None


_GROUNDS = Prepared(
    f"""
    WITH lists AS (
      SELECT k.code, k.revision, k.items::text AS items, k.form::text AS form FROM checklist k
        JOIN unnest(CAST(:codes AS text[]), CAST(:revisions AS int[])) AS w(code, revision) USING (code, revision)),
    orders AS (
      SELECT o.id, (k.utility = 'heat') AS heating, c.unit_id,
             coalesce(c.compound_id, c.community_id, c.street_id, c.district_id) AS area_id
        FROM work_order o JOIN complaint c ON c.id = o.complaint_id JOIN category k ON k.code = c.category
       WHERE o.id = ANY(:orders) AND (CAST(:crew AS bigint) IS NULL OR o.crew_id = :crew) AND {_COMPLAINT_INSIDE}),
    sites AS (
      SELECT s.id, s.is_heating AS heating, s.unit_id, s.area_id FROM site s
       WHERE s.id = ANY(:sites) AND CAST(:crew AS bigint) IS NULL AND {SITE_INSIDE})
    SELECT (SELECT json_agg(lists) FROM lists) AS lists, (SELECT json_agg(orders) FROM orders) AS orders,
           (SELECT json_agg(sites) FROM sites) AS sites
    """,
    codes="text[]",
    revisions="int[]",
    orders="bigint[]",
    sites="bigint[]",
    crew="bigint",
    area="bigint",
    unit="bigint",
)


@lru_cache(maxsize=32)
def _items(stored: str) -> tuple[CheckItem, ...]:
    import json

    return tuple(item_of(row) for row in json.loads(stored))


@lru_cache(maxsize=32)
def _form(stored: str) -> Form:
    import json

    return form_of(json.loads(stored))


def grounds(session: Session, scope: Scope, wanted: Sequence[Asked]) -> list[Ground]:
    """In one question for many visits: each one's checklist, and its order or site if that is in the scope.

    One about neither (a form that asks for no place) belongs to the area and the unit of the scope itself.
    """
    pairs = sorted({(w.code, w.revision) for w in wanted})
    params = {
        "codes": [code for code, _ in pairs], "revisions": [revision for _, revision in pairs],
        "orders": sorted({w.order_id for w in wanted if w.order_id is not None}),
        "sites": sorted({w.site_id for w in wanted if w.order_id is None and w.site_id is not None}),
    }  # fmt: skip
    (row,) = _GROUNDS.rows(session, **bounds(scope), **params)
    lists = {(one["code"], one["revision"]): one for one in row.lists or ()}
    orders = {one["id"]: one for one in row.orders or ()}
    sites = {one["id"]: one for one in row.sites or ()}
    nothing = {"heating": False, "area_id": scope.area_id, "unit_id": scope.unit_id}
    found = []
    for w in wanted:
        there = orders.get(w.order_id) if w.order_id is not None else sites.get(w.site_id)
        there = nothing if w.order_id is None and w.site_id is None else there
        at, one = there or {}, lists.get((w.code, w.revision), {})
        items = _items(one["items"]) if one.get("items") else None
        form = _form(one["form"]) if one.get("form") else None
        found.append(
            Ground(items, form, there is not None, bool(at.get("heating")), at.get("area_id"), at.get("unit_id"))
        )
    return found


def photo(session: Session, sha256: str) -> Photo | None:
    """Has this photo arrived?"""
    return session.get(Photo, sha256)


def photos_here(session: Session, wanted: Sequence[str]) -> list[str]:
    """Which of these photos have arrived, in the order asked?"""
    if not wanted:
        return []
    here = set(session.scalars(select(Photo.sha256).where(Photo.sha256.in_(wanted))))
    return [sha256 for sha256 in wanted if sha256 in here]


# --- the desk --------------------------------------------------------------------------------------------------------
_INSPECTED = f"""
      FROM inspection i
      LEFT JOIN work_order o ON o.id = i.order_id LEFT JOIN complaint c ON c.id = o.complaint_id
      LEFT JOIN site s ON s.id = i.site_id
     WHERE ((i.order_id IS NOT NULL AND {_COMPLAINT_INSIDE}) OR (i.site_id IS NOT NULL AND i.order_id IS NULL AND {SITE_INSIDE})
             OR (i.order_id IS NULL AND i.site_id IS NULL AND (CAST(:area AS bigint) IS NULL OR i.area_id = :area)
                 AND (CAST(:unit AS bigint) IS NULL OR i.unit_id = :unit)))
"""


@dataclass(frozen=True)
class Looked:
    """What the desk's list is narrowed to; an empty field narrows nothing."""

    district: tuple[int, ...] = ()
    unit: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    with_no: bool = False
    by: str = ""  # "bureau": only the bureau's own checks; "self": only self-inspections


_FILTERED = f"""{_INSPECTED}
       AND (CAST(:since AS timestamptz) IS NULL OR i.received_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR i.received_at < :until)
       AND (CAST(:units AS bigint[]) IS NULL OR i.unit_id = ANY(:units))
       AND (CAST(:districts AS bigint[]) IS NULL OR c.district_id = ANY(:districts) OR s.area_id IN (
            WITH RECURSIVE chosen AS (SELECT unnest(CAST(:districts AS bigint[])) AS id
                UNION SELECT a.id FROM area a JOIN chosen x ON a.parent_id = x.id) SELECT id FROM chosen))
       AND (:by = '' OR i.is_self = (:by = 'self'))
       AND (NOT :with_no OR EXISTS (SELECT FROM check_answer w WHERE w.inspection_id = i.id AND w.answer = 'no'))
"""
_LISTED = text(
    f"""
    SELECT i.id, i.scope, i.stage, i.finished_at, i.received_at, i.version, i.is_self, i.site_id, p.full_name AS inspector,
           i.checklist_code, l.name AS checklist_name, l.kind AS checklist_kind, u.name AS unit,
           coalesce(s.name, c.place) AS place, o.order_no, c.hotline_no, coalesce(s.synthetic, c.synthetic) AS synthetic,
           n.yes, n.no, n.na, n.noes, (SELECT count(*) FROM inspection_photo f WHERE f.inspection_id = i.id) AS photos
      FROM (SELECT i.id {_FILTERED} ORDER BY i.received_at DESC, i.id LIMIT :limit OFFSET :offset) shown
      JOIN inspection i ON i.id = shown.id LEFT JOIN app_user p ON p.id = i.inspector_id
      LEFT JOIN checklist l ON l.code = i.checklist_code AND l.revision = i.checklist_revision
      LEFT JOIN unit u ON u.id = i.unit_id LEFT JOIN work_order o ON o.id = i.order_id
      LEFT JOIN complaint c ON c.id = o.complaint_id LEFT JOIN site s ON s.id = i.site_id
      CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE answer = 'yes') AS yes, count(*) FILTER (WHERE answer = 'no') AS no,
             count(*) FILTER (WHERE answer = 'na') AS na, array_agg(item_id ORDER BY item_id) FILTER (WHERE answer = 'no')
             AS noes FROM check_answer w WHERE w.inspection_id = i.id) n
     ORDER BY i.received_at DESC, i.id
    """
)
_COUNTED = text(f"SELECT count(*) {_FILTERED}")


def listed(session: Session, scope: Scope, looked: Looked, page: int = 1) -> tuple[int, Sequence[RowMapping]]:
    """How many inspections are there, newest first, and which are on this page?"""
    params = bounds(scope) | {
        "since": looked.since, "until": looked.until, "units": list(looked.unit) or None,
        "districts": list(looked.district) or None, "with_no": looked.with_no, "by": looked.by,
    }  # fmt: skip
    total = int(session.scalar(_COUNTED, params) or 0)
    rows = session.execute(_LISTED, params | {"limit": PAGE, "offset": (page - 1) * PAGE})
    return total, rows.mappings().all()


_SHOWN = text(
    """
    SELECT i.*, ST_X(i.position) AS lon, ST_Y(i.position) AS lat, p.full_name AS inspector, u.name AS unit,
           coalesce(s.name, c.place) AS place, o.order_no, c.hotline_no, c.id AS complaint_id, k.name AS checklist_name,
           k.source, k.items, k.form, k.kind AS checklist_kind, coalesce(s.synthetic, c.synthetic) AS synthetic, coalesce(s.is_heating, g.utility = 'heat') AS heating,
           ST_X(coalesce(s.geom, c.geom)) AS place_lon, ST_Y(coalesce(s.geom, c.geom)) AS place_lat,
           ST_Distance(i.position::geography, coalesce(s.geom, c.geom)::geography) AS metres_away
      FROM inspection i LEFT JOIN app_user p ON p.id = i.inspector_id
      LEFT JOIN unit u ON u.id = i.unit_id LEFT JOIN work_order o ON o.id = i.order_id
      LEFT JOIN complaint c ON c.id = o.complaint_id LEFT JOIN category g ON g.code = c.category
      LEFT JOIN site s ON s.id = i.site_id
      LEFT JOIN checklist k ON k.code = i.checklist_code AND k.revision = i.checklist_revision
     WHERE i.id = :id
    """
)
_IN_SCOPE = text(f"SELECT i.id {_INSPECTED} AND i.id = :id")


def shown(session: Session, scope: Scope, inspection_id: UUID) -> RowMapping | None:
    """Everything about one inspection but its answers and photos, if it is in the scope."""
    if session.execute(_IN_SCOPE, bounds(scope) | {"id": inspection_id}).one_or_none() is None:
        return None
    return session.execute(_SHOWN, {"id": inspection_id}).mappings().one()


def answers(session: Session, inspection_id: UUID) -> Sequence[RowMapping]:
    """What was answered?"""
    question = text("SELECT item_id, answer, value, note FROM check_answer WHERE inspection_id = :id")
    return session.execute(question, {"id": inspection_id}).mappings().all()


def photos(session: Session, inspection_id: UUID) -> Sequence[RowMapping]:
    """Which photos belong to it, in the order they were taken?"""
    question = text(
        """SELECT f.item_id, f.taken_at, f.sha256, p.file_name, p.width, p.height, p.size_bytes,
                  ST_X(f.position) AS lon, ST_Y(f.position) AS lat, f.position_accuracy_m AS accuracy_m
             FROM inspection_photo f JOIN photo p USING (sha256) WHERE f.inspection_id = :id
            ORDER BY f.item_id, f.taken_at, f.sha256"""
    )
    return session.execute(question, {"id": inspection_id}).mappings().all()


def awaited(session: Session, inspection_id: UUID) -> int:
    """How many photos does it name that have not arrived?"""
    question = text("SELECT count(*) FROM awaited_photo WHERE inspection_id = :id")
    return int(session.scalar(question, {"id": inspection_id}) or 0)


def photo_in_scope(session: Session, scope: Scope, sha256: str) -> Photo | None:
    """The photo, if it belongs to an inspection, or to the notice of a site, that is in the scope."""
    question = text(
        f"""SELECT EXISTS (SELECT i.id {_INSPECTED}
                           AND EXISTS (SELECT FROM inspection_photo f WHERE f.inspection_id = i.id AND f.sha256 = :sha256))
                OR EXISTS (SELECT FROM site_notice n JOIN site s ON s.id = n.site_id
                            WHERE n.sha256 = :sha256 AND {SITE_INSIDE})"""
    )
    if not session.scalar(question, bounds(scope) | {"sha256": sha256}):
        return None
    return session.get(Photo, sha256)


def of_complaint(session: Session, complaint_id: int) -> list[dict[str, Any]]:
    """Which inspections were made on a complaint's orders, newest first, and how many noes had each?"""
    question = text(
        """SELECT i.id, i.finished_at, (SELECT count(*) FROM check_answer w WHERE w.inspection_id = i.id AND w.answer = 'no')
                  AS no_count
             FROM inspection i JOIN work_order o ON o.id = i.order_id WHERE o.complaint_id = :id
            ORDER BY i.finished_at DESC, i.id"""
    )
    return [dict(row) for row in session.execute(question, {"id": complaint_id}).mappings()]
