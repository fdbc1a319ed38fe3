"""What is asked about sites: the list, one site with all that belongs to it. Every question narrows by the scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from gis.inspections.queries import SITE_INSIDE, bounds
from gis.inspections.site_rules import REQUIRED
from gis.people.rules import Scope

PAGE = 50
MAP_MOST = 5000

# What is known of every site: the bureau's last check and what it found, self-inspection, people without what they need.
_KNOWN = """
      FROM site s LEFT JOIN unit u ON u.id = s.unit_id LEFT JOIN unit k ON k.id = s.contractor_id
      LEFT JOIN area a ON a.id = s.area_id
      LEFT JOIN LATERAL (
        WITH RECURSIVE up AS (SELECT x.id, x.parent_id, x.level, x.name FROM area x WHERE x.id = s.area_id
            UNION ALL SELECT x.id, x.parent_id, x.level, x.name FROM area x JOIN up ON x.id = up.parent_id)
        SELECT max(id) FILTER (WHERE level = 'district') AS district_id, max(name) FILTER (WHERE level = 'district') AS district,
               max(name) FILTER (WHERE level = 'street') AS street FROM up) w ON true
      LEFT JOIN LATERAL (
        SELECT i.id, i.received_at FROM inspection i WHERE i.site_id = s.id AND NOT i.is_self
         ORDER BY i.received_at DESC, i.id LIMIT 1) l ON true
      LEFT JOIN LATERAL (
        SELECT count(*) AS n FROM inspection i JOIN check_answer c ON c.inspection_id = i.id AND c.answer = 'no'
         WHERE i.site_id = s.id AND NOT i.is_self
           AND (i.received_at AT TIME ZONE :zone)::date > CAST(:today AS date) - CAST(:lookback AS integer)) b ON true
      LEFT JOIN LATERAL (
        SELECT max((i.received_at AT TIME ZONE :zone)::date) AS self_on FROM inspection i
          JOIN (SELECT from_on FROM self_check ORDER BY called_at DESC, id DESC LIMIT 1) f ON true
         WHERE i.site_id = s.id AND i.is_self AND (i.received_at AT TIME ZONE :zone)::date >= f.from_on) q ON true
      LEFT JOIN LATERAL (SELECT from_on, due_on FROM self_check ORDER BY called_at DESC, id DESC LIMIT 1) d ON true
      LEFT JOIN LATERAL (
        SELECT count(*) AS people, count(*) FILTER (WHERE NOT EXISTS (
                 SELECT FROM work_certificate c JOIN unnest(CAST(:trades AS text[]), CAST(:kinds AS text[])) AS r(trade, kind)
                     ON r.trade = m.trade AND r.kind = c.kind
                  WHERE c.worker_id = m.id AND (c.valid_from IS NULL OR c.valid_from <= :today)
                    AND (c.valid_to IS NULL OR c.valid_to >= :today))) AS unfit
          FROM site_presence e JOIN site_worker m ON m.id = e.worker_id WHERE e.site_id = s.id AND e.until_at IS NULL) p ON true
"""
_SELF = """CASE WHEN d.due_on IS NULL OR s.closed_at IS NOT NULL THEN 'not_called' WHEN q.self_on IS NOT NULL THEN 'done'
                WHEN CAST(:today AS date) > d.due_on THEN 'overdue' ELSE 'waiting' END"""
_COLUMNS = f"""
    SELECT s.id, s.code, s.name, s.scope, s.stage, s.is_heating, s.address, s.planned_from, s.planned_to, s.begun_on, s.ended_on,
           s.closed_at, s.version, s.synthetic, s.note, s.unit_id, s.contractor_id, s.area_id, s.building_id,
           u.name AS unit, k.name AS contractor, a.name AS area, w.district_id, w.district, w.street,
           ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat, l.id AS last_id, l.received_at AS last_at, b.n AS breaches,
           p.people, p.unfit, q.self_on, d.due_on AS self_due_on, {_SELF} AS self_state
