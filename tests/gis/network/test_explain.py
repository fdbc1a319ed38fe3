"""Which failure explains the calls: the sets against networkx, the weights against scipy.stats, over random small networks."""

from __future__ import annotations

import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import binom

from gis.network.explain import DIGITS, Explainer, Heard, Rates
from gis.network.failures import NOWHERE, Supply, segment_failures, single_failures

RATES = Rates(np.array([0.05, 0.3]), np.array([1.0, 3.0]))


def ints(values) -> np.ndarray:
    return np.array(list(values), np.int64)


@st.composite
def supplies(draw) -> Supply:
    """Pipes (both ways), exchangers (one way), a few sources, and things that need others."""
    nodes = draw(st.integers(2, 14))
    node = st.integers(0, nodes - 1)
    pipes = draw(st.lists(st.tuples(node, node), max_size=22))
    oneway = draw(st.lists(st.tuples(node, node), max_size=6))
    needs = draw(st.lists(st.tuples(node, node), min_size=draw(st.sampled_from([0, 3])), max_size=4))
    arcs = [*pipes, *((b, a) for a, b in pipes), *oneway]
    return Supply(nodes, ints(a for a, _ in arcs), ints(b for _, b in arcs), ints(draw(st.sets(node, max_size=3))),
                  ints(a for a, _ in needs), ints(b for _, b in needs))  # fmt: skip


def reached(supply: Supply, gone: set[int]) -> set[int]:
    graph = nx.DiGraph()
    graph.add_nodes_from(set(range(supply.nodes)) - gone)
    graph.add_edges_from((a, b) for a, b in zip(supply.tail.tolist(), supply.head.tolist(), strict=True)
                         if a not in gone and b not in gone)  # fmt: skip
    starts = [s for s in supply.sources.tolist() if s not in gone]
    return set(starts).union(*(nx.descendants(graph, s) for s in starts))


def brute(supply: Supply, failed: set[int]) -> set[int]:
    """Take it away, and whatever needs what is lost, until nothing more goes."""
    whole, gone = reached(supply, set()), set(failed)
    while True:
        lost = whole - reached(supply, gone)
        more = {w for w, needed in zip(supply.who.tolist(), supply.what.tolist(), strict=True) if needed in lost} - gone
        if not more:
            return lost
        gone |= more


def segment_of(supply: Supply, valves: np.ndarray, thing: int) -> set[int]:
    graph = nx.Graph()
    graph.add_nodes_from(range(supply.nodes))
    arcs = set(zip(supply.tail.tolist(), supply.head.tolist(), strict=True))
    graph.add_edges_from((a, b) for a, b in arcs if (b, a) in arcs and not valves[a] and not valves[b])
    return set(nx.node_connected_component(graph, thing))


@settings(max_examples=250, deadline=None)
@given(supplies())
def test_who_loses_service_is_what_networkx_no_longer_reaches(supply):
    sets = single_failures(supply, np.arange(supply.nodes))
    assert len(sets) == supply.nodes
    for thing in range(supply.nodes):
        assert set(sets.members(thing).tolist()) == brute(supply, {thing})


@settings(max_examples=150, deadline=None)
@given(supplies(), st.data())
def test_a_segment_that_is_shut_loses_what_networkx_no_longer_reaches(supply, data):
    valves = np.array(data.draw(st.lists(st.booleans(), min_size=supply.nodes, max_size=supply.nodes)))
    sets, which = segment_failures(supply, valves, np.arange(supply.nodes))
    valves[supply.who] = True
    for thing in range(supply.nodes):
        if valves[thing]:
            assert which[thing] == NOWHERE
        else:
            lost = brute(supply, segment_of(supply, valves, thing))
            assert set(sets.members(int(which[thing])).tolist()) == lost


@settings(max_examples=150, deadline=None)
@given(supplies(), st.data())
def test_the_ranking_is_the_one_of_scipy_over_every_household(supply, data):
    n = ints(data.draw(st.lists(st.integers(0, 9), min_size=supply.nodes, max_size=supply.nodes)))
    k = ints(data.draw(st.integers(0, int(most))) for most in n)
    r0 = np.array([data.draw(st.sampled_from([0.001, 0.02, 0.1])) for _ in range(supply.nodes)])
    prior = np.array([data.draw(st.sampled_from([-7.0, -4.5])) for _ in range(supply.nodes)])
    explainer = Explainer([single_failures(supply, np.arange(supply.nodes))], prior, n > 0)
    utility = ints(data.draw(st.integers(0, 1)) for _ in range(supply.nodes))
    heard = Heard(n, k, r0, utility)
    ratios = explainer.ratios(heard, RATES)
    groups: dict[frozenset[int], list[int]] = {}
    for thing in range(supply.nodes):
        lost = brute(supply, {thing})
        assert ratios[thing] == pytest.approx(by_scipy(heard, lost), abs=1e-9)
        if any(k[node] for node in lost):
            groups.setdefault(frozenset(node for node in lost if n[node]), []).append(thing)
    odds = {lost: by_scipy(heard, lost) + logsumexp(prior[things]) for lost, things in groups.items()}
    expected = sorted(groups, key=lambda one: (-round(odds[one], DIGITS - 1), n[list(one)].sum(), groups[one][0]))
    ranking = explainer.rank(heard, RATES, supply.nodes)
    assert [one.odds for one in ranking] == pytest.approx([odds[one] for one in expected], abs=1e-8)
    assert {one.things for one in ranking} == {tuple(things) for things in groups.values()}
    for one in ranking:
        lost = brute(supply, {one.things[0]})
        assert (one.households, one.calls) == (sum(n[i] for i in lost), sum(k[i] for i in lost))
        assert (one.outside_households, one.outside_calls) == (n.sum() - one.households, k.sum() - one.calls)


