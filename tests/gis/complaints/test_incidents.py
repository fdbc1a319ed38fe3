"""Incidents: suspected with evidence, opened once, sent out once, carried to every member, closed when all are answered."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gis.complaints import actions, incident_queries, incidents, repeats
from gis.complaints.model import Complaint
from gis.complaints.repeat_rules import (
    FollowsLead,
    HasCrew,
    InAnotherIncident,
    IncidentClosed,
    LeadStays,
    MembersNeeded,
    MembersOpen,
)
from gis.complaints.suspects import clusters
from gis.dispatch import actions as dispatch
from gis.dispatch.rules import Terms
from gis.journal import Who, timeline
from gis.network.model import Station
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_crew, make_unit, make_user, point

ZONE = ZoneInfo("Asia/Shanghai")
METRE = 1 / 111_195
WHO = Who(NOW)


def gathered(session, many=6, **more):
    return [
        make_complaint(session, at=(PINGDU[0], PINGDU[1] + 20 * n * METRE), received_at=NOW - timedelta(minutes=10 * n + 1),
                       description="暖气突然不热了", **more)
        for n in range(many)
    ]  # fmt: skip


def test_the_densest_place_comes_first_and_nobody_is_in_two():
    x = np.array([0.0, 10, 20, 30, 1000, 1010, 1020, 5000])
    found = clusters(x, np.zeros(8), np.zeros(8, np.int64), np.ones(8, np.int64), radius_m=100.0, least=3)
    assert [c.tolist() for c in found] == [[0, 1, 2, 3], [4, 5, 6]]
    heavy = clusters(x, np.zeros(8), np.zeros(8, np.int64), np.array([1, 1, 1, 1, 1, 1, 1, 9]), radius_m=100.0, least=3)
    assert heavy[0].tolist() == [7]
    apart = clusters(x, np.zeros(8), np.arange(8), np.ones(8, np.int64), radius_m=100.0, least=2)
    assert apart == []


def test_what_gathers_is_proposed_with_evidence(session):
    compound = make_area(session, level="compound")
    session.add(Station(code="S", name="文丰换热站", operator="heat_company", area_id=compound.id, geom=point()))
    made = gathered(session, compound_id=compound.id)
    make_complaint(session, category="water.none")
    make_complaint(session, received_at=NOW - timedelta(hours=20))
    [found] = incident_queries.suspected(session, CITY, NOW)
    assert set(found.ids) == {one.id for one in made}
    assert (found.lead_id, found.utility, found.category, found.calls) == (made[-1].id, "heat", "heat.cold", 6)
    assert (found.asset_kind, found.rows[0]["id"]) == ("station", made[-1].id)
    codes = {one["code"]: one for one in found.evidence}
    assert codes["fast"]["minutes"] == 50
    assert codes["words"]["pieces"][0] in "暖气突然不热了"
    assert (codes["station"]["name"], codes["station"]["n"]) == ("文丰换热站", 6)
    assert incident_queries.suspected(session, CITY, NOW, least=7) == []
    assert incident_queries.suspected(session, Scope(area_id=compound.id + 999), NOW) == []


def test_an_incident_is_sent_out_once_and_every_step_is_carried_to_every_caller(session):
    made = gathered(session, 4)
    extra = make_complaint(session)
    repeats.merge(session, WHO, extra, made[1])
    incident = incidents.open_incident(session, WHO, [one.id for one in made], cause="二次网泄漏", zone=ZONE)
    lead = session.get_one(Complaint, incident.lead_id)
    assert (incident.no, lead.id, incident.geom is not None) == ("SJ20091117-0001", made[-1].id, True)
    with pytest.raises(FollowsLead):
        dispatch.assign(session, WHO, made[0], make_crew(session), base_version=None, terms=Terms(ZONE))
    crew = make_crew(session)
    person = Who(NOW, make_user(session, role="crew", crew_id=crew.id).id)
    order = dispatch.assign(session, WHO, lead, crew, base_version=None, terms=Terms(ZONE), override_reason="急")
    for verb, status in ((dispatch.accept, "accepted"), (dispatch.arrive, "arrived"), (dispatch.resolve, "resolved")):
        verb(session, person, order)
        session.expire_all()
        assert {one.status for one in made} == {status}
    with pytest.raises(MembersOpen):
        incidents.close(session, WHO, incident)
    actions.take_step(session, WHO, lead, "answer", data={"answer": "管道已修复"})
    session.expire_all()
    assert {(one.status, one.answer, one.closed_at) for one in made} == {("answered", "管道已修复", NOW)}
    assert (extra.status, extra.answer) == ("merged", "管道已修复")
    last = timeline(session, "complaint", made[0].id)[-1]
    assert (last["verb"], last["data"]["carried_from"]) == ("answer", lead.hotline_no)
    incidents.close(session, WHO, incident)
    assert (incident.status, incident.closed_at) == ("closed", NOW)
    with pytest.raises(IncidentClosed):
        incidents.add(session, WHO, incident, [make_complaint(session).id])


def test_one_caller_s_dissatisfaction_is_not_the_others(session):
    made = gathered(session, 3, status="signed")
    incident = incidents.open_incident(session, WHO, [one.id for one in made], zone=ZONE)
    lead = session.get_one(Complaint, incident.lead_id)
    actions.take_step(session, WHO, lead, "answer", data={"answer": "好了"})
    session.expire_all()
    actions.take_step(session, WHO, made[0], "reopen", data={"note": "还是不热"})
    assert sorted(one.status for one in made) == ["answered", "answered", "reopened"]


def test_a_member_is_taken_out_added_and_may_lead_but_the_lead_stays(session):
    made = gathered(session, 3, status="signed", signed_at=NOW)
    incident = incidents.open_incident(session, WHO, [one.id for one in made[:2]], zone=ZONE)
    first = session.get_one(Complaint, incident.lead_id)
    incidents.add(session, WHO, incident, [made[2].id])
    assert made[2].incident_id == incident.id
    with pytest.raises(LeadStays):
        incidents.take_out(session, WHO, incident, first)
    with pytest.raises(LeadStays):
        repeats.merge(session, WHO, first, make_complaint(session))
    incidents.lead_by(session, WHO, incident, made[2])
    incidents.take_out(session, WHO, incident, first)
    assert (first.incident_id, first.status, incident.lead_id) == (None, "received", made[2].id)
    verbs = [entry["verb"] for entry in timeline(session, "incident", incident.id)]
    assert verbs == ["open", "add", "lead", "remove"]
    repeats.merge(session, WHO, first, made[2])
    assert first.merged_into_id == made[2].id


def test_who_is_in_one_already_or_has_a_crew_of_its_own_is_told(session):
    made = gathered(session, 4)
    incidents.open_incident(session, WHO, [one.id for one in made[:2]], zone=ZONE)
    with pytest.raises(InAnotherIncident):
        incidents.open_incident(session, WHO, [one.id for one in made[1:]], zone=ZONE)
    working = [make_complaint(session, status="arrived"), make_complaint(session, status="assigned")]
    with pytest.raises(HasCrew):
        incidents.open_incident(session, WHO, [one.id for one in working], zone=ZONE)
    with pytest.raises(MembersNeeded):
        incidents.open_incident(session, WHO, [made[2].id], zone=ZONE)
    joined = incidents.open_incident(session, WHO, [made[2].id, working[0].id], zone=ZONE)
    assert (joined.lead_id, made[2].status) == (working[0].id, "arrived")


def test_two_companies_may_be_in_one_incident_each_keeping_its_unit(session):
    heat, water = make_unit(session), make_unit(session, kind="water_company")
    burst = make_complaint(session, category="water.burst", unit_id=water.id, received_at=NOW - timedelta(hours=2))
    cold = make_complaint(session, unit_id=heat.id)
    incident = incidents.open_incident(session, WHO, [cold.id, burst.id], name="文丰小区自来水主管爆管", zone=ZONE)
    assert (incident.lead_id, cold.unit_id, burst.unit_id) == (burst.id, heat.id, water.id)
    [row] = incident_queries.listing(session, CITY)
    assert (row["members"], row["calls"], row["still_open"], row["unit"]) == (2, 2, 2, water.name)
    assert incident_queries.find(session, Scope(unit_id=heat.id), incident.id) is None
