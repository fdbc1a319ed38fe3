"""The networks in a real browser: a burst isolated from the map and by keyboard alone, two shutdowns, the warned call-taker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from gis.network.model import Valve
from tests.browser.conftest import Live
from tests.small_city import at, draw

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"


@pytest.fixture(scope="module")
def live(new_database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all; each test saves its own shutdowns."""
    made = Live(new_database(), tmp_path_factory.mktemp("trace"))
    made.start()
    yield made
    made.stop()
    made.engine.dispose()


@pytest.fixture(scope="module")
def city(live: Live) -> Any:
    with live.sessions() as session:
        made = draw(session)
        session.commit()
    return made


def local(hours: float) -> str:
    return (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def save(page: Page, reason: str, kind: str = "emergency", begins: float = 0, ends: float = 5) -> str:
    page.select_option("[name=outage_kind]", kind)
    page.fill("[name=reason]", reason)
    page.fill("[name=begins_at]", local(begins))
    page.fill("[name=expected_end_at]", local(ends))
    page.click("text=保存停供")
    box = page.locator("[data-outage]")
    expect(box).to_be_visible()
    return box.get_attribute("data-outage") or ""


def axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]


def test_a_burst_is_isolated_from_the_map_and_its_valve_closed(live: Live, page: Page, city: Any, quiet) -> None:
    live.sign_in(quiet(page), "dispatcher")
    page.goto(f"{live.url}/trace?thing=pipe&id={city.p1.id}")
    box = page.locator("[data-trace-map]")
    expect(box).to_have_attribute("data-map-ready", "1")
    lon, lat = at(330, 0)
    spot = page.evaluate(
        "([lon, lat]) => { const p = document.querySelector('[data-trace-map]').traceMap.project([lon, lat]); return [p.x, p.y]; }",
        [lon, lat],
    )
    box.click(position={"x": spot[0], "y": spot[1]})
    expect(page.locator("[data-valves] [data-valve]")).to_have_count(1)
    expect(page.locator("[data-valves] [data-valve=V2]")).to_be_visible()
    expect(page.locator("[data-count=households]")).to_have_text("90")
    expect(page.locator(".valve-no")).to_have_text("1")
    assert axe(page) == []
    save(page, "供水管爆管")
    page.click("[data-turn=V2]")
    expect(page.locator("[data-valve=V2]")).to_contain_text("现为关闭")
    expect(page.locator("[data-since]")).to_contain_text("分")
    assert axe(page) == []
    page.click("[data-turn=V2]")
    expect(page.locator("[data-valve=V2]")).to_contain_text("复位")
    page.click("[data-step=end]")
    expect(page.locator("[data-status]")).to_have_text("已恢复")


def test_a_burst_is_isolated_by_keyboard_alone(live: Live, page: Page, city: Any) -> None:
    live.sign_in(page, "dispatcher")
    page.goto(f"{live.url}/trace")
    expect(page.locator("[name=q]")).to_be_focused()
    page.keyboard.type("P2")
    page.keyboard.press("Enter")
    expect(page.locator(".trace-found")).to_be_visible()
    tab_to(page, "管线 P2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-valves] [data-valve=V2]")).to_be_visible()
    tab_to(page, "无法操作此阀")
    page.keyboard.press("Enter")
    expect(page.locator("[data-valves] [data-valve]")).to_have_count(2)
    expect(page.locator("[data-count=households]")).to_have_text("130")
    tab_to(page, "下游")
    page.keyboard.press("Enter")
    expect(page.locator("[data-lost]")).to_contain_text("沿线情况")


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus is on what says these words."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if " ".join(page.evaluate("document.activeElement.innerText || ''").split()) == words:
            return
    raise AssertionError(f"no Tab reaches {words}")


def test_two_shutdowns_that_only_together_take_service_are_shown(live: Live, page: Page, city: Any) -> None:
    with live.sessions() as session:
        session.get_one(Valve, city.vw3.id).is_open = True  # the second waterworks feeds too
        session.commit()
    live.sign_in(page, "dispatcher")
    page.goto(f"{live.url}/trace?thing=pipe&id={city.m3.id}")
    first = save(page, "补水管改造", "planned", begins=24, ends=30)
    page.goto(f"{live.url}/trace?thing=pipe&id={city.m1.id}")
    shown = page.locator(f"[data-conflicts] [data-conflict={first}]")
    expect(shown).to_contain_text("南街商铺")
    second = save(page, "主管换阀", "planned", begins=26, ends=29)
    expect(page.locator(f"[data-conflicts] [data-conflict={first}]")).to_contain_text("5 户")
    page.goto(f"{live.url}/trace?thing=pipe&id={city.m1.id}")
    save(page, "另一天", "planned", begins=72, ends=75)
    expect(page.locator(f"[data-conflict={first}]")).to_have_count(0)
    expect(page.locator(f"[data-conflict={second}]")).to_have_count(0)


@pytest.mark.parametrize("size", [(1366, 768), (320, 640)])
def test_the_call_taker_is_warned_as_soon_as_the_place_is_known(live: Live, page: Page, city: Any, size, quiet) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    live.sign_in(quiet(page), "dispatcher")
    page.goto(f"{live.url}/trace?thing=pipe&id={city.p3.id}")
    no = save(page, "阀门井漏水")
    page.goto(f"{live.url}/complaints/new")
    expect(page.locator("[data-outages]")).to_be_hidden()
    lon, lat = at(300, 200)
    page.fill("#lon", f"{lon:.6f}")
    page.fill("#lat", f"{lat:.6f}")
    page.locator("#lat").press("Tab")
    warned = page.locator(f"[data-outages] [data-outage={no}]")
    expect(warned).to_contain_text("阀门井漏水")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    warned.locator("text=记入已知原因").click()
    expect(page.locator("#description")).to_have_value(f"已知停供 {no}：阀门井漏水；预计 {warned_end(page, no)} 恢复。")


def warned_end(page: Page, no: str) -> str:
    words = page.locator(f"[data-outages] [data-outage={no}] .small").first.inner_text()
    return words.split(" 至 ")[1].split(" · ")[0].strip()
