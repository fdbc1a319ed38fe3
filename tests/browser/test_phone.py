"""The phone app in Chromium at 390x844: a crew's day without signal, and everything that can go wrong with sending it."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from gis.dispatch import actions as dispatch
from gis.dispatch.model import WorkOrder
from gis.inspections import changes
from gis.journal import Who
from tests.browser.conftest import CHROMIUM, FLAGS, Live
from tests.browser.field import (
    CALLER,
    Field,
    answer_page,
    at_rest,
    enrol,
    fill_checklist,
    finish,
    held_here,
    open_order,
    photo,
    start_checklist,
    sync,
    until,
    verb,
)
from tests.browser.flaky import Flaky
from tests.chromium import kill
from webapp import quarantine
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
DELIVERED = "全部已送达"


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    """One server for all of these: every test has a crew and orders of its own."""
    return server


def banner(page: Page, words: str) -> None:
    expect(page.locator("#banner")).to_contain_text(words)


def test_a_link_enrols_the_phone_and_shows_its_orders(field: Field, phone_page: Page):
    seen = []
    phone_page.on("request", lambda request: seen.append(request.url))
    code = field.code()
    enrol(phone_page, field.live.url, code)
    expect(phone_page.locator("main")).to_contain_text("文丰小区3号楼")
    expect(phone_page.locator("main")).to_contain_text("福安花园11号楼")
    assert not [url for url in seen if code in url and "#" not in url]
    assert code not in phone_page.url
    phone_page.go_back()
    assert code not in phone_page.url
    assert field.device().name == "李大海的手机"


def test_a_day_without_signal_arrives_exactly_once(field: Field, phone_context: BrowserContext, phone_page: Page):
    page, order = phone_page, field.orders[0]
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    banner(page, "离线")
    open_order(page, order)
    assert CALLER[1] not in page.content()
    verb(page, "accept")
    verb(page, "arrive")
    banner(page, "离线 · 待发 2")
    fill_checklist(page, order, noes={1: "1.2", 4: "4.1"})
    finish(page)
    banner(page, "离线 · 待发 3")
    page.reload()
    banner(page, "离线 · 待发 3")
    page.close()
    page = phone_context.new_page()
    page.goto(f"{field.live.url}/phone/")
    banner(page, "离线 · 待发 3")
    open_order(page, order)
    verb(page, "resolve")
    page.fill("dialog textarea", "更换阀门，室温已达 19 度")
    page.click("dialog .primary")
    banner(page, "离线 · 待发 4")
    assert field.counts() == {"visits": 0, "pictures": 0, "photos": 0}
    phone_context.set_offline(False)
    banner(page, DELIVERED)
    field.becomes(order, "resolved")
    assert field.verdicts("order.%") == ["applied"] * 3
    assert field.counts() == {"visits": 1, "pictures": 2, "photos": 2}
    here = held_here(page)
    assert (here["unsent"], here["photos"], here["sent"]) == (0, 0, 4)
    assert (field.visit().order_id, field.visit().position_accuracy_m) == (order, 8)
    assert sorted(item for item, answer in field.answers().items() if answer == "no") == ["1.2", "4.1"]
    assert set(field.pictured()) == {"1.2", "4.1"}
    assert all(name.startswith("锅炉房照片") for name in field.pictured().values())
    assert field.device().queue_length == 0


SAID_AT_ONCE = """(verb) => {
    const said = () => document.querySelector("#banner").textContent;
    const before = said();
    document.querySelector(`#foot [data-verb=${verb}]`).click();
    return [before, said()];
}"""


def test_from_the_thumb_on_the_banner_does_not_say_that_all_is_delivered(field: Field, phone_page: Page):
    enrol(phone_page, field.live.url, field.code())
    open_order(phone_page, field.orders[0])
    expect(phone_page.locator("#foot [data-verb=accept]")).to_be_visible()
    before, after = phone_page.evaluate(SAID_AT_ONCE, "accept")
    assert DELIVERED in before and after == "待发 1"
    banner(phone_page, DELIVERED)
    field.becomes(field.orders[0], "accepted")


AT_ITS_END = """async (order) => {
    const [{ nudge }, { enqueue }] = await Promise.all([import("/frontend/phone/sync.mjs"), import("/frontend/phone/outbox.mjs")]);
    const ask = navigator.locks.request.bind(navigator.locks);
    let round = 0;
    navigator.locks.request = async (...args) => {
        const stood = await ask(...args);
        round += 1;
        if (round === 1) {
            await enqueue("order.accept", order, 1, {});
            nudge();
        }
        return stood;
    };
    nudge({ hopeful: true });
}"""


def test_what_is_made_while_a_round_comes_to_its_end_is_sent_by_the_next_one_at_once(field: Field, phone_page: Page):
    enrol(phone_page, field.live.url, field.code())
    with phone_page.expect_request(lambda r: r.url.endswith("/sync") and "order.accept" in (r.post_data or "")):
        phone_page.evaluate(AT_ITS_END, field.orders[0])
    banner(phone_page, DELIVERED)
    field.becomes(field.orders[0], "accepted")


def test_the_callers_number_is_shown_only_after_the_acceptance_was_delivered(field: Field, phone_page: Page):
    enrol(phone_page, field.live.url, field.code())
    open_order(phone_page, field.orders[0])
    expect(phone_page.locator("main")).to_contain_text("签收后显示")
    verb(phone_page, "accept")
    expect(phone_page.locator("a.call")).to_contain_text(CALLER[1])


def test_answers_that_get_lost_and_servers_that_fail_lose_and_double_nothing(
    field: Field, flaky: Flaky, phone_context: BrowserContext, phone_page: Page
):
    page, order = phone_page, field.orders[0]
    enrol(page, flaky.url, field.code())
    phone_context.set_offline(True)
    open_order(page, order)
    verb(page, "accept")
    banner(page, "待发 1")
    fill_checklist(page, order, noes={1: "1.1", 2: "2.1", 3: "3.1"}, seed=100)
    finish(page)
    trouble = {"POST": iter(["500", "swallow", "half"]), "PATCH": iter(["cut", "500", "swallow", "half"])}

    def rule(method: str, path: str) -> str:
        return (
            next(trouble[method], "pass") if method in trouble and ("/sync" in path or "/uploads/" in path) else "pass"
        )

    flaky.rule = rule
    phone_context.set_offline(False)
    deadline = time.monotonic() + 120
    while any(held_here(page)[kind] for kind in ("unsent", "photos")) and time.monotonic() < deadline:
        sync(page)  # somebody who will not wait
        page.wait_for_timeout(300)
    banner(page, DELIVERED)
    assert field.counts() == {"visits": 1, "pictures": 3, "photos": 3}
    assert field.verdicts("order.accept") == ["applied"]
    assert held_here(page)["photos"] == 0
    told = [what for method, path, what in flaky.seen if method == "POST" and "/sync" in path]
    assert {"500", "swallow", "half", "pass"} <= set(told)


def test_a_refused_change_is_shown_and_does_not_block_the_rest(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    lost, kept = field.orders
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    open_order(page, lost)
    verb(page, "accept")
    open_order(page, kept)
    verb(page, "accept")
    banner(page, "待发 2")
    with field.live.sessions() as session:  # meanwhile the desk ends the first order
        order = session.get_one(WorkOrder, lost)
        order.status, order.ended_at = "recalled", utc_now()
        session.commit()
    phone_context.set_offline(False)
    banner(page, "1 条需要处理")
    field.becomes(kept, "accepted")
    page.click("#banner a")
    expect(page.locator(".item .why")).to_be_visible()
    page.click(".group.orange .item")
    expect(page.locator(".notice.error")).to_be_visible()
    with page.expect_download() as download:
        page.click("text=导出")
    assert download.value.suggested_filename.endswith(".json")
    page.click("#foot .danger")
    page.click("dialog .danger")
    banner(page, DELIVERED)


def test_an_order_that_moved_on_at_the_desk_is_tried_again_on_its_new_version(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    enrol(phone_page, field.live.url, field.code())
    phone_context.set_offline(True)
    open_order(phone_page, field.orders[0])
    verb(phone_page, "accept")
    verb(phone_page, "arrive")
    banner(phone_page, "待发 2")
    with field.live.sessions() as session:
        session.get_one(WorkOrder, field.orders[0]).note = "从东门进"
        session.commit()
    phone_context.set_offline(False)
    banner(phone_page, DELIVERED)
    field.becomes(field.orders[0], "arrived")


def test_a_ready_checklist_is_looked_at_and_corrected_before_it_is_sent(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    fill_checklist(page, field.orders[0], noes={2: "2.2"})
    finish(page)
    page.click("[data-change='inspection.submit']")
    expect(page.locator("main table")).to_contain_text("施工材料齐全")
    page.click("text=更正")
    page.wait_for_url("**/check/*/1")
    page.click("[data-item='1.1'] button.no")
    page.locator("[data-item='1.1'] .camera input").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": PNG}
    )
    expect(page.locator("[data-item='1.1'] .need.met")).to_be_visible()
    page.goto(page.url.rsplit("/", 1)[0] + "/end")
    finish(page)
    phone_context.set_offline(False)
    banner(page, DELIVERED)
    answers = field.answers()
    assert (answers["1.1"], answers["2.2"]) == ("no", "no")


def test_no_opens_what_is_required_and_back_loses_nothing(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    start_checklist(page, field.orders[0])
    item = page.locator("[data-item='1.1']")
    expect(item.locator(".need")).to_be_hidden()
    item.locator("button.no").click()
    expect(item.locator(".need")).to_contain_text("拍照")
    page.click("#foot .primary")
    page.wait_for_url("**/check/*/2")
    page.click("#foot .primary")  # at once: the tap belongs to the screen that comes, not to the one that goes
    page.wait_for_url("**/check/*/3")
    judged = page.locator("[data-item='3.3']")
    judged.locator("button.no").click()
    judged.locator("textarea").fill("衣冠不整")
    page.go_back()
    page.wait_for_url("**/check/*/2")
    page.go_back()
    expect(page.locator("[data-item='1.1'] button.no")).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    page.go_forward()
    expect(page.locator("[data-item='3.3'] textarea")).to_have_value("衣冠不整")
    expect(page.locator(".away summary")).to_be_hidden()
    page.goto(page.url.rsplit("/", 1)[0] + "/end")
    expect(page.locator("#foot .primary")).to_be_disabled()
    expect(page.locator(".item.red")).not_to_have_count(0)


def test_a_revoked_phone_keeps_its_queue_and_delivers_it_when_enrolled_again(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    open_order(page, field.orders[0])
    verb(page, "accept")
    banner(page, "待发 1")
    field.revoke()
    phone_context.set_offline(False)
    banner(page, "本机已被停用 · 1 条仍保留")
    field.live.wait(lambda session: field.quarantined())  # it hands in what it holds, and keeps its own copy
    assert [row.kind for row in field.quarantined()] == ["order.accept"]
    page.goto(f"{field.live.url}/phone/#/me")
    with page.expect_download() as download:
        page.click("text=将未发内容导出到文件")
    told = quarantine.read(Path(download.value.path()).read_bytes())
    assert [changes.content(raw).sha256 for raw in told["changes"]] == [raw["sha256"] for raw in told["changes"]]
    assert told["device_id"] == field.device().id and "order.accept" in [raw["kind"] for raw in told["changes"]]
    page.goto("about:blank")
    page.goto(f"{field.live.url}/phone/#enrol={field.code(name=field.person)}")
    page.fill("#device-name", "李大海的手机")
    page.click("main button.primary")
    banner(page, DELIVERED)
    field.becomes(field.orders[0], "accepted")


def test_a_new_version_of_the_app_takes_over_without_losing_the_queue(
    field: Field, flaky: Flaky, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, flaky.url, field.code())
    flaky.rule = lambda method, path: "500" if "/api/" in path else "pass"
    open_order(page, field.orders[0])
    verb(page, "accept")
    start_checklist(page, field.orders[0])
    answer_page(page)
    flaky.change = lambda path, body: (
        body.replace(b'const VERSION = "', b'const VERSION = "next-') if path == "/phone/sw.js" else body
    )
    page.evaluate("window.old = true")
    page.evaluate("navigator.serviceWorker.getRegistration().then((r) => r.update())")
    page.click("dialog >> text=立即使用")
    until(page, "!window.old")  # the page is another one
    until(page, "caches.keys().then((names) => names.length === 1 && names[0].includes('next-'))")
    expect(page.locator(".question [aria-pressed=true]")).to_have_count(4)
    assert held_here(page)["unsent"] == 1
    flaky.rule = lambda method, path: "pass"
    sync(page)
    banner(page, DELIVERED)
    field.becomes(field.orders[0], "accepted")


def test_a_broken_download_of_a_new_version_leaves_the_old_one_working(
    field: Field, flaky: Flaky, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, flaky.url, field.code())

    def broken(path: str, body: bytes) -> bytes:
        if path == "/phone/sw.js":
            body = body.replace(b'const VERSION = "', b'const VERSION = "broken-')
            return re.sub(rb'("/static/css/phone.css",\s*")', rb"\g<1>0", body)
        return body

    flaky.change = broken
    style = ("GET", "/static/css/phone.css", "pass")
    loaded = flaky.seen.count(style)
    page.evaluate("navigator.serviceWorker.getRegistration().then((r) => r.update()).catch(() => {})")
    until(page, "navigator.serviceWorker.getRegistration().then((r) => !r.installing)")
    assert flaky.seen.count(style) == loaded + 1, "it was tried"
    phone_context.set_offline(True)
    page.reload()
    expect(page.locator("main")).to_contain_text("文丰小区3号楼")
    assert not page.evaluate("navigator.serviceWorker.getRegistration().then((r) => Boolean(r.waiting))")


def test_the_desk_recalls_an_order_and_the_phone_puts_it_away(field: Field, phone_page: Page):
    enrol(phone_page, field.live.url, field.code())
    with field.live.sessions() as session:
        order = session.get_one(WorkOrder, field.orders[1])
        dispatch.release(session, Who(utc_now()), order.complaint_id)
        session.commit()
    phone_page.click("#head .sign")
    expect(phone_page.locator(".toast")).to_contain_text("调度已撤回 福安花园11号楼：诉求已销账")
    expect(phone_page.locator("main")).not_to_contain_text("福安花园11号楼")


def _png() -> bytes:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")
    return out.getvalue()


PNG = _png()


SCREENS = ("#/today", "#/order/{order}", "#/fill", "#/me", "#/check/{draft}/1", "#/check/{draft}/end")
SMALL = """() => [...document.querySelectorAll("button, a, summary, label.sign, input:not(.visually-hidden), textarea")]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().width > 0)
    .filter((node) => { const box = node.getBoundingClientRect(); return box.height < 47.5 || box.width < 47.5; })
    .map((node) => node.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_every_screen_can_be_read_and_hit_by_everybody(
    field: Field, phone_context: BrowserContext, phone_page: Page, language: str, theme: str
):
    page = phone_page
    page.goto(f"{field.live.url}/phone/")
    page.evaluate(
        "([l, t]) => { localStorage['chengmai-phone-language'] = l; localStorage['chengmai-phone-theme'] = t; }",
        [language, theme],
    )
    page.goto("about:blank")
    page.goto(f"{field.live.url}/phone/#enrol={field.code()}")
    look(page, "enrol")
    page.click("main button.primary")
    page.wait_for_url("**/phone/#/today")
    expect(page.locator("main a.item")).to_have_count(2)
    page.locator(".toast").wait_for(state="detached")
    phone_context.set_offline(True)
    open_order(page, field.orders[0])
    verb(page, "accept")
    draft = page.evaluate(
        """async (order) => {
            const [{ db }, { start, answer }] = await Promise.all([import("/frontend/phone/db.mjs"), import("/frontend/phone/drafts.mjs")]);
            const about = { order_id: order, title: "文丰小区3号楼", place: "", scope: "indoor", stage: "during", heating: true };
            const draft = await start(about, await db.checklists.toCollection().first());
            await answer(draft.id, "1.1", "no");
            return draft.id;
        }""",
        field.orders[0],
    )
    for screen in SCREENS:
        page.goto(f"{field.live.url}/phone/" + screen.format(order=field.orders[0], draft=draft))
        expect(page.locator("main > *")).not_to_have_count(0)
        look(page, screen)
        if language == "en":
            foreign = page.evaluate(
                "document.body.innerText.replace(/文丰小区3号楼|福安花园11号楼|李大海|东城抢修一班|家里暖气不热|中文/g, '')"
            )
            assert not re.search(r"[\u4e00-\u9fff]", foreign), f"{screen}: {foreign}"


def look(page: Page, screen: str) -> None:
    """No serious violation, and nothing smaller than a thumb in a glove can hit."""
    at_rest(page)
    page.add_script_tag(url="/static/vendor/axe.min.js")
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    bad = [
        (v["id"], [n["html"][:160] + " " + n["failureSummary"][:200] for n in v["nodes"]])
        for v in found["violations"] if v["impact"] in ("serious", "critical")
    ]  # fmt: skip
    assert not bad, f"{screen}: {bad}"
    assert page.evaluate(SMALL) == [], screen


def test_a_killed_browser_loses_no_answer_and_offers_to_go_on(field: Field, browser: Browser, tmp_path: Path):
    """SIGKILL in the middle of a checklist: what was tapped is there, and the app says that it was interrupted."""
    profile = tmp_path / "profile"
    kind = browser.browser_type
    options = {"executable_path": CHROMIUM, "args": FLAGS, "viewport": {"width": 390, "height": 844}, "has_touch": True,
               "locale": "zh-CN"}  # fmt: skip
    context = kind.launch_persistent_context(str(profile), **options)
    page = context.pages[0]
    enrol(page, field.live.url, field.code())
    start_checklist(page, field.orders[0])
    context.set_offline(True)
    for answered in range(1, 5):
        page.click(f"[data-item='1.{answered}'] button.yes")
    expect(page.locator("[data-given=yes]")).to_have_count(4)
    page.locator("[data-item='1.4'] .camera input").set_input_files(photo(7))
    expect(page.locator("[data-item='1.4'] .thumb")).to_have_count(1)
    kill(profile)
    with suppress(Error):
        context.close()
    context = kind.launch_persistent_context(str(profile), **options)
    page = context.pages[0]
    context.set_offline(True)
    page.goto(f"{field.live.url}/phone/")
    expect(page.locator("dialog")).to_contain_text("上次填到一半就关闭了")
    page.click("dialog .primary")
    expect(page.locator("[data-given=yes]")).to_have_count(4)
    expect(page.locator("[data-item='1.4'] .thumb")).to_have_count(1)
    context.close()
