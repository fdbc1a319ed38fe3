"""A checklist is corrected on the phone after it was sent: tracked, readable before it goes, told to the desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.field import Field, enrol, fill_checklist, finish, photo

pytestmark = pytest.mark.browser
DELIVERED = "全部已送达"


def banner(page: Page, words: str) -> None:
    expect(page.locator("#banner")).to_contain_text(words)


def test_what_was_sent_is_corrected_with_a_reason_and_the_desk_sees_both(
    field: Field, phone_context: BrowserContext, phone_page: Page, page: Page
):
    phone = phone_page
    enrol(phone, field.live.url, field.code())
    fill_checklist(phone, field.orders[0], noes={2: "2.2"})
    finish(phone)
    banner(phone, DELIVERED)
    assert field.answers()["1.1"] == "yes"
    phone_context.set_offline(True)
    phone.click("[data-sent='inspection.submit']")
    expect(phone.locator("main table")).to_contain_text("施工材料齐全")
    phone.click("#foot >> text=更正")
    expect(phone.locator(".correct .notice.warn")).to_contain_text("还没有改动")
    queue = phone.locator("#foot .primary")
    expect(queue).to_be_disabled()
    phone.locator("details summary").first.click()
    item = phone.locator("[data-item='1.1']")
    item.locator("button.no").click()
    expect(item).to_contain_text("原送达：是")
    expect(phone.locator(".correct .notice.warn")).to_contain_text("须拍照")
    item.locator("input[type=file]").set_input_files(photo(7))
    expect(phone.locator(".correct .notice.warn")).to_contain_text("请写明更正原因")
    phone.reload()  # nothing of it is lost
    expect(phone.locator("[data-item='1.1'] button.no")).to_have_attribute("aria-pressed", "true")
    phone.fill("#correct-reason", "公示牌实际缺失")
    expect(phone.locator(".differences")).to_contain_text("1.1")
    queue.click()
    banner(phone, "待发 1")
    phone.click("[data-change='inspection.amend']")
    expect(phone.locator(".differences del")).to_have_text("是")
    expect(phone.locator(".differences ins")).to_have_text("否")
    expect(phone.locator("main")).to_contain_text("公示牌实际缺失")
    phone_context.set_offline(False)
    banner(phone, DELIVERED)
    assert (field.answers()["1.1"], field.answers()["2.2"], field.visit().version) == ("no", "no", 2)
    assert set(field.pictured()) == {"1.1", "2.2"}
    field.live.sign_in(page, "supervisor")
    page.goto(f"{field.live.url}/inspections/{field.visit().id}")
    told = page.locator("section:has(h2:text('送达后更正')), section:has-text('公示牌实际缺失')").first
    expect(told).to_contain_text("公示牌实际缺失")
    expect(told).to_contain_text("李大海")
