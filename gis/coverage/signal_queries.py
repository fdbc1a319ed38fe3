"""Weak signal and unserved areas out of the database: cells with their share of weak samples, shadows, areas without pipes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.coverage import ground_queries as ground
from gis.coverage.queries import Row
from gis.coverage.signal import HIDDEN, UNKNOWN, nearest, shadows, weak_cells
from gis.geo import to_degrees, to_metres
from gis.network.rules import Utility
from gis.people.rules import Scope

PIPED = (Utility.GAS, Utility.HEAT, Utility.WATER)
SAMPLES_MOST = 1_000_000
_INSIDE = """(CAST(:area_id AS bigint) IS NULL
              OR EXISTS (SELECT 1 FROM area AS mine WHERE mine.id = :area_id AND ST_Intersects(mine.geom, t.geom)))"""


@dataclass(frozen=True)
class Asked:
    """Which samples, in cells of what size, weak from where on, and how many a share needs."""

    weak_dbm: float
    cell_m: int
    least: int
    operator: str = ""


@dataclass(frozen=True)
class SignalCell:
    """A square with samples. `share` None: too few. `hidden`, `unknown`: of its weak samples, by buildings before the mast."""

    corners: list[tuple[float, float]]
    lon: float
    lat: float
    samples: int
    weak: int
    share: float | None
    hidden: int
    unknown: int
    mast: str


@dataclass(frozen=True)
class Signal:
    """The cells, the worst first, and what they were made from."""

    cells: list[SignalCell]
    samples: int
    weak: int
    masts: int


def operators(session: Session) -> list[str]:
    """Of which operators are there samples?"""
    return list(session.scalars(text("SELECT DISTINCT operator FROM signal_sample ORDER BY operator")))


def signal(session: Session, scope: Scope, asked: Asked) -> Signal:
    """The share of weak samples by cell, and how many of the weak ones lie behind a building seen from the nearest mast."""
    given = {"area_id": scope.area_id, "operator": asked.operator, "most": SAMPLES_MOST}
    rows = session.execute(
        text(f"SELECT ST_X(geom) AS lon, ST_Y(geom) AS lat, rsrp_dbm FROM signal_sample AS t WHERE {_INSIDE}"
             " AND (:operator = '' OR operator = :operator) ORDER BY id LIMIT :most"), given
    ).all()  # fmt: skip
    if not rows:
        return Signal([], 0, 0, 0)
    table = np.array([tuple(row) for row in rows], float)
    near_lon = float(np.median(table[:, 0]))
    x, y = to_metres(table[:, 0], table[:, 1], near_lon)
    cells = weak_cells(x, y, table[:, 2], weak_dbm=asked.weak_dbm, cell_m=asked.cell_m, least=asked.least)
    hidden, unknown, masts, names = _shadow(session, asked, table, (x, y), near_lon)
    by_cell = [
        np.bincount(cells.of, weights=some, minlength=len(cells.samples)).astype(int) for some in (hidden, unknown)
    ]
    corner_x, corner_y = cells.column * asked.cell_m, cells.row * asked.cell_m
    found = []
    order = np.lexsort(
        (np.arange(len(cells.samples)), -cells.weak, -np.where(cells.enough, cells.weak / cells.samples, -1.0))
    )
    for i in order.tolist():
        square = to_degrees(corner_x[i] + np.array([0, 1, 1, 0, 0]) * asked.cell_m,
                            corner_y[i] + np.array([0, 0, 1, 1, 0]) * asked.cell_m, near_lon)  # fmt: skip
        corners = [(round(float(a), 7), round(float(b), 7)) for a, b in zip(*square, strict=True)]
        share = float(cells.weak[i] / cells.samples[i]) if cells.enough[i] else None
        lon, lat = (sum(c[axis] for c in corners[:4]) / 4 for axis in (0, 1))
        mine = np.flatnonzero(cells.of == i)[0] if names else 0
        found.append(SignalCell(corners, lon, lat, int(cells.samples[i]), int(cells.weak[i]), share, int(by_cell[0][i]),
                                int(by_cell[1][i]), names[mine] if names else ""))  # fmt: skip
    return Signal(found, len(table), int(cells.weak.sum()), masts)


def _shadow(session: Session, asked: Asked, table: np.ndarray, at: tuple[np.ndarray, np.ndarray], near_lon: float):  # type: ignore[no-untyped-def]
    """Which weak samples are hidden, which unknown, from how many masts, and each sample's nearest mast by name."""
    weak = table[:, 2] <= asked.weak_dbm
    nothing = np.zeros(len(table))
    rows = session.execute(
        text("SELECT coalesce(nullif(name, ''), code) AS name, ST_X(geom) AS lon, ST_Y(geom) AS lat, height_m FROM mast"
             " WHERE state = 'working' AND height_m IS NOT NULL AND (:operator = '' OR operator IN ('', :operator)) ORDER BY id"),
        {"operator": asked.operator},
    ).all()  # fmt: skip
    if not rows:
        return nothing, nothing, 0, []
    mast_x, mast_y = to_metres([r.lon for r in rows], [r.lat for r in rows], near_lon)
    height = np.array([r.height_m for r in rows], float)
    mast = nearest(*at, mast_x, mast_y)
    some = np.flatnonzero(weak)
    middle = (table[some, :2] + np.array([[rows[m].lon, rows[m].lat] for m in mast[some]]).reshape(-1, 2)) / 2
    half = np.hypot(at[0][some] - mast_x[mast[some]], at[1][some] - mast_y[mast[some]]) / 2
    outlines, tall = ground.buildings_near(session, middle[:, 0], middle[:, 1], half + 1.0, near_lon)
    state = np.zeros(len(table), np.int64)
    m = mast[some]
    state[some] = shadows((at[0][some], at[1][some]), (mast_x[m], mast_y[m], height[m]), outlines, tall)
    return (state == HIDDEN).astype(float), (state == UNKNOWN).astype(float), len(rows), [rows[i].name for i in mast]


_UNSERVED = """
    SELECT t.id, t.name, t.households, t.geom,
           (SELECT ST_Distance(p.geom::geography, t.geom::geography) FROM pipeline AS p WHERE p.utility = :utility
             ORDER BY p.geom <-> t.geom LIMIT 1) AS away_m
      FROM area AS t
     WHERE t.level IN ('compound', 'community') AND t.households > 0 AND EXISTS (SELECT 1 FROM pipeline WHERE utility = :utility)
"""


def beyond_pipes(session: Session, scope: Scope, utility: Utility, farther_m: float) -> list[Row]:
    """Which compounds and communities where people live are farther than this from every pipe of a utility? Those of which
    a spot is kept already are left out."""
    statement = f"""
        SELECT id, name, households, away_m, ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat
          FROM ({_UNSERVED}) AS t
         WHERE away_m > :farther AND {_INSIDE}
           AND NOT EXISTS (SELECT 1 FROM unserved_area AS s WHERE s.area_id = t.id AND s.utility = :utility)
         ORDER BY households DESC, id LIMIT 500
    """
    given = {"utility": str(utility), "farther": farther_m, "area_id": scope.area_id}
    return list(session.execute(text(statement), given).mappings())
