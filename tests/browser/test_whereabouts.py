"""Where crews are, from a phone in the field to the desk: noted without signal, sent later, told plainly, switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis.dispatch.model import Crew, Shift, WorkOrder
from gis.dispatch.track_model import CrewPosition
from gis.people.model import Device
from tests.browser.conftest import Live
from tests.browser.field import HERE, Field, enrol, open_order, until, verb
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
WAITING = """async () => {
  const { db } = await import("/frontend/phone/db.mjs");
  return db.positions.orderBy("at").toArray();
}"""
NOTHING_WAITS = f"({WAITING})().then((points) => points.length === 0)"


def points(field: Field) -> list[Any]:
    with field.live.sessions() as session:
        asked = select(CrewPosition).where(CrewPosition.crew_id == field.crew_id).order_by(CrewPosition.at)
        return list(session.scalars(asked))


def test_what_a_phone_noted_without_signal_arrives_once_and_can_be_switched_off(
    live: Live, browser: Browser, page: Page, phone_context: BrowserContext, phone_page: Page
):
    field = Field(live)
    enrol(phone_page, live.url, field.code())
    expect(phone_page.locator("main")).to_contain_text("调度台能看到您的位置")
    phone_page.locator("#head button.sign").click()
    live.wait(lambda session: points(field))
    until(phone_page, NOTHING_WAITS)  # nothing more is under way
    phone_context.set_offline(True)
    before = len(points(field))
    for n in range(1, 4):
        phone_context.set_geolocation({"longitude": HERE[0] + 0.002 * n, "latitude": HERE[1], "accuracy": 9})
        until(phone_page, f"({WAITING})().then((points) => points.length >= {n})")
    waiting = [p["id"] for p in phone_page.evaluate(WAITING)]
    assert len(points(field)) == before
    phone_context.set_offline(False)
    live.wait(lambda session: {str(p.id) for p in points(field)} >= set(waiting))
    until(phone_page, NOTHING_WAITS)
    assert len({p.id for p in points(field)}) == len(points(field))
    open_order(phone_page, field.orders[0])
    verb(phone_page, "accept")
    live.wait(lambda session: [p.order_id for p in points(field) if p.why == "accept"] == [field.orders[0]])

    live.sign_in(page, "dispatcher")
    page.goto(f"{live.url}/")
    page.get_by_role("tab", name="班组").click()
    page.locator("#crews a").filter(has_text="东城抢修一班").click()
    detail = page.locator("#detail")
    expect(detail).to_contain_text("±9 m")
    detail.get_by_role("button", name="查看轨迹…").click()
    detail.locator(".track select").select_option("safety")
    detail.locator(".track form button.primary").click()
    expect(detail.locator(".track")).to_contain_text("人员安全")
    expect(detail.locator(".track")).to_contain_text("接单")

    phone_page.goto(f"{live.url}/phone/#/me")
    phone_page.get_by_role("button", name="不告诉").or_(phone_page.get_by_role("radio", name="不告诉")).first.click()
    expect(phone_page.locator("main")).to_contain_text("已关闭：调度台看不到您的位置")
    expect(detail).to_contain_text("位置已关闭")
    kept = len(points(field))
    phone_context.set_geolocation({"longitude": HERE[0] + 0.01, "latitude": HERE[1], "accuracy": 9})
    phone_page.goto(f"{live.url}/phone/#/today")
    expect(phone_page.locator("main")).to_contain_text("已关闭：调度台看不到您的位置")
    phone_page.get_by_label("立即同步").or_(phone_page.locator("#head button.sign")).first.click()
    until(phone_page, NOTHING_WAITS)
    assert len(points(field)) == kept


def test_a_crew_at_work_that_gives_no_sign_is_silent_on_list_and_counter_until_its_phone_calls(
    live: Live, page: Page, phone_page: Page
):
    field = Field(live)
    with live.sessions() as session:
        crew = session.get_one(Crew, field.crew_id)
        crew.position_at = utc_now() - timedelta(hours=2)
        session.add(
            Shift(crew_id=crew.id, during=Range(utc_now() - timedelta(hours=3), utc_now() + timedelta(hours=5)))
        )
        session.get_one(WorkOrder, field.orders[0]).status = "accepted"
        session.commit()
    live.sign_in(page, "dispatcher")
    page.goto(live.url)
    counter = page.locator('[data-count="silent"]')
    expect(counter).to_contain_text("1")
    counter.click()
    row = page.locator("#crews li").filter(has_text="东城抢修一班")
    expect(row).to_contain_text("失联")
    row.locator("a").click()
    expect(page.locator("#detail")).to_contain_text("请电话联系班组")
    enrol(phone_page, live.url, field.code())
    expect(row).not_to_contain_text("失联")
    expect(counter).to_be_hidden()
    assert live.wait(lambda session: session.get_one(Device, field.device().id).last_seen_at)
