"""Places that are no grid: communities and streets, each with a list of its neighbours.

Lists are kept as two arrays, as sparse matrices are: the neighbours of place i are `others[first[i]:first[i + 1]]`, itself
among them, because Gi* counts a place as its own neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gis.hotspots.density import Counts, Floats, gi_star_z


@dataclass(frozen=True)
class Neighbours:
    """Who is near whom, each with itself."""

    first: Counts
    others: Counts

    @property
    def size(self) -> int:
        return self.first.size - 1

    @property
    def weight(self) -> Counts:
        """How many each list holds, itself included."""
        return np.diff(self.first)

    def local_sum(self, values: Counts) -> Counts:
        """The sum over each list. Whole numbers stay exact."""
        return np.add.reduceat(np.asarray(values)[self.others], self.first[:-1]) if self.size else np.zeros(0, np.int64)


def of_pairs(size: int, one: Counts, other: Counts) -> Neighbours:
    """From pairs of places that are neighbours, each named once or both ways round; every place is its own."""
    itself = np.arange(size)
    a, b = np.concatenate([one, other, itself]), np.concatenate([other, one, itself])
    keys = np.unique(a * size + b)
    first = np.searchsorted(keys, np.arange(size + 1) * size)
    return Neighbours(first.astype(np.int64), (keys % max(size, 1)).astype(np.int64))


def touching(shapes_m: list[Any], slack_m: float = 5.0) -> Neighbours:
    """Areas that share a border or a corner, or come as near as `slack_m`: borders drawn twice rarely meet exactly."""
    shapes = np.array(shapes_m, dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=slack_m)
    return of_pairs(len(shapes_m), one, other)


def gi_star(values: Counts, lists: Neighbours) -> Floats:
    """Gi* of every place from its list of neighbours; NaN where there is no variance to compare with."""
    whole = np.asarray(values, np.int64)
    local, weight = lists.local_sum(whole).astype(np.float64), lists.weight.astype(np.float64)
    return gi_star_z(local, weight, lists.size, int(whole.sum()), int((whole * whole).sum()))
