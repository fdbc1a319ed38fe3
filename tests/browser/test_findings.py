"""From a failed item on a phone to its closing: the unit answers with a photo, a re-inspection fails, then passes; and what follows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from gis.inspections import consequences
from gis.inspections.finding_model import Finding, FindingPhoto
from gis.inspections.findings import Days
from gis.journal import Who
from gis.oversight.finding_notices import watch_findings
from gis.places.queries import working_days
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.field import Field, answer_page, enrol, finish, photo
from tests.found import make_finding
from webapp.clock import utc_now
from webapp.demo.calls import ZONE

SHOTS = os.environ.get("CHENGMAI_SHOTS")  # a directory: then the pages are photographed for somebody to look at


def look(page: Page, name: str) -> None:
    """No serious violation; and a picture where somebody asked for pictures."""
    page.add_script_tag(url="/static/vendor/axe.min.js")
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    bad = [
        (v["id"], [n["html"][:200] for n in v["nodes"]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    assert not bad, f"{name}: {bad}"


@pytest.fixture
def second_phone(browser: Browser):
    made = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="zh-CN",
        timezone_id="Asia/Shanghai", permissions=["geolocation"],
        geolocation={"longitude": 119.96, "latitude": 36.78, "accuracy": 8},
    )  # fmt: skip
    yield made
    made.close()


def at_the_site(page: Page, no: str) -> None:
    """The site's checklist, everything kept but one item of the third pledge."""
    page.locator("[data-key^='site-']").first.click()
    page.click("dialog button:has-text('开始检查')")
    for number in range(1, 7):
        page.wait_for_url(f"**/phone/#/check/*/{number}")
        expect(page.locator("main h2").first).to_contain_text(f"{number} ·")
        if page.locator(".question").count():
            answer_page(page, no if no.startswith(f"{number}.") else None, number)
        page.click("#foot .primary")
    page.wait_for_url("**/phone/#/check/*/end")
    finish(page)
    expect(page.locator("#banner")).to_contain_text("全部已送达")


def put_right(page: Page, words: str, seed: int) -> None:
    form = page.locator("form:has(input[value=rectify])")
    form.locator("textarea").fill(words)
    form.locator("input[type=file]").set_input_files(photo(seed))
    form.locator("button").click()
    expect(page.locator("h1 + span + span, .row .chip").filter(has_text="待复查").first).to_be_visible()


def finding_on(page: Page, live: Live) -> None:
    page.goto(f"{live.url}/phone/#/today")
    page.evaluate("import('/frontend/phone/sync.mjs').then((m) => m.nudge({ hopeful: true, full: true }))")
    page.locator("[data-key^='finding-']").first.click()
    page.wait_for_url("**/phone/#/finding/*")


def test_a_failed_item_is_put_right_fails_again_and_passes_and_every_photo_is_kept_once(
    live: Live, phone_context: BrowserContext, phone_page: Page, second_phone: BrowserContext, page: Page,
    quiet: Callable[[Page], Page],
):  # fmt: skip
    field, first, other = Field(live), phone_page, quiet(second_phone.new_page())
    enrol(first, live.url, field.code("inspector"))
    at_the_site(first, "3.1")
    mine = select(Finding).where(Finding.unit_id == field.unit_id)
    finding = live.wait(lambda session: session.scalars(mine).one_or_none())
    assert (finding.status, finding.item_id, finding.unit_id) == ("sent", "3.1", field.unit_id)

    quiet(page)
    page.set_viewport_size({"width": 390, "height": 844})
    live.sign_in(page, "unit_handler", unit_id=field.unit_id)
    page.goto(f"{live.url}/findings")
    look(page, "findings-390")
    page.click("text=3.1 统一着装")
    page.click("button:has-text('签收')")
    put_right(page, "已为两名工人发放工装", 31)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    look(page, "finding-390")

    enrol(other, live.url, field.code("inspector"))
    finding_on(other, live)
    expect(other.locator("figure img")).to_have_count(2)
    second_phone.set_offline(True)
    other.click("#foot button:has-text('不合格')")
    expect(other.locator(".toast")).to_contain_text("请写明仍存在的问题")
    other.fill("#finding-note", "还有一人没有工装")
    other.locator("label input[type=file]").set_input_files(photo(32))
    expect(other.locator(".thumb")).to_have_count(1)
    expect(other.locator("main")).to_contain_text("已为两名工人发放工装")
    if SHOTS:
        other.screenshot(path=Path(SHOTS) / "phone-reinspect.png", full_page=True)
    other.click("#foot button:has-text('不合格')")
    expect(other.locator("#banner")).to_contain_text("离线 · 待发 1")
    second_phone.set_offline(False)
    expect(other.locator("#banner")).to_contain_text("全部已送达")
    expect(other.locator("[data-key^='finding-']")).to_have_count(0)

    page.reload()
    expect(page.locator("body")).to_contain_text("复查不合格 1 次")
    put_right(page, "全部人员已着工装", 33)
    finding_on(first, live)
    first.click("#foot button:has-text('合格'):not(:has-text('不'))")
    expect(first.locator("[data-key^='finding-']")).to_have_count(0)
    live.wait(lambda session: session.scalars(mine).one().status == "closed")  # shown at once, and sent then
    page.set_viewport_size({"width": 1366, "height": 768})
    page.reload()
    expect(page.locator("body")).to_contain_text("已销号")
    expect(page.locator(".sides figure")).to_have_count(4)
    page.locator(".compare input").press("ArrowRight")
    expect(page.locator(".compare")).to_have_attribute("style", re.compile("51%"))
    look(page, "finding-1366")
    with live.sessions() as session:
        kept = select(FindingPhoto.part, FindingPhoto.attempt).where(FindingPhoto.finding_id == finding.id)
        parts = session.execute(kept).all()
        assert sorted(parts) == [("after", 1), ("after", 2), ("before", 0), ("reinspection", 1)]


