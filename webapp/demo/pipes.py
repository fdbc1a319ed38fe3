"""Pipes of the demo city, as a network that holds together: heat from two sources over looped street pipes with section valves
to the stations, from there to every building; water from two works over a grid of mains; gas over the main roads.

All in metres until it is written. Supply and return, and the two companies, lie beside one another: each has its own copy of
the street corners, moved by a few metres, so that what belongs together meets exactly and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, Point

from webapp.demo.city import City, Road

BESIDE_M = 2.0  # supply lies this far to the north-east of the middle, return as far to the south-west
COMPANY_M = 7.0  # the second company's pipes lie this far from the first one's
LOOPS = 6  # stretches per company that close the largest loops of its tree
WATER_M, GAS_M = np.array([-9.0, 9.0]), np.array([9.0, -9.0])
FLOWS = (("supply", 1.0, "G"), ("return", -1.0, "H"))
UNREACHABLE = ("井盖被车辆占压", "井室积水", "阀杆锈死", "被违章建筑压盖")


@dataclass
class Drawing:
    """What is drawn so far: rows with their shapes in metres; a valve knows the place of its pipe in `pipes`."""

    rng: Generator
    pipes: list[tuple[dict[str, Any], LineString]] = field(default_factory=list)
    valves: list[tuple[dict[str, Any], Point, int]] = field(default_factory=list)
    points: list[tuple[dict[str, Any], Point]] = field(default_factory=list)
    dependencies: list[tuple[int, int]] = field(default_factory=list)  # station id, place in `points`

    def pipe(self, code: str, utility: str, level: str, flow: str | None, mm: float, unit: int, line: LineString,
             station: int | None = None) -> int:  # fmt: skip
        """Draw a pipe; its place."""
        self.pipes.append((
            {"code": code, "utility": utility, "level": level, "flow": flow, "diameter_mm": mm, "material": None,
             "unit_id": unit, "station_id": station, "synthetic": True}, line,
        ))  # fmt: skip
        return len(self.pipes) - 1

    def valve(self, pipe: int, metres: float, *, is_open: bool = True, letter: str = "F") -> None:
        """Put a valve on a pipe, so far from its start. One in forty cannot be reached."""
        row, line = self.pipes[pipe]
        shut_in = self.rng.random() < 0.025
        note = UNREACHABLE[int(self.rng.integers(len(UNREACHABLE)))] if shut_in else ""
        count = len(self.valves) + 1
        self.valves.append((
            {"code": f"PYV{letter}{count:05}", "utility": row["utility"], "kind": "isolation", "is_open": is_open,
             "normally_open": is_open, "reach": "unreachable" if shut_in else "reachable", "reach_note": note},
            line.interpolate(metres if metres < line.length / 2 else max(line.length - 12, line.length / 2)), pipe,
        ))  # fmt: skip


def source_at(city: City, number: int) -> tuple[float, float]:
    """Where the source of a company stands: between its own supply and return."""
    x, y = city.nodes[city.sources[number]] + number * COMPANY_M
    return float(x), float(y)


def works_at(city: City) -> list[tuple[str, str, str, tuple[float, float]]]:
    """Code, name, utility and place of the two waterworks and the gas gate."""
    last = len(city.nodes) - 1
    found = [("PYW1", "第一水厂", "water", 0), ("PYW2", "第二水厂", "water", last), ("PYQ1", "天然气门站", "gas", last)]
    return [(c, n, u, tuple((city.nodes[i] + (WATER_M if u == "water" else GAS_M)).tolist())) for c, n, u, i in found]


# --- the primary network ---------------------------------------------------------------------------------------------
def draw_primary(drawing: Drawing, city: City, companies: tuple[int, int], stations: list[int]) -> None:
    """The streets' pipes of both companies, the stations' branches, and the tie between the companies (normally closed)."""
    laid = [_laid(city, company) for company in (0, 1)]
    for company, edges in enumerate(laid):
        degree = np.bincount(np.array(list(edges)).ravel(), minlength=len(city.nodes))
        for i, ((a, b), served) in enumerate(sorted(edges.items()), 1):
            mm = 200 + 50 * min(served // 4, 12)
            for pipe in _pair(
                drawing, f"PYP{company + 1}{i:03}", mm, companies[company], *_corners(city, company, a, b)
            ):
                if degree[a] > 2:
                    drawing.valve(pipe, 14)
    for number, point in enumerate(city.stations):
        company = _company(city, number)
        start = city.nodes[_nearest_node(city, point)] + company * COMPANY_M
        for pipe in _pair(drawing, f"PYT{number + 1:03}", 150, companies[company], start, np.array([point.x, point.y]),
                          stations[number], at_station=True):  # fmt: skip
            drawing.valve(pipe, 10)
    nodes = [np.array(sorted({node for edge in edges for node in edge})) for edges in laid]
    apart = np.hypot(*(city.nodes[nodes[0]][:, None] - city.nodes[nodes[1]][None]).transpose(2, 0, 1))
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    ends = city.nodes[nodes[0][i]], city.nodes[nodes[1][j]] + COMPANY_M
    for pipe in _pair(drawing, "PYP9001", 300, companies[0], *ends):
        drawing.valve(pipe, 5, is_open=False)


def _company(city: City, station: int) -> int:
    return next(c.company for c in city.compounds if c.station == station)


def _nearest_node(city: City, point: Point) -> int:
    return int(np.argmin(((city.nodes - (point.x, point.y)) ** 2).sum(1)))


def _corners(city: City, company: int, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    return city.nodes[a] + company * COMPANY_M, city.nodes[b] + company * COMPANY_M


def _pair(
    drawing: Drawing, code: str, mm: float, unit: int, start: np.ndarray, end: np.ndarray, station: int | None = None, *,
    at_station: bool = False,
) -> list[int]:  # fmt: skip
    """Supply and return side by side; those that end at a station end at its wall."""
    there = 0.8 if at_station else BESIDE_M
    return [
        drawing.pipe(f"{code}{letter}", "heat", "primary", flow, mm, unit,
                     LineString([start + sign * BESIDE_M, end + sign * there]), station)
        for flow, sign, letter in FLOWS
    ]  # fmt: skip


def _laid(city: City, company: int) -> dict[tuple[int, int], int]:
    """Street stretches (upstream, downstream) with the number of stations behind them, and those that close loops."""
    length = {}
    for road in city.roads:
        length[road.a, road.b] = length[road.b, road.a] = road.line.length
    a, b = np.array(list(length)).T
    n = len(city.nodes)
    graph = csr_array((np.array(list(length.values())), (a, b)), (n, n))
    away, before = dijkstra(graph, indices=city.sources[company], return_predecessors=True)
    laid: dict[tuple[int, int], int] = {}
    for number, point in enumerate(city.stations):
        if _company(city, number) != company:
            continue
        node = _nearest_node(city, point)
        while before[node] >= 0:
            back = int(before[node])
            laid[back, node] = laid.get((back, node), 0) + 1
            node = back
    return laid | _closing(city, laid, away)


def _closing(city: City, laid: dict[tuple[int, int], int], away: np.ndarray) -> dict[tuple[int, int], int]:
    """Streets between two laid corners that lie far from the source by both ways: they make the longest loops."""
    nodes = {node for edge in laid for node in edge}
    free = [(r.a, r.b) for r in city.roads if {r.a, r.b} <= nodes and (r.a, r.b) not in laid and (r.b, r.a) not in laid]
    free.sort(key=lambda edge: (-(away[edge[0]] + away[edge[1]]), edge))
    return dict.fromkeys(free[::3][:LOOPS], 1)


# --- mains ---------------------------------------------------------------------------------------------------------------
def draw_mains(drawing: Drawing, city: City, water: int, gas: int) -> tuple[list[int], list[int]]:
    """A water main in every street (a valve at each end of the large ones), a gas main in every main road."""
    waters, gases = [], []
    for i, road in enumerate(city.roads, 1):
        large = road.highway != "residential"
        pipe = drawing.pipe(
            f"PYWA{i:04}", "water", "main", None, 300 if large else 150, water, _beside(city, road, WATER_M)
        )
        waters.append(pipe)
        drawing.valve(pipe, 12, letter="W")
        if large:
            drawing.valve(pipe, drawing.pipes[pipe][1].length, letter="W")
            gases.append(drawing.pipe(f"PYGA{i:04}", "gas", "main", None, 200, gas, _beside(city, road, GAS_M)))
            drawing.valve(gases[-1], 12, letter="Q")
    return waters, gases


def _beside(city: City, road: Road, moved: np.ndarray) -> LineString:
    return LineString(city.nodes[[road.a, road.b]] + moved)
