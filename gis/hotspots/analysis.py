"""From complaints to cells: puts the points on a plane in metres, counts them in squares, and names what stands out.

The study area is every cell that the chosen districts touch and, unless all ground is asked for, that a residential compound
(or a building) touches too, or that holds a complaint of the selection. A cell in it without a complaint counts as zero.
Where the bureau has no areas yet, it is the rectangle around the complaints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sqlalchemy.orm import Session

from gis.complaints.queries import Filters
from gis.geo import to_degrees, to_metres
from gis.hotspots import density, queries
from gis.hotspots.density import Counts, Floats, Grid, Mask
from gis.hotspots.rules import (
    CELL_MAX_M,
    CELL_MIN_M,
    CONFIDENCE,
    LEVELS,
    MAX_CELLS,
    REACH_CELLS,
    BadCell,
    BadReach,
    Ground,
    Label,
    Measure,
    TooManyCells,
)
from gis.people.rules import Scope

NEAR_M = 1_500.0  # a named place farther away than this does not name a cell


@dataclass(frozen=True)
class Question:
    """What is asked: which complaints, how large the cells, how far a neighbourhood (and the kernel) reaches."""

    filters: Filters
    cell_m: float
    reach_m: float
    ground: Ground = Ground.SETTLED

    @classmethod
    def of(
        cls, filters: Filters, cell_m: float, reach_m: float | None = None, ground: Ground = Ground.SETTLED
    ) -> Question:
        """Checked; the reach is three cells where nothing else is said."""
        if not CELL_MIN_M <= cell_m <= CELL_MAX_M:
            raise BadCell(least=CELL_MIN_M, most=CELL_MAX_M, cell_m=f"{cell_m:g}")
        reach_m = reach_m or cell_m * REACH_CELLS
        if not cell_m <= reach_m <= cell_m * 10:
            raise BadReach(reach=f"{reach_m:g}")
        return cls(filters, float(cell_m), float(reach_m), ground)


@dataclass(frozen=True)
class Cell:
    """One square of the answer. `number` is its place in the list; z, p and q are `None` where there is nothing to compare."""

    number: int
    lon: float
    lat: float
    corners: tuple[tuple[float, float], ...]
    count: int
    per_km2: float
    z: float | None
    p: float | None
    q: float | None
    label: Label
    place: str = ""


@dataclass(frozen=True)
class Surface:
    """A density surface in complaints per square kilometre on a fine grid."""

    grid: Grid
    near_lon: float
    per_km2: Floats


@dataclass(frozen=True)
class Findings:
    """The answer: arrays over the grid, and what was not drawn. `ground_mask` are the cells of the area, `mask` those of them
    that are compared."""

    question: Question
    grid: Grid
    near_lon: float
    area: Any | None
    counts: Counts
    ground_mask: Mask
    mask: Mask
    z: Floats
    p: Floats
    q: Floats
    confidence: NDArray[np.int8]
    x_m: Floats
    y_m: Floats
    located: int
    not_located: int
    ground: Ground

    @property
    def outside(self) -> int:
        """Located complaints that lie outside the study area: told, not drawn."""
        return self.located - int(self.counts[self.mask].sum())

    @property
    def drawn(self) -> int:
        """Complaints that are on the map."""
        return int(self.counts[self.mask].sum())

    @property
    def told(self) -> Mask:
        """The cells worth telling: those with complaints and those called hot or cold."""
        return self.mask & ((self.counts > 0) | (self.confidence != 0))

    @property
    def cells_in_area(self) -> int:
        return int(self.mask.sum())

    @property
    def comparable(self) -> bool:
        """Is there any variance at all, so that a z could be computed?"""
        return bool(np.isfinite(self.z).any())

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of what should be seen: the cells that are told, and a neighbourhood around."""
        shown = self.told if self.told.any() else self.mask
        rows, columns = np.nonzero(shown.any(1))[0], np.nonzero(shown.any(0))[0]
        if not rows.size:
            rows, columns = np.arange(self.grid.rows), np.arange(self.grid.columns)
        side, margin = self.grid.cell_m, self.question.reach_m
        x = self.grid.x0_m + np.array([columns[0], columns[-1] + 1]) * side + np.array([-margin, margin])
        y = self.grid.y0_m + np.array([rows[0], rows[-1] + 1]) * side + np.array([-margin, margin])
        lon, lat = to_degrees(np.tile(x, 2), np.repeat(y, 2), self.near_lon)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def find(session: Session, question: Question, scope: Scope, now: datetime) -> Findings | None:
    """Where do the complaints of this selection gather, more than chance? `None` without any place to look at."""
    at = queries.points(session, question.filters, scope, now)
    area = queries.study_area(session, question.filters.district, scope)
    homes = queries.settled(session, area) if area is not None and question.ground is Ground.SETTLED else []
    return compute(question, at.lon, at.lat, at.not_located, area, homes)


