"""Faults of the phone itself, in Chromium: killed, full, without a link for a day, with a link that flaps, replaced under way."""

from __future__ import annotations

import base64
import hashlib
import random
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page
from sqlalchemy import select

from gis.inspections.model import Inspection, InspectionPhoto
from gis.journal import Who
from gis.people import actions as people
from tests.browser.conftest import serving
from tests.browser.field import enrol, held_here, sync, until
from tests.browser.flaky import Flaky
from tests.chromium import CHROMIUM, FLAGS, kill
from tests.factories import make_user
from tests.faults.house import House, noise, times
from tests.faults.narrow import Narrow
from webapp.clock import utc_now

pytestmark = pytest.mark.browser

# What a thumb does in minutes, done by the app's own modules: checklists of the site, each with photos, ready to be sent.
FILL = """async ([forms, pictures, site]) => {
    const [{ db }, drafts] = await Promise.all([import("/frontend/phone/db.mjs"), import("/frontend/phone/drafts.mjs")]);
    const list = await db.checklists.toCollection().first();
    let n = 0;
    for (let i = 0; i < forms; i += 1) {
        const about = { site_id: site, title: `工地 ${i}`, place: "", scope: "yard", stage: "during", heating: true };
        let draft = await drafts.start(about, list);
        for (const item of list.items) if (item.scopes.includes("yard")) draft = await drafts.answer(draft.id, item.id, "yes") ?? draft;
        const files = pictures.slice(n, n + pictures.length / forms).map((text, j) =>
            new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], `照片${n + j}.jpg`, { type: "image/jpeg" }));
        await drafts.addPhotos(draft, "1.1", files);
        n += pictures.length / forms;
        if (!(await drafts.ready(await db.drafts.get(draft.id), list))) throw new Error("not ready");
    }
}"""


@pytest.fixture(scope="module")
def live(new_database, tmp_path_factory):
    with serving(new_database(), tmp_path_factory.mktemp("phone-faults")) as made:
        yield made


@pytest.fixture
def house(live):
    made = House(live)
    yield made
    made.check()


class Ground:
    """A site, and codes that enrol its inspectors."""

    def __init__(self, house: House) -> None:
        self.live, self.site_id = house.live, house.site_id

    def code(self) -> str:
        with self.live.sessions() as session:
            user = make_user(session, role="inspector", name=f"p{uuid.uuid4().hex[:12]}", full_name="李大海")
            code = people.offer_enrolment(session, Who(utc_now()), user.id)
            session.commit()
            return code


@pytest.fixture
def field(house):
    return Ground(house)


def _texts(count: int, seed: int, size: int = 12_000) -> tuple[list[str], list[str]]:
    """Photos as base64, and their hashes."""
    photos = [noise(seed + i, size) for i in range(count)]
    return [base64.b64encode(p).decode() for p in photos], [hashlib.sha256(p).hexdigest() for p in photos]


def _fill(page: Page, field: Ground, forms: int, photos: int, seed: int, size: int = 12_000) -> list[str]:
    texts, hashes = _texts(photos, seed, size)
    named = f"(given) => ({FILL})(given).catch((e) => {{ throw new Error(`${{e.name}} ${{e.inner?.name}}`); }})"
    page.evaluate(named, [forms, texts, field.site_id])
    return hashes


def _drain(page: Page, seconds: float = 240) -> None:
    """Until nothing is left on the phone; what waits is asked for again, as a person with a thumb would."""
    deadline = time.monotonic() + seconds
    while True:
        here = held_here(page)
        if here["unsent"] == here["photos"] == 0:
            return
        assert time.monotonic() < deadline, here
        sync(page)
        page.wait_for_timeout(250)


def _arrived(field: Ground, hashes: list[str]) -> tuple[int, int]:
    """How many forms of the site, and how many of these photos shown in them, are at the desk?"""
    with field.live.sessions() as session:
        forms = session.scalars(select(Inspection.id).where(Inspection.site_id == field.site_id)).all()
        shown = session.scalars(select(InspectionPhoto.sha256).where(InspectionPhoto.inspection_id.in_(forms))).all()
        assert sorted(shown) == sorted(set(shown))
        return len(forms), len(set(shown) & set(hashes))


