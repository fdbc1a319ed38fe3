"""The page of one complaint: sections, the forms of its steps, and what they answer."""

import pytest
from sqlalchemy import select

from gis import journal
from gis.complaints.model import Complaint
from gis.journal import JournalEntry, Who
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit


def page_of(client, made):
    return client.get(f"/complaints/{made.id}")


def step(client, made, verb, version=1, **given):
    return client.post(f"/complaints/{made.id}/step", data={"verb": verb, "base_version": version} | given)


def test_the_page_tells_what_where_who_the_clock_and_what_can_be_done(session, sign_in):
    made = make_complaint(session, description="打我电话13812345678", repeat_count=2, reopen_count=1, key_since=NOW,
                          answer="明天上门", sent_at=NOW)  # fmt: skip
    told = page_of(sign_in("dispatcher"), made).text
    for words in (
        "室温不达标",
        made.hotline_no,
        "138****5678",
        "重点督办",
        "3 人来电",
        "重办 1 次",
        "明天上门",
        "转办",
        "测试小区",
    ):
        assert words in told, words
    assert 'data-verb="send"' in told
    assert 'data-verb="cancel"' not in told
    english = sign_in("dispatcher", language="en")
    assert "Key supervision" in page_of(english, made).text


def test_a_step_of_the_page_is_made_and_told(session, sign_in):
    unit, made = make_unit(session), make_complaint(session)
    client = sign_in("dispatcher")
    answer = step(client, made, "send", unit_id=str(unit.id), note="请今天处理")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/complaints/{made.id}")
    session.refresh(made)
    assert (made.status, made.unit_id, made.sent_at) == ("sent", unit.id, NOW)
    told = page_of(client, made).text
    assert "已完成：转办" in told
    assert "请今天处理" in told


@pytest.mark.parametrize(("verb", "given", "status", "told"), [
    ("cancel", {"reason": "mistake"}, 422, "请填写"), ("cancel", {"reason": "no", "note": "x"}, 422, "无法识别"),
    ("confirm", {}, 409, "「已受理」，不能「回访确认」"), ("dance", {}, 422, ""),
])  # fmt: skip
def test_a_refused_step_shows_the_page_again_with_everything_typed(session, sign_in, verb, given, status, told):
    made = make_complaint(session)
    client = sign_in("supervisor")
    answer = step(client, made, verb, **given)
    assert answer.status_code == status, answer.text
    assert told in answer.text
    session.refresh(made)
    assert (made.status, made.version) == ("received", 1)
    assert not session.scalars(select(JournalEntry).where(JournalEntry.verb == verb)).all()


def test_a_form_that_was_filled_in_on_an_older_version_keeps_its_words(session, sign_in):
    made = make_complaint(session)
    client = sign_in("supervisor")
    made.place = "别处"
    session.commit()
    answer = step(client, made, "cancel", reason="mistake", note="同一件事登记了两次")
    assert answer.status_code == 412
    assert "同一件事登记了两次" in answer.text
    assert 'name="base_version" value="2"' in answer.text


def test_another_districts_page_is_not_there_and_no_role_steps_beyond_its_own(session, sign_in):
    mine, other = make_area(session), make_area(session)
    made = make_complaint(session, district_id=other.id)
    client = sign_in("supervisor", area_id=mine.id)
    assert page_of(client, made).status_code == 404
    assert step(client, made, "cancel", reason="mistake", note="x").status_code == 404
    here = make_complaint(session, district_id=mine.id)
    assert step(sign_in("dispatcher", area_id=mine.id), here, "cancel", reason="mistake", note="x").status_code == 403
    assert session.get(Complaint, here.id).status == "received"


def test_the_page_says_by_which_rule_the_unit_was_chosen(session, sign_in):
    made = make_complaint(session)
    why = {"utility": "heat", "answers": "served_by"}
    journal.write(session, Who(NOW), "receive", "complaint", made.id, why=why)
    assert "按规则确定承办单位：供热; 为小区服务的单位" in page_of(sign_in("dispatcher"), made).text
