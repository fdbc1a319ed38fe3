"""The space-time scan: beside a search of every cylinder in plain loops, and on outbreaks that were put there."""

import math

import numpy as np
import pytest

from gis.hotspots import scan


def _exhaustive(x, y, place, day, days, radii, longest):
    """Every cylinder by its definition: count, expect, compare. Returns the best ratio and its members and length."""
    total, best = len(place), (0.0, None, None)
    for centre in range(len(x)):
        for radius in radii:
            members = {j for j in range(len(x)) if math.dist((x[centre], y[centre]), (x[j], y[j])) <= radius}
            for length in range(1, longest + 1):
                inside = sum(1 for p, d in zip(place, day, strict=True) if p in members and d >= days - length)
                here = sum(1 for p in place if p in members)
                then = sum(1 for d in day if d >= days - length)
                expected = here * then / total
                if inside <= expected:
                    continue
                ratio = inside * math.log(inside / expected)
                if inside < total:
                    ratio += (total - inside) * math.log((total - inside) / (total - expected))
                if ratio > best[0] + 1e-12:
                    best = (ratio, members, length)
    return best


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_strongest_cylinder_is_the_one_a_search_of_all_finds(seed):
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, 3_000, 14), random.uniform(0, 3_000, 14)
    place, day = random.integers(0, 14, 90), random.integers(0, 12, 90)
    place, day = np.concatenate([place, np.full(6, 3)]), np.concatenate([day, np.full(6, 10)])
    radii = (500.0, 1_000.0, 1_500.0)
    bases = scan.zones(x, y, radii)
    found = scan.scan(place, day, 12, bases, longest=4, permutations=9, seed=1, most=1)[0]
    ratio, members, length = _exhaustive(x, y, place.tolist(), day.tolist(), 12, radii, 4)
    assert found.log_ratio == pytest.approx(ratio)
    assert set(bases.members[[found.zone]].indices) == members
    assert found.days == length


def _quiet(random, places=30, days=28, n=400):
    side = np.arange(6) * 600.0
    x, y = np.tile(side, 5)[:places], np.repeat(side, 6)[:places]
    return x, y, random.integers(0, places, n), random.integers(0, days, n)


def test_an_outbreak_is_found_where_and_when_it_is():
    x, y, place, day = _quiet(np.random.default_rng(8))
    place, day = np.concatenate([place, np.full(18, 14)]), np.concatenate([day, np.full(18, 26)])
    bases = scan.zones(x, y, (100.0, 700.0))
    first = scan.scan(place, day, 28, bases, longest=7, permutations=199, seed=4)[0]
    assert 14 in bases.members[[first.zone]].indices
    assert first.days == 2 and first.p == pytest.approx(1 / 200) and first.seen >= 18


def test_a_bad_place_and_a_bad_day_are_no_outbreak_and_chance_seldom_is():
    random = np.random.default_rng(21)
    called = 0
    for run in range(12):
        x, y, place, day = _quiet(random)
        place = np.where(random.random(place.size) < 0.3, 7, place)  # always complains
        day = np.where(random.random(day.size) < 0.2, 27, day)  # all complain
        found = scan.scan(place, day, 28, scan.zones(x, y, (100.0, 700.0)), longest=7, permutations=49, seed=run)
        called += bool(found) and found[0].p <= 0.05
    assert called <= 3


def test_outbreaks_do_not_overlap_and_nothing_is_no_outbreak():
    x, y, place, day = _quiet(np.random.default_rng(2))
    bases = scan.zones(x, y, (100.0, 700.0))
    found = scan.scan(place, day, 28, bases, longest=7, permutations=19, seed=1)
    members = [set(bases.members[[f.zone]].indices.tolist()) for f in found]
    assert len(found) > 1 and not any(a & b for i, a in enumerate(members) for b in members[:i])
    assert scan.scan(place[:0], day[:0], 28, bases, longest=7, permutations=19, seed=1) == []
