"""Whole networks from files: looked at first, all of one transaction, what is wrong told with the object and the place."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import networkx as nx
import pytest
import shapely
import xlsxwriter
from shapely.geometry import LineString, Point
from sqlalchemy import func, select, text

from gis.journal import JournalEntry, Who
from gis.network import topology_actions
from gis.network.graphs import load
from gis.network.model import HeatSource, NetworkDependency, Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.settings import Settings
from tests.conftest import NOW
from webapp.imports.inp import UnknownUnits, read_inp
from webapp.imports.network import import_network
from webapp.imports.network_files import Terms
from webapp.imports.network_kinds import NETWORK, SHEETS
from webapp.imports.network_template import fields_of, workbook

X, Y = 119.93, 36.80


@pytest.fixture
def bring(sessions: Any, tmp_path: Path) -> Any:
    def bring(path: Path, terms: Terms | None = None, *, store: bool = True, good_rows: bool = False) -> dict[str, Any]:
        settings = Settings(data_dir=tmp_path, language="en")
        return import_network(
            sessions, Who(NOW), settings, path, terms or Terms(), store=store, good_rows=good_rows
        ).as_dict()

    return bring


def line(code: str, *places: tuple[float, float], **more: Any) -> dict[str, Any]:
    there = [(X + x / 1e5, Y + y / 1e5) for x, y in places]
    return {"对象": "管线", "编号": code, "管线种类": "供水", "级别": "干管", "geometry": LineString(there), **more}


def thing(kind: str, code: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"对象": kind, "编号": code, "管线种类": "供水", "geometry": Point(X + x / 1e5, Y + y / 1e5), **more}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    geopandas.GeoDataFrame(list(rows), geometry="geometry", crs="EPSG:4326").to_file(path)
    return path


GOOD = (
    line("A", (0, 0), (200, 0)), line("B", (200, 0), (400, 0)), thing("水源", "S", 0, 0, 名称="测试水厂"),
    thing("阀门", "V", 100, 0, 状态="关"), thing("用户接入点", "U", 400, 0, 名称="甲楼", 户数=12),
)  # fmt: skip


@pytest.mark.parametrize("name", ["网.geojson", "网.gpkg"])
def test_a_sound_network_comes_in_whole_with_its_topology(bring, session, tmp_path, name):
    path = written(tmp_path / name, *GOOD)
    looked = bring(path, store=False)
    assert (looked["added"], looked["refused"], looked["found"], looked["stored"]) == (5, 0, 0, False)
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 0
    kept = bring(path)
    assert (kept["added"], kept["stored"]) == (5, True)
    assert kept["builds"][0]["sections"] == looked["builds"][0]["sections"] == 3
    valve = session.scalars(select(Valve)).one()
    assert (valve.is_open, valve.normally_open, valve.utility) == (False, False, "water")
    assert session.scalars(select(SupplyPoint)).one().households == 12
    entry = session.scalars(select(JournalEntry).where(JournalEntry.thing == "import")).one()
    assert entry.data["pipelines"] == 2
    graph = load(session, "water")
    assert len(graph.start) == 3
    assert sorted(graph.node_ref[graph.node_ref > 0]) == sorted(
        [valve.id, session.scalars(select(SupplySource.id)).one(), session.scalars(select(SupplyPoint.id)).one()]
    )
    again = bring(path)
    assert (again["added"], again["parts"][1]["unchanged"], again["stored"]) == (0, 2, False)


def test_something_wrong_is_told_with_object_and_place_and_the_rest_comes_only_if_wanted(bring, session, tmp_path):
    path = written(
        tmp_path / "网.gpkg", *GOOD, line("Z", (5, 5), (5, 5)), line("B2", (200, 0), (400, 0)), line("N", (100, 2), (100, 90)),
        thing("阀门", "W", 150, 20, 所在管线="A"), thing("用户接入点", "Q", 300, 90, 户数="abc"),
    )  # fmt: skip
    told = bring(path)
    assert not told["stored"]
    assert session.scalar(select(func.count()).select_from(Pipeline)) == 0
    assert [(e["object"], e["code"]) for e in told["errors"]] == [("Z", "zero_length_pipe"), ("Q", "not_a_number")]
    assert (told["errors"][0]["lon"], told["errors"][0]["lat"]) == pytest.approx((X + 5e-5, Y + 5e-5))
    found = {f["kind"]: f for f in told["findings"]}
    assert set(found) == {"duplicate", "near_miss", "valve_off_pipe", "no_source"}
    assert (found["duplicate"]["code"], found["duplicate"]["other_code"]) == ("B2", "B")
    assert found["near_miss"]["metres"] == pytest.approx(2.2, abs=0.1)
    assert found["valve_off_pipe"]["lon"] == pytest.approx(X + 150e-5)
    kept = bring(path, good_rows=True)
    assert (kept["stored"], kept["added"], kept["refused"]) == (True, 8, 2)
    assert set(session.scalars(select(Pipeline.code))) == {"A", "B", "B2", "N"}


def test_a_place_that_is_no_number_refuses_its_row_only(bring, session, tmp_path):
    path = tmp_path / "网.gpkg"
    pipes = [(0, 0), (100, 0)], [(0, 0), (float("nan"), 0)], [(100, 0), (200, 0)]
    with _quiet():
        rows = [
            {"code": f"P{i}", "geometry": LineString([(X + x / 1e5, Y) for x, _ in p])} for i, p in enumerate(pipes)
        ]
        geopandas.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326").to_file(path, layer="pipes")
    told = bring(path, Terms("gas"), good_rows=True)
    assert [(e["object"], e["code"]) for e in told["errors"]] == [("P1", "bad_coordinates")]
    assert set(session.scalars(select(Pipeline.code))) == {"P0", "P2"}
    assert session.scalar(text("SELECT count(*) FROM pipe_section")) == 2


def _quiet() -> Any:
    import numpy as np

    return np.errstate(invalid="ignore")


def test_a_shapefile_in_chinese_metres_lands_in_degrees(bring, session, tmp_path):
    frame = geopandas.GeoDataFrame(
        [{"pid": 7, "管径mm": 300.0, "geometry": LineString([(X, Y), (X + 0.001, Y)])}], crs="EPSG:4326"
    )
    frame.to_crs("EPSG:4549").to_file(tmp_path / "pipes.shp", encoding="UTF-8")
    with zipfile.ZipFile(tmp_path / "管.zip", "w") as archive:
        for part in tmp_path.glob("pipes.*"):
            archive.write(part, part.name)
    told = bring(tmp_path / "管.zip", Terms("gas"), good_rows=True)
    pipe = session.scalars(select(Pipeline)).one()
    assert told["stored"]
    assert (pipe.code, pipe.utility, pipe.level, pipe.diameter_mm) == ("管-7", "gas", "main", 300)
    there = session.scalar(text("SELECT ST_X(ST_StartPoint(geom)) FROM pipeline"))
    assert there == pytest.approx(X, abs=1e-8)


def test_a_diameter_without_a_unit_is_asked_about(bring, tmp_path):
    path = tmp_path / "管.geojson"
    geopandas.GeoDataFrame(
        [{"code": "P", "diameter": 12, "geometry": LineString([(X, Y), (X + 0.001, Y)])}], crs="EPSG:4326"
    ).to_file(path)
    told = bring(path, Terms("water"))
    assert told["errors"][0]["code"] == "unknown_diameter_unit"
    assert "diameter" in told["errors"][0]["message"]
    assert bring(path, Terms("water", diameter_unit="in"), store=False)["added"] == 1


def test_the_real_gas_town_comes_in_and_connects(bring, session, shared):
    told = bring(shared / "pipes" / "gas_schutterwald.gpkg", Terms("gas"))
    assert (told["stored"], told["found"], told["refused"]) == (True, 0, 0)
    assert told["unused"] == ["junction (2559)"]
    assert {p["kind"]: p["added"] for p in told["parts"]} == {"sources": 1, "pipelines": 2559, "supply_points": 1506}
    assert told["builds"][0]["pieces"] == 1
    assert session.scalar(text("SELECT round(max(diameter_mm)) FROM pipeline")) == 147  # metres in the file
    graph = load(session, "gas")
    fed = nx.Graph(zip(graph.start.tolist(), graph.end.tolist(), strict=True))
    assert nx.is_connected(fed)
    assert (graph.node_kind == 4).sum() == 1506


def test_the_real_heat_network_comes_in_with_supply_and_return_apart(bring, session, shared):
    path = shared / "pipes" / "heat_schutterwald.gpkg"
    told = bring(path, Terms("heat"))
    assert not told["stored"]  # 68 pipes of no length, four valves without a place, no source
    assert {e["code"] for e in told["errors"]} == {"zero_length_pipe", "coordinates_missing"}
    assert told["refused"] == 72
    kept = bring(path, Terms("heat"), good_rows=True)
    assert kept["stored"]
    assert dict(session.execute(text("SELECT side, count(*) FROM pipe_section GROUP BY side")).all()) == {
        "primary_supply": 207, "primary_return": 207,
    }  # fmt: skip
    assert [f["kind"] for f in kept["findings"]] == ["no_source", "no_source"]
    served = session.scalar(text("SELECT count(*) FROM pipe_node WHERE kind = 'customer'"))
    assert served == 2 * 44


# Lengths in metres and diameters in millimetres, bends, junctions with demand, closed links: as WNTR 1.x reads the same files.
WNTR = {
    "Net3": (92, 3, 2, 117, 65748.957, 49758.6, 0, 59, ["330", "10"]),
    "ky4": (959, 4, 1, 1156, 260241.035, 207899.0, 2812, 934, ["~@Pump-1"]),
}


@pytest.mark.parametrize("name", WNTR)
def test_epanet_files_are_read_as_wntr_reads_them(shared, name):
    inp = read_inp(shared / "pipes" / f"{name}.inp")
    kinds = [section for section, _ in inp.nodes.values()]
    pipes = [link for link in inp.links.values() if link.kind == "PIPES"]
    assert (
        kinds.count("JUNCTIONS"), kinds.count("TANKS"), kinds.count("RESERVOIRS"), len(pipes),
        round(sum(p.length_m for p in pipes), 3), round(sum(p.diameter_mm for p in pipes), 3),
        sum(map(len, inp.bends.values())), sum(d > 0 for d in inp.demand.values()),
        [link.id for link in inp.links.values() if link.status == "CLOSED"],
    ) == WNTR[name]  # fmt: skip


@pytest.mark.parametrize(("name", "terms"), [("Net3", Terms(anchor=(X, Y))), ("ky4", Terms(crs="EPSG:3089"))])
def test_epanet_networks_connect_as_their_own_nodes_say(bring, session, shared, name, terms):
    path = shared / "pipes" / f"{name}.inp"
    told = bring(path, terms, good_rows=True)
    assert told["stored"]
    assert told["found"] == 0
    inp = read_inp(path)
    oracle = nx.MultiGraph()
    for link in inp.links.values():
        oracle.add_edge(link.start, link.end, link.id)
    for pump in [k for k in inp.links.values() if k.kind == "PUMPS" and inp.places[k.start] == inp.places[k.end]]:
        oracle = nx.contracted_nodes(oracle, pump.start, pump.end, self_loops=False)  # drawn as one place
    # Three junctions of ky4 lie within half a metre of pipes that the file does not join to them: told, and apart when the
    # ends are joined within a centimetre.
    touching = dict(told["said"]).get("epanet_touching", {}).get("names", "")
    assert touching == {"Net3": "", "ky4": "P-1126, P-152, P-9"}[name]
    topology_actions.rebuild(session, Who(NOW), "water", snap_m=0.01)
    graph = load(session, "water")
    plain = nx.MultiGraph(list(zip(graph.start.tolist(), graph.end.tolist(), strict=True)))
    valves = [i for i in plain if graph.node_kind[i] == 2]
    for valve in valves:  # a valve in a pipe is no node of EPANET
        a, b = plain.neighbors(valve)
        plain.remove_node(valve)
        plain.add_edge(a, b)
    assert nx.number_connected_components(plain) == nx.number_connected_components(oracle) == 1
    assert sorted(d for _, d in plain.degree) == sorted(d for _, d in oracle.degree)
    assert plain.number_of_edges() == oracle.number_of_edges()
    assert nx.faster_could_be_isomorphic(nx.Graph(plain), nx.Graph(oracle))


def test_unknown_units_and_a_drawing_without_a_place_are_refused_with_a_sentence(bring, tmp_path, shared):
    text_ = (shared / "pipes" / "Net3.inp").read_text()
    path = tmp_path / "n.inp"
    path.write_text(text_.replace("GPM", "CUBITS"))
    with pytest.raises(UnknownUnits, match="CUBITS"):
        read_inp(path)
    told = bring(path, Terms(anchor=(X, Y)))
    assert told["errors"][0]["code"] == "unknown_units"
    assert "CUBITS" in told["errors"][0]["message"]
    assert bring(shared / "pipes" / "Net3.inp")["errors"][0]["code"] == "place_needed"
    path.write_text("nothing here")
    assert bring(path, Terms(anchor=(X, Y)))["errors"][0]["code"] == "file_unreadable"


def _filled(path: Path, rows: dict[str, list[dict[str, Any]]]) -> Path:
    """The template, with rows under its own headings."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        workbook(book, ["兴平热电"])
        for kind, given in rows.items():
            sheet = book.get_worksheet_by_name(SHEETS[kind])
            names = [field.name for field in fields_of(NETWORK[kind])]
            for n, row in enumerate(given, 1):
                for name, value in row.items():
                    sheet.write(n, names.index(name), value)
    path.write_bytes(out.getvalue())
    return path


