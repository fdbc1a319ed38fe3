"""From complaints to cells: counts them in squares, hexagons or communities, and names what stands out.

The study area is every cell that the chosen districts touch and, unless all ground is asked for, that a residential compound
(or a building) touches too, or that holds a complaint of the selection. A cell in it without a complaint counts as zero.
Where the bureau has no areas yet, it is the rectangle around the complaints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis.complaints.queries import Filters
from gis.geo import to_degrees, to_metres
from gis.hotspots import chance, density, grounds, queries, sheet_queries, tiling
from gis.hotspots.density import Counts, Floats, Grid, Mask
from gis.hotspots.grounds import Cut
from gis.hotspots.hexagons import HexGrid
from gis.hotspots.rates import shrunk
from gis.hotspots.rules import (
    CELL_MAX_M,
    CELL_MIN_M,
    LEVELS,
    PERMUTATIONS,
    REACH_CELLS,
    SEED,
    BadCell,
    BadReach,
    CellShape,
    Chance,
    Ground,
)
from gis.hotspots.sheets import Places, Small, Spots
from gis.hotspots.tiling import Tiling, Tracts
from gis.people.rules import Scope

PER_HOUSEHOLDS = 1_000  # a rate is told for so many


@dataclass(frozen=True)
class Question:
    """What is asked: which complaints, cells of which shape and size, how far a neighbourhood (and the kernel) reaches."""

    filters: Filters
    cell_m: float
    reach_m: float
    ground: Ground = Ground.SETTLED
    shape: CellShape = CellShape.SQUARE
    chance: Chance = Chance.NORMAL

    @classmethod
    def of(
        cls, filters: Filters, cell_m: float, reach_m: float | None = None, ground: Ground = Ground.SETTLED,
        shape: CellShape = CellShape.SQUARE, chance: Chance = Chance.NORMAL,
    ) -> Question:  # fmt: skip
        """Checked; the reach is three cells where nothing else is said."""
        if not CELL_MIN_M <= cell_m <= CELL_MAX_M:
            raise BadCell(least=CELL_MIN_M, most=CELL_MAX_M, cell_m=f"{cell_m:g}")
        reach_m = reach_m or cell_m * REACH_CELLS
        if not cell_m <= reach_m <= cell_m * 10:
            raise BadReach(reach=f"{reach_m:g}")
        return cls(filters, float(cell_m), float(reach_m), ground, shape, chance)


@dataclass(frozen=True)
class Findings:
    """The answer: arrays over the cells, and what was not drawn. `ground_mask` are the cells of the area, `mask` those of them
    that are compared; `rate` is of complaints per 1,000 households, shrunk. `spots` are the complaints' places, `members` the
    same as the cells count them (of communities: by the community that each was filed under)."""

    question: Question
    tiling: Tiling
    near_lon: float
    area: Any | None
    counts: Counts
    ground_mask: Mask
    mask: Mask
    z: Floats
    p: Floats
    q: Floats
    confidence: NDArray[np.int8]
    households: Floats
    rate: Floats
    spots: Places
    members: Places
    ground: Ground

    @property
    def grid(self) -> Grid | HexGrid:
        """The cells where they are a grid."""
        if isinstance(self.tiling, Grid | HexGrid):
            return self.tiling
        raise TypeError("communities are no grid")

    @property
    def located(self) -> int:
        return self.spots.located

    @property
    def not_located(self) -> int:
        return self.spots.not_located

    @property
    def outside(self) -> int:
        """Located complaints that lie outside the study area: told, not drawn."""
        return self.located - self.drawn

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
    def without_households(self) -> int:
        """Cells with complaints for which no household is known: they have no rate."""
        return int((self.mask & (self.counts > 0) & (self.households <= 0)).sum())

    @property
    def comparable(self) -> bool:
        """Is there any variance at all, so that a z could be computed?"""
        return bool(np.isfinite(self.z).any())

    def box_m(self, kept: Mask) -> tuple[float, float, float, float]:
        """West, south, east, north in metres of some of the cells."""
        if isinstance(self.tiling, Tracts):
            bounds = np.array([self.tiling.shapes_m[i].bounds for i in np.nonzero(kept[0])[0]])
            return (*bounds[:, :2].min(0).tolist(), *bounds[:, 2:].max(0).tolist())
        rows, columns = np.nonzero(kept)
        x, y = self.tiling.centre_of(rows, columns)
        half = self.question.cell_m / 2
        return float(x.min()) - half, float(y.min()) - half, float(x.max()) + half, float(y.max()) + half

    def on_ground(self, x_m: Floats, y_m: Floats) -> Mask:
        """Which of these places lie in the study area?"""
        return tiling.on_ground(self.tiling, self.ground_mask, x_m, y_m)

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of what should be seen: the cells that are told, and a neighbourhood around."""
        shown = next(m for m in (self.told, self.mask, np.ones(self.tiling.shape, bool)) if m.any())
        west, south, east, north = self.box_m(shown)
        margin = 0.0 if isinstance(self.tiling, Tracts) else self.question.reach_m
        x, y = np.array([west - margin, east + margin]), np.array([south - margin, north + margin])
        lon, lat = to_degrees(np.tile(x, 2), np.repeat(y, 2), self.near_lon)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


class Source(Protocol):
    """Where the complaints' places are read from."""

    def near_lon(self) -> float:
        """The middle of the plane that suits them, where no area says it."""
        ...

    def spots(self, near_lon: float) -> Places: ...

    def members(self, tracts: Tracts, near_lon: float) -> Places:
        """The same by communities: columns of the tracts instead of metres."""
        ...


