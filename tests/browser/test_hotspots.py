"""The planner's page in Chromium: map and table are one selection, the URL is the view, on a desk and on a phone."""

import re

import pytest

from tests.factories import PINGDU, make_area, make_complaint, square

pytestmark = pytest.mark.browser

LON, LAT = PINGDU
WEEK = "from=2009-11-16&to=2009-11-22"


@pytest.fixture
def city(live):
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
    page.locator("[data-loading]").wait_for(state="hidden")
    return troubles


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
    assert rows.first.get_attribute("aria-selected") is not None
    frame = page.frames[1]
    frame.wait_for_selector(".leaflet-tooltip")
    assert "高发" in frame.locator(".leaflet-tooltip").inner_text()
    frame.evaluate("""() => {
      const map = Object.keys(window).filter((k) => k.startsWith("map_")).map((k) => window[k])[0];
      map.eachLayer((l) => { if (l.feature?.properties?.number === 3) l.fire("click"); });
    }""")
    page.wait_for_function("document.querySelector('tr[data-cell=\"3\"]').hasAttribute('aria-selected')")
    assert rows.first.get_attribute("aria-selected") is None
    assert troubles == []


def test_choosing_a_filter_changes_the_url_and_the_view(city, page):
    city.sign_in(page, "planner")
    troubles = _open(page, city)
    page.locator("input[value=density]").check()
    page.wait_for_url(re.compile("measure=density"))
    page.locator("[data-loading]").wait_for(state="hidden")
    assert page.frames[1].locator("img.leaflet-image-layer").count() == 1
    assert "每平方公里" in page.locator("ul.legend").inner_text()
    page.select_option("select[name=cell]", "500")
    page.wait_for_url(re.compile("cell=500"))
    assert page.locator("select[name=reach]").input_value() == "1500"
    page.select_option("select[name=category]", "heat")
    page.wait_for_url(re.compile("category=heat"))
    assert "district=" not in page.url  # what is not chosen is not in the address
    page.reload()
    assert page.locator("select[name=category]").input_value() == "heat"
    assert troubles == []


def test_the_map_follows_the_theme_of_the_page(city, page):
    city.sign_in(page, "planner")
    _open(page, city)
    page.locator(".topbar .person").click()
    page.locator("[data-switch-theme]").click()
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.frames[1].wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")


def test_on_a_phone_nothing_is_wider_than_the_screen(city, phone_page):
    city.sign_in(phone_page, "planner")
    troubles = _open(phone_page, city)
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert troubles == []


@pytest.mark.parametrize("query", ["", "&measure=density", "&category=gas"])
def test_axe_finds_nothing_serious(city, page, query):
    city.sign_in(page, "planner")
    page.goto(f"{city.url}/hotspots?{WEEK}{query}")
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
    assert page.locator("h1").inner_text().startswith("诉求高发区")
    assert "高发 99 %" in page.locator(".legend").inner_text()
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
