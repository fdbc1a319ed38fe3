"""What the office did meanwhile, merged with what the phone sent: the phone says so by itself, in both languages."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gis.dispatch import moves
from gis.dispatch.model import WorkOrder
from gis.inspections import amend
from gis.inspections.model import Inspection
from gis.journal import Who
from gis.people import queries
from tests.browser.field import Field, enrol, fill_checklist, finish, open_order, verb
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
DELIVERED = "全部已送达"
ORDER = "已与调度台的改动合并，以下内容以调度台为准：班组和时间是否锁定"
VISIT = "以下内容以调度台或同事所填为准："


@pytest.fixture(scope="module")
def live(server):
    """One server for all of these: every test has a crew and orders of its own."""
    return server


def banner(page: Page, words: str) -> None:
    expect(page.locator("#banner")).to_contain_text(words)


def locked_by_the_desk(field: Field, order_id: int) -> None:
    with field.live.sessions() as session:
        moves.lock(session, Who(utc_now()), session.get_one(WorkOrder, order_id))
        session.commit()


def accepted_while_the_desk_locked(field: Field, context: BrowserContext, phone: Page) -> None:
    order = field.orders[0]
    open_order(phone, order)
    context.set_offline(True)
    verb(phone, "accept")
    expect(phone.locator("#banner.grey")).to_contain_text("1")  # in either language: offline, one to send
    locked_by_the_desk(field, order)
    context.set_offline(False)
    field.becomes(order, "accepted")


def test_a_step_merged_with_what_the_desk_did_is_told_by_notice_banner_and_record(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    enrol(phone_page, field.live.url, field.code())
    banner(phone_page, DELIVERED)
    expect(phone_page.locator("#banner")).not_to_contain_text("合并")
    accepted_while_the_desk_locked(field, phone_context, phone_page)
    expect(phone_page.locator(".toast")).to_contain_text(ORDER)
    banner(phone_page, "与调度台改动合并 1 项")
    banner(phone_page, DELIVERED)
    verb(phone_page, "arrive")  # nothing had to be pressed: the day goes on, and this step was merged with nothing
    field.becomes(field.orders[0], "arrived")
    banner(phone_page, "与调度台改动合并 1 项")
    phone_page.click("#banner a")
    line = phone_page.locator("[data-sent='order.accept'] .merged")
    expect(line).to_have_text(ORDER)
    expect(phone_page.locator("[data-sent='order.arrive'] .merged")).to_have_count(0)
    expect(phone_page.locator("[data-sent] button, [data-sent='order.accept'] a")).to_have_count(0)
    phone_page.reload()
    expect(line).to_have_text(ORDER)


def test_it_is_told_in_english_on_an_english_phone(field: Field, phone_context: BrowserContext, phone_page: Page):
    enrol(phone_page, field.live.url, field.code())
    phone_page.evaluate("localStorage.setItem('chengmai-phone-language', 'en')")
    phone_page.reload()
    banner(phone_page, "All delivered")
    accepted_while_the_desk_locked(field, phone_context, phone_page)
    expect(phone_page.locator(".toast")).to_contain_text(
        "Merged: the office's value stands for whether its crew and time are fixed"
    )
    banner(phone_page, "merged with the office's changes: 1")


def test_of_a_correction_the_fields_of_others_are_named_until_one_sets_them_oneself(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    phone = phone_page
    enrol(phone, field.live.url, field.code())
    fill_checklist(phone, field.orders[0], noes={2: "2.2"})
    finish(phone)
    banner(phone, DELIVERED)
    phone_context.set_offline(True)
    correct(phone, "2.1", "看过，不涉及")
    with field.live.sessions() as session:
        colleague = queries.user_by_name(session, field.person)
        visit = session.get_one(Inspection, field.visit().id)
        sets = {"1.1.note": "公示牌移到东门", "note": "雨天"}
        amend.amend(
            session, Who(utc_now(), colleague.id), amend.Correction(uuid4(), visit.id, visit.version, utc_now(), sets)
        )
        session.commit()
    phone_context.set_offline(False)
    expect(phone.locator(".toast")).to_contain_text("1.1 说明、检查说明")
    banner(phone, DELIVERED)
    expect(phone.locator("[data-sent='inspection.amend'] .merged")).to_contain_text(f"{VISIT}1.1 说明、检查说明")
    phone.click("[data-sent='inspection.submit']")
    expect(phone.locator(".notice.merged")).to_contain_text("1.1 说明、检查说明")
    phone.goto(phone.url.split("#")[0] + "#/fill")
    correct(phone, "1.1", "公示牌在西门")
    expect(phone.locator("[data-sent='inspection.amend']")).to_have_count(2)
    phone.click("[data-sent='inspection.submit']")
    expect(phone.locator(".notice.merged")).to_contain_text("检查说明")
    expect(phone.locator(".notice.merged")).not_to_contain_text("1.1")


def correct(phone: Page, item: str, note: str) -> None:
    phone.click("[data-sent='inspection.submit']")
    phone.click("#foot >> text=更正")
    pledge = phone.locator("main.correct details", has=phone.locator(f"[data-item='{item}']"))
    pledge.locator("summary").click()  # waits for it, which asking for all there are does not
    phone.fill(f"[data-item='{item}'] textarea", note)
    phone.fill("#correct-reason", "补充说明")
    phone.click("#foot .primary")
    phone.wait_for_url("**/phone/#/fill")
