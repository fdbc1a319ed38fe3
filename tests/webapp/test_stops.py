"""Works stopped by order, as the dispatcher meets it: told before a crew is chosen, final for the unit's and the contractor's crews."""

from __future__ import annotations

import pytest

from gis.inspections import stop_work
from gis.journal import Who
from gis.people.rules import CITY
from tests import factories as make
from tests.conftest import NOW
from tests.found import make_finding
from tests.sites import make_contractor
from webapp.demo.calls import ZONE

NO = "停工〔2009〕1号"
HERE = (119.96, 36.78)
M_NORTH = 1 / 110_990  # degrees of latitude in a metre, about here


@pytest.fixture
def stopped(session):
    """A stopped site of a unit and its contractor, and a matter at the place."""
    unit, contractor = make.make_unit(session, name="兴平热电"), make_contractor(session, name="鲁班建设")
    site = make.make_site(
        session, name="红旗路二次管网改造", unit_id=unit.id, contractor_id=contractor.id, geom=make.point(*HERE)
    )
    finding = make_finding(session, unit_id=unit.id, contractor_id=contractor.id, site_id=site.id, severity="serious")
    order = stop_work.stop(session, Who(NOW), CITY, finding.id, "未设围挡", ZONE)
    crews = [make.make_crew(session, unit_id=body.id) for body in (unit, contractor, make.make_unit(session))]
    complaint = make.make_complaint(session, at=HERE, unit_id=unit.id)
    session.commit()
    return order, crews, complaint


def _asked(client, complaint, crew=None):
    return client.get(f"/complaints/{complaint.id}/crews.json" + (f"?crew={crew.id}" if crew else "")).json


def test_the_ranking_says_it_at_its_head_and_of_each_crew_that_it_holds_for(stopped, sign_in):
    _order, (own, contractors, foreign), complaint = stopped
    client = sign_in("dispatcher")
    found = _asked(client, complaint)
    (stop,) = found["stops"]
    assert stop["text"] == f"红旗路二次管网改造已被责令停工（停工令：{NO}），自 2009-11-17 10:00 起。"
    assert stop["whom"] == "以下单位的班组不能派往此处：兴平热电、鲁班建设"
    assert client.get(stop["finding"]).status_code == 200 and NO in client.get(stop["finding"]).text
    told = {crew["id"]: (crew["refused"], crew["codes"]) for crew in found["crews"]}
    assert told[own.id] == told[contractors.id] == (True, ["site_stopped"])
    assert told[foreign.id] == (False, []) and found["crews"][0]["id"] == foreign.id
    assert NO in next(c for c in found["crews"] if c["id"] == own.id)["violations"][0]
    english = sign_in("dispatcher", language="en")
    assert _asked(english, complaint)["stops"][0]["text"].startswith("Works at 红旗路二次管网改造 are stopped by")


def test_whatever_the_reason_it_is_refused_by_its_own_name_and_the_board_knows_before(stopped, sign_in):
    _order, (own, _contractors, foreign), complaint = stopped
    client = sign_in("dispatcher")
    asked = {"complaint_id": complaint.id, "crew_id": own.id, "base_version": 1}
    for more in ({}, {"override_reason": "急"}, {"start": "2009-11-17T10:00:00Z", "override_reason": "急"}):
        refused = client.post("/work-orders", json=asked | more)
        assert (refused.status_code, refused.json["code"]) == (409, "site_stopped")
    placed = client.get(f"/complaints/{complaint.id}/place.json?crew={own.id}&start=2009-11-17T10:00:00Z").json
    assert placed["refused"] and "site_stopped" in placed["codes"]
    assert client.post("/work-orders", json=asked | {"crew_id": foreign.id}).status_code == 201


def test_when_it_is_lifted_nothing_is_said_and_the_crew_is_sent(stopped, session, sign_in):
    order, (own, *_others), complaint = stopped
    stop_work.lift(session, Who(NOW), CITY, order.id, "已整改", None)
    session.commit()
    client = sign_in("dispatcher")
    found = _asked(client, complaint, own)
    assert found["stops"] == [] and not found["crews"][0]["refused"]
    asked = {"complaint_id": complaint.id, "crew_id": own.id, "base_version": 1}
    assert client.post("/work-orders", json=asked).status_code == 201


def test_an_order_that_was_given_before_is_told_of_it_on_its_card_and_one_of_others_is_not(stopped, session, sign_in):
    order, (own, _contractors, foreign), _complaint = stopped
    stop_work.lift(session, Who(NOW), CITY, order.id, "已整改", None)
    given = {crew.id: make.make_complaint(session, at=HERE, status="assigned") for crew in (own, foreign)}
    for crew_id, complaint in given.items():
        make.make_order(session, complaint, next(c for c in stopped[1] if c.id == crew_id))
    stop_work.stop(session, Who(NOW), CITY, order.finding_id, "又未设围挡", ZONE)
    session.commit()
    client = sign_in("dispatcher")
    stops = {crew_id: client.get(f"/complaints/{c.id}.json").json["stops"] for crew_id, c in given.items()}
    assert [s["no"] for s in stops[own.id]] == ["停工〔2009〕2号"] and stops[foreign.id] == []


@pytest.mark.parametrize(("metres", "holds"), [(49, True), (51, False)])
def test_the_ranking_reaches_as_far_as_the_database_refuses(stopped, session, sign_in, metres, holds):
    _order, (own, *_others), _complaint = stopped
    near = make.make_complaint(session, at=(HERE[0], HERE[1] + metres * M_NORTH))
    session.commit()
    client = sign_in("dispatcher")
    assert bool(_asked(client, near)["stops"]) is holds
    asked = {"complaint_id": near.id, "crew_id": own.id, "base_version": 1}
    assert client.post("/work-orders", json=asked).status_code == (409 if holds else 201)


def test_who_may_not_read_the_finding_gets_no_way_to_it(stopped, session, sign_in):
    _order, _crews, complaint = stopped
    complaint.district_id = (district := make.make_area(session)).id
    session.commit()
    found = _asked(sign_in("dispatcher", area_id=district.id), complaint)
    assert found["stops"][0]["finding"] is None and NO in found["stops"][0]["text"]
