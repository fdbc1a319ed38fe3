"""From the stations and mains of the demo city to its buildings: secondary pipes, services, supply points, and what the
stations need; then everything is written and its topology built. Households add up to the source's figures exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, Point
from sqlalchemy import insert
from sqlalchemy.orm import Session

from gis import bulk
from gis.journal import Who
from gis.network import topology_actions
from gis.network.drawn import in_degrees
from gis.network.model import NetworkDependency, Pipeline, SupplyPoint, SupplySource, Valve
from gis.network.rules import PIPED
from webapp.demo.city import TURN_DEG, Block, City, share
from webapp.demo.pipes import FLOWS, Drawing, draw_mains, draw_primary, works_at

GATE_M = -98.0  # where pipes enter a compound, south of its middle
DOOR_M = 10.0  # the entrances lie this far from the middle, on either side
WATER_X, GAS_X = 4.0, -6.0
VULNERABLE_SHARE = 0.04
GRACE_MIN = 10  # minutes that a station runs on after its make-up water is gone
SEED = 20091117


def write_networks(
    session: Session, who: Who, city: City, units: dict[str, int], known: dict[str, Any], lon: float
) -> None:
    """Draw everything, write it, and build the topologies. `known`: ids of companies, stations, institutions, compounds,
    buildings (by block name and number), and the unit of each compound."""
    drawing = Drawing(np.random.default_rng(SEED))
    draw_primary(drawing, city, known["companies"], known["stations"])
    waters, gases = draw_mains(drawing, city, units["PY-WATER"], units["PY-GAS"])
    mains = {"water": _Mains(drawing, waters), "gas": _Mains(drawing, gases)}
    for i, block in enumerate(city.compounds):
        _compound(drawing, city, i, block, known, units, mains)
    for i, block in enumerate(city.institutions):
        _institution(drawing, city, i, block, known, units, mains)
    for number, point in enumerate(city.stations):
        _make_up_water(drawing, number, point, known, units, mains["water"])
    _write(session, drawing, city, units, lon)
    for utility in PIPED:
        topology_actions.rebuild(session, who, utility)


class _Mains:
    """The mains of one utility, to be tapped at their nearest place."""

    def __init__(self, drawing: Drawing, places: list[int]) -> None:
        self.lines = np.array([drawing.pipes[i][1] for i in places], object)
        self.tree = shapely.STRtree(self.lines)

    def tap(self, x: float, y: float) -> tuple[float, float]:
        main = self.lines[int(self.tree.nearest(Point(x, y)))]
        there = main.interpolate(main.project(Point(x, y)))
        return float(there.x), float(there.y)


class _Frame:
    """A compound's own axes: its middle is (0, 0), its houses lie east and west."""

    def __init__(self, block: Block) -> None:
        self.x, self.y = block.ground.centroid.coords[0]
        turn = np.radians(TURN_DEG)
        self.cos, self.sin = float(np.cos(turn)), float(np.sin(turn))

    def out(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.cos - y * self.sin, self.y + x * self.sin + y * self.cos

    def into(self, x: float, y: float) -> tuple[float, float]:
        dx, dy = x - self.x, y - self.y
        return dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin


def _compound(
    drawing: Drawing,
    city: City,
    i: int,
    block: Block,
    known: dict[str, Any],
    units: dict[str, int],
    mains: dict[str, _Mains],
) -> None:
    """Spines through the middle of a compound, and branches to the doors of its houses."""
    frame = _Frame(block)
    houses = [frame.into(*house.centroid.coords[0]) for house in block.buildings]
    doors = [(DOOR_M if x > 0 else -DOOR_M, y) for x, y in houses] or [(DOOR_M, 0.0)]
    station, top = city.stations[block.station], max(y for _, y in doors)
    people = {"station_id": known["stations"][block.station], "area_id": known["compounds"][i], "institution_id": None}
    for flow, sign, letter in FLOWS:
        start = (station.x + sign * 0.8, station.y + sign * 0.8)
        spine = [start, frame.out(sign * 1.5, GATE_M), frame.out(sign * 1.5, top + sign)]
        unit, owner = known["companies"][block.company], known["stations"][block.station]
        trunk = drawing.pipe(f"PYE{i + 1:03}{letter}", "heat", "secondary", flow, 200, unit, LineString(spine), owner)
        drawing.valve(trunk, 5)
        for n, (x, y) in enumerate(doors, 1):
            branch = LineString([frame.out(sign * 1.5, y + sign), frame.out(x, y + sign)])
            pipe = drawing.pipe(f"PYE{i + 1:03}-{n:02}{letter}", "heat", "secondary", flow, 80, unit, branch, owner)
            drawing.valve(pipe, 4)
    water = [mains["water"].tap(*frame.out(WATER_X, GATE_M)), frame.out(WATER_X, GATE_M), frame.out(WATER_X, top - 3)]
    trunk = drawing.pipe(f"PYWB{i + 1:03}", "water", "main", None, 150, units["PY-WATER"], LineString(water))
    drawing.valve(trunk, 3, letter="W")
    for n, (x, y) in enumerate(doors, 1):
        branch = LineString([frame.out(WATER_X, y - 3), frame.out(x, y - 3)])
        drawing.pipe(f"PYWB{i + 1:03}-{n:02}", "water", "main", None, 80, units["PY-WATER"], branch)
    _gas(drawing, f"PYGB{i + 1:03}", block.name, mains["gas"], units, frame.out(GAS_X, GATE_M + 6),
         dict(people, station_id=None, building_id=None), (block.households, block.people))  # fmt: skip
    _doors(drawing, i, block, frame, doors, people, known, units)


def _doors(
    drawing: Drawing, i: int, block: Block, frame: _Frame, doors: list[tuple[float, float]], people: dict[str, Any],
    known: dict[str, Any], units: dict[str, int],
) -> None:  # fmt: skip
    """The supply points of a compound's houses, for heat and for water, with its households shared among them."""
    even = np.ones(len(doors))
    households, persons = share(block.households, even), share(block.people, even)
    vulnerable = drawing.rng.binomial(households, VULNERABLE_SHARE)
    for n, (x, y) in enumerate(doors, 1):
        name = f"{block.name}{n}号楼" if block.buildings else block.name
        row = {
            **people, "name": name, "building_id": known["buildings"].get((block.name, n)), "households": int(households[n - 1]),
            "people": int(persons[n - 1]), "vulnerable_households": int(vulnerable[n - 1]), "synthetic": True,
        }  # fmt: skip
        code = f"PYN{i + 1:03}-{n:02}"
        drawing.points.append(
            ({**row, "code": code, "utility": "heat", "unit_id": known["unit_of"][i]}, Point(frame.out(x, y)))
        )
        wet = {**row, "code": f"{code}W", "utility": "water", "unit_id": units["PY-WATER"], "station_id": None}
        drawing.points.append((wet, Point(frame.out(x, y - 3))))


def _gas(
    drawing: Drawing, code: str, name: str, mains: _Mains, units: dict[str, int], there: tuple[float, float],
    links: dict[str, Any], counts: tuple[int, int],
) -> None:  # fmt: skip
    line = LineString([mains.tap(*there), there])
    drawing.valve(drawing.pipe(code, "gas", "main", None, 100, units["PY-GAS"], line), 3, letter="Q")
    drawing.points.append((
        {**links, "code": f"{code}D", "name": f"{name}调压箱", "utility": "gas", "unit_id": units["PY-GAS"],
         "households": counts[0], "people": counts[1], "vulnerable_households": 0, "synthetic": True}, Point(there),
    ))  # fmt: skip


def _institution(
    drawing: Drawing,
    city: City,
    i: int,
    block: Block,
    known: dict[str, Any],
    units: dict[str, int],
    mains: dict[str, _Mains],
) -> None:
    """A heated institution: pipes of its own from its station, a water service and a gas service."""
    x, y = block.ground.centroid.coords[0]
    station, owner = city.stations[block.station], known["stations"][block.station]
    unit = known["companies"][next(c.company for c in city.compounds if c.station == block.station)]
    for flow, sign, letter in FLOWS:
        line = LineString([(station.x + sign * 0.8, station.y + sign * 0.8), (x + sign, y + sign)])
        pipe = drawing.pipe(f"PYJ{i + 1:03}{letter}", "heat", "secondary", flow, 125, unit, line, owner)
        drawing.valve(pipe, 5)
    links = {
        "building_id": known["buildings"].get((block.name, 1)),
        "institution_id": known["institutions"][i],
        "area_id": None,
    }
    counts = {"households": 0, "people": 0, "vulnerable_households": 0, "synthetic": True, "name": block.name}
    row = {**links, **counts, "code": f"PYNI{i + 1:03}", "utility": "heat", "unit_id": unit, "station_id": owner}
    drawing.points.append((row, Point(x, y)))
    there = (x + 12, y)
    line = LineString([mains["water"].tap(*there), there])
    drawing.valve(drawing.pipe(f"PYWI{i + 1:03}", "water", "main", None, 100, units["PY-WATER"], line), 3, letter="W")
    wet = {**row, "code": f"PYNI{i + 1:03}W", "utility": "water", "unit_id": units["PY-WATER"], "station_id": None}
    drawing.points.append((wet, Point(there)))
    _gas(
        drawing, f"PYGI{i + 1:03}", block.name, mains["gas"], units, (x - 12, y), {**links, "station_id": None}, (0, 0)
    )


def _make_up_water(
    drawing: Drawing, number: int, point: Point, known: dict[str, Any], units: dict[str, int], mains: _Mains
) -> None:
    """The water that a station cannot do without."""
    there = (point.x - 3, point.y - 3)
    line = LineString([mains.tap(*there), there])
    drawing.valve(
        drawing.pipe(f"PYWS{number + 1:03}", "water", "main", None, 50, units["PY-WATER"], line), 2, letter="W"
    )
    drawing.points.append((
        {"code": f"PYNS{number + 1:03}W", "name": f"{known['station_names'][number]}补水", "utility": "water",
         "unit_id": units["PY-WATER"], "station_id": None, "building_id": None, "institution_id": None, "area_id": None,
         "households": 0, "people": 0, "vulnerable_households": 0, "synthetic": True}, Point(there),
    ))  # fmt: skip
    drawing.dependencies.append((known["stations"][number], len(drawing.points) - 1))


def _write(session: Session, drawing: Drawing, city: City, units: dict[str, int], lon: float) -> None:
    def there(shapes: list[Any]) -> Any:
        return in_degrees(np.array(shapes, object), lon)

    works = works_at(city)
    bulk.add(session, SupplySource, [
        {"code": c, "name": n, "utility": u, "unit_id": units["PY-WATER" if u == "water" else "PY-GAS"], "synthetic": True}
        for c, n, u, _ in works
    ], there([Point(xy) for *_, xy in works]), "geom")  # fmt: skip
    pipes = bulk.add(
        session, Pipeline, [row for row, _ in drawing.pipes], there([line for _, line in drawing.pipes]), "geom"
    )
    valves = [{**row, "pipeline_id": pipes[pipe]} for row, _, pipe in drawing.valves]
    bulk.add(session, Valve, valves, there([point for _, point, _ in drawing.valves]), "geom")
    points = bulk.add(
        session, SupplyPoint, [r for r, _ in drawing.points], there([p for _, p in drawing.points]), "geom"
    )
    session.execute(insert(NetworkDependency), [
        {"station_id": station, "supply_point_id": points[place], "grace_min": GRACE_MIN}
        for station, place in drawing.dependencies
    ])  # fmt: skip
