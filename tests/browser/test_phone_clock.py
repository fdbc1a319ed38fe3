"""A phone whose time zone is not the bureau's: days begin and end, and times are written, where the bureau is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Live

pytestmark = pytest.mark.browser
MOMENTS = (
    "2009-11-17T15:59:59Z",
    "2009-11-17T16:00:00Z",
    "2009-11-16T20:30:01Z",
    "1988-07-01T15:00:00Z",
)  # summer time, in 1988


@pytest.fixture
def far_phone(browser: Browser) -> Iterator[Page]:
    """The first place on earth where a day begins: six hours before Shanghai."""
    context = browser.new_context(locale="zh-CN", timezone_id="Pacific/Kiritimati")
    yield context.new_page()
    context.close()


def test_a_phone_from_elsewhere_has_the_bureaus_day_and_writes_the_bureaus_time(server: Live, far_phone: Page) -> None:
    far_phone.goto(f"{server.url}/phone/")
    told = far_phone.evaluate(
        """async (moments) => {
            const clock = await import("/frontend/phone/clock.mjs");
            const { fullTime } = await import("/frontend/phone/stamp.mjs");
            const parts = await import("/frontend/phone/parts.mjs");
            return moments.map((at) => [fullTime(at), clock.dayOf(Date.parse(at)), clock.aheadOf(at), parts.clock(at)]);
        }""",
        list(MOMENTS),
    )
    for at, seen in zip(MOMENTS, told, strict=True):
        there = datetime.fromisoformat(at).astimezone(server.zone)
        assert seen == [f"{there:%Y-%m-%d %H:%M:%S}", f"{there:%Y-%m-%d}", f"{there:%z}"[:3] + ":" + f"{there:%z}"[3:], f"{there:%H:%M}"]  # fmt: skip


def test_a_phone_that_is_a_day_ahead_still_shows_what_is_for_today(server: Live, far_phone: Page) -> None:
    far_phone.goto(f"{server.url}/phone/")
    named = far_phone.evaluate(
        """async () => {
            const { ofToday } = await import("/frontend/phone/clock.mjs");
            const kept = { today: "2009-11-17", patrols: ["2009-11-16", "2009-11-17", "2009-11-18"].map((on_day) => ({ on_day })) };
            const at = (iso) => ofToday(kept, "patrols", Date.parse(iso)).map((one) => one.on_day);
            return [at("2009-11-17T15:59:59Z"), at("2009-11-17T16:00:00Z"), at("2009-11-01T00:00:00Z"), ofToday(null, "patrols")];
        }"""
    )
    assert named == [["2009-11-17"], ["2009-11-18"], ["2009-11-17"], []]


def test_a_form_is_told_the_moment_by_the_bureaus_wall_clock(server: Live, far_phone: Page) -> None:
    far_phone.goto(f"{server.url}/phone/")
    local, now = far_phone.evaluate(
        """async () => {
            const [{ localNow }, { now }] = [await import("/frontend/phone/lists.mjs"), await import("/frontend/phone/clock.mjs")];
            return [localNow(), now()];
        }"""
    )
    told = datetime.fromisoformat(local)
    assert told.utcoffset() == datetime.now(server.zone).utcoffset()
    assert abs(told.timestamp() - now / 1000) < 2
