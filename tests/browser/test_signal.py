"""The signal is measured on the phone: its address opened straight, from 我的, without signal, and by a phone that lies still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gis.coverage.model import SignalSample
from gis.journal import Who
from gis.people import actions, queries
from tests import covered
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.field import enrol, until
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
HERE = dict(zip(("longitude", "latitude"), covered.lonlat(0, 250), strict=True))


@pytest.fixture(scope="module")
def live(morning_server: Live) -> Live:
    with morning_server.sessions() as session:
        make.make_area(session, level="district", name="任城区", geom=make.square(*covered.AT, 0.2))
        session.commit()
    return morning_server


@pytest.fixture
def phone(live: Live, browser: Browser, quiet) -> Iterator[Page]:
    """An inspector's phone, enrolled."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, locale="zh-CN", timezone_id=str(live.zone),
        permissions=["geolocation"], geolocation={**HERE, "accuracy": 8},
    )  # fmt: skip
    name = live.add_user("inspector", full_name="检查员 老钱")
    with live.sessions() as session:
        user = queries.user_by_name(session, name)
        assert user is not None
        code = actions.offer_enrolment(session, Who(utc_now()), user.id)
        session.commit()
    page = context.new_page()
    enrol(quiet(page), live.url, code)
    yield page
    context.close()


def _measuring(page: Page) -> None:
    """The screen is open and knows where it is. Before that the screen that was left stands, with chips of its own."""
    expect(page.locator("#head h1")).to_have_text("此处手机信号")
    expect(page.locator("main > .panel > .chips")).to_contain_text("定位误差 8 米")


def test_a_reading_is_kept_without_signal_and_is_on_the_map_of_the_desk(live: Live, phone: Page, page: Page) -> None:
    phone.goto(f"{live.url}/phone/#/signal")
    _measuring(phone)
    phone.context.set_offline(True)
    phone.fill("#rsrp", "12")
    phone.click("#foot .primary")
    expect(phone.locator(".toast")).to_contain_text("RSRP 应在")
    phone.fill("#rsrp", "-113,5")
    phone.select_option("#operator", "中国移动")
    phone.reload()  # the address is opened by itself, without signal
    _measuring(phone)
    phone.fill("#rsrp", "-113,5")
    phone.select_option("#operator", "中国移动")
    phone.click("#foot .primary")
    expect(phone.locator("main")).to_contain_text("已保存读数：1")
    phone.context.set_offline(False)
    sample = live.wait(lambda session: session.scalars(select(SignalSample)).one_or_none())
    assert (sample.rsrp_dbm, sample.operator) == (-113.5, "中国移动")
    live.sign_in(page, "planner")
    page.goto(f"{live.url}/coverage/signal?least=1")
    expect(page.locator("tr[data-cell]")).to_contain_text("1 / 1")
    expect(page.locator("[data-signal-map]")).to_have_attribute("data-map-ready", "1")


def test_what_the_screen_before_was_waiting_for_does_not_draw_over_this_one(live: Live, phone: Page) -> None:
    phone.evaluate("""() => {
      const asked = navigator.storage.estimate.bind(navigator.storage);
      navigator.storage.estimate = () => new Promise((resolve) => { window.answer = () => resolve(asked()); });
    }""")
    phone.goto(f"{live.url}/phone/#/me")
    expect(phone.locator("#head h1")).to_have_text("我的")
    until(phone, "window.answer !== undefined")
    phone.goto(f"{live.url}/phone/#/signal")
    _measuring(phone)
    phone.evaluate("window.answer()")
    phone.wait_for_timeout(300)
    _measuring(phone)
    expect(phone.locator("#rsrp")).to_be_visible()


def test_a_phone_that_lies_still_is_asked_again_where_it_is(live: Live, phone: Page) -> None:
    phone.clock.install()
    phone.goto(f"{live.url}/phone/#/signal")
    _measuring(phone)
    phone.clock.fast_forward("03:00")
    expect(phone.locator("main > .panel > .chips")).to_contain_text("尚未定位")  # it is not called accurate any more
    phone.fill("#rsrp", "-100")
    phone.click("#foot .primary")
    expect(phone.locator("main")).to_contain_text("已保存读数：1")
