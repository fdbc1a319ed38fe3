"""Typing a call shows the complaint it may belong to; "+1" joins it, the third is key supervision, and it can be undone."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gis.complaints.model import Caller, Complaint
from gis.places.model import GazetteerEntry
from tests.browser.conftest import Live
from tests.factories import PINGDU, make_area, make_complaint, make_unit, point, square
from webapp.clock import utc_now

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town(server: Live) -> Live:
    """A district with a compound, its unit, a name, and one open complaint there."""
    with server.sessions() as session:
        area = make_area(session, name="平度市", geom=square(half=0.006))
        unit = make_unit(session)
        make_area(
            session, name="文丰小区", level="compound", parent_id=area.id, geom=square(half=0.002), unit_id=unit.id
        )
        session.add(GazetteerEntry(code="g1", name="文丰小区", kind="compound", geom=point()))
        make_complaint(session, place="文丰小区3号楼", hotline_no="OPEN-1", district_id=area.id, received_at=utc_now(),
                       description="整个单元暖气不热")  # fmt: skip
        session.commit()
    return server


def choose_the_compound(page: Page) -> None:
    """Type its name, and take it from the list that stands when all of it was looked for."""
    name = "文丰小区"
    with page.expect_response(lambda r: "/places/search.json" in r.url and r.url.endswith(quote(name))) as found:
        page.locator("#place").press_sequentially(name, delay=20)
    found.value.finished()
    page.locator("#place-list li").first.click()


def call(live: Live, page: Page, phone: str) -> None:
    """Take a call as far as the similar ones are shown."""
    page.goto(f"{live.url}/complaints/new")
    expect(page.locator("[data-intake][data-map-ready]")).to_be_attached()
    page.select_option("#category", "heat.none")
    page.fill("#description", "我家单元暖气不热")
    choose_the_compound(page)
    with page.expect_response(lambda r: "similar.json" in r.url and phone in (r.request.post_data or "")) as found:
        page.fill("#caller_phone", phone)
    found.value.finished()  # the list is not drawn again


def test_typing_similar_plus_one_and_key_supervision(town, page):
    town.sign_in(page, "call_taker", full_name="李接线")
    call(town, page, "13800000001")
    row = page.locator("[data-similar] li[data-similar-id]").first
    expect(row).to_contain_text("OPEN-1")
    expect(row).to_contain_text("米")
    expect(row).to_contain_text("暖气不热")
    row.get_by_role("button", name="+1").click()
    expect(page.locator("[data-made]")).to_contain_text("已并入 OPEN-1：现有 2 位来电人")
    first = page.locator("[data-number]").inner_text()

    call(town, page, "13800000002")
    row = page.locator("[data-similar] li[data-similar-id]").first
    expect(row).to_contain_text("2 人来电")
    row.get_by_role("button", name="+1").press("Enter")
    expect(page.locator("[data-made]")).to_contain_text("现有 3 位来电人")
    expect(page.locator("[data-made] .chip.red")).to_have_text("重点督办")
    with town.sessions() as session:
        main = session.scalar(select(Complaint).where(Complaint.hotline_no == "OPEN-1"))
        assert (main.repeat_count, main.key_since is not None) == (2, True)
        joined = session.scalars(select(Complaint).where(Complaint.merged_into_id == main.id)).all()
        assert first in {one.hotline_no for one in joined}
        assert {session.get(Caller, one.id).phone for one in joined} == {"13800000001", "13800000002"}

    page.locator("[data-undo-join]").click()
    expect(page.locator(".notice.done")).to_contain_text("已拆出")
    with town.sessions() as session:
        main = session.scalar(select(Complaint).where(Complaint.hotline_no == "OPEN-1"))
        assert (main.repeat_count, main.key_since) == (1, None)


def test_the_same_number_is_found_far_away_and_never_shown(town, page):
    with town.sessions() as session:
        far = make_complaint(session, at=(PINGDU[0] + 0.05, PINGDU[1]), hotline_no="FAR-1", received_at=utc_now())
        session.add(Caller(complaint_id=far.id, phone="13911112222"))
        session.commit()
    town.sign_in(page, "call_taker")
    page.goto(f"{town.url}/complaints/new")
    page.select_option("#category", "heat.none")
    page.fill("#caller_phone", "139 1111 2222")
    row = page.locator("[data-similar] li[data-similar-id]")
    expect(row).to_contain_text("FAR-1")
    expect(row).to_contain_text("同一来电号码")
    expect(page.locator("[data-similar]")).not_to_contain_text("1111")


def test_an_unlocated_complaint_is_put_on_the_map_from_the_worklist(town, page):
    with town.sessions() as session:
        make_complaint(session, at=None, hotline_no="LOST-1", place="文丰小区", received_at=utc_now())
        session.commit()
    town.sign_in(page, "dispatcher")
    page.goto(f"{town.url}/worklist?kind=not_located")
    page.get_by_role("row", name="LOST-1").get_by_role("link", name="在地图上定位").click()
    page.locator("#place").fill("")
    choose_the_compound(page)
    page.get_by_role("button", name="就在这里").click()
    expect(page.locator(".notice.done")).to_contain_text("LOST-1")
    with town.sessions() as session:
        found = session.scalar(select(Complaint).where(Complaint.hotline_no == "LOST-1"))
        assert (found.located, found.compound_id is not None, found.unit_id is not None) == ("located", True, True)
