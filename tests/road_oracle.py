"""A second engine for travel times: networkx on a graph that is cut at the places themselves. Shares nothing with the first."""

from __future__ import annotations

import math
from itertools import pairwise

import networkx as nx
import numpy as np

from gis.places.roads import WALK_MS, RoadNetwork, Snapped


def seconds_to(network: RoadNetwork, target: Snapped, crews: Snapped) -> np.ndarray:
    """How long each crew takes to the target, by Dijkstra over a graph whose streets are cut at every place."""
    graph = nx.DiGraph()
    on_edge: dict[int, list[tuple[float, str]]] = {}
    places = [("target", int(target.edge[0]), float(target.share[0]))]
    places += [
        (f"crew{i}", int(e), float(s)) for i, (e, s) in enumerate(zip(crews.edge, crews.share, strict=True)) if e >= 0
    ]
    for name, edge, share in places:
        on_edge.setdefault(edge, []).append((share, name))
    for edge in range(network.n_edges):
        a, b = int(network.a[edge]), int(network.b[edge])
        stops = [(0.0, a), *sorted(on_edge.get(edge, []), key=lambda s: s[0]), (1.0, b)]
        for (share, left), (next_share, right) in pairwise(stops):
            for start, end, whole in ((left, right, network.forward_s[edge]), (right, left, network.backward_s[edge])):
                seconds = (next_share - share) * whole
                if next_share - share <= 1e-9:
                    seconds = 0.0  # on the junction, or side by side
                if not math.isnan(seconds) and seconds < graph.get_edge_data(start, end, {"s": math.inf})["s"]:
                    graph.add_edge(start, end, s=seconds)
    times = nx.single_source_dijkstra_path_length(graph.reverse(copy=False), "target", weight="s")
    found = np.full(len(crews.edge), math.inf)
    for i in range(len(crews.edge)):
        if crews.edge[i] >= 0 and f"crew{i}" in times:
            found[i] = times[f"crew{i}"] + (crews.gap_m[i] + target.gap_m[0]) / WALK_MS
    return found


def seconds_minding_turns(network: RoadNetwork, forbidden: list[tuple[int, ...]], target: Snapped, crews: Snapped):
    """The same with ways that may not be driven: Dijkstra over all that one can remember of the last stretches driven."""
    barred, lengths = set(forbidden), {len(way) for way in forbidden}
    memory = max((len(way) for way in forbidden), default=2) - 1
    costs = np.column_stack([network.forward_s, network.backward_s]).ravel()
    tails = np.column_stack([network.a, network.b]).ravel().tolist()
    heads = np.column_stack([network.b, network.a]).ravel().tolist()
    leaving: dict[int, list[int]] = {}
    for stretch in np.flatnonzero(~np.isnan(costs)).tolist():
        leaving.setdefault(tails[stretch], []).append(stretch)

    def allowed(driven: tuple[int, ...]) -> bool:
        return not any(driven[-length:] in barred for length in lengths)

    graph = nx.DiGraph()

    def join(start, end, seconds: float) -> None:
        if seconds < graph.get_edge_data(start, end, {"s": math.inf})["s"]:
            graph.add_edge(start, end, s=seconds)

    goal, share = int(target.edge[0]), float(target.share[0])
    into = {2 * goal: share, 2 * goal + 1: 1 - share}
    at_goal = {tails[stretch] for stretch, part in into.items() if part <= 1e-9}
    todo = [(node, ()) for node in range(len(network.lon)) if node in leaving]
    for i in range(len(crews.edge)):
        edge, there = int(crews.edge[i]), float(crews.share[i])
        if edge < 0:
            continue
        for stretch, part in ((2 * edge, 1 - there), (2 * edge + 1, there)):
            seconds = part * costs[stretch]
            if part <= 1e-9:
                join(f"crew{i}", (heads[stretch], ()), 0.0)
                todo.append((heads[stretch], ()))
            elif not math.isnan(seconds):
                join(f"crew{i}", (heads[stretch], (stretch,)), seconds)
                todo.append((heads[stretch], (stretch,)))
        if edge == goal:
            way = 2 * edge + (share < there)
            if share == there or not math.isnan(costs[way]):
                join(f"crew{i}", "target", abs(share - there) * costs[way] if share != there else 0.0)
    seen = set(todo)
    while todo:
        node, driven = state = todo.pop()
        if node in at_goal:
            join(state, "target", 0.0)
        for stretch in leaving.get(node, ()):
            if not allowed((*driven, stretch)):
                continue
            if stretch in into:
                join(state, "target", into[stretch] * costs[stretch])
            further = (heads[stretch], (*driven, stretch)[-memory:])
            join(state, further, costs[stretch])
            if further not in seen:
                seen.add(further)
                todo.append(further)
    graph.add_node("target")
    times = nx.single_source_dijkstra_path_length(graph.reverse(copy=False), "target", weight="s")
    told = [times.get(f"crew{i}", math.inf) for i in range(len(crews.edge))]
    return np.array(told) + (crews.gap_m + target.gap_m[0]) / WALK_MS
