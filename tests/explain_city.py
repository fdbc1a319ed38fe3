"""A made-up city for the explanation of calls: as many households and stations as Pingdu had in 2009, and failures in it.

source of the sizes: sources/pingdu-2009 (33,500 households, 91 heat-exchange stations, 113 compounds, 2 heat companies). Streets
are a grid: the heat of two plants goes along it in a tree with a ring between them, water in meshes with valves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import networkx as nx
import numpy as np

from gis.network.explain import Explainer, Heard
from gis.network.failures import FailureSets, Supply, segment_failures, single_failures

HOUSEHOLDS, STATIONS, SIDE = 33_500, 91, 18
WATER_SHARE = 0.2  # of the calls of somebody who has both no water and no heat, or of a false one: about water


@dataclass
class City:
    """The network, what may fail in it and of which kind, and the households at each node (heat and water apart)."""

    supply: Supply
    valves: np.ndarray
    things: np.ndarray
    kinds: np.ndarray
    households: np.ndarray
    is_water: np.ndarray
    twin: np.ndarray
    families: list[FailureSets] = field(default_factory=list)

    def explainer(self) -> Explainer:
        return Explainer(self.families, np.full(sum(len(f) for f in self.families), -9.0), self.households > 0)


class _Maker:
    def __init__(self) -> None:
        self.arcs: list[tuple[int, int]] = []
        self.kind: list[str] = []
        self.households: dict[int, int] = {}
        self.water: set[int] = set()
        self.needs: list[tuple[int, int]] = []

    def node(self, kind: str) -> int:
        self.kind.append(kind)
        return len(self.kind) - 1

    def pipe(self, a: int, b: int, kind: str) -> int:
        """A section between two nodes is a node of its own, as it can fail."""
        section = self.node(kind)
        for x, y in ((a, section), (section, b)):
            self.arcs += [(x, y), (y, x)]
        return section


def make(seed: int = 20091117) -> City:
    """The whole city from one seed."""
    rng, made = np.random.default_rng(seed), _Maker()
    grid = nx.grid_2d_graph(SIDE, SIDE)
    corners = sorted(grid)
    places = [corners[i] for i in rng.choice(len(corners), STATIONS, replace=False)]
    heat, heat_sources = _heat_mains(made, grid, places)
    water, water_sources = _water_mains(made, grid, rng)
    shares = rng.multinomial(HOUSEHOLDS - 8 * STATIONS, rng.dirichlet(np.full(STATIONS, 6.0))) + 8
    twins: list[tuple[int, int]] = []
    for place, households in zip(places, shares.tolist(), strict=True):
        _compound(made, heat[place], water[place], households, rng, twins)
    return _city(made, [*heat_sources, *water_sources], twins)


def _heat_mains(made: _Maker, grid, places) -> tuple[dict, list[int]]:
    """Primary pipes along shortest ways from two plants, and a ring that joins them."""
    plants = [(1, SIDE // 2), (SIDE - 2, SIDE // 3)]
    nodes = {corner: made.node("junction") for corner in sorted(grid)}
    laid: set[frozenset] = set()
    for place in places:
        way = min((nx.shortest_path(grid, plant, place) for plant in plants), key=len)
        laid |= {frozenset(step) for step in pairwise(way)}
    joined = nx.shortest_path(grid, *plants)
    laid |= {frozenset(step) for step in pairwise(joined)}
    for step in sorted(sorted(one) for one in laid):
        made.pipe(nodes[step[0]], nodes[step[1]], "primary section")
    sources = []
    for plant in plants:
        sources.append(made.node("heat source"))
        made.pipe(sources[-1], nodes[plant], "primary section")
    return nodes, sources


def _water_mains(made: _Maker, grid, rng) -> tuple[dict, list[int]]:
    """Mains in every third street and across; at each end of each main a valve, but one in ten is missing."""
    kept = [
        (a, b) for a, b in sorted(grid.edges) if (a[0] == b[0] and a[0] % 2 == 0) or (a[1] == b[1] and a[1] % 2 == 0)
    ]
    mains = grid.edge_subgraph(kept)
    nodes = {corner: made.node("junction") for corner in sorted(mains)}
    taps: dict = {}
    for a, b in kept:
        ends = [made.node("valve") if rng.random() > 0.1 else None for _ in (a, b)]
        middle = made.node("junction")
        for corner, valve in zip((a, b), ends, strict=True):
            if valve is None:
                made.pipe(nodes[corner], middle, "water main")
            else:
                made.pipe(nodes[corner], valve, "water main")
                made.pipe(valve, middle, "water main")
        taps[a], taps[b] = taps.get(a, middle), middle
    for corner in sorted(grid):
        if corner not in taps:  # in a block without a main: the nearest one's
            taps[corner] = taps[min(mains, key=lambda one: (abs(one[0] - corner[0]) + abs(one[1] - corner[1]), one))]
    sources = []
    for corner in ((0, 0), (SIDE - 2, SIDE - 2)):
        sources.append(made.node("water source"))
        made.pipe(sources[-1], nodes[corner], "water main")
    return taps, sources


def _compound(made: _Maker, heat: int, water: int, households: int, rng, twins: list[tuple[int, int]]) -> None:
    """A station with its secondary branches and the houses on them; water to the houses and to the station."""
    station, exit_ = made.node("station"), made.node("junction")
    made.pipe(heat, station, "primary section")
    made.arcs.append((station, exit_))
    entry = made.node("junction")
    made.pipe(water, entry, "water service")
    tap = made.node("junction")
    made.pipe(entry, tap, "water service")
    made.needs.append((station, tap))
    houses = max(households // 30, 1)
    sizes = np.full(houses, households // houses)
    sizes[: households - sizes.sum()] += 1
    joint = pipe = exit_
    for n, size in enumerate(sizes.tolist()):
        if n % 4 == 0:
            joint, pipe = exit_, made.node("junction")
            made.pipe(joint, pipe, "secondary section")
        elif rng.random() < 0.5:
            further = made.node("junction")
            made.pipe(pipe, further, "secondary section")
            pipe = further
        warm, wet = made.node("house"), made.node("house")
        made.pipe(pipe, warm, "house pipe")
        made.pipe(entry, wet, "water house pipe")
        made.households[warm] = made.households[wet] = size
        made.water.add(wet)
        twins.append((warm, wet))


def _city(made: _Maker, sources: list[int], twins: list[tuple[int, int]]) -> City:
    n = len(made.kind)
    tail, head = np.array(made.arcs, np.int64).T
    who, what = np.array(made.needs, np.int64).T
    supply = Supply(n, tail, head, np.array(sources, np.int64), who, what)
    kinds = np.array(made.kind)
    valves = kinds == "valve"
    things = np.flatnonzero(~np.isin(kinds, ["junction"]))
    households, is_water, twin = np.zeros(n, np.int64), np.zeros(n, bool), np.full(n, -1)
    for node, many in made.households.items():
        households[node], is_water[node] = many, node in made.water
    for warm, wet in twins:
        twin[warm], twin[wet] = wet, warm
    mains = np.flatnonzero(np.isin(kinds, ["water main", "primary section"]))
    single = single_failures(supply, things)
    segments, _ = segment_failures(supply, valves, mains)
    return City(supply, valves, things, kinds, households, is_water, twin, [single, segments])


def background(city: City, false_calls: float) -> np.ndarray:
    """The rate at which each household of a node calls falsely, about what this node serves."""
    return np.where(city.is_water, false_calls * WATER_SHARE, false_calls * (1 - WATER_SHARE)).clip(1e-6)


def evening(city: City, lost: np.ndarray, call_rate: float, false_calls: float, rng: np.random.Generator) -> Heard:
    """Who calls when `lost` (nodes) have no service: of a household with two troubles one call, about either of them."""
    without = np.zeros(city.supply.nodes, bool)
    without[lost] = True
    both = without & np.where(city.twin >= 0, without[city.twin], False)
    share = np.where(both, np.where(city.is_water, WATER_SHARE, 1 - WATER_SHARE), 1.0) * without
    rate = 1 - (1 - share * call_rate) * (1 - background(city, false_calls))
    return Heard(
        city.households,
        rng.binomial(city.households, rate),
        background(city, false_calls),
        city.is_water.astype(np.int64),
    )
