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
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session, sessionmaker

from gis.db import make_engine
from gis.journal import Who
from gis.people import actions
from tests.browser.flaky import Flaky
from tests.chromium import CHROMIUM, FLAGS  # noqa: F401 - other tests start browsers of their own
from tests.conftest import app_role
from webapp.clock import utc_now

PASSWORD = "a long password"
expect.set_options(timeout=60_000)  # what is expected must come; on a busy machine it may come late


T = TypeVar("T")


def held_port(owner: object) -> int:
    """A port that is the owner's, also while its server is down: nobody else is given it, and the server may bind it too."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    weakref.finalize(owner, os.close, held.detach())
    return port


class Live:
    """A running server: `url`, `sessions` (commit what pages should see), `sign_in(page, role)`, `wait`, `stop()`, `start()`."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.app_url = app_role(database_url)  # a grant that is missing is noticed by a page
        self.data_dir = data_dir
        self.port = held_port(self)
        self.url = f"http://127.0.0.1:{self.port}"
        self.engine = make_engine(database_url)
        self.sessions = sessionmaker(self.engine, class_=Session, expire_on_commit=False)
        self.process: subprocess.Popen[bytes] | None = None
        self.people = 0
        self.zone = ZoneInfo(os.environ.get("CHENGMAI_TIMEZONE", "Asia/Shanghai"))

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
        deadline = time.monotonic() + 120
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
            self.process.wait(60)
            self.process = None

    def close(self) -> None:
        """For good."""
        self.stop()
        self.engine.dispose()

    def wait(self, read: Callable[[Session], T], seconds: float = 60) -> T:
        """What `read` finds in the database as soon as it is something: each time in a transaction of its own.

        What a page does is committed when the page was told so, not when it was clicked. (A page's own routes stand still here.)
        """
        deadline = time.monotonic() + seconds
        while True:
            with self.sessions() as session:
                found = read(session)
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came to be: {found!r}")
            time.sleep(0.05)

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


@contextmanager
def morning() -> Iterator[None]:
    """Servers that start inside live where it is about ten in the morning: midnight is far, and there is room on the day."""
    ahead = max(10 - utc_now().hour, -12)  # there is no zone farther behind
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHENGMAI_TIMEZONE", f"Etc/GMT{-ahead:+d}")
        yield


@contextmanager
def serving(database_url: str, data_dir: Path) -> Iterator[Live]:
    """A server on that database, until the end of the block."""
    made = Live(database_url, data_dir)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def server(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests of a file: each has rows of its own there."""
    with serving(new_database(), tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture(scope="module")
def morning_server(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests of a file, in the morning."""
    with morning(), serving(new_database(), tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture
def live(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Live]:
    """A server of one test alone, for what counts or changes everything."""
    with serving(new_database(), tmp_path) as made:
        yield made


@pytest.fixture
def field(live: Live) -> Any:
    """A crew's day, for a test with a phone."""
    from tests.browser.field import Field  # it speaks of this file

    return Field(live)


@pytest.fixture
def flaky(live: Live) -> Iterator[Flaky]:
    made = Flaky(live.port)
    yield made
    made.close()


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