def test_the_template_brings_heat_and_water_with_what_depends_on_what(bring, session, tmp_path):
    def pipe(code, utility, level, flow, x1, x2, **more):
        return {"code": code, "utility": utility, "level": level, "flow": flow, "from_lon": X + x1 / 1e5, "from_lat": Y, "to_lon": X + x2 / 1e5,
                "to_lat": Y, **more}  # fmt: skip

    at = {"lat": Y}
    path = _filled(tmp_path / "模板.xlsx", {
        "sources": [{"code": "H", "name": "热源", "utility": "供热", "lon": X, **at}, {"code": "S", "name": "水厂", "utility": "供水", "lon": X, **at}],
        "stations": [{"code": "T", "name": "甲站", "operator": "供热企业", "lon": X + 200e-5, **at}],
        "pipelines": [pipe("1", "供热", "一次网", "供水", 0, 200), pipe("2", "供热", "一次网", "回水", 0, 200, bends=f"{X + 1e-3} {Y + 1e-4}"),
                      pipe("3", "供热", "二次网", "供水", 200, 400), pipe("4", "供热", "二次网", "回水", 200, 400), pipe("5", "供水", "干管", "", 0, 200)],
        "valves": [{"code": "V", "utility": "供水", "is_open": "开", "reach": "无法操作", "reach_note": "井盖被压", "pipeline": "5", "lon": X + 50e-5, **at}],
        "supply_points": [{"code": "U", "name": "1号楼", "utility": "供热", "station": "T", "households": 60, "vulnerable_households": 3, "lon": X + 400e-5, **at},
                          {"code": "W", "name": "甲站补水", "utility": "供水", "lon": X + 200e-5, **at}],
        "dependencies": [{"station": "T", "supply_point": "W", "grace_min": 15}],
    })  # fmt: skip
    told = bring(path)
    assert (told["errors"], told["findings"], told["stored"]) == ([], [], True)
    assert told["added"] == 12
    station = session.scalars(select(Station)).one()
    depends = session.scalars(select(NetworkDependency)).one()
    assert (depends.station_id, depends.grace_min) == (station.id, 15)
    assert session.scalars(select(HeatSource)).one().name == "热源"
    assert session.scalars(select(Valve)).one().reach_note == "井盖被压"
    house = session.scalars(select(SupplyPoint).where(SupplyPoint.utility == "heat")).one()
    assert (house.station_id, house.vulnerable_households) == (station.id, 3)
    sides = set(session.scalars(text("SELECT DISTINCT side FROM pipe_section")))
    assert sides == {"main", "primary_supply", "primary_return", "secondary_supply", "secondary_return"}


def test_a_row_of_the_template_that_cannot_be_is_told_by_its_cell(bring, session, tmp_path):
    path = _filled(tmp_path / "模板.xlsx", {
        "supply_points": [{"code": "U", "name": "1号楼", "utility": "供热", "households": 2, "vulnerable_households": 3, "lon": X, "lat": Y}],
        "dependencies": [{"station": "没有", "supply_point": "U"}],
        "pipelines": [{"code": "P", "utility": "供水", "level": "干管", "from_lon": X, "from_lat": Y}],
    })  # fmt: skip
    told = bring(path)
    assert {e["code"] for e in told["errors"]} == {"coordinates_missing", "not_a_number", "unknown_word"}
    assert any(e["column"] and "用户接入点!" in e["column"] for e in told["errors"])
    assert session.scalar(select(func.count()).select_from(SupplyPoint)) == 0


def test_a_file_that_holds_no_network_says_what_it_holds(bring, tmp_path):
    path = tmp_path / "点.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"a": 1}, "geometry": shapely.geometry.mapping(Point(X, Y))}]}))  # fmt: skip
    told = bring(path)
    assert told["errors"][0]["code"] == "nothing_usable"
    assert "点 (1)" in told["errors"][0]["message"]
