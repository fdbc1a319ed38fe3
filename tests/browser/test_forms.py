"""A form from the desk to the phone and back: brought, tried out, filled in without signal, seen at the desk. And steps written."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from gis.inspections.model import CheckAnswer, Inspection, InspectionPhoto
from tests.browser.conftest import Live
from tests.browser.field import Field, enrol, finish, open_order, photo, press_and_move
from tests.webapp.xlsform.books import workbook_of

pytestmark = pytest.mark.browser
SURVEY = [
    {"type": "begin group", "name": "room", "label": "换热站"},
    {"type": "select_one yn", "name": "clean", "label": "站内整洁", "required": "yes", "chengmai_evidence": "no:photo"},
    {"type": "select_one colour", "name": "colour", "label": "指示灯", "required": "yes", "relevant": "${clean} = 'no'"},
    {"type": "integer", "name": "pumps", "label": "水泵台数", "required": "yes", "constraint": ". >= 1 and . <= 9",
     "constraint_message": "一至九台", "default": "${last-saved#pumps}"},
    {"type": "select_multiple kinds", "name": "kinds", "label": "有哪些设备"},
    {"type": "calculate", "name": "twice", "calculation": "${pumps} * 2"},
    {"type": "end group"},
    {"type": "begin group", "name": "end_page", "label": "结束"},
    {"type": "note", "name": "sum", "label": "两倍是 ${twice}"},
    {"type": "geopoint", "name": "where", "label": "位置", "required": "yes"},
    {"type": "image", "name": "sign", "label": "站长签名", "appearance": "signature", "required": "yes"},
    {"type": "end group"},
]  # fmt: skip
CHOICES = [
    {"list_name": name, "name": code, "label": label}
    for name, code, label in (("yn", "yes", "是"), ("yn", "no", "否"), ("colour", "red", "红"), ("colour", "green", "绿"),
                              ("kinds", "pump", "水泵"), ("kinds", "valve", "阀门"))
]  # fmt: skip


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    return server


def _bring(page: Page, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "换热站.xlsx"
    path.write_bytes(workbook_of(SURVEY, CHOICES, [{"form_id": "station", "form_title": "换热站检查"}]))
    page.goto(f"{live.url}/checklists")
    page.set_input_files("#file", path)
    page.click("form.bring button.primary")
    page.wait_for_url("**/checklists/station?revision=1")


def _draw(page: Page) -> None:
    way = [(30.0 * n, 20 if n % 2 else -20) for n in range(1, 8)]
    press_and_move(page, page.locator("dialog .pad"), (0.12, 0.4), way)
    page.click("dialog .primary")


def test_a_form_is_brought_tried_out_and_filled_in_without_signal(
    live: Live, page: Page, phone_context: BrowserContext, phone_page: Page, tmp_path: Path
):
    live.sign_in(page, "supervisor")
    _bring(page, live, tmp_path)
    tried = page.frame_locator("iframe")
    expect(tried.locator("[data-item=colour]")).to_be_hidden()
    tried.locator("[data-item=clean] button.no").click()
    expect(tried.locator("[data-item=colour]")).to_be_visible()
    tried.locator("[data-item=pumps] input").fill("12")
    expect(tried.locator("[data-item=pumps] .need")).to_contain_text("一至九台")
    page.click("text=启用")
    expect(page.locator(".notice.done")).to_be_visible()

    field = Field(live)
    enrol(phone_page, live.url, field.code("inspector"))
    phone_context.set_offline(True)
    phone_page.click("text=红旗路二次管网改造")
    phone_page.click("dialog [data-value=station]")
    phone_page.click("dialog button.primary")
    phone_page.wait_for_url("**/phone/#/check/*/1")
    phone_page.locator("[data-item=clean] button.no").click()
    phone_page.locator("[data-item=colour] [data-value=red]").click()
    phone_page.locator("[data-item=clean] .camera input").set_input_files(photo(1))
    expect(phone_page.locator("[data-item=clean] .thumb")).to_have_count(1)
    phone_page.locator("[data-item=pumps] input").fill("３")
    phone_page.locator("[data-item=kinds] [data-value=valve]").click()
    phone_page.locator("[data-item=kinds] [data-value=pump]").click()
    phone_page.click("#foot .primary")
    expect(phone_page.locator("[data-item=sum]")).to_contain_text("两倍是 6")
    phone_page.click("#foot .primary")
    expect(phone_page.locator(".notice.error")).to_contain_text("2")
    phone_page.click("text=站长签名")
    phone_page.locator("[data-item=sign] button").first.click()
    _draw(phone_page)
    expect(phone_page.locator("[data-item=sign] .thumb")).to_have_count(1)
    phone_page.locator("[data-item=where] button").click()
    expect(phone_page.locator("[data-item=where] .chip")).to_contain_text("36.78")
    phone_page.reload()
    phone_page.click("#foot .primary")
    finish(phone_page)
    phone_context.set_offline(False)
    expect(phone_page.locator("#banner")).to_contain_text("全部已送达")
    made = select(Inspection).where(Inspection.checklist_code == "station")
    visit = live.wait(lambda session: session.scalars(made).one_or_none())
    with live.sessions() as session:
        answers = select(CheckAnswer).where(CheckAnswer.inspection_id == visit.id)
        given = {a.item_id: a.answer or a.value for a in session.scalars(answers)}
        pictured = select(InspectionPhoto).where(InspectionPhoto.inspection_id == visit.id)
        shots = {s.item_id for s in session.scalars(pictured)}
    assert (visit.site_id, visit.checklist_revision) == (field.site_id, 1)
    assert given == {
        "clean": "no",
        "colour": "red",
        "pumps": "3",
        "kinds": "pump valve",
        "twice": "6",
        "where": given["where"],
    }
    assert given["where"].startswith("36.780000 119.960000")
    assert shots == {"clean", "sign"}
    page.goto(f"{live.url}/inspections/{visit.id}")
    for words in ("站内整洁", "红", "水泵、阀门", "站长签名", "换热站检查"):
        expect(page.locator("main")).to_contain_text(words)
    expect(page.locator("main .shots img")).to_have_count(2)
    phone_page.click("text=今日")
    phone_page.click("text=红旗路二次管网改造")
    phone_page.click("dialog [data-value=station]")
    phone_page.click("dialog button:has-text('开始')")
    expect(phone_page.locator("[data-item=pumps] input")).to_have_value("3")


def test_steps_are_written_at_the_desk_and_walked_by_the_crew(
    live: Live, page: Page, browser: Browser, phone_page: Page
):
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/standard-visits/visit_heating_tuneup/steps")
    page.fill("#name", "供热调试标准服务")
    for name in ("上移这一步", "删除"):  # the second step goes up, then what is second now goes away
        page.locator("[data-step]").nth(1).get_by_role("button", name=name).click()
    page.click("text=增加一步")
    page.locator("[data-step]").last.locator("input[name^=zh]").fill("告知用户维修电话")
    page.click("main .primary:visible")
    page.wait_for_url("**/checklists/visit_heating_tuneup")
    expect(page.frame_locator("iframe").locator(".question").first).to_contain_text("量入户供水温度")
    expect(page.frame_locator("iframe").locator(".question").last).to_contain_text("告知用户维修电话")

    field = Field(live)
    enrol(phone_page, live.url, field.code())
    open_order(phone_page, field.orders[0])
    expect(phone_page.locator("[data-visit=visit_heating_tuneup]")).to_have_text("供热调试标准服务")
    expect(phone_page.locator("[data-visit=visit_indoor_repair]")).to_have_count(0)
    phone_page.click("[data-visit=visit_heating_tuneup]")
    phone_page.wait_for_url("**/phone/#/check/*/1")
    questions = phone_page.locator(".question")
    expect(questions.first).to_contain_text("量入户供水温度")
    for n in range(questions.count()):
        one = questions.nth(n)
        kind = (one.get_attribute("class") or "").split("of-")[1]
        if kind == "decimal":
            one.locator("input").fill("45.5")
        elif kind == "signature":
            one.locator("button").first.click()
            _draw(phone_page)
        else:
            one.locator("button.yes").click()
            one.locator(".camera input").set_input_files(photo(n))
            expect(one.locator(".thumb")).to_have_count(1)
    phone_page.click("#foot .primary")
    finish(phone_page)
    expect(phone_page.locator(".group.green .item")).to_contain_text("供热调试标准服务")
    made = select(Inspection).where(Inspection.order_id == field.orders[0])
    visit = live.wait(lambda session: session.scalars(made).one_or_none())
    assert (visit.checklist_code, visit.checklist_revision, visit.scope) == ("visit_heating_tuneup", 2, None)
