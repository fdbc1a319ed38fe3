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
