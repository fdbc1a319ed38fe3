"""The main job on the demo city, from sign-in to a checked work order: desk and phone, offline included.

`chengmai up --demo` is the real command with its own database, as `make demo` runs it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.field import answer_page, finish, until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


class Demo:
    """A running demo: its address and its accounts."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        environment = {k: v for k, v in os.environ.items() if k != "CHENGMAI_DATABASE_URL"} | {"CHENGMAI_WORKERS": "1"}
        command = [
            sys.executable,
            "-m",
            "webapp.cli",
            "up",
            "--demo",
            "--port",
            "0",
            "--json",
            "--data-dir",
            str(data_dir),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
        assert self.process.stdout
        accounts = json.loads(self.process.stdout.readline())["demo_accounts"]
        self.passwords = {a["name"]: a["password"] for a in accounts}
        self.url = json.loads(self.process.stdout.readline())["url"]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(120) == 0
        assert self.process.stdout
        self.process.stdout.close()

    def sign_in(self, browser: Browser, role: str) -> Page:
        context = browser.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page = context.new_page()
        page.goto(f"{self.url}/login")
        page.fill("input[name=name]", role)
        page.fill("input[name=password]", self.passwords[role])
        page.click("main button.primary")
        page.wait_for_url(re.compile(r"^(?!.*/login)"))
        return page


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "var")
    yield made
    made.stop()


def test_from_a_call_to_a_checked_work_order(demo: Demo, browser: Browser, phone_context: BrowserContext):
    desk = demo.sign_in(browser, "dispatcher")
    crew, place = assign_the_best_crew(desk)
    link = enrol_a_phone_of(demo, browser, crew)
    phone = phone_context.new_page()
    check_the_work_offline(phone_context, phone, link, place)
    expect(desk.locator("#detail .detail-head")).to_contain_text("处置完毕")  # by itself, without reload
    read_the_checklist(demo, browser)
    see_hotspots(demo, browser)
    command = [sys.executable, "-m", "webapp.cli", "verify", "--data-dir", str(demo.data_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def assign_the_best_crew(desk: Page) -> tuple[str, str]:
    """The dispatcher opens a complaint that waits, sees crews with reasons, and sends the first."""
    desk.goto(desk.url.split("?")[0] + "?status=received")
    desk.locator("#cases .case", has_text="室温不达标").last.click()
    first = desk.locator(".ranking > li").first
    expect(first).to_contain_text("分钟")
    expect(first.locator(".why li").first).to_be_visible()
    place = desk.locator("#detail .place").inner_text().split("\n")[0].strip()
    crew = first.locator(".crew-name strong").inner_text().strip()
    own = first.get_attribute("data-crew")
    desk.locator(f"[data-assign='{own}']").click()  # whoever is first by now
    expect(desk.locator("#detail .order")).to_contain_text(crew)
    return crew, place


def enrol_a_phone_of(demo: Demo, browser: Browser, crew: str) -> str:
    """The administrator adds a person of that crew, and shows the code that the phone scans."""
    page = demo.sign_in(browser, "administrator")
    page.goto(f"{demo.url}/people")
    page.fill("input[name=name]", "banzhang")
    page.fill("input[name=full_name]", "班长 老钱")
    page.fill("input[name=password]", "a long password")
    page.select_option("select[name=role]", "crew")
    page.select_option("select[name=crew_id]", label=crew)
    page.click("form.card button.primary")
    page.locator("tr", has_text="banzhang").get_by_role("link").click()
    page.click("main button.primary")
    return page.locator("[data-enrol-link]").inner_text()


def check_the_work_offline(context: BrowserContext, phone: Page, link: str, place: str) -> None:
    """The crew's phone shows the order; without signal it is accepted, reached, checked with a photo and resolved."""
    phone.goto(link)
    phone.fill("#device-name", "老钱的手机")
    phone.click("main button.primary")
    expect(phone.locator("main")).to_contain_text(place.split("号楼")[0])
    expect(phone.locator("#banner")).to_contain_text("全部已送达")
    until(phone, "navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    expect(phone.locator("#banner")).to_contain_text("离线")
    phone.locator("main a", has_text=place.split("号楼")[0]).first.click()
    for verb in ("accept", "arrive"):
        phone.click(f"#foot [data-verb={verb}]")
    phone.click("text=开始检查")
    phone.click("dialog button:has-text('开始检查')")
    phone.wait_for_url("**/phone/#/check/**")
    fill_all_pages(phone)
    expect(phone.locator("#banner")).to_contain_text("离线 · 待发 3")
    phone.goto(phone.url.split("#")[0] + "#/today")
    phone.locator("main a[href^='#/order/']", has_text=place.split("号楼")[0]).first.click()
    phone.click("#foot [data-verb=resolve]")
    phone.fill("dialog textarea", "已放气调试,室温 19 度")
    phone.click("dialog .primary")
    expect(phone.locator("#banner")).to_contain_text("离线 · 待发 4")
    context.set_offline(False)
    expect(phone.locator("#banner")).to_contain_text("全部已送达")


def fill_all_pages(phone: Page) -> None:
    """Six pages, one promise not kept, with its photo."""
    for number in range(1, 7):
        phone.wait_for_url(f"**/phone/#/check/*/{number}")
        expect(phone.locator("main h2").first).to_contain_text(f"{number} ·")
        if phone.locator(".question").count():
            answer_page(phone, "1.2" if number == 1 else None, number)
        phone.click("#foot .primary")
    phone.wait_for_url("**/phone/#/check/*/end")
    finish(phone)


def read_the_checklist(demo: Demo, browser: Browser) -> None:
    """The supervisor finds the visit at the top of the list, with its answer and its photo."""
    page = demo.sign_in(browser, "supervisor")
    page.goto(f"{demo.url}/inspections")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("班长 老钱")
    row.get_by_role("link").first.click()
    photo = page.locator("main img").first
    expect(photo).to_be_visible()
    photo.scroll_into_view_if_needed()
    loaded = "[...document.querySelectorAll('main img')].some((image) => image.complete && image.naturalWidth > 0)"
    until(page, loaded)  # it is fetched when it comes into view


def see_hotspots(demo: Demo, browser: Browser) -> None:
    """The planner sees where the week's complaints gathered, as a map and as a table."""
    page = demo.sign_in(browser, "planner")
    page.goto(f"{demo.url}/hotspots?from=2009-11-16&to=2009-11-22")
    expect(page.locator("main")).to_contain_text("1,569")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".leaflet-container")).to_be_visible()
    expect(page.locator("main table tbody tr").first).to_be_visible()
