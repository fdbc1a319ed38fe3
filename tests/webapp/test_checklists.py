"""Checklists at the desk: brought, refused with their places, given to phones, compared, weighed; standard visits written."""

import io

import pytest
from sqlalchemy import select

from gis.inspections import checklist_queries as queries
from gis.inspections.forms import form_of
from gis.inspections.model import Checklist, VisitRule
from gis.inspections.visit_examples import steps_of
from gis.journal import JournalEntry
from tests import factories as make
from tests.conftest import SHARED
from webapp.xlsform.reader import from_book
from webapp.xlsform.writer import xlsform

SURVEY = [
    {"type": "begin group", "name": "one", "label": "第一页"},
    {"type": "select_one yn", "name": "clean", "label": "干净？", "required": "yes", "chengmai_evidence": "no:photo no:note"},
    {"type": "integer", "name": "n", "label": "=cmd|' /C calc'!A0", "constraint": ". < 10", "default": "${last-saved#n}"},
    {"type": "end group"},
]  # fmt: skip


def _workbook(survey=None, form_id="ours", title="我们的检查"):
    choices = [{"list_name": "yn", "name": "yes", "label": "是"}, {"list_name": "yn", "name": "no", "label": "否"}]
    book = {"survey": survey or SURVEY, "choices": choices, "settings": [{"form_id": form_id, "form_title": title}]}
    return xlsform(from_book(book, "x").form, form_id, 1)


@pytest.fixture
def boss(sign_in):
    return sign_in("supervisor")


