"""Every route × every role × own and other district: who may not is refused, and nothing of another district is told.

The walk is generated from the routes themselves: a new route is walked without anybody thinking of it, and one with a
parameter that the walk does not know fails until it is taught a value.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from datetime import timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.incident_model import Incident
from gis.complaints.routing_model import RoutingRule
from gis.dispatch.plan import Plan, Problem, Total
from gis.dispatch.plan_compare import as_numbers, compared
from gis.dispatch.plan_model import DayPlan, DayPlanCrew, DayPlanStop
from gis.inspections.model import Inspection, InspectionPhoto, Photo
from gis.inspections.patrol_model import Patrol, PatrolStop
from gis.journal import Who
from gis.network.model import Station
from gis.network.season_model import HeatingSeason
from gis.oversight.bulletins import Question
from gis.oversight.counting_actions import publish
from gis.oversight.periods import Period
from gis.oversight.week_model import ThemedWeek
from gis.people import keys
from gis.people.actions import digest
from gis.people.model import Blacklisting, Device
from gis.people.rules import KEY_RIGHTS, RIGHTS, Role, Scope
from gis.webhooks.model import Webhook
from tests import covered, measured, sites
from tests import factories as make
from tests.conftest import NOW
from tests.found import one_of_each as found_of_each
from tests.small_city import an_outage
from tests.watched import one_of_each

SECRET = "QZXW-other-district"
OWN, OTHER = (119.90, 36.70), (121.40, 37.40)
STATIC = {"static", "frontend"}
# Routes that answer the same for everybody by design, and why.
OPEN = {"public"}
REFUSED = (401, 403)  # Open311 says 403 to a program without a key; everything else says 401


def _photo(session, settings, inspection, colour):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    sha = hashlib.sha256(data.getvalue()).hexdigest()
    path = settings.files_dir / sha[:2] / sha[2:4] / sha
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())
    session.add(
        Photo(sha256=sha, mime="image/png", size_bytes=len(data.getvalue()), width=8, height=8, received_at=NOW)
    )
    session.flush()
    session.add(InspectionPhoto(inspection_id=inspection.id, sha256=sha, item_id="1.1", taken_at=NOW))
    session.flush()
    return sha


class World:
    """Two districts with one of everything in each; people are bound to the first."""

    def __init__(self, session, app):
        self.session, self.app = session, app
        self.own = self._district(OWN, "自己", "red")
        self.other = self._district(OTHER, SECRET, "blue")

    def _district(self, at, mark, colour):
        s = self.session
        area = make.make_area(s, name=f"区{mark}", geom=make.square(*at, half=0.2))
        unit = make.make_unit(s)  # units are bodies of the whole city; their names are no secret
        complaint = make.make_complaint(s, at=at, district_id=area.id, unit_id=unit.id, place=f"地点{mark}", description=f"内容{mark}",
                                        status="assigned", hotline_no=f"N{mark}")  # fmt: skip
        crew = make.make_crew(s, at=at, name=f"班{mark}", unit_id=unit.id, area_id=area.id)
        order = make.make_order(s, complaint, crew, order_no=f"W{mark}")
        site = make.make_site(s, name=f"工地{mark}", area_id=area.id, unit_id=unit.id, geom=make.point(*at))
        user = make.make_user(s, role="inspector", name=f"insp{mark}", area_id=area.id, crew_id=crew.id)
        _secret, key = keys.make_key(
            s, Who(NOW), name=f"钥{mark}", unit_id=unit.id, rights=list(KEY_RIGHTS), area_id=area.id
        )
        device = Device(user_id=user.id, name="p", token_hash=secrets.token_bytes(32), enrolled_at=NOW)
        inspection = Inspection(
            id=uuid4(), order_id=order.id, site_id=site.id, inspector_id=user.id, checklist_code="six_pledges",
            checklist_revision=1, scope="yard", stage="during", started_at=NOW - timedelta(hours=1), finished_at=NOW,
            received_at=NOW, note=f"备注{mark}", area_id=area.id, unit_id=unit.id,
        )  # fmt: skip
        s.add_all([device, inspection])
        s.flush()
        sha = _photo(s, self.app.config["SETTINGS"], inspection, colour)
        hook = Webhook(name=f"推送{mark}", url="https://example.com/", secret=b"x", events=["complaint.receive"], unit_id=unit.id,
                       area_id=area.id, created_at=NOW)  # fmt: skip
        s.add(hook)
        incident = Incident(
            no=f"SJ{mark}", name=f"事件{mark}", category="heat.cold", radius_m=100, lead_id=complaint.id, opened_at=NOW
        )
        rule = RoutingRule(priority=1, answers="unit", unit_id=unit.id, area_id=area.id, source="s")
        entry = Blacklisting(user_id=user.id, during=Range(NOW, None), reason=f"缘由{mark}", source="s")
        s.add_all([incident, rule, entry])
        season = s.scalars(select(HeatingSeason.id).order_by(HeatingSeason.id)).first()
        # A week is the whole city's, as its name is.
        week = ThemedWeek(city="平度市", name=f"周{area.id}", first=NOW.date(), last=NOW.date(), source="s")
        station = Station(
            code=f"H{mark}",
            name=f"站{mark}",
            operator="heat_company",
            unit_id=unit.id,
            area_id=area.id,
            geom=make.point(*at),
        )
        patrol = Patrol(name=f"巡{mark}", on_day=NOW.date(), user_id=user.id, status="planned", made_at=NOW)
        s.add_all([week, station, patrol])
        s.flush()
        s.add(PatrolStop(patrol_id=patrol.id, station_id=station.id, stop_no=1))
        gauged = measured.one_of_each(s, complaint, area.id, unit.id, mark)
        watched = (
            one_of_each(s, complaint, mark)
            | sites.one_of_each(s, site, area.id, mark)
            | covered.one_of_each(s, area, at, mark)
        )
        found = found_of_each(s, inspection, user.id, mark, 1 if mark == "自己" else 2)
        question = Question(Period.of("day", NOW.date()))
        issue = publish(s, Who(NOW), Scope(area_id=area.id), question, ZoneInfo("Asia/Shanghai"))
        plan = DayPlan(day=NOW.date(), status="ready", mode="whole", seconds=1, seed=1, asked={"crews": [], "categories": []}, made_at=NOW,
                       as_of=NOW, area_id=area.id, by="straight", totals=compared(Problem((), (), [], []), *[Plan()] * 3, 0)
                       | {"lines": "straight", "moved": 0})  # fmt: skip
        s.add(plan)
        s.flush()
        zero = as_numbers(Total())
        s.add(
            DayPlanCrew(
                plan_id=plan.id, crew_id=crew.id, crew_version=1, before=zero, after=zero, old_line=[], new_line=[]
            )
        )
        s.add(DayPlanStop(plan_id=plan.id, complaint_id=complaint.id, crew_id=crew.id, kind="locked", position=1, complaint_version=1,
                          params={}))  # fmt: skip
        s.commit()
        watched |= an_outage(s, f"停供{mark}" if mark == "自己" else "停供他区")
        return watched | found | gauged | {"plan_id": plan.id, "season_id": season, "week_id": week.id, "patrol_id": patrol.id,
            "area": area, "unit": unit, "complaint_id": complaint.id, "order_id": order.id, "crew_id": crew.id,
            "site_id": site.id, "user_id": user.id, "device_id": device.id, "inspection_id": inspection.id, "sha256": sha,
            "change_id": uuid4(), "variant_id": 1, "kept_id": 1, "layer": "complaints", "z": 14, "x": _x(at[0], 14), "y": _y(at[1], 14),
            "webhook_id": hook.id, "key_id": key.id, "fmt": "json", "upload_id": uuid4(), "batch_id": 999, "line_id": 999, "limit_id": 999, "set_id": 999, "kind": "report", "language": "zh", "filename": "none", "year": 2009, "day": "2009-11-17", "format": "xlsx", "size": "thumb",
            "valve_id": 999,
            "collection": "complaints", "feature_id": complaint.id,
            "code": "six_pledges", "revision": 1, "name": "choices.csv", "incident_id": incident.id, "rule_id": rule.id, "issue_id": issue.id, "entry_id": entry.id,
        }  # fmt: skip


def _x(lon, z):
    return int((lon + 180) / 360 * 2**z)


def _y(lat, z):
    from math import asinh, pi, radians, tan

    return int((1 - asinh(tan(radians(lat))) / pi) / 2 * 2**z)


@pytest.fixture
def world(session, app):
    return World(session, app)


def _routes(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint in STATIC or rule.endpoint.startswith("openapi"):
            continue
        yield rule, sorted(rule.methods - {"HEAD", "OPTIONS"})


def _url(app, rule, values):
    missing = rule.arguments - set(values)
    assert not missing, f"{rule.rule}: teach the walk a value for {missing}"
    given = {
        key: str(value) if isinstance(value, UUID) else value for key, value in values.items() if key in rule.arguments
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, given, append_unknown=False)


def _call(client, method, url, headers=None):
    body = {"json": {}} if method != "GET" else {}
    return client.open(url, method=method, headers=headers, **body)


def test_every_route_names_its_right(app):
    for rule, _ in _routes(app):
        right = getattr(app.view_functions[rule.endpoint], "needs", None)
        assert right in RIGHTS or right in OPEN, rule.rule


def _person(world, sign_in, role):
    own = world.own
    return sign_in(role, area_id=own["area"].id, unit_id=own["unit"].id, crew_id=own["crew_id"])


@pytest.mark.parametrize("role", list(Role))
def test_the_desk_refuses_who_may_not_and_tells_nothing_of_another_district(world, app, sign_in, role):
    client = _person(world, sign_in, role)
    for rule, methods in _routes(app):
        right = app.view_functions[rule.endpoint].needs
        if rule.rule.startswith("/api/") or right in OPEN:
            continue
        for method in methods:
            for district in (world.own, world.other):
                url = _url(app, rule, district)
                answer = _call(client, method, url)
                where = f"{role} {method} {url} -> {answer.status_code}"
                if _by_key(app, rule) == "only":  # for a program: whoever is signed in has no key
                    assert answer.status_code in REFUSED, where
                    continue
                if role not in RIGHTS[right]:
                    assert answer.status_code == 403, where
                    continue
                assert answer.status_code not in (401, 500), where
                assert SECRET.encode() not in answer.data, where
                if district is world.other and rule.arguments & {
                    "complaint_id",
                    "incident_id",
                    "order_id",
                    "inspection_id",
                    "sha256",
                    "user_id",
                    "issue_id",
                    "key_id",
                    "webhook_id",
                    "notice_id",
                    "handover_id",
                    "meeting_id",
                    "matter_id",
                    "visit_id",
                    "promise_id",
                    "entry_id",
                    "finding_id",
                    "stop_id",
                    "consequence_id",
                    "station_id",
                    "point_id",
                    "alarm_id",
                    "test_id",
                }:
                    assert answer.status_code == 404, where


def test_a_stranger_is_sent_to_sign_in_everywhere(world, app):
    client = app.test_client()
    for rule, methods in _routes(app):
        if app.view_functions[rule.endpoint].needs in OPEN:
            continue
        for method in methods:
            answer = _call(client, method, _url(app, rule, world.own))
            wanted = REFUSED if _by_key(app, rule) else (302, 401)
            assert answer.status_code in wanted, f"{method} {rule.rule} -> {answer.status_code}"


def _by_key(app, rule):
    return getattr(app.view_functions[rule.endpoint], "by_key", None)


def _keys(session, world):
    """A key of each kind that opens nothing, and what each is called."""
    unit = world.own["unit"].id
    revoked, row = keys.make_key(session, Who(NOW), name="revoked", unit_id=unit, rights=list(KEY_RIGHTS))
    row.revoked_at = NOW
    expired, row = keys.make_key(
        session, Who(NOW), name="expired", unit_id=unit, rights=list(KEY_RIGHTS), expires_at=NOW + timedelta(days=1)
    )
    row.created_at, row.expires_at = NOW - timedelta(days=2), NOW
    session.commit()
    return {"none": None, "wrong": "cmk_00000000_nothing", "revoked": revoked, "expired": expired}


def test_a_key_that_opens_nothing_is_refused_everywhere(world, app, session):
    client = app.test_client()
    for kind, secret in _keys(session, world).items():
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        for rule, methods in _routes(app):
            if not _by_key(app, rule):
                continue
            for method in methods:
                answer = _call(client, method, _url(app, rule, world.own), headers)
                assert answer.status_code in REFUSED, f"{kind} {method} {rule.rule} -> {answer.status_code}"


@pytest.mark.parametrize("held", [*KEY_RIGHTS, None])
def test_a_key_opens_what_it_holds_and_tells_nothing_of_another_body(world, app, session, held):
    rights = [held] if held else list(KEY_RIGHTS)
    secret, _row = keys.make_key(session, Who(NOW), name="own", unit_id=world.own["unit"].id, rights=rights)
    session.commit()
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    for rule, methods in _routes(app):
        if not _by_key(app, rule):
            continue
        right = app.view_functions[rule.endpoint].needs
        for method in methods:
            for district in (world.own, world.other):
                answer = _call(client, method, _url(app, rule, district), headers)
                where = f"{method} {rule.rule} -> {answer.status_code}"
                if right not in rights:
                    assert answer.status_code == 403, where
                    continue
                assert answer.status_code not in (401, 500), where
                assert SECRET.encode() not in answer.data, where


@pytest.mark.parametrize("role", list(Role))
def test_the_phone_refuses_who_may_not_and_tells_nothing_of_another_district(world, app, session, role):
    own = world.own
    user = make.make_user(session, role=role, area_id=own["area"].id, unit_id=own["unit"].id, crew_id=own["crew_id"])
    token = secrets.token_urlsafe(32)
    session.add(Device(user_id=user.id, name="p", token_hash=digest(token), enrolled_at=NOW))
    session.commit()
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    for rule, methods in _routes(app):
        right = app.view_functions[rule.endpoint].needs
        if not rule.rule.startswith("/api/") or right in OPEN:
            continue
        for method in methods:
            for district in (own, world.other):
                answer = _call(client, method, _url(app, rule, district), headers)
                where = f"{role} {method} {rule.rule} -> {answer.status_code}"
                if role not in RIGHTS[right]:
                    assert answer.status_code == 403, where
                    continue
                assert answer.status_code not in (401, 500), where
                assert SECRET.encode() not in answer.data, where


def test_tiles_of_another_district_are_empty_for_a_bound_dispatcher(world, sign_in):
    bound = _person(world, sign_in, "dispatcher")
    free = sign_in("dispatcher")
    other = world.other
    url = f"/tiles/complaints/{other['z']}/{other['x']}/{other['y']}.mvt"
    assert free.get(url).data
    assert not bound.get(url).data
