"""Every count of the demo city equals the source (sources/pingdu-2009)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import networkx as nx
import pytest
from shapely.geometry import shape
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.complaints.explaining import explain
from gis.complaints.rules import Status
from gis.db import make_engine
from gis.journal import Who
from gis.people.rules import CITY
from webapp.demo.calls import BURST_AT, NOW
from webapp.demo.load import district, load_demo
from webapp.verify import broken_invariants


@pytest.fixture(scope="module")
def demo(new_database):
    url = new_database()
    accounts = load_demo(url, Who(datetime.now(UTC)))
    engine = make_engine(url)
    with Session(engine) as session:
        session.info["accounts"], session.info["url"] = accounts, url
        yield session
    engine.dispose()


COUNTS = {
    "SELECT count(*) FROM unit WHERE kind = 'heat_company'": 2,
    "SELECT count(*) FROM institution": 84,
    "SELECT count(*) FROM area WHERE level = 'compound'": 113,
    "SELECT count(*) FROM station": 91,
    "SELECT sum(households) FROM station": 33_500,
    "SELECT sum(households) FROM area WHERE level = 'compound'": 33_500,
    "SELECT sum(people) FROM area WHERE level = 'compound'": 104_300,
    "SELECT sum(households) FROM supply_point WHERE utility = 'heat'": 33_500,
    "SELECT sum(people) FROM supply_point WHERE utility = 'heat'": 104_300,
    "SELECT sum(households) FROM supply_point WHERE utility = 'water'": 33_500,
    "SELECT count(DISTINCT institution_id) FROM supply_point WHERE utility = 'heat'": 84,
    "SELECT count(DISTINCT station_id) FROM network_dependency": 91,
    "SELECT count(*) FROM topology_finding": 0,
    "SELECT count(*) FROM topology_build WHERE state = 'ready'": 3,
    "SELECT count(*) FROM complaint": 1_569,
    "SELECT count(*) FROM complaint WHERE received_at BETWEEN '2009-11-16 00:00+08' AND '2009-11-22 23:59:59+08'": 1_569,
    "SELECT count(DISTINCT operator) FROM station": 2,
    "SELECT count(*) FROM complaint WHERE NOT synthetic": 0,
    "SELECT count(*) FROM (SELECT households FROM station WHERE households = 0) s": 0,
}


@pytest.mark.parametrize(("question", "answer"), COUNTS.items())
def test_the_count_equals_the_source(demo, question, answer):
    assert demo.scalar(text(question)) == answer


def test_every_station_feeds_the_households_it_is_said_to(demo):
    sql = """
        SELECT count(*) FROM station s
         WHERE households <> (SELECT sum(households) FROM supply_point p WHERE p.station_id = s.id AND utility = 'heat')
    """
    assert demo.scalar(text(sql)) == 0


def _opened(demo, utility, side):
    """The stored topology of one side with the closed valves taken out, as networkx has it."""
    made = nx.Graph()
    for node in demo.execute(text("SELECT n.*, v.is_open FROM pipe_node n LEFT JOIN valve v ON v.id = n.valve_id "
                                  "WHERE n.utility = :u AND side = :s"), {"u": utility, "s": side}).mappings():  # fmt: skip
        made.add_node(node["id"], **node)
    ends = "SELECT from_node_id, to_node_id FROM pipe_section WHERE utility = :u AND side = :s"
    made.add_edges_from(map(tuple, demo.execute(text(ends), {"u": utility, "s": side})))
    made.remove_nodes_from([n for n, d in made.nodes(data=True) if d["is_open"] is False])
    return made


@pytest.mark.parametrize("flow", ["supply", "return"])
def test_heat_reaches_every_building_from_one_source_and_its_own_station(demo, flow):
    primary, secondary = _opened(demo, "heat", f"primary_{flow}"), _opened(demo, "heat", f"secondary_{flow}")
    parts = [primary.subgraph(part) for part in nx.connected_components(primary)]
    assert [sum(d["kind"] == "source" for _, d in part.nodes(data=True)) for part in parts] == [
        1,
        1,
    ]  # the tie is closed
    assert sum(d["kind"] == "station" for _, d in primary.nodes(data=True)) == 91
    assert all(nx.cycle_basis(part) for part in parts)
    own = dict(map(tuple, demo.execute(text("SELECT id, station_id FROM supply_point WHERE utility = 'heat'"))))
    parts = [secondary.subgraph(part).nodes(data=True) for part in nx.connected_components(secondary)]
    assert len(parts) == 91
    for part in parts:
        [station] = [d["station_id"] for _, d in part if d["kind"] == "station"]
        assert {own[d["supply_point_id"]] for _, d in part if d["kind"] == "customer"} == {station}


def test_two_waterworks_feed_every_house_and_station_and_a_main_runs_past_wenfeng(demo):
    water = _opened(demo, "water", "main")
    assert nx.is_connected(water)
    assert sum(d["kind"] == "source" for _, d in water.nodes(data=True)) == 2
    served = {d["supply_point_id"] for _, d in water.nodes(data=True) if d["kind"] == "customer"}
    assert set(demo.scalars(text("SELECT supply_point_id FROM network_dependency"))) <= served
    assert len(served) == demo.scalar(text("SELECT count(*) FROM supply_point WHERE utility = 'water'"))
    past = """
        SELECT count(*) FROM pipeline p, area a
         WHERE a.name = '文丰小区' AND p.utility = 'water' AND p.diameter_mm >= 150 AND p.code LIKE 'PYWA%'
           AND ST_DWithin(p.geom::geography, a.geom::geography, 40)
    """
    assert demo.scalar(text(past)) >= 2


def test_three_fifths_of_the_compounds_are_served_directly(demo):
    sql = "SELECT avg((u.kind = 'heat_company')::int) FROM area a JOIN unit u ON u.id = a.unit_id WHERE a.level = 'compound'"
    assert float(demo.scalar(text(sql))) == pytest.approx(0.6, abs=0.005)


def test_everything_lies_inside_the_real_district(demo):
    for table, column in (
        ("complaint", "geom"),
        ("station", "geom"),
        ("pipeline", "geom"),
        ("camera", "geom"),
        ("crew", "position"),
    ):
        outside = (
            f"SELECT count(*) FROM {table} t, area a WHERE a.level = 'district' AND NOT ST_Covers(a.geom, t.{column})"
        )
        assert demo.scalar(text(outside)) == 0, table


def test_some_calls_are_still_open_and_crews_are_on_duty(demo):
    assert demo.scalar(text("SELECT count(*) FROM complaint WHERE status = 'received'")) >= 10
    on_duty = demo.scalar(text("SELECT count(*) FROM shift WHERE during @> CAST(:now AS timestamptz)"), {"now": NOW})
    assert on_duty == 31
    assert demo.scalar(text("SELECT count(*) FROM crew")) == 40


def test_the_demo_shows_a_complaint_in_every_state_of_its_life(demo):
    there = set(demo.scalars(text("SELECT DISTINCT status FROM complaint")))
    assert {str(s) for s in Status} - there == set()
    for table, verdict in (("extension", "waiting"), ("extension", "granted"), ("return_request", "waiting"),
                           ("return_request", "refused")):  # fmt: skip
        assert demo.scalar(text(f"SELECT count(*) FROM {table} WHERE verdict = '{verdict}'")) == 1
    assert demo.scalar(text("SELECT count(*) FROM complaint WHERE paused_at IS NOT NULL")) == 1
    assert demo.scalar(text("SELECT count(*) FROM complaint WHERE limit_rule_id IS NULL")) == 0


def test_the_invariants_hold(demo, tmp_path):
    assert broken_invariants(demo, tmp_path) == []


def test_a_second_load_changes_nothing(demo):
    assert load_demo(demo.info["url"], Who(datetime.now(UTC))) == []


def test_every_role_has_an_account(demo):
    assert len(demo.info["accounts"]) == 9
    assert len({a["password"] for a in demo.info["accounts"]}) == 9


def test_the_boundary_agrees_with_the_survey_of_2024(shared: Path):
    """Another survey, in CGCS2000: after conversion from GCJ-02 they overlap; unconverted they would be 0.5 km apart."""
    features = json.loads((shared / "admin" / "shandong_district_cgcs2000.geojson").read_text())["features"]
    other = next(shape(f["geometry"]) for f in features if f["properties"]["adcode"] == "370283")
    mine = district()
    assert mine.intersection(other).area / mine.union(other).area > 0.97
    assert mine.centroid.distance(other.centroid) < 0.002


def test_there_are_findings_in_every_state_one_stopped_site_a_proposal_and_a_person_on_the_blacklist_until_a_day(demo):
    states = {*demo.scalars(text("SELECT DISTINCT status FROM finding"))}
    assert states == {"sent", "signed", "rectified", "failed", "closed", "withdrawn"}
    assert demo.scalar(text("SELECT count(*) FROM stop_work WHERE lifted_at IS NULL")) == 1
    assert demo.scalar(text("SELECT count(*) FROM consequence WHERE status = 'proposed' AND kind = 'warning'")) >= 1
    [(whom, until)] = demo.execute(text("SELECT user_id, upper(during) FROM blacklisting")).all()
    assert whom and until > NOW
    assert (
        demo.scalar(text("SELECT count(*) FROM supervision_notice WHERE reason = 'finding' AND status = 'issued'")) >= 1
    )
    assert demo.scalar(text("SELECT count(*) FROM finding WHERE NOT synthetic")) == 0
    assert demo.scalar(text("SELECT count(*) FROM consequence WHERE NOT synthetic")) == 0


def test_the_evening_of_17_november_is_told_as_the_calls_explained_it(demo):
    """source: sources/pingdu-2009: the water main at 文丰小区, water back within 40 minutes, then temperature and pressure raised."""
    [row] = demo.execute(text("SELECT i.*, p.code, p.utility FROM incident i JOIN pipeline p ON p.id = i.asset_id "
                              "WHERE i.asset_kind = 'pipeline'")).mappings()  # fmt: skip
    assert (row["utility"], row["code"][:4], row["status"]) == ("water", "PYWA", "closed")
    notes = demo.execute(text("SELECT at, data ->> 'note' AS note FROM journal WHERE thing = 'incident' AND verb = 'note' "
                              "AND thing_id = :id ORDER BY at"), {"id": str(row["id"])}).all()  # fmt: skip
    assert [note for at, note in notes if at == BURST_AT + timedelta(minutes=40)] == [
        "恢复供水，历时40分钟；换热站开始补水"
    ]
    assert [one for one in notes if "提升总水管进水温度和供热压力" in one.note]
    asked = "SELECT count(*) FROM complaint WHERE incident_id = :id AND answered_at IS NULL"
    assert demo.scalar(text(asked), {"id": row["id"]}) == 0


def test_now_a_station_has_stopped_and_the_calls_say_which(demo):
    [[first, *_]] = explain(demo, CITY, NOW, hours=3).causes
    assert first.things[0].kind == "station"
    assert first.things[0].name == f"{first.areas[0]}换热站"
    assert len(first.free) > 5