def test_a_day_offline_is_drained_over_a_narrow_link(house, field, phone_context: BrowserContext, phone_page: Page):
    """Eight hours without signal (the phone's clock says so), then 20 KB/s."""
    narrow = Narrow(field.live.port, bytes_per_s=times(60_000, 20_000))
    page, (forms, photos) = phone_page, times((4, 12), (50, 150))
    try:
        enrol(page, narrow.url, field.code())
        phone_context.set_offline(True)
        page.evaluate("const real = Date.now; Date.now = () => real() + 8 * 3600 * 1000; 0")
        hashes = _fill(page, field, forms, photos, 10_000)
        assert (held_here(page)["unsent"], held_here(page)["photos"]) == (forms, photos)
        phone_context.set_offline(False)
        _drain(page, times(240, 1800))
        assert _arrived(field, hashes) == (forms, photos)
    finally:
        narrow.close()


def test_a_link_that_flaps_loses_and_doubles_nothing(house, field, phone_page: Page):
    forms, photos = times((2, 4), (10, 30))
    narrow = Narrow(field.live.port, bytes_per_s=200_000)
    try:
        enrol(phone_page, narrow.url, field.code())
        narrow.flap = random.Random(1)
        hashes = _fill(phone_page, field, forms, photos, 20_000, 60_000)
        _drain(phone_page)
        assert narrow.cuts > 0, "it never flapped: the test proves nothing"
        assert _arrived(field, hashes) == (forms, photos)
    finally:
        narrow.close()


@pytest.mark.parametrize("shift_days", times([3], [-3, 3, -15_000]))
def test_a_phone_whose_clock_is_wrong_delivers_all(house, field, phone_context, phone_page: Page, shift_days):
    phone_page.add_init_script(
        f"const real = Date.now; const shift = Math.max({shift_days} * 86400000, 1000 - real()); Date.now = () => real() + shift;"
    )
    enrol(phone_page, field.live.url, field.code())
    hashes = _fill(phone_page, field, 1, 1, 30_000 + shift_days)
    _drain(phone_page)
    assert _arrived(field, hashes) == (1, 1)


def test_a_full_phone_says_so_keeps_what_it_has_and_delivers_it(house, field, phone_context, phone_page: Page):
    page, kept = phone_page, []
    cdp = phone_context.new_cdp_session(page)
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": field.live.url, "quotaSize": 6_000_000})
    enrol(page, field.live.url, field.code())
    phone_context.set_offline(True)
    with pytest.raises(Error, match="Quota"):
        for number in range(60):
            kept += _fill(page, field, 1, 1, 40_000 + number, 300_000)
    here = held_here(page)
    assert (here["unsent"], here["photos"]) == (len(kept), len(kept)) and kept
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": field.live.url})
    phone_context.set_offline(False)
    _drain(page)
    assert _arrived(field, kept) == (len(kept), len(kept))


def test_a_new_version_of_the_app_takes_over_a_full_queue(house, field, phone_page: Page):
    flaky, page = Flaky(field.live.port), phone_page
    forms, photos = times((6, 6), (50, 150))
    try:
        enrol(page, flaky.url, field.code())
        flaky.rule = lambda method, path: "500" if "/api/" in path else "pass"
        hashes = _fill(page, field, forms, photos, 50_000)
        flaky.change = lambda path, body: (
            body.replace(b'const VERSION = "', b'const VERSION = "next-') if path == "/phone/sw.js" else body
        )
        page.evaluate("window.old = true")
        page.evaluate("navigator.serviceWorker.getRegistration().then((r) => r.update())")
        page.click("dialog >> text=立即使用")
        until(page, "!window.old")  # the page is another one
        until(page, "caches.keys().then((names) => names.length === 1 && names[0].includes('next-'))")
        page.wait_for_load_state()
        until(page, "document.querySelector('#banner') && !document.querySelector('#banner').hidden")
        assert (held_here(page)["unsent"], held_here(page)["photos"]) == (forms, photos)
        flaky.rule = lambda method, path: "pass"
        _drain(page)
        assert _arrived(field, hashes) == (forms, photos)
    finally:
        flaky.close()


