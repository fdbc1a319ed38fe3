"""Findings and consequences at the desk and on the phone: the pages, the buttons, the papers, the files."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pytest
from docx import Document
from python_calamine import load_workbook
from sqlalchemy import select

from gis.inspections import consequences
from gis.inspections.consequence_model import Consequence, ConsequenceRule
from gis.inspections.finding_model import Finding, FindingPhoto, RectifyRule, SeverityRule
from gis.journal import Who
from tests import factories as make
from tests.conftest import NOW
from tests.found import make_finding, make_rule
from tests.phones import change, picture, submitting, visit


def words_of(data):
    document = Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([p.text for p in document.paragraphs] + cells)


def press(client, finding, verb, **fields):
    return client.post(f"/findings/{finding.id}/steps", data={"verb": verb, "base_version": finding.version} | fields)


def test_a_failed_item_of_a_phone_is_put_right_at_the_desk_fails_once_and_passes(session, phone_of, sign_in):
    unit = make.make_unit(session)
    site = make.make_site(session, unit_id=unit.id, is_heating=True)
    inspector, other = phone_of("inspector"), phone_of("inspector")
    before = picture(colour="red")
    sha = hashlib.sha256(before).hexdigest()
    inspector.put_photo(before)
    sent = visit(site_id=site.id, photos=[{"sha256": sha, "item_id": "3.1", "taken_at": "2009-11-17T01:59:00Z"}])
    next(a for a in sent["answers"] if a["item_id"] == "3.1")["answer"] = "no"
    [result] = inspector.sync(submitting(sent))
    assert result["verdict"] == "applied"
    assert inspector.sync(submitting(sent))[0]["verdict"] != "applied"  # the same visit under another change
    finding = session.scalars(select(Finding)).one()
    assert session.scalar(select(FindingPhoto.sha256)) == sha

    handler = sign_in("unit_handler", unit_id=unit.id)
    assert "统一着装" in handler.get("/findings").text
    assert press(handler, finding, "sign").status_code == 303
    session.refresh(finding)
    refused = press(handler, finding, "rectify", words="已发工装")
    assert refused.status_code == 422 and "须附整改后的现场照片" in refused.text
    after = {"words": "已发工装", "photo": (io.BytesIO(picture(colour="green")), "now.jpg")}
    assert press(handler, finding, "rectify", **after).status_code == 303
    page = handler.get(f"/findings/{finding.id}").text
    assert page.count("<figure>") == 2 and "第 1 次整改" in page
    assert handler.get(f"/photos/{hashlib.sha256(picture(colour='green')).hexdigest()}").status_code == 200

    [carried] = other.get("/findings").json["findings"]
    assert (carried["id"], carried["answer"], [p["part"] for p in carried["photos"]]) == (
        finding.id,
        "已发工装",
        ["before", "after"],
    )
    shown = other.client.get(f"/api/v1/findings/photos/{sha}", headers=other.headers)
    assert shown.status_code == 200 and shown.mimetype == "image/jpeg"
    look = change(
        "finding.reinspect", finding.id, {"passed": False, "note": "还差一人"}, base_version=carried["version"]
    )
    [first], [again] = other.sync(look), other.sync(look)
    assert first["thing"]["status"] == "failed" and again == first
    session.refresh(finding)
    assert finding.failed_times == 1
    assert (
        press(
            handler, finding, "rectify", words="又发了", photo=(io.BytesIO(picture(colour="blue")), "n.jpg")
        ).status_code
        == 303
    )
    [passed] = inspector.sync(change("finding.reinspect", finding.id, {"passed": True, "note": ""}))
    assert passed["thing"]["status"] == "closed"


def test_a_crew_signs_and_answers_its_units_finding_from_the_phone(session, phone_of):
    unit = make.make_unit(session)
    crew = make.make_crew(session, unit_id=unit.id)
    phone, stranger = (
        phone_of("crew", crew_id=crew.id, unit_id=unit.id),
        phone_of("crew", crew_id=make.make_crew(session).id),
    )
    finding = make_finding(session, unit_id=unit.id, severity="minor")
    session.commit()
    assert [f["id"] for f in phone.get("/findings").json["findings"]] == [finding.id]
    assert stranger.get("/findings").json["findings"] == []
    [refused] = stranger.sync(change("finding.rectify", finding.id, {"note": "好"}))
    assert (refused["verdict"], refused["code"]) == ("refused", "missing")
    [done] = phone.sync(change("finding.rectify", finding.id, {"note": "已清理"}, base_version=finding.version))
    assert done["thing"]["status"] == "rectified"
    [own] = phone.sync(change("finding.reinspect", finding.id, {"passed": True}))
    assert (own["verdict"], own["code"]) == ("refused", "not_allowed")


def test_two_inspectors_who_looked_without_signal_conflict_and_both_are_kept(session, phone_of):
    finding = make_finding(session, severity="minor", status="signed")
    from gis.inspections.finding_model import Rectification

    finding.status = "rectified"
    session.add(Rectification(finding_id=finding.id, attempt=1, at=NOW, note="好", late=False))
    session.commit()
    one, two = phone_of("inspector"), phone_of("inspector")
    base = finding.version
    [first] = one.sync(change("finding.reinspect", finding.id, {"passed": True}, base_version=base))
    [second] = two.sync(change("finding.reinspect", finding.id, {"passed": False, "note": "不平"}, base_version=base))
    assert first["verdict"] == "applied"
    assert (second["verdict"], second["code"], second["thing"]["status"]) == ("conflict", "stale_version", "closed")
    assert second["receipt"]


@pytest.mark.parametrize(("role", "verb", "status"), [
    ("planner", "sign", 403), ("administrator", "withdraw", 403), ("unit_handler", "withdraw", 403), ("dispatcher", "extend", 403),
    ("supervisor", "sign", 403), ("dispatcher", "send", 409), ("supervisor", "withdraw", 303),
])  # fmt: skip
def test_the_buttons_obey_the_table_of_roles(session, sign_in, role, verb, status):
    finding = make_finding(session)
    client = sign_in(role, **({"unit_id": finding.unit_id} if role == "unit_handler" else {}))
    assert press(client, finding, verb, words="理由", unit_id="").status_code == status


def test_the_list_is_its_url_and_a_wrong_filter_is_refused(session, sign_in):
    make_finding(session, note="问题甲")
    make_finding(session, note="问题乙", status="closed", pledge_no=5, severity="serious")
    make_finding(session, note="问题丙", rectify_by=NOW - timedelta(hours=1))
    client = sign_in("dispatcher")

    def seen(query):
        text = client.get(f"/findings{query}").text
        return [c for c in "甲乙丙" if f"问题{c}" in text]

    assert seen("") == ["甲", "丙"] and seen("?state=") == ["甲", "乙", "丙"] and seen("?state=late") == ["丙"]
    assert (
        seen("?state=&pledge=5") == ["乙"]
        and seen("?state=&severity=serious") == ["乙"]
        and seen("?to=2009-11-17") == ["丙"]
    )
    assert client.get("/findings?state=x").status_code == 422


def test_the_papers_name_what_was_found_and_until_when(session, sign_in):
    make.make_unit(session, kind="bureau", name="平度市城市管理局")
    finding = make_finding(session, severity="serious", note="两人未穿工装")
    boss = sign_in("supervisor")
    assert boss.post(f"/findings/{finding.id}/stop", data={"words": "沟槽无围挡"}).status_code == 303
    paper = words_of(boss.get(f"/findings/{finding.id}.docx").data)
    assert (
        "整改通知书" in paper and "平度市城市管理局" in paper and "两人未穿工装" in paper and "2009年11月22日" in paper
    )
    stop = session.scalar(select(Finding).where(Finding.id == finding.id))
    assert "停工中" in boss.get(f"/findings/{stop.id}").text
    from gis.inspections.finding_model import StopWork

    order = session.scalars(select(StopWork)).one()
    assert "停工〔2009〕1号" in words_of(boss.get(f"/findings/stops/{order.id}.docx").data)
    assert boss.get(f"/findings/stops/{order.id}.pdf").data.startswith(b"%PDF")
    assert boss.post(f"/findings/stops/{order.id}/lift", data={"words": ""}).status_code == 422
    assert boss.post(f"/findings/stops/{order.id}/lift", data={"words": "已设围挡"}).status_code == 303


def test_escalating_by_hand_makes_a_notice_about_the_finding_that_both_pages_show(session, sign_in):
    make.make_unit(session, kind="bureau", name="平度市城市管理局")
    finding = make_finding(session)
    boss = sign_in("supervisor")
    assert press(boss, finding, "escalate", words="立即整改").status_code == 303
    page = boss.get(f"/findings/{finding.id}").text
    assert "督办〔2009〕1号" in page
    number = page.split("/oversight/notices/")[1].split('"')[0]
    notice = boss.get(f"/oversight/notices/{number}")
    assert notice.status_code == 200 and "统一着装" in notice.text
    paper = words_of(boss.get(f"/oversight/notices/{number}.docx").data)
    assert "统一着装" in paper and "整改到位" in paper
    session.refresh(finding)
    assert press(boss, finding, "escalate", words="再").status_code == 409


def test_the_bureau_edits_limits_severity_and_weights_with_a_source(session, sign_in):
    client = sign_in("administrator")
    values = {
        "days": 4,
        "warn_days": 1,
        "again_days": 2,
        "extend_days": 3,
        "extend_times": 1,
        "escalate_days": 1,
        "source": "局发〔2009〕9号",
    }
    assert client.post("/findings/rules/general", data=values).status_code == 303
    assert client.post("/findings/rules/general", data=values | {"days": 99}).status_code == 422
    assert session.get(RectifyRule, "general", populate_existing=True).days == 4
    item = {"code": "six_pledges", "item": "3.1", "severity": "serious", "weight": "2", "source": "局发〔2009〕9号"}
    assert client.post("/findings/items", data=item | {"source": ""}).status_code == 422
    assert client.post("/findings/items", data=item).status_code == 303
    assert session.get(SeverityRule, ("six_pledges", "3.1")).severity == "serious"
    assert sign_in("dispatcher").post("/findings/items", data=item).status_code == 403
    assert "局发〔2009〕9号" in sign_in("dispatcher").get("/findings/rules").text


RULE = {"name": "三次严重违诺列入黑名单", "subject": "contractor", "measure": "breaches", "severity": "serious", "at_least": 1,
        "window_days": 90, "kind": "blacklist", "period_days": 90, "appeal_days": 5, "source": "局发〔2009〕9号", "active": "1"}  # fmt: skip


def test_a_rule_is_written_read_by_strangers_proposes_is_decided_appealed_and_revoked_by_another(session, app, sign_in):
    make.make_unit(session, kind="bureau", name="平度市城市管理局")
    firm = make.make_unit(session, kind="contractor", name="某施工公司")
    make_finding(session, contractor_id=firm.id, severity="serious")
    boss, other = sign_in("supervisor"), sign_in("supervisor")
    assert boss.post("/consequences/rules", data=RULE).status_code == 303
    assert "三次严重违诺列入黑名单" in app.test_client().get("/consequences/rules").text
    assert boss.post("/consequences/look").status_code == 303
    row = session.scalars(select(Consequence)).one()
    url = f"/consequences/{row.id}"
    handler = sign_in("unit_handler", unit_id=firm.id)
    assert handler.get(url).status_code == 404 and boss.get(f"{url}.docx").status_code == 404
    assert boss.post(f"{url}/steps", data={"verb": "decide", "words": "属实"}).status_code == 303
    paper = words_of(handler.get(f"{url}.docx").data)
    assert "处理决定书" in paper and "某施工公司" in paper and "列入黑名单" in paper and "申诉" in paper
    assert handler.get(f"{url}.pdf").data.startswith(b"%PDF")
    assert boss.post(f"{url}/steps", data={"verb": "appeal", "words": "x"}).status_code == 403
    assert handler.post(f"{url}/steps", data={"verb": "appeal", "words": "已整改"}).status_code == 303
    assert boss.post(f"{url}/steps", data={"verb": "uphold", "words": "x"}).status_code == 403
    assert 'value="uphold"' not in boss.get(url).text and 'value="uphold"' in other.get(url).text
    assert other.post(f"{url}/steps", data={"verb": "revoke", "words": "证据不足"}).status_code == 303
    session.refresh(row)
    assert row.status == "revoked"
    rule = session.scalars(select(ConsequenceRule)).one()
    changed = RULE | {"id": rule.id, "base_version": 9}
    assert boss.post("/consequences/rules", data=changed).status_code == 412


def test_results_of_a_quarter_agree_on_page_excel_and_word_and_name_no_person(session, sign_in, phone_of):
    unit = make.make_unit(session, name="=cmd|供热公司")
    site = make.make_site(session, unit_id=unit.id)
    phone = phone_of("inspector", full_name="王检查")
    sent = visit(site_id=site.id)
    next(a for a in sent["answers"] if a["item_id"] == "3.1")["answer"] = "no"
    phone.sync(submitting(sent))
    person = make.make_user(session, role="crew", full_name="李某某", unit_id=unit.id)
    session.scalars(select(Finding)).one().user_id = person.id
    session.commit()
    client = sign_in("planner")
    page = client.get("/inspections/results?year=2009&quarter=4").text
    book = load_workbook(io.BytesIO(client.get("/inspections/results.xlsx?year=2009&quarter=4").data))
    row = next(r for r in book.get_sheet_by_index(0).to_python() if r[0] == 1)
    asked = sum(a["answer"] in ("yes", "no") for a in sent["answers"])
    assert row[1] == "=cmd|供热公司" and row[3] == "不计分" and row[6:8] == [1, asked]
    word = words_of(client.get("/inspections/results.docx?year=2009&quarter=4").data)
    assert f"{100 / asked:.2f} %" in word and f"{100 / asked:.2f} %" in page
    for told in (page.split("<main>")[1], word):
        assert "王检查" not in told and "李某某" not in told
    assert "本季度没有主管部门的检查" in client.get("/inspections/results?year=2008&quarter=1").text


def test_the_hourly_job_is_idempotent(session, monkeypatch):
    from webapp import finding_tasks

    make_rule(session, at_least=1)
    make_finding(session, rectify_by=NOW - timedelta(days=9))
    settings = type("S", (), {"timezone": "Asia/Shanghai"})()
    monkeypatch.setattr(finding_tasks, "settings", lambda: settings)
    for _ in range(3):
        finding_tasks.watch(session, Who(NOW), {})
        finding_tasks.propose(session, Who(NOW), {})
    assert len(session.scalars(select(Consequence)).all()) == 1
    told = (
        session.connection()
        .exec_driver_sql("SELECT verb FROM journal WHERE thing = 'finding' ORDER BY seq")
        .scalars()
        .all()
    )
    assert told.count("late") == 1 and consequences.propose(session, Who(NOW)) == 0
