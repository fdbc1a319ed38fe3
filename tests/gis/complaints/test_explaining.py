"""Calls explained by an asset, its incident made once, and the evening of 17 November 2009 from the first call to the last answer."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import networkx as nx
import pytest
from sqlalchemy import func, select

from gis.complaints import incidents
from gis.complaints.actions import take_step
from gis.complaints.explaining import explain
from gis.complaints.explaining_actions import Asked, open_explained
from gis.complaints.explaining_rules import AssetTaken, NotANetwork, NothingExplained
from gis.complaints.incident_model import Incident
from gis.complaints.model import Caller, Complaint
from gis.db import unit_of_work
from gis.dispatch import actions as dispatch
from gis.dispatch.rules import Terms
from gis.errors import BadInput
from gis.journal import Who, timeline
from gis.network import assets, graphs
from gis.network.graphs import KINDS
from gis.network.rules import NodeKind
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.explain_town import evening, make_town
from tests.factories import make_crew, make_user
from tests.gis.complaints.test_repeat_races import at_once

ZONE = ZoneInfo("Asia/Shanghai")
BURST = NOW - timedelta(minutes=15)


def names(cause):
    return [f"{one.kind} {one.name}" for one in cause.things]


def cut_off(session, closed):
    """The water customers that networkx reaches no more from the works when valves are closed."""
    graph = graphs.graphs(session)["water"]
    made = nx.Graph(zip(graph.start.tolist(), graph.end.tolist(), strict=True))
    shut = {i for i in made if KINDS[graph.node_kind[i]] == NodeKind.VALVE and graph.node_ref[i] in closed}
    source = next(i for i in made if KINDS[graph.node_kind[i]] == NodeKind.SOURCE)
    made.remove_nodes_from(shut)
    lost = set(made) - nx.node_connected_component(made, source)
    return {int(graph.node_ref[i]) for i in lost if KINDS[graph.node_kind[i]] == NodeKind.CUSTOMER}


def test_the_evening_of_17_november_replays_from_the_first_calls_to_every_caller_answered(session):
    """source: sources/pingdu-2009: a water main burst at 文丰小区 and heating stopped; water was back within 40 minutes, then the
    supply temperature of the main pipe and the pressure were raised."""
    town = make_town(session)
    calls = evening(session, town, BURST)
    [[main, *others]] = explain(session, CITY, NOW, hours=1).causes
    assert names(main)[0] == "pipeline W-B"
    assert main.utility == "water"
    assert sorted(main.share) == [("heat", 300, 5), ("water", 150, 4)]
    assert [one.name for one in main.valves] == ["V1", "V2"]
    assert [one.name for one in main.stations] == ["文丰小区换热站"]
    assert set(main.areas) == {"文丰小区", "银杏公寓"}
    assert any(names(other)[0] == "station 文丰小区换热站" and other.ranked.odds < main.ranked.odds for other in others)
    # one click: one incident, whose lead saw the burst, and the water company's crew
    asked = Asked(main.key, 1, name="文丰小区自来水管爆裂", cause="自来水管爆裂", notice="自来水公司正在抢修。")
    incident, is_new = open_explained(session, Who(NOW), CITY, asked, ZONE)
    lead = session.get_one(Complaint, incident.lead_id)
    assert (is_new, lead.category, incident.asset_kind, incident.asset_id) == (
        True,
        "water.burst",
        "pipeline",
        town.pipes["W-B"].id,
    )
    assert (incident.asset_households, incident.notice) == (300, "自来水公司正在抢修。")
    assert {call.incident_id for call in calls} == {incident.id}
    crew = make_crew(session, skills=("water", "pipe_repair"), unit_id=town.units["water"].id)
    order = dispatch.assign(session, Who(NOW), lead, crew, base_version=None, terms=Terms(ZONE))
    person = Who(NOW + timedelta(minutes=4), make_user(session, role="crew", crew_id=crew.id).id)
    dispatch.accept(session, person, order)
    dispatch.arrive(session, Who(NOW + timedelta(minutes=8), person.user_id), order)
    # the two valves that are named isolate the main: they cut off the water customers that were told, and no others
    water = {
        point for point in main.points if explain(session, CITY, NOW, hours=1).customers[point]["utility"] == "water"
    }
    closed = {town.valves[code].id for code in ("V1", "V2")}
    assert {point for point in cut_off(session, closed) if point in water} == water
    assert len(cut_off(session, closed) - water) == 1  # and the tap of the station
    for code in ("V1", "V2"):
        town.valves[code].is_open = False
    session.flush()
    # somebody calls while it is repaired: the same cause, taken into the same incident
    late = town.call(session, "heat", "银杏公寓", 4, NOW + timedelta(minutes=9))
    then = Who(NOW + timedelta(minutes=10))
    assert open_explained(session, then, CITY, Asked(main.key, 2), ZONE) == (incident, False)
    assert late.incident_id == incident.id
    # water is back 40 minutes after the burst, then temperature and pressure are raised
    for code in ("V1", "V2"):
        town.valves[code].is_open = True
    incidents.note(session, Who(BURST + timedelta(minutes=40)), incident, "恢复供水", "已恢复供水,正在升温。")
    incidents.note(session, Who(BURST + timedelta(minutes=50)), incident, "提高总水管进水温度和供热压力")
    session.refresh(order)
    end = Who(BURST + timedelta(minutes=80), person.user_id)
    dispatch.resolve(session, end, order, "更换管段两米")
    session.refresh(lead)
    take_step(session, Who(end.now), lead, "answer", data={"answer": "已修复自来水管道,供热恢复。"})
    session.expire_all()
    assert {call.status for call in (*calls, late)} == {"answered"}
    assert {call.answer for call in (*calls, late)} == {"已修复自来水管道,供热恢复。"}
    incidents.close(session, Who(BURST + timedelta(minutes=95)), incident)
    assert [entry["verb"] for entry in timeline(session, "incident", incident.id)] == [
        "open",
        "add",
        "note",
        "note",
        "close",
    ]
    assert [e["data"].get("note") for e in timeline(session, "incident", incident.id)][2:4] == [
        "恢复供水",
        "提高总水管进水温度和供热压力",
    ]


def test_chance_calls_need_no_failure_and_calls_far_from_the_networks_are_counted_as_such(session):
    town = make_town(session)
    for compound in ("文丰小区", "康居小区"):
        town.call(session, "heat", compound, 2, NOW - timedelta(minutes=20))
    stray = town.call(session, "heat", "康居小区", 1, NOW - timedelta(minutes=5))
    stray.geom = "SRID=4326;POINT(120.3 36.9)"
    town.call(session, "heat", "文丰小区", 1, NOW - timedelta(minutes=5), category="heat.fee")
    session.flush()
    found = explain(session, CITY, NOW, hours=1)
    assert (found.causes, len(found.calls), found.placed) == ([], 3, 2)


def test_what_is_usual_at_these_hours_explains_nothing(session):
    """A compound that calls every evening as much as tonight has no failure tonight; one that never does has."""
    town = make_town(session)
    for house in range(5):
        town.call(session, "heat", "康居小区", house, NOW - timedelta(minutes=10 + house))
    [[found, *_]] = explain(session, CITY, NOW, hours=1).causes
    assert found.stations[0].name == "康居小区换热站"
    for day in range(1, 14):
        for house in range(5):
            town.call(
                session, "heat", "康居小区", house, NOW - timedelta(days=day, minutes=10 + house), status="confirmed"
            )
    assert explain(session, CITY, NOW, hours=1).causes == []


def test_one_household_that_calls_ten_times_is_one_household(session):
    town = make_town(session)
    for n in range(10):
        town.call(session, "heat", "文丰小区", 1, NOW - timedelta(minutes=n + 1), status="received")
    session.query(Complaint).update({"version": 1})
    session.query(Caller).update({"phone": "13900000001"})
    session.flush()
    found = explain(session, CITY, NOW, hours=1)
    assert (found.placed, sum(found.called.values()), found.causes) == (10, 1, [])


def test_a_person_of_one_compound_sees_and_weighs_only_its_own(session):
    town = make_town(session)
    evening(session, town, BURST)
    own = explain(session, Scope(area_id=town.compounds["康居小区"].id), NOW, hours=1)
    assert (own.calls, own.causes, own.households) == ([], [], 300)
    heat = explain(session, Scope(unit_id=town.units["heat"].id), NOW, hours=1)
    assert {row["utility"] for row in heat.calls} == {"heat"}
    assert names(heat.causes[0][0])[0] == "station 文丰小区换热站"  # without the calls for water


def test_without_a_topology_and_without_evidence_it_is_said(session):
    assets._shelves.clear()
    graphs._shelves.clear()
    with pytest.raises(NotANetwork):
        explain(session, CITY, NOW, hours=1)
    make_town(session)
    with pytest.raises(NothingExplained):
        open_explained(session, Who(NOW), CITY, Asked("pipeline-1", 1), ZONE)


def test_an_asset_has_one_open_incident_and_a_note_needs_words(session):
    town = make_town(session)
    calls = evening(session, town, BURST)
    asset = ("pipeline", town.pipes["W-B"].id)
    first = incidents.open_incident(session, Who(NOW), [c.id for c in calls[:2]], asset=asset, zone=ZONE)
    with pytest.raises(AssetTaken), session.begin_nested():
        incidents.open_incident(session, Who(NOW), [c.id for c in calls[2:4]], asset=asset, zone=ZONE)
    with pytest.raises(BadInput):
        incidents.note(session, Who(NOW), first, "  ")


def test_two_dispatchers_who_click_at_once_make_one_incident(committed):
    with unit_of_work(committed) as session:
        town = make_town(session)
        evening(session, town, BURST)
        key = f"pipeline-{town.pipes['W-B'].id}"

    def click():
        with unit_of_work(committed) as session:
            made, is_new = open_explained(session, Who(NOW), CITY, Asked(key, 1), ZONE)
            return made.no, is_new

    told = at_once([click] * 4)
    assert sorted(is_new for _, is_new in told) == [False, False, False, True]
    assert len({no for no, _ in told}) == 1
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 1
        assert session.scalar(select(func.count()).where(Complaint.incident_id.isnot(None))) == 9
