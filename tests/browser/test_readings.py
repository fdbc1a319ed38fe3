"""Readings in a real browser: the list of alarms follows by itself, a station's charts, a band set, a room measured on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gis.complaints import room_actions
from gis.journal import Who
from gis.network import alarm_actions
from gis.network.reading_model import MeasuringPoint
from tests.browser.conftest import Live
from tests.factories import make_complaint
from tests.measured import make_point, make_rule, make_station, read
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"


@pytest.fixture(scope="module")
def live(new_database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(new_database(), tmp_path_factory.mktemp("readings"))
    made.start()
    yield made
    made.stop()
    made.engine.dispose()


@pytest.fixture
def point(live: Live) -> MeasuringPoint:
    """A station's point with a band, in order until now."""
    with live.sessions.begin() as session:
        made = make_point(session, make_station(session), name="二次供水温度")
        make_rule(session, made, low=40.0, high=60.0)
        read(session, *((made, m, 50.0) for m in range(60, 0, -5)), now=utc_now())
    return made


def watch(live: Live, point: MeasuringPoint, value: float) -> None:
    with live.sessions.begin() as session:
        now = utc_now()
        read(session, (point, now, value), now=now)
        alarm_actions.watch(session, Who(now), now.astimezone(live.zone).date())


def within(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def serious(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]


def test_the_list_of_alarms_follows_by_itself_and_a_note_is_kept(live: Live, page: Page, point: MeasuringPoint):
    live.sign_in(page, "dispatcher")
    page.goto(f"{live.url}/alarms?state=new")
    expect(page.locator("#follows")).to_contain_text("自动更新")
    watch(live, point, 20.0)
    row = page.locator("tr[data-alarm]", has_text=point.code)
    expect(row).to_contain_text("偏低")
    row.get_by_placeholder("如何处理").fill("已派人查看")
    row.get_by_role("button", name="确认").click()
    expect(page.locator(".notice.done")).to_be_visible()
    expect(page.locator("tr[data-alarm]", has_text=point.code)).to_have_count(0)
    page.goto(f"{live.url}/alarms?state=acknowledged")
    expect(page.locator("tr[data-alarm] input[value='已派人查看']")).to_be_visible()
    assert serious(page) == []
    expect(page.locator("#follows")).to_contain_text("自动更新")
    watch(live, point, 50.0)
    expect(page.locator("tr[data-alarm]", has_text=point.code)).to_have_count(0)


def test_a_station_is_read_and_its_band_set_at_every_width(live: Live, page: Page, point: MeasuringPoint):
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/stations")
    page.get_by_placeholder("换热站名称或编号").fill("换热站")
    for width in (1366, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        for path in (f"/stations/{point.station_id}", "/stations", f"/stations/{point.station_id}/rules", "/points", "/readings/faults",
                     "/readings/import", "/room-tests", "/room-tests/rules", "/alarms?state=all"):  # fmt: skip
            page.goto(f"{live.url}{path}")
            within(page)
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{live.url}/stations/{point.station_id}")
    page.get_by_role("link", name="周", exact=True).click()  # a day that began a minute ago has no line yet
    expect(page).to_have_url(re.compile("range=week"))
    expect(page.locator("svg.readings polyline.supply")).to_have_count(1)
    page.get_by_text("表格").first.click()
    expect(page.locator("details[open] td.number").first).to_contain_text("50.0")
    assert serious(page) == []
    page.goto(f"{live.url}/stations/{point.station_id}/rules")
    page.get_by_text("新规则：超限").click()
    form = page.locator("details[open] form.rule-form")
    form.locator("input[name=low]").fill("42.5")
    form.locator("input[name=high]").fill("58")
    form.locator("input[name=source]").fill("运行规程第 3 条")
    form.get_by_role("button").click()
    expect(page.locator(".notice.done")).to_be_visible()
    expect(page.locator("tr", has_text="运行规程第 3 条")).to_contain_text("42.5 – 58.0")
    assert serious(page) == []


def test_an_inspector_measures_a_room_on_a_phone(live: Live, page: Page):
    with live.sessions.begin() as session:
        complaint = make_complaint(session, category="heat.cold")
        test = room_actions.request_test(session, Who(utc_now() - timedelta(minutes=5)), complaint)
    page.set_viewport_size({"width": 390, "height": 844})
    live.sign_in(page, "inspector")
    page.goto(f"{live.url}/room-tests")
    page.get_by_role("link", name=complaint.hotline_no).click()
    expect(page.get_by_text("小时")).to_be_visible()
    page.locator("input[name=temperature_c]").fill("16.0")
    page.locator("input[name=room]").fill("卧室")
    page.get_by_role("button", name="保存测温结果").click()
    expect(page.locator(".verdict")).to_have_text("16.0 °C")
    within(page)
    assert serious(page) == []
    with live.sessions() as session:
        assert session.get(type(test), test.id).temperature_c == 16
