"""A phone's day in Chromium: stamped photos, a signature, the map without signal, a correction after sending."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import BrowserContext, Page, expect

from gis.inspections import photo_store
from gis.tiles import Tile
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.field import Field, enrol, fill_checklist, finish, photo, press_and_move, start_checklist, until
from tests.browser.flaky import Flaky
from tests.browser.test_phone import look

pytestmark = pytest.mark.browser
DELIVERED = "全部已送达"
SCRIPT = "<script>window.pwned = 1</script>"


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    """One server for all of these: every test has a crew and orders of its own."""
    return server


def banner(page: Page, words: str) -> None:
    expect(page.locator("#banner")).to_contain_text(words)


def turned(turn: int, size: tuple[int, int] = (800, 600)) -> dict[str, Any]:
    """A photo as a phone keeps it that was held otherwise: red is up and blue is left, once the EXIF orientation is heard.

    The EXIF also carries a script and a place, as any file may.
    """
    upright = Image.new("RGB", size, "gray")
    upright.paste("red", (0, 0, size[0], size[1] // 4))
    upright.paste("blue", (0, size[1] // 4, size[0] // 4, size[1]))
    stored = {1: upright, 6: upright.transpose(Image.Transpose.ROTATE_90), 3: upright.transpose(Image.Transpose.ROTATE_180),
              8: upright.transpose(Image.Transpose.ROTATE_270)}[turn]  # fmt: skip
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ImageDescription] = turn, SCRIPT
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=92, exif=exif)
    return {"name": f"横拍{turn}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def kept_photos(page: Page) -> list[dict[str, Any]]:
    """The photos on the phone: their facts, the original and the stamped copy as bytes."""
    rows = page.evaluate(
        """async () => {
            const { db } = await import("/frontend/phone/db.mjs");
            const text = (blob) => blob && new Promise((done) => {
                const reader = new FileReader();
                reader.onload = () => done(reader.result.split(",")[1] ?? "");
                reader.readAsDataURL(blob);
            });
            const rows = await db.photos.toArray();
            return Promise.all(rows.map(async (row) => ({ ...row, thumb: null, blob: await text(row.blob), stamped: await text(row.stamped) })));
        }"""
    )
    for row in rows:
        row["blob"], row["stamped"] = base64.b64decode(row["blob"]), base64.b64decode(row["stamped"] or "")
    return rows


def test_several_photos_at_once_are_stamped_upright_and_their_originals_stay_as_they_were(
    field: Field, phone_context: BrowserContext, phone_page: Page, quiet: Callable[[Page], Page]
):
    page = quiet(phone_page)
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    page.set_viewport_size({"width": 844, "height": 390})  # the phone is held across
    start_checklist(page, field.orders[0])
    files = [turned(1), turned(6), turned(3), turned(8, (600, 800))]
    expect(page.locator(".here .chip.green")).to_contain_text("±8 米 · 准确")
    item = page.locator("[data-item='1.1']")
    item.locator("button.no").click()
    item.locator(".evidence label:not(.camera) input").set_input_files(files)
    expect(item.locator(".thumb")).to_have_count(4)
    kept = {row["sha256"]: row for row in kept_photos(page)}
    assert set(kept) == {hashlib.sha256(f["buffer"]).hexdigest() for f in files}
    for file, size in zip(files, [(800, 600)] * 3 + [(600, 800)], strict=True):
        row = kept[hashlib.sha256(file["buffer"]).hexdigest()]
        assert row["blob"] == file["buffer"], "the original is not touched"
        assert (row["position"]["lon"], row["position"]["lat"], row["position"]["accuracy_m"]) == (119.96, 36.78, 8)
        seen = Image.open(io.BytesIO(row["stamped"]))
        assert seen.size == size and not dict(seen.getexif()) and b"script" not in row["stamped"]
        (width, height), rgb = size, seen.convert("RGB")
        red, blue = rgb.getpixel((width // 2, height // 16)), rgb.getpixel((width // 8, height // 2))
        assert red[0] > 200 > 90 > red[2], f"red is up: {red}"
        assert blue[2] > 200 > 90 > blue[0], f"blue is left: {blue}"
        foot = sorted(rgb.crop((0, height - 40, width, height)).convert("L").tobytes())
        assert foot[-1] > 220 and foot[len(foot) // 2] < 80, "white letters on a dark band"
    item.locator(".thumb").first.click()
    expect(page.locator("dialog")).to_contain_text(f"SHA-256 {hashlib.sha256(files[0]['buffer']).hexdigest()}")
    with page.expect_download() as saved:
        page.click("dialog a[download]")
    assert saved.value.suggested_filename.endswith(".jpg")
    page.click("dialog .primary")
    assert page.evaluate("window.pwned") is None


def test_the_stamp_says_when_where_which_order_and_who(field: Field, phone_page: Page):
    page = phone_page
    enrol(page, field.live.url, field.code())
    said = page.evaluate(
        """async () => (await import("/frontend/phone/stamp.mjs")).lines({ taken_at: "2009-11-17T01:41:05Z", album: false,
            position: { lon: 119.96, lat: 36.78, accuracy_m: 8.4 }, place: "文丰小区3号楼", order_no: "GD-20091117-0001",
            inspector: "李大海", sha256: "0123456789abcdef".repeat(4) })"""
    )
    assert said == [
        "2009-11-17 09:41:05", "文丰小区3号楼 · 工单 GD-20091117-0001", "36.780000, 119.960000 ±8 m",
        "李大海 · SHA-256 0123456789abcdef…",
    ]  # fmt: skip
    assert page.evaluate(
        """async () => (await import("/frontend/phone/stamp.mjs")).lines({ taken_at: "2009-11-17T01:41:05Z", album: true,
            position: null, place: "", order_no: null, inspector: "", sha256: "0".repeat(64) })"""
    ) == ["2009-11-17 09:41:05 · 选自相册", "无定位", f"SHA-256 {'0' * 16}…"]


@pytest.mark.parametrize(
    ("metres", "colour", "words"),
    [(20, "green", "准确"), (50, "yellow", "较准"), (100, "orange", "偏差大"), (101, "red", "不可靠")],
)
def test_how_sure_the_position_is_has_a_colour_and_a_word(
    field: Field, phone_context: BrowserContext, phone_page: Page, metres: int, colour: str, words: str
):
    phone_context.set_geolocation({"longitude": 119.96, "latitude": 36.78, "accuracy": metres})
    enrol(phone_page, field.live.url, field.code())
    start_checklist(phone_page, field.orders[0])
    expect(phone_page.locator(f".here .chip.{colour}")).to_contain_text(f"±{metres} 米 · {words}")


def test_without_a_position_photos_are_taken_all_the_same_and_say_so(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    phone_context.clear_permissions()
    enrol(phone_page, field.live.url, field.code())
    start_checklist(phone_page, field.orders[0])
    expect(phone_page.locator(".here")).to_contain_text("无定位")
    item = phone_page.locator("[data-item='1.1']")
    item.locator("button.no").click()
    item.locator(".camera input").set_input_files(photo(1))
    expect(item.locator(".thumb")).to_have_count(1)
    (row,) = kept_photos(phone_page)
    assert row["position"] is None and row["stamped"]


def test_the_household_signs_and_the_signature_is_sent_with_its_pledge(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    fill_checklist(page, field.orders[0], noes={})
    page.goto(page.url.rsplit("/", 1)[0] + "/6")
    page.click(".confirm .big")
    done = page.locator("dialog .primary")
    expect(done).to_be_disabled()
    for start in ((0.2, 0.3), (0.5, 0.3)):
        stroke(page, start)
    page.click("dialog >> text=撤销一笔")
    page.click("dialog >> text=恢复一笔")
    page.click("dialog >> text=清除")
    expect(done).to_be_disabled()
    stroke(page, (0.2, 0.3))
    page.fill("#signed-by", "王建国")
    done.click()
    expect(page.locator(".confirm .thumb")).to_have_count(1)
    (row,) = kept_photos(page)
    assert (row["item_id"], row["mime"], row["name"], row["stamped"]) == ("6", "image/png", "签字-王建国.png", b"")
    drawn = Image.open(io.BytesIO(row["blob"])).convert("L")
    assert drawn.size == (900, 400)
    assert drawn.getpixel((5, 5)) == 255 and min(drawn.crop((150, 80, 420, 330)).tobytes()) < 60
    page.goto(page.url.rsplit("/", 1)[0] + "/end")
    finish(page)
    phone_context.set_offline(False)
    banner(page, DELIVERED)
    until(page, "import('/frontend/phone/db.mjs').then(({ db }) => db.photos.count()).then((n) => n === 0)")
    assert field.pictured() == {"6": "签字-王建国.png"}
    stored = photo_store.path_of(field.live.data_dir / "files", row["sha256"])
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == row["sha256"]


def stroke(page: Page, start: tuple[float, float]) -> None:
    """A line down to the right on the pad, from a place given in shares of it."""
    press_and_move(page, page.locator("dialog .pad"), start, [(40, 30)])


def draw_district(field: Field) -> None:
    with field.live.sessions() as session:
        make.make_area(session, level="district", name="东阁街道", geom=make.square(119.9, 36.7, 0.2))
        session.commit()


def map_drawn(page: Page, least: int = 1) -> None:
    """The map has come to rest and shows streets or ground out of what is kept."""
    expect(page.locator(".ground canvas")).to_be_visible()
    until(page, f"Number(document.querySelector('.ground')?.dataset.idle ?? 0) >= {least}")


def test_the_map_of_the_day_is_loaded_before_the_shift_and_drawn_without_signal(
    field: Field, phone_context: BrowserContext, phone_page: Page, quiet: Callable[[Page], Page]
):
    page = quiet(phone_page)
    draw_district(field)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/tiles" in request.url else None)
    enrol(page, field.live.url, field.code())
    expect(page.locator(".ready")).to_contain_text("今日就绪")
    expect(page.locator(".ready")).to_contain_text("工单 2 · 检查表 4 · 地图")
    assert asked, "loaded by itself"
    phone_context.set_offline(True)
    page.reload()
    expect(page.locator(".ready")).to_contain_text("今日就绪")
    page.click(".choices [data-value=map]")
    map_drawn(page)
    pins = page.locator(".ground a.pin")
    expect(pins).to_have_text(["1", "2"])
    expect(page.locator(".places a").first).to_contain_text("文丰小区3号楼")
    expect(page.locator(".ground .pin.me")).to_have_count(1)
    pins.nth(0).click()
    page.wait_for_url("**/phone/#/order/*")


def test_a_link_that_breaks_while_the_map_is_loaded_costs_one_answer_and_the_next_try_goes_on(
    field: Field, flaky: Flaky, phone_page: Page
):
    page = phone_page
    draw_district(field)
    answers = iter(["pass", "cut"])
    flaky.rule = lambda method, path: next(answers, "500") if path.endswith("/tiles") else "pass"
    asked: list[list[str]] = []
    page.on(
        "request", lambda request: asked.append(request.post_data_json["tiles"]) if request.url.endswith("/tiles") else None
    )  # fmt: skip
    enrol(page, flaky.url, field.code())
    more = page.locator(".ready button")
    expect(page.locator(".ready")).to_contain_text("下次从这里继续")
    expect(page.locator(".ready .chip.orange")).to_contain_text("尚未全部下载")
    first = set(asked[0])
    flaky.rule = lambda method, path: "pass"
    tried = len(asked)
    more.click()
    expect(page.locator(".ready .chip.green")).to_be_visible()
    again = [key for keys in asked[tried:] for key in keys]
    assert again and not first & set(again), "what was kept is not asked for a second time"
    assert len(again) == len(set(again))


def test_the_squares_of_a_day_cover_its_stops_and_the_way_between_them(field: Field, phone_page: Page):
    """The oracle is the tile arithmetic of the server."""
    phone_page.goto(f"{field.live.url}/phone/")
    stops = [{"lon": 119.96, "lat": 36.78}, {"lon": 120.03, "lat": 36.83}]
    asked = "([b, s]) => import('/frontend/phone/map_plan.mjs').then((m) => [m.squares(b, s), m.squares(null, [])])"
    names, nothing = phone_page.evaluate(asked, [[119.9, 36.7, 120.1, 36.9], stops])
    assert nothing == []
    tiles = [Tile(*map(int, name.split("/"))) for name in names]
    assert len(set(names)) == len(names) <= 1500
    assert [tile.z for tile in tiles] == sorted(tile.z for tile in tiles), "the coarse ones first"
    way = [
        {axis: stops[0][axis] + (stops[1][axis] - stops[0][axis]) * k / 500 for axis in ("lon", "lat")} for k in range(501)
    ]  # fmt: skip
    corners = [{"lon": lon, "lat": lat} for lon in (119.9, 120.1) for lat in (36.7, 36.9)]
    for z, places in [*((z, way) for z in range(8, 16)), *((z, corners) for z in range(8, 14))]:
        boxes = [tile.bounds() for tile in tiles if tile.z == z]
        for place in places:
            held = [w <= place["lon"] <= e and s <= place["lat"] <= n for w, s, e, n in boxes]
            assert any(held), (z, place)


def test_the_stops_of_a_day_are_the_visits_in_the_order_of_their_route_then_the_orders_by_their_time(
    field: Field, phone_page: Page
):
    phone_page.goto(f"{field.live.url}/phone/")
    named = phone_page.evaluate(
        """async () => {
            const { stopsOf } = await import("/frontend/phone/stops.mjs");
            const site = (name) => ({ id: 1, name, lon: 119.96, lat: 36.78 });
            const order = (id, start, status = "assigned", lon = 119.96) => ({ id, start, status, order_no: `GD-${id}`, complaint: { lon, lat: 36.78, place: "" } });
            const visit = (id, stop_no, more = {}) => ({ id, stop_no, on_day: "2009-11-17", status: "planned", site: site(`V${id}`), ...more });
            const kept = { today: "2009-11-17", visits: [visit(1, 2), visit(2, 1), visit(3, null), visit(4, 3, { status: "done" }), visit(5, 4, { on_day: "2009-11-18" })] };
            const orders = [order(7, "2009-11-17T04:00:00Z"), order(8, "2009-11-17T02:00:00Z"), order(9, "2009-11-17T01:00:00Z", "resolved"), order(10, "2009-11-17T01:00:00Z", "accepted", null)];
            return stopsOf(orders, kept, Date.parse("2009-11-17T02:00:00Z")).map((stop) => stop.name);
        }"""
    )
    assert named == ["V2", "V1", "V3", "GD-8", "GD-7"]


def test_what_a_step_will_change_is_read_before_it_is_sent(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    enrol(phone_page, field.live.url, field.code())
    phone_context.set_offline(True)
    phone_page.goto(phone_page.url.split("#")[0] + f"#/order/{field.orders[0]}")
    for verb in ("accept", "arrive"):
        phone_page.click(f"#foot [data-verb={verb}]")
    banner(phone_page, "待发 2")
    phone_page.goto(phone_page.url.split("#")[0] + "#/fill")
    phone_page.click("[data-change='order.arrive']")
    chips = phone_page.locator("main .panel").nth(1).locator(".chip")
    expect(chips.nth(0)).to_have_text("已签收")
    expect(chips.nth(1)).to_have_text(re.compile("到场"))


def test_own_records_are_on_a_map_by_their_state_without_signal(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    enrol(page, field.live.url, field.code())
    fill_checklist(page, field.orders[1], noes={})
    finish(page)
    banner(page, DELIVERED)
    phone_context.set_offline(True)
    fill_checklist(page, field.orders[0], noes={1: "1.1"})
    finish(page)
    start_checklist(page, field.orders[1])
    page.goto(page.url.split("#")[0] + "#/fill")
    page.click(".choices [data-value=map]")
    for state, name in (("draft", "草稿"), ("ready", "待发送"), ("sent", "已送达")):
        expect(page.locator(f".ground .pin.{state}")).to_have_count(1)
        expect(page.locator(f".ground .pin.{state}")).to_have_attribute("aria-label", re.compile(name))
        expect(page.locator(f".places .chip.{state}")).to_contain_text(name)


def test_without_webgl_the_day_is_a_sketch(field: Field, phone_page: Page):
    phone_page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    enrol(phone_page, field.live.url, field.code())
    phone_page.click(".choices [data-value=map]")
    expect(phone_page.locator("svg.sketch")).to_be_visible()
    expect(phone_page.locator(".places a")).to_have_count(2)


def test_the_new_screens_can_be_read_and_hit_in_the_largest_text_on_a_small_phone(
    field: Field, phone_context: BrowserContext, phone_page: Page
):
    page = phone_page
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{field.live.url}/phone/")
    page.evaluate(
        """() => Object.assign(localStorage, { "chengmai-phone-language": "en", "chengmai-phone-theme": "dark", "chengmai-phone-size": "huge" })"""
    )
    page.goto("about:blank")
    page.goto(f"{field.live.url}/phone/#enrol={field.code()}")
    page.click("main button.primary")
    page.wait_for_url("**/phone/#/today")
    expect(page.locator(".ready .chip.green")).to_contain_text("Ready for today")
    page.locator(".toast").wait_for(state="detached")
    seen(page, "ready")
    page.click(".choices [data-value=map]")
    map_drawn(page, 0)
    expect(page.locator(".ground a.pin")).to_have_count(2)
    seen(page, "map of the day")
    page.click(".choices [data-value=list]")
    phone_context.set_offline(True)
    page.goto(page.url.split("#")[0] + f"#/order/{field.orders[0]}")
    page.click("text=Start a checklist")
    page.click("dialog button.primary")
    page.wait_for_url("**/phone/#/check/**")
    item = page.locator("[data-item='1.1']")
    item.locator("button.no").click()
    item.locator(".evidence label:not(.camera) input").set_input_files([turned(1), turned(6)])
    expect(item.locator(".thumb")).to_have_count(2)
    seen(page, "photos")
    item.locator(".thumb").first.click()
    seen(page, "one photo")
    page.click("dialog button.primary")
    page.goto(page.url.rsplit("/", 1)[0] + "/6")
    page.click(".confirm .big")
    seen(page, "signature")
    page.locator("dialog .quiet").last.click()
    page.goto(page.url.split("#")[0] + "#/fill")
    page.click(".choices [data-value=map]")
    expect(page.locator(".ground .pin.draft")).to_have_count(1)
    seen(page, "map of records")


def seen(page: Page, screen: str) -> None:
    look(page, screen)
    assert page.evaluate("document.documentElement.scrollWidth") == 360, f"{screen}: something hangs over the edge"
