"""Sites: where they are, who is on them with what, what is posted, how they move on, and who inspected them."""

import json
from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from gis import journal
from gis.complaints.rules import PurposeNeeded
from gis.errors import Missing, NotAllowed, StaleVersion
from gis.inspections import actions, site_queries, sites
from gis.inspections.model import Inspection, Site
from gis.inspections.rules import Given, Stage
from gis.inspections.site_model import SiteDoor
from gis.inspections.site_rules import (
    REQUIRED,
    SITE_STEPS,
    AlreadyOnSite,
    BadGround,
    BadSite,
    CertificateKind,
    CertificateTaken,
    Fit,
    Held,
    NotAContractor,
    SiteNoteMissing,
    Trade,
    WrongSiteStep,
    fit,
    not_posted,
    site_steps,
)
from gis.inspections.sites import CertificateGiven, SiteGiven, WorkerGiven
from gis.journal import Who
from gis.people import blacklist
from gis.people.rules import CITY, Blacklisted, Role, Scope
from tests import factories as make
from tests.conftest import NOW
from tests.sites import TODAY, WHEN, make_contractor, make_worker

LON, LAT = make.PINGDU
RING = [[LON, LAT], [LON + 0.001, LAT], [LON + 0.001, LAT + 0.001], [LON, LAT + 0.001], [LON, LAT]]
GROUND = json.dumps({"type": "Polygon", "coordinates": [RING]})


def _given(**fields):
    return SiteGiven(**({"name": "红旗路管网改造", "scope": "yard", "lon": LON, "lat": LAT} | fields))


# --- pure ------------------------------------------------------------------------------------------------------------
days = st.integers(-400, 400).map(lambda n: TODAY + timedelta(days=n))


@given(
    st.sampled_from(list(Trade)), st.lists(st.tuples(st.sampled_from(list(CertificateKind)), days, days), max_size=4)
)
def test_somebody_is_fit_just_when_one_fitting_certificate_covers_the_day(trade, rows):
    held = [Held(kind, min(a, b), max(a, b)) for kind, a, b in rows]
    covered = any(h.kind == REQUIRED[trade] and h.valid_from <= TODAY <= h.valid_to for h in held)
    assert (fit(trade, held, TODAY) in (Fit.VALID, Fit.EXPIRING)) == covered


@pytest.mark.parametrize(
    ("valid_to", "state"),
    [(0, Fit.EXPIRING), (29, Fit.EXPIRING), (30, Fit.VALID), (-1, Fit.EXPIRED)],
)
def test_the_last_day_of_a_certificate_counts_and_a_month_before_it_is_told(valid_to, state):
    assert fit("welder", [Held("welding", None, TODAY + timedelta(days=valid_to))], TODAY) == state


def test_a_certificate_of_another_kind_does_not_help_and_an_open_end_is_for_ever():
    assert fit("welder", [Held("electrical", None, None)], TODAY) == Fit.MISSING
    assert fit("welder", [Held("welding", TODAY + timedelta(days=1), None)], TODAY) == Fit.NOT_YET
    assert fit("welder", [Held("welding", None, None)], TODAY) == Fit.VALID


def test_the_price_breakdown_is_posted_for_heating_works_only():
    assert not_posted(["1.1", "1.2", "1.4"], heating=False) == []
    assert not_posted(["1.1", "1.2", "1.4"], heating=True) == ["1.3"]
    assert not_posted([], heating=True) == ["1.1", "1.2", "1.3", "1.4"]


def test_every_stage_of_an_open_site_leads_somewhere_and_a_closed_one_can_be_opened_again():
    for stage in Stage:
        assert site_steps(stage, False)
        assert [s.verb for s in site_steps(stage, True)] == ["open_again"]
    assert not any(Role.INSPECTOR in step.roles for step in SITE_STEPS.values())


