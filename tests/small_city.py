"""A small city with heat and water drawn into the database and built: a source, two stations, four buildings, water in a line.

Heat runs east from the source: S -V1- J -V2- A, J -V3- B, each with its return beside it (V1R, V2R, V3R); A feeds A1 and
A2 (behind V4). Water runs from W1 -VW1- X -VW2- A's tap; W2 waits behind VW3, which is closed. Station A needs water."""

from __future__ import annotations

from datetime import timedelta
from math import cos, radians
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from geoalchemy2 import WKTElement
from sqlalchemy.orm import Session

from gis.journal import Who
from gis.network.model import HeatSource, NetworkDependency, Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.network.outage_model import Outage, OutageValve
from gis.network.topology_actions import rebuild
from tests import factories as make
from tests.conftest import NOW

_EAST = 111_320 * cos(radians(make.PINGDU[1]))


def at(x: float, y: float) -> tuple[float, float]:
    """Metres east and north of the heat source, as degrees."""
    return make.PINGDU[0] + x / _EAST, make.PINGDU[1] + y / 110_950


def _point(x: float, y: float) -> WKTElement:
    return make.point(*at(x, y))


def _line(*places: tuple[float, float]) -> WKTElement:
    return WKTElement(f"LINESTRING({', '.join(f'{x:.9f} {y:.9f}' for x, y in (at(*p) for p in places))})", srid=4326)


def draw(session: Session, mark: str = "") -> Any:
    """Everything by its name in lower case: `city.v1`, `city.p1`, `city.a`, `city.a1`, …"""
    city = SimpleNamespace()
    add = lambda name, row: (session.add(row), session.flush(), setattr(city, name, row))  # noqa: E731
    city.heat = make.make_unit(session, name=f"{mark}热力公司")
    city.property = make.make_unit(session, name=f"{mark}物业公司", kind="property_company")
    city.water = make.make_unit(session, name=f"{mark}自来水公司", kind="water_company")
    here = at(475, 30)
    city.area = make.make_area(session, name=f"{mark}北苑小区", level="compound", geom=make.square(*here, half=0.0008))
    add("s", HeatSource(code=f"{mark}S", name=f"{mark}热源", unit_id=city.heat.id, geom=_point(0, 0)))
    add("a", Station(code=f"{mark}A", name=f"{mark}北苑换热站", operator="property_company", unit_id=city.property.id,
                     source_id=city.s.id, households=90, geom=_point(400, 0)))  # fmt: skip
    add("b", Station(code=f"{mark}B", name=f"{mark}南苑换热站", operator="heat_company", unit_id=city.heat.id,
                     source_id=city.s.id, households=40, geom=_point(200, 200)))  # fmt: skip
    heat = {
        "p1": ("primary", None, (0, 0), (200, 0)), "p1r": ("primary", None, (0, 3), (200, 3)),
        "p2": ("primary", "a", (200, 0), (400, 0)), "p2r": ("primary", "a", (200, 3), (400, 3)),
        "p3": ("primary", "b", (200, 0), (200, 200)), "p3r": ("primary", "b", (203, 3), (203, 200)),
        "e1": ("secondary", "a", (400, 0), (500, 0)), "e1r": ("secondary", "a", (400, 3), (500, 3)),
        "e2": ("secondary", "a", (450, 0), (450, 60)), "e2r": ("secondary", "a", (447, 3), (447, 60)),
        "e3": ("secondary", "b", (200, 200), (300, 200)), "e3r": ("secondary", "b", (200, 203), (300, 203)),
    }  # fmt: skip
    for name, (level, station, *places) in heat.items():
        add(name, Pipeline(
            code=f"{mark}{name.upper()}", utility="heat", level=level, flow="return" if name.endswith("r") else "supply",
            unit_id=city.heat.id, station_id=getattr(city, station).id if station else None, geom=_line(*places),
        ))  # fmt: skip
    water = {"m1": ((0, -50), (200, -50)), "m2": ((200, -50), (400, -50)), "m3": ((400, -50), (400, -12)),
             "m4": ((400, -50), (600, -50)), "m5": ((200, -50), (200, -150))}  # fmt: skip
    for name, places in water.items():
        add(
            name,
            Pipeline(
                code=f"{mark}{name.upper()}", utility="water", level="main", unit_id=city.water.id, geom=_line(*places)
            ),
        )
    add(
        "w1",
        SupplySource(
            code=f"{mark}W1", name=f"{mark}一水厂", utility="water", unit_id=city.water.id, geom=_point(0, -50)
        ),
    )
    add(
        "w2",
        SupplySource(
            code=f"{mark}W2", name=f"{mark}二水厂", utility="water", unit_id=city.water.id, geom=_point(600, -50)
        ),
    )
    valves = {
        "v1": ("p1", 100, 0), "v2": ("p2", 250, 0), "v3": ("p3", 200, 50), "v4": ("e1", 430, 0), "v1r": ("p1r", 100, 3),
        "v2r": ("p2r", 250, 3), "v3r": ("p3r", 203, 50), "vw1": ("m1", 100, -50), "vw2": ("m2", 300, -50), "vw3": ("m4", 500, -50),
    }  # fmt: skip
    for name, (pipe, x, y) in valves.items():
        pipeline = getattr(city, pipe)
        add(name, Valve(code=f"{mark}{name.upper()}", utility=pipeline.utility, is_open=name != "vw3", normally_open=name != "vw3",
                        pipeline_id=pipeline.id, geom=_point(x, y)))  # fmt: skip
    people = {"a1": ("a", 500, 0, 60, 4), "a2": ("a", 450, 60, 30, 1), "b1": ("b", 300, 200, 40, 2)}
    for name, (station, x, y, households, vulnerable) in people.items():
        add(name, SupplyPoint(
            code=f"{mark}{name.upper()}", name=f"{mark}{name.upper()}号楼", utility="heat", station_id=getattr(city, station).id,
            area_id=city.area.id if station == "a" else None, households=households, people=households * 3,
            vulnerable_households=vulnerable, geom=_point(x, y),
        ))  # fmt: skip
    add("tap", SupplyPoint(code=f"{mark}TAP", name=f"{mark}北苑换热站补水", utility="water", households=0, unit_id=city.property.id,
                           geom=_point(400, -12)))  # fmt: skip
    add(
        "shop",
        SupplyPoint(
            code=f"{mark}SHOP", name=f"{mark}南街商铺", utility="water", households=5, people=9, geom=_point(200, -150)
        ),
    )
    add("needs", NetworkDependency(station_id=city.a.id, supply_point_id=city.tap.id, grace_min=40))
    for utility in ("heat", "water"):
        rebuild(session, Who(NOW), utility)
    return city


def an_outage(session: Session, name: str) -> dict[str, int]:
    """A running shutdown with one valve, for whoever walks the routes: shutdowns are told to the whole city."""
    valve = Valve(code=f"V{name}", utility="heat", geom=make.point())
    outage = Outage(
        request_id=uuid4(), no=f"TG{name}", kind="emergency", status="running", utility="heat", crossing="functional", place=name,
        reason="爆管", geom=make.point(), begins_at=NOW, expected_end_at=NOW + timedelta(hours=3), begun_at=NOW, households=0, people=0,
        vulnerable_households=0, stations=[], made_at=NOW,
    )  # fmt: skip
    session.add_all([valve, outage])
    session.flush()
    session.add(OutageValve(outage_id=outage.id, valve_id=valve.id, position=1, action="close", role="supply"))
    session.flush()
    return {"outage_id": outage.id, "valve_id": valve.id}
