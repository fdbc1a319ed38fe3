"""The heating week's board in a real browser: it follows by itself, its address is the view, and it is read from three metres."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from gis import journal
from gis.journal import Who
from gis.network.model import Station
from gis.oversight import weeks
from gis.oversight.week_rules import TargetKey
from tests import factories as make
from tests.browser.conftest import Live
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"


@pytest.fixture(scope="module")
def live(morning_server: Live) -> Live:
    return morning_server


@pytest.fixture(scope="module")
def compounds(live: Live) -> list[int]:
    """A week that runs since the day before yesterday; three stations, one of which serves nobody yet."""
    now = utc_now()
    today = now.astimezone(live.zone).date()
    with live.sessions() as session:
        heat, property_ = (
            make.make_unit(session, name=n, kind=k)
            for n, k in (("兴平热电", "heat_company"), ("幸福物业", "property_company"))
        )
        district = make.make_area(session, name="平度市")
        found = []
        for n, (name, unit, operator, homes) in enumerate((
            ("文丰小区换热站", heat, "heat_company", 400), ("玉兰花园换热站", property_, "property_company", 50),
            ("新城换热站", heat, "heat_company", 0),
        )):  # fmt: skip
            area = make.make_area(session, level="compound", parent_id=district.id, name=name.removesuffix("换热站"))
            session.add(Station(code=f"H{n}", name=name, operator=operator, unit_id=unit.id, area_id=area.id, households=homes,
                                geom=make.point(119.95 + n / 50, 36.78)))  # fmt: skip
            found.append(area.id)
        planned = weeks.Planned(
            "平度市", "供热专题接话周", today - timedelta(days=2), today + timedelta(days=4), "实施方案", "Heating week"
        )
        week = weeks.enter(session, Who(now), planned)
        weeks.set_targets(session, Who(now), week.id, {TargetKey.CALLS: weeks.Target(Decimal(20), "实施方案")})
        for n in range(9):
            _call(session, found[n % 2], now - timedelta(hours=2 + n))
        session.commit()
    return found


def _call(session, compound: int, at: datetime) -> None:
    complaint = make.make_complaint(session, compound_id=compound, received_at=at, resolve_by=at + timedelta(hours=30))
    journal.write(session, Who(at), "receive", "complaint", complaint.id, version=1)


def sticks_out(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def test_a_call_appears_on_the_board_by_itself_and_filters_are_in_the_address(live, page: Page, compounds, quiet):
    live.sign_in(quiet(page), "supervisor")
    page.goto(f"{live.url}/heating/week")
    calls = page.locator("[data-figure='calls'] > b")
    expect(calls).to_have_text("9")
    expect(page.locator("#tiles")).to_contain_text("9 个来话 ÷ 450 户 × 100")
    row = page.locator("[data-station]", has_text="玉兰花园换热站")
    expect(row.locator("b").first).to_have_text("8.0")  # 4 of 50 households
    expect(page.locator("[data-station]", has_text="新城换热站")).to_contain_text("无数据")
    expect(page.locator("[data-connection]")).to_have_text("自动更新")
    with live.sessions() as session:
        _call(session, compounds[1], utc_now())
        session.commit()
    expect(calls).to_have_text("10")
    expect(row.locator("b").first).to_have_text("10.0")
    expect(page.locator("[data-map][data-map-ready]")).to_be_attached()

    page.select_option("select[name=operator]", "property_company")
    page.wait_for_url(re.compile(r"operator=property_company"))
    assert "unit=" not in page.url and "q=" not in page.url and "order=" not in page.url
    expect(page.locator("[data-station]")).to_have_count(1)
    assert page.evaluate("JSON.parse(document.getElementById('places').textContent).length") == 1
    expect(calls).to_have_text("10")  # the week's own figures stay whole
    page.reload()
    expect(page.locator("[data-station]")).to_have_count(1)
    with page.expect_download() as file:
        page.get_by_role("link", name="Excel 表格").click()
    assert file.value.suggested_filename.startswith("heating_week_")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")] == []


def test_the_big_screen_is_read_from_three_metres_follows_by_itself_and_escape_leaves_it(
    live, browser, compounds, quiet
):
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = quiet(context.new_page())
    live.sign_in(page, "call_taker")
    page.goto(f"{live.url}/heating/week?wall=1")
    expect(page.locator("html.on-the-wall")).to_be_attached()
    expect(page.locator("[data-connection]")).to_have_text("自动更新")
    before = int(page.locator("[data-figure='calls'] > b").inner_text())
    smallest, below = page.evaluate(
        """() => {
            const seen = [...document.querySelectorAll(".wall *")].filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
                && node.checkVisibility() && node.tagName !== "SCRIPT");
            return [Math.min(...seen.map((node) => parseFloat(getComputedStyle(node).fontSize))), Math.max(...seen.map((node) => node.getBoundingClientRect().bottom))];
        }"""
    )
    assert smallest >= 24  # 15 mm on a screen of 55 inches
    assert below <= 1080 and sticks_out(page) <= 0
    with live.sessions() as session:
        _call(session, compounds[0], utc_now())
        session.commit()
    expect(page.locator("[data-figure='calls'] > b")).to_have_text(str(before + 1))
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "wall" not in url)
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_at_phone_width_nothing_sticks_out(live, phone_page: Page, compounds, language):
    phone_page.context.add_cookies([{"name": "language", "value": language, "url": live.url}])
    live.sign_in(phone_page, "supervisor")
    for path in (
        "/heating/week",
        "/heating/seasons",
        "/heating/weeks/new",
        "/patrols",
        "/patrols/new",
        "/heating/week?wall=1",
    ):
        for width in (390, 320):
            phone_page.set_viewport_size({"width": width, "height": 844})
            phone_page.goto(f"{live.url}{path}")
            expect(phone_page.locator("h1")).to_be_visible()
            assert sticks_out(phone_page) <= 0, (path, width)


def test_a_supervisor_enters_a_week_with_targets_and_moves_the_season_with_a_reason(live, page: Page, compounds, quiet):
    live.sign_in(quiet(page), "supervisor")
    page.goto(f"{live.url}/heating/weeks/new")
    page.fill("[name=name]", "供水专题接话周")
    page.fill("[name=first]", "2031-05-05")
    page.fill("[name=last]", "2031-05-11")
    page.fill("[name=source]", "通知")
    page.select_option("[name=utility]", "water")
    page.fill("[name='value.satisfied']", "95")
    page.click("main button.primary")
    expect(page.locator(".notice.error")).to_contain_text("依据")  # a number needs its source
    assert page.input_value("[name='value.satisfied']") == "95"
    page.fill("[name='source.satisfied']", "通知第三条")
    page.click("main button.primary")
    expect(page.locator("h1")).to_have_text("供水专题接话周")
    expect(page.locator("#week-state")).to_have_text("尚未开始")
    expect(page.locator("[data-figure='satisfied']")).to_contain_text("无数据")

    page.goto(f"{live.url}/heating/seasons")
    card = page.locator("section.season", has_text="潍坊市")
    card.locator("summary").click()
    card.locator("[name=begins_at]").fill("2017-11-10T12:00")
    card.locator("[name=reason]").fill("寒潮，提前供热")
    card.locator("[name=source]").fill("市政府会议纪要")
    card.get_by_role("button", name="作出决定").click()
    expect(card.locator("ol li").last).to_contain_text("寒潮，提前供热")
    was = datetime(2017, 11, 14, 12, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(live.zone)
    expect(card.locator("s")).to_contain_text(was.strftime("%Y-%m-%d %H:%M"))
