"""The day's plan in a real browser: propose, watch, look, accept in part by keyboard, take back, lose a race and see why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis.complaints.model import Complaint
from gis.dispatch import actions
from gis.dispatch.model import Crew, Shift, WorkOrder
from gis.dispatch.rules import Terms
from gis.journal import Who
from tests.browser.conftest import Live, morning, serving
from tests.factories import PINGDU, make_area, make_complaint, make_crew, make_unit, square
from webapp.clock import utc_now

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
EAST, WEST = "城东抢修班", "城西抢修班"


@pytest.fixture(scope="module")
def server(new_database, tmp_path_factory) -> Iterator[Live]:
    """Two crews at the two ends of a town, three complaints near each, one nobody can do, and a worker; in the morning."""
    with morning(), serving(new_database(), tmp_path_factory.mktemp("live")) as live:
        yield from _with_a_worker(live)


def _with_a_worker(live: Live) -> Iterator[Live]:
    at = utc_now()
    with live.sessions() as session:
        unit = make_unit(session, name="兴平热电")
        area = make_area(session, name="平度市", geom=square(half=0.2))
        for name, side in ((EAST, 1), (WEST, -1)):
            place = (PINGDU[0] + 0.05 * side, PINGDU[1])
            crew = make_crew(session, at=place, name=name, unit_id=unit.id, position_at=at, on_shift=False)
            session.add(Shift(crew_id=crew.id, during=Range(at - timedelta(hours=4), at + timedelta(hours=20))))
            for n in range(3):
                make_complaint(session, at=(place[0] + 0.002 * n * side, place[1] + 0.001), place=f"{name[:2]}{n + 1}号楼", hotline_no=f"{name[:2]}-{n}",
                               received_at=at, resolve_by=at + timedelta(hours=12), district_id=area.id, unit_id=unit.id)  # fmt: skip
        make_complaint(session, category="gas.leak", place="燃气路", hotline_no="GAS-1", received_at=at, district_id=area.id,
                       resolve_by=at + timedelta(hours=12))  # fmt: skip
        session.commit()
    environment = os.environ | {"CHENGMAI_DATABASE_URL": live.app_url, "CHENGMAI_DATA_DIR": str(live.data_dir)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "webapp.work"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield live
    worker.terminate()
    worker.wait(60)


def propose(live: Live, page: Page) -> None:
    """Ask for a plan and wait until it is there."""
    page.goto(f"{live.url}/plan?new=1")
    if page.locator("[data-propose]").is_hidden():
        page.locator("details.ask summary").click()
    page.fill("input[name=seconds]", "1")
    page.click("[data-propose]")
    page.wait_for_url(re.compile(r"/plan/\d+$"))
    expect(page.locator(".compare")).to_be_visible(timeout=60_000)


def row(page: Page, crew: str):
    return page.locator("tbody[data-crew]", has_text=crew)


def orders_of(live: Live, name: str) -> list[str]:
    with live.sessions() as session:
        asked = (
            select(Complaint.hotline_no)
            .join(WorkOrder, WorkOrder.complaint_id == Complaint.id)
            .join(Crew, Crew.id == WorkOrder.crew_id)
        )
        return sorted(session.scalars(asked.where(Crew.name == name, WorkOrder.status == "assigned")))


def test_a_plan_is_proposed_accepted_in_part_taken_back_and_lost_in_a_race(server, page, quiet):
    quiet(page)
    server.sign_in(page, "dispatcher", full_name="周调度")
    page.goto(f"{server.url}/plan")
    expect(page.locator(".empty")).to_contain_text("这一天还没有计划")
    propose(server, page)
    expect(page.locator('tr[data-metric="unserved"]')).to_contain_text("未安排")
    expect(page.locator('tr[data-metric="unserved"] td')).to_have_text(["7", "1", "1"])
    expect(page.locator("[data-left]")).to_contain_text("当日在岗班组没有具备该工种且证件有效的")
    expect(page.locator(".plan-map[data-map-ready]")).to_be_attached(timeout=60_000)

    row(page, EAST).get_by_role("button", name=EAST).press("Enter")
    expect(row(page, EAST).locator("[data-stop]")).to_have_count(3)
    expect(row(page, EAST).locator("[data-stop]").first).to_contain_text("新派")

    expect(page.locator("[data-accept]")).to_be_disabled()
    row(page, EAST).locator("input[name=crew]").press("Space")
    page.locator("[data-accept]").press("Enter")
    expect(page.locator(".notice.done")).to_contain_text(f"已派单：{EAST}")
    assert orders_of(server, EAST) == ["城东-0", "城东-1", "城东-2"] and orders_of(server, WEST) == []

    row(page, EAST).locator("[data-undo]").click()
    expect(page.locator(".notice.done")).to_contain_text(f"已撤回：{EAST}")
    assert orders_of(server, EAST) == []

    with server.sessions() as session:  # somebody else is faster with one order of the west
        complaint = session.scalar(select(Complaint).where(Complaint.hotline_no == "城西-0"))
        crew = session.scalar(select(Crew).where(Crew.name == WEST))
        order = actions.assign(
            session, Who(utc_now()), complaint, crew, base_version=None, terms=Terms(utc_now().tzinfo)
        )
        number = order.order_no
        session.commit()
    page.locator("[data-accept-all]").click()
    expect(page.locator(".notice.error")).to_contain_text(f"{WEST}：方案生成后情况有变：派工单 {number} 已有变动")
    expect(page.locator(".notice.done")).to_contain_text(f"已派单：{EAST}")
    assert orders_of(server, WEST) == ["城西-0"] and len(orders_of(server, EAST)) == 3

    propose(server, page)
    expect(row(page, WEST)).to_contain_text("待采纳")
    page.locator("[data-accept-all]").click()
    expect(page.locator(".notice.done")).to_contain_text(WEST)
    assert len(orders_of(server, WEST)) == 3


def test_the_pages_of_a_plan_are_accessible_and_print(server, page, quiet):
    quiet(page)
    server.sign_in(page, "dispatcher")
    propose(server, page)
    page.add_script_tag(url="/static/vendor/axe.min.js")
    found = page.evaluate("axe.run(document)")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    page.goto(page.url + "/sheets")
    expect(page.locator(".sheet")).to_have_count(2)
    expect(page.locator(".sheet").first).to_contain_text("城")
