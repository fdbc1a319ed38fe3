"""Works stopped by order in the dispatcher's console: said before a crew is chosen, final like the blacklist, with the way to the finding."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from gis.complaints.model import Complaint
from gis.inspections import stop_work
from gis.inspections.finding_model import StopWork
from gis.journal import Who
from gis.people.rules import CITY
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.desk import City, found
from tests.browser.test_findings import look
from tests.found import make_finding, make_inspection
from webapp.clock import utc_now

pytestmark = pytest.mark.browser


def stopped_at(live: Live, city: City) -> StopWork:
    """The works at the first complaint's place are stopped; the crew that fits is of the unit whose works they are."""
    with live.sessions() as session:
        complaint = session.get_one(Complaint, city.complaints[0])
        site = make.make_site(session, name="红旗路二次管网改造", unit_id=complaint.unit_id, geom=complaint.geom,
                              area_id=city.district)  # fmt: skip
        visit = make_inspection(session, site_id=site.id, unit_id=site.unit_id, area_id=city.district)
        finding = make_finding(session, visit, unit_id=site.unit_id, severity="serious")
        order = stop_work.stop(session, Who(utc_now()), CITY, finding.id, "未设围挡", ZoneInfo("Asia/Shanghai"))
        session.commit()
        return order


def test_the_dispatcher_is_told_before_trying_and_goes_to_the_finding(live: Live, page: Page, quiet):
    city = found(live)
    order = stopped_at(live, city)
    quiet(page)
    live.sign_in(page, "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/?id={city.complaints[0]}")
    notice = page.locator("[data-stop]")
    expect(notice).to_contain_text(f"红旗路二次管网改造已被责令停工（停工令：{order.stop_no}），自 ")
    expect(notice).to_contain_text("以下单位的班组不能派往此处：兴平热电")
    crew = page.locator(f"[data-crew='{city.fits}']")
    expect(crew.locator(".against").first).to_contain_text(order.stop_no)
    expect(crew.locator(".crew-act .chip.red")).to_have_text("不能派出")
    expect(crew.locator("[data-assign]")).to_have_count(0)
    page.keyboard.press("1")  # the key of the first crew says why instead of asking for a reason
    expect(page.locator("[data-crew] .notice.error").first).to_contain_text(order.stop_no)
    expect(page.locator("[data-crew] form")).to_have_count(0)
    look(page, "stop-ranking")
    page.click("[data-act='at-a-time']")
    dialog = page.locator("dialog.board-dialog")
    expect(dialog.locator("[role=status]")).to_contain_text(order.stop_no)
    dialog.locator("button.primary").click()
    expect(page.locator("#toasts, [role=alert]").filter(has_text="不能派出").first).to_be_visible()
    expect(page.locator("dialog.board-dialog")).to_have_count(0)
    page.goto(f"{live.url}/?id={city.complaints[0]}")
    notice.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/findings/\d+"))
    expect(page.locator("main")).to_contain_text(order.stop_no)


def test_when_the_works_go_on_the_crew_is_sent_with_one_click(live: Live, page: Page, quiet):
    city = found(live)
    order = stopped_at(live, city)
    with live.sessions() as session:
        stop_work.lift(session, Who(utc_now()), CITY, order.id, "已整改", None)
        session.commit()
    quiet(page)
    live.sign_in(page, "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/?id={city.complaints[0]}")
    page.locator(f"[data-assign='{city.fits}']").click()
    expect(page.locator("section.order")).to_be_visible()
    with live.sessions() as session:  # stopped again, with the crew on its way: its order's card says so
        stop_work.stop(session, Who(utc_now()), CITY, order.finding_id, "又未设围挡", ZoneInfo("Asia/Shanghai"))
        session.commit()
    page.reload()
    expect(page.locator("section.order [data-stop]")).to_contain_text("2号")
    look(page, "stop-order")
