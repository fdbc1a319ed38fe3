"""A call, taken on the real form: by keyboard alone, by map, by coordinates; and what is typed survives a refusal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, select

from gis.complaints.model import Caller, Complaint
from gis.places.model import GazetteerEntry
from tests.browser.conftest import Live
from tests.browser.field import at_rest
from tests.factories import PINGDU, make_area, make_complaint, point, square
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
LEVELS = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.fixture(scope="module")
def town(server: Live) -> Live:
    """One server for this file: a district with a compound, a name, and one open complaint there."""
    with server.sessions() as session:
        area = make_area(session, name="平度市", geom=square(half=0.006))
        make_area(session, name="文丰小区", level="compound", parent_id=area.id, geom=square(half=0.002))
        session.add(GazetteerEntry(code="g1", name="文丰小区", kind="compound", geom=point()))
        session.add(GazetteerEntry(code="g2", name="文丰路", kind="road", geom=point(PINGDU[0] + 0.004, PINGDU[1])))
        make_complaint(session, place="文丰小区3号楼", hotline_no="OPEN-1", district_id=area.id, received_at=utc_now())
        session.commit()
    return server


@pytest.fixture
def city(town: Live) -> Iterator[Live]:
    """The server, with nothing but the one complaint."""
    yield town
    with town.sessions() as session:
        session.execute(delete(Complaint).where(Complaint.hotline_no != "OPEN-1"))
        session.commit()


def open_form(live: Live, page: Page) -> None:
    live.sign_in(page, "call_taker", full_name="李接线")
    page.goto(f"{live.url}/complaints/new")
    expect(page.locator("[data-intake][data-map-ready]")).to_be_attached()


def kept(live: Live) -> list[Complaint]:
    with live.sessions() as session:
        return list(session.scalars(select(Complaint).where(Complaint.hotline_no != "OPEN-1")))


def test_a_call_is_taken_with_the_keyboard_alone(city, page, quiet):
    open_form(city, quiet(page))
    keys = page.keyboard
    expect(page.locator("#category")).to_be_focused()
    keys.type("02")
    expect(page.locator("[data-deadline]")).to_contain_text("23:59")
    expect(page.locator("[name=complexity][value=ordinary]")).to_be_checked()
    for _ in range(3):  # the channel's own number, another hotline's file number
        keys.press("Tab")
    keys.type("家里暖气不热,只有13度")
    page.locator("#place").focus()
    keys.type("文丰小区")
    expect(page.locator("#place-list li").first).to_contain_text("文丰小区")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#place")).to_have_value("文丰小区")
    expect(page.locator("#lon")).to_have_value(f"{PINGDU[0]:.6f}")
    expect(page.locator("[data-where]")).to_contain_text("平度市")
    expect(page.locator("[data-similar] li[data-similar-id]")).to_contain_text("OPEN-1")
    page.locator("#caller_name").focus()
    keys.type("张三")
    keys.press("Tab")
    keys.type("138 1234 5678")
    keys.press("Control+Enter")
    expect(page.locator("[data-number]")).to_contain_text("CM")
    [made] = city.wait(lambda session: kept(city))
    expect(page.locator("[data-number]")).to_have_text(made.hotline_no)
    assert made.compound_id is not None
    with city.sessions() as session:
        assert session.get(Caller, made.id).phone == "13812345678"
    expect(page.locator("#description")).to_have_value("")


def test_a_click_on_the_map_marks_the_place_and_names_it(city, page, quiet):
    open_form(city, quiet(page))
    page.locator("[data-map] canvas").click(position={"x": 260, "y": 170})
    expect(page.locator("#lon")).not_to_have_value("")
    expect(page.locator("#place")).not_to_have_value("")
    expect(page.locator(".maplibregl-marker")).to_be_visible()
    assert abs(float(page.locator("#lon").input_value()) - PINGDU[0]) < 0.01
    page.click("[data-clear]")
    expect(page.locator(".maplibregl-marker")).to_have_count(0)


def test_what_was_typed_survives_a_refusal_and_the_first_wrong_field_is_in_focus(city, page, quiet):
    open_form(city, quiet(page))
    page.select_option("#category", "heat.cold")
    page.check("[name=complexity][value=complex]")
    page.fill("#description", "室温 14 度")
    page.fill("#place", "某处")
    page.fill("#caller_phone", "12")
    page.click("[data-send]")
    expect(page.locator("#caller_phone-error")).to_have_text("电话号码不正确。")
    expect(page.locator("#caller_phone")).to_be_focused()
    expect(page.locator("#description")).to_have_value("室温 14 度")
    expect(page.locator("[name=complexity][value=complex]")).to_be_checked()
    assert kept(city) == []
    page.fill("#caller_phone", "0532-88361234")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-number]")).to_be_visible()
    assert (kept(city)[0].complexity, kept(city)[0].located) == ("complex", "not_located")


def test_coordinates_are_converted_and_another_system_is_offered(city, page, quiet):
    open_form(city, quiet(page))
    page.locator("#lon").focus()
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.setData("text", "36.78, 119.96");
      document.querySelector("#lon").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    }""")
    expect(page.locator("[data-position-error]")).to_contain_text("颠倒")
    page.fill("#lon", str(PINGDU[0] + 0.012))
    page.fill("#lat", str(PINGDU[1] + 0.006))
    page.keyboard.press("Tab")
    expect(page.locator("[data-use-datum]")).to_have_text("改用 BD-09（百度）")
    page.click("[data-use-datum]")
    expect(page.locator("[data-position-error]")).to_be_hidden()
    expect(page.locator("[data-converted]")).to_contain_text("换算为 WGS-84")
    expect(page.locator("[data-where]")).to_contain_text("平度市")


def test_twice_pressed_is_once_received(city, page, quiet):
    open_form(city, quiet(page))
    page.select_option("#category", "heat.cold")
    page.fill("#description", "室温 14 度")
    page.fill("#place", "某处")
    page.evaluate("() => { const b = document.querySelector('[data-send]'); b.click(); b.click(); }")
    expect(page.locator("[data-number]")).to_be_visible()
    assert len(kept(city)) == 1


def test_the_form_works_where_no_map_can_be_drawn_and_without_scripts(city, browser):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    city.sign_in(page, "call_taker")
    page.goto(f"{city.url}/complaints/new")
    page.select_option("#category", "heat.noise")
    page.fill("#description", "夜里有噪声")
    page.select_option("#datum", "cgcs2000")
    page.fill("#lon", str(PINGDU[0]))
    page.fill("#lat", str(PINGDU[1]))
    page.click("[data-send]")
    expect(page.locator("[data-number]")).to_be_visible()
    assert (kept(city)[0].complexity, kept(city)[0].located) == ("complex", "located")
    context.close()


def test_at_phone_width_nothing_sticks_out_and_targets_are_large(city, phone_page, quiet):
    open_form(city, quiet(phone_page))
    at_rest(phone_page)
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
    small = phone_page.evaluate("""() => [...document.querySelectorAll("main input:not([type=hidden],[type=radio],[type=checkbox]), main select, main button.primary")]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.id || e.name)""")
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(city, browser, theme):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme=theme, locale="zh-CN")
    page = context.new_page()
    city.sign_in(page, "supervisor")
    for path in ("/complaints/new", "/complaints/1", "/calendar", "/calendar?year=2030"):
        page.goto(f"{city.url}{path}")
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate(f"axe.run(document, {LEVELS})")
        serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
        assert [(path, v["id"], [n["target"] for n in v["nodes"]][:5]) for v in serious] == []
    context.close()