def compute(
    question: Question, lon: Floats, lat: Floats, not_located: int, area: Any | None, homes: Sequence[Any] = ()
) -> Findings | None:
    """The same without a database: positions, an area and homes in degrees. Without homes all ground is compared."""
    if area is not None and shapely.is_empty(area):
        area = None
    if area is None and lon.size == 0:
        return None
    near_lon = float(area.centroid.x if area is not None else np.median(lon))
    x_m, y_m = to_metres(lon, lat, near_lon)
    area_m = None if area is None else _in_metres(area, near_lon)
    west, south, east, north = (x_m.min(), y_m.min(), x_m.max(), y_m.max()) if area_m is None else area_m.bounds
    grid = density.grid_over(float(west), float(south), float(east), float(north), question.cell_m)
    if grid.size > MAX_CELLS:
        raise TooManyCells(cells=grid.size, cell_m=f"{question.cell_m:g}", most=MAX_CELLS)
    ground_mask = np.ones(grid.shape, bool) if area_m is None else touched(grid, area_m)
    counts = density.bin_points(grid, x_m, y_m)
    mask = ground_mask
    if homes:
        mask = ground_mask & (lived_in(grid, [_in_metres(home, near_lon) for home in homes]) | (counts > 0))
    z = density.gi_star(counts, mask, question.reach_m / question.cell_m)
    p = density.two_sided_p(z)
    q = density.benjamini_hochberg(p)
    return Findings(question, grid, near_lon, area, counts, ground_mask, mask, z, p, q, density.confidence(z, q, LEVELS),
                    x_m, y_m, int(lon.size), not_located, Ground.SETTLED if homes else Ground.ALL)  # fmt: skip


def _in_metres(area: Any, near_lon: float) -> Any:
    return shapely.transform(area, lambda xy: np.column_stack(to_metres(xy[:, 0], xy[:, 1], near_lon)))


def touched(grid: Grid, area_m: Any) -> Mask:
    """The cells that the area touches: those whose centre is in it, and those that its boundary runs through."""
    x, y = grid.centres()
    shapely.prepare(area_m)
    inside: Mask = shapely.contains_xy(area_m, np.tile(x, grid.rows), np.repeat(y, grid.columns)).reshape(grid.shape)
    along = shapely.get_coordinates(shapely.segmentize(shapely.boundary(area_m), grid.cell_m / 4))
    rows, columns = grid.locate(along[:, 0], along[:, 1])
    inside[rows.clip(0, grid.rows - 1), columns.clip(0, grid.columns - 1)] = True
    return inside


def lived_in(grid: Grid, homes_m: list[Any]) -> Mask:
    """The cells that any of these shapes touches: with its outline, or with the cell's centre inside it."""
    found = np.zeros(grid.shape, bool)
    homes = np.array(homes_m, dtype=object)
    along = shapely.get_coordinates(shapely.segmentize(homes, grid.cell_m / 4))
    rows, columns = grid.locate(along[:, 0], along[:, 1])
    inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
    found[rows[inside], columns[inside]] = True
    wide = homes[shapely.get_dimensions(homes) == 2]
    if wide.size:
        x, y = grid.centres()
        centres = shapely.points(np.tile(x, grid.rows), np.repeat(y, grid.columns))
        hit = shapely.STRtree(centres).query(wide, predicate="contains")[1]
        found.ravel()[hit] = True
    return found


