"""The dispatcher's console in a real browser: list, map, detail, one selection, assigning, undoing, live changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy.orm import Session

from gis.complaints.actions import take_step
from gis.complaints.model import Complaint
from gis.dispatch.model import WorkOrder
from gis.journal import Who, write
from tests.browser.conftest import Live
from tests.browser.desk import City, found
from tests.browser.field import until
from tests.factories import make_complaint
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
LAYERS_OF_AXE = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"
STRUCK = {"reason": "mistake", "note": "重复登记"}


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    """One server for all: every test has a district of its own, and its people see nothing else."""
    return server


@pytest.fixture
def city(live: Live) -> City:
    return found(live)


@pytest.fixture
def quiet() -> Iterator[Callable[[Page], Page]]:
    """Watch a page: whatever it wrote as an error, and every broken rule of the content policy, fails the test."""
    said: list[str] = []

    def watch(page: Page) -> Page:
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        return page

    yield watch
    assert not said


def open_desk(live: Live, page: Page, city: City, role: str = "dispatcher", query: str = "") -> None:
    live.sign_in(page, role, area_id=city.district)
    page.goto(f"{live.url}/{query}")
    expect(page.locator("#cases .case").first).to_be_visible()


def cards(page: Page) -> Any:
    return page.locator("#cases .case")


def select(page: Page, place: str) -> None:
    cards(page).filter(has_text=place).click()
    expect(page.locator("#detail .place")).to_contain_text(place)


def newest(session: Session, complaint_id: int) -> WorkOrder | None:
    return session.query(WorkOrder).filter_by(complaint_id=complaint_id).order_by(WorkOrder.id.desc()).first()


def order_of(live: Live, complaint_id: int) -> WorkOrder:
    """Its newest order, when there is one."""
    found = live.wait(lambda session: newest(session, complaint_id))
    assert found is not None
    return found


def test_the_list_shows_what_is_open_by_its_time_limit_and_tells_what_the_map_lacks(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    expect(cards(page)).to_have_count(5)
    expect(cards(page).first).to_contain_text("文丰小区3号楼")
    expect(cards(page).first).to_have_class(re.compile("red"))
    expect(cards(page).first).to_contain_text("超时")
    expect(page.locator("#list-head")).to_contain_text("其中 1 件未定位")
    expect(cards(page).filter(has_text="地点不详")).to_contain_text("未定位")
    expect(page.locator('#counts [data-count="open"] b')).to_have_text("5")
    expect(page.locator('#counts [data-count="overdue"] b')).to_have_text("1")
    expect(page.locator('#counts [data-count="crews"] b')).to_have_text("2/2")


def test_filters_selection_and_map_are_in_the_url_and_come_back_with_it(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    page.click('[data-chip="category"]')
    page.get_by_label("供热（全部）").check()
    expect(cards(page)).to_have_count(4)
    page.keyboard.press("Escape")
    page.click('#counts [data-count="overdue"]')
    expect(cards(page)).to_have_count(1)
    select(page, "文丰小区3号楼")
    page.wait_for_url(re.compile(rf"time_state=red.*id={city.complaints[0]}"))
    page.wait_for_url(re.compile("at="))
    page.reload()
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_have_attribute("aria-current", "true")
    expect(page.locator("#detail h2")).to_have_text("室温不达标")
    page.go_back()
    expect(page.locator("#detail")).to_contain_text("尚未选择")
    page.get_by_role("button", name="清除筛选").click()
    expect(cards(page)).to_have_count(5)


def test_the_keyboard_walks_the_list_and_reads_the_detail(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(cards(page).nth(1)).to_have_attribute("aria-current", "true")
    expect(cards(page).nth(1)).to_be_focused()
    expect(page.locator("#detail .place")).to_contain_text("金色公寓4号楼")
    page.keyboard.press("k")
    expect(page.locator("#detail .place")).to_contain_text("文丰小区3号楼")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("派给这一序号的班组")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(cards(page).first).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_contain_text("尚未选择")


def test_crews_are_ranked_with_reasons_and_one_click_assigns(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    select(page, "怡景公寓1号楼")
    first = page.locator(".ranking > li").first
    expect(first).to_contain_text("兴平抢修1班")
    expect(first).to_contain_text("具备工种")
    expect(page.locator(".ranking > li").nth(1).locator(".against").first).to_be_visible()
    first.get_by_role("button", name="派单").click()
    expect(page.locator(".toast")).to_contain_text("已派 兴平抢修1班 → 怡景公寓1号楼")
    expect(page.locator("#detail .order")).to_contain_text("兴平抢修1班")
    expect(cards(page).filter(has_text="怡景公寓")).to_contain_text("已派单")
    order = order_of(live, city.complaints[2])
    assert order.crew_id == city.fits and order.status == "assigned"
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_contain_text("已撤销")
    expect(page.locator(".ranking > li").first).to_contain_text("兴平抢修1班")
    live.wait(lambda session: newest(session, city.complaints[2]).status == "recalled")


def test_the_key_1_assigns_and_a_crew_that_does_not_fit_needs_a_reason(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    select(page, "文丰小区3号楼")
    expect(page.locator(".ranking > li")).to_have_count(2)
    page.keyboard.press("2")
    expect(page.locator(".override input")).to_be_focused()
    page.keyboard.type("离得最近,先去查看")
    page.keyboard.press("Enter")
    expect(page.locator("#detail .order")).to_contain_text("绿化养护班")
    order = order_of(live, city.complaints[0])
    assert order.crew_id == city.unfit and order.override_reason == "离得最近,先去查看"
    select(page, "玉兰花园8号楼")
    expect(page.locator(".ranking > li").first).to_contain_text("兴平抢修1班")
    page.locator("#detail h2").focus()
    page.keyboard.press("1")
    expect(page.locator("#detail .order")).to_contain_text("兴平抢修1班")
    assert order_of(live, city.complaints[3]).crew_id == city.fits


def test_what_others_do_appears_by_itself(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    select(page, "金色公寓4号楼")
    with live.sessions() as session:
        fresh = make_complaint(
            session,
            place="新来的小区5号楼",
            received_at=utc_now(),
            resolve_by=utc_now() + timedelta(hours=6),
            district_id=city.district,
        )
        write(session, Who(utc_now()), "receive", "complaint", fresh.id, version=1)
        there = session.get_one(Complaint, city.complaints[1])
        take_step(session, Who(utc_now()), there, "cancel", data=STRUCK)
        session.commit()
    expect(cards(page).filter(has_text="新来的小区5号楼")).to_be_visible()
    expect(cards(page).filter(has_text="金色公寓4号楼")).to_have_count(0)
    expect(page.locator("#detail .detail-head")).to_contain_text("已销账")
    page.get_by_role("button", name="他人动态：新增 2 条").click()
    page.locator("#news").get_by_role("button", name=re.compile("受理.*新来的小区5号楼")).click()
    expect(page.locator("#detail .place")).to_contain_text("新来的小区5号楼")


def test_somebody_else_was_faster_both_versions_are_shown(live, page, city):
    page.route(re.compile(r"/events"), lambda route: route.abort())
    open_desk(live, page, city)
    select(page, "怡景公寓1号楼")
    expect(page.locator(".ranking > li")).to_have_count(2)
    page.route("**/changes.json*", lambda route: route.abort())
    expect(page.locator("#connection")).to_have_text("连接中断，正在重试…")
    with live.sessions() as session:
        take_step(session, Who(utc_now()), session.get_one(Complaint, city.complaints[2]), "cancel", data=STRUCK)
        session.commit()
    page.keyboard.press("1")
    stale = page.locator("#detail .stale")
    expect(stale).to_contain_text("您看到的内容")
    expect(stale.locator("tbody tr").nth(1)).to_have_text(re.compile("状态.*已受理.*已销账"))
    with live.sessions() as session:
        assert newest(session, city.complaints[2]) is None
    page.unroute("**/changes.json*")
    page.unroute(re.compile(r"/events"))
    expect(page.locator("#connection")).to_have_text("实时")


def test_a_callers_number_is_masked_until_a_purpose_is_told(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    select(page, "文丰小区3号楼")
    caller = page.locator(".caller")
    expect(caller).to_contain_text("138****5678")
    caller.get_by_role("button", name="查看…").click()
    caller.locator("select").select_option("call_back")
    caller.get_by_role("button", name="显示").click()
    expect(caller).to_contain_text("13812345678")
    expect(page.locator("[data-timeline]")).to_contain_text("用途：回访来电人")
    expect(caller).to_contain_text("13812345678")
    caller.get_by_role("button", name="隐藏").click()
    expect(caller).not_to_contain_text("13812345678")


def test_a_supervisor_confirms_and_reopens(live, page, city):
    with live.sessions() as session:
        row = session.get_one(Complaint, city.complaints[2])
        row.status = "resolved"
        session.commit()
    open_desk(live, page, city, "supervisor", f"?id={city.complaints[2]}&sort=due")
    page.get_by_role("button", name="回访确认").click()
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#detail .detail-head")).to_contain_text("办结")
    page.get_by_role("button", name="重办").click()
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".step-form [role=alert]")).to_contain_text("说明")
    page.get_by_label("说明 *").fill("来电人说晚上又不热了")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".ranking > li").first).to_contain_text("兴平抢修1班")


def test_a_refresh_that_comes_late_brings_no_older_version_back(live, page, city):
    """Asked for before the step, answered after the next form was opened: that form goes on with the version that is shown."""
    with live.sessions() as session:
        session.get_one(Complaint, city.complaints[2]).status = "resolved"
        session.commit()
    open_desk(live, page, city, "supervisor", f"?id={city.complaints[2]}&sort=due")
    page.get_by_role("button", name="回访确认").click()
    late: list[Route] = []
    page.route(
        f"**/complaints/{city.complaints[2]}.json", lambda route: route.continue_() if late else late.append(route)
    )
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#detail .detail-head")).to_contain_text("办结")  # by the refresh after that one
    page.get_by_role("button", name="重办").click()
    with page.expect_response(late[0].request.url):
        late[0].continue_()
    page.get_by_label("说明 *").fill("来电人说晚上又不热了")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".ranking > li").first).to_contain_text("兴平抢修1班")


def test_a_click_on_the_map_selects_what_the_list_selects(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    at = page.evaluate(f"fetch('/complaints/{city.complaints[2]}.json').then((r) => r.json())")
    page.goto(f"{live.url}/?status=open&sort=due&at=16/{at['lat']}/{at['lon']}")
    canvas = page.locator("#map canvas")
    canvas.hover(trial=True)  # it lies where it stays
    box = canvas.bounding_box()
    for _ in range(120):  # the tile may still be on its way
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(500)
        if page.locator("#detail .place").count():
            break
    expect(page.locator("#detail .place")).to_contain_text("怡景公寓1号楼")
    expect(cards(page).filter(has_text="怡景公寓1号楼")).to_have_attribute("aria-current", "true")


def test_layers_and_the_width_of_the_panes_are_remembered(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    page.locator(".legend summary").click()
    page.get_by_label("管线").check()
    page.wait_for_url(re.compile("layers=complaints,crews,stations,pipelines"))
    page.locator(".legend").get_by_role("button", name="超时", exact=True).click()
    expect(cards(page)).to_have_count(1)
    width = page.locator("#list-pane").bounding_box()["width"]
    page.locator("#list-edge").press("ArrowRight")
    page.reload()
    expect(cards(page)).to_have_count(1)
    until(page, f"Math.abs(document.querySelector('#list-pane').getBoundingClientRect().width - {width + 24}) <= 1")
    expect(page.get_by_label("管线")).to_be_checked()
    expect(page.locator(".legend").get_by_role("button", name="超时", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_crews_and_the_network_are_lists_too(live, page, city, quiet):
    open_desk(live, quiet(page), city)
    page.get_by_role("tab", name="班组").click()
    page.locator("#crews .thing").filter(has_text="兴平抢修1班").click()
    expect(page.locator("#detail h2")).to_have_text("兴平抢修1班")
    expect(page.locator("#detail")).to_contain_text("供热")
    page.get_by_role("tab", name="班组").press("ArrowRight")
    expect(page.locator("#things")).to_contain_text("这里还没有录入内容")


def test_empty_and_failing_lists_say_what_to_do(live, page, city):
    live.sign_in(page, "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/?q=没有这样的地方&sort=due")
    expect(page.locator("#cases")).to_contain_text("没有符合筛选条件的诉求")
    page.locator("#cases").get_by_role("button", name="清除筛选").click()
    expect(cards(page)).to_have_count(5)
    page.route(
        "**/complaints.json*", lambda route: route.fulfill(status=500, json={"detail": "坏了", "code": "internal"})
    )
    page.click('#counts [data-count="open"]')
    expect(page.locator("#cases")).to_contain_text("列表加载失败")
    page.unroute("**/complaints.json*")
    page.get_by_role("button", name="重试").click()
    expect(cards(page)).to_have_count(5)


def test_on_a_phone_the_panes_are_pages(live, phone_page, city, quiet):
    page = quiet(phone_page)
    open_desk(live, page, city)
    expect(page.locator("#map-pane")).to_be_hidden()
    cards(page).filter(has_text="怡景公寓1号楼").click()
    expect(page.locator("#list-pane")).to_be_hidden()
    expect(page.locator(".ranking > li").first).to_contain_text("兴平抢修1班")
    page.get_by_role("button", name="地图", exact=True).click()
    expect(page.locator("#map-pane")).to_be_visible()
    page.get_by_role("button", name="列表", exact=True).click()
    expect(cards(page).filter(has_text="怡景公寓1号楼")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_webgl_the_lists_still_work(live, browser, city):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    open_desk(live, page, city)
    expect(page.locator("#map")).to_contain_text("此浏览器无法绘制地图")
    select(page, "怡景公寓1号楼")
    page.locator(".ranking > li").first.get_by_role("button", name="派单").click()
    expect(page.locator("#detail .order")).to_contain_text("兴平抢修1班")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(live, browser: Browser, city, theme, quiet):
    context: BrowserContext = browser.new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=theme, locale="zh-CN"
    )
    page = quiet(context.new_page())
    open_desk(live, page, city)
    select(page, "文丰小区3号楼")
    expect(page.locator(".ranking > li")).to_have_count(2)
    page.click('[data-chip="status"]')
    page.locator(".legend summary").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate(f"axe.run(document, {LAYERS_OF_AXE})")
    serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["target"] for n in v["nodes"]][:5]) for v in serious] == []
    context.close()