# --- kept ------------------------------------------------------------------------------------------------------------
def test_a_drawn_ground_gives_the_point_and_the_area_follows_from_it(session, who):
    area = make.make_area(session, level="district", geom=make.square(half=0.1))
    site = sites.create(session, who, CITY, _given(lon=None, lat=None, ground=GROUND))
    row = site_queries.shown(session, CITY, site.id, WHEN)
    assert row["area_id"] == area.id and row["stage"] == "before"
    assert LON < row["lon"] < LON + 0.001 and json.loads(row["ground"])["type"] == "Polygon"
    assert [e["verb"] for e in journal.timeline(session, "site", site.id)] == ["add"]


@pytest.mark.parametrize(
    "ground",
    [
        "nonsense", '{"type":"Point","coordinates":[119.9,36.7]}', '{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]]]}',
        json.dumps({"type": "Polygon", "coordinates": [[[LON, LAT], [LON + 1e-6, LAT], [LON, LAT + 1e-6], [LON, LAT]]]}),
        json.dumps({"type": "Polygon", "coordinates": [[[LON, LAT], [LON + 0.01, LAT + 0.01], [LON + 0.01, LAT], [LON, LAT + 0.01], [LON, LAT]]]}),
    ],
)  # fmt: skip
def test_a_ground_that_cannot_be_one_is_refused(session, who, ground):
    with pytest.raises(BadGround):
        sites.create(session, who, CITY, _given(ground=ground))


def test_a_site_needs_a_place_a_name_and_a_contractor_that_is_one(session, who):
    with pytest.raises(BadSite):
        sites.create(session, who, CITY, _given(lon=None, lat=None))
    with pytest.raises(BadSite):
        sites.create(session, who, CITY, _given(name="  "))
    with pytest.raises(NotAContractor):
        sites.create(session, who, CITY, _given(contractor_id=make.make_unit(session).id))


def test_an_edit_on_an_older_version_is_refused_and_the_journal_says_what_changed(session, who):
    site = sites.create(session, who, CITY, _given())
    sites.edit(session, who, CITY, site.id, _given(name="新名", door_no="3单元501"), 1)
    with pytest.raises(StaleVersion):
        sites.edit(session, who, CITY, site.id, _given(name="别名"), 1)
    last = journal.timeline(session, "site", site.id)[-1]
    assert last["data"]["changed"] == ["door_no", "name"] and "501" not in json.dumps(last["data"])
    assert session.get(SiteDoor, site.id).door_no == "3单元501"


def test_nobody_keeps_a_site_outside_of_what_they_may_see(session, who):
    here = make.make_area(session, geom=make.square(half=0.02))
    mine = Scope(area_id=here.id)
    with pytest.raises(NotAllowed), session.begin_nested():
        sites.create(session, who, mine, _given(lon=LON + 1))
    site = sites.create(session, who, CITY, _given(lon=LON + 1))
    with pytest.raises(Missing):
        sites.edit(session, who, mine, site.id, _given(), None)
    assert not site_queries.visible(session, mine, site.id)


def test_a_contractor_and_the_unit_that_answers_both_see_a_site_and_others_do_not(session):
    contractor, client = make_contractor(session), make.make_unit(session)
    site = make.make_site(session, contractor_id=contractor.id, unit_id=client.id)
    assert site_queries.visible(session, Scope(unit_id=contractor.id), site.id)
    assert site_queries.visible(session, Scope(unit_id=client.id), site.id)
    assert not site_queries.visible(session, Scope(unit_id=make_contractor(session).id), site.id)


