// The sites of the list on the map: the stage by colour, breaches by a red rim. A click opens the site, a row lights its point.
import { ask } from "../common/dom.mjs";
import { around, collection, mapIn, noMap } from "./map.mjs";

const box = document.querySelector("[data-sites]");

async function draw() {
  const found = await ask(box.dataset.sites);
  const over = (c) => ({
    sources: { sites: { type: "geojson", data: found, promoteId: "id" }, lit: { type: "geojson", data: collection([]) } },
    layers: [
      { id: "sites", type: "circle", source: "sites", paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 4 * c.k, 15, 9 * c.k],
        "circle-color": ["match", ["get", "stage"], "before", c.grey, "during", c.action, c.green],
        "circle-stroke-color": ["case", [">", ["get", "breaches"], 0], c.red, c.panel], "circle-stroke-width": ["case", [">", ["get", "breaches"], 0], 3, 1.5] } },
      { id: "lit", type: "circle", source: "lit", paint: { "circle-radius": 14 * c.k, "circle-opacity": 0, "circle-stroke-color": c.text, "circle-stroke-width": 2 } },
    ],
  });
  const places = found.features.map((f) => f.geometry.coordinates);
  const extent = box.dataset.extent ? box.dataset.extent.split(",").map(Number) : null;
  const bounds = places.length ? around(places, 0.01) : extent ? [[extent[0], extent[1]], [extent[2], extent[3]]] : undefined;
  const { map, maplibre } = await mapIn(box, { over, ...(bounds ? { bounds } : {}) });
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
  map.on("mousemove", "sites", (event) => { map.getCanvas().style.cursor = "pointer"; popup.setLngLat(event.lngLat).setText(event.features[0].properties.name).addTo(map); });
  map.on("mouseleave", "sites", () => { map.getCanvas().style.cursor = ""; popup.remove(); });
  map.on("click", "sites", (event) => location.assign(`/sites/${event.features[0].properties.id}`));
  const byId = new Map(found.features.map((f) => [String(f.properties.id), f]));
  for (const row of document.querySelectorAll("tr[data-site]")) {
    row.addEventListener("mouseenter", () => { const f = byId.get(row.dataset.site); map.getSource("lit")?.setData(collection(f ? [f] : [])); });
    row.addEventListener("mouseleave", () => map.getSource("lit")?.setData(collection([])));
  }
}

if (box) draw().catch(() => noMap(box));