"""
_FILTER = f"""
     WHERE {SITE_INSIDE}
       AND (:q = '' OR s.name ILIKE :like OR s.code ILIKE :like OR s.address ILIKE :like)
       AND (CAST(:district AS bigint) IS NULL OR s.area_id IN (
            WITH RECURSIVE chosen AS (SELECT CAST(:district AS bigint) AS id
                UNION SELECT x.id FROM area x JOIN chosen y ON x.parent_id = y.id) SELECT id FROM chosen))
       AND (CAST(:of_unit AS bigint) IS NULL OR :of_unit IN (s.unit_id, s.contractor_id))
       AND (:stage = '' OR s.stage = :stage) AND (:works = '' OR s.scope = :works)
       AND (:state = 'all' OR (s.closed_at IS NULL) = (:state = 'open'))
       AND (:mark = '' OR CASE :mark WHEN 'never' THEN l.id IS NULL WHEN 'breaches' THEN b.n > 0 WHEN 'unfit' THEN p.unfit > 0
            ELSE {_SELF} IN ('overdue', 'waiting') END)
"""
MARKS = ("never", "breaches", "unfit", "no_self_check")
STATES = ("open", "closed", "all")
_LISTED = text(f"{_COLUMNS} {_KNOWN} {_FILTER} ORDER BY s.name, s.id LIMIT :limit OFFSET :offset")
_COUNTED = text(f"SELECT count(*) {_KNOWN} {_FILTER}")
_ONE = text(
    f"""{_COLUMNS}, ST_AsGeoJSON(coalesce(s.footprint, g.geom), 7) AS ground, ST_AsGeoJSON(s.footprint, 7) AS footprint,
        g.name AS building, g.code AS building_code
        {_KNOWN} LEFT JOIN building g ON g.id = s.building_id WHERE {SITE_INSIDE} AND s.id = :id"""
)


@dataclass(frozen=True)
class When:
    """The city's today, and how far back breaches count."""

    today: date
    zone: str
    lookback_days: int = 365

    def as_params(self) -> dict[str, Any]:
        return {"today": self.today, "zone": self.zone, "lookback": self.lookback_days, "trades": list(map(str, REQUIRED)),
                "kinds": [str(kind) for kind in REQUIRED.values()]}  # fmt: skip


@dataclass(frozen=True)
class SitesLooked:
    """What the list is narrowed to; an empty field narrows nothing, but closed sites are hidden unless asked for."""

    q: str = ""
    district: int | None = None
    unit: int | None = None
    stage: str = ""
    works: str = ""
    state: str = "open"
    mark: str = ""

    def as_params(self) -> dict[str, Any]:
        like = self.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {"q": self.q, "like": f"%{like}%", "district": self.district, "of_unit": self.unit, "stage": self.stage,
                "works": self.works, "state": self.state, "mark": self.mark}  # fmt: skip


def listed(
    session: Session, scope: Scope, looked: SitesLooked, when: When, page: int = 1, size: int = PAGE
) -> tuple[int, Sequence[RowMapping]]:
    """How many sites are there, and which are on this page, by name?"""
    params = bounds(scope) | looked.as_params() | when.as_params()
    total = int(session.scalar(_COUNTED, params) or 0)
    rows = session.execute(_LISTED, params | {"limit": size, "offset": (page - 1) * size})
    return total, rows.mappings().all()


def shown(session: Session, scope: Scope, site_id: int, when: When) -> RowMapping | None:
    """Everything about one site, if it is in the scope."""
    return session.execute(_ONE, bounds(scope) | when.as_params() | {"id": site_id}).mappings().one_or_none()


_VISIBLE = text(f"SELECT s.id FROM site s WHERE {SITE_INSIDE} AND s.id = :id")


def visible(session: Session, scope: Scope, site_id: int) -> bool:
    """Is this site in the scope?"""
    return session.execute(_VISIBLE, bounds(scope) | {"id": site_id}).first() is not None


