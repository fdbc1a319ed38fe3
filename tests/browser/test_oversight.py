"""Oversight in a real browser: a notice from its proposal to its end with its papers, and a call-back by keyboard."""

from datetime import timedelta

from playwright.sync_api import expect

from gis.complaints.model import Caller, Complaint
from tests.factories import make_complaint, make_unit
from webapp.clock import utc_now


def test_an_overdue_complaint_is_proposed_noticed_answered_and_closed(live, context, page, tmp_path):
    at = utc_now()
    with live.sessions() as session:
        make_unit(session, name="平度市公用事业处", kind="bureau")
        unit = make_unit(session, name="兴平热电")
        make_complaint(
            session,
            unit_id=unit.id,
            place="文丰小区3号楼",
            received_at=at - timedelta(days=2),
            resolve_by=at - timedelta(days=1),
        )
        session.commit()
        unit_id = unit.id
    live.sign_in(page, "supervisor")
    page.get_by_role("button", name="统计分析").click()
    page.get_by_role("link", name="督办", exact=True).click()
    page.get_by_role("link", name="督办通知单").first.click()
    proposal = page.locator(".proposal", has_text="兴平热电")
    expect(proposal).to_contain_text("文丰小区3号楼")
    proposal.get_by_role("button", name="签发督办单").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("1号")
    for name, start in (("PDF", b"%PDF"), ("Word", b"PK")):
        with page.expect_download() as told:
            page.get_by_role("link", name=name, exact=True).click()
        told.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    page.get_by_role("button", name="送达").click()
    where = page.url

    other = context.browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    theirs = other.new_page()
    live.sign_in(theirs, "unit_handler", unit_id=unit_id)
    theirs.goto(where)
    theirs.get_by_role("button", name="签收").click()
    theirs.get_by_label("办理情况").fill("已更换循环泵,室温19度")
    theirs.get_by_role("button", name="回复").click()
    expect(theirs.locator("dd", has_text="已更换循环泵")).to_be_visible()
    other.close()

    page.reload()
    page.get_by_role("button", name="办结").click()
    expect(page.locator("h1 + .chip")).to_have_text("已办结")
    page.goto(f"{live.url}/oversight/notices")
    expect(page.get_by_text("目前没有需要督办的诉求")).to_be_visible()


def test_a_caller_who_is_not_satisfied_is_called_back_by_keyboard_and_has_it_handled_again(live, page):
    ago = utc_now() - timedelta(days=8)
    with live.sessions() as session:
        common = {"status": "answered", "received_at": ago, "answered_at": ago, "resolved_at": ago, "closed_at": ago}
        first = make_complaint(session, place="金色公寓4号楼", answer="已放气", **common)
        second = make_complaint(
            session, place="怡景公寓1号楼", **(common | {"answered_at": ago + timedelta(minutes=5)})
        )
        session.add(Caller(complaint_id=first.id, name="王小明", phone="13812345678"))
        session.commit()
        ids = first.id, second.id
    live.sign_in(page, "follow_up_caller")
    page.goto(f"{live.url}/oversight/calls")
    expect(page.locator(".queue [aria-current]")).to_contain_text("金色公寓")
    page.keyboard.press("u")
    expect(page.locator("#caller")).to_contain_text("13812345678")
    for key in ("1", "n", "q", "d", "/"):
        page.keyboard.press(key)
    expect(page.locator("#follows")).to_contain_text("退回重办")
    page.keyboard.type("还是只有14度")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator(".queue [aria-current]")).to_contain_text("怡景公寓")
    page.wait_for_load_state()  # another page: its keys work when its script has run
    for key in ("1", "y", "q", "a", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("现在没有需要回访的诉求")).to_be_visible()
    live.wait(lambda session: [session.get_one(Complaint, n).status for n in ids] == ["reopened", "confirmed"])
