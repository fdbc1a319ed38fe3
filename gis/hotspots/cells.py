"""The findings as rows: the cells worth telling with their numbers, outline and name; and the density surface around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree
from sqlalchemy.orm import Session

from gis.geo import to_degrees, to_metres
from gis.hotspots import density, queries
from gis.hotspots.analysis import Findings
from gis.hotspots.density import Counts, Floats, Grid, Mask
from gis.hotspots.rules import CONFIDENCE, MAX_CELLS, Course, Label, Measure, TooManyCells
from gis.hotspots.sheets import Spots
from gis.hotspots.tiling import Tracts, key_of, on_ground
from gis.hotspots.weeks import Weeks

NEAR_M = 1_500.0  # a named place farther away than this does not name a cell


@dataclass(frozen=True)
class Cell:
    """One cell of the answer. `number` is its place in the list; z, p, q and rate are `None` where there is nothing to compare.
    `geometry` is its outline in degrees, `rate` per 1,000 households (shrunk), `course` how it went on over the weeks."""

    number: int
    lon: float
    lat: float
    geometry: Any
    count: int
    per_km2: float
    z: float | None
    p: float | None
    q: float | None
    label: Label
    households: int
    rate: float | None
    course: Course
    key: str
    place: str = ""

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The closed outer ring (of the largest part)."""
        largest = max(shapely.get_parts(self.geometry), key=lambda part: part.area)
        return [(x, y) for x, y in largest.exterior.coords]


@dataclass(frozen=True)
class Surface:
    """A density surface in complaints per square kilometre on a fine grid."""

    grid: Grid
    near_lon: float
    per_km2: Floats


def surface(found: Findings) -> Surface:
    """The density surface of the same complaints over the same rectangle, a tenth of the bandwidth fine."""
    reach, cell = found.question.reach_m, found.question.reach_m / 10
    west, south, east, north = found.box_m(np.ones(found.tiling.shape, bool))
    cell = max(cell, ((east - west) * (north - south) / MAX_CELLS) ** 0.5)
    if cell > reach / 3:
        cells = int((east - west) * (north - south) / (reach / 10) ** 2)
        raise TooManyCells(cells=cells, cell_m=f"{reach / 10:g}", most=MAX_CELLS)
    grid = density.grid_over(west, south, east, north, cell)
    cut, mask = found.tiling, found.ground_mask
    whole = not isinstance(cut, Tracts) and bool(mask.all())

    def each(spots: Spots) -> Floats:
        x, y, n = spots.x_m.astype(np.float64) + 0.5, spots.y_m.astype(np.float64) + 0.5, spots.n
        if not whole:
            inside = on_ground(cut, mask, x, y)
            x, y, n = x[inside], y[inside], n[inside]
        return density.spread_points(grid, x, y, n)

    return Surface(grid, found.near_lon, density.kernel_density(found.spots.sum_over(each), cell, reach))


def cells(
    found: Findings, measure: Measure = Measure.SIGNIFICANCE, every: bool = False, weeks: Weeks | None = None
) -> list[Cell]:
    """The cells worth telling, strongest first: those with complaints and those called hot or cold; or every cell."""
    keep = found.mask if every else found.told | (weeks.named if weeks else False)
    rows, columns = np.nonzero(keep & found.mask)
    x, y = found.tiling.centre_of(rows, columns)
    flat = surface(found)
    per_km2 = density.sample(flat.grid, flat.per_km2, x, y)
    z, rate = found.z[rows, columns], found.rate[rows, columns]
    strength = {Measure.DENSITY: per_km2, Measure.RATE: rate}.get(measure, z)
    if weeks is not None:
        strength = weeks.strength[rows, columns]
    order = np.lexsort((columns, rows, -found.counts[rows, columns], -np.nan_to_num(strength, nan=-np.inf)))
    rows, columns, x, y, per_km2 = rows[order], columns[order], x[order], y[order], per_km2[order]
    lon, lat = to_degrees(x, y, found.near_lon)
    outlines = _outlines(found, rows, columns)
    courses = [Course(c) for c in weeks.course[rows, columns]] if weeks else [Course.NONE] * len(rows)
    numbers = [
        a[rows, columns]
        for a in (found.counts, found.z, found.p, found.q, found.confidence, found.households, found.rate)
    ]
    return [
        Cell(i + 1, float(lon[i]), float(lat[i]), outlines[i], int(count), float(per_km2[i]), _known(z_), _known(p), _known(q),
             Label.NO_DATA if np.isnan(z_) else CONFIDENCE[int(sure)], round(float(homes)), _known(rate_), courses[i],
             key_of(found.tiling, int(rows[i]), int(columns[i])))
        for i, (count, z_, p, q, sure, homes, rate_) in enumerate(zip(*numbers, strict=True))
    ]  # fmt: skip


def _outlines(found: Findings, rows: Counts, columns: Counts) -> Any:
    """The outline of each cell in degrees."""
    if isinstance(found.tiling, Tracts):
        shapes = np.array([found.tiling.shapes_m[c] for c in columns], dtype=object)
        return shapely.transform(shapes, lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1], found.near_lon)))
    x, y = found.grid.ring_of(rows, columns)
    lon, lat = to_degrees(x, y, found.near_lon)
    return shapely.polygons(np.stack([lon, lat], axis=-1)) if len(rows) else []


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def name_cells(session: Session, listed: list[Cell], found: Findings) -> list[str]:
    """What people call the place of each cell: the nearest compound or gazetteer name, else the street or district."""
    if not listed:
        return []
    lon, lat = np.array([c.lon for c in listed]), np.array([c.lat for c in listed])
    if isinstance(found.tiling, Tracts):
        return _tract_names(found.tiling, found, lon, lat)
    names = names_near(session, list(zip(lon.tolist(), lat.tolist(), strict=True)), found.area)
    if found.area is not None and not all(names):
        areas = queries.ground_areas(session, found.area)
        areas.sort(key=lambda a: a.geometry.area)
        for area in areas:
            within = shapely.contains_xy(area.geometry, lon, lat)
            names = [n or (area.name if inside else "") for n, inside in zip(names, within, strict=True)]
    return names


def names_near(session: Session, places: list[tuple[float, float]], area: Any | None) -> list[str]:
    """The nearest named place of each position (lon, lat) within `NEAR_M` and the area; an empty name where there is none."""
    lon, lat = np.array(places).T
    margin, near_lon = NEAR_M / 80_000, float(lon.mean())
    box = (lon.min() - margin, lat.min() - margin, lon.max() + margin, lat.max() + margin)
    known = queries.named_places(session, (float(box[0]), float(box[1]), float(box[2]), float(box[3])), area)
    if not known.names:
        return [""] * len(places)
    tree = cKDTree(np.column_stack(to_metres(known.lon, known.lat, near_lon)))
    far, nearest = tree.query(np.column_stack(to_metres(lon, lat, near_lon)))
    return [known.names[i] if d <= NEAR_M else "" for d, i in zip(far, nearest, strict=True)]


def _tract_names(tracts: Tracts, found: Findings, lon: Floats, lat: Floats) -> list[str]:
    every: Mask = np.ones(tracts.shape, bool)
    x, y = tracts.centre_of(*np.nonzero(every))
    nearest = cKDTree(np.column_stack([x, y])).query(np.column_stack(to_metres(lon, lat, found.near_lon)))[1]
    return [tracts.names[i] for i in nearest]
