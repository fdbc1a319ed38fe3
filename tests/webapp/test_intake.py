"""The call-taker's form: kept at once, or given back with everything typed and each error beside its field."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from gis.complaints.model import Caller, Complaint
from gis.geo import wgs84_to_gcj02
from gis.journal import JournalEntry
from tests.factories import PINGDU, make_area, make_complaint, square

GOOD = {
    "channel": "12319", "category": "heat.none", "description": "家里暖气不热", "place": "文丰小区3号楼", "datum": "wgs84",
    "lon": str(PINGDU[0]), "lat": str(PINGDU[1]), "caller_name": "张三", "caller_phone": "138 1234 5678", "door_no": "2单元501",
}  # fmt: skip


def only(session):
    return session.scalars(select(Complaint)).one()


def error_beside(page, field):
    found = re.search(rf'id="{field}-error"[^>]*>([^<]*)<', page)
    return unescape(found[1]).strip() if found else None


def test_a_call_is_kept_and_its_number_told(session, sign_in):
    client = sign_in("call_taker", full_name="李接线")
    answer = client.post("/complaints", data=GOOD, follow_redirects=True)
    assert answer.status_code == 200
    assert "CM20091117-000001" in answer.text
    made = only(session)
    assert (made.received_by, made.channel, made.located, made.complexity) == (
        client.user.id,
        "12319",
        "located",
        "ordinary",
    )
    caller = session.get(Caller, made.id)
    assert (caller.name, caller.phone, caller.door_no) == ("张三", "13812345678", "2单元501")
    assert "张三" not in answer.text
    assert "13812345678" not in answer.text


def test_the_call_taker_s_own_details_are_never_the_caller_s(session, sign_in):
    client = sign_in("call_taker", full_name="李接线")
    client.post("/complaints", data=GOOD | {"caller_name": "", "caller_phone": "", "door_no": ""})
    made = only(session)
    assert session.get(Caller, made.id) is None
    assert made.received_by == client.user.id
    assert "李接线" not in re.findall(r'name="caller_name"[^>]*', client.get("/complaints/new").text)[0]


def test_every_wrong_field_is_told_beside_it_and_nothing_typed_is_lost(session, sign_in):
    wrong = {
        "channel": "fax", "category": "", "description": " ", "place": "长" * 301, "lon": "36.78", "lat": "119.96",
        "caller_phone": "12", "caller_name": "名" * 81, "hotline_no": "号" * 61, "door_no": "2单元<501>\"'&",
        "complexity": "easy", "datum": "wgs84",
    }  # fmt: skip
    answer = sign_in("call_taker").post("/complaints", data=wrong)
    assert answer.status_code == 422
    page = answer.text
    for field in (
        "channel",
        "category",
        "description",
        "place",
        "position",
        "caller_phone",
        "caller_name",
        "hotline_no",
        "complexity",
    ):
        assert error_beside(page, field), field
    assert error_beside(page, "door_no") is None
    assert "颠倒" in error_beside(page, "position")
    for field in ("lon", "lat", "caller_phone", "caller_name", "hotline_no", "door_no", "place"):
        typed = re.search(rf'name="{field}" value="([^"]*)"', page)[1]
        assert unescape(typed) == wrong[field], field
    assert session.scalar(select(Complaint.id)) is None
    assert session.scalars(select(JournalEntry).where(JournalEntry.verb == "receive")).all() == []


def test_a_description_that_was_refused_is_still_in_the_form(sign_in):
    answer = sign_in("call_taker").post(
        "/complaints", data=GOOD | {"category": "nope", "description": "家里<b>不热</b>"}
    )
    assert "家里&lt;b&gt;不热&lt;/b&gt;" in answer.text
    assert re.search(r'<option value="12319" selected>', answer.text)


def test_a_place_in_words_is_enough_and_no_place_is_not(session, sign_in):
    client = sign_in("call_taker")
    answer = client.post("/complaints", data=GOOD | {"lon": "", "lat": "", "place": ""})
    assert error_beside(answer.text, "place")
    assert client.post("/complaints", data=GOOD | {"lon": "", "lat": ""}).status_code == 303
    assert only(session).located == "not_located"


@pytest.mark.parametrize(
    ("lon", "lat"), [("119.96", ""), ("", "36.78"), ("x", "36.78"), ("119,96", "36.78"), ("nan", "1"), ("1e999", "1")]
)
def test_half_a_position_is_told(session, sign_in, lon, lat):
    answer = sign_in("call_taker").post("/complaints", data=GOOD | {"lon": lon, "lat": lat})
    assert answer.status_code == 422
    assert error_beside(answer.text, "position")


def test_coordinates_of_a_declared_system_are_converted(session, sign_in):
    x, y = wgs84_to_gcj02(*PINGDU)
    area = make_area(session, geom=square(half=0.0005))
    sign_in("call_taker").post("/complaints", data=GOOD | {"datum": "gcj02", "lon": str(x), "lat": str(y)})
    assert only(session).district_id == area.id


def test_coordinates_of_another_system_are_asked_about_and_kept_when_they_are_right(session, sign_in):
    make_area(session, geom=square(half=0.006))
    client = sign_in("call_taker")
    elsewhere = GOOD | {"lon": str(PINGDU[0] + 0.012), "lat": str(PINGDU[1] + 0.006)}
    answer = client.post("/complaints", data=elsewhere)
    assert "百度" in error_beside(answer.text, "position")
    assert 'data-use-datum="bd09"' in answer.text
    assert client.post("/complaints", data=elsewhere | {"sure": "1"}).status_code == 303
    assert only(session).located == "located"


def test_a_number_of_another_hotline_is_kept_once(session, sign_in):
    client = sign_in("call_taker")
    other = GOOD | {"hotline_no": "JN-2009-88"}
    assert "JN-2009-88" in client.post("/complaints", data=other, follow_redirects=True).text
    answer = client.post("/complaints", data=other)
    assert answer.status_code == 422
    assert error_beside(answer.text, "hotline_no") == "该工单编号已被使用。"
    assert len(session.scalars(select(Complaint)).all()) == 1


def test_a_number_is_told_only_to_who_took_the_call(session, sign_in):
    made = make_complaint(session, place="别人的电话")
    for text in (str(made.id), "999999", "0"):
        answer = sign_in("call_taker").get(f"/complaints/new?made={text}")
        assert answer.status_code == 200
        assert "别人的电话" not in answer.text
    assert sign_in("call_taker").get("/complaints/new?made=x").status_code == 422


def test_the_form_speaks_english_too(sign_in):
    page = sign_in("call_taker", language="en").get("/complaints/new").text
    assert "What the caller says" in page
    assert "No heat" in page
    assert not re.search(r"[一-鿿]", re.sub(r"中文|测试|用户\d+", "", page))


@pytest.mark.parametrize("role", ["planner", "follow_up_caller", "unit_handler", "crew", "inspector"])
def test_who_does_not_take_calls_has_no_form(sign_in, role):
    client = sign_in(role)
    assert client.get("/complaints/new").status_code == 403
    assert client.post("/complaints", data=GOOD).status_code == 403


def test_a_year_without_a_calendar_is_kept_and_marked(session, app, sign_in):
    from datetime import UTC, datetime

    app.config["CLOCK"] = lambda: datetime(2030, 12, 30, 2, tzinfo=UTC)
    client = sign_in("call_taker")
    assert client.get("/complaints/deadline.json?category=heat.noise").get_json()["missing_years"] == [2030, 2031]
    assert client.post("/complaints", data=GOOD | {"complexity": "complex"}).status_code == 303
    assert only(session).calendar_missing
    assert "缺少相应年份的工作日历" in client.get(f"/complaints/{only(session).id}").text


# --- the record -----------------------------------------------------------------------------------------------------
def test_the_record_shows_the_caller_behind_stars_until_a_purpose_is_said(session, sign_in):
    client = sign_in("call_taker", full_name="李接线")
    client.post("/complaints", data=GOOD)
    made = only(session)
    page = client.get(f"/complaints/{made.id}").text
    assert "138****5678" in page
    assert "13812345678" not in page
    refused = client.post(f"/complaints/{made.id}/caller", data={"purpose": ""})
    assert refused.status_code == 422
    assert "须先说明用途" in refused.text
    assert "13812345678" not in refused.text
    told = client.post(f"/complaints/{made.id}/caller", data={"purpose": "visit"})
    assert "13812345678" in told.text
    assert "2单元501" in told.text
    assert "上门联系" in client.get(f"/complaints/{made.id}").text
    in_words = client.post(f"/complaints/{made.id}/caller", data={"purpose": "visit", "purpose_text": "核对门牌号"})
    assert in_words.status_code == 200
    verbs = [
        e.data["purpose"]
        for e in session.scalars(select(JournalEntry).where(JournalEntry.verb == "unmask").order_by(JournalEntry.seq))
    ]
    assert verbs == ["visit", "核对门牌号"]


def test_who_may_not_unmask_sees_the_record_without_the_question(session, sign_in):
    sign_in("call_taker").post("/complaints", data=GOOD)
    made = only(session)
    planner = sign_in("planner")
    page = planner.get(f"/complaints/{made.id}").text
    assert "138****5678" in page
    assert 'name="purpose"' not in page
    assert planner.post(f"/complaints/{made.id}/caller", data={"purpose": "visit"}).status_code == 403
    other = sign_in("dispatcher", area_id=make_area(session).id)
    assert other.get(f"/complaints/{made.id}").status_code == 404
    assert other.post(f"/complaints/{made.id}/caller", data={"purpose": "visit"}).status_code == 404


def test_the_same_number_of_a_channel_shows_the_earlier_complaint_instead_of_a_second(sign_in, session):
    client = sign_in("call_taker")
    given = {
        "channel": "12345",
        "source_no": "SZ-2009-7",
        "category": "heat.none",
        "description": "不热",
        "place": "文丰小区",
    }
    assert client.post("/complaints", data=given).status_code == 303
    again = client.post("/complaints", data=given | {"description": "另外的话"})
    page = again.get_data(as_text=True)
    first = session.scalars(select(Complaint)).one()
    assert again.status_code == 422 and first.hotline_no in page and f"/complaints/{first.id}" in page
    assert "另外的话" in page  # nothing that was typed is lost
    assert client.post("/complaints", data=given | {"channel": "12319"}).status_code == 303


def test_a_companys_line_is_a_channel_of_the_form_and_an_unknown_one_is_refused(sign_in, session):
    from gis.complaints.lines import add_line, switch_line
    from gis.journal import Who
    from tests.conftest import NOW

    line = add_line(session, Who(NOW), "heat_hotline", "兴平热电热线", None, None)
    session.commit()
    client = sign_in("call_taker")
    assert "兴平热电热线" in client.get("/complaints/new").get_data(as_text=True)
    given = {"channel": f"heat_hotline#{line.id}", "category": "heat.none", "description": "不热", "place": "文丰小区"}
    assert client.post("/complaints", data=given).status_code == 303
    assert session.scalars(select(Complaint)).one().line_id == line.id
    for wrong in ("heat_hotline#999", f"gas_hotline#{line.id}", "heat_hotline#x", "fax"):
        assert client.post("/complaints", data=given | {"channel": wrong}).status_code == 422
    switch_line(session, Who(NOW), line.id, 1, False)
    session.commit()
    assert client.post("/complaints", data=given).status_code == 422


def test_a_vulnerable_household_is_marked_kept_with_the_caller_and_shown_as_a_mark_only(session, sign_in):
    sign_in("call_taker").post("/complaints", data=GOOD | {"vulnerable_old": "1", "vulnerable_low_income": "1"})
    made = only(session)
    assert session.get(Caller, made.id).vulnerable == ["low_income", "old"]
    dispatcher = sign_in("dispatcher")
    assert dispatcher.get(f"/complaints/{made.id}.json").json["vulnerable"] == ["困难", "老人"]
    page = dispatcher.get(f"/complaints/{made.id}").text
    assert "困难家庭" in page and "张三" not in page


def test_a_mark_of_the_household_is_not_lost_where_another_field_is_wrong(session, sign_in):
    answer = sign_in("call_taker").post("/complaints", data=GOOD | {"caller_phone": "12", "vulnerable_weak": "1"})
    assert answer.status_code == 422
    assert "checked" in re.findall(r'name="vulnerable_weak"[^>]*', answer.text)[0]
    assert "checked" not in re.findall(r'name="vulnerable_old"[^>]*', answer.text)[0]
