"""The inspector's visits on the phone: own ones only, in order, with everything for a day without signal."""

from datetime import timedelta

from gis import journal
from gis.inspections.site_model import SiteDoor
from tests import factories as make
from tests.sites import TODAY, make_contractor, make_round, make_visit, make_worker


def test_an_inspector_gets_the_days_visits_in_route_order_with_people_and_door(phone_of, session):
    phone = phone_of("inspector")
    first, second = (
        make.make_site(session, name=name, contractor_id=make_contractor(session).id) for name in ("甲", "乙")
    )
    worker = make_worker(session, first, name="吴师傅", valid_to=TODAY - timedelta(days=1))
    session.add(SiteDoor(site_id=first.id, door_no="2-201"))
    made = make_round(session)
    me = phone.user.id
    make_visit(
        session, second, round_id=made.id, inspector_id=me, on_day=TODAY, stop_no=2, travel_s=300.0, origin="drawn"
    )
    make_visit(session, first, round_id=made.id, inspector_id=me, on_day=TODAY, stop_no=1, origin="certain")
    make_visit(session, second, inspector_id=me, on_day=TODAY + timedelta(days=5))
    make_visit(session, second, inspector_id=make.make_user(session, role="inspector").id, on_day=TODAY)
    make_visit(
        session, second, round_id=make_round(session, status="draft", fixed_at=None).id, inspector_id=me, on_day=TODAY
    )
    told = phone.get("/visits").get_json()
    assert [(v["site"]["name"], v["stop_no"], v["travel_s"]) for v in told["visits"]] == [
        ("甲", 1, None),
        ("乙", 2, 300.0),
    ]
    [person] = told["visits"][0]["people"]
    assert (person["id"], person["name"], person["fit"], person["needs"]) == (worker.id, "吴师傅", "expired", "welding")
    assert told["today"] == str(TODAY) and told["visits"][0]["site"]["door_no"] == "2-201"


def test_that_names_were_told_is_journalled_once_per_visit(phone_of, session):
    phone = phone_of("inspector")
    site = make.make_site(session)
    make_worker(session, site)
    make_visit(session, site, inspector_id=phone.user.id, on_day=TODAY)
    for _ in range(2):
        phone.get("/visits")
    entries = journal.timeline(session, "site", site.id)
    assert [(e["verb"], e["device_id"], e["data"]["purpose"]) for e in entries] == [
        ("unmask", phone.device.id, "visit")
    ]


def test_a_crew_and_somebody_of_another_area_get_none(phone_of, session):
    site = make.make_site(session)
    crew = make.make_crew(session)
    assert phone_of("crew", crew_id=crew.id).get("/visits").get_json()["visits"] == []
    away = phone_of("inspector", area_id=make.make_area(session, geom=make.square(121, 37)).id)
    make_visit(session, site, inspector_id=away.user.id, on_day=TODAY)
    assert away.get("/visits").get_json()["visits"] == []