# --- killed ----------------------------------------------------------------------------------------------------------
class Killable:
    """A browser of its own with a profile that outlives it."""

    def __init__(self, browser: Browser, profile: Path) -> None:
        self.kind, self.profile = browser.browser_type, profile
        self.context: BrowserContext | None = None

    def open(self) -> Page:
        self.context = self.kind.launch_persistent_context(
            str(self.profile), executable_path=CHROMIUM, args=FLAGS, viewport={"width": 390, "height": 844}, has_touch=True,
            locale="zh-CN",
        )  # fmt: skip
        return self.context.pages[0]

    def kill(self) -> None:
        kill(self.profile)

    def close(self) -> None:
        if self.context is not None:
            with suppress(Error):
                self.context.close()


@pytest.fixture
def killable(browser: Browser, tmp_path: Path):
    made = Killable(browser, tmp_path / "profile")
    yield made
    made.close()


SAVING = """async () => {
    const [{ db }, drafts] = await Promise.all([import("/frontend/phone/db.mjs"), import("/frontend/phone/drafts.mjs")]);
    const list = await db.checklists.toCollection().first();
    const draft = (await db.drafts.toArray())[0];
    for (let i = 0; ; i += 1) {
        await drafts.note(draft.id, list.items[i % list.items.length].id, String(i));
        console.log("kept", list.items[i % list.items.length].id, i);
    }
}"""


def test_a_browser_killed_while_it_saves_loses_nothing_that_it_said_was_kept(house, field, killable):
    page = killable.open()
    enrol(page, field.live.url, field.code())
    page.evaluate(
        """async (site) => {
            const [{ db }, drafts] = await Promise.all([import("/frontend/phone/db.mjs"), import("/frontend/phone/drafts.mjs")]);
            await drafts.start({ site_id: site, title: "x", place: "", scope: "yard", stage: "during", heating: true },
                               await db.checklists.toCollection().first());
        }""",
        field.site_id,
    )
    for number in range(times(3, 20)):
        said: dict[str, int] = {}

        def hear(line):
            words = line.text.split(" ")
            if words[0] == "kept":
                said[words[1]] = int(words[2])  # noqa: B023

        page.on("console", hear)
        page.evaluate(f"void ({SAVING})()")
        while len(said) < 5 + number % 7:
            page.wait_for_timeout(20)
        killable.kill()
        killable.close()
        page = killable.open()
        page.goto(f"{field.live.url}/phone/")
        kept = page.evaluate(
            """async () => {
                const { db } = await import("/frontend/phone/db.mjs");
                return (await db.drafts.toArray())[0].answers;
            }"""
        )
        assert said
        for item, value in said.items():
            assert int(kept[item]["note"]) >= value
    page.goto("about:blank")


def test_a_browser_killed_between_the_receipt_and_its_own_delete_delivers_once(house, field, killable):
    flaky = Flaky(field.live.port)
    try:
        page = killable.open()
        enrol(page, flaky.url, field.code())
        for number in range(times(2, 20)):
            killable.context.set_offline(True)
            hashes = _fill(page, field, 1, 1, 60_000 + number)
            method, path = (("POST", "/sync"), ("POST", "/uploads"))[
                number % 2
            ]  # a small photo goes with its beginning
            struck: list[str] = []

            def strike(asked: str, at: str, wanted=(method, path), struck: list[str] = struck) -> None:
                if asked == wanted[0] and wanted[1] in at:
                    struck.append(at)
                    killable.kill()

            flaky.after = strike
            with suppress(Error):
                killable.context.set_offline(False)
                for _ in range(600):
                    if struck:
                        break
                    sync(page)
                    page.wait_for_timeout(100)
            flaky.after = None
            assert struck, "it was never killed: the test proves nothing"
            killable.close()
            page = killable.open()
            page.goto(f"{flaky.url}/phone/")
            _drain(page)
            assert _arrived(field, hashes) == (number + 1, 1)
    finally:
        flaky.close()
