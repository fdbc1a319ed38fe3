"""A patrol in Chromium: three stations read without signal, one left out with a reason, delivered once, visible at the desk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis.inspections import patrols
from gis.inspections.day_plans import Terms
from gis.inspections.patrol_model import PatrolStop
from gis.journal import Who
from gis.network.model import Station
from gis.network.reading_model import AlarmRule, MeasuringPoint, Reading
from gis.people import actions, queries
from gis.people.rules import CITY
from tests import factories as make
from tests.browser.conftest import Live
from tests.browser.field import enrol, until
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
KEPT = """import("/frontend/phone/db.mjs").then(({ db }) => db.keep.toArray())
    .then((rows) => rows.some((row) => row.key.startsWith("stop-draft:") && JSON.stringify(row.value).includes("38,5")))"""


@pytest.fixture(scope="module")
def live(morning_server: Live) -> Live:
    return morning_server


@pytest.fixture
def phone(live: Live, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, locale="zh-CN", timezone_id=str(live.zone),
        permissions=["geolocation"], geolocation={"longitude": 119.96, "latitude": 36.78, "accuracy": 8},
    )  # fmt: skip
    yield context.new_page()
    context.close()


def _planned(live: Live, name: str) -> tuple[int, list[int]]:
    """A patrol of four stations for this inspector, each with a supply temperature between 45 and 75 °C."""
    now = utc_now()
    with live.sessions() as session:
        user = queries.user_by_name(session, name)
        assert user is not None
        stations, points = [], []
        for n, place in enumerate(("文丰小区", "玉兰花园", "福安花园", "金色公寓")):
            station = Station(
                code=f"H{n}", name=f"{place}换热站", operator="heat_company", geom=make.point(119.95 + n / 100, 36.78)
            )
            session.add(station)
            session.flush()
            point = MeasuringPoint(code=f"T{n}", name="二次供水温度", quantity="temperature", side="secondary_supply", unit="°C",
                                   station_id=station.id)  # fmt: skip
            session.add(point)
            session.flush()
            session.add(AlarmRule(point_id=point.id, kind="band", low=45.0, high=75.0, source="运行规程", made_at=now,
                                  valid=Range(now.date() - timedelta(days=9), None)))  # fmt: skip
            stations.append(station.id)
            points.append(point.id)
        today = now.astimezone(live.zone).date()
        made = patrols.plan(
            session, Who(now), CITY, patrols.Planned("晚间巡检", today, user.id, stations), today, Terms(500.0, 25.0)
        )
        session.commit()
        return made.id, points


def _code(live: Live, name: str) -> str:
    with live.sessions() as session:
        user = queries.user_by_name(session, name)
        assert user is not None
        code = actions.offer_enrolment(session, Who(utc_now()), user.id)
        session.commit()
        return code


def _told(live: Live, patrol_id: int, expected: list[str | None]) -> None:
    """Wait until the server has these outcomes: the phone says so only after the answer, the desk reads the database."""
    deadline = time.monotonic() + 30
    while True:
        with live.sessions() as session:
            found = list(
                session.scalars(
                    select(PatrolStop.outcome).where(PatrolStop.patrol_id == patrol_id).order_by(PatrolStop.stop_no)
                )
            )
        if found == expected:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_three_stations_are_read_without_signal_and_delivered_once_when_it_is_back(
    live: Live, phone: Page, page: Page, quiet
):
    name = live.add_user("inspector", full_name="检查员 老郑")
    patrol_id, points = _planned(live, name)
    enrol(quiet(phone), live.url, _code(live, name))
    card = phone.locator("a.item", has_text="晚间巡检")
    expect(card).to_contain_text("已报 0/4 处")
    phone.context.set_offline(True)
    card.click()
    expect(phone.locator("ol.stops li")).to_have_count(4)

    phone.locator("ol.stops li").nth(0).locator("a").click()
    box = phone.locator("[data-point]")
    expect(phone.locator(".reading")).to_contain_text("45 至 75")
    box.fill("三十八")
    expect(phone.locator(".verdict")).to_contain_text("这不是数字")
    phone.click("#foot .primary")  # nothing is kept of it
    expect(phone.locator(".toast")).to_contain_text("请先更正")
    box.fill("38,5")  # a comma, as some keyboards have it
    expect(phone.locator(".verdict")).to_contain_text("偏低")
    until(phone, KEPT)  # written down, and then the phone is put away
    phone.reload()
    expect(phone.locator("[data-point]")).to_have_value("38,5")
    expect(phone.locator(".verdict")).to_contain_text("偏低")
    phone.click("#foot .primary")
    phone.wait_for_url("**/phone/#/patrol/*")
    expect(phone.locator("ol.stops li").nth(0)).to_contain_text("待发")

    for n, value in ((1, "75"), (2, "62.4")):
        phone.locator("ol.stops li").nth(n).locator("a").click()
        phone.fill("[data-point]", value)
        expect(phone.locator(".verdict")).to_contain_text("正常")
        phone.click("#foot .primary")
        phone.wait_for_url("**/phone/#/patrol/*")
    phone.get_by_role("button", name="结束巡检").click()
    expect(phone.locator("dialog .missed li")).to_have_count(1)
    phone.locator("dialog textarea").fill("站房上锁")
    phone.locator("dialog .primary").click()
    expect(phone.locator("main")).to_contain_text("全部已报")
    expect(phone.locator("#banner")).to_contain_text("离线")
    _told(live, patrol_id, [None] * 4)

    phone.context.set_offline(False)
    expect(phone.locator("#banner")).to_contain_text("全部已送达")
    _told(live, patrol_id, ["visited", "visited", "visited", "skipped"])
    until(phone, "!document.querySelector('#main').innerText.includes('待发')")
    with live.sessions() as session:
        kept = session.execute(select(Reading.point_id, Reading.value).where(Reading.point_id.in_(points))).all()
        assert sorted(value for _point, value in kept) == [38.5, 62.4, 75.0] and len({p for p, _ in kept}) == 3

    live.sign_in(quiet(page), "supervisor")
    page.goto(f"{live.url}/patrols")
    row = page.locator("tr", has_text="晚间巡检").first
    expect(row).to_contain_text("4 ÷ 4")
    expect(row).to_contain_text("1 个读数超出范围")
    expect(page.locator("tr", has_text="从未巡检")).to_have_count(1)
    row.get_by_role("link").click()
    stops = page.locator("[data-stop]")
    expect(stops.nth(0)).to_contain_text("38.5 °C")
    expect(stops.nth(0)).to_contain_text("偏低")
    expect(stops.nth(1)).not_to_contain_text("偏")
    expect(stops.nth(3)).to_contain_text("站房上锁")
