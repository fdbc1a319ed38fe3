"""The networks' pages: what is stored, the topology built by the worker, valves and stations as they stand, files in."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import uuid4

import pytest
from python_calamine import load_workbook
from sqlalchemy import select, text

from gis.errors import StaleVersion
from gis.journal import JournalEntry, Who
from gis.network import actions, topology_actions
from gis.network.graphs import graphs
from gis.network.import_model import NetworkImport
from gis.network.model import Pipeline, Station, SupplySource, Valve
from gis.network.topology_model import TopologyBuild
from gis.tiles import Tile
from tests.conftest import NOW
from tests.factories import make_unit, point
from webapp import network_tasks

X, Y = 119.93, 36.80


def line(*places: tuple[float, float]) -> str:
    return f"SRID=4326;LINESTRING({', '.join(f'{X + x / 1e5} {Y + y / 1e5}' for x, y in places)})"


@pytest.fixture
def network(session):
    """Two pipes that meet, one that nearly does, a source and a valve."""
    for code, places in (("A", [(0, 0), (200, 0)]), ("B", [(200, 0), (400, 0)]), ("C", [(100, 2), (100, 90)])):
        session.add(Pipeline(code=code, utility="water", level="main", geom=line(*places)))
    session.add(SupplySource(code="S", name="水厂", utility="water", geom=point(X, Y)))
    session.flush()
    pipe = session.scalar(select(Pipeline.id).where(Pipeline.code == "A"))
    valve = Valve(code="V1", utility="water", pipeline_id=pipe, geom=point(X + 50e-5, Y))
    session.add(valve)
    session.commit()
    return valve


def test_an_empty_city_is_told_how_to_begin(sign_in):
    page = sign_in("planner").get("/networks").get_data(as_text=True)
    assert "还没有该管网的数据" in page
    assert "/networks/import" in page


def test_the_page_tells_what_is_stored_and_what_does_not_connect(sign_in, session, network, who):
    topology_actions.rebuild(session, who, "water")
    session.commit()
    client = sign_in("supervisor")
    page = client.get("/networks?utility=water").get_data(as_text=True)
    assert "管端距 A 2.2 米，未连接。" in page
    assert "疑似未连接 (1)" in page
    assert "data-zoom" in page
    assert "没有符合条件的问题" in client.get("/networks?utility=water&kind=near_miss&q=zzz").get_data(as_text=True)
    book = load_workbook(io.BytesIO(client.get("/networks/findings.xlsx?utility=water&kind=near_miss").data))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[1][:3] == ["疑似未连接", "C", "A"]
    assert rows[1][4] == pytest.approx(X + 100e-5)


def test_a_building_is_asked_for_once_and_made_by_the_worker(sign_in, session, network, app):
    client = sign_in("planner")
    for _ in range(2):
        client.post("/networks/build", data={"utility": "water", "snap_m": "2.5", "reach_m": "8"})
    [made] = session.scalars(select(TopologyBuild)).all()
    assert (made.state, made.snap_m) == ("waiting", 2.5)
    assert client.get("/networks/build.json?utility=water").json == {"state": "waiting", "part": 0.0}
    network_tasks.make(app.extensions["sessions"], Who(NOW), made.id)
    session.expire_all()
    assert client.get("/networks/build.json?utility=water").json["state"] == "ready"
    assert "全部连通" in client.get("/networks?utility=water").get_data(as_text=True)  # C reaches A within 2.5 m


def test_a_building_that_breaks_says_so_and_the_one_before_stays(sign_in, session, network, who, app, monkeypatch):
    topology_actions.rebuild(session, who, "water")
    session.commit()
    made = topology_actions.request(session, who, "water")
    session.commit()

    def broken(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(topology_actions, "build", broken)
    with pytest.raises(ZeroDivisionError):
        network_tasks.make(app.extensions["sessions"], who, made.id)
    session.expire_all()
    assert session.get_one(TopologyBuild, made.id).state == "failed"
    assert session.scalar(text("SELECT count(*) FROM pipe_section")) == 4
    assert "上次构建未成功" in sign_in("planner").get("/networks?utility=water").get_data(as_text=True)


def test_the_graph_in_memory_follows_the_topology(committed, who):
    with committed() as session:
        session.add(Pipeline(code="A", utility="gas", level="main", geom=line((0, 0), (100, 0))))
        session.flush()
        topology_actions.rebuild(session, who, "gas")
        session.commit()
        first = graphs(session)["gas"]
        assert graphs(session)["gas"] is first
        session.add(Pipeline(code="B", utility="gas", level="main", geom=line((100, 0), (200, 0))))
        session.flush()
        topology_actions.rebuild(session, who, "gas")
        session.commit()
        then = graphs(session)["gas"]
        assert (len(first.start), len(then.start), then.version) == (1, 2, first.version + 1)


def test_a_valve_s_state_is_kept_with_its_reason_and_a_journal_row(sign_in, session, network):
    client = sign_in("planner")
    form = {"version": 1, "is_open": "closed", "reach": "unreachable", "note": "井盖被车辆占压"}
    page = client.post(f"/networks/valves/{network.id}", data=form, follow_redirects=True).get_data(as_text=True)
    assert "阀门 V1 已保存" in page
    assert "井盖被车辆占压" in page
    session.refresh(network)
    assert (network.is_open, network.reach, network.version, network.reach_since_at is not None) == (
        False,
        "unreachable",
        2,
        True,
    )
    entry = session.scalars(select(JournalEntry).where(JournalEntry.thing == "valve")).one()
    assert (entry.verb, entry.version, entry.data["after"]["is_open"]) == ("edit", 2, False)
    assert session.scalar(text("SELECT valves FROM network_version WHERE utility = 'water'")) == 1
    stale = client.post(f"/networks/valves/{network.id}", data={**form, "is_open": "open"}, follow_redirects=True)
    assert "notice error" in stale.get_data(as_text=True)
    session.refresh(network)
    assert network.is_open is False
    for bad in ({**form, "version": 2, "note": ""}, {**form, "version": 2, "reach": "maybe"}):
        assert "notice error" in client.post(
            f"/networks/valves/{network.id}", data=bad, follow_redirects=True
        ).get_data(as_text=True)
    assert "V1" in client.get("/networks/valves?only=unreachable&utility=water").get_data(as_text=True)
    assert "V1" not in client.get("/networks/valves?utility=gas").get_data(as_text=True)


def test_who_runs_a_station_is_kept(sign_in, session, who):
    unit = make_unit(session, name="安居物业")
    station = Station(code="T", name="甲站", operator="heat_company", geom=point(X, Y))
    session.add(station)
    session.commit()
    client = sign_in("supervisor")
    form = {"version": 1, "operator": "property_company", "unit_id": unit.id}
    client.post(f"/networks/stations/{station.id}", data=form)
    session.refresh(station)
    assert (station.operator, station.unit_id, station.version) == ("property_company", unit.id, 2)
    with pytest.raises(StaleVersion):
        actions.edit_station(session, who, station, 1, operator="heat_company", unit_id=None)
    assert client.post("/networks/stations/999999", data=form).status_code == 404


def test_others_may_not_keep_networks(sign_in, network):
    for role in ("dispatcher", "call_taker", "unit_handler"):
        assert sign_in(role).get("/networks").status_code == 403
        assert sign_in(role).post(f"/networks/valves/{network.id}").status_code == 403


def test_valves_sources_and_supply_points_have_tiles_and_lists(sign_in, session, network):
    client = sign_in("dispatcher")
    tile = _tile(15)
    for layer, name in (("valves", "V1"), ("sources", "水厂")):
        assert client.get(f"/tiles/{layer}/{tile.z}/{tile.x}/{tile.y}.mvt").data
        assert client.get(f"/layers/{layer}.json").json["rows"][0]["name"] == name
    assert client.get(f"/tiles/valves/{_tile(12).z}/{_tile(12).x}/{_tile(12).y}.mvt").status_code == 204
    assert client.get("/layers/supply_points.json").json["rows"] == []


def _tile(z: int) -> Tile:
    from math import asinh, pi, radians, tan

    return Tile(z, int((X + 50e-5 + 180) / 360 * 2**z), int((1 - asinh(tan(radians(Y))) / pi) / 2 * 2**z))


# --- files in ----------------------------------------------------------------------------------------------------------
NET3 = Path(__file__).parents[3] / "shared" / "data" / "pipes" / "Net3.inp"


def _bring(client, path, **form):
    upload_id = str(uuid4())
    data = {"id": upload_id, "file": (io.BytesIO(path.read_bytes()), path.name), **form}
    answer = client.post("/networks/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303
    return upload_id


def test_a_file_is_looked_at_and_kept_only_when_somebody_says_so(sign_in, session):
    client = sign_in("planner")
    upload_id = _bring(client, NET3, anchor="119.958, 36.787")
    page = client.get(f"/networks/import/{upload_id}").get_data(as_text=True)
    assert "EPANET 单位 GPM" in page
    assert "入库 185 个对象" in page
    assert client.get(f"/networks/import/{upload_id}.json").json["state"] == "looked_at"
    assert session.scalar(text("SELECT count(*) FROM pipeline")) == 0
    client.post(f"/networks/import/{upload_id}/keep")
    session.expire_all()
    assert session.get_one(NetworkImport, upload_id).state == "stored"
    assert session.scalar(text("SELECT count(*) FROM pipeline")) == 119
    assert session.scalar(text("SELECT count(*) FROM topology_build WHERE state = 'ready'")) == 1
    assert client.post(f"/networks/import/{upload_id}/keep").status_code == 409
    assert "Net3.inp" in client.get("/networks/import").get_data(as_text=True)


def test_a_file_that_cannot_be_read_says_why_and_one_put_away_is_gone(sign_in, session, tmp_path):
    client = sign_in("planner")
    refused = _bring(client, NET3)
    assert "无法得知文件的坐标系" in client.get(f"/networks/import/{refused}").get_data(as_text=True)
    looked = _bring(client, NET3, anchor="119.958 36.787")
    client.post(f"/networks/import/{looked}/discard")
    session.expire_all()
    assert session.get_one(NetworkImport, looked).state == "discarded"
    bad = client.post(
        "/networks/import",
        data={"file": (io.BytesIO(b"x"), "a.inp"), "anchor": "here"},
        content_type="multipart/form-data",
    )
    assert bad.status_code == 422


def test_the_template_opens_and_has_a_sheet_for_each_kind(sign_in):
    book = load_workbook(io.BytesIO(sign_in("planner").get("/networks/import/template.xlsx").data))
    assert book.sheet_names == ["源", "换热站", "管线", "阀门", "用户接入点", "依赖关系", "lists"]
    assert book.get_sheet_by_name("阀门").to_python()[0][:4] == ["阀门编号", "管线种类", "阀门类型", "开闭状态"]
