"""What is asked about topologies: the last buildings, what they found, and what is stored of each utility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_FINDINGS = """
    SELECT id, kind, code, other_code, metres, detail, ST_X(geom) AS lon, ST_Y(geom) AS lat
      FROM topology_finding
     WHERE build_id = :build AND (:kind = '' OR kind = :kind)
       AND (:q = '' OR position(lower(:q) IN lower(code || ' ' || other_code)) > 0)
     ORDER BY id
"""
_COUNTS = text(
    "SELECT kind, count(*) AS n FROM topology_finding WHERE build_id = :build GROUP BY kind ORDER BY n DESC, kind"
)
_LATEST = text(
    """
    SELECT DISTINCT ON (b.utility) b.*, u.full_name AS who,
           (SELECT count(*) FROM topology_finding f WHERE f.build_id = b.id) AS findings
      FROM topology_build b LEFT JOIN app_user u ON u.id = b.user_id
     WHERE b.state = ANY(:states) ORDER BY b.utility, b.id DESC
    """
)
_STORED = text(
    """
    SELECT 'pipelines' AS what, utility, count(*) AS n, sum(ST_Length(geom::geography)) AS amount FROM pipeline GROUP BY utility
    UNION ALL SELECT 'valves', utility, count(*), count(*) FILTER (WHERE reach = 'unreachable') FROM valve GROUP BY utility
    UNION ALL SELECT 'closed', utility, count(*) FILTER (WHERE NOT is_open), 0 FROM valve GROUP BY utility
    UNION ALL SELECT 'sources', utility, count(*), 0 FROM supply_source GROUP BY utility
    UNION ALL SELECT 'sources', 'heat', count(*), 0 FROM heat_source HAVING count(*) > 0
    UNION ALL SELECT 'supply_points', utility, count(*), sum(households) FROM supply_point GROUP BY utility
    UNION ALL SELECT 'stations', 'heat', count(*), sum(households) FROM station HAVING count(*) > 0
    UNION ALL SELECT 'dependencies', 'heat', count(*), 0 FROM network_dependency HAVING count(*) > 0
    """
)


def findings(session: Session, build_id: int, kind: str = "", q: str = "") -> list[Mapping[str, Any]]:
    """What is wrong with a topology: of one kind, or with an object whose code contains this?"""
    return [dict(row) for row in session.execute(text(_FINDINGS), {"build": build_id, "kind": kind, "q": q}).mappings()]


def kinds_found(session: Session, build_id: int) -> dict[str, int]:
    """How many findings of each kind does a topology have, the most first?"""
    return {row.kind: row.n for row in session.execute(_COUNTS, {"build": build_id})}


def builds(session: Session, *states: str) -> dict[str, Mapping[str, Any]]:
    """The last building of each utility that is in one of these states."""
    found = session.execute(_LATEST, {"states": list(states)}).mappings()
    return {row["utility"]: dict(row) for row in found}


def stored(session: Session) -> dict[str, dict[str, tuple[int, float]]]:
    """What is stored of each utility: how many of each thing, and metres, households or valves out of reach?"""
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for row in session.execute(_STORED):
        found.setdefault(row.utility, {})[row.what] = (row.n, float(row.amount or 0))
    return found
