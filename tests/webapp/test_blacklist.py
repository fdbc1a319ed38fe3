"""The page of the blacklist: added with a reason and a source, seen in the ranking, lifted."""

from __future__ import annotations

from sqlalchemy import select

from gis.people.model import Blacklisting
from tests.factories import make_area, make_complaint, make_crew, make_site, make_unit, make_user
from tests.sites import make_worker

WHY = {"reason": "施工中三次违诺", "source": "检查通报第 7 号"}


def entries(session):
    session.expire_all()
    return list(session.scalars(select(Blacklisting).order_by(Blacklisting.id)))


def test_a_supervisor_blacklists_a_unit_and_lifts_it_and_the_dispatcher_is_told(session, sign_in):
    unit = make_unit(session, name="某管道公司")
    crew, complaint = make_crew(session, unit_id=unit.id), make_complaint(session)
    session.commit()
    supervisor, dispatcher = sign_in("supervisor"), sign_in("dispatcher")
    done = supervisor.post(
        "/blacklist", data={"whom": f"unit-{unit.id}", "until": "2009-12-31", **WHY}, follow_redirects=True
    )
    assert done.status_code == 200 and "不再派工" in done.text and "施工中三次违诺" in done.text
    (offered,) = dispatcher.get(f"/complaints/{complaint.id}/crews.json").json["crews"]
    assert offered["refused"] and offered["codes"] == ["blacklisted"]
    assert offered["violations"] == ["某管道公司 在黑名单中（截至 01-01 00:00）"]
    asked = {"complaint_id": complaint.id, "crew_id": crew.id, "base_version": 1, "override_reason": "急"}
    refused = dispatcher.post("/work-orders", json=asked)
    assert (refused.status_code, refused.json["code"]) == (409, "crew_blacklisted") and "某管道公司" in refused.text
    (entry,) = entries(session)
    lifted = supervisor.post(
        f"/blacklist/{entry.id}/lift", data={"reason": "整改完毕", "version": entry.version}, follow_redirects=True
    )
    assert "已解除" in lifted.text and "整改完毕" in lifted.text
    assert dispatcher.post("/work-orders", json=asked | {"override_reason": None}).status_code == 201


def test_a_person_of_a_contractor_is_reached_from_the_site_named_in_part_and_taken_off(session, sign_in):
    site = make_site(session, contractor_id=make_unit(session, kind="contractor", name="某施工公司").id)
    worker = make_worker(session, site, name="赵六六")
    session.commit()
    boss = sign_in("supervisor")
    link = f"/blacklist?whom=worker-{worker.id}"
    assert link in boss.get(f"/sites/{site.id}").text
    form = boss.get(link).text
    assert f'value="worker-{worker.id}" selected' in form and "某施工公司" in form and "赵六六" not in form
    done = boss.post("/blacklist", data={"whom": f"worker-{worker.id}", "until": "", **WHY}, follow_redirects=True)
    assert done.status_code == 200 and "赵**" in done.text and "施工人员" in done.text and "赵六六" not in done.text
    page = boss.get(f"/sites/{site.id}").text
    assert link not in page and "已离场" in page
    handler = sign_in("dispatcher")
    refused = handler.post(f"/sites/{site.id}/persons", data={"worker_id": worker.id}, follow_redirects=True)
    assert "不得进入工地" in refused.text
    district = sign_in("supervisor", area_id=make_area(session).id)
    assert district.post("/blacklist", data={"whom": f"worker-{worker.id}", "until": "", **WHY}).status_code == 403
    assert "赵**" not in district.get("/blacklist").text


def test_what_is_missing_is_said_and_nothing_typed_is_lost(session, sign_in):
    unit = make_unit(session)
    session.commit()
    supervisor = sign_in("supervisor")
    whole = {"whom": f"unit-{unit.id}", "until": "", **WHY}
    for field, wrong, told in (
        ("reason", " ", "请填写理由"), ("source", "", "请填写依据"), ("until", "2009-11-01", "截止日已过"), ("until", "soon", "截止日已过"),
        ("whom", "", "请选择单位或人员"), ("whom", "unit-x", "请选择单位或人员"),
    ):  # fmt: skip
        answer = supervisor.post("/blacklist", data=whole | {field: wrong})
        assert answer.status_code == 422 and told in answer.text, (field, answer.status_code)
        if field != "reason":
            assert f'value="{WHY["reason"]}"' in answer.text
    assert not entries(session)
    assert supervisor.post("/blacklist", data=whole | {"whom": "unit-999999"}).status_code == 404
    assert supervisor.post("/blacklist", data=whole).status_code == 302
    twice = supervisor.post("/blacklist", data=whole)
    assert twice.status_code == 409 and "已在黑名单中" in twice.text and len(entries(session)) == 1


def test_who_is_bound_to_a_district_blacklists_its_people_and_no_unit(session, sign_in):
    area, unit = make_area(session), make_unit(session)
    own, other = make_user(session, area_id=area.id), make_user(session)
    session.commit()
    bound = sign_in("supervisor", area_id=area.id)
    assert bound.post("/blacklist", data={"whom": f"unit-{unit.id}", **WHY}).status_code == 403
    assert bound.post("/blacklist", data={"whom": f"user-{other.id}", **WHY}).status_code == 404
    assert bound.post("/blacklist", data={"whom": f"user-{own.id}", **WHY}).status_code == 302
    assert [entry.user_id for entry in entries(session)] == [own.id]


def test_a_dispatcher_neither_sees_nor_changes_the_list(sign_in):
    dispatcher = sign_in("dispatcher")
    assert (
        dispatcher.get("/blacklist").status_code == 403 and dispatcher.post("/blacklist", data=WHY).status_code == 403
    )
