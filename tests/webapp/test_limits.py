"""The screen of the rules: who may change them, what a change keeps, and what it would have meant."""

import pytest
from sqlalchemy import select

from gis.complaints.law_model import LimitRule, RuleSet
from gis.journal import JournalEntry
from tests.factories import make_complaint


@pytest.fixture
def rule(session):
    asked = select(LimitRule).join(RuleSet).where(RuleSet.code == "pingdu_2009", LimitRule.complexity == "complex")
    return session.scalars(asked).one()


CHANGE = {"amount": "5", "clock": "working_days", "count_from": "next_day", "extension_days": "2", "further_days": "0",
          "valid_from": "2009-11-18", "source": "局长办公会纪要"}  # fmt: skip


def test_everybody_at_the_desk_reads_the_rules_and_only_some_change_them(session, sign_in, rule):
    told = sign_in("call_taker").get("/limits").text
    for words in ("平度市供热服务承诺", "现行", "3 个工作日", "13 个工作日", "停工", "120 分钟", "办公时段"):
        assert words in told, words
    assert "保存新时限" not in told
    assert "Shandong hotline rules 2020" in sign_in("supervisor", language="en").get("/limits").text
    assert sign_in("dispatcher").post(f"/limits/{rule.id}", data=CHANGE).status_code == 403


def test_a_change_is_a_new_row_and_the_old_one_stays(session, sign_in, rule):
    client = sign_in("supervisor", full_name="王主管")
    assert client.post(f"/limits/{rule.id}", data=CHANGE).status_code == 303
    session.expire_all()
    new = session.scalars(select(LimitRule).order_by(LimitRule.id.desc())).first()
    assert (new.amount, new.extension_days, new.source, str(new.valid_from)) == (5, 2, "局长办公会纪要", "2009-11-18")
    assert (rule.amount, str(rule.valid_to)) == (3, "2009-11-18")
    told = client.get("/limits").text
    assert "王主管" in told and "5 个工作日" in told
    again = client.post(f"/limits/{rule.id}", data=CHANGE)
    assert again.status_code == 422


@pytest.mark.parametrize("wrong", [
    {"amount": "x"}, {"amount": "9999"}, {"clock": "moon"}, {"clock": "minutes", "amount": "0"}, {"count_from": ""},
    {"valid_from": "soon"}, {"source": " "}, {"extension_days": "-1"},
])  # fmt: skip
def test_what_is_no_limit_is_refused_and_nothing_typed_is_lost(session, sign_in, rule, wrong):
    answer = sign_in("supervisor").post(f"/limits/{rule.id}", data=CHANGE | wrong)
    assert answer.status_code == 422
    assert CHANGE["source"] in answer.text or "source" in wrong
    session.refresh(rule)
    assert rule.valid_to is None
    assert not session.scalars(select(JournalEntry).where(JournalEntry.verb == "change_limit")).all()


def test_the_effect_of_a_change_is_told_before_it_is_made(session, sign_in, rule):
    make_complaint(session, complexity="complex")
    client = sign_in("supervisor")
    asked = {k: CHANGE[k] for k in ("amount", "clock", "count_from", "extension_days", "further_days")}
    found = client.get(f"/limits/{rule.id}/effect.json", query_string=asked).get_json()
    assert found == {"since": "2009-10-18", "received": 1, "late_now": 0, "late_then": 0}
    assert client.get("/limits/999999/effect.json", query_string=asked).status_code == 404


def test_a_set_is_put_in_force_and_office_hours_are_set(session, sign_in):
    client = sign_in("supervisor")
    emergency = session.scalars(select(RuleSet).where(RuleSet.code == "emergency")).one()
    form = {"in_force": "1", "version": emergency.version}
    assert client.post(f"/limits/sets/{emergency.id}", data=form).status_code == 303
    assert client.post(f"/limits/sets/{emergency.id}", data=form).status_code == 412
    hours = {"begins": ["09:00", "13:00", ""], "ends": ["12:00", "18:00", ""]}
    assert client.post("/limits/hours", data=hours).status_code == 303
    assert 'value="18:00"' in client.get("/limits").text
    assert client.post("/limits/hours", data={"begins": ["12:00"], "ends": ["09:00"]}).status_code == 422
