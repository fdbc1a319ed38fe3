"""The bar above every page: whoever is signed in reaches their own menu, at any width and in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Live, serving

pytestmark = pytest.mark.browser
WIDTHS = (320, 390, 768, 1024, 1280, 1366, 1920)


@pytest.fixture(scope="module")
def demo(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """As the demo runs: a chip in the bar tells that its data are made up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHENGMAI_DEMO", "true")
        with serving(new_database(), tmp_path_factory.mktemp("demo")) as made:
            yield made


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ["supervisor", "dispatcher", "administrator"])
def test_the_menu_of_the_person_is_inside_the_window(demo: Live, browser: Browser, role: str, language: str) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    demo.sign_in(page, role, full_name="Christopher Montgomery-Smith")
    context.add_cookies([{"name": "language", "value": language, "url": demo.url}])
    page.goto(f"{demo.url}/")
    person = page.locator(".topbar .person")
    expect(person).to_be_visible()
    outside = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 768})
        box = person.bounding_box()
        assert box is not None
        if box["x"] < 0 or box["x"] + box["width"] > width:
            outside.append((width, box["x"], box["x"] + box["width"]))
        hidden = page.evaluate("(n => n.scrollWidth - n.clientWidth)(document.querySelector('.topbar nav'))")
        if hidden > 0 and width >= 1280:
            outside.append((width, "menus", hidden))
    assert outside == []
    page.set_viewport_size({"width": 1366, "height": 768})
    person.click()
    expect(page.locator("#menu-person")).to_be_visible()
    context.close()
