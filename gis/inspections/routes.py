"""In which order to walk a day's sites, and who takes which. Pure numbers; times may differ by direction.

A route is open: it begins at the first site and ends at the last. Up to nine places are solved exactly (M. Held and R. M.
Karp, J. SIAM 10, 1962, 196-210); more are begun at up to `STARTS` places with the nearest next and improved by moving and
turning stretches until nothing gets better.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
EXACT = 9
ROUNDS = 12
STARTS = 24
FORBIDDEN = 1e12
STRETCH = 3


def length(times: Floats, order: Sequence[int]) -> float:
    """How long the way through all of them is."""
    return float(sum(times[a, b] for a, b in itertools.pairwise(order)))


def open_route(times: Floats) -> list[int]:
    """The shortest order through all places, `times[a, b]` from a to b. Ties go to the lower number."""
    n = len(times)
    if n <= 1:
        return list(range(n))
    known = np.where(np.isfinite(times), times, FORBIDDEN)
    return _exact(known) if n <= EXACT else _improved(known)


def _exact(times: Floats) -> list[int]:
    """Held and Karp: the best way to have walked a set and to stand at its last place."""
    n = len(times)
    best = {(1 << last, last): (0.0, -1) for last in range(n)}
    for size in range(2, n + 1):
        for chosen in (s for s in range(1 << n) if s.bit_count() == size):
            for last in range(n):
                if not chosen >> last & 1:
                    continue
                before = chosen ^ (1 << last)
                best[chosen, last] = min(
                    (best[before, k][0] + float(times[k, last]), k) for k in range(n) if before >> k & 1
                )
    chosen = (1 << n) - 1
    last = min(range(n), key=lambda k: (best[chosen, k][0], k))
    order: list[int] = []
    while last >= 0:
        order.append(last)
        chosen, last = chosen ^ (1 << last), best[chosen, last][1]
    return order[::-1]


def _improved(times: Floats) -> list[int]:
    starts = range(0, len(times), -(-len(times) // STARTS))
    found = (_settled(times, _greedy(times, start)) for start in starts)
    return min(found, key=lambda order: (round(length(times, order), 6), order))


def _greedy(times: Floats, start: int) -> list[int]:
    order, left = [start], set(range(len(times))) - {start}
    while left:
        order.append(min(left, key=lambda k: (times[order[-1], k], k)))
        left.remove(order[-1])
    return order


def _settled(times: Floats, order: list[int]) -> list[int]:
    """Until no stretch can be turned round (2-opt) or put elsewhere (or-opt) for the better."""
    at = length(times, order)
    while True:
        tried = np.array(order)[_neighbours(len(order))]
        lengths = times[tried[:, :-1], tried[:, 1:]].sum(axis=1)
        best = float(lengths.min())
        if best >= at - 1e-9:
            return order
        at, order = best, min(tried[lengths == best].tolist())


@lru_cache(maxsize=8)
def _neighbours(n: int) -> NDArray[np.intp]:
    """Every order that one move makes of 0, 1, …, n - 1, a row each."""
    order = list(range(n))
    turned = [order[:i] + order[i:j][::-1] + order[j:] for i in range(n) for j in range(i + 2, n + 1)]
    moved = []
    for i in range(n):
        for j in range(i + 1, min(i + STRETCH, n) + 1):
            part, rest = order[i:j], order[:i] + order[j:]
            moved += [rest[:k] + part + rest[k:] for k in range(len(rest) + 1) if k != i]
    return np.array(turned + moved, np.intp)


def shared_out(
    places: Floats,
    groups: int,
    most: Sequence[int],
    allowed: NDArray[np.bool_] | None = None,
    begin: Floats | None = None,
) -> list[int]:
    """Which group each place goes to: near ones together, no group more than its most, only where allowed; -1 for none.

    `places` in metres. Groups are pulled to the middle of what they hold and filled anew (k-means), each time by the assignment
    of least total distance (scipy's rectangular linear sum assignment), so no group overflows.
    """
    n = len(places)
    if n == 0 or groups == 0:
        return [-1] * n
    may = np.ones((n, groups), bool) if allowed is None else allowed
    seats = np.repeat(np.arange(groups), most)
    if not len(seats):
        return [-1] * n
    middles = _spread_out(places, groups) if begin is None else begin
    found = np.full(n, -1)
    for _round in range(ROUNDS):
        far = np.hypot(*(places[:, None, :] - middles[None, :, :]).transpose(2, 0, 1))
        cost = np.where(may, far, FORBIDDEN)[:, seats]
        rows, columns = linear_sum_assignment(cost)
        now = np.full(n, -1)
        good = cost[rows, columns] < FORBIDDEN
        now[rows[good]] = seats[columns[good]]
        if (now == found).all():
            break
        found = now
        middles = np.array(
            [places[found == g].mean(axis=0) if (found == g).any() else middles[g] for g in range(groups)]
        )
    return [int(g) for g in found]


def _spread_out(places: Floats, groups: int) -> Floats:
    """Beginnings far from each other: the westernmost place, then always the one farthest from those taken."""
    taken = [int(np.lexsort((places[:, 1], places[:, 0]))[0])]
    while len(taken) < groups:
        far = np.hypot(*(places[:, None, :] - places[taken][None, :, :]).transpose(2, 0, 1)).min(axis=1)
        taken.append(int(np.argmax(far)))
    return places[taken].astype(float)