def test_a_site_moves_on_by_the_table_and_who_and_why_are_kept(session, who):
    site = sites.create(session, who, CITY, _given())

    def step(verb, note="", role="supervisor"):
        return sites.take_step(session, who, CITY, role, site.id, verb, note, TODAY, None)

    with pytest.raises(WrongSiteStep):
        step("finish")
    step("begin", role="unit_handler")
    step("finish")
    with pytest.raises(SiteNoteMissing):
        step("resume")
    step("resume", "返工")
    assert (site.stage, site.begun_on, site.ended_on) == ("during", TODAY, None)
    step("finish")
    with pytest.raises(NotAllowed):
        step("close", role="unit_handler")
    step("close")
    assert site.closed_at == NOW and step("open_again", "误销").closed_at is None
    moves = [
        (e["verb"], e["data"]["before"], e["data"]["after"]) for e in journal.timeline(session, "site", site.id)[1:]
    ]
    assert moves[0] == ("begin", "before", "during") and moves[2] == ("resume", "after", "during") and len(moves) == 6


# --- people ----------------------------------------------------------------------------------------------------------
def test_people_come_with_certificates_leave_and_come_back(session, who):
    contractor = make_contractor(session)
    site = make.make_site(session, contractor_id=contractor.id)
    paper = CertificateGiven("welding", "HG-1", date(2009, 1, 1), date(2010, 1, 1))
    worker = sites.bring_worker(session, who, CITY, site.id, WorkerGiven("李四", "welder", certificates=(paper,)))
    with pytest.raises(AlreadyOnSite), session.begin_nested():
        sites.bring_worker(session, who, CITY, site.id, WorkerGiven(worker_id=worker.id))
    with pytest.raises(CertificateTaken), session.begin_nested():
        sites.bring_worker(session, who, CITY, site.id, WorkerGiven("王五", "welder", certificates=(paper,)))
    sites.dismiss_worker(session, Who(NOW + timedelta(hours=1)), CITY, site.id, worker.id)
    assert (
        site_queries.people(session, [site.id]) == [] and len(site_queries.people(session, [site.id], gone=True)) == 1
    )
    sites.bring_worker(session, Who(NOW + timedelta(hours=2)), CITY, site.id, WorkerGiven(worker_id=worker.id))
    told = site_queries.people(session, [site.id])
    assert [(p["name"], p["certificates"][0]["no"]) for p in told] == [("李四", "HG-1")]
    assert "李四" not in json.dumps([e["data"] for e in journal.timeline(session, "site", site.id)], ensure_ascii=False)


def test_a_blacklisted_contractor_is_given_no_site_and_keeps_those_it_has(session, who):
    firm, clean = make_contractor(session), make_contractor(session)
    held, other = make.make_site(session, contractor_id=firm.id), make.make_site(session, contractor_id=clean.id)
    blacklist.blacklist(session, who, unit=firm, reason="三次违诺", source="通报", until=NOW + timedelta(days=3))
    with pytest.raises(Blacklisted):
        sites.create(session, who, CITY, _given(contractor_id=firm.id))
    with pytest.raises(Blacklisted):
        sites.edit(session, who, CITY, other.id, _given(contractor_id=firm.id), None)
    session.expire_all()
    assert sites.edit(session, who, CITY, held.id, _given(contractor_id=firm.id), None).contractor_id == firm.id
    over = Who(NOW + timedelta(days=3))
    assert sites.edit(session, over, CITY, other.id, _given(contractor_id=firm.id), None).contractor_id == firm.id


def test_the_list_counts_people_without_what_their_trade_needs_today(session):
    site = make.make_site(session)
    make_worker(session, site)
    make_worker(session, site, valid_to=TODAY)
    make_worker(session, site, valid_to=TODAY - timedelta(days=1))
    make_worker(session, site, kind=None)
    make_worker(session, site, kind="electrical")
    row = site_queries.shown(session, CITY, site.id, WHEN)
    assert (row["people"], row["unfit"]) == (5, 3)


def test_names_and_door_are_told_only_for_a_purpose_that_the_journal_keeps(session, who):
    site = make.make_site(session)
    worker = make_worker(session, site, name="赵六")
    session.add(SiteDoor(site_id=site.id, door_no="2-301"))
    session.flush()
    with pytest.raises(PurposeNeeded):
        sites.reveal(session, who, CITY, site.id, "")
    told = sites.reveal(session, who, CITY, site.id, "verify")
    assert told == sites.Revealed("2-301", {worker.id: "赵六"})
    assert journal.timeline(session, "site", site.id)[-1]["data"] == {"purpose": "verify"}


