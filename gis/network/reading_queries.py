"""What is asked about measuring points and readings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.network.reading_checks import Known
from gis.network.reading_rules import Quantity
from gis.people.rules import Scope

CODE_MOST = 60
# A point belongs to the body and the area it names, else to its station's.
MINE = """
    (CAST(:unit_id AS bigint) IS NULL OR coalesce(p.unit_id, s.unit_id) = :unit_id)
    AND (CAST(:area_id AS bigint) IS NULL OR coalesce(p.area_id, s.area_id) IN (
         WITH RECURSIVE inside AS (SELECT id FROM area WHERE id = :area_id
             UNION ALL SELECT a.id FROM area a JOIN inside i ON a.parent_id = i.id) SELECT id FROM inside))
"""
_KNOWN = text(
    f"""
    SELECT p.code, p.id, p.quantity, p.unit FROM measuring_point p LEFT JOIN station s ON s.id = p.station_id
     WHERE p.code = ANY(:codes) AND {MINE}
    """
)


def narrowed(scope: Scope) -> dict[str, Any]:
    """The parameters of `MINE`."""
    return {"unit_id": scope.unit_id, "area_id": scope.area_id}


def known(session: Session, scope: Scope, codes: Collection[str]) -> dict[str, Known]:
    """Which of these codes are measuring points within the scope?"""
    found = session.execute(
        _KNOWN, {"codes": [c for c in codes if c.isprintable() and len(c) <= CODE_MOST], **narrowed(scope)}
    )
    return {row.code: Known(row.id, Quantity(row.quantity), row.unit) for row in found}
