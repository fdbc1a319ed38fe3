"""Inspections at the desk: the list, one visit, its photos, and two versions of one change."""

import copy
import hashlib
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from gis.inspections import photo_store
from gis.inspections.model import ChangeVariant, Inspection
from gis.journal import JournalEntry
from tests.conftest import NOW
from tests.factories import make_area, make_site, make_unit, square
from tests.phones import picture, submitting, visit


def _visit(phone, site, answer="yes", **fields):
    payload = visit(answer, site_id=site.id, **fields)
    (result,) = phone.sync(submitting(payload))
    assert result["verdict"] == "applied", result
    return uuid.UUID(payload["inspection_id"])


def test_the_list_is_narrowed_by_area_unit_day_and_what_was_not_kept(session, sign_in, phone_of):
    district, unit = make_area(session), make_unit(session)
    compound = make_area(session, level="compound", parent_id=district.id)
    here = make_site(session, name="文丰小区庭院管网", area_id=compound.id, unit_id=unit.id)
    there = make_site(session, name="别处工地")
    phone = phone_of()
    _visit(phone, here, "no")
    old = _visit(phone, there)
    session.get(Inspection, old).received_at = NOW - timedelta(days=9)
    session.commit()
    client = sign_in("supervisor")

    def places(query: str) -> set[str]:
        page = client.get(f"/inspections?{query}")
        assert page.status_code == 200
        return {name for name in (here.name, there.name) if name in page.text}

    assert places("") == {here.name, there.name}
    for query in (
        f"district={district.id}",
        f"unit={unit.id}",
        "no=1",
        "from=2009-11-17",
        "from=2009-11-17&to=2009-11-17",
    ):
        assert places(query) == {here.name}, query
    assert places("to=2009-11-10") == {there.name}
    assert places("from=2010-01-01") == set()
    assert client.get("/inspections?unit=x").status_code == 422
    assert "这里还没有检查" in client.get("/inspections?from=2010-01-01").text


def test_a_bound_person_sees_the_own_area_only(session, sign_in, phone_of):
    district, other = make_area(session), make_area(session)
    phone = phone_of()
    own = _visit(phone, make_site(session, name="自己的工地", area_id=district.id))
    foreign = _visit(phone, make_site(session, name="别区的工地", area_id=other.id))
    client = sign_in("planner", area_id=district.id)
    page = client.get("/inspections").text
    assert "自己的工地" in page and "别区的工地" not in page
    assert client.get(f"/inspections/{own}").status_code == 200
    assert client.get(f"/inspections/{foreign}").status_code == 404
    assert client.get(f"/inspections/{uuid.uuid4()}").status_code == 404


@pytest.fixture
def shown(session, phone_of):
    """A visit with a broken promise, a photo and a position 120 m away."""
    site, phone = make_site(session), phone_of()
    data = picture(900, 700)
    photo = phone.put_photo(data, **{"X-File-Name": "%E9%94%85%E7%82%89%E6%88%BF.jpg"}).json["sha256"]
    position = {"lon": 119.96, "lat": 36.78 + 120 / 111_320, "accuracy_m": 9}
    shot = {"sha256": photo, "item_id": "4.1", "taken_at": "2009-11-17T01:58:00Z", "position": position}
    payload = visit(site_id=site.id, position=position, photos=[shot])
    by_id = {a["item_id"]: a for a in payload["answers"]}
    by_id["4.1"] |= {"answer": "no", "note": "<script>alert(1)</script>"}
    by_id["3.3"] |= {"answer": "no"}
    phone.sync(submitting(payload))
    return payload["inspection_id"], photo, data


def test_one_visit_is_told_by_pledge_with_what_is_missing(sign_in, shown):
    client = sign_in("dispatcher")
    page = client.get(f"/inspections/{shown[0]}").text
    for text in (
        "现场洁",
        "无乱搭乱建",
        "&lt;script&gt;alert(1)",
        "须写备注",
        "距地点 120 米",
        f"/photos/{shown[1]}/thumb",
    ):
        assert text in page, text
    assert "<script>alert" not in page
    client.set_cookie("language", "en")
    assert "No unauthorised structures put up" in client.get(f"/inspections/{shown[0]}").text


