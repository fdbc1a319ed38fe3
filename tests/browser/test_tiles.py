"""The map's own reader understands every layer, and an empty tile is no error to it."""

import pytest

from tests.factories import PINGDU, make_area, make_complaint, make_crew
from tests.webapp.test_tiles import add_city
from webapp.tiles import LAYERS

DRAW = """async ([names, centre, zoom]) => {
  const maplibre = await import("/static/vendor/maplibre-gl.mjs");
  maplibre.setWorkerUrl("/static/vendor/maplibre-gl-worker.mjs");
  const box = Object.assign(document.createElement("div"), { style: "position:fixed;inset:0;width:800px;height:600px" });
  document.body.append(box);
  const sources = Object.fromEntries(names.map((n) => [n, { type: "vector", maxzoom: 18,
    tiles: [`${location.origin}/tiles/${n}/{z}/{x}/{y}.mvt`] }]));
  const drawn = names.flatMap((n) => n === "complaints" ? ["cells", "complaints"].map((l) => [n, l]) : [[n, n]]);
  const layers = drawn.map(([source, l]) => ({ id: `${source}-${l}`, type: "circle", source, "source-layer": l }));
  const map = new maplibre.Map({ container: box, style: { version: 8, sources, layers }, center: centre, zoom });
  const errors = [];
  map.on("error", (e) => errors.push(String(e.error?.message ?? e)));
  await new Promise((done) => map.once("idle", done));
  const found = Object.fromEntries(drawn.map(([source, l]) => [l,
    map.querySourceFeatures(source, { sourceLayer: l }).map((f) => ({ id: f.id, ...f.properties }))]));
  map.remove();
  return { errors, found };
}"""


@pytest.mark.browser
def test_maplibre_reads_every_layer(live, page):
    with live.sessions() as session:
        district = make_area(session)
        complaint = make_complaint(session, district_id=district.id)
        for i in range(30):
            make_complaint(session, at=(PINGDU[0] + i * 1e-5, PINGDU[1]))
        crew = make_crew(session, heading_deg=45)
        add_city(session)
        session.commit()
    live.sign_in(page, "dispatcher")
    names = [*LAYERS, "complaints", "crews"]
    near = page.evaluate(DRAW, [names, list(PINGDU), 15])
    assert near["errors"] == []
    assert len({f["id"] for f in near["found"]["complaints"]}) == 31
    assert any(f["id"] == complaint.id and f["category"] == "heat.cold" for f in near["found"]["complaints"])
    assert any(f["id"] == crew.id and f["heading"] == 45 for f in near["found"]["crews"])
    assert {f["level"] for f in near["found"]["areas"]} >= {"district"}
    far = page.evaluate(DRAW, [names, list(PINGDU), 8])
    assert far["errors"] == []
    assert sum(f["n"] for f in far["found"]["cells"]) == 31
    assert all(near["found"][layer] for layer in LAYERS), near["found"]
    empty = page.evaluate(DRAW, [names, [100, 10], 12])
    assert empty == {"errors": [], "found": {name: [] for name in empty["found"]}}
