"""The networks' pages in a real browser: a file with faults is looked at, its rest kept; faults found on the map by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.browser.conftest import Live

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
X, Y = 119.93, 36.80


@pytest.fixture(scope="module")
def live(new_database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(new_database(), tmp_path_factory.mktemp("networks"))
    made.start()
    yield made
    made.stop()
    made.engine.dispose()


def _feature(kind: str, code: str, *places: tuple[float, float], **more: str) -> dict:
    there = [[X + x / 1e5, Y + y / 1e5] for x, y in places]
    shape = (
        {"type": "LineString", "coordinates": there} if len(there) > 1 else {"type": "Point", "coordinates": there[0]}
    )
    return {
        "type": "Feature",
        "properties": {"对象": kind, "编号": code, "管线种类": "供水", "级别": "干管", **more},
        "geometry": shape,
    }


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "faulty.geojson"
    features = [
        _feature("管线", "A", (0, 0), (200, 0)), _feature("管线", "B", (200, 0), (400, 0)),
        _feature("管线", "C", (100, 2), (100, 90)), _feature("管线", "D", (5, 5), (5, 5)),
        _feature("水源", "S", (0, 0), 名称="测试水厂"), _feature("阀门", "V", (50, 0)),
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")
    return path


def _no_violations(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']}).then((r) => r.violations)")
    serious = [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


def test_a_faulty_file_is_looked_at_its_rest_kept_and_its_faults_found_on_the_map(live, page, quiet, faulty):
    quiet(page)
    live.sign_in(page, "planner")
    page.goto(f"{live.url}/networks")
    expect(page.locator(".empty strong")).to_be_visible()
    _no_violations(page)
    page.locator(".empty a").click()
    page.set_input_files("input[type=file]", faulty)
    page.click("[data-send]")
    expect(page.locator("[data-state=looked_at]")).to_be_visible()
    expect(page.get_by_text("该管线长度为零")).to_be_visible()
    expect(page.get_by_text("管端距 A 2.2 米，未连接。")).to_be_visible()
    with live.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM pipeline")) == 0
    _no_violations(page)
    page.click("[data-keep]")
    expect(page.locator("[data-state=stored]")).to_be_visible()
    with live.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM pipeline")) == 3
    page.goto(f"{live.url}/networks?utility=water")
    box = page.locator("[data-map][data-drawn]")
    expect(box).to_be_visible()
    row = page.locator("[data-finding]").filter(has_text="疑似未连接")
    row.locator("[data-zoom]").focus()
    page.keyboard.press("Enter")
    expect(box).to_have_attribute("data-at", row.get_attribute("data-finding"))
    expect(row).to_have_class("lit")
    _no_violations(page)


def test_a_valve_out_of_reach_is_told_in_the_list_and_on_the_console(live, page, quiet, faulty):
    quiet(page)
    with live.sessions() as session:
        session.execute(
            text(
                "INSERT INTO valve (code, utility, is_open, geom) VALUES ('ZV9', 'gas', true, ST_SetSRID(ST_MakePoint(119.93, 36.8), 4326))"
            )
        )
        session.commit()
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/networks/valves?q=ZV9")
    page.locator("summary").click()
    page.select_option("select[name=reach]", "unreachable")
    page.fill("input[name=note]", "井室积水")
    page.locator(".net-edit button").click()
    expect(page.locator(".notice.done")).to_contain_text("ZV9")
    expect(page.locator("tbody tr")).to_contain_text("井室积水")
    _no_violations(page)
    page.goto(f"{live.url}/")
    page.get_by_role("tab", name="管网设施").or_(page.get_by_text("管网设施", exact=True)).first.click()
    page.select_option(".things-head select", "valves")
    page.fill(".things-head input", "ZV9")
    expect(page.locator("#panel-things .thing")).to_have_count(1)
    expect(page.locator("#panel-things .thing")).to_contain_text("无法操作的阀门：井室积水")


def test_the_pages_fit_a_small_phone_in_english(live, phone_page):
    name = live.sign_in(phone_page, "planner")
    with live.sessions() as session:
        session.execute(text("UPDATE app_user SET language = 'en' WHERE name = :name"), {"name": name})
        session.commit()
    phone_page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/networks?utility=water", "/networks/valves", "/networks/stations", "/networks/import"):
        phone_page.goto(f"{live.url}{path}")
        expect(phone_page.locator("h1")).to_be_visible()
        assert phone_page.evaluate("document.documentElement.scrollWidth") <= 320, path
        shown = phone_page.locator("main").inner_text().replace("测试水厂", "").replace("井室积水", "")
        assert not re.search(r"[\u4e00-\u9fff]", shown), shown
