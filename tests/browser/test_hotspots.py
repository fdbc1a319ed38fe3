"""The planner's page in Chromium: map and table are one selection, the URL is the view, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.paper import A4_PX, on_paper
from tests.factories import PINGDU, make_area, make_complaint, square

pytestmark = pytest.mark.browser

LON, LAT = PINGDU
WEEK = "from=2009-11-16&to=2009-11-22"


@pytest.fixture(scope="module")
def city(server):
    """Read only: one for all."""
    live = server
    with live.sessions() as session:
        district = make_area(session, name="平度市")
        for i in range(12):
            lon, lat = LON - 0.03 + 0.015 * (i % 4), LAT - 0.02 + 0.02 * (i // 4)
            make_area(session, name=f"{i + 1}号小区", level="compound", geom=square(lon, lat, 0.004))
            for k in range(1 if i else 40):
                make_complaint(session, at=(lon + 0.0001 * k, lat), district_id=district.id)
        make_complaint(session, at=None, district_id=district.id)
        session.commit()
    return live


def _open(page, live, query=""):
    troubles = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.goto(f"{live.url}/hotspots?{WEEK}{query}")
    drawn(page)
    return troubles


def drawn(page):
    """The map in its frame has said that it is ready."""
    expect(page.locator("[data-loading]")).to_be_hidden()


def _serious(page):
    """What axe finds that is serious or worse."""
    page.add_script_tag(url="/static/vendor/axe.min.js")
    found = page.evaluate("axe.run(document, {iframes: false}).then((r) => r.violations)")
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]


def test_a_row_of_the_table_is_selected_on_the_map_and_the_other_way_round(city, page):
    city.sign_in(page, "planner")
    troubles = _open(page, city)
    rows = page.locator("tr[data-cell]")
    rows.first.focus()
    page.keyboard.press("Enter")
    selected = page.locator("tr[data-cell][aria-selected]")
    expect(selected).to_have_attribute("data-cell", rows.first.get_attribute("data-cell"))
    tooltip = page.frame_locator("iframe[data-map]").locator(".leaflet-tooltip")
    expect(tooltip).to_contain_text("高发")
    page.frames[1].evaluate("""() => {
      const map = Object.keys(window).filter((k) => k.startsWith("map_")).map((k) => window[k])[0];
      map.eachLayer((l) => { if (l.feature?.properties?.number === 3) l.fire("click"); });
    }""")
    expect(selected).to_have_attribute("data-cell", "3")  # and no other: there is one
    assert troubles == []


def test_choosing_a_filter_changes_the_url_and_the_view(city, page):
    city.sign_in(page, "planner")
    troubles = _open(page, city)
    page.locator("input[value=density]").check()
    page.wait_for_url(re.compile("measure=density"))
    drawn(page)
    expect(page.frame_locator("iframe[data-map]").locator("img.leaflet-image-layer")).to_have_count(1)
    expect(page.locator("ul.legend")).to_contain_text("每平方公里")
    page.select_option("select[name=cell]", "500")
    page.wait_for_url(re.compile("cell=500"))
    expect(page.locator("select[name=reach]")).to_have_value("1500")
    page.select_option("select[name=category]", "heat")
    page.wait_for_url(re.compile("category=heat"))
    assert "district=" not in page.url  # what is not chosen is not in the address
    page.reload()
    expect(page.locator("select[name=category]")).to_have_value("heat")
    assert troubles == []


def test_the_map_follows_the_theme_of_the_page(city, page):
    city.sign_in(page, "planner")
    _open(page, city)
    page.locator(".topbar .person").click()
    page.locator("[data-switch-theme]").click()
    theme = page.evaluate("document.documentElement.dataset.theme")
    expect(page.frame_locator("iframe[data-map]").locator("html")).to_have_attribute("data-theme", theme)


def test_on_a_phone_nothing_is_wider_than_the_screen(city, phone_page):
    city.sign_in(phone_page, "planner")
    troubles = _open(phone_page, city)
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert troubles == []


@pytest.mark.parametrize("query", ["", "&measure=density", "&category=gas"])
def test_axe_finds_nothing_serious(city, page, query):
    city.sign_in(page, "planner")
    _open(page, city, query)
    assert _serious(page) == []


def test_the_exported_page_opens_without_a_network_and_its_rows_select_cells(city, page, context, tmp_path):
    city.sign_in(page, "planner")
    body = page.request.get(f"{city.url}/hotspots.html?{WEEK}").body()
    (tmp_path / "hotspots.html").write_bytes(body)
    asked = []
    page = context.new_page()
    page.on("request", lambda r: asked.append(r.url))
    context.set_offline(True)
    page.goto((tmp_path / "hotspots.html").as_uri())
    page.locator("tr[data-cell]").first.click()
    page.locator(".leaflet-tooltip").wait_for()
    expect(page.locator("h1")).to_have_text(re.compile("^诉求高发区"))
    expect(page.locator(".legend")).to_contain_text("高发 99 %")
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def test_on_paper_the_whole_map_is_there_and_nothing_is_wider(city, page):
    city.sign_in(page, "planner")
    page.set_viewport_size({"width": 1366, "height": 900})
    _open(page, city)
    frame = page.locator("iframe[data-map]")
    shown = frame.bounding_box()
    with on_paper(page):
        box = frame.bounding_box()
        assert box["width"] <= A4_PX["width"] < shown["width"]
        assert box["height"] / box["width"] == pytest.approx(shown["height"] / shown["width"], rel=0.01), (
            "made smaller, not cut"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= A4_PX["width"]
    assert frame.bounding_box() == shown