@dataclass(frozen=True)
class Own(Source):
    """The bureau's own database, read into arrays."""

    session: Session
    filters: Filters
    scope: Scope
    now: datetime

    def near_lon(self) -> float:
        lon = queries.points(self.session, self.filters, self.scope, self.now).lon
        return round(float(np.median(lon)) / 3) * 3.0 if lon.size else 0.0

    def spots(self, near_lon: float) -> Spots:
        """Out of the sheets where they know and lie in this plane, else from the complaints themselves."""
        session, filters, scope = self.session, self.filters, self.scope
        if sheet_queries.plane(session).near_lon == near_lon and sheet_queries.answers(session, filters, scope):
            return sheet_queries.spots(session, filters, scope)
        return in_plane(queries.points(session, filters, scope, self.now), near_lon)

    def members(self, tracts: Tracts, near_lon: float) -> Spots:
        return queries.by_community(self.session, self.filters, self.scope, self.now, tracts.ids)


def find(
    session: Session, question: Question, scope: Scope, now: datetime, source: Source | None = None
) -> Findings | None:  # fmt: skip
    """Where do the complaints of this selection gather, more than chance? `None` without any place to look at."""
    source = source or Own(session, question.filters, scope, now)
    cut = grounds.cut(session, question.filters, scope, question.shape, question.cell_m, question.ground)
    if cut is not None:
        spots = source.spots(cut.near_lon)
        members = source.members(cut.tiling, cut.near_lon) if isinstance(cut.tiling, Tracts) else spots
        return compute(question, spots, cut, members)
    if question.filters.district or scope.area_id is not None:
        return None
    near_lon = source.near_lon()
    spots = source.spots(near_lon)
    box = spots.box()
    return None if box is None else compute(question, spots, _rectangle(question, box, near_lon))


def in_plane(at: queries.Points, near_lon: float) -> Spots:
    """Degrees as whole metres of a plane; what lies too far from its middle lies elsewhere."""
    near = (np.abs(at.lon - near_lon) <= 6) & (np.abs(at.lat) <= 84)
    x, y = to_metres(at.lon[near], at.lat[near], near_lon)
    whole: list[Small] = [np.floor(v).astype(np.int32) for v in (x, y)]
    ones = np.ones(whole[0].size, np.int32)
    return Spots(whole[0], whole[1], ones, at.day[near], int((~near).sum()), at.not_located)


def _rectangle(question: Question, box: tuple[int, int, int, int], near_lon: float) -> Cut:
    """Without any area: the complaints alone say where to look."""
    shape = question.shape if question.shape is CellShape.HEXAGON else CellShape.SQUARE
    grid = tiling.over(shape, box, question.cell_m)
    return Cut(near_lon, None, grid, np.ones(grid.shape, bool), None, np.zeros(grid.shape))


def compute(question: Question, spots: Places, cut: Cut, members: Places | None = None) -> Findings:
    """The same without a database. Where nobody knows who lives where, all ground is compared."""
    members = spots if members is None else members
    counts = members.sum_over(partial(tiling.count, cut.tiling))
    mask = cut.ground_mask if cut.lived is None else cut.ground_mask & (cut.lived | (counts > 0))
    z, p = significance(question, cut.tiling, counts, mask)
    q = density.benjamini_hochberg(p)
    sure = density.confidence(z, q, LEVELS)
    rate = np.full(counts.shape, np.nan)
    rate[mask] = shrunk(counts[mask].astype(np.float64), cut.households[mask]) * PER_HOUSEHOLDS
    ground = Ground.ALL if cut.lived is None else Ground.SETTLED
    return Findings(question, cut.tiling, cut.near_lon, cut.area, counts, cut.ground_mask, mask, z, p, q, sure,
                    cut.households, rate, spots, members, ground)  # fmt: skip


def significance(question: Question, cut: Tiling, counts: Counts, mask: Mask) -> tuple[Floats, Floats]:
    """Gi* as z of every compared cell and its p, by the normal curve or by permutation; NaN elsewhere."""
    inside, reach = np.where(mask, counts, 0).astype(np.int64), question.reach_m
    local, weight = cut.local_sum(inside, reach), cut.local_sum(mask.astype(np.int64), reach)
    total, squares = int(inside.sum()), int((inside * inside).sum())
    z = density.gi_star_z(local.astype(np.float64), weight.astype(np.float64), int(mask.sum()), total, squares)
    z = np.where(mask, z, np.nan)
    if question.chance is Chance.NORMAL:
        return z, density.two_sided_p(z)
    p = np.full(z.shape, np.nan)
    one = chance.permuted_p((local - inside)[mask], (weight - 1)[mask], inside[mask], PERMUTATIONS, SEED)
    p[mask] = np.where(np.isnan(z[mask]), np.nan, np.minimum(2 * one, 1.0))  # hot or cold: either way counts
    return z, p


def at_least(found: Findings, fewest: int) -> Findings:
    """Only what cells of so many complaints say: for a file that anybody may read. Everything else is no longer in it."""
    kept = found.mask & (found.counts >= fewest)
    counts = np.where(kept, found.counts, 0)
    return replace(found, ground_mask=kept, mask=kept, counts=counts, z=np.where(kept, found.z, np.nan),
                   p=np.where(kept, found.p, np.nan), q=np.where(kept, found.q, np.nan), rate=np.where(kept, found.rate, np.nan),
                   confidence=np.where(kept, found.confidence, 0).astype(np.int8))  # fmt: skip
