"""Where more cameras would help most: sites along the open blind spots, weighed by need, told with what each one adds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from geoalchemy2.shape import to_shape
from numpy.typing import NDArray
from scipy import sparse
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.coverage import ground_queries as ground
from gis.coverage.analysis import degrees
from gis.coverage.infill import choose
from gis.coverage.model import BlindSpot
from gis.coverage.rules import (
    NEED_HOUSEHOLDS_MOST,
    NEED_NEAR_M,
    NEED_PER_100_HOUSEHOLDS,
    NEED_REPORTED,
    PIECE_M,
    SITE_EVERY_M,
    SITES_MOST,
    CameraType,
    SpotOrigin,
    SpotState,
    ViewLevel,
)
from gis.coverage.view import Looks, stand_off, view_fields, walls

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """A camera that is proposed: where, looking where, on which blind spot, and what it adds to those before it."""

    lon: float
    lat: float
    bearing_deg: float
    spot_id: int
    road_name: str
    seen_m: float
    need: float
    field: Any


@dataclass(frozen=True)
class Infill:
    """The proposed sites, the most helpful first. `share_of_best`: at least this share of the best possible choice."""

    sites: tuple[Site, ...]
    unseen_m: float
    need: float
    share_of_best: float
    candidates: int

    @property
    def seen_m(self) -> float:
        return sum(site.seen_m for site in self.sites)

    @property
    def share(self) -> float:
        """Which share of the need the sites meet."""
        return min(1.0, sum(site.need for site in self.sites) / self.need) if self.need else 0.0


@dataclass(frozen=True)
class _Pieces:
    x: Floats
    y: Floats
    length_m: Floats
    need: Floats
    spot: NDArray[np.int64]


def propose(session: Session, k: int, kind: CameraType, seconds: float) -> Infill:
    """The best `k` sites for cameras of this kind along the blind spots that are open and unseen.

    `seconds` is for all of it: the exact search has what the view fields leave.
    """
    until = time.monotonic() + seconds
    near_lon = ground.middle_lon(session)
    asked = select(BlindSpot).where(BlindSpot.state != SpotState.CLOSED).order_by(BlindSpot.id)
    spots = [s for s in session.scalars(asked) if s.unseen_m is None or s.unseen_m > 0]
    if near_lon is None or not spots or k < 1:
        return Infill((), 0.0, 0.0, 1.0, 0)
    lines = ground.metric(np.array([to_shape(s.geom) for s in spots], object), near_lon)
    pieces = _pieces(session, spots, lines, near_lon)
    reach = kind.optics.reach_m(ViewLevel.DETECT) or 0.0
    x, y, bearing, spot = _candidates(lines, pieces, reach)
    looks = Looks(x, y, bearing, np.full(len(x), kind.optics.lens_deg or 0.0), np.full(len(x), reach))
    lon_lat = degrees(shapely.points(x, y), near_lon)
    lon, lat = shapely.get_x(lon_lat), shapely.get_y(lon_lat)
    outlines, _ = ground.buildings_near(session, lon, lat, np.full(len(x), reach), near_lon)
    around = walls(outlines)
    stood, free = stand_off(looks, around)
    fields = view_fields(stood, around, free)
    shapely.prepare(fields)
    who, what = shapely.STRtree(shapely.points(pieces.x, pieces.y)).query(fields, predicate="intersects")
    covers = sparse.csr_array((np.ones(len(who)), (who, what)), shape=(len(x), len(pieces.x)))
    weight = pieces.need * pieces.length_m
    choice = choose(covers, weight, k, max(0.0, until - time.monotonic()))
    left = np.ones(len(weight), bool)
    sites = []
    for i in choice.chosen:
        new = covers.indices[covers.indptr[i] : covers.indptr[i + 1]]
        new = new[left[new]]
        left[new] = False
        sites.append(Site(
            float(lon[i]), float(lat[i]), float(bearing[i]), spots[spot[i]].id, spots[spot[i]].road_name,
            float(pieces.length_m[new].sum()), float(weight[new].sum()), degrees(fields[i], near_lon),
        ))  # fmt: skip
    return Infill(tuple(sites), float(pieces.length_m.sum()), float(weight.sum()), choice.share_of_best, len(x))


def _pieces(session: Session, spots: Sequence[BlindSpot], lines: Any, near_lon: float) -> _Pieces:
    """The unseen road in short pieces, each with what a metre of it weighs."""
    x, y, length, spot = [], [], [], []
    for i, line in enumerate(lines):
        n = max(1, round(line.length / PIECE_M))
        points = shapely.line_interpolate_point(line, (np.arange(n) + 0.5) / n, normalized=True)
        x.append(shapely.get_x(points))
        y.append(shapely.get_y(points))
        length.append(np.full(n, line.length / n))
        spot.append(np.full(n, i))
    at_x, at_y, of = np.concatenate(x), np.concatenate(y), np.concatenate(spot).astype(np.int64)
    homes, count = ground.households(session, near_lon)
    near = np.zeros(len(at_x))
    if len(homes):
        piece, home = shapely.STRtree(homes).query(
            shapely.points(at_x, at_y), predicate="dwithin", distance=NEED_NEAR_M
        )
        np.add.at(near, piece, count[home])
    told = np.array([s.origin != SpotOrigin.ANALYSIS or s.state != SpotState.FOUND for s in spots])
    need = 1.0 + np.minimum(NEED_PER_100_HOUSEHOLDS * near / 100, NEED_HOUSEHOLDS_MOST) + NEED_REPORTED * told[of]
    return _Pieces(at_x, at_y, np.concatenate(length), need, of)


def _candidates(lines: Any, pieces: _Pieces, reach_m: float) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Places along the lines, looking both ways; of too many those with the most need within reach."""
    points, along, spot = [], [], []
    for i, line in enumerate(lines):
        at = np.linspace(0.0, line.length, max(2, int(line.length // SITE_EVERY_M) + 1))
        points.append(shapely.line_interpolate_point(line, at))
        before, after = (
            shapely.get_coordinates(shapely.line_interpolate_point(line, np.clip(at + d, 0.0, line.length)))
            for d in (-1, 1)
        )
        along.append(np.degrees(np.arctan2(after[:, 0] - before[:, 0], after[:, 1] - before[:, 1])) % 360)
        spot.append(np.full(len(at), i))
    here, bearing, of = np.concatenate(points), np.concatenate(along), np.concatenate(spot).astype(np.int64)
    if 2 * len(here) > SITES_MOST:
        place, piece = shapely.STRtree(shapely.points(pieces.x, pieces.y)).query(
            here, predicate="dwithin", distance=reach_m
        )
        within = np.bincount(place, weights=(pieces.need * pieces.length_m)[piece], minlength=len(here))
        best = np.sort(np.lexsort((np.arange(len(here)), -within))[: SITES_MOST // 2])
        here, bearing, of = here[best], bearing[best], of[best]
    both = np.stack([bearing, (bearing + 180) % 360], axis=1).ravel()
    return np.repeat(shapely.get_x(here), 2), np.repeat(shapely.get_y(here), 2), both, np.repeat(of, 2)