def surface(found: Findings) -> Surface:
    """The density surface of the same complaints over the same rectangle, a tenth of the bandwidth fine."""
    reach, cell = found.question.reach_m, found.question.reach_m / 10
    wide, high = found.grid.columns * found.grid.cell_m, found.grid.rows * found.grid.cell_m
    cell = max(cell, (wide * high / MAX_CELLS) ** 0.5)
    if cell > reach / 3:
        raise TooManyCells(cells=int(wide * high / (reach / 10) ** 2), cell_m=f"{reach / 10:g}", most=MAX_CELLS)
    x0, y0 = found.grid.x0_m, found.grid.y0_m
    grid = density.grid_over(x0, y0, x0 + wide, y0 + high, cell)
    rows, columns = found.grid.locate(found.x_m, found.y_m)
    inside = (rows >= 0) & (rows < found.grid.rows) & (columns >= 0) & (columns < found.grid.columns)
    inside[inside] = found.ground_mask[rows[inside], columns[inside]]
    weights = density.spread_points(grid, found.x_m[inside], found.y_m[inside])
    return Surface(grid, found.near_lon, density.kernel_density(weights, cell, reach))


def cells(found: Findings, measure: Measure = Measure.SIGNIFICANCE, every: bool = False) -> list[Cell]:
    """The cells worth telling, strongest first: those with complaints and those called hot or cold; or every cell."""
    keep = found.mask if every else found.told
    rows, columns = np.nonzero(keep)
    x, y = found.grid.centres()
    flat = surface(found)
    per_km2 = density.sample(flat.grid, flat.per_km2, x[columns], y[rows])
    z = found.z[rows, columns]
    strength = np.nan_to_num(z, nan=-np.inf) if measure is Measure.SIGNIFICANCE else per_km2
    order = np.lexsort((columns, rows, -found.counts[rows, columns], -strength))
    rows, columns, per_km2, z = rows[order], columns[order], per_km2[order], z[order]
    lon, lat = to_degrees(x[columns], y[rows], found.near_lon)
    corners = _corners(found, rows, columns)
    p, q = found.p[rows, columns], found.q[rows, columns]
    count, sure = found.counts[rows, columns], found.confidence[rows, columns]
    return [
        Cell(i + 1, float(lon[i]), float(lat[i]), corners[i], int(count[i]), float(per_km2[i]), _known(z[i]), _known(p[i]),
             _known(q[i]), Label.NO_DATA if np.isnan(z[i]) else CONFIDENCE[int(sure[i])])
        for i in range(len(rows))
    ]  # fmt: skip


def _corners(found: Findings, rows: Counts, columns: Counts) -> list[tuple[tuple[float, float], ...]]:
    """The closed ring of each cell in degrees."""
    side, x0, y0 = found.grid.cell_m, found.grid.x0_m, found.grid.y0_m
    x = x0 + (columns[:, None] + np.array([0, 1, 1, 0, 0])) * side
    y = y0 + (rows[:, None] + np.array([0, 0, 1, 1, 0])) * side
    lon, lat = to_degrees(x, y, found.near_lon)
    return [tuple(zip(a, b, strict=True)) for a, b in zip(lon.tolist(), lat.tolist(), strict=True)]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def name_cells(session: Session, listed: list[Cell], found: Findings) -> list[str]:
    """What people call the place of each cell: the nearest compound or gazetteer name, else the street or district."""
    if not listed:
        return []
    lon, lat = np.array([c.lon for c in listed]), np.array([c.lat for c in listed])
    names = [""] * len(listed)
    margin = NEAR_M / 80_000
    box = (lon.min() - margin, lat.min() - margin, lon.max() + margin, lat.max() + margin)
    known = queries.named_places(session, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), found.area)
    if known.names:
        tree = cKDTree(np.column_stack(to_metres(known.lon, known.lat, found.near_lon)))
        far, nearest = tree.query(np.column_stack(to_metres(lon, lat, found.near_lon)))
        names = [known.names[i] if d <= NEAR_M else "" for d, i in zip(far, nearest, strict=True)]
    if found.area is not None and not all(names):
        areas = queries.ground_areas(session, found.area)
        areas.sort(key=lambda a: a.geometry.area)
        for area in areas:
            within = shapely.contains_xy(area.geometry, lon, lat)
            names = [n or (area.name if inside else "") for n, inside in zip(names, within, strict=True)]
    return names
