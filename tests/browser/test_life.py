"""A complaint walks through its life on the page: the happy path, a return, an extension, a reopening and a supervision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gis.complaints.law_model import LimitRule, RuleSet
from gis.complaints.model import Complaint
from tests.browser.conftest import Live
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
People = Callable[[str], Page]


@pytest.fixture
def case(live: Live) -> dict[str, int]:
    """A complaint of a body of its own, under the rules of the province, which know two extensions."""
    with live.sessions() as session:
        for rules in session.scalars(select(RuleSet)):
            rules.in_force = rules.code == "province_2017"
        unit, other = make_unit(session, name="兴平热电"), make_unit(session, name="金泉热力")
        area = make_area(session, name="平度市", geom=square(*PINGDU))
        made = make_complaint(session, unit_id=unit.id, district_id=area.id, place="文丰小区3号楼", category="heat.fee",
                              complexity="complex", received_at=utc_now() - timedelta(hours=1),
                              resolve_by=utc_now() + timedelta(days=20))  # fmt: skip
        asked = select(LimitRule.id).join(RuleSet).where(RuleSet.code == "province_2017")
        made.limit_rule_id = session.scalars(asked).one()
        session.commit()
        return {"complaint": made.id, "unit": unit.id, "other": other.id}


@pytest.fixture
def people(live: Live, browser: Browser, case: dict[str, int]) -> Iterator[People]:
    """One window per person, each signed in through the form."""
    windows: dict[str, Page] = {}

    def person(role: str) -> Page:
        if role not in windows:
            page = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
            live.sign_in(page, role, **({"unit_id": case["unit"]} if role == "unit_handler" else {}))
            windows[role] = page
        windows[role].goto(f"{live.url}/complaints/{case['complaint']}")
        return windows[role]

    yield person
    for page in windows.values():
        page.context.close()


def take(page: Page, verb: str, **fields: str) -> None:
    """Open a step's form, fill it in and send it."""
    step = page.locator(f'details[data-verb="{verb}"]')
    step.locator("summary").click()
    for name, value in fields.items():
        field = step.locator(f'[name="{name}"]')
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    with page.expect_navigation():  # what a step before told may still be on the page
        step.get_by_role("button", name="提交").click()
    expect(page.locator(".notice.done")).to_be_visible()


def stands(page: Page, status: str) -> None:
    expect(page.locator(".record-head .status")).to_have_text(status)


def test_a_complaint_lives_from_sending_to_a_confirmed_answer(people: People, case: dict[str, int], live: Live) -> None:
    desk = people("dispatcher")
    stands(desk, "已受理")
    take(desk, "send", unit_id=str(case["unit"]), note="请按时限办结")
    stands(desk, "已转办")

    unit = people("unit_handler")
    take(unit, "return", ground="other_operator", evidence="该站由物业公司运行,附协议")
    stands(unit, "退单待裁定")
    arbiter = people("supervisor")
    take(arbiter, "refuse_return", note="收费由贵单位负责")
    stands(arbiter, "已转办")

    unit = people("unit_handler")
    take(unit, "sign")
    take(unit, "request_extension", days="3", note="需核对收费底册")
    before = unit.locator(".clocks dd strong").inner_text()
    arbiter = people("supervisor")
    expect(arbiter.get_by_text("需核对收费底册").first).to_be_visible()
    take(arbiter, "grant_extension", days="2")
    assert arbiter.locator(".clocks dd strong").inner_text() > before

    unit = people("unit_handler")
    take(unit, "resolve", note="已更正账单")
    take(unit, "answer", answer="账单已更正,多收款项已退")
    stands(unit, "已答复")

    caller = people("follow_up_caller")
    take(caller, "reopen", note="来电人说退款未到账")
    stands(caller, "重办")
    arbiter = people("supervisor")
    take(arbiter, "supervise", reason="dissatisfied", note="三日内报结果")
    expect(arbiter.locator(".record-head")).to_contain_text("重点督办")

    unit = people("unit_handler")
    take(unit, "answer", answer="款项当天到账,已电话核实")
    caller = people("follow_up_caller")
    take(caller, "confirm")
    stands(caller, "办结")
    for words in ("退单", "不同意退单", "同意延期", "重办", "重点督办", "回访确认"):
        expect(caller.locator(".record-journal").last).to_contain_text(words)
    with live.sessions() as session:
        row = session.get_one(Complaint, case["complaint"])
        assert (row.status, row.return_count, row.extension_count, row.reopen_count) == ("confirmed", 1, 1, 1)
        assert row.closed_at <= row.resolve_by


def test_a_refused_step_keeps_what_was_typed_and_a_stale_page_says_so(people: People, case: dict[str, int]) -> None:
    desk, arbiter = people("dispatcher"), people("supervisor")
    take(arbiter, "urge", note="请尽快")
    step = desk.locator('details[data-verb="send"]')
    step.locator("summary").click()
    step.locator('[name="note"]').fill("打到一半的话")
    step.get_by_role("button", name="提交").click()
    expect(desk.locator(".record-steps [role=alert]")).to_be_visible()
    expect(step.locator('[name="note"]')).to_have_value("打到一半的话")
    step.get_by_role("button", name="提交").click()
    stands(desk, "已转办")
