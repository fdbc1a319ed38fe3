"""A unit on the blacklist, as the supervisor puts it there and the dispatcher meets it; a vulnerable household as a mark."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from gis.complaints.model import Caller
from gis.dispatch.model import WorkOrder
from tests.browser.conftest import Live
from tests.browser.desk import found


def test_a_blacklisted_units_crew_is_told_as_such_and_has_no_button_until_it_is_lifted(live: Live, page: Page, quiet):
    city = found(live)
    with live.sessions() as session:
        session.get_one(Caller, city.complaints[0]).vulnerable = ["low_income", "old"]
        session.commit()
    quiet(page)
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/blacklist")
    expect(page.get_by_text("黑名单为空。")).to_be_visible()
    page.get_by_label("单位或人员").select_option(label="兴平热电")
    page.locator("[name=reason]").fill("施工中三次违诺")
    page.locator("[name=source]").fill("检查通报第 7 号")
    page.get_by_role("button", name="列入", exact=True).click()
    expect(page.locator("[data-entry]")).to_contain_text("施工中三次违诺")

    page.goto(f"{live.url}/?id={city.complaints[0]}")
    expect(page.locator("[data-vulnerable]")).to_contain_text("老人")
    crew = page.locator(f"[data-crew='{city.fits}']")
    expect(crew.locator(".against").first).to_contain_text("兴平热电 在黑名单中")
    expect(crew.locator("[data-assign]")).to_have_count(0)

    page.goto(f"{live.url}/blacklist")
    page.get_by_text("解除…").click()
    page.locator("[data-entry] [name=reason]").fill("整改完毕")
    page.get_by_role("button", name="解除", exact=True).click()
    expect(page.get_by_text("整改完毕")).to_be_visible()
    page.goto(f"{live.url}/?id={city.complaints[0]}")
    page.locator(f"[data-assign='{city.fits}']").click()
    expect(page.locator(f"[data-crew='{city.fits}']")).to_have_count(0)
    assert live.wait(lambda session: session.query(WorkOrder).filter_by(crew_id=city.fits).count()) == 1