# --- inspections -----------------------------------------------------------------------------------------------------
def _inspect(session, site, user, answer="yes", scope=CITY):
    visit = actions.Visit(
        uuid4(), "six_pledges", 1, site.scope, site.stage, NOW, NOW, site_id=site.id, answers=[Given("1.1", answer)]
    )
    actions.submit(session, Who(NOW, user.id), scope, visit)
    return session.get(Inspection, visit.id)


def test_what_a_unit_files_is_a_self_inspection_and_never_counts_as_the_bureaus(session):
    contractor = make_contractor(session)
    bureau = make.make_unit(session, kind="bureau")
    site = make.make_site(session, contractor_id=contractor.id)
    own = make.make_user(session, role="inspector", unit_id=contractor.id)
    handler = make.make_user(session, role="unit_handler", unit_id=contractor.id)
    assert _inspect(session, site, own, "no", Scope(unit_id=contractor.id)).is_self
    assert _inspect(session, site, handler, "no", Scope(unit_id=contractor.id)).is_self
    row = site_queries.shown(session, CITY, site.id, WHEN)
    assert row["last_id"] is None and row["breaches"] == 0
    assert not _inspect(session, site, make.make_user(session, role="inspector", unit_id=bureau.id), "no").is_self
    assert not _inspect(session, site, make.make_user(session, role="inspector")).is_self
    row = site_queries.shown(session, CITY, site.id, WHEN)
    assert row["last_id"] is not None and row["breaches"] == 1


def test_the_bureau_sees_who_has_not_inspected_by_the_day_set(session, who):
    contractor = make_contractor(session)
    mine, others = (make.make_site(session, contractor_id=contractor.id) for _ in range(2))

    def state(site, day=TODAY):
        return site_queries.shown(session, CITY, site.id, site_queries.When(day, "Asia/Shanghai"))["self_state"]

    assert state(mine) == "not_called"
    sites.call_self_check(session, who, TODAY, TODAY + timedelta(days=5), "自查")
    assert state(mine) == "waiting"
    _inspect(
        session,
        mine,
        make.make_user(session, role="unit_handler", unit_id=contractor.id),
        scope=Scope(unit_id=contractor.id),
    )
    assert (state(mine), state(others), state(others, TODAY + timedelta(days=6))) == ("done", "waiting", "overdue")
    _total, rows = site_queries.listed(session, CITY, site_queries.SitesLooked(mark="no_self_check"), WHEN)
    assert others.id in {r["id"] for r in rows} and mine.id not in {r["id"] for r in rows}


def test_the_list_narrows_by_what_is_asked_and_hides_closed_sites(session):
    make.make_site(session, name="甲工地", stage="before", scope="indoor")
    make.make_site(session, name="乙%工地", stage="after", closed_at=NOW)
    listed = lambda **f: [r["name"] for r in site_queries.listed(session, CITY, site_queries.SitesLooked(**f), WHEN)[1]]  # noqa: E731
    assert listed() == ["甲工地"] and listed(state="closed") == ["乙%工地"] and len(listed(state="all")) == 2
    assert (
        listed(q="%", state="all") == ["乙%工地"]
        and listed(works="yard") == []
        and listed(stage="before") == ["甲工地"]
    )
    assert listed(mark="never") == ["甲工地"] and listed(mark="unfit") == []


def test_a_closed_site_is_not_on_the_phone(session):
    from gis.inspections import queries

    make.make_site(session, name="开", code="OPEN")
    make.make_site(session, name="关", code="SHUT", closed_at=NOW)
    assert [row["code"] for row in queries.sites(session, CITY)] == ["OPEN"]
    assert session.scalar(select(func.count()).select_from(Site)) == 2
