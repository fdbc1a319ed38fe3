"""Where k more cameras help most: maximum coverage of weighted pieces, and how far from the best possible at most.

Greedy with late evaluation, then swaps until none helps, then exact search (HiGHS) within a time. The bound is the least of
those that submodularity gives after each greedy step (what is covered plus the k largest gains left) and the solver's own.
Ties break by the candidate's place. Without time for the solver the answer depends on nothing but the arguments.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SWAP_ROUNDS = 20
EXACT = 1e-9


@dataclass(frozen=True)
class Choice:
    """Chosen candidates, the most helpful first, and what each adds to those before it."""

    chosen: tuple[int, ...]
    gains: tuple[float, ...]
    bound: float

    @property
    def total(self) -> float:
        return float(sum(self.gains))

    @property
    def share_of_best(self) -> float:
        """At least this share of the best possible."""
        return min(1.0, self.total / self.bound) if self.bound > 0 else 1.0


def choose(covers: sparse.csr_array, weight: Floats, k: int, seconds: float = 4.0) -> Choice:
    """The best `k` rows of `covers` (candidate × piece, true where it sees the piece) by the weight of what they see."""
    covers, weight = _lean(sparse.csr_array(covers), np.asarray(weight, float))
    k = min(k, covers.shape[0])
    if k <= 0 or covers.shape[1] == 0:
        return Choice((), (), 0.0)
    chosen, bound = _greedy(covers, weight, k)
    chosen = _swapped(covers, weight, chosen)
    if seconds > 0 and _value(covers, weight, chosen) < bound * (1 - EXACT):
        found, solver_bound = _exact(covers, weight, k, seconds)
        bound = min(bound, solver_bound)
        if _value(covers, weight, found) > _value(covers, weight, chosen) * (1 + EXACT):
            chosen = found
    ordered, gains = _in_order(covers, weight, chosen)
    return Choice(ordered, gains, max(bound, float(sum(gains))))


def _lean(covers: sparse.csr_array, weight: Floats) -> tuple[sparse.csr_array, Floats]:
    """The same question with pieces that the same candidates see made one, and those that none sees left out."""
    columns = sparse.csc_array(covers, dtype=np.int8)
    columns.sum_duplicates()
    merged: dict[bytes, int] = {}
    where = np.full(covers.shape[1], -1)
    kept: list[int] = []
    for j in range(covers.shape[1]):
        rows = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        if len(rows) and weight[j] > 0:
            where[j] = merged.setdefault(rows.tobytes(), len(merged))
            if where[j] == len(kept):
                kept.append(j)
    total: Floats = np.bincount(where[where >= 0], weights=weight[where >= 0], minlength=len(kept)).astype(float)
    lean = sparse.csr_array(columns[:, np.array(kept, int)], dtype=float)
    lean.data[:] = 1.0
    return lean, total


def _row(covers: sparse.csr_array, i: int) -> Ints:
    return np.asarray(covers.indices[covers.indptr[i] : covers.indptr[i + 1]])


def _value(covers: sparse.csr_array, weight: Floats, chosen: list[int]) -> float:
    seen = np.zeros(len(weight), bool)
    for i in chosen:
        seen[_row(covers, i)] = True
    return float(weight[seen].sum())


def _greedy(covers: sparse.csr_array, weight: Floats, k: int) -> tuple[list[int], float]:
    """The greedy choice, and the least bound that its steps give."""
    left = weight.copy()
    gains = covers @ left
    queue = [(-gain, i) for i, gain in enumerate(gains.tolist())]
    heapq.heapify(queue)
    chosen: list[int] = []
    bound, value = float(np.partition(gains, -k)[-k:].sum()), 0.0
    while queue and len(chosen) < k:
        _, i = heapq.heappop(queue)
        gain = float(left[_row(covers, i)].sum())
        if queue and (-gain, i) > queue[0]:
            heapq.heappush(queue, (-gain, i))
            continue
        chosen.append(i)
        value += gain
        left[_row(covers, i)] = 0.0
        gains = covers @ left
        bound = min(bound, value + float(np.partition(gains, -k)[-k:].sum()))
    return chosen, bound


def _swapped(covers: sparse.csr_array, weight: Floats, chosen: list[int]) -> list[int]:
    """Put another in the place of one, as long as that helps."""
    chosen = list(chosen)
    times = np.zeros(len(weight))
    for i in chosen:
        times[_row(covers, i)] += 1
    for _ in range(SWAP_ROUNDS):
        improved = False
        for place, out in enumerate(list(chosen)):
            lost = _row(covers, out)
            alone = float(weight[lost[times[lost] == 1]].sum())
            times[lost] -= 1
            gains = covers @ np.where(times == 0, weight, 0.0)
            best = int(np.argmax(gains))
            if gains[best] > alone * (1 + EXACT) + EXACT:
                chosen[place] = best
                improved = True
            times[_row(covers, chosen[place])] += 1
        if not improved:
            break
    return chosen


def _exact(covers: sparse.csr_array, weight: Floats, k: int, seconds: float) -> tuple[list[int], float]:
    """The solver's choice within the time, and its bound. Which pieces are seen follows from which candidates are taken."""
    n, m = covers.shape
    taken = sparse.hstack([sparse.csr_array(-covers.T), sparse.eye_array(m)], format="csr")
    few = sparse.csr_array(np.concatenate([np.ones(n), np.zeros(m)])[None, :])
    answer = milp(
        np.concatenate([np.zeros(n), -weight]),
        constraints=[LinearConstraint(taken, -np.inf, 0.0), LinearConstraint(few, -np.inf, float(k))],
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": seconds, "mip_rel_gap": 1e-6},
    )
    bound = float("inf") if answer.mip_dual_bound is None else -float(answer.mip_dual_bound)
    if answer.x is None:
        return [], bound if np.isfinite(bound) else float("inf")
    return np.flatnonzero(answer.x[:n] > 0.5).tolist(), bound


def _in_order(covers: sparse.csr_array, weight: Floats, chosen: list[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The chosen by what they add, those that add nothing left out."""
    left, rest = weight.copy(), sorted(chosen)
    ordered, gains = [], []
    while rest:
        added = [float(left[_row(covers, i)].sum()) for i in rest]
        best = int(np.argmax(added))
        if added[best] <= 0:
            break
        ordered.append(rest.pop(best))
        gains.append(added[best])
        left[_row(covers, ordered[-1])] = 0.0
    return tuple(ordered), tuple(gains)