def test_what_is_late_becomes_a_notice_and_a_blacklisting_is_decided_appealed_and_revoked_by_another(
    live: Live, page: Page, browser: Browser, quiet: Callable[[Page], Page]
):
    quiet(page)
    with live.sessions() as session:
        make.make_unit(session, kind="bureau", name="平度市城市管理局")
        firm = make.make_unit(session, kind="contractor", name="华安管道安装公司").id
        for item in ("5.4", "5.5"):
            make_finding(session, unit_id=firm, contractor_id=firm, severity="serious", item_id=item, found_at=utc_now(),
                         item_zh="按规定设置围挡", rectify_by=utc_now() - timedelta(days=12))  # fmt: skip
        session.commit()
        watch_findings(session, Who(utc_now()), Days(working_days(session), ZONE))
        session.commit()
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/oversight/notices?status=issued")
    page.locator("a:has-text('督办〔')").first.click()
    expect(page.locator("body")).to_contain_text("按规定设置围挡")
    page.click("text=5.4 按规定设置围挡")
    expect(page.locator("body")).to_contain_text("超期")
    page.locator("form:has-text('停工理由') textarea").fill("沟槽旁无围挡")
    page.click("button:has-text('责令停工')")
    expect(page.locator(".stopwork.standing")).to_contain_text("停工〔")
    look(page, "stopped-1366")

    page.goto(f"{live.url}/consequences/rules")
    form = page.locator("form").last
    for name, value in {"name": "两次严重违诺列入黑名单", "at_least": "2", "window_days": "90", "period_days": "90", "appeal_days": "5",
                        "source": "局发〔2026〕1号"}.items():  # fmt: skip
        form.locator(f"[name={name}]").fill(value)
    for name, value in {"subject": "contractor", "severity": "serious", "kind": "blacklist"}.items():
        form.locator(f"[name={name}]").select_option(value)
    form.locator("button").click()
    expect(page.locator("body")).to_contain_text("两次严重违诺列入黑名单")
    look(page, "rules-1366")
    page.goto(f"{live.url}/consequences")
    page.click("button:has-text('立即按规则核对')")
    look(page, "consequences-1366")
    page.click("text=华安管道安装公司")
    page.locator("form:has(input[value=decide]) textarea").fill("事实清楚")
    page.click("button:has-text('决定处理')")
    expect(page.locator("body")).to_contain_text("处理〔")
    address = page.url

    unit = quiet(browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page())
    live.sign_in(unit, "unit_handler", unit_id=firm)
    unit.goto(address)
    unit.locator("form:has(input[value=appeal]) textarea").fill("当日已设围挡，照片可查")
    unit.click("button:has-text('申诉')")
    expect(unit.locator("body")).to_contain_text("申诉中")
    look(unit, "consequence-390")
    unit.context.close()
    page.reload()
    expect(page.locator("form:has(input[value=uphold])")).to_have_count(0)
    other = quiet(browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page())
    live.sign_in(other, "supervisor")
    other.goto(address)
    other.locator("form:has(input[value=revoke]) textarea").fill("证据不足")
    other.click("button:has-text('撤销决定')")
    expect(other.locator("body")).to_contain_text("申诉成立撤销")
    look(other, "consequence-1366")
    for path, name in (
        ("/findings?state=", "findings-1366"),
        ("/findings/rules", "limits-1366"),
        ("/inspections/results", "results-1366"),
    ):
        other.goto(live.url + path)
        look(other, name)
    other.context.close()
    with live.sessions() as session:
        assert consequences.propose(session, Who(utc_now())) == 0
