"""Which complaints of the last hours may share one cause? Numbers in, clusters out. Pure.

The densest place first: the complaint with the most others around it and its neighbours are one cluster, then the next among
those that are left. Chains, which would run through a whole city in a heating week, are not followed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


def clusters(x_m: F64, y_m: F64, kind: I64, weight: I64, *, radius_m: float, least: int) -> list[I64]:
    """Groups of indices whose weights (calls) sum to `least` or more within `radius_m` of one of them, heaviest first.

    Only complaints of one kind are put together. Nobody is in two clusters; ties go to the smaller index.
    """
    found: list[I64] = []
    for one in np.unique(kind):
        which = np.flatnonzero(kind == one)
        found += [which[c] for c in _of_one_kind(x_m[which], y_m[which], weight[which], radius_m, least)]
    return sorted(found, key=lambda c: (-int(weight[c].sum()), int(c[0])))


def _of_one_kind(x: F64, y: F64, weight: I64, radius_m: float, least: int) -> list[I64]:
    tree = cKDTree(np.column_stack([x, y]))
    near = [np.array(sorted(n), np.int64) for n in tree.query_ball_point(np.column_stack([x, y]), radius_m)]
    free = np.ones(x.size, bool)
    heavy = np.array([weight[n].sum() for n in near], np.int64)
    found: list[I64] = []
    while heavy.size:
        centre = int(heavy.argmax())
        if heavy[centre] < least:
            break
        group = near[centre][free[near[centre]]]
        found.append(group)
        free[group] = False
        for i in {int(j) for member in group for j in near[member]}:
            heavy[i] = weight[near[i][free[near[i]]]].sum() if free[i] else -1
    return found
