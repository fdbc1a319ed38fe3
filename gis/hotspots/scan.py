"""Is something breaking out? The prospective space-time scan: cylinders that end today, tried at every place, size and length.

The base of a cylinder is a place with all places within a radius, its height the last 1..T days. Expected is what place and
day alone explain (the space-time permutation model, Kulldorff et al. 2005: no population is needed), so neither a place that
always complains nor a day on which all complain is an outbreak. Chance is told by permuting the days among the complaints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from gis.hotspots.density import Counts, Floats

CHUNK = 32  # permutations at a time: what one product of the matrices holds in memory


@dataclass(frozen=True)
class Zones:
    """Every base of a cylinder: its centre (a place's index), its radius, and which places lie in it (a 0/1 matrix)."""

    centre: Counts
    radius_m: Floats
    members: sparse.csr_array


def zones(x_m: Floats, y_m: Floats, radii_m: tuple[float, ...]) -> Zones:
    """All places within each of these radii of each place, a set that was there already left out."""
    at = np.column_stack([x_m, y_m])
    tree = cKDTree(at)
    centre: list[int] = []
    radius: list[float] = []
    sets: list[NDArray[np.int64]] = []
    seen: set[bytes] = set()
    for r in sorted(radii_m):
        for i, near in enumerate(tree.query_ball_point(at, r + 1e-6)):
            members = np.array(sorted(near), np.int64)
            if (key := members.tobytes()) in seen:
                continue
            seen.add(key)
            centre.append(i)
            radius.append(r)
            sets.append(members)
    rows = np.repeat(np.arange(len(sets)), [s.size for s in sets])
    columns = np.concatenate(sets) if sets else np.zeros(0, np.int64)
    matrix = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(len(sets), at.shape[0]))
    return Zones(np.array(centre, np.int64), np.array(radius), matrix)


def log_ratio(seen: Floats, expected: Floats, total: float) -> Floats:
    """How much better "more inside" explains the counts than "the same everywhere" does (Poisson); 0 where there are not more."""
    out, rest = total - seen, total - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(seen > 0, seen * np.log(seen / expected), 0.0)
        outside = np.where(out > 0, out * np.log(out / rest), 0.0)
        return np.where((seen > expected) & (expected > 0), inside + outside, 0.0)


@dataclass(frozen=True)
class Outbreak:
    """One cylinder: zone and days, what was seen and expected, the likelihood ratio's logarithm and how often chance is as strong."""

    zone: int
    days: int
    seen: int
    expected: float
    log_ratio: float
    p: float


def scan(
    place: Counts, day: Counts, days: int, bases: Zones, *, longest: int, permutations: int, seed: int, most: int = 5
) -> list[Outbreak]:
    """The strongest outbreaks that end on the last day, none overlapping a stronger one.

    `place` and `day` tell each complaint's place (its index) and day (0 is the oldest, `days - 1` today). At most half of the
    days are tried as a length: what lasts longer is no outbreak.
    """
    total, longest = place.size, min(longest, days // 2)
    if not total or longest < 1 or not bases.centre.size:
        return []
    by_place = np.bincount(place, minlength=bases.members.shape[1]).astype(np.float64)
    by_day = np.bincount(day, minlength=days).astype(np.float64)
    recent = np.cumsum(by_day[::-1])[:longest]  # complaints of the last 1..longest days
    expected = np.outer(bases.members @ by_place, recent) / total
    seen = bases.members @ _recent_counts(place, day[None, :], days, longest, bases.members.shape[1])[0]
    strength = log_ratio(seen, expected, total)
    chance = np.fromiter(_strongest(place, day, days, bases, expected, longest, permutations, seed), np.float64)
    return _pick(strength, seen, expected, bases, chance, most)


def _recent_counts(place: Counts, days_of: Counts, days: int, longest: int, places: int) -> Floats:
    """For each permutation: complaints of each place in the last 1..longest days, `[permutation, place, length]`."""
    age = days - 1 - days_of  # 0 is today
    times = days_of.shape[0]
    run, which = np.nonzero(age < longest)
    flat = (run * places + place[which]) * longest + age[run, which]
    counts = np.bincount(flat, minlength=times * places * longest).reshape(times, places, longest)
    return np.cumsum(counts, axis=2).astype(np.float64)


def _strongest(
    place: Counts, day: Counts, days: int, bases: Zones, expected: Floats, longest: int, permutations: int, seed: int
) -> Iterator[float]:
    """The strongest cylinder of each permutation of the days among the complaints."""
    random = np.random.default_rng(seed)
    places = bases.members.shape[1]
    for start in range(0, permutations, CHUNK):
        times = min(CHUNK, permutations - start)
        shuffled = random.permuted(np.tile(day, (times, 1)), axis=1)
        counts = _recent_counts(place, shuffled, days, longest, places)
        flat = bases.members @ counts.transpose(1, 0, 2).reshape(places, times * longest)
        seen = flat.reshape(-1, times, longest)
        yield from log_ratio(seen, expected[:, None, :], place.size).max(axis=(0, 2))


def _pick(strength: Floats, seen: Floats, expected: Floats, bases: Zones, chance: Floats, most: int) -> list[Outbreak]:
    """Strongest first, ties by zone and length; a zone that shares a place with a stronger one is the same story."""
    order = np.argsort(-strength, axis=None, kind="stable")
    taken = np.zeros(bases.members.shape[1], bool)
    found: list[Outbreak] = []
    for flat in order:
        zone, length = divmod(int(flat), strength.shape[1])
        value = float(strength[zone, length])
        if value <= 0 or len(found) == most:
            break
        members = bases.members.indices[bases.members.indptr[zone] : bases.members.indptr[zone + 1]]
        if taken[members].any():
            continue
        taken[members] = True
        p = (1 + int((chance >= value - 1e-9).sum())) / (chance.size + 1)
        found.append(Outbreak(zone, length + 1, round(seen[zone, length]), float(expected[zone, length]), value, p))
    return found