_PEOPLE = text(
    """
    SELECT e.id AS presence_id, e.site_id, e.since_at, e.until_at, m.id, m.name, m.trade, m.version, u.name AS unit,
           coalesce((SELECT jsonb_agg(jsonb_build_object('kind', c.kind, 'no', c.no, 'valid_from', c.valid_from,
                            'valid_to', c.valid_to) ORDER BY c.kind, c.valid_to DESC NULLS FIRST, c.id)
                       FROM work_certificate c WHERE c.worker_id = m.id), '[]') AS certificates
      FROM site_presence e JOIN site_worker m ON m.id = e.worker_id JOIN unit u ON u.id = m.unit_id
     WHERE e.site_id = ANY(:sites) AND (:gone OR e.until_at IS NULL)
     ORDER BY e.site_id, e.until_at IS NOT NULL, m.trade, m.id
    """
)


def people(session: Session, site_ids: Sequence[int], *, gone: bool = False) -> Sequence[RowMapping]:
    """Who is on these sites, with their certificates; who was there too, when asked. Narrowed by the sites' own scope."""
    return session.execute(_PEOPLE, {"sites": list(site_ids), "gone": gone}).mappings().all()


def workers(session: Session, unit_id: int) -> Sequence[RowMapping]:
    """Whom does this contractor send?"""
    question = text("SELECT id, name, trade FROM site_worker WHERE unit_id = :unit ORDER BY trade, id LIMIT 1000")
    return session.execute(question, {"unit": unit_id}).mappings().all()


_BANNED = text("""SELECT DISTINCT b.worker_id FROM blacklisting b JOIN site_presence e ON e.worker_id = b.worker_id
                   WHERE e.site_id = :site AND b.during @> CAST(:now AS timestamptz)""")


def banned(session: Session, site_id: int, now: datetime) -> set[int]:
    """Who of those that are or were on a site is on the blacklist now?"""
    return set(session.scalars(_BANNED, {"site": site_id, "now": now}))


def worker(session: Session, worker_id: int) -> RowMapping | None:
    """Somebody whom a contractor sends."""
    question = text(
        "SELECT m.id, m.name, m.trade, u.name AS unit FROM site_worker m JOIN unit u ON u.id = m.unit_id WHERE m.id = :id"
    )
    return session.execute(question, {"id": worker_id}).mappings().one_or_none()


def notices(session: Session, site_id: int) -> Sequence[RowMapping]:
    """What was posted at a site, newest first?"""
    question = text(
        """SELECT n.id, n.at, n.text, n.posted, n.sha256, p.full_name AS by_whom FROM site_notice n
             LEFT JOIN app_user p ON p.id = n.user_id WHERE n.site_id = :id ORDER BY n.at DESC, n.id DESC LIMIT 50"""
    )
    return session.execute(question, {"id": site_id}).mappings().all()


def checks(session: Session, site_id: int) -> Sequence[RowMapping]:
    """Which inspections were made at a site, newest first, the bureau's and the unit's own?"""
    question = text(
        """SELECT i.id, i.finished_at, i.received_at, i.stage, i.is_self, p.full_name AS inspector,
                  (SELECT count(*) FROM check_answer w WHERE w.inspection_id = i.id AND w.answer = 'no') AS no_count
             FROM inspection i JOIN app_user p ON p.id = i.inspector_id WHERE i.site_id = :id
            ORDER BY i.received_at DESC, i.id LIMIT 200"""
    )
    return session.execute(question, {"id": site_id}).mappings().all()


def self_check(session: Session) -> RowMapping | None:
    """Which call for self-inspection is in force?"""
    question = text("SELECT * FROM self_check ORDER BY called_at DESC, id DESC LIMIT 1")
    return session.execute(question).mappings().one_or_none()


def building_at(session: Session, lon: float, lat: float) -> RowMapping | None:
    """Which building stands here?"""
    question = text(
        """SELECT id, code, name, ST_AsGeoJSON(geom, 7) AS ground FROM building
            WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)) ORDER BY ST_Area(geom), id LIMIT 1"""
    )
    return session.execute(question, {"lon": lon, "lat": lat}).mappings().one_or_none()
