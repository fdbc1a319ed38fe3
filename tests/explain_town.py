"""A small town in the database: two heat-exchange stations, three compounds, a water main in a loop with valves, all connected.

文丰小区 and 银杏公寓 hang on station 1, 康居小区 on station 2. The water of 文丰小区 and of station 1 comes from the main `W-B`,
between the valves `V1` and `V2`; everybody else's from the other side of the loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy.orm import Session

from gis import geo
from gis.complaints.model import Caller, Complaint
from gis.journal import Who
from gis.network import assets, graphs, topology_actions
from gis.network.model import HeatSource, NetworkDependency, Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.people.model import Unit
from gis.places.model import Area
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square

HOUSES, HOUSEHOLDS = 5, 30
COMPOUNDS = {"文丰小区": (200.0, 100.0), "银杏公寓": (200.0, 300.0), "康居小区": (700.0, 250.0)}


@dataclass
class Town:
    """What the tests ask for by name."""

    district: Area
    compounds: dict[str, Area]
    units: dict[str, Unit]
    stations: list[Station]
    pipes: dict[str, Pipeline]
    valves: dict[str, Valve]

    def call(self, session: Session, utility: str, compound: str, house: int, at: datetime, **more: Any) -> Complaint:
        """Somebody calls from a house about having no heat or no water."""
        x, y = house_at(compound, house)
        category = more.pop("category", {"heat": "heat.outage", "water": "water.none"}[utility])
        made = make_complaint(
            session, at=degrees(x + 4, y + 3), category=category, received_at=at, place=f"{compound}{house + 1}号楼",
            unit_id=self.units[utility].id, compound_id=self.compounds[compound].id, district_id=self.district.id, **more,
        )  # fmt: skip
        session.add(Caller(complaint_id=made.id, phone=f"139{made.id:08}"))
        session.flush()
        return made


def degrees(x: float, y: float) -> tuple[float, float]:
    here = geo.to_metres(PINGDU[0], PINGDU[1], PINGDU[0])
    lon, lat = geo.to_degrees(float(here[0]) + x, float(here[1]) + y, PINGDU[0])
    return float(lon), float(lat)


def _line(*points: tuple[float, float]) -> WKTElement:
    return WKTElement(
        f"LINESTRING({', '.join(f'{lon} {lat}' for lon, lat in (degrees(*p) for p in points))})", srid=4326
    )


def _point(x: float, y: float) -> WKTElement:
    return WKTElement("POINT({} {})".format(*degrees(x, y)), srid=4326)


def house_at(compound: str, house: int) -> tuple[float, float]:
    x, y = COMPOUNDS[compound]
    return x + 40.0 * house, y


def make_town(session: Session, at: datetime = NOW) -> Town:
    """Draw it and build its topologies."""
    for shelves in (assets._shelves, graphs._shelves):
        shelves.clear()  # what another test made is undone, and may have had the same version
    district = make_area(session, name="平度市", geom=square(half=0.05))
    units = {
        "heat": make_unit(session, name="金泉热力"),
        "water": make_unit(session, name="自来水公司", kind="water_company"),
    }
    compounds = {
        name: make_area(
            session, name=name, level="compound", parent_id=district.id, geom=square(*degrees(x + 80, y), half=0.001)
        )
        for name, (x, y) in COMPOUNDS.items()
    }
    session.add(HeatSource(code="H", name="热源厂", unit_id=units["heat"].id, geom=_point(-400, 200)))
    session.add(SupplySource(code="W", name="水厂", utility="water", geom=_point(-400, 0)))
    stations = [
        Station(code=f"S{n}", name=f"{name}换热站", operator="heat_company", unit_id=units["heat"].id, area_id=compounds[name].id,
                households=HOUSES * HOUSEHOLDS, geom=_point(*at))
        for n, (name, at) in enumerate((("文丰小区", (150, 200)), ("康居小区", (650, 200))), 1)
    ]  # fmt: skip
    session.add_all(stations)
    session.flush()
    town = Town(district, compounds, units, stations, {}, {})
    _mains(session, town)
    for name in COMPOUNDS:
        _compound(session, town, name)
    session.flush()
    for utility in ("heat", "water"):
        topology_actions.rebuild(session, Who(at), utility)
    return town


def _pipe(session: Session, town: Town, code: str, utility: str, level: str, mm: float, *points: tuple[float, float],
          station: int | None = None) -> Pipeline:  # fmt: skip
    made = Pipeline(code=code, utility=utility, level=level, flow="supply" if utility == "heat" else None, diameter_mm=mm,
                    station_id=station, unit_id=town.units[utility].id, geom=_line(*points))  # fmt: skip
    session.add(made)
    session.flush()
    town.pipes[code] = made
    return made


def _mains(session: Session, town: Town) -> None:
    _pipe(session, town, "W-A", "water", "main", 400, (-400, 0), (0, 0))
    _pipe(session, town, "W-B", "water", "main", 300, (0, 0), (600, 0))
    _pipe(session, town, "W-C", "water", "main", 300, (0, 0), (0, 400), (600, 400), (600, 0))
    for code, pipe, at in (
        ("V1", "W-B", (12, 0)),
        ("V2", "W-B", (588, 0)),
        ("V3", "W-C", (0, 12)),
        ("V4", "W-C", (600, 12)),
    ):
        town.valves[code] = Valve(code=code, utility="water", pipeline_id=town.pipes[pipe].id, geom=_point(*at))
        session.add(town.valves[code])
    _pipe(session, town, "P-1", "heat", "primary", 400, (-400, 200), (150, 200))
    _pipe(session, town, "P-2", "heat", "primary", 300, (100, 200), (100, 190), (650, 190), (650, 200))
    for n, (station, x, main) in enumerate(zip(town.stations, (150, 650), ((150, 0), (600, 200)), strict=True), 1):
        tap = SupplyPoint(code=f"T{n}", name=f"{station.name}补水", utility="water", geom=_point(x - 4, 196))
        session.add(tap)
        _pipe(session, town, f"W-S{n}", "water", "main", 50, main, (x - 4, 196))
        session.add(NetworkDependency(station_id=station.id, supply_point_id=tap.id, grace_min=10))


def _compound(session: Session, town: Town, name: str) -> None:
    number = 1 if name == "康居小区" else 0
    station = town.stations[number]
    sx, sy = (150, 200) if number == 0 else (650, 200)
    x, y = COMPOUNDS[name]
    main = (x - 20, 0.0) if name == "文丰小区" else (x - 20, 400.0) if name == "银杏公寓" else (600.0, y - 6)
    _pipe(session, town, f"E-{name}", "heat", "secondary", 200, (sx, sy), (x - 10, y), (x + 170, y), station=station.id)
    _pipe(session, town, f"W-{name}", "water", "main", 150, main, (x - 20, y - 6), (x + 170, y - 6))
    for house in range(HOUSES):
        hx, hy = house_at(name, house)
        for utility, code, dy in (("heat", "H", 0), ("water", "W", -6)):
            session.add(SupplyPoint(
                code=f"{name}-{house}{code}", name=f"{name}{house + 1}号楼", utility=utility, households=HOUSEHOLDS, people=90,
                station_id=station.id if utility == "heat" else None, area_id=town.compounds[name].id,
                unit_id=town.units[utility].id, geom=_point(hx, hy + dy),
            ))  # fmt: skip


def evening(session: Session, town: Town, burst: datetime) -> list[Complaint]:
    """The first quarter of an hour after the main at 文丰小区 has burst: no water there, no heat behind its station."""
    told = [("water", "文丰小区", 0, 3), ("heat", "文丰小区", 1, 4), ("water", "文丰小区", 2, 5), ("heat", "银杏公寓", 0, 6),
            ("heat", "文丰小区", 3, 7), ("water", "文丰小区", 4, 8), ("heat", "银杏公寓", 3, 9), ("heat", "文丰小区", 4, 11)]  # fmt: skip
    made = [town.call(session, u, c, h, burst + timedelta(minutes=m)) for u, c, h, m in told]
    made.append(town.call(session, "water", "文丰小区", 1, burst + timedelta(minutes=10), category="water.burst"))
    return made
