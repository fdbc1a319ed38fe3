"""GeoReport v2 as its specification says: services, reporting, tokens, reading; and what is never told."""

from __future__ import annotations

import io
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from PIL import Image
from sqlalchemy import func, select

from gis import journal
from gis.complaints import actions
from gis.complaints.georeport_model import OpenRequest
from gis.complaints.model import Caller, Complaint
from gis.journal import Who
from gis.people import keys
from gis.portal.model import ComplaintPhoto
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit


def test_discovery_says_where_and_in_which_formats(client):
    told = client.get("/open311/discovery.json").json
    assert told["endpoints"][0]["url"].endswith("/open311/v2")
    assert told["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    root = ElementTree.fromstring(client.get("/open311/discovery.xml").data)
    assert root.findtext("endpoints/endpoint/specification") == "http://wiki.open311.org/GeoReport_v2"
    assert [f.text for f in root.iter("format")] == ["text/xml", "application/json"]


def test_both_formats_say_the_same_with_their_charset(client):
    answer = client.get("/open311/v2/services.xml")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.data.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    in_json = client.get("/open311/v2/services.json")
    assert in_json.headers["Content-Type"] == "application/json; charset=utf-8"
    from_xml = [{field.tag: field.text or "" for field in service} for service in ElementTree.fromstring(answer.data)]
    words = {True: "true", False: "false"}
    assert from_xml == [{k: words.get(v, v) for k, v in service.items()} for service in in_json.json]


def test_without_an_ending_what_is_accepted_decides_and_xml_is_the_rule(client):
    assert client.get("/open311/v2/services").mimetype == "text/xml"
    assert client.get("/open311/v2/services", headers={"Accept": "application/json"}).mimetype == "application/json"
    assert client.get("/open311/v2/services.html").status_code == 404


def test_services_speak_the_language_that_is_accepted(client):
    def first(language):
        return client.get("/open311/v2/services.json", headers={"Accept-Language": language}).json[0]["service_name"]

    assert (first("zh-CN,zh;q=0.9"), first("en-GB")) == ("室温不达标", "Room too cold")


def test_a_definition_lists_its_questions_in_order(client):
    told = client.get("/open311/v2/services/heat.cold.json").json
    assert told["service_code"] == "heat.cold"
    assert [a["order"] for a in told["attributes"]] == [1, 2, 3]
    assert told["attributes"][1]["values"][0] == {"key": "living_room", "name": "客厅"}
    root = ElementTree.fromstring(client.get("/open311/v2/services/heat.cold.xml").data)
    assert root.findtext("attributes/attribute/code") == "room_temperature_c"
    assert client.get("/open311/v2/services/nothing.json").status_code == 404


def test_a_report_is_a_complaint_with_its_caller_apart(session, client, send):
    area = make_area(session)
    session.commit()
    answer = send(description="路面塌陷，联系13812345678", first_name="伟", last_name="张", phone="139 1234 5678",
                  email="z@example.cn", media_url="https://example.cn/1.jpg", device_id="d1", account_id="a1",
                  address_string="人民路120号", **{"attribute[traffic]": "blocked"})  # fmt: skip
    assert answer.status_code == 200
    [told] = answer.json
    assert told["account_id"] == "a1"
    assert "2009-11-17" in told["service_notice"] or "2009-11-20" in told["service_notice"]
    row = session.scalar(select(Complaint).where(Complaint.hotline_no == told["service_request_id"]))
    assert (row.channel, row.category, row.district_id) == ("open311", "road.damage", area.id)
    caller = session.get(Caller, row.id)
    assert (caller.name, caller.phone, caller.email) == ("张伟", "13912345678", "z@example.cn")
    beside = session.get(OpenRequest, row.id)
    assert beside.answers == {"traffic": ["blocked"]}
    assert beside.media_url == "https://example.cn/1.jpg"
    read = client.get(f"/open311/v2/requests/{told['service_request_id']}.json").text
    for private in ("13912345678", "13812345678", "张伟", "z@example.cn", "1.jpg"):
        assert private not in read
    assert "138****5678" in read
    assert "人民路120号" in read


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"api_key": ""}, 403), ({"api_key": "cmk_x"}, 403), ({"service_code": ""}, 400),
        ({"service_code": "no.such"}, 404), ({"service_code": "a\0b"}, 404), ({"lat": "", "long": ""}, 400),
        ({"lat": "36.78", "long": ""}, 400), ({"lat": "north"}, 400), ({"lat": "nan"}, 400), ({"lat": "91"}, 400),
        ({"long": "inf"}, 400), ({"phone": "call me"}, 400), ({"email": "nobody"}, 400),
        ({"media_url": "javascript:alert(1)"}, 400), ({"media_url": "https://e.cn/" + "x" * 2000}, 400),
        ({"description": "x" * 4001}, 400), ({"attribute[nothing]": "1"}, 400), ({"attribute[traffic]": "much"}, 400),
        ({"lat": "", "long": "", "address_id": "nowhere"}, 400), ({"device_id": "x" * 201}, 400),
        ({"client_ref": "x" * 101}, 400), ({"service_code": "gas.meter"}, 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("fmt", ["json", "xml"])
def test_what_is_wrong_is_told_in_the_shape_of_the_specification(send, session, fields, status, fmt):
    answer = send(fmt, **fields)
    assert answer.status_code == status
    if fmt == "json":
        assert answer.json[0]["code"] == status
        assert answer.json[0]["description"]
    else:
        root = ElementTree.fromstring(answer.data)
        assert root.tag == "errors"
        assert root.findtext("error/code") == str(status)
        assert root.findtext("error/description")
    assert session.scalar(select(func.count()).select_from(Complaint)) == 0


def test_everything_wrong_is_told_at_once(send):
    answer = send(email="x", phone="y", lat="z", **{"attribute[none]": "1"})
    assert answer.status_code == 400
    assert len(answer.json) == 4


def test_a_key_without_the_right_may_not_report(client, session):
    secret, _ = keys.make_key(session, Who(NOW), name="r", unit_id=make_unit(session).id, rights=["see_network"])
    session.commit()
    answer = client.post("/open311/v2/requests.json", data={"api_key": secret, "service_code": "heat.none"})
    assert answer.status_code == 403


def test_only_a_form_is_a_report(client, key):
    answer = client.post(
        "/open311/v2/requests.json", json={"service_code": "x"}, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 400


def test_a_cookie_alone_reports_nothing(sign_in):
    answer = sign_in("call_taker").post("/open311/v2/requests.json", data={"service_code": "heat.none"})
    assert answer.status_code == 403


def test_the_same_reference_is_the_same_report(send, session, client, key):
    first, again = (send(headers={"Idempotency-Key": "r-1"}) for _ in range(2))
    assert first.json == again.json
    assert (first.headers["Idempotent-Replay"], again.headers["Idempotent-Replay"]) == ("false", "true")
    assert send(client_ref="r-1").json == first.json
    other = send(client_ref="r-1", description="something else")
    assert other.status_code == 400
    assert session.scalar(select(func.count()).select_from(Complaint)) == 1
    secret, _ = keys.make_key(session, Who(NOW), name="k", unit_id=make_unit(session).id, rights=["receive_complaint"])
    session.commit()
    assert send(client_ref="r-1", api_key=secret).json != first.json


def test_a_token_is_given_when_it_is_asked_for_and_leads_to_the_number(send, client, session):
    [told] = send(headers={"Prefer": "respond-async"}).json
    assert "service_request_id" not in told
    number = session.scalar(select(Complaint.hotline_no))
    found = client.get(f"/open311/v2/tokens/{told['token']}.json").json
    assert found == [{"service_request_id": number, "token": told["token"]}]
    for wrong in ("nothing", "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"/open311/v2/tokens/{wrong}.xml").status_code == 404


def test_an_address_id_is_a_code_of_an_area_or_of_the_gazetteer(send, session):
    area = make_area(session, code="XQ-7", name="阳光小区", level="compound")
    session.commit()
    assert send(lat="", long="", address_id="XQ-7").status_code == 200
    row = session.scalar(select(Complaint))
    assert (row.place, row.located, row.compound_id) == ("阳光小区", "located", area.id)


def test_a_home_is_told_as_a_cell_and_a_street_as_a_place(session, client):
    community = make_area(session, level="community", name="城关社区")
    make_complaint(session, at=(119.961234, 36.781234), community_id=community.id, place="阳光小区3号楼2单元501室",
                   hotline_no="H1", description="王大爷家冷")  # fmt: skip
    make_complaint(
        session, at=(119.961234, 36.781234), place="人民路120号3号楼前", category="light.out", hotline_no="S1"
    )
    session.commit()
    [home] = client.get("/open311/v2/requests/H1.json").json
    assert (home["long"], home["lat"]) == (119.9625, 36.7825)
    assert (home["address"], home["description"]) == ("城关社区", "")
    [street] = client.get("/open311/v2/requests/S1.json").json
    assert (street["long"], street["lat"], street["address"]) == (119.9612, 36.7812, "人民路120号")


def test_a_status_is_open_or_closed_and_its_words_say_more(session, client):
    row = make_complaint(session, status="confirmed", closed_at=NOW - timedelta(minutes=5), hotline_no="C1")
    make_complaint(session, hotline_no="O1")
    session.commit()
    [closed] = client.get("/open311/v2/requests.json?status=closed").json
    assert (closed["service_request_id"], closed["status"]) == ("C1", "closed")
    assert closed["updated_datetime"] == "2009-11-17T09:55:00+08:00"
    [opened] = client.get("/open311/v2/requests.json?status=open").json
    assert (opened["status"], opened["status_notes"]) == ("open", "已受理")
    assert opened["expected_datetime"] == "2009-11-17T15:00:00+08:00"
    assert len(client.get("/open311/v2/requests.json?status=open,closed").json) == 2
    assert row.id


def test_ninety_days_are_told_unless_others_are_asked_for(session, client):
    make_complaint(session, received_at=NOW - timedelta(days=91), hotline_no="OLD")
    make_complaint(session, received_at=NOW - timedelta(days=89), hotline_no="NEW")
    session.commit()

    def numbers(query=""):
        return [r["service_request_id"] for r in client.get(f"/open311/v2/requests.json{query}").json]

    assert numbers() == ["NEW"]
    assert numbers("?start_date=2009-08-01T00:00:00Z") == ["NEW", "OLD"]
    assert numbers("?end_date=2009-08-19T00:00:00Z") == ["OLD"]
    assert numbers("?service_request_id=OLD,NEW&status=closed") == ["NEW", "OLD"]
    assert numbers("?service_code=heat.none") == []
    assert numbers("?service_code=heat.none,heat.cold") == ["NEW"]
    assert client.get("/open311/v2/requests.json?start_date=2009-01-01&end_date=2009-11-01").status_code == 400


def test_pages_and_the_link_to_the_next(session, client):
    for n in range(5):
        make_complaint(session, received_at=NOW - timedelta(minutes=n), hotline_no=f"P{n}")
    session.commit()
    url, seen = "/open311/v2/requests.json?page_size=2", []
    while url:
        answer = client.get(url)
        seen += [r["service_request_id"] for r in answer.json]
        url = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert seen == ["P0", "P1", "P2", "P3", "P4"]


def test_what_changed_since_is_told_in_the_order_of_the_changes(session, client):
    a, b = make_complaint(session, hotline_no="A"), make_complaint(session, hotline_no="B")
    old = make_complaint(session, received_at=NOW - timedelta(days=200), hotline_no="OLD")
    for minutes, row, verb in ((3, b, "assign"), (1, old, "assign"), (0, a, "unmask")):
        journal.write(session, Who(NOW - timedelta(minutes=minutes)), verb, "complaint", row.id)
    session.commit()

    def numbers(query):
        return [r["service_request_id"] for r in client.get(f"/open311/v2/requests.json?{query}").json]

    assert numbers("updated_after=2009-11-17T09:50:00%2B08:00") == ["B", "OLD"]
    assert numbers("updated_after=2009-11-17T09:50:00+08:00&updated_before=2009-11-17T09:58:00+08:00") == ["B"]
    assert numbers("updated_before=2009-11-17T09:58:00Z") == ["A", "B", "OLD"]


@pytest.mark.parametrize("query", ["status=lost", "page=0", "page=x", "page_size=1001", "start_date=soon",
                                   "start_date=0001-01-01T00:00:00%2B14:00", "updated_after=9999-12-31T23:59:59-14:00",
                                   "service_code=" + "x" * 41, "service_code=a%00b"])  # fmt: skip
def test_a_question_that_cannot_be_read_is_400(client, query):
    assert client.get(f"/open311/v2/requests.json?{query}").status_code == 400


def test_a_jurisdiction_that_is_not_ours_is_404(app, client):
    assert client.get("/open311/v2/services.json?jurisdiction_id=anything").status_code == 200
    app.config["SETTINGS"].jurisdiction = "pingdu.gov.cn"
    assert client.get("/open311/v2/services.json?jurisdiction_id=pingdu.gov.cn").status_code == 200
    assert client.get("/open311/v2/services.json").status_code == 200
    assert client.get("/open311/v2/services.xml?jurisdiction_id=sfgov.org").status_code == 404


def test_characters_that_xml_cannot_hold_do_not_break_it(session, client):
    make_complaint(session, place="路\x0b\x01<&>\ud7ff", category="light.out", hotline_no="X1")
    session.commit()
    root = ElementTree.fromstring(client.get("/open311/v2/requests/X1.xml").data)
    assert "<&>" in root.findtext("request/address")


def test_a_key_that_calls_too_often_is_told_how_long_to_wait(client, session):
    secret, _ = keys.make_key(
        session, Who(NOW), name="k", unit_id=make_unit(session).id, rights=["receive_complaint"], per_minute=1
    )
    session.commit()
    data = {"api_key": secret, "service_code": "heat.none", "address_string": "城关"}
    assert client.post("/open311/v2/requests.json", data=data).status_code == 200
    answer = client.post("/open311/v2/requests.json", data=data)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


def test_a_report_without_words_is_called_as_its_service(send, session):
    send(lat="", long="", address_string="城关镇")
    row = session.scalar(select(Complaint))
    assert (row.description, row.located) == ("道路破损", "not_located")
    assert actions


def _photo(colour="red"):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    data.seek(0)
    return data


def test_photos_come_in_the_same_request_and_are_not_public(session, send, client):
    answer = send(media=[(_photo(), "a.png"), (_photo("blue"), "b.png")], client_ref="p-1")
    [told] = answer.json
    assert session.scalar(select(func.count()).select_from(ComplaintPhoto)) == 2
    assert send(media=[(_photo(), "a.png"), (_photo("blue"), "b.png")], client_ref="p-1").json == [told]
    assert session.scalar(select(func.count()).select_from(ComplaintPhoto)) == 2
    assert "media_url" not in client.get(f"/open311/v2/requests/{told['service_request_id']}.json").json[0]


@pytest.mark.parametrize("bad", [b"no picture at all", b""])
def test_what_is_no_photo_is_refused_with_the_whole_report(session, send, bad):
    answer = send(media=[(io.BytesIO(bad), "a.png")])
    assert answer.status_code == 400
    assert session.scalar(select(func.count()).select_from(Complaint)) == 0


def test_the_desk_sees_whose_program_it_was_and_the_email_only_for_a_purpose(session, send, sign_in):
    send(email="zhang@example.cn", media_url="https://example.cn/1.jpg", **{"attribute[traffic]": "blocked"})
    row = session.scalar(select(Complaint))
    desk = sign_in("dispatcher")
    page = desk.get(f"/complaints/{row.id}").text
    for shown in ("程序上报", "无法通行", "https://example.cn/1.jpg", "z***@example.cn"):
        assert shown in page
    assert "zhang@example.cn" not in page
    assert 'href="https://example.cn' not in page
    told = desk.post(f"/complaints/{row.id}/caller", data={"purpose": "call_back"}).text
    assert "zhang@example.cn" in told
