"""The pages of oversight: a notice from proposal to its end, its papers, call-backs, promises for everybody, opinions in and out."""

import io
import re
import zipfile
from datetime import date, timedelta

import docx
import pytest
import xlsxwriter
from pypdf import PdfReader
from sqlalchemy import select

from gis import journal
from gis.complaints.model import Caller
from gis.journal import Who
from gis.oversight.model import FollowUpCall, SupervisionNotice
from gis.oversight.outreach_model import Matter, Promise
from tests import factories as make
from tests.conftest import NOW
from tests.watched import one_of_each
from webapp import notice_template, oversight_tasks
from webapp.worker import TIMES, settle


@pytest.fixture
def late(session):
    """A complaint beyond its limit, of a unit, with a bureau that can issue notices."""
    make.make_unit(session, name="平度市公用事业处", kind="bureau")
    unit = make.make_unit(session, name="兴平热电")
    return make.make_complaint(session, unit_id=unit.id, resolve_by=NOW - timedelta(hours=1), place="文丰小区3号楼",
                               description="打电话13812345678")  # fmt: skip


def _issue(client, case, **more):
    answer = client.post("/oversight/notices", data={"reason": "overdue", "complaint": case.id, "limit_days": 3} | more)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def test_a_notice_from_its_proposal_to_its_end_by_the_two_who_have_to_do_with_it(late, sign_in, session):
    supervisor, unit = sign_in("supervisor"), sign_in("unit_handler", unit_id=late.unit_id)
    assert "文丰小区3号楼" in supervisor.get("/oversight/notices").get_data(as_text=True)
    where = _issue(supervisor, late)
    assert unit.get(where).status_code == 404  # not sent yet
    for client, verb, words in (
        (supervisor, "send", ""),
        (unit, "acknowledge", ""),
        (unit, "reply", "已更换循环泵"),
        (supervisor, "close", ""),
    ):
        version = re.search(r'name="base_version" value="(\d+)"', client.get(where).get_data(as_text=True))[1]
        answer = client.post(f"{where}/steps", data={"verb": verb, "words": words, "base_version": version})
        assert answer.status_code == 303, answer.get_data(as_text=True)
    assert "已更换循环泵" in supervisor.get(where).get_data(as_text=True)
    assert session.scalar(select(SupervisionNotice.status)) == "closed"
    assert unit.post(f"{where}/steps", data={"verb": "close"}).status_code == 403


def test_the_papers_of_a_notice_say_what_it_says_and_nothing_of_the_caller(late, sign_in, session):
    session.add(Caller(complaint_id=late.id, name="王小明", phone="13812345678"))
    session.commit()
    client = sign_in("supervisor")
    where = _issue(client, late, demand="一并排查 & <其他>")
    word = docx.Document(io.BytesIO(client.get(f"{where}.docx").data))
    lines = [p.text for p in word.paragraphs] + [c.text for t in word.tables for row in t.rows for c in row.cells]
    pdf = client.get(f"{where}.pdf")
    printed = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.data)).pages)
    for text in ("督办〔2009〕1号", "平度市公用事业处", "二〇〇九年十一月十七日", late.hotline_no, "一并排查 & <其他>"):
        assert any(text in line for line in lines), text
        assert text.replace(" ", "") in printed.replace(" ", "").replace("\n", ""), text
    assert "兴平热电：" in lines
    assert not any("13812345678" in line or "王小明" in line for line in lines)
    assert "13812345678" not in printed
    fonts = zipfile.ZipFile(io.BytesIO(client.get(f"{where}.docx").data)).read("word/fontTable.xml").decode()
    assert 'w:name="仿宋"' in fonts
    assert "Noto Serif CJK SC" in fonts
    assert PdfReader(io.BytesIO(pdf.data)).pages[0].mediabox.width == pytest.approx(595.3, abs=1)


