// An inspector's day on the map: numbered stops in the order of the route. A number and its card light each other.
import { around, collection, corners, feature, groundLayers, mapIn, noMap } from "./map.mjs";

const box = document.querySelector("[data-stops]");
const stops = box ? JSON.parse(box.dataset.stops) : [];

async function draw() {
  const line = feature({ type: "LineString", coordinates: stops.map((s) => [s.lon, s.lat]) });
  const grounds = stops.filter((s) => s.ground).map((s) => feature(s.ground));
  const over = (c) => ({
    sources: { way: { type: "geojson", data: collection(stops.length > 1 ? [line] : []) }, grounds: { type: "geojson", data: collection(grounds) } },
    layers: [...groundLayers(c, "grounds"), { id: "way", type: "line", source: "way", layout: { "line-join": "round" }, paint: { "line-color": c.action, "line-width": 3, "line-dasharray": [2, 1.5] } }],
  });
  const places = [...stops.map((s) => [s.lon, s.lat]), ...stops.flatMap((s) => corners(s.ground))];
  const { map, maplibre } = await mapIn(box, { over, bounds: around(places) });
  for (const stop of stops) {
    const card = document.querySelector(`[data-stop="${stop.id}"]`);
    const mark = document.createElement("div");
    mark.className = `stop-mark${stop.done ? " done" : ""}`;
    mark.textContent = String(stop.n);
    mark.title = stop.name;
    mark.addEventListener("click", () => card.scrollIntoView({ block: "center", behavior: "smooth" }));
    for (const [node, other] of [[mark, card], [card, card]]) {
      node.addEventListener("mouseenter", () => { other.classList.add("lit"); mark.style.zIndex = "2"; });
      node.addEventListener("mouseleave", () => { other.classList.remove("lit"); mark.style.zIndex = ""; });
    }
    new maplibre.Marker({ element: mark }).setLngLat([stop.lon, stop.lat]).addTo(map);
  }
}

if (stops.length) draw().catch(() => noMap(box));
