"""The board in a real browser: giving orders a crew and a time by drag, by keyboard and by form; many at once; undo; races."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.model import Complaint
from gis.dispatch import acceptance, actions
from gis.dispatch.model import Crew, Shift, WorkOrder
from gis.dispatch.rules import Terms
from gis.journal import Who
from tests.browser.conftest import Live
from tests.browser.desk import City, found
from tests.factories import make_crew, make_user
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
PPM = 1.6  # pixels per minute at the first zoom


@pytest.fixture(scope="module")
def live(morning_server: Live) -> Live:
    return morning_server


@pytest.fixture
def city(live: Live) -> City:
    return found(live)


def open_board(live: Live, page: Page, city: City) -> None:
    live.sign_in(page, "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/")
    expect(page.locator("#cases .case").first).to_be_visible()
    page.click("#board-toggle")
    expect(page.locator(".board-row")).to_have_count(2)
    expect(page.locator(".tray-item")).to_have_count(5)


def order_of(live: Live, complaint_id: int, status: str = "assigned") -> WorkOrder | None:
    with live.sessions() as session:
        return session.query(WorkOrder).filter_by(complaint_id=complaint_id, status=status).one_or_none()


def send(
    live: Live, complaint_id: int, crew_id: int, start: datetime | None = None, reason: str | None = None
) -> WorkOrder:
    """What another dispatcher, 王调度, does meanwhile."""
    with live.sessions() as session:
        user = make_user(session, full_name="王调度")
        order = actions.assign(
            session, Who(utc_now(), user.id), session.get_one(Complaint, complaint_id), session.get_one(Crew, crew_id),
            base_version=None, terms=Terms(ZoneInfo("UTC")), start=start, override_reason=reason,
        )  # fmt: skip
        session.commit()
        return order


def lane(page: Page, crew_id: int) -> Locator:
    return page.locator(f'[data-lane="{crew_id}"]')


def at(page: Page, crew_id: int, minutes: float) -> tuple[float, float]:
    """The place in the window of a crew's row, so many minutes from now; both are of one drawing of the board."""
    found = page.wait_for_function(
        """([lane]) => { const row = document.querySelector(lane), line = document.querySelector(".board-now");
        if (!row || !line) return null; const box = row.getBoundingClientRect();
        return [line.getBoundingClientRect().x, box.y + box.height / 2]; }""",
        arg=[f'[data-lane="{crew_id}"]'],
    ).json_value()
    return found[0] + minutes * PPM, found[1]


def carry(page: Page, what: Locator, x: float, y: float, *, release: bool = True, grab: float | None = None) -> None:
    deadline = time.monotonic() + 30
    while (box := what.bounding_box()) is None:  # the board is drawing itself anew, as an event told it
        assert time.monotonic() < deadline
    page.mouse.move(box["x"] + (min(24, box["width"] / 2) if grab is None else grab), box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 4, steps=3)
    page.mouse.move(x, y, steps=4)
    if release:
        page.mouse.up()


def tray(page: Page, place: str) -> Locator:
    return page.locator(".tray-item").filter(has_text=place)


def block(page: Page, place: str) -> Locator:
    return page.locator(".block:not(.ghost)").filter(has_text=place)


def test_a_waiting_complaint_is_dragged_to_a_crew_and_a_time_with_a_ghost_and_the_drag_is_undone(
    live, page, city, quiet
):
    open_board(live, quiet(page), city)
    carry(page, tray(page, "怡景公寓1号楼"), *at(page, city.fits, 60), release=False)
    expect(page.locator(".ghost:not(.pending)")).to_be_visible()
    expect(page.locator("#board-said")).to_contain_text("出发")
    expect(page.locator("#board-said")).to_contain_text("兴平抢修1班")
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("已派 兴平抢修1班 → 怡景公寓1号楼")
    expect(block(page, "怡景公寓1号楼")).to_be_visible()
    order = order_of(live, city.complaints[2])
    assert order and order.crew_id == city.fits
    assert abs(order.during.lower - utc_now() - timedelta(minutes=60)) < timedelta(minutes=6)
    assert order.during.lower.minute % 5 == 0
    page.keyboard.press("u")
    expect(tray(page, "怡景公寓1号楼")).to_be_visible()
    assert order_of(live, city.complaints[2], "recalled") is not None


