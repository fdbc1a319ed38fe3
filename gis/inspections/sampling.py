"""Drawing a sample with the probability that was meant for every site, exactly. Pure numbers: the seed is an argument.

How many sites each stratum gets is a real number n_h: proportional (n_h ~ N_h) or Neyman's optimum (n_h ~ N_h S_h; J. Neyman,
J. Royal Stat. Soc. 97, 1934, 558-625; Cochran, Sampling Techniques, 3rd ed. 1977, 5.5), S_h the standard deviation of the
sizes in the stratum. Inside a stratum the probability is proportional to size, and what would exceed 1 is certain
(Cochran 1977, 9A.7). One systematic pass with a random start over the strata one after the other (W. G. Madow, Ann. Math.
Stat. 20, 1949, 333-354) then draws every site with just its probability, just `n` sites in all, and of each stratum n_h
rounded down or up: no stratum, however small, is left out of what can be drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import TypeVar

LEAST_SPREAD = 0.1  # Neyman: of the spread of all sizes, so that a stratum of equal sizes is not left out
_ROUNDING = 1e-9
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Item:
    """Something that can be drawn. `order` sorts inside the stratum (what is like lies together); ties are shuffled."""

    id: int
    stratum: Hashable
    size: float
    certain: bool = False
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """Everybody's probability, the ids that were drawn, and how many each stratum was to get."""

    probability: Mapping[int, float]
    drawn: frozenset[int]
    share: Mapping[Hashable, float]


def draw(items: Sequence[Item], n: int, allocation: str, seed: int) -> Drawn:
    """Draw `n` of the items (all, where there are no more)."""
    rng = Random(seed)
    items = sorted(items, key=lambda item: item.id)
    chances = probabilities(items, n, allocation)
    share: dict[Hashable, float] = defaultdict(float)
    for item in items:
        share[item.stratum] += chances[item.id]
    line = arranged(items, rng)
    taken = systematic([chances[item.id] for item in line], rng.random())
    return Drawn(chances, frozenset(line[i].id for i in taken), dict(share))


def probabilities(items: Sequence[Item], n: int, allocation: str) -> dict[int, float]:
    """Every item's probability; they add up to `n`. More certain items than `n` raise `n`; then nobody else has a chance."""
    if n >= len(items):
        return dict.fromkeys((item.id for item in items), 1.0)
    chances = {item.id: 1.0 for item in items if item.certain}
    strata: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        if not item.certain:
            strata[item.stratum].append(item)
    left = max(n - len(chances), 0)
    shares = shared(
        left, {h: (len(rows), _spread(rows, items) if allocation == "neyman" else 1.0) for h, rows in strata.items()}
    )
    for h, rows in strata.items():
        chances |= by_size({row.id: row.size for row in rows}, shares[h])
    return chances


def _spread(rows: Sequence[Item], everything: Sequence[Item]) -> float:
    return max(_deviation([r.size for r in rows]), LEAST_SPREAD * _deviation([i.size for i in everything]))


def _deviation(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def shared(n: float, strata: Mapping[Hashable, tuple[int, float]]) -> dict[Hashable, float]:
    """`n` shared out in proportion to members × spread, no stratum getting more than it has members."""
    if not any(members * spread for members, spread in strata.values()):
        strata = {h: (members, 1.0) for h, (members, _spread) in strata.items()}
    return _capped({h: members * spread for h, (members, spread) in strata.items()}, n,
                   {h: float(members) for h, (members, _spread) in strata.items()})  # fmt: skip


def by_size(sizes: Mapping[int, float], n: float) -> dict[int, float]:
    """Probabilities in proportion to size that add up to `n` and never exceed 1."""
    return _capped(sizes, n, dict.fromkeys(sizes, 1.0))


def _capped(weights: Mapping[K, float], n: float, most: Mapping[K, float]) -> dict[K, float]:
    """`n` in proportion to the weights; what would exceed its most gets just that, and the rest is shared out again."""
    found: dict[K, float] = {}
    free = dict(weights)
    while free:
        total, left = sum(free.values()), n - sum(found.values())
        full = [key for key, weight in free.items() if weight * left >= most[key] * total * (1 - _ROUNDING)]
        if not full:
            return found | {key: weight * left / total for key, weight in free.items()}
        for key in full:
            found[key] = most[key]
            del free[key]
    return found


def arranged(items: Sequence[Item], rng: Random) -> list[Item]:
    """The line that is walked: strata in random order, inside them what is like together, ties shuffled."""
    pool = list(items)
    rng.shuffle(pool)
    names = sorted({item.stratum for item in items}, key=repr)
    rng.shuffle(names)
    place = {name: at for at, name in enumerate(names)}
    return sorted(pool, key=lambda item: (place[item.stratum], item.order))


def systematic(chances: Sequence[float], start: float) -> list[int]:
    """Places k where the running sum passes start, start + 1, …: each is hit with just its chance, `round(sum)` in all."""
    total = round(sum(chances))
    taken: list[int] = []
    reached = 0.0
    for k, chance in enumerate(chances):
        reached += chance
        if len(taken) < total and reached > start + len(taken) + (_ROUNDING if chance < 1 else -_ROUNDING):
            taken.append(k)
    for k in range(len(chances) - 1, -1, -1):  # a last bit of rounding must not cost the last one
        if len(taken) >= total:
            break
        if k not in taken and chances[k] > 0:
            taken.append(k)
    return sorted(taken)