def test_the_bureau_puts_its_own_template_and_takes_it_back(late, sign_in):
    client = sign_in("supervisor")
    where = _issue(client, late)
    changed = docx.Document(io.BytesIO(client.get("/oversight/template.docx").data))
    changed.add_paragraph("本局专用 {{ to }}")
    made = io.BytesIO()
    changed.save(made)
    for bad in (
        b"no zip",
        notice_template.template()[:2000],
        _docx("{{ no.__class__.__mro__ }}"),
        _docx("{% for %}"),
        _docx("nothing"),
    ):
        answer = client.post("/oversight/template", data={"file": (io.BytesIO(bad), "x.docx")})
        assert answer.status_code == 422, answer.get_data(as_text=True)
    made.seek(0)
    assert client.post("/oversight/template", data={"file": (made, "own.docx")}).status_code == 303
    assert "本局专用 兴平热电" in [
        p.text for p in docx.Document(io.BytesIO(client.get(f"{where}.docx").data)).paragraphs
    ]
    assert client.post("/oversight/template", data={"reset": "1"}).status_code == 303
    assert client.get("/oversight/template.docx").data[:2] == b"PK"


def _docx(text):
    paper, made = docx.Document(), io.BytesIO()
    paper.add_paragraph(text)
    paper.save(made)
    return made.getvalue()


def test_a_call_back_goes_on_to_the_next_and_refuses_half_an_answer(sign_in, session):
    ago = NOW - timedelta(days=1)
    case = make.make_complaint(session, status="answered", answered_at=ago, closed_at=ago)
    client = sign_in("follow_up_caller")
    where = f"/oversight/calls/{case.id}"
    half = client.post(where, data={"outcome": "reached", "solved": "yes", "note": "我说的话"})
    assert half.status_code == 422
    assert "我说的话" in half.get_data(as_text=True)
    told = {"outcome": "reached", "solved": "no", "process": "satisfied", "result": "dissatisfied", "note": "还是不热"}
    assert client.post(where, data=told | {"base_version": case.version}).status_code == 303
    session.refresh(case)
    assert case.status == "reopened"
    assert session.scalar(select(FollowUpCall.process)) == "satisfied"
    assert "还是不热" in client.get(f"/complaints/{case.id}").get_data(as_text=True)


def test_the_step_of_the_complaint_page_keeps_a_call_too(sign_in, session):
    ago = NOW - timedelta(days=1)
    case = make.make_complaint(session, status="answered", answered_at=ago, closed_at=ago)
    body = {"verb": "follow_up", "base_version": case.version, "outcome": "reached", "solved": "yes", "process": "satisfied",
            "result": "satisfied"}  # fmt: skip
    answer = sign_in("follow_up_caller").post(f"/complaints/{case.id}/steps", json=body)
    assert answer.status_code == 200, answer.json
    assert answer.json["status"] == "confirmed"


def test_everybody_reads_the_promises_with_what_became_of_them(client, session, sign_in):
    area = make.make_area(session)
    complaint = make.make_complaint(session, district_id=area.id, unit_id=make.make_unit(session).id)
    one_of_each(session, complaint, "甲")
    session.commit()
    supervisor = sign_in("supervisor")
    number = session.scalar(select(Promise.id))
    moved = {"verb": "move", "due_on": "2009-12-05", "note": "配件未到", "base_version": 1}
    assert supervisor.post(f"/oversight/promises/{number}", data=moved).status_code == 303
    page = client.get("/public/promises").get_data(as_text=True)
    assert all(text in page for text in ("承诺甲", "配件未到", "2009-12-05", "2009-11-26"))
    assert "已延期 1 次" in page
    assert "moved (1×)" in client.get("/public/promises?status=moved&language=en").get_data(as_text=True)
    assert "moved (1×)" in client.get("/public/promises").get_data(as_text=True)  # the choice is remembered
    assert client.get("/public/promises?status=nonsense").status_code == 422


