// Which asset explains the calls: the chosen explanation on the map (its pipes, who called, who kept silent), and the keys.
import { t } from "../common/words.mjs";

const box = document.querySelector("[data-explained]");
const told = JSON.parse(box.dataset.explained);
const cards = [...document.querySelectorAll("[data-cause]")];
const collection = (features) => ({ type: "FeatureCollection", features });
let chosen = 0, map;

const points = () => collection(told.points.map(([lon, lat, name, calls, under]) => ({
  type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] },
  properties: { name, calls, state: !under.includes(chosen) ? "elsewhere" : calls ? "called" : "silent" },
})).filter((f) => f.properties.calls || f.properties.state !== "elsewhere"));
const lines = () => collection(told.lines.map(([geometry, cause, utility]) => ({ type: "Feature", geometry, properties: { utility, mine: cause === chosen } })));

function over(c) {
  const hue = ["match", ["get", "utility"], "water", c.water, "gas", c.gas, c.supply];
  const is = (state) => ["==", ["get", "state"], state];
  return {
    sources: { "explained-lines": { type: "geojson", data: lines() }, "explained-points": { type: "geojson", data: points() } },
    layers: [
      { id: "explained-edge", type: "line", source: "explained-lines", filter: ["get", "mine"], layout: { "line-cap": "round" }, paint: { "line-color": c.text, "line-width": 9 * c.k } },
      { id: "explained-lines", type: "line", source: "explained-lines", layout: { "line-cap": "round" },
        paint: { "line-color": hue, "line-width": ["case", ["get", "mine"], 6 * c.k, 2 * c.k], "line-opacity": ["case", ["get", "mine"], 1, 0.5] } },
      { id: "explained-elsewhere", type: "circle", source: "explained-points", filter: is("elsewhere"), paint: { "circle-radius": 4 * c.k, "circle-color": c.grey } },
      { id: "explained-silent", type: "circle", source: "explained-points", filter: is("silent"),
        paint: { "circle-radius": 5 * c.k, "circle-color": c.panel, "circle-stroke-color": c.action, "circle-stroke-width": 2 } },
      { id: "explained-called", type: "circle", source: "explained-points", filter: is("called"),
        paint: { "circle-radius": ["*", c.k, ["min", 16, ["+", 6, ["get", "calls"]]]], "circle-color": c.orange, "circle-stroke-color": c.text, "circle-stroke-width": 2 } },
    ],
  };
}

/** The box around what is chosen, or around all calls. */
function bounds() {
  const mine = told.points.filter(([, , , , under]) => under.includes(chosen));
  const corners = (mine.length ? mine : told.points).map(([lon, lat]) => [lon, lat]);
  for (const [geometry, cause] of told.lines) if (cause === chosen) corners.push(...geometry.coordinates);
  if (!corners.length) return null;
  const lons = corners.map(([lon]) => lon), lats = corners.map(([, lat]) => lat);
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

function choose(i, { focus = false, move = true } = {}) {
  if (!cards[i]) return;
  chosen = i;
  cards.forEach((card, n) => (n === i ? card.setAttribute("aria-current", "true") : card.removeAttribute("aria-current")));
  if (focus) cards[i].focus();
  box.dataset.chosen = String(i);
  map?.getSource("explained-points")?.setData(points());
  map?.getSource("explained-lines")?.setData(lines());
  if (map && move && bounds()) map.fitBounds(bounds(), { padding: 40, maxZoom: 17, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200 });
}

async function draw() {
  const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  box.replaceChildren();
  map = makeMap(box, { over, tileUrl: box.dataset.tileUrl || undefined, ...(bounds() ? { bounds: bounds(), fitBoundsOptions: { padding: 40, maxZoom: 17 } } : {}) });
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
  for (const layer of ["explained-called", "explained-silent", "explained-elsewhere"]) {
    map.on("mousemove", layer, (event) => {
      const { name, calls } = event.features[0].properties;
      popup.setLngLat(event.lngLat).setText(`${name} · ${t("%(n)s callers", { n: calls })}`).addTo(map);
    });
    map.on("mouseleave", layer, () => popup.remove());
  }
  map.once("idle", () => (box.dataset.mapReady = "1"));
}

cards.forEach((card, i) => {
  card.addEventListener("click", (event) => choose(i, { move: !event.target.closest("form, details, a") }));
  card.addEventListener("focusin", () => chosen !== i && choose(i));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, button, a, summary")) return;
  if (event.key === "j" || event.key === "k") choose(Math.min(Math.max(chosen + (event.key === "j" ? 1 : -1), 0), cards.length - 1), { focus: true });
  else if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1, { focus: true });
  else if (event.key === "Enter" && event.target.matches("[data-cause]")) event.target.querySelector(".one-click input:not([type=hidden]), a.button")?.focus();
  else return;
  event.preventDefault();
});
for (const form of document.querySelectorAll(".one-click")) form.addEventListener("submit", () => { form.querySelector("button").disabled = true; });
choose(0);
draw().catch(() => { box.firstElementChild.textContent = t("There is no map here; everything on it is in the table."); });
