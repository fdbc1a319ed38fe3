"""Turns that may not be driven, as a graph that remembers: every junction once, and once more for each start of a forbidden way.

A forbidden way is a sequence of directed stretches (`2 * edge` forwards, `2 * edge + 1` against the drawing). Whoever has driven
the first part of one stands at the junction's double, from which the last part does not go on; everybody else stands at the
junction itself. Which double, is told by the automaton of Aho and Corasick over all forbidden ways. Pure.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.places.paths import Ints

Way = tuple[int, ...]


@dataclass(frozen=True)
class Places:
    """The junctions and their doubles. `enter[k]` is where one can set out from onto the directed stretch `onto[k]`."""

    junction: Ints  # of each, the junction that it is a double of (itself, for the first so many)
    head: Ints  # where one is after each directed stretch, having started on it
    enter: Ints
    onto: NDArray[np.int64]
    arrive: Ints  # where one is after `onto[k]`, having come from `enter[k]`


def remember(a: Ints, b: Ints, n_nodes: int, forbidden: Sequence[Way]) -> Places:
    """All places of a network with forbidden ways, each of at least two directed stretches that follow one another."""
    tails, heads = np.column_stack([a, b]).ravel(), np.column_stack([b, a]).ravel()
    begun = _Begun(forbidden)
    junction = np.concatenate([np.arange(n_nodes), heads[begun.last]]).astype(np.int32)
    head = heads.astype(np.int32)
    for stretch, state in begun.children[0].items():
        head[stretch] = n_nodes + state - 1
    onto = np.arange(len(tails))
    enter, arrive = [tails], [head]
    leaving = _leaving(tails, set(heads[begun.last].tolist()))
    for state, last in enumerate(begun.last, start=1):
        out = leaving[int(heads[last])]
        reached = [(stretch, begun.after(state, stretch)) for stretch in out]
        kept = [(stretch, then) for stretch, then in reached if then is not None]
        onto = np.concatenate([onto, np.array([stretch for stretch, _ in kept], np.int64)])
        enter.append(np.full(len(kept), n_nodes + state - 1))
        arrive.append(np.array([n_nodes + then - 1 if then else heads[stretch] for stretch, then in kept], np.int64))
    return Places(junction, head, np.concatenate(enter).astype(np.int32), onto, np.concatenate(arrive).astype(np.int32))


def _leaving(tails: NDArray[Any], nodes: set[int]) -> dict[int, list[int]]:
    """The directed stretches that leave these junctions."""
    found = defaultdict(list)
    for stretch in np.flatnonzero(np.isin(tails, list(nodes))):
        found[int(tails[stretch])].append(int(stretch))
    return found


class _Begun:
    """How far one has driven along forbidden ways: state 0 is "not at all", the others know the stretch driven last."""

    def __init__(self, forbidden: Sequence[Way]) -> None:
        self.children: list[dict[int, int]] = [{}]
        self.last: list[int] = []
        self.ends: list[set[int]] = [set()]
        for way in forbidden:
            state = 0
            for stretch in way[:-1]:
                state = self.children[state].setdefault(stretch, len(self.children))
                if state == len(self.children):
                    self.children.append({})
                    self.ends.append(set())
                    self.last.append(stretch)
            self.ends[state].add(way[-1])
        self.shorter = [0] * len(self.children)
        waiting = deque(self.children[0].values())
        while waiting:
            state = waiting.popleft()
            for stretch, longer in self.children[state].items():
                self.shorter[longer] = self._step(self.shorter[state], stretch)
                self.ends[longer] |= self.ends[self.shorter[longer]]
                waiting.append(longer)

    def _step(self, state: int, stretch: int) -> int:
        while state and stretch not in self.children[state]:
            state = self.shorter[state]
        return self.children[state].get(stretch, 0)

    def after(self, state: int, stretch: int) -> int | None:
        """The state after one more stretch; None where it may not be driven."""
        return None if stretch in self.ends[state] else self._step(state, stretch)
