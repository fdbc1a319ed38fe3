"""Who answers: the pure decision, the rules as rows, the preview, and the verbs."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from gis.complaints import actions, routing_actions, routing_queries
from gis.complaints.bulk import refile
from gis.complaints.model import Complaint
from gis.complaints.repeat_rules import BadRule, SourceNeeded
from gis.complaints.routing import NOBODY, Ground, Matter, Router, Rule, decide, under
from gis.complaints.routing_model import RoutingRule
from gis.complaints.rules import UnknownCategory
from gis.errors import StaleVersion
from gis.journal import Who, timeline
from gis.network.model import Station
from gis.people.rules import CITY
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, point, square

DAY = date(2009, 11, 17)
ZONE = ZoneInfo("Asia/Shanghai")
HEAT, WATER, PROPERTY = 1, 2, 3
GROUND = Ground(
    utility_of={"heat.cold": "heat", "water.none": "water"}, served_by={10: HEAT, 11: PROPERTY}, station_of={11: 7},
    kind_of={HEAT: "heat_company", PROPERTY: "property_company", WATER: "water_company"},
)  # fmt: skip


def rule(id, priority=100, answers="unit", unit_id=HEAT, **more):
    return Rule(id, priority, answers, None if answers == "served_by" else unit_id, **more)


def test_a_compound_served_directly_goes_to_the_heat_company_and_the_other_to_its_property_company():
    rules = [rule(1, answers="served_by", utility="heat")]
    assert decide(rules, Matter("heat.cold", (10,), 10), GROUND, DAY).unit_id == HEAT
    routed = decide(rules, Matter("heat.cold", (11,), 11), GROUND, DAY)
    assert (routed.unit_id, routed.rule_id, routed.why) == (PROPERTY, 1, {"utility": "heat", "answers": "served_by"})
    assert decide(rules, Matter("water.none", (10,), 10), GROUND, DAY) == NOBODY
    assert decide(rules, Matter("heat.cold"), GROUND, DAY) == NOBODY


def test_the_smaller_priority_decides_then_the_smaller_id():
    rules = [rule(5, 20, unit_id=WATER), rule(4, 20, unit_id=PROPERTY), rule(9, 10, unit_id=HEAT)]
    assert decide(rules, Matter("heat.cold"), GROUND, DAY).rule_id == 9
    assert decide(rules[:2], Matter("heat.cold"), GROUND, DAY).rule_id == 4


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({"category": "heat"}, True), ({"category": "heat.cold"}, True), ({"category": "hea"}, False),
        ({"area_id": 99}, True), ({"area_id": 98}, False), ({"station_id": 7}, True), ({"station_id": 8}, False),
        ({"operator": "property_company"}, True), ({"operator": "heat_company"}, False), ({"utility": "water"}, False),
        ({"valid_from": DAY}, True), ({"valid_from": DAY + timedelta(1)}, False), ({"valid_to": DAY}, True),
        ({"valid_to": DAY - timedelta(1)}, False),
    ],
)  # fmt: skip
def test_every_condition_narrows(more, fits):
    routed = decide([rule(1, **more)], Matter("heat.cold", (99, 11), 11), GROUND, DAY)
    assert (routed.rule_id == 1) is fits


def test_a_prefix_ends_at_a_dot():
    assert under("heat.cold", "heat")
    assert not under("heating.cold", "heat")


days = st.integers(0, 40).map(lambda n: DAY + timedelta(n))
some_rules = st.lists(
    st.builds(
        Rule, id=st.integers(1, 9), priority=st.integers(1, 3), answers=st.just("unit"), unit_id=st.integers(1, 3),
        utility=st.sampled_from([None, "heat", "water"]), valid_from=st.none() | days, valid_to=st.none() | days,
    ),
    max_size=5, unique_by=lambda r: r.id,
)  # fmt: skip


@given(some_rules, st.lists(days, min_size=1, max_size=20))
def test_what_the_router_remembers_is_what_would_be_decided(rules, asked):
    router = Router(rules, GROUND)
    for day in asked:
        matter = Matter("heat.cold", (10,), 10)
        assert router.route(matter, day) == decide(rules, matter, GROUND, day)
        routed = router.route(matter, day)
        assert router.known("heat.cold", (0, 0, 0, 10), day.toordinal()) == (routed.unit_id, routed.rule_id)


# --- with the database -----------------------------------------------------------------------------------------------
def city(session):
    """One compound served directly, one whose station a property company runs."""
    heat, company = make_unit(session), make_unit(session, kind="property_company")
    direct = make_area(session, level="compound", unit_id=heat.id, geom=square(half=0.001))
    other_at = (PINGDU[0] + 0.01, PINGDU[1])
    other = make_area(session, level="compound", geom=square(*other_at, half=0.001))
    session.add(
        Station(
            code="S", name="换热站", operator="property_company", unit_id=company.id, area_id=other.id, geom=point()
        )
    )
    session.flush()
    return heat, company, direct, other, other_at


def receive(session, at=PINGDU, category="heat.cold", **more):
    lon, lat = at or (None, None)
    return actions.receive(
        session, Who(NOW), channel="12319", category=category, description="不热", place="小区", lon=lon, lat=lat, zone=ZONE,
        calendar=working_days(session), sure=True, **more,
    )  # fmt: skip


def test_receiving_asks_the_rules_and_the_timeline_says_which_decided(session):
    heat, company, *_, other_at = city(session)
    made = receive(session)
    seeded = session.scalar(select(RoutingRule.id))
    assert (made.unit_id, made.routing_rule_id) == (heat.id, seeded)
    [first] = timeline(session, "complaint", made.id)
    assert first["data"]["rule_id"] == seeded
    assert first["data"]["why"] == {"utility": "heat", "answers": "served_by"}
    assert receive(session, other_at).unit_id == company.id
    lost = receive(session, None)
    assert (lost.unit_id, lost.routing_rule_id) == (None, None)
    assert receive(session, category="water.none").unit_id is None


def values(**more):
    plain = dict.fromkeys(routing_actions.FIELDS)
    return plain | {"priority": 50, "answers": "unit", "source": "市政府会议纪要"} | more


def test_a_rule_without_a_source_or_with_a_wrong_word_is_refused(session):
    unit = make_unit(session)
    with pytest.raises(SourceNeeded):
        routing_actions.save(session, Who(NOW), values(unit_id=unit.id, source=" "))
    for wrong in ({"unit_id": None}, {"answers": "served_by", "unit_id": unit.id}, {"answers": "x"}, {"priority": -1},
                  {"unit_id": unit.id, "operator": "x"},
                  {"unit_id": unit.id, "valid_from": DAY, "valid_to": DAY - timedelta(1)}):  # fmt: skip
        with pytest.raises(BadRule):
            routing_actions.save(session, Who(NOW), values(**wrong))
    with pytest.raises(UnknownCategory):
        routing_actions.save(session, Who(NOW), values(unit_id=unit.id, category="nope"))


def test_a_change_of_rule_is_previewed_kept_with_what_was_before_and_ended_not_deleted(session):
    heat, company, *_, other_at = city(session)
    water = make_unit(session, kind="water_company")
    one, two = receive(session), receive(session, other_at)
    receive(session, category="water.none")
    before = routing_queries.rules(session)
    fresh = routing_actions.checked(session, values(unit_id=water.id, utility="water"))
    moved = routing_queries.preview(
        session, CITY, before, [*before, fresh.pure()], on=DAY, since=NOW - timedelta(days=30), until=NOW + timedelta(1)
    )
    assert (moved.asked, moved.moved) == (3, 1)
    assert [(c["from"], c["to"], c["n"]) for c in moved.counts] == [(None, water.name, 1)]
    kept = routing_actions.save(session, Who(NOW), values(unit_id=heat.id, utility="heat", operator="property_company"))
    done = routing_actions.reroute(session, Who(NOW), DAY)
    assert (done.asked, done.moved) == (3, 1)
    assert (session.get(Complaint, one.id).unit_id, session.get(Complaint, two.id).unit_id) == (heat.id, heat.id)
    entry = timeline(session, "complaint", two.id)[-1]
    assert (entry["verb"], entry["data"]["before"], entry["data"]["after"]) == ("reroute", company.id, heat.id)
    with pytest.raises(StaleVersion):
        routing_actions.save(session, Who(NOW), values(unit_id=water.id), rule=kept, base_version=9)
    routing_actions.save(session, Who(NOW), values(unit_id=water.id), rule=kept, base_version=1)
    entry = timeline(session, "routing_rule", kept.id)[-1]
    assert entry["data"]["before"]["unit_id"] == heat.id
    routing_actions.end(session, Who(NOW), kept, DAY, kept.version)
    assert receive(session, other_at).unit_id == company.id


def test_who_was_chosen_by_hand_or_has_signed_is_not_rerouted(session):
    heat, company, direct, *_ = city(session)
    by_hand = make_complaint(session, unit_id=company.id, compound_id=direct.id)
    signed = make_complaint(session, compound_id=direct.id, status="signed")
    waiting = make_complaint(session, compound_id=direct.id)
    done = routing_actions.reroute(session, Who(NOW), DAY)
    units = [session.get(Complaint, c.id).unit_id for c in (by_hand, signed, waiting)]
    assert (done.moved, units) == (1, [company.id, None, heat.id])


def test_without_any_rule_nobody_answers(session):
    city(session)
    session.execute(delete(RoutingRule))
    assert receive(session).unit_id is None
    assert session.scalar(text("SELECT count(*) FROM routing_rule")) == 0


def test_areas_that_are_drawn_later_bring_their_unit_by_the_rules(session):
    heat = make_unit(session)
    cold, water = make_complaint(session), make_complaint(session, category="water.none")
    compound = make_area(session, level="compound", unit_id=heat.id, geom=square(half=0.001))
    assert refile(session, [compound.id], ZONE) == 2
    session.expire_all()
    assert (cold.compound_id, cold.unit_id, cold.routing_rule_id is not None) == (compound.id, heat.id, True)
    assert (water.compound_id, water.unit_id) == (compound.id, None)