def test_a_block_is_dragged_to_another_time_and_to_a_crew_that_does_not_fit_with_a_reason(live, page, city, quiet):
    send(live, city.complaints[3], city.fits)
    live.sign_in(quiet(page), "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/")
    page.click("#board-toggle")
    mine = block(page, "玉兰花园8号楼")
    carry(page, mine, *at(page, city.fits, 120), grab=8)
    expect(page.locator(".toast")).to_contain_text("已将 玉兰花园8号楼 改为 兴平抢修1班")
    moved = order_of(live, city.complaints[3])
    assert moved and abs(moved.during.lower - utc_now() - timedelta(minutes=115)) < timedelta(minutes=9)
    assert moved.version == 2
    expect(page.locator(".ghost")).to_have_count(0)
    begins = moved.during.lower.astimezone(live.zone)
    expect(mine).to_contain_text(f"{begins:%H:%M}–")  # it lies where it was put before it is carried on
    carry(page, mine, *at(page, city.unfit, 60), grab=8, release=False)
    expect(page.locator(".ghost.against")).to_be_visible()
    expect(page.locator(".carried")).to_contain_text("不具备工种：供热")
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("不具备工种：供热")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("离得最近,先去关阀")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").filter(has_text="绿化养护班")).to_be_visible()
    given = order_of(live, city.complaints[3])
    assert given and (given.crew_id, given.override_reason) == (city.unfit, "离得最近,先去关阀")
    expect(lane(page, city.unfit).locator(".block")).to_have_count(1)
    page.locator("[data-undo]").last.click()
    expect(lane(page, city.fits).locator(".block")).to_have_count(1)
    assert order_of(live, city.complaints[3]).id == moved.id  # the very same order again


def test_escape_puts_it_back_and_a_block_dropped_on_the_tray_waits_again(live, page, city, quiet):
    send(live, city.complaints[3], city.fits)
    live.sign_in(quiet(page), "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/")
    page.click("#board-toggle")
    mine = block(page, "玉兰花园8号楼")
    carry(page, mine, *at(page, city.fits, 120), release=False)
    expect(page.locator(".ghost")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".ghost")).to_have_count(0)
    assert order_of(live, city.complaints[3]).version == 1
    box = page.locator("#tray").bounding_box()
    carry(page, mine, box["x"] + 60, box["y"] + 40)
    expect(tray(page, "玉兰花园8号楼")).to_be_visible()
    assert order_of(live, city.complaints[3], "recalled").recall_reason == "by_desk"


def test_the_keyboard_alone_gives_a_crew_and_a_time_moves_it_and_takes_it_back(live, page, city, quiet):
    open_board(live, quiet(page), city)
    page.keyboard.press("j")
    expect(page.locator("#detail .place")).to_contain_text("文丰小区3号楼")
    page.keyboard.press("b")
    expect(page.locator(".ghost:not(.pending)")).to_be_focused()
    expect(lane(page, city.fits).locator(".ghost")).to_have_count(1)
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("已派 兴平抢修1班")
    order = order_of(live, city.complaints[0])
    assert order and timedelta(minutes=20) < order.during.lower - utc_now() < timedelta(minutes=31)
    mine = block(page, "文丰小区3号楼")
    expect(mine).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ghost")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".ghost")).to_have_count(0)
    page.keyboard.press("b")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("已将 文丰小区3号楼")
    assert order_of(live, city.complaints[0]).during.lower == order.during.lower + timedelta(minutes=15)
    page.keyboard.press("u")
    expect(page.locator(".toast").last).to_contain_text("恢复原状")
    assert order_of(live, city.complaints[0]).during == order.during


def test_a_card_of_the_list_is_dragged_to_a_crews_name_and_gets_its_first_free_time(live, page, city, quiet):
    open_board(live, quiet(page), city)
    name = page.locator(f'.board-row[data-crew="{city.fits}"] .board-name').bounding_box()
    carry(page, page.locator("#cases li").filter(has_text="金色公寓4号楼"), name["x"] + 20, name["y"] + 10)
    expect(page.locator(".toast")).to_contain_text("兴平抢修1班")
    assert abs(order_of(live, city.complaints[1]).during.lower - utc_now()) < timedelta(minutes=2)


def test_the_form_does_what_a_drag_does(live, page, city, quiet):
    open_board(live, quiet(page), city)
    page.locator("#cases .case").filter(has_text="怡景公寓1号楼").click()
    page.locator('[data-act="at-a-time"]').click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("班组").select_option(label="兴平抢修1班")
    expect(dialog.get_by_role("status")).to_contain_text("到场")
    dialog.get_by_role("button", name="派出班组").click()
    expect(page.locator("#detail .order")).to_contain_text("兴平抢修1班")
    page.locator('[data-act="lock"]').click()
    expect(page.locator("#detail .order")).to_contain_text("已锁定")
    expect(page.locator('[data-act="move"]')).to_have_count(0)
    expect(page.locator("[data-order].locked")).to_have_count(1)
    carry(page, page.locator("[data-order].locked"), *at(page, city.fits, 200))
    expect(page.locator(".toast.error")).to_contain_text("已锁定")
    page.locator('[data-act="lock"]').click()
    page.locator('[data-act="take-back"]').click()
    expect(tray(page, "怡景公寓1号楼")).to_be_visible()