def test_a_photo_is_served_as_nothing_but_a_picture(session, sign_in, shown):
    client = sign_in("dispatcher")
    answer = client.get(f"/photos/{shown[1]}")
    assert (answer.data, answer.mimetype) == (shown[2], "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''%E9%94%85%E7%82%89%E6%88%BF.jpg"
    small = client.get(f"/photos/{shown[1]}/thumb")
    assert small.mimetype == "image/jpeg" and len(small.data) < 20_000
    bound = sign_in("dispatcher", area_id=make_area(session, geom=square(121.4, 37.4)).id)
    for path in (f"/photos/{shown[1]}", f"/photos/{shown[1]}/thumb", "/photos/" + "0" * 64, "/photos/..%2fx"):
        assert bound.get(path).status_code == 404


def test_a_polyglot_is_only_ever_a_picture(session, sign_in, phone_of):
    phone = phone_of()
    data = picture() + b"<html><script>alert(document.cookie)</script>"
    sha256 = phone.put_photo(data, **{"X-File-Name": "a.html", "Content-Type": "text/html"}).json["sha256"]
    shot = {"sha256": sha256, "item_id": None, "taken_at": "2009-11-17T01:58:00Z", "position": None}
    _visit(phone, make_site(session), photos=[shot])
    answer = sign_in("dispatcher").get(f"/photos/{sha256}")
    assert answer.mimetype == "image/jpeg" and "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_photo_that_breaks_in_the_middle_has_no_small_picture_and_breaks_nothing(app, session, sign_in, phone_of):
    phone, data = phone_of(), picture(400, 400)[:300] + bytes(2000)
    sha256 = hashlib.sha256(data).hexdigest()
    answer = phone.put_photo(data)
    if answer.status_code != 200:
        pytest.fail(answer.text)
    shot = {"sha256": sha256, "item_id": "4.1", "taken_at": "2009-11-17T01:58:00Z", "position": None}
    _visit(phone, make_site(session), photos=[shot])
    client = sign_in("dispatcher")
    small = client.get(f"/photos/{sha256}/thumb")
    assert small.status_code in (200, 422)  # a decoder may make something of the rest
    photo_store.path_of(app.config["SETTINGS"].files_dir, sha256).unlink()
    assert client.get(f"/photos/{sha256}").status_code == 404


def test_two_versions_stand_side_by_side_until_somebody_has_looked(session, sign_in, phone_of):
    site, phone = make_site(session), phone_of("inspector", full_name="王检")
    first = submitting(visit(site_id=site.id))
    second = copy.deepcopy(first)
    second["payload"]["answers"][0]["answer"] = "no"
    second["payload"]["note"] = "后来改了"
    phone.sync(first, second)
    phone.sync(submitting(visit(site_id=site.id, stage="during", answers=[{"item_id": "4.7", "answer": "yes"}])))
    client = sign_in("supervisor")
    page = client.get("/inspections/review").text
    for text in ("1.1 公示安装设计 · 答案", "后来改了", "王检", "4.7 完工后才检查"):
        assert text in page, text
    variant = session.scalars(select(ChangeVariant)).one()
    assert client.post(f"/inspections/review/{variant.id}").status_code == 302
    session.refresh(variant)
    assert (variant.reviewed_at, variant.reviewed_by) == (NOW, client.user.id)
    assert "后来改了" not in client.get("/inspections/review").text
    assert "后来改了" in client.get("/inspections/review?all=1").text
    client.post(f"/inspections/review/{variant.id}")
    reviews = session.scalars(select(JournalEntry).where(JournalEntry.verb == "review")).all()
    assert len(reviews) == 1
    assert client.post("/inspections/review/999999").status_code == 404


def test_a_dispatcher_does_not_review_and_a_bound_supervisor_sees_the_own_people_only(session, sign_in, phone_of):
    district, other = make_area(session), make_area(session)
    site = make_site(session, area_id=district.id)
    phone = phone_of("inspector", area_id=district.id)
    first = submitting(visit(site_id=site.id))
    phone.sync(first, first | {"at": "2009-11-17T01:00:00Z"})
    variant = session.scalars(select(ChangeVariant)).one()
    assert sign_in("dispatcher").get("/inspections/review").status_code == 403
    assert str(first["id"]) in sign_in("supervisor", area_id=district.id).get("/inspections/review").text
    foreign = sign_in("supervisor", area_id=other.id)
    assert str(first["id"]) not in foreign.get("/inspections/review").text
    assert foreign.post(f"/inspections/review/{variant.id}").status_code == 404
