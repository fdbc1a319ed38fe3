"""A citizen's telephone: reporting with photo and map, on a bad network, twice pressed; following, dissatisfied, reopened."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import delete, func, select

from gis.complaints.actions import take_step
from gis.complaints.model import Caller, Complaint
from gis.journal import JournalEntry, Who
from gis.places.model import GazetteerEntry
from gis.portal.model import CallerRating, ComplaintPhoto, PublicReport
from tests.browser.conftest import Live
from tests.factories import make_area, point, square
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
LEVELS = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


@pytest.fixture(scope="module")
def town(server: Live) -> Live:
    with server.sessions() as session:
        area = make_area(session, name="平度市", geom=square(half=0.006))
        make_area(session, name="文丰小区", level="compound", parent_id=area.id, geom=square(half=0.002))
        session.add(GazetteerEntry(code="g1", name="文丰小区", kind="compound", geom=point()))
        session.commit()
    return server


@pytest.fixture
def city(town: Live) -> Iterator[Live]:
    yield town
    with town.sessions() as session:
        for table in (CallerRating, ComplaintPhoto, PublicReport, Caller, Complaint):
            session.execute(delete(table))
        session.commit()


def picture() -> dict:
    out = io.BytesIO()
    Image.new("RGB", (2400, 1800), "#b33").save(out, "JPEG")
    return {"name": "漏水.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def fill(page: Page, live: Live, *, place: str = "文丰小区3号楼") -> None:
    page.goto(f"{live.url}/public/report")
    expect(page.locator("[data-report][data-ready]")).to_be_attached()
    page.locator("details[data-utility=heat] summary").click()
    page.locator("[value='heat.none']").check()
    page.fill("[name=description]", "家里暖气不热,只有13度")
    page.fill("[name=place]", place)
    page.fill("[name=phone]", "138 1234 5678")
    page.fill("[name=name]", "张三")


def kept(live: Live) -> list[Complaint]:
    with live.sessions() as session:
        return list(session.scalars(select(Complaint)))


def sent(page: Page) -> str:
    page.locator("[data-send]").click()
    expect(page.locator("[data-receipt]")).to_be_visible()
    return page.locator("[data-number]").inner_text()


def test_a_report_with_photo_and_map_gives_a_number_and_is_followed_answered_refused_and_reopened(
    city, phone_page, quiet
):
    page = quiet(phone_page)
    fill(page, city, place="")
    page.locator("[data-open-map] summary").click()
    expect(page.locator("[data-report][data-map-ready]")).to_be_attached()
    page.locator("[data-map] canvas").click(position={"x": 150, "y": 150})
    expect(page.locator("[name=lon]")).not_to_have_value("")
    page.set_input_files("[data-photos]", [picture()])
    expect(page.locator("[data-photo-list] img")).to_be_visible()
    number = sent(page)
    [made] = kept(city)
    assert (made.hotline_no, made.located, made.channel) == (number, "located", "web")
    with city.sessions() as session:
        photo = session.scalars(select(ComplaintPhoto)).one()
        assert photo.size < len(picture()["buffer"]) or photo.mime == "image/jpeg"
        complaint = session.get_one(Complaint, made.id)
        take_step(session, Who(utc_now()), complaint, "answer", data={"answer": "已更换阀门,现在 20 度。"})
        session.commit()
    page.reload()
    expect(page.locator("[data-number]")).to_have_text(number)  # still there after a reload
    page.locator("[data-follow]").click()
    expect(page.locator("[name=number]")).to_have_value(number)
    page.fill("[name=phone]", "13812345678")
    page.locator("main button.primary").click()
    expect(page.locator(".public-answer")).to_contain_text("已更换阀门")
    expect(page.locator(".public-thumbs img")).to_be_visible()
    page.locator("[data-dissatisfied]").click()
    page.locator("[value=not_fixed]").check()
    page.fill("[name=note]", "晚上又凉了")
    page.get_by_role("button", name="要求重办").click()
    expect(page.locator(".notice.done")).to_contain_text("重办")
    expect(page.locator(".public-course")).to_contain_text("重新办理")
    assert (kept(city)[0].status, kept(city)[0].reopen_count) == ("reopened", 1)


def test_twice_pressed_and_a_lost_answer_are_one_complaint(city, phone_page, quiet):
    page, lost = quiet(phone_page), []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())  # it arrived, the answer did not
            route.abort()

    page.route("**/public/report.json", lose)
    fill(page, city)
    page.evaluate("() => { const b = document.querySelector('[data-send]'); b.click(); b.click(); }")
    expect(page.locator("[data-receipt]")).to_be_visible()
    [made] = kept(city)
    expect(page.locator("[data-number]")).to_have_text(made.hotline_no)
    assert len(lost) == 1


def test_without_network_nothing_typed_is_lost_and_it_is_sent_when_there_is_one(city, phone_context, quiet):
    page = quiet(phone_context.new_page())
    fill(page, city)
    page.set_input_files("[data-photos]", [picture()])
    expect(page.locator("[data-photo-list] img")).to_be_visible()
    page.reload()
    expect(page.locator("[data-report][data-ready]")).to_be_attached()
    expect(page.locator("[name=description]")).to_have_value("家里暖气不热,只有13度")
    expect(page.locator("[value='heat.none']")).to_be_checked()
    expect(page.locator("[data-photo-list] img")).to_be_visible()
    phone_context.set_offline(True)
    page.locator("[data-send]").click()
    expect(page.locator("[data-status]")).to_contain_text("保存在本机")
    assert kept(city) == []
    phone_context.set_offline(False)
    expect(page.locator("[data-receipt]")).to_be_visible()
    assert len(kept(city)) == 1


def processor_s(page: Page) -> float:
    """How long the pages of this browser have used a processor so far: a busy machine does not change it."""
    told = page.context.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return sum(one["cpuTime"] for one in told["processInfo"] if one["type"] == "renderer")


def test_a_slow_telephone_does_the_sums_in_time(city, phone_page):
    """On a processor six times slower than this one; counted for the work of an average puzzle, whatever luck this one had."""
    page = phone_page
    page.goto(f"{city.url}/public/report")
    expect(page.locator("[data-report][data-ready]")).to_be_attached()
    before = processor_s(page)
    answers, bits = page.evaluate(
        """async () => {
      const { Proof } = await import("/frontend/public/proof.mjs");
      const { answers } = await new Proof().ready();
      return [answers.split(",").map(Number), (await (await fetch("/public/challenge.json")).json()).bits];
    }"""
    )
    tried, expected = sum(answers) + len(answers), len(answers) << bits
    assert 6 * (processor_s(page) - before) * expected / tried < 12


def test_wrong_fields_are_named_and_the_server_is_not_asked(city, phone_page, quiet):
    page = quiet(phone_page)
    page.goto(f"{city.url}/public/report")
    expect(page.locator("[data-report][data-ready]")).to_be_attached()
    page.locator("[data-send]").click()
    for name in ("category", "description", "place", "phone"):
        expect(page.locator(f"[data-error={name}]")).to_be_visible()
    page.fill("[name=description]", "x")
    expect(page.locator("[data-error=description]")).to_be_hidden()
    page.locator("[value='gas.leak']").evaluate("e => { e.closest('details').open = true; e.click(); }")
    expect(page.locator("[data-ring-first]")).to_be_visible()
    assert kept(city) == []


def test_without_scripts_a_sentence_says_what_to_do_and_following_works(city, browser):
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{city.url}/public/report")
    expect(page.locator("noscript .notice, .notice.error").first).to_contain_text("12319")
    page.goto(f"{city.url}/public/follow")
    page.fill("[name=number]", "CM20091117-000001")
    page.fill("[name=phone]", "13812345678")
    page.locator("main button.primary").click()
    expect(page.locator(".notice.error")).to_contain_text("没有编号和电话都相符的诉求")
    context.close()


def test_the_pages_fit_a_telephone_and_axe_finds_nothing_serious(city, browser):
    for theme in ("light", "dark"):
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, color_scheme=theme, locale="zh-CN", has_touch=True
        )
        page = context.new_page()
        for path in ("/public/", "/public/report", "/public/follow"):
            page.goto(f"{city.url}{path}")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            small = page.evaluate("""() => [...document.querySelectorAll("main button, main .button, main summary, main input:not([type=hidden],[type=radio],[type=file])")]
                .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 47).map((e) => e.outerHTML.slice(0, 80))""")
            assert small == []
            page.evaluate(AXE.read_text(encoding="utf-8"))
            result = page.evaluate(f"axe.run(document, {LEVELS})")
            serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
            assert [(path, v["id"], [n["target"] for n in v["nodes"]][:5]) for v in serious] == []
        context.close()


def test_no_page_asks_another_address(city, phone_page):
    asked: list[str] = []
    phone_page.on("request", lambda request: asked.append(request.url))
    fill(phone_page, city)
    phone_page.locator("[data-open-map] summary").click()
    expect(phone_page.locator("[data-report][data-map-ready]")).to_be_attached()
    phone_page.wait_for_load_state("networkidle")  # nothing is asked any more
    assert [url for url in asked if not url.startswith((city.url, "blob:", "data:"))] == []
    assert not [url for url in asked if "/tiles/" in url and "/public/tiles/" not in url]


def test_one_journal_row_a_report_and_none_with_a_telephone(city, phone_page):
    fill(phone_page, city)
    sent(phone_page)
    [made] = kept(city)
    with city.sessions() as session:
        entries = session.scalars(
            select(JournalEntry).where(JournalEntry.thing_id == str(made.id), JournalEntry.thing == "complaint")
        ).all()
        assert [e.verb for e in entries] == ["receive"] and "138" not in str(entries[0].data)
        assert session.scalar(select(func.count()).select_from(PublicReport)) == 1