def test_who_loses_a_race_is_told_who_holds_the_time(live, page, city):
    open_board(live, page, city)
    page.route(re.compile(r"/(changes\.json|events)"), lambda route: route.abort())
    carry(page, tray(page, "怡景公寓1号楼"), *at(page, city.fits, 30), release=False)
    expect(page.locator(".ghost:not(.pending)")).to_be_visible()
    expect(page.locator(".ghost.held")).to_have_count(0)
    send(live, city.complaints[1], city.fits, utc_now() + timedelta(minutes=20))  # the second session books first
    page.mouse.up()
    expect(page.locator(".toast.error")).to_contain_text("王调度")
    expect(page.locator(".toast.error")).to_contain_text("兴平抢修1班")
    expect(
        lane(page, city.fits).locator(".block").filter(has_text="金色公寓4号楼")
    ).to_be_visible()  # and why, on the board
    expect(tray(page, "怡景公寓1号楼")).to_be_visible()
    assert order_of(live, city.complaints[2]) is None


def test_many_are_chosen_and_one_that_cannot_be_done_is_told_and_nothing_is_done_silently(live, page, city, quiet):
    open_board(live, page, city)
    cases = page.locator("#cases .case")
    cases.nth(0).click(modifiers=["Control"])
    cases.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#pick-bar")).to_contain_text("已选 3 件")
    assert page.locator("#pick-all").evaluate("box => box.indeterminate")
    page.locator('[data-bulk="assign"]').click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 件中有 2 件无法办理")
    expect(dialog.locator("li.against")).to_have_count(2)
    expect(dialog.locator("li.against").first).to_contain_text("目前没有完全合适的班组可派")
    assert all(order_of(live, c) is None for c in city.complaints)
    dialog.get_by_role("button", name="只保留能办的").click()
    expect(page.locator("#pick-bar")).to_contain_text("已选 1 件")
    page.locator("#pick-all").click()
    expect(page.locator("#pick-bar")).to_contain_text("已选 5 件")
    page.get_by_label("全部派给一个班组").select_option(label="兴平抢修1班")
    page.get_by_label("如有一件不能办").select_option("each")
    page.locator('[data-bulk="assign"]').click()
    expect(dialog).to_contain_text("5 件中已办 4 件")  # water is not this crew's skill
    expect(dialog.locator("li.against")).to_contain_text("工种不符")
    assert sum(order_of(live, c) is not None for c in city.complaints) == 4
    dialog.get_by_role("button", name="全部撤销").click()
    for _ in range(300):  # one after the other is taken back
        if all(order_of(live, c) is None for c in city.complaints):
            break
        page.wait_for_timeout(100)
    assert all(order_of(live, c) is None for c in city.complaints)
    expect(page.locator(".tray-item")).to_have_count(5)


def test_an_order_that_was_not_accepted_in_time_is_told_with_the_next_best_crew(live, page, city, quiet):
    with live.sessions() as session:
        other = make_crew(session, at=(0.0, 0.0), name="兴平抢修2班", on_shift=False, position_at=utc_now())
        first = session.get_one(Crew, city.fits)
        other.position, other.unit_id = first.position, first.unit_id
        session.add(
            Shift(crew_id=other.id, during=Range(utc_now() - timedelta(hours=1), utc_now() + timedelta(hours=9)))
        )
        session.commit()
    order = send(live, city.complaints[2], city.fits)
    live.sign_in(quiet(page), "dispatcher", area_id=city.district)
    page.goto(f"{live.url}/?id={city.complaints[2]}&status=open")
    expect(page.locator("#detail .order")).to_contain_text("签收剩余")
    with live.sessions() as session:
        row = session.get_one(WorkOrder, order.id)
        row.assigned_at = utc_now() - timedelta(minutes=11)
        session.commit()
        acceptance.tell_lapsed(session, Who(utc_now()), Terms(ZoneInfo("UTC")))
        session.commit()
    expect(page.locator("#cases li").filter(has_text="怡景公寓1号楼")).to_contain_text("未按时签收", timeout=60_000)
    notice = page.locator(".lapsed-notice")
    expect(notice).to_contain_text("次优班组为 兴平抢修2班")
    notice.get_by_role("button", name="改派 兴平抢修2班").click()
    expect(page.locator(".toast")).to_contain_text("改为 兴平抢修2班")
    expect(page.locator("#detail .order")).to_contain_text("兴平抢修2班")
    assert order_of(live, city.complaints[2], "recalled").recall_reason == "not_accepted"


