"""Every kind of hotspot document opens from a file with the network cut: map drawn, slider moving, no address, nobody in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from tests.browser.conftest import Live
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

pytestmark = pytest.mark.browser

LON, LAT = PINGDU
WEEK, SEASON = "from=2009-11-11&to=2009-11-17", "from=2009-08-26&to=2009-11-17"
CALLER = {"name": "王建国", "phone": "13812345678", "door": "1单元302"}
KINDS = {
    "gi": WEEK, "gi_permuted": f"{WEEK}&chance=permuted", "gi_hexagons": f"{WEEK}&shape=hexagon",
    "gi_communities": f"{WEEK}&shape=community", "density": f"{WEEK}&measure=density", "rate": f"{WEEK}&measure=rate",
    "course": f"{SEASON}&measure=course", "empty": "from=1999-01-01&to=1999-01-07",
}  # fmt: skip
WITH_SLIDER = ("course", "course_public")
DRAWN = """() => {
  const seen = new Set(), pictures = [];
  for (const canvas of document.querySelectorAll(".leaflet-container canvas")) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 3]) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
    pictures.push(canvas.toDataURL());
  }
  return { colours: seen.size, picture: pictures.join() };
}"""


@pytest.fixture(scope="module")
def city(server: Live) -> Live:
    """Twelve weeks of complaints of twelve compounds with households, one of which flares up at the end; callers with names."""
    with server.sessions() as session:
        district = make_area(session, name="平度市")
        for i in range(12):
            lon, lat = LON - 0.03 + 0.02 * (i % 4), LAT - 0.02 + 0.02 * (i // 4)
            community = make_area(session, name=f"{i + 1}号社区", level="community", geom=square(lon, lat, 0.01))
            make_area(
                session, name=f"{i + 1}号小区", level="compound", households=300 + 50 * i, geom=square(lon, lat, 0.004)
            )
            for week in range(12):
                for k in range(30 if not i and week > 8 else 1 + i % 3):
                    made = make_complaint(
                        session, at=(lon + 0.0001 * k, lat), district_id=district.id, community_id=community.id,
                        received_at=NOW - timedelta(weeks=11 - week, hours=2), place=f"{i + 1}号小区7号楼", description=f"{CALLER['name']}家里不热，电话{CALLER['phone']}",
                    )  # fmt: skip
                    session.execute(
                        text("INSERT INTO caller (complaint_id, name, phone, door_no) VALUES (:id, :name, :phone, :door)"),
                        CALLER | {"id": made.id},
                    )  # fmt: skip
        session.commit()
    return server


@pytest.fixture(scope="module")
def documents(city: Live, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind as the page gives it, own and public."""
    kept, place = {}, tmp_path_factory.mktemp("documents")
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    city.sign_in(page, "planner")
    for kind, query in KINDS.items():
        for name, more in ((kind, ""), (f"{kind}_public", "&public=1")):
            answer = page.request.get(f"{city.url}/hotspots.html?{query}{more}")
            assert answer.status == 200, (name, answer.text()[:300])
            kept[name] = place / f"{name}.html"
            kept[name].write_bytes(answer.body())
    context.close()
    return kept


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page without network; a request for anything but the file itself and what lies in it fails the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN", offline=True)
    said: list[str] = []
    page = context.new_page()
    page.route(
        lambda url: not url.startswith(("file:", "data:", "blob:")),
        lambda route: (said.append(route.request.url), route.abort()),
    )
    ours = "Canvas2D"  # how this test reads the map
    page.on(
        "console",
        lambda line: said.append(line.text) if line.type in ("error", "warning") and ours not in line.text else None,
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def _at_rest(page: Page) -> str:
    """The map as it is drawn when nothing moves any more."""
    before, now = "", page.evaluate(DRAWN)["picture"]
    for _ in range(300):
        if now == before:
            return str(now)
        page.wait_for_timeout(200)
        before, now = now, page.evaluate(DRAWN)["picture"]
    raise AssertionError("the map never came to rest")


def _rows(page: Page) -> list[list[str]]:
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('.rows tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
    )
    return rows  # fmt: skip


@pytest.mark.parametrize("kind", [name for each in KINDS for name in (each, f"{each}_public")])
def test_a_document_opens_from_a_file_with_the_network_cut(
    documents: dict[str, Path], offline: Page, kind: str
) -> None:
    written = documents[kind].read_text("utf-8")
    assert re.findall(r"http(?!-equiv=)", written, re.IGNORECASE) == []
    assert [word for word in (*CALLER.values(), "7号楼", "家里不热") if word in written] == []
    offline.goto(documents[kind].as_uri())
    expect(offline.locator(".leaflet-container")).to_be_visible()
    rows = _rows(offline)
    assert bool(rows) is not kind.startswith("empty")
    if rows:
        assert offline.evaluate(DRAWN)["colours"] > 3
        expect(offline.locator(".legend li").first).to_be_visible()
    if kind.endswith("_public"):
        assert all(int(row[2]) >= 5 for row in rows)
    if kind.startswith("density"):
        assert offline.evaluate("document.querySelector('img.leaflet-image-layer').naturalWidth") > 100
    assert offline.locator(".steps").count() == (kind in WITH_SLIDER)


@pytest.mark.parametrize("kind", WITH_SLIDER)
def test_its_time_slider_moves_by_keys_by_pointer_and_by_itself(
    documents: dict[str, Path], offline: Page, kind: str
) -> None:
    offline.goto(documents[kind].as_uri())
    slider, told = offline.get_by_role("slider", name="地图显示的周次"), offline.locator(".steps output")
    expect(told).to_have_text("整个时段")
    pictures: list[Any] = [_at_rest(offline)]
    slider.focus()
    offline.keyboard.press("ArrowRight")
    expect(told).to_have_text("第 1 周（共 12 周）：2009-08-26 至 2009-09-01")
    offline.keyboard.press("End")
    expect(told).to_have_text("第 12 周（共 12 周）：2009-11-11 至 2009-11-17")
    expect(slider).to_have_attribute("aria-valuetext", "第 12 周（共 12 周）：2009-11-11 至 2009-11-17")
    box = slider.bounding_box()
    assert box is not None
    offline.mouse.click(box["x"] + box["width"] * 4 / 12, box["y"] + box["height"] / 2)
    expect(told).to_contain_text("第 4 周")
    pictures.append(_at_rest(offline))
    assert pictures[0] != pictures[1]
    offline.get_by_role("button", name="播放").click()
    expect(told).to_contain_text("第 6 周")
    offline.get_by_role("button", name="暂停").click()
