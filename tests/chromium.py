"""One real Chromium per run, for the tests of pages and for those that break phones; and a phone in it.

Pages are tested in Chromium's own build without a window where there is one: the whole browser makes a window, out of sight,
for every page, which costs more than the page. Where a browser is killed and begun anew with its profile, it is the whole one.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
HEADLESS = next(filter(os.path.exists, ("/usr/bin/chromium-headless-shell", CHROMIUM)), CHROMIUM)
# Maps are drawn by WebGL in software; what lies around them is put together without it, which costs a third as much.
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-compositing",
]  # fmt: skip


def kill(profile: Path) -> None:
    """SIGKILL, to the browser that has this profile and to no other; returns when it is gone, so that the next may have it."""
    mine = f"--user-data-dir={profile}"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if mine in words and not any(word.startswith("--type=") for word in words):
                os.kill(int(process.name), signal.SIGKILL)
                deadline = time.monotonic() + 60
                while (process / "cmdline").read_bytes() and time.monotonic() < deadline:
                    time.sleep(0.02)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(HEADLESS).exists():
        pytest.fail("Chromium is not installed: run `make setup`")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def phone_context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="zh-CN",
        timezone_id="Asia/Shanghai", permissions=["geolocation"],
        geolocation={"longitude": 119.96, "latitude": 36.78, "accuracy": 8},
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def phone_page(phone_context: BrowserContext) -> Page:
    """A phone page."""
    return phone_context.new_page()
