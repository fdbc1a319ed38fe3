"""The Jining stretch in a real browser: found by the planner, verified on foot by phone without signal, promised with a date, followed up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gis.coverage.model import BlindSpot, Camera, CoverageRun, SpotCheck, SpotPhoto, UnservedArea
from gis.journal import Who
from gis.oversight.outreach_model import Promise
from gis.people import actions, queries
from tests import covered
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.field import enrol, photo, until
from tests.browser.paper import A4_PX, COLOURS, on_paper
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
AXE = ROOT / "webapp" / "static" / "vendor" / "axe.min.js"
WHERE = f"{covered.SOUTH_MARK}向北至{covered.NORTH_MARK}"
DRAWN = '["in",["get","state"],["literal",["planned"]]]'  # what the table lists is what the map draws
HERE = dict(zip(("longitude", "latitude"), covered.lonlat(0, 250), strict=True))


@pytest.fixture(scope="module")
def live(morning_server: Live) -> Iterator[Live]:
    """One server where it is about ten in the morning, the quarter of Jining, and a worker."""
    with morning_server.sessions() as session:
        make.make_area(session, level="district", name="任城区", geom=make.square(*covered.AT, 0.2))
        make.make_area(session, level="community", name="皇桥村", geom=make.square(*covered.AT, 0.01))
        covered.jining(session)
        session.commit()
    settings = {
        "CHENGMAI_DATABASE_URL": morning_server.app_url, "CHENGMAI_DATA_DIR": str(morning_server.data_dir),
        "CHENGMAI_TIMEZONE": str(morning_server.zone),
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-m", "webapp.work"], env=os.environ | settings, cwd=ROOT)
    yield morning_server
    worker.terminate()
    worker.wait(60)


@pytest.fixture
def phone(live: Live, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, locale="zh-CN", timezone_id=str(live.zone),
        permissions=["geolocation"], geolocation={**HERE, "accuracy": 8},
    )  # fmt: skip
    yield context.new_page()
    context.close()


def _code(live: Live, name: str) -> str:
    with live.sessions() as session:
        user = queries.user_by_name(session, name)
        assert user is not None
        code = actions.offer_enrolment(session, Who(utc_now()), user.id)
        session.commit()
        return code


def _no_violations(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']}).then((r) => r.violations)")
    serious = [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


def _stretch(session: Any) -> BlindSpot | None:
    return session.scalars(
        select(BlindSpot).where(BlindSpot.road_name == covered.ROAD, BlindSpot.from_landmark == covered.SOUTH_MARK)
    ).one_or_none()  # fmt: skip


def test_the_jining_stretch_is_found_verified_by_phone_without_signal_and_promised(live, page, phone, quiet):
    live.sign_in(quiet(page), "planner")
    page.goto(f"{live.url}/coverage")
    expect(page.locator(".empty")).to_contain_text("没有符合条件的盲区")
    page.get_by_role("button", name="计算覆盖").click()
    live.wait(lambda session: session.scalar(select(CoverageRun.id).where(CoverageRun.state == "done")))
    row = page.locator("[data-spots] tbody tr", has_text=WHERE)
    expect(row).to_contain_text(covered.ROAD)  # the page came anew by itself
    expect(row).to_contain_text("分析发现")
    expect(page.locator("[data-coverage-map]")).to_have_attribute("data-map-ready", "1")
    _no_violations(page)

    name = live.add_user("inspector", full_name="检查员 老郑")
    enrol(quiet(phone), live.url, _code(live, name))
    card = phone.locator("a.item", has_text=WHERE)
    expect(card).to_contain_text("监控盲区")
    phone.context.set_offline(True)
    card.click()
    phone.click("#foot .primary")
    expect(phone.locator(".toast")).to_contain_text("请填写现有几路探头")
    phone.fill("#cameras", "3")
    phone.fill("#spot-note", "现按装3到4路监控")
    phone.set_input_files("main input[type=file]", photo(7))
    expect(phone.locator("main .thumb")).to_have_count(1)
    until(phone, """import("/frontend/phone/db.mjs").then(({ db }) => db.keep.toArray()).then((rows) =>
        rows.some((row) => row.key.startsWith("spot-draft:") && JSON.stringify(row.value).includes("路监控")))""")  # fmt: skip
    phone.reload()  # the phone was put away
    expect(phone.locator("#cameras")).to_have_value("3")
    expect(phone.locator("main .thumb")).to_have_count(1)
    phone.click("#foot .primary")
    phone.wait_for_url("**/phone/#/today")
    expect(phone.locator("a.item", has_text=WHERE)).to_contain_text("待发")
    expect(phone.locator("#banner")).to_contain_text("离线")
    phone.context.set_offline(False)
    check = live.wait(lambda session: session.scalars(select(SpotCheck)).one_or_none())
    assert (check.cameras, check.note) == (3, "现按装3到4路监控")
    live.wait(
        lambda session: session.scalars(select(SpotPhoto.sha256).where(SpotPhoto.check_id == check.id)).one_or_none()
    )
    expect(phone.locator("a.item", has_text=WHERE)).to_have_count(0)

    supervisor = page.context.browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    live.sign_in(quiet(supervisor), "supervisor")
    spot = live.wait(_stretch)
    assert (spot.state, spot.cameras_there) == ("verified", 3)
    supervisor.goto(f"{live.url}/coverage/blind-spots/{spot.id}")
    expect(supervisor.locator("[data-cameras]")).to_have_text("3")
    expect(supervisor.locator(".check-photos img")).to_have_count(1)
    supervisor.locator("summary", has_text="承诺").click()
    form = supervisor.locator("details[open] form:has([name=due_on])")
    due = (utc_now().astimezone(live.zone) + timedelta(days=40)).date()
    form.locator("[name=words]").fill("明年年初天网四期根据实际情况增加监控")
    form.locator("[name=person]").fill("任城区政府")
    form.locator("[name=due_on]").fill(due.isoformat())
    form.locator("button.primary").click()
    expect(supervisor.locator("h1 + .chip")).to_have_text("已承诺")
    _no_violations(supervisor)
    promise = live.wait(lambda session: session.scalars(select(Promise)).one_or_none())
    assert (promise.due_on, promise.status) == (due, "open")

    page.goto(f"{live.url}/coverage?state=planned")
    told = page.locator("[data-spots] tbody tr", has_text=WHERE)
    expect(told).to_contain_text("已承诺")
    expect(page.locator("[data-coverage-map]")).to_have_attribute("data-map-ready", "1")
    map_ = "document.querySelector('[data-coverage-map]').map"
    assert (
        page.evaluate(f"JSON.stringify({map_}.style.stylesheet.layers.find((l) => l.id === 'blind').filter)") == DRAWN
    )
    told.focus()
    page.keyboard.press("Enter")
    expect(told).to_have_class("picked")
    assert page.evaluate(f"{map_}.getZoom()") >= 16
    expect(told.locator("a", has_text=due.isoformat())).to_be_visible()
    supervisor.context.close()


def test_a_camera_is_put_up_where_the_planner_clicks_and_an_unserved_area_is_written_down(live, page, quiet):
    live.sign_in(quiet(page), "planner")
    page.goto(f"{live.url}/coverage/cameras")
    _no_violations(page)
    page.get_by_role("link", name="新增探头").click()
    expect(page.locator("[data-coverage-map]")).to_have_attribute("data-map-ready", "1")
    _no_violations(page)
    page.fill("[name=code]", "XJ1")
    page.locator("[data-coverage-map] canvas").click(position={"x": 120, "y": 200})
    expect(page.locator("[name=lon]")).not_to_have_value("")
    for field, value in (("bearing_deg", "400"), ("focal_mm", "4"), ("sensor_mm", "5.12"), ("resolution_px", "1920")):
        page.fill(f"[name={field}]", value)
    page.get_by_role("button", name="保存探头").click()
    expect(page.get_by_role("alert")).to_contain_text("朝向应在")
    expect(page.locator("[name=resolution_px]")).to_have_value("1920")  # nothing typed is lost
    page.fill("[name=bearing_deg]", "90")
    page.get_by_role("button", name="保存探头").click()
    expect(page.locator("table", has_text="可达")).to_contain_text("60 m")
    assert (
        live.wait(lambda session: session.scalars(select(Camera).where(Camera.code == "XJ1")).one_or_none()).bearing_deg
        == 90
    )

    page.goto(f"{live.url}/coverage/unserved?utility=gas")
    _no_violations(page)
    page.get_by_role("button", name="登记").click()
    expect(page.locator("h1 + .chip")).to_have_text("已上报")
    assert live.wait(lambda session: session.scalars(select(UnservedArea)).one_or_none()).utility == "gas"


def test_on_paper_the_map_is_what_the_screen_showed_and_as_wide_as_the_paper(live, page, quiet):
    live.sign_in(quiet(page), "planner")
    page.goto(f"{live.url}/coverage")
    chart = page.locator("[data-coverage-map]")
    expect(chart).to_have_attribute("data-map-ready", "1")
    for _ in range(100):  # tiles come when they come
        with on_paper(page):
            if chart.locator(".map-on-paper").evaluate(COLOURS) > 20:
                break
        page.wait_for_timeout(100)
    shown = chart.bounding_box()
    with on_paper(page):
        box, kept = chart.bounding_box(), chart.locator(".map-on-paper")
        assert box["width"] <= A4_PX["width"] and box["height"] / box["width"] == pytest.approx(
            shown["height"] / shown["width"], rel=0.01
        )
        assert kept.evaluate(COLOURS) > 20, "WebGL keeps nothing: the paper would be white"
        expect(page.locator(".topbar, .tabs, .maplibregl-ctrl-group").locator("visible=true")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= A4_PX["width"]
    expect(chart.locator(".map-on-paper")).to_have_count(0)
    assert chart.bounding_box() == shown