def test_a_point_of_the_map_is_dragged_to_the_sign_of_a_crew_and_a_lasso_chooses(live, page, city, quiet):
    open_board(live, quiet(page), city)
    where = page.evaluate(f"fetch('/complaints/{city.complaints[2]}.json').then((r) => r.json())")
    page.goto(f"{live.url}/?status=open&sort=due&at=15/{where['lat']}/{where['lon']}")
    pane = page.locator("#map canvas")
    expect(pane).to_be_visible()
    box = page.locator("#map").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    popup = page.locator(".maplibregl-popup").filter(has_text="怡景公寓1号楼")
    for _ in range(100):  # until its tile is there
        page.mouse.move(middle[0] - 3, middle[1])
        page.mouse.move(*middle)
        if popup.count():
            break
        page.wait_for_timeout(100)
    expect(popup).to_be_visible()
    crew = middle[0] + 0.002 * 512 * 2**15 / 360, middle[1]  # the crew stands 0.01 degrees east of the first complaint
    page.mouse.down()
    page.mouse.move(middle[0] + 20, middle[1], steps=3)
    page.mouse.move(*crew, steps=3)
    expect(page.locator(".carried")).to_contain_text("兴平抢修1班")
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("已派 兴平抢修1班 → 怡景公寓1号楼")
    page.click("#lasso")
    corners = [(-250, -60), (60, -60), (60, 60), (-250, 60)]
    page.mouse.move(middle[0] + corners[0][0], middle[1] + corners[0][1])
    page.mouse.down()
    for dx, dy in corners[1:]:
        page.mouse.move(middle[0] + dx, middle[1] + dy, steps=3)
    page.mouse.up()
    expect(page.locator("#pick-bar")).to_contain_text(re.compile("已选 2 件"))
    page.keyboard.press("Escape")
    expect(page.locator("#pick-bar")).to_be_hidden()


def test_the_drawer_remembers_its_height_and_nothing_overlaps(live, page, city, quiet):
    open_board(live, quiet(page), city)
    edge = page.locator("#board-edge")
    before = page.locator("#board-pane").bounding_box()["height"]
    edge.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.reload()
    expect(page.locator(".board-row")).to_have_count(2)
    boxes = {
        name: page.locator(name).bounding_box() for name in ("#list-pane", "#map-pane", "#detail-pane", "#board-pane")
    }
    assert abs(boxes["#board-pane"]["height"] - before - 48) < 3
    for name in ("#list-pane", "#map-pane", "#detail-pane"):
        assert boxes[name]["y"] + boxes[name]["height"] <= boxes["#board-pane"]["y"] + 1
    assert boxes["#board-pane"]["y"] + boxes["#board-pane"]["height"] <= 769
    page.locator("#cases .case").first.click()
    page.keyboard.press("b")
    expect(page.locator(".ghost:not(.pending)")).to_be_visible()
    page.evaluate(AXE.read_text())
    broken = page.evaluate(
        "axe.run(document.querySelector('#board-pane')).then(r => r.violations.filter(v => ['serious','critical'].includes(v.impact)).map(v => v.id + ' ' + v.nodes[0].html))"
    )
    assert broken == []
    list_broken = page.evaluate(
        "axe.run(document.querySelector('#list-pane')).then(r => r.violations.filter(v => ['serious','critical'].includes(v.impact)).map(v => v.id + ' ' + v.nodes[0].html))"
    )
    assert list_broken == []


def test_on_a_phone_the_board_is_a_page_that_reads_from_top_to_bottom(live, phone_page, city, quiet):
    send(live, city.complaints[3], city.fits)
    live.sign_in(quiet(phone_page), "dispatcher", area_id=city.district)
    phone_page.goto(f"{live.url}/?pane=board&status=open")
    mine = block(phone_page, "玉兰花园8号楼")
    expect(mine).to_be_visible()
    assert phone_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(phone_page.locator(".tray-item").first).to_be_visible()
    mine.click()
    expect(phone_page.locator("#detail .place")).to_contain_text("玉兰花园8号楼")
