"""What inspectors wait for: 200 phones that come back at once, a link that flaps, the app without signal, a checklist kept.

The full drain is 16 GB. `CHENGMAI_BENCH_SCALE` (default 0.02) is the share of the 200 phones that is run; the pace is told.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gis.db import make_engine
from gis.journal import Who
from gis.people import actions
from tests.bench.report import Bench
from tests.bench.uploads import _change
from tests.browser.field import enrol, held_here, sync
from tests.chromium import CHROMIUM, FLAGS
from tests.factories import make_site, make_user
from tests.faults.house import noise
from tests.faults.narrow import Narrow
from webapp.clock import utc_now
from webapp.verify import broken_invariants

PHONES, FORMS, PHOTOS, PHOTO_BYTES, MINUTES = 200, 20, 20, 200_000, 5
SCALE = float(os.environ.get("CHENGMAI_BENCH_SCALE", 0.02))
AT_ONCE = 16
OPENED, SAVED = 9, 30


def run(bench: Bench) -> None:
    """The drain, then the phone in a browser."""
    url = bench.database("phones")
    engine = make_engine(url)
    with Session(engine) as session:
        site_id = int(make_site(session).id)
        session.commit()
    with bench.server(url) as address:
        _drain(bench, engine, address, site_id)
        _browser(bench, engine, address, site_id)
    engine.dispose()


def _token(engine: Engine) -> str:
    with Session(engine) as session:
        who = Who(utc_now())
        user = make_user(session, role="inspector", name=os.urandom(6).hex())
        token, _ = actions.enrol(session, who, actions.offer_enrolment(session, who, user.id), "bench")
        session.commit()
        return token


# --- 200 phones ------------------------------------------------------------------------------------------------------
def _drain(bench: Bench, engine: Engine, address: str, site_id: int) -> None:
    phones = max(2, round(PHONES * SCALE))
    tokens = [_token(engine) for _ in range(phones)]
    grain = noise(1, PHOTO_BYTES)
    began = time.perf_counter()
    with ThreadPoolExecutor(min(AT_ONCE, phones)) as pool:
        told = list(pool.map(lambda given: _one_phone(address, given[1], site_id, grain, given[0]), enumerate(tokens)))
    took_s = time.perf_counter() - began
    acknowledged = {key: sha for one in told for key, sha in one.items()}
    with Session(engine) as session:
        forms = session.scalar(text("SELECT count(*) FROM inspection"))
        photos = session.scalar(text("SELECT count(*) FROM inspection_photo"))
        broken = broken_invariants(session, bench.place / "data" / "files", acknowledged=acknowledged, young_s=-1)
    wrong = abs(forms - phones * FORMS) + abs(photos - phones * FORMS * PHOTOS) + sum(row["count"] for row in broken)
    note = f"{phones} of {PHONES} phones x {FORMS} forms x {PHOTOS} photos of {len(grain) // 1000} KB in {took_s:.0f} s; at this pace all take so long"
    bench.figure(
        f"{PHONES} phones drained", took_s * PHONES / phones / 60, unit="min", target=MINUTES, judge="median", note=note
    )
    bench.figure("lost or doubled in the drain", wrong, unit="", target=0, judge="max")


def _one_phone(address: str, token: str, site_id: int, grain: bytes, number: int) -> dict[str, str]:
    """Forms first, in one batch, then every photo whole with its announcement."""
    parts = urlsplit(address)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    head = {"Authorization": f"Bearer {token}"}
    changes, pictures = [], []
    for form in range(FORMS):
        change = _change(site_id)
        made = [
            grain + f"{number}.{form}.{i}".encode() for i in range(PHOTOS)
        ]  # what follows the picture's end is not drawn
        change["payload"]["photos"] = [
            {"sha256": hashlib.sha256(m).hexdigest(), "item_id": "1.1", "taken_at": "2026-03-02T02:00:00Z"}
            for m in made
        ]
        changes.append(change)
        pictures += made
    body = json.dumps({"queue_length": len(changes), "changes": changes}, ensure_ascii=False).encode()
    line.request("POST", "/api/v1/sync", body, head | {"Content-Type": "application/json"})
    results = json.loads(line.getresponse().read())["results"]
    for picture in pictures:
        told = base64.b64encode(hashlib.sha256(picture).hexdigest().encode()).decode()
        line.request("POST", "/api/v1/uploads", picture, head | {
            "Tus-Resumable": "1.0.0", "Upload-Length": str(len(picture)), "Upload-Metadata": f"sha256 {told}",
            "Content-Type": "application/offset+octet-stream",
        })  # fmt: skip
        answer = line.getresponse()
        answer.read()
        if answer.status != 201 or answer.headers["Upload-Offset"] != str(len(picture)):
            raise RuntimeError(f"{answer.status} {answer.headers}")
    line.close()
    return {r["id"]: r["receipt"]["change_sha256"] for r in results}


# --- one phone in a browser ------------------------------------------------------------------------------------------
def _browser(bench: Bench, engine: Engine, address: str, site_id: int) -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            str(Path(profile)), executable_path=CHROMIUM, args=FLAGS, viewport={"width": 390, "height": 844}, is_mobile=True,
            has_touch=True, locale="zh-CN",
        )  # fmt: skip
        page = context.pages[0]
        _flapping(bench, engine, address, site_id, page)
        context.set_offline(True)
        bench.figure("the app opens without signal", [_opened(context) for _ in range(OPENED)], target=2000)
        bench.figure("a 33-item checklist kept on the phone", _saved(page, site_id), target=100)
        context.close()


def _flapping(bench: Bench, engine: Engine, address: str, site_id: int, page: Page) -> None:
    from tests.faults.test_phone_faults import FILL

    narrow = Narrow(urlsplit(address).port or 0, 100_000)
    with Session(engine) as session:
        user = make_user(session, role="inspector", name=os.urandom(6).hex(), full_name="x")
        code = actions.offer_enrolment(session, Who(utc_now()), user.id)
        session.commit()
    enrol(page, narrow.url, code)
    photos = [noise(500 + i, PHOTO_BYTES) for i in range(10)]
    page.context.set_offline(True)
    page.evaluate(FILL, [5, [base64.b64encode(p).decode() for p in photos], site_id])
    forms = page.evaluate(
        "import('/frontend/phone/db.mjs').then(({ db }) => db.outbox.toArray()).then((all) => JSON.stringify(all.map((c) => c.payload)).length)"
    )
    narrow.flap, narrow.sent = random.Random(7), 0
    page.context.set_offline(False)
    deadline = time.monotonic() + 600
    while (here := held_here(page))["unsent"] + here["photos"]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not drained: {here}")
        sync(page)
        page.wait_for_timeout(1000)
    data = sum(map(len, photos)) + forms
    bench.figure("bytes sent over a flapping link, per byte of data", narrow.sent / data, unit="", target=1.3, judge="median",
                 note=f"{data / 1e6:.1f} MB, cut {narrow.cuts} times, heads and pulls included")  # fmt: skip
    narrow.flap = None


def _opened(context: object) -> float:
    """From a new page to the day's list, by the browser's own clock."""
    page = context.new_page()  # type: ignore[attr-defined]
    address = context.pages[0].url.split("#")[0]  # type: ignore[attr-defined]
    began = time.perf_counter()
    page.goto(address)
    page.locator("#foot a, nav a").first.wait_for(state="visible")
    page.locator("main > *").first.wait_for(state="visible")
    took = (time.perf_counter() - began) * 1000
    page.close()
    return took


def _saved(page: Page, site_id: int) -> list[float]:
    """From the tap that finishes a filled checklist to its change being durable in the queue."""
    return list(page.evaluate(
        """async ([site, times]) => {
            const [{ db }, drafts] = await Promise.all([import("/frontend/phone/db.mjs"), import("/frontend/phone/drafts.mjs")]);
            const list = await db.checklists.toCollection().first();
            const took = [];
            for (let n = 0; n < times; n += 1) {
                const about = { site_id: site, title: "x", place: "", scope: "yard", stage: "after", heating: true };
                const draft = await drafts.start(about, list);
                for (const item of list.items) draft.answers[item.id] = { answer: "yes", note: "现场查看，符合要求" };
                await db.drafts.put(draft);
                const began = performance.now();
                await drafts.ready(await db.drafts.get(draft.id), list);
                took.push(performance.now() - began);
            }
            return took;
        }""",
        [site_id, SAVED],
    ))  # fmt: skip
