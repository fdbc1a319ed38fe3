"""What is asked about rounds and visits: the frame, who may go where, a day in its order, how far a round is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.inspections.queries import SITE_INSIDE, bounds
from gis.inspections.round_model import Round, SamplingWeight
from gis.inspections.round_rules import WEIGHTS
from gis.inspections.site_queries import SitesLooked, When, listed
from gis.people.rules import Scope

# A round of an area is seen by whoever may look there; one of the whole city by those who see the whole city.
_ROUND_INSIDE = """
    (CAST(:area AS bigint) IS NULL OR r.area_id IN (
        WITH RECURSIVE inside AS (SELECT CAST(:area AS bigint) AS id
            UNION SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside))
    AND CAST(:unit AS bigint) IS NULL
"""


def weights(session: Session) -> dict[str, float]:
    """The numbers of the drawing: the bureau's, and the rules' own where it has set none."""
    set_by_hand = {row.code: row.value for row in session.scalars(select(SamplingWeight))}
    return {code: set_by_hand.get(code, weight.value) for code, weight in WEIGHTS.items()}


def weight_rows(session: Session) -> dict[str, SamplingWeight]:
    """Which numbers has the bureau set, with their sources?"""
    return {
        row.code: row for row in session.scalars(select(SamplingWeight), execution_options={"populate_existing": True})
    }


_ROUNDS = f"""
    SELECT r.*, a.name AS area, p.full_name AS made_by_name,
           count(v.id) FILTER (WHERE v.status <> 'dropped') AS visits, count(v.id) FILTER (WHERE v.status = 'done') AS done,
           count(v.id) FILTER (WHERE v.status = 'planned' AND v.on_day < :today) AS missed
      FROM inspection_round r LEFT JOIN area a ON a.id = r.area_id LEFT JOIN app_user p ON p.id = r.made_by
      LEFT JOIN site_visit v ON v.round_id = r.id
     WHERE {_ROUND_INSIDE} AND (CAST(:id AS bigint) IS NULL OR r.id = :id) AND (r.status <> 'discarded' OR r.id = :id)
     GROUP BY r.id, a.name, p.full_name ORDER BY r.starts_on DESC, r.id DESC LIMIT 200
"""


def rounds(session: Session, scope: Scope, today: date) -> Sequence[RowMapping]:
    """Which rounds are there, the newest first, and how far is each?"""
    return session.execute(text(_ROUNDS), bounds(scope) | {"today": today, "id": None}).mappings().all()


def round_shown(session: Session, scope: Scope, round_id: int, today: date) -> RowMapping:
    """One round, or Missing outside the scope."""
    found = session.execute(text(_ROUNDS), bounds(scope) | {"today": today, "id": min(round_id, 1 << 62)}).mappings()
    row = found.one_or_none()
    if row is None:
        raise Missing(thing="round", id=round_id)
    return row


def round_locked(session: Session, scope: Scope, round_id: int) -> Round:
    """The round for changing, or Missing outside the scope."""
    row = session.execute(
        text(f"SELECT r.id FROM inspection_round r WHERE r.id = :id AND {_ROUND_INSIDE}"),
        bounds(scope) | {"id": min(round_id, 1 << 62)},
    ).one_or_none()
    if row is None:
        raise Missing(thing="round", id=round_id)
    return session.get_one(Round, row.id, with_for_update=True, populate_existing=True)


def frame(session: Session, scope: Scope, area_id: int | None, when: When) -> Sequence[RowMapping]:
    """All open sites of the area: what a round is drawn from."""
    return listed(session, scope, SitesLooked(district=area_id), when, 1, 100_000)[1]


_VISITS = text(
    """
    SELECT v.id, v.round_id, v.site_id, v.origin, v.surprise, v.status, v.inspector_id, v.on_day, v.stop_no, v.travel_s, v.reason,
           v.replaces_id, v.inspection_id, v.version, s.name AS site, s.code, s.scope, s.stage, s.address, s.synthetic,
           k.name AS contractor, u.name AS unit, a.name AS area, p.full_name AS inspector, f.stratum, f.size, f.probability,
           f.certain, f.why, ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat, o.name AS replaced, i.received_at AS done_at,
           (SELECT count(*) FROM check_answer w WHERE w.inspection_id = v.inspection_id AND w.answer = 'no') AS no_count,
           w.district, w.street
      FROM site_visit v JOIN site s ON s.id = v.site_id LEFT JOIN unit k ON k.id = s.contractor_id
      LEFT JOIN unit u ON u.id = s.unit_id LEFT JOIN area a ON a.id = s.area_id LEFT JOIN app_user p ON p.id = v.inspector_id
      LEFT JOIN round_site f ON f.round_id = v.round_id AND f.site_id = v.site_id
      LEFT JOIN site_visit x ON x.id = v.replaces_id LEFT JOIN site o ON o.id = x.site_id
      LEFT JOIN inspection i ON i.id = v.inspection_id
      LEFT JOIN LATERAL (
        WITH RECURSIVE up AS (SELECT x.id, x.parent_id, x.level, x.name FROM area x WHERE x.id = s.area_id
            UNION ALL SELECT x.id, x.parent_id, x.level, x.name FROM area x JOIN up ON x.id = up.parent_id)
        SELECT max(name) FILTER (WHERE level = 'district') AS district, max(name) FILTER (WHERE level = 'street') AS street
          FROM up) w ON true
     WHERE v.round_id = :round ORDER BY v.status = 'dropped', v.on_day NULLS LAST, v.inspector_id, v.stop_no, s.name, v.id
    """
)


def visits(session: Session, round_id: int) -> Sequence[RowMapping]:
    """The visits of a round, in the order they are walked; dropped ones last. Narrowed by the round's own scope."""
    return session.execute(_VISITS, {"round": round_id}).mappings().all()


_UNDRAWN = text(
    """
    SELECT f.site_id AS id, s.name, s.code, f.stratum, f.probability, k.name AS contractor
      FROM round_site f JOIN site s ON s.id = f.site_id LEFT JOIN unit k ON k.id = s.contractor_id
     WHERE f.round_id = :round AND s.closed_at IS NULL AND NOT EXISTS (
           SELECT FROM site_visit v WHERE v.round_id = f.round_id AND v.site_id = f.site_id AND v.status <> 'dropped')
     ORDER BY f.stratum, s.name, f.site_id
    """
)


def undrawn(session: Session, round_id: int) -> Sequence[RowMapping]:
    """Which sites of the frame are not in the round now?"""
    return session.execute(_UNDRAWN, {"round": round_id}).mappings().all()


def strata(session: Session, round_id: int) -> Sequence[RowMapping]:
    """For each stratum: how many sites, how many were to be drawn, how many were?"""
    question = text(
        """SELECT stratum, count(*) AS sites, sum(probability) AS expected, count(*) FILTER (WHERE drawn) AS drawn,
                  count(*) FILTER (WHERE certain) AS certain FROM round_site WHERE round_id = :round GROUP BY stratum ORDER BY stratum"""
    )
    return session.execute(question, {"round": round_id}).mappings().all()


_INSPECTORS = text(
    """
    SELECT p.id, p.full_name AS name, p.area_id, a.name AS area,
           (SELECT count(*) FROM site_visit v WHERE v.inspector_id = p.id AND v.status = 'planned' AND v.on_day >= :today) AS load
      FROM app_user p LEFT JOIN area a ON a.id = p.area_id LEFT JOIN unit b ON b.id = p.unit_id
     WHERE p.role = 'inspector' AND p.active AND (b.id IS NULL OR b.kind = 'bureau')
       AND (CAST(:area AS bigint) IS NULL OR p.area_id = :area OR p.area_id IS NULL) ORDER BY p.id
    """
)


def inspectors(session: Session, scope: Scope, today: date) -> Sequence[RowMapping]:
    """The bureau's own inspectors, where they may look, and how many visits wait for each."""
    return session.execute(_INSPECTORS, {"today": today, "area": scope.area_id}).mappings().all()


def may_visit(session: Session, inspector: RowMapping, site_ids: Sequence[int]) -> set[int]:
    """Which of these sites lie where this inspector may look?"""
    question = text(f"SELECT s.id FROM site s WHERE s.id = ANY(:sites) AND {SITE_INSIDE}")
    params = bounds(Scope(area_id=inspector["area_id"])) | {"sites": list(site_ids)}
    return set(session.scalars(question, params))


_BUSY = text("SELECT inspector_id, on_day, count(*) AS n FROM site_visit WHERE status <> 'dropped' AND on_day BETWEEN :since AND :until"
             " AND round_id IS DISTINCT FROM :round GROUP BY inspector_id, on_day")  # fmt: skip


def busy(session: Session, since: date, until: date, but_round: int) -> dict[tuple[int, date], int]:
    """How many other visits does each inspector have on each day?"""
    found = session.execute(_BUSY, {"since": since, "until": until, "round": but_round})
    return {(row.inspector_id, row.on_day): row.n for row in found}


@dataclass(frozen=True)
class Progress:
    """How far a round is in one district or with one contractor."""

    name: str
    planned: int
    done: int
    missed: int
    breaches: int

    @property
    def visits(self) -> int:
        return self.planned + self.done + self.missed


def progress(rows: Sequence[RowMapping], by: str, today: date) -> list[Progress]:
    """Planned, done and missed by `district`, `street` or `contractor`, the largest first."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row["status"] == "dropped":
            continue
        counts = found.setdefault(row[by] or "—", [0, 0, 0, 0])
        missed = row["status"] == "planned" and row["on_day"] is not None and row["on_day"] < today
        counts[1 if row["status"] == "done" else 2 if missed else 0] += 1
        counts[3] += row["no_count"]
    return sorted((Progress(name, *counts) for name, counts in found.items()), key=lambda p: (-p.visits, p.name))


_WALKED = "v.status <> 'dropped' AND (r.id IS NULL OR r.status IN ('fixed', 'ended'))"
_DAY = text(
    f"""
    SELECT v.id, v.site_id, v.round_id, r.name AS round, v.origin, v.surprise, v.status, v.on_day, v.stop_no, v.travel_s, v.version, v.reason,
           v.inspection_id, f.why, f.probability, f.stratum, f.certain, s.code, s.name, s.scope, s.stage, s.is_heating, s.address, s.synthetic,
           u.name AS unit, k.name AS contractor, a.name AS area, ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat, e.door_no,
           s.version AS site_version, ST_AsGeoJSON(coalesce(s.footprint, g.geom), 6)::jsonb AS ground,
           l.id AS last_id, l.received_at AS last_at, l.noes AS last_noes,
           EXISTS (SELECT FROM journal j WHERE j.thing = 'site' AND j.thing_id = s.id::text AND j.verb = 'unmask'
                   AND j.user_id = v.inspector_id AND j.data ->> 'visit_id' = v.id::text) AS journalled
      FROM site_visit v JOIN site s ON s.id = v.site_id LEFT JOIN inspection_round r ON r.id = v.round_id
      LEFT JOIN round_site f ON f.round_id = v.round_id AND f.site_id = v.site_id
      LEFT JOIN unit u ON u.id = s.unit_id LEFT JOIN unit k ON k.id = s.contractor_id LEFT JOIN area a ON a.id = s.area_id
      LEFT JOIN building g ON g.id = s.building_id LEFT JOIN site_door e ON e.site_id = s.id
      LEFT JOIN LATERAL (
        SELECT i.id, i.received_at, (SELECT array_agg(w.item_id ORDER BY w.item_id) FROM check_answer w
                WHERE w.inspection_id = i.id AND w.answer = 'no') AS noes
          FROM inspection i WHERE i.site_id = s.id AND NOT i.is_self AND i.id IS DISTINCT FROM v.inspection_id
         ORDER BY i.received_at DESC, i.id LIMIT 1) l ON true
     WHERE v.inspector_id = :inspector AND v.on_day BETWEEN :since AND :until AND {_WALKED} AND {SITE_INSIDE}
     ORDER BY v.on_day, v.stop_no NULLS LAST, s.name, v.id
    """
)


def day(
    session: Session, scope: Scope, inspector_id: int, since: date, until: date | None = None
) -> Sequence[RowMapping]:
    """An inspector's visits of a day (or days), in the order they are walked, with what was found the last time."""
    params: dict[str, Any] = {"inspector": inspector_id, "since": since, "until": until or since}
    return session.execute(_DAY, bounds(scope) | params).mappings().all()


def days_with_visits(session: Session, inspector_id: int, around: date) -> Sequence[RowMapping]:
    """On which days near this one has an inspector visits?"""
    question = text(
        f"""SELECT v.on_day, count(*) AS n, count(*) FILTER (WHERE v.status = 'done') AS done
              FROM site_visit v LEFT JOIN inspection_round r ON r.id = v.round_id
             WHERE v.inspector_id = :inspector AND {_WALKED} AND v.on_day BETWEEN CAST(:day AS date) - 10 AND CAST(:day AS date) + 21
             GROUP BY v.on_day ORDER BY v.on_day"""
    )
    return session.execute(question, {"inspector": inspector_id, "day": around}).mappings().all()


# Whoever answers for a site or does its works sees only what is announced, or what was done.
_OF_SITE = text(
    """
    SELECT v.id, v.on_day, v.status, v.surprise, v.origin, v.reason, v.inspection_id, v.version, p.full_name AS inspector,
           r.name AS round, v.round_id
      FROM site_visit v LEFT JOIN inspection_round r ON r.id = v.round_id LEFT JOIN app_user p ON p.id = v.inspector_id
     WHERE v.site_id = :site AND v.status <> 'dropped' AND (:all OR v.status = 'done' OR
           (NOT v.surprise AND v.on_day IS NOT NULL AND (r.id IS NULL OR r.status IN ('fixed', 'ended'))))
       AND (r.id IS NULL OR r.status <> 'discarded')
     ORDER BY v.on_day DESC NULLS FIRST, v.id DESC LIMIT 100
    """
)


def visits_of_site(session: Session, site_id: int, *, everything: bool) -> Sequence[RowMapping]:
    """Which visits are planned or were made at a site? `everything` is for the bureau: surprise visits and drafts too."""
    return session.execute(_OF_SITE, {"site": site_id, "all": everything}).mappings().all()
