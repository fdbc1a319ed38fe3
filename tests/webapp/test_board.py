"""The board's routes: a day of crews and orders, what a place would mean, moving, locking, undoing, many at once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.dialects.postgresql import Range

from gis.dispatch import queries
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order


def post(client, path, **body):
    return client.post(path, json=body)


def test_the_board_tells_a_day_of_crews_shifts_orders_and_what_waits(session, sign_in):
    crew = make_crew(session, name="一班")
    order = make_order(session, crew=crew)
    waiting = make_complaint(session, place="文丰小区3号楼")
    body = sign_in("dispatcher").get("/board.json").json
    assert (body["day"], body["since"]) == ("2009-11-17", "2009-11-16T16:00:00Z")
    assert [c["name"] for c in body["crews"]] == ["一班"]
    assert body["shifts"] == [{"crew_id": crew.id, "start": "2009-11-16T22:00:00Z", "end": "2009-11-17T10:00:00Z"}]
    (told,) = body["orders"]
    assert (told["id"], told["status"], told["locked"], told["lapsed"]) == (order.id, "assigned", False, False)
    assert told["accept_by"] == "2009-11-17T02:10:00Z" and told["end"] == "2009-11-17T03:00:00Z"
    assert [c["id"] for c in body["waiting"]] == [waiting.id] and body["waiting_total"] == 1
    assert sign_in("dispatcher").get("/board.json?day=2009-11-18").json["orders"] == []
    assert sign_in("dispatcher").get("/board.json?day=tomorrow").status_code == 422


def test_of_an_order_of_another_district_the_board_tells_only_that_it_takes_time(session, sign_in):
    own, other = make_area(session), make_area(session)
    crew = make_crew(session, area_id=own.id)
    make_order(session, make_complaint(session, district_id=other.id, status="assigned", place="别处"), crew)
    body = sign_in("dispatcher", area_id=own.id).get("/board.json")
    assert set(body.json["orders"][0]) == {"id", "seen", "crew_id", "start", "end"} and "别处" not in body.text


def test_a_ghost_carries_sentences_and_who_is_in_the_way(session, sign_in):
    crew, complaint = make_crew(session), make_complaint(session)
    order = make_order(session, crew=crew)
    desk = sign_in("dispatcher")
    free = desk.get(f"/complaints/{complaint.id}/place.json?crew={crew.id}&start=2009-11-17T12:00:00%2B08:00").json
    assert (free["start"], free["end"], free["held"]) == ("2009-11-17T04:00:00Z", "2009-11-17T05:00:00Z", False)
    assert free["violations"] == [] and "具备工种：供热" in free["reasons"]
    held = desk.get(f"/complaints/{complaint.id}/place.json?crew={crew.id}&start=2009-11-17T02:30:00Z").json
    assert held["held"] and held["violations"] == [f"忙至 11:00（派工单 {order.order_no}）"]
    assert held["held_by"].startswith(f"{crew.name} 已被") and order.order_no in held["held_by"]
    own = f"/complaints/{order.complaint_id}/place.json?crew={crew.id}&order={order.id}&start=2009-11-17T02:30:00Z"
    assert desk.get(own).json["held"] is False
    for bad in ("", "&start=noon", "&start=2009-11-17T02:30:00"):
        assert desk.get(f"/complaints/{complaint.id}/place.json?crew={crew.id}{bad}").status_code == 422


def test_an_order_is_moved_locked_undone_and_taken_back(session, sign_in):
    crew, other, complaint = make_crew(session), make_crew(session, name="二班"), make_complaint(session)
    desk = sign_in("dispatcher")
    made = post(
        desk, "/work-orders", complaint_id=complaint.id, crew_id=crew.id, base_version=1, start="2009-11-17T06:00:00Z"
    )
    order = made.json["order"]
    assert order["start"] == "2009-11-17T06:00:00Z"
    path = f"/work-orders/{order['id']}"
    moved = post(desk, f"{path}/move", crew_id=crew.id, start="2009-11-17T05:00:00Z", base_version=1).json["order"]
    assert (moved["start"], moved["version"], moved["undo_until"]) == (
        "2009-11-17T05:00:00Z",
        2,
        "2009-11-17T02:01:00Z",
    )
    assert post(desk, f"{path}/undo").json["order"]["start"] == "2009-11-17T06:00:00Z"
    assert post(desk, f"{path}/lock", locked=True).json["order"]["locked"] is True
    refused = post(desk, f"{path}/move", crew_id=other.id)
    assert (refused.status_code, refused.json["code"]) == (409, "order_locked") and "已锁定" in refused.json["detail"]
    post(desk, f"{path}/lock", locked=False)
    given = post(desk, f"{path}/move", crew_id=other.id).json
    assert given["order"]["crew"] == "二班" and given["complaint"]["crew"]["name"] == "二班"
    back = post(desk, f"/work-orders/{given['order']['id']}/take-back", base_version=1)
    assert back.json["complaint"]["status"] == "received"


def test_many_at_once_are_all_done_or_none_and_each_failure_has_its_sentence(session, sign_in):
    make_crew(session, name="一班")
    rows = [make_complaint(session) for _ in range(2)]
    items = [{"id": c.id, "version": c.version} for c in rows]
    desk = sign_in("dispatcher")
    refused = post(desk, "/work-orders/together", verb="assign", items=items)
    assert (refused.status_code, refused.json["code"], refused.json["done"]) == (409, "not_all_done", 0)
    assert "2 件中有 1 件" in refused.json["detail"]
    failed = next(r for r in refused.json["results"] if not r["ok"])
    assert failed["why"] == "目前没有完全合适的班组可派。" and failed["place"].startswith("测试小区")
    assert all(queries.open_order(session, c.id) is None for c in rows)
    partly = post(desk, "/work-orders/together", verb="assign", items=items, each=True)
    assert (partly.status_code, partly.json["asked"], partly.json["done"]) == (200, 2, 1)
    assert sum(queries.open_order(session, c.id) is not None for c in rows) == 1
    assert post(desk, "/work-orders/together", verb="assign", items=[]).status_code == 422
    assert post(desk, "/work-orders/together", verb="resolve", items=items).status_code == 422


def test_many_at_once_stay_within_the_district(session, sign_in):
    own, other = make_area(session), make_area(session)
    hidden = make_complaint(session, district_id=other.id)
    crew = make_crew(session, at=(121.0, 37.0), area_id=other.id)
    desk = sign_in("dispatcher", area_id=own.id)
    answer = post(desk, "/work-orders/together", verb="assign", items=[{"id": hidden.id}], each=True)
    assert answer.json["results"][0]["code"] == "missing" and answer.json["results"][0]["place"] is None
    assert (
        post(desk, "/work-orders/together", verb="assign", items=[{"id": hidden.id}], crew_id=crew.id).status_code
        == 404
    )


def test_who_may_not_assign_may_not_move_either(session, sign_in):
    order = make_order(session, during=Range(NOW, NOW + timedelta(hours=1)))
    for role in ("call_taker", "planner", "administrator"):
        client = sign_in(role)
        assert client.get("/board.json").status_code == 200
        for path, body in (
            ("move", {"crew_id": order.crew_id}),
            ("lock", {"locked": True}),
            ("take-back", {}),
            ("undo", {}),
        ):
            assert post(client, f"/work-orders/{order.id}/{path}", **body).status_code == 403
