"""The bulletin in a browser: open the week, drill into a numerator, take the Excel file and find the same figures in it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.browser.conftest import Live
from tests.factories import make_area, make_complaint, make_unit
from webapp.clock import utc_now

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    return server


@pytest.fixture(scope="module")
def day(live: Live) -> date:
    """Eight days ago: six complaints of one body, four closed in time, one late, one open."""
    at = utc_now() - timedelta(days=8)
    with live.sessions() as session:
        unit = make_unit(session, name="兴平热电")
        area = make_area(session, name="平度市", households=300)
        for n in range(6):
            closed = None if n == 0 else at + timedelta(hours=1 if n < 5 else 9)
            make_complaint(session, unit_id=unit.id, district_id=area.id, received_at=at, resolve_by=at + timedelta(hours=2),
                           closed_at=closed, status="answered" if closed else "sent")  # fmt: skip
        session.commit()
    return at.date()


def test_a_planner_reads_the_week_opens_a_numerator_and_takes_the_workbook(
    live: Live, day: date, page: Page, tmp_path: Path
) -> None:
    live.sign_in(page, "planner")
    page.get_by_role("button", name="统计分析").click()
    page.get_by_role("link", name="统计通报").click()
    expect(page).to_have_url(re.compile(r"/bulletins\?.*on="))
    page.goto(f"{live.url}/bulletins?period=range&on={day - timedelta(days=1)}&to={day + timedelta(days=1)}")
    row = page.locator("table.rates tr", has_text="按时办结率")
    expect(row).to_contain_text("66.67 %")
    expect(row).to_contain_text("4 / 6")
    expect(row).to_contain_text("无数据")
    row.get_by_role("link", name="4", exact=True).click()
    expect(page.locator("[data-many]")).to_have_attribute("data-many", "4")
    expect(page.locator("tbody tr")).to_have_count(4)
    page.go_back()
    with page.expect_download() as started:
        page.click("text=Excel")
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    rates = CalamineWorkbook.from_path(path).get_sheet_by_name("比率").to_python()
    told = next(line for line in rates if line[0] == "按时办结率")
    assert told[1:5] == [66.67, "按时办结 / 应结", 4, 6]


def test_the_filters_apply_themselves_and_only_a_range_has_a_last_day(live: Live, day: date, page: Page) -> None:
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/bulletins")
    expect(page.locator("input[name=to]")).to_be_hidden()
    page.select_option("select[name=period]", "month")
    page.wait_for_url(re.compile("period=month"))  # and until its script has run
    page.select_option("select[name=rank]", "rework")
    page.wait_for_url(re.compile("rank=rework"))
    page.select_option("select[name=period]", "range")  # waits for its last day
    expect(page.locator("input[name=to]")).to_be_visible()


def test_a_supervisor_publishes_and_finds_the_issue_as_it_was_printed(live: Live, day: date, page: Page) -> None:
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/bulletins?period=day&on={day}")
    page.locator("form[action='/bulletins/issues'] button.primary").click()
    expect(page.locator(".notice.done")).to_contain_text("第 1 期")
    expect(page.locator("h1")).to_contain_text("日报")
    page.get_by_role("link", name="已发布", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_on_a_phone_nothing_is_wider_than_the_screen(live: Live, day: date, phone_page: Page) -> None:
    live.sign_in(phone_page, "planner")
    phone_page.goto(f"{live.url}/bulletins?period=day&on={day}")
    expect(phone_page.locator("h1")).to_be_visible()
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
