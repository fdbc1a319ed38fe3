"""Live screens on a real server: what changes appears by itself, once, to whom it concerns, also after the server was killed."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from gis.journal import Who, write
from gis.people.model import User
from gis.people.queries import user_by_name
from tests.browser.conftest import Live
from tests.browser.desk import City, found
from tests.browser.stream import Screen
from tests.factories import make_complaint
from webapp.clock import utc_now

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def live(server: Live) -> Live:
    return server


@pytest.fixture
def city(live: Live) -> City:
    return found(live)


def happens(live: Live, city: City, *places: str) -> list[int]:
    """Complaints come in, each in its own transaction."""
    made = []
    for place in places:
        with live.sessions() as session:
            row = make_complaint(session, place=place, received_at=utc_now(), district_id=city.district)
            write(session, Who(utc_now()), "receive", "complaint", row.id, version=1)
            session.commit()
            made.append(row.id)
    return made


def kill(live: Live) -> None:
    """The server and its worker, as a power cut would."""
    assert live.process is not None
    pid = live.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, workers)):
        os.kill(each, signal.SIGKILL)
    live.process.wait(60)
    while any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers):  # nobody answers for it any more
        time.sleep(0.02)


@pytest.fixture
def screen_of() -> Iterator[Callable[..., Screen]]:
    """`screen_of(live, city)`: a screen of a new person of that district."""
    made: list[Screen] = []

    def make(live: Live, city: City, role: str = "dispatcher") -> Screen:
        name = live.add_user(role, area_id=city.district)
        made.append(Screen(live, name))
        with live.sessions() as session:
            user = user_by_name(session, name)
            assert user is not None
            made[-1].user_id = user.id
        return made[-1]

    yield make
    for screen in made:
        screen.close()


def desk(live: Live, page: Page, city: City) -> Page:
    live.sign_in(page, "dispatcher", area_id=city.district)
    page.goto(live.url)
    expect(page.locator("#connection")).to_have_text("实时")
    page.evaluate("window.unreloaded = true")
    return page


def test_two_screens_see_a_change_without_reload_and_after_the_server_was_killed_nothing_is_missing_or_double(
    live: Live, browser: Browser, page: Page, city: City
):
    other = desk(live, browser.new_context(locale="zh-CN").new_page(), city)
    mine = desk(live, page, city)
    happens(live, city, "新来的甲小区")
    for screen in (mine, other):
        expect(screen.locator("#cases > li").filter(has_text="新来的甲小区")).to_have_count(1)
        expect(screen.locator("#bell")).to_have_attribute("aria-label", "他人动态：新增 1 条")
    kill(live)
    for screen in (mine, other):
        expect(screen.locator("#connection")).to_have_text("连接中断，正在重试…")
    happens(live, city, "新来的乙小区", "新来的丙小区")
    live.start()
    for screen in (mine, other):
        expect(screen.locator("#connection")).to_have_text("实时")
        for place in ("新来的甲小区", "新来的乙小区", "新来的丙小区"):
            expect(screen.locator("#cases > li").filter(has_text=place)).to_have_count(1)
        expect(screen.locator("#bell")).to_have_attribute("aria-label", "他人动态：新增 3 条")
        assert screen.evaluate("window.unreloaded")
    other.context.close()


def test_where_streams_do_not_pass_the_page_asks_instead_and_says_so_truly(live: Live, page: Page, city: City):
    page.route(re.compile(r"/events"), lambda route: route.abort())
    desk(live, page, city)
    happens(live, city, "新来的丁小区")
    expect(page.locator("#cases > li").filter(has_text="新来的丁小区")).to_have_count(1)
    page.route("**/changes.json*", lambda route: route.abort())
    expect(page.locator("#connection")).to_have_text("连接中断，正在重试…")
    page.unroute("**/changes.json*")
    page.unroute(re.compile(r"/events"))
    expect(page.locator("#connection")).to_have_text("实时")
    expect(page.locator("#bell")).to_have_attribute("aria-label", "他人动态：新增 1 条")


def test_whoever_comes_again_with_the_last_id_is_told_what_it_missed_once(live: Live, city: City, screen_of):
    screen = screen_of(live, city).open()
    first = happens(live, city, "一")
    assert screen.rows(1) == [str(first[0])]
    cursor = screen.cursor
    later = [str(id) for id in happens(live, city, "二", "三")]
    assert screen.rows(2) == later
    again = screen_of(live, city).open(cursor)
    assert again.rows(2) == later
    last = happens(live, city, "四")
    assert again.rows(1) == screen.rows(1) == [str(last[0])]


def test_a_transaction_that_began_early_and_commits_late_is_told_when_it_commits(live: Live, city: City, screen_of):
    screen = screen_of(live, city).open()
    with live.sessions() as slow:
        row = make_complaint(slow, place="晚", received_at=utc_now(), district_id=city.district)
        write(slow, Who(utc_now()), "receive", "complaint", row.id, version=1)
        slow.flush()
        quick = happens(live, city, "早")
        assert screen.rows(1) == [str(quick[0])]
        between = screen.cursor
        slow.commit()
    assert screen.rows(1) == [str(row.id)]
    assert screen_of(live, city).open(between).rows(1) == [str(row.id)]


def test_of_another_district_nothing_is_told(live: Live, city: City, screen_of):
    elsewhere = found(live)
    mine, others = screen_of(live, city).open(), screen_of(live, elsewhere).open()
    there, here = happens(live, elsewhere, "别处"), happens(live, city, "这里")
    assert mine.rows(1) == [str(here[0])]
    assert others.rows(1) == [str(there[0])]


def test_who_is_sent_away_is_cut_off_and_let_in_no_more(live: Live, city: City, screen_of):
    screen = screen_of(live, city).open()
    with live.sessions() as session:
        session.get_one(User, screen.user_id).active = False
        session.commit()
    assert screen.ended()
    status, _ = screen.ask("GET", "/events", headers={"Accept": "text/event-stream"})
    assert status == 401


def test_a_stream_is_refused_to_strangers_and_to_who_has_no_desk(live: Live, city: City, screen_of):
    assert screen_of(live, city, "inspector").ask("GET", "/events")[0] == 403
    stranger = screen_of(live, city)
    stranger.cookie = ""
    assert stranger.ask("GET", "/events", headers={"Accept": "text/event-stream"})[0] == 401
    assert screen_of(live, city).ask("GET", "/events?after=yesterday")[0] == 422


def test_a_server_that_is_told_to_stop_ends_its_streams_and_finishes_what_it_was_asked(
    new_database: Callable[[], str], tmp_path: Path, screen_of
):
    live = Live(new_database(), tmp_path)
    live.start()
    city = found(live)
    screens = [screen_of(live, city) for _ in range(3)]
    for screen in screens:
        screen.open()
    answers: list[int] = []
    with live.sessions() as session:
        session.execute(text("LOCK TABLE complaint IN ACCESS EXCLUSIVE MODE"))
        asking = threading.Thread(target=lambda: answers.append(screens[0].ask("GET", "/complaints.json")[0]))
        asking.start()
        waiting = text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with live.sessions() as watch:
            while not watch.scalar(waiting):
                watch.rollback()
        assert live.process is not None
        live.process.terminate()
        for screen in screens:
            assert screen.ended()
        session.rollback()
    asking.join(60)
    assert answers == [200]
    live.close()
