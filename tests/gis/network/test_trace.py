"""The trace against networkx: on random graphs, and on every network in the shared data."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.network.trace import Pipes, Trace, ValveRole
from tests import network_oracle as oracle
from tests.real_pipes import NETWORKS, read


def pipes_of(n, edges, valves=(), closed=(), far=(), sources=(0,), needs=()):
    mark = lambda which: np.isin(np.arange(n), list(which))  # noqa: E731
    return Pipes(
        np.array([e[0] for e in edges], np.int64), np.array([e[1] for e in edges], np.int64), np.ones(len(edges)),
        mark(valves), ~mark(closed), ~mark(far), mark(sources), np.array(needs, np.int64).reshape(-1, 2),
    )  # fmt: skip


@st.composite
def networks(draw, most=12):
    n = draw(st.integers(2, most))
    node = st.integers(0, n - 1)
    some = st.sets(node, max_size=n)
    edges = draw(st.lists(st.tuples(node, node), min_size=1, max_size=2 * n))
    sources = draw(st.sets(node, max_size=3))
    fed = sorted(set(range(n)) - sources)
    needs = draw(st.lists(st.tuples(st.sampled_from(fed), node), max_size=3)) if fed else []
    return pipes_of(
        n, edges, draw(some), draw(some), draw(some), sources, [pair for pair in needs if pair[0] != pair[1]]
    )


def equal_isolation(trace: Trace, start, refused, functional) -> None:
    if isinstance(start, tuple):
        found = trace.isolate_section(start[1], refused, functional=functional)
    else:
        found = trace.isolate_nodes([start], refused, functional=functional)
    close, inside, lost, after = oracle.isolation(trace.pipes, start, refused, functional)
    assert set(found.close) == close
    assert (set(found.inside_nodes.tolist()), set(found.inside.tolist())) == oracle.split(inside)
    assert (set(found.loss.nodes.tolist()), set(found.loss.sections.tolist())) == oracle.split(lost)
    graph = oracle.graph_of(trace.pipes)
    fed_behind = {v for v in close if (set(graph[v]) - inside) & after}
    assert {s.node for s in found.steps if s.role == ValveRole.SUPPLY} == fed_behind


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_isolation_and_loss_equal_those_of_networkx_on_random_graphs(pipes, data):
    trace = Trace(pipes)
    section = data.draw(st.integers(0, len(pipes.tail) - 1))
    start = data.draw(st.sampled_from([("s", section), int(pipes.tail[section])]))
    refused = data.draw(st.sets(st.sampled_from(range(pipes.nodes)), max_size=3))
    refused &= set(np.flatnonzero(pipes.valve).tolist())
    equal_isolation(trace, start, refused, data.draw(st.booleans()))


@settings(max_examples=80, deadline=None)
@given(networks(most=8), st.data())
def test_upstream_and_downstream_are_all_ways_that_visit_nothing_twice(pipes, data):
    trace = Trace(pipes)
    graph = oracle.graph_of(pipes)
    for valve in oracle.closed(pipes):  # a pipe that ends at a closed valve is a dead end there
        for section in [s for s in graph[valve] if list(graph[s]) != [valve]]:
            graph.remove_edge(valve, section)
    graph.add_edges_from((("root", int(s)), "root") for s in trace.segments.alive)
    graph.add_edges_from((("root", int(s)), int(s)) for s in trace.segments.alive if s not in oracle.closed(pipes))
    if "root" not in graph:
        graph.add_node("root")
    passed = {}
    for i in range(len(pipes.tail)):
        ways = nx.all_simple_paths(graph, "root", ("s", i)) if pipes.tail[i] != pipes.head[i] else []
        passed[i] = {t[1] for way in ways for t in way if isinstance(t, tuple) and t[0] == "s"}
    asked = data.draw(st.integers(0, len(pipes.tail) - 1))
    assert set(trace.upstream(asked).tolist()) == passed[asked]
    assert set(trace.downstream(asked).tolist()) == {i for i, way in passed.items() if asked in way}


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_the_fewest_valves_are_as_few_as_a_least_cut_and_stop_the_water(pipes, data):
    trace = Trace(pipes)
    start = data.draw(st.integers(0, len(pipes.tail) - 1))
    graph = oracle.graph_of(pipes)
    graph.remove_nodes_from(oracle.closed(pipes))
    usable = set(np.flatnonzero(pipes.valve & pipes.open & pipes.reachable).tolist())
    arcs = nx.DiGraph()
    for v in graph:
        arcs.add_edge((v, 0), (v, 1), **({"capacity": 1} if v in usable else {}))
        for w in graph[v]:
            arcs.add_edge((v, 1), (w, 0))
    for source in trace.segments.alive.tolist():
        if source in graph:
            arcs.add_edge((source, 1), "root")
    arcs.add_node("root")
    found = trace.fewest(start)
    try:
        least = nx.maximum_flow_value(arcs, (("s", start), 1), "root")
    except nx.NetworkXUnbounded:
        assert found is None
        return
    assert found is not None and len(found) == least
    graph.remove_nodes_from(found)
    assert not nx.node_connected_component(graph, ("s", start)) & set(trace.segments.alive.tolist())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [None, 7, 8])
def test_isolation_equals_networkx_on_every_real_network(shared, name, seed):
    pipes = read(shared / "pipes" / name, seed)
    trace, draw = Trace(pipes), np.random.default_rng(seed or 0)
    graph = oracle.graph_of(pipes)
    assert len(pipes.tail) > 100 and len(trace.segments.alive)
    sections = draw.choice(len(pipes.tail), 4, replace=False).tolist()
    for section in sections:
        for functional in (False, True):
            equal_isolation(trace, ("s", section), (), functional)
        worst = trace.isolate_section(section).close[:1]
        equal_isolation(trace, ("s", section), worst, True)
        hangs = graph.copy()
        hangs.remove_nodes_from(oracle.closed(pipes))
        assert (
            set(trace.connected(section).tolist())
            == oracle.split(nx.node_connected_component(hangs, ("s", section)))[1]
        )


@pytest.mark.parametrize("name", NETWORKS)
def test_the_valves_that_must_be_closed_are_enough_and_none_is_too_many(shared, name):
    pipes = read(shared / "pipes" / name, 5)
    trace, graph = Trace(pipes), oracle.graph_of(pipes)
    graph.remove_nodes_from(oracle.closed(pipes))
    alive = set(trace.segments.alive.tolist())
    for section in range(0, len(pipes.tail), max(1, len(pipes.tail) // 12)):
        found = trace.isolate_section(section)
        if len(found.sources):
            continue
        for left in [None, *found.must]:
            held = graph.copy()
            held.remove_nodes_from(set(found.must) - {left})
            assert bool(nx.node_connected_component(held, ("s", section)) & alive) == (left is not None)


def ring():
    """Two sources (0, 9) on a ring of six with a valve between every two joints, and a branch with two valves to 12.

    0-1-2v-3-4v-5-6v-7-8v-1, 9 at 5, and 3-10v-11-12."""
    return pipes_of(
        13,
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 1), (9, 5), (3, 10), (10, 11), (11, 12)],
        valves=(2, 4, 6, 8, 10), sources=(0, 9),
    )  # fmt: skip


def test_in_a_ring_with_two_sources_only_what_lies_between_the_valves_is_lost():
    found = Trace(ring()).isolate_section(2)  # 2-3
    assert [(s.node, s.role, s.metres) for s in found.steps] == [
        (2, ValveRole.SUPPLY, 2.0), (4, ValveRole.SUPPLY, 2.0), (10, ValveRole.DRAIN, 4.0),
    ]  # fmt: skip
    assert found.loss.nodes.tolist() == [3, 11, 12]


def test_a_valve_that_cannot_be_reached_is_replaced_by_the_next_ones_out():
    found = Trace(ring()).isolate_section(2, refused=[4])
    assert found.must == (2, 6) and found.sources.tolist() == [9]
    assert found.loss.nodes.tolist() == [3, 4, 5, 9, 11, 12]


def test_two_shutdowns_together_take_what_neither_takes_alone():
    trace = Trace(ring())
    found = trace.conflict([2, 8], [4, 6])  # each of them cuts one source off; only both leave the far side dry
    assert found.together.tolist() == [3, 7, 10, 11, 12]
    assert trace.loss([2, 8]).nodes.tolist() == []
    assert trace.conflict([2], [6], opened=((), (2,))).valves == (2,)


def test_a_closed_valve_gives_the_lost_their_service_back():
    pipes = pipes_of(
        8, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 5)], valves=(1, 3, 7), closed=(7,), sources=(0, 6)
    )
    trace = Trace(pipes)
    found = trace.isolate_section(1)
    assert found.close == (1, 3) and found.loss.nodes.tolist() == [2, 4, 5]
    [(valve, again)] = trace.feeds(found)
    assert (valve, again.tolist()) == (7, [4, 5])


def test_functionally_a_trace_crosses_the_exchanger_and_hydraulically_it_stops_there():
    heat = [(0, 1), (1, 2), (2, 3)]  # source, valve, joint, station's primary inlet 3
    water = [(4, 5), (5, 6)]  # source 4, valve 5, the station's tap 6
    secondary = [(7, 8)]  # the station's outlet 7 feeds the building 8
    pipes = pipes_of(9, heat + water + secondary, valves=(1, 5), sources=(0, 4), needs=[(7, 3), (7, 6)])
    trace = Trace(pipes)
    assert trace.isolate_section(1).loss.nodes.tolist() == [2, 3]
    assert trace.isolate_section(1, functional=True).loss.nodes.tolist() == [2, 3, 7, 8]
    assert trace.isolate_section(4, functional=True).loss.nodes.tolist() == [6, 7, 8]
    assert trace.isolate_section(4).loss.nodes.tolist() == [6]
