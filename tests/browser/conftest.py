"""A real server process on a committed database, and real Chromium pages, desktop and phone."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from gis.db import make_engine
from gis.journal import Who
from gis.people import actions
from tests.chromium import CHROMIUM, FLAGS  # noqa: F401 - other tests start browsers of their own
from tests.conftest import app_role
from webapp.clock import utc_now

PASSWORD = "a long password"
expect.set_options(timeout=30_000)  # what is expected must come; on a busy machine it may come late


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Live:
    """A running server: `url`, `sessions` (commit what pages should see), `sign_in(page, role)`, `stop()`, `start()`."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.app_url = app_role(database_url)  # a grant that is missing is noticed by a page
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.engine = make_engine(database_url)
        self.sessions = sessionmaker(self.engine, class_=Session, expire_on_commit=False)
        self.process: subprocess.Popen[bytes] | None = None
        self.people = 0
        self.zone = ZoneInfo("Asia/Shanghai")

    def start(self) -> None:
        environment = os.environ | {
            "CHENGMAI_DATABASE_URL": self.app_url,
            "CHENGMAI_DATA_DIR": str(self.data_dir),
            "CHENGMAI_HOST": "127.0.0.1",
            "CHENGMAI_PORT": str(self.port),
            "CHENGMAI_WORKERS": "1",
        }
        root = Path(__file__).parents[2]
        with (self.data_dir / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "webapp.server"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=root)
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.data_dir / "server.log").read_text()[-4000:]) from None
                time.sleep(0.1)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def add_user(self, role: str, **fields: Any) -> str:
        self.people += 1
        name = f"{role}{self.people}"
        with self.sessions() as session:
            actions.add_user(session, Who(utc_now()), name, role, PASSWORD, **fields)
            session.commit()
        return name

    def sign_in(self, page: Page, role: str, **fields: Any) -> str:
        """Through the real form; returns the new person's name."""
        name = self.add_user(role, **fields)
        page.goto(f"{self.url}/login")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.primary")
        page.wait_for_url(re.compile(r"^(?!.*/login)"))
        return name


@pytest.fixture
def live(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Live]:
    made = Live(new_database(), tmp_path)
    made.start()
    yield made
    made.stop()
    made.engine.dispose()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A desktop page."""
    return context.new_page()


@pytest.fixture
def quiet() -> Iterator[Callable[[Page], Page]]:
    """Watch a page: any script error, and every broken rule of the content policy, fails the test."""
    said: list[str] = []

    def watch(page: Page) -> Page:
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if "Content Security" in line.text else None)
        return page

    yield watch
    assert said == []
