"""Which failure explains the calls? Each possible one weighed against "nothing has failed, these call anyway". Pure.

Households call or are silent. Where a thing has failed, each household that it serves calls with one unknown rate (several
are held possible, with weights); where nothing has, with the background rate of its place. The weight of a failure is the
log of how much likelier it makes all that was heard *and not heard*: only its own households count, as the others are the
same under both. With the log odds of failing at all it is the log odds that this, and not chance, is what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gis.network.failures import FailureSets

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]
DIGITS = 9  # weights that differ by less are equal: they were summed in different orders
BRANCHES = 3
EVERYBODY = 1 << 62
FEW = 8  # so many explanations are looked at for each that is to be told beside a failure


@dataclass(frozen=True)
class Heard:
    """Per node: how many households it serves, how many of them called, with which rate they call anyway, and its utility.

    `utility` is any small number: who lost heat calls with one rate, who lost water with another.
    """

    households: I64
    calls: I64
    background: F64
    utility: I64

    def __post_init__(self) -> None:
        """No more can call than there are; a rate is between 0 and 1, without both."""
        if (self.calls > self.households).any() or (self.calls < 0).any():
            raise ValueError("more calls than households")
        if not ((self.background > 0) & (self.background < 1)).all():
            raise ValueError("a background rate is above 0 and below 1")

    def without(self, nodes: I64) -> Heard:
        """The same, but for nodes whose households are accounted for."""
        households, calls = self.households.copy(), self.calls.copy()
        households[nodes] = calls[nodes] = 0
        return Heard(households, calls, self.background, self.utility)

    def only(self, nodes: I64) -> Heard:
        """The same, but for all other nodes."""
        others = np.ones(self.calls.size, bool)
        others[nodes] = False
        return self.without(np.flatnonzero(others))


@dataclass(frozen=True)
class Rates:
    """The rates with which households may call that lost service, and how likely each is thought to be."""

    rate: F64
    weight: F64


@dataclass(frozen=True)
class Branch:
    """A part of what would have failed from which nobody called, though so many households are there."""

    thing: int
    households: int


@dataclass(frozen=True)
class Ranked:
    """One explanation: the things of which calls cannot tell one from another, and what speaks for and against them.

    `odds` are log odds against chance, `ratio` without the prior. Things are counted through all sets in their order.
    """

    things: tuple[int, ...]
    odds: float
    ratio: float
    households: int
    calls: int
    expected: float
    outside_households: int
    outside_calls: int
    silent: tuple[Branch, ...] = ()


class Explainer:
    """The failure sets of a network, ready to be asked about calls: with the log odds of each thing to have failed, and at
    which nodes anybody is served."""

    def __init__(self, families: Sequence[FailureSets], log_prior: F64, served: Flags) -> None:
        self.families = list(families)
        self.begin = np.concatenate([[0], np.cumsum([len(f) for f in families])]).astype(np.int64)
        self.first, self.group = self._alike(served)
        self.prior = self._of_groups(log_prior)

    def with_prior(self, log_prior: F64) -> Explainer:
        """The same sets with other odds of each thing to have failed."""
        made = copy(self)
        made.prior = self._of_groups(log_prior)
        return made

    def _of_groups(self, log_prior: F64) -> F64:
        prior = np.full(self.first.size, -np.inf)
        np.logaddexp.at(prior, self.group, log_prior)
        return prior

    def ratios(self, heard: Heard, rates: Rates) -> F64:
        """The log likelihood ratio of each thing. Three sums over each set and utility serve all rates."""
        n, k, r0 = heard.households, heard.calls, heard.background
        anyway = k * np.log(r0) + (n - k) * np.log1p(-r0)
        log_weight = np.log(rates.weight / rates.weight.sum())
        total = np.zeros(int(self.begin[-1]))
        for one in np.unique(heard.utility[n > 0]):
            here = heard.utility == one
            called, quiet = self._sums(np.where(here, k, 0)), self._sums(np.where(here, n - k, 0))
            told = np.outer(np.log(rates.rate), called) + np.outer(np.log1p(-rates.rate), quiet) + log_weight[:, None]
            total += logsumexp(told, axis=0) - self._sums(np.where(here, anyway, 0.0))
        return total

    def rank(self, heard: Heard, rates: Rates, limit: int, below: int = EVERYBODY) -> list[Ranked]:
        """The likeliest explanations first; among equals the one with the fewest households, then the smallest number.

        Only failures of fewer than `below` households are looked at.
        """
        households, calls = self._sums(heard.households), self._sums(heard.calls)
        ratios = np.round(self.ratios(heard, rates), DIGITS)
        first, group = self.first, self.group
        odds = np.round(ratios[first] + self.prior, DIGITS)
        heard_of = np.flatnonzero((calls[first] > 0) & (households[first] < below))
        best = heard_of[np.lexsort((first[heard_of], households[first[heard_of]], -odds[heard_of]))][:limit]
        expected = self._sums(heard.households * heard.background)
        all_n, all_k = int(heard.households.sum()), int(heard.calls.sum())
        return [
            Ranked(
                tuple(np.flatnonzero(group == g).tolist()), float(odds[g]), float(ratios[i]), int(households[i]), int(calls[i]),
                float(expected[i]), all_n - int(households[i]), all_k - int(calls[i]),
            )
            for g, i in ((g, int(first[g])) for g in best.tolist())
        ]  # fmt: skip

    def causes(self, heard: Heard, rates: Rates, *, least: float, causes: int, others: int) -> list[list[Ranked]]:
        """What has happened, the surest first: each failure with other explanations of the same calls.

        Where several smaller failures together are likelier than one wide one, it is they that are told. What a failure
        explains is set aside before the next is looked for; none with log odds below `least` is told.
        """
        ranking = self.rank(heard, rates, FEW * (others + 1))
        found = []
        for first in sorted(self._failures(heard, rates, least, causes), key=lambda one: (-one.odds, one.things)):
            mine = self.members(first.things[0])
            alike = [one for one in ranking if one.things != first.things and self._shares(heard, mine, one)]
            found.append([replace(one, silent=self.silent(heard, one.things[0])) for one in (first, *alike[:others])])
        return found

    def _failures(self, heard: Heard, rates: Rates, least: float, most: int) -> list[Ranked]:
        """The likeliest failures one after the other, a wide one only where it is likelier than its parts together."""
        found: list[Ranked] = []
        for best in self._one_by_one(heard, rates, least, most, EVERYBODY):
            found += self._whole_or_parts(best, heard, rates, least, most)
            heard = heard.without(self.members(best.things[0]))
        return found

    def _whole_or_parts(self, best: Ranked, heard: Heard, rates: Rates, least: float, most: int) -> list[Ranked]:
        inside = heard.only(self.members(best.things[0]))
        parts = self._one_by_one(inside, rates, least, most, best.households) if best.calls > 1 else []
        if sum(part.odds for part in parts) <= best.odds:
            return [best]
        found: list[Ranked] = []
        for part in parts:
            found += self._whole_or_parts(part, inside, rates, least, most)
            inside = inside.without(self.members(part.things[0]))
        return found

    def _one_by_one(self, heard: Heard, rates: Rates, least: float, most: int, below: int) -> list[Ranked]:
        found: list[Ranked] = []
        while len(found) < most:
            best = next(iter(self.rank(heard, rates, 1, below)), None)
            if best is None or best.odds < least:
                break
            found.append(best)
            heard = heard.without(self.members(best.things[0]))
        return found

    def members(self, thing: int) -> I64:
        """The nodes that lose service with a thing."""
        family = int(np.searchsorted(self.begin, thing, side="right")) - 1
        return self.families[family].members(thing - int(self.begin[family]))

    def silent(self, heard: Heard, thing: int) -> tuple[Branch, ...]:
        """The largest parts of one failure from which nobody called."""
        households, calls = self._sums(heard.households), self._sums(heard.calls)
        left = np.zeros(heard.households.size, bool)
        left[self.members(thing)] = True
        quiet = np.flatnonzero(
            (calls == 0) & (households > 0) & (households < households[thing]) & left[self._one_of()]
        )
        branches: list[Branch] = []
        for one in quiet[np.lexsort((quiet, -households[quiet]))].tolist():
            if len(branches) == BRANCHES:
                break
            served = self.members(one)
            served = served[heard.households[served] > 0]
            if left[served].all():
                branches.append(Branch(one, int(households[one])))
                left[served] = False
        return tuple(branches)

    def _one_of(self) -> I64:
        """A node of each set (of an empty one, any)."""
        return np.concatenate([family.one_of() for family in self.families])

    def _sums(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([family.sums(values) for family in self.families])

    def _alike(self, served: Flags) -> tuple[I64, I64]:
        """Things whose failures take service from the same households: the first of each group, and the group of each.

        Each served node has a random number of 64 bits, and a set the sum of them: equal sums are equal sets, but for one
        pair in 10^19.
        """
        marks = np.random.default_rng(20091117).integers(0, 1 << 63, served.size, dtype=np.uint64)
        marks = np.where(served, marks, np.uint64(0))
        _, first, group = np.unique(self._sums(marks), return_index=True, return_inverse=True)
        return first.astype(np.int64), group.astype(np.int64)

    def _shares(self, heard: Heard, mine: I64, other: Ranked) -> bool:
        both = np.intersect1d(mine, self.members(other.things[0]), assume_unique=True)
        return bool(heard.calls[both].sum() > 0)


def learned(rates: F64, known: Sequence[tuple[int, int]]) -> Rates:
    """The rates, weighed by failures of which is known how many called and how many lost service: each is shared among the
    rates as it is likely under them. Nothing known: all alike."""
    weight = np.ones(rates.size)
    for callers, households in known:
        called = min(callers, households)
        likely = called * np.log(rates) + (households - called) * np.log1p(-rates)
        weight += np.exp(likely - logsumexp(likely))
    return Rates(rates, weight)
