"""Traces and shutdowns on a small city in the database: by name, in order, frozen, and held against one another."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from gis.errors import StaleVersion
from gis.journal import Who
from gis.network import outage_queries, outages
from gis.network.model import Valve
from gis.network.outage_rules import (
    Crossing,
    NoSuchPlace,
    OutageKind,
    OutageSaved,
    OutageStepRefused,
    TimesBackward,
    TraceKind,
    ValveHeld,
    ValvesStillClosed,
    ValveWantedOtherwise,
)
from gis.network.tracing import city as joined
from gis.network.tracing_answers import Asked, ask, without
from tests.conftest import NOW
from tests.small_city import at, draw

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def city(session):
    return draw(session)


def codes(rows):
    return [row["code"] for row in rows]


def notice(kind=OutageKind.EMERGENCY, hours=3.0, begins=NOW, **fields):
    given = {"request_id": uuid4(), "kind": kind, "reason": "爆管抢修", "place": "北苑路", "begins_at": begins,
             "expected_end_at": begins + timedelta(hours=hours)}  # fmt: skip
    return outages.Notice(**(given | fields))


def saved(session, who, asked, **fields):
    return outages.save(session, who, asked, notice(**fields), ZONE)


def test_a_burst_main_is_isolated_in_order_and_heat_is_lost_across_the_exchanger(session, city):
    answer = ask(session, Asked(thing="pipe", id=city.p2.id))
    assert codes(answer.valves) == ["V2"] and [v["role"] for v in answer.valves] == ["supply"]
    assert codes(answer.lost.stations) == ["A"] and codes(answer.lost.points) == ["A1", "A2"]
    assert {k: answer.lost.totals[k] for k in ("households", "people", "vulnerable_households", "stations", "areas")} == {
        "households": 90, "people": 270, "vulnerable_households": 5, "stations": 1, "areas": 1,
    }  # fmt: skip
    assert [(u["name"], u["repairs"], u["stations"], u["households"]) for u in answer.units] == [
        ("热力公司", True, 0, 0), ("物业公司", False, 1, 90),
    ]  # fmt: skip
    stops = ask(session, Asked(thing="pipe", id=city.p2.id, crossing=Crossing.HYDRAULIC))
    assert codes(stops.lost.stations) == ["A"] and stops.lost.points == []


def test_a_valve_out_of_reach_is_replaced_and_what_that_costs_is_told_before(session, city):
    asked = Asked(thing="pipe", id=city.p2.id)
    told = without(session, asked, city.v2.id)
    assert codes(told["instead"]) == ["V1", "V3"] and told["more"]["households"] == 40
    marked = ask(session, Asked(thing="pipe", id=city.p2.id, refused=(city.v2.id,)))
    assert codes(marked.valves) == ["V1", "V3"] and [v["role"] for v in marked.valves] == ["supply", "drain"]
    city.v2.reach = "unreachable"
    session.flush()
    assert codes(ask(session, asked).valves) == ["V1", "V3"]


def test_a_station_stops_without_water_and_the_other_source_gives_it_back(session, city):
    answer = ask(session, Asked(thing="pipe", id=city.m2.id))
    assert codes(answer.lost.stations) == ["A"] and answer.lost.stations[0]["grace_min"] == 40
    assert "A1" in codes(answer.lost.points) and "TAP" in codes(answer.lost.points)
    [feed] = answer.feeds
    assert feed["code"] == "VW3" and feed["again"]["households"] == 90
    fed = ask(session, Asked(thing="pipe", id=city.m1.id, opened=(city.vw3.id,)))
    assert "A1" not in codes(fed.lost.points)


def test_upstream_and_downstream_stop_at_the_exchanger_or_cross_it_and_turn_round_on_the_return(session, city):
    pipes = lambda kind, pipe, crossing: {  # noqa: E731
        code for code, id_ in session.execute(
            text("SELECT DISTINCT p.code, p.id FROM pipe_section s JOIN pipeline p ON p.id = s.pipeline_id WHERE s.id = ANY(:ids)"),
            {"ids": ask(session, Asked(kind=kind, crossing=crossing, thing="pipe", id=pipe.id)).found},
        )
    }  # fmt: skip
    assert pipes(TraceKind.DOWNSTREAM, city.p2, Crossing.HYDRAULIC) == {"P2"}
    assert pipes(TraceKind.DOWNSTREAM, city.p2, Crossing.FUNCTIONAL) == {"P2", "E1", "E2", "E1R", "E2R"}
    assert pipes(TraceKind.UPSTREAM, city.p2, Crossing.HYDRAULIC) == {"P1", "P2"}
    assert pipes(TraceKind.UPSTREAM, city.p1r, Crossing.HYDRAULIC) == {"P1R", "P2R", "P3R"}
    assert {"M1", "M2", "M3", "P1", "P2", "P2R"} <= pipes(TraceKind.UPSTREAM, city.e1, Crossing.FUNCTIONAL)


def test_a_station_is_isolated_on_all_its_sides_and_upstream_of_it_lies_its_water_too(session, city):
    station = Asked(thing="station", id=city.a.id)
    assert set(codes(ask(session, station).valves)) == {"V2", "V2R", "V4"}
    upstream = ask(session, Asked(kind=TraceKind.UPSTREAM, thing="station", id=city.a.id))
    assert {s["name"] for s in upstream.sources} >= {"热源", "一水厂"}


def test_what_a_recursive_question_to_the_database_finds_is_what_is_lost(session, city):
    """The same by SQL: reachable from a source without the valves of the isolation; hydraulic."""
    asked = Asked(thing="pipe", id=city.m1.id, crossing=Crossing.HYDRAULIC)
    answer = ask(session, asked)
    shut = [v["id"] for v in answer.valves] + [city.vw3.id]
    served = text(
        """
        WITH RECURSIVE edge AS (
            SELECT id, from_node_id AS a, to_node_id AS b FROM pipe_section UNION ALL SELECT id, to_node_id, from_node_id FROM pipe_section),
        shut AS (SELECT id FROM pipe_node WHERE valve_id = ANY(:shut)),
        wet (node) AS (
            SELECT id FROM pipe_node WHERE kind = 'source' UNION
            SELECT e.b FROM wet JOIN edge AS e ON e.a = wet.node WHERE e.b NOT IN (SELECT id FROM shut) AND NOT e.id = ANY(:burst))
        SELECT supply_point_id FROM pipe_node JOIN wet ON wet.node = pipe_node.id WHERE supply_point_id IS NOT NULL AND utility = 'water'
        """
    )
    before = set(session.scalars(served, {"shut": [city.vw3.id], "burst": []}))
    after = set(session.scalars(served, {"shut": shut, "burst": answer.inside}))
    assert before - after == {p["id"] for p in answer.lost.points} == {city.tap.id, city.shop.id}


def test_a_shutdown_freezes_who_loses_service_and_turns_the_valves_of_the_network(session, city, who):
    made = saved(session, who, Asked(thing="pipe", id=city.p2.id))
    assert made.no == "TG20091117-0001" and made.status == "running" and made.limit_h is None
    city.a1.households = 4
    session.flush()
    assert [p["households"] for p in outage_queries.points(session, made.id)] == [60, 30]
    outages.turn(session, who, made.id, city.v2.id, back=False)
    assert not session.get(Valve, city.v2.id).is_open
    assert not ask(session, Asked(thing="pipe", id=city.e1.id)).served
    with pytest.raises(ValvesStillClosed):
        outages.step(session, who, made.id, "end")
    outages.turn(session, who, made.id, city.v2.id, back=True)
    with pytest.raises(OutageStepRefused):
        outages.turn(session, who, made.id, city.v2.id, back=True)
    outages.step(session, who, made.id, "end")
    assert ask(session, Asked(thing="pipe", id=city.e1.id)).served
    with pytest.raises(OutageStepRefused):
        outages.step(session, who, made.id, "begin")


def test_a_planned_shutdown_is_announced_begun_put_off_and_one_that_begun_is_not_cancelled(session, city, who):
    made = saved(
        session, who, Asked(thing="valve", id=city.v3.id), kind=OutageKind.PLANNED, begins=NOW + timedelta(days=1)
    )
    with pytest.raises(TimesBackward):
        outages.step(session, who, made.id, "postpone", expected_end_at=NOW)
    with pytest.raises(StaleVersion):
        outages.step(session, who, made.id, "begin", base_version=made.version + 1)
    outages.step(session, who, made.id, "begin", base_version=made.version)
    with pytest.raises(OutageStepRefused):
        outages.step(session, who, made.id, "cancel")


def test_two_shutdowns_that_only_together_leave_people_without_service_are_told(session, city, who):
    session.get(Valve, city.vw3.id).is_open = True
    session.flush()
    first = saved(session, who, Asked(thing="pipe", id=city.m3.id), kind=OutageKind.PLANNED)
    assert {v["code"] for v in outage_queries.valves(session, first.id)} == {"VW2", "VW3"}
    assert "南街商铺" not in {p["name"] for p in outage_queries.points(session, first.id)}
    one = outage_queries.conflicts(session, [city.vw1.id], [], NOW, NOW + timedelta(hours=1), NOW)
    assert [c["no"] for c in one] == [first.no]
    assert "南街商铺" in {p["name"] for p in one[0]["lost"].points}
    later = NOW + timedelta(days=9)
    assert outage_queries.conflicts(session, [city.vw1.id], [], later, later + timedelta(hours=1), NOW) == []


def test_a_valve_that_one_shutdown_closes_is_not_opened_by_another(session, city, who):
    first = saved(session, who, Asked(thing="pipe", id=city.m5.id, opened=(city.vw3.id,)))
    assert [(v["code"], v["action"]) for v in outage_queries.valves(session, first.id)] == [
        ("VW1", "close"), ("VW2", "close"), ("VW3", "open"),
    ]  # fmt: skip
    with pytest.raises(ValveWantedOtherwise), session.begin_nested():
        outages.save(session, who, Asked(thing="valve", id=city.vw2.id), notice(), ZONE)
    second = saved(session, who, Asked(thing="valve", id=city.vw1.id))
    for made in (first, second):
        outages.turn(session, who, made.id, city.vw2.id, back=False)
    with pytest.raises(ValveHeld):
        outages.turn(session, who, first.id, city.vw2.id, back=True)


def test_the_same_saving_twice_is_one_shutdown_and_an_unknown_place_is_refused(session, city, who):
    asked, same = Asked(thing="pipe", id=city.p3.id), uuid4()
    saved(session, who, asked, request_id=same)
    with pytest.raises(OutageSaved), session.begin_nested():
        saved(session, who, asked, request_id=same)
    with pytest.raises(NoSuchPlace):
        ask(session, Asked(thing="pipe", id=10**12))


def test_who_hears_a_call_from_a_place_without_service_is_warned(session, city, who):
    made = saved(session, who, Asked(thing="pipe", id=city.p2.id))
    [warned] = outage_queries.warned(session, *at(480, 20), NOW, "heat")
    assert warned["no"] == made.no and warned["within"]
    assert outage_queries.warned(session, *at(300, 200), NOW) == []
    far = saved(
        session, who, Asked(thing="pipe", id=city.e3.id), kind=OutageKind.PLANNED, begins=NOW + timedelta(days=3)
    )
    assert outage_queries.warned(session, *at(300, 200), NOW) == []
    assert [w["no"] for w in outage_queries.warned(session, *at(300, 200), NOW + timedelta(days=2))] == [far.no]


def test_an_emergency_runs_against_the_limit_in_force_with_its_source(session, city, who):
    limit = outages.put_limit(session, Who(NOW), utility="heat", hours=24, source="市供热办法第九条", active=True)
    made = saved(session, who, Asked(thing="pipe", id=city.p3.id))
    assert (made.limit_h, made.limit_source) == (24, "市供热办法第九条")
    assert [row["active"] for row in outage_queries.limits(session)] == [True, False] and limit.active


def test_a_graph_in_memory_is_of_the_database_as_it_is(session, city):
    net = joined(session)
    assert joined(session) is net
    session.get(Valve, city.v1.id).is_open = False
    session.flush()
    assert joined(session) is not net
