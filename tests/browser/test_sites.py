"""Sites and rounds in real pages: draw a ground, plan a round, swap and fix it, an inspector's day as list and map, and the phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gis.inspections.model import Site
from gis.inspections.round_model import Round, SiteVisit
from gis.journal import Who
from gis.people import actions
from gis.people.queries import user_by_name
from tests import factories as make
from tests.browser.conftest import PASSWORD, Live, morning, serving
from tests.browser.field import enrol
from tests.sites import make_contractor, make_visit, make_worker
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
LON, LAT = make.PINGDU


@pytest.fixture
def live(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Live]:
    """In the morning: no test lasts into another day."""
    with morning(), serving(new_database(), tmp_path) as made:
        yield made


def _today(live: Live) -> Any:
    return utc_now().astimezone(live.zone).date()


def _city(live: Live, sites: int = 0) -> None:
    with live.sessions() as session:
        area = make.make_area(session, name="平度市", geom=make.square(half=0.02))
        contractor = make_contractor(session, name="华安管道安装公司")
        for n in range(sites):
            site = make.make_site(session, name=f"红旗路{n}号管网改造", contractor_id=contractor.id, area_id=area.id,
                                  stage=("before", "during", "after")[n % 3], geom=make.point(LON + 0.004 * (n % 3), LAT + 0.003 * (n // 3)))  # fmt: skip
            make_worker(session, site, name=f"王师傅{n}", valid_to=_today(live) + timedelta(days=300))
        session.commit()


def _click(page: Page, x: float, y: float) -> None:
    """Somewhere in the map, by shares of its size."""
    canvas = page.locator("[data-map] canvas")
    canvas.hover(trial=True)  # it lies where it stays
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * x, "y": box["height"] * y})


def test_a_ground_is_drawn_corner_by_corner_and_kept(live: Live, page: Page) -> None:
    _city(live)
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/sites/new")
    expect(page.locator("[data-map][data-map-ready]")).to_be_visible()
    page.fill("input[name=name]", "人民路庭院供热改造")
    page.select_option("select[name=contractor_id]", label="华安管道安装公司")
    page.click("[data-mode=polygon]")
    for x, y in ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6)):
        _click(page, x, y)
    page.click("button.primary")
    expect(page.locator("[data-told]")).to_contain_text("尚未闭合")
    page.click("[data-undo]")
    expect(page.locator(".corner")).to_have_count(2)
    for x, y in ((0.6, 0.6), (0.4, 0.6)):
        _click(page, x, y)
    page.locator(".corner").first.click()
    expect(page.locator("input[name=ground]")).to_have_value(re.compile(r'"Polygon"'))
    expect(page.locator("input[name=lat]")).to_have_value(re.compile(r"^36\.7"))
    page.click("button.primary")
    page.wait_for_url(re.compile(r"/sites/\d+$"))
    expect(page.locator("h1")).to_have_text("人民路庭院供热改造")
    expect(page.locator(".site-map[data-map-ready]")).to_be_visible()
    kept = live.wait(lambda session: session.scalars(select(Site)).one_or_none())
    assert kept.footprint is not None and kept.contractor_id is not None


def test_a_round_is_planned_a_site_swapped_the_round_fixed_and_the_inspector_sees_the_day(
    live: Live, page: Page, browser: Browser
) -> None:
    _city(live, 9)
    inspector = live.add_user("inspector", full_name="检查员老郑")
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/rounds/new")
    page.fill("input[name=name]", "十一月拉网式检查")
    page.fill("input[name=size]", "4")
    page.fill("input[name=ends_on]", str(_today(live) + timedelta(days=14)))
    page.click("form.card button.primary")
    page.wait_for_url(re.compile(r"/rounds/\d+$"))
    expect(page.locator("tr[data-visit]")).to_have_count(4)
    row = page.locator("tr[data-visit]").first
    row.locator("summary").click()
    form = row.locator("form").first
    form.locator("input[name=reason]").fill("道路封闭")
    form.locator("button").click()
    expect(page.locator("tr.dropped")).to_have_count(1)
    expect(page.locator(".why").filter(has_text="人工换入：道路封闭")).to_have_count(1)
    page.get_by_role("button", name="分派并排路线").click()
    expect(page.locator("tr.planned").first).to_contain_text("第 1 站")
    page.get_by_role("button", name="确定本轮").click()
    expect(page.get_by_text("已确定", exact=True)).to_be_visible()
    live.wait(lambda session: session.scalars(select(Round.status)).all() == ["fixed"])
    with live.sessions() as session:
        (day,) = session.scalars(select(SiteVisit.on_day).where(SiteVisit.on_day.isnot(None)).distinct()).all()
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    own = context.new_page()
    own.goto(f"{live.url}/login")
    own.fill("input[name=name]", inspector)
    own.fill("input[name=password]", PASSWORD)
    own.click("main button.primary")
    own.wait_for_url(re.compile(r"^(?!.*/login)"))
    own.goto(f"{live.url}/day?on={day}")
    expect(own.locator("[data-stop]")).to_have_count(4)
    expect(own.locator(".site-map[data-map-ready] .stop-mark")).to_have_count(4)
    expect(own.locator(".stop-mark")).to_have_text(["1", "2", "3", "4"])
    own.locator("[data-stop]").nth(2).hover()
    expect(own.locator("[data-stop]").nth(2)).to_have_class(re.compile("lit"))
    context.close()


def test_the_list_of_sites_and_its_map_show_the_same(live: Live, page: Page) -> None:
    _city(live, 5)
    live.sign_in(page, "supervisor")
    page.goto(f"{live.url}/sites?stage=during")
    expect(page.locator("tr[data-site]")).to_have_count(2)
    expect(page.locator(".site-map[data-map-ready]")).to_be_visible()
    assert len(page.evaluate("fetch('/sites.json?stage=during').then((r) => r.json())")["features"]) == 2


def test_the_phone_shows_todays_visits_in_order_and_begins_the_checklist(live: Live, phone_page: Page) -> None:
    _city(live, 3)
    name = live.add_user("inspector", full_name="检查员老郑")
    with live.sessions() as session:
        user = user_by_name(session, name)
        assert user is not None
        for stop, site in enumerate(session.scalars(select(Site).order_by(Site.id.desc())), 1):
            make_visit(
                session,
                site,
                inspector_id=user.id,
                on_day=_today(live),
                stop_no=stop,
                travel_s=240.0 if stop > 1 else None,
            )
        code = actions.offer_enrolment(session, Who(utc_now()), user.id)
        session.commit()
    cards = phone_page.locator(".visits-today article")
    enrol(phone_page, live.url, code)
    expect(cards).to_have_count(3)
    expect(cards).to_have_text([re.compile(rf"^\s*{n}\.") for n in (1, 2, 3)])
    phone_page.context.set_offline(True)
    phone_page.reload()
    expect(cards).to_have_count(3)
    cards.first.locator("summary").click()
    expect(cards.first).to_contain_text("王师傅2")
    cards.first.get_by_role("button", name="开始检查").click()
    expect(phone_page.locator("#main")).to_be_visible()
    phone_page.context.set_offline(False)