def by_scipy(heard, lost) -> float:
    """All households under "it has failed" against all of them under "nothing has", utility by utility."""
    n, k, r0 = heard.households, heard.calls, heard.background
    told = 0.0
    for utility in (0, 1):
        mine = np.flatnonzero(heard.utility == utility)
        failed = [math.log(w / RATES.weight.sum()) + sum(binom.logpmf(k[i], n[i], r if i in lost else r0[i]) for i in mine)
                  for r, w in zip(RATES.rate, RATES.weight, strict=True)]  # fmt: skip
        told += float(logsumexp(failed)) - binom.logpmf(k[mine], n[mine], r0[mine]).sum()
    return told


def a_street() -> tuple[Supply, np.ndarray]:
    """0 source - 1 main - 2 station - {3, 4, 5} houses; 6 water source - 7 main - 8 house, and the station's tap 9."""
    pipes = [(0, 1), (1, 2), (2, 3), (2, 4), (2, 5), (6, 7), (7, 8), (7, 9)]
    arcs = [*pipes, *((b, a) for a, b in pipes)]
    return Supply(10, ints(a for a, _ in arcs), ints(b for _, b in arcs), ints([0, 6]), ints([2]), ints([9])), ints(
        range(10)
    )


def heard_on_the_street(calls: dict[int, int]) -> Heard:
    n, k = np.zeros(10, np.int64), np.zeros(10, np.int64)
    n[[3, 4, 5, 8]] = 100
    for node, number in calls.items():
        k[node] = number
    return Heard(n, k, np.full(10, 0.001), (np.arange(10) > 5).astype(np.int64))


def test_calls_about_heat_and_water_together_speak_for_the_water_main():
    supply, things = a_street()
    explainer = Explainer([single_failures(supply, things)], np.full(10, -9.0), heard_on_the_street({}).households > 0)
    both = explainer.rank(heard_on_the_street({3: 5, 4: 6, 5: 4, 8: 12}), RATES, 9)
    assert both[0].things == (6, 7)  # the source and its only main: calls cannot tell them apart
    heat = explainer.rank(heard_on_the_street({3: 9, 4: 6, 5: 8}), RATES, 9)
    assert heat[0].things == (0, 1, 2, 9)  # the tap of the station too: nobody else drinks from it
    assert (heat[0].households, heat[0].calls, heat[0].outside_calls) == (300, 23, 0)
    assert heat[0].expected == pytest.approx(0.3)


def test_silent_branches_speak_against_and_are_told():
    supply, things = a_street()
    explainer = Explainer([single_failures(supply, things)], np.full(10, -9.0), heard_on_the_street({}).households > 0)
    [[first, *others]] = explainer.causes(heard_on_the_street({3: 20}), RATES, least=0.0, causes=3, others=3)
    assert first.things == (3,)
    wide = next(one for one in others if 2 in one.things)
    assert wide.odds < first.odds
    assert [(branch.thing, branch.households) for branch in wide.silent] == [(4, 100), (5, 100)]
    assert first.silent == ()


def test_two_failures_of_one_evening_are_two_and_chance_is_none():
    pipes = [(0, 1), *((1, house) for house in range(2, 12))]
    arcs = [*pipes, *((b, a) for a, b in pipes)]
    supply = Supply(12, ints(a for a, _ in arcs), ints(b for _, b in arcs), ints([0]), ints([]), ints([]))
    n, k = np.full(12, 100, np.int64), np.zeros(12, np.int64)
    n[:2] = 0
    explainer = Explainer([single_failures(supply, np.arange(12))], np.full(12, -9.0), n > 0)
    k[[3, 8]] = 20, 25
    heard = Heard(n, k, np.full(12, 0.001), np.zeros(12, np.int64))
    assert explainer.rank(heard, RATES, 1)[0].things == (0, 1)  # one failure alone that explains the most
    causes = explainer.causes(heard, RATES, least=0.0, causes=5, others=1)
    assert [first.things for first, *_ in causes] == [(8,), (3,)]
    assert [other.things for _, other in causes] == [(0, 1), (0, 1)]
    k[2:] = 20
    assert [first.things for first, *_ in explainer.causes(replace(heard, calls=k.copy()), RATES, least=0.0, causes=5, others=1)
            ] == [(0, 1)]  # fmt: skip
    k[2:] = 0
    k[4] = 1
    assert explainer.causes(replace(heard, calls=k.copy()), RATES, least=0.0, causes=5, others=1) == []


def test_a_loop_loses_nobody_by_one_pipe_but_by_its_segment():
    ring = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 1), (3, 7)]  # 2 and 5 are valves; 7 is a house beside 3
    arcs = [*ring, *((b, a) for a, b in ring)]
    supply = Supply(8, ints(a for a, _ in arcs), ints(b for _, b in arcs), ints([0]), ints([]), ints([]))
    assert single_failures(supply, ints([4])).members(0).tolist() == [4]
    valves = np.isin(np.arange(8), [0, 2, 5])
    sets, which = segment_failures(supply, valves, ints([4, 3, 2]))
    assert which.tolist() == [0, 0, NOWHERE]
    assert sets.members(0).tolist() == [3, 4, 7]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="more calls"):
        Heard(ints([1]), ints([2]), np.array([0.1]), ints([0]))
    with pytest.raises(ValueError, match="rate"):
        Heard(ints([1]), ints([1]), np.array([0.0]), ints([0]))
