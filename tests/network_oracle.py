"""The same questions answered by networkx: take out what is shut and look what hangs together. Slow, and not ours.

Sections are vertices of their own, ("s", i), so that parallel pipes and loops need no care."""

from __future__ import annotations

import networkx as nx
import numpy as np

from gis.network.trace import Pipes


def graph_of(pipes: Pipes) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(pipes.nodes))
    for i, (a, b) in enumerate(zip(pipes.tail.tolist(), pipes.head.tolist(), strict=True)):
        graph.add_edge(a, ("s", i))
        graph.add_edge(b, ("s", i))
    return graph


def served(pipes: Pipes, graph: nx.Graph, gone: set, functional: bool, alive: set[int] | None = None) -> set:
    """What is connected with a source; functionally a source that needs something feeds only while it has that."""
    left = graph.copy()
    left.remove_nodes_from(gone)
    needs: dict[int, list[int]] = {}
    for fed, needed in pipes.needs.tolist():
        needs.setdefault(fed, []).append(needed)
    sources = set(np.flatnonzero(pipes.source).tolist()) if functional else alive
    while True:
        found = set()
        for source in sources:
            if source in left and source not in found:
                found |= nx.node_connected_component(left, source)
        more = {n for n, wanted in needs.items() if all(w in found for w in wanted)} - sources if functional else set()
        if not more:
            return found
        sources = sources | more


def alive(pipes: Pipes, graph: nx.Graph) -> set[int]:
    """The sources that feed as things stand."""
    before = served(pipes, graph, closed(pipes), True)
    needs: dict[int, list[int]] = {}
    for fed, needed in pipes.needs.tolist():
        needs.setdefault(fed, []).append(needed)
    return set(np.flatnonzero(pipes.source).tolist()) | {n for n, w in needs.items() if all(x in before for x in w)}


def closed(pipes: Pipes) -> set[int]:
    return set(np.flatnonzero(pipes.valve & ~pipes.open).tolist())


def isolation(pipes: Pipes, start, refused=(), functional=False) -> tuple[set[int], set, set, set]:
    """(valves to close, what lies inside, what is lost, what is still served) for the section ("s", i) or node."""
    graph = graph_of(pipes)
    shut = closed(pipes)
    usable = set(np.flatnonzero(pipes.valve & pipes.open & pipes.reachable).tolist()) - set(refused)
    stop = (usable | shut) - {start}
    held = graph.copy()
    held.remove_nodes_from(stop)
    inside = set(nx.node_connected_component(held, start))
    edge = {v for v in stop if (near := set(graph[v])) & inside and near - inside}
    feeding = alive(pipes, graph)
    before = served(pipes, graph, shut, functional, feeding)
    after = served(pipes, graph, shut | inside | edge, functional, feeding)
    return edge - shut, inside, before - after - edge, after


def split(things: set) -> tuple[set[int], set[int]]:
    """Nodes and sections apart."""
    return {t for t in things if not isinstance(t, tuple)}, {t[1] for t in things if isinstance(t, tuple)}
