"""Pipes of the demo city: heat from each source along the streets to its stations, then to the compounds; water and gas mains."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, Point
from sqlalchemy.orm import Session

from webapp.demo.city import City

APART_M = 2.0


def heat_pipes(session: Session, city: City, units: dict[str, int], kit: dict[str, Any]) -> None:
    """Write all pipelines and the valves at the sources. `kit` carries the loader's tools and the stations' ids."""
    rows: list[dict[str, Any]] = []
    _primary(city, kit, rows)
    _secondary(city, kit, rows)
    _mains(city, units, rows)
    valves = [
        (i, row["geom"].coords[0])
        for i, row in enumerate(rows)
        if row["flow"] == "supply" and row["level"] == "primary"
    ]
    for row in rows:
        row["geom"] = kit["wgs"](row["geom"])
    made = kit["insert"](session, kit["pipeline"], rows)
    kit["insert"](session, kit["valve"], [
        {"code": f"PYV{n:03}", "utility": "heat", "is_open": True, "pipeline_id": made[i], "geom": kit["wgs"](Point(at))}
        for n, (i, at) in enumerate(valves[::12], 1)
    ])  # fmt: skip


def _row(
    code: str,
    utility: str,
    level: str,
    flow: str | None,
    mm: float,
    unit: int,
    line: LineString,
    station: int | None = None,
) -> dict[str, Any]:
    return {"code": code, "utility": utility, "level": level, "flow": flow, "diameter_mm": mm, "material": None,
            "unit_id": unit, "station_id": station, "synthetic": True, "geom": line}  # fmt: skip


def _pair(
    rows: list[dict[str, Any]], code: str, level: str, mm: float, unit: int, line: LineString, station: int | None
) -> None:
    """Supply and return side by side."""
    for flow, side, letter in (("supply", APART_M, "G"), ("return", -APART_M, "H")):
        rows.append(_row(f"{code}{letter}", "heat", level, flow, mm, unit, line.offset_curve(side), station))


def _primary(city: City, kit: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    n = len(city.nodes)
    length = {}
    for road in city.roads:
        length[road.a, road.b] = length[road.b, road.a] = road.line.length
    a, b = np.array(list(length)).T
    graph = csr_array((np.array(list(length.values())), (a, b)), (n, n))
    _, before = dijkstra(graph, indices=city.sources, return_predecessors=True)
    laid: dict[tuple[int, int], tuple[int, int]] = {}
    for number, point in enumerate(city.stations):
        block = next(c for c in city.compounds if c.station == number)
        node = int(np.argmin(((city.nodes - (point.x, point.y)) ** 2).sum(1)))
        spur = LineString([city.nodes[node], (point.x, point.y)])
        _pair(rows, f"PYT{number + 1:03}", "primary", 150, kit["companies"][block.company], spur, kit["ids"][number])
        while before[block.company, node] >= 0:
            back = int(before[block.company, node])
            laid[back, node] = (block.company, laid.get((back, node), (0, 0))[1] + 1)
            node = back
    for i, ((back, node), (company, stations)) in enumerate(sorted(laid.items()), 1):
        mm = 200 + 50 * min(stations // 4, 12)
        _pair(rows, f"PYP{i:04}", "primary", mm, kit["companies"][company], LineString(city.nodes[[back, node]]), None)


def _secondary(city: City, kit: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for i, block in enumerate(city.compounds, 1):
        point, centre = city.stations[block.station], block.ground.centroid
        line = LineString([(point.x, point.y), (centre.x, centre.y)])
        _pair(rows, f"PYE{i:03}", "secondary", 125, kit["companies"][block.company], line, kit["ids"][block.station])


def _mains(city: City, units: dict[str, int], rows: list[dict[str, Any]]) -> None:
    """Water on one side of every main road, gas on the other."""
    for i, road in enumerate((r for r in city.roads if r.highway != "residential"), 1):
        rows.append(_row(f"PYWA{i:04}", "water", "main", None, 300, units["PY-WATER"], road.line.offset_curve(6)))
        if road.highway == "primary" or i % 2:
            rows.append(_row(f"PYGA{i:04}", "gas", "main", None, 200, units["PY-GAS"], road.line.offset_curve(-6)))
