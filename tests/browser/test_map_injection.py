"""Stored text never runs on a map: every way in that folium offers, tried in Chromium, and the same ways in raw folium run.

Each payload pushes its number into `RAN` when it runs. Nothing may be there after every tooltip and popup was opened, no
dialog, no request, and no complaint of the policy that something tried. The policy inside the document is taken out for the
direct tests: the escaping must hold alone.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from pathlib import Path

import folium
import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from gis.complaints.model import Category
from gis.places.model import GazetteerEntry, RoadEdge, RoadNetwork, RoadNode
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, make_user, point, square
from webapp.maps import SafeMap, Shape, UnsafeMap, inert, plain

pytestmark = pytest.mark.browser

LON, LAT = PINGDU
BOX = (LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)
VENDOR = Path(__file__).parents[2] / "webapp" / "static" / "vendor"
SUM, SUM_TEXT = "{{ 6*7*1000003 }}", "42000126"  # what a template engine on the server would make of it

_RUN = "(window.RAN=window.RAN||[]).push(%d)"
_FORMS = (
    "<img src=x onerror='RUN'>", '"><img src=x onerror="RUN">', "</script><script>RUN</script>", "<svg onload=RUN>",
    "</title><script>RUN</script>", "</style><script>RUN</script>", "--><script>RUN</script><!--", "`+(RUN)+`", "${RUN}",
    "`-(RUN)-`//", "';RUN;//", '";RUN;//', "'+(RUN)+'", '"+(RUN)+"', "\\';RUN;//", '\\";RUN;//', "\u2028RUN//\u2029RUN",
    "\nRUN//", "*/RUN/*", "<a href=\"javascript:RUN\" autofocus onfocus=\"RUN\" tabindex=1>x</a>", "javascript:RUN",
    "<details open ontoggle=RUN>x</details>", "<iframe srcdoc=\"<script>parent.RUN</script>\"></iframe>",
    "&lt;img src=x onerror=RUN&gt;", "&#x3c;img src=x onerror=RUN&#x3e;", "<style>@import '//evil.invalid/x.css'</style>",
    "red;background:url(http://evil.invalid/x.png)", "<base href='http://evil.invalid/'>", "{{ self }}" + SUM,
    "{% raw %}RUN{% endraw %}", "{%print(6*7*1000003)%}", "{# x #}", "<<img src=x onerror=RUN>>", "<img/src=x/onerror=RUN>",
    "x\" onmouseover=\"RUN", "x' onmouseover='RUN", "<math><mtext></p><img src=x onerror=RUN>", "]]><img src=x onerror=RUN>",
    "__proto__", "constructor", "\ud800<img src=x onerror=RUN>", "=cmd|' /C calc'!A0",
)  # fmt: skip
PAYLOADS = tuple(form.replace("RUN", _RUN % i) for i, form in enumerate(_FORMS))

OPEN_ALL = """() => {
  for (const name of Object.keys(window).filter((k) => k.startsWith("map_"))) {
    const map = window[name];
    map.eachLayer((layer) => {
      for (const open of ["openTooltip", "openPopup"]) {
        try { layer[open]?.(); } catch { /* nothing is bound here */ }
      }
      try { layer.fire?.("mouseover", {latlng: map.getCenter()}, true); layer.fire?.("click", {latlng: map.getCenter()}, true); } catch { /* no feature */ }
    });
  }
  for (const node of document.querySelectorAll("[onmouseover]")) node.dispatchEvent(new Event("mouseover"));
  for (const link of document.querySelectorAll("a[href^='javascript']")) link.click();
}"""


class Witness:
    """What a page did that it should not: ran a payload, opened a dialog, asked for something, tripped its policy."""

    def __init__(self, page):
        self.page, self.dialogs, self.asked, self.blocked = page, [], [], []
        page.on("dialog", lambda d: (self.dialogs.append(d.message), d.dismiss()))
        page.on("console", lambda m: self.blocked.append(m.text) if "Content Security Policy" in m.text else None)

    def ran(self):
        found = []
        for frame in self.page.frames:
            found += frame.evaluate("window.RAN || []")
        return sorted(set(found))

    def until(self, true):
        """Wait for what is said to happen."""
        for _ in range(1200):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError((self.ran(), self.blocked))

    def nothing(self):
        assert self.ran() == []
        assert self.dialogs == []
        assert self.asked == []
        assert self.blocked == []


@contextmanager
def _opened(browser, html, offline_files=()):
    """The document on an address of its own; every other request is written down and refused."""
    context = browser.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    witness = Witness(page)
    known = dict(offline_files)

    def serve(route):
        url = route.request.url
        if url == "http://map.invalid/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif any(part in url for part in known):
            body = next(body for part, body in known.items() if part in url)
            route.fulfill(body=body, content_type="text/javascript")
        else:
            witness.asked.append(url)
            route.abort()

    context.route("**/*", serve)
    page.goto("http://map.invalid/")
    page.wait_for_timeout(150)
    page.evaluate(OPEN_ALL)
    page.wait_for_timeout(250)
    try:
        yield page, witness
    finally:
        context.close()


def _square(i):
    x, y = LON - 0.09 + 0.004 * i, LAT
    return {"type": "Polygon", "coordinates": [[[x, y], [x + 0.003, y], [x + 0.003, y + 0.003], [x, y]]]}


def _safe(title="map", words=None):
    return SafeMap(title, BOX, language="zh", words=words)


def _titles():
    """A page has one title: one page for each of the texts that could leave it, the button words with them."""
    return [_safe(PAYLOADS[i], {"zoom_in": PAYLOADS[i], "zoom_out": PAYLOADS[i]}) for i in (0, 1, 2, 4, 8, 10, 16, 28)]


def _one(build):
    drawn = _safe()
    for i, text in enumerate(PAYLOADS):
        build(drawn, i, text)
    drawn.layer_control()
    return [drawn]


SINKS = {
    "page title and button words": _titles,
    "tooltip": lambda: _one(lambda d, i, t: d.marker(LON + i / 500, LAT, "x", tooltip=t)),
    "popup": lambda: _one(lambda d, i, t: d.marker(LON + i / 500, LAT, "x", popup=t)),
    "icon": lambda: _one(lambda d, i, t: d.marker(LON + i / 500, LAT, t)),
    "marker title and alt": lambda: _one(lambda d, i, t: d.marker(LON + i / 500, LAT, "x", title=t)),
    "layer name": lambda: _one(lambda d, i, t: d.shapes(t, [Shape(_square(i), "road")])),
    "attribution": lambda: _one(lambda d, i, t: d.shapes("x", [Shape(_square(i), "road")], attribution=t)),
    "properties": lambda: _one(lambda d, i, t: d.shapes("x", [Shape(_square(i), "road", (t,), i)], fields=("f",))),
    "field names": lambda: _one(lambda d, i, t: d.shapes("x", [Shape(_square(i), "road", ("v",), i)], fields=(t,))),
    "image name and alt": lambda: _one(lambda d, i, t: d.image(t, b"", b"", BOX, alt=t)),
    "heading": lambda: _one(lambda d, i, t: d.heading(t, [t])),
    "legend": lambda: _one(lambda d, i, t: d.legend(t, [("road", t)])),
    "table": lambda: _one(lambda d, i, t: d.table([t], [(i, [t])])),
}


@pytest.mark.parametrize("sink", SINKS)
def test_no_payload_runs_by_any_way_into_our_maps(browser, sink):
    for drawn in SINKS[sink]():
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", drawn.html())
        assert SUM_TEXT not in html
        assert "http://" not in html
        with _opened(browser, html) as (page, witness):
            asked = [url for url in witness.asked if "favicon" not in url and not url.startswith("data:")]
            witness.asked = asked
            witness.nothing()
            expect(page.locator(".leaflet-container")).to_have_count(1)  # it is still a map


def test_the_texts_are_shown_as_they_were_stored(browser):
    text = "<b>8号楼</b> & 'A' \"B\" `C` ${D} {{E}} \\F"
    drawn = _safe()
    drawn.heading(text, [])
    drawn.marker(LON, LAT, text, tooltip=text)
    with _opened(browser, drawn.html()) as (page, witness):
        expect(page.locator(".leaflet-tooltip")).to_be_visible()
        assert page.locator("h1").inner_text() == text
        assert page.locator(".name").inner_text() == text
        assert page.locator(".leaflet-tooltip").inner_text().strip() == text
        assert witness.blocked == []


def test_what_is_not_text_cannot_carry_any():
    drawn = _safe()
    bad = PAYLOADS[2]
    with pytest.raises(ValueError, match="style"):
        drawn.shapes("x", [Shape(_square(0), bad)])
    with pytest.raises(ValueError, match="style"):
        drawn.styles({bad: {}})
    with pytest.raises(ValueError, match="geometry"):
        drawn.shapes("x", [Shape({"type": bad, "coordinates": []}, "road")])
    with pytest.raises(ValueError, match="convert"):
        drawn.shapes("x", [Shape({"type": "Point", "coordinates": [bad, 1]}, "road")])
    with pytest.raises(ValueError, match="place"):
        drawn.marker(float("nan"), LAT, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        drawn.shapes("x", [Shape(_square(0), "road", (), bad)])


def test_inert_text_has_no_character_that_means_something():
    for text in PAYLOADS:
        assert not re.search(r"[<>\"'`${}\\=\u2028\u2029\n]", inert(text)), text
        assert not re.search(r"[{}\u2028\u2029\n]", plain(text)), text


# --- the control: the same texts through folium as it comes ---------------------------------------------------------------
JQUERY = (
    "window.$ = (h) => { const t = document.createElement('div'); t.innerHTML = h; return [t.firstElementChild]; };"
)


def _raw_popup(m, text):
    folium.Marker([LAT, LON], popup=folium.Popup(text)).add_to(m)


def _raw_layer(m, text):
    folium.FeatureGroup(name=text).add_to(m)
    folium.LayerControl(collapsed=False).add_to(m)


def _raw_geojson(m, text):
    data = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"f": text}, "geometry": _square(0)}],
    }
    folium.GeoJson(data, tooltip=folium.GeoJsonTooltip(["f"])).add_to(m)


RAW = {
    "popup": _raw_popup,
    "tooltip": lambda m, t: folium.Marker([LAT, LON], tooltip=t).add_to(m),
    "icon": lambda m, t: folium.Marker([LAT, LON], icon=folium.DivIcon(html=t)).add_to(m),
    "layer name": _raw_layer,
    "properties": _raw_geojson,
    "attribution": lambda m, t: folium.TileLayer("http://tiles.invalid/{z}", attr=t).add_to(m),
    "page title": lambda m, t: setattr(m.get_root(), "title", t),
}


@pytest.mark.parametrize("sink", RAW)
def test_raw_folium_runs_the_same_texts_so_that_this_test_can_fail(browser, sink):
    files = {"leaflet.js": (VENDOR / "leaflet.js").read_text(encoding="utf-8"), "jquery": JQUERY}
    with ExitStack() as opened:
        witnesses = []
        for text in (PAYLOADS[0], PAYLOADS[2], PAYLOADS[4]):
            m = folium.Map([LAT, LON], tiles=None)
            RAW[sink](m, text)
            witnesses.append(opened.enter_context(_opened(browser, m.get_root().render(), files))[1])
        witnesses[0].until(lambda: any(witness.ran() for witness in witnesses))


def test_raw_folium_renders_stored_text_as_a_template_on_the_server():
    m = folium.Map([LAT, LON], tiles=None)
    folium.Marker([LAT, LON], tooltip=SUM).add_to(m)
    assert SUM_TEXT in m.get_root().render()


# --- the same texts in real rows, on the real page --------------------------------------------------------------------------
def _fill(session):
    """Every payload as the name of everything that a map or its page tells."""
    session.execute(update(Category).values(name=PAYLOADS[0], name_en=PAYLOADS[2]))
    unit = make_unit(session, name=PAYLOADS[1])
    make_user(session, full_name=PAYLOADS[0])
    network = RoadNetwork(name=PAYLOADS[2], source=" ".join(PAYLOADS)[:290], imported_at=NOW)
    session.add(network)
    session.flush()
    nodes = [RoadNode(network_id=network.id, ref=f"n{i}", geom=point(LON + i / 100, LAT)) for i in (0, 1)]
    session.add_all(nodes)
    session.flush()
    line = f"SRID=4326;LINESTRING({LON} {LAT}, {LON + 0.01} {LAT})"
    session.add(RoadEdge(network_id=network.id, ref="e", from_node=nodes[0].id, to_node=nodes[1].id, name=PAYLOADS[3],
                         highway="primary", length_m=900, geom=line))  # fmt: skip
    district = make_area(session, name=PAYLOADS[0], source=PAYLOADS[2] + SUM)
    for i, text in enumerate(PAYLOADS):
        stored = text.encode("utf-8", "replace").decode()[:110]
        lon, lat = LON - 0.045 + 0.012 * (i % 8), LAT - 0.04 + 0.013 * (i // 8)
        make_area(session, name=stored, level="street", geom=square(lon, lat, 0.005), parent_id=district.id)
        make_area(session, name=stored, level="compound", geom=square(lon, lat, 0.001), parent_id=district.id)
        session.add(GazetteerEntry(code=f"g{i}", name=stored, kind="road", geom=point(lon + 0.002, lat)))
        for _ in range(1 + i % 4):
            make_complaint(
                session, at=(lon, lat), place=stored, description=stored, district_id=district.id, unit_id=unit.id
            )
    session.commit()


@pytest.fixture
def poisoned(live):
    with live.sessions() as session:
        _fill(session)
    return live


def _watch(page, live):
    witness = Witness(page)
    page.on(
        "request",
        lambda r: None if r.url.startswith((live.url, "data:", "blob:", "file:")) else witness.asked.append(r.url),
    )
    return witness


def test_names_in_real_rows_run_nowhere_on_the_page_in_the_frame_or_in_the_file(poisoned, page, context, tmp_path):
    witness = _watch(page, poisoned)
    poisoned.sign_in(page, "planner")
    for query in ("", "&measure=density", "&ground=all&cell=500"):
        page.goto(f"{poisoned.url}/hotspots?from=2009-11-16&to=2009-11-22{query}")
        expect(page.locator("[data-loading]")).to_be_hidden()
        frame = page.frame_locator("iframe[data-map]")
        frame.locator(".leaflet-container").wait_for()
        inner = page.frames[1]
        inner.evaluate(OPEN_ALL)
        page.locator("tr[data-cell]").first.click()
        page.wait_for_timeout(300)
        assert SUM_TEXT not in inner.content()
        assert inner.evaluate("self.origin") == "null"
        assert (
            inner.evaluate("(() => { try { return parent.document.title } catch { return 'closed' } })()") == "closed"
        )
        witness.nothing()
    answer = page.request.get(f"{poisoned.url}/hotspots.html?from=2009-11-16&to=2009-11-22")
    (tmp_path / "map.html").write_bytes(answer.body())
    context.set_offline(True)
    page.goto((tmp_path / "map.html").as_uri())
    page.locator(".leaflet-container").wait_for()
    page.evaluate(OPEN_ALL)
    page.wait_for_timeout(300)
    witness.nothing()
    assert SUM_TEXT not in page.content()


# --- the two walls, one at a time -------------------------------------------------------------------------------------------
def _unescaped(monkeypatch, text):
    monkeypatch.setattr("webapp.maps.inert", lambda value, longest=300: str(value))
    drawn = _safe()
    drawn.marker(LON, LAT, "x", tooltip=text)
    return drawn


def test_without_the_escaping_the_policy_inside_the_document_still_stops_it(browser, monkeypatch):
    html = _unescaped(monkeypatch, PAYLOADS[0]).html()
    with _opened(browser, html) as (page, witness):
        expect(page.locator(".leaflet-container")).to_have_count(1)
        witness.until(lambda: witness.blocked)  # it was tried
        assert witness.ran() == []


def test_without_both_it_runs_so_that_the_first_test_can_fail(browser, monkeypatch):
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", _unescaped(monkeypatch, PAYLOADS[0]).html())
    with _opened(browser, html) as (_page, witness):
        witness.until(lambda: witness.ran() == [0])


def test_a_document_with_one_script_more_is_refused(monkeypatch):
    with pytest.raises(UnsafeMap):
        _unescaped(monkeypatch, PAYLOADS[2]).html()