def test_opinions_come_in_whole_or_not_at_all_and_go_out(session, sign_in):
    unit = make.make_unit(session)
    ids = one_of_each(session, make.make_complaint(session, unit_id=unit.id), "甲")
    session.commit()
    client = sign_in("supervisor")
    where = f"/oversight/visits/{ids['visit_id']}/opinions"
    bad = client.post(where, data={"file": (_sheet([["好", "没有这类", 1], ["多", "室温不达标", 0]]), "a.xlsx")})
    page = bad.get_data(as_text=True)
    assert bad.status_code == 422
    assert "B2" in page
    assert "C3" in page
    assert session.scalars(select(Matter.text)).all() == ["意见甲"]
    good = _sheet([["室温低", "室温不达标", 12], ["", "不热", 1], ["路没修", "works.restore", ""]])
    assert client.post(where, data={"file": (good, "a.xlsx")}).status_code == 303
    assert client.post(where, data={"file": (io.BytesIO(b"x"), "a.xlsx")}).status_code == 422
    assert sorted(session.execute(select(Matter.text, Matter.people)).all()) == [
        ("室温低", 12),
        ("意见甲", 1),
        ("路没修", 1),
    ]
    from python_calamine import load_workbook

    out = load_workbook(io.BytesIO(client.get(f"/oversight/campaigns/{ids['campaign_id']}/opinions.xlsx").data))
    assert len(out.get_sheet_by_index(0).to_python()) == 4


def _sheet(rows):
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    page = book.add_worksheet()
    for n, row in enumerate([["意见", "类别", "人次"], *rows]):
        page.write_row(n, 0, row)
    book.close()
    made.seek(0)
    return made


def test_a_number_of_the_bureau_is_changed_only_with_its_source(sign_in, late):
    client = sign_in("supervisor")
    assert client.post("/oversight/numbers/notice_days", data={"value": 7, "source": ""}).status_code == 422
    assert client.post("/oversight/numbers/notice_days", data={"value": 700, "source": "本局通知"}).status_code == 422
    assert (
        client.post(
            "/oversight/numbers/notice_days", data={"value": 7, "source": "本局通知", "base_version": 1}
        ).status_code
        == 303
    )
    assert (
        client.post("/oversight/numbers/notice_days", data={"value": 8, "source": "x", "base_version": 1}).status_code
        == 412
    )
    assert client.post("/oversight/numbers/nothing", data={"value": 8, "source": "x"}).status_code == 404


def test_leaders_days_are_proposed_entered_and_a_call_becomes_a_complaint(sign_in, session):
    client = sign_in("supervisor")
    assert "2009-11-18" in client.get("/oversight/leader-days").get_data(as_text=True)
    day = date(2009, 11, 18).isoformat()
    entered = {"planned_on": day, f"on-{day}": day, "starts_at": "09:00", "minutes": "90"}
    assert client.post("/oversight/leader-days", data=entered).status_code == 303
    page = client.get("/oversight/leader-days").get_data(as_text=True)
    where = re.search(r'href="(/oversight/leader-days/\d+)"', page)[1]
    told = {
        "verb": "raise",
        "text": "不热",
        "category": "heat.cold",
        "is_complaint": "1",
        "caller_phone": "13812345678",
    }
    assert client.post(where, data=told).status_code == 303
    matter = session.scalars(select(Matter)).one()
    assert matter.complaint_id is not None
    assert client.post(where, data=told | {"caller_phone": "abc"}).status_code == 422
    assert len(session.scalars(select(Matter)).all()) == 1


def test_what_became_overdue_is_told_once_however_often_the_worker_looks(session, app):
    settle(app.config["SETTINGS"])
    case = make.make_complaint(session, unit_id=make.make_unit(session).id)
    ids = one_of_each(session, case, "甲")
    session.commit()
    late = Who(NOW + timedelta(days=20))
    for _ in range(2):
        oversight_tasks.overdue(session, late, {})
    for thing, number in (("promise", ids["promise_id"]), ("supervision_notice", ids["notice_id"])):
        assert [e["verb"] for e in journal.timeline(session, thing, number)] == ["overdue"]
    assert "oversight_overdue" in TIMES