def _bring(client, data, name="表单.xlsx"):
    return client.post("/checklists", data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def test_a_form_is_brought_as_a_draft_looked_at_and_put_into_use(boss, session, phone_of):
    answer = _bring(boss, _workbook())
    assert (answer.status_code, answer.location) == (303, "/checklists/ours?revision=1")
    page = boss.get(answer.location).text
    assert "草稿" in page
    assert "/checklists/ours/1/preview" in page
    assert "=cmd|" in boss.get("/checklists/ours/1/preview").text
    phone = phone_of()
    assert "ours" not in {c["code"] for c in phone.get("/checklists").json["checklists"]}
    assert boss.post("/checklists/ours/1/state", data={"state": "active"}).status_code == 303
    (given,) = [c for c in phone.get("/checklists").json["checklists"] if c["code"] == "ours"]
    item = given["form"]["children"][0]["children"]
    assert item[0]["evidence"] == {"no": ["photo", "note"]}
    assert item[1]["repeat_last"] is True
    verbs = session.scalars(select(JournalEntry.verb).where(JournalEntry.thing == "checklist")).all()
    assert verbs == ["add", "activate"]


def test_the_same_form_again_adds_nothing_and_another_is_the_next_revision_with_its_differences(boss, session):
    _bring(boss, _workbook())
    again = _bring(boss, _workbook())
    assert again.status_code == 409
    assert "没有新增版本" in again.text
    changed = [
        SURVEY[0],
        {**SURVEY[1], "label": "很干净？"},
        {"type": "text", "name": "why", "label": "为什么"},
        SURVEY[3],
    ]
    assert _bring(boss, _workbook(changed)).location == "/checklists/ours?revision=2"
    page = boss.get("/checklists/ours/2/changes").text
    for words in ("很干净？", "新增", "删除", "修改", "为什么"):
        assert words in page
    assert session.scalars(select(Checklist.state).where(Checklist.code == "ours")).all() == ["draft", "draft"]


def test_only_one_revision_is_in_use(boss, session):
    _bring(boss, _workbook())
    _bring(boss, _workbook(title="改了名"))
    for revision in (1, 2, 1):
        boss.post(f"/checklists/ours/{revision}/state", data={"state": "active"})
    states = {c.revision: c.state for c in session.scalars(select(Checklist).where(Checklist.code == "ours"))}
    assert states == {1: "active", 2: "retired"}


def test_a_form_that_cannot_come_in_is_refused_with_its_places_in_both_languages(boss):
    path = SHARED / "xlsform" / "must_refuse" / "unknown_question_type.xls"
    if not path.exists():
        pytest.skip("../shared/data is not here")
    answer = _bring(boss, path.read_bytes(), path.name)
    assert answer.status_code == 422
    assert "工作表 survey 第 1 行" in answer.text
    assert "两列含义相同" in answer.text
    boss.set_cookie("language", "en")


def test_what_our_app_cannot_show_is_said_plainly(boss):
    survey = [{"type": "begin repeat", "name": "r", "label": "每户"}, {"type": "text", "name": "a", "label": "甲"}, {"type": "end repeat"},
              {"type": "calculate", "name": "c", "calculation": "pulldata('f', 'a', 'b', 'c')"}]  # fmt: skip
    from tests.webapp.xlsform.books import workbook_of

    page = boss.get(_bring(boss, workbook_of(survey)).location).text
    assert "手机应用不能显示“repeat”类型的问题" in page
    assert "工作表 survey 第 5 行 calculation 列：手机应用不能计算“pulldata()”" in page


def test_an_export_comes_back_as_the_same_and_nothing_in_it_runs(boss):
    _bring(boss, _workbook())
    data = boss.get("/checklists/ours/1.xlsx").data
    assert b"<f>" not in _sheet(data)
    assert _bring(boss, data).status_code == 409


def _sheet(data):
    import zipfile

    return zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


def _steps(**more):
    return {"name": "换表服务", "step": ["0", "7"], "zh.0": "出示工作牌", "kind.0": "yes_no", "done.0": "photo", "not_done.0": "note",
            "zh.7": "表底数", "kind.7": "decimal", "constraint.7": ". >= 0", "do": "save"} | more  # fmt: skip


def test_an_organisation_writes_its_own_steps_and_its_crews_get_them(sign_in, session, phone_of):
    unit, other = make.make_unit(session), make.make_unit(session)
    handler = sign_in("unit_handler", unit_id=unit.id)
    answer = handler.post("/standard-visits/save", data=_steps())
    assert (answer.status_code, answer.location) == (303, "/checklists/visit_own_1")
    made = queries.one(session, "visit_own_1")
    assert (made.unit_id, made.state) == (unit.id, "active")
    assert [s.zh for s in steps_of(form_of(made.form))] == ["出示工作牌", "表底数"]
    crews = [make.make_crew(session, unit_id=u.id) for u in (unit, other)]
    phones = [phone_of("crew", crew_id=c.id) for c in crews]
    assert ["visit_own_1" in {k["code"] for k in p.get("/checklists").json["checklists"]} for p in phones] == [
        True,
        False,
    ]
    stranger = sign_in("unit_handler", unit_id=other.id)
    assert stranger.get("/standard-visits/visit_own_1/steps").status_code == 403
    assert stranger.post("/standard-visits/save", data=_steps(code="visit_own_1", name="别人的")).status_code == 403
    assert stranger.post("/checklists/visit_own_1/1/state", data={"state": "retired"}).status_code == 403
    again = handler.post("/standard-visits/save", data=_steps(code="visit_own_1", step=["7", "0"]))
    assert again.status_code == 303
    assert [s.zh for s in steps_of(form_of(queries.one(session, "visit_own_1").form))] == ["表底数", "出示工作牌"]


def test_steps_are_added_moved_and_removed_without_scripts(boss):
    for do, wanted in (("add", ["出示工作牌", "表底数", ""]), ("up.1", ["表底数", "出示工作牌"]), ("remove.0", ["表底数"]),
                       ("copy.0", ["出示工作牌", "出示工作牌", "表底数"])):  # fmt: skip
        page = boss.post("/standard-visits/save", data=_steps(do=do)).text.split("<template")[0]
        import re

        assert re.findall(r'name="zh\.\d+" maxlength="300" value="([^"]*)"', page) == wanted


def test_a_list_without_steps_or_with_a_condition_nobody_understands_is_refused(boss):
    assert "至少要有一个步骤" in boss.post("/standard-visits/save", data={"name": "空", "do": "save"}).text
    answer = boss.post("/standard-visits/save", data=_steps(**{"constraint.7": ". >"}))
    assert answer.status_code == 422
    assert "第 2 步" in answer.text


def test_matters_are_given_their_steps_by_category_or_skill(boss, session, phone_of):
    boss.post("/standard-visits/rules", data={"checklist": "visit_charging", "matter": "skill:temperature_test"})
    boss.post("/standard-visits/rules", data={"checklist": "visit_charging", "matter": "skill:temperature_test"})
    (given,) = [c for c in phone_of().get("/checklists").json["checklists"] if c["code"] == "visit_charging"]
    assert given["for_categories"] == ["heat.fee", "heat.test"]
    rule = session.scalars(select(VisitRule).where(VisitRule.skill.is_not(None))).one()
    assert boss.post(f"/standard-visits/rules/{rule.id}/remove").status_code == 303
    assert (
        boss.post("/standard-visits/rules", data={"checklist": "six_pledges", "matter": "skill:heating"}).status_code
        == 404
    )
    assert (
        boss.post("/standard-visits/rules", data={"checklist": "visit_charging", "matter": "skill:x"}).status_code
        == 422
    )


def test_an_odk_client_is_connected_with_a_password_shown_once(sign_in, app):
    dispatcher, inspector = sign_in("dispatcher"), sign_in("inspector")
    page = dispatcher.post("/odk-access", data={"user_id": inspector.user.id}).text
    secret = page.split('id="secret">')[1].split("<")[0]
    from tests.mobile_api.openrosa.client import OdkClient

    assert OdkClient(app.test_client(), secret).forms()
    assert secret not in dispatcher.get("/odk-access").text


def test_the_pages_open_for_those_who_only_look(sign_in):
    client = sign_in("planner")
    for path in ("/checklists", "/checklists/six_pledges", "/checklists/visit_charging", "/standard-visits", "/checklists/submissions",
                 "/checklists/six_pledges/1/preview", "/checklists/six_pledges/1/changes", "/checklists/six_pledges/1.xlsx"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    assert _bring(client, _workbook()).status_code == 403
