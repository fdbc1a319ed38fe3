"""What chance alone gives: p-values by permutation, where a normal curve is too much to assume (few complaints, long tails).

The neighbours of a cell are as many cells drawn without replacement from all others, again and again; how often their sum
is as extreme as the real one is the p. Cells with equally many neighbours share one such distribution, because nothing else
about a cell enters it (but for the cell itself, one of thousands).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gis.hotspots.density import Counts, Floats


def permuted_p(others_sum: Counts, neighbours: Counts, values: Counts, permutations: int, seed: int) -> Floats:
    """One-sided p of each cell, whichever way it leans: (as extreme + 1) / (permutations + 1).

    `others_sum` is the sum over a cell's neighbours without itself, `neighbours` how many those are, `values` all cells.
    A cell without neighbours has nothing to be compared with: NaN.
    """
    found = np.full(others_sum.shape, np.nan)
    most = int(neighbours.max(initial=0))
    if most == 0 or values.size <= most:
        return found
    sums = np.cumsum(np.asarray(values, np.int64)[draws(values.size, most, permutations, seed)], axis=1)
    for k in np.unique(neighbours[neighbours > 0]):
        here = neighbours == k
        null = np.sort(sums[:, k - 1])
        as_high = permutations - np.searchsorted(null, others_sum[here], side="left")
        extreme = np.minimum(as_high, permutations - as_high)
        found[here] = (extreme + 1) / (permutations + 1)
    return found


def draws(n: int, k: int, times: int, seed: int) -> NDArray[np.int64]:
    """`times` rows of `k` different whole numbers below `n`, in random order: every choice is as likely as any other."""
    random = np.random.default_rng(seed)
    if 2 * n < k * k:  # so many of so few that hardly a row would be without a double
        return np.argsort(random.random((times, n)), axis=1)[:, :k].astype(np.int64)
    chosen = random.integers(0, n, (times, k))
    while True:  # a row in which a number came twice is drawn again as a whole
        ordered = np.sort(chosen, axis=1)
        twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not twice.size:
            return chosen
        chosen[twice] = random.integers(0, n, (twice.size, k))
