"""A dispatcher sees which asset explains the calls, on the map and by keyboard, and makes incident and order with one click."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.incident_model import Incident
from gis.dispatch.model import Crew, Shift, WorkOrder
from tests.browser.conftest import Live
from tests.explain_town import evening, make_town
from tests.factories import make_crew
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
DRAWN = "[data-explained][data-map-ready]"


@pytest.fixture(scope="module")
def server(new_database, tmp_path_factory) -> Iterator[Live]:
    """The small town a quarter of an hour after its water main burst, with a crew of the water company."""
    live = Live(new_database(), tmp_path_factory.mktemp("live"))
    with live.sessions() as session:
        now = utc_now()
        town = make_town(session, now)
        evening(session, town, now - timedelta(minutes=15))
        crew = make_crew(session, name="供水抢修1班", skills=("water", "pipe_repair"), unit_id=town.units["water"].id)
        session.execute(update(Crew).where(Crew.id == crew.id).values(position_at=now))
        during = (now - timedelta(hours=4), now + timedelta(hours=8))
        session.execute(update(Shift).where(Shift.crew_id == crew.id).values(during=Range(*during)))
        session.commit()
    live.start()
    yield live
    live.stop()
    live.engine.dispose()


def test_the_burst_main_is_found_on_the_map_and_by_keyboard_and_sent_out_with_one_click(server: Live, page: Page):
    server.sign_in(page, "dispatcher")
    page.goto(f"{server.url}/incidents")
    page.get_by_role("link", name="查看解释").click()
    expect(page.locator(DRAWN)).to_be_attached()
    first = page.locator("[data-cause='0']")
    expect(first).to_contain_text("自来水管线 W-B")
    expect(first).to_contain_text("请先检查这些阀门：V1、V2")
    colours = page.evaluate(
        "() => JSON.parse(document.querySelector('[data-explained]').dataset.explained).points.map((p) => [p[3], p[4].length])"
    )
    assert sum(1 for calls, under in colours if calls and under) == 9  # who called under it
    assert sum(1 for calls, under in colours if not calls and under) == 6  # and who kept silent
    page.keyboard.press("j")
    page.keyboard.press("1")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(first.locator("input[name=name]")).to_be_focused()
    expect(first.locator("select[name=crew] option").first).to_contain_text("供水抢修1班")
    page.select_option("select[name=hours]", "1")
    page.get_by_label("燃气").uncheck()
    page.get_by_role("button", name="显示").click()
    page.wait_for_url("**/incidents/explain?hours=1*utility=water*")
    first.get_by_role("button", name="建立 9 个来电的事件、派单并告知来电人").press("Enter")
    expect(page.locator(".notice.done")).to_contain_text("供水抢修1班")
    expect(page.locator("h1")).to_contain_text("SJ")
    expect(page.get_by_text("未答复").first).to_be_visible()
    with server.sessions() as session:
        incident = session.scalars(select(Incident)).one()
        order = session.scalars(select(WorkOrder)).one()
        assert (order.complaint_id, incident.asset_households) == (incident.lead_id, 300)


@pytest.mark.parametrize("width", [320, 1366])
def test_the_page_holds_its_width(server: Live, page: Page, width: int):
    server.sign_in(page, "dispatcher")
    page.set_viewport_size({"width": width, "height": 720})
    page.goto(f"{server.url}/incidents/explain?hours=1")
    expect(page.locator(DRAWN)).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
